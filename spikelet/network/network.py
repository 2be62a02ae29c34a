"""The float network: what was trained, checked once, before anything is rounded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.kinds import fraction_one
from spikelet.description.neurons.model import NeuronModel, Parameter, State
from spikelet.description.neurons.update import can_spike
from spikelet.description.run.input_spikes import checked_spikes
from spikelet.description.summary import summary
from spikelet.network.convolution import Convolution
from spikelet.network.matrices import (
    Matrix,
    as_sparse,
    blocks,
    dense,
    is_sparse,
)
from spikelet.network.order import depths
from spikelet.network.origin import Origin
from spikelet.placement.inputs import INPUT

__all__ = [
    "INPUT",
    "MOST_LEVELS",
    "FloatArray",
    "Network",
    "Population",
    "Projection",
]

FloatArray = npt.NDArray[np.float64]

MOST_LEVELS = 255
"""Largest count of a packet."""

_WIDEST_POTENTIAL = 24
"""Bits of the widest potential, where only the sign of a bound counts."""


@dataclass(frozen=True, eq=False)
class Population:
    """A layer of neurons of one model; all input gains are already in the weights and parameters.

    Without rounding and clamping, a tick is that of the model's text, as
    :mod:`spikelet.network.reference` computes it.

    Parameters
    ----------
    name : str
    size : int
        Neurons, 1 or more.
    neuron : NeuronModel
    parameters : mapping of str to array of float64, shape (1,) or (size,)
        Of the model, by name; what is not given has the model's default. Membrane values are in
        the unit of the weights, or of the model's ``lsb`` where it has one; fractions are factors,
        0..1; all others are as the model has them.

    Raises
    ------
    SpikeletError
        If a parameter is unknown or missing, has another shape, or is outside its range; a
        threshold must be above 0.
    """

    __repr__ = summary

    name: str
    size: int
    neuron: NeuronModel
    parameters: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        if self.size < 1:
            raise self._error(f"size must be 1 or more, not {self.size}")
        for name in self.parameters:
            try:
                self.neuron.parameter(name)
            except SpikeletError as error:
                raise self._error(error.args[0], error.remedy) from None
        found = {}
        for parameter in self.neuron.parameters:
            name = parameter.name
            if name in self.parameters:
                shapes: list[tuple[int, ...]] = [(1,)]
                shapes += [] if parameter.constant else [(self.size,)]
                what = f"population {self.name!r}: {name}"
                found[name] = _finite(what, self.parameters[name], shapes)
            elif parameter.default is None:
                raise self._error(f"{name} is missing, which {self.neuron.name} has no default for")
        object.__setattr__(self, "parameters", found)
        for name, values in found.items():
            self._check_range(name, values)

    @cached_property
    def constants(self) -> dict[str, int]:
        """The parameters that any core builds in, as integers."""
        found = {}
        for parameter in self.neuron.parameters:
            if parameter.constant:
                usual = 0 if parameter.default is None else parameter.default
                given = self.parameters.get(parameter.name)
                found[parameter.name] = usual if given is None else round(float(given[0]))
        return found

    def values(self, name: str) -> FloatArray:
        """Return a parameter, given or by default, shape (1,) or (size,)."""
        parameter = self.neuron.parameter(name)
        if name in self.parameters:
            return self.parameters[name]
        default = 0 if parameter.default is None else parameter.default
        return np.full(1, default / self.unit(parameter))

    def unit(self, what: Parameter | State) -> float:
        """Return how many of a core's steps a real 1 is, apart from the scale of the weights."""
        if what.kind == "fraction":
            return float(fraction_one(what.high))
        return 1 / self.neuron.lsb if what.kind == "membrane" and self.neuron.lsb else 1.0

    def _check_range(self, name: str, values: FloatArray) -> None:
        low, high = self._range(self.neuron.parameter(name))
        if name == "threshold" and low >= 0:  # at 0 a neuron could fire from rest
            self._check(name, values, values > 0, "above 0")
        valid = (values >= low) & (values <= high)
        bounds = (f"{end:g}" if np.isfinite(end) else "" for end in (low, high))
        self._check(name, values, valid, "in {}..{}".format(*bounds))

    def _range(self, parameter: Parameter) -> tuple[float, float]:
        """Return the ends of a parameter's range; of membrane values only its sign is known."""
        low, high = self.neuron.range_of(parameter, _WIDEST_POTENTIAL, self.constants)
        if parameter.kind == "membrane":
            return (0.0 if low >= 0 else -np.inf), (0.0 if high <= 0 else np.inf)
        if parameter.kind == "fraction" and high == parameter.one - 1:
            high = parameter.one  # a core takes its largest fraction for 1
        return low / self.unit(parameter), high / self.unit(parameter)

    def _check(
        self, name: str, values: FloatArray, valid: npt.NDArray[np.bool_], rule: str
    ) -> None:
        if not valid.all():
            neuron = int(np.argmin(valid))
            raise self._error(
                f"{name} must be {rule}, found {values[neuron]:g} (neuron {neuron} of {self.size})"
            )

    def _error(self, message: str, remedy: str = "") -> SpikeletError:
        return SpikeletError(f"population {self.name!r}: {message}", remedy=remedy)


@dataclass(frozen=True, eq=False)
class Projection:
    """Weights from one source, a population or :data:`INPUT`, to a population.

    Parameters
    ----------
    source, target : str
    weights : array or scipy ``csr_array`` of float64, shape (n_source, n_target)
        Of a convolution made sparse, if they are not.
    convolution : Convolution or None
        The one that the weights are, if they are one.
    delay : int or None
        Ticks from a spike to its arrival: 0 or more, 1 or more to the same population. None: none,
        or 1 to the same population.
    """

    __repr__ = summary

    source: str
    target: str
    weights: Matrix
    convolution: Convolution | None = None
    delay: int | None = None

    @property
    def ticks(self) -> int:
        """Ticks from a spike to its arrival."""
        return int(self.source == self.target) if self.delay is None else self.delay

    def __post_init__(self) -> None:
        name = f"projection {self.source!r} -> {self.target!r}: weights"
        weights = self.weights
        if self.convolution is not None or is_sparse(weights):
            weights = as_sparse(weights).astype(np.float64, copy=False)
            if not np.isfinite(weights.data).all():
                weights = dense(weights)
        if not is_sparse(weights):
            weights = _finite(name, weights, None)
        object.__setattr__(self, "weights", weights)
        if self.weights.ndim != 2:
            raise SpikeletError(f"{name} must be a matrix, not of shape {self.weights.shape}")
        least = int(self.source == self.target)
        if not (isinstance(self.ticks, int) and self.ticks >= least):
            here = name.removesuffix(": weights")
            raise SpikeletError(f"{here}: delay must be {least} or more, not {self.delay!r}")


@dataclass(frozen=True, eq=False)
class Network:
    """A graph of populations: feed-forward, but for projections with a delay.

    Spikes reach other populations in the tick they are emitted, their own in the tick after, as in
    snnTorch's ``RLeaky`` (Eshraghian et al. 2023), or as much later as a projection says.

    Parameters
    ----------
    name : str
    n_inputs : int
    dt : float or None
        Seconds per tick; None where nothing depends on it.
    populations : tuple of Population
        In topological order.
    projections : tuple of Projection
        At most one of each source, target and delay; these may be the same population.
    outputs : tuple of str
        Populations whose neurons, one population after another, are the network's outputs: by their
        spikes, or, of populations that cannot spike, their potentials.
    origin : Origin or None
        How the numbers of its file were read.
    input_levels : int
        Largest count of an input in a tick, 1..255. Above 1 inputs are graded: each count arrives,
        and weights from the inputs are those of a count of 1.

    Raises
    ------
    SpikeletError
        If names, shapes or the order do not agree, for loops of too few ticks
        (:func:`~spikelet.network.order.depths`), and for a population that gets no input from
        others or does not lead to an output.
    """

    __repr__ = summary

    name: str
    n_inputs: int
    dt: float | None
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    outputs: tuple[str, ...]
    origin: Origin | None = None
    input_levels: int = 1

    def __post_init__(self) -> None:
        if type(self.input_levels) is not int or not 1 <= self.input_levels <= MOST_LEVELS:
            raise self._error(
                f"input_levels must be a whole number in 1..{MOST_LEVELS}, not {self.input_levels}"
            )
        if self.n_inputs < 1:
            raise self._error(f"n_inputs must be 1 or more, not {self.n_inputs}")
        if self.dt is not None and not (np.isfinite(self.dt) and self.dt > 0):
            raise self._error(f"dt must be above 0 seconds, not {self.dt:g}")
        names = [population.name for population in self.populations]
        if not names:
            raise self._error("there is no neuron population")
        for name in names:
            if name == INPUT:
                raise SpikeletError(
                    f"network {self.name!r}: a population is called {INPUT!r}, which is the name "
                    "of the network's input lines",
                    remedy=f"rename it, for example to '{INPUT}_neurons'",
                )
            if names.count(name) > 1:
                raise self._error(f"population name {name!r} is taken")
        self._check_projections()
        self._check_order()
        self._check_outputs()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that the float network computes from: not name and origin."""
        parts: list[Any] = [repr((self.n_inputs, self.dt, self.outputs))]
        for p in self.populations:
            parts += [p.name, str(p.size), json.dumps(p.neuron.to_dict(), sort_keys=True)]
            for name, values in p.parameters.items():
                parts += [name, values]
        for q in self.projections:
            parts += [q.source, q.target, blocks(q.weights), *([str(q.delay)] if q.delay else [])]
        if self.input_levels > 1:
            parts.append(f"input_levels {self.input_levels}")
        return digest_of(*parts)

    def _error(self, message: str) -> SpikeletError:
        return SpikeletError(f"network {self.name!r}: {message}")

    def _check_projections(self) -> None:
        seen = set()
        for projection in self.projections:
            source, target = projection.source, projection.target
            here = f"projection {source!r} -> {target!r}"
            for end in (source, target):
                if end not in self.sizes or (end == INPUT and end == target):
                    raise self._error(f"{here}: there is no population {end!r}")
            if (source, target, projection.ticks) in seen:
                raise self._error(f"{here} is given twice")
            seen.add((source, target, projection.ticks))
            expected = (self.sizes[source], self.sizes[target])
            if projection.weights.shape != expected:
                raise self._error(
                    f"{here}: weights must have shape {expected}, not {projection.weights.shape}"
                )
            if source in self.readouts:
                raise self._error(
                    f"{here}: {source!r} never spikes, so it cannot feed a population"
                )

    def _check_order(self) -> None:
        names = [name for name in self._depths if name != INPUT]  # refuses loops that are too early
        known = {INPUT}
        for name in names:
            if not self.sources(name):
                raise self._error(f"population {name!r} gets no input")
            for projection in self.into(name):
                if not projection.ticks and projection.source not in known:
                    source = projection.source
                    raise self._error(f"population {name!r} must come after its source {source!r}")
            known.add(name)

    def _check_outputs(self) -> None:
        if not self.outputs or len(set(self.outputs)) < len(self.outputs):
            raise self._error(
                f"outputs must be one or more distinct populations, not {self.outputs}"
            )
        for name in self.outputs:
            if name not in self.sizes or name == INPUT:
                raise self._error(f"output {name!r} is not a population")
        useful, rest = set(self.outputs), list(self.outputs)
        while rest:
            before = set(self.sources(rest.pop())) - {INPUT} - useful
            useful |= before
            rest += sorted(before)
        for population in self.populations:
            if population.name not in useful:
                raise self._error(f"population {population.name!r} does not lead to an output")

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Neurons of each population, and the inputs under :data:`INPUT`, by name."""
        return {INPUT: self.n_inputs, **{p.name: p.size for p in self.populations}}

    @cached_property
    def readouts(self) -> tuple[str, ...]:
        """The populations that cannot spike, whose potentials are outputs."""
        return tuple(p.name for p in self.populations if not can_spike(p.neuron))

    def sources(self, population: str) -> list[str]:
        """Return the other sources of a population, in the order of the projections."""
        return [p.source for p in self.projections if p.target == population != p.source]

    def into(self, population: str) -> list[Projection]:
        """Return the projections into a population, its own included, in order."""
        return [p for p in self.projections if p.target == population]

    def recurrent(self, population: str) -> Projection | None:
        """Return the first projection of a population to itself, if there is one."""
        return next((p for p in self.into(population) if p.source == population), None)

    def first_neuron(self, population: str) -> int:
        """Return the number of a population's first neuron among all, in the populations' order."""
        names = [p.name for p in self.populations]
        return sum(p.size for p in self.populations[: names.index(population)])

    @cached_property
    def _depths(self) -> dict[str, int]:
        names = [p.name for p in self.populations]
        own = ((p.source, p.target, p.ticks) for p in self.projections if p.source != INPUT)
        return {INPUT: -1, **depths(f"network {self.name!r}", names, own)}

    def depth(self, population: str) -> int:
        """Return the ticks that a population runs behind the input on a chip.

        Without delays, the longest way from the input, in populations; 0 if only the input feeds
        it.
        """
        return self._depths[population]

    @property
    def neurons(self) -> tuple[NeuronModel, ...]:
        """The neuron models of the populations, each once."""
        return tuple(dict.fromkeys(p.neuron for p in self.populations))

    @property
    def n_outputs(self) -> int:
        """Output lines."""
        return sum(self.sizes[name] for name in self.outputs)

    def check_spikes(self, spikes: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return input spikes as an array, shape (samples, ticks, n_inputs).

        SpikeletError unless they have that shape and every value is 0 or 1, or, of graded
        inputs, a count in 0..``input_levels``.
        """
        what = f"network {self.name!r}"
        return checked_spikes(what, spikes, self.n_inputs, self.input_levels)


def _finite(name: str, values: npt.ArrayLike, shapes: list[tuple[int, ...]] | None) -> FloatArray:
    """Return ``values`` as float64; SpikeletError unless finite and of one of ``shapes``."""
    array = np.asarray(values, np.float64)
    if shapes is not None and array.shape not in shapes:
        valid = " or ".join(str(shape) for shape in dict.fromkeys(shapes))
        raise SpikeletError(f"{name} must have shape {valid}, not {array.shape}")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise SpikeletError(f"{name} must be finite, found {array[place]} at {place}")
    return array
