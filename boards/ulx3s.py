"""ULX3S with an LFE5U-85F."""

from amaranth_boards.ulx3s import ULX3S_85F_Platform

from spikelet.boards.board import Board, pins_from

__all__ = ["ULX3S_85F"]


def _board() -> Board:
    clock_hz, pins = pins_from(
        ULX3S_85F_Platform(),
        {
            "clk": ("clk25", 0),
            "button": ("button_fire", 0),
            "rx": ("uart.rx", 0),
            "tx": ("uart.tx", 0),
            **{f"led[{number}]": ("led", number) for number in range(8)},
        },
    )
    return Board(
        "ULX3S-85F",
        "LFE5U-85F",
        clock_hz,
        pins,
        led_places="0 to 7: the row beside the buttons",
        button_place="FIRE 1",
        programmers=("openFPGALoader -b ulx3s", "fujprog"),
        bitstream_options=("--compress",),
    )


ULX3S_85F = _board()
"""The board with the largest FPGA."""
