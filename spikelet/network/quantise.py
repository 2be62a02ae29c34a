"""From the float network to integers: weights, exponents, parameters of neurons."""

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.errors import SpikeletError
from spikelet.network.convolution import shape_in_core
from spikelet.network.integers import (
    InputGroup,
    IntegerNetwork,
    IntegerPopulation,
    IntegerProjection,
    LayerQuantisation,
)
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.reference import FloatLayer, run_layers

__all__ = ["quantise"]

MAX_EXPONENT = 16
"""Largest weight exponent of a core."""

CALIBRATION_HEADROOM = 2.0
"""How far potentials may exceed what the calibration samples showed before they saturate."""

BOUND_HEADROOM = 4.0
"""The same without calibration: potentials move further than in one tick, above all downwards,
where no reset stops them."""

MAX_DELAY_SLOTS = 64
"""Ticks of arrivals that a core can hold."""

_SEARCHED_WEIGHTS = 8_192
"""Weights, spread evenly over all when sorted, on which a scale is searched."""

_FAR = 1 << 40
"""Beyond all ranges of parameters."""

IntArray = npt.NDArray[np.int32]


def quantise(
    network: Network,
    weight_bits: int = 4,
    potential_bits: int = 16,
    calibration: npt.ArrayLike | None = None,
) -> IntegerNetwork:
    """Turn a float network into integers, its layers one tick apart.

    A population at depth k (the longest way from the input) runs k ticks late, so that a spike,
    which takes at least one tick from core to core, is always in time. A projection from depth a to
    depth b has delay b - a, one of a population to itself delay 1, and inputs into depth k are sent
    k ticks ahead.

    All projections into a population share its scale, because they share its accumulator. The scale
    is the one of least squared weight error; weights that lie on a grid the width can express are
    recovered exactly. The weight exponent is the largest for which the parameters that are membrane
    values and the expected potentials fit. A model with an ``lsb`` fixes both: a weight unit is the
    LSB times a power of two, that of the least error.

    Parameters
    ----------
    network : Network
    weight_bits : int
        1..8; signed, and for 1 bit +1 or -1 (0 becomes +1).
    potential_bits : int
        4..24.
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
        Input spikes that show how far potentials move; they are given twice the room they need.
        None takes four times a rough bound instead: the parameters that are membrane values, and
        one tick in which all excitatory, or all inhibitory, sources spike.

    Raises
    ------
    SpikeletError
        If a width is out of range, all weights of a projection become 0, a parameter does not fit
        the potential or its range, outputs are of different depths, or a connection
        skips more layers than there are delay slots.
    """
    check_range("weight_bits", np.array([weight_bits]), 1, 8)
    check_range("potential_bits", np.array([potential_bits]), 4, 24)
    _check_depths(network)
    runs: list[FloatLayer] | list[None] = [None] * len(network.populations)
    if calibration is not None:
        runs = run_layers(network, calibration, potentials=False)
    populations, projections, layers = [], {}, []
    for population, run in zip(network.populations, runs, strict=True):
        into = network.into(population.name)
        all_weights = np.concatenate([projection.weights.ravel() for projection in into])
        _check_some_weight(network, population, all_weights)
        lsb = population.neuron.lsb
        scale, exponent = (
            (best_scale(all_weights, weight_bits), 0)
            if lsb is None
            else _fixed_scale(all_weights, weight_bits, lsb)
        )
        for projection in into:
            key = (projection.source, projection.target)
            projections[key] = _quantised_projection(network, projection, scale, weight_bits)
        low, high = (run.lowest, run.highest) if run else _bound(population, into)
        headroom = CALIBRATION_HEADROOM if run else BOUND_HEADROOM
        extent = headroom * max(-low, high)
        if lsb is None:
            exponent = _exponent(network, population, scale, extent, weight_bits, potential_bits)
            lsb = scale / 2**exponent
        parameters = _quantised_parameters(network, population, lsb, potential_bits)
        populations.append(
            IntegerPopulation(
                population.name,
                population.size,
                population.neuron,
                parameters,
                exponent,
                potential_bits,
                weight_bits,
                "binary" if weight_bits == 1 else "signed",
                depth=network.depth(population.name),
            )
        )
        source = "calibration" if run else "bound"
        layers.append(
            LayerQuantisation(
                population.name,
                scale,
                exponent,
                *_weight_statistics(all_weights, scale, weight_bits),
                low / lsb,
                high / lsb,
                source,
                -(1 << (potential_bits - 1)),
                (1 << (potential_bits - 1)) - 1,
                nonzero=int(np.count_nonzero(all_weights)),
                vanished=_vanished(all_weights, scale, weight_bits),
            )
        )
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


def best_scale(weights: FloatArray, bits: int) -> float:
    """Return the value of one weight unit that gives the least squared error.

    ``weights`` are not all 0. One bit: the mean magnitude. More: if all weights are multiples of
    some step within the integer range, the largest such step; otherwise a search over candidates,
    refined by alternating between codes and scale.
    """
    if bits == 1:
        return float(np.abs(weights).mean())
    magnitudes = np.abs(weights)
    steps = magnitudes[magnitudes > 0].min() / np.arange(1, (1 << (bits - 1)) + 1)
    span = max(weights.max() / ((1 << (bits - 1)) - 1), -weights.min() / (1 << (bits - 1)))
    values = np.unique(weights)
    power = float(np.mean(values**2))
    for step in steps[steps >= span * (1 - 1e-9)]:
        # float32 products of a grid and a gain are off the grid by their rounding
        if np.mean((values - step * np.round(values / step)) ** 2) <= 1e-13 * power:
            return float(step)
    candidates = span * np.concatenate([np.geomspace(0.01, 0.6, 32), np.linspace(0.62, 1.02, 41)])
    sample = np.sort(weights)[:: 1 + weights.size // _SEARCHED_WEIGHTS]
    for _ in range(2):  # the error has many shallow valleys: look closer around the lowest
        best = min(
            (_refined(sample, float(candidate), bits) for candidate in candidates),
            key=lambda scale: _squared_error(sample, scale, bits),
        )
        candidates = best * np.linspace(0.97, 1.03, 25)
    return best


def _fixed_scale(weights: FloatArray, bits: int, lsb: float) -> tuple[float, int]:
    """Return the weight unit and exponent of the least squared error where the LSB is given."""
    exponents = range(MAX_EXPONENT + 1)
    best = min(exponents, key=lambda exponent: _squared_error(weights, lsb * 2**exponent, bits))
    return lsb * 2**best, best


def _refined(weights: FloatArray, scale: float, bits: int) -> float:
    """Alternate between the codes of a scale and the best scale for these codes."""
    for _ in range(3):
        codes = _codes(weights, scale, bits).astype(np.float64)
        product, power = float(codes @ weights), float(codes @ codes)
        if product <= 0:
            return scale
        scale = product / power
    return scale


def _squared_error(weights: FloatArray, scale: float, bits: int) -> float:
    return float(np.sum((weights - scale * _codes(weights, scale, bits)) ** 2))


def _codes(weights: FloatArray, scale: float, bits: int) -> npt.NDArray[np.int8]:
    if bits == 1:
        return np.where(weights < 0, -1, 1).astype(np.int8)
    limit = 1 << (bits - 1)
    return np.clip(np.round(weights / scale), -limit, limit - 1).astype(np.int8)


def _weight_statistics(weights: FloatArray, scale: float, bits: int) -> tuple[int, int, float]:
    """Return the number of weights, how many are clipped, and their root mean square error."""
    rounded, limit = np.round(weights / scale), 1 << (bits - 1)
    clipped = (rounded < -limit) | (rounded >= limit) if bits > 1 else np.zeros(1)
    error = weights - scale * _codes(weights, scale, bits)
    return weights.size, int(np.sum(clipped)), float(np.sqrt(np.mean(error**2)))


def _vanished(weights: FloatArray, scale: float, bits: int) -> int:
    """Return how many weights that are not 0 become 0."""
    return int(((weights != 0) & (_codes(weights, scale, bits) == 0)).sum())


def _check_some_weight(network: Network, population: Population, weights: FloatArray) -> None:
    if not weights.any():
        raise SpikeletError(
            f"network {network.name!r}: all weights into layer {population.name!r} are 0",
            remedy="train the layer, or leave it out",
        )


def _quantised_projection(
    network: Network, projection: Projection, scale: float, bits: int
) -> IntegerProjection:
    codes = _codes(projection.weights, scale, bits)
    if projection.weights.any() and not codes.any():
        largest = float(np.abs(projection.weights).max())
        raise SpikeletError(
            f"network {network.name!r}: all weights from {projection.source!r} into layer "
            f"{projection.target!r} become 0 at {bits} bits: the largest is {largest:g}, one step "
            f"of the layer is {scale:g}",
            remedy="raise the weight width (--weight-bits), or balance the layer's sources",
        )
    source, target = projection.source, projection.target
    convolution = projection.convolution
    return IntegerProjection(
        source,
        target,
        codes.astype(np.int16),
        _delay(network, source, target),
        convolution=None if convolution is None else shape_in_core(convolution),
    )


def _bound(population: Population, into: list[Projection]) -> tuple[float, float]:
    """Return how far potentials may move where no calibration shows it."""
    weights = np.concatenate([projection.weights for projection in into])
    excited = np.where(weights > 0, weights, 0).sum(axis=0).max()
    inhibited = np.where(weights < 0, weights, 0).sum(axis=0).min()
    low, high = float(inhibited), float(excited)
    for values in _membrane(population).values():
        low += min(0.0, float(values.min()))
        high += max(0.0, float(values.max()))
    return low, high


def _membrane(population: Population) -> dict[str, FloatArray]:
    """Return the parameters that are membrane values, by name."""
    parameters = population.neuron.parameters
    return {p.name: population.values(p.name) for p in parameters if p.kind == "membrane"}


def _exponent(
    network: Network,
    population: Population,
    scale: float,
    extent: float,
    weight_bits: int,
    potential_bits: int,
) -> int:
    """Return the largest exponent for which the extent fits, 0 if only the parameters do."""
    v_max = (1 << (potential_bits - 1)) - 1
    for name, values in _membrane(population).items():
        needed = float(np.abs(values).max()) / scale
        if needed > v_max:
            raise SpikeletError(
                f"network {network.name!r}: the {name} of layer {population.name!r} is "
                f"{needed:.6g} "
                f"weight steps at {weight_bits}-bit weights; potentials of {potential_bits} bits "
                f"hold {v_max}",
                remedy="raise the potential width (--potential-bits, up to 24) or lower the weight "
                "width (--weight-bits)",
            )
        extent = max(extent, needed * scale)
    room = np.log2(v_max * scale / extent)
    return int(np.clip(np.floor(room), 0, MAX_EXPONENT))


def _quantised_parameters(
    network: Network, population: Population, lsb: float, potential_bits: int
) -> dict[str, IntArray]:
    """Return the parameters without those that have their default in all neurons."""
    model, found = population.neuron, dict[str, IntArray]()
    for parameter in model.parameters:
        if parameter.name not in population.parameters:
            continue
        values, steps = population.values(parameter.name), population.unit(parameter)
        rounded = _rounded(values / lsb if parameter.kind == "membrane" else values * steps)
        low, high = model.range_of(parameter, potential_bits, population.constants)
        if parameter.kind == "fraction":  # a factor of 1 is more than the largest
            rounded = np.clip(rounded, low, high)
        if np.all(rounded == parameter.default):
            continue
        check_range(
            f"network {network.name!r}: {parameter.name} of layer {population.name!r}",
            rounded,
            low,
            high,
        )
        found[parameter.name] = rounded.astype(np.int32)
    return found


def _rounded(values: FloatArray) -> npt.NDArray[np.int64]:
    """Return the nearest integers, as one value where all are equal."""
    rounded = np.clip(np.floor(values + 0.5), -_FAR, _FAR).astype(np.int64)
    return rounded[:1] if np.all(rounded == rounded[0]) else rounded
