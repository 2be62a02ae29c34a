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

__all__ = ["TYPES", "TYPE_BITS", "AxonTypes", "parts"]

TYPES = 4
"""Types of axons, as in TrueNorth."""

TYPE_BITS = 2


class AxonTypes(Dense):
    """A synapse is there or not; its weight is that of its neuron for the type of its axon.

    Row ``group * n_axons + axon`` of a memory holds a bit for each neuron of the group, row ``group
    * 4 + type`` of another the weights of the type. Merolla et al. 2014, A million spiking-neuron
    integrated circuit with a scalable communication network and interface.

    Stored is an array of shape (n_axons + 4, 1 + n_neurons): a row for each axon, of its type 0..3
    and a bit for each neuron; then a row for each type, of a 0 and a weight for each neuron.
    """

    name = "axon-types"
    learns = False
    most_weight_bits = 9

    def check_core(self, core: CoreShape) -> None:
        """Raise SpikeletError if weights are binary, or unsigned and wider than 8 bits."""
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

    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        """Raise SpikeletError unless types, bits and weights have their shapes and ranges."""
        shape = (core.n_axons + TYPES, 1 + core.n_neurons)
        if weights.shape != shape:
            raise SpikeletError(
                f"{name}: axon types and weights must have shape {shape}, not {weights.shape}"
            )
        types, bits, table = parts(weights)
        check_range(f"{name}: types of axons", types, 0, TYPES - 1)
        check_range(f"{name}: bits of synapses", bits, 0, 1)
        check_range(f"{name}: weights", table, core.weight_min, core.weight_max)

    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return types, bits and weights that give a matrix.

        Axons are of one type if no neuron has two weights from them. Which are is found as graphs
        are coloured, by DSATUR (Brelaz 1979): next comes the axon that can join the fewest types.
        SpikeletError if four are too few.
        """
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
        self.check(core, found, name)
        return found

    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the weight of each synapse, 0 where there is none."""
        types, bits, table = parts(weights)
        found: npt.NDArray[np.int16] = table[types] * bits
        return found

    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        """Return the bits of synapses, the types of axons, and the weights of types."""
        banks = lane_banks(core.lanes, 1)
        table = lane_banks(core.lanes, core.weight_bits)
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
                min(32, core.lanes * core.weight_bits),
                f"(group * {TYPES} + type) * {table} + bank; lane l of the row at bit l * "
                f"{core.weight_bits}, 32 bits a bank",
            ),
        )

    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        """Return rows of bits, types, and rows of weights."""
        types, bits, table = parts(weights)
        by_group = table.reshape(TYPES, core.groups, core.lanes).transpose(1, 0, 2)
        return [
            ("weights", *pack_lanes(synapse_rows(core, bits), 1)),
            ("axon_types", np.arange(core.n_axons), types.astype(np.uint32)),
            ("type_weights", *pack_lanes(by_group.reshape(-1, core.lanes), core.weight_bits)),
        ]

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return bits, types and weights, and the list of the dense format."""
        _, axon_list = super().memories(core)
        return (
            Memory("weights", core.weight_rows, core.lanes, core.weight_memory),
            Memory("axon types", core.n_axons, TYPE_BITS),
            Memory("type weights", core.groups * TYPES, core.lanes * core.weight_bits),
            axon_list,
        )

    def logic(self, core: CoreShape) -> Counter[str]:
        """Return the terms of the dense format, and a gate for each bit of a row of weights."""
        row_bits = core.lanes * core.weight_bits
        return super().logic(core) + Counter({"multiplexer": row_bits, "register": row_bits})

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return a cycle more than dense synapses: the type is read before its weights."""
        return super().cycles(core, active, empty_words) + 1

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return a cycle more than dense synapses take."""
        return super().exact_cycles(core, active, weights) + 1


def parts(
    weights: npt.NDArray[np.int16],
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Return types (n_axons,), bits (n_axons, n_neurons), and weights (4, n_neurons)."""
    return weights[:-TYPES, 0], weights[:-TYPES, 1:], weights[-TYPES:, 1:]
