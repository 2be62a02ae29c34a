"""What an integer network is made of: groups of inputs, populations, and projections."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import unsigned_bits
from spikelet.description.chip.transmission import CERTAIN
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.neurons.chance import with_chance
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.summary import summary
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.network.matrices import Matrix

__all__ = ["InputGroup", "IntegerPopulation", "IntegerProjection", "Weights"]

Weights = npt.NDArray[np.int16]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True)
class InputGroup:
    """Input lines of one kind; their spikes come behind those of the groups before.

    Parameters
    ----------
    name : str
    shape : tuple of int
        (lines,), or the (rows, columns) of an image, in row-major order.
    levels : int
        Largest count of a line in a tick, 1..255; above 1 they are graded.
    """

    name: str
    shape: tuple[int, ...]
    levels: int = 1

    @property
    def size(self) -> int:
        """Lines."""
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class IntegerPopulation:
    """Neurons of one kind.

    Parameters
    ----------
    name : str
    size : int
    neuron : NeuronModel
    parameters : mapping of str to array of int32, shape (1,) or (size,)
        Of the model, by name: shape (1,) where all neurons share a value. Those that have their
        default in all neurons are left out: a core builds nothing for them.
    weight_exponent : int
        One weight LSB is ``2**weight_exponent`` potential LSBs.
    potential_bits : int
    weight_bits : int or None
        None: as many as the projections need.
    weight_format : str or None
        As for :class:`CoreParams`; None: signed where a weight is, or can be learned to be, below
        0, else unsigned.
    states : mapping of str to array of int32, shape (size,)
        First values of states that ``clear`` keeps; 0 of those that are left out.
    depth : int
        Ticks that it runs behind the input.
    """

    __repr__ = summary

    name: str
    size: int
    neuron: NeuronModel
    parameters: Mapping[str, IntArray]
    weight_exponent: int = 0
    potential_bits: int = 16
    weight_bits: int | None = None
    weight_format: str | None = None
    states: Mapping[str, IntArray] = field(default_factory=dict)
    depth: int = 0

    def read_by(self, rules: Iterable[LearningRule | None]) -> "IntegerPopulation":
        """Return the population with what rules read of its neurons: ``p``, if one does.

        SpikeletError if the neurons have no ``p``.
        """
        bits = next((rule.error_bits for rule in rules if rule and rule.reads_chance), None)
        return replace(self, neuron=with_chance(self.neuron, bits)) if bits else self

    @property
    def fired_bits(self) -> int:
        """Bits of how often a neuron spikes in a tick; 1: once or not."""
        model = self.neuron
        constants = {
            p.name: int(self.parameters[p.name][0]) if p.name in self.parameters else p.default or 0
            for p in model.parameters
            if p.constant
        }
        fired = model.range_of(model.state("fired"), self.potential_bits, constants)
        return unsigned_bits(fired[1])


@dataclass(frozen=True, eq=False)
class IntegerProjection:
    """Synapses from inputs or a population to a population.

    Parameters
    ----------
    source, target : str
    weights : array or scipy ``csr_array`` of int16, shape (n_source, n_target)
        0 where ``connectivity`` has no synapse. Sparse where a convolution was quantised.
    delay : int
        Ticks from a spike to its arrival; from inputs, ticks after the coming one.
    rule : LearningRule or None
        None: the weights are fixed.
    connectivity : str
        One of ``CONNECTIVITY`` of :mod:`spikelet.network.values`.
    convolution : ConvolutionShape or None
        That of the weights, if they are a convolution's; sources and targets are then numbered with
        the channel first: ``(channel * height + y) * width + x``.
    short_term : ShortTermPlasticity or None
        Of its axons.
    devices : array of int32, shape (count, n_source, n_target), or None
        Codes of the devices that make the weights; None: the rule's, if any, share them equally.
    teacher : bool
        Whether its spikes load the errors of the target's neurons, and not their potentials.
    transmission : int
        The chance that a spike brings its weights, 1..256 in 1/256.
    stochastic : bool
        Whether each synapse adds the sign of its weight, by the chance of its size in 256.
    """

    __repr__ = summary

    source: str
    target: str
    weights: Matrix
    delay: int
    rule: LearningRule | None = None
    connectivity: str = "all_to_all"
    convolution: ConvolutionShape | None = None
    short_term: ShortTermPlasticity | None = None
    devices: npt.NDArray[np.int32] | None = None
    teacher: bool = False
    transmission: int = CERTAIN
    stochastic: bool = False

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"projection {self.source!r} -> {self.target!r}"

    @property
    def weight_range(self) -> tuple[int, int]:
        """Smallest and largest weight that it has or can learn, 0 included."""
        ends = [0, int(self.weights.min()), int(self.weights.max())]
        ends += [self.rule.w_min, self.rule.w_max] if self.rule else []
        return min(ends), max(ends)
