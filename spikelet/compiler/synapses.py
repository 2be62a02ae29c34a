"""Which synapse format the cores of each population get."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.formats import synapse_format
from spikelet.golden.timing import core_cycles
from spikelet.network.integer_layers import IntegerProjection, Weights
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import AUTO, PlacementLimits
from spikelet.network.matrices import Matrix, dense
from spikelet.placement.maps import cut_map, lanes_of_channels, pipelines_of_channels, places

__all__ = ["map_format", "other_format", "shared_maps", "sparse_lanes"]

_SHARED, _GATHER, _DENSE, _SPARSE = "shared", "gather", "dense", "sparse"

_ACTIVITY = 0.1
"""Share of the axons that are active in the tick by whose cycles formats are compared."""

_SMALL_RAM = 4096
"""Bits of a block RAM up to which gathering is tried: devices with small ones have few.

A memory of sums, whose rows are wide, takes many of them."""

_DENSEST = 0.5
"""Share of the weights that are not 0 from which on rows are not tried: they cannot pay."""

_Part = tuple[CoreParams, int]
"""A core, and the inputs that it has."""


def other_format(limits: PlacementLimits) -> str:
    """Return the format of the cores of populations that no other function here names."""
    named = (AUTO, _SHARED, _GATHER, _SPARSE)
    return _DENSE if limits.synapses in named else limits.synapses


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


def sparse_lanes(
    network: IntegerNetwork,
    limits: PlacementLimits,
    parts: Callable[[str], Iterable[Weights]],
) -> dict[str, int]:
    """Return the populations whose cores store rows of the weights that are not 0, with the lanes.

    A population can if it neither learns nor has short-term plasticity, its weights are not binary,
    and its cores have room for its rows. With ``"sparse"`` it does if rows take fewer bits than
    dense weights. With ``"auto"`` it does if rows take less by the product of :func:`shared_maps`,
    and fewer block RAMs, and its dense weights are more than one block RAM holds. Of the numbers of
    lanes, that with the least product is taken: few lanes leave few places of an entry empty, many
    need few entries.

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
        if network.short_term(name):
            why.append(f"{name!r} has short-term plasticity")
            continue
        if network.transmits(name):
            why.append(f"{name!r} transmits stochastically")
            continue
        most = limits.lanes_of(population.size, bool(network.kept_whole(name)))
        bits = population.weight_bits or 8
        dense, choices = _both(limits, bits, most, parts(name), limits.synapses == AUTO)
        if not dense:  # it shares a kernel, or is too dense
            continue
        if not choices:
            why.append(f"rows of {name!r} have more entries than a core may")
            continue
        lanes = min(choices, key=lambda lanes: _product(choices[lanes], limits))
        rows, needed, before = choices[lanes], _bits(choices[lanes]), _bits(dense)
        if needed >= before:
            why.append(f"rows of {name!r} take {needed:,} bits, dense weights {before:,}")
        elif limits.synapses == _SPARSE or (
            before > limits.block_ram
            and _blocks(rows, limits) < _blocks(dense, limits)
            and _product(rows, limits) < _product(dense, limits)
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

    Only those lanes with which every core has room for its rows; none at all if they are
    ``hopeful`` and one is too dense.
    """
    dense: list[_Part] = []
    choices: dict[int, list[_Part]] = {1 << step: [] for step in range(most.bit_length())}
    for matrix in parts:
        if hopeful and np.count_nonzero(matrix) > _DENSEST * matrix.size:
            return [], {}
        dense.append(_part(limits, bits, matrix, most, _DENSE))
        for lanes in list(choices):
            try:
                choices[lanes].append(_part(limits, bits, matrix, lanes, _SPARSE))
            except SpikeletError:  # too many entries
                del choices[lanes]
    return dense, choices


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


def _map_cores(
    whole: ConvolutionShape, limits: PlacementLimits, weight_bits: int, format: str
) -> Iterator[tuple[CoreParams, int]]:
    """Yield the cores of a map that share its kernel, each with its inputs."""
    for piece in cut_map(whole, limits.axons(True), limits.neurons(True), limits.lanes):
        part = whole.part(*piece)
        lanes = lanes_of_channels(part.out_channels, limits.lanes)
        core = _core(
            *(limits, weight_bits, part.n_axons, part.n_neurons, lanes),
            *(format, part.options(), part.out_channels),
        )
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
    synapses: str = _DENSE,
    options: Mapping[str, int] | None = None,
    channels: int = 0,
) -> CoreParams:
    pipelines = min(limits.pipelines, lanes)
    if channels:
        pipelines = pipelines_of_channels(channels, pipelines)
    return CoreParams(
        n_axons,
        n_neurons,
        neuron_model("snntorch-subtract"),  # any
        weight_bits=weight_bits,
        weight_format="unsigned" if weight_bits == 1 else "signed",
        lanes=lanes,
        pipelines=pipelines,
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


def _product(cores: Iterable[_Part], limits: PlacementLimits) -> float:
    """Return block RAMs of all cores times cycles of the slowest; each with its inputs."""
    cores = list(cores)
    active = [np.array([round(_ACTIVITY * n_inputs)], np.int32) for _, n_inputs in cores]
    cycles = [core_cycles(core, here) for (core, _), here in zip(cores, active, strict=True)]
    return _blocks(cores, limits) * float(max(cycles)[0])


def _blocks(cores: Iterable[_Part], limits: PlacementLimits) -> int:
    """Return the block RAMs of the synapses of all cores."""
    row_bits = 1 << (limits.block_ram.bit_length() - 5) // 2  # 512 of 32 bits, 256 of 16
    rows = limits.block_ram // row_bits
    return sum(
        -(-memory.rows // rows)
        * -(-memory.row_bits // memory.bank_bits)
        * -(-memory.bank_bits // row_bits)
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
