"""Equal cores and routers are elaborated once, and the chip is the one it would be otherwise."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth import UnusedElaboratable

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.yosys import run_yosys
from spikelet.rtl_gen import core as core_file
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.elaborate import to_rtlil

CORE = CoreParams(4, 4, neuron_model("snntorch-subtract"), lanes=2)
LATER, LATEST = replace(CORE, first_tick=2), replace(CORE, first_tick=5)
WIDE = replace(CORE, n_axons=8)

MESH = ChipParams((CORE, LATER, LATEST, CORE, WIDE, CORE, CORE, CORE, CORE), 3, 3, multicast=True)
SQUARE = ChipParams((CORE, LATER, CORE, LATEST), 2, 2)
CHIPS = {
    "square": SQUARE,
    "mesh": MESH,
    "torus": replace(MESH, topology="torus", multicast=False),
    "tree": ChipParams((CORE, LATER, CORE), 3, 1, topology="tree"),
}


@pytest.mark.parametrize(
    "name", ["square", *(pytest.param(name, marks=pytest.mark.slow) for name in [*CHIPS][1:])]
)
def test_the_same_cells(name: str, tmp_path: Path) -> None:
    """Flattened and simplified, a chip of shared modules has the cells of one without."""
    found = []
    for share in (False, True):
        (tmp_path / "design.il").write_text(to_rtlil(Chip(CHIPS[name]), "chip", share=share))
        script = "read_rtlil design.il\nhierarchy -check -top chip\nproc\nflatten\nopt\n"
        run_yosys(f"{script}wreduce\nopt\ntee -o cells stat -json\n", tmp_path)
        found.append(json.loads((tmp_path / "cells").read_text())["design"]["num_cells_by_type"])
        found[-1].pop("$scopeinfo", None)
    assert found[0] == found[1]


def test_one_module_for_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cores that differ in their window and first tick are one, elaborated once."""
    elaborated = []
    original = core_file.Core.elaborate

    def noted(self: core_file.Core, platform: object) -> object:
        elaborated.append(self.number)
        return original(self, platform)

    monkeypatch.setattr(core_file.Core, "elaborate", noted)
    text = to_rtlil(Chip(MESH), "chip", share=True)
    assert elaborated == [0, 1, 4]  # the first, the first that waits for a tick, the wide one
    cells = dict(re.findall(r"^  cell \\(\S+) \\(core_\d)$", text, re.M)[::-1])
    assert set(cells) == {f"chip.core_{number}" for number in elaborated}
    modules = re.findall(r"^module \\(\S+)$", text, re.M)
    assert len(modules) == len(set(modules))
    assert modules[0] == "chip" and text.count("attribute \\top 1") == 1
    assert not re.search(r"shared\$", text)


def test_nothing_is_called_unused() -> None:
    """What is not elaborated, since another stands for it, is no mistake."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnusedElaboratable)
        to_rtlil(Chip(SQUARE), "chip", share=True)
