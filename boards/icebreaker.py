"""iCEBreaker 1.0: iCE40UP5K, with the LEDs of its break-off board on PMOD 2."""

from amaranth.build import Attrs, Pins, Resource, Subsignal
from amaranth_boards.icebreaker import ICEBreakerPlatform

from spikelet.boards.board import Board, pins_from

__all__ = ["ICEBREAKER"]


_ADDRESS_BITS = 8


def _events() -> Resource:
    """Return the pins of a sender of events: addresses at PMOD 1A, the handshake at PMOD 1B."""
    pins = ("1", "2", "3", "4", "7", "8", "9", "10")
    address = [
        Subsignal(f"address_{bit}", Pins(pin, dir="i", conn=("pmod", 0)))
        for bit, pin in enumerate(pins[:_ADDRESS_BITS])
    ]
    handshake = [
        Subsignal("req", Pins("1", dir="i", conn=("pmod", 1))),
        Subsignal("ack", Pins("2", dir="o", conn=("pmod", 1))),
    ]
    return Resource("aer", 0, *address, *handshake, Attrs(IO_STANDARD="SB_LVCMOS"))


def _link() -> Resource:
    """Return the pins of an SPI controller, at the lower row of PMOD 1B."""
    pins = {"cs_n": ("7", "i"), "mosi": ("8", "i"), "miso": ("9", "o"), "sck": ("10", "i")}
    signals = [
        Subsignal(name, Pins(pin, dir=way, conn=("pmod", 1))) for name, (pin, way) in pins.items()
    ]
    return Resource("spi_target", 0, *signals, Attrs(IO_STANDARD="SB_LVCMOS"))


def _board() -> Board:
    platform = ICEBreakerPlatform()
    platform.add_resources(platform.break_off_pmod)
    platform.add_resources([_events(), _link()])
    clock_hz, pins = pins_from(
        platform,
        {
            "clk": ("clk12", 0),
            "button": ("button", 0),
            "rx": ("uart.rx", 0),
            "tx": ("uart.tx", 0),
            "led[0]": ("led", 2),
            "led[1]": ("led", 3),
            "led[2]": ("led", 4),
            "led[3]": ("led", 5),
            "led[4]": ("led", 6),
            "led[5]": ("led_r", 0),
            "led[6]": ("led_g", 0),
            **{f"flash_{pin}": (f"spi_flash_1x.{pin}", 0) for pin in ("cs", "clk", "copi", "cipo")},
            **{f"aer_address[{bit}]": (f"aer.address_{bit}", 0) for bit in range(_ADDRESS_BITS)},
            **{f"aer_{pin}": (f"aer.{pin}", 0) for pin in ("req", "ack")},
            **{pin: (f"spi_target.{pin}", 0) for pin in ("cs_n", "sck", "mosi", "miso")},
        },
    )
    return Board(
        "iCEBreaker",
        "ICE40UP5K-SG48",
        clock_hz,
        pins,
        led_places="0 to 4 on the break-off board, 5 the red and 6 the green LED beside the FPGA",
        button_place="user button",
        # both write the flash: without a change of jumpers nothing else reaches the FPGA
        programmers=("openFPGALoader -b ice40_generic -f", "iceprog"),
        flash_programmers=("openFPGALoader -b ice40_generic -f", "iceprog"),
        pll_hz=24_000_000,
        pll_pad=True,
    )


ICEBREAKER = _board()
"""With the break-off board at PMOD 2."""
