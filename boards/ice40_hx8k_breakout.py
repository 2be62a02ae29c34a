"""Lattice iCE40-HX8K breakout board (ICE40HX8K-B-EVN), which has no button of its own."""

from amaranth.build import Attrs, PinsN, Resource
from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from spikelet.boards.board import Board, pins_from

__all__ = ["ICE40_HX8K_BREAKOUT"]


def _board() -> Board:
    platform = ICE40HX8KBEVNPlatform()
    platform.add_resources(
        [Resource("button", 0, PinsN("P16", dir="i"), Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1))]
    )
    clock_hz, pins = pins_from(
        platform,
        {
            "clk": ("clk12", 0),
            "button": ("button", 0),
            "rx": ("uart.rx", 0),
            "tx": ("uart.tx", 0),
            **{f"led[{number}]": ("led", number) for number in range(8)},
        },
    )
    return Board(
        "iCE40-HX8K",
        "ICE40HX8K-CT256",
        clock_hz,
        pins,
        led_places="0 to 7: D2 to D9",
        button_place="a wire from P16 of header J2 to ground",
        programmers=("openFPGALoader -b ice40_generic", "iceprog -S"),
        flash_programmers=("openFPGALoader -b ice40_generic -f", "iceprog"),
        pll_hz=48_000_000,
    )


ICE40_HX8K_BREAKOUT = _board()
"""Its jumpers choose whether the FPGA or the flash is programmed."""
