"""A network compiled into the structure of another: the same chip, with other contents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, graded, opened_source
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.contents import core_contents
from spikelet.compiler.structure import Difference, layer_differences, network_differences
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.network.builder import PlasticNetwork
from spikelet.network.integer_layers import IntegerPopulation
from spikelet.network.integers import IntegerNetwork
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.matrices import dense
from spikelet.network.network import Network
from spikelet.network.quantise import quantise
from spikelet.network.toml_file import NetworkFile

__all__ = ["LayerCost", "compile_like", "layer_costs"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LayerCost:
    """What the scale of another network costs a layer, beside the scale of its own.

    Parameters
    ----------
    name : str
    scale, own_scale : float
        Value of a weight unit: the one that was kept, and the best of these weights.
    clipped, own_clipped : int
        Weights beyond the integer range, at either.
    error, own_error : float
        Root mean square of float minus integer weights, as a share of that of the float weights.
    range_used : float
        Potentials expected, as a share of those that can be held; above 1 they may saturate.
    """

    name: str
    scale: float
    own_scale: float
    clipped: int
    own_clipped: int
    error: float
    own_error: float
    range_used: float


def compile_like(
    source: Source,
    like: CompiledNetwork,
    *,
    neuron: Any = None,
    dt: float | None = None,
    framework: str | None = None,
    seed: int | None = None,
    calibration: npt.ArrayLike | None = None,
    draw_key: int | None = None,
    input_levels: int | None = None,
    input_counts: int | None = None,
) -> tuple[CompiledNetwork, tuple[LayerCost, ...]]:
    """Compile a network into the chip of another: only what is loaded is new.

    Structure, placement, routes, weight scales and exponents are those of ``like``; a trained
    network takes its widths, too, and layers that learn its rules.

    Parameters
    ----------
    source : path or network
        As for :func:`spikelet.compiler.compile.compile_network`.
    like : CompiledNetwork
    neuron, dt, framework, seed, calibration, draw_key, input_levels, input_counts
        As for :func:`spikelet.compiler.compile.compile_network`; a calibration decides how weights
        are rounded.

    Returns
    -------
    CompiledNetwork
    tuple of LayerCost
        Of each layer of a trained network; empty for one built by hand.

    Raises
    ------
    SpikeletError
        If the network needs another structure: with every field that differs, what it is, and what
        it would have to be.
    """
    opened = opened_source(source, neuron, dt, seed, framework)
    if isinstance(opened, CompiledNetwork | NetworkFile):
        opened = opened.network
    if isinstance(opened, PlasticNetwork):
        opened = opened.integers()
    opened = graded(opened, input_levels, input_counts)
    trained = opened.floats if isinstance(opened, IntegerNetwork) else opened
    costs: tuple[LayerCost, ...] = ()
    if isinstance(trained, Network):
        network, costs = _quantised(trained, like, calibration)
    else:
        assert isinstance(opened, IntegerNetwork)
        network = opened
        _require(network_differences(network, like.network), like)
    network = _in_order(network, like.network)
    if draw_key is not None:
        network = replace(network, draw_key=draw_key)
    _require([d for p in network.populations for d in layer_differences(network, like, p)], like)
    image = _image(network, like)
    found = CompiledNetwork(
        network, like.chip, image, like.routes, like.layers, like.quality, like.limits
    )
    return found, costs


def _require(differences: list[Difference], like: CompiledNetwork) -> None:
    """Raise SpikeletError with all differences, if there are any."""
    if differences:
        lines = "; ".join(str(difference) for difference in differences)
        raise SpikeletError(
            f"the network needs another structure than that of {like.name!r}: {lines}",
            remedy="compile it without --like, and build its bitstream anew",
        )


def _quantised(
    floats: Network, like: CompiledNetwork, calibration: npt.ArrayLike | None
) -> tuple[IntegerNetwork, tuple[LayerCost, ...]]:
    """Return a trained network in the integers of another, and what that cost."""
    before = like.network
    if before.floats is None:
        raise SpikeletError(
            f"network {floats.name!r} is trained, and {like.name!r} was built by hand: it has no "
            "weight scales that could be kept",
            remedy="compile it without --like",
        )
    _require(network_differences(floats, before.floats), like)
    layers = before.quantisation
    options: dict[str, Any] = {
        "weight_bits": {q.name: q.weight_bits for q in layers},
        "potential_bits": {p.name: p.potential_bits for p in before.populations},
        "calibration": calibration,
        "neuron_scales": any(q.neuron_scales for q in layers),
        "spike_bits": before.spike_bits,
    }
    network = quantise(floats, **options, like=before)
    own = quantise(floats, **{**options, "potential_bits": None})
    costs = layer_costs(network, own)
    for layer in (p.target for p in before.projections if p.rule):
        rule = before.rule(layer)
        assert rule is not None
        network = network.make_plastic(layer, rule)
    return replace(network, seed=before.seed, draw_key=before.draw_key), costs


def layer_costs(kept: IntegerNetwork, own: IntegerNetwork) -> tuple[LayerCost, ...]:
    """Return what the scales of one quantisation cost beside those of another, layer by layer."""
    best = {layer.name: layer for layer in own.quantisation}
    return tuple(_cost(kept, layer, best[layer.name]) for layer in kept.quantisation)


def _cost(network: IntegerNetwork, kept: LayerQuantisation, own: LayerQuantisation) -> LayerCost:
    total = sum(
        float((dense(p.weights).astype(np.float64) ** 2).sum()) for p in network.into(kept.name)
    )
    size = kept.scale * np.sqrt(max(total, 1.0) / kept.weights)
    return LayerCost(
        kept.name,
        kept.scale,
        own.scale,
        kept.clipped,
        own.clipped,
        float(kept.rms_error / size),
        float(own.rms_error / size),
        kept.range_used,
    )


def _in_order(network: IntegerNetwork, like: IntegerNetwork) -> IntegerNetwork:
    """Return a network with populations and projections in the order of another's."""
    ends = {(p.source, p.target, p.delay): p for p in network.projections}
    return replace(
        network,
        populations=tuple(network.population(p.name) for p in like.populations),
        projections=tuple(ends[p.source, p.target, p.delay] for p in like.projections),
    )


def _image(network: IntegerNetwork, like: CompiledNetwork) -> ChipImage:
    """Return the contents of all cores; SpikeletError with what does not fit them."""
    fed = _fed(like)
    cores: list[CoreImage | None] = [None] * len(like.chip.cores)
    differences = []
    for layer in like.layers:
        population = network.population(layer.name)
        for part in layer.slices:
            core, neurons = like.chip.cores[part.core], layer.neurons(part)
            matrix, missing = _matrix(
                network, population, core.n_axons, neurons, fed.get(part.core, {})
            )
            differences += [
                Difference(
                    f"axons of core {part.core} from {source!r} (layer {layer.name!r})",
                    f"none for {count} of its weights",
                    "one for each source with a weight that is not 0",
                )
                for source, count in missing.items()
            ]
            if missing:
                continue
            try:
                cores[part.core] = core_contents(
                    core,
                    network,
                    _with_defaults(population, core.parameters),
                    neurons,
                    matrix,
                    like.image.cores[part.core].destinations,
                )
                one = cores[part.core]
                assert one is not None
                one.check(core, f"core {part.core}")
            except SpikeletError as error:
                options = core.synapse_format.options and core.synapse_format.options_of(
                    core.lanes, _padded(matrix, core.n_neurons)
                )
                needed = ", ".join(f"{k} {v}" for k, v in (options or {}).items())
                there = ", ".join(f"{k} {v}" for k, v in core.synapse_options.items())
                differences.append(
                    Difference(
                        f"core {part.core} (layer {layer.name!r}, {core.synapses} synapses)",
                        there or "as it is",
                        needed or str(error.args[0]),
                    )
                )
    _require(differences, like)
    image = ChipImage(tuple(core for core in cores if core is not None))
    image.check(like.chip)
    return image


def _padded(matrix: npt.NDArray[np.int16], n_neurons: int) -> npt.NDArray[np.int16]:
    return np.pad(matrix, ((0, 0), (0, n_neurons - matrix.shape[1])))


def _with_defaults(
    population: IntegerPopulation, parameters: Mapping[str, str | int]
) -> IntegerPopulation:
    """Return a population that gives those parameters that a core has too, if at their default."""
    given = dict(population.parameters)
    for parameter in population.neuron.parameters:
        if parameter.name in parameters and parameter.name not in given:
            given[parameter.name] = np.array([parameter.default or 0], np.int32)
    return replace(population, parameters=given)


class _Feed(NamedTuple):
    """Axons of a core that a population, or an input group, feeds with some delay."""

    axons: IntArray
    sources: IntArray


def _fed(like: CompiledNetwork) -> dict[int, dict[tuple[str, int], _Feed]]:
    """Return who feeds each axon: by core, then by source and delay."""
    core, axon, delay, source = (np.concatenate(parts) for parts in zip(*_ways(like), strict=True))
    names = [*(g.name for g in like.network.inputs), *(p.name for p in like.network.populations)]
    starts = np.cumsum([0, *(like.network.sizes[name] for name in names)])
    whose = np.searchsorted(starts, source, side="right") - 1
    found: dict[int, dict[tuple[str, int], _Feed]] = {}
    keys = np.unique(np.stack([core, whose, delay]), axis=1)
    for to, group, ticks in keys.T.tolist():
        here = (core == to) & (whose == group) & (delay == ticks)
        ways = np.unique(np.stack([axon[here], source[here] - starts[group]]), axis=1)
        found.setdefault(to, {})[names[group], ticks] = _Feed(ways[0], ways[1])
    return found


def _ways(like: CompiledNetwork) -> Iterator[tuple[IntArray, IntArray, IntArray, IntArray]]:
    """Yield (core, axon, delay, source) of routes and destinations; sources numbered through."""
    line, core, axon, delay = like.routes.T
    yield core, axon, delay, line
    first = like.network.n_inputs
    for layer in like.layers:
        for part in layer.slices:
            table = like.image.cores[part.core].destinations.astype(np.int64)
            table = table[(table[:, 1] != HOST) & (table[:, 0] < part.count)]
            table = table[~_inhibits(like.chip, table)]
            source = first + layer.neurons(part)[table[:, 0]]
            for row in range(int(table[:, 5].max(initial=0))):
                for column in range(int(table[:, 4].max(initial=0))):
                    there = (table[:, 5] > row) & (table[:, 4] > column)
                    _, to, at, ticks, _, _ = table[there].T
                    yield to + row * like.chip.width + column, at, ticks, source[there]
        first += layer.size


def _inhibits(chip: ChipParams, table: IntArray) -> npt.NDArray[np.bool_]:
    """Return which destinations are axons that only tell that a neuron has fired."""
    last = np.array([c.n_axons - 1 if c.inhibition_axon else -1 for c in chip.cores])
    found: npt.NDArray[np.bool_] = last[table[:, 1]] == table[:, 2]
    return found


def _matrix(
    network: IntegerNetwork,
    population: IntegerPopulation,
    n_axons: int,
    neurons: IntArray,
    feeds: Mapping[tuple[str, int], _Feed],
) -> tuple[npt.NDArray[np.int16], dict[str, int]]:
    """Return the weights of a core, (axons, neurons), and how many have no axon, by source."""
    matrix = np.zeros((n_axons, len(neurons)), np.int16)
    missing = {}
    for p in network.into(population.name):
        feed = feeds.get((p.source, p.delay), _Feed(np.zeros(0, np.int64), np.zeros(0, np.int64)))
        block = p.weights[:, neurons]
        rows = dense(block[feed.sources])
        matrix[feed.axons] = rows
        wanted = int(np.count_nonzero(block if isinstance(block, np.ndarray) else block.data))
        reached = int(np.count_nonzero(rows[np.unique(feed.sources, return_index=True)[1]]))
        if reached < wanted:
            missing[p.source] = wanted - reached
    return matrix, missing
