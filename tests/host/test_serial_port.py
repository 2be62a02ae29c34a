"""The driver at a serial port: what goes right, and each thing that goes wrong."""

import os
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.golden.chip import GoldenChip
from spikelet.host import serial_port
from spikelet.host.board_port import PORT_VARIABLE, BoardPort
from spikelet.host.driver import Chip
from spikelet.host.identify import identified
from spikelet.host.serial_port import FoundPort
from tests.helpers.random_chips import random_chip, random_events, random_image
from tests.helpers.terminal_board import TerminalBoard

CHIP = random_chip(np.random.default_rng(3), most_cores=2)
OTHER = random_chip(np.random.default_rng(4), most_cores=2)
IMAGE = random_image(np.random.default_rng(7), CHIP)
EVENTS = random_events(np.random.default_rng(8), CHIP, samples=2, ticks=4)
QUICK = {"patience_s": 0.4}


def test_a_chip_at_a_port_does_what_golden_does() -> None:
    told = []
    with TerminalBoard(CHIP) as board, Chip.open(board.name, CHIP) as chip:
        chip.load(IMAGE, check=True, progress=lambda done, words: told.append((done, words)))
        found = chip.run(EVENTS)
        state = chip.snapshot()
    golden = GoldenChip(CHIP, IMAGE)
    assert found.first_difference(golden.run(EVENTS)) is None
    assert state.checksums().tolist() == golden.snapshot().checksums().tolist()
    assert any(fired.any() for fired in found.spikes)
    done, words = zip(*told, strict=True)
    assert len(set(words)) == 1 and done[-1] == words[-1] and list(done) == sorted(done)


def test_what_is_loaded_is_read_back() -> None:
    with TerminalBoard(CHIP) as board, Chip.open(board.name, CHIP) as chip:
        address, data = IMAGE.program(CHIP)[-1].tolist()
        board.words.wrong.add(address)
        chip.load(IMAGE)
        with pytest.raises(SpikeletError, match=f"word at {address:#x} was written as {data:#x}"):
            chip.load(IMAGE, check=True)


def test_a_foreign_bitstream_is_refused() -> None:
    with (
        TerminalBoard(OTHER) as board,
        pytest.raises(SpikeletError, match=f"structure {OTHER.digest[:8]}, the chip description"),
    ):
        Chip.open(board.name, CHIP)


def test_a_board_that_does_not_answer_is_named() -> None:
    with (
        TerminalBoard(CHIP, silent=True) as board,
        pytest.raises(SpikeletError, match="nothing answers") as caught,
    ):
        Chip.open(board.name, CHIP, **QUICK)
    assert "baud" in caught.value.remedy and "bitstream" in caught.value.remedy


def test_a_driver_of_another_version_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikelet.golden.host_link.VERSION", 3)
    with (
        TerminalBoard(CHIP) as board,
        pytest.raises(SpikeletError, match="of version 3, this driver's of 1") as caught,
    ):
        Chip.open(board.name, CHIP, **QUICK)
    assert "build the bitstream again" in caught.value.remedy


def test_a_cable_that_is_pulled_is_named() -> None:
    with TerminalBoard(CHIP) as board, Chip.open(board.name, CHIP, **QUICK) as chip:
        chip.load(IMAGE)
        board.unplug_after = board.taken + 100
        with pytest.raises(SpikeletError, match="connection is lost") as caught:
            chip.run(EVENTS)
    assert "plug the board in again" in caught.value.remedy


def test_one_program_at_a_port() -> None:
    with (
        TerminalBoard(CHIP) as board,
        Chip.open(board.name, CHIP),
        pytest.raises(SpikeletError, match="cannot be opened") as caught,
    ):
        Chip.open(board.name, CHIP)
    assert "end other programs" in caught.value.remedy


def test_ports_that_are_not_there_or_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [FoundPort("/dev/ttyUSB7", "Dual RS232", "FT2232H", "a")]
    monkeypatch.setattr(serial_port, "serial_ports", lambda: ports)
    with pytest.raises(SpikeletError, match=r"no such port; those found: /dev/ttyUSB7 \(FT2232H"):
        Chip.open(str(tmp_path / "ttyUSB9"), CHIP)
    with pytest.raises(SpikeletError, match="the port cannot be opened"):
        Chip.open(str(tmp_path), CHIP)
    with TerminalBoard(CHIP) as board:
        monkeypatch.setattr(os, "access", lambda *_: False)

        def denied(*_: object, **__: object) -> None:
            raise PermissionError("denied")

        monkeypatch.setattr(serial_port, "_pyserial", lambda: type("S", (), {"Serial": denied}))
        with pytest.raises(SpikeletError, match="you may not use this port") as caught:
            Chip.open(board.name, CHIP)
    assert "group" in caught.value.remedy


def test_what_answers_is_told_without_a_reset() -> None:
    with TerminalBoard(CHIP) as board:
        with Chip.open(board.name, CHIP) as chip:
            chip.load(IMAGE)
        resets = board.link.resets
        answer = identified(board.name, 1_000_000)
        assert board.link.resets == resets
    assert answer.structure == CHIP.digest[:8] and "12 MHz" in answer.words
    with TerminalBoard(CHIP, silent=True) as board:
        nothing = identified(board.name, 1_000_000, patience_s=0.2)
    assert not nothing.structure and "nothing answers" in nothing.words


def port(name: str, bridge: str, adapter: str) -> FoundPort:
    return FoundPort(name, "", bridge, adapter)


@pytest.mark.parametrize(
    ("ports", "name"),
    [
        ([port("/dev/ttyUSB0", "FT231X", "a")], "/dev/ttyUSB0"),
        ([port("/dev/ttyUSB0", "FT2232H", "a"), port("/dev/ttyUSB1", "FT2232H", "a")],
         "/dev/ttyUSB1"),
        ([port("/dev/ttyS0", "", ""), port("/dev/ttyUSB0", "CP210x", "a")], "/dev/ttyUSB0"),
    ],
)  # fmt: skip
def test_the_only_board_is_found(
    ports: list[FoundPort], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PORT_VARIABLE, raising=False)
    assert BoardPort(baud=9600).found(lambda: ports) == BoardPort(name, 9600)
    assert BoardPort("COM3").found(lambda: ports).name == "COM3"
    monkeypatch.setenv(PORT_VARIABLE, "COM4")
    assert BoardPort().found(lambda: ports).name == "COM4"


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ([], "none has an adapter that boards have"),
        ([port("/dev/ttyS0", "", "")], "none has an adapter that boards have"),
        ([port("/dev/ttyUSB0", "FT231X", "a"), port("/dev/ttyUSB1", "FT231X", "b")], "several may"),
    ],
)
def test_a_port_that_is_not_known_must_be_named(
    ports: list[FoundPort], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PORT_VARIABLE, raising=False)
    with pytest.raises(SpikeletError, match=message) as caught:
        BoardPort().found(lambda: ports)
    assert "--port" in caught.value.remedy
    assert all(found.name in caught.value.remedy for found in ports)


def test_the_list_of_ports_knows_bridges(monkeypatch: pytest.MonkeyPatch) -> None:
    class Listed:
        device, description, serial_number = "/dev/ttyUSB1", "Dual RS232-HS", "42"
        vid, pid, location = 0x0403, 0x6010, "1-2:1.1"

    class Bare(Listed):
        device, description, vid, pid, location = "/dev/ttyS0", "n/a", None, None, None

    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [Listed, Bare])
    bare, found = serial_port.serial_ports()
    assert (found.name, found.bridge, found.adapter) == ("/dev/ttyUSB1", "FT2232H", "42:1-2")
    assert str(found) == "/dev/ttyUSB1 (FT2232H, Dual RS232-HS)" and str(bare) == "/dev/ttyS0"
