"""The picture of a tuning: accuracy of the chips that were tried, against their size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from spikelet.reports.plot_style import FAINT, GREY, INK, PALETTE, WIDTH, as_png

__all__ = ["tuning_picture"]

_LOST = 4.0
"""How much lower accuracies are shown, in losses that are allowed."""

_LEAST_LOST = 0.02

Points = Sequence[tuple[float, float]]


@as_png
def tuning_picture(
    *,
    kept: Points,
    violating: Points,
    front: Points,
    best: tuple[float, float] | None,
    float_accuracy: float,
    least: float,
    target: str,
) -> Figure:
    """Draw chips by size and accuracy, with the front, and the best of those that keep the bounds.

    Parameters
    ----------
    kept, violating, front : sequence of (float, float)
        Size, as a sum of shares of the target's resources, and accuracy, 0..1.
    best : (float, float) or None
    float_accuracy, least : float
        Of the float network, and what is allowed; 0..1.
    target : str
    """
    lowest = least - max(_LEAST_LOST, _LOST * (float_accuracy - least))
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    for points, colour, words in (
        (violating, FAINT, "chips that lose too much, are too slow or do not fit"),
        (kept, PALETTE[0], "chips within the bounds"),
        (front, PALETTE[2], "front"),
    ):
        shown = [(size, accuracy) for size, accuracy in points if accuracy >= lowest]
        below = len(points) - len(shown)
        label = f"{words} ({below} of lower accuracy not shown)" if below else words
        style: Any = {"drawstyle": "steps-post"} if points is front else {"linestyle": ""}
        style |= {"marker": "o", "markersize": 4, "color": colour, "label": label}
        if shown:
            axes.plot(*np.transpose(shown), **style)
    if best:
        axes.plot(*best, "*", color=PALETTE[1], markersize=15, label="smallest within the bounds")
    axes.axhline(float_accuracy, color=INK, linewidth=1, label="float network")
    axes.axhline(least, color=GREY, linewidth=1, linestyle=(0, (4, 2)), label="least accuracy")
    axes.set(
        title="accuracy against size",
        xlabel=f"size: sum of the shares of {target}'s resources",
        ylabel="accuracy",
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(axis="both")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2)
    return figure
