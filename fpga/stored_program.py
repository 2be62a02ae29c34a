"""A chip's program in the bitstream: the bytes of a flash image out of memory with contents."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikelet.description.errors import SpikeletError
from spikelet.fpga import memories

__all__ = ["StoredProgram"]


class StoredProgram(wiring.Component):
    """Gives bytes that stand in the bitstream, as a ``FlashReader`` gives those of a flash.

    Timing: a byte every two clock cycles, while ``o`` takes them; none behind the last.
    Reset: gives nothing until ``start``.

    Parameters
    ----------
    contents : bytes
        At least one; SpikeletError otherwise.

    Members
    -------
    start : ``In(1)``
        Begin, or begin again, with the first byte.
    o : ``Out(stream of 8)``

    Attributes
    ----------
    memory : spikelet.fpga.memories.Memory
    """

    def __init__(self, contents: bytes) -> None:
        if not contents:
            raise SpikeletError(
                "stored program: there are no contents", remedy="give those of a flash image"
            )
        self.contents = contents
        values = list(contents)
        self.memory = memories.Memory(
            "stored program", len(values), memories.varying_bits(values), writable=False
        )
        super().__init__({"start": In(1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bytes = rom = Memory(
            shape=8, depth=len(self.contents), init=list(self.contents)
        )
        read = rom.read_port()
        place = Signal(range(len(self.contents)))
        under_way, fetched = Signal(), Signal()
        taken = self.o.valid & self.o.ready
        m.d.comb += [
            read.addr.eq(place),
            read.en.eq(1),
            self.o.payload.eq(read.data),
            self.o.valid.eq(under_way & fetched),
        ]
        m.d.sync += fetched.eq(under_way & ~taken)
        with m.If(taken):
            m.d.sync += place.eq(place + 1)
            with m.If(place == len(self.contents) - 1):
                m.d.sync += under_way.eq(0)
        with m.If(self.start):
            m.d.sync += [place.eq(0), under_way.eq(1), fetched.eq(0)]
        return m
