"""A picture of what a chip will see of samples."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikelet.description.errors import SpikeletError
from spikelet.reports.plot_style import INPUT_COLOUR, PALETTE, WIDTH, as_png, tick_axis
from spikelet.samples.view import View

__all__ = ["view_picture"]

_POLARITIES = {1: ("spikes of each pixel",), 2: ("off", "on")}


@as_png
def view_picture(view: View, name: str) -> Figure:
    """Draw the raster of one sample, and of all samples the spikes of each tick and each pixel.

    SpikeletError if the view does not have its sample.
    """
    if view.sample is None:
        raise SpikeletError(
            f"sample must be in 0..{view.samples - 1}, not {view.chosen}",
            remedy="choose one of these (--sample)",
        )
    image = view.image
    images = 0 if image is None else len(image)
    figure = Figure(figsize=(WIDTH, 5.2 if not images else 7.6), layout="constrained")
    parts = figure.subfigures(2 if images else 1, 1, squeeze=False, height_ratios=None)[:, 0]
    raster, rates = parts[0].subplots(2, 1, sharex=True, height_ratios=(3, 1))
    ticks, inputs = view.sample.nonzero()
    thick = max(0.8, min(4, 200 / view.inputs))
    raster.hlines(inputs, ticks - 0.4, ticks + 0.4, INPUT_COLOUR, linewidth=thick)
    label = "" if view.label is None else f", label {view.label}"
    raster.set_title(f"{name}: sample {view.chosen}{label}, {len(ticks):,} spikes")
    raster.set(ylabel="input", ylim=(view.inputs - 0.4, -0.6))
    raster.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
    rates.bar(range(len(view.per_tick)), view.per_tick / view.samples, 1.0, color=PALETTE[0])
    rates.set(ylabel="spikes", xlabel="time (ticks)")
    rates.set_title(f"spikes in each tick, mean of {view.samples:,} samples")
    tick_axis(rates, len(view.per_tick))
    if image is not None:
        panels = parts[1].subplots(1, images, squeeze=False)[0]
        for axes, plane, title in zip(panels, image, _POLARITIES[images], strict=True):
            shown = axes.imshow(plane, cmap="Greys", vmin=0, vmax=image.max() or 1)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
            axes.set(title=f"{title}: mean of {view.samples:,} samples", xlabel="x", ylabel="y")
            parts[1].colorbar(shown, ax=axes, label="spikes", shrink=0.85)
    return figure
