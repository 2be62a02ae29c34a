"""Sparse synapses: rows of those weights only that are not 0 (compressed sparse rows)."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range, unsigned_bits
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import lane_banks, pack_lanes
from spikelet.description.synapses.format import (
    CoreShape,
    Memory,
    SynapseFormat,
    SynapseRegion,
    Words,
    even_leads,
)
from spikelet.description.synapses.scan import word_counts

__all__ = ["Sparse", "field_bits", "row_bits", "sums_memory"]

_MOST = 1 << 18
"""Entries of a core: where a row begins and how long it is are one word of 32 bits."""

_FEW = 32
"""Groups, at most, whose sums need no block RAM where there are smaller ones."""

_FIRST = 5
"""Cycles from the scan's first axon to its first entry, and behind the last entry."""

_BEFORE_SCAN = 3
"""Cycles from the start of a tick that ``golden/timing.py`` counts for any core."""


class Sparse(SynapseFormat):
    """An *entry* holds a weight for each lane, and the group of its neuron; 0 where it has none.

    So an entry adds to up to ``lanes`` neurons, one of each lane, whatever their groups. The
    entries of an axon are its *row*; rows follow each other in the order of the axons. Where an
    axon's row begins, and how many entries it has, are in a memory of its own.

    Options are ``entries``, for which there is room, and ``fan_in``, the most axons that a neuron
    has weights from: other weights fit the same core if they need no more.

    Stored is an array of shape (n, 1 + 2 * lanes), n at most ``entries``: an entry's axon; the
    group of each lane; the weight of each lane. Axons ascend.
    """

    name = "sparse"
    options = ("entries", "fan_in")
    holds_scan = True
    rests = True

    def check_core(self, core: CoreShape) -> None:
        """Raise SpikeletError if there are more entries than synapses, or weights are binary."""
        if core.weight_format == "binary":
            raise SpikeletError(
                "core: sparse weights are signed or unsigned, not binary",
                remedy="take signed weights of 2 bits",
            )
        for name, most in (
            ("entries", min(core.n_axons * core.groups, _MOST)),
            ("fan_in", core.n_axons),
        ):
            value = core.synapse_options[name]
            if type(value) is not int or not 1 <= value <= most:
                raise SpikeletError(
                    f"core: {name} of sparse synapses must be an int in 1..{most}, not {value!r}",
                    remedy="store weights of which so few are 0 dense",
                )

    def options_of(self, lanes: int, matrix: npt.NDArray[np.integer]) -> dict[str, int]:
        """Return as many entries and as large a fan-in as a matrix needs."""
        lengths = _by_lane(matrix, lanes).sum(axis=2).max(axis=1)
        fan_in = (matrix != 0).sum(axis=0).max()
        return {"entries": max(1, int(lengths.sum())), "fan_in": max(1, int(fan_in))}

    def options_with(self, core: CoreShape, lanes: int) -> dict[str, int]:
        """Return more entries: what was in one may be in as many as lanes are put together."""
        entries = core.synapse_options["entries"] * (core.lanes // lanes)
        most = core.n_axons * (core.n_neurons // lanes)
        return {**core.synapse_options, "entries": min(entries, most)}

    def rows(self, core: CoreShape) -> int:
        """Return the entries for which there is room."""
        return core.synapse_options["entries"]

    def fan_in(self, core: CoreShape) -> int:
        """Return the most axons that have a weight to a neuron."""
        return core.synapse_options["fan_in"]

    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        """Raise SpikeletError unless entries fit the core, in order, each synapse once."""
        most, columns = core.synapse_options["entries"], 1 + 2 * core.lanes
        if weights.ndim != 2 or weights.shape[1] != columns:
            raise SpikeletError(
                f"{name}: sparse weights must have shape (n, {columns}), not {weights.shape}"
            )
        if len(weights) > most:
            raise SpikeletError(
                f"{name}: {len(weights)} entries; the core has room for {most}",
                remedy="build a chip for these weights: compile them again",
            )
        axons, groups, values = _parts(weights, core.lanes)
        check_range(f"{name}: axons of entries", axons, 0, core.n_axons - 1)
        check_range(f"{name}: groups of entries", groups, 0, core.groups - 1)
        check_range(f"{name}: weights", values, core.weight_min, core.weight_max)
        if np.any(falls := np.diff(axons) < 0):
            at = int(np.argmax(falls)) + 1
            raise SpikeletError(
                f"{name}: entry {at} is of axon {axons[at]}, behind one of axon {axons[at - 1]}",
                remedy="sort entries by axon: rows must not overlap",
            )
        entry, lane = np.nonzero(values)
        neurons = groups[entry, lane].astype(np.int64) * core.lanes + lane
        synapses = axons[entry].astype(np.int64) * core.n_neurons + neurons
        found, counts = np.unique(synapses, return_counts=True)
        if np.any(counts > 1):
            axon, neuron = divmod(int(found[np.argmax(counts > 1)]), core.n_neurons)
            raise SpikeletError(
                f"{name}: axon {axon} has two weights to neuron {neuron}",
                remedy="keep one, or their sum",
            )
        fan_in = np.bincount(neurons, minlength=1)
        if fan_in.max() > self.fan_in(core):
            raise SpikeletError(
                f"{name}: neuron {int(fan_in.argmax())} has weights from {int(fan_in.max())} "
                f"axons; fan_in of the core is {self.fan_in(core)}",
                remedy="build a chip for these weights: compile them again",
            )

    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return the entries of a matrix; SpikeletError if the core has no room for them."""
        present = _by_lane(matrix, core.lanes)
        axon, lane, group = np.nonzero(present)
        in_lane = present.sum(axis=2)
        lengths = in_lane.max(axis=1)
        begins = np.cumsum(in_lane.ravel()) - in_lane.ravel()
        position = np.arange(len(axon)) - begins[axon * core.lanes + lane]
        entry = (np.cumsum(lengths) - lengths)[axon] + position
        found = np.zeros((int(lengths.sum()), 1 + 2 * core.lanes), np.int16)
        found[:, 0] = np.repeat(np.arange(core.n_axons), lengths)
        found[entry, 1 + lane] = group
        found[entry, 1 + core.lanes + lane] = matrix[axon, group * core.lanes + lane]
        self.check(core, found, name)
        return found

    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the matrix, with 0 where no entry is."""
        axons, groups, values = _parts(weights, core.lanes)
        entry, lane = np.nonzero(values)
        found = np.zeros((core.n_axons, core.n_neurons), np.int16)
        neurons = groups[entry, lane].astype(np.int64) * core.lanes + lane
        found[axons[entry], neurons] = values[entry, lane]
        return found

    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        """Return the entries' region and that of the rows."""
        bits = field_bits(core)
        banks = lane_banks(core.lanes, bits)
        first, count = row_bits(core)
        return (
            SynapseRegion(
                "weights",
                core.weight_rows * banks,
                min(32, core.lanes * bits),
                f"entry * {banks} + bank; lane l of the entry at bit l * {bits}: "
                f"{core.weight_bits} bits of weight, then the group; 32 bits a bank",
            ),
            SynapseRegion(
                "axon_rows",
                core.n_axons,
                first + count,
                f"axon: {first} bits of its first entry's number, then how many it has",
            ),
        )

    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        """Return all entries, in banks of 32 bits, and the axons' rows."""
        _, groups, values = _parts(weights, core.lanes)
        codes = np.zeros((core.weight_rows, core.lanes), np.int64)
        mask = (1 << core.weight_bits) - 1
        codes[: len(weights)] = groups.astype(np.int64) << core.weight_bits | values & mask
        lengths = self.lengths(core, weights)
        firsts = np.where(lengths > 0, np.cumsum(lengths) - lengths, 0)
        rows = (firsts | lengths << row_bits(core)[0]).astype(np.uint32)
        return [
            ("weights", *pack_lanes(codes, field_bits(core))),
            ("axon_rows", np.arange(core.n_axons), rows),
        ]

    def lengths(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        """Return the entries of each axon, shape (n_axons,)."""
        return np.bincount(weights[:, 0], minlength=core.n_axons).astype(np.int64)

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return the entries, the rows, and the sums, of which each lane has a bank."""
        return (
            Memory("weights", core.weight_rows, core.lanes * field_bits(core), core.weight_memory),
            Memory("axon rows", core.n_axons, sum(row_bits(core))),
            Memory(
                "sums",
                *(core.groups, core.lanes * core.current_bits, sums_memory(core)),
                bank_bits=core.current_bits,
            ),
        )

    def logic(self, core: CoreShape) -> Counter[str]:
        """Return addresses of entries, and for each lane its sum, forwarding and group."""
        group = field_bits(core) - core.weight_bits
        first, count = row_bits(core)
        sums = core.lanes * core.current_bits
        return Counter(
            {
                "address": 2 * first + 3 * count + 2 * group,
                "sum": sums,
                "multiplexer": first
                + count
                + 3 * sums
                + core.lanes * 4 * group
                + (core.lanes - core.pipelines) * core.current_bits
                + (-(-core.lanes * field_bits(core) // 32) - 1) * 32,
                "register": 2 * sums + core.lanes * (4 * group + 3 * core.weight_bits),
            }
        )

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the entries of all active axons, or the scan; then the groups, as they leave.

        Rows are taken to be of equal length, and all entries to be in use.
        """
        entries = np.maximum(1, core.weight_rows / core.n_axons) * active
        pace = core.lanes // core.pipelines
        left = (core.groups - 1) * pace
        named = np.where(active > 0, entries + _FIRST, 0)
        found: npt.NDArray[np.float64] = np.maximum(named, empty_words + active) + left
        return found

    def group_leads(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the updates: groups leave behind each other when all entries have been added."""
        return even_leads(core, np.full(len(active), core.lanes // core.pipelines, np.int64))

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return when the last group leaves, counted axon by axon."""
        left = (core.groups - 1) * (core.lanes // core.pipelines)
        return _read(core, active, self.lengths(core, weights)) + left - _BEFORE_SCAN


def field_bits(core: CoreShape) -> int:
    """Return the bits of a lane in an entry: its weight, and above it its group."""
    return core.weight_bits + (core.groups - 1).bit_length()


def row_bits(core: CoreShape) -> tuple[int, int]:
    """Return the bits of an axon's first entry, and of the number of its entries."""
    return unsigned_bits(core.weight_rows - 1), unsigned_bits(core.groups)


def sums_memory(core: CoreShape) -> str:
    """Return the kind of the memory of a lane's sums: block RAM if they are many."""
    return "block" if core.groups > _FEW else "auto"


def _read(
    core: CoreShape, active: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the cycle, from the start of each tick, in which the first group may leave.

    An axon is *listed* by the scan and taken, its row is read and then known, its entries are
    named. The scan stands still while a row has been read and the one before is still known.
    """
    counts = word_counts(active, core.scan_bits)
    fetched = 2 + np.cumsum(np.maximum(counts, 1), axis=1) - np.maximum(counts, 1)
    tick, axon = np.nonzero(active)
    number = counts.sum(axis=1)
    place = np.arange(len(tick)) - np.repeat(np.cumsum(number) - number, number)
    word = axon // core.scan_bits
    before = np.cumsum(counts, axis=1) - counts
    listed, entries = np.zeros((2, len(active), number.max(initial=0)), np.int64)
    listed[tick, place] = fetched[tick, word] + 3 + place - before[tick, word]
    entries[tick, place] = lengths[axon]
    held, named, free, last = np.zeros((4, len(active)), np.int64)
    for at in range(listed.shape[1]):
        here = at < number
        taken = listed[:, at] + held
        known = np.maximum(taken + 1, named)
        held = np.where(here, held + known - taken - 1, held)
        named = np.where(here, np.maximum(known + 1, free), named)
        free = np.where(here, named + np.maximum(entries[:, at], 1), free)
        last = np.where(here, named + entries[:, at] + 1, last)
    drained = np.maximum(fetched[:, -1] + 2, listed.max(axis=1, initial=0) + 1) + held
    found: npt.NDArray[np.int64] = np.maximum(drained, last)
    return found


def _by_lane(matrix: npt.NDArray[np.integer], lanes: int) -> npt.NDArray[np.bool_]:
    """Return where a matrix is not 0: (n_axons, lanes, groups)."""
    present: npt.NDArray[np.bool_] = matrix.reshape(len(matrix), -1, lanes) != 0
    return present.transpose(0, 2, 1)


def _parts(
    weights: npt.NDArray[np.int16], lanes: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Return axons (n,), groups (n, lanes) and weights (n, lanes) of entries."""
    return weights[:, 0], weights[:, 1 : 1 + lanes], weights[:, 1 + lanes :]
