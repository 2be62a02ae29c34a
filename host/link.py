"""Link: what joins a driver and a chip, whatever carries the words between them.

Three operations on words are all that a driver needs of a chip: write some through the
configuration port, read some, and run ticks. A Verilated chip, one behind a serial port and one in
another process differ in nothing else, so each is a class with these three.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Batch", "Link", "Ran", "Words"]

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Batch:
    """Samples for a chip to run, in words.

    Parameters
    ----------
    samples, ticks : int
        Samples, and ticks of each; 0 or more.
    clear : bool
        Whether the chip is cleared before each sample, also before one of no ticks.
    offsets : array of int64, shape (samples * ticks + 1,)
        Flits ``offsets[i]`` up to ``offsets[i + 1]`` are sent to ``event_in`` before tick
        ``i % ticks`` of sample ``i // ticks``; the first is 0.
    flits : array of uint32
        At least ``offsets[-1]``.
    settings : array of uint32, shape (settings,)
        Addresses that are written before each tick.
    values : array of uint32, shape (samples, ticks, settings)
        What is written there.
    probes : array of uint32, shape (probes,)
        Addresses that are read after each tick.
    n_outputs : int
        Output lines.
    output_mask : int
        The bits of a flit at ``event_out`` that hold the output line.
    cycle_limit : int
        Clock cycles in which a tick, and a clear, must end.
    count_shift : int
        The bit of a flit at ``event_out`` from which on it holds a count of spikes; 0: it stands
        for one.
    stop : int or None
        Address of a word that is read after each tick: where it is not 0, the sample has ended, and
        no event of its further ticks is sent.
    progress : callable
        To be told how many samples are done, now and then, by a link that takes long.
    """

    samples: int
    ticks: int
    clear: bool
    offsets: npt.NDArray[np.int64]
    flits: Words
    settings: Words
    values: Words
    probes: Words
    n_outputs: int
    output_mask: int
    cycle_limit: int
    count_shift: int = 0
    stop: int | None = None
    progress: Callable[[int], None] = lambda samples: None

    @classmethod
    def clearing(cls, cycle_limit: int) -> "Batch":
        """Return one sample of no ticks: all that it does is to clear the chip."""
        none = np.zeros(0, np.uint32)
        values = np.zeros((1, 0, 0), np.uint32)
        start = np.zeros(1, np.int64)
        return cls(1, 0, True, start, none, none, values, none, 0, 0, cycle_limit)


@dataclass(frozen=True)
class Ran:
    """What came of a batch.

    Parameters
    ----------
    outputs : array of uint16, shape (samples, ticks, n_outputs)
        Spikes that left the chip, counted by output line. Lines that there are not do not count.
    words : array of uint32, shape (samples, ticks, probes)
        What was read after each tick.
    unfinished : int or None
        ``sample * ticks + tick`` of the tick that did not end within the limit, or of which the
        clear before it did not; nothing was run behind it. None if all ended.
    ticks_run : array of int64, shape (samples,), or None
        Ticks that each sample has run, of a batch with ``stop``; what was not run is 0.
    """

    outputs: npt.NDArray[np.uint16]
    words: Words
    unfinished: int | None = None
    ticks_run: npt.NDArray[np.int64] | None = None


class Link(Protocol):
    """A way to a chip that has been reset, and that nobody else drives.

    Each operation has taken place when it returns. A link that fails (no answer, a checksum that
    is wrong) raises SpikeletError.
    """

    def write(self, words: Words) -> None:
        """Write rows of (address, data), in order, through the configuration port."""

    def read(self, addresses: Words) -> Words:
        """Return the words at these addresses, read in order through the configuration port."""

    def run(self, batch: Batch) -> Ran:
        """Run samples, tick by tick."""

    def close(self) -> None:
        """Give the chip back; what follows is undefined."""
