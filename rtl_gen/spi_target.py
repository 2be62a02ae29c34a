"""The target's side of SPI as a line of bytes. No twin in golden, which has no wires."""

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.host_link import FLAG

__all__ = ["LEAST_RATIO", "SpiTarget"]

LEAST_RATIO = 8
"""Clock cycles of a cycle of ``sck``, at least.

The bit that follows a falling edge is out 3 cycles later at most, and the controller looks at it
half a cycle of ``sck`` after that edge: a cycle is left for the pins.
"""


class SpiTarget(wiring.Component):
    """Bytes of a controller, and others back, in SPI mode 0, the highest bit first.

    Where there is no byte to be sent, a flag of the host link goes out: between frames flags mean
    nothing. The link has its next byte within :data:`LEAST_RATIO` times 8 cycles while a frame is
    under way, so no flag falls into one.

    Timing: ``sck`` is sampled: it is 1/8 of the clock or slower, high and low for 4 cycles or more,
    and ``cs_n`` falls 4 cycles or more before it rises and rises as long after it fell. What comes
    does not wait: a byte that is not taken in the cycle in which it is ``valid`` is lost.
    Reset: drops the bytes under way. What came of a byte when ``cs_n`` rises is dropped, and of one
    that goes out the rest.

    Members
    -------
    cs_n, sck, mosi : ``In(1)``
        Not of the clock domain.
    miso : ``Out(1)``
        Driven always: the controller has no other target on this line.
    received, sending : ``Out(stream of 8)``, ``In(stream of 8)``
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "cs_n": In(1, init=1),
                "sck": In(1),
                "mosi": In(1),
                "miso": Out(1),
                "received": Out(stream.Signature(8)),
                "sending": In(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        idle, clock, bit = Signal(init=1), Signal(), Signal()
        m.submodules.cs_synchronizer = FFSynchronizer(self.cs_n, idle, init=1)
        m.submodules.sck_synchronizer = FFSynchronizer(self.sck, clock)
        m.submodules.mosi_synchronizer = FFSynchronizer(self.mosi, bit)
        before, selected, place = Signal(), Signal(), Signal(3)
        out, byte = Signal(8, init=FLAG), Signal(7)
        held = Signal()  # the byte in `out` has not begun
        rises, falls = ~idle & clock & ~before, ~idle & ~clock & before
        begins = (falls & (place == 0)) | (~idle & ~selected)
        m.d.sync += [before.eq(clock & ~idle), selected.eq(~idle)]
        # A byte is taken once: if it has not begun when cs_n rises, it is sent the next time.
        m.d.comb += [
            self.miso.eq(out[-1]),
            self.received.payload.eq(Cat(bit, byte)),
            self.received.valid.eq(rises & (place == 7)),
            self.sending.ready.eq(begins & ~held),
        ]
        with m.If(begins & ~held):
            m.d.sync += out.eq(Mux(self.sending.valid, self.sending.payload, C(FLAG, 8)))
            m.d.sync += held.eq(self.sending.valid)
        with m.Elif(falls):
            m.d.sync += out.eq(Cat(C(0, 1), out))
        with m.If(rises):
            m.d.sync += [byte.eq(Cat(bit, byte)), place.eq(place + 1), held.eq(0)]
        with m.If(idle):
            m.d.sync += place.eq(0)
        return m
