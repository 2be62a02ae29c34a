"""What is proved of the barrier: ticks begin and end only while nothing is under way."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.hdl import Assert, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spikelet.description.chip.memory_map import CHIP_REGISTERS
from spikelet.formal.tracking import no_reset
from spikelet.rtl_gen.barrier import all_of, to_all
from spikelet.rtl_gen.tick_control import TickControl

__all__ = ["BarrierIsNeverEarly"]

_CORES, _ROUTERS = 2, 2


class BarrierIsNeverEarly(wiring.Component):
    """``busy`` never falls, and no strobe reaches a core, while anything is under way.

    Cores and network are places that are busy or not, each as it likes, with one rule: a place that
    is not busy becomes so, a cycle later, only because a strobe reaches it (a core), because an
    event is taken, or because another place is busy, from which a flit may come. Of configuration
    requests it is known only that one is taken while ``busy`` is low, and arrives some time later.

    Parameters
    ----------
    latency : int
        Clock cycles from the cores to the barrier, and back.
    """

    def __init__(self, latency: int) -> None:
        self.latency = latency
        places = _CORES + _ROUTERS
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "event": In(1),
                "request": In(1),
                "register": In(range(len(CHIP_REGISTERS))),
                "data": In(32),
                "stays_or_wakes": In(places),
                "arrives": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.control = control = TickControl(self.latency)
        working = Signal(_CORES + _ROUTERS)
        configuring = Signal()
        idle = all_of(m, ~working, self.latency, name="idle")
        starts, clears = (
            to_all(m, strobe, _CORES, self.latency, name=name)
            for strobe, name in ((control.core_start, "start"), (control.core_clear, "clear"))
        )
        taken = self.event & ~control.busy
        requested = self.request & ~control.busy
        m.d.comb += [
            control.start.eq(self.start),
            control.clear.eq(self.clear),
            control.event_waits.eq(self.event),
            control.event_taken.eq(taken),
            control.config_waits.eq(self.request),
            control.configured.eq(~configuring),
            control.all_idle.eq(idle),
            control.write.eq(configuring),
            control.write_register.eq(self.register),
            control.write_data.eq(self.data),
        ]
        strobes = [start | clear for start, clear in zip(starts, clears, strict=True)]
        woken = Cat(*strobes, C(0, _ROUTERS)) | (working.any() | taken).replicate(len(working))
        m.d.sync += [
            working.eq(self.stays_or_wakes & (working | woken)),
            configuring.eq(requested | (configuring & ~self.arrives)),
        ]
        was_busy = Signal()
        m.d.sync += was_busy.eq(control.busy)
        # Of a tick: events that come between ticks are under way while the chip is not busy.
        of_tick = working.any() | configuring
        with m.If(was_busy & ~control.busy):
            m.d.comb += Assert(~of_tick)
            m.d.comb += Assert(~Cat(*strobes).any())
        for strobe in strobes:
            with m.If(strobe):
                m.d.comb += Assert(~of_tick & control.busy)
        self._ends(m, control, of_tick)
        m.d.comb += Cover(was_busy & ~control.busy & (control.ticks == 1))
        return m

    def _ends(self, m: Module, control: TickControl, of_tick: Value) -> None:
        """Assert that ``busy`` falls soon once nothing is under way."""
        limit = 6 * self.latency + 5
        waited = Signal(range(limit + 2))
        m.d.sync += waited.eq(Mux(control.busy & ~of_tick, waited + 1, 0))
        m.d.comb += Assert(waited <= limit)
