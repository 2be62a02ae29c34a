"""The picture of a placement: cores on their positions, links by what they carry."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from spikelet.placement.link_loads import LinkLoads

__all__ = ["placement_picture"]

_STEPS = {"east": (1, 0), "west": (-1, 0), "south": (0, 1), "north": (0, -1)}
_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_ROUTER = "#e6e9ed"
_SIDE = 0.62  # of a core, in pitches
_APART = 0.1  # the two directions of a link


class _Line(NamedTuple):
    """A link as drawn."""

    ends: tuple[tuple[float, float], tuple[float, float]]
    load: float


def placement_picture(
    loads: LinkLoads, populations: Sequence[str], colours: Mapping[str, str] | None = None
) -> Figure:
    """Draw each core in the colour of its population, and each link as wide and dark as its load.

    The two directions of a link lie side by side; on a torus or ring the links around the edge are
    drawn as stubs. A tree stands with its root, which leads to the host, on top.

    Parameters
    ----------
    loads : LinkLoads
    populations : sequence of str
        Of each core.
    colours : mapping of str to colour, or None
        Of each population.
    """
    plan = loads.plan
    names = list(dict.fromkeys(populations))
    paint = dict(colours or {n: _PALETTE[i % len(_PALETTE)] for i, n in enumerate(names)})
    tree = plan.topology == "tree"
    height = len(plan.levels) if tree else plan.height
    size = float(np.clip(9.0 / max(plan.width, height), 0.15, 1.1))
    figure = Figure(
        figsize=(max(4.0, size * plan.width) + 2.2, max(2.2, size * height) + 0.9),
        layout="constrained",
    )
    axes = figure.subplots()
    lines = list(_tree_lines(loads) if tree else _grid_lines(loads))
    scale = Normalize(0, loads.largest or 1.0)
    width = float(np.clip(6 * size, 0.8, 6))
    _draw_lines(axes, lines, scale, width)
    places = range(plan.width * plan.height)
    squares = [_square(i % plan.width, _depth(loads, i)) for i in places]
    faces = [paint[populations[i]] if i < len(populations) else _ROUTER for i in places]
    patches = PatchCollection(squares, facecolors=faces, edgecolors="white", zorder=3)
    axes.add_collection(patches)
    axes.set(
        xlim=(-0.9, plan.width - 0.1),
        ylim=(height - 0.1, -0.9),
        aspect="equal" if not tree else "auto",
    )
    axes.axis("off")
    figure.suptitle(  # over the whole width: that of the axes is that of the cores
        f"{len(populations):,} cores, {plan.topology} of {plan.width} × {plan.height}\n"
        f"{loads.total:,.0f} links crossed a tick, the busiest link carries {loads.largest:,.1f}",
        x=0.02,
        ha="left",
        fontsize=9.5,
        weight="bold",
    )
    colour_bar = figure.colorbar(ScalarMappable(scale, "viridis_r"), ax=axes, shrink=0.7)
    colour_bar.set_label("packets a tick on a link")
    shown = [Patch(color=paint[name], label=name) for name in names[:12]]
    axes.legend(handles=shown, loc="upper left", bbox_to_anchor=(0, -0.01), ncols=4)
    return figure


def _square(x: float, y: float) -> Rectangle:
    return Rectangle((x - _SIDE / 2, y - _SIDE / 2), _SIDE, _SIDE)


def _depth(loads: LinkLoads, place: int) -> float:
    """Return how far down a core is drawn."""
    if loads.plan.topology == "tree":
        return float(loads.plan.leaf_depth[place])
    return float(place // loads.plan.width)


def _draw_lines(axes: Axes, lines: list[_Line], scale: Normalize, width: float) -> None:
    """Draw links, the busy ones on top."""
    ordered = sorted(lines, key=lambda line: line.load)
    values = np.array([line.load for line in ordered])
    collection = LineCollection(
        [line.ends for line in ordered],
        linewidths=width * (0.12 + 0.88 * values / (scale.vmax or 1.0)),
        cmap="viridis_r",
        norm=scale,
        zorder=2,
    )
    collection.set_array(values)
    axes.add_collection(collection)


def _grid_lines(loads: LinkLoads) -> Iterator[_Line]:
    plan = loads.plan
    for port, (right, down) in _STEPS.items():
        aside_x, aside_y = -_APART * down, _APART * right
        for (y, x), load in np.ndenumerate(loads.loads[port]):
            inside = 0 <= x + right < plan.width and 0 <= y + down < plan.height
            if inside or (plan.rings and load > 0):
                far = 1.0 if inside else 0.7
                start = (x + aside_x, y + aside_y)
                yield _Line((start, (start[0] + far * right, start[1] + far * down)), float(load))
    to_host = float(loads.loads["host"][0, 0])
    yield _Line(((0.0, 0.0), (-0.7, -0.7)), to_host)


def _tree_lines(loads: LinkLoads) -> Iterator[_Line]:
    levels = loads.plan.levels
    for depth, (first, end) in enumerate(levels):
        middle = (first + end - 1) / 2
        if depth == 0:
            root = (float(middle[0]), 0.0)
            yield _Line((root, (root[0], -0.7)), float(loads.loads["up 0"][0]))
            continue
        above = levels[depth - 1]
        router = np.searchsorted(above.first, first, side="right") - 1
        tops = (above.first[router] + above.end[router] - 1) / 2
        for way, aside in (("up", -_APART), ("down", _APART)):
            for low, top, load in zip(middle, tops, loads.loads[f"{way} {depth}"], strict=True):
                ends = ((float(low) + aside, float(depth)), (float(top) + aside, depth - 1.0))
                yield _Line(ends, float(load))
