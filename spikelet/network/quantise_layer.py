"""A layer in integers: its weights, exponent, and the parameters of its neurons."""

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.network.convolution import shape_in_core
from spikelet.network.integer_layers import IntegerPopulation, IntegerProjection
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.leaks import Leak, finer, finest_bits, leak_parameters, measured_leaks
from spikelet.network.matrices import Matrix, same_places, stacked, stored, zeros_of
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.rounding import ByCurrents, Nearest, Rounding
from spikelet.network.scale import best_scale, squared_error
from spikelet.network.shown import Shown

__all__ = ["LayerQuantiser"]

MAX_EXPONENT = 16
"""Largest weight exponent of a core."""

CALIBRATION_HEADROOM = 2.0
"""How far potentials may exceed what the calibration samples showed before they saturate."""

BOUND_HEADROOM = 4.0
"""The same without calibration: potentials move further than in one tick, above all downwards,
where no reset stops them."""

_FAR = 1 << 40
"""Beyond all ranges of parameters."""

_MOST = (1 << 31) - 1
"""Of a parameter; beyond what a core holds."""

IntArray = npt.NDArray[np.int32]


class _Choice(NamedTuple):
    """How a population could be built."""

    neuron: NeuronModel
    potential_bits: int
    exponent: int
    lsb: float
    parameters: dict[str, IntArray]
    leaks: tuple[Leak, ...]


class LayerQuantiser:
    """Turns a population of a normalised network, and what leads to it, into integers.

    Parameters
    ----------
    network : Network
    population : Population
    weight_bits : int
        1..8.
    shown : Shown or None
        The network's run on calibration samples.
    fixed : LayerQuantisation or None
        Of another network, whose scale and weight exponent are taken; parameters are then not
        checked against their ranges.

    Raises
    ------
    SpikeletError
        If all weights into the population are 0.
    """

    def __init__(
        self,
        network: Network,
        population: Population,
        weight_bits: int,
        shown: Shown | None,
        fixed: LayerQuantisation | None = None,
    ) -> None:
        self.network = network
        self.layer = population
        self.shown = shown
        self.into = network.into(population.name)
        self.matrix = stacked([projection.weights for projection in self.into])
        self.weights, self.zeros = stored(self.matrix), zeros_of(self.matrix)
        if not self.weights.any():
            raise self._error(
                f"all weights into layer {population.name!r} are 0",
                "train the layer, or leave it out",
            )
        self.bits = weight_bits
        self.fixed = fixed is not None
        lsb = population.neuron.lsb
        by_currents = ByCurrents(self.into, shown) if shown else None
        self.exponent: int | None = None
        if fixed is not None:
            self.scale, self.exponent = fixed.scale, fixed.weight_exponent
        elif lsb is None:
            error = None if by_currents is None else partial(by_currents.error, bits=weight_bits)
            self.scale = best_scale(self.weights, weight_bits, error, zeros=self.zeros)
        else:
            self.scale, self.exponent = _fixed_scale(self.weights, weight_bits, lsb)
        rounding: Rounding = by_currents or Nearest(self.into)
        self.codes = rounding.codes(self.scale, weight_bits)

    def projection(self, projection: Projection, delay: int) -> IntegerProjection:
        """Return a projection into the population; SpikeletError if all its weights become 0."""
        found = self.codes[self.into.index(projection)]
        values = stored(projection.weights)
        if values.any() and not stored(found).any():
            largest = float(np.abs(values).max())
            raise self._error(
                f"all weights from {projection.source!r} into layer {projection.target!r} become 0 "
                f"at {self.bits} bits: the largest is {largest:g}, one step of the layer is "
                f"{self.scale:g}",
                "raise the weight width (--weight-bits), or balance the layer's sources",
            )
        convolution = projection.convolution
        return IntegerProjection(
            projection.source,
            projection.target,
            found.astype(np.int16),
            delay,
            convolution=None if convolution is None else shape_in_core(convolution),
        )

    def population(
        self,
        potential_bits: Iterable[int],
        units: FloatArray,
        decay_bits: int | Mapping[str, int] | None = None,
    ) -> tuple[IntegerPopulation, LayerQuantisation]:
        """Return the population in integers, and what that did to it.

        Parameters
        ----------
        potential_bits : iterable of int
            Widths in the order in which they are tried, then again with finer fractions where
            a leak needs them: the first that leaves all leaks about as they were, or else the best.
        units : array of float64, shape (1,) or (size,)
            Of the neurons, by which the network was divided.
        decay_bits : int, mapping of str to int, or None
            Of the fractions by which states decay, all or by parameter; None: the usual, or finer
            ones where needed.
        """
        neuron, bits, exponent, lsb, parameters, leaks = self._chosen(
            list(potential_bits), decay_bits
        )
        low, high = self._expected
        binary = self.bits == 1 and bool(self.weights.all()) and not self.zeros
        weight_bits = self.bits if self.bits > 1 or binary else 2
        integers = IntegerPopulation(
            self.layer.name,
            self.layer.size,
            neuron,
            parameters,
            exponent,
            bits,
            weight_bits,
            "binary" if binary else "signed",
            depth=self.network.depth(self.layer.name),
        )
        rounded = stacked(self.codes)
        lost = stored(self.matrix - self.scale * rounded)
        nonzero = int(np.count_nonzero(self.weights))
        return integers, LayerQuantisation(
            self.layer.name,
            self.scale,
            exponent,
            self.weights.size + self.zeros,
            self._clipped(),
            float(np.sqrt((lost**2).sum() / (self.weights.size + self.zeros))),
            low / lsb,
            high / lsb,
            "calibration" if self.shown else "bound",
            -(1 << (bits - 1)),
            (1 << (bits - 1)) - 1,
            nonzero=nonzero,
            vanished=nonzero - int(np.count_nonzero(stored(rounded))),
            units=tuple(units.tolist()),
            leaks=leaks,
            weight_bits=self.bits,
        )

    def _chosen(self, widths: list[int], decay_bits: int | Mapping[str, int] | None) -> _Choice:
        """Return the first choice in which all leaks act, or else that of the least error."""
        needed, tried = finest_bits(self.layer), list[_Choice]()
        fractions = [{}, needed][: 1 + bool(needed)]
        if isinstance(decay_bits, Mapping):
            fractions = [dict(decay_bits)]
        elif decay_bits is not None:
            leaks = leak_parameters(self.layer.neuron)
            fractions = [{parameter.name: decay_bits for parameter, *_ in leaks}]
        for bits_of in fractions:
            for width in widths:
                tried.append(self._at(width, bits_of))
                if all(leak.acts for leak in tried[-1].leaks):
                    return tried[-1]
                if not any(leak.stops for leak in tried[-1].leaks):  # more bits are of no help
                    break
        return min(tried, key=lambda choice: max(leak.error for leak in choice.leaks))

    def _at(self, potential_bits: int, bits_of: dict[str, int]) -> _Choice:
        """Return what a potential width, and bits of fractions, lead to."""
        neuron = finer(self.layer.neuron, bits_of)
        exponent = self.exponent
        if exponent is None:
            exponent = self._exponent(potential_bits)
        lsb = self.layer.neuron.lsb or self.scale / 2**exponent
        parameters = self._parameters(neuron, lsb, potential_bits)
        leaks = measured_leaks(self.layer, neuron, parameters, potential_bits)
        return _Choice(neuron, potential_bits, exponent, lsb, parameters, leaks)

    def _error(self, message: str, remedy: str) -> SpikeletError:
        return SpikeletError(f"network {self.network.name!r}: {message}", remedy=remedy)

    def _clipped(self) -> int:
        """Return how many weights lie beyond the integer range."""
        if self.bits == 1:
            return 0
        rounded, limit = np.round(self.weights / self.scale), 1 << (self.bits - 1)
        return int(np.sum((rounded < -limit) | (rounded >= limit)))

    @cached_property
    def _expected(self) -> tuple[float, float]:
        """Return how far potentials move, as calibration shows it or by a bound."""
        if self.shown:
            run = self.shown.layers[self.layer.name]
            return run.lowest, run.highest
        levels = self.network.input_levels
        most = stacked([p.weights * (levels if p.source == INPUT else 1) for p in self.into])
        high = _largest_sum(most)
        low = -_largest_sum(-most)
        for values in self._membrane().values():
            low += min(0.0, float(values.min()))
            high += max(0.0, float(values.max()))
        return low, high

    def _membrane(self) -> dict[str, FloatArray]:
        """Return the parameters that are membrane values, by name."""
        parameters = self.layer.neuron.parameters
        return {p.name: self.layer.values(p.name) for p in parameters if p.kind == "membrane"}

    def _exponent(self, potential_bits: int) -> int:
        """Return the largest exponent for which the extent fits, 0 if only the parameters do."""
        low, high = self._expected
        extent = (CALIBRATION_HEADROOM if self.shown else BOUND_HEADROOM) * max(-low, high)
        v_max = (1 << (potential_bits - 1)) - 1
        for name, values in self._membrane().items():
            needed = float(np.abs(values).max()) / self.scale
            if needed > v_max:
                raise self._error(
                    f"the {name} of layer {self.layer.name!r} is {needed:.6g} weight steps at "
                    f"{self.bits}-bit weights; potentials of {potential_bits} bits hold {v_max}",
                    "raise the potential width (--potential-bits, up to 24) or lower the weight "
                    "width (--weight-bits)",
                )
            extent = max(extent, needed * self.scale)
        room = np.log2(v_max * self.scale / extent)
        return int(np.clip(np.floor(room), 0, MAX_EXPONENT))

    def _parameters(
        self, model: NeuronModel, lsb: float, potential_bits: int
    ) -> dict[str, IntArray]:
        """Return the parameters without those that have their default in all neurons."""
        layer, found = self.layer, dict[str, IntArray]()
        for parameter in model.parameters:
            if parameter.name not in layer.parameters:
                continue
            low, high = model.range_of(parameter, potential_bits, layer.constants)
            values = layer.values(parameter.name)
            steps = {"membrane": 1 / lsb, "fraction": float(parameter.one)}
            rounded = _rounded(values * steps.get(parameter.kind, 1.0))
            if np.all(rounded == parameter.default):
                continue
            if parameter.kind == "fraction":  # a factor of 1 is more than the largest
                rounded = np.clip(rounded, low, high)
            if not self.fixed:
                check_range(
                    f"network {self.network.name!r}: {parameter.name} of layer {layer.name!r}",
                    rounded,
                    low,
                    high,
                )
            found[parameter.name] = np.clip(rounded, -_MOST - 1, _MOST).astype(np.int32)
        return found


def _fixed_scale(weights: FloatArray, bits: int, lsb: float) -> tuple[float, int]:
    """Return the weight unit and exponent of the least squared error where the LSB is given."""
    exponents = range(MAX_EXPONENT + 1)
    best = min(exponents, key=lambda exponent: squared_error(weights, lsb * 2**exponent, bits))
    return lsb * 2**best, best


def _largest_sum(weights: Matrix) -> float:
    """Return the largest sum of a column, without what is below 0."""
    positive = same_places(weights, np.maximum(stored(weights), 0))
    return float(positive.sum(axis=0).max())


def _rounded(values: FloatArray) -> npt.NDArray[np.int64]:
    """Return the nearest integers, as one value where all are equal."""
    rounded = np.clip(np.floor(values + 0.5), -_FAR, _FAR).astype(np.int64)
    return rounded[:1] if np.all(rounded == rounded[0]) else rounded
