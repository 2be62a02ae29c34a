"""Pictures of what a network has learned, each returned as the bytes of a PNG."""

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikelet.network.integer_layers import Weights
from spikelet.reports.plot_style import (
    FAINT,
    PALE,
    PALETTE,
    WIDTH,
    as_png,
    tick_axis,
)
from spikelet.runs.run_result import Run

__all__ = [
    "learning_curve",
    "receptive_fields",
    "traces",
    "weight_histogram",
    "write_histogram",
]

_MOST_FIELDS = 100


@as_png
def receptive_fields(
    weights: Weights, shape: tuple[int, int], bounds: tuple[int, int], title: str = ""
) -> Figure:
    """Draw the weights of each neuron as an image; of more than 100 neurons, the first 100.

    Parameters
    ----------
    weights : array of int16, shape (n_source, n_target)
    shape : tuple of int
        (rows, columns) of the source's image.
    bounds : tuple of int
        Weights that are drawn white and black.
    title : str
    """
    shown = min(weights.shape[1], _MOST_FIELDS)
    columns = min(shown, max(4, math.ceil(math.sqrt(shown * shape[0] / shape[1]))), 12)
    rows = -(-shown // columns)
    # one picture with gaps, which is quicker to draw than a hundred axes
    tall, wide = shape[0] + 2, shape[1] + 2
    canvas = np.full((rows * tall, columns * wide), np.nan)
    for neuron in range(shown):
        row, column = divmod(neuron, columns)
        top, left = row * tall + 1, column * wide + 1
        field = weights[:, neuron].reshape(shape)
        canvas[top : top + shape[0], left : left + shape[1]] = field
    width = min(WIDTH, 1.2 + 1.2 * columns)
    height = (width - 1.2) * canvas.shape[0] / canvas.shape[1] + 0.5
    figure = Figure(figsize=(width, max(1.6, height)), layout="constrained")
    axes = figure.subplots()
    greys = colormaps["Greys"].with_extremes(bad=PALE)
    image = axes.imshow(canvas, cmap=greys, vmin=bounds[0], vmax=bounds[1])
    figure.colorbar(image, ax=axes, label="weight (LSB)", shrink=0.8)
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


@as_png
def weight_histogram(
    before: Weights, after: Weights, bounds: tuple[int, int], title: str = ""
) -> Figure:
    """Draw how the weights of a projection are distributed before and after learning.

    Parameters
    ----------
    before, after : array of int16, shape (n_source, n_target)
    bounds : tuple of int
        Smallest and largest weight of the rule.
    title : str
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    axes = figure.subplots()
    width = max(1, -(-(bounds[1] - bounds[0] + 1) // 64))
    edges = np.arange(bounds[0], bounds[1] + width + 1, width) - 0.5
    for weights, label, colour, style in (
        (before, "before", FAINT, "--"),
        (after, "after", PALETTE[0], "-"),
    ):
        counts = np.histogram(weights, edges)[0]
        axes.stairs(counts, edges, color=colour, linestyle=style, linewidth=1.8, label=label)
    axes.set(title=title, xlabel="weight (LSB)", ylabel="synapses")
    axes.legend()
    return figure


@as_png
def write_histogram(writes: npt.NDArray[np.int64], title: str = "") -> Figure:
    """Draw how often the devices of a projection were written.

    Parameters
    ----------
    writes : array of int64, shape (count, n_source, n_target)
        Pulses that each device was given.
    title : str
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    axes = figure.subplots()
    width = max(1, -(-(int(writes.max()) + 1) // 64))
    edges = np.arange(0, writes.max() + width + 1, width) - 0.5
    for number, (device, colour) in enumerate(zip(writes, cycle(PALETTE), strict=False)):
        counts = np.histogram(device, edges)[0]
        axes.stairs(counts, edges, color=colour, linewidth=1.4, label=f"device {number}")
    axes.set(title=title, xlabel="pulses of a device", ylabel="devices")
    if len(writes) <= len(PALETTE):
        axes.legend()
    return figure


@as_png
def learning_curve(counts: npt.NDArray[np.int64], title: str = "") -> Figure:
    """Draw an output population's spikes, sample by sample, and how many neurons spiked.

    Parameters
    ----------
    counts : array of int64, shape (samples, size)
    title : str
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    panels = figure.subplots(1, 2)
    curves = ((counts.sum(axis=1), "spikes"), ((counts > 0).sum(axis=1), "neurons that spiked"))
    for axes, (values, label), colour in zip(panels, curves, PALETTE, strict=False):
        axes.plot(values, color=FAINT, linewidth=0.8)
        window = max(1, len(values) // 50)
        if window > 1:
            smooth = np.convolve(values, np.full(window, 1 / window), "valid")
            axes.plot(np.arange(len(smooth)) + window - 1, smooth, color=colour, linewidth=1.8)
        axes.set(xlabel="sample", ylabel=label, ylim=(0, max(1, 1.05 * values.max(initial=0))))
    panels[0].set_title(title)
    return figure


@as_png
def traces(
    learned: Run,
    source: str,
    target: str,
    *,
    axons: Sequence[int],
    neurons: Sequence[int],
    sample: int = 0,
) -> Figure:
    """Draw traces, potentials and weights of chosen axons and neurons over one sample.

    Parameters
    ----------
    learned : Run
        With spikes, potentials and learning recorded.
    source, target : str
        A projection.
    axons, neurons : sequence of int
        Of the source and of the target.
    sample : int
    """
    panels: list[tuple[str, dict[str, npt.NDArray[Any]]]] = []
    for name, values in learned.pre_traces(source, target).items():
        lines = {f"{source} {axon}": values[sample, :, axon] for axon in axons}
        panels.append((f"pre trace {name}", lines))
    potentials = learned.states(target)["v"][sample]
    panels.append(("potential (LSB)", {f"{target} {n}": potentials[:, n] for n in neurons}))
    core = learned.compiled.core(target)
    for name, values in learned.post_traces(target).items():
        label = name if name in core.update.kept else f"post trace {name}"
        panels.append((label, {f"{target} {n}": values[sample, :, n] for n in neurons}))
    weights = learned.weight_history(source, target)[sample]
    pairs = {f"{a} to {n}": weights[:, a, n] for a in axons for n in neurons}
    panels.append(("weight (LSB)", pairs))
    figure = Figure(figsize=(WIDTH, 0.4 + 1.5 * len(panels)), layout="constrained")
    drawn = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (label, lines) in zip(drawn, panels, strict=True):
        _curves(axes, label, lines)
    drawn[-1].set_xlabel("time (ticks)")
    return figure


def _curves(axes: Axes, label: str, lines: dict[str, npt.NDArray[Any]]) -> None:
    styles = [(colour, style) for style in ("-", "--", ":") for colour in PALETTE]
    for (name, values), (colour, style) in zip(lines.items(), styles, strict=False):
        axes.plot(values, style, color=colour, linewidth=1.4, label=name)
    axes.set_ylabel(label)
    axes.grid(axis="both")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    tick_axis(axes, len(next(iter(lines.values()))))
