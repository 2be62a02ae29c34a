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
    "RULES": ("spikelet.description.learning.named_rules", "RULES"),
    "Adaptation": ("spikelet.description.neurons.adaptation", "Adaptation"),
    "ChipState": ("spikelet.description.chip.state", "ChipState"),
    "CompiledNetwork": ("spikelet.compiler.compiled", "CompiledNetwork"),
    "Drift": ("spikelet.description.learning.drift", "Drift"),
    "Devices": ("spikelet.description.learning.devices", "Devices"),
    "ErrorParams": ("spikelet.description.neurons.error", "ErrorParams"),
    "IntegerNetwork": ("spikelet.network.integers", "IntegerNetwork"),
    "LearningRule": ("spikelet.description.learning.rule", "LearningRule"),
    "NeuronModel": ("spikelet.description.neurons.model", "NeuronModel"),
    "PlacementLimits": ("spikelet.network.limits", "PlacementLimits"),
    "Preset": ("spikelet.description.presets.preset", "Preset"),
    "PlasticNetwork": ("spikelet.network.builder", "PlasticNetwork"),
    "Run": ("spikelet.runs.run_result", "Run"),
    "Samples": ("spikelet.samples.samples", "Samples"),
    "ShortTermPlasticity": ("spikelet.description.learning.short_term", "ShortTermPlasticity"),
    "SpikeletError": ("spikelet.description.errors", "SpikeletError"),
    "Recording": ("spikelet.description.run.recording", "Recording"),
    "TraceParams": ("spikelet.description.learning.rule", "TraceParams"),
    "Tuning": ("spikelet.tuning.tune", "Tuning"),
    "Binning": ("spikelet.event_data.binning", "Binning"),
    "Variability": ("spikelet.description.learning.variability", "Variability"),
    "assign_labels": ("spikelet.samples.labels", "assign_labels"),
    "bin_events": ("spikelet.event_data.convert", "bin_events"),
    "build": ("spikelet.verbs", "build"),
    "check": ("spikelet.support", "check"),
    "classify_by_labels": ("spikelet.samples.labels", "classify_by_labels"),
    "Conversion": ("spikelet.conversion.convert", "Conversion"),
    "compile": ("spikelet.compiler.compile", "compile_network"),
    "convert": ("spikelet.conversion.convert", "convert"),
    "data": ("spikelet.data_summary", "data"),
    "delta": ("spikelet.samples.encode", "delta"),
    "device_model": ("spikelet.description.learning.device_model", "device_model"),
    "compensated": ("spikelet.network.device_drift", "compensated"),
    "drifted": ("spikelet.network.device_drift", "drifted"),
    "written": ("spikelet.network.device_writing", "written"),
    "direct": ("spikelet.samples.encode", "direct"),
    "from_norse": ("spikelet.frameworks.from_module", "from_norse"),
    "from_sinabs": ("spikelet.frameworks.from_module", "from_sinabs"),
    "from_snntorch": ("spikelet.frameworks.from_module", "from_snntorch"),
    "from_spikingjelly": ("spikelet.frameworks.from_module", "from_spikingjelly"),
    "grid": ("spikelet.network.grid", "grid"),
    "latency": ("spikelet.samples.encode", "latency"),
    "learn": ("spikelet.verbs", "learn"),
    "load_learning_samples": ("spikelet.samples.plastic_samples", "load_learning_samples"),
    "load_network": ("spikelet.nir.importer", "load_network"),
    "load_rule": ("spikelet.network.toml_file", "load_rule"),
    "load_samples": ("spikelet.samples.samples", "load_samples"),
    "load_toml": ("spikelet.network.toml_file", "load_toml"),
    "neuron_model": ("spikelet.description.neurons.models", "neuron_model"),
    "neuron_models": ("spikelet.description.neurons.models", "neuron_models"),
    "masked": ("spikelet.description.learning.masks", "masked"),
    "poisson": ("spikelet.samples.encode", "poisson"),
    "population": ("spikelet.samples.encode", "population"),
    "prune": ("spikelet.compiler.pruning", "prune"),
    "preset": ("spikelet.description.presets.presets", "preset"),
    "presets": ("spikelet.description.presets.presets", "presets"),
    "rank_order": ("spikelet.samples.encode", "rank_order"),
    "rate": ("spikelet.samples.encode", "rate"),
    "read_neuron_model": ("spikelet.description.neurons.models", "read_neuron_model"),
    "report": ("spikelet.verbs", "report"),
    "rest": ("spikelet.samples.encode", "rest"),
    "run": ("spikelet.runs.run", "run"),
    "run_streamed": ("spikelet.runs.streamed", "run_streamed"),
    "Sweep": ("spikelet.sweeps.sweep", "Sweep"),
    "sweep": ("spikelet.sweeps.sweep", "sweep"),
    "tune": ("spikelet.tuning.tune", "tune"),
    "verify": ("spikelet.runs.verify", "verify"),
    "write_nir": ("spikelet.nir.export", "write_nir"),
}
"""Module, and name there, of each name here."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _HOMES[name]
    return getattr(import_module(module), there)
