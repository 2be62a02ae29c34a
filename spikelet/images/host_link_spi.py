"""The host link over SPI: an image whose chip a host loads and runs through an SPI cable."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.fpga.fit import Beside
from spikelet.fpga.link_top import LinkTop, link_memories
from spikelet.images.host_link import link_lines
from spikelet.images.image import BoardImage, ImageKind, ImageOptions, require_ports
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.spi_target import LEAST_RATIO, SpiTarget

__all__ = ["KIND", "SPI_PORTS"]

SPI_PORTS = ("cs_n", "sck", "mosi", "miso")


class _HostLinkSpi(ImageKind):
    name = "host-link-spi"
    title = "a chip that a host loads and runs over SPI, with the board as target"
    luts = 1090

    def beside(self, compiled: CompiledNetwork) -> Beside:
        return Beside(self.luts, link_memories())

    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        require_ports(board, SPI_PORTS, "SPI")
        return BoardImage(
            lambda: to_verilog(LinkTop(compiled.chip, board, line=SpiTarget()), "top"),
            ("clk", "button", "led", *SPI_PORTS),
            self.beside(compiled),
            settings={"largest_sck_hz": board.chip_hz // LEAST_RATIO},
        )

    def guidance(self, board: Board) -> list[str]:
        wires = ", ".join(f"{port} {board.pin(port).site}" for port in SPI_PORTS)
        return [
            f"  join the cable to the pins of the FPGA {wires}, and the grounds",
            "  then run samples on it: spikelet run FOLDER SAMPLES --engine board --port "
            "ftdi://ftdi:232h/1 --baud HZ",
            f"  HZ is that of sck, 1000000 by default: {LEAST_RATIO} cycles of the chip's clock or "
            f"more, so {board.chip_hz // LEAST_RATIO} at {board.chip_hz / 1e6:g} MHz",
            *link_lines(board),
        ]


KIND = _HostLinkSpi()
"""Stores nothing: weights are loaded."""
