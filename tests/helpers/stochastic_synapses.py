"""A slow evaluator of stochastic synapses: equation 1 of Cassidy et al. 2013, draw by draw."""

import numpy as np

from spikelet.description.chip.core import CoreParams

__all__ = ["evaluated_sums"]


def _bits(key: int, count: int) -> list[int]:
    """Return the bits that follow a key: x^32 + x^30 + x^26 + x^25 + 1."""
    bits = [key >> (31 - i) & 1 for i in range(32)]
    while len(bits) < 32 + count:
        bits.append(bits[-32] ^ bits[-30] ^ bits[-26] ^ bits[-25])
    return bits[32:]


def evaluated_sums(
    core: CoreParams, weights: np.ndarray, active: np.ndarray, key: int
) -> list[int]:
    """Return the sums of a tick: rows are read group by group, and in it axon by axon."""
    axons, lanes = np.flatnonzero(active).tolist(), core.lanes
    row_bits = 16 * -(-lanes // 2)
    bits = _bits(key, row_bits * len(axons) * (core.n_neurons // lanes))
    sums = [0] * core.n_neurons
    for group in range(core.n_neurons // lanes):
        for axon in axons:
            row, bits = bits[:row_bits], bits[row_bits:]
            for lane in range(lanes):
                # Two lanes share 16 bits, of which the upper lane has those that came in first.
                at = 16 * (lane // 2) + (0 if lane % 2 else 8)
                drawn = int("".join(map(str, row[at : at + 8])), 2)
                neuron, kind = group * lanes + lane, int(weights[axon, 0])
                s = int(weights[core.n_axons + kind, 1 + neuron])
                if not weights[axon, 1 + neuron]:
                    continue
                if weights[core.n_axons + 4 + kind, 1 + neuron]:
                    s = (s > 0) - (s < 0) if abs(s) > drawn else 0
                sums[neuron] += s
    return sums
