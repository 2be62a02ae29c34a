"""Random cores of axon types, and what they store, for differential tests."""

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.axon_types import TYPES

__all__ = ["typed_core", "typed_weights"]


def typed_core(rng: np.random.Generator) -> CoreParams:
    lanes = 1 << int(rng.integers(0, 6))
    format_ = str(rng.choice(["signed", "unsigned"]))
    return CoreParams(
        int(rng.integers(1, 50)),
        lanes * int(rng.integers(1, 4)),
        neuron_model("nir-euler"),
        weight_bits=int(rng.integers(2, 10 if format_ == "signed" else 9)),
        weight_format=format_,
        lanes=lanes,
        pipelines=1 << int(rng.integers(0, lanes.bit_length())),
        synapses="axon-types",
    )


def typed_weights(rng: np.random.Generator, core: CoreParams) -> np.ndarray:
    """Return types, bits and weights, as the format stores them."""
    found = np.zeros((core.n_axons + TYPES, 1 + core.n_neurons), np.int16)
    found[: core.n_axons, 0] = rng.integers(0, TYPES, core.n_axons)
    found[: core.n_axons, 1:] = rng.random((core.n_axons, core.n_neurons)) < 0.4
    shape = (TYPES, core.n_neurons)
    found[core.n_axons :, 1:] = rng.integers(core.weight_min, core.weight_max + 1, shape)
    if not core.synapse_draws:
        return found
    flags = np.zeros((TYPES, 1 + core.n_neurons), np.int16)
    flags[:, 1:] = rng.random(shape) < 0.6
    flags[:, 0] = rng.integers(1, 256, TYPES)
    return np.concatenate([found, flags])
