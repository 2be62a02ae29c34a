"""What the report's page says, as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

__all__ = ["REPORT_JSON", "as_json"]

REPORT_JSON = "report.json"
"""File beside the page."""


def as_json(content: Mapping[str, Any]) -> bytes:
    """Return content as JSON; numbers that are not finite become null.

    Parameters
    ----------
    content : mapping of str to any
        Of JSON-compatible values, numpy's, dataclasses, and what has ``to_dict``.
    """
    return (json.dumps(_plain(content), allow_nan=False) + "\n").encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    elif is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    return value
