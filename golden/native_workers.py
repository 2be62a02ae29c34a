"""The threads that share a chip's cores out, and what each of them alone writes.

No twin in rtl_gen.
"""

import ctypes
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.params import ChipParams
from spikelet.golden.aligned import SPARE, aligned, padded
from spikelet.golden.kernel import ProbeStructure, WorkerStructure

__all__ = ["Workers", "shares", "update_work"]

_VISITED = 64
"""Synapses that may be visited in the time of a neuron update."""


def update_work(chip: ChipParams) -> list[int]:
    """Return what a tick of each core costs at most, in neuron updates."""
    return [
        core.n_neurons * (1 + (core.n_axons // _VISITED if core.learning else 0))
        for core in chip.cores
    ]


def shares(work: Sequence[int], threads: int) -> list[range]:
    """Return consecutive parts of about equal work, at least one item each, ``threads`` at most."""
    threads = min(threads, len(work))
    before = np.cumsum([0, *work])
    aims = before[-1] * np.arange(1, threads) / threads
    cuts = [0, *np.abs(before[:, None] - aims).argmin(axis=0).tolist(), len(work)]
    for i in range(1, threads):  # none is empty
        cuts[i] = min(max(cuts[i], cuts[i - 1] + 1), len(work) - threads + i)
    return [range(first, last) for first, last in pairwise(cuts)]


class Workers:
    """Threads for one run at a time.

    Parameters
    ----------
    chip : ChipParams
    threads : int
        At most as many are taken as there are cores.
    due : array of uint64, shape (slots, words)
        The chip's axon bitmaps.
    counts : array of uint8, shape (slots, 64 * words), or (slots, 0)
        Its counts.

    Attributes
    ----------
    structures : array of WorkerStructure
    list_room : int
        Entries of a list of axons or neurons.
    """

    def __init__(
        self,
        chip: ChipParams,
        threads: int,
        due: npt.NDArray[np.uint64],
        counts: npt.NDArray[np.uint8],
    ) -> None:
        cores = chip.cores
        room = max(max(core.n_axons, core.n_neurons) for core in cores)
        listed = max(room, *(core.n_axons * core.most_spikes for core in cores))
        self.list_room = padded(listed + SPARE)
        self._parts = shares(update_work(chip), threads)
        self._held: list[dict[str, npt.NDArray[Any]]] = []
        n_fired = sum(core.n_neurons for core in cores) + SPARE
        for number in range(len(self._parts)):
            self._held.append(
                {
                    "due": aligned(due.shape, due.dtype) if number else due,
                    "counts": aligned(counts.shape, counts.dtype) if number else counts,
                    "fired": aligned((n_fired,), np.int32),
                    "fired_counts": aligned((n_fired if counts.size else 0,), np.uint8),
                    "lists": aligned((3, self.list_room), np.uint16),
                    "sums": aligned((2 * padded(room),), np.int32),  # and those of teachers
                    "merged": aligned((padded(len(cores)),), np.int32),
                }
            )
        self.structures = (WorkerStructure * len(self._parts))(
            *(
                WorkerStructure(
                    first_core=part.start,
                    last_core=part.stop,
                    **{name: array.ctypes.data for name, array in held.items()},
                )
                for part, held in zip(self._parts, self._held, strict=True)
            )
        )

    def probe(self, probes: Sequence[Sequence[ProbeStructure]]) -> Any:
        """Let each worker record what the probes of its cores say; return what must outlive it."""
        flat = (ProbeStructure * sum(map(len, probes)))(*(p for core in probes for p in core))
        first = 0
        for worker, part in zip(self.structures, self._parts, strict=True):
            worker.probes = ctypes.addressof(flat) + first * ctypes.sizeof(ProbeStructure)
            worker.n_probes = sum(len(probes[core]) for core in part)
            first += worker.n_probes
        return flat
