"""Placement: every neuron once, every spike to every part, delays, and the whole chip at work."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.image import HOST, NO_DESTINATION
from spikelet.description.profile import PROFILES
from spikelet.errors import SpikeletError
from spikelet.road.compiled import compile_network
from spikelet.road.network import INPUT, Network, Projection
from spikelet.road.place import Placement, PlacementLimits, place
from spikelet.road.quantise import quantise
from spikelet.road.reference import run_float
from tests.road.interpreter import run_chip
from tests.road.networks import EULER, branched, chain, population, spikes

limits_of_any_kind = st.builds(
    PlacementLimits,
    max_neurons=st.integers(1, 12),
    lanes=st.sampled_from([1, 2, 4, 8]),
)


def where(placement: Placement) -> dict[tuple[int, int], tuple[str, int]]:
    """Return layer and neuron by core and place in it."""
    found = {}
    for layer in placement.layers:
        for part in layer.slices:
            for i in range(part.count):
                assert (part.core, i) not in found
                found[part.core, i] = (layer.name, part.first + i)
    return found


def connections(placement: Placement) -> dict[Any, Any]:
    """Return {(source layer, neuron, target layer, neuron): (weight, delay)} from the tables."""
    here, images, found = where(placement), placement.image.cores, {}
    by_core: dict[int, list[Any]] = {}
    for (core, i), end in here.items():
        by_core.setdefault(core, []).append((i, end))

    def connect(source: Any, core: int, axon: int, delay: int) -> None:
        for i, end in by_core[core]:
            assert (source, end) not in found
            found[source, end] = (int(images[core].weights[axon, i]), delay)

    for line, core, axon, delay in placement.routes.tolist():
        connect((INPUT, line), core, axon, delay)
    for (core, i), source in here.items():
        for target, axon, delay in images[core].destinations[i].tolist():
            if target >= 0:
                connect(source, target, axon, delay)
    return found


@settings(max_examples=60, deadline=None)
@given(limits=limits_of_any_kind, seed=st.integers(0, 100), bits=st.sampled_from([1, 4, 8]))
def test_tables_are_the_network(limits: PlacementLimits, seed: int, bits: int) -> None:
    network = branched(seed=seed)
    quantised = quantise(network, bits)
    placement = place(quantised, limits)
    neurons = sorted(where(placement).values())
    assert neurons == sorted((p.name, i) for p in network.populations for i in range(p.size))
    expected = {
        ((p.source, i), (p.target, j)): (
            int(p.weights[i, j]),
            network.depth(p.target) - max(0, network.depth(p.source)),
        )
        for p in quantised.projections
        for i, j in np.ndindex(*p.weights.shape)
    }
    assert connections(placement) == expected


@settings(max_examples=60, deadline=None)
@given(limits=limits_of_any_kind, size=st.integers(1, 70))
def test_cores_keep_to_the_limits(limits: PlacementLimits, size: int) -> None:
    placement = place(quantise(chain([4, size, 3])), limits)
    assert len(placement.neurons) == len(placement.chip.cores)
    for core, in_use, image in zip(
        placement.chip.cores, placement.neurons, placement.image.cores, strict=True
    ):
        assert core.n_neurons <= limits.max_neurons
        assert core.lanes <= limits.lanes
        assert 0 <= core.n_neurons - in_use < core.lanes
        assert not image.weights[:, in_use:].any()
        assert (image.destinations[in_use:, :, 0] == NO_DESTINATION).all()
    lanes = max(core.lanes for core in placement.chip.cores)
    assert lanes < 2 * max(size, 3)


def test_even_split() -> None:
    placement = place(quantise(chain([4, 300, 3])), PlacementLimits(max_neurons=256, lanes=16))
    assert [part.count for part in placement.layers[0].slices] == [144, 156]
    assert [core.n_neurons for core in placement.chip.cores] == [144, 160, 4]
    assert [core.fan_out for core in placement.chip.cores] == [1, 1, 1]
    assert {core.weight_memory for core in placement.chip.cores} == {"block"}
    assert placement.chip.cores[2].n_axons == 300


def test_weight_memory() -> None:
    limits = PlacementLimits(weight_memory="spram")
    assert place(quantise(chain([3, 2])), limits).chip.cores[0].weight_memory == "spram"
    with pytest.raises(SpikeletError, match="weight_memory must be one of block, spram, not 'rom'"):
        place(quantise(chain([3, 2])), PlacementLimits(weight_memory="rom"))


def test_outputs_go_to_the_host() -> None:
    network = chain([4, 5, 20])
    placement = place(quantise(network), PlacementLimits(max_neurons=8, lanes=8))
    lines = {}
    for (core, i), end in where(placement).items():
        for target, line, delay in placement.image.cores[core].destinations[i].tolist():
            if target == HOST:
                assert delay == 1
                lines[end] = line
    assert lines == {("p1", i): i for i in range(20)}
    assert placement.chip.n_outputs == 20
    assert placement.output_latency == 1


def test_a_layer_may_be_output_and_source() -> None:
    layers = (population("a", 2), population("b", 3), population("c", 2))
    projections = (
        Projection(INPUT, "a", np.ones((4, 2))),
        Projection("a", "b", np.ones((2, 3))),
        Projection("a", "c", np.ones((2, 2))),
    )
    network = Network("n", 4, None, EULER, layers, projections, ("c", "b"))
    placement = place(quantise(network))
    fired = spikes(2, 6, 4, rate=0.5)
    compiled = compile_network(network)
    trace = run_chip(compiled.chip, compiled.image, compiled.events(fired), compiled.neurons)
    runs = run_float(network, fired)
    np.testing.assert_array_equal(
        trace.outputs[:, 1:], np.concatenate([runs[2].spikes, runs[1].spikes], axis=2)
    )
    assert placement.chip.n_outputs == 5
    with pytest.raises(SpikeletError, match=r"equally deep, found 'a' at depth 0, 'b' at depth 1"):
        place(quantise(Network("n", 4, None, EULER, layers, projections, ("a", "b", "c"))))


def test_delay_slots() -> None:
    placement = place(quantise(branched()))
    slots = [placement.chip.cores[layer.slices[0].core].delay_slots for layer in placement.layers]
    # c: from a with delay 1; out: from a with delay 2, from the input with event delay 2
    assert slots == [2, 2, 2, 4]


def test_delay_slots_of_host_events() -> None:
    """An event due in 3 ticks needs a slot more than a spike of delay 3."""
    network = chain([2] * 5)
    skip = Projection(INPUT, "p3", np.ones((2, 2)))
    projections = (*network.projections, skip)
    placement = place(
        quantise(Network("n", 2, None, EULER, network.populations, projections, ("p3",)))
    )
    assert placement.chip.cores[placement.layers[3].slices[0].core].delay_slots == 8


def skipping(layers: int) -> Network:
    """A chain whose last layer is also fed by the first."""
    network = chain([2] * (layers + 1))
    skip = Projection("p0", f"p{layers - 1}", np.ones((2, 2)))
    return Network(
        "n", 2, None, EULER, network.populations, (*network.projections, skip), network.outputs
    )


def test_longest_skip_connection() -> None:
    assert max(c.delay_slots for c in place(quantise(skipping(16))).chip.cores) == 16
    with pytest.raises(SpikeletError, match=r"'p16' at depth 16 is fed over a skip .* 17|32 delay"):
        place(quantise(skipping(17)))


def test_too_many_axons() -> None:
    network = quantise(branched())
    with pytest.raises(SpikeletError) as info:
        place(network, PlacementLimits(max_axons=18))
    assert "layer 'out' needs 36 axons (9 from 'a' + 7 from 'input' + 20 from 'c')" in str(
        info.value
    )
    assert "18 more than the 18 that a core may have" in str(info.value)
    assert "--max-axons 36" in str(info.value)
    assert place(network, PlacementLimits(max_axons=36)).chip.cores[2].n_axons == 36


def test_too_many_axons_for_any_core() -> None:
    with pytest.raises(SpikeletError, match="at most 4096 axons, 4 fewer than needed"):
        place(quantise(chain([4100, 1])))


def test_too_many_destinations() -> None:
    with pytest.raises(SpikeletError, match="each neuron of layer 'p0' has 300 destinations"):
        place(quantise(chain([2, 2, 300])), PlacementLimits(max_neurons=1, lanes=1))


@pytest.mark.parametrize("n_parts", range(1, 14))
def test_consecutive_parts_are_near(n_parts: int) -> None:
    placement = place(quantise(chain([2, n_parts])), PlacementLimits(max_neurons=1, lanes=1))
    places = [placement.chip.position(part.core) for part in placement.layers[0].slices]
    assert len(set(places)) == n_parts
    for (x0, y0), (x1, y1) in pairwise(places):
        last_row = y1 == placement.chip.mesh_height - 1 and y0 != y1
        assert abs(x0 - x1) + abs(y0 - y1) == 1 or last_row
    assert placement.chip.mesh_width - placement.chip.mesh_height in (0, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_axons": 0}, "max_axons must be an int in 1..4096, not 0"),
        ({"max_neurons": 2.5}, "max_neurons must be an int in 1..4096, not 2.5"),
        ({"lanes": 12}, "lanes must be a power of two, not 12"),
        ({"lanes": 4, "pipelines": 8}, "pipelines must be an int in 1..4, not 8"),
        ({"pipelines": 3}, "pipelines must be a power of two, not 3"),
    ],
)
def test_limits_refuse(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpikeletError, match=f"limits: {message}"):
        PlacementLimits(**fields)


def test_binary_cores_have_no_zero_weight() -> None:
    placement = place(quantise(chain([3, 5], threshold=np.linspace(1, 2, 5)), 1))
    (core,), (image,) = placement.chip.cores, placement.image.cores
    assert (core.weight_format, core.n_neurons) == ("binary", 8)
    assert (image.weights[:, 5:] == 1).all()
    assert (image.threshold[5:] == core.v_max).all()


@pytest.mark.parametrize(("bias", "expected"), [(0.25, [0, 0, 1, 2]), (0.0, [0, 0, 0, 0])])
def test_first_tick_follows_the_bias(bias: float, expected: list[int]) -> None:
    placement = place(quantise(branched(bias=bias)))
    cores = [placement.chip.cores[layer.slices[0].core] for layer in placement.layers]
    assert [core.first_tick for core in cores] == expected


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), limits=limits_of_any_kind, bias=st.sampled_from([0.0, 0.25]))
def test_the_chip_does_what_the_float_network_does(
    profile: Any, seed: int, limits: PlacementLimits, bias: float
) -> None:
    """Without leak and on a grid nothing is rounded: spikes and potentials are equal throughout."""
    network = branched(profile=profile, seed=seed, bias=bias)
    fired = spikes(2, 10, 7, rate=0.4, seed=seed)
    compiled = compile_network(network, potential_bits=24, limits=limits, calibration=fired)
    trace = run_chip(compiled.chip, compiled.image, compiled.events(fired), compiled.neurons)
    assert trace.ticks == 10 + 2
    assert not trace.merged_spikes.any()
    for layer, run in zip(compiled.quantisation, run_float(network, fired), strict=True):
        np.testing.assert_array_equal(compiled.layer_spikes(trace, layer.name), run.spikes)
        lsb = layer.scale / 2**layer.weight_exponent
        potentials = compiled.layer_potentials(trace, layer.name) * lsb
        np.testing.assert_allclose(potentials, run.potentials, atol=1e-9)
        assert run.spikes.any()
    outputs = run_float(network, fired)[-1].spikes
    np.testing.assert_array_equal(trace.outputs[:, compiled.output_latency :], outputs)
    np.testing.assert_array_equal(compiled.classify(trace), outputs.sum(axis=1).argmax(axis=1))
    assert all(found.overlap == found.share == 1 for found in compiled.agreement(trace, fired))
