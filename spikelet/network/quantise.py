"""From the float network to integers: weights, exponents, parameters of neurons."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import FRACTION_BITS
from spikelet.network.integer_layers import InputGroup
from spikelet.network.integers import IntegerNetwork
from spikelet.network.leaks import MOST_FRACTION_BITS, finer, leak_parameters
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.normalise import normalised
from spikelet.network.quantise_layer import LayerQuantiser
from spikelet.network.shown import Shown

__all__ = ["COUNT_BITS", "POTENTIAL_BITS", "WEIGHT_BITS", "Bits", "bits_of_layers", "quantise"]

Bits = int | Mapping[str, int]
"""A width of all layers, or of layers by name; those that are not named have the usual one."""

WEIGHT_BITS, POTENTIAL_BITS = 4, 16
"""The usual widths."""

_USUAL_POTENTIAL_BITS = range(POTENTIAL_BITS, 25)
"""Tried one after another where none are given."""

COUNT_BITS = "spike_bits"
"""The parameter of a model whose neurons spike several times in a tick: the bits of the count."""

COUNTS = 15
"""Spikes of a neuron in a tick for which there is room where no calibration says more: 4 bits."""

MAX_DELAY_SLOTS = 64
"""Ticks of arrivals that a core can hold."""


def quantise(
    network: Network,
    weight_bits: Bits = WEIGHT_BITS,
    potential_bits: Bits | None = None,
    calibration: npt.ArrayLike | None = None,
    *,
    neuron_scales: bool = False,
    decay_bits: Bits | None = None,
    spike_bits: Bits | None = None,
    like: IntegerNetwork | None = None,
) -> IntegerNetwork:
    """Turn a float network into integers, its layers one tick apart.

    A population at depth k (without delays, the longest way from the input) runs k ticks late, so
    that a spike, which takes at least one tick from core to core, is always in time. A projection
    from depth a to depth b has delay b - a, and its own besides; inputs into depth k are sent k
    ticks ahead.

    Each neuron is first put in a unit of its own, which changes none of its spikes
    (:func:`neuron_units`). All projections into a population share its scale, because they share
    its accumulator. Weights that lie on a grid the width can express are recovered exactly; else
    the scale is the one of least squared error, of the weights or, with calibration, of the
    currents. The weight exponent is the largest for which the parameters that are membrane values
    and the expected potentials fit. A model with an ``lsb`` fixes both: a weight unit is the LSB
    times a power of two, that of the least error.

    Parameters
    ----------
    network : Network
    weight_bits : int, or mapping of str to int
        1..8; signed. With 1 bit weights are +1 or -1, and a layer in which some are exactly 0 takes
        2 bits: -1, 0 and +1. By layer: 4 in those not named.
    potential_bits : int, mapping of str to int, or None
        4..24. None, and by layer in those not named: 16, and more where the leak would stop for
        ever (:mod:`spikelet.network.leaks`).
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
        Input spikes that show how far potentials move; they are given twice the room they need.
        None takes four times a rough bound instead: the parameters that are membrane values, and
        one tick in which all excitatory, or all inhibitory, sources spike.
    neuron_scales : bool
        As for :func:`neuron_units`.
    decay_bits : int, mapping of str to int, or None
        Of the fractions by which states decay, 12..20, of models whose text allows more than 12.
        None, and by layer in those not named: 12, and more where a leak would be another.
    spike_bits : int, mapping of str to int, or None
        1..8: of the counts of layers whose neurons spike several times in a tick. None, and by
        layer in those not named: as many as the most needs that calibration shows, or 4.
    like : IntegerNetwork or None
        A quantised network with the same populations, whose weight scales, exponents and bits of
        fractions are taken. Parameters may then lie beyond their ranges.

    Raises
    ------
    SpikeletError
        If a width is out of range or of a layer that there is not, all weights of a projection
        become 0, a parameter does not fit the potential or its range, or a connection skips more
        layers than there are delay slots.
    """
    of_weights = _widths(network, "weight_bits", weight_bits, (1, 8))
    of_potentials = _widths(
        network, "potential_bits", {} if potential_bits is None else potential_bits, (4, 24)
    )
    of_decays = _decay_widths(network, {} if decay_bits is None else decay_bits)
    _check_depths(network)
    bits_of = {p.name: of_weights.get(p.name, WEIGHT_BITS) for p in network.populations}
    even, units = normalised(network, bits_of, neuron_scales=neuron_scales)
    shown = None if calibration is None else Shown.of(even, calibration)
    of_spikes = _spike_bits(network, spike_bits, shown)
    populations, projections, layers = [], {}, []
    for population in even.populations:
        name = population.name
        built = _with_count_bits(population, of_spikes.get(name))
        fixed = {q.name: q for q in like.quantisation}[name] if like else None
        layer = LayerQuantiser(even, built, bits_of[name], shown, fixed)
        for p in even.into(name):
            projections[p.source, p.target, p.ticks] = layer.projection(p, _delay(network, p))
        widths = [of_potentials[name]] if name in of_potentials else _USUAL_POTENTIAL_BITS
        decays: int | dict[str, int] | None = of_decays.get(name)
        if like:
            leaks = leak_parameters(like.population(name).neuron)
            decays = {parameter.name: bits for parameter, _, bits in leaks}
        integers, statistics = layer.population(widths, units[name], decays)
        populations.append(integers)
        layers.append(replace(statistics, neuron_scales=neuron_scales))
    return IntegerNetwork(
        network.name,
        (InputGroup(INPUT, (network.n_inputs,), network.input_levels),),
        tuple(populations),
        tuple(projections[p.source, p.target, p.ticks] for p in network.projections),
        network.outputs,
        network.dt,
        floats=network,
        quantisation=tuple(layers),
    )


def bits_of_layers(option: str, texts: Sequence[str]) -> Bits | None:
    """Return what the texts of an option say: one BITS, or LAYER=BITS for each of some layers.

    None if there is no text; SpikeletError for another text, or a width given twice.
    """
    found: dict[str, int] = {}
    for text in texts:
        layer, _, bits = text.rpartition("=")
        if not bits.isascii() or not bits.isdecimal() or layer in found:
            raise SpikeletError(
                f"{option} must be a number of bits, or LAYER=BITS for each layer, not "
                f"{' '.join(map(repr, texts))}",
                remedy=f"such as {option} 4, or {option} hidden=4 {option} output=6",
            )
        found[layer] = int(bits)
    if "" in found and len(found) > 1:
        raise SpikeletError(
            f"{option} is given for all layers ({found['']}) and for some of them",
            remedy="name each layer; those that are not named have the usual width",
        )
    if "" in found:
        return found[""]
    return found or None


def _widths(network: Network, what: str, given: Bits, ends: tuple[int, int]) -> dict[str, int]:
    """Return the given widths by population; SpikeletError for one out of range, or of none."""
    names = [population.name for population in network.populations]
    each = given if isinstance(given, Mapping) else dict.fromkeys(names, given)
    for name, bits in each.items():
        if name not in names:
            raise SpikeletError(
                f"network {network.name!r}: {what} are given for {name!r}, which is no layer",
                remedy=f"its layers are {', '.join(names)}",
            )
        where = f"{what} of layer {name!r}" if isinstance(given, Mapping) else what
        check_range(where, np.array([bits]), *ends)
    return dict(each)


def _decay_widths(network: Network, given: Bits) -> dict[str, int]:
    """Return the given widths by population; SpikeletError where a leak cannot have them."""
    found = _widths(network, "decay_bits", given, (FRACTION_BITS, MOST_FRACTION_BITS))
    models = {population.name: population.neuron for population in network.populations}
    for name, bits in found.items():
        model = models[name]
        leaks = {parameter.name for parameter, *_ in leak_parameters(model)}
        if isinstance(given, Mapping) and not leaks:
            raise SpikeletError(
                f"network {network.name!r}: decay_bits are given for {name!r}, which has no leak",
                remedy="leave it out",
            )
        made = finer(model, dict.fromkeys(leaks, bits))
        if any(has != bits for _, _, has in leak_parameters(made)):
            raise SpikeletError(
                f"network {network.name!r}: the text of {model.name} has no decays of {bits} bits, "
                f"which layer {name!r} should have",
                remedy=f"leave --decay-bits out for it, or give {FRACTION_BITS}",
            )
    return found


def _with_count_bits(population: Population, bits: int | None) -> Population:
    if bits is None:
        return population
    given = {**population.parameters, COUNT_BITS: np.array([float(bits)])}
    return replace(population, parameters=given)


def _spike_bits(network: Network, given: Bits | None, shown: Shown | None) -> dict[str, int]:
    """Return the bits of the counts of layers that send counts, by name."""
    found = {}
    asked = _widths(network, "spike_bits", {} if given is None else given, (1, 8))
    for population in network.populations:
        if COUNT_BITS not in population.neuron.parameter_names:
            if population.name in asked and isinstance(given, Mapping):
                raise SpikeletError(
                    f"network {network.name!r}: spike_bits are given for layer "
                    f"{population.name!r}, whose neurons ({population.neuron.name}) spike once a "
                    "tick",
                    remedy="leave them out, or choose a model that sends graded spikes, such as "
                    "lif-multispike",
                )
            continue
        usual = COUNTS
        if shown is not None:
            usual = int(shown.layers[population.name].spikes.max(initial=1))
        most = population.constants[COUNT_BITS]
        bits = asked.get(population.name, min(most, usual.bit_length()))
        found[population.name] = bits
    return found


def _delay(network: Network, projection: Projection) -> int:
    """Return the delay of a projection on the chip; from the input, of its events."""
    source, depth = projection.source, network.depth(projection.target)
    return projection.ticks + depth - (0 if source == INPUT else network.depth(source))


def _check_depths(network: Network) -> None:
    for population in network.populations:
        # an event with delay 0 is due at the coming tick, a spike with delay 1 too
        into = network.into(population.name)
        waits = [_delay(network, p) + (2 if p.source == INPUT else 1) for p in into]
        needed = 1 << (max(waits) - 1).bit_length()
        if needed > MAX_DELAY_SLOTS:
            depth = network.depth(population.name)
            raise SpikeletError(
                f"network {network.name!r}: layer {population.name!r} at depth {depth} is fed over "
                f"a skip connection or delay that needs {needed} delay slots, a core has at most "
                f"{MAX_DELAY_SLOTS}",
                remedy="shorten the delay, or the skip connection by feeding the layer from a "
                "later one",
            )
