"""Populations cut into parts, each of which fits a core.

A population whose axons fit a core can be cut anywhere. One that needs more can only be cut so that
each part needs few of them: a locally connected layer by receptive fields, a recurrent network by
neighbourhoods. The parts are those of METIS (Karypis & Kumar 1998) on the graph of neurons and
their sources: a source cut off from a neuron is a destination more.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pymetis
from scipy import sparse

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.placement.core_limits import LARGEST_CORE, CoreLimits
from spikelet.placement.maps import cut_map, places
from spikelet.placement.network import ConnectionRows, PlacementNetwork

__all__ = ["Part", "partition"]

IntArray = npt.NDArray[np.int64]

_DENSE = 0.5
"""Share of a population's axons that its parts need on average, from which on all parts get all
axons, in the same places: then one multicast packet reaches them."""


@dataclass(frozen=True, eq=False)
class Part:
    """Neurons of a population that share a core, and their axons.

    Parameters
    ----------
    population : str
    neurons : array of int64
        Neuron ``i`` of the core is ``neurons[i]`` of the population.
    axons : array of int64
        Axon ``i`` of the core is row ``axons[i]`` of :class:`ConnectionRows`, if it is needed.
    needed : array of bool, shape (axons,)
        Whether a neuron of the part listens to the axon; nothing is sent to the others.
    shared : bool
        Whether the other parts of the population have the same axons in the same places.
    convolution : ConvolutionShape or None
        Of a part whose core shares a kernel; it numbers neurons and axons. Else both are ascending.
    inhibition_axon : bool
        Whether the core has an axon behind all others, by which the other parts of the population
        tell that a neuron of theirs has fired.
    """

    __repr__ = summary

    population: str
    neurons: IntArray
    axons: IntArray
    needed: npt.NDArray[np.bool_]
    shared: bool
    convolution: ConvolutionShape | None = None
    inhibition_axon: bool = False

    @property
    def n_axons(self) -> int:
        """Axons of the core."""
        return max(1, len(self.axons) + self.inhibition_axon)


def partition(
    network: PlacementNetwork, population: str, limits: CoreLimits, *, seed: int = 0
) -> list[Part]:
    """Cut a population into parts.

    Parameters
    ----------
    network : PlacementNetwork
    population : str
    limits : CoreLimits
    seed : int

    Raises
    ------
    SpikeletError
        If a single neuron, or the axons of a population that is cut in order, do not fit a core.
    """
    rows = network.rows_into(population)
    size, n_rows = network.sizes[population], len(rows.source)
    _check_cores(network, population, limits)
    if population in network.convolutions:
        return _of_convolution(population, network.convolutions[population], rows, limits)
    if population in network.whole:
        return _in_one_or_in_order(network, population, rows, limits)
    _check_axons(network, population, rows, limits)
    part_of = _in_order(size, limits, cores=limits.cores_of(population))
    whole = n_rows <= limits.axons()
    sparse_enough = part_of.max() > 0 and rows.synapses.nnz < _DENSE * size * n_rows
    if sparse_enough or not whole:
        first = network.first_neuron[population]
        own = (rows.source >= first) & (rows.source < first + size)
        vertex = np.where(own, rows.source - first, size + np.arange(n_rows))
        near = _by_neighbourhood(rows.synapses, vertex, int(part_of.max()) + 1, limits, seed)
        if not whole or _needs(rows.synapses, near).nnz < _needs(rows.synapses, part_of).nnz:
            part_of = near
    needs = _needs(rows.synapses, part_of)
    n_parts = needs.shape[1]
    shared = whole and needs.nnz >= _DENSE * n_parts * n_rows
    if n_parts == 1:
        shared = whole and not limits.narrow
    return [_part(population, part_of, needs, index, shared) for index in range(n_parts)]


def _in_one_or_in_order(
    network: PlacementNetwork, population: str, rows: ConnectionRows, limits: CoreLimits
) -> list[Part]:
    """Return a population as one part, or as runs of its neurons, each with all axons.

    SpikeletError, with the numbers, if the axons do not fit a core.
    """
    size, n_rows = network.sizes[population], len(rows.source)
    part_of = _in_order(size, limits, whole=True)
    n_parts = int(part_of.max()) + 1
    told = n_parts > 1 and population in network.inhibiting
    needed, limit = n_rows + told, limits.axons(True)
    if needed > limit:
        sources = [f"{network.sizes[c.source]} from {c.source!r}" for c, _ in rows.connections]
        sources += ["1 from its other cores, which inhibit"] * told
        found = " + ".join(sources)
        raise SpikeletError(
            f"network {network.name!r}: population {population!r} needs {needed} axons ({found}), "
            f"{needed - limit} more than the {limit} that a core may have, and each of its cores "
            f"must have all of them: {network.whole[population]}",
            remedy=f"allow cores of as many (--max-axons {needed})"
            if needed <= LARGEST_CORE
            else "make its sources smaller, or inhibit by inhibition= instead of by axons",
        )
    listens = _needs(rows.synapses, part_of).toarray() > 0
    return [
        Part(
            population,
            np.flatnonzero(part_of == index),
            np.arange(n_rows),
            listens[:, index],
            shared=True,
            inhibition_axon=told,
        )
        for index in range(n_parts)
    ]


def _of_convolution(
    population: str, whole: ConvolutionShape, rows: ConnectionRows, limits: CoreLimits
) -> list[Part]:
    """Return a map cut by output rows and channels; parts with all rows share their axons."""
    found = []
    cut = cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes)
    for out_rows, channels in cut:
        shape = whole.part(out_rows, channels)
        sources, neurons = places(whole, out_rows, channels)
        axons = np.zeros(shape.n_axons, np.int64)
        axons[shape.axons.ravel()] = sources
        needed = np.zeros(shape.n_axons, np.bool_)
        listens = rows.synapses[sources][:, neurons].sum(axis=1) > 0
        needed[shape.axons.ravel()] = listens
        shared = len(out_rows) == whole.out_height
        found.append(Part(population, neurons, axons, needed, shared, shape))
    return found


def _part(
    population: str, part_of: IntArray, needs: sparse.csc_array, index: int, shared: bool
) -> Part:
    used = np.sort(needs.indices[needs.indptr[index] : needs.indptr[index + 1]]).astype(np.int64)
    neurons = np.flatnonzero(part_of == index)
    if not shared and used.size:
        return Part(population, neurons, used, np.ones(used.size, np.bool_), shared)
    needed = np.zeros(needs.shape[0], np.bool_)
    needed[used] = True
    axons = np.arange(needs.shape[0])
    if not shared:  # it listens to nothing, but a core has an axon at least
        return Part(population, neurons, axons[:1], needed[:1], shared)
    return Part(population, neurons, axons, needed, shared)


def _check_axons(
    network: PlacementNetwork, population: str, rows: ConnectionRows, limits: CoreLimits
) -> None:
    """Refuse a population with a neuron that no core can hold."""
    if len(rows.source) <= limits.axons():
        return
    fan_in = rows.synapses.sum(axis=0)
    neuron = int(np.argmax(fan_in))
    needed, limit = int(fan_in[neuron]), limits.axons()
    if needed <= limit:
        return
    column = rows.synapses.tocsc()[:, [neuron]].indices
    firsts = [first for _, first in rows.connections]
    counts = np.bincount(np.searchsorted(firsts, column, side="right") - 1, minlength=len(firsts))
    found = " + ".join(
        f"{count} from {connection.source!r}"
        for (connection, _), count in zip(rows.connections, counts.tolist(), strict=True)
    )
    opening = (
        f"network {network.name!r}: neuron {neuron} of layer {population!r} needs {needed} axons "
        f"({found})"
    )
    if needed <= LARGEST_CORE:
        raise SpikeletError(
            f"{opening}, {needed - limit} more than the {limit} that a core may have",
            remedy=f"allow cores of {needed} axons (--max-axons {needed})",
        )
    raise SpikeletError(
        f"{opening}, {needed - LARGEST_CORE} more than the {LARGEST_CORE} that the largest core "
        "has; a sum cannot be split, since cores send spikes and no partial sums",
        remedy="connect it to fewer neurons: pooling or a stride in front of it, or weights of 0 "
        f"from {needed - LARGEST_CORE} of them",
    )


def _check_cores(network: PlacementNetwork, population: str, limits: CoreLimits) -> None:
    """Refuse to spread a population over cores where it cannot be."""
    cores, size = limits.cores_of(population), network.sizes[population]
    if cores == 1:
        return
    opening = f"network {network.name!r}: population {population!r}"
    reason = network.whole.get(population)
    if population in network.convolutions:
        reason = "its cores share the kernel of a convolution, and are cut by rows and channels"
    if reason:
        raise SpikeletError(
            f"{opening} cannot be spread over {cores} cores: {reason}",
            remedy="leave it out of --layer-cores, or allow smaller cores (--max-neurons)",
        )
    lanes = limits.lanes_of(size)
    groups = -(-size // lanes)
    if cores > groups:
        raise SpikeletError(
            f"{opening} has {size} neurons, which are {groups} groups of {lanes} lanes: it can be "
            f"spread over {groups} cores at most, not {cores}",
            remedy=f"spread it over {groups} or fewer, or build cores of fewer lanes (--lanes)",
        )


def _in_order(size: int, limits: CoreLimits, whole: bool = False, *, cores: int = 1) -> IntArray:
    """Return the part of each neuron: runs of neurons, as even as whole groups of lanes allow.

    As few parts as fit, but ``cores`` at least.
    """
    lanes = limits.lanes_of(size, whole)
    groups = -(-size // lanes)
    n_parts = max(cores, -(-groups // (limits.most_of(size, whole) // lanes)))
    ends = lanes * (groups * (1 + np.arange(n_parts)) // n_parts)
    return np.searchsorted(ends, np.arange(size), side="right")


def _needs(
    synapses: sparse.csr_array, part_of: IntArray, n_parts: int | None = None
) -> sparse.csc_array:
    """Return how many synapses of each row each part has, shape (rows, parts)."""
    size, n_parts = len(part_of), n_parts or int(part_of.max()) + 1
    members = sparse.csr_array(
        (np.ones(size, np.int32), (np.arange(size), part_of)), (size, n_parts)
    )
    found: sparse.csc_array = (synapses.astype(np.int32) @ members).tocsc()
    found.sort_indices()
    return found


def _by_neighbourhood(
    synapses: sparse.csr_array, vertex: IntArray, n_parts: int, limits: CoreLimits, seed: int
) -> IntArray:
    """Return the part of each neuron, so that parts need few rows, and no part too many.

    ``vertex`` is that of each row in the graph: a neuron of the population where that is the
    source, else a number of its own from the population's size on.
    """
    part_of = _by_metis(synapses, vertex, n_parts, limits.most_of(synapses.shape[1]), seed)
    while True:
        needs = _needs(synapses, part_of)
        crowded = np.flatnonzero(np.diff(needs.indptr) > limits.axons())
        if not crowded.size:
            return part_of
        columns = synapses.tocsc()
        for part in crowded:
            members = np.flatnonzero(part_of == part)
            of_part = columns[:, members].tocsr()
            sources = len(members) + np.arange(len(vertex))
            half = _by_metis(of_part, sources, 2, -(-len(members) // 2), seed)
            part_of[members[half == 1]] = part_of.max() + 1


def _by_metis(
    synapses: sparse.csr_array, vertex: IntArray, n_parts: int, most: int, seed: int
) -> IntArray:
    """Return the part of each neuron, none of more than ``most``."""
    size = synapses.shape[1]
    if n_parts == 1:
        return np.zeros(size, np.int64)
    if n_parts >= size:
        return np.arange(size) % n_parts
    n_vertices = int(max(size, vertex.max() + 1))
    ends = synapses.tocoo()
    source, target = vertex[ends.coords[0]], ends.coords[1]
    apart = source != target
    one_way = sparse.csr_array(
        (np.ones(np.count_nonzero(apart), np.int8), (source[apart], target[apart])),
        (n_vertices, n_vertices),
    )
    graph = sparse.csr_array(one_way + one_way.T)
    weights = (np.arange(n_vertices) < size).astype(np.int32)
    _, found = pymetis.part_graph(
        n_parts,
        pymetis.CSRAdjacency(graph.indptr.astype(np.int32), graph.indices.astype(np.int32)),
        vweights=weights,
        recursive=True,
        options=pymetis.Options(seed=seed, ufactor=5),
    )
    return _evened(synapses, np.asarray(found, np.int64)[:size], n_parts, most)


def _evened(synapses: sparse.csr_array, part_of: IntArray, n_parts: int, most: int) -> IntArray:
    """Move neurons out of parts that are too large, into parts that know most of their sources."""
    part_of = part_of.copy()
    sizes = np.bincount(part_of, minlength=n_parts)
    columns = sparse.csc_array(synapses, dtype=np.int32)
    known = (_needs(synapses, part_of, n_parts) > 0).astype(np.int32)
    while sizes.max() > most or sizes.min() == 0:
        crowded = int(sizes.argmax())
        room = np.flatnonzero(sizes == 0) if sizes.min() == 0 else np.flatnonzero(sizes < most)
        members = np.flatnonzero(part_of == crowded)
        into = columns[:, members].T
        gain = (into @ known[:, room]).toarray() - (into @ known[:, [crowded]]).toarray()
        member, target = np.unravel_index(np.argmax(gain), gain.shape)
        part_of[members[member]] = room[target]
        sizes[crowded] -= 1
        sizes[room[target]] += 1
    return part_of
