"""Which synapse format the cores of each population get."""

from collections.abc import Iterable

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden.timing import core_cycles
from spikelet.network.integers import IntegerNetwork, IntegerProjection
from spikelet.network.limits import AUTO, PlacementLimits
from spikelet.network.matrices import Matrix, dense
from spikelet.placement.maps import cut_map, lanes_of_channels, places

__all__ = ["other_format", "shared_maps"]

_SHARED, _DENSE = "shared", "dense"

_ACTIVITY = 0.1
"""Share of the axons that are active in the tick by whose cycles formats are compared."""

_BLOCK = (512, 32)
"""Rows and bits of a block RAM, by which memories are compared."""


def other_format(limits: PlacementLimits) -> str:
    """Return the format of the cores of all populations that :func:`shared_maps` does not name."""
    return _DENSE if limits.synapses in (AUTO, _SHARED) else limits.synapses


def shared_maps(network: IntegerNetwork, limits: PlacementLimits) -> dict[str, ConvolutionShape]:
    """Return the populations whose cores share a kernel, each with its whole map.

    A population can if one projection with fixed weights leads to it, which is a convolution in
    integers too, and an output row fits a core. With ``"auto"`` it does if that takes less: block
    RAMs for synapses of all its cores, times the clock cycles of a tick with a tenth of the axons
    active. Of dense cores as few are counted as the limits allow; a map whose windows do not fit
    them may need more.
    """
    found = {}
    if limits.synapses in (AUTO, _SHARED):
        for population in network.populations:
            into = network.into(population.name)
            shape = into[0].convolution if len(into) == 1 else None
            if shape is None or network.kept_whole(population.name):
                continue
            if population.weight_format == "binary":  # it has no 0 for what a window does not see
                continue
            bits = population.weight_bits or 8
            if _can_share(into[0], shape, limits) and (
                limits.synapses == _SHARED or _takes_less(shape, limits, bits)
            ):
                found[population.name] = shape
    return found


def _can_share(
    projection: IntegerProjection, whole: ConvolutionShape, limits: PlacementLimits
) -> bool:
    """Return whether all parts of a map fit cores, and the weights are those of a kernel."""
    cut = cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes)
    return bool(cut) and all(_is_convolution(projection.weights, whole, *piece) for piece in cut)


def _is_convolution(weights: Matrix, whole: ConvolutionShape, rows: range, channels: range) -> bool:
    part = whole.part(rows, channels)
    inputs, outputs = places(whole, rows, channels)
    matrix = np.zeros((part.n_axons, part.n_neurons), weights.dtype)
    matrix[part.axons.ravel()] = dense(weights[inputs][:, outputs])
    return np.array_equal(part.matrix(part.kernel(matrix)), matrix)


def _takes_less(whole: ConvolutionShape, limits: PlacementLimits, weight_bits: int) -> bool:
    """Return whether shared synapses take less than dense ones."""
    cut = cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes)
    shared = []
    for piece in cut:
        part = whole.part(*piece)
        lanes = lanes_of_channels(part.out_channels, limits.lanes)
        core = _core(limits, weight_bits, part.n_axons, part.n_neurons, lanes, part)
        shared.append((core, part.axons.size))
    n_inputs = whole.height * whole.width * whole.channels
    lanes, most = limits.lanes_of(whole.n_neurons), limits.most_of(whole.n_neurons)
    n_axons, n_neurons = min(n_inputs, limits.axons()), min(whole.n_neurons, most)
    core = _core(limits, weight_bits, n_axons, -(-n_neurons // lanes) * lanes, lanes)
    dense = [(core, n_axons)] * -(-whole.n_neurons // n_neurons)
    return _product(shared) < _product(dense)


def _core(
    limits: PlacementLimits,
    weight_bits: int,
    n_axons: int,
    n_neurons: int,
    lanes: int,
    shape: ConvolutionShape | None = None,
) -> CoreParams:
    return CoreParams(
        n_axons,
        n_neurons,
        neuron_model("snntorch-subtract"),  # any
        weight_bits=weight_bits,
        weight_format="unsigned" if weight_bits == 1 else "signed",
        lanes=lanes,
        pipelines=min(limits.pipelines, lanes),
        synapses=_SHARED if shape else _DENSE,
        synapse_options=shape.options() if shape else {},
    )


def _product(cores: Iterable[tuple[CoreParams, int]]) -> float:
    """Return block RAMs of all cores times cycles of the slowest; each with its inputs."""
    blocks, slowest = 0, 0.0
    for core, n_inputs in cores:
        for memory in core.synapse_format.memories(core):
            if memory.kind != "auto":
                blocks += -(-memory.rows // _BLOCK[0]) * -(-memory.row_bits // _BLOCK[1])
        active = np.array([round(_ACTIVITY * n_inputs)], np.int32)
        slowest = max(slowest, float(core_cycles(core, active)[0]))
    return blocks * slowest
