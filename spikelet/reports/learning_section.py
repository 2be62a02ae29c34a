"""The report's sections on a network that has learned."""

from typing import Any

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.network.integer_layers import IntegerProjection
from spikelet.reports import learning_plots, plots
from spikelet.runs.learn import LearningRun

__all__ = ["drawn", "filled_in"]


def filled_in(run: LearningRun) -> dict[str, Any]:
    """Return what the sections are filled with."""
    network = run.compiled.network
    return {
        "run": run,
        "tiles": _tiles(run),
        "populations": [_population(run.compiled, p.name) for p in network.populations],
        "projections": [_projection(run, p) for p in network.projections],
        "nir_written": run.nir[0] is not None,
        "not_in_nir": run.nir[1],
    }


def drawn(run: LearningRun) -> dict[str, bytes]:
    """Return the sections' pictures by name."""
    pictures = {}
    network = run.compiled.network
    shapes = {group.name: group.shape for group in network.inputs}
    for p in run.plastic_projections:
        assert p.rule is not None
        bounds, key = (p.rule.w_min, p.rule.w_max), f"{p.source}-{p.target}"
        before, after = run.weights(p.source, p.target)
        title = f"{p.source} to {p.target}"
        pictures[f"weights-{key}"] = learning_plots.weight_histogram(before, after, bounds, title)
        codes = run.compiled.devices(p.source, p.target, run.state.image)
        if codes is not None and p.rule.devices and p.rule.devices.write_bits:
            writes = p.rule.devices.each(codes, "writes")
            pictures[f"writes-{key}"] = learning_plots.write_histogram(writes, title)
        shape = shapes.get(p.source, ())
        if len(shape) == 2:
            image = (shape[0], shape[1])
            pictures[f"fields-{key}"] = learning_plots.receptive_fields(after, image, bounds, title)
        axons, neurons = _busiest(run, p)
        pictures[f"traces-{key}"] = learning_plots.traces(
            run.shown, p.source, p.target, axons=axons, neurons=neurons
        )
    for name in network.outputs:
        counts = run.output_counts(name)
        pictures[f"curve-{name}"] = learning_plots.learning_curve(counts, f"{name}, while it ran")
    pictures["learned-raster"] = plots.raster(run.shown, run.sample, 0)
    return pictures


def _busiest(run: LearningRun, projection: IntegerProjection) -> tuple[list[int], list[int]]:
    """Return the axons and neurons of a projection that spike most in the sample that is drawn."""
    network, offset = run.compiled.network, 0
    sources = {p.name: run.shown.spikes(p.name)[0] for p in network.populations}
    for group in network.inputs:
        sources[group.name] = run.sample.spikes[0, :, offset : offset + group.size]
        offset += group.size

    def first(name: str) -> list[int]:
        counts = sources[name].sum(axis=0)
        found: list[int] = np.argsort(-counts.astype(np.int64), kind="stable")[:2].tolist()
        return found

    return first(projection.source), first(projection.target)


def _tiles(run: LearningRun) -> list[tuple[str, str]]:
    changed = total = 0
    for p in run.plastic_projections:
        before, after = run.weights(p.source, p.target)
        changed += int((after != before).sum())
        total += after.size
    outputs = run.compiled.network.outputs
    spikes = sum(int(run.output_counts(name).sum()) for name in outputs)
    shown = run.samples * len(run.counts)
    epochs = f"{len(run.counts)} epoch{'s'[: len(run.counts) != 1]}"
    return [
        (f"{shown:,}", f"samples in {epochs}, learning {'on' if run.learning else 'off'}"),
        (f"{changed:,}", f"of {total:,} plastic weights changed"),
        (f"{spikes / shown:,.1f}", "output spikes per sample, mean"),
    ]


def _population(compiled: CompiledNetwork, name: str) -> list[str]:
    core, rule = compiled.core(name), compiled.network.rule(name)
    return [
        name,
        rule.name if rule else "none",
        f"{compiled.network.sizes[name]:,}",
        f"{core.n_axons:,}",
        f"{core.weight_bits} ({core.weight_format})",
        f"{core.potential_bits}",
        f"{core.lanes}",
    ]


def _projection(run: LearningRun, projection: IntegerProjection) -> list[str]:
    before, after = run.weights(projection.source, projection.target)
    return [
        f"{projection.source} to {projection.target}",
        "plastic" if projection.rule else "fixed",
        f"{before.size:,}",
        *(f"{w.min()} / {w.mean():.1f} / {w.max()}" for w in (before, after)),
        f"{int((before != after).sum()):,}",
    ]
