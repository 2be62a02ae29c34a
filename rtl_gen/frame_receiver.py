"""Frames out of a stream of bytes. Twin of ``golden/frame_receiver.py``."""

from amaranth import Module, Mux, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.host_link import ESCAPE, ESCAPED, FLAG, REQUEST_HEADER

__all__ = ["CRC32", "FrameReceiver"]

CRC32 = crc.Algorithm(
    crc_width=32,
    polynomial=0x04C11DB7,
    initial_crc=0xFFFFFFFF,
    reflect_input=True,
    reflect_output=True,
    xor_output=0xFFFFFFFF,
)
"""Of IEEE 802.3, as ``zlib.crc32``."""


class FrameReceiver(wiring.Component):
    """Takes the escapes out of frames, and says of each at its end whether it came whole.

    Every byte of a frame is handed on before its end is seen, so whoever keeps them must be able to
    give them up again. A frame is whole if its CRC is right, it has a header, and it does not end
    in an escape. Frames of no bytes are passed over. A flag ends what came before it, whatever that
    was: after any bytes, the next frame between two flags is received.

    No bench of its own: ``sim/bench_host_link.py`` runs it as part of the link.

    Timing: a byte leaves in the cycle after it came; until ``8 / bits`` cycles have passed,
    ``ready`` is low. ``whole`` and ``broken`` come in the cycle after the flag.
    Reset: as after a flag.

    Parameters
    ----------
    algorithm : amaranth.lib.crc.Algorithm
        Of a check of whole bytes.
    bits : int
        Of a byte that the check takes in a clock cycle, 1 or 8.

    Members
    -------
    i : ``In(stream of 8)``
    data : ``Out(8)``
    write : ``Out(1)``
        ``data`` is a byte of the frame, CRC included.
    place : ``Out``
        Which byte it is, from 0; it stops behind the shortest whole frame.
    whole, broken : ``Out(1)``
        A frame has ended: as it was sent, or otherwise. Not both.
    """

    def __init__(self, algorithm: crc.Algorithm = CRC32, *, bits: int = 1) -> None:
        self.algorithm = algorithm
        self.bits = bits
        self.shortest = len(REQUEST_HEADER) + algorithm.crc_width // 8
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "data": Out(8),
                "write": Out(1),
                "place": Out(range(self.shortest + 1)),
                "whole": Out(1),
                "broken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = check = self.algorithm(data_width=self.bits).create()
        steps = 8 // self.bits
        left = Signal(range(steps + 1))  # of the byte that the check takes
        escaped, taken = Signal(), Signal()
        byte = self.i.payload
        flag, escape = byte == FLAG, byte == ESCAPE
        m.d.comb += [
            self.i.ready.eq(left == 0),
            taken.eq(self.i.valid & self.i.ready),
            check.valid.eq(left != 0),
            check.data.eq(self.data),
            check.start.eq(taken & flag),
            self.write.eq(left == steps),
        ]
        right = (self.place == self.shortest) & check.match_detected & ~escaped
        m.d.sync += [
            self.whole.eq(taken & flag & right),
            self.broken.eq(taken & flag & ~right & (self.place != 0)),
        ]
        with m.If(left != 0):
            m.d.sync += [left.eq(left - 1), self.data.eq(self.data >> self.bits)]
        with m.If(taken):
            m.d.sync += escaped.eq(escape)
            with m.If(flag):
                m.d.sync += self.place.eq(0)
            with m.Elif(~escape):
                m.d.sync += left.eq(steps)
                m.d.sync += self.data.eq(Mux(escaped, byte ^ ESCAPED, byte))
        with m.If(self.write & (self.place != self.shortest)):
            m.d.sync += self.place.eq(self.place + 1)
        return m
