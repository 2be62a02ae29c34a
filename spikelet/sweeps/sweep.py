"""Sweep: axes times measures of a network, on processes of this machine or on a cluster."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from spikelet.compiler.compile import Source, compile_network, graded, opened_source
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.summary import summary
from spikelet.golden.native import available
from spikelet.locked import writing
from spikelet.network.integers import IntegerNetwork
from spikelet.network.network import Network
from spikelet.network.toml_file import NetworkFile
from spikelet.reports.sweep_plot import sweep_picture
from spikelet.samples.samples import Samples
from spikelet.sweeps.axes import axis_named
from spikelet.sweeps.axis import Value
from spikelet.sweeps.bench import Bench, Configuration, Point
from spikelet.sweeps.carry_out import carry_out
from spikelet.sweeps.kept import PICTURE, Kept
from spikelet.sweeps.measures import SweptMeasure, measure_named
from spikelet.sweeps.processes import Processes
from spikelet.sweeps.versions import versions
from spikelet.sweeps.workers import Workers
from spikelet.targets import target_named

__all__ = ["LARGEST", "MOST", "USUAL", "Sweep", "sweep"]

USUAL = ("accuracy", "cycles", "luts", "block_rams")
"""Measures where none are named; without accuracy for samples without labels."""

LARGEST = "LFE5U-85F"
"""The device whose resources are counted where no target is given."""

MOST = 1_000_000
"""Configurations of a sweep."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep found.

    Parameters
    ----------
    axes : dict of str to tuple
    measures : tuple of SweptMeasure
    points : tuple of Point
        One for each configuration: the product of the axes, the last axis fastest.
    folder : Path or None
        Where results are kept.
    resumed : int
        Configurations whose results were there already.
    """

    __repr__ = summary

    axes: dict[str, tuple[Value, ...]]
    measures: tuple[SweptMeasure, ...]
    points: tuple[Point, ...]
    folder: Path | None = None
    resumed: int = 0

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row for each configuration: axes, measures, and why there is no result."""
        return [
            {**p.configuration, **p.values, "refusal": p.refusal, "failure": p.failure}
            for p in self.points
        ]

    @property
    def front(self) -> tuple[Point, ...]:
        """The Pareto front: points than which none is better in a measure and as good in all.

        In order of the first measure, the best first.
        """
        return front(self.points, self.measures)

    @property
    def picture(self) -> Path | None:
        """The picture of the first two measures, if there is one."""
        path = None if self.folder is None else self.folder / PICTURE
        return path if path and path.exists() else None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return {
            "axes": {name: list(values) for name, values in self.axes.items()},
            "measures": {measure.name: measure.unit for measure in self.measures},
            "resumed": self.resumed,
            "table": self.table,
            "front": [{**point.configuration, **point.values} for point in self.front],
        }


def front(points: Sequence[Point], measures: Sequence[SweptMeasure]) -> tuple[Point, ...]:
    """Return the Pareto front of points; see :attr:`Sweep.front`."""

    def cost(point: Point) -> tuple[float, ...]:
        return tuple(-point.values[m.name] if m.more else point.values[m.name] for m in measures)

    found: list[tuple[tuple[float, ...], Point]] = []
    costs = [(cost(point), point) for point in points if point.values]
    for mine, point in sorted(costs, key=lambda pair: pair[0]):
        # whoever is better in all stands before; so those that stay are never taken out again
        if not any(
            all(a <= b for a, b in zip(o, mine, strict=True)) and o != mine for o, _ in found
        ):
            found.append((mine, point))
    return tuple(point for _, point in found)


def sweep(
    source: Source,
    samples: Samples,
    axes: Mapping[str, Sequence[Value]],
    *,
    measures: Sequence[str] | None = None,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    framework: str | None = None,
    preset: str | Path | None = None,
    input_levels: int | None = None,
    input_counts: int | None = None,
    target: str | None = None,
    calibration: Samples | None = None,
    folder: Path | None = None,
    on: str | None = None,
    workers: int | None = None,
    command: str = "",
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    each: Callable[[Point], None] = lambda point: None,
) -> Sweep:
    """Compile and measure a network at each point of a grid, on this machine or on a cluster.

    With a folder, each result is kept there as it comes, by the digest of all that it depends on; a
    sweep that was interrupted, in whatever way, goes on, and ends as if it had not been. Axes may
    get more values or others later. Configurations that make no chip stand in the table with the
    reason. Equal arguments make equal results, whoever measures them.

    Parameters
    ----------
    source : path or network
        As for :func:`spikelet.compile`.
    samples : Samples
    axes : dict of str to sequence
        Values by axis (:data:`spikelet.sweeps.axes.AXES`), such as ``{"weight_bits": [2, 4],
        "lanes": [1, 16], "ticks": range(4, 13)}``.
    measures : sequence of str or None
        Of :data:`spikelet.sweeps.measures.MEASURES`; None: :data:`USUAL`.
    neuron, dt, framework, preset, input_levels, input_counts, calibration
        As for :func:`spikelet.compile`.
    target : str or None
        Board or device whose resources are counted; None: an LFE5U-85F. It need not fit.
    folder : Path or None
        Where results are kept; None: nowhere.
    on : str or None
        Address of a Dask scheduler, whose workers measure; None: processes of this machine.
    workers : int or None
        Processes of this machine; None: one for each processor.
    command : str
        For the record; empty from Python.
    progress : callable
        Told what is done, how much of it, and of how much.
    each : callable
        Given each result that was not there, as it comes.

    Raises
    ------
    SpikeletError
        If an axis, a measure or a value is none, network and samples do not fit, the folder holds
        another sweep or cannot be written, there is no such scheduler, or a worker of another
        version.
    """
    grid = _checked(axes)
    chosen = _measures(measures, samples)
    if on is not None and workers is not None:
        raise SpikeletError(
            "workers are processes of this machine, and a cluster has its own",
            remedy="leave out workers, or on",
        )
    bench = _bench(
        *(source, samples, grid, chosen, target, calibration),
        opened=lambda: _opened(source, neuron, dt, framework, preset, input_levels, input_counts),
    )
    kept = None if folder is None else Kept(Path(folder), bench, command)
    if kept:
        kept.check()
    configurations = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    with nullcontext() if folder is None else writing(Path(folder)):
        if kept:
            kept.check()  # nobody else writes now
            kept.begin(grid)
        found = {i: p for i, c in enumerate(configurations) if kept and (p := kept.point(c))}
        resumed = len(found)
        progress("configurations", resumed, len(configurations))
        places = {bench.key(c): i for i, c in enumerate(configurations) if i not in found}

        def keep(point: Point) -> None:
            if kept and not point.failure:
                kept.keep(point)
            found[places[bench.key(point.configuration)]] = point
            each(point)
            progress("configurations", len(found), len(configurations))

        if places:
            _measure(bench, [configurations[i] for i in places.values()], keep, on, workers)
        points = tuple(found[i] for i in range(len(configurations)))
        if kept:
            kept.end(grid, points, _picture(points, chosen))
    return Sweep(grid, chosen, points, kept.folder if kept else None, resumed)


def _measure(
    bench: Bench,
    configurations: Sequence[Configuration],
    keep: Callable[[Point], None],
    on: str | None,
    workers: int | None,
) -> None:
    """Let workers measure configurations, and end or leave them."""
    available()  # golden's kernel is compiled once, before all processes want it
    open_to: Workers
    if on is None:
        open_to = Processes(bench, workers)
    else:
        require("distributed", "a sweep on a Dask cluster")
        from spikelet.sweeps.dask_workers import DaskWorkers  # noqa: PLC0415

        open_to = DaskWorkers(bench, on)
    try:
        carry_out(open_to, configurations, keep)
    finally:
        open_to.close()


def _checked(axes: Mapping[str, Sequence[Value]]) -> dict[str, tuple[Value, ...]]:
    """Return axes with their values; SpikeletError if one is none."""
    if not axes:
        raise SpikeletError("a sweep needs an axis", remedy="such as weight_bits=2..8")
    found: dict[str, tuple[Value, ...]] = {}
    for name, values in axes.items():
        axis_named(name)
        if isinstance(values, str | int | float):
            raise SpikeletError(f"axis {name!r} needs several values, not {values!r}")
        listed = tuple(v.item() if hasattr(v, "item") else v for v in values)
        other = [v for v in listed if not isinstance(v, str | int | float)]
        if not listed or other:
            what = f"holds {other[0]!r}" if other else "has no values"
            raise SpikeletError(
                f"axis {name!r} {what}", remedy="give numbers, texts, or true, false"
            )
        if len({(type(v), v) for v in listed}) < len(listed):
            raise SpikeletError(f"axis {name!r} has a value twice: {listed}")
        found[name] = listed
    if (size := math.prod(map(len, found.values()))) > MOST:
        raise SpikeletError(f"{size:,} configurations are more than {MOST:,}")
    return found


def _measures(names: Sequence[str] | None, samples: Samples) -> tuple[SweptMeasure, ...]:
    if names is None:
        usual = [measure_named(name) for name in USUAL]
        return tuple(m for m in usual if samples.labels is not None or not m.needs_labels)
    found = tuple(measure_named(name) for name in dict.fromkeys(names))
    if not found:
        raise SpikeletError("a sweep needs a measure", remedy=f"such as {', '.join(USUAL)}")
    for measure in found:
        if measure.needs_labels and samples.labels is None:
            raise SpikeletError(
                f"{samples.path or 'the samples'} hold no labels, which {measure.name} needs",
                remedy="store labels (samples,) beside the spikes or levels",
            )
    return found


def _opened(
    source: Source,
    neuron: NeuronModel | str | Path | None,
    dt: float | None,
    framework: str | None,
    preset: str | Path | None,
    levels: int | None,
    counts: int | None,
) -> Source:
    """Return what a source holds, read once; a worker reads no file."""
    opened = opened_source(source, neuron, dt, None, framework, preset)
    if levels is None and counts is None:
        return opened
    if isinstance(opened, CompiledNetwork | NetworkFile):
        opened = opened.network
    return graded(opened, levels, counts)


def _bench(
    source: Source,
    samples: Samples,
    grid: Mapping[str, Sequence[Value]],
    measures: tuple[SweptMeasure, ...],
    target: str | None,
    calibration: Samples | None,
    *,
    opened: Callable[[], Source],
) -> Bench:
    """Return what configurations are measured on; SpikeletError if samples do not fit."""
    counted = LARGEST if target is None else target_named(target)
    network = opened()
    whole: Network | IntegerNetwork
    if isinstance(network, Network):
        digest, whole = network.digest, network
    else:
        compiled = compile_network(network)
        digest = digest_of(*(f"{name} {d}" for name, d in sorted(compiled.digests.items())))
        whole = compiled.network
    whole.check_spikes(samples.spikes)
    if samples.labels is not None:
        samples.check_labels(whole.n_outputs)
    shown = None
    if calibration is not None:
        shown = whole.check_spikes(calibration.spikes)
    axes = {axis.name: axis for axis, _ in map(axis_named, grid)}
    return Bench(network, digest, samples, axes, measures, counted, shown, versions())


def _picture(points: Sequence[Point], measures: Sequence[SweptMeasure]) -> bytes | None:
    """Return a picture of two measures and their front; None without two, or without points."""
    if len(measures) < 2:
        return None
    first, second = measures[:2]

    def shown(chosen: Sequence[Point]) -> list[tuple[float, float]]:
        return [(p.values[second.name], p.values[first.name]) for p in chosen if p.values]

    if not shown(points):
        return None
    return sweep_picture(
        points=shown(points),
        front=sorted(shown(front(points, (first, second)))),
        across=f"{second.name}: {second.unit}",
        up=f"{first.name}: {first.unit}",
    )
