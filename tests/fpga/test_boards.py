"""Constraint files of the boards."""

import re
from dataclasses import replace

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


@pytest.mark.parametrize("size", ["12F", "25F", "45F", "85F"])
def test_ulx3s_differ_in_their_fpga_alone(size: str) -> None:
    board = board_named(f"ULX3S-{size}")
    assert board.device == f"LFE5U-{size}"
    assert replace(board, name=ULX3S_85F.name, device=ULX3S_85F.device) == ULX3S_85F
    (option, *_) = device_named(board.device).options
    assert option == f"--{size[:2]}k"


def test_hx8k_pins_are_those_of_its_manual() -> None:
    text = constraints(board_named("iCE40-HX8K"), "clk", "button", "led", "rx", "tx")
    assert "set_io clk J3\n" in text and "set_frequency clk 12\n" in text
    assert " ".join(re.findall(r"set_io led\[\d\] (\w+)", text)) == "C3 B3 C4 C5 A1 A2 B4 B5"
    assert "set_io -pullup yes button P16\n" in text
    assert "set_io -pullup yes rx B10\n" in text and "tx B12\n" in text


def test_gatemate_pins_are_those_of_its_data_sheet() -> None:
    board = board_named("GateMate-EVB")
    text = constraints(board, "clk", "button", "led")
    assert "# create_clock -period 100 [get_ports clk]\n" in text
    assert 'Pin_in "clk" Loc = "IO_SB_A8" | SCHMITT_TRIGGER=true;\n' in text
    assert 'Pin_in "button" Loc = "IO_EB_B0" | SCHMITT_TRIGGER=true;\n' in text
    assert [f'Pin_out "led[{n}]" Loc = "IO_EB_B{n + 1}";' in text for n in range(8)] == [True] * 8
    assert all(pin.inverted for pin in (*board.leds, board.pin("button")))
    assert 'Pin_out "tx"' in constraints(board, "tx")


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_pin_is_used_once_and_the_device_exists(board) -> None:
    assert len({pin.site for pin in board.pins}) == len(board.pins)
    assert device_named(board.device).name == board.device
    assert board_named(board.name.lower()) is board
    assert board.programmers and board.flash_programmers and board.led_places


def test_unknown_board_names_the_known() -> None:
    with pytest.raises(SpikeletError, match=r"^board must be one of ULX3S-85F, .*, not 'x'"):
        board_named("x")
