"""Placement: every neuron once, every spike to every part, delays, and the whole chip at work."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.compiler.compile import compile_network, measured_rates
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.place import place
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.params import TOPOLOGIES
from spikelet.description.errors import SpikeletError
from spikelet.golden import chip as golden_chip
from spikelet.golden.emission import single_targets
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import INPUT, Network, Projection
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from spikelet.runs.agreement import agreement
from spikelet.runs.run import run as spikelet_run
from spikelet.runs.run_result import Run
from tests.helpers.interpreter import run_chip
from tests.helpers.networks import LIF_MODELS, branched, chain, population, spikes

limits_of_any_kind = st.builds(
    PlacementLimits,
    max_neurons=st.integers(2, 12),
    lanes=st.sampled_from([1, 2, 4, 8]),
)
recurrent_layers = st.sets(st.sampled_from(["a", "b", "c", "out"]))


def where(placement: CompiledNetwork) -> dict[tuple[int, int], tuple[str, int]]:
    """Return layer and neuron by core and place in it."""
    found = {}
    for layer in placement.layers:
        for part in layer.slices:
            for i, neuron in enumerate(layer.neurons(part).tolist()):
                assert (part.core, i) not in found
                found[part.core, i] = (layer.name, neuron)
    return found


def connections(placement: CompiledNetwork) -> dict[Any, Any]:
    """Return {(source layer, neuron, target layer, neuron): (weight, delay)} from the tables.

    Only synapses that are not 0: nothing has to be sent to a core for the others.
    """
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
        targets = single_targets(placement.chip, images[core].destinations)
        for _, target, axon, delay in targets[targets[:, 0] == i].tolist():
            if target != HOST:
                connect(source, target, axon, delay)
    return {ends: synapse for ends, synapse in found.items() if synapse[0]}


@settings(max_examples=12, deadline=None)
@given(
    limits=limits_of_any_kind,
    seed=st.integers(0, 100),
    bits=st.sampled_from([1, 4, 8]),
    recurrent=recurrent_layers,
)
def test_tables_are_the_network(
    limits: PlacementLimits, seed: int, bits: int, recurrent: set[str]
) -> None:
    network = branched(seed=seed, recurrent=sorted(recurrent))
    quantised = quantise(network, bits)
    placement = place(quantised, limits)
    neurons = sorted(where(placement).values())
    assert neurons == sorted((p.name, i) for p in network.populations for i in range(p.size))
    expected = {
        ((p.source, i), (p.target, j)): (
            int(p.weights[i, j]),
            1
            if p.source == p.target
            else network.depth(p.target) - max(0, network.depth(p.source)),
        )
        for p in quantised.projections
        for i, j in np.argwhere(p.weights).tolist()
    }
    assert connections(placement) == expected


@settings(max_examples=12, deadline=None)
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
        assert image.destinations[:, 0].max() < in_use
    lanes = max(core.lanes for core in placement.chip.cores)
    assert lanes < 2 * max(size, 3)


def test_even_split() -> None:
    placement = place(quantise(chain([4, 300, 3])), PlacementLimits(max_neurons=256, lanes=16))
    assert [part.count for part in placement.layers[0].slices] == [144, 156]
    cores = [placement.chip.cores[p.core] for layer in placement.layers for p in layer.slices]
    assert [core.n_neurons for core in cores] == [144, 160, 4]
    assert [core.list_entries for core in cores] == [0, 0, 0]
    assert {core.weight_memory for core in cores} == {"block"}
    assert cores[2].n_axons == 300


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
        found = placement.image.cores[core].destinations
        for _, target, line, delay, _, _ in found[found[:, 0] == i].tolist():
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
    network = Network("n", 4, None, layers, projections, ("c", "b"))
    placement = place(quantise(network))
    fired = spikes(2, 6, 4, rate=0.5)
    compiled = compile_network(network)
    trace = run_chip(compiled.chip, compiled.image, compiled.events(fired), compiled.neurons)
    runs = run_float(network, fired)
    np.testing.assert_array_equal(
        trace.outputs[:, 1:], np.concatenate([runs[2].spikes, runs[1].spikes], axis=2)
    )
    assert placement.chip.n_outputs == 5
    for outputs in (("a", "b", "c"), ("c", "a", "b")):  # of other depths, tick by tick
        compiled = compile_network(Network("n", 4, None, layers, projections, outputs))
        found, by_name = spikelet_run(compiled, fired), dict(zip("abc", runs, strict=True))
        expected = [by_name[name].spikes for name in outputs]
        np.testing.assert_array_equal(found.outputs, np.concatenate(expected, axis=2))
        np.testing.assert_array_equal(found.counts("a"), by_name["a"].spikes.sum(axis=1))
        assert by_name["a"].spikes.any() and found.outputs.shape[1] == fired.shape[1]


def test_delay_slots() -> None:
    placement = place(quantise(branched()))
    slots = [placement.chip.cores[layer.slices[0].core].delay_slots for layer in placement.layers]
    # c: from a with delay 1; out: from a with delay 2, from the input with event delay 2
    assert slots == [2, 2, 2, 4]
    placement = place(quantise(branched(recurrent=("a", "c", "out"))))
    assert slots == [
        placement.chip.cores[layer.slices[0].core].delay_slots for layer in placement.layers
    ]


def test_delay_slots_of_host_events() -> None:
    """An event due in 3 ticks needs a slot more than a spike of delay 3."""
    network = chain([2] * 5)
    skip = Projection(INPUT, "p3", np.ones((2, 2)))
    projections = (*network.projections, skip)
    placement = place(quantise(Network("n", 2, None, network.populations, projections, ("p3",))))
    assert placement.chip.cores[placement.layers[3].slices[0].core].delay_slots == 8


def skipping(layers: int) -> Network:
    """A chain whose last layer is also fed by the first."""
    network = chain([2] * (layers + 1))
    skip = Projection("p0", f"p{layers - 1}", np.ones((2, 2)))
    return Network("n", 2, None, network.populations, (*network.projections, skip), network.outputs)


def test_longest_skip_connection() -> None:
    assert max(c.delay_slots for c in place(quantise(skipping(64))).chip.cores) == 64
    with pytest.raises(SpikeletError, match=r"'p64' at depth 64 is fed over a skip .* 128 delay"):
        place(quantise(skipping(65)))


def test_a_neuron_of_too_many_axons() -> None:
    network = quantise(branched())
    fan_in = sum((p.weights != 0).sum(axis=0) for p in network.projections if p.target == "out")
    needed = int(fan_in.max())
    with pytest.raises(SpikeletError) as info:
        place(network, PlacementLimits(max_axons=18))
    assert f"neuron {fan_in.argmax()} of layer 'out' needs {needed} axons (" in str(info.value)
    assert f"{needed - 18} more than the 18 that a core may have" in str(info.value)
    assert f"--max-axons {needed}" in str(info.value)
    placement = place(network, PlacementLimits(max_axons=36))
    out = placement.layers[3].slices[0].core
    assert placement.chip.cores[out].n_axons == 36


def test_a_neuron_of_too_many_axons_for_any_core() -> None:
    network = chain([4100, 1])
    network.projections[0].weights[:] = 1
    with pytest.raises(SpikeletError, match="4 more than the 4096 that the largest core has"):
        place(quantise(network))


def test_too_many_outputs() -> None:
    with pytest.raises(SpikeletError, match="4097 outputs, 1 more than the 4096 that a chip may"):
        place(quantise(chain([2, 4097])))


def test_flits_too_wide_for_multicast() -> None:
    """Refused where multicast is asked for; the placer would go without."""
    network = quantise(chain([2, 600, 300], scale=1 / 512))
    limits = PlacementLimits(max_neurons=1, lanes=1)
    with pytest.raises(SpikeletError, match="'chain': chip: a flit of 32 bits .* 30 bits"):
        place(network, limits, multicast=True)


def test_unknown_topology() -> None:
    expected = "topology must be one of mesh, torus, line, ring, tree, not 'star'"
    with pytest.raises(SpikeletError, match=expected):
        place(quantise(chain([2, 2])), topology="star")


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("multicast", [None, True, False])
def test_every_placement_computes_the_same(topology: str, multicast: bool | None) -> None:
    """Golden's spikes of the unsplit network, on every topology, for two seeds."""
    network = chain([12, 40, 24, 5], seed=1)
    fired = spikes(3, 12, 12, rate=0.4)
    whole = compile_network(network)
    expected = golden_chip.run(whole.chip, whole.image, whole.events(fired), neurons=whole.neurons)
    assert expected.outputs.any()
    for seed in (0, 1):
        split = compile_network(
            network,
            limits=PlacementLimits(max_neurons=8, lanes=4),
            topology=topology,
            multicast=multicast,
            placement_seed=seed,
        )
        assert split.chip.topology == topology
        assert split.chip.multicast is (multicast is not False)
        trace = golden_chip.run(split.chip, split.image, split.events(fired), neurons=split.neurons)
        np.testing.assert_array_equal(trace.outputs, expected.outputs)
        for layer in split.layers:
            np.testing.assert_array_equal(
                Run(split, trace).spikes(layer.name), Run(whole, expected).spikes(layer.name)
            )
            np.testing.assert_array_equal(
                Run(split, trace).states(layer.name)["v"],
                Run(whole, expected).states(layer.name)["v"],
            )


def local(side: int, seed: int = 0) -> Network:
    """A layer of ``side * side`` neurons, each of which sees 3 x 3 inputs, and two behind it."""
    rng = np.random.default_rng(seed)
    y, x = np.divmod(np.arange(side * side), side)
    near = (abs(x - x[:, None]) <= 1) & (abs(y - y[:, None]) <= 1)
    first, second = (near * rng.integers(1, 4, near.shape) / 8.0 for _ in range(2))
    layers = tuple(population(n, s) for n, s in (("a", side**2), ("b", side**2), ("out", 4)))
    projections = (
        Projection(INPUT, "a", first),
        Projection("a", "b", second),
        Projection("b", "out", rng.integers(-4, 8, (side**2, 4)) / 8.0),
    )
    return Network("local", side**2, None, layers, projections, ("out",))


@pytest.mark.parametrize("max_axons", [144, 60])
def test_layers_split_by_receptive_fields(max_axons: int) -> None:
    """A core of 60 axons sees a part of the 144 inputs; neurons are no longer in order."""
    network = local(12)
    fired = spikes(2, 10, 144, rate=0.2)
    network.projections[2].weights[60:] = 0
    split = compile_network(network, limits=PlacementLimits(max_axons, max_neurons=24, lanes=8))
    assert max(core.n_axons for core in split.chip.cores) <= max_axons
    assert split.layers[0].order is not None
    trace = golden_chip.run(split.chip, split.image, split.events(fired), neurons=split.neurons)
    whole = compile_network(network)
    expected = golden_chip.run(whole.chip, whole.image, whole.events(fired), neurons=whole.neurons)
    for layer in split.layers:
        found = Run(split, trace).spikes(layer.name)
        assert found.any()
        np.testing.assert_array_equal(found, Run(whole, expected).spikes(layer.name))
    # each neuron goes to few of the parts, so the tables stay small
    sent = sum(len(image.destinations) for image in split.image.cores)
    assert sent < 2 * sum(layer.size for layer in split.layers)


def test_rates_are_measured() -> None:
    network = chain([8, 24, 3])
    fired = spikes(4, 20, 8, rate=0.5)
    fired[..., :4] = 0
    compiled = compile_network(
        network, limits=PlacementLimits(max_neurons=8, lanes=8), calibration=fired
    )
    assert compiled.quality.measured
    rates = measured_rates(compiled, fired)
    assert rates[INPUT][:4].tolist() == [1 / 81] * 4
    assert rates[INPUT][4:].tolist() == ((1 + fired.sum(axis=(0, 1))[4:]) / 81).tolist()
    assert {name: found.shape for name, found in rates.items()} == {
        INPUT: (8,),
        "p0": (24,),
        "p1": (3,),
    }
    assert compiled.quality.loads.total < compile_network(network).quality.loads.total


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
    assert (image.parameters["threshold"][5:] == core.v_max).all()


@pytest.mark.parametrize(("bias", "expected"), [(0.25, [0, 0, 1, 2]), (0.0, [0, 0, 0, 0])])
def test_first_tick_follows_the_bias(bias: float, expected: list[int]) -> None:
    placement = place(quantise(branched(bias=bias)))
    cores = [placement.chip.cores[layer.slices[0].core] for layer in placement.layers]
    assert [core.first_tick for core in cores] == expected


@pytest.mark.parametrize("neuron", LIF_MODELS.values(), ids=lambda p: p.name)
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 1000),
    limits=limits_of_any_kind,
    bias=st.sampled_from([0.0, 0.25]),
    recurrent=recurrent_layers,
)
def test_the_chip_does_what_the_float_network_does(
    neuron: Any, seed: int, limits: PlacementLimits, bias: float, recurrent: set[str]
) -> None:
    """Without leak and on a grid nothing is rounded: spikes and potentials are equal throughout."""
    network = branched(neuron=neuron, seed=seed, bias=bias, recurrent=sorted(recurrent))
    fired = spikes(2, 10, 7, rate=0.4, seed=seed)
    compiled = compile_network(network, potential_bits=24, limits=limits, calibration=fired)
    trace = run_chip(compiled.chip, compiled.image, compiled.events(fired), compiled.neurons)
    assert trace.ticks == 10 + 2
    assert not trace.merged_spikes.any()
    for layer, run in zip(compiled.network.quantisation, run_float(network, fired), strict=True):
        np.testing.assert_array_equal(Run(compiled, trace).spikes(layer.name), run.spikes)
        lsb = layer.scale / 2**layer.weight_exponent
        potentials = Run(compiled, trace).states(layer.name)["v"] * lsb
        np.testing.assert_allclose(potentials, run.potentials, atol=1e-9)
        assert run.spikes.any()
    outputs = run_float(network, fired)[-1].spikes
    np.testing.assert_array_equal(trace.outputs[:, compiled.output_latency :], outputs)
    np.testing.assert_array_equal(
        Run(compiled, trace).classify(), outputs.sum(axis=1).argmax(axis=1)
    )
    assert all(
        found.overlap == found.share == 1 for found in agreement(Run(compiled, trace), fired)
    )
