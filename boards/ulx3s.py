"""ULX3S, with any of the FPGAs that it is made with."""

from amaranth_boards import ulx3s

from spikelet.boards.board import Board, pins_from

__all__ = ["ULX3S", "ULX3S_85F"]


def _board(size: str) -> Board:
    clock_hz, pins = pins_from(
        getattr(ulx3s, f"ULX3S_{size}_Platform")(),
        {
            "clk": ("clk25", 0),
            "button": ("button_fire", 0),
            "rx": ("uart.rx", 0),
            "tx": ("uart.tx", 0),
            **{f"led[{number}]": ("led", number) for number in range(8)},
        },
    )
    return Board(
        f"ULX3S-{size}",
        f"LFE5U-{size}",
        clock_hz,
        pins,
        led_places="0 to 7: the row beside the buttons",
        button_place="FIRE 1",
        programmers=("openFPGALoader -b ulx3s", "fujprog"),
        flash_programmers=("openFPGALoader -b ulx3s -f", "fujprog -j FLASH"),
        bitstream_options=("--compress",),
        pll_hz=60_000_000,
    )


ULX3S_85F = _board("85F")
"""With the largest FPGA."""

ULX3S = (ULX3S_85F, *map(_board, ("45F", "25F", "12F")))
"""From the largest FPGA down."""
