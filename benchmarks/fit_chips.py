"""Chips to fit the coefficients of the fit check to, and others to try them on."""

from dataclasses import replace
from typing import Any

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.named_rules import (
    binary_stdp,
    pair_stdp,
    querlioz,
    reward_stdp,
    sdsp,
    target_stdp,
    triplet_stdp,
)
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape

__all__ = ["FITTED", "HELD_OUT"]


def _core(
    n_axons: int = 64,
    n_neurons: int = 64,
    neuron: str = "snntorch-subtract",
    adaptation: Adaptation | None = None,
    **fields: Any,
) -> CoreParams:
    """Return a core; ``fields`` are its own and its neuron model's parameters."""
    model = neuron_model(neuron)
    given = {name: fields.pop(name) for name in model.parameter_names if name in fields}
    parameters = {"decay": "shared", **given, **(adaptation.constants if adaptation else {})}
    fields.setdefault("weight_bits", 4)
    return CoreParams(n_axons, n_neurons, model, parameters=parameters, **fields)


def _plastic(
    rule: LearningRule, n_axons: int = 64, n_neurons: int = 64, **fields: Any
) -> CoreParams:
    fields.setdefault("weight_bits", 8)
    return _core(n_axons, n_neurons, "snntorch-zero", learning=rule, **fields)


def _chip(core: CoreParams, width: int = 1, height: int = 1, **fields: Any) -> ChipParams:
    fields.setdefault("n_outputs", 64)
    return ChipParams((core,) * (width * height), width, height, **fields)


def _shared(convolution: ConvolutionShape, synapses: str = "shared", **fields: Any) -> CoreParams:
    options = convolution.options()
    n_axons, n_neurons = convolution.n_axons, convolution.n_neurons
    return _core(n_axons, n_neurons, synapses=synapses, synapse_options=options, **fields)


def _sparse(n_axons: int, n_neurons: int, entries: int, fan_in: int, **fields: Any) -> CoreParams:
    options = {"entries": entries, "fan_in": fan_in}
    return _core(n_axons, n_neurons, synapses="sparse", synapse_options=options, **fields)


def _rule(dw: str, **fields: Any) -> LearningRule:
    return LearningRule(dw, **fields)


def _nearest(bits: int = 8, **fields: Any) -> LearningRule:
    return pair_stdp(trace_bits=bits, rounding="nearest", **fields)


_OF_EACH_NEURON: dict[str, Any] = dict.fromkeys(
    ("threshold", "decay", "bias", "reset_potential"), "neuron"
)
_BINARY: dict[str, Any] = {"weight_bits": 1, "weight_format": "unsigned"}
_SPRAM: dict[str, Any] = {"weight_memory": "spram"}

FITTED: dict[str, dict[str, ChipParams]] = {
    "ecp5": {
        "16 lanes": _chip(_core(256, lanes=16)),
        "64 lanes, 4 pipelines": _chip(_core(256, lanes=64, pipelines=4)),
        "32 lanes, 4 pipelines, 24 bits": _chip(
            _core(256, lanes=32, pipelines=4, potential_bits=24)
        ),
        "all parameters of each neuron": _chip(
            _core(200, neuron="nir-euler", lanes=4, pipelines=2, **_OF_EACH_NEURON)
        ),
        "2 cores": _chip(_core(lanes=8), 2),
        "lists, long delays": _chip(
            _core(512, lanes=8, list_entries=200, weight_bits=8, delay_slots=16)
        ),
        "4 cores, multicast": _chip(_core(lanes=4), 2, 2, multicast=True),
        "6 cores, torus": _chip(_core(lanes=4), 3, 2, topology="torus"),
        "4 cores, tree": _chip(_core(16, 16, lanes=4), 4, topology="tree"),
        "1,024 axons, binary, no decay": _chip(
            _core(
                1024,
                lanes=16,
                decay=4096,
                weight_bits=1,
                weight_format="binary",
                potential_bits=12,
            )
        ),
        "small": _chip(_core(16, 16, lanes=4, weight_bits=2, potential_bits=8), n_outputs=4),
        "immediate reset, inhibition": _chip(
            _core(
                128,
                neuron="snntorch-subtract-immediate",
                lanes=16,
                inhibition="shared",
                bias="shared",
            )
        ),
        "8 pipelines, immediate reset": _chip(
            _core(neuron="snntorch-zero-immediate", lanes=16, pipelines=8, threshold="neuron")
        ),
        "pair STDP, stochastic": _chip(_plastic(pair_stdp(trace_bits=8), lanes=8)),
        "pair STDP, 2 cores": _chip(_plastic(_nearest(), lanes=4), 2),
        "pair STDP, one group": _chip(_plastic(_nearest(), 16, 16, lanes=16), n_outputs=16),
        "pair STDP, 16 lanes": _chip(_plastic(_nearest(), 256, lanes=16)),
        "pair STDP, 32 lanes, 4 pipelines": _chip(
            _plastic(_nearest(), 256, 128, lanes=32, pipelines=4)
        ),
        "pair STDP, soft bounds": _chip(_plastic(pair_stdp(soft=True), lanes=4)),
        "triplet STDP": _chip(_plastic(triplet_stdp(), 128, lanes=4)),
        "reward STDP": _chip(_plastic(reward_stdp(), lanes=4)),
        "reward STDP, 2 pipelines": _chip(
            _plastic(
                reward_stdp(trace_bits=8, tag_bits=4, rounding="nearest"),
                128,
                lanes=8,
                pipelines=2,
                adaptation=Adaptation(64, decay_shift=8, bits=16),
                inhibition="shared",
            )
        ),
        "rule of potentials": _chip(
            _plastic(
                _rule(
                    "2^-4*x1*y0 - 2^-3*x0*y1*(v > 100)",
                    x1=TraceParams(16, 3900),
                    y1=TraceParams(16, decay_shift=4),
                ),
                lanes=8,
                pipelines=2,
            )
        ),
        "rule of constants": _chip(
            _plastic(
                _rule(
                    "x1*y0 - 3*y0 - 2^-1*x0*y1 + 2^-2*u3",
                    x1=TraceParams(4, decay_shift=3, bits=4),
                    y1=TraceParams(8, decay_shift=4, bits=5),
                    rounding="stochastic",
                    w_max=15,
                ),
                lanes=16,
                weight_bits=5,
            )
        ),
        "rule of a reward": _chip(
            _plastic(
                _rule(
                    "2^-3*x1*y0 - 2^-4*w*u4 - 2^-5*r*u2",
                    x1=TraceParams(12, 3000, bits=6),
                    w_max=63,
                ),
                48,
                32,
                lanes=8,
                weight_bits=7,
            ),
            n_outputs=8,
        ),
        "target STDP, adaptation": _chip(
            _plastic(target_stdp(), 256, lanes=8, adaptation=Adaptation(256))
        ),
        "SDSP": _chip(_plastic(sdsp(theta_v=300, w_max=127), lanes=8)),
        "binary STDP": _chip(_plastic(binary_stdp(), 128, lanes=16, **_BINARY)),
        "Querlioz": _chip(_plastic(querlioz(), lanes=4)),
    },
    "ice40": {
        "4 lanes": _chip(_core(256, lanes=4, **_SPRAM)),
        "16 lanes": _chip(_core(256, lanes=16, **_SPRAM)),
        "2 cores": _chip(_core(64, 32, lanes=8, **_SPRAM), 2),
        "32 lanes, 2 pipelines": _chip(_core(128, lanes=32, pipelines=2, weight_bits=2)),
        "neuron parameters, 20 bits": _chip(
            _core(
                100,
                32,
                "nir-euler",
                lanes=4,
                threshold="neuron",
                bias="neuron",
                reset_potential="shared",
                potential_bits=20,
            )
        ),
        "3 cores": _chip(_core(32, 16, lanes=4, weight_bits=3, potential_bits=12), 3),
        "immediate reset, lists": _chip(
            _core(
                200,
                64,
                "snntorch-subtract-immediate",
                lanes=8,
                inhibition="shared",
                list_entries=64,
                **_SPRAM,
            )
        ),
        "pair STDP": _chip(_plastic(_nearest(), lanes=2, **_SPRAM)),
        "pair STDP, stochastic": _chip(_plastic(pair_stdp(trace_bits=8), lanes=4, **_SPRAM)),
        "target STDP": _chip(_plastic(target_stdp(trace_bits=6), 128, lanes=2, **_SPRAM)),
        "reward STDP": _chip(_plastic(reward_stdp(trace_bits=8, tag_bits=4), 64, 32, lanes=2)),
        "rule of potentials": _chip(
            _plastic(
                _rule(
                    "2^-4*x1*y0 - 2^-3*x0*(v > 100)", x1=TraceParams(16, decay_shift=5), w_max=63
                ),
                32,
                16,
                lanes=4,
                weight_bits=7,
            )
        ),
        "binary STDP": _chip(_plastic(binary_stdp(), 64, 32, lanes=8, **_BINARY)),
    },
}
"""Chips by family and name, to which the coefficients are fitted."""

HELD_OUT: dict[str, dict[str, ChipParams]] = {
    "ecp5": {
        "784 x 128": _chip(_core(784, 128, "snntorch-zero-immediate", lanes=16), n_outputs=10),
        "2 cores of 2 kinds": ChipParams(
            (_core(64, 32, lanes=8, weight_bits=6), _core(32, 12, lanes=4, weight_bits=6)),
            2,
            1,
            n_outputs=10,
        ),
        "4 cores, 20 bits": _chip(_core(100, 32, lanes=8, potential_bits=20), 2, 2),
        "32 lanes, all parameters": _chip(
            _core(
                300,
                64,
                "nir-euler",
                lanes=32,
                pipelines=2,
                **{**_OF_EACH_NEURON, "reset_potential": "shared"},
            )
        ),
        "64 lanes, 8-bit weights": _chip(_core(256, 256, lanes=64, pipelines=2, weight_bits=8)),
        "5 cores, line": _chip(
            _core(32, 16, lanes=4, weight_bits=3), 5, topology="line", n_outputs=10
        ),
        "long delays, lists, inhibition": _chip(
            _core(
                128,
                lanes=16,
                delay_slots=8,
                list_entries=100,
                inhibition="shared",
                threshold="neuron",
            )
        ),
        "pair STDP, 256 x 256": _chip(_plastic(_nearest(), 256, 256, lanes=16)),
        "pair STDP, 12-bit traces": _chip(_plastic(pair_stdp(), 256, 64, lanes=8)),
        "triplet STDP, 2 pipelines": _chip(
            _plastic(triplet_stdp(rounding="nearest"), 100, 32, lanes=8, pipelines=2)
        ),
        "reward STDP, adaptation": _chip(
            _plastic(reward_stdp(), 128, lanes=8, adaptation=Adaptation(256, decay_shift=10))
        ),
        "target STDP, 784 axons": _chip(
            _plastic(target_stdp(), 784, lanes=4, adaptation=Adaptation(128), inhibition="shared")
        ),
        "binary STDP beside a core": ChipParams(
            (_plastic(binary_stdp(), 64, 32, lanes=8, **_BINARY), _core(32, 16, lanes=4)),
            2,
            1,
            n_outputs=10,
        ),
        "nearest spikes, 32 lanes": _chip(
            _plastic(
                _rule(
                    "2^-5*x1*y0 - 2^-4*x0*y1",
                    x1=TraceParams(40, decay_shift=3, mode="set"),
                    y1=TraceParams(30, decay_shift=4, bits=7),
                ),
                lanes=32,
                pipelines=2,
            )
        ),
        "2 convolutions and a dense core": ChipParams(
            (
                _shared(ConvolutionShape(24, 24, 2, 12, 12, 16, 5, 5, 2, 2, 1, 1, 2, 2), lanes=8),
                _shared(
                    ConvolutionShape(12, 12, 16, 10, 10, 24, 3, 3),
                    lanes=8,
                    pipelines=2,
                    weight_bits=6,
                ),
                _core(256, 32, lanes=16),
            ),
            3,
            1,
            n_outputs=32,
        ),
        "dilated convolution": _chip(
            _shared(
                ConvolutionShape(20, 30, 3, 20, 26, 6, 3, 3, 1, 1, 2, 2, 2),
                lanes=2,
                threshold="neuron",
            )
        ),
        "784 x 128, rows": _chip(_sparse(784, 128, 3300, 110, lanes=8)),
        "256 x 64, rows, 4 pipelines": _chip(
            _sparse(256, 64, 600, 40, lanes=16, pipelines=4, threshold="neuron")
        ),
        "512 x 100, rows, one lane": _chip(_sparse(512, 100, 5000, 80, lanes=1, weight_bits=8)),
        "1024 x 256, rows": _chip(_sparse(1024, 256, 9000, 200, lanes=4, pipelines=2)),
        "2 gathered convolutions": ChipParams(
            (
                _shared(ConvolutionShape(28, 28, 1, 14, 14, 6, 5, 5, 2, 2), "gather", lanes=8),
                _shared(ConvolutionShape(14, 14, 6, 7, 7, 20, 3, 3, 2, 2), "gather", pipelines=2),
            ),
            2,
            1,
            n_outputs=32,
        ),
    },
    "ice40": {
        "784 x 64": _chip(_core(784, lanes=8, **_SPRAM), n_outputs=10),
        "4 cores": _chip(_core(32, 16, lanes=4), 2, 2, n_outputs=10),
        "16 lanes, 24 bits": _chip(_core(lanes=16, pipelines=2, potential_bits=24, weight_bits=3)),
        "small, immediate reset": _chip(
            _core(48, 24, "snntorch-zero-immediate", lanes=8, bias="neuron"), n_outputs=4
        ),
        "pair STDP, 256 x 256": _chip(_plastic(_nearest(), 256, 256, lanes=4, **_SPRAM)),
        "triplet STDP": _chip(
            _plastic(triplet_stdp(rounding="nearest", slow_trace_bits=8), 64, 32, lanes=2, **_SPRAM)
        ),
        "nearest spikes, adaptation": _chip(
            _plastic(
                _nearest(6, nearest=True),
                64,
                32,
                lanes=4,
                adaptation=Adaptation(64, bits=16),
                **_SPRAM,
            )
        ),
        "SDSP": _chip(_plastic(sdsp(theta_v=300, w_max=15), 64, 32, lanes=4, weight_bits=5)),
        "convolution": _chip(
            _shared(ConvolutionShape(16, 16, 2, 14, 14, 4, 3, 3), lanes=4, **_SPRAM)
        ),
        "256 x 64, rows": _chip(_sparse(256, 64, 1000, 40, lanes=4)),
        "128 x 64, rows, 2 pipelines": _chip(_sparse(128, 64, 300, 20, lanes=8, pipelines=2)),
        "400 x 32, rows, one lane": _chip(_sparse(400, 32, 1200, 60, lanes=1, weight_bits=6)),
        "300 x 256, rows": _chip(_sparse(300, 256, 2000, 40, lanes=2)),
        "gathered convolution": _chip(
            _shared(
                ConvolutionShape(28, 28, 1, 14, 14, 6, 3, 3, 2, 2, 1, 1, 1, 1), "gather", lanes=8
            )
        ),
    },
}
"""Chips that no coefficient comes from, to tell the error of the estimate."""


def _in_block_ram(chip: ChipParams) -> ChipParams:
    """Return a chip that keeps its weights in block RAM."""
    cores = tuple(replace(core, weight_memory="block") for core in chip.cores)
    return replace(chip, cores=cores)


_SOME_FITTED = (
    "4 lanes",
    "2 cores",
    "32 lanes, 2 pipelines",
    "neuron parameters, 20 bits",
    "3 cores",
    "immediate reset, lists",
    "pair STDP",
    "binary STDP",
)
_SOME_HELD_OUT = (
    "784 x 64",
    "4 cores",
    "small, immediate reset",
    "SDSP",
    "convolution",
    "256 x 64, rows",
)
# These families have a sister whose coefficients are the first guess, so that fewer chips do.
for _family in ("ice40-hx", "gatemate", "gowin"):
    for _chips, _some in ((FITTED, _SOME_FITTED), (HELD_OUT, _SOME_HELD_OUT)):
        _chips[_family] = {title: _in_block_ram(_chips["ice40"][title]) for title in _some}
