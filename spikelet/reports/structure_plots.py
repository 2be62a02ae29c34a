"""The report's pictures of what was built, each returned as the bytes of a PNG."""

import itertools
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.destinations import HOST
from spikelet.golden.emission import single_targets
from spikelet.network.integers import IntegerNetwork
from spikelet.network.network import INPUT
from spikelet.placement.plots import placement_picture
from spikelet.reports.plot_style import GREY, PALE, WIDTH, as_png, layer_colours, layer_title, short

__all__ = ["links", "network", "placement"]

_Pair = tuple[float, float]

_WHITE: Any = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_LINK: Any = {"color": GREY, "linewidth": 2.5, "zorder": 1}


def _blank(axes: Axes, width: float, height: float) -> None:
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")


@as_png
def network(compiled: CompiledNetwork) -> Figure:
    """Draw the populations in columns by depth, and the projections between them."""
    net, colours = compiled.network, layer_colours(compiled)
    depths = _columns(net)
    columns: list[list[str]] = [[] for _ in range(max(depths.values()) + 1)]
    for name, depth in depths.items():
        columns[depth].append(name)
    groups = {group.name for group in net.inputs}
    loops = {p.target for p in net.projections if p.source == p.target}
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
        title = "inputs" if name == INPUT else short(name, 18)
        title = title if name in groups else layer_title(compiled, name, 18)
        words = f"{net.sizes[name]:,}{'' if name in groups else _neuron_kind(compiled, name)}"
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
        share = 0.5 / max(1, depths[p.target] - depths[p.source])
        middle = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
        label = f"{p.weights.shape[0]:,} × {p.weights.shape[1]:,} weights"
        axes.text(*middle, label, ha="center", va="center", fontsize=8.5, bbox=_WHITE, zorder=2)
    return figure


def _columns(network: IntegerNetwork) -> dict[str, int]:
    """Return the column of each input group and population: its shortest way from the inputs.

    In a network that was trained it is the longest.
    """
    found = {group.name: 0 for group in network.inputs}
    if network.floats:
        return found | {p.name: p.depth + 1 for p in network.populations}
    column = 0
    while len(found) < len(network.sizes):
        column += 1
        reached = {p.target for p in network.projections if p.source in found}
        new = [p.name for p in network.populations if p.name in reached - found.keys()]
        # what only a bias drives stands with the first layers
        driven = [p.name for p in network.populations if p.name not in found][:1]
        found |= dict.fromkeys(new or driven, column)
    return found


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
    return f" {compiled.network.population(name).neuron.name} neurons"


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
        axes.add_patch(Rectangle((x, y), *tile, facecolor=face, edgecolor=GREY, zorder=2))
        if position >= len(chip.cores):
            note = "router only" if tile[0] > 0.9 else ""
            axes.text(x + tile[0] / 2, y + tile[1] / 2, note, ha="center", color=GREY, fontsize=8)
        elif detailed:
            _core(axes, compiled, position, (x, y), tile)
        else:
            _small_core(axes, compiled, position, (x, y), tile)
    box = {"facecolor": "white", "edgecolor": GREY}
    axes.text(gap + tile[0] / 2, height - 0.17, "host", ha="center", va="center", bbox=box)
    return figure


@as_png
def links(compiled: CompiledNetwork) -> Figure:
    """Draw the cores where they are, and what the links between them carry."""
    titles = {layer.name: layer_title(compiled, layer.name, 24) for layer in compiled.layers}
    names = [titles[_layer_of(compiled, core)[0]] for core in range(len(compiled.chip.cores))]
    colours = {titles[name]: c for name, c in layer_colours(compiled).items() if name in titles}
    return placement_picture(compiled.quality.loads, names, colours)


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
    return short(" and ".join(words), 26) if words else "nobody"


def _core(axes: Axes, compiled: CompiledNetwork, index: int, at: _Pair, tile: _Pair) -> None:
    """Draw a core: its crossbar to the scale of all crossbars, and what it holds."""
    (x, y), core = at, compiled.chip.cores[index]
    name, neurons = _layer_of(compiled, index)
    colour, used = layer_colours(compiled)[name], compiled.neurons[index]
    title = f"core {index} · {layer_title(compiled, name, 16)}"
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
    axes.add_patch(
        Rectangle(at, wide, high, color=layer_colours(compiled)[name], alpha=0.35, zorder=3)
    )
    if wide > 0.35:
        more = f"\n{short(name, int(9 * wide))}\n{core.n_axons:,} × {core.n_neurons:,}"
        text = f"core {index}{more}" if wide > 0.8 else str(index)
        middle = (at[0] + tile[0] / 2, at[1] + tile[1] / 2)
        axes.text(*middle, text, ha="center", va="center", fontsize=8, zorder=4)
