"""The integer network: what trained networks are quantised to, and what others are built of.

Everything behind it, from placement to bitstream, knows no other kind of network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_int, unsigned_bits
from spikelet.description.chip.transmission import CERTAIN
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.learning.two_rules import both_rules
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.update import can_spike, sends_counts, update_of
from spikelet.description.run.input_spikes import checked_spikes
from spikelet.description.summary import summary
from spikelet.network.float_update import at_rest
from spikelet.network.integer_layers import InputGroup, IntegerPopulation, IntegerProjection
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.matrices import dense
from spikelet.network.network import FloatArray, Network
from spikelet.samples.plastic_samples import Encoder

__all__ = ["IntegerNetwork"]

LARGEST_KEY = (1 << 32) - 1
"""Of draws."""

IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """A network in the chip's own integers.

    Parameters
    ----------
    name : str
    inputs : tuple of InputGroup
        In the order of their lines in the input spikes.
    populations : tuple of IntegerPopulation
    projections : tuple of IntegerProjection
        At most one of each source, target and delay.
    outputs : tuple of str
        Populations whose neurons, one population after another, are the outputs: by their spikes,
        or, of populations that cannot spike, their potentials.
    dt : float or None
        Seconds per tick; None where nothing depends on it.
    seed : int
        Of the LFSRs of stochastic rules.
    draw_key : int
        What the draws of neurons, and of axons that transmit stochastically, start from,
        1..2**32 - 1.
    floats : Network or None
        The trained network that was quantised.
    quantisation : tuple of LayerQuantisation
        What that did to each population; empty for a network that was not trained.
    encoder : Encoder or None
        How intensities in a samples file become spikes.

    Raises
    ------
    SpikeletError
        If there are no inputs, populations or outputs, or inputs lead nowhere.
    """

    __repr__ = summary

    name: str
    inputs: tuple[InputGroup, ...]
    populations: tuple[IntegerPopulation, ...]
    projections: tuple[IntegerProjection, ...]
    outputs: tuple[str, ...]
    dt: float | None = None
    seed: int = 0
    draw_key: int = 1
    floats: Network | None = None
    quantisation: tuple[LayerQuantisation, ...] = ()
    encoder: Encoder | None = None

    def __post_init__(self) -> None:
        check_int(f"network {self.name!r}: draw_key", self.draw_key, 1, LARGEST_KEY)
        for what, found in (("inputs", self.inputs), ("populations", self.populations)):
            if not found:
                raise self.error(f"there are no {what}", f"add some with {what.rstrip('s')}()")
        if not self.outputs:
            raise self.error(
                "no population is an output", "name what the host should see with output()"
            )
        for group in self.inputs:
            if not any(p.source == group.name for p in self.projections):
                raise self.error(
                    f"inputs {group.name!r} lead nowhere", "project() them, or leave them out"
                )

    def error(self, message: str, remedy: str = "") -> SpikeletError:
        """Return an error that names the network."""
        return SpikeletError(f"network {self.name!r}: {message}", remedy=remedy)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Lines of each input group, and neurons of each population, by name."""
        groups = {group.name: group.size for group in self.inputs}
        return {**groups, **{p.name: p.size for p in self.populations}}

    @property
    def neurons(self) -> tuple[NeuronModel, ...]:
        """The neuron models of the populations, each once."""
        return tuple(dict.fromkeys(p.neuron for p in self.populations))

    @property
    def n_inputs(self) -> int:
        """Input lines of all groups."""
        return sum(group.size for group in self.inputs)

    @property
    def input_levels(self) -> int:
        """Largest count of an input line in a tick; 1 where none is graded."""
        return max(group.levels for group in self.inputs)

    @property
    def n_outputs(self) -> int:
        """Output lines."""
        return sum(self.sizes[name] for name in self.outputs)

    @cached_property
    def readouts(self) -> tuple[str, ...]:
        """The populations that cannot spike, whose potentials are outputs."""
        return tuple(p.name for p in self.populations if not can_spike(p.neuron))

    def lsb(self, population: str) -> FloatArray:
        """Return the value of a potential LSB in the float network, shape (1,) or (size,).

        1 if there was none.
        """
        found = next((q for q in self.quantisation if q.name == population), None)
        return np.ones(1) if found is None else found.lsb

    @property
    def learns(self) -> bool:
        """Whether any projection is plastic."""
        return any(projection.rule for projection in self.projections)

    def population(self, name: str) -> IntegerPopulation:
        """Return a population by name; SpikeletError lists the names otherwise."""
        for population in self.populations:
            if population.name == name:
                return population
        names = ", ".join(population.name for population in self.populations)
        raise self.error(f"there is no population {name!r}; there are {names}")

    def projection(self, source: str, target: str) -> IntegerProjection:
        """Return a projection by its ends, the first; SpikeletError lists them otherwise."""
        for projection in self.projections:
            if (projection.source, projection.target) == (source, target):
                return projection
        found = ", ".join(f"{p.source} -> {p.target}" for p in self.projections)
        raise self.error(f"there is no projection {source!r} -> {target!r}; there are {found}")

    def into(self, population: str) -> list[IntegerProjection]:
        """Return the projections into a population, in the order of their axons: teachers last."""
        into = [p for p in self.projections if p.target == population]
        return sorted(into, key=lambda p: p.teacher)

    def teacher_axons(self, population: str) -> int:
        """Return how many axons of a population are those of teachers: the last."""
        return sum(self.sizes[p.source] for p in self.into(population) if p.teacher)

    def rule(self, population: str) -> LearningRule | None:
        """Return the rule by which projections into a population learn, if any do.

        Of two rules, that of :func:`both_rules`.
        """
        rules = self.rules(population)
        return both_rules(rules) if rules else None

    def rules(self, population: str) -> list[LearningRule]:
        """Return the rules of projections into a population, each once."""
        return list(dict.fromkeys(p.rule for p in self.into(population) if p.rule))

    def short_term(self, population: str) -> ShortTermPlasticity | None:
        """Return the short-term plasticity of projections into a population, if any have one."""
        return next((p.short_term for p in self.into(population) if p.short_term), None)

    def transmits(self, population: str) -> bool:
        """Return whether spikes into a population can fail to bring their weights."""
        return any(p.transmission < CERTAIN for p in self.into(population))

    def has_stochastic(self, population: str) -> bool:
        """Return whether synapses into a population are stochastic."""
        return any(p.stochastic for p in self.into(population))

    def kept_whole(self, population: str) -> str | None:
        """Return why a population is one core if a core holds it; None if it may be cut anyhow.

        Where no core holds it, it is cut in the order of its neurons, each part with all axons.
        """
        if self.rule(population):
            return "it learns"
        if self.short_term(population):
            return "its axons have short-term plasticity"
        if self.transmits(population):
            return "its axons transmit stochastically"
        if self.has_stochastic(population):
            return "its synapses are stochastic"
        return "its neurons inhibit each other" if self.inhibits(population) else None

    def inhibits(self, population: str) -> bool:
        """Return whether neurons of a population do something else where others have fired."""
        return _inhibits(self.population(population))

    def _neurons(self, population: str) -> tuple[NeuronModel, Mapping[str, IntArray]]:
        found = self.population(population)
        return found.neuron, found.parameters

    @property
    def spike_bits(self) -> dict[str, int]:
        """Bits of the counts of populations that send counts, by name."""
        return {p.name: p.fired_bits for p in self.populations if sends_counts(p.neuron)}

    def arriving_bits(self, population: str) -> int:
        """Return the bits of the counts that arrive at a population; 1: plain spikes."""
        sent = {group.name: unsigned_bits(group.levels) for group in self.inputs}
        sent |= {p.name: p.fired_bits for p in self.populations}
        return max((sent.get(p.source, 1) for p in self.into(population)), default=1)

    def first_neuron(self, population: str) -> int:
        """Return the number in the network of a population's first neuron."""
        names = [p.name for p in self.populations]
        return sum(p.size for p in self.populations[: names.index(population)])

    def make_plastic(self, layer: str, rule: LearningRule) -> "IntegerNetwork":
        """Return the network with all projections into a population learning by a rule.

        Raises
        ------
        SpikeletError
            If there is no such population, a projection has synapses that do not exist, which a
            rule would change, or the rule's bounds do not hold the weights.
        """
        population = self.population(layer)
        if population.weight_format == "binary":
            raise self.error(
                f"layer {layer!r} has weights of 1 bit, +1 or -1, which cannot learn",
                "compile it with 2 or more weight bits (--weight-bits)",
            )
        if population.depth and not at_rest(*self._neurons(layer)):
            raise self.error(
                f"layer {layer!r} at depth {population.depth} does not stay at rest without input, "
                f"such as by a bias, so its neurons start in tick {population.depth}; neurons that "
                "learn start in tick 0",
                "make the first layer plastic, or train this one without bias",
            )
        for p in self.into(layer):
            if p is not self.projection(p.source, layer):
                raise self.error(f"{p.title} has several delays, which no rule can tell apart")
            if p.connectivity != "all_to_all":
                raise self.error(f"{p.title} is {p.connectivity}, and a rule would change that")
            low, high = int(p.weights.min()), int(p.weights.max())
            if low < rule.w_min or high > rule.w_max:
                raise self.error(
                    f"{p.title} has weights of {low}..{high}, which the bounds of rule "
                    f"{rule.name}, {rule.w_min}..{rule.w_max}, do not hold",
                    f"let the rule have w_min of {low} or less and w_max of {high} or more",
                )
        changed = (
            replace(p, rule=rule, weights=dense(p.weights)) if p.target == layer else p
            for p in self.projections
        )
        read = (p.read_by([rule]) if p.name == layer else p for p in self.populations)
        return replace(self, projections=tuple(changed), populations=tuple(read))

    def check_spikes(self, spikes: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return input spikes as an array, shape (samples, ticks, n_inputs).

        SpikeletError unless they have that shape and every value is 0 or 1, or, of graded
        inputs, a count in 0..``input_levels``.
        """
        what = f"network {self.name!r}"
        return checked_spikes(what, spikes, self.n_inputs, self.input_levels)


def _inhibits(population: IntegerPopulation) -> bool:
    """Return whether neurons do something else where others have fired."""
    model, given = population.neuron, population.parameters
    built_in = {p.name: p.default or 0 for p in model.parameters if p.name not in given}
    built_in |= {
        p.name: int(given[p.name][0]) for p in model.parameters if p.constant and p.name in given
    }
    update = update_of(model, built_in, population.potential_bits, (-1, 1), True)
    return "inhibited" in update.inputs
