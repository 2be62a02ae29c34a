"""iCEBreaker 1.0: iCE40UP5K, with the LEDs of its break-off board on PMOD 2."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from spikelet.boards.board import Board, pins_from

__all__ = ["ICEBREAKER"]


def _board() -> Board:
    platform = ICEBreakerPlatform()
    platform.add_resources(platform.break_off_pmod)
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
        },
    )
    return Board(
        "iCEBreaker",
        "ICE40UP5K-SG48",
        clock_hz,
        pins,
        led_places="0 to 4 on the break-off board, 5 the red and 6 the green LED beside the FPGA",
        button_place="user button",
        programmers=("openFPGALoader -b icebreaker", "iceprog"),
        flash_programmers=("openFPGALoader -b icebreaker -f", "iceprog"),
        pll_hz=33_000_000,
        pll_pad=True,
    )


ICEBREAKER = _board()
"""With the break-off board at PMOD 2."""
