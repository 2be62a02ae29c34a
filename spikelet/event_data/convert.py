"""Events into samples: binned stream by stream, and written sample by sample."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.summary import summary
from spikelet.event_data.binning import Binning, Grid, grid_of
from spikelet.event_data.event_file import EventFile, EventStream, in_order
from spikelet.event_data.event_reader import EventReader, Layout
from spikelet.event_data.event_readers import open_events
from spikelet.event_data.survey import Survey, survey
from spikelet.samples.samples import Samples

__all__ = ["Binned", "Tally", "bin_events", "binned", "planned", "write_samples"]


@dataclass
class Tally:
    """What became of events.

    Attributes
    ----------
    spikes : int
    merged : int
        Events that became one spike with an earlier one of their tick and input.
    early, late : int
        Events before the beginning of a stream, and behind its last tick.
    elsewhere : int
        Events outside the region, or of the other polarity.
    """

    spikes: int = 0
    merged: int = 0
    early: int = 0
    late: int = 0
    elsewhere: int = 0

    @property
    def words(self) -> str:
        """What a reader should know, in words."""
        said = (
            (self.merged, "merged with another of their tick and input"),
            (self.early, "before the beginning left out"),
            (self.late, "behind the last tick left out"),
            (self.elsewhere, "outside the region, or of the other polarity, left out"),
        )
        notes = [f"{number:,} events {text}" for number, text in said if number]
        return "; ".join((f"{self.spikes:,} spikes", *notes))


@dataclass(frozen=True, eq=False)
class Binned:
    """A sample made of events.

    Parameters
    ----------
    spikes : array of uint8, shape (ticks, polarities, rows, columns)
    length : int
        Ticks up to, and with, the last event; 1 or more.
    label : int or None
    """

    __repr__ = summary

    spikes: npt.NDArray[np.uint8]
    length: int
    label: int | None


def bin_events(
    path: str | Path,
    binning: Binning,
    *,
    layout: Layout | None = None,
    lengths: bool = False,
    count: int | None = None,
    readers: Iterable[EventReader] = (),
) -> Samples:
    """Read events, and return them as samples.

    Parameters
    ----------
    path : path
        A file of events, or a folder of such files with a folder for each class.
    binning : Binning
    layout : Layout or None
        What CSV files and numpy's arrays do not say about themselves.
    lengths : bool
        Whether a sample ends with its last event, and what follows is padding.
    count : int or None
        Only the first so many streams.
    readers : iterable of EventReader
        Of further kinds of files; they are asked first.

    Raises
    ------
    SpikeletError
        If a file is damaged, its events are out of order or not on the sensor, or the samples do
        not fit into memory.
    """
    file = open_events(path, layout, readers=readers)
    grid, _ = planned(file, binning, count)
    made = list(binned(file, grid, Tally(), cut=binning.cut, count=count))
    stacked = np.stack([sample.spikes for sample in made])
    known = [sample.label for sample in made if sample.label is not None]
    return Samples(
        stacked.reshape(*stacked.shape[:2], -1),
        np.array(known, np.int64) if len(known) == len(made) else None,
        file.path if file.path.is_file() else None,
        lengths=np.array([sample.length for sample in made]) if lengths else None,
        input_shape=grid.shape,
    )


def planned(
    file: EventFile,
    binning: Binning,
    count: int | None = None,
    progress: Callable[[int], None] = lambda streams: None,
) -> tuple[Grid, Survey | None]:
    """Return where events go; the file is looked through only for what is not given."""
    sensor = binning.sensor or file.sensor
    given = sensor and binning.bin is not None and binning.ticks is not None and not binning.cut
    found = None if given else survey(file, count, progress=progress)
    return grid_of(binning, file, found), found


def binned(
    file: EventFile,
    grid: Grid,
    tally: Tally,
    *,
    cut: bool = False,
    count: int | None = None,
    most_events: int | None = None,
) -> Iterator[Binned]:
    """Yield the samples of a file, one after another; one is in memory at a time.

    Parameters
    ----------
    file : EventFile
    grid : Grid
    tally : Tally
        What became of the events is added to it.
    cut : bool
        As of :class:`Binning`.
    count : int or None
        Only the first so many streams.
    most_events : int or None
        Stop reading a stream behind the block in which there are so many; None: never.
    """
    for stream in file.streams[:count]:
        yield from _binned(stream, grid, tally, cut, most_events)


def _binned(
    stream: EventStream, grid: Grid, tally: Tally, cut: bool, most_events: int | None
) -> Iterator[Binned]:
    filling = _Filling(grid, tally, stream.label)
    begin, seen, full = grid.start, 0, False
    for block in in_order(stream):
        begin = int(block.t[0]) if begin is None else begin
        where = grid.inputs(block, stream.place)
        ticks = (block.t.astype(np.int64, copy=False) - begin) // grid.bin
        at = int(np.searchsorted(ticks, 0))
        tally.early += at
        while at < len(ticks):
            end = int(np.searchsorted(ticks, filling.first + grid.ticks))
            filling.add(where[at:end], ticks[at:end])
            at = end
            if at < len(ticks):
                full = not cut
                if full:
                    tally.late += len(ticks) - at
                    break
                yield filling.done(full=True)
        seen += len(ticks)
        if most_events is not None and seen >= most_events:
            break
    yield filling.done(full=full)


class _Filling:
    """The sample that events go to, and those after it."""

    def __init__(self, grid: Grid, tally: Tally, label: int | None) -> None:
        self.grid, self.tally, self.label = grid, tally, label
        self.first = 0
        """Its first tick."""
        self._begin()

    def _begin(self) -> None:
        self.spikes: npt.NDArray[np.uint8] | None = None
        self.events, self.length = 0, 1

    def _made(self) -> npt.NDArray[np.uint8]:
        """Return the sample's spikes, which take no memory before they are needed."""
        if self.spikes is None:
            self.spikes = np.zeros((self.grid.ticks, *self.grid.shape), np.uint8)
        return self.spikes

    def add(self, where: npt.NDArray[np.int64], ticks: npt.NDArray[np.integer[Any]]) -> None:
        """Add events, of the inputs ``where``, below 0 for those that are left out."""
        if not len(ticks):
            return
        ticks = ticks - self.first
        self.length = int(ticks[-1]) + 1
        spikes = self._made()
        size = spikes[0].size
        if not self.grid.all_used:
            used = where >= 0
            self.tally.elsewhere += len(used) - int(np.count_nonzero(used))
            where, ticks = where[used], ticks[used]
        spikes.reshape(-1)[where + ticks * np.int64(size)] = 1
        self.events += len(where)

    def done(self, *, full: bool) -> Binned:
        """Return the sample, and begin the next; ``full`` if the stream goes on behind it."""
        made = Binned(self._made(), self.grid.ticks if full else self.length, self.label)
        spikes = int(np.count_nonzero(made.spikes))
        self.tally.spikes += spikes
        self.tally.merged += self.events - spikes
        self.first += self.grid.ticks
        self._begin()
        return made


def samples_in(file: EventFile, grid: Grid, found: Survey | None, binning: Binning) -> int:
    """Return how many samples a file makes."""
    streams = len(file.streams) if found is None else found.streams
    if not binning.cut:
        return streams
    assert found is not None
    span = grid.bin * grid.ticks
    return sum(max(1, -(-found.lasting(i, grid.start) // span)) for i in range(streams))


def write_samples(
    path: Path,
    file: EventFile,
    binning: Binning,
    *,
    lengths: bool = False,
    count: int | None = None,
    shown: Callable[[Binned], None] = lambda sample: None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[Grid, Tally]:
    """Write the samples of a file of events; no more than one is in memory.

    The samples file holds ``spikes`` (samples, ticks, polarities, rows, columns), ``labels`` where
    there are any, and ``lengths`` if asked for.

    Parameters
    ----------
    path : Path
        Of the samples file.
    file : EventFile
    binning : Binning
    lengths : bool
        As for :func:`bin_events`.
    count : int or None
        Only the first so many streams.
    shown : callable
        Given each sample.
    progress : callable
        Told what is done, how many of it, and of how many.

    Returns
    -------
    Grid
        Where events went.
    Tally
        What became of them.

    Raises
    ------
    SpikeletError
        As :func:`bin_events`, or if the file cannot be written.
    """
    total = len(file.streams) if count is None else min(count, len(file.streams))
    grid, found = planned(file, binning, count, lambda done: progress("looking", done, total))
    samples = samples_in(file, grid, found, binning) if found else total
    tally = Tally()
    labels, ends = list[int](), list[int]()
    with (
        AtomicFile(path) as out,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, True, 1) as zipped,
    ):
        with zipped.open(zipfile.ZipInfo("spikes.npy"), "w", force_zip64=True) as member:
            shape = (samples, grid.ticks, *grid.shape)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            for made in binned(file, grid, tally, cut=binning.cut, count=count):
                member.write(made.spikes.tobytes())
                labels += [] if made.label is None else [made.label]
                ends.append(made.length)
                shown(made)
                progress("binning", len(ends), samples)
        arrays = {"labels": labels} if len(labels) == samples else {}
        for name, values in {**arrays, **({"lengths": ends} if lengths else {})}.items():
            with zipped.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                np.lib.format.write_array(member, np.array(values, np.int64))
        if len(ends) != samples:
            raise SpikeletError(f"{file.path} was changed while it was read", remedy="try it again")
    return grid, tally
