"""Texts of objects are short, whatever they hold."""

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.description.chip.params import ChipParams
from spikelet.description.summary import summary
from tests.helpers.networks import chain


@dataclass(frozen=True, eq=False)
class Holder:
    """Something that holds whatever is given."""

    __repr__ = summary

    name: str
    held: Any


ROOT = Path(__file__).parents[2]
LEFT_OUT = ("spikelet.__main__", "spikelet.frameworks.tensors", "spikelet.frameworks.trace")
"""What runs when it is imported, and what stands on PyTorch."""


def classes() -> Iterator[type]:
    """Yield the dataclasses of the ground and of the roof, which have the public types."""
    for path in (ROOT / folder for folder in ("description", "spikelet")):
        name = "spikelet." if path.name == "spikelet" else "spikelet.description."
        for found in pkgutil.walk_packages([str(path)], name):
            if found.name in LEFT_OUT:
                continue
            for item in vars(import_module(found.name)).values():
                kind = isinstance(item, type) and is_dataclass(item)
                if kind and item.__module__ == found.name:
                    yield item


PUBLIC = [c for c in classes() if not c.__name__.startswith("_")]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_what_holds_arrays_has_a_short_text(kind: type) -> None:
    assert is_dataclass(kind)
    holds_arrays = any("ndarray" in str(field.type) for field in fields(kind))
    assert not holds_arrays or kind.__repr__ is summary


def test_there_are_such_classes() -> None:
    assert len(PUBLIC) > 50
    assert {"CompiledNetwork", "Network", "Recording", "IntegerNetwork", "Run", "ChipImage"} <= {
        kind.__name__ for kind in PUBLIC if kind.__repr__ is summary
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((300, 20), np.int16), "<int16 300 x 20>"),
        (np.array([1, 2]), "[1, 2]"),
        (None, "None"),
        (0.5, "0.5"),
        ("x" * 80, f"'{'x' * 57}...'"),
        ((1, "a"), "(1, 'a')"),
        (tuple(range(1000)), "<1000>"),
        ([np.zeros(9), np.zeros(9)], "<2: <float64 9>>"),
        ({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}, "<5: a, b, c, d, ...>"),
        (Holder("inner", 1), "<Holder 'inner'>"),
    ],
)
def test_values(value: Any, text: str) -> None:
    assert repr(Holder("outer", value)) == f"Holder(name='outer', held={text})"


def test_ten_lines_at_most() -> None:
    class Many:
        def __init__(self) -> None:
            for number in range(500):
                setattr(self, f"field_{number}", number)

    lines = summary(Many()).splitlines()
    assert len(lines) == 10 and max(map(len, lines)) <= 100


def test_a_network_says_what_it_is() -> None:
    text = repr(chain([400, 300, 200]))
    assert len(text.splitlines()) <= 10
    assert "populations=<2: Population>" in text and "n_inputs=400" in text
    assert ChipParams.__repr__ is summary
