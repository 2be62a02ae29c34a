"""The report's pictures of what ran, each returned as the bytes of a PNG."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikelet.compiler.compiled import PlacedLayer
from spikelet.description.errors import SpikeletError
from spikelet.network.network import INPUT
from spikelet.reports.plot_style import (
    FAINT,
    INK,
    PALETTE,
    WIDTH,
    as_png,
    layer_colours,
    layer_title,
    tick_axis,
)
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples

__all__ = ["activity", "outputs", "raster", "states"]


@as_png
def raster(run: Run, samples: Samples | None, sample: int) -> Figure:
    """Draw every spike of one sample, layer under layer, in the network's own time."""
    compiled = run.compiled
    rows: list[tuple[str, str, npt.NDArray[Any]]] = []
    if samples is not None:
        rows.append((INPUT, "input", samples.spikes[sample]))
    for layer in compiled.layers:
        title = layer_title(compiled, layer.name, 40)
        title += " (output)" if layer.name in compiled.network.outputs else ""
        rows.append((layer.name, title, run.spikes(layer.name)[sample]))
    heights = [0.75 + 0.14 * math.sqrt(spikes.shape[1]) for _, _, spikes in rows]
    figure = Figure(figsize=(WIDTH, 0.5 + 0.3 * len(rows) + sum(heights)), layout="constrained")
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, height, (name, title, spikes) in zip(panels, heights, rows, strict=True):
        ticks, neurons = np.nonzero(spikes)
        colour, thick = (
            layer_colours(compiled)[name],
            max(0.8, min(6, 60 * height / spikes.shape[1])),
        )
        axes.hlines(neurons, ticks - 0.32, ticks + 0.32, colour, linewidth=thick)
        unit = "line" if name == INPUT else "neuron"
        axes.set_title(f"{title}: {len(ticks):,} spikes of {spikes.shape[1]:,} {unit}s")
        axes.set(ylim=(spikes.shape[1] - 0.4, -0.6), ylabel=unit)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
        axes.grid(axis="x")
        tick_axis(axes, spikes.shape[0])
    panels[-1].set_xlabel("time (ticks)")
    return figure


@as_png
def states(run: Run, sample: int, state: str = "v") -> Figure:
    """Draw a state over one sample: all outputs, and some hidden neurons.

    SpikeletError if no layer has a state of this name.
    """
    compiled = run.compiled
    recorded = {layer.name: run.states(layer.name) for layer in compiled.layers}
    having = [layer for layer in compiled.layers if state in recorded[layer.name]]
    if not having:
        known = dict.fromkeys(name for found in recorded.values() for name in found)
        raise SpikeletError(
            f"no layer has a state {state!r}", remedy=f"there are {', '.join(known)}"
        )
    outputs = [layer for layer in having if layer.name in compiled.network.outputs]
    hidden = [layer for layer in having if layer not in outputs][-3:]
    shown = [*hidden, *outputs]
    figure = Figure(figsize=(WIDTH, 0.4 + 2.4 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, layer in zip(panels, shown, strict=True):
        _states_of(axes, run, sample, layer, state)
        kind = "outputs" if layer in outputs else "a busy, a middling and a quiet neuron"
        axes.set_title(f"{layer_title(compiled, layer.name, 40)}: {kind}")
    panels[-1].set_xlabel("time (ticks); a dot marks a spike")
    return figure


def _states_of(axes: Axes, run: Run, sample: int, layer: PlacedLayer, state: str) -> None:
    values = run.states(layer.name)[state][sample]
    spikes = run.spikes(layer.name)[sample]
    busiest = np.lexsort((-values.max(axis=0), -spikes.sum(axis=0)))
    firing = max(1, int(spikes.any(axis=0).sum()))
    chosen = list(dict.fromkeys(busiest[[0, firing // 2 % layer.size, firing - 1]].tolist()))
    if layer.name in run.compiled.network.outputs:
        chosen = busiest[:2].tolist()
        for k, neuron in enumerate(busiest[2:]):
            label = f"the other {layer.size - 2:,}" if k == 0 else None
            axes.plot(values[:, neuron], color=FAINT, linewidth=0.9, label=label, zorder=1)
    for neuron, style, colour in zip(chosen, ("-", "--", ":"), PALETTE, strict=False):
        fired = np.flatnonzero(spikes[:, neuron])
        label = f"neuron {neuron} ({fired.size} spikes)"
        axes.plot(values[:, neuron], style, color=colour, linewidth=1.6, label=label, zorder=3)
        axes.plot(fired, values[fired, neuron], "o", color=colour, markersize=4, zorder=4)
    threshold = run.compiled.parameter(layer.name, "threshold") if state == "v" else None
    for k, height in enumerate(() if threshold is None else np.unique(threshold[chosen])):
        label = "threshold" if k == 0 else None
        axes.axhline(height, color=INK, linewidth=1, linestyle=(0, (1, 1.5)), label=label)
    axes.set_ylabel("potential (LSB)" if state == "v" else state)
    axes.grid(axis="both")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    tick_axis(axes, len(values))


@as_png
def outputs(run: Run, samples: Samples | None, sample: int, decode: str = "count") -> Figure:
    """Draw the spikes of each output, and the input as a square where it is one.

    Of outputs that are potentials, the votes are drawn. The class is that of a decoder of
    :data:`spikelet.samples.decode.DECODERS`.
    """
    votes, read = run.votes(decode)[sample], run.compiled.network.readouts
    counts = votes if read else run.output_counts()[sample]
    winner = int(votes.argmax())
    network = run.compiled.network
    side = math.isqrt(network.n_inputs)
    square = side >= 4 and side**2 == network.n_inputs
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    if samples is not None and square:
        left, axes = figure.subplots(1, 2, width_ratios=(1, 2.6))
        totals = samples.spikes[sample].sum(axis=0, dtype=np.int64).reshape(side, side)
        image = left.imshow(totals, cmap="Greys", vmin=0)
        figure.colorbar(image, ax=left, label="spikes", shrink=0.85)
        left.set(title="spikes of each input", xlabel=f"input mod {side}", ylabel=f"input ÷ {side}")
    else:
        axes = figure.subplots()
    places = np.arange(len(counts))
    axes.bar(places, counts, color=[FAINT if n != winner else PALETTE[0] for n in places])
    marks = {winner: "golden's class"} if network.floats else {}
    if samples is not None and samples.labels is not None and network.floats:
        label = int(samples.labels[sample])
        marks[label] = "golden's class = label" if label == winner else "label"
    for place, text in marks.items():
        if place < len(counts):
            align = "left" if place < len(counts) / 10 - 1 else "center"
            axes.text(place, counts[place], f"{text}\n{counts[place]:.4g}", ha=align, va="bottom")
    what = f"potentials, {decode}" if read else "spikes"
    axes.set(title=f"{what} of each output", xlabel="output", ylabel=what)
    lowest, highest = min(0, counts.min()), max(0, counts.max())
    room = 0.3 * (highest - lowest if read and counts.any() else max(1, highest))
    axes.set_ylim(lowest - (room if lowest else 0), highest + room)
    axes.set_xlim(-0.9, len(counts) - 0.1)
    for axis in (axes.xaxis, axes.yaxis):
        whole = axis is axes.xaxis or not read
        axis.set_major_locator(MaxNLocator(integer=whole, nbins=20 if axis is axes.xaxis else 6))
    return figure


def _whole_bins(values: npt.NDArray[np.integer[Any]]) -> list[float]:
    low, high = int(values.min()), int(values.max())
    width = max(1, -(-(high - low + 1) // 24))
    return [edge - 0.5 for edge in range(low, high + width + 1, width)]


@as_png
def activity(run: Run) -> Figure:
    """Draw how SOPs, active axons and cycles are distributed over samples and ticks."""
    compiled, trace = run.compiled, run.recording
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    panels = figure.subplots(1, 2 if trace.cycles is None else 3)
    sops = trace.synaptic_operations.sum(axis=(1, 2))
    panels[0].hist(sops, _whole_bins(sops), color=PALETTE[0])
    panels[0].set(title="synaptic operations", xlabel="SOPs per sample", ylabel="samples")
    bins = _whole_bins(trace.active_axons)
    few = len(compiled.chip.cores) <= 4
    for core in range(len(compiled.chip.cores) if few else 1):
        values = trace.active_axons[..., core] if few else trace.active_axons
        label = f"core {core}" if few else "all cores"
        style, colour = ("-", "--", ":", "-.")[core], PALETTE[core]
        edges = np.histogram(values, bins)[0]
        panels[1].stairs(edges, bins, color=colour, linestyle=style, linewidth=1.8, label=label)
    panels[1].set(title="active axons", xlabel="active axons per tick", ylabel="ticks")
    panels[1].legend()
    if trace.cycles is not None:
        cycles = trace.cycles.sum(axis=1)
        panels[2].hist(cycles, _whole_bins(cycles), color=PALETTE[2])
        how = "predicted" if trace.engine == "golden" else "measured"
        panels[2].set(title=f"clock cycles, {how}", xlabel="cycles per sample", ylabel="samples")
    for axis in (axis for axes in panels for axis in (axes.xaxis, axes.yaxis)):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
    return figure
