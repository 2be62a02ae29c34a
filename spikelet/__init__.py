"""Spikelet: from a spiking neural network to a chip whose every spike is proven.

The names below are the Python API; each is loaded when it is first used, so that the golden model
can be had without the hardware tools.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "RULES": "spikelet.description.named_rules",
    "Adaptation": "spikelet.description.learning",
    "ChipState": "spikelet.description.state",
    "CompiledNetwork": "spikelet.road.compiled",
    "Learned": "spikelet.plastic.learned",
    "LearningRule": "spikelet.description.learning",
    "PlacementLimits": "spikelet.road.place",
    "Plastic": "spikelet.plastic.chip",
    "PlasticNetwork": "spikelet.plastic.network",
    "Samples": "spikelet.road.samples",
    "SpikeletError": "spikelet.errors",
    "Trace": "spikelet.description.trace",
    "TraceParams": "spikelet.description.learning",
    "assign_labels": "spikelet.plastic.labels",
    "classify_by_labels": "spikelet.plastic.labels",
    "compile_network": "spikelet.road.compiled",
    "latency": "spikelet.road.encode",
    "load_network": "spikelet.road.nir_import",
    "load_samples": "spikelet.road.samples",
    "load_task": "spikelet.plastic.toml_file",
    "poisson": "spikelet.road.encode",
    "rank_order": "spikelet.road.encode",
    "rate": "spikelet.road.encode",
    "rest": "spikelet.road.encode",
    "simulate": "spikelet.road.engines",
    "verify": "spikelet.road.verify",
    "write_nir": "spikelet.plastic.nir_export",
}

__all__ = [
    "RULES",
    "Adaptation",
    "ChipState",
    "CompiledNetwork",
    "Learned",
    "LearningRule",
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
    "poisson",
    "rank_order",
    "rate",
    "rest",
    "simulate",
    "verify",
    "write_nir",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
