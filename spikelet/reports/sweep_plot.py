"""The picture of a sweep: two measures of all configurations, with their Pareto front."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from spikelet.reports.plot_style import PALETTE, WIDTH, as_png

__all__ = ["sweep_picture"]

_DECADES = 30.0
"""From so many times the least on, the measure across is drawn in logarithms."""

Points = Sequence[tuple[float, float]]


@as_png
def sweep_picture(*, points: Points, front: Points, across: str, up: str) -> Figure:
    """Draw configurations by two measures.

    Parameters
    ----------
    points, front : sequence of (float, float)
        One point at least; the front in order.
    across, up : str
        What the two measures are.
    """
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    x, y = np.transpose(points)
    axes.plot(
        x, y, linestyle="", marker="o", markersize=4, color=PALETTE[0], label="configurations"
    )
    axes.plot(*np.transpose(front), marker="o", markersize=5, color=PALETTE[1], label="front")
    if 0 < x.min() * _DECADES < x.max():
        axes.set_xscale("log")
    axes.set(title=f"{len(points):,} configurations", xlabel=across, ylabel=up)
    axes.grid(axis="both")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2)
    return figure
