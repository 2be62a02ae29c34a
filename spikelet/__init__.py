"""Spikelet: from a spiking neural network to a chip whose every spike is proven.

The names below are the Python API; each is loaded when it is first used, so that the golden model
can be had without the hardware tools.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "CompiledNetwork": "spikelet.road.compiled",
    "PlacementLimits": "spikelet.road.place",
    "Samples": "spikelet.road.samples",
    "SpikeletError": "spikelet.errors",
    "Trace": "spikelet.description.trace",
    "compile_network": "spikelet.road.compiled",
    "load_network": "spikelet.road.nir_import",
    "load_samples": "spikelet.road.samples",
    "rate": "spikelet.road.encode",
    "simulate": "spikelet.road.engines",
    "verify": "spikelet.road.verify",
}

__all__ = [
    "CompiledNetwork",
    "PlacementLimits",
    "Samples",
    "SpikeletError",
    "Trace",
    "compile_network",
    "load_network",
    "load_samples",
    "rate",
    "simulate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
