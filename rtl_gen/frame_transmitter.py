"""A stream of bytes as frames. Twin of ``golden/frame_transmitter.py``."""

from amaranth import C, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.host_link import CRC_BYTES, ESCAPE, ESCAPED, FLAG
from spikelet.rtl_gen.frame_receiver import CRC32

__all__ = ["FrameTransmitter"]


class FrameTransmitter(wiring.Component):
    """Sends each frame between two flags, with its CRC, and an escape where a byte needs one.

    No bench of its own: ``sim/bench_host_link.py`` runs it as part of the link.

    Timing: a byte leaves in the cycle in which it is taken, after its escape, if it needs one, and
    not before the check has taken the one before, which lasts 8 cycles.
    Reset: drops a frame under way, of which the receiver sees no end before the next flag.

    Members
    -------
    i : ``In(stream of data, 8, and last)``
        The bytes of a frame; with the last of them it ends.
    o : ``Out(stream of 8)``
    idle : ``Out(1)``
        No frame is under way.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"data": 8, "last": 1}))),
                "o": Out(stream.Signature(8)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = check = CRC32(data_width=1).create()
        left = Signal(range(9))  # of the byte that the check takes
        shift = Signal(8)
        escaped, checking, own = Signal(), Signal(), Signal()
        place = Signal(range(CRC_BYTES))
        byte = Signal(8)
        sends, sent = Signal(), Signal()
        special = (byte == FLAG) | (byte == ESCAPE)
        m.d.comb += [
            check.valid.eq(left != 0),
            # The check takes back its own bytes, complemented, and so only shifts them out.
            check.data.eq(shift[0] ^ own),
            byte.eq(self.i.p.data),
            sent.eq(sends & self.o.ready & (escaped | ~special)),
        ]
        with m.If(left != 0):
            m.d.sync += [left.eq(left - 1), shift.eq(shift >> 1)]
        with m.If(sent):
            m.d.sync += [left.eq(8), shift.eq(byte), own.eq(checking)]
        with m.If(sends):
            m.d.comb += self.o.valid.eq(1)
            m.d.comb += self.o.payload.eq(
                Mux(special, Mux(escaped, byte ^ ESCAPED, C(ESCAPE, 8)), byte)
            )
            with m.If(self.o.ready):
                m.d.sync += escaped.eq(special & ~escaped)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.idle.eq(1), check.start.eq(1)]
                with m.If(self.i.valid):
                    m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(FLAG)]
                    with m.If(self.o.ready):
                        m.next = "BYTES"
            with m.State("BYTES"):
                m.d.comb += [sends.eq(self.i.valid & (left == 0)), self.i.ready.eq(sent)]
                with m.If(sent & self.i.p.last):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += [checking.eq(1), sends.eq(left == 0), byte.eq(check.crc[:8])]
                with m.If(sent):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == CRC_BYTES - 1):
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [self.o.valid.eq(left == 0), self.o.payload.eq(FLAG)]
                with m.If((left == 0) & self.o.ready):
                    m.next = "IDLE"
        return m
