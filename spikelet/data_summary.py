"""Data: what a file of events or samples holds, and what a chip will see of it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import packed_arrays
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.files import AtomicFile
from spikelet.description.summary import summary
from spikelet.event_data.binning import Binning, Grid, grid_of
from spikelet.event_data.convert import Binned, Tally, binned, write_samples
from spikelet.event_data.event_file import EventFile
from spikelet.event_data.event_reader import Layout
from spikelet.event_data.event_readers import event_reader_of, open_events
from spikelet.event_data.survey import Survey, survey
from spikelet.samples.sample_file import SampleFile
from spikelet.samples.view import View, image_text, raster_text

__all__ = ["DataSummary", "data"]

_LOOKED_AT = 100
"""Samples that are looked at where none are written."""

_EVENTS_LOOKED_AT = 5_000_000
_TICKS = 100
"""Ticks, at most, of what is shown where no binning was given."""


@dataclass(frozen=True, eq=False)
class DataSummary:
    """What a file holds, and what a chip will see of it.

    Parameters
    ----------
    lines : list of str
        In words.
    view : View
    fields : dict
        In numbers, JSON-compatible.
    """

    __repr__ = summary

    lines: list[str]
    view: View
    fields: dict[str, Any]

    @property
    def pictures(self) -> list[str]:
        """A raster and an image made of text, as lines."""
        view = self.view
        if view.sample is None:
            return []
        label = "" if view.label is None else f", label {view.label}"
        found = [
            f"sample {view.chosen}{label}: inputs downwards, {len(view.sample)} ticks to the right",
            *(f"  |{line}|" for line in raster_text(view.sample)),
        ]
        if view.image is not None:
            mean = view.image.sum(axis=0)
            found += ["spikes of each pixel, all polarities and samples"]
            found += [f"  |{line}|" for line in image_text(mean)]
        return found


def data(
    path: str | Path,
    binning: Binning | None = None,
    *,
    out: str | Path | None = None,
    picture: str | Path | None = None,
    layout: Layout | None = None,
    lengths: bool = False,
    merge_counts: bool = False,
    time_first: bool = False,
    count: int | None = None,
    sample: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> DataSummary:
    """Say what a file holds, and write it as a samples file.

    Parameters
    ----------
    path : path
        A file of events, a folder of such files, or a samples file, as ``FILE:PREFIX`` too.
    binning : Binning or None
        How events become spikes. What it leaves open is guessed if nothing is written: the
        sensor's size from the events, and a tick of a hundredth of the longest stream at least.
    out : path or None
        The samples file to be written; None: only the first samples are looked at.
    picture : path or None
        A PNG to be written; needs the extra ``report``.
    layout : Layout or None
        What event files do not say about themselves.
    lengths : bool
        Also write how many ticks each stream of events lasts.
    merge_counts, time_first : bool
        Of samples files, as for :func:`load_samples`.
    count : int or None
        Only the first so many samples, or streams of events.
    sample : int
        The sample that is shown.
    progress : callable
        Told what is done, how many of it, and of how many.

    Raises
    ------
    SpikeletError
        If the file is damaged or of no kind that is read; if options do not fit it.
    """
    path = str(path)
    if count is not None and count < 1:
        raise SpikeletError(f"the count of samples must be 1 or more, not {count}")
    view = View(sample)
    events = Path(path).is_dir() or (
        (Path(path).exists() or ":" not in path) and event_reader_of(Path(path)) is not None
    )
    if events:
        if merge_counts or time_first:
            raise SpikeletError(
                f"{path} holds events, and no counts or axes of samples",
                remedy="leave out --merge-counts and --time-first",
            )
        file = open_events(path, layout)
        found = _of_events(file, binning or Binning(), out, lengths, count, view, progress)
    else:
        if lengths or layout or binning not in (None, Binning()):
            raise SpikeletError(
                f"{path} is a samples file: there are no events to be binned",
                remedy="leave out the options of events",
            )
        read = SampleFile.read(path, merge_counts=merge_counts, time_first=time_first)
        found = _of_samples(read, out, count, view)
    if sample and view.sample is None:
        raise SpikeletError(
            f"sample must be in 0..{view.samples - 1}, of those that were looked at, not {sample}",
            remedy="choose one of these, or look at more (--count)",
        )
    if not view.spikes:
        said = f"{path}: no input spikes in any of {view.samples:,} samples: check the options"
        warnings.warn(said, SpikeletWarning, stacklevel=2)
    if out is not None:
        found.lines.append(f"samples: {out}")
    if picture is not None:
        from spikelet.reports.data_plots import view_picture

        content = view_picture(view, Path(path).name)
        with AtomicFile(Path(picture)) as written:
            written.write(content)
        found.lines.append(f"picture: {picture}")
    return found


def _of_events(
    file: EventFile,
    binning: Binning,
    out: str | Path | None,
    lengths: bool,
    count: int | None,
    view: View,
    progress: Callable[[str, int, int], None],
) -> DataSummary:
    def shown(made: Binned) -> None:
        view.add(made.spikes, made.label, made.length if lengths else None)

    total = len(file.streams)
    lines = [f"{file.path}: {file.kind}, {total:,} stream{'s'[: total != 1]}"]
    if file.classes:
        lines.append(f"classes: {', '.join(file.classes)}")
    fields: dict[str, Any] = {
        "kind": file.kind,
        "streams": total,
        "classes": list(file.classes),
        "polarity": file.polarity,
    }
    if out is not None:
        grid, tally = write_samples(
            Path(out), file, binning, lengths=lengths, count=count, shown=shown, progress=progress
        )
    else:
        first = min(total, count or _LOOKED_AT)
        found = survey(file, first, _EVENTS_LOOKED_AT, lambda n: progress("looking", n, first))
        lines += _survey_lines(file, found, total)
        fields |= {
            "events": found.events,
            "on": found.on,
            "reach": [found.most_x + 1, found.most_y + 1],
            "microseconds": found.longest(0 if file.from_zero else None),
            "whole": found.whole,
        }
        binning, guessed = _guessed(binning, file, found)
        lines += guessed
        grid, tally = grid_of(binning, file, found), Tally()
        for made in binned(
            file, grid, tally, cut=binning.cut, count=found.streams, most_events=_EVENTS_LOOKED_AT
        ):
            shown(made)
    lines += [_grid_words(grid, view), tally.words]
    fields |= {
        "bin": grid.bin,
        "sensor": list(grid.sensor),
        **_view_fields(view),
        **{name: getattr(tally, name) for name in ("merged", "early", "late", "elsewhere")},
    }
    return DataSummary(lines, view, fields)


def _survey_lines(file: EventFile, found: Survey, total: int) -> list[str]:
    if not found.events:
        return ["no events"]
    part = "" if found.whole else f", of the first {found.streams:,}: not all were looked at"
    longest = found.longest(0 if file.from_zero else None)
    on = f", {found.on / found.events:.1%} of them on" if file.polarity else ""
    sensor = f", sensor {file.sensor[0]}x{file.sensor[1]}" if file.sensor else ""
    return [
        f"{found.events:,} events{on}{part}",
        f"up to column {found.most_x} and row {found.most_y}{sensor}; the longest stream lasts "
        f"{longest / 1000:,.3f} ms",
    ]


def _guessed(binning: Binning, file: EventFile, found: Survey) -> tuple[Binning, list[str]]:
    """Return a binning that is complete, and what of it was guessed."""
    said = []
    if binning.sensor is None and file.sensor is None:
        reach = (max(1, found.most_x + 1), max(1, found.most_y + 1))
        binning = replace(binning, sensor=reach)
        said.append(f"--sensor {reach[0]}x{reach[1]}")
    if binning.bin is None and binning.ticks is None:
        start = 0 if binning.start is None and file.from_zero else binning.start
        least = found.longest(start) / _TICKS
        sizes = (factor * 10**power for power in range(16) for factor in (1, 2, 5))
        tick = next(size for size in sizes if size >= least)
        binning = replace(binning, bin=tick)
        said.append(f"--bin {tick}us")
    return binning, [f"guessed, to show it: {' '.join(said)}"] if said else []


def _grid_words(grid: Grid, view: View) -> str:
    polarities, rows, columns = grid.shape
    planes = f"{polarities} polarities, " if polarities > 1 else ""
    return (
        f"{view.samples:,} samples of {grid.ticks:,} ticks of {grid.bin:,} us, and "
        f"{view.inputs:,} inputs ({planes}{rows} rows, {columns} columns); {view.rate:.2%} of "
        "inputs spike in a tick"
    )


def _view_fields(view: View) -> dict[str, Any]:
    return {
        "samples": view.samples,
        "ticks": len(view.per_tick),
        "input_shape": list(view.input_shape),
        "spikes": view.spikes,
        "rate": view.rate,
        "labels": {str(label): number for label, number in sorted(view.labels.items())},
    }


def _of_samples(
    file: SampleFile, out: str | Path | None, count: int | None, view: View
) -> DataSummary:
    spikes = file.shown()
    samples, ticks, inputs = spikes.shape
    labels, ends = file.labels(samples, ticks), file.lengths(samples, ticks)
    shape = file.input_shape() or (inputs,)
    for index in range(samples)[:count]:
        view.add(
            spikes[index].reshape(ticks, *shape),
            None if labels is None else int(labels[index]),
            None if ends is None else int(ends[index]),
        )
    if out is not None:
        if count is not None:
            raise SpikeletError("all samples of a samples file are written", remedy="leave --count")
        written: dict[str, npt.NDArray[Any]] = {
            name.removeprefix(file.prefix): values
            for name, values in file.arrays.items()
            if name.startswith(file.prefix) or name in ("full_scale", "ticks")
        }
        if "spikes" in written:
            written["spikes"] = spikes.reshape(samples, ticks, *shape)
        content = packed_arrays(written)
        with AtomicFile(Path(out)) as made:
            made.write(content)
    padded = "" if ends is None else f", of lengths {ends.min()}..{ends.max()}"
    axes = " x ".join(map(str, shape))
    lines = [
        f"{file.path}: {samples:,} samples of {ticks:,} ticks{padded} and {inputs:,} inputs "
        f"({axes}); {view.rate:.2%} of inputs spike in a tick",
        "no labels"
        if labels is None
        else f"labels: {len(np.unique(labels))} classes, {labels.min()}..{labels.max()}",
    ]
    fields = {
        "kind": "samples file",
        **_view_fields(view),
        "lengths": None if ends is None else [int(ends.min()), int(ends.max())],
    }
    return DataSummary(lines, view, fields)
