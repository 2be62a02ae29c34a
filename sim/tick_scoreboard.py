"""Scoreboard of the tick control: in every cycle, whether a tick begins and what registers hold."""

from spikelet.description.chip.memory_map import CHIP_REGISTERS

__all__ = ["FOR_EVER", "REGISTERS", "Scoreboard"]

FOR_EVER = (1 << 32) - 1
"""``run_ticks`` that are not counted down."""

REGISTERS = CHIP_REGISTERS[CHIP_REGISTERS.index("ticks") :]


class Scoreboard:
    """What :class:`~spikelet.rtl_gen.tick_control.TickControl` promises, told cycle by cycle.

    Attributes
    ----------
    registers : dict of int
        As they are in the coming cycle.
    begins : bool
        A tick begins by itself in the cycle told last.
    """

    def __init__(self) -> None:
        self.registers = dict.fromkeys(("period", *REGISTERS), 0)
        self.begins = False
        self.period_ends: int | None = None
        self.due = False
        self.belated = 0  # ticks that began after the end of their period
        self.stream_missed = False  # the host's stream of events has missed a tick
        self.offered = False
        self.begun = 0  # cycle of ``core_start``
        self.running = False
        self.seen = (False, False, 0, False)

    def tell(self, now: int, busy: bool, inputs: dict[str, int], strobes: dict[str, bool]) -> None:
        """Take one cycle into account."""
        state = self.registers
        paced = bool(state["run_ticks"] and state["period"])
        boundary = now == self.period_ends
        if not paced:
            self.period_ends, self.due = None, False
        elif boundary or self.period_ends is None:
            self.period_ends = now + state["period"]
        boundary &= paced
        quiet = not inputs["event_waits"] and not inputs["config_waits"] and inputs["configured"]
        wanted = boundary or (quiet and (self.due or not paced))
        free = not busy and not inputs["start"] and not inputs["clear"]
        self.begins = bool(state["run_ticks"] and free and wanted)
        overrun = boundary and not self.begins
        self.belated += self.begins and paced and not boundary
        self.due = paced and (self.due or boundary) and not self.begins
        self._count()
        late = self._late(busy, inputs)
        self.seen = (overrun, late, inputs["dropped"], bool(inputs["core_dropped"]))

        if self.begins and state["run_ticks"] != FOR_EVER:
            state["run_ticks"] -= 1
        if inputs["write"] and CHIP_REGISTERS[inputs["write_register"]] in ("run_ticks", "period"):
            state[CHIP_REGISTERS[inputs["write_register"]]] = inputs["write_data"]
        if strobes["core_start"]:
            state["ticks"] += 1
            self.running, self.begun = True, now
        self.running &= busy
        if self.running:
            state["cycles"] = now + 1 - self.begun
        if strobes["core_clear"]:
            kept = {name: state[name] for name in ("period", "cycles")}
            state.update(dict.fromkeys(state, 0), **kept)
            self.stream_missed = False
            self.seen = (False, False, 0, False)

    def _count(self) -> None:
        """Count and flag what was seen in the cycle before."""
        overrun, late, dropped, core_dropped = self.seen
        state = self.registers
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
