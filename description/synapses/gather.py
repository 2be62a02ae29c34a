"""Gathered synapses: a convolution with one copy of its kernel, each output by its own window."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import unsigned_bits
from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.format import CoreShape, Memory, SynapseFormat
from spikelet.description.synapses.shared import Shared, fewer_rows
from spikelet.description.synapses.windows import group_ends, windows_of

__all__ = ["Gather"]

_FIRST_WORD = 3
"""Cycles from the start of a tick to those that ``SynapseFormat.cycles`` counts."""


class Gather(Shared):
    """Stores what shared synapses store, and keeps no sums: rows, words and numbers are theirs.

    The scan copies the axon bitmap's words. Then each group *gathers*: it reads the words of its
    window, and adds the weights of the active axons in it in the lanes' registers.
    """

    name = "gather"
    holds_scan = False
    takes_words = True

    def check_core(self, core: CoreShape) -> None:
        """Raise SpikeletError as :class:`Shared`, and for graded spikes: a word holds bits only."""
        if core.spike_bits > 1:
            raise SpikeletError(
                f"core: synapses gather take no graded spikes, here of {core.spike_bits} bits",
                remedy="use synapses shared",
            )
        super().check_core(core)

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return the kernel and the copy of the bitmap's words."""
        return (
            Memory("weights", core.weight_rows, core.lanes * core.weight_bits, core.weight_memory),
            Memory("words", core.scan_words, core.scan_bits, "block"),
        )

    def logic(self, core: CoreShape) -> Counter[str]:
        """Return tables and addresses of windows, bits of a word, the lanes' sums."""
        convolution = ConvolutionShape.of(core.synapse_options)
        windows = windows_of(convolution, core.scan_bits)
        row, word = (
            unsigned_bits(n - 1) for n in (core.weight_rows, core.scan_words * windows.in_word)
        )
        used = convolution.lanes_in_use(core.lanes)[0]
        at = unsigned_bits(windows.span_bits + windows.bits)
        return Counter(
            {
                "table": convolution.out_height * (word + row + 2)
                + convolution.out_width * (word + at + 2)
                + (windows.span_bits + windows.bits) * windows.bits,
                "address": 4 * row + 4 * word + 3 * at,
                "sum": used * core.current_bits,
                "multiplexer": (used - core.pipelines) * core.current_bits
                + 2 * row
                + 2 * word
                + 3 * windows.bits
                + (-(-core.lanes * core.weight_bits // 32) - 1) * 32,
                "register": core.lanes * core.weight_bits + 3 * row + 3 * at + 2 * windows.bits,
            }
        )

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return what a group takes, so many times; the first words are copied before.

        A word of a window takes a cycle for each active axon in it, one at least; a group a cycle
        more, and at least those in which the sums of the group before leave. Active axons are
        taken to be spread evenly over the map.
        """
        convolution = ConvolutionShape.of(core.synapse_options)
        words = windows_of(convolution, core.scan_bits).mean_words
        positions = convolution.out_height * convolution.out_width
        hits = convolution.visits.mean() * active / positions
        gathered = hits + words * np.exp(-hits / words) + hits / (hits + words)
        pace = convolution.out_channels / convolution.blocks(core.lanes) / core.pipelines
        group = np.maximum(gathered, pace)
        found: npt.NDArray[np.float64] = np.maximum(
            empty_words + active, core.groups * group + _FIRST_WORD
        )
        return found

    def scan_cycles(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return those of a scan that does not wait, as its axons are not looked at."""
        return SynapseFormat.scan_cycles(self, core, active)

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return when the last group ends, counted word by word."""
        return self._group_times(core, active)[:, -1] - _FIRST_WORD + fewer_rows(core)

    def _group_times(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the cycle in which each group ends, counted word by word."""
        convolution = ConvolutionShape.of(core.synapse_options)
        whole, last = (n // core.pipelines for n in convolution.lanes_in_use(core.lanes))
        paces = [*[whole] * (convolution.blocks(core.lanes) - 1), last]
        return group_ends(convolution, core.scan_bits, active, paces)
