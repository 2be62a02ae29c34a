"""From the float network to integers: weights, exponents, parameters of neurons."""

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.errors import SpikeletError
from spikelet.network.integers import InputGroup, IntegerNetwork
from spikelet.network.network import INPUT, Network
from spikelet.network.normalise import normalised
from spikelet.network.quantise_layer import LayerQuantiser
from spikelet.network.shown import Shown

__all__ = ["quantise"]

POTENTIAL_BITS, WIDEST_POTENTIAL = 16, 24
"""Bits of potentials, unless a leak needs more, and the most."""

MAX_DELAY_SLOTS = 64
"""Ticks of arrivals that a core can hold."""


def quantise(
    network: Network,
    weight_bits: int = 4,
    potential_bits: int | None = None,
    calibration: npt.ArrayLike | None = None,
    *,
    neuron_scales: bool = False,
) -> IntegerNetwork:
    """Turn a float network into integers, its layers one tick apart.

    A population at depth k (the longest way from the input) runs k ticks late, so that a spike,
    which takes at least one tick from core to core, is always in time. A projection from depth a to
    depth b has delay b - a, one of a population to itself delay 1, and inputs into depth k are sent
    k ticks ahead.

    Each neuron is first put in a unit of its own, which changes none of its spikes
    (:func:`neuron_units`). All projections into a population share its scale, because they share
    its accumulator. Weights that lie on a grid the width can express are recovered exactly; else
    the scale is the one of least squared error, of the weights or, with calibration, of the
    currents.
    The weight exponent is the largest for which the parameters that are membrane values and the
    expected potentials fit. A model with an ``lsb`` fixes both: a weight unit is the LSB times a
    power of two, that of the least error.

    Parameters
    ----------
    network : Network
    weight_bits : int
        1..8; signed. With 1 bit weights are +1 or -1, and a layer in which some are exactly 0 takes
        2 bits: -1, 0 and +1.
    potential_bits : int or None
        4..24. None: 16, and more in a layer whose leak they would stop (:mod:`.leaks`).
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
        Input spikes that show how far potentials move; they are given twice the room they need.
        None takes four times a rough bound instead: the parameters that are membrane values, and
        one tick in which all excitatory, or all inhibitory, sources spike.
    neuron_scales : bool
        As for :func:`neuron_units`.

    Raises
    ------
    SpikeletError
        If a width is out of range, all weights of a projection become 0, a parameter does not fit
        the potential or its range, outputs are of different depths, or a connection
        skips more layers than there are delay slots.
    """
    check_range("weight_bits", np.array([weight_bits]), 1, 8)
    if potential_bits is not None:
        check_range("potential_bits", np.array([potential_bits]), 4, 24)
    _check_depths(network)
    even, units = normalised(network, weight_bits, neuron_scales=neuron_scales)
    shown = None if calibration is None else Shown.of(even, calibration)
    widths = [potential_bits] if potential_bits else range(POTENTIAL_BITS, WIDEST_POTENTIAL + 1)
    populations, projections, layers = [], {}, []
    for population in even.populations:
        layer = LayerQuantiser(even, population, weight_bits, shown)
        for p in even.into(population.name):
            delay = _delay(network, p.source, p.target)
            projections[p.source, p.target] = layer.projection(p, delay)
        integers, statistics = layer.population(widths, units[population.name])
        populations.append(integers)
        layers.append(statistics)
    return IntegerNetwork(
        network.name,
        (InputGroup(INPUT, (network.n_inputs,)),),
        tuple(populations),
        tuple(projections[p.source, p.target] for p in network.projections),
        network.outputs,
        network.dt,
        floats=network,
        quantisation=tuple(layers),
    )


def _delay(network: Network, source: str, target: str) -> int:
    """Return the delay of a projection; from the input, of its events."""
    if source == INPUT:
        return network.depth(target)
    return 1 if source == target else network.depth(target) - network.depth(source)


def _check_depths(network: Network) -> None:
    for population in network.populations:
        # an event with delay 0 is due at the coming tick, a spike with delay 1 too
        sources = network.sources(population.name)
        waits = [_delay(network, s, population.name) + (2 if s == INPUT else 1) for s in sources]
        needed = 1 << (max(waits) - 1).bit_length()
        if needed > MAX_DELAY_SLOTS:
            depth = network.depth(population.name)
            raise SpikeletError(
                f"network {network.name!r}: layer {population.name!r} at depth {depth} is fed over "
                f"a skip connection that needs {needed} delay slots, a core has at most "
                f"{MAX_DELAY_SLOTS}",
                remedy="shorten the skip connection by feeding the layer from a later one",
            )
    depths = {name: network.depth(name) for name in network.outputs}
    if len(set(depths.values())) > 1:
        found = ", ".join(f"{name!r} at depth {depth}" for name, depth in depths.items())
        raise SpikeletError(
            f"network {network.name!r}: all outputs must be equally deep, found {found}",
            remedy="end the network in one layer, or in layers with equally long ways from the "
            "input",
        )
