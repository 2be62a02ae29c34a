"""What the terminal says beside results."""

import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spikelet.boards import BOARDS
from spikelet.guidance import after_build
from spikelet.terminal import Terminal, described


def report(board: str, bitstream: str) -> Any:
    """Return the part of an FpgaReport that matters here."""
    return SimpleNamespace(board=board, bitstream=bitstream, image="self-test", settings={})


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_bitstream_comes_with_its_path_its_programmer_and_its_leds(
    board: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my chip").mkdir()
    monkeypatch.chdir(tmp_path)
    lines = after_build(Path("my chip"), report(board.name, "design.bit"))
    path = str(tmp_path / "my chip" / "design.bit")
    assert lines[0] == f"  bitstream: {path}"
    for programmer, line in zip(board.programmers, lines[1:], strict=False):
        assert shlex.split(line.partition(": ")[2]) == [*programmer.split(), path]
    flash = lines[1 + len(board.programmers)].partition("flash: ")[2]
    assert shlex.split(flash) == [*board.flash_programmers[0].split(), path]
    text, last = "\n".join(lines), len(board.leds) - 1
    for led in (
        f"LED {last}, which lights if the chip did",
        f"LED {last - 1}, which lights if not",
    ):
        assert led in text
    assert board.led_places in text and board.button_place in text


def test_a_bare_device_says_why_there_is_no_bitstream(tmp_path: Path) -> None:
    (line,) = after_build(tmp_path, report("", ""))
    assert str(tmp_path) in line and "build for a board" in line


def test_bars_say_that_they_wait_for_a_compiler() -> None:
    assert described("golden", 0) == "golden"
    assert described("rtl", 0) == "rtl: compiling the simulator"
    assert described("netlist-ecp5", 0).startswith("netlist-ecp5: synthesising")
    assert described("rtl", 1) == "rtl"


def test_the_bar_itself_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().progress() as bar:
        bar("rtl", 0, 3)
    assert "rtl: compiling the simulator" in capsys.readouterr().out
