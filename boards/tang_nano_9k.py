"""Sipeed Tang Nano 9K: GW1NR-9C, with the keys S1 and S2 and six LEDs."""

from dataclasses import replace

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from spikelet.boards.board import Board, pins_from
from spikelet.description.pins import Pin

__all__ = ["TANG_NANO_9K"]


def _at_bank_voltage(pin: Pin) -> Pin:
    """Return a pin of LEDs and keys with the standard of its bank, which has 1.8 V.

    So in LiteX-Boards, ``sipeed_tang_nano_9k.py``; amaranth-boards says LVCMOS33 of all pins.
    """
    attributes = {**dict(pin.attributes), "IO_TYPE": "LVCMOS18"}
    if pin.port == "button":
        attributes["PULL_MODE"] = "UP"
    return replace(pin, attributes=tuple(attributes.items()))


def _board() -> Board:
    clock_hz, pins = pins_from(
        TangNano9kPlatform(),
        {
            "clk": ("clk27", 0),
            "button": ("button", 0),
            "rx": ("uart.rx", 0),
            "tx": ("uart.tx", 0),
            **{f"led[{number}]": ("led", number) for number in range(6)},
        },
    )
    return Board(
        "Tang-Nano-9K",
        "GW1NR-9C",
        clock_hz,
        tuple(
            _at_bank_voltage(pin) if pin.port.startswith(("led", "button")) else pin for pin in pins
        ),
        led_places="0 to 5: the row of LEDs, 0 at the end of the crystal",
        button_place="S2",
        programmers=("openFPGALoader -b tangnano9k",),
        flash_programmers=("openFPGALoader -b tangnano9k -f",),
        bitstream_options=("--sspi_as_gpio", "--mspi_as_gpio"),
    )


TANG_NANO_9K = _board()
