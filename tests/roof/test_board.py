"""The commands for boards, at a pseudo-terminal."""

import json
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.boards import board_named
from spikelet.cli import main
from spikelet.description.artefact import Artefact
from spikelet.fpga.flow import REPORT, FpgaReport
from spikelet.fpga.place_and_route import Routed
from spikelet.host import serial_port
from spikelet.host.serial_port import FoundPort
from spikelet.images.image import BoardImage, ImageKind
from spikelet.images.kinds import image_kind, registered
from spikelet.project import Project
from spikelet.samples.samples import Samples
from spikelet.targets import build_place
from tests.helpers.networks import lif, linear, sink, source, write
from tests.helpers.terminal_board import TerminalBoard


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile a network of 8 to 4 neurons, and write samples beside it."""
    here = tmp_path_factory.mktemp("board")
    nodes = {"in": source(8), "fc": linear(4, 8), "out": lif(4), "end": sink(4)}
    network = write(here / "network.nir", nodes)
    project = Project(here / "project")
    project.save(spikelet.compile(network, "snntorch-zero", 1e-3), network=network)
    spikes = np.random.default_rng(1).random((3, 6, 8)) < 0.6
    np.savez(here / "samples.npz", spikes=spikes, labels=np.zeros(3, np.int64))
    return here


def test_a_board_runs_samples_as_golden_does(folder: Path) -> None:
    project, samples = folder / "project", folder / "samples.npz"
    with TerminalBoard(Project(project).load().chip) as board:
        engine = ("--engine", "board", "--port", board.name)
        code, output = invoke("run", project, samples, *engine)
        assert code == 0, output
        assert "board: 3 samples of" in output
        code, output = invoke("run", project, samples, *engine, "--record", "outputs",
                              "--recording", folder / "outputs.npz")  # fmt: skip
        assert code == 0, output
    chosen = Samples(np.load(samples)["spikes"], np.zeros(3, np.int64))
    golden = Project(project).run(chosen, "golden").recording
    kept = spikelet.Recording.load(project / "runs" / "board" / "recording.npz")
    outputs = spikelet.Recording.load(folder / "outputs.npz")
    assert golden.outputs.any() and np.array_equal(outputs.outputs, golden.outputs)
    assert kept.spikes is None and np.array_equal(kept.outputs, golden.outputs)


def test_new_weights_are_loaded_and_others_refused(folder: Path) -> None:
    project = folder / "project"
    with TerminalBoard(Project(project).load().chip) as board:
        code, output = invoke("load", project, "--port", board.name)
        assert code == 0 and "words loaded, read back and found equal" in output
        code, output = invoke("load", project, "--port", board.name, "--json")
        found = json.loads(output)
        assert found["structure"] == Project(project).load().chip.digest[:8] and found["words"] > 10
        nodes = {"in": source(8), "fc": linear(5, 8), "out": lif(5), "end": sink(5)}
        other = write(folder / "other.nir", nodes)
        assert invoke("compile", other, "--neuron", "snntorch-zero", "--dt", "1e-3", "-o",
                      folder / "other")[0] == 0  # fmt: skip
        code, output = invoke("load", folder / "other", "--port", board.name)
    assert code == 1 and "they do not belong together" in output
    assert "--image host-link" in output


def test_the_boards_and_ports_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TerminalBoard(Project(folder / "project").load().chip) as board:
        ports = [FoundPort(board.name, "UART", "FT2232H", "a"), FoundPort("/dev/ttyS0")]
        monkeypatch.setattr(serial_port, "serial_ports", lambda: ports)
        code, output = invoke("boards", "--json")
        found = json.loads(output)
        assert code == 0 and found["boards"] == list(spikelet.boards.BOARDS)
        assert [entry["port"] for entry in found["ports"]] == [board.name, "/dev/ttyS0"]
        assert "answer" not in found["ports"][0]
        first, second = json.loads(invoke("boards", "--identify", "--json")[1])["ports"]
    assert first["structure"] == Project(folder / "project").load().chip.digest[:8]
    assert "answer" not in second  # no adapter of a board: nobody sends it anything
    monkeypatch.setattr(serial_port, "serial_ports", list)
    assert "no serial port was found" in invoke("boards")[1]


def built(folder: Path, board: str, image: str | None = None) -> Path:
    """Leave what a build leaves."""
    place = folder / build_place(board, image)
    place.mkdir(parents=True)
    routed = Routed(1, {1: 30.0}, {}, {}, (), ())
    report = FpgaReport("top", board, "", 12.0, {}, (), routed, False, "design.bin", "self-test")
    (place / REPORT).write_text(json.dumps(report.to_dict()))
    (place / "design.bin").write_bytes(b"bits")
    Artefact("build", {}).seal(place)
    return place


def loader(folder: Path, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> Path:
    """Put a program that notes its arguments in the loader's place."""
    file, noted = folder / "bin" / "openFPGALoader", folder / "noted"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\necho \"$@\" > '{noted}'\necho no cable\nexit {status}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(folder / "bin" / "python"))
    return noted


@pytest.mark.parametrize(("board", "name"), [("icebreaker", "iCEBreaker"), ("ULX3S-85F",) * 2])
def test_the_loader_gets_board_and_bitstream(
    board: str, name: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    Project(project).save(Project(folder / "project").load())
    place = built(project, name)
    noted = loader(tmp_path, monkeypatch)
    code, output = invoke("program", project, board)
    assert code == 0, output
    words = board_named(name).programmers[0].split()[1:]
    assert noted.read_text().split() == [*words, str(place / "design.bin")]
    assert "LED" in output
    assert invoke("program", project, board, "--flash")[0] == 0
    assert noted.read_text().split() == [*words, "-f", str(place / "design.bin")]


def test_what_cannot_be_programmed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    Project(project).save(Project(folder / "project").load())
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "build it again" in output
    built(project, "iCEBreaker")
    loader(tmp_path, monkeypatch, status=3)
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "openFPGALoader failed (3): no cable" in output and "plug" in output
    (tmp_path / "bin" / "openFPGALoader").unlink()
    monkeypatch.setenv("PATH", "")
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "[board]" in output
    code, output = invoke("program", project, "iCEBreaker", "--image", "picture")
    assert code == 1 and "image must be one of self-test, host-link" in output
    place = project / build_place("iCEBreaker", None)
    place.rename(project / build_place("ULX3S-85F", None))
    code, output = invoke("program", project, "ULX3S-85F")
    assert code == 1 and "holds a build for iCEBreaker, not for ULX3S-85F" in output


def test_options_that_an_image_does_not_know(folder: Path) -> None:
    project = folder / "project"
    code, output = invoke("build", project, "iCEBreaker", "--image", "host-link", "--count", 2)
    assert code == 1 and "image host-link has no option count" in output
    code, output = invoke("build", project, "iCEBreaker", "--baud", 9600)
    assert code == 1 and "image self-test has no option baud" in output
    code, output = invoke("build", project, "LFE5U-25F", "--image", "host-link")
    assert code == 1 and "a bare device, which has no image" in output
    code, output = invoke("build", project, "iCEBreaker", "--image", "host-link", "--baud", 5000000)
    assert code == 1 and "the nearest rate that can be had is 2400000 baud" in output


def test_a_network_too_large_for_a_board_is_refused_with_its_link(tmp_path: Path) -> None:
    nodes = {"in": source(256), "fc": linear(128, 256), "out": lif(128), "end": sink(128)}
    network = write(tmp_path / "n.nir", nodes)
    fixed = ("--neuron", "snntorch-zero", "--dt", "1e-3", "--target", "iCEBreaker")
    spram = ("--weight-memory", "spram", "--lanes", 8)
    code, output = invoke("compile", network, *fixed, *spram, "-o", tmp_path / "p",
                          "--image", "host-link", "--weight-bits", 8)  # fmt: skip
    assert code == 0, output
    assert "events are counted by build" not in output
    code, output = invoke(
        "compile", network, *fixed, *spram, "-o", tmp_path / "p", "--weight-bits", 8
    )
    assert code == 1 and "self-test program" in output


class Picture(ImageKind):
    """An image of one's own, whose top module is nothing but the chip's clock on an LED."""

    name = "picture"
    title = "shows that there is a clock"

    def beside(self, compiled):
        return image_kind("host-link").beside(compiled)

    def make(self, compiled, board, options):
        text = "module top(input clk, output led);\n  assign led = clk;\nendmodule\n"
        return BoardImage(lambda: text, ("clk",), self.beside(compiled), settings={"width": 3})

    def guidance(self, board):
        return ["  look at the picture"]


def test_a_kind_of_image_is_one_class(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command line to the build, without a line elsewhere."""
    asked = []

    def noted(verilog: str, top: str, board: object, place: Path, **options: object) -> None:
        asked.append((verilog, place, options))
        raise spikelet.SpikeletError("enough")

    monkeypatch.setattr("spikelet.targets.build_bitstream", noted)
    with registered(Picture()):
        code, output = invoke("build", folder / "project", "iCEBreaker", "--image", "picture")
        with pytest.raises(spikelet.SpikeletError, match="there is one of that name"):
            registered(Picture()).__enter__()
    assert code == 1 and "enough" in output
    ((verilog, place, options),) = asked
    assert "assign led" in verilog and place == folder / "project" / "fpga" / "iCEBreaker-picture"
    assert options["image"] == "picture" and options["settings"] == {"width": 3}
    assert options["ports"] == ("clk",)
