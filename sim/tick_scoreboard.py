"""Scoreboard of the tick control: in every cycle, whether a tick begins and what registers hold."""

from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    EARLY_STOP_REGISTERS,
    TIMER_REGISTERS,
    WRITABLE_REGISTERS,
)

__all__ = ["FOR_EVER", "NAMES", "REGISTERS", "Scoreboard"]

FOR_EVER = (1 << 32) - 1
"""``run_ticks`` that are not counted down."""

NAMES = CHIP_REGISTERS + EARLY_STOP_REGISTERS
REGISTERS = CHIP_REGISTERS[CHIP_REGISTERS.index("ticks") :]


class Scoreboard:
    """What :class:`~spikelet.rtl_gen.tick_control.TickControl` promises, told cycle by cycle.

    Parameters
    ----------
    early_stop : bool
        Whether it has the registers of ``EARLY_STOP_REGISTERS``.
    tick_timer : bool
        Whether it has those of ``TIMER_REGISTERS``.

    Attributes
    ----------
    registers : dict of int
        As they are in the coming cycle.
    begins : bool
        A tick begins by itself in the cycle told last.
    """

    def __init__(self, early_stop: bool = False, tick_timer: bool = True) -> None:
        own = EARLY_STOP_REGISTERS if early_stop else ()
        left_out = () if tick_timer else TIMER_REGISTERS
        self.registers = {name: 0 for name in (*REGISTERS, *own) if name not in left_out}
        self.spiked = False  # a spike has reached the host since the last strobe
        self.begins = False
        self.period_ends: int | None = None
        self.due = False
        self.belated = 0  # ticks that began after the end of their period
        self.stream_missed = False  # the host's stream of events has missed a tick
        self.offered = False
        self.begun = 0  # cycle of ``core_start``
        self.running = False
        self.seen = (False, False, 0, False)

    @property
    def stopped(self) -> bool:
        """Whether no tick begins until clear."""
        return bool(self.registers.get("stopped"))

    def end(self) -> None:
        """Take into account that a tick or a clear ended in the cycle told last."""
        if "stopped" in self.registers:
            self.registers["stopped"] = int(self.registers["stop_at_output"] and self.spiked)

    def tell(self, now: int, busy: bool, inputs: dict[str, int], strobes: dict[str, bool]) -> None:
        """Take one cycle into account."""
        state = self.registers
        automatic = bool(state.get("run_ticks") and not self.stopped)
        paced = bool(automatic and state["period"])
        boundary = now == self.period_ends
        if not paced:
            self.period_ends, self.due = None, False
        elif boundary or self.period_ends is None:
            self.period_ends = now + state["period"]
        boundary &= paced
        quiet = not inputs["event_waits"] and not inputs["config_waits"] and inputs["configured"]
        wanted = boundary or (quiet and (self.due or not paced))
        free = not busy and not inputs["start"] and not inputs["clear"]
        self.begins = bool(automatic and free and wanted)
        overrun = boundary and not self.begins
        self.belated += self.begins and paced and not boundary
        self.due = paced and (self.due or boundary) and not self.begins
        self._count()
        late = self._late(busy, inputs)
        self.seen = (overrun, late, inputs["dropped"], bool(inputs["core_dropped"]))

        if self.begins and state["run_ticks"] != FOR_EVER:
            state["run_ticks"] -= 1
        name = NAMES[inputs["write_register"]]
        if inputs["write"] and name in WRITABLE_REGISTERS and name in state:
            one_bit = name in EARLY_STOP_REGISTERS
            state[name] = inputs["write_data"] & (1 if one_bit else FOR_EVER)
        self.spiked = not any(strobes.values()) and bool(
            self.spiked or inputs.get("output_taken", 0)
        )
        if strobes["core_start"]:
            state["ticks"] += 1
            self.running, self.begun = True, now
        self.running &= busy
        if self.running:
            state["cycles"] = now + 1 - self.begun
        if strobes["core_clear"]:
            names = ("period", "cycles", *EARLY_STOP_REGISTERS)
            kept = {name: state[name] for name in names if name in state}
            state.update(dict.fromkeys(state, 0), **kept)
            self.stream_missed = False
            self.seen = (False, False, 0, False)

    def _count(self) -> None:
        """Count and flag what was seen in the cycle before."""
        overrun, late, dropped, core_dropped = self.seen
        state = self.registers
        if "overruns" in state:
            state["overruns"] += overrun
            state["late_events"] += late
        state["dropped_packets"] += dropped
        causes = (overrun, late, dropped or core_dropped)
        state["flags"] |= sum(1 << bit for bit, cause in enumerate(causes) if cause)

    def _late(self, busy: bool, inputs: dict[str, int]) -> bool:
        """Return whether the event that is taken in this cycle is late."""
        late = self.stream_missed and bool(inputs["event_taken"])
        if self.offered and inputs["event_waits"]:
            self.stream_missed = True
        elif not busy and not inputs["event_waits"]:
            self.stream_missed = False
        self.offered = self.begins and bool(inputs["event_waits"])
        return late
