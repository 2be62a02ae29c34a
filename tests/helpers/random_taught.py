"""Plastic cores with teachers and rules that read their neurons' errors, for differential tests."""

from dataclasses import replace

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.error import ErrorParams, with_error
from tests.helpers.random_plastic import random_plastic_chip, random_rule, random_trace

__all__ = ["random_taught_core"]

_TERMS = (
    "2^-2*e*x1",
    "2^-4*e*(x1 - 3)",
    "e*x0",
    "2^-1*e*y0",
    "3*y0*(e < 0)",
    "2^-3*r*e*x1",
    "2^-1*(e >= 4)*(x1 > 2)*y0*x0",
    "2^-5*e*(w_max - w)",
    "(e != 0)*x1",
)


def random_taught_core(rng: np.random.Generator) -> CoreParams:
    """Return a small plastic core, some of whose axons are teachers, with a rule that reads ``e``.

    Half of the terms are those of any rule; with a tag they may load it, too.
    """
    while True:
        core = random_plastic_chip(rng, most_cores=1).cores[0]
        lanes = int(rng.choice([1, 2, 4]))
        error = ErrorParams(
            bits=int(rng.integers(2, 10)),
            decay=int(rng.choice([0, 2000, 4000])),
            spike=int(rng.choice([0, 1, 9])),
            window=int(rng.integers(0, 40)) if rng.integers(2) else None,
        )
        n_axons = int(rng.integers(2, 9))
        rule = random_rule(rng, core)
        extra = [str(term) for term in rng.choice(_TERMS, rng.integers(1, 3), replace=False)]
        fields = rule.to_dict()
        target = "dt" if rule.dt and rng.integers(2) else "dw"
        fields |= {target: " - ".join([fields[target], *extra]), "error_bits": error.bits}
        used = f"{fields['dw']} {fields['dt']}"
        for name in ("x1", "x2", "y1", "y2"):
            fields[name] = getattr(rule, name) or (random_trace(rng) if name in used else None)
        try:
            return replace(
                core,
                n_axons=n_axons,
                teacher_axons=int(rng.integers(1, n_axons)),
                n_neurons=lanes * int(rng.integers(1, 4)),
                lanes=lanes,
                pipelines=1,
                neuron=with_error(core.neuron, error),
                learning=type(rule)(**fields),
            )
        except SpikeletError:
            continue
