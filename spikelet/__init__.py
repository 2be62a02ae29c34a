"""Spikelet: from a spiking neural network to a chip whose every spike is proven.

The names below are the Python API; each is loaded when it is first used, so that the golden model
can be had without the hardware tools.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

if not Path(__file__).with_name("golden").is_dir():
    # A source tree, where golden, sim and the others stand beside this folder: its own are taken,
    # whatever checkout the environment was made from, so that two are never mixed.
    __path__.append(str(Path(__file__).parents[1]))

_HOMES = {
    "Adaptation": "spikelet.description.neurons.adaptation",
    "ChipState": "spikelet.description.chip.state",
    "CompiledNetwork": "spikelet.compiler.compiled",
    "Learned": "spikelet.runs.learned",
    "LearningRule": "spikelet.description.learning.rule",
    "NeuronModel": "spikelet.description.neurons.model",
    "PlacementLimits": "spikelet.compiler.place",
    "Plastic": "spikelet.compiler.plastic",
    "PlasticNetwork": "spikelet.network.builder",
    "RULES": "spikelet.description.learning.named_rules",
    "Samples": "spikelet.samples.samples",
    "SpikeletError": "spikelet.description.errors",
    "Trace": "spikelet.description.run.recording",
    "TraceParams": "spikelet.description.learning.rule",
    "assign_labels": "spikelet.samples.labels",
    "classify_by_labels": "spikelet.samples.labels",
    "compile_network": "spikelet.compiler.compiled",
    "latency": "spikelet.samples.encode",
    "load_network": "spikelet.nir.importer",
    "load_samples": "spikelet.samples.samples",
    "load_task": "spikelet.network.toml_file",
    "neuron_model": "spikelet.description.neurons.models",
    "neuron_models": "spikelet.description.neurons.models",
    "poisson": "spikelet.samples.encode",
    "rank_order": "spikelet.samples.encode",
    "rate": "spikelet.samples.encode",
    "read_neuron_model": "spikelet.description.neurons.models",
    "rest": "spikelet.samples.encode",
    "simulate": "spikelet.runs.engines",
    "verify": "spikelet.runs.verify",
    "write_nir": "spikelet.nir.export",
}

__all__ = [
    "RULES",
    "Adaptation",
    "ChipState",
    "CompiledNetwork",
    "Learned",
    "LearningRule",
    "NeuronModel",
    "PlacementLimits",
    "Plastic",
    "PlasticNetwork",
    "Samples",
    "SpikeletError",
    "Trace",
    "TraceParams",
    "assign_labels",
    "classify_by_labels",
    "compile_network",
    "latency",
    "load_network",
    "load_samples",
    "load_task",
    "neuron_model",
    "neuron_models",
    "poisson",
    "rank_order",
    "rate",
    "read_neuron_model",
    "rest",
    "simulate",
    "verify",
    "write_nir",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
