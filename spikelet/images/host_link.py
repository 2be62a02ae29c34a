"""The host link: an image whose chip a host loads and runs through the board's serial port."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.fpga.fit import Beside
from spikelet.fpga.link_top import LinkTop, link_memories
from spikelet.host.serial_port import BAUD
from spikelet.images.image import BoardImage, ImageKind, ImageOptions
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.uart import baud_divider

__all__ = ["KIND", "link_lines"]


class _HostLink(ImageKind):
    name = "host-link"
    title = "a chip that a host loads and runs through the serial port"
    luts = 1100
    takes = ("baud",)

    def beside(self, compiled: CompiledNetwork) -> Beside:
        return Beside(self.luts, link_memories())

    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        baud = BAUD if options.baud is None else options.baud
        baud_divider(board.chip_hz, baud)  # refuses what the clock cannot be divided to
        return BoardImage(
            lambda: to_verilog(LinkTop(compiled.chip, board, baud=baud), "top"),
            ("clk", "button", "led", "rx", "tx"),
            self.beside(compiled),
            settings={"baud": baud},
        )

    def guidance(self, board: Board) -> list[str]:
        return [
            "  then run samples on it: spikelet run FOLDER SAMPLES --engine board --port PORT",
            *link_lines(board),
        ]


def link_lines(board: Board) -> list[str]:
    """Return what LEDs and button of a board with a host link do."""
    last = len(board.leds) - 1
    return [
        f"  LED {last} is lit while the chip is busy, LED {last - 1} once a host has reached "
        f"it, LED {last - 2} if a tick took too long, LED {last - 3} if the watchdog gave a "
        "host up",
        f"  the other LEDs show the output line that spiked last; LEDs: {board.led_places}",
        f"  {board.button_place} resets all",
    ]


KIND = _HostLink()
"""Stores nothing: weights are loaded."""
