"""The report of ``spikelet learn``: one HTML page of what a network has learned."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.plastic import Plastic
from spikelet.description.artefact import Artefact
from spikelet.description.chip.image import ChipImage
from spikelet.description.summary import summary
from spikelet.description.versions import package_versions
from spikelet.network.integers import PlacedProjection
from spikelet.reports.report_page import check_extra, filled, write_page
from spikelet.runs.learned import Learned
from spikelet.samples.plastic_samples import LearningSamples

if TYPE_CHECKING:
    from spikelet.runs.verify import Verification

_MISSING_EXTRA: ImportError | None = None
try:
    from spikelet.reports import learning_plots as plots
except ImportError as error:
    _MISSING_EXTRA = error

__all__ = ["LearningRun", "write_learning_report"]

_TEMPLATE = Path(__file__).with_name("learned.html.j2")


@dataclass(frozen=True, eq=False)
class LearningRun:
    """What a learning report is about.

    Parameters
    ----------
    learned : Learned
        At the end.
    before : ChipImage
        Contents before the first epoch.
    counts : list of dict of array of int64, shape (samples, size)
        Of each epoch, by output population.
    shown : Learned
        The first sample, run after learning with everything recorded.
    samples : LearningSamples
    learning : bool
        Whether learning was on.
    not_in_nir : list of str
        What the NIR file does not express.
    """

    __repr__ = summary

    learned: Learned
    before: ChipImage
    counts: Sequence[dict[str, npt.NDArray[np.int64]]]
    shown: Learned
    samples: LearningSamples
    learning: bool
    not_in_nir: list[str]

    @property
    def plastic(self) -> Plastic:
        """The network."""
        return self.learned.plastic

    @property
    def plastic_projections(self) -> list[PlacedProjection]:
        """Those that learn."""
        return [p for p in self.plastic.projections if p.plastic]

    def output_counts(self, name: str) -> npt.NDArray[np.int64]:
        """Return an output population's spikes, one epoch behind another: (samples, size)."""
        return np.concatenate([counts[name] for counts in self.counts])


def write_learning_report(
    folder: Path,
    run: LearningRun,
    verification: "Verification | None",
    warnings: Sequence[str],
    made: Artefact,
) -> Path:
    """Write ``index.html``, and its pictures beside it as PNGs; return the page's path.

    Parameters
    ----------
    folder : Path
    run : LearningRun
    verification : Verification or None
    warnings : sequence of str
        Of :func:`learning_warnings`.
    made : Artefact
        What the run was made of.

    Raises
    ------
    SpikeletError
        If the folder cannot be written, or matplotlib or Jinja is not installed.
    """
    check_extra(_MISSING_EXTRA)
    pictures = _drawn(run)
    page = filled(
        _TEMPLATE,
        pictures,
        {},
        run=run,
        plastic=run.plastic,
        verification=verification,
        verdict=_verdict(verification),
        tiles=_tiles(run),
        populations=[_population(run.plastic, p.name) for p in run.plastic.populations],
        projections=[_projection(run, p) for p in run.plastic.projections],
        provenance=_provenance(run, made),
        command=made.command,
        warnings=warnings,
    )
    return write_page(folder, page, pictures, replace(made, kind="report"))


def _drawn(run: LearningRun) -> dict[str, bytes]:
    pictures = {}
    shapes = {group.name: group.shape for group in run.plastic.inputs}
    for p in run.plastic_projections:
        rule = run.plastic.chip.cores[run.plastic.population(p.target).core].learning
        assert rule is not None
        bounds, key = (rule.w_min, rule.w_max), f"{p.source}-{p.target}"
        after = run.learned.weights(p.source, p.target)
        before = run.plastic.weights(p.source, p.target, run.before)
        title = f"{p.source} to {p.target}"
        pictures[f"weights-{key}"] = plots.weight_histogram(before, after, bounds, title)
        shape = shapes.get(p.source, ())
        if len(shape) == 2:
            image = (shape[0], shape[1])
            pictures[f"fields-{key}"] = plots.receptive_fields(after, image, bounds, title)
        axons, neurons = _busiest(run, p)
        pictures[f"traces-{key}"] = plots.traces(
            run.shown, p.source, p.target, axons=axons, neurons=neurons
        )
    for name in run.plastic.outputs:
        counts = run.output_counts(name)
        pictures[f"curve-{name}"] = plots.learning_curve(counts, f"{name}, while it ran")
    spikes = run.samples.spikes(last=1)[:, : run.shown.trace.ticks]
    pictures["raster"] = plots.learning_raster(run.shown, spikes)
    return pictures


def _busiest(run: LearningRun, projection: PlacedProjection) -> tuple[list[int], list[int]]:
    """Return the axons and neurons of a projection that spike most in the sample that is drawn."""
    offset = 0
    spikes = run.samples.spikes(last=1)[0, : run.shown.trace.ticks]
    sources = {p.name: run.shown.spikes(p.name)[0] for p in run.plastic.populations}
    for group in run.plastic.inputs:
        sources[group.name] = spikes[:, offset : offset + group.size]
        offset += group.size

    def first(name: str) -> list[int]:
        counts = sources[name].sum(axis=0)
        found: list[int] = np.argsort(-counts.astype(np.int64), kind="stable")[:2].tolist()
        return found

    return first(projection.source), first(projection.target)


def _verdict(verification: "Verification | None") -> dict[str, Any]:
    """Return mood (``pass``, ``fail`` or ``open``), title and lines of the headline."""
    if verification is None:
        line = "Run spikelet learn with --verify to compare golden and RTL."
        return {"mood": "open", "title": "RTL was not compared", "lines": [line]}
    other = verification.engines[1]
    if other.difference is not None:
        title = "RTL is not equal to the golden model"
        return {"mood": "fail", "title": title, "lines": [other.difference]}
    if not other.spiked:
        title = "Nothing was compared: no neuron spiked"
        return {"mood": "open", "title": title, "lines": [other.verdict]}
    line = f"{other.samples:,} samples of {other.ticks:,} ticks: {', '.join(other.compared)}"
    title = "RTL learned what golden learned, bit for bit"
    title += f"; {other.silence}" if other.silent else ""
    return {"mood": "pass", "title": title, "lines": [line]}


def _tiles(run: LearningRun) -> list[tuple[str, str]]:
    changed = total = 0
    for p in run.plastic_projections:
        after = run.learned.weights(p.source, p.target)
        changed += int((after != run.plastic.weights(p.source, p.target, run.before)).sum())
        total += after.size
    spikes = sum(int(run.output_counts(name).sum()) for name in run.plastic.outputs)
    shown = len(run.samples) * len(run.counts)
    epochs = f"{len(run.counts)} epoch{'s'[: len(run.counts) != 1]}"
    return [
        (f"{shown:,}", f"samples in {epochs}, learning {'on' if run.learning else 'off'}"),
        (f"{changed:,}", f"of {total:,} plastic weights changed"),
        (f"{spikes / shown:,.1f}", "output spikes per sample, mean"),
    ]


def _population(plastic: Plastic, name: str) -> list[str]:
    population = plastic.population(name)
    core = plastic.chip.cores[population.core]
    rule = core.learning
    return [
        name,
        rule.name if rule else "none",
        f"{population.size:,}",
        f"{core.n_axons:,}",
        f"{core.weight_bits} ({core.weight_format})",
        f"{core.potential_bits}",
        f"{core.lanes}",
    ]


def _projection(run: LearningRun, projection: PlacedProjection) -> list[str]:
    ends = (projection.source, projection.target)
    before = run.plastic.weights(*ends, run.before)
    after = run.learned.weights(*ends)
    return [
        f"{ends[0]} to {ends[1]}",
        "plastic" if projection.plastic else "fixed",
        f"{before.size:,}",
        *(f"{w.min()} / {w.mean():.1f} / {w.max()}" for w in (before, after)),
        f"{int((before != after).sum()):,}",
    ]


def _provenance(run: LearningRun, made: Artefact) -> list[tuple[str, str]]:
    """Return what the results depend on, with digests, and the tools that made them."""
    tools = {**made.tools, **package_versions("spikelet", "matplotlib")}
    return [
        *((f"{role[0].upper()}{role[1:]}, SHA-256", value) for role, value in made.inputs.items()),
        *((f"{role[0].upper()}{role[1:]}", str(value)) for role, value in made.options.items()),
        *((f"{name}, SHA-256", digest) for name, digest in made.files.items()),
        ("State after the last tick, CRC-32 of each core", _checksums(run)),
        ("Python", platform.python_version()),
        *sorted(tools.items()),
    ]


def _checksums(run: LearningRun) -> str:
    return ", ".join(f"{value:08x}" for value in run.learned.state.checksums())
