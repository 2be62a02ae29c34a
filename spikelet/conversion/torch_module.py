"""From a torch module to an ONNX file, by torch's own exporter.

Spikelet imports no torch: who has a module has imported it.
"""

import io
import sys
import warnings
from typing import Any

from spikelet.description.errors import SpikeletError

__all__ = ["exported", "is_module"]


def is_module(model: object) -> bool:
    """Return whether an object is a ``torch.nn.Module``."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def exported(module: Any, shape: tuple[int, ...]) -> bytes:
    """Return a module as an ONNX file, for inference.

    Parameters
    ----------
    module : torch.nn.Module
    shape : tuple of int
        Of a sample, without the batch.

    Raises
    ------
    SpikeletError
        If torch cannot export it.
    """
    torch: Any = sys.modules["torch"]
    contents, training = io.BytesIO(), module.training
    module.eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sample = torch.zeros(1, *shape)
            torch.onnx.export(module, (sample,), contents, dynamo=False, dynamic_axes=None)
    except Exception as error:  # torch's exporter raises whatever the module's forward does
        raise SpikeletError(
            f"torch cannot export {type(module).__name__} for samples of shape {shape}: {error}",
            remedy="give the shape that its forward takes, or an ONNX file",
        ) from error
    finally:
        module.train(training)
    return contents.getvalue()
