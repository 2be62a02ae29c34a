"""Every synapse once, limits kept, never worse than random, the same again for the same seed."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, list_entries
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import TOPOLOGIES, ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.golden import chip as golden_chip
from spikelet.golden.emission import single_targets
from spikelet.golden.network_on_chip import packet_links
from spikelet.placement import place as module
from spikelet.placement.core_limits import CoreLimits
from spikelet.placement.inputs import INPUT
from spikelet.placement.network import Connection, PlacementNetwork
from spikelet.placement.place import PlacedNetwork, place_network
from tests.helpers.networks import LIF_MODELS
from tests.placement.networks import dense, mixed, sheet

PROFILE = LIF_MODELS["snntorch-subtract"]


def build(placed: PlacedNetwork, threshold: int = 3) -> tuple[ChipParams, ChipImage]:
    """Return a chip of integrators."""
    cores: list[Any] = [None] * len(placed.parts)
    for index, part in enumerate(placed.parts):
        found = placed.destinations[index]
        params = CoreParams(
            n_axons=len(part.axons),
            n_neurons=len(part.neurons),
            lanes=1,
            neuron=PROFILE,
            weight_bits=4,
            delay_slots=placed.delay_slots[index],
            list_entries=list_entries(found),
        )
        weights = placed.weights(part).astype(np.int16)
        image = CoreImage(weights, found, {"threshold": np.array([threshold], np.int32)})
        cores[placed.core[index]] = (params, image)
    plan = placed.plan
    n_outputs = max(1, sum(placed.network.sizes[name] for name in placed.network.outputs))
    chip = ChipParams(
        tuple(core for core, _ in cores),
        plan.width,
        plan.height,
        n_outputs,
        plan.topology,
        placed.multicast,
    )
    image = ChipImage(tuple(contents for _, contents in cores))
    image.check(chip)
    return chip, image


def synapses(placed: PlacedNetwork) -> dict[Any, int]:
    """Return {(source number, target number, delay): weight} of all that the tables connect."""
    chip, image = build(placed)
    first = placed.network.first_neuron
    numbers = {
        int(core): first[part.population] + part.neurons
        for core, part in zip(placed.core, placed.parts, strict=True)
    }
    sent = [(line, *rest) for line, *rest in placed.routes.tolist()]
    for core, contents in enumerate(image.cores):
        for neuron, *rest in single_targets(chip, contents.destinations).tolist():
            sent.append((int(numbers[core][neuron]), *rest))
    found = {}
    for source, core, axon, delay in sent:
        if core != HOST:
            weights = image.cores[core].weights[axon]
            assert weights.any(), "a packet that nobody listens to"
            for neuron in np.flatnonzero(weights):
                key = (source, int(numbers[core][neuron]), delay)
                assert key not in found
                found[key] = int(weights[neuron])
    return found


def wanted(network: PlacementNetwork) -> dict[Any, int]:
    found = {}
    for c in network.connections:
        weights = c.weights.toarray() if sparse.issparse(c.weights) else c.weights
        for i, j in np.argwhere(weights):
            ends = (network.first_neuron[c.source] + i, network.first_neuron[c.target] + j)
            found[int(ends[0]), int(ends[1]), c.delay] = int(weights[i, j])
    return found


limits_of_any_kind = st.builds(
    CoreLimits,
    max_axons=st.integers(100, 300),
    max_neurons=st.integers(3, 40),
    lanes=st.sampled_from([1, 4]),
)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    limits=limits_of_any_kind,
    topology=st.sampled_from(TOPOLOGIES),
    multicast=st.sampled_from([None, False]),
)
def test_tables_are_the_network(
    seed: int, limits: CoreLimits, topology: str, multicast: bool | None
) -> None:
    network = mixed(seed)
    placed = place_network(
        network, limits, topology=topology, multicast=multicast, seed=seed, effort=0.1
    )
    assert synapses(placed) == wanted(network)
    for name, size in network.populations.items():
        parts = [part.neurons for part in placed.parts if part.population == name]
        assert sorted(np.concatenate(parts).tolist()) == list(range(size))
    assert sorted(placed.core.tolist()) == list(range(len(placed.parts)))
    assert all(0 < len(part.neurons) <= limits.max_neurons for part in placed.parts)
    assert all(0 < len(part.axons) <= limits.max_axons for part in placed.parts)
    assert not (multicast is False and placed.multicast)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), topology=st.sampled_from(TOPOLOGIES))
def test_every_placement_of_a_loop_computes_the_same(seed: int, topology: str) -> None:
    network = mixed(seed)
    spikes = np.random.default_rng(seed).random((2, 12, 6)) < 0.6
    runs = []
    for limits, form in ((CoreLimits(), "mesh"), (CoreLimits(max_neurons=8), topology)):
        placed = place_network(network, limits, topology=form, seed=seed, effort=0.1)
        chip, image = build(placed)
        events = Events.from_spikes(spikes, placed.routes, extra_ticks=0)
        runs.append(golden_chip.run(chip, image, events).outputs)
    np.testing.assert_array_equal(runs[0], runs[1])


def test_loops_are_alive() -> None:
    """The property above compares something: its networks do spike."""
    placed = place_network(mixed(3), CoreLimits(max_neurons=8))
    spikes = np.random.default_rng(3).random((2, 12, 6)) < 0.6
    chip, image = build(placed)
    trace = golden_chip.run(chip, image, Events.from_spikes(spikes, placed.routes, extra_ticks=0))
    assert trace.outputs.sum() > 20


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("multicast", [None, False])
def test_loads_are_those_of_the_tables(topology: str, multicast: bool | None) -> None:
    """Counted packet by packet from the finished tables, with golden's walk."""
    network = dense([40, 30, 5])
    limits = CoreLimits(max_neurons=8)
    placed = place_network(network, limits, topology=topology, multicast=multicast)
    chip, image = build(placed)
    expected: Counter[Any] = Counter()
    for core in placed.routes[:, 1].tolist():
        expected.update(packet_links(chip, HOST, core))
    for core, contents in enumerate(image.cores):
        for _, target, _, _, columns, rows in contents.destinations.tolist():
            expected.update(packet_links(chip, core, target, columns, rows))
    assert placed.arrangement.loads.by_link() == pytest.approx(dict(expected))
    assert placed.multicast is (multicast is None)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("network", [dense([48, 40, 4]), sheet(16)], ids=lambda n: n.name)
def test_better_than_random(network: PlacementNetwork, topology: str) -> None:
    limits = CoreLimits(max_axons=200, max_neurons=8)
    placed = place_network(network, limits, topology=topology)
    quality = placed.quality(count=10)
    assert quality.loads.total <= quality.random.best
    assert quality.loads.total < 0.9 * quality.random.objective


@pytest.mark.parametrize("network", [dense([48, 40, 4]), sheet(20)], ids=lambda n: n.name)
def test_annealing_improves_the_starts(network: PlacementNetwork) -> None:
    limits = CoreLimits(max_axons=200, max_neurons=8)
    start, annealed = (place_network(network, limits, effort=effort) for effort in (0.0, 1.0))
    assert annealed.arrangement.loads.total < 0.97 * start.arrangement.loads.total


def test_multicast_never_costs_links() -> None:
    network, limits = dense([48, 40, 4]), CoreLimits(max_neurons=8)
    with_it, without = (place_network(network, limits, multicast=m) for m in (None, False))
    assert with_it.multicast and not without.multicast
    assert with_it.arrangement.loads.total < 0.8 * without.arrangement.loads.total
    entries = [sum(map(list_entries, p.destinations)) for p in (with_it, without)]
    assert entries[0] < entries[1] / 2


@pytest.mark.parametrize("network", [dense([48, 40, 4]), sheet(12)], ids=lambda n: n.name)
def test_the_same_seed_gives_the_same_placement(network: PlacementNetwork) -> None:
    limits = CoreLimits(max_axons=200, max_neurons=8)
    first, again, other = (place_network(network, limits, seed=seed) for seed in (5, 5, 6))
    assert first.core.tolist() == again.core.tolist()
    for a, b in zip(first.destinations, again.destinations, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.core.tolist() != other.core.tolist()


def test_neighbourhoods_are_found_again() -> None:
    """Neurons of a sheet are numbered at random; parts of it still talk to few others."""
    network = sheet(32, reach=1.0)
    placed = place_network(network, CoreLimits(max_axons=250, max_neurons=64), effort=0.2)
    assert len(placed.parts) == 16 and max(len(p.neurons) for p in placed.parts) <= 64
    sent = sum(len(found) for found in placed.destinations)
    assert sent < 2.5 * 1024  # in order of the numbers, each neuron would reach some 9 parts


def test_rates_pull() -> None:
    """Of two parts, the one that the host sends much to is placed beside it."""
    for loud in (0, 1):
        rates = np.ones(2)
        rates[loud] = 50.0
        net = PlacementNetwork(
            "pull",
            {"a": 1, "b": 1},
            (
                Connection(INPUT, "a", np.array([[1], [0]]), 0),
                Connection(INPUT, "b", np.array([[0], [1]]), 0),
            ),
            {INPUT: 2},
            rates={INPUT: rates},
        )
        assert place_network(net, topology="line").core.tolist() == [loud, 1 - loud]


def test_delay_slots() -> None:
    late = Connection(INPUT, "a", np.ones((1, 1)), 3)  # due in 4 ticks, and now: 5 slots
    assert place_network(PlacementNetwork("late", {"a": 1}, (late,), {INPUT: 1})).delay_slots == (
        8,
    )
    placed = place_network(mixed(1))
    assert dict(zip((p.population for p in placed.parts), placed.delay_slots, strict=True)) == {
        "a": 2,
        "b": 8,
    }


def test_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight neurons with five destinations each: 40 entries."""
    network, limits = dense([48, 40]), CoreLimits(max_neurons=8, max_axons=64)
    monkeypatch.setattr(module, "MAX_LIST_ENTRIES", 39)
    with pytest.raises(SpikeletError) as info:
        place_network(network, limits, multicast=False)
    assert (
        "with 8 neurons of layer 'p0', needs 40 entries in destination lists, 1 more than the "
        in (str(info.value))
    )
    assert "39 that a core may have" in str(info.value)
    assert "--max-neurons 7" in str(info.value)
    assert place_network(network, limits).multicast
    monkeypatch.setattr(module, "MAX_LIST_ENTRIES", 40)
    place_network(network, limits, multicast=False)


def test_too_many_cores() -> None:
    with pytest.raises(SpikeletError, match="needs 4097 cores, 1 more than the 4096 that a chip"):
        place_network(dense([4095, 2]), CoreLimits(4096, 1))


def test_flits_without_room_for_multicast() -> None:
    """The placer goes without; who asks for it is told which field is too wide."""
    network = dense([257, 257], inputs=1000)
    limits = CoreLimits(max_neurons=1)
    assert not place_network(network, limits, effort=0).multicast
    with pytest.raises(SpikeletError, match="'dense': chip: a flit of 32 bits .* 30 bits"):
        place_network(network, limits, multicast=True)


def test_a_neuron_that_fits_no_core() -> None:
    with pytest.raises(SpikeletError) as info:
        place_network(dense([4, 3], inputs=20), CoreLimits(max_axons=15))
    assert "neuron 0 of layer 'p0' needs 20 axons (20 from 'input'), 5 more than the 15" in str(
        info.value
    )
    assert "--max-axons 20" in str(info.value)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_axons": 0}, "max_axons must be an int in 1..4096, not 0"),
        ({"max_neurons": 5000}, "max_neurons must be an int in 1..4096, not 5000"),
        ({"lanes": 3}, "lanes must be a power of two, not 3"),
    ],
)
def test_bad_limits(limits: dict[str, int], message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        CoreLimits(**limits)


ONE = np.ones((2, 2))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"populations": {}}, "there is no population"),
        ({"populations": {"a": 0}}, "population 'a': size must be 1 or more, not 0"),
        ({"outputs": ("b",)}, "output 'b' is not a population"),
        ({"connections": (Connection("a", "b", ONE),)}, "'a' -> 'b': there is no population 'b'"),
        ({"connections": (Connection("a", INPUT, ONE),)}, "there is no population 'input'"),
        (
            {"connections": (Connection("a", "a", np.ones((2, 3))),)},
            r"weights must have shape \(2, 2\), not \(2, 3\)",
        ),
        (
            {"connections": (Connection("a", "a", ONE, 0),)},
            r"delay must be in 1\.\.63 ticks, not 0",
        ),
        (
            {"connections": (Connection(INPUT, "a", ONE, 63),)},
            r"delay must be in 0\.\.62 ticks, not 63",
        ),
        ({"connections": (Connection("a", "a", ONE),) * 2}, "with delay 1 is given twice"),
        ({"rates": {"a": np.ones(3)}}, r"rates of 'a' must be 0 or more, of shape \(2,\)"),
        ({"rates": {"a": np.array([1.0, -1.0])}}, "rates of 'a' must be 0 or more"),
    ],
)
def test_bad_networks(fields: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {
        "populations": {"a": 2},
        "connections": (),
        "inputs": {INPUT: 2},
        **fields,
    }
    with pytest.raises(SpikeletError, match=message):
        PlacementNetwork("bad", **values)
