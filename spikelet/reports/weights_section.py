"""The report's part on weights: images and histograms of the integers that the chip holds."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikelet.network.integer_layers import IntegerProjection
from spikelet.network.matrices import dense, stored
from spikelet.reports.plot_style import PALETTE, WIDTH, as_png
from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "content", "drawn"]

_MOST_PICTURES = 6
_MOST_PIXELS = 4_000_000


def content(parts: Parts) -> dict[str, Any] | None:
    """Return of each projection ``source``, ``target``, ``delay``, ``shape``, and statistics.

    ``stored``: synapses that are held; ``nonzero`` of them, ``low``, ``high``, ``mean``, and
    ``picture``, the name of its PNG; None behind the sixth.
    """
    rows = []
    for number, p in enumerate(parts.compiled.network.projections):
        values = stored(p.weights)
        rows.append(
            {
                "source": p.source,
                "target": p.target,
                "delay": p.delay,
                "shape": list(p.weights.shape),
                "stored": int(values.size),
                "nonzero": int(np.count_nonzero(values)),
                "low": int(values.min(initial=0)),
                "high": int(values.max(initial=0)),
                "mean": float(values.mean()) if values.size else 0.0,
                "picture": f"synapses-{number}" if number < _MOST_PICTURES else None,
            }
        )
    return {"projections": rows} if rows else None


def drawn(parts: Parts) -> dict[str, bytes]:
    """Return the pictures."""
    shown = parts.compiled.network.projections[:_MOST_PICTURES]
    return {f"synapses-{number}": _drawn(p) for number, p in enumerate(shown)}


@as_png
def _drawn(projection: IntegerProjection) -> Figure:
    """Draw the matrix of a projection, if it is not too large, and its histogram."""
    rows, columns = projection.weights.shape
    values = stored(projection.weights)
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    as_image = rows * columns <= _MOST_PIXELS
    axes = figure.subplots(1, 2 if as_image else 1, squeeze=False)[0]
    if as_image:
        reach = max(1, int(np.abs(values).max(initial=0)))
        matrix = dense(projection.weights)
        image = axes[0].imshow(
            matrix, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest"
        )
        axes[0].set(title=f"{rows:,} × {columns:,} weights", xlabel="to neuron", ylabel="from")
        for axis in (axes[0].xaxis, axes[0].yaxis):
            axis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
        figure.colorbar(image, ax=axes[0])
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    step = max(1, (high - low) // 128)
    edges = np.arange(low, high + step + 1, step) - 0.5
    axes[-1].stairs(np.histogram(values, edges)[0], edges, fill=True, color=PALETTE[0])
    axes[-1].set(title="histogram", xlabel="weight", ylabel="synapses")
    axes[-1].set_yscale("symlog", linthresh=1)
    axes[-1].set_ylim(bottom=0)
    axes[-1].yaxis.set_major_formatter("{x:,.0f}")  # the usual one writes mathematics
    axes[-1].grid(axis="y")
    return figure


SECTION = Section("weights", "Weights", "weights_section.html.j2", content, drawn)
