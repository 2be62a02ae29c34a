"""The user's own chip by cocotb: the test in the project's folder, the engine, and waveforms."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.description.chip.image import ChipImage
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.project import Project
from spikelet.rtl_gen.emit import write_chip
from spikelet.runs import engines
from spikelet.sim.emitted import SIMULATORS, replay, run_samples
from spikelet.sim.run import BenchError
from tests.helpers.emitted import recorded, run, small_network, with_output
from tests.helpers.networks import spikes


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Compile a small network under a top of its own, and write samples."""
    folder: Path = tmp_path_factory.mktemp("cocotb") / "project"
    Project(folder).save(small_network(), top="mine")
    np.savez(folder.parent / "samples.npz", spikes=spikes(2, 6, 6))
    return folder


def other_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load all chips with one weight that is not golden's."""
    program = ChipImage.program

    def changed(self, chip):
        words = program(self, chip).copy()
        words[0, 1] ^= 7
        return words

    monkeypatch.setattr(ChipImage, "program", changed)


def test_the_simulators():
    assert SIMULATORS == ("verilator", "icarus")


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def test_the_recorded_run_is_compared(simulator, project, tmp_path):
    run = RecordedRun.load(project / "rtl")
    assert replay(project / "rtl", simulator, tmp_path) == run.values
    assert run.values > 500 and run.output_spikes > 0


def test_the_test_in_the_folder_is_run_by_pytest(project, tmp_path):
    """By pytest alone, from another folder; with a chip that differs it fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "icarus"]
    done = run([*command, str(project / "rtl" / "test_chip.py")], tmp_path)
    assert done.status == 0 and "1 passed" in done.output, done.output
    broken = shutil.copytree(project / "rtl", tmp_path / "rtl")
    verilog = (broken / "chip.v").read_text()
    (broken / "chip.v").write_text(with_output(verilog, "event_out__valid", "1'b0", "mine"))
    done = run([*command, str(broken / "test_chip.py")], tmp_path)
    assert done.status == 1 and "spikes of the outputs differ first at sample" in done.output


@pytest.mark.parametrize(
    ("port", "value", "message"),
    [
        ("busy", "1'b1", "hangs: busy after"),
        ("busy", "1'bx", "busy is X"),
        ("event_out__valid", "1'b0", "spikes of the outputs differ first"),
        ("event_out__payload", "9'bx", "non-0/1 values"),
        ("config_response__payload", "32'bx", "config_response__payload is XX"),
        ("config_response__valid", "1'b0", "0 responses to"),
        ("config_request__ready", "1'b0", "config_request is not ready"),
        ("event_in__ready", "1'b0", "event_in is not ready"),
    ],
)
def test_what_differs_is_unknown_or_hangs_fails(port, value, message, project, tmp_path):
    folder = shutil.copytree(project / "rtl", tmp_path / "rtl")
    verilog = (folder / "chip.v").read_text()
    (folder / "chip.v").write_text(with_output(verilog, port, value, "mine"))
    with pytest.raises(BenchError, match=message):
        replay(folder, "icarus", tmp_path / "work")


def test_a_wrong_weight_fails(project, tmp_path, monkeypatch):
    other_program(monkeypatch)
    compiled = small_network()
    write_chip(compiled.chip, compiled.image, "x", tmp_path / "rtl", run=recorded(compiled))
    with pytest.raises(BenchError, match="words at addresses from 0x.* differ first at sample"):
        replay(tmp_path / "rtl", "icarus", tmp_path / "work")


def verify(project: Path, *arguments: str) -> tuple[int, str]:
    """Run ``spikelet verify``; return its status, and what it printed on one line."""
    samples = project.parent / "samples.npz"
    result = CliRunner().invoke(
        main, ["verify", str(project), str(samples), *arguments], catch_exceptions=False
    )
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("engine", "ran"),
    [
        ("cocotb-icarus", ["cocotb-icarus"]),
        pytest.param("cocotb", ["cocotb-verilator", "cocotb-icarus"], marks=pytest.mark.slow),
    ],
)
def test_verify_by_cocotb(engine, ran, project):
    status, output = verify(project, "--engine", engine)
    assert status == 0, output
    for name in ran:
        assert f"{name}: every bit equal of outputs, active_axons, merged_spikes, spikes" in output


def test_a_simulator_that_is_missing_is_named(project, monkeypatch):
    monkeypatch.setattr("spikelet.sim.emitted.shutil.which", lambda program: None)
    said: list[str] = []
    assert engines.chosen_engines(["rtl", "cocotb"], said.append) == ("rtl", "cocotb-verilator")
    assert len(said) == 1 and "apt-get install iverilog" in said[0]
    status, output = verify(project, "--engine", "cocotb-icarus")
    assert status == 1 and "apt-get install iverilog" in output
    monkeypatch.setattr("spikelet.sim.emitted.find_spec", lambda module: None)
    with pytest.raises(SpikeletError, match="finds no simulator"):
        engines.chosen_engines(["cocotb"])
    with pytest.raises(SpikeletError, match=r"engine must be one of golden, rtl, .*cocotb-icarus"):
        engines.chosen_engines(["cocotb-vcs"])


def test_a_folder_without_the_chips_files_says_how_to_write_them(project, tmp_path):
    """As ``learn`` leaves one."""
    folder = shutil.copytree(project, tmp_path / "project")
    shutil.rmtree(folder / "rtl")
    shutil.copy(project.parent / "samples.npz", tmp_path)
    status, output = verify(folder, "--engine", "cocotb-icarus")
    assert status == 1 and "chip.v cannot be read: No such file" in output
    assert f"remedy: spikelet compile NETWORK -o {folder} writes it" in output


def test_files_of_another_chip_are_refused(project, tmp_path):
    compiled = small_network(seed=0)
    other = small_network(seed=3)
    folder = tmp_path / "rtl"
    changed = recorded(compiled)
    write_chip(compiled.chip, compiled.image, "x", folder, run=changed)
    verilog = (folder / "chip.v").read_text()
    structure = int(compiled.chip.digest[:8], 16)
    foreign = re.sub(f"{structure:08x}", f"{structure ^ 1:08x}", verilog)
    assert foreign != verilog
    (folder / "chip.v").write_text(foreign)
    events = other.events(spikes(1, 2, 6))
    with pytest.raises(SpikeletError, match="they do not belong together"):
        run_samples(compiled.chip, compiled.image, folder, events, "icarus", tmp_path / "work")


@pytest.mark.slow
def test_waves_show_the_ticks_around_a_difference(project, tmp_path, monkeypatch):
    """A chip with one weight changed; the path is printed, and the file begins with the ticks."""
    folder = shutil.copytree(project, tmp_path / "project")
    shutil.copy(project.parent / "samples.npz", tmp_path)
    other_program(monkeypatch)
    status, output = verify(folder, "--engine", "cocotb-icarus", "--waves")
    waves = folder / "waves" / "cocotb-icarus.vcd"
    assert status == 1 and f"first difference: {waves}" in output
    found = re.search(r"v differ first at sample 0, tick (\d+), .* expected", output)
    assert found
    text = waves.read_text()
    assert "$enddefinitions" in text and re.search(r"\$var\s+\w+\s+1\s+\S+\s+busy", text)
    # Around the difference, not from the beginning: loading the chip takes longer.
    begins = min(int(time) for time in re.findall(r"(?m)^#(\d+)", text))
    program = len(small_network().image.program(small_network().chip))
    assert begins > 2000 * program
    log = waves.with_suffix(".log").read_text()
    assert re.search(rf"FAIL: address \w+ at sample 0, tick {found[1]}: expected", log)
    status, output = verify(folder, "--engine", "cocotb-icarus")
    assert status == 1 and "waveform" not in output
