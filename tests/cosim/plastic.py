"""Small plastic cores, each of which shows something else, for the benches of learning."""

from dataclasses import replace
from typing import Any

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.chance import with_chance
from spikelet.description.neurons.error import ErrorParams, with_error
from spikelet.description.neurons.models import neuron_model
from tests.helpers.random_plastic import random_plastic_image

__all__ = ["CORES", "WITH_DEVICES", "plastic_chip", "plastic_image"]

_ADD = TraceParams(increment=5, decay_shift=2, bits=4)
_SET = TraceParams(increment=9, decay=3000, bits=5, mode="set")
_LONG = TraceParams(increment=100, decay=3800, bits=8)
_BRIEF = TraceParams(increment=1, bits=1, mode="set")

_SHAPE = {"n_axons": 37, "n_neurons": 16, "lanes": 4, "pipelines": 2, "weight_bits": 5}

CORES: dict[str, dict[str, Any]] = {
    # Pairs of spikes, all to all, with stochastic rounding, and short-term plasticity.
    "pairs": {
        "short_term": ShortTermPlasticity(20000, 60000),
        "learning": LearningRule(
            "2^-2*x1*y0 - 2^-3*x0*y1",
            x1=_ADD,
            y1=_LONG,
            w_min=-12,
            w_max=11,
            rounding="stochastic",
        ),
    },
    # Triplets: five traces, soft bounds, comparisons; two traces are read before the spike.
    # Neurons of other cores inhibit too.
    "triplets": {
        "learning": LearningRule(
            "2^-6*x1*y0*(y2 + 4)*(w_max - w) - 2^-6*x0*y1*(x2 + 1)*(w - w_min)"
            " - x0*(x1 == 0) + y0*(x2 < 2) + 2^-7*y0*x1*y3 - 2^-5*x0*y3",
            x1=_SET,
            x2=_ADD,
            y1=_ADD,
            y2=_SET,
            y3=_LONG,
            w_min=0,
            w_max=15,
        ),
        "weight_memory": "spram",
        "delay_slots": 4,
        "pipelines": 4,
        "parameters": {"decay": "shared", "inhibition": "shared"},
        "transmission": True,
        "inhibition_axon": True,
        "short_term": ShortTermPlasticity(9000, 62000, 50000),
    },
    # Tags and reward; both targets draw; sweeps with and without a period; a bit of each axon.
    "tagged": {
        "learning": LearningRule(
            "2^-5*r*t + 2^-2*u2*(t > 3) - u3*(w > 20)",
            "x1*y0 - 2^-1*x0*y1*(b == 1) - 2^-3*u1*t*(b == 0)",
            x1=_LONG,
            y1=_BRIEF,
            w_min=0,
            w_max=31,
            rounding="stochastic",
            tag_bits=5,
            tag_rounding="stochastic",
            reward_bits=5,
        ),
        "weight_format": "unsigned",
        "parameters": {
            "decay": "shared",
            **Adaptation(increment=40, decay_shift=3, fraction_bits=2, bits=9).constants,
        },
        "n_axons": 20,
    },
    # No traces at all: the potential decides, a post spike weakens what is silent.
    "voltage": {
        "learning": LearningRule(
            "3*x0*(v > 40) - 2*x0*(v <= 40) + 2^-3*x0*v*(v < 0) - 4*y0 + 7*x0*y0*b",
            w_min=-16,
            w_max=15,
        ),
        "n_axons": 5,
        "pipelines": 1,
        "weight_memory": "spram",
    },
    # One lane, many groups; the tag rounds towards zero.
    "single": {
        "learning": LearningRule(
            "x0*t*2^-1 - y0*x1*2^-2",
            "x0*y1 - 2^-2*y0*x1*t + 2^-4*r*(t - 3)",
            x1=_SET,
            y1=_SET,
            w_min=-3,
            w_max=100,
            tag_bits=4,
            reward_bits=3,
        ),
        "weight_bits": 8,
        "transmission": True,
        "lanes": 1,
        "pipelines": 1,
        "n_neurons": 6,
        "n_axons": 12,
    },
    # Three noisy devices a synapse, of all that can be wrong with them; both phases give pulses.
    "devices": {
        "learning": LearningRule(
            "2^-2*x1*y0 - 2^-1*x0*y1*(w > 8)", x1=_ADD, y1=_SET, rounding="stochastic"
        ).with_devices(
            Devices(
                3,
                up=tuple(range(70, 10, -5)),
                down=(9, 40, 31, 26, 18, 22, 17, 16, 20, 60, 90, 255),
                noise=20,
                off=1,
                faults=True,
                variation=True,
                write_bits=5,
            )
        ),
        "weight_format": "unsigned",
        "weight_bits": 6,
    },
    # Devices that do not draw, in memories of one port, with tags that do.
    "whole_devices": {
        "learning": LearningRule(
            "x0*y1 - 2*y0*x1 - u2*(t > 2)",
            "x0*y1 - 2^-1*t*y0",
            x1=_ADD,
            y1=_BRIEF,
            tag_bits=4,
            tag_rounding="stochastic",
        ).with_devices(Devices(2, up=(16,) * 5, down=(0, 16, 32, 16, 48), bits=3, write_bits=2)),
        "weight_memory": "spram",
        "n_axons": 9,
    },
    # One device a synapse, which draws although the rule does not.
    "one_device": {
        "learning": LearningRule("x0*y1 - y0*x1", x1=_SET, y1=_SET).with_devices(
            Devices(1, up=(5,) * 16, down=(200,) * 16)
        ),
        "n_axons": 5,
        "lanes": 1,
        "pipelines": 1,
        "n_neurons": 6,
    },
    # Teachers: an error that leaks and counts the neuron's own spikes; both targets draw.
    "taught": {
        "learning": LearningRule(
            "2^-3*e*x1 - 2^-2*x1*y0 + 2^-4*e*r*(t + 1)",
            "2^-2*e*x0 - 2^-1*x0*y1 - 2^-3*u1*t",
            x1=_LONG,
            y1=_BRIEF,
            w_min=-16,
            w_max=15,
            rounding="stochastic",
            tag_bits=4,
            reward_bits=4,
            error_bits=6,
        ),
        "neuron": with_error(
            neuron_model("snntorch-subtract"), ErrorParams(bits=6, decay=3000, spike=5)
        ),
        "n_axons": 27,
        "transmission": True,
        "short_term": ShortTermPlasticity(20000, 60000, 40000),
        "teacher_axons": 9,
    },
    # An error by itself counts only where a neuron fires; it has a window; one lane in SPRAM.
    "window": {
        "learning": LearningRule(
            "x1*y0*e - 2^-1*x0*y1 + 2*y0*(e < 0)",
            x1=_SET,
            y1=_BRIEF,
            w_min=-12,
            w_max=15,
            error_bits=9,
        ),
        "neuron": with_error(neuron_model("nir-euler"), ErrorParams(bits=8, decay=3900, window=20)),
        "weight_memory": "spram",
        "n_axons": 17,
        "teacher_axons": 16,
        "lanes": 1,
        "pipelines": 1,
        "n_neurons": 6,
    },
    # Errors, two rules and devices in one core; devices also take pulses from errors alone.
    "taught_devices": {
        "learning": LearningRule(
            "2^-1*e*x1*(b == 0) - x0*y1*(b == 1) + x1*y0*(b == 1)",
            x1=_ADD,
            y1=_BRIEF,
            rounding="stochastic",
            error_bits=6,
        ).with_devices(Devices(3, up=(16, 12, 9, 7), down=(5, 9, 14, 20), noise=9, write_bits=3)),
        "neuron": with_error(
            neuron_model("snntorch-subtract"), ErrorParams(bits=6, decay=2000, spike=25)
        ),
        "weight_exponent": 0,
        "n_axons": 10,
        "transmission": True,
        "teacher_axons": 5,
    },
    # Noisy differential pairs, of all that can be wrong with them, which the chip refreshes.
    "device_pairs": {
        "learning": LearningRule(
            "2^-2*x1*y0 - 2^-1*x0*y1*(w > -8)", x1=_ADD, y1=_SET, rounding="stochastic"
        ).with_devices(
            Devices(
                2,
                up=(40, 33, 30, 28, 25, 19, 16, 12),
                down=(255,) * 8,
                bits=3,
                noise=14,
                faults=True,
                variation=True,
                write_bits=3,
                pairs=True,
                refresh=5,
            )
        ),
    },
    # Bit slices of pairs that nothing refreshes and that do not draw, in memories of one port.
    "whole_pairs": {
        "learning": LearningRule("x0*y1 - y0*x1", x1=_SET, y1=_SET).with_devices(
            Devices(3, up=(16, 0, 32, 16, 16), down=(16,) * 5, bits=3, pairs=True, slice_bits=2)
        ),
        "weight_bits": 8,
        "weight_memory": "spram",
        "n_axons": 9,
    },
    # Bit slices that draw.
    "device_slices": {
        "learning": LearningRule("x0*y1 - y0*x1", x1=_SET, y1=_SET).with_devices(
            Devices(2, up=(16, 11, 8, 5), down=(5, 16, 9, 20), bits=2, slice_bits=2)
        ),
        "n_axons": 5,
        "lanes": 2,
        "n_neurons": 6,
    },
    # The three-factor rule of probabilistic networks: their chance, and reward by way of a tag.
    "chance": {
        "learning": LearningRule(
            "2^-2*r*t - 2^-6*x0*p",
            "2^-4*x1*y0*32 - 2^-4*x1*p",
            x1=_ADD,
            w_min=-16,
            w_max=15,
            rounding="stochastic",
            tag_bits=6,
            reward_bits=4,
            error_bits=6,
        ),
        "neuron": with_chance(neuron_model("probabilistic"), 6),
        "parameters": {"decay": "shared", "reset": 9},
        "weight_exponent": 2,
        "potential_bits": 12,
        "n_axons": 12,
    },
    # Devices behind axons with short-term plasticity, inhibited by neurons of other cores.
    "scaled_devices": {
        "learning": LearningRule("x0*y1 - 2^-2*y0*x1", x1=_SET, y1=_BRIEF).with_devices(
            Devices(2, up=(16, 11, 8), down=(9, 12, 30), faults=True)
        ),
        "n_axons": 19,
        "parameters": {"decay": "shared", "inhibition": "shared"},
        "inhibition_axon": True,
        "short_term": ShortTermPlasticity(20000, 60000, 30000),
    },
}
"""Fields of :class:`CoreParams` by name; the others have the shape of all."""

WITH_DEVICES = [name for name, core in CORES.items() if core["learning"].devices]
"""Those whose synapses are made of devices."""


def plastic_chip(name: str, *, cores: int = 1, **fields: Any) -> ChipParams:
    """Return a chip of so many equal plastic cores."""
    core = CoreParams(
        **{
            **_SHAPE,
            "neuron": neuron_model("snntorch-subtract"),
            "parameters": {"decay": "shared"},
            "potential_bits": 9,
            "weight_exponent": 1,
            "list_entries": 24,
            **CORES[name],
            **fields,
        }
    )
    return ChipParams((core,) * cores, cores, 1, 9)


def plastic_image(chip: ChipParams, seed: int) -> ChipImage:
    """Return random contents for a chip; most axons are plastic, and neurons fire easily."""
    image = random_plastic_image(np.random.default_rng(seed), chip)
    cores = []
    for core in image.cores:
        threshold = np.minimum(core.parameters["threshold"], 20)
        cores.append(replace(core, parameters={**core.parameters, "threshold": threshold}))
    return ChipImage(tuple(cores))
