"""The neuron models that are there: each a file of this folder, or a user's own."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from spikelet.description.named_files import chosen, read_file, read_folder
from spikelet.description.neurons.model import NeuronModel

__all__ = ["neuron_model", "neuron_models", "read_neuron_model"]

_WHAT, _SUFFIXES = "neuron model", (".toml", ".json")


@cache
def neuron_models() -> dict[str, NeuronModel]:
    """Return the models of this folder by name, in alphabetical order."""
    return read_folder("spikelet.description.neurons", NeuronModel.from_dict)


def neuron_model(model: "NeuronModel | str | Path | Mapping[str, Any]") -> NeuronModel:
    """Return a neuron model.

    Parameters
    ----------
    model : NeuronModel, str, Path or mapping
        A model; the name of one of :func:`neuron_models`; a file for :func:`read_neuron_model`,
        also as a text that ends in ``.toml`` or ``.json``; or the contents of such a file.

    Raises
    ------
    SpikeletError
        If there is no such model, with the names of those that there are.
    """
    if isinstance(model, NeuronModel):
        return model
    if isinstance(model, Mapping):
        return NeuronModel.from_dict(model)
    return chosen(model, _WHAT, neuron_models(), read_neuron_model, _SUFFIXES)


def read_neuron_model(path: str | Path) -> NeuronModel:
    """Read a model from a TOML or JSON file; SpikeletError names the file and what is wrong."""
    return read_file(path, _WHAT, NeuronModel.from_dict)
