"""Short texts of objects that hold large arrays, for ``repr``."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["summary"]

_WIDTH = 100
_MOST_LINES = 10
_SMALL = 4


def summary(item: Any) -> str:
    """Return the class and all fields, arrays by type and shape, in at most ten lines.

    Meant to be a class's ``__repr__``: numpy's own text of an array of millions is of no use, and
    one of a network holds dozens.
    """
    names = [f.name for f in fields(item)] if is_dataclass(item) else list(vars(item))
    shown = [f"{name}={_value(getattr(item, name))}" for name in names if not name.startswith("_")]
    text = f"{type(item).__name__}({', '.join(shown)})"
    return textwrap.fill(text, _WIDTH, max_lines=_MOST_LINES, subsequent_indent="    ")


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        shape = " x ".join(map(str, value.shape))
        return f"<{value.dtype} {shape}>" if value.size > _SMALL else str(value.tolist())
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    if isinstance(value, Mapping):
        names = ", ".join(map(str, list(value)[:_SMALL]))
        return f"<{len(value)}: {names}{', ...' if len(value) > _SMALL else ''}>"
    if isinstance(value, Sequence):
        return _several(value)
    if is_dataclass(value) or type(value).__module__.startswith("spikelet"):
        name = getattr(value, "name", None)
        return f"<{type(value).__name__}{f' {name!r}' if isinstance(name, str) else ''}>"
    return repr(value)


def _several(values: Sequence[Any]) -> str:
    """Return short values as they are, of others how many there are and of which type."""
    if all(value is None or isinstance(value, int | float | str) for value in values):
        text = repr(values)
        return text if len(text) <= 100 else f"<{len(values)}>"
    kinds = dict.fromkeys(
        _value(value) if isinstance(value, np.ndarray) else type(value).__name__ for value in values
    )
    listed = list(kinds)[:_SMALL]
    return f"<{len(values)}: {', '.join(listed)}{', ...' if len(kinds) > _SMALL else ''}>"
