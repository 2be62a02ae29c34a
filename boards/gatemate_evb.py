"""Cologne Chip's GateMate A1 evaluation board, with a USB-UART Pmod at socket PMODA.

amaranth-boards does not have it: the pins are those of its data sheet (DS1003), chapter 2.
"""

from spikelet.boards.board import Board
from spikelet.description.pins import Pin

__all__ = ["GATEMATE_EVB"]

_INPUT = (("SCHMITT_TRIGGER", "true"),)

GATEMATE_EVB = Board(
    "GateMate-EVB",
    "CCGM1A1",
    10_000_000,
    (
        Pin("clk", "IO_SB_A8", False, _INPUT),
        Pin("button", "IO_EB_B0", True, _INPUT),
        Pin("rx", "IO_NB_A2", False, (*_INPUT, ("PULLUP", "true"))),
        Pin("tx", "IO_NB_A1", False, ()),
        *(Pin(f"led[{place}]", f"IO_EB_B{place + 1}", True, ()) for place in range(8)),
    ),
    led_places="0 to 7: D1 to D8",
    button_place="SW3",
    programmers=("openFPGALoader -b gatemate_evb_jtag",),
    flash_programmers=("openFPGALoader -b gatemate_evb_jtag -f",),
    pll_hz=25_000_000,
)
"""Its 10 MHz oscillator is on the board."""
