"""Plastic cores with teachers and rules that read their neurons' errors, for differential tests."""

from dataclasses import replace

import numpy as np

from spikelet.description.chip.core import CoreParams
from tests.helpers.random_plastic import random_plastic_chip, with_teachers

__all__ = ["random_taught_core"]


def random_taught_core(rng: np.random.Generator) -> CoreParams:
    """Return a small plastic core with axons of teachers, and a rule that reads ``e``."""
    while True:
        core = random_plastic_chip(rng, most_cores=1).cores[0]
        lanes = int(rng.choice([1, 2, 4]))
        small = replace(
            core,
            n_axons=int(rng.integers(2, 9)),
            transmission=False,
            n_neurons=lanes * int(rng.integers(1, 4)),
            lanes=lanes,
            pipelines=1,
        )
        if found := with_teachers(rng, small):
            return found
