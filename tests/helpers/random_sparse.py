"""Random cores with sparse synapses, and entries for them, for differential tests."""

from dataclasses import replace

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.formats import synapse_format

__all__ = ["made_sparse", "random_entries", "sparse_core"]

DENSITIES = (0.0, 0.02, 0.1, 0.1, 0.2, 0.5, 1.0)


def sparse_core(rng: np.random.Generator) -> CoreParams:
    """Return a small core with any lanes, pipelines, widths and room for entries."""
    lanes = 1 << int(rng.integers(0, 6))
    return made_sparse(
        rng,
        CoreParams(
            int(rng.integers(1, 90)),
            lanes * int(rng.integers(1, 1 + max(1, 64 // lanes))),
            neuron_model("snntorch-subtract"),
            weight_bits=int(rng.integers(2, 9)),
            weight_format=str(rng.choice(["signed", "unsigned"])),
            lanes=lanes,
            pipelines=1 << int(rng.integers(0, lanes.bit_length())),
            weight_memory=str(rng.choice(["block", "spram"])),
        ),
    )


def made_sparse(rng: np.random.Generator, core: CoreParams) -> CoreParams:
    """Return a core, whose weights are not binary, with sparse synapses of some density."""
    matrix = _matrix(rng, core, float(rng.choice(DENSITIES)))
    options = synapse_format("sparse").options_of(core.lanes, matrix)
    spare = int(rng.integers(0, core.n_axons * core.groups - options["entries"] + 1)) // 2
    options["entries"] += spare
    return replace(core, synapses="sparse", synapse_options=options)


def random_entries(rng: np.random.Generator, core: CoreParams) -> np.ndarray:
    """Return entries for which a core has room; the ends of the range are among the weights.

    The densest of some matrices that fit.
    """
    format = core.synapse_format
    best = np.zeros((core.n_axons, core.n_neurons), np.int16)
    for density in DENSITIES[1:]:
        matrix = _matrix(rng, core, density)
        needed = format.options_of(core.lanes, matrix)
        if all(needed[name] <= core.synapse_options[name] for name in needed):
            best = matrix
    if not best.any():  # at least one synapse
        best[rng.integers(core.n_axons), rng.integers(core.n_neurons)] = core.weight_max
    return format.stored(core, best, "core")


def _matrix(rng: np.random.Generator, core: CoreParams, density: float) -> np.ndarray:
    values = rng.integers(core.weight_min, core.weight_max + 1, (core.n_axons, core.n_neurons))
    values[:, 0], values[:, -1] = core.weight_max, core.weight_min or 1
    return (values * (rng.random(values.shape) < density)).astype(np.int16)
