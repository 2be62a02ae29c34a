"""What is proved of the host link's frames."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Assert, Cover
from amaranth.lib import crc, wiring
from amaranth.lib.wiring import In

from spikelet.description.chip.host_link import ESCAPE, ESCAPED, FLAG
from spikelet.formal.tracking import no_reset
from spikelet.rtl_gen.frame_receiver import FrameReceiver
from spikelet.rtl_gen.layouts import delayed

__all__ = ["FramesAreJudgedRight"]

_CHECK = crc.Algorithm(
    crc_width=3,
    polynomial=3,
    initial_crc=1,
    reflect_input=True,
    reflect_output=True,
    xor_output=2,
)


class FramesAreJudgedRight(wiring.Component):
    """A frame is called whole exactly if it is; and whatever comes, the receiver goes on.

    The environment offers any bytes at any time, for ever. Beside the receiver stands a judge that
    takes a whole byte at once. The check is one of 3 bits: nothing else of the receiver depends on
    what it is.

    Parameters
    ----------
    bits : int
        Of a byte that the receiver's check takes in a clock cycle.
    """

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__({"byte": In(8), "offered": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.frames = frames = FrameReceiver(_CHECK, bits=self.bits)
        m.submodules.judge = judge = _CHECK(data_width=8).create()
        taken = self.offered & frames.i.ready
        flag, escape = self.byte == FLAG, self.byte == ESCAPE
        escaped, length = Signal(), Signal.like(frames.place)
        plain = taken & ~flag & ~escape
        written = delayed(m, plain, 1, name="written")
        data = delayed(m, Mux(escaped, self.byte ^ ESCAPED, self.byte), 1, name="data")
        m.d.comb += [
            frames.i.payload.eq(self.byte),
            frames.i.valid.eq(self.offered),
            judge.start.eq(taken & flag),
            judge.valid.eq(written),
            judge.data.eq(data),
        ]
        with m.If(taken):
            m.d.sync += escaped.eq(escape)
        with m.If(taken & flag):
            m.d.sync += length.eq(0)
        with m.Elif(plain & (length != frames.shortest)):
            m.d.sync += length.eq(length + 1)

        right = (length == frames.shortest) & judge.match_detected & ~escaped
        ended = delayed(m, taken & flag & right, 1, name="ended")
        failed = delayed(m, taken & flag & ~right & (length != 0), 1, name="failed")
        m.d.comb += [
            Assert(frames.whole == ended),
            Assert(frames.broken == failed),
            Assert(frames.write == written),
            Assert(~written | (frames.data == data)),
        ]
        waits = Signal(range(8 // self.bits + 2))
        with m.If(frames.i.ready):
            m.d.sync += waits.eq(0)
        with m.Else():
            m.d.sync += waits.eq(waits + 1)
        m.d.comb += Assert(waits <= 8 // self.bits)
        m.d.comb += Cover(frames.whole)
        return m
