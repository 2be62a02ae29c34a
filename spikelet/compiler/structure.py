"""Where a network needs another structure than that of a chip that there is."""

from typing import NamedTuple

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.narrow import narrowed_bits
from spikelet.description.chip.core import CoreParams
from spikelet.network.float_update import at_rest
from spikelet.network.integer_layers import IntegerPopulation
from spikelet.network.integers import IntegerNetwork
from spikelet.network.network import Network

__all__ = ["Difference", "layer_differences", "network_differences"]


class Difference(NamedTuple):
    """A field, its value in the structure that there is, and the one that is needed."""

    field: str
    there: str
    needed: str

    def __str__(self) -> str:
        return f"{self.field}: there {self.there}, needed {self.needed}"


def network_differences(
    network: Network | IntegerNetwork, there: Network | IntegerNetwork
) -> list[Difference]:
    """Return where populations, their sizes and models, projections, inputs or outputs differ.

    Both are trained networks, or both are in integers.
    """
    found = [
        Difference("inputs", _inputs(there), _inputs(network)),
        Difference("populations", *(_names(n) for n in (there, network))),
        Difference("outputs", *(", ".join(n.outputs) for n in (there, network))),
        Difference("projections", *(_ends(n) for n in (there, network))),
    ]
    found = [difference for difference in found if difference.there != difference.needed]
    before = {p.name: p for p in there.populations}
    for population in network.populations:
        old = before.get(population.name)
        if old is None:
            continue
        layer = f"of layer {population.name!r}"
        if old.size != population.size:
            found.append(Difference(f"neurons {layer}", str(old.size), str(population.size)))
        if old.neuron != population.neuron:
            names = old.neuron.name, population.neuron.name
            if names[0] == names[1]:
                names = f"{names[0]} as it was", f"{names[1]} of another text"
            found.append(Difference(f"neuron model {layer}", *names))
    return found


def _inputs(network: Network | IntegerNetwork) -> str:
    levels = f", counts up to {network.input_levels}" if network.input_levels > 1 else ""
    if isinstance(network, Network):
        return f"{network.n_inputs} lines{levels}"
    return ", ".join(f"{g.name} {'x'.join(map(str, g.shape))}" for g in network.inputs) + levels


def _names(network: Network | IntegerNetwork) -> str:
    return ", ".join(sorted(p.name for p in network.populations))


def _ends(network: Network | IntegerNetwork) -> str:
    """Return the projections, with the ticks that each takes besides the usual."""
    if isinstance(network, Network):
        ends = [(p.source, p.target, p.ticks) for p in network.projections]
    else:
        ends = [(p.source, p.target, p.delay) for p in network.projections]
    return ", ".join(f"{a} -> {b} ({ticks} ticks)" for a, b, ticks in sorted(ends))


def layer_differences(
    network: IntegerNetwork, like: CompiledNetwork, population: IntegerPopulation
) -> list[Difference]:
    """Return what a population needs that its cores in a chip do not have.

    Weights, widths, model, parameters, rule; not how its weights are stored.
    """
    name = population.name
    before, core = like.network.population(name), like.core(name)
    pairs = [
        ("neuron model", before.neuron.text, population.neuron.text),
        ("weight exponent", before.weight_exponent, population.weight_exponent),
        ("potential bits", before.potential_bits, population.potential_bits),
        ("bits of arriving counts", core.spike_bits, network.arriving_bits(name)),
        ("short-term plasticity", like.network.short_term(name), network.short_term(name)),
        ("stochastic transmission", like.network.transmits(name), network.transmits(name)),
        ("stochastic synapses", like.network.has_stochastic(name), network.has_stochastic(name)),
        ("learning rule", like.network.rule(name), network.rule(name)),
        ("axons of teachers", core.teacher_axons, network.teacher_axons(name)),
        ("why it stays in one core", like.network.kept_whole(name), network.kept_whole(name)),
    ]
    layer = f"of layer {name!r}"
    found = [
        Difference(f"{what} {layer}", _said(old), _said(new))
        for what, old, new in pairs
        if old != new
    ]
    if core.potential_bits < before.potential_bits:  # narrowed to what they needed
        needed = narrowed_bits(network)[name]
        if needed > core.potential_bits:
            found.append(
                Difference(
                    f"narrowed potential bits {layer}", str(core.potential_bits), str(needed)
                )
            )
    found += _weight_differences(network, population, core, layer)
    found += _parameter_differences(population, core, layer)
    late = at_rest(population.neuron, population.parameters)
    if not late and core.first_tick != population.depth:
        found.append(Difference(f"first tick {layer}", str(core.first_tick), str(population.depth)))
    return found


def _said(value: object) -> str:
    name = getattr(value, "name", None)
    return str(name) if name else "none" if value is None else str(value)


def _weight_differences(
    network: IntegerNetwork, population: IntegerPopulation, core: CoreParams, layer: str
) -> list[Difference]:
    into = network.into(population.name)
    if core.weight_format == "binary":
        zeros = any(0 in np.unique(p.weights) for p in into if isinstance(p.weights, np.ndarray))
        if zeros or population.weight_format not in (None, "binary"):
            return [Difference(f"weights {layer}", "+1 and -1", "0 too")]
    low = min((p.weight_range[0] for p in into), default=0)
    high = max((p.weight_range[1] for p in into), default=0)
    if low < core.weight_min or high > core.weight_max:
        there = f"{core.weight_min}..{core.weight_max} ({core.weight_bits} bits)"
        return [Difference(f"weights {layer}", there, f"{low}..{high}")]
    return []


def _parameter_differences(
    population: IntegerPopulation, core: CoreParams, layer: str
) -> list[Difference]:
    found = []
    for parameter in population.neuron.parameters:
        name, usual = parameter.name, parameter.default or 0
        values = population.parameters.get(name, np.array([usual], np.int32))
        field = f"{name} {layer}"
        if name not in core.parameters or isinstance(core.parameters[name], int):
            built = core.constants.get(name, usual)
            if np.any(values != built):
                other = sorted(set(values.tolist()) - {built})
                ends = str(other[0]) if len(other) == 1 else f"{other[0]}..{other[-1]}"
                found.append(Difference(field, f"{built}, built in", ends))
            continue
        if core.scope(name) == "shared" and len(values) > 1:
            found.append(Difference(field, "one register", "a value for each neuron"))
        if name in core.parameter_ranges:
            low, high = core.parameter_ranges[name]
            if values.min() < low or values.max() > high:
                ends = f"{values.min()}..{values.max()}"
                found.append(Difference(field, f"{low}..{high}", ends))
    return found
