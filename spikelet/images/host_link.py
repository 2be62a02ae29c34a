"""The host link: an image whose chip a host loads and runs through the board's serial port."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.fpga.fit import Beside
from spikelet.fpga.link_top import LinkTop, link_memories
from spikelet.images.image import BoardImage, ImageKind, ImageOptions
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["BAUD", "KIND"]

BAUD = 1_000_000
"""Of the serial port, unless it is told."""


class _HostLink(ImageKind):
    name = "host-link"
    title = "a chip that a host loads and runs through the serial port"
    takes = ("baud",)

    def beside(self, compiled: CompiledNetwork) -> Beside:
        return Beside("link", link_memories())

    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        baud = BAUD if options.baud is None else options.baud
        top = LinkTop(compiled.chip, board, baud=baud)
        return BoardImage(
            lambda: to_verilog(top, "top"),
            ("clk", "button", "led", "rx", "tx"),
            self.beside(compiled),
            settings={"baud": baud},
        )

    def guidance(self, board: Board) -> list[str]:
        last = len(board.leds) - 1
        return [
            "  then run samples on it: spikelet run FOLDER SAMPLES --engine board --port PORT",
            f"  LED {last} is lit while the chip is busy, LED {last - 1} once a host has reached "
            f"it; LEDs 0 to {last - 2} show the output line that spiked last; LEDs: "
            f"{board.led_places}",
            f"  {board.button_place} resets all",
        ]


KIND = _HostLink()
"""Stores nothing: weights are loaded."""
