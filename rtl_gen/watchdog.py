"""Time limits of a tick and of a host's silence. Twin of ``golden/watchdog.py``."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Watchdog"]


class Watchdog(wiring.Component):
    """Notices a chip that hangs, and a host that does.

    Time is counted in units, so a limit may pass up to a unit later.

    Timing: ``late`` rises when the chip has been busy through the ends of ``busy_units`` units
    without a break; ``silent`` is high for one cycle, at the end of a unit, when so many units as
    ``limit`` says have begun and ended before it without ``heard``.
    Reset: begins a unit; ``late`` is low.

    Parameters
    ----------
    log_unit : int
        Logarithm to base 2 of a unit's clock cycles, at least 1.
    busy_units : int
        At least 1.

    Members
    -------
    busy : ``In(1)``
        A tick, or a clear, is under way.
    heard : ``In(1)``
        The host has said something.
    limit : ``In(16)``
        Units of silence; 0: any time.
    restart : ``In(1)``
        Lowers ``late``.
    late : ``Out(1)``
        A tick has taken too long, since reset or ``restart``.
    silent : ``Out(1)``
    """

    def __init__(self, log_unit: int, busy_units: int) -> None:
        self.log_unit = log_unit
        self.busy_units = busy_units
        super().__init__(
            {
                "busy": In(1),
                "heard": In(1),
                "limit": In(16),
                "restart": In(1),
                "late": Out(1),
                "silent": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycle = Signal(self.log_unit)
        ends = Signal()  # a unit
        m.d.sync += cycle.eq(cycle + 1)
        m.d.comb += ends.eq(cycle.all())

        busy = Signal(range(self.busy_units + 1))
        with m.If(~self.busy):
            m.d.sync += busy.eq(0)
        with m.Elif(ends & (busy != self.busy_units)):
            m.d.sync += busy.eq(busy + 1)
        with m.If(self.restart):
            m.d.sync += [self.late.eq(0), busy.eq(0)]
        with m.Elif(busy == self.busy_units):
            m.d.sync += self.late.eq(1)

        quiet = Signal(16)
        over = ends & (quiet == self.limit) & (self.limit != 0)
        m.d.comb += self.silent.eq(over & ~self.heard)
        with m.If(self.heard | (self.limit == 0) | over):
            m.d.sync += quiet.eq(0)
        with m.Elif(ends):
            m.d.sync += quiet.eq(quiet + 1)
        return m
