"""Float against integer spikes, layer by layer, and what in them should worry the user."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.update import sends_counts
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.leaks import Leak
from spikelet.network.network import FloatArray
from spikelet.network.reference import FloatLayer, run_layers
from spikelet.runs.run_result import Run
from spikelet.samples.lengths import counted, within

__all__ = [
    "LayerAgreement",
    "agreement",
    "agreement_warnings",
    "layer_agreements",
    "output_warnings",
    "quantisation_warnings",
]

_LOW_OVERLAP = 0.5
_MANY_SATURATIONS = 0.01
"""Share of potentials at an end of their range from which a layer is said to saturate."""

_MANY_LOST = 0.5
"""Share of a layer's non-zero weights that became 0 from which it is said."""

_TAKES_ALL = 0.9
"""Share of a layer's spikes from which one neuron is said to take them."""

_LARGE_ERROR = 0.5
"""Error of potentials that are read, as a share, from which it is said."""

_CALIBRATE = "compile with more --weight-bits, and with --calibration if it was without"


@dataclass(frozen=True)
class LayerAgreement:
    """How well a layer's integer spikes follow those of the float network.

    Parameters
    ----------
    name : str
    float_spikes, integer_spikes : int
    common : int
        Spikes of both, of the same sample, tick and neuron.
    places : int
        Samples times ticks times neurons, without padding.
    neurons : int
    silent_neurons : int
        Of these, neurons that never spiked on integers.
    busiest : int
        Integer spikes of the neuron that spiked most.
    saturations : int or None
        Potentials found at an end of their range; None where they were not recorded.
    potential_error : float or None
        Of a layer whose potentials are read: root mean square of integer minus float potentials, as
        a share of that of the float potentials. None of other layers.
    first : (int, int, int) or None
        Sample, tick and neuron of the first spike that differs; None where none does.
    full_counts : int
        Places of a layer of graded spikes at which the count was the most that its bits hold: what
        is above follows in later ticks.
    """

    name: str
    float_spikes: int
    integer_spikes: int
    common: int
    places: int
    neurons: int = 0
    silent_neurons: int = 0
    busiest: int = 0
    saturations: int | None = None
    potential_error: float | None = None
    first: tuple[int, int, int] | None = None
    full_counts: int = 0

    @property
    def verdict(self) -> str:
        """``exact`` where no spike, or potential that is read, differs, else ``approximate``."""
        return "approximate" if self.first or self.potential_error else "exact"

    @property
    def share(self) -> float:
        """Share of places where both spike or both are silent, which most places are."""
        apart = self.float_spikes + self.integer_spikes - 2 * self.common
        return 1 - apart / self.places if self.places else 1.0

    @property
    def overlap(self) -> float | None:
        """Common spikes as a share of the spikes of either; None where there are none."""
        either = self.float_spikes + self.integer_spikes - self.common
        return self.common / either if either else None


def agreement(run: Run, spikes: npt.ArrayLike) -> tuple[LayerAgreement, ...]:
    """Compare a run's spikes, layer by layer, with those of the float network.

    Parameters
    ----------
    run : Run
        With spikes recorded.
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
        The input that led to it.

    Returns
    -------
    tuple of LayerAgreement
        Empty for a network that was not trained.
    """
    floats = run.compiled.network.floats
    if floats is None:
        return ()
    key = run.compiled.network.draw_key
    layers = run_layers(floats, spikes, potentials=False, draw_key=key)
    names = [population.name for population in floats.populations]
    return layer_agreements(run, dict(zip(names, layers, strict=True)))


def layer_agreements(run: Run, floats: Mapping[str, FloatLayer]) -> tuple[LayerAgreement, ...]:
    """Compare a run's spikes with those of the float network's layers, by name."""
    return tuple(_agreement(run, name, layer) for name, layer in floats.items())


def _agreement(run: Run, name: str, layer: FloatLayer) -> LayerAgreement:
    mine, theirs = run.spikes(name), within(run.lengths, layer.spikes)
    if mine.shape != theirs.shape:
        raise SpikeletError(
            f"the Recording of {run.recording.engine} is of {mine.shape[0]} samples of "
            f"{mine.shape[1]} ticks, the input of {theirs.shape[0]} of {theirs.shape[1]}"
        )
    by_neuron, apart = mine.sum(axis=(0, 1)), mine != theirs
    first = np.argwhere(apart)[0].tolist() if apart.any() else None
    ticks = counted(run.lengths, *mine.shape[:2])
    saturations = None
    if run.recording.states is not None:
        core = run.compiled.core(name)
        at_ends = np.isin(run.states(name)["v"], (core.v_min, core.v_max))
        saturations = int(at_ends[ticks].sum())
    return LayerAgreement(
        name,
        float_spikes=int(theirs.sum()),
        integer_spikes=int(mine.sum()),
        common=int(np.minimum(mine, theirs).sum()),
        places=int(ticks.sum()) * mine.shape[2],
        neurons=mine.shape[2],
        silent_neurons=int((by_neuron == 0).sum()),
        busiest=int(by_neuron.max(initial=0)),
        saturations=saturations,
        potential_error=None
        if layer.potentials is None
        else _relative_error(run.potentials(name)[ticks], layer.potentials[ticks]),
        first=first and (first[0], first[1], first[2]),
        full_counts=_full_counts(run, name, mine),
    )


def _full_counts(run: Run, name: str, spikes: npt.NDArray[Any]) -> int:
    bits = run.compiled.core(name).fired_bits
    counts = sends_counts(run.compiled.core(name).neuron)
    return int(np.count_nonzero(spikes == (1 << bits) - 1)) if counts else 0


def _relative_error(mine: FloatArray, theirs: FloatArray) -> float:
    """Return the root mean square of a difference as a share of that of ``theirs``, 0 of none."""
    error, size = (
        float(np.sqrt(np.mean(x**2))) if x.size else 0.0 for x in (mine - theirs, theirs)
    )
    return error / size if size else float(error > 0)


def _leak_warning(layer: str, leak: Leak) -> str:
    opening = (
        f"layer {layer!r}: {leak.parameter} of neuron {leak.neuron} has a time constant of "
        f"{_ticks(leak.wanted)} ticks"
    )
    left = f"{leak.left:.0%} of a potential is left where real numbers leave 5 %"
    if leak.stops:
        return (
            f"{opening}, but integers are rounded in every tick: after three time constants "
            f"{left}; compile with {leak.bits_short} more --potential-bits, or leave them out"
        )
    stored = "none" if leak.stored == inf else f"{_ticks(leak.stored)} ticks"
    return (
        f"{opening}; the nearest that {leak.bits} bits hold is {stored}: {left} after three time "
        "constants; leave --potential-bits out, which chooses finer ones, take a longer time "
        "step, or leave the leak out"
    )


def _ticks(constant: float) -> str:
    return f"{constant:,.0f}" if constant >= 10 else f"{constant:.2g}"


def agreement_warnings(layers: Iterable[LayerAgreement]) -> Iterator[str]:
    """Yield what looks wrong in how layers spiked, each with numbers and a remedy."""
    for layer in layers:
        name = f"layer {layer.name!r}"
        floats, integers = f"{layer.float_spikes:,}", f"{layer.integer_spikes:,}"
        if layer.potential_error is not None:
            if layer.potential_error > _LARGE_ERROR:
                yield (
                    f"{name}: its potentials on integers are off those of the float network by "
                    f"{layer.potential_error:.0%} of their root mean square: {_CALIBRATE}"
                )
        elif not layer.float_spikes and not layer.integer_spikes:
            yield (
                f"{name} never spiked, neither in the float network nor on integers: check its "
                "time constants, thresholds and the time step (--dt), and the samples"
            )
        elif not layer.integer_spikes:
            yield (
                f"{name} is silent on integers; the float network spikes {floats} times: "
                f"{_CALIBRATE}"
            )
        elif layer.overlap is not None and layer.overlap < _LOW_OVERLAP:
            yield (
                f"{name}: only {layer.overlap:.0%} of the spikes are common to the float network "
                f"({floats} spikes) and the integers ({integers}): {_CALIBRATE}"
            )
        if layer.saturations and layer.saturations > _MANY_SATURATIONS * layer.places:
            yield (
                f"{name}: {layer.saturations:,} of {layer.places:,} potentials are at an end of "
                "their range: compile with more --potential-bits, or with --calibration"
            )
        if layer.full_counts:
            yield (
                f"{name}: {layer.full_counts:,} of {layer.places:,} counts of spikes are the most "
                "that their bits hold, and what is above follows in later ticks: compile with more "
                "--spike-bits, or with --calibration"
            )
        if layer.integer_spikes and layer.silent_neurons > layer.neurons / 2:
            yield (
                f"{name}: {layer.silent_neurons:,} of {layer.neurons:,} neurons never spiked on "
                "these samples: check their thresholds, or use fewer neurons"
            )


def output_warnings(counts: Sequence[int]) -> Iterator[str]:
    """Yield a warning if one of several outputs has nearly all spikes (a total for each)."""
    total = sum(counts)
    if len(counts) > 1 and total and max(counts) > _TAKES_ALL * total:
        yield (
            f"output {list(counts).index(max(counts))} has {max(counts):,} of all {total:,} output "
            "spikes: check the weights to the outputs, and that samples are of all classes"
        )


def quantisation_warnings(layers: Iterable[LayerQuantisation]) -> Iterator[str]:
    """Yield which layers lost most of their weights, or a leak, to rounding, or took more bits."""
    for layer in layers:
        if layer.weight_bits == 1 and layer.nonzero < layer.weights:
            zeros = layer.weights - layer.nonzero
            yield (
                f"layer {layer.name!r}: {zeros:,} of {layer.weights:,} weights are exactly 0, for "
                "which 1 bit has no value: the layer takes 2 bits, for -1, 0 and +1; train it "
                "without zeros, or let 2 --weight-bits do more"
            )
        for leak in layer.leaks:
            if not leak.acts:
                yield _leak_warning(layer.name, leak)
        if layer.vanished > _MANY_LOST * layer.nonzero:
            yield (
                f"layer {layer.name!r}: {layer.vanished:,} of {layer.nonzero:,} weights that are "
                "not 0 became 0: a few large ones set the scale; use more --weight-bits, or clip "
                "them in training"
            )
