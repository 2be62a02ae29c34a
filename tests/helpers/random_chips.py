"""Random chips, images and events for differential tests."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import TOPOLOGIES, ChipParams
from spikelet.description.neurons.model import NeuronModel, Parameter
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden.chip import run
from tests.helpers.neuron_models import MIXED_MODELS
from tests.helpers.random_sparse import made_sparse, random_entries
from tests.helpers.random_types import typed_weights

__all__ = ["MANY", "random_chip", "random_chip_of", "random_events", "random_image", "spiking"]

MANY = neuron_model("lif-multispike")
"""Sends graded spikes."""

Drawn = tuple[ChipParams, ChipImage, Events]


def _pick(rng: np.random.Generator, *choices: object) -> object:
    return choices[rng.integers(len(choices))]


def random_core(
    rng: np.random.Generator,
    model: NeuronModel | None = None,
    *,
    first_tick: int | None = None,
    graded: bool = True,
) -> CoreParams:
    """Return a small core with any combination of options, of any model or of a certain one.

    It may take graded spikes, and send some, unless ``graded`` is false.
    """
    neuron = model or _pick(rng, *MIXED_MODELS)
    potential_bits = int(rng.integers(8, 25))
    lanes = _pick(rng, 1, 2, 4, 8, 16, 32)
    weight_bits = int(rng.integers(1, 9))
    n_neurons = lanes * int(rng.integers(1, 1 + max(1, 64 // lanes)))
    core = CoreParams(
        n_axons=int(rng.integers(1, 90)),
        n_neurons=n_neurons,
        neuron=neuron,
        weight_bits=weight_bits,
        weight_format=_pick(rng, "unsigned", "binary" if weight_bits == 1 else "signed"),
        weight_exponent=int(rng.integers(0, 7)),
        potential_bits=potential_bits,
        lanes=lanes,
        pipelines=_pick(rng, *(1 << k for k in range(lanes.bit_length()))),
        delay_slots=_pick(rng, 2, 2, 4, 8, 16, 32),
        list_entries=int(rng.integers(0, 1 + _pick(rng, 0, n_neurons, 4 * n_neurons))),
        parameters=random_parameters(rng, neuron, potential_bits),
        weight_memory=_pick(rng, "block", "spram"),
        first_tick=_pick(rng, 0, 0, 0, 1, 3) if first_tick is None else first_tick,
    )
    core = replace(core, rest=core.n_axons % 2 == 0)
    own, further = rng.spawn(2)  # so that what else is drawn stays as it is
    core = replace(core, transmission=bool(further.random() < 0.2))
    if not graded or own.random() < 0.5:
        return core
    core = replace(core, spike_bits=int(own.integers(1, 9)), transmission=False)
    if model or own.random() < 0.5:
        return core
    return replace(core, neuron=MANY, parameters=random_parameters(own, MANY, potential_bits))


def random_parameters(
    rng: np.random.Generator, model: NeuronModel, potential_bits: int
) -> dict[str, str | int]:
    """Return how a core has the parameters of a model; it adapts only where it learns."""
    found: dict[str, str | int] = {}
    for parameter in model.parameters:
        choices = ["shared", "neuron", "neuron", "built in", "default"]
        if parameter.constant:
            choices = ["default" if parameter.name.startswith("adaptation") else "built in"]
        choice = _pick(rng, *choices)
        if choice == "default" and parameter.default is not None:
            continue
        if choice in ("shared", "neuron"):
            found[parameter.name] = choice
        else:
            low, high = model.range_of(parameter, potential_bits, {})
            found[parameter.name] = int(_values(rng, parameter, (low, high), high // 4 + 1, 1)[0])
    return found


def _values(
    rng: np.random.Generator, what: Parameter, ends: tuple[int, int], typical: int, size: int
) -> np.ndarray:
    """Return values of a parameter that keep neurons active.

    Potentials are mostly of the magnitude ``typical``.
    """
    low, high = ends
    if what.kind == "membrane":
        usual = {"threshold": (0, 2 * typical), "bias": (-typical // 4, typical // 2)}
        wanted = usual.get(what.name, (-typical, typical))
        if what.name == "inhibition":
            wanted = (0, high // 4 + 1)
        low, high = (min(max(end, low), high) for end in wanted)
    elif what.kind == "ticks":
        high = min(high, int(_pick(rng, 3, 3, 63)))
    return rng.integers(low, high + 1, size).astype(np.int32)


def random_chip(
    rng: np.random.Generator, *, most_cores: int = 4, model: NeuronModel | None = None
) -> ChipParams:
    """Return a chip of up to ``most_cores`` random cores, joined in any way."""
    n_cores = int(rng.integers(1, most_cores + 1))
    cores = [random_core(rng, model) for _ in range(n_cores)]
    return random_chip_of(rng, tuple(_maybe_sparse(rng, core) for core in cores))


def _maybe_sparse(rng: np.random.Generator, core: CoreParams) -> CoreParams:
    sparse = core.weight_format != "binary" and _pick(rng, False, False, True)
    return made_sparse(rng, replace(core, transmission=False)) if sparse else core


def random_chip_of(rng: np.random.Generator, cores: tuple[CoreParams, ...]) -> ChipParams:
    """Return these cores in any topology, which may have positions past the last core."""
    topology = _pick(rng, *TOPOLOGIES)
    if topology in ("mesh", "torus"):
        width = int(rng.integers(1, len(cores) + 2))
        height = -(-len(cores) // width) + _pick(rng, 0, 0, 0, 1)
    else:
        width, height = len(cores) + _pick(rng, 0, 0, 1, 2), 1
    cut = topology in ("mesh", "line") and rng.integers(0, 2)
    return ChipParams(
        cores,
        width,
        height,
        n_outputs=int(rng.integers(1, 40)),
        topology=topology,
        multicast=bool(rng.integers(0, 2)),
        fifo_depth=_pick(rng, 2, 3, 4, 8),
        arbitration_seed=_pick(rng, 0, int(rng.integers(0, 65536))),
        chip_columns=_divisor(rng, width) if cut else 1,
        chip_rows=_divisor(rng, height) if cut else 1,
    )


def _divisor(rng: np.random.Generator, value: int) -> int:
    return _pick(rng, *(d for d in range(1, value + 1) if value % d == 0))


def random_image(rng: np.random.Generator, chip: ChipParams) -> ChipImage:
    """Return contents that keep neurons active: recurrent, with delays, also to the host."""
    return ChipImage(tuple(_core_image(rng, chip, core) for core in chip.cores))


def _core_image(rng: np.random.Generator, chip: ChipParams, core: CoreParams) -> CoreImage:
    weights = _weights(rng, core)
    parameters, states = random_contents(rng, core)
    draws = core.update.draws
    return CoreImage(
        weights.astype(np.int16),
        _destinations(rng, chip, core),
        parameters,
        states,
        draw_key=int(rng.integers(1, 1 << 32)) if draws else 0,
        draw_indices=rng.integers(0, 1 << 24, core.n_neurons * draws).astype(np.int32),
        **_of_axons(rng, core),
    )


def _of_axons(rng: np.random.Generator, core: CoreParams) -> dict[str, Any]:
    """Return which axons have short-term plasticity, and chances of all sizes, as far as asked."""
    (own,) = rng.spawn(1)  # so that what else is drawn stays as it is
    found: dict[str, Any] = {}
    if core.short_term:
        found["short_term"] = own.random(core.n_axons) < 0.7
    if core.transmission:
        chances = own.choice([1, 64, 128, 255, 256], core.n_axons).astype(np.int32)
        found |= {"transmission": chances, "transmission_key": int(own.integers(1, 1 << 32))}
    return found


def _weights(rng: np.random.Generator, core: CoreParams) -> np.ndarray:
    if core.synapses == "sparse":
        return random_entries(rng, core)
    if core.synapses == "axon-types":
        return typed_weights(rng, core)
    options = core.synapse_options
    shape = ConvolutionShape.of(options).kernel_shape if options else (core.n_axons, core.n_neurons)
    weights = rng.integers(core.weight_min, core.weight_max + 1, shape)
    return rng.choice([-1, 1], shape) if core.weight_format == "binary" else weights


def random_contents(
    rng: np.random.Generator, core: CoreParams
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return values of the parameters and of the kept states."""
    fan_in = core.synapse_format.fan_in(core)
    typical = (core.weight_max << core.weight_exponent) * max(1, fan_in // 8)
    parameters, states = {}, {}
    for name, ends in core.parameter_ranges.items():
        size = core.n_neurons if core.scope(name) == "neuron" else 1
        parameters[name] = _values(rng, core.neuron.parameter(name), ends, typical, size)
    for name in core.update.kept:
        low, high = core.state_ranges[name]
        values = rng.integers(low, high + 1, core.n_neurons) >> int(rng.integers(0, 8))
        states[name] = np.maximum(values, low).astype(np.int32)
    return parameters, states


def _destinations(rng: np.random.Generator, chip: ChipParams, core: CoreParams) -> np.ndarray:
    """Return up to 4 destinations of each neuron, as far as the core has room for lists."""
    counts = rng.choice([0, 1, 2, 3, 4], core.n_neurons, p=[0.15, 0.4, 0.25, 0.1, 0.1])
    left = core.list_entries
    for neuron in rng.permutation(core.n_neurons):
        counts[neuron] = min(counts[neuron], max(1, left))
        if counts[neuron] > 1:
            left -= counts[neuron]
    neurons = np.repeat(np.arange(core.n_neurons), counts).tolist()
    return joined(*(destinations(neuron, *_destination(rng, chip)) for neuron in neurons))


def _destination(rng: np.random.Generator, chip: ChipParams) -> tuple[int, ...]:
    """Return core, axon, delay, columns and rows, where every core has that axon and delay."""
    target = int(rng.integers(HOST, len(chip.cores)))
    if target == HOST:
        return HOST, int(rng.integers(chip.n_outputs)), 1, 1, 1
    columns = rows = 1
    x, y = chip.position(target)
    if chip.multicast:
        columns = int(rng.integers(1, chip.width - x + 1))
        rows = int(rng.integers(1, chip.height - y + 1))
    if target + (rows - 1) * chip.width + columns > len(chip.cores):  # it holds an empty position
        columns = rows = 1
    reached = [
        chip.cores[target + row * chip.width + column]
        for row in range(rows)
        for column in range(columns)
    ]
    axon = int(rng.integers(min(to.n_axons for to in reached)))
    delay = int(rng.integers(1, min(to.delay_slots for to in reached)))
    return target, axon, delay, columns, rows


def random_events(
    rng: np.random.Generator, chip: ChipParams, *, samples: int = 2, ticks: int = 12
) -> Events:
    """Return host events for random axons, some of them twice and some for later ticks.

    Those for a core that takes counts have some.
    """
    counts = rng.integers(0, 12, samples * ticks)
    core = rng.integers(0, len(chip.cores), counts.sum())
    axons = np.array([chip.cores[c].n_axons for c in core], np.int64)
    slots = np.array([chip.cores[c].delay_slots for c in core], np.int64)
    most = np.array([chip.cores[c].most_spikes for c in core], np.int64)
    (own,) = rng.spawn(1)
    count = 1 + (own.random(core.size) * np.minimum(most, 1 << own.integers(0, 9, core.size)))
    return Events(
        samples,
        ticks,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        core.astype(np.int32),
        (rng.random(core.size) * axons).astype(np.int32),
        (rng.random(core.size) * (slots - 1)).astype(np.int32),
        count.astype(np.int32) if chip.count_bits > 1 else None,
    )


def spiking(
    draw: Callable[[], Drawn], *, spikes: int = 1, outputs: int = 0, core: int | None = None
) -> Drawn:
    """Return the first draw of which golden has so many spikes, and so many to the host.

    The spikes are those of all cores, or of one.

    Chance also gives chips that are silent, of which a comparison would prove nothing.
    """
    for _ in range(100):
        chip, image, events = draw()
        found = run(chip, image, events)
        assert found.spikes is not None
        counted = found.spikes if core is None else found.spikes[core : core + 1]
        if sum(int(s.sum()) for s in counted) >= spikes and found.outputs.sum() >= outputs:
            return chip, image, events
    raise AssertionError(f"100 draws, none with {spikes} spikes and {outputs} to the host")
