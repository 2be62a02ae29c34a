"""Which synapse format the cores of each population get."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.formats import synapse_format
from spikelet.golden.timing import core_cycles
from spikelet.network.integers import IntegerNetwork, IntegerProjection, Weights
from spikelet.network.limits import AUTO, PlacementLimits
from spikelet.placement.maps import cut_map, lanes_of_channels, places

__all__ = ["other_format", "shared_maps", "sparse_lanes"]

_SHARED, _DENSE, _SPARSE = "shared", "dense", "sparse"

_ACTIVITY = 0.1
"""Share of the axons that are active in the tick by whose cycles formats are compared."""

_DENSEST = 0.5
"""Share of the weights that are not 0 from which on rows are not tried: they cannot pay."""

_Part = tuple[CoreParams, int]
"""A core, and the inputs that it has."""

_BLOCK = (512, 32)
"""Rows and bits of a block RAM, by which memories are compared."""


def other_format(limits: PlacementLimits) -> str:
    """Return the format of the cores of populations that neither of the other functions names."""
    return _DENSE if limits.synapses in (AUTO, _SHARED, _SPARSE) else limits.synapses


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


def sparse_lanes(
    network: IntegerNetwork,
    limits: PlacementLimits,
    parts: Callable[[str], Iterable[Weights]],
) -> dict[str, int]:
    """Return the populations whose cores store rows of the weights that are not 0, with the lanes.

    A population can if it does not learn, and its weights are not binary. With ``"sparse"`` it does
    if rows take fewer bits than dense weights. With ``"auto"`` it does if rows take less by the
    product of :func:`shared_maps`, and fewer block RAMs, and its dense weights are more than one
    block RAM holds. Of the numbers of lanes, that with the
    least product is taken: few lanes leave few places of an entry empty, many need few entries.

    Parameters
    ----------
    network : IntegerNetwork
    limits : PlacementLimits
    parts : function of a population's name
        Gives the weights of each of its cores, shape (axons, neurons); none if they share a kernel.

    Raises
    ------
    SpikeletError
        With ``"sparse"``, if no population can, or all are too dense.
    """
    found = {}
    why = []
    for population in network.populations if limits.synapses in (AUTO, _SPARSE) else ():
        name = population.name
        if network.rule(name) or population.weight_format == "binary":
            why.append(f"{name!r} {'learns' if network.rule(name) else 'has binary weights'}")
            continue
        most = limits.lanes_of(population.size, bool(network.kept_whole(name)))
        bits = population.weight_bits or 8
        dense, choices = _both(limits, bits, most, parts(name), limits.synapses == AUTO)
        if not dense:
            continue
        lanes = min(choices, key=lambda lanes: _product(choices[lanes]))
        rows, needed, before = choices[lanes], _bits(choices[lanes]), _bits(dense)
        if needed >= before:
            why.append(f"rows of {name!r} take {needed:,} bits, dense weights {before:,}")
        elif limits.synapses == _SPARSE or (
            before > _BLOCK[0] * _BLOCK[1]
            and _blocks(rows) < _blocks(dense)
            and _product(rows) < _product(dense)
        ):
            found[name] = lanes
    if limits.synapses == _SPARSE and not found:
        raise network.error(
            f"no layer can be stored as sparse rows: {'; '.join(why)}",
            "prune more weights, or leave the choice to --synapses auto",
        )
    return found


def _both(
    limits: PlacementLimits, bits: int, most: int, parts: Iterable[Weights], hopeful: bool
) -> tuple[list[_Part], dict[int, list[_Part]]]:
    """Return the cores of a population with dense weights, and with rows, by number of lanes.

    None if they are ``hopeful`` and one is too dense.
    """
    dense: list[_Part] = []
    choices: dict[int, list[_Part]] = {1 << step: [] for step in range(most.bit_length())}
    for matrix in parts:
        if hopeful and np.count_nonzero(matrix) > _DENSEST * matrix.size:
            return [], {}
        dense.append(_part(limits, bits, matrix, most, _DENSE))
        for lanes, cores in choices.items():
            cores.append(_part(limits, bits, matrix, lanes, _SPARSE))
    return dense, choices


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


def _takes_less(whole: ConvolutionShape, limits: PlacementLimits, weight_bits: int) -> bool:
    """Return whether shared synapses take less than dense ones."""
    cut = cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes)
    shared = []
    for piece in cut:
        part = whole.part(*piece)
        lanes = lanes_of_channels(part.out_channels, limits.lanes)
        core = _core(
            *(limits, weight_bits, part.n_axons, part.n_neurons, lanes),
            *(_SHARED, part.options()),
        )
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
    synapses: str = _DENSE,
    options: Mapping[str, int] | None = None,
) -> CoreParams:
    return CoreParams(
        n_axons,
        n_neurons,
        neuron_model("snntorch-subtract"),  # any
        weight_bits=weight_bits,
        weight_format="unsigned" if weight_bits == 1 else "signed",
        lanes=lanes,
        pipelines=min(limits.pipelines, lanes),
        synapses=synapses,
        synapse_options=options or {},
    )


def _part(
    limits: PlacementLimits, weight_bits: int, matrix: Weights, lanes: int, synapses: str
) -> _Part:
    n_axons, n_neurons = max(1, len(matrix)), -(-matrix.shape[1] // lanes) * lanes
    whole = np.zeros((n_axons, n_neurons), matrix.dtype)
    whole[: len(matrix), : matrix.shape[1]] = matrix
    options = synapse_format(synapses).options_of(lanes, whole)
    return _core(limits, weight_bits, n_axons, n_neurons, lanes, synapses, options), n_axons


def _product(cores: Iterable[_Part]) -> float:
    """Return block RAMs of all cores times cycles of the slowest; each with its inputs."""
    cores = list(cores)
    active = [np.array([round(_ACTIVITY * n_inputs)], np.int32) for _, n_inputs in cores]
    cycles = [core_cycles(core, here) for (core, _), here in zip(cores, active, strict=True)]
    return _blocks(cores) * float(max(cycles)[0])


def _blocks(cores: Iterable[_Part]) -> int:
    """Return the block RAMs of the synapses of all cores."""
    return sum(
        -(-memory.rows // _BLOCK[0])
        * -(-memory.row_bits // memory.bank_bits)
        * -(-memory.bank_bits // _BLOCK[1])
        for core, _ in cores
        for memory in core.synapse_format.memories(core)
        if memory.kind != "auto"
    )


def _bits(cores: Iterable[_Part]) -> int:
    """Return the bits that the synapses of all cores take, with all that goes with them."""
    return sum(
        memory.rows * memory.row_bits
        for core, _ in cores
        for memory in core.synapse_format.memories(core)
    )
