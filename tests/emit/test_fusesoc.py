"""The core file of an emitted chip: its targets, on Edalize's flows, and names that are safe."""

import json
import re
import sys
from pathlib import Path

import pytest

from spikelet.fpga.families import fusesoc_arch
from spikelet.rtl_gen.emit import write_chip
from spikelet.rtl_gen.fusesoc import fusesoc_core, safe_name
from tests.helpers.emitted import Finished, recorded, run, small_network, with_output

NAMES = ["", "2 layers", "naïve", "日本語", "a.b-c:d", "__x__", "digits", "Ω3", "x" * 80]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Write a chip whose name FuseSoC would pass over, under another top."""
    folder: Path = tmp_path_factory.mktemp("cores")
    compiled = small_network()
    run = recorded(compiled, "small_chip")
    name = "2 petits réseaux"
    arch = fusesoc_arch(compiled.chip)
    write_chip(
        *(compiled.chip, compiled.image, name, folder / "rtl"), top="small_chip", run=run, arch=arch
    )
    return folder


def fusesoc(root: Path, *arguments: str) -> Finished:
    """Run FuseSoC without its user's configuration."""
    command = [sys.executable, "-m", "fusesoc.main", "--cores-root", ".", *arguments]
    return run(command, root, HOME=str(root), XDG_CONFIG_HOME=str(root / "config"))


def target(root: Path, name: str) -> Finished:
    """Run one target of the chip's core."""
    return fusesoc(root, "run", "--target", name, "spikelet:chips:chip_2_petits_reseaux")


def test_lint(root):
    done = target(root, "lint")
    assert done.status == 0, done.output
    assert "%Warning" not in done.output


def test_sim(root):
    done = target(root, "sim")
    assert done.status == 0 and re.search(r"PASS: \d+ samples", done.output), done.output


@pytest.mark.parametrize("ports", ["wishbone", "axi"])
def test_lint_of_a_bus(ports, tmp_path):
    compiled = small_network()
    write_chip(compiled.chip, compiled.image, "n", tmp_path / "rtl", top="my_chip", ports=ports)
    text = (tmp_path / "rtl" / "n.core").read_text()
    assert f"files: [chip.v, my_chip_{ports}.v]" in text
    done = fusesoc(tmp_path, "run", "--target", "lint", "spikelet:chips:n")
    assert done.status == 0, done.output
    assert "%Warning" not in done.output
    options = "".join(path.read_text() for path in (tmp_path / "build").rglob("lint/*.vc"))
    assert f"--top-module my_chip_{ports}\n" in options


@pytest.mark.slow
@pytest.mark.parametrize("ports", ["wishbone", "axi"])
def test_sim_and_synth_of_a_bus(ports, tmp_path):
    """The testbench drives the bus, and the netlist's top has it."""
    compiled, outer = small_network(), f"my_chip_{ports}"
    given = (compiled.chip, compiled.image, "n", tmp_path / "rtl")
    run = recorded(compiled, "my_chip")
    write_chip(*given, top="my_chip", run=run, arch=fusesoc_arch(compiled.chip), ports=ports)
    done = fusesoc(tmp_path, "run", "--target", "sim", "spikelet:chips:n")
    assert done.status == 0 and f"{run.values} values equal to golden's" in done.output, done.output
    done = fusesoc(tmp_path, "run", "--target", "synth", "spikelet:chips:n")
    assert done.status == 0, done.output
    netlist = json.loads(next((tmp_path / "build").rglob("synth/*.json")).read_text())
    module = netlist["modules"][outer]
    assert {cell["type"] for cell in module["cells"].values()} >= {"TRELLIS_FF", "LUT4"}
    asked = {"wishbone": "wb_cyc", "axi": "s_axil_awvalid"}[ports]
    assert {asked, "irq"} <= set(module["ports"]) and "start" not in module["ports"]


def test_a_chip_that_differs_fails_sim(root, tmp_path):
    verilog = (root / "rtl" / "chip.v").read_text()
    (tmp_path / "rtl").mkdir()
    for path in (root / "rtl").iterdir():
        (tmp_path / "rtl" / path.name).write_bytes(path.read_bytes())
    broken = with_output(verilog, "event_out__valid", "1'b0", "small_chip")
    (tmp_path / "rtl" / "chip.v").write_text(broken)
    done = target(tmp_path, "sim")
    assert done.status != 0 and "FAIL" in done.output and "PASS" not in done.output


@pytest.mark.slow
def test_synth(root):
    done = target(root, "synth")
    assert done.status == 0, done.output
    netlist = json.loads(next((root / "build").rglob("synth/*.json")).read_text())
    cells = netlist["modules"]["small_chip"]["cells"]
    assert {cell["type"] for cell in cells.values()} >= {"TRELLIS_FF", "LUT4"}


def test_fusesoc_finds_cores_of_any_name(tmp_path):
    chip = small_network().chip
    for number, name in enumerate(NAMES):
        safe = safe_name(name)
        text = fusesoc_core(chip, safe, top="chip", parts=["chip_0_0"], tested=True, arch="")
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / f"{safe}.core").write_text(text)
    done = fusesoc(tmp_path, "core", "list")
    assert done.status == 0, done.output
    for name in NAMES:
        assert f"spikelet:chips:{safe_name(name)}:0 " in done.output, name
    assert "WARNING: Replacing" not in done.output and "ERROR" not in done.output


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("digits", "digits"),
        ("", "chip"),
        ("日本語", "chip_a80b52e5"),
        ("2 layers", "chip_2_layers"),
        ("naïve-net", "naive_net"),
        ("__x__", "x"),
        ("a/../b", "a_b"),
    ],
)
def test_safe_names(name, safe):
    assert safe_name(name) == safe
