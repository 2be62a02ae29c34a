"""The report's pictures, each returned as the bytes of a PNG."""

import functools
import io
import itertools
import math
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.ticker import MaxNLocator

from golden.emission import single_targets
from spikelet.description.destinations import HOST
from spikelet.description.trace import Trace
from spikelet.placement.plots import placement_picture
from spikelet.road.compiled import CompiledNetwork
from spikelet.road.network import INPUT
from spikelet.road.place import PlacedLayer
from spikelet.road.samples import Samples

__all__ = [
    "FAINT",
    "INPUT_COLOUR",
    "PALE",
    "PALETTE",
    "WIDTH",
    "activity",
    "as_png",
    "links",
    "network",
    "outputs",
    "placement",
    "potentials",
    "raster",
    "tick_axis",
]

_P = ParamSpec("_P")
_Pair = tuple[float, float]

_INK, _GREY, PALE = "#1b1f24", "#6b7480", "#d5dae0"
INPUT_COLOUR, FAINT = "#4d5761", "#b4bcc6"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours, told apart with any colour vision."""

_WHITE: Any = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_LINK: Any = {"color": _GREY, "linewidth": 2.5, "zorder": 1}
WIDTH = 9.6
_STYLE: Any = {  # its type differs between matplotlib's versions
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": _INK,
    "text.parse_math": False,  # a dollar sign in a layer's name is a dollar sign
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "grid.color": "#e6e9ed",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
}


def as_png(draw: Callable[_P, Figure]) -> Callable[_P, bytes]:
    """Give a drawing function the common style, and let it return the bytes of a PNG."""

    @functools.wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> bytes:
        file = io.BytesIO()
        with rc_context(_STYLE):
            draw(*args, **kwargs).savefig(file, format="png", dpi=160, metadata={"Software": None})
        return file.getvalue()

    return drawn


def _colours(compiled: CompiledNetwork) -> dict[str, str]:
    names = [layer.name for layer in compiled.layers]
    return {INPUT: INPUT_COLOUR, **{n: PALETTE[i % len(PALETTE)] for i, n in enumerate(names)}}


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _blank(axes: Axes, width: float, height: float) -> None:
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")


@as_png
def network(compiled: CompiledNetwork) -> Figure:
    """Draw the populations in columns by depth, and the projections between them."""
    net, colours = compiled.network, _colours(compiled)
    columns: list[list[str]] = [[INPUT], *([] for _ in range(compiled.output_latency + 1))]
    for population in net.populations:
        columns[net.depth(population.name) + 1].append(population.name)
    loops = {p.name for p in net.populations if net.recurrent(p.name)}
    height = (3.0 if loops else 2.75) * max(len(column) for column in columns)
    width = max(WIDTH, 2.4 * len(columns))
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    _blank(axes, width, height)
    places = {}
    for k, column in enumerate(columns):
        for row, name in enumerate(column):
            x = width * (k + 0.5) / len(columns)
            places[name] = (x, height * (len(column) - row - 0.5) / len(column) + 0.25)
    for name, (x, y) in places.items():
        dots = _dots(net.sizes[name])
        _population(axes, x, y, dots, colours[name])
        title = "inputs" if name == INPUT else f"layer {_short(name, 18)}"
        words = f"{net.sizes[name]:,}{'' if name == INPUT else _neuron_kind(compiled, name)}"
        style: Any = {"ha": "center", "va": "top", "bbox": _WHITE, "zorder": 3}
        below = y - max(dots) - 0.27
        axes.text(x, below, title, weight="bold", fontsize=10, **style)
        words += f"\n{net.sizes[name]:,} × {net.sizes[name]:,} recurrent weights" * (name in loops)
        axes.text(x, below - 0.22, words, **style)
        if name in loops:
            _loop(axes, x, y, dots, colours[name])
    for p in (p for p in net.projections if p.source != p.target):
        (x0, y0), (x1, y1) = places[p.source], places[p.target]
        pairs = itertools.product(_dots(net.sizes[p.source]), _dots(net.sizes[p.target]))
        lines = [[(x0, y0 + a), (x1, y1 + b)] for a, b in pairs]
        axes.add_collection(LineCollection(lines, colors=PALE, linewidths=0.5, zorder=1))
        share = 0.5 / (net.depth(p.target) - (-1 if p.source == INPUT else net.depth(p.source)))
        middle = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
        label = f"{p.weights.shape[0]:,} × {p.weights.shape[1]:,} weights"
        axes.text(*middle, label, ha="center", va="center", fontsize=8.5, bbox=_WHITE, zorder=2)
    return figure


def _dots(size: int) -> list[float]:
    """Return the heights of a population's dots, ten at most, about its middle, in inches."""
    shown = min(size, 10)
    return [0.19 * (i - (shown - 1) / 2) for i in range(shown)]


def _population(axes: Axes, x: float, y: float, dots: list[float], colour: str) -> None:
    reach = max(dots) + 0.12
    corner, size = (x - 0.05, y - reach + 0.05), (0.1, 2 * reach - 0.1)
    shape = FancyBboxPatch(corner, *size, "round,pad=0.1", facecolor="white", edgecolor=colour)
    shape.set_zorder(3)
    axes.add_patch(shape)
    for dot in dots:
        axes.add_patch(Circle((x, y + dot), 0.065, color=colour, zorder=4))


def _loop(axes: Axes, x: float, y: float, dots: list[float], colour: str) -> None:
    """Draw an arrow from a population back to itself, over its right side."""
    side, reach = x + 0.17, max(dots) / 2 + 0.08
    axes.add_patch(
        FancyArrowPatch(
            (side, y - reach),
            (side, y + reach),
            connectionstyle="arc3,rad=0.7",
            arrowstyle="-|>",
            mutation_scale=10,
            color=colour,
            zorder=3,
        )
    )


def _neuron_kind(compiled: CompiledNetwork, name: str) -> str:
    population = next(p for p in compiled.network.populations if p.name == name)
    return f" {'LIF' if population.decay is not None else 'IF'} neurons"


@as_png
def placement(compiled: CompiledNetwork) -> Figure:
    """Draw the positions with each core's layer, crossbar and neurons in use."""
    chip = compiled.chip
    detailed = chip.width <= 3
    small = min(2.1, 0.88 * WIDTH / chip.width)
    tile = (3.1, 1.75) if detailed else (small, min(small, 0.9))
    gap = 0.3 if detailed else 0.12 * tile[0]
    pitch = (tile[0] + gap, tile[1] + gap)
    width, top = chip.width * pitch[0] + gap, 0.4
    height = chip.height * pitch[1] + top
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    _blank(axes, width, height)
    for position in range(chip.width * chip.height):
        column, row = chip.position(position)
        x = gap + column * pitch[0]
        y = height - top - (row + 1) * pitch[1] + gap / 4
        if column:
            axes.plot([x - gap, x], [y + tile[1] / 2] * 2, **_LINK)
        if row or not column:  # core 0 has the host to the north
            axes.plot([x + tile[0] / 2] * 2, [y + tile[1], y + tile[1] + gap], **_LINK)
        face = "white" if position < len(chip.cores) else "#f3f5f7"
        axes.add_patch(Rectangle((x, y), *tile, facecolor=face, edgecolor=_GREY, zorder=2))
        if position >= len(chip.cores):
            note = "router only" if tile[0] > 0.9 else ""
            axes.text(x + tile[0] / 2, y + tile[1] / 2, note, ha="center", color=_GREY, fontsize=8)
        elif detailed:
            _core(axes, compiled, position, (x, y), tile)
        else:
            _small_core(axes, compiled, position, (x, y), tile)
    box = {"facecolor": "white", "edgecolor": _GREY}
    axes.text(gap + tile[0] / 2, height - 0.17, "host", ha="center", va="center", bbox=box)
    return figure


@as_png
def links(compiled: CompiledNetwork) -> Figure:
    """Draw the cores where they are, and what the links between them carry."""
    names = [_layer_of(compiled, core)[0] for core in range(len(compiled.chip.cores))]
    return placement_picture(compiled.quality.loads, names, _colours(compiled))


def _layer_of(compiled: CompiledNetwork, core: int) -> tuple[str, str]:
    """Return the name of a core's layer, and which of its neurons are there."""
    for layer in compiled.layers:
        for part in layer.slices:
            if part.core == core and layer.order is None:
                last = part.first + part.count - 1
                return layer.name, f"neurons {part.first:,} to {last:,} of {layer.size:,}"
            if part.core == core:
                return layer.name, f"{part.count:,} neurons of {layer.size:,}"
    raise AssertionError(f"core {core} has no layer")


def _targets(compiled: CompiledNetwork, core: int) -> str:
    found = np.unique(single_targets(compiled.chip, compiled.image.cores[core].destinations)[:, 1])
    cores = [str(target) for target in found if target != HOST]
    words = [f"core{'s' if len(cores) > 1 else ''} {', '.join(cores)}"] if cores else []
    words += ["the host"] if HOST in found else []
    return _short(" and ".join(words), 26) if words else "nobody"


def _core(axes: Axes, compiled: CompiledNetwork, index: int, at: _Pair, tile: _Pair) -> None:
    """Draw a core: its crossbar to the scale of all crossbars, and what it holds."""
    (x, y), core = at, compiled.chip.cores[index]
    name, neurons = _layer_of(compiled, index)
    colour, used = _colours(compiled)[name], compiled.neurons[index]
    title = f"core {index} · layer {_short(name, 16)}"
    axes.text(x + 0.12, y + tile[1] - 0.12, title, weight="bold", va="top", fontsize=9.5)
    scale = 1.1 / max(max(c.n_axons, c.n_neurons) for c in compiled.chip.cores)
    wide, high = max(scale * core.n_neurons, 0.06), max(scale * core.n_axons, 0.06)
    left, base = x + 0.12 + (1.1 - wide) / 2, y + 0.14 + (1.1 - high) / 2
    share = used / core.n_neurons
    axes.add_patch(Rectangle((left, base), wide * share, high, color=colour, alpha=0.28, zorder=3))
    axes.add_patch(Rectangle((left, base), wide, high, fill=False, edgecolor=colour, zorder=4))
    for group in range(1, core.groups):
        where = left + wide * group / core.groups
        axes.plot([where] * 2, [base, base + high], color=colour, linewidth=0.6, zorder=4)
    lines = [
        neurons,
        f"{core.n_axons:,} axons × {core.n_neurons:,} neurons",
        f"{core.weight_bits}-bit weights",
        f"{core.lanes} lanes, {core.pipelines} update pipeline{'s'[: core.pipelines > 1]}",
        f"{used:,} neurons used ({100 * share:.0f} %)",
        f"sends to {_targets(compiled, index)}",
    ]
    axes.text(
        x + 1.36, y + 1.27, "\n".join(lines), va="top", fontsize=8, linespacing=1.45, zorder=4
    )


def _small_core(axes: Axes, compiled: CompiledNetwork, index: int, at: _Pair, tile: _Pair) -> None:
    """Draw a core of a large mesh: filled from below as far as its neurons are in use."""
    core, name = compiled.chip.cores[index], _layer_of(compiled, index)[0]
    wide, high = tile[0], tile[1] * compiled.neurons[index] / core.n_neurons
    axes.add_patch(Rectangle(at, wide, high, color=_colours(compiled)[name], alpha=0.35, zorder=3))
    if wide > 0.35:
        more = f"\n{_short(name, int(9 * wide))}\n{core.n_axons:,} × {core.n_neurons:,}"
        text = f"core {index}{more}" if wide > 0.8 else str(index)
        middle = (at[0] + tile[0] / 2, at[1] + tile[1] / 2)
        axes.text(*middle, text, ha="center", va="center", fontsize=8, zorder=4)


def tick_axis(axes: Axes, ticks: int) -> None:
    axes.set_xlim(-0.6, ticks - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=17, min_n_ticks=1))


@as_png
def raster(compiled: CompiledNetwork, trace: Trace, samples: Samples | None, sample: int) -> Figure:
    """Draw every spike of one sample, layer under layer, in the network's own time."""
    rows: list[tuple[str, str, npt.NDArray[Any]]] = []
    if samples is not None:
        rows.append((INPUT, "input", samples.spikes[sample]))
    for layer in compiled.layers:
        title = f"layer {_short(layer.name, 40)}"
        title += " (output)" if layer.name in compiled.network.outputs else ""
        rows.append((layer.name, title, compiled.layer_spikes(trace, layer.name)[sample]))
    heights = [0.75 + 0.14 * math.sqrt(spikes.shape[1]) for _, _, spikes in rows]
    figure = Figure(figsize=(WIDTH, 0.5 + 0.3 * len(rows) + sum(heights)), layout="constrained")
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, height, (name, title, spikes) in zip(panels, heights, rows, strict=True):
        ticks, neurons = np.nonzero(spikes)
        colour, thick = _colours(compiled)[name], max(0.8, min(6, 60 * height / spikes.shape[1]))
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
def potentials(compiled: CompiledNetwork, trace: Trace, sample: int) -> Figure:
    """Draw membrane potentials of one sample: all outputs, and some hidden neurons."""
    outputs = [layer for layer in compiled.layers if layer.name in compiled.network.outputs]
    hidden = [layer for layer in compiled.layers if layer not in outputs][-3:]
    shown = [*hidden, *outputs]
    figure = Figure(figsize=(WIDTH, 0.4 + 2.4 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, layer in zip(panels, shown, strict=True):
        _potentials_of(axes, compiled, trace, sample, layer)
        kind = "outputs" if layer in outputs else "a busy, a middling and a quiet neuron"
        axes.set_title(f"layer {_short(layer.name, 40)}: {kind}")
    panels[-1].set_xlabel("time (ticks); a dot marks a spike")
    return figure


def _potentials_of(
    axes: Axes, compiled: CompiledNetwork, trace: Trace, sample: int, layer: PlacedLayer
) -> None:
    values = compiled.layer_potentials(trace, layer.name)[sample]
    spikes = compiled.layer_spikes(trace, layer.name)[sample]
    busiest = np.lexsort((-values.max(axis=0), -spikes.sum(axis=0)))
    firing = max(1, int(spikes.any(axis=0).sum()))
    chosen = list(dict.fromkeys(busiest[[0, firing // 2 % layer.size, firing - 1]].tolist()))
    if layer.name in compiled.network.outputs:
        chosen = busiest[:2].tolist()
        for k, neuron in enumerate(busiest[2:]):
            label = f"the other {layer.size - 2:,}" if k == 0 else None
            axes.plot(values[:, neuron], color=FAINT, linewidth=0.9, label=label, zorder=1)
    for neuron, style, colour in zip(chosen, ("-", "--", ":"), PALETTE, strict=False):
        fired = np.flatnonzero(spikes[:, neuron])
        label = f"neuron {neuron} ({fired.size} spikes)"
        axes.plot(values[:, neuron], style, color=colour, linewidth=1.6, label=label, zorder=3)
        axes.plot(fired, values[fired, neuron], "o", color=colour, markersize=4, zorder=4)
    threshold = [
        np.broadcast_to(compiled.image.cores[part.core].threshold, part.count)
        if compiled.chip.cores[part.core].threshold == "shared"
        else compiled.image.cores[part.core].threshold[: part.count]
        for part in layer.slices
    ]
    for k, height in enumerate(np.unique(layer.assembled(threshold)[chosen])):
        label = "threshold" if k == 0 else None
        axes.axhline(height, color=_INK, linewidth=1, linestyle=(0, (1, 1.5)), label=label)
    axes.set_ylabel("potential (LSB)")
    axes.grid(axis="both")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    tick_axis(axes, len(values))


@as_png
def outputs(
    compiled: CompiledNetwork, trace: Trace, samples: Samples | None, sample: int
) -> Figure:
    """Draw the spikes of each output, and the input as a square where it is one."""
    counts = compiled.output_counts(trace)[sample]
    winner = int(counts.argmax())
    side = math.isqrt(compiled.network.n_inputs)
    square = side >= 4 and side**2 == compiled.network.n_inputs
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
    marks = {winner: "golden's class"}
    if samples is not None and samples.labels is not None:
        label = int(samples.labels[sample])
        marks[label] = "golden's class = label" if label == winner else "label"
    for place, text in marks.items():
        if place < len(counts):
            align = "left" if place < len(counts) / 10 - 1 else "center"
            axes.text(place, counts[place], f"{text}\n{counts[place]}", ha=align, va="bottom")
    axes.set(title="spikes of each output", xlabel="output", ylabel="spikes")
    axes.set_ylim(0, max(1, counts.max()) * 1.3)
    axes.set_xlim(-0.9, len(counts) - 0.1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=20 if axis is axes.xaxis else 6))
    return figure


def _whole_bins(values: npt.NDArray[np.integer[Any]]) -> list[float]:
    low, high = int(values.min()), int(values.max())
    width = max(1, -(-(high - low + 1) // 24))
    return [edge - 0.5 for edge in range(low, high + width + 1, width)]


@as_png
def activity(compiled: CompiledNetwork, trace: Trace) -> Figure:
    """Draw how SOPs, active axons and cycles are distributed over samples and ticks."""
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
