"""``spikelet asic``: its files, the test beside them, and what it says of an estimate."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spikelet.asic.chip_design import constraints
from spikelet.asic.timing import longest_path_ps
from spikelet.cli import main
from spikelet.description.errors import SpikeletError
from spikelet.project import Project
from tests.asic.library import library_text, write_library
from tests.asic.test_gates import tiny_network


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project folder."""
    Project(tmp_path / "p").keep(tiny_network(), None)
    return tmp_path / "p"


def invoke(*words: object) -> Result:
    return CliRunner().invoke(main, ["asic", *map(str, words)])


def replayed(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the test of the files in a folder."""
    command = ["sh", str(folder / "test" / "run.sh"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_files_are_written_and_their_test_passes(project: Path) -> None:
    done = invoke(project, "--macro-bits", 64, "--clock-mhz", 50, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    folder = project / "asic"
    assert found["folder"] == str(folder) and found["macro_bits"] == 132
    assert (found["cells"], found["path_ps"], found["library"]) == (None, None, "")
    assert json.loads((folder / "memories.json").read_text()) == found["macros"]
    assert {m["ports"] for m in found["macros"]} <= {"1 write, 1 read", "1 read or write"}
    verilog = (folder / "verilog" / "chip.v").read_text()
    assert "initial" not in verilog
    for macro in found["macros"]:
        for name in ("memories.v", "memory_models.v", "memory_blackboxes.v"):
            text = (folder / "verilog" / name).read_text()
            assert len(re.findall(rf"\b{macro['module']}\b", text)) == 1, name
    assert "-period 20.000 " in (folder / "constraints.sdc").read_text()
    passed = replayed(folder)
    assert passed.returncode == 0 and passed.stdout.startswith("PASS: "), passed
    gates = replayed(folder, "gates")
    assert gates.returncode == 1 and "there is no ../gates/netlist.v" in gates.stderr
    program = folder / "test" / "recorded_expected.hex"
    words = program.read_text().split("\n")
    words[5] = f"{int(words[5], 16) ^ 1:08x}"
    program.write_text("\n".join(words))
    failed = replayed(folder)
    assert failed.returncode and "PASS" not in failed.stdout


@pytest.mark.slow
def test_gates_pass_the_test_beside_them_and_are_estimated(project: Path) -> None:
    library = write_library(project.parent)
    done = invoke(project, "--macro-bits", 64, "--liberty", library, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["library"] == "small" and found["path_by"] in ("ABC", "OpenSTA")
    areas = {"INV": 2, "NAND": 3, "NOR": 3, "BUF": 2, "AOI": 4, "DFF": 8}
    assert found["area"] == sum(areas[name] * n for name, n in found["cells"].items())
    assert 0 < found["path_ps"] < 1e6
    passed = replayed(project / "asic", "gates")
    assert passed.returncode == 0 and passed.stdout.startswith("PASS: "), passed
    cells = project / "asic" / "gates" / "cells.v"
    text = cells.read_text()
    broken = re.sub(r"(module NOR\(.*?assign Y = )(.*?;)", r"\1~ \2", text, flags=re.S)
    assert broken != text
    cells.write_text(broken)
    failed = replayed(project / "asic", "gates")
    assert failed.returncode and "PASS" not in failed.stdout


def test_what_cannot_be_is_refused(project: Path) -> None:
    done = invoke(project, "--liberty", project / "no.lib")
    assert done.exit_code == 1 and "no.lib cannot be read" in done.output
    bad = project / "bad.lib"
    bad.write_text(library_text(flip_flop=False))
    done = invoke(project, "--liberty", bad)
    assert done.exit_code == 1 and "lacks a flip-flop" in done.output
    assert not (project / "asic").exists()
    assert "0.0 is not in the range" in invoke(project, "--clock-mhz", 0).output


def test_the_constraints_hold_the_clock() -> None:
    text = constraints(125)
    assert "create_clock -name clk -period 8.000 [get_ports clk]" in text
    assert "set_input_delay 1.600 -clock clk [all_inputs]" in text


def sta(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program in the place of OpenSTA."""
    program = folder / "sta"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_opensta_is_used_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cells.lib").write_text('library (x) { time_unit : "1ns"; }')
    sta(tmp_path, monkeypatch, "cat timing.tcl; echo '   3.5000   slack (MET)'")
    assert longest_path_ps(tmp_path, "chip", 10_000) == 6_500
    assert "link_design chip" in (tmp_path / "timing.log").read_text()
    sta(tmp_path, monkeypatch, "echo '  -2.0000   slack (VIOLATED)'")
    assert longest_path_ps(tmp_path, "chip", 10_000) == 12_000
    (tmp_path / "cells.lib").write_text('library (x) { time_unit : "10ps"; }')
    assert longest_path_ps(tmp_path, "chip", 10_000) == 10_020
    for script in ("echo no cell; exit 1", "echo nothing"):
        sta(tmp_path, monkeypatch, script)
        with pytest.raises(SpikeletError, match=r"^OpenSTA .* failed: n"):
            longest_path_ps(tmp_path, "chip", 10_000)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert longest_path_ps(tmp_path, "chip", 10_000) is None
