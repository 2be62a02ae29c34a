"""Cores and inputs in which neurons come to rest, and wake."""

from dataclasses import replace
from typing import Any

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from tests.helpers.random_chips import random_image

__all__ = ["bursts", "resting_chip", "resting_image", "silence"]

TICKS = 60


def resting_chip(model: str, **fields: Any) -> ChipParams:
    """Return a chip of one small core; without a leak, if the model has none by itself."""
    usual = {"n_axons": 40, "n_neurons": 16, "lanes": 4, "list_entries": 40, "potential_bits": 12}
    core = CoreParams(neuron=neuron_model(model), **{**usual, "rest": True, **fields})
    return ChipParams((core,), n_outputs=4)


def resting_image(rng: np.random.Generator, chip: ChipParams, **parameters: int) -> ChipImage:
    """Return contents whose spikes stay in the core; some parameters have one value."""
    image = random_image(rng, chip)
    cores = []
    for contents in image.cores:
        given = {
            name: np.full_like(values, parameters.get(name, 0)) if name in parameters else values
            for name, values in contents.parameters.items()
        }
        # A few destinations: else a recurrent core may never fall silent.
        cores.append(replace(contents, parameters=given, destinations=contents.destinations[::16]))
    return ChipImage(tuple(cores))


def bursts(rng: np.random.Generator, chip: ChipParams, samples: int = 2) -> Events:
    """Return events for the first core in a few ticks, with long silences between them."""
    n_axons = chip.cores[0].n_axons
    spikes = np.zeros((samples, TICKS, n_axons), np.bool_)
    for sample in spikes:
        for tick in (0, 1, *rng.integers(0, TICKS, 3)):
            sample[tick] = rng.random(n_axons) < 0.2
    return Events.from_spikes(spikes, [(axon, 0, axon, 0) for axon in range(n_axons)])


def silence(chip: ChipParams, ticks: int = 4) -> Events:
    """Return ticks without an event."""
    return Events.from_spikes(np.zeros((1, ticks, 1), np.bool_), [(0, 0, 0, 0)])
