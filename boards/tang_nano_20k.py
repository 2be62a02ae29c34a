"""Sipeed Tang Nano 20K: GW2AR-18C, with the keys S1 and S2 and six LEDs.

amaranth-boards has no platform of it. Pins and polarity are those of LiteX-Boards,
``sipeed_tang_nano_20k.py`` (commit 2f06d08a): its LEDs light at 0, its keys read 1 when pressed.
"""

from spikelet.boards.board import Board
from spikelet.description.pins import Pin

__all__ = ["TANG_NANO_20K"]

_STANDARD = ("IO_TYPE", "LVCMOS33")


def _board() -> Board:
    plain = (_STANDARD,)
    pulled = (("PULL_MODE", "UP"), _STANDARD)
    return Board(
        "Tang-Nano-20K",
        "GW2AR-18C",
        27_000_000,
        (
            Pin("clk", "4", False, plain),
            Pin("button", "88", False, (("PULL_MODE", "DOWN"), _STANDARD)),
            Pin("rx", "70", False, pulled),
            Pin("tx", "69", False, pulled),
            *(Pin(f"led[{number}]", str(15 + number), True, plain) for number in range(6)),
        ),
        led_places="0 to 5: the row of LEDs",
        button_place="S1",
        programmers=("openFPGALoader -b tangnano20k",),
        flash_programmers=("openFPGALoader -b tangnano20k -f",),
        bitstream_options=("--sspi_as_gpio", "--mspi_as_gpio"),
    )


TANG_NANO_20K = _board()
