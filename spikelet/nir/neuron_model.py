"""The neuron model of a NIR file: given, or found in its metadata, and held against it."""

from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.nir.graph import NirGraph

__all__ = ["RESET_POTENTIAL", "model_of", "reset_metadata"]

RESET_POTENTIAL = "reset_potential"
"""The parameter that a ``v_reset`` becomes."""

_RESETS = {
    "snntorch-zero": ("zero", True),
    "snntorch-zero-immediate": ("zero", False),
    "snntorch-subtract": ("subtract", True),
    "snntorch-subtract-immediate": ("subtract", False),
}
"""What snnTorch says of its neurons in a file: reset mechanism and whether it is delayed."""


def model_of(graph: NirGraph, given: NeuronModel | str | Path | None) -> NeuronModel:
    """Return the model of a file's neurons.

    Parameters
    ----------
    graph : NirGraph
    given : NeuronModel, str, Path or None
        By the user; None: what the metadata say, if ``simulator`` is snntorch.

    Raises
    ------
    SpikeletError
        If it is not known, contradicts the metadata, or is not of recurrent layers, where there are
        some.
    """
    model = _model(graph, given)
    _check_reset(graph, model)
    _check_recurrent(graph, model)
    return model


def reset_metadata(model: NeuronModel) -> dict[str, str | bool]:
    """Return what a file says of how neurons of a model reset, as far as NIR has words for it."""
    if model.name in _RESETS:
        mechanism, delay = _RESETS[model.name]
        return {"reset_mechanism": mechanism, "reset_delay": delay}
    if RESET_POTENTIAL in model.parameter_names:
        return {"reset_mechanism": "value", "reset_delay": False}
    return {}


def _of_file(graph: NirGraph) -> tuple[str | None, bool | None]:
    """Return the file's reset mechanism and reset delay, None where it does not say."""
    mechanism = graph.metadata.get("reset_mechanism", graph.metadata.get("reset"))
    delay = graph.metadata.get("reset_delay")
    return None if mechanism is None else str(mechanism), None if delay is None else bool(delay)


def _model(graph: NirGraph, given: NeuronModel | str | Path | None) -> NeuronModel:
    if given is not None:
        return neuron_model(given)
    if str(graph.metadata.get("simulator", "")).lower().startswith("snntorch"):
        for name, resets in _RESETS.items():
            if resets == _of_file(graph):
                return neuron_model(name)
    raise SpikeletError(
        f"{graph.path}: the model of its neurons is not known: the file's metadata does not name "
        "simulator, reset_mechanism and reset_delay",
        remedy=f"pass --neuron with one of {', '.join(neuron_models())}, or a file",
    )


def _check_reset(graph: NirGraph, model: NeuronModel) -> None:
    """SpikeletError if the file says another reset than a model that is known to have one."""
    has = reset_metadata(model)
    mechanism, delay = _of_file(graph)
    for key, found in (("reset_mechanism", mechanism), ("reset_delay", delay)):
        # a reset to a value covers one to zero: an exporter that says "zero" writes v_reset 0
        same = found == has.get(key) or (found, has.get(key)) == ("zero", "value")
        if found is not None and has and not same:
            raise SpikeletError(
                f"{graph.path}: its metadata says {key} {found!r}, but that of neuron model "
                f"{model.name} is {has[key]!r}",
                remedy="choose the model it was trained with: one of "
                f"{', '.join(neuron_models())}, or a file",
            )


def _check_recurrent(graph: NirGraph, model: NeuronModel) -> None:
    if graph.ways_back and model.name == "snntorch-zero":
        raise graph.error(
            next(iter(graph.ways_back)),
            f"neuron model {model.name} is that of snnTorch's Leaky; its recurrent layer RLeaky "
            "also drops the input of the tick in which it is reset",
            remedy="train it with reset_mechanism='subtract', or with reset_delay=False, and pass "
            "that model",
        )
