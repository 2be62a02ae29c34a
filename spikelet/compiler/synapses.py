"""Which synapse format the cores of each population get."""

from collections.abc import Iterable, Iterator

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden.timing import core_cycles
from spikelet.network.integers import IntegerNetwork, IntegerProjection, Weights
from spikelet.network.limits import AUTO, PlacementLimits
from spikelet.placement.maps import cut_map, lanes_of_channels, pipelines_of_channels, places

__all__ = ["map_format", "other_format", "shared_maps"]

_SHARED, _GATHER, _DENSE = "shared", "gather", "dense"

_ACTIVITY = 0.1
"""Share of the axons that are active in the tick by whose cycles formats are compared."""

_SMALL_RAM = 4096
"""Bits of a block RAM up to which gathering is tried: an iCE40 has few, and as small.

A memory of sums, whose rows are wide, takes many of them."""


def other_format(limits: PlacementLimits) -> str:
    """Return the format of the cores of all populations that :func:`shared_maps` does not name."""
    return _DENSE if limits.synapses in (AUTO, _SHARED, _GATHER) else limits.synapses


def shared_maps(network: IntegerNetwork, limits: PlacementLimits) -> dict[str, ConvolutionShape]:
    """Return the populations whose cores share a kernel, each with its whole map.

    A population can if one projection with fixed weights leads to it, which is a convolution in
    integers too, and an output row fits a core. With ``"auto"`` it does if that takes less: block
    RAMs for synapses of all its cores, times the clock cycles of a tick with a tenth of the axons
    active. Of dense cores as few are counted as the limits allow; a map whose windows do not fit
    them may need more.
    """
    found = {}
    if limits.synapses in (AUTO, _SHARED, _GATHER):
        for population in network.populations:
            into = network.into(population.name)
            shape = into[0].convolution if len(into) == 1 else None
            if shape is None or network.kept_whole(population.name):
                continue
            if population.weight_format == "binary":  # it has no 0 for what a window does not see
                continue
            if _can_share(into[0], shape, limits) and (
                map_format(network, limits, population.name, shape) != _DENSE
            ):
                found[population.name] = shape
    return found


def map_format(
    network: IntegerNetwork, limits: PlacementLimits, name: str, shape: ConvolutionShape
) -> str:
    """Return the format of the cores of a population that can share a kernel.

    ``"auto"`` takes the one with the least product of :func:`shared_maps`: dense, shared, and
    where block RAMs are small and no graded spikes arrive gathered too.
    """
    if limits.synapses != AUTO:
        return limits.synapses
    bits = network.population(name).weight_bits or 8
    products = {_DENSE: _product(_dense_cores(shape, limits, bits), limits)}
    gathers = limits.block_ram <= _SMALL_RAM and network.arriving_bits(name) == 1
    for format in (_SHARED, _GATHER) if gathers else (_SHARED,):
        products[format] = _product(_map_cores(shape, limits, bits, format), limits)
    return min(products, key=products.__getitem__)


def _can_share(
    projection: IntegerProjection, whole: ConvolutionShape, limits: PlacementLimits
) -> bool:
    """Return whether all parts of a map fit cores, and the weights are those of a kernel."""
    cut = cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes)
    return bool(cut) and all(_is_convolution(projection.weights, whole, *piece) for piece in cut)


def _is_convolution(
    weights: Weights, whole: ConvolutionShape, rows: range, channels: range
) -> bool:
    part = whole.part(rows, channels)
    inputs, outputs = places(whole, rows, channels)
    matrix = np.zeros((part.n_axons, part.n_neurons), weights.dtype)
    matrix[part.axons.ravel()] = weights[np.ix_(inputs, outputs)]
    return np.array_equal(part.matrix(part.kernel(matrix)), matrix)


def _map_cores(
    whole: ConvolutionShape, limits: PlacementLimits, weight_bits: int, format: str
) -> Iterator[tuple[CoreParams, int]]:
    """Yield the cores of a map that share its kernel, each with its inputs."""
    for piece in cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes):
        part = whole.part(*piece)
        lanes = lanes_of_channels(part.out_channels, limits.lanes)
        core = _core(limits, weight_bits, part.n_axons, part.n_neurons, lanes, format, part)
        yield core, part.axons.size


def _dense_cores(
    whole: ConvolutionShape, limits: PlacementLimits, weight_bits: int
) -> list[tuple[CoreParams, int]]:
    """Return as few dense cores as the limits allow for a map, each with its inputs."""
    n_inputs = whole.height * whole.width * whole.channels
    lanes, most = limits.lanes_of(whole.n_neurons), limits.most_of(whole.n_neurons)
    n_axons, n_neurons = min(n_inputs, limits.axons()), min(whole.n_neurons, most)
    core = _core(limits, weight_bits, n_axons, -(-n_neurons // lanes) * lanes, lanes)
    return [(core, n_axons)] * -(-whole.n_neurons // n_neurons)


def _core(
    limits: PlacementLimits,
    weight_bits: int,
    n_axons: int,
    n_neurons: int,
    lanes: int,
    format: str = _DENSE,
    shape: ConvolutionShape | None = None,
) -> CoreParams:
    pipelines = min(limits.pipelines, lanes)
    return CoreParams(
        n_axons,
        n_neurons,
        neuron_model("snntorch-subtract"),  # any
        weight_bits=weight_bits,
        weight_format="unsigned" if weight_bits == 1 else "signed",
        lanes=lanes,
        pipelines=pipelines_of_channels(shape.out_channels, pipelines) if shape else pipelines,
        synapses=format,
        synapse_options=shape.options() if shape else {},
    )


def _product(cores: Iterable[tuple[CoreParams, int]], limits: PlacementLimits) -> float:
    """Return block RAMs of all cores times cycles of the slowest; each with its inputs."""
    blocks, slowest = 0, 0.0
    row_bits = 1 << (limits.block_ram.bit_length() - 5) // 2  # 512 of 32 bits, 256 of 16
    rows = limits.block_ram // row_bits
    for core, n_inputs in cores:
        for memory in core.synapse_format.memories(core):
            if memory.kind != "auto":
                blocks += -(-memory.rows // rows) * -(-memory.row_bits // row_bits)
        active = np.array([round(_ACTIVITY * n_inputs)], np.int32)
        slowest = max(slowest, float(core_cycles(core, active)[0]))
    return blocks * slowest
