"""C structures are laid out as Python has them, or do not compile."""

import ast
import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.description.c_layout import layout_checks
from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import c_library
from spikelet.golden import kernel

ROOT = Path(__file__).parents[2]


class Inner(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int16), ("b", ctypes.c_int32)]


class Outer(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int64),
        ("pair", Inner * 2),
        ("one", Inner),
        ("at", ctypes.c_void_p),
    ]


RECORD = np.dtype([("x", np.uint16), ("y", np.uint16), ("z", np.int32)])
GOOD = """#include <stdint.h>
struct inner { int16_t a; int32_t b; };
struct outer { int64_t count; struct inner pair[2], one; const double *at; };
struct record { uint16_t x, y; int32_t z; };
enum { THREE = 3 };
#define SEVEN 7
int answer(void) { return 42; }
"""
CHECKS = layout_checks({"struct outer": Outer, "struct record": RECORD}, {"THREE": 3, "SEVEN": 7})


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where to write C; the cache is empty."""
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "shared.c"


def test_structures_that_agree_compile(source: Path) -> None:
    source.write_text(GOOD)
    assert c_library(source, checks=CHECKS).answer() == 42


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("int64_t count; struct inner pair[2]", "struct inner pair[2]", "count"),
        ("int64_t count;", "int32_t count;", "count has 8 bytes in Python"),
        ("struct outer { int64_t count;", "struct outer { int64_t x, count;", "count starts at 0"),
        ("pair[2], one", "one, pair[2]", "pair starts at 8"),
        ("pair[2]", "pair[3]", "pair has 16 bytes"),
        ("int16_t a; int32_t b;", "int32_t b; int16_t a;", "a starts at 0 in Python"),
        ("int16_t a;", "int32_t a;", "a has 2 bytes in Python"),
        ("*at;", "*at; int64_t more;", "struct outer has 40 bytes in Python"),
        ("x, y;", "y, x;", "struct record: x starts at 0 in Python"),
        ("int32_t z;", "int64_t z;", "struct record: z "),
        ("int32_t z;", "int32_t zz;", "z"),
        ("THREE = 3", "THREE = 4", "THREE is 3 in Python"),
        ("SEVEN 7", "SEVEN 8", "SEVEN is 7 in Python"),
    ],
)
def test_a_difference_is_an_error_that_names_it(
    source: Path, before: str, after: str, named: str
) -> None:
    text = GOOD.replace(before, after)
    assert text != GOOD
    source.write_text(text)
    with pytest.raises(SpikeletError, match=rf"cannot compile shared\.c: (.|\n)*{named}"):
        c_library(source, checks=CHECKS)


def test_the_golden_kernel_is_refused_if_its_structures_change(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [path.read_text() for path in kernel._BEFORE]
    text = "".join(texts)
    changed = text.replace("int64_t list_room;", "int32_t list_room;")
    assert changed != text
    source.write_text(changed)
    monkeypatch.setattr(kernel, "_BEFORE", [source])
    function, reason, _ = kernel.loaded.__wrapped__()
    assert function is None and "list_room has 8 bytes in Python" in reason


def _dictionary_values(node: ast.Call) -> set[str]:
    return {
        name.id
        for argument in node.args[:1]
        if isinstance(argument, ast.Dict)
        for name in argument.values
        if isinstance(name, ast.Name)
    }


def test_every_structure_is_checked() -> None:
    """All of golden and sim are in a table of ``layout_checks``, or within one that is."""
    defined: dict[str, ast.ClassDef] = {}
    checked: set[str] = set()
    for path in (*(ROOT / "golden").glob("*.py"), *(ROOT / "sim").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(
                ast.unparse(base) == "ctypes.Structure" for base in node.bases
            ):
                defined[node.name] = node
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "layout_checks":
                checked |= _dictionary_values(node)
    known: Any = None
    while known != checked:
        known = set(checked)
        for name in known & defined.keys():
            inside = ast.walk(defined[name])
            checked |= {node.id for node in inside if isinstance(node, ast.Name)} & defined.keys()
    assert len(defined) > 4
    assert defined.keys() <= checked, f"not checked: {defined.keys() - checked}"
