"""The picture of a conversion: accuracy over ticks."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from spikelet.reports.plot_style import INK, PALETTE, WIDTH, as_png

__all__ = ["conversion_picture"]


@as_png
def conversion_picture(
    accuracies: Sequence[float], agreements: Sequence[float], relu_accuracy: float
) -> Figure:
    """Draw what a spiking network classifies right after each tick, beside its ReLU network.

    Parameters
    ----------
    accuracies : sequence of float
        Share of the samples that are classified as labelled, after 1, 2, ... ticks.
    agreements : sequence of float
        Share of the samples with the class of the ReLU network.
    relu_accuracy : float
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    ticks = range(1, len(accuracies) + 1)
    axes.plot(ticks, accuracies, "-o", color=PALETTE[0], markersize=3, label="as labelled")
    axes.plot(ticks, agreements, ":", color=PALETTE[1], label="as the ReLU network")
    axes.axhline(relu_accuracy, color=INK, linewidth=1, label="ReLU network, as labelled")
    axes.set(
        title="samples classified, over ticks", xlabel="time (ticks)", ylabel="share of samples"
    )
    axes.set_ylim(-0.02, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="both")
    axes.legend(loc="lower right")
    return figure
