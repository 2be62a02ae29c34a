"""Constraint files of the boards."""

import re

import pytest

from spikelet.boards import BOARDS, ICEBREAKER, ULX3S_85F, Board, board_named
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named


def constraints(board: Board, *ports: str) -> str:
    """Return the text of the constraint file of a top module with these ports."""
    family = device_named(board.device).family
    return family.constraints(board.name, board.clock_hz, board.pins_of(ports))


def test_ulx3s_pins_are_those_of_its_manual() -> None:
    text = constraints(ULX3S_85F, "clk", "button", "led")
    assert 'LOCATE COMP "clk" SITE "G2";' in text
    assert 'FREQUENCY PORT "clk" 25 MHZ;' in text
    assert " ".join(re.findall(r'"led\[\d\]" SITE "(\w+)"', text)) == "B2 C2 C1 D2 D1 E2 E1 H3"
    assert 'IOBUF PORT "button" IO_TYPE=LVCMOS33 PULLMODE=DOWN;' in text
    assert '"tx"' not in text
    assert 'LOCATE COMP "tx" SITE "L4";' in constraints(ULX3S_85F, "clk", "tx")


def test_icebreaker_pins_are_those_of_its_manual() -> None:
    text = constraints(ICEBREAKER, "clk", "button", "led")
    assert "set_io clk 35\n" in text
    assert "set_frequency clk 12\n" in text
    assert " ".join(re.findall(r"set_io led\[\d\] (\d+)", text)) == "26 27 25 23 21 11 37"
    assert [pin.inverted for pin in ICEBREAKER.leds] == [False] * 5 + [True] * 2
    assert ICEBREAKER.pin("button").inverted
    assert "set_io -pullup yes rx 6\n" in constraints(ICEBREAKER, "rx")


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_pin_is_used_once_and_the_device_exists(board) -> None:
    assert len({pin.site for pin in board.pins}) == len(board.pins)
    assert device_named(board.device).name == board.device
    assert board_named(board.name.lower()) is board


def test_unknown_board_names_the_known() -> None:
    with pytest.raises(SpikeletError, match=r"^board must be one of ULX3S-85F, .*, not 'x'"):
        board_named("x")
