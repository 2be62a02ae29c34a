"""Fields of a neuron model and its parts, by name and type: as files and Python give them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from spikelet.description.errors import SpikeletError

__all__ = ["check_fields"]

_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "text", "kind", "source", "description"), (str,)),
    **dict.fromkeys(("low", "high"), (int, str)),
    **dict.fromkeys(("version", "default"), (int,)),
    **dict.fromkeys(("kept", "optional", "constant"), (bool,)),
    **dict.fromkeys(("states", "parameters"), (Mapping,)),
    "lsb": (int, float),
}


def check_fields(
    what: str,
    values: Mapping[str, Any],
    kind: type[Any],
    required: tuple[str, ...] = (),
    odd: tuple[str, ...] = (),
) -> None:
    """Raise SpikeletError unless these are values of fields of a class.

    Parameters
    ----------
    what : str
        For the messages.
    values : mapping of str
    kind : type
        A dataclass.
    required : tuple of str
        Fields that must be there.
    odd : tuple of str
        Fields that must not.
    """
    valid = [f.name for f in fields(kind) if f.init and f.name not in odd]
    for name, value in values.items():
        if name not in valid:
            raise SpikeletError(
                f"{what}: there is no field {name!r}", remedy=f"use {', '.join(valid)}"
            )
        right = _TYPES[name]
        if not isinstance(value, right) or (isinstance(value, bool) and bool not in right):
            types = " or ".join("tables by name" if t is Mapping else t.__name__ for t in right)
            raise SpikeletError(f"{what}: {name} must be {types}, not {value!r}")
    for name in required:
        if name not in values:
            raise SpikeletError(f"{what}: the field {name} is missing")
