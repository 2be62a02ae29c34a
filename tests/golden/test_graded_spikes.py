"""Graded spikes: packets with a count, in numpy and C, by hand-computed values; what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.packets import destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip, run
from spikelet.golden.dense_spikes import DenseSpikes
from tests.helpers.random_plastic import random_plastic_chip

MANY, ONCE = neuron_model("lif-multispike"), neuron_model("lif-subtract-ge")
BACKENDS = ("numpy", "native")


def _core(bits: int, *, sends: int = 4, **fields: object) -> CoreParams:
    built_in = {"threshold": 10, "spike_bits": sends}
    core = CoreParams(2, 1, MANY, weight_bits=4, lanes=1, delay_slots=4, parameters=built_in)
    return replace(core, spike_bits=bits, **fields)


def _chip(*cores: CoreParams, **fields: object) -> tuple[ChipParams, ChipImage]:
    """Return cores of one neuron, each of which sends to the next with a delay of 1."""
    chip = ChipParams(cores, len(cores), 1, **fields)
    contents = []
    for number in range(len(cores)):
        last = number == len(cores) - 1
        to = destinations(0, HOST, 0) if last else destinations(0, number + 1, 1)
        contents.append(CoreImage(np.array([[7], [-3]], np.int16), joined(to), {}))
    return chip, ChipImage(tuple(contents))


def _events(counts: list[int], axon: int = 0, ticks: int = 4) -> Events:
    """Return events for core 0, all before tick 0."""
    n = len(counts)
    offsets = np.minimum(np.arange(ticks + 1), 1) * n
    zeros = np.zeros(n, np.int32)
    return Events(1, ticks, offsets, zeros, zeros + axon, zeros, np.array(counts, np.int32))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_count_multiplies_the_row_and_the_rest_stays(backend: str) -> None:
    chip, image = _chip(_core(4))
    trace = run(chip, image, _events([5]), backend=backend)
    assert trace.spikes[0][0, :, 0].tolist() == [3, 0, 0, 0]  # 35 = 3 * 10 + 5
    assert trace.states[0]["v"][0, :, 0].tolist() == [5, 5, 5, 5]
    assert trace.outputs[0, :, 0].tolist() == [3, 0, 0, 0]
    assert trace.active_axons[0, :, 0].tolist() == [5, 0, 0, 0]
    assert trace.merged_spikes.tolist() == [[0]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrivals_add_and_what_is_too_many_is_counted(backend: str) -> None:
    chip, image = _chip(_core(3))
    trace = run(chip, image, _events([5, 1, 4, 2]), backend=backend)
    assert trace.active_axons[0, 0, 0] == 7
    assert trace.merged_spikes.tolist() == [[5]]
    assert trace.states[0]["v"][0, 0, 0] == 9 and trace.spikes[0][0, 0, 0] == 4


@pytest.mark.parametrize("backend", BACKENDS)
def test_spikes_above_the_most_follow_in_later_ticks(backend: str) -> None:
    chip, image = _chip(_core(8, sends=2))
    trace = run(chip, image, _events([12]), backend=backend)  # 84
    assert trace.spikes[0][0, :, 0].tolist() == [3, 3, 2, 0]
    assert trace.states[0]["v"][0, :, 0].tolist() == [54, 24, 4, 4]


@pytest.mark.parametrize("backend", BACKENDS)
def test_counts_travel_and_a_plain_core_takes_one(backend: str) -> None:
    plain = replace(_core(1), neuron=ONCE, parameters={"threshold": 10})
    chip, image = _chip(_core(4), plain)
    assert chip.count_bits == 4
    trace = run(chip, image, _events([5]), backend=backend)
    assert trace.active_axons[0, :, 1].tolist() == [0, 1, 0, 0]
    assert trace.merged_spikes.tolist() == [[0, 2]]
    chip, image = _chip(_core(4), _core(2))
    trace = run(chip, image, _events([5]), backend=backend)
    assert trace.states[1]["v"][0, :, 0].tolist() == [0, -9, -9, -9]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_goes_on_from_a_snapshot_with_counts_under_way(backend: str) -> None:
    chip, image = _chip(_core(4), _core(4))
    whole = run(chip, image, _events([5, 6], ticks=6), backend=backend)
    first, then = (GoldenChip(chip, image, backend=backend) for _ in range(2))
    begun = first.run(_events([5, 6], ticks=1))
    state = first.snapshot()
    assert state.cores[1].arrivals.tolist() == [[0, 7], [0, 0], [0, 0], [0, 0]]
    then.restore(state)
    none = Events(1, 5, np.zeros(6, np.int64), *[np.zeros(0, np.int32)] * 3)
    rest = then.run(none, clear=False)
    for core in range(2):
        both = np.concatenate([begun.states[core]["v"], rest.states[core]["v"]], axis=1)
        assert (both == whole.states[core]["v"]).all()


def test_dense_counts_are_the_events() -> None:
    chip, image = _chip(_core(4), _core(4))
    rng = np.random.default_rng(1)
    spikes = rng.integers(0, 8, (3, 9, 2))
    routes = [(0, 0, 0, 0), (1, 0, 1, 1), (1, 1, 0, 2)]
    events = Events.from_spikes(spikes, routes, counts=True)
    traces = [
        run(chip, image, inputs, backend=backend)
        for inputs in (events, DenseSpikes(spikes, np.array(routes), counts=True))
        for backend in BACKENDS
    ]
    assert traces[0].spikes[1].max() > 1
    assert all(trace.first_difference(traces[0]) is None for trace in traces[1:])


def test_what_is_off_is_not_there() -> None:
    core = _core(1, sends=1)
    assert "spike_bits" not in core.to_dict() and core.fired_bits == 1
    chip = ChipParams((core,))
    assert "count" not in {field.name for field in flit_packet(chip).fields}
    graded = ChipParams((replace(core, spike_bits=5),))
    assert CoreParams.from_dict(graded.cores[0].to_dict()) == graded.cores[0]
    assert flit_packet(graded).width == flit_packet(chip).width + 5
    # Tables do not hold the count.
    wide = destination_packet(graded, core).width
    assert wide == destination_packet(chip, core).width


@pytest.mark.parametrize("bits", [0, 9, -1, 2.0, True])
def test_bits_out_of_range_are_refused(bits: object) -> None:
    with pytest.raises(SpikeletError, match=r"spike_bits must be an int in 1\.\.8, not"):
        _core(bits)


def test_a_core_that_learns_takes_no_graded_spikes() -> None:
    core = random_plastic_chip(np.random.default_rng(3)).cores[0]
    assert core.learning
    with pytest.raises(SpikeletError, match="graded spikes, of 3 bits, cannot go to or come from"):
        replace(core, spike_bits=3)
    with pytest.raises(SpikeletError, match="graded spikes, of 8 bits"):
        replace(core, neuron=MANY, parameters={})


def test_counts_that_a_core_does_not_take_are_refused() -> None:
    chip, image = _chip(_core(3))
    for count in (0, 8, -1):
        with pytest.raises(
            SpikeletError, match=rf"count of core 0 must be in 1\.\.7, found {count}"
        ):
            run(chip, image, _events([1, count]))
    plain, contents = _chip(_core(1))
    with pytest.raises(
        SpikeletError, match=r"must be in 1\.\.1, found 2: it takes no graded spikes"
    ):
        run(plain, contents, _events([2]))
    routes = np.array([(0, 0, 0, 0)])
    with pytest.raises(SpikeletError, match=r"must be in 1\.\.7, found 9"):
        run(chip, image, DenseSpikes(np.full((1, 2, 1), 9), routes, counts=True))
    with pytest.raises(SpikeletError, match=r"counts of spikes must be in 0\.\.255, found 300"):
        DenseSpikes(np.full((1, 2, 1), 300), routes, counts=True)
    with pytest.raises(SpikeletError, match="counts of spikes must be integers, not float64"):
        DenseSpikes(np.full((1, 2, 1), 0.5), routes, counts=True)
    with pytest.raises(SpikeletError, match="must agree in length"):
        replace(_events([1]), count=np.ones(2, np.int32))


def test_an_output_line_that_could_overflow_is_refused() -> None:
    core = CoreParams(1, 260, MANY, lanes=1, spike_bits=8)
    to = destinations(np.arange(260), HOST, 0)
    image = CoreImage(np.zeros((1, 260), np.int16), to, {"threshold": np.ones(1, np.int32)})
    with pytest.raises(SpikeletError, match="output line 0 can be sent 66300 spikes in a tick"):
        ChipImage((image,)).check(ChipParams((core,)))


def test_a_snapshot_with_too_large_counts_is_refused() -> None:
    chip, image = _chip(_core(3))
    golden = GoldenChip(chip, image)
    state = golden.snapshot()
    arrivals = state.cores[0].arrivals + np.uint8(9)
    with pytest.raises(SpikeletError, match=r"arrivals must be in 0\.\.7, found 9"):
        golden.restore(replace(state, cores=(replace(state.cores[0], arrivals=arrivals),)))
