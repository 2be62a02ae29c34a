"""Random chips, images and events for differential tests."""

from dataclasses import replace

import numpy as np

from spikelet.description.events import Events
from spikelet.description.image import HOST, NO_DESTINATION, ChipImage, CoreImage
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import PROFILES

__all__ = ["random_chip", "random_events", "random_image"]


def _pick(rng: np.random.Generator, *choices: object) -> object:
    return choices[rng.integers(len(choices))]


def random_core(rng: np.random.Generator) -> CoreParams:
    """Return a small core with any combination of options."""
    profile = replace(
        _pick(rng, *PROFILES.values()), rounding=_pick(rng, "floor", "toward_zero", "nearest")
    )
    lanes = _pick(rng, 1, 2, 4, 8, 16, 32)
    weight_bits = int(rng.integers(1, 9))
    return CoreParams(
        n_axons=int(rng.integers(1, 90)),
        n_neurons=lanes * int(rng.integers(1, 1 + max(1, 64 // lanes))),
        profile=profile,
        weight_bits=weight_bits,
        weight_format=_pick(rng, "unsigned", "binary" if weight_bits == 1 else "signed"),
        weight_exponent=int(rng.integers(0, 7)),
        potential_bits=int(rng.integers(8, 25)),
        lanes=lanes,
        pipelines=_pick(rng, *(1 << k for k in range(lanes.bit_length()))),
        delay_slots=_pick(rng, 2, 2, 4, 8, 16),
        fan_out=int(rng.integers(1, 4)),
        threshold=_pick(rng, "shared", "neuron"),
        decay=_pick(rng, "none", "shared", "neuron"),
        bias=_pick(rng, "none", "shared", "neuron"),
        reset_potential=_pick(rng, "shared", "neuron") if profile.reset == "value" else "none",
        weight_memory=_pick(rng, "block", "spram"),
        first_tick=_pick(rng, 0, 0, 0, 1, 3),
    )


def random_chip(rng: np.random.Generator, *, most_cores: int = 4) -> ChipParams:
    """Return a chip of up to ``most_cores`` random cores on a mesh that may have empty places."""
    n_cores = int(rng.integers(1, most_cores + 1))
    width = int(rng.integers(1, n_cores + 1))
    height = -(-n_cores // width)
    cores = tuple(random_core(rng) for _ in range(n_cores))
    return ChipParams(cores, width, height, int(rng.integers(1, 40)))


def random_image(rng: np.random.Generator, chip: ChipParams) -> ChipImage:
    """Return contents that keep neurons active: recurrent, with delays, also to the host."""
    return ChipImage(tuple(_core_image(rng, chip, core) for core in chip.cores))


def _core_image(rng: np.random.Generator, chip: ChipParams, core: CoreParams) -> CoreImage:
    weights = rng.integers(core.weight_min, core.weight_max + 1, (core.n_axons, core.n_neurons))
    if core.weight_format == "binary":
        weights = rng.choice([-1, 1], weights.shape)
    typical = (core.weight_max << core.weight_exponent) * max(1, core.n_axons // 8)

    def values(name: str, low: int, high: int) -> np.ndarray:
        scope = getattr(core, name)
        low, high = max(low, core.v_min), min(high, core.v_max)
        size = core.n_neurons if scope == "neuron" else 1
        return rng.integers(low, high + 1, size) * (scope != "none")

    destinations = np.full((core.n_neurons, core.fan_out, 3), NO_DESTINATION)
    for neuron in range(core.n_neurons):
        for k in range(rng.integers(0, core.fan_out + 1)):
            target = int(rng.integers(-1, len(chip.cores)))
            if target == HOST:
                entry = (HOST, rng.integers(chip.n_outputs), 1)
            else:
                to = chip.cores[target]
                entry = (target, rng.integers(to.n_axons), rng.integers(1, to.delay_slots))
            destinations[neuron, k] = entry
    return CoreImage(
        weights.astype(np.int16),
        values("threshold", 0, 2 * typical).astype(np.int32),
        destinations.astype(np.int32),
        decay=np.clip(values("decay", 0, 4095), 0, 4095).astype(np.int32),
        bias=values("bias", -typical // 4, typical // 2).astype(np.int32),
        reset_potential=values("reset_potential", -typical, typical).astype(np.int32),
    )


def random_events(
    rng: np.random.Generator, chip: ChipParams, *, samples: int = 2, ticks: int = 12
) -> Events:
    """Return host events for random axons, some of them twice and some for later ticks."""
    counts = rng.integers(0, 12, samples * ticks)
    core = rng.integers(0, len(chip.cores), counts.sum())
    axons = np.array([chip.cores[c].n_axons for c in core], np.int64)
    slots = np.array([chip.cores[c].delay_slots for c in core], np.int64)
    return Events(
        samples,
        ticks,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        core.astype(np.int32),
        (rng.random(core.size) * axons).astype(np.int32),
        (rng.random(core.size) * (slots - 1)).astype(np.int32),
    )
