"""The report's part on where the clock cycles of a sample go, and what bounds them."""

from collections.abc import Sequence

from spikelet.fpga.flow import FpgaReport
from spikelet.runs.throughput import CoreWork, LayerWork, Throughput

__all__ = ["core_rows", "layer_rows", "words"]


def words(found: Throughput, builds: Sequence[FpgaReport]) -> str:
    """Return in words how long a sample takes, and what bounds it."""
    bound = "spikes on their way through the network" if found.bound == "network" else found.bound
    if found.bound != "network":
        layer = next(layer for layer in found.layers if layer.layer == found.bound)
        core = max(
            (core for core in found.cores if core.layer == found.bound),
            key=lambda core: core.bounds,
        )
        bound = f"layer {bound}, {layer.bounds:.0%} of them, most for core {core.core}"
    rates = [
        f"{row['samples_per_second']:,.0f} samples per second on {row['design']} at its "
        f"{row['clock']} clock of {row['mhz']:.1f} MHz"
        for row in found.to_dict(builds)["samples_per_second"]
    ]
    sentence = (
        f"{found.cycles:,.1f} cycles in {found.ticks:,.1f} ticks. Most ticks wait for {bound}."
    )
    return " ".join([sentence, *(f"{rate}." for rate in rates)])


def layer_rows(found: Throughput) -> list[list[str]]:
    """Return a row for each layer, and one for spikes on their way behind them all."""
    rows = [[layer.layer, f"{layer.cores:,}", *_cells(found, layer)] for layer in found.layers]
    whole = f"{found.network * found.ticks:,.0f}"
    return [*rows, ["network", *[""] * 5, f"{found.network:,.1f}", "", whole, ""]]


def core_rows(found: Throughput) -> list[list[str]]:
    """Return a row for each core."""
    return [
        [str(core.core), core.layer, f"{core.neurons:,}", *_cells(found, core)]
        for core in found.cores
    ]


def _cells(found: Throughput, work: CoreWork | LayerWork) -> list[str]:
    parts = (work.sums, work.update, work.beside, work.emission, work.own, work.waiting)
    return [
        *(f"{part:,.1f}" for part in parts),
        f"{work.own * found.ticks:,.0f}",
        f"{work.bounds:.0%}",
    ]
