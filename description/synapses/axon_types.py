"""Axon types: a bit for each synapse, and a weight for each neuron and type of axon (TrueNorth)."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import lane_banks, pack_lanes
from spikelet.description.synapses.dense import Dense, synapse_rows
from spikelet.description.synapses.format import (
    CoreShape,
    Memory,
    SynapseRegion,
    Words,
)

__all__ = [
    "CHANCE_BITS",
    "MOST_LANES",
    "TYPES",
    "TYPE_BITS",
    "AxonTypes",
    "drawn_parts",
    "parts",
]

TYPES = 4
"""Types of axons, as in TrueNorth."""

TYPE_BITS = 2

CHANCE_BITS = 8
"""Bits of what a stochastic synapse draws."""

MOST_LANES = 16
"""Of a core with stochastic synapses: each two take 16 steps of one LFSR more in a clock cycle."""

_BY_CHANCE = 1 << 10
"""Added to the weight of a synapse in a matrix that is to be stored: the synapse is stochastic."""

_KEY_SHIFTS = 8 * np.arange(TYPES)


_KEY = "key after clear, whose writing sets both; key of the coming tick"


class AxonTypes(Dense):
    """A synapse is there or not; its weight is that of its neuron for the type of its axon.

    Row ``group * n_axons + axon`` of a memory holds a bit for each neuron of the group, row ``group
    * 4 + type`` of another the weights of the type. Merolla et al. 2014, A million spiking-neuron
    integrated circuit with a scalable communication network and interface.

    Stored is an array of shape (n_axons + 4, 1 + n_neurons): a row for each axon, of its type 0..3
    and a bit for each neuron; then a row for each type, of a 0 and a weight for each neuron.

    With the option ``stochastic`` of 1, a neuron's synapses from axons of a type may be stochastic:
    by the chance of the weight's size in 256 they add its sign, else nothing. Then a row for each
    type follows, of a byte of the key of the draws, lowest first, and a flag for each neuron.
    Cassidy et al. 2013, Cognitive computing building block, equation 1 and table I (``b``).
    """

    name = "axon-types"
    learns = False
    further_options = ("stochastic",)
    most_weight_bits = 9

    def check_core(self, core: CoreShape) -> None:
        """Raise SpikeletError if weights are binary, or unsigned and wider than 8 bits.

        And for stochastic synapses of more lanes or bits of spikes than there can be.
        """
        if core.weight_bits > super().most_weight_bits and core.weight_format == "unsigned":
            raise SpikeletError(
                f"core: unsigned weights have 1..{super().most_weight_bits} bits, not "
                f"{core.weight_bits}",
                remedy="take signed weights",
            )
        if core.weight_format == "binary":
            raise SpikeletError(
                "core: weights of axon types are signed or unsigned, not binary",
                remedy="take signed weights of 2 bits",
            )
        given = core.synapse_options.get("stochastic", 1)
        if type(given) is not int or given != 1:
            raise SpikeletError(
                f"core: the option stochastic of {self.name} synapses must be 1, not {given!r}",
                remedy="leave it out for synapses that are not stochastic",
            )
        if not _draws(core):
            return
        if core.lanes > MOST_LANES:
            raise SpikeletError(
                f"core: stochastic synapses have 1..{MOST_LANES} lanes, not {core.lanes}",
                remedy=f"take {MOST_LANES} lanes",
            )
        if core.spike_bits > 1:
            raise SpikeletError(
                f"core: graded spikes, of {core.spike_bits} bits, cannot come to stochastic "
                "synapses",
                remedy="use spike_bits of 1",
            )

    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        """Raise SpikeletError unless types, bits and weights have their shapes and ranges."""
        shape = (core.n_axons + TYPES * (1 + _draws(core)), 1 + core.n_neurons)
        if weights.shape != shape:
            raise SpikeletError(
                f"{name}: axon types and weights must have shape {shape}, not {weights.shape}"
            )
        types, bits, table, flags = _parts(core, weights)
        check_range(f"{name}: types of axons", types, 0, TYPES - 1)
        check_range(f"{name}: bits of synapses", bits, 0, 1)
        check_range(f"{name}: weights", table, core.weight_min, core.weight_max)
        if _draws(core):
            check_range(f"{name}: flags of stochastic synapses", flags, 0, 1)
            check_range(f"{name}: bytes of the key of the draws", weights[-TYPES:, 0], 0, 255)
            if not self.key(core, weights):
                raise SpikeletError(
                    f"{name}: the key of the draws must be in 1..2**32 - 1, found 0",
                    remedy=f"set the first number of one of the last {TYPES} rows",
                )

    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return types, bits and weights that give a matrix.

        Axons are of one type if no neuron has two weights from them. Which are is found as graphs
        are coloured, by DSATUR (Brelaz 1979): next comes the axon that can join the fewest types.
        SpikeletError if four are too few. Of stochastic synapses, in a core that has such, the
        matrix is one of :meth:`by_chance`; the key is 1, to be replaced.
        """
        if _draws(core):
            return self._stored_drawn(core, matrix, name)
        found = self._typed(core, matrix, name)
        self.check(core, found, name)
        return found

    def _typed(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return types, bits and numbers that give a matrix of any numbers."""
        found = np.zeros((core.n_axons + TYPES, 1 + core.n_neurons), np.int16)
        table, present = found[core.n_axons :, 1:], matrix != 0
        found[: core.n_axons, 1:] = present
        synapses = present.sum(axis=1)
        joins = np.ones((core.n_axons, TYPES), np.bool_)
        left = synapses > 0
        while left.any():
            free = joins.sum(axis=1) * (core.n_neurons + 1) - synapses
            axon = int(np.argmin(np.where(left, free, free.max() + 1)))
            if not joins[axon].any():
                raise SpikeletError(
                    f"{name}: axon {axon} would be of a fifth type: with each of the {TYPES} "
                    "before it has another weight to some neuron",
                    remedy="give each neuron at most one weight for all axons of a type, or take "
                    "dense synapses",
                )
            row = matrix[axon]
            agree = ((table == row) & present[axon]).sum(axis=1)
            kind = int(np.argmax(np.where(joins[axon], agree, -1)))
            table[kind][present[axon]] = row[present[axon]]
            found[axon, 0], left[axon] = kind, False
            differs = present & (table[kind] != 0) & (matrix != table[kind])
            joins[:, kind] = ~differs.any(axis=1)
        return found

    def _stored_drawn(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return what is stored with flags: a weight by chance is another than the same without."""
        codes = np.where(matrix == _BY_CHANCE, 0, matrix)  # by the chance of 0, nothing is added
        found = self._typed(core, codes, name)
        table = found[-TYPES:, 1:]
        flags = np.zeros((TYPES, 1 + core.n_neurons), np.int16)
        flags[:, 1:] = table >= _BY_CHANCE // 2
        table -= flags[:, 1:] * _BY_CHANCE
        flags[0, 0] = 1
        found = np.concatenate([found, flags])
        self.check(core, found, name)
        return found

    def by_chance(
        self, matrix: npt.NDArray[np.int16], where: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int16]:
        """Return a matrix that :meth:`stored` takes, whose synapses there are stochastic."""
        return matrix + np.int16(_BY_CHANCE) * where

    def key(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> int:
        """Return the key of stochastic synapses, from the bytes that are stored."""
        if not _draws(core):
            return 0
        return int((weights[-TYPES:, 0].astype(np.int64) << _KEY_SHIFTS).sum())

    def keyed(
        self, core: CoreShape, weights: npt.NDArray[np.int16], key: int
    ) -> npt.NDArray[np.int16]:
        """Return stored weights with a key, 1..2**32 - 1."""
        if not _draws(core):
            return weights
        found = weights.copy()
        found[-TYPES:, 0] = key >> _KEY_SHIFTS & 255
        return found

    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the weight of each synapse, 0 where there is none; also of stochastic ones."""
        types, bits, table, _ = _parts(core, weights)
        found: npt.NDArray[np.int16] = table[types] * bits
        return found

    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        """Return the bits of synapses, the types of axons, and the weights of types."""
        banks = lane_banks(core.lanes, 1)
        each = core.weight_bits + _draws(core)
        table = lane_banks(core.lanes, each)
        flag = "; whether it is stochastic above it" if _draws(core) else ""
        drawn = (SynapseRegion("synapse_key", 2, 32, _KEY),) if _draws(core) else ()
        return (
            SynapseRegion(
                "weights",
                core.weight_rows * banks,
                min(32, core.lanes),
                f"(group * {core.n_axons} + axon) * {banks} + bank; lane l at bit l: whether there "
                "is a synapse; 32 bits a bank",
            ),
            SynapseRegion("axon_types", core.n_axons, TYPE_BITS, "axon"),
            SynapseRegion(
                "type_weights",
                core.groups * TYPES * table,
                min(32, core.lanes * each),
                f"(group * {TYPES} + type) * {table} + bank; lane l of the row at bit l * "
                f"{each}, 32 bits a bank{flag}",
            ),
            *drawn,
        )

    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        """Return rows of bits, types, and rows of weights, and the key of draws."""
        types, bits, table, flags = _parts(core, weights)
        each, drawn = core.weight_bits, list[Words]()
        if _draws(core):
            table = table & ((1 << each) - 1) | flags << each
            each += 1
            key = np.array([self.key(core, weights)], np.uint32)
            drawn = [("synapse_key", np.arange(1), key)]
        by_group = table.reshape(TYPES, core.groups, core.lanes).transpose(1, 0, 2)
        return [
            ("weights", *pack_lanes(synapse_rows(core, bits), 1)),
            ("axon_types", np.arange(core.n_axons), types.astype(np.uint32)),
            ("type_weights", *pack_lanes(by_group.reshape(-1, core.lanes), each)),
            *drawn,
        ]

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return bits, types and weights, and the list of the dense format."""
        _, axon_list = super().memories(core)
        return (
            Memory("weights", core.weight_rows, core.lanes, core.weight_memory),
            Memory("axon types", core.n_axons, TYPE_BITS),
            Memory(
                *("type weights", core.groups * TYPES),
                core.lanes * (core.weight_bits + _draws(core)),
            ),
            axon_list,
        )

    def logic(self, core: CoreShape) -> Counter[str]:
        """Return the terms of the dense format, and a gate for each bit of a row of weights."""
        row_bits = core.lanes * core.weight_bits
        terms = super().logic(core) + Counter({"multiplexer": row_bits, "register": row_bits})
        if _draws(core):  # two keys and an LFSR; sizes, compared with draws, choose signs
            terms["random"] += 3 * 32 + 16 * (-(-core.lanes // 2) - 1)
            terms["adder"] += 2 * row_bits
            terms["multiplexer"] += 2 * row_bits
            terms["register"] += row_bits
        return terms

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return a cycle more than dense synapses: the type is read before its weights.

        Two, where synapses are stochastic: what they add is decided in another.
        """
        return super().cycles(core, active, empty_words) + 1 + _draws(core)

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return a cycle more than dense synapses take, or two with stochastic ones."""
        return super().exact_cycles(core, active, weights) + 1 + _draws(core)


def parts(
    weights: npt.NDArray[np.int16],
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Return types (n_axons,), bits (n_axons, n_neurons), and weights (4, n_neurons)."""
    return weights[:-TYPES, 0], weights[:-TYPES, 1:], weights[-TYPES:, 1:]


def drawn_parts(
    weights: npt.NDArray[np.int16],
) -> tuple[
    npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]
]:
    """Return types, bits and weights of a core with stochastic synapses, and flags (4, n_neurons).

    A flag says whether the synapses to a neuron from axons of a type are stochastic.
    """
    return *parts(weights[:-TYPES]), weights[-TYPES:, 1:]


def _draws(core: CoreShape) -> bool:
    return "stochastic" in core.synapse_options


def _parts(
    core: CoreShape, weights: npt.NDArray[np.int16]
) -> tuple[
    npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]
]:
    """Return types, bits, weights and flags, which are 0 where nothing is stochastic."""
    if _draws(core):
        return drawn_parts(weights)
    types, bits, table = parts(weights)
    return types, bits, table, np.zeros_like(table)
