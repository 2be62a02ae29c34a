"""Input spikes as a dense array, for runs that need no list of events. No twin in rtl_gen."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events, check_count

__all__ = ["DenseSpikes"]

_NEXT = np.array([1, 0, 1, 0])
"""Step from a route to the next of the same run."""


@dataclass(frozen=True, eq=False)
class DenseSpikes:
    """What :meth:`Events.from_spikes` takes; a run with it equals one with those events.

    Parameters
    ----------
    spikes : array, shape (samples, input ticks, inputs)
        Not zero where an input spikes; as uint8 or bool and contiguous it is used as it is.
    routes : array of int, shape (routes, 4)
        (input, core, axon, delay): where each input goes; an input may have several.
    extra_ticks : int
        Ticks without input that follow.
    counts : bool
        Whether a value is a count of spikes, 0..255; if not, what is not zero is one.

    Raises
    ------
    SpikeletError
        If ``spikes`` has not three axes, or holds something else than counts.
    """

    spikes: npt.NDArray[np.generic]
    routes: npt.NDArray[np.integer]
    extra_ticks: int = 0
    counts: bool = False

    def __post_init__(self) -> None:
        if self.spikes.ndim != 3:
            raise SpikeletError(
                f"spikes must have axes (samples, ticks, inputs), not the shape {self.spikes.shape}"
            )
        if self.counts:
            if self.spikes.dtype.kind not in "biu":
                raise SpikeletError(f"counts of spikes must be integers, not {self.spikes.dtype}")
            check_range("counts of spikes", np.asarray(self.spikes, np.int64), 0, 255)

    @property
    def samples(self) -> int:
        """Samples in the batch."""
        return int(self.spikes.shape[0])

    @property
    def ticks(self) -> int:
        """Ticks of each sample, with the extra ones."""
        return int(self.spikes.shape[1]) + self.extra_ticks

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError if a route names an input, core, axon or delay that is not there."""
        limits = [(core.n_axons, core.delay_slots - 2) for core in chip.cores]
        n_inputs = self.spikes.shape[2]
        for line, core, axon, delay, length in self.runs.tolist():
            if not (0 <= line <= n_inputs - length and 0 <= core < len(limits)):
                raise SpikeletError(
                    f"route of inputs {line}..{line + length - 1} to core {core}: "
                    f"there are {n_inputs} inputs and {len(limits)} cores"
                )
            n_axons, longest = limits[core]
            if not (0 <= axon <= n_axons - length and 0 <= delay <= longest):
                raise SpikeletError(
                    f"route to axons {axon}..{axon + length - 1} of core {core}, delay {delay}: "
                    f"it has {n_axons} axons, and delays up to {longest}"
                )
        if self.counts:
            largest = np.asarray(self.spikes, np.int64).max(axis=(0, 1), initial=0)
            for line, core, _, _, length in self.runs.tolist():
                here = largest[line : line + length]
                check_count(core, here[here > 0], chip.cores[core].most_spikes)

    def events(self) -> Events:
        """Return the host events."""
        return Events.from_spikes(
            self.spikes, self.routes, extra_ticks=self.extra_ticks, counts=self.counts
        )

    def samples_between(self, first: int, last: int) -> "DenseSpikes":
        """Return samples ``first`` up to, not including, ``last``."""
        return DenseSpikes(self.spikes[first:last], self.routes, self.extra_ticks, self.counts)

    def first_ticks(self, ticks: int) -> "DenseSpikes":
        """Return the first ticks of each sample."""
        spikes = self.spikes[:, :ticks]
        return DenseSpikes(spikes, self.routes, ticks - spikes.shape[1], self.counts)

    def as_bytes(self) -> npt.NDArray[np.uint8]:
        """Return the spikes as contiguous uint8: counts, or not zero where an input spikes."""
        if self.counts:
            return np.ascontiguousarray(self.spikes, np.uint8)
        one_byte = self.spikes.dtype in (np.uint8, np.int8, np.bool_)
        same = self.spikes if one_byte else self.spikes != 0
        return np.ascontiguousarray(same).view(np.uint8)

    @cached_property
    def runs(self) -> npt.NDArray[np.int32]:
        """Routes, joined where input and axon go on by one: (input, core, axon, delay, length).

        An order of the routes that makes for few runs makes for speed.
        """
        routes = np.asarray(self.routes, np.int64).reshape(-1, 4)
        line, core, axon, delay = (routes[1:] == routes[:-1] + _NEXT).T
        breaks = np.flatnonzero(~(line & core & axon & delay)) + 1
        first = np.concatenate([[0], breaks])[: len(routes)]
        last = np.concatenate([breaks, [len(routes)]])[: len(routes)]
        runs = np.empty((len(first), 5), np.int32)
        runs[:, :4] = routes[first]
        runs[:, 4] = last - first
        return runs
