# amaranth: UnusedElaboratable=no
"""Live events: images whose events come from pins, and whose classes go to LEDs, without a host."""

from abc import abstractmethod

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.fpga.fit import Beside
from spikelet.fpga.live_sources import SERIAL_BITS, AerSource, InputTable, SerialSource
from spikelet.fpga.live_top import live_memories
from spikelet.host.serial_port import BAUD
from spikelet.images.flash import led_lines, self_loading_image
from spikelet.images.image import BoardImage, ImageKind, ImageOptions, require_ports
from spikelet.rtl_gen.uart import baud_divider

__all__ = ["KINDS"]

_TICKS = 32
_TICK_US = 1000.0


class _Live(ImageKind):
    ports: tuple[str, ...]

    def beside(self, compiled: CompiledNetwork) -> Beside:
        return Beside(self.luts, live_memories(compiled.chip))

    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        require_ports(board, self.ports, "events")
        bits = self.address_bits(board)
        inputs = compiled.network.n_inputs
        if inputs > 1 << bits:
            raise SpikeletError(
                f"network {compiled.name!r} has {inputs} inputs, and image {self.name} for "
                f"{board.name} has addresses of {bits} bits",
                remedy="build the image live-serial, whose addresses have 14 bits"
                if bits < SERIAL_BITS
                else "build the image host-link",
            )
        tick_us = _TICK_US if options.tick_us is None else options.tick_us
        period = round(tick_us * 1e-6 * board.chip_hz)
        if not 2 <= period < 1 << 32:
            raise SpikeletError(
                f"tick_us must be 2 clock cycles or more, and fewer than 2**32 of them, at "
                f"{board.chip_hz} Hz, not {tick_us:g}",
                remedy="such as 1000",
            )
        table = InputTable(compiled.chip, compiled.routes, inputs, bits)
        return self_loading_image(
            *(compiled, board, self.source(table, board, options)),
            *(self.luts, (table.memory,)),
            ticks=_TICKS if options.ticks is None else options.ticks,
            period=period,
        )

    @abstractmethod
    def address_bits(self, board: Board) -> int:
        """Return the bits of an input's number."""

    @abstractmethod
    def source(
        self, table: InputTable, board: Board, options: ImageOptions
    ) -> AerSource | SerialSource:
        """Return where events come from."""

    def guidance(self, board: Board) -> list[str]:
        return led_lines(board)


class _Aer(_Live):
    name = "live-aer"
    title = (
        "classes of events that come from pins by the four-phase handshake, on LEDs without a host"
    )
    luts = 0  # as much of the chip falls away: its way of reading words back
    takes = ("ticks", "tick_us")
    ports = ("aer_req", "aer_ack", "aer_address")

    def address_bits(self, board: Board) -> int:
        return len(board.pins_of(("aer_address",)))

    def source(self, table: InputTable, board: Board, options: ImageOptions) -> AerSource:
        return AerSource(table)


class _Serial(_Live):
    name = "live-serial"
    title = "classes of events that come by the serial port, two bytes each, without a host"
    luts = 100  # see above
    takes = ("ticks", "tick_us", "baud")
    ports = ("rx",)

    def address_bits(self, board: Board) -> int:
        return SERIAL_BITS

    def source(self, table: InputTable, board: Board, options: ImageOptions) -> SerialSource:
        baud = BAUD if options.baud is None else options.baud
        return SerialSource(table, baud_divider(board.chip_hz, baud))


KINDS = (_Aer(), _Serial())
"""By what the events come."""
