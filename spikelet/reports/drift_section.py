"""The report's part on how far integers drift from the float network at each weight width."""

from collections.abc import Sequence
from math import inf
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.reports.plot_style import INK, PALETTE, WIDTH, as_png
from spikelet.runs.agreement import LayerAgreement
from spikelet.runs.drift import Drift

__all__ = ["drawn", "filled_in", "leaks"]


def filled_in(drifts: Sequence[Drift]) -> list[list[str]]:
    """Return a row for each width and layer."""
    rows = []
    for drift in drifts:
        width = "as compiled" if drift.weight_bits is None else str(drift.weight_bits)
        accuracy = drift.score.accuracy if drift.score else None
        share = "" if accuracy is None else f"{accuracy:.1%}"
        if not drift.layers:
            rows.append([width, "", "unsupported", drift.refused, "", "", "", ""])
        for number, layer in enumerate(drift.layers):
            opening = [width, layer.name] if number == 0 else ["", layer.name]
            rows.append([*opening, *_row(layer), "" if number else share])
    return rows


def leaks(layers: Sequence[LayerQuantisation]) -> list[list[str]]:
    """Return a row for each leak of each layer."""
    rows = []
    for layer in layers:
        for leak in layer.leaks:
            times = [_ticks(time) for time in (leak.wanted, leak.stored, leak.found)]
            verdict = "approximate" if leak.acts else "unsupported"
            opening = [layer.name, leak.parameter, verdict, f"{leak.neuron:,}"]
            rows.append([*opening, *times, f"{leak.left:.1%}"])
    return rows


def _ticks(constant: float | None) -> str:
    return "none" if constant in (None, inf) else f"{constant:,.1f}"


def _row(layer: LayerAgreement) -> list[str]:
    first = "–"
    if layer.first:
        sample, tick, neuron = layer.first
        first = f"sample {sample:,}, tick {tick:,}, neuron {neuron:,}"
    overlap = "no spikes" if layer.overlap is None else f"{layer.overlap:.1%}"
    if layer.potential_error is not None:
        overlap = f"potentials, {layer.potential_error:.1%} off"
    counts = [f"{layer.float_spikes:,}", f"{layer.integer_spikes:,}"]
    return [layer.verdict, first, *counts, overlap]


@as_png
def drawn(drifts: Sequence[Drift]) -> Figure:
    """Draw each layer's overlap, and the accuracy, over the bits of weights."""
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    axes: Any = figure.subplots()
    run = [drift for drift in drifts if drift.weight_bits is not None and drift.layers]
    bits = [drift.weight_bits for drift in run]
    names = [layer.name for layer in run[0].layers] if run else []
    for number, name in enumerate(names):
        overlaps = [drift.layers[number].overlap for drift in run]
        shares = [float("nan") if overlap is None else overlap for overlap in overlaps]
        colour = PALETTE[number % len(PALETTE)]
        axes.plot(bits, shares, "o-", color=colour, markersize=4, label=f"overlap, {name}")
    accuracies = [drift.score.accuracy if drift.score else None for drift in run]
    if accuracies and None not in accuracies:
        axes.plot(bits, accuracies, "s--", color=INK, markersize=4, label="accuracy")
    axes.set(xlabel="bits of weights", ylim=(0, 1.03))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return figure
