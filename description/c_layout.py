"""Structures that Python and C share: the C compiler checks that both lay them out alike.

Python's own table of fields, of a ``ctypes.Structure`` or a numpy record, is written out as
assertions about size and place of each field. They are compiled along with the C or C++ source: a
field that was added, moved or widened on one side only is an error that names it, and no wrong
number.
"""

import ctypes
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["layout_checks"]

_ASSERTED = """
#include <stddef.h>
#ifdef __cplusplus
#define SPIKELET_SAME static_assert
#else
#define SPIKELET_SAME _Static_assert
#endif
"""


def layout_checks(
    structures: Mapping[str, "type[ctypes.Structure] | np.dtype[Any]"],
    constants: Mapping[str, int] | None = None,
) -> str:
    """Return C or C++ text that compiles only where structures are laid out as Python has them.

    Parameters
    ----------
    structures : mapping of str to type of ctypes.Structure, or numpy dtype with fields
        By the type's name in C, such as ``"struct run"``. Fields have the same names on both sides.
        What they hold (structures, arrays of them) is checked along with them.
    constants : mapping of str to int, or None
        Values of enumerators and macros, by name.

    Returns
    -------
    str
        To stand behind the definitions.
    """
    lines = [_ASSERTED]
    for name, structure in structures.items():
        lines += _of_structure(name, structure)
    for name, value in (constants or {}).items():
        lines.append(_same(f"({name})", value, f"{name} is {value} in Python"))
    return "\n".join(lines) + "\n"


def _of_structure(name: str, structure: Any) -> Iterator[str]:
    size, fields = _table(structure)
    for field, (offset, width, within) in fields.items():
        what = f"{name}: {field}"
        member = f"(({name} *)0)->{field}"
        yield _same(f"offsetof({name}, {field})", offset, f"{what} starts at {offset} in Python")
        yield _same(f"sizeof({member})", width, f"{what} has {width} bytes in Python")
        if within is not None:
            held, is_array = within
            yield from _of_structure(f"__typeof__({member}{'[0]' * is_array})", held)
    yield _same(f"sizeof({name})", size, f"{name} has {size} bytes in Python")


def _table(structure: Any) -> tuple[int, dict[str, tuple[int, int, tuple[Any, bool] | None]]]:
    """Return the size, and of each field its offset, size, and what structure it holds."""
    if isinstance(structure, np.dtype):
        assert structure.fields is not None, f"{structure} has no fields"
        return structure.itemsize, {
            str(name): (field[1], field[0].itemsize, None)
            for name, field in structure.fields.items()
        }
    return ctypes.sizeof(structure), {
        field[0]: (
            getattr(structure, field[0]).offset,
            getattr(structure, field[0]).size,
            _held(field[1]),
        )
        for field in structure._fields_
    }


def _held(kind: Any) -> tuple[Any, bool] | None:
    """Return the structure that a field, or each element of it, is; None for numbers."""
    is_array = issubclass(kind, ctypes.Array)
    element = kind._type_ if is_array else kind
    return (element, is_array) if issubclass(element, ctypes.Structure) else None


def _same(expression: str, value: int, message: str) -> str:
    text = message.replace("\\", "\\\\").replace('"', '\\"')
    return f'SPIKELET_SAME({expression} == {value}, "{text}");'
