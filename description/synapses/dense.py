"""Dense synapses: a weight for every pair of axon and neuron."""

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
from spikelet.description.synapses.scan import scan_cycles, word_counts

__all__ = ["Dense", "synapse_rows"]


class Dense(SynapseFormat):
    """Row ``group * n_axons + axon`` of the memory holds the weights of an axon to a group."""

    name = "dense"
    learns = True
    rests = True

    def rows(self, core: CoreShape) -> int:
        """Return a row for each axon and group."""
        return core.n_axons * core.groups

    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        """Raise SpikeletError unless ``weights`` has shape (n_axons, n_neurons) and its values."""
        shape = (core.n_axons, core.n_neurons)
        if weights.shape != shape:
            raise SpikeletError(f"{name}: weights must have shape {shape}, not {weights.shape}")
        check_range(f"{name}: weights", weights, core.weight_min, core.weight_max)
        if core.weight_format == "binary" and not np.all(weights != 0):
            raise SpikeletError(f"{name}: binary weights must be +1 or -1, found 0")

    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return the matrix itself."""
        return matrix

    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the weights themselves."""
        return weights

    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        """Return the weights' region."""
        banks = lane_banks(core.lanes, core.weight_bits)
        layout = (
            f"(group * {core.n_axons} + axon) * {banks} + bank; "
            f"lane l of the row at bit l * {core.weight_bits}, 32 bits a bank"
        )
        bits = min(32, core.lanes * core.weight_bits)
        return (SynapseRegion("weights", core.weight_rows * banks, bits, layout),)

    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        """Return the rows of lanes, in banks of 32 bits."""
        codes = (weights < 0).astype(np.int16) if core.weight_format == "binary" else weights
        return [("weights", *pack_lanes(synapse_rows(core, codes), core.weight_bits))]

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return the weights, and the list from which further groups are accumulated."""
        row_bits = core.lanes * core.weight_bits
        weights = Memory("weights", core.weight_rows, row_bits, core.weight_memory)
        if core.groups == 1:
            return (weights,)
        count_bits = core.spike_bits if core.spike_bits > 1 else 0
        list_bits = unsigned_bits(core.n_axons - 1) + count_bits
        return weights, Memory("axon list", core.n_axons, list_bits)

    def logic(self, core: CoreShape) -> Counter[str]:
        """Return addresses, the sums of the lanes and the shift register behind them."""
        row_bits = core.lanes * core.weight_bits
        return Counter(
            {
                "address": 2 * unsigned_bits(core.weight_rows - 1)
                + 4 * unsigned_bits(core.n_axons - 1),
                "sum": core.lanes * core.current_bits,
                "multiplexer": (core.lanes - core.pipelines) * core.current_bits
                + (-(-row_bits // 32) - 1) * 32,
                "register": row_bits,
            }
        )

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the scan, in the first group; for others a cycle an axon, and one to hand over.

        A group takes at least as long as the update of the group before.
        """
        update = core.lanes // core.pipelines
        further: npt.NDArray[np.float64] = np.maximum(active + 1, update)
        return empty_words + active + (core.groups - 1) * further

    def group_leads(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return what the groups behind take, and the rows of the last."""
        return even_leads(core, _apart(core, np.count_nonzero(active, axis=1)))

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return the scan, which ends the first group, and the groups after it."""
        counts = word_counts(active, core.scan_bits)
        further = _apart(core, counts.sum(axis=1))
        found: npt.NDArray[np.int64] = scan_cycles(counts) + (core.groups - 1) * further
        return found


def _apart(core: CoreShape, active: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return the axons and one to hand over, or the update of the group before."""
    found: npt.NDArray[np.int64] = np.maximum(active + 1, core.lanes // core.pipelines)
    return found


def synapse_rows(core: CoreShape, values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Return what (n_axons, n_neurons) holds as rows of the memory: (rows, lanes)."""
    by_group = values.reshape(core.n_axons, core.groups, core.lanes).transpose(1, 0, 2)
    return by_group.reshape(core.weight_rows, core.lanes)
