"""From a network to cores: parts, positions, and where every spike is sent."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined, list_entries
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.summary import summary
from spikelet.placement.arrange import Arrangement, arrange, random_placements
from spikelet.placement.core_limits import CoreLimits
from spikelet.placement.floorplan import MAX_POSITIONS, Floorplan
from spikelet.placement.multicast import cover
from spikelet.placement.network import PlacementNetwork
from spikelet.placement.partition import Part, partition
from spikelet.placement.quality import PlacementQuality
from spikelet.placement.traffic import Multicasts, Traffic

__all__ = ["MAX_LIST_ENTRIES", "PlacedNetwork", "place_network"]

MAX_LIST_ENTRIES = 65536
"""Entries of destination lists that a core may have."""

_MAX_OUTPUTS = 4096

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlacedNetwork:
    """A network on the positions of a chip.

    Parameters
    ----------
    network : PlacementNetwork
    parts : tuple of Part
        Population by population.
    core : array of int64, shape (parts,)
        Core of each part; core ``i`` is at position ``i``.
    multicast : bool
        Whether any packet goes to several cores.
    destinations : tuple of array of int32, shape (n, 6)
        Of each part, as :class:`CoreImage` wants them; neurons as the core numbers them.
    routes : array of int64, shape (routes, 4)
        (input line, core, axon, delay): where the host sends each line's events.
    delay_slots : tuple of int
        That the core of each part needs.
    traffic : Traffic
    arrangement : Arrangement
    """

    __repr__ = summary

    network: PlacementNetwork
    parts: tuple[Part, ...]
    core: IntArray
    multicast: bool
    destinations: tuple[npt.NDArray[np.int32], ...]
    routes: IntArray
    delay_slots: tuple[int, ...]
    traffic: Traffic
    arrangement: Arrangement

    @property
    def plan(self) -> Floorplan:
        """Positions and topology."""
        return self.arrangement.plan

    def weights(self, part: Part) -> npt.NDArray[np.generic]:
        """Return the weights of a part's synapses, shape (axons, neurons)."""
        blocks = []
        for connection, first in self.network.rows_into(part.population).connections:
            n_rows = connection.weights.shape[0]
            rows = part.axons[(part.axons >= first) & (part.axons < first + n_rows)] - first
            block = connection.weights[rows][:, part.neurons]
            blocks.append(block.toarray() if sparse.issparse(block) else block)
        if not blocks:
            return np.zeros((0, len(part.neurons)), np.int8)
        found = np.concatenate(blocks)
        if part.convolution:  # some axons are nobody's
            found[~part.needed] = 0
        return found

    def quality(self, count: int = 8, seed: int = 0) -> PlacementQuality:
        """Return link loads, and what so many random placements of the same parts come to."""
        drawn = random_placements(self.traffic, self.plan, count=count, seed=seed)
        return PlacementQuality(self.arrangement.loads, drawn, bool(self.network.rates))


def place_network(
    network: PlacementNetwork,
    limits: CoreLimits | None = None,
    *,
    topology: str = "mesh",
    width: int | None = None,
    multicast: bool | None = None,
    seed: int = 0,
    effort: float = 1.0,
) -> PlacedNetwork:
    """Cut a network into parts, and place them so that heavy traffic stays near.

    Parameters
    ----------
    network : PlacementNetwork
    limits : CoreLimits or None
    topology : str
        As for :class:`ChipParams`.
    width : int or None
        Columns of positions; None for a near-square mesh or torus.
    multicast : bool or None
        Whether packets may go to rectangles of cores. None lets the placer choose: it never costs
        links, but its routers are larger, so they are built only where they are used and the flit
        has room for a second corner.
    seed, effort
        As for :func:`arrange`.

    Raises
    ------
    SpikeletError
        For an unknown topology, or if a limit is exceeded: axons of a core, entries of its
        destination lists, cores of a chip, or bits of a flit; it says by how much.
    """
    limits = limits or CoreLimits()
    Floorplan.of(topology, 1)  # refuses an unknown topology before the work
    parts = tuple(
        part for name in network.populations for part in partition(network, name, limits, seed=seed)
    )
    if len(parts) > MAX_POSITIONS:
        raise SpikeletError(
            f"network {network.name!r} needs {len(parts)} cores, {len(parts) - MAX_POSITIONS} more "
            f"than the {MAX_POSITIONS} that a chip may have",
            remedy="allow larger cores (--max-neurons, --max-axons)",
        )
    plan = Floorplan.of(topology, len(parts))
    if width is not None:
        plan = Floorplan(topology, width, -(-len(parts) // width))
    n_outputs = sum(network.sizes[name] for name in network.outputs)
    if n_outputs > _MAX_OUTPUTS:
        raise SpikeletError(
            f"network {network.name!r} has {n_outputs} outputs, {n_outputs - _MAX_OUTPUTS} more "
            f"than the {_MAX_OUTPUTS} that a chip may have",
            remedy="make the output layer smaller",
        )
    slots = _delay_slots(network)
    ways = _Ways(network, parts)
    flit = [p for p in (False, True) if _fits(network, plan, parts, slots, p, p is multicast)]
    allowed = multicast if multicast is not None else True in flit
    traffic = ways.traffic() if allowed else ways.traffic().unicast
    groups = [list(network.populations).index(part.population) for part in parts]
    arrangement = arrange(traffic, plan, groups, seed=seed, effort=effort)
    found = ways.destinations(arrangement, allowed)
    _check_entries(network, parts, arrangement.position, found)
    return PlacedNetwork(
        network,
        parts,
        arrangement.position,
        any((f[:, 4] * f[:, 5] > 1).any() for f in found),
        tuple(found),
        ways.routes(arrangement),
        tuple(slots[part.population] for part in parts),
        traffic,
        arrangement,
    )


def _delay_slots(network: PlacementNetwork) -> dict[str, int]:
    """Return the slots that cores of each population need: a power of two."""
    slots = {}
    for name in network.populations:
        # an event of delay 0 is due at the coming tick, as is a spike of delay 1
        needed = [
            c.delay + (2 if c.source in network.inputs else 1)
            for c in network.connections
            if c.target == name
        ]
        slots[name] = max(2, 1 << (max(needed, default=1) - 1).bit_length())
    return slots


def _fits(
    network: PlacementNetwork,
    plan: Floorplan,
    parts: tuple[Part, ...],
    slots: dict[str, int],
    multicast: bool,
    wanted: bool,
) -> bool:
    """Return whether flits fit their bits; SpikeletError if they must, and do not."""
    core = CoreParams(
        n_axons=max(1, *(part.n_axons for part in parts)),
        n_neurons=1,
        lanes=1,
        neuron=neuron_model("snntorch-subtract"),  # any
        delay_slots=max(slots.values()),
    )
    n_outputs = max(1, sum(network.sizes[name] for name in network.outputs))
    chip = ChipParams(
        (core,), plan.width, plan.height, n_outputs, plan.topology, multicast=multicast
    )
    try:
        flit_packet(chip)
    except SpikeletError as error:
        if wanted or not multicast:
            raise SpikeletError(
                f"network {network.name!r}: {error.args[0]}", remedy=error.remedy
            ) from error
        return False
    return True


def _check_entries(
    network: PlacementNetwork,
    parts: tuple[Part, ...],
    core: IntArray,
    found: list[npt.NDArray[np.int32]],
) -> None:
    for part, place, table in zip(parts, core.tolist(), found, strict=True):
        needed = list_entries(table)
        if needed > MAX_LIST_ENTRIES:
            fit = len(part.neurons) * MAX_LIST_ENTRIES // needed
            raise SpikeletError(
                f"network {network.name!r}: core {place}, with {len(part.neurons)} neurons of "
                f"layer {part.population!r}, needs {needed} entries in destination lists, "
                f"{needed - MAX_LIST_ENTRIES} more than the {MAX_LIST_ENTRIES} that a core may "
                "have",
                remedy=f"put fewer neurons on a core (--max-neurons {fit}), allow multicast, or "
                "connect to fewer cores",
            )


class _Bundle(NamedTuple):
    """Spikes that go to the same axons of the same parts: a set of parts, and who sends to it.

    ``neuron``, ``axon`` and ``delay`` are of one length; ``neuron`` is numbered through.
    """

    targets: IntArray
    neuron: IntArray
    axon: IntArray
    delay: IntArray


class _Ways:
    """Which neuron sends to which axons of which parts."""

    def __init__(self, network: PlacementNetwork, parts: tuple[Part, ...]) -> None:
        self.network = network
        self.parts = parts
        total = sum(network.sizes.values())
        self.part_of = np.full(total, HOST, np.int64)
        self.place_in_part = np.zeros(total, np.int64)
        for index, part in enumerate(parts):
            numbers = network.first_neuron[part.population] + part.neurons
            self.part_of[numbers] = index
            self.place_in_part[numbers] = np.arange(len(numbers))
        self.bundles = [b for name in network.populations for b in self._bundles(name)]

    def _bundles(self, population: str) -> Iterator[_Bundle]:
        """Return what goes to a population; to one part, or to several that share their axons."""
        rows = self.network.rows_into(population)
        here = [(i, p) for i, p in enumerate(self.parts) if p.population == population]
        from_host = self.part_of[rows.source] == HOST
        shared = len(here) > 1 and here[0][1].shared
        yield from self._inhibition(population, here)
        if shared:
            axons = here[0][1].axons  # those of all parts
            together = np.flatnonzero(~from_host[axons])
            numbers = np.array([i for i, _ in here])
            needed = np.stack([part.needed for _, part in here])[:, together]
            sets, which = np.unique(needed, axis=1, return_inverse=True)
            for index, members in enumerate(sets.T):
                axon = together[which.ravel() == index]
                row = axons[axon]
                if members.any():
                    yield _Bundle(numbers[members], rows.source[row], axon, rows.delay[row])
        for index, part in here:
            alone = part.needed & from_host[part.axons] if shared else part.needed
            axon = np.flatnonzero(alone)
            row = part.axons[axon]
            yield _Bundle(np.array([index]), rows.source[row], axon, rows.delay[row])

    def _inhibition(self, population: str, here: list[tuple[int, Part]]) -> Iterator[_Bundle]:
        """Return what the parts of a population tell each other: one bundle from all to all.

        What a neuron tells its own core, that knows already; so one packet can go to all.
        """
        if here[0][1].inhibition_axon:
            numbers = self.network.first_neuron[population] + np.arange(
                self.network.sizes[population]
            )
            axon = np.full(len(numbers), here[0][1].n_axons - 1)
            targets = np.array([index for index, _ in here])
            yield _Bundle(targets, numbers, axon, np.ones_like(axon))

    def _outputs(self) -> tuple[IntArray, IntArray]:
        """Return the neurons that send to the host, and their output lines."""
        names = self.network.outputs
        neurons = [
            self.network.first_neuron[n] + np.arange(self.network.sizes[n]) for n in names
        ] or [np.zeros(0, np.int64)]
        numbers = np.concatenate(neurons)
        return numbers, np.arange(len(numbers))

    def traffic(self) -> Traffic:
        """Return the packets a tick between parts, and between them and the host."""
        n, rate = len(self.parts), self.network.rate
        single = np.zeros((n + 1, n + 1))  # the host is the last of both
        groups = []
        for targets, neuron, _, _ in self.bundles:
            sent = np.bincount(self.part_of[neuron] % (n + 1), rate[neuron], n + 1)
            if len(targets) == 1:
                single[:, targets[0]] += sent
            elif sent.any():
                sources = np.flatnonzero(sent)
                groups.append(Multicasts(targets, sources, sent[sources].astype(np.float64)))
        out = self._outputs()[0]
        single[:, n] += np.bincount(self.part_of[out], rate[out], n + 1)
        source, target = np.nonzero(single)
        rates = single[source, target]
        source, target = (np.where(end == n, HOST, end) for end in (source, target))
        return Traffic(n, source, target, rates, tuple(groups))

    def destinations(
        self, arrangement: Arrangement, multicast: bool
    ) -> list[npt.NDArray[np.int32]]:
        """Return the destinations of each part."""
        width, position = arrangement.plan.width, arrangement.position
        found: list[list[npt.NDArray[np.int32]]] = [[] for _ in self.parts]
        tables, owners = [], []
        for targets, neuron, axon, delay in self.bundles:
            sends = self.part_of[neuron] != HOST
            fields = (self.place_in_part[neuron[sends]], axon[sends], delay[sends])
            places = position[targets]
            x, y, columns, rows = (
                cover(width, places).T
                if multicast
                else (places % width, places // width, *np.ones((2, len(places)), np.int64))
            )
            for k, first in enumerate((y * width + x).tolist()):
                tables.append(destinations(fields[0], first, *fields[1:], columns[k], rows[k]))
                owners.append(self.part_of[neuron[sends]])
        out, line = self._outputs()
        tables.append(destinations(self.place_in_part[out], HOST, line))
        owners.append(self.part_of[out])
        table, owner = np.concatenate(tables), np.concatenate(owners)
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(found) + 1))
        return [joined(table[order[a:b]]) for a, b in itertools.pairwise(ends)]

    def routes(self, arrangement: Arrangement) -> IntArray:
        """Return (input line, core, axon, delay) of what the host sends."""
        routes = [np.zeros((0, 4), np.int64)]
        for targets, neuron, axon, delay in self.bundles:
            sent = self.part_of[neuron] == HOST
            core = np.full(np.count_nonzero(sent), arrangement.position[targets[0]])
            routes.append(np.stack([neuron[sent], core, axon[sent], delay[sent]], axis=1))
        return np.concatenate(routes)
