"""Populations that learn, or inhibit each other, over several cores: as in one, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet import (
    Adaptation,
    Devices,
    LearningRule,
    PlacementLimits,
    PlasticNetwork,
    Samples,
    SpikeletError,
    TraceParams,
    Variability,
    prune,
)
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.like import compile_like
from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.runs.run import run
from spikelet.runs.verify import verify

PAIRS = LearningRule(
    "2^-3*x1*y0 - 2^-2*x0*y1 + 2^-3*r*t",
    dt="x1*y0 - 2^-1*t*u2",
    x1=TraceParams(40, decay_shift=3, bits=8),
    y1=TraceParams(40, decay_shift=3, bits=8),
    w_max=60,
    tag_bits=6,
    reward_bits=4,
)

ENDS = ("pixels", "cells")


def network(rule: LearningRule = PAIRS, **fields: object) -> PlasticNetwork:
    """Return a population of 7 that inhibits itself in both ways, and one behind it."""
    found = PlasticNetwork("split", seed=2)
    found.inputs("pixels", 10)
    given = {"inhibition": 40, "adaptation": Adaptation(900), "decay": 3900, **fields}
    found.population("cells", 7, threshold=np.arange(60, 95, 5), **given)
    found.population("others", 3, threshold=12)
    found.project("pixels", "cells", weights=(10, 40), rule=rule)
    found.winner_take_all("cells", 3)
    found.project("cells", "others", weights=(0, 9), rule=PAIRS)
    found.output("cells")
    found.output("others")
    return found


def split(source: PlasticNetwork, most: int, lanes: int = 2) -> CompiledNetwork:
    """Compile for cores of at most so many neurons."""
    limits = PlacementLimits(lanes=lanes, max_neurons=most)
    return compile_network(source, limits=limits)


@pytest.fixture(scope="module")
def spikes() -> np.ndarray:
    """Return input spikes, (samples, ticks, lines)."""
    return np.random.default_rng(0).random((3, 30, 10)) < 0.3


REWARD = np.random.default_rng(1).integers(-4, 5, (3, 30))


def test_four_cores_are_one(spikes):
    """With register and axons that inhibit, adaptation, tags, rewards, and a loop."""
    one = split(network(), 8)
    four = split(network(), 2)
    assert [len(layer.slices) for layer in one.layers] == [1, 1]
    assert [len(layer.slices) for layer in four.layers] == [4, 2]
    # only the cells inhibit by the register, and only where others are elsewhere
    told = [core.inhibition_axon for core in one.chip.cores]
    assert told == [False, False]
    for layer, expected in zip(four.layers, (True, False), strict=True):
        assert {four.chip.cores[p.core].inhibition_axon for p in layer.slices} == {expected}
    record = ("spikes", "states", "learning")
    whole, parts = (run(net, spikes, reward=REWARD, record=record) for net in (one, four))
    for layer in ("cells", "others"):
        assert whole.spikes(layer).any()
        np.testing.assert_array_equal(whole.spikes(layer), parts.spikes(layer))
        np.testing.assert_array_equal(whole.counts(layer), parts.counts(layer))
        for name, values in whole.states(layer).items():
            np.testing.assert_array_equal(values, parts.states(layer)[name])
        for name, values in whole.post_traces(layer).items():
            np.testing.assert_array_equal(values, parts.post_traces(layer)[name])
    for ends in (ENDS, ("cells", "others")):
        assert (whole.weights(*ends) != one.weights(*ends)).any()
        np.testing.assert_array_equal(one.weights(*ends), four.weights(*ends))
        np.testing.assert_array_equal(whole.weights(*ends), parts.weights(*ends))
        np.testing.assert_array_equal(whole.weight_history(*ends), parts.weight_history(*ends))
        for name, values in whole.pre_traces(*ends).items():
            np.testing.assert_array_equal(values, parts.pre_traces(*ends)[name])
    np.testing.assert_array_equal(
        whole.kept_state("cells", "adaptation"), parts.kept_state("cells", "adaptation")
    )
    # the learned network is the same, and goes on to learn the same in one core
    again = [run(split(r.network, m), spikes).weights(*ENDS) for r, m in ((whole, 8), (parts, 2))]
    np.testing.assert_array_equal(*again)


def test_inhibition_comes_from_other_cores(spikes):
    """What the other cores tell is what keeps the runs alike."""
    four = split(network(), 2)
    deaf = replace(
        four.chip, cores=tuple(replace(c, inhibition_axon=False) for c in four.chip.cores)
    )
    counts = [
        GoldenChip(chip, four.image).run(four.events(spikes)).outputs.sum()
        for chip in (four.chip, deaf)
    ]
    assert counts[0] < counts[1]


@pytest.mark.parametrize("learns", [True, False])
def test_native_is_numpy(spikes, learns):
    source = network() if learns else network(adaptation=None)
    if not learns:
        source.projections = [replace(p, rule=None) for p in source.projections]
    four = split(source, 2)
    found = []
    for backend in ("numpy", "native"):
        golden = GoldenChip(four.chip, four.image, backend=backend)
        found.append((golden.run(four.events(spikes)), golden.snapshot()))
    assert found[0][0].first_difference(found[1][0]) is None
    assert (found[0][1].checksums() == found[1][1].checksums()).all()


def test_cores_draw_differently():
    """Of a stochastic rule: each has LFSRs of its own."""
    rule = replace(PAIRS, rounding="stochastic")
    one, four = split(network(rule), 8), split(network(rule), 2)
    states = [four.image.cores[part.core].random for part in four.layer("cells").slices]
    assert len({tuple(state.tolist()) for state in states}) == 4
    assert (one.image.cores[one.layer("cells").slices[0].core].random == states[0]).all()


def test_kept_and_loaded(spikes, tmp_path):
    four = split(network(), 2)
    four.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.chip == four.chip
    before, after = (run(net, spikes).weights(*ENDS) for net in (four, loaded))
    np.testing.assert_array_equal(before, after)
    learned = run(four, spikes).network
    like, _ = compile_like(learned, four)
    np.testing.assert_array_equal(like.weights(*ENDS), after)
    for core, contents in zip(like.chip.cores, like.image.cores, strict=True):
        if core.inhibition_axon:
            assert not contents.weights[-1].any() and not contents.plastic[-1]


def test_layers_in_turn(spikes):
    """Only the population that is named learns, in all of its cores."""
    four = split(network(), 2)
    behind = ("cells", "others")
    for named, other in ((ENDS, behind), (behind, ENDS)):
        found = run(four, spikes, learning=[named[1]])
        assert (found.weights(*named) != four.weights(*named)).any()
        assert (found.weights(*other) == four.weights(*other)).all()
    for names, message in ((["pixels"], "not 'pixels'"), ("cels", "not 'cels'")):
        with pytest.raises(SpikeletError, match=message) as error:
            run(four, spikes, learning=names)
        assert error.value.remedy == "those that learn are cells, others"


def of_devices() -> PlasticNetwork:
    """Return 7 neurons behind synapses of three devices, some of them stuck."""
    found = PlasticNetwork("split", seed=2)
    found.inputs("pixels", 10)
    found.population("cells", 7, threshold=30, decay=3600)
    devices = Devices(3, up=(16, 15, 14, 12, 9, 7, 5, 3), down=(3, 5, 8, 12, 13, 14, 15, 16))
    rule = LearningRule(
        "x0*y1 - x1*y0", x1=TraceParams(9, 3000, bits=5), y1=TraceParams(1, bits=1, mode="set")
    )
    found.project(
        *ENDS,
        weights=(0, 20),
        rule=rule,
        devices=devices,
        variability=Variability(seed=3, stuck=0.2, step=0.1),
    )
    found.output("cells")
    return found


def test_devices_over_cores_are_put_together(spikes):
    """Each core has a counter of its own, so that runs differ: the rule's pulses make the first."""
    one, four = split(of_devices(), 8), split(of_devices(), 2)
    assert [len(net.layer("cells").slices) for net in (one, four)] == [1, 4]
    np.testing.assert_array_equal(one.devices(*ENDS), four.devices(*ENDS))
    np.testing.assert_array_equal(one.weights(*ENDS), four.weights(*ENDS))
    ran = run(four, spikes)
    levels = ran.devices(*ENDS)
    assert levels.shape == (3, 10, 7)
    np.testing.assert_array_equal(levels.sum(axis=0), ran.weights(*ENDS))
    assert (ran.weights(*ENDS) != four.weights(*ENDS)).any()
    stuck = ran.devices(*ENDS, "stuck") != 0
    before = run(four, spikes, learning=False).devices(*ENDS)
    assert stuck.any() and (levels[stuck] == before[stuck]).all()
    assert (levels[~stuck] != before[~stuck]).any()


def test_weights_of_a_snapshot_are_changed_in_all_cores(spikes):
    one, four = split(network(), 8), split(network(), 2)
    for ends in (ENDS, ("cells", "others")):
        found = [
            net.weights(*ends, prune(net, net.initial_state(), *ends, 0.5).image)
            for net in (one, four)
        ]
        np.testing.assert_array_equal(*found)
        assert np.count_nonzero(found[0] == 0) >= found[0].size // 2
        wanted = np.arange(found[0].size).reshape(found[0].shape) % 50
        state = four.with_weights(four.initial_state(), *ends, wanted)
        np.testing.assert_array_equal(four.weights(*ends, state.image), wanted)


def test_weights_that_are_sums_of_devices_are_not_given():
    net = split(of_devices(), 8)
    for change in (
        lambda: prune(net, net.initial_state(), *ENDS, 0.5),
        lambda: net.with_weights(net.initial_state(), *ENDS, np.zeros((10, 7), int)),
    ):
        with pytest.raises(SpikeletError, match=r"weights 'pixels' -> 'cells' are sums of devices"):
            change()


@pytest.mark.slow
def test_rtl_is_golden(spikes):
    """Four cores of one neuron each, which inhibit each other by register and by axons."""
    small = PlasticNetwork("small", seed=2)
    small.inputs("pixels", 10)
    small.population("cells", 4, threshold=np.arange(60, 80, 5), decay=3900, inhibition=40)
    small.project("pixels", "cells", weights=(10, 40), rule=PAIRS)
    small.winner_take_all("cells", 3)
    small.output("cells")
    four = split(small, 1, lanes=1)
    assert [core.inhibition_axon for core in four.chip.cores] == [True] * 4
    result = verify(four, Samples(spikes.astype(np.uint8), reward=REWARD))
    assert result.equal, result.engines[1].difference
    assert {"outputs", "spikes", "states", "checksums"} <= set(result.engines[1].compared)


def test_errors():
    with pytest.raises(
        SpikeletError,
        match=r"'cells' needs 18 axons \(10 from 'pixels' \+ 7 from 'cells' \+ 1 from its other "
        r"cores, which inhibit\), 1 more than the 17 .* must have all of them: it learns",
    ) as error:
        compile_network(network(), limits=PlacementLimits(lanes=2, max_neurons=2, max_axons=17))
    assert error.value.remedy == "allow cores of as many (--max-axons 18)"
    few = PlasticNetwork("few")
    few.inputs("lines", 200)
    few.population("cells", 4, threshold=5, inhibition=3)
    few.project("lines", "cells", weights=np.eye(200, 4, dtype=int) * 9)
    few.output("cells")
    with pytest.raises(SpikeletError, match="sparse synapses cannot have an inhibition_axon"):
        compile_network(few, limits=PlacementLimits(lanes=2, max_neurons=2, synapses="sparse"))
    dense = compile_network(few, limits=PlacementLimits(lanes=2, max_neurons=2, block_ram=512))
    assert {core.synapses for core in dense.chip.cores} == {"dense"}
    fields = {"n_axons": 4, "n_neurons": 4, "neuron": neuron_model("nir-euler"), "lanes": 4}
    with pytest.raises(SpikeletError, match="'nir-euler' with these parameters does not read"):
        CoreParams(**fields, inhibition_axon=True)
    with pytest.raises(SpikeletError, match="inhibition_axon must be true or false, not 1"):
        CoreParams(**fields, inhibition_axon=1)
