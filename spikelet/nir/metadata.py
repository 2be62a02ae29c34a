"""What the metadata of a NIR file say of its neurons, and whether that can be so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.description.summary import summary
from spikelet.network.network import FloatArray
from spikelet.nir.convention import Convention
from spikelet.nir.frameworks import FRAMEWORKS, SNNTORCH, SPIKELET
from spikelet.nir.graph import NirGraph

__all__ = [
    "NEURON_MODELS",
    "RESET_POTENTIAL",
    "Said",
    "check_reset",
    "models_metadata",
    "parameters_metadata",
    "reset_metadata",
    "said_of",
]

RESET_POTENTIAL = "reset_potential"
"""The parameter that a ``v_reset`` becomes."""

_RESETS = {
    "subtract": ("subtract", True),
    "subtract-immediate": ("subtract", False),
    "zero": ("zero", True),
    "zero-immediate": ("zero", False),
    "none": ("none", None),
}
"""The resets of snnTorch in the words of its modules: mechanism, and whether it is delayed."""

_WRITERS = {**FRAMEWORKS, "spikelet": SPIKELET}
"""Who names itself as ``simulator``, and what it means."""

NEURON_MODELS = "neuron_models"
"""The metadata key under which a file of ours names the model of each neuron node, in JSON."""

NEURON_PARAMETERS = "neuron_parameters"
"""The key under which it has, in JSON, parameters of neuron nodes that NIR has no field for."""

_READ = (
    *("dt", "simulator", NEURON_MODELS, NEURON_PARAMETERS),
    *("reset_mechanism", "reset", "reset_delay"),
)
_NEUTRAL = {"inhibition": (False, 0), "graded_spikes_factor": (1,), "state_quant": (False, 0)}
"""What snnTorch's modules can be told and a chip does not compute, with what says nothing."""


@dataclass(frozen=True)
class Said:
    """What a file says.

    Parameters
    ----------
    framework : Convention or None
    reset : str or None
        Mechanism.
    delay : bool or None
        Whether it waits for the next tick.
    models : dict of str to NeuronModel
        Of the neuron nodes that the file names one for.
    unread : tuple of str
        Keys that mean nothing here.
    parameters : dict of str to dict of str to array of float64
        Of these nodes, what NIR has no field for, by name: shape (1,) or (size,).
    """

    __repr__ = summary

    framework: Convention | None
    reset: str | None
    delay: bool | None
    models: dict[str, NeuronModel]
    unread: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=dict)

    def reset_in(self, convention: Convention, graph: NirGraph) -> str:
        """Return the convention's way to reset that the file says; SpikeletError if it has none."""
        for reset in convention.resets:
            mechanism, delay = _words(convention, reset)
            if _same(mechanism, self.reset) and (
                None in (delay, self.delay) or delay == self.delay
            ):
                return reset
        delayed = "" if self.delay is None else f" and reset_delay {self.delay}"
        raise SpikeletError(
            f"{graph.path}: its metadata says reset_mechanism {self.reset!r}{delayed}, which "
            f"{convention.title} does not have",
            remedy=f"its neurons reset by {', '.join(convention.resets)}",
        )


def _words(convention: Convention, reset: str) -> tuple[str, bool | None]:
    return _RESETS[reset] if convention is SNNTORCH else (reset.removesuffix("-once"), None)


def _same(has: object, said: object) -> bool:
    """Return whether a mechanism is what is said of it: one to a value covers one to zero."""
    return has == said or (has, said) == ("value", "zero")


def reset_metadata(model: NeuronModel) -> dict[str, str | bool]:
    """Return what a file says of how neurons of a model reset, as far as NIR has words for it."""
    if RESET_POTENTIAL in model.parameter_names:
        return {"reset_mechanism": "value", "reset_delay": False}
    for convention in FRAMEWORKS.values():
        if (reset := convention.reset_of(model.name)) is not None:
            mechanism, delay = _words(convention, reset)
            found: dict[str, str | bool] = {"reset_mechanism": mechanism}
            return found if delay is None else {**found, "reset_delay": delay}
    return {}


def check_reset(graph: NirGraph, model: NeuronModel) -> None:
    """SpikeletError if the file says another reset than a model that is known to have one."""
    has, said = reset_metadata(model), said_of(graph)
    for key, found in (("reset_mechanism", said.reset), ("reset_delay", said.delay)):
        if found is not None and key in has and not _same(has[key], found):
            raise SpikeletError(
                f"{graph.path}: its metadata says {key} {found!r}, but that of neuron model "
                f"{model.name} is {has[key]!r}",
                remedy="choose the model it was trained with: one of "
                f"{', '.join(neuron_models())}, or a file",
            )


def said_of(graph: NirGraph) -> Said:
    """Return what a file says of its neurons.

    SpikeletError if it says what a chip does not compute.
    """
    metadata = graph.metadata
    for key, nothing in _NEUTRAL.items():
        if key in metadata and metadata[key] not in nothing:
            raise SpikeletError(
                f"{graph.path}: its metadata says {key} {metadata[key]!r}, which a chip does not "
                "compute",
                remedy=f"train without {key}, or with {nothing[0]}",
            )
    simulator = str(metadata.get("simulator", "")).lower()
    names = sorted(_WRITERS, key=len, reverse=True)
    framework = next((_WRITERS[name] for name in names if simulator.startswith(name)), None)
    mechanism = metadata.get("reset_mechanism", metadata.get("reset"))
    delay = metadata.get("reset_delay")
    unread = [key for key in metadata if key not in (*_READ, *_NEUTRAL)]
    unread += [f"{key} of {node.name}" for node in graph.nodes.values() for key in node.metadata]
    return Said(
        framework,
        None if mechanism is None else str(mechanism),
        None if delay is None else bool(delay),
        _named_models(graph),
        tuple(unread + (["simulator"] if simulator and framework is None else [])),
        _told_parameters(graph),
    )


def models_metadata(models: dict[str, NeuronModel]) -> dict[str, str]:
    """Return what a file says of the models of its neuron nodes."""
    return {NEURON_MODELS: json.dumps({name: model.name for name, model in models.items()})}


def parameters_metadata(parameters: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, str]:
    """Return what a file says of parameters that NIR has no field for, by node and name."""
    told = {
        node: {name: values.tolist() for name, values in named.items()}
        for node, named in parameters.items()
        if named
    }
    return {NEURON_PARAMETERS: json.dumps(told)} if told else {}


def _told_parameters(graph: NirGraph) -> dict[str, dict[str, FloatArray]]:
    """Return parameters that a file has in its metadata; SpikeletError if they make no sense."""
    if NEURON_PARAMETERS not in graph.metadata:
        return {}
    models = _named_models(graph)
    found: dict[str, dict[str, FloatArray]] = {}
    try:
        for node, named in json.loads(graph.metadata[NEURON_PARAMETERS]).items():
            known = models[node].parameter_names
            found[node] = {known[known.index(n)]: _numbers(v) for n, v in named.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SpikeletError(
            f"{graph.path}: metadata {NEURON_PARAMETERS!r} is no JSON of numbers by neuron node "
            f"and parameter of its model: {error}",
            remedy='such as {"lif1": {"spike_bits": [4]}}, beside ' + NEURON_MODELS,
        ) from error
    return found


def _numbers(values: object) -> FloatArray:
    found = np.array(values, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{values!r} is no list of numbers")
    return found


def _named_models(graph: NirGraph) -> dict[str, NeuronModel]:
    """Return the models that a file names; SpikeletError unless they are of its neuron nodes."""
    if NEURON_MODELS not in graph.metadata:
        return {}
    where = f"{graph.path}: metadata {NEURON_MODELS!r}"
    remedy = 'it is JSON such as {"lif1": "snntorch-subtract"}, or is left out'
    try:
        named = json.loads(graph.metadata[NEURON_MODELS])
    except (TypeError, ValueError) as error:
        raise SpikeletError(f"{where} is no JSON: {error}", remedy=remedy) from error
    if not isinstance(named, dict):
        raise SpikeletError(f"{where} must name a model for each neuron node", remedy=remedy)
    for node, name in named.items():
        if node not in graph.nodes or graph.nodes[node].kind not in graph.neurons:
            raise SpikeletError(f"{where}: there is no neuron node {node!r}", remedy=remedy)
        if name not in neuron_models():
            raise SpikeletError(
                f"{where}: there is no neuron model {name!r}",
                remedy=f"the models are {', '.join(neuron_models())}",
            )
    return {node: neuron_model(name) for node, name in named.items()}
