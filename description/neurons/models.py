"""The neuron models that are there: each a file of this folder, or a user's own."""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from spikelet.description.errors import MALFORMED, SpikeletError, file_error
from spikelet.description.neurons.model import NeuronModel

__all__ = ["neuron_model", "neuron_models", "read_neuron_model"]


@cache
def neuron_models() -> dict[str, NeuronModel]:
    """Return the models of this folder by name, in alphabetical order."""
    folder = files("spikelet.description.neurons")
    texts = {
        item.name: item.read_text() for item in folder.iterdir() if item.name.endswith(".toml")
    }
    found = [NeuronModel.from_dict(tomllib.loads(texts[name])) for name in sorted(texts)]
    return {model.name: model for model in found}


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
    if isinstance(model, Path):
        return read_neuron_model(model)
    if isinstance(model, Mapping):
        return NeuronModel.from_dict(model)
    if not isinstance(model, str):
        raise SpikeletError(f"a neuron model is a name, a file or a NeuronModel, not {model!r}")
    if model.endswith((".toml", ".json")):
        return read_neuron_model(Path(model))
    if model not in neuron_models():
        raise SpikeletError(
            f"there is no neuron model {model!r}",
            remedy=f"take one of {', '.join(neuron_models())}, or a file of your own "
            "(NAME.toml or NAME.json)",
        )
    return neuron_models()[model]


def read_neuron_model(path: str | Path) -> NeuronModel:
    """Read a model from a TOML or JSON file; SpikeletError names the file and what is wrong."""
    path = Path(path)
    try:
        text = path.read_text()
    except OSError as error:
        raise file_error(f"the neuron model {path} cannot be read", error) from None
    except UnicodeDecodeError:
        raise SpikeletError(f"the neuron model {path} is not a text") from None
    try:
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        if not isinstance(values, dict):
            raise SpikeletError("it must be a table of name, states, parameters and text")
        return NeuronModel.from_dict(values)
    except (SpikeletError, *MALFORMED) as error:
        remedy = error.remedy if isinstance(error, SpikeletError) else ""
        raise SpikeletError(f"{path}: {error.args[0]}", remedy=remedy) from None
