"""Generation of components for the cocotb benches, and what the benches need to know of them."""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth import Shape
from amaranth.lib import data, wiring

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.run import Simulation, build, run
from tests.helpers.random_chips import random_image

__all__ = ["SEEDS", "Bench", "cases", "image_of", "layouts", "snake_case"]

SEEDS = (1, pytest.param(2, marks=pytest.mark.slow))
"""Of the random choices of a bench, which must meet all that it lists, with the first as well."""


def snake_case(name: str) -> str:
    """Return the module name of a class."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def layouts(component: wiring.Component) -> dict[str, list[tuple[str, int]]]:
    """Return the fields and widths, from bit 0, of each port that is a structure."""
    return dict(_structures(component.signature, ()))


def _structures(
    signature: wiring.Signature, path: tuple[str, ...]
) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    for name, member in signature.members.items():
        place = (*path, name)
        if member.is_signature:
            yield from _structures(member.signature, place)
        elif isinstance(member.shape, data.StructLayout):
            yield (
                "__".join(place),
                [(key, Shape.cast(shape).width) for key, shape in member.shape.members.items()],
            )


class Bench:
    """One component, built once, on which its bench runs as often as needed.

    The bench is named after the component, unless ``bench`` says otherwise.
    """

    def __init__(self, component: wiring.Component, *, bench: str = "", **parameters: Any) -> None:
        self.name = snake_case(type(component).__name__)
        self.bench = f"spikelet.sim.bench_{bench or self.name}"
        self.parameters = {"layouts": layouts(component), **parameters}
        self.simulation: Simulation = build(to_verilog(component, self.name), self.name)

    def run(self, seed: int, folder: Path, **parameters: Any) -> None:
        """Run all tests of the bench."""
        run(
            self.simulation,
            self.bench,
            {**self.parameters, **parameters},
            seed=seed,
            folder=folder,
        )


def image_of(chip: ChipParams, seed: int) -> ChipImage:
    """Return random contents for a chip."""
    return random_image(np.random.default_rng(seed), chip)


def cases(slow: Collection[str] = (), /, **options: Any) -> list[Any]:
    """Return pytest parameters, one for each option, with its name as id.

    Tests of one case run in the same worker, so that each component is built once. Those named in
    ``slow`` are marked so.
    """
    caller = Path(sys._getframe(1).f_code.co_filename).stem
    return [
        pytest.param(
            value,
            id=name,
            marks=[
                pytest.mark.xdist_group(f"{caller}-{name}"),
                *([pytest.mark.slow] if name in slow else []),
            ],
        )
        for name, value in options.items()
    ]
