"""When ticks start and end. No twin in golden, where a tick has no duration."""

from amaranth import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    EARLY_STOP_REGISTERS,
    FLAGS,
    TIMER_REGISTERS,
    WRITABLE_REGISTERS,
)

__all__ = ["TickControl"]

_MISSED = ("overruns", "late_events")
"""Counters of what goes wrong with ticks that begin by themselves; each has a flag, in order."""

_COUNTED = ("dropped_packets", "flags")


class TickControl(wiring.Component):
    """Starts ticks, one for each strobe or by itself, and knows when they are over.

    While ``run_ticks`` is not 0 the chip starts ticks by itself and counts them down (all ones: for
    ever). With a ``period`` of 0 a tick begins as soon as the last one has ended, and events and
    requests that wait have been taken: the free-running mode. Else periods of so many cycles follow
    each other from two cycles after the writing of the later of the two registers on, and a tick
    begins in the last cycle of each: the real-time mode. A ``period`` written meanwhile counts from
    the next one on. A period at whose end no tick can begin is an overrun. Once the last tick has
    ended and what waits has been taken, one tick begins belatedly, however many periods have
    passed: none makes up for the others.

    In the real-time mode an event is late that the host offers without a pause across the beginning
    of a tick, and that has not been taken when it begins: it is due a tick later. So are those
    behind it, until the host pauses between ticks.

    With ``early_stop`` and the register ``stop_at_output``, no tick begins after one in which a
    spike reached the host, neither by itself nor by a strobe, until ``clear``. ``stopped`` says so,
    from the cycle on in which ``busy`` falls; ``run_ticks`` keeps what was not run.

    Without ``tick_timer`` ticks begin by a strobe only, and there are none of ``TIMER_REGISTERS``.

    Timing: a tick begins, with ``busy`` rising in the next cycle, and ``core_start`` follows
    ``2 + barrier_latency`` cycles later, or once all is idle and configured. ``busy`` falls in the
    cycle after ``all_idle`` says that it is over. What is counted or flagged shows two cycles
    later.
    Reset: the chip stands between ticks; ``period`` and ``run_ticks`` are 0.

    Parameters
    ----------
    barrier_latency : int
        Clock cycles from here to the cores, and from the cores to here.
    early_stop : bool
        Whether there are the registers of ``EARLY_STOP_REGISTERS``.
    tick_timer : bool
        Whether ticks can begin without a strobe.

    Members
    -------
    start, clear : ``In(1)``
        Strobes of the host; ignored while ``busy``. They come before a tick by itself, so one that
        is held until ``busy`` rises again, or falls, is not missed.
    event_waits, config_waits : ``In(1)``
        The host offers an event, or a configuration request.
    event_taken : ``In(1)``
        The event is taken in this cycle.
    all_idle : ``In(1)``
        ``barrier_latency`` cycles ago every core was idle and no flit under way.
    configured : ``In(1)``
        No configuration request is under way.
    dropped : ``In(13)``
        Packets that have been dropped for want of a core, in this cycle.
    core_dropped : ``In(1)``
        Some core has dropped a packet.
    output_taken : ``In(1)``
        The host takes a spike in this cycle. With ``early_stop`` only.
    write : ``In(1)``
    write_register : ``In(range(len(CHIP_REGISTERS)))``, with those of ``EARLY_STOP_REGISTERS``
    write_data : ``In(32)``
        Sets a register, if it is one of ``WRITABLE_REGISTERS``; only while not ``configured``.
    core_start, core_clear : ``Out(1)``
        Strobes to the cores.
    busy : ``Out(1)``
        A tick or a clear runs, or is about to; events and requests are not taken.
    NAME : ``Out``
        The registers of ``CHIP_REGISTERS`` from ``ticks`` on, and of ``EARLY_STOP_REGISTERS``, as
        far as there are.
    """

    def __init__(
        self, barrier_latency: int, early_stop: bool = False, tick_timer: bool = True
    ) -> None:
        self.barrier_latency = barrier_latency
        self.early_stop = early_stop
        self.tick_timer = tick_timer
        own = EARLY_STOP_REGISTERS if early_stop else ()
        self.names = CHIP_REGISTERS + own
        left_out = () if tick_timer else TIMER_REGISTERS
        counted = self.names[CHIP_REGISTERS.index("ticks") :]
        self.registers = tuple(name for name in counted if name not in left_out)
        widths = {"flags": len(FLAGS)} | dict.fromkeys(own, 1)
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "event_waits": In(1),
                "event_taken": In(1),
                "config_waits": In(1),
                "all_idle": In(1),
                "configured": In(1),
                "dropped": In(13),
                "core_dropped": In(1),
                "write": In(1),
                **({"output_taken": In(1)} if early_stop else {}),
                "write_register": In(range(len(self.names))),
                "write_data": In(32),
                "core_start": Out(1),
                "core_clear": Out(1),
                "busy": Out(1),
                **{name: Out(widths.get(name, 32)) for name in self.registers},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        between = Signal()  # ticks: the host may do something
        begins = Signal()
        m.d.comb += self.busy.eq(~between)
        running = self._sequence(m, between, begins)
        written = {
            name: self.write & (self.write_register == self.names.index(name))
            for name in WRITABLE_REGISTERS
            if name in self.registers
        }
        for name, write in written.items():
            with m.If(write):
                m.d.sync += getattr(self, name).eq(self.write_data)
        missed: dict[str, Value] = {}
        if self.tick_timer:
            automatic, paced = self._modes(m, written, begins)
            missed["overruns"] = self._begin(m, between, automatic, paced, begins)
            missed["late_events"] = self._late(m, begins)

        with m.If(self.core_clear):
            m.d.sync += self.ticks.eq(0)
        with m.Elif(self.core_start):
            m.d.sync += [self.ticks.eq(self.ticks + 1), self.cycles.eq(1)]
        with m.Elif(running):
            m.d.sync += self.cycles.eq(self.cycles + 1)
        self._count(m, missed)
        return m

    def _modes(self, m: Module, written: dict[str, Value], begins: Signal) -> tuple[Value, Value]:
        """Build what the host sets; return whether ticks start by themselves, and with a period.

        Flags beside the registers spare everything else a look at 32 bits.
        """
        automatic = Signal()
        forever = Signal()
        timed = Signal()
        with m.If(written["period"]):
            m.d.sync += timed.eq(self.write_data.any())
        with m.If(self.core_clear):
            m.d.sync += [self.run_ticks.eq(0), automatic.eq(0), forever.eq(0)]
        with m.Elif(written["run_ticks"]):
            m.d.sync += [automatic.eq(self.write_data.any()), forever.eq(self.write_data.all())]
        with m.Elif(begins & ~forever):
            m.d.sync += [self.run_ticks.eq(self.run_ticks - 1), automatic.eq(self.run_ticks != 1)]
        runs = automatic & ~self.stopped if self.early_stop else automatic
        return runs, runs & timed

    def _count(self, m: Module, missed: dict[str, Value]) -> None:
        """Build the counters and flags of what went wrong, a cycle after it did.

        ``missed`` are strobes, by the names of their counters.
        """
        seen = Signal(len(FLAGS))
        dropped = Signal.like(self.dropped)
        m.d.sync += [
            seen.eq(Cat(*(missed.get(name, C(0)) for name in _MISSED), self.core_dropped)),
            dropped.eq(self.dropped),
            *(
                getattr(self, name).eq(getattr(self, name) + seen[_MISSED.index(name)])
                for name in missed
            ),
            self.dropped_packets.eq(self.dropped_packets + dropped),
            self.flags.eq(self.flags | seen | Cat(C(0, 2), dropped.any())),
        ]
        with m.If(self.core_clear):
            m.d.sync += [getattr(self, name).eq(0) for name in (*missed, *_COUNTED)]
            m.d.sync += [seen.eq(0), dropped.eq(0)]

    def _sequence(self, m: Module, between: Signal, begins: Signal) -> Signal:
        """Build the barrier; return whether a tick runs.

        What is known of the cores is ``barrier_latency`` cycles old, and so is what they know.
        """
        running = Signal()
        clearing = Signal()
        wait = Signal(range(2 * self.barrier_latency + 1))
        settled = Signal()
        m.d.comb += settled.eq(wait == 0)
        with m.If(~settled):
            m.d.sync += wait.eq(wait - 1)
        start: Value = self.start
        stops: Value | None = None
        if self.early_stop:
            start = start & ~self.stopped
            stops = self.stop_at_output & self._spiked(m)
        with m.FSM():
            with m.State("BETWEEN-TICKS"):
                m.d.comb += between.eq(1)
                m.d.sync += [clearing.eq(self.clear), wait.eq(self.barrier_latency)]
                with m.If(start | self.clear | begins):
                    m.next = "SETTLE"
            with m.State("SETTLE"):  # events and configuration are still on their way
                with m.If(settled & self.all_idle & self.configured):
                    m.d.sync += [
                        self.core_start.eq(~clearing),
                        self.core_clear.eq(clearing),
                        running.eq(~clearing),
                        wait.eq(2 * self.barrier_latency),
                    ]
                    m.next = "BEGIN"
            with m.State("BEGIN"):  # until the cores' answer to the strobe has come back
                m.d.sync += [self.core_start.eq(0), self.core_clear.eq(0)]
                with m.If(settled):
                    m.next = "RUN"
            with m.State("RUN"), m.If(self.all_idle):
                m.d.sync += running.eq(0)
                if stops is not None:
                    m.d.sync += self.stopped.eq(stops)
                m.next = "BETWEEN-TICKS"
        return running

    def _spiked(self, m: Module) -> Signal:
        """Build what knows whether a spike has reached the host since the last strobe."""
        spiked = Signal()
        with m.If(self.core_start | self.core_clear):
            m.d.sync += spiked.eq(0)
        with m.Elif(self.output_taken):
            m.d.sync += spiked.eq(1)
        return spiked

    def _begin(
        self, m: Module, between: Signal, automatic: Value, paced: Value, begins: Signal
    ) -> Value:
        """Build what starts a tick without a strobe; return whether one comes too late."""
        pacing = Signal()  # ``timer`` has been loaded
        timer = Signal(signed(33))
        boundary = Signal()  # a period ends: with a negative ``timer``, which is one bit
        due = Signal()  # a period has ended whose tick has not begun
        quiet = Signal()  # nothing that the host offers is to be taken before the tick
        m.d.comb += [
            boundary.eq(paced & pacing & (timer < 0)),
            quiet.eq(~self.event_waits & ~self.config_waits & self.configured),
            begins.eq(
                between
                & automatic
                & ~(self.start | self.clear)
                & (boundary | (quiet & (due | ~paced)))
            ),
        ]
        counting = pacing & (timer >= 0)
        m.d.sync += [
            pacing.eq(paced),
            timer.eq(Mux(counting, timer, self.period) - Mux(counting, 1, 2)),
            due.eq(paced & ~begins & (due | boundary)),
        ]
        return boundary & ~begins

    def _late(self, m: Module, begins: Signal) -> Value:
        """Build what sees that an event has missed a tick by itself; return whether it comes."""
        offered = Signal()
        missed = Signal()
        # A tick that began because nothing was offered has not been missed.
        m.d.sync += offered.eq(begins & self.event_waits)
        with m.If(self.core_clear):
            m.d.sync += missed.eq(0)
        with m.Elif(offered & self.event_waits):
            m.d.sync += missed.eq(1)
        with m.Elif(~self.busy & ~self.event_waits):
            m.d.sync += missed.eq(0)
        return missed & self.event_taken
