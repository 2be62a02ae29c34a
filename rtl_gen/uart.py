"""A UART of 8 data bits, no parity, one stop bit. No twin in golden, which has no wires."""

from amaranth import C, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.errors import SpikeletError

__all__ = ["LEAST_DIVIDER", "Uart", "baud_divider"]

LEAST_DIVIDER = 5
"""Clock cycles of a bit, at least.

A start bit is seen up to a cycle late, and at the stop bit a sender that is off by 3 % has moved by
0.285 bits: with 4 cycles no sampling point stands both.
"""

_WORST_ERROR = 0.01


def baud_divider(clock_hz: int, baud: int) -> int:
    """Return the clock cycles of a bit.

    SpikeletError if whole cycles miss ``baud`` by more than 1 %, or are fewer than 5; with the
    nearest rate that works.
    """
    divider = round(clock_hz / baud) if baud > 0 else 0
    if divider >= LEAST_DIVIDER and abs(clock_hz / divider / baud - 1) <= _WORST_ERROR:
        return divider
    nearest = max(LEAST_DIVIDER, divider)
    if baud <= 0:
        raise SpikeletError(f"baud must be above 0, not {baud}", remedy="such as 115200")
    raise SpikeletError(
        f"a clock of {clock_hz} Hz cannot be divided to {baud} baud within 1 % "
        f"with {LEAST_DIVIDER} cycles of a bit or more",
        remedy=f"the nearest rate that can be had is {clock_hz / nearest:.0f} baud",
    )


class Uart(wiring.Component):
    """Bytes from a line, and bytes onto another.

    Timing: a byte takes 10 bits of ``divider`` cycles. What comes does not wait: a byte that is not
    taken in the cycle in which it is ``valid`` is lost.
    Reset: drops the bytes under way.

    Parameters
    ----------
    divider : int
        Clock cycles of a bit, at least :data:`LEAST_DIVIDER`.

    Members
    -------
    rx, tx : ``In(1)``, ``Out(1)``
        The lines, 1 when idle; ``rx`` is not of the clock domain.
    received, sending : ``Out(stream of 8)``, ``In(stream of 8)``
    """

    def __init__(self, divider: int) -> None:
        self.divider = divider
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "received": Out(stream.Signature(8)),
                "sending": In(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = _Receiver(self.divider)
        m.submodules.transmitter = transmitter = _Transmitter(self.divider)
        connect(m, flipped(self.sending), transmitter.i)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.received.payload.eq(receiver.data),
            self.received.valid.eq(receiver.valid),
            self.tx.eq(transmitter.tx),
        ]
        return m


class _Receiver(wiring.Component):
    """Bytes of a line.

    Each bit is sampled in its middle, counted from the falling edge of the start bit, so a sender
    whose rate is off by 3 % is understood. What has no stop bit is dropped.

    No bench of its own: ``sim/bench_uart.py`` runs it as a part.

    Timing: ``valid`` is high for one cycle, in the middle of the stop bit; nothing waits.
    Reset: waits for a start bit.

    Parameters
    ----------
    divider : int
        Clock cycles of a bit, at least :data:`LEAST_DIVIDER`.

    Members
    -------
    rx : ``In(1)``
        The line, 1 when idle; not of the clock domain.
    data : ``Out(8)``
    valid : ``Out(1)``
    """

    def __init__(self, divider: int) -> None:
        self.divider = divider
        super().__init__({"rx": In(1, init=1), "data": Out(8), "valid": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        left = Signal(range(self.divider))
        bits = Signal(4)  # still to be sampled, with start and stop bit; 0: idle
        ends = bits == 1
        broken = Signal()  # no stop bit: until the line is idle
        m.d.comb += self.valid.eq(ends & (left == 0) & line & ~broken)
        m.d.sync += broken.eq(ends & (left == 0) & ~line)
        with m.If(bits == 0):
            m.d.sync += left.eq((self.divider - 1) // 2 - 1)
            with m.If(~line):
                m.d.sync += bits.eq(10)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Elif(~ends | line):
            m.d.sync += [left.eq(self.divider - 1), bits.eq(bits - 1)]
            with m.If((bits == 10) & line):  # no start bit: a spike on the line
                m.d.sync += bits.eq(0)
            with m.If(~ends):
                m.d.sync += self.data.eq(Cat(self.data[1:], line))
        return m


class _Transmitter(wiring.Component):
    """Bytes onto a line.

    No bench of its own: ``sim/bench_uart.py`` runs it as a part.

    Timing: a byte takes 10 bits of ``divider`` cycles, and the next follows at once.
    Reset: the line is idle; a byte that was under way is cut.

    Parameters
    ----------
    divider : int
        Clock cycles of a bit.

    Members
    -------
    i : ``In(stream of 8)``
    tx : ``Out(1)``
        The line, 1 when idle.
    """

    def __init__(self, divider: int) -> None:
        self.divider = divider
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(self.divider))
        bits = Signal(4)  # under way or still to be sent
        rest = Signal(9)  # behind the one on the line
        over = left == 0
        m.d.comb += self.i.ready.eq(over & (bits <= 1))
        with m.If(~over):
            m.d.sync += left.eq(left - 1)
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += [left.eq(self.divider - 1), bits.eq(10)]
            m.d.sync += [rest.eq(Cat(self.i.payload, C(1, 1))), self.tx.eq(0)]
        with m.Elif(bits != 0):
            m.d.sync += [left.eq(self.divider - 1), bits.eq(bits - 1)]
            m.d.sync += [rest.eq(Cat(rest[1:], C(1, 1))), self.tx.eq(rest[0])]
        return m
