"""cocotb bench of the tick control: every promise of its docstring, cycle by cycle.

Parameters: ``barrier_latency``, ``early_stop``, ``tick_timer``. All around it is modelled in
``sim/tick_surroundings.py``.
"""

from functools import partial
from typing import Any

import cocotb
import numpy as np

from spikelet.description.chip.memory_map import FLAGS, TIMER_REGISTERS
from spikelet.sim.testbench import Checks, parameters, random_source
from spikelet.sim.tick_scoreboard import FOR_EVER, REGISTERS
from spikelet.sim.tick_surroundings import Surroundings


async def _begin(dut: Any, *corners: str) -> tuple[Surroundings, Checks]:
    checks = Checks(*corners)
    around = Surroundings(dut, parameters()["barrier_latency"], checks, random_source())
    await around.begin()
    return around, checks


@cocotb.test(timeout_time=200, timeout_unit="us")
async def one_tick_for_each_strobe(dut: Any) -> None:
    """Step mode: start and end in exact cycles; events and requests under way hold it up."""
    around, checks = await _begin(dut)
    latency, work = around.latency, 12
    around.work = lambda: work
    for work in (0, 1, 2, 30):
        asked = await around.strobe("start")
        await around.until(lambda: not around.expect_busy)
        checks.equal(asked + 2 + latency, around.when("core_start")[-1], "cycle of core_start")
        ended = asked + 2 + latency + max(2 * latency + 1, 2 * latency + work)
        checks.equal(ended, around.now - 1, f"cycle of the end of a tick of {work}")
    for events, travel in ((1, 40), (3, 9)):
        around.events, around.travel = events, partial(int, travel)
        await around.until(lambda: not around.events)
        taken = around.now - 1
        await around.strobe("start")
        await around.until(lambda: not around.expect_busy)
        settled = taken + 1 + travel + latency
        checks.equal(settled + 1, around.when("core_start")[-1], "cycle of core_start after events")
    await around.write(period=0)
    asked = await around.strobe("start")
    await around.until(lambda: not around.expect_busy)
    started = around.when("core_start")[-1]
    checks.equal(max(asked + 2 + latency, around.chain_until + 1), started, "start after a request")
    await around.strobe("clear")
    await around.until(lambda: not around.expect_busy)
    checks.equal(0, int(dut.ticks.value), "ticks after clear")
    checks.equal(7, len(around.when("core_start")), "ticks")
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def by_strobe_only(dut: Any) -> None:
    """Without the timer no tick begins by itself, whatever is written; strobes and drops count."""
    if parameters()["tick_timer"]:
        return
    around, checks = await _begin(dut, "dropped packet", "event", "strobe")
    rng, early = around.rng, around.early_stop
    around.travel = lambda: int(rng.integers(0, 20))
    around.work = lambda: int(rng.choice([0, 1, 5, 30, 90]))
    around.held_up = lambda: bool(rng.random() < 0.3)
    around.spikes = lambda: bool(rng.random() < 0.01)
    strobes = 0
    for _ in range(40):
        name = str(rng.choice([*TIMER_REGISTERS, "ticks", *(["stop_at_output"] * early)]))
        around.requests.append((name, int(rng.choice([0, 1, 40, FOR_EVER]))))
        around.events += int(rng.choice([0, 1, 8]))
        checks.reach("event", around.events)
        deed = str(rng.choice(["start", "start", "start", "clear", "nothing"]))
        if deed != "nothing":
            stopped = around.board.stopped and deed == "start"
            await around.strobe(deed)
            strobes += not stopped
        await around.cycles(int(rng.integers(1, 200)))
        checks.reach("dropped packet", around.board.registers["dropped_packets"])
    await around.until(lambda: not around.expect_busy)
    begun = len(around.when("core_start")) + len(around.when("core_clear"))
    checks.equal(strobes, begun, "ticks and clears")
    checks.reach("strobe", strobes)
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def free_running(dut: Any) -> None:
    """Ticks follow each other at once; what waits is taken between them; writing 0 stops them."""
    if not parameters()["tick_timer"]:
        return
    around, checks = await _begin(dut, "event between ticks", "request between ticks")
    latency, n = around.latency, 9
    await around.write(run_ticks=n)
    await around.until(lambda: len(around.when("core_start")) == n)
    await around.cycles(80)
    starts = around.when("core_start")
    checks.equal(n, len(starts), "ticks")
    gaps = np.diff(starts)
    checks.equal(np.full(n - 1, 2 * latency + 12 + latency + 3), gaps, "cycles between starts")

    await around.write(run_ticks=FOR_EVER)
    for kind in ("event", "request", "event"):
        await around.until(lambda: around.expect_busy and bool(around.log[-1]["core_start"]))
        if kind == "event":
            around.events = 5
            await around.until(lambda: not around.events)
        else:
            around.requests.append(("ticks", 5))  # not writable
            await around.until(lambda: not around.requests)
        checks.reach(f"{kind} between ticks")
    await around.cycles(100)
    await around.write(run_ticks=0)
    ticks = len(around.when("core_start"))
    await around.cycles(100)
    checks.equal(ticks, len(around.when("core_start")), "ticks after the request to stop was taken")
    checks.equal(0, around.board.registers["late_events"], "late events")
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def clear_stops(dut: Any) -> None:
    """A clear stops a chip that runs by itself, and resets counters and flags."""
    if not parameters()["tick_timer"]:
        return
    around, checks = await _begin(dut)
    for period in (0, 30, 100):
        await around.write(period=period, run_ticks=FOR_EVER)
        around.events = 200
        await around.cycles(300)
        around.events = 0
        await around.strobe("clear")
        await around.until(lambda: not around.expect_busy)
        ticks = len(around.when("core_start"))
        left = {name for name in REGISTERS if int(getattr(dut, name).value)}
        assert left <= {"period", "cycles", "dropped_packets", "flags"}, f"after clear: {left}"
        assert ticks, "no tick ran"
        await around.cycles(300)
        checks.equal(ticks, len(around.when("core_start")), "ticks after clear")
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def real_time(dut: Any) -> None:
    """Ticks begin in exact cycles, whatever the host does, and events are late exactly if so."""
    if not parameters()["tick_timer"]:
        return
    around, checks = await _begin(dut)
    shortest = 12 + 5 * (around.latency + 1)
    for period in (shortest, shortest + 1, 3 * shortest):
        written = await around.write(period=period, run_ticks=6)
        await around.cycles(7 * period + 40)
        begins = [cycle for cycle in around.when("begins") if cycle > written]
        expected = written + 1 + period * np.arange(1, 7)
        checks.equal(expected, begins, f"cycles in which ticks of period {period} begin")
        checks.equal(0, around.board.registers["overruns"], "overruns")

    for offered_before, n in ((4, 10), (0, 10), (9, 10), (10, 10), (1, 3)):
        before = around.board.registers["late_events"]
        period = 4 * shortest
        written = await around.write(period=period, run_ticks=3)
        boundary = written + 1 + period
        await around.until(partial(around.is_now, boundary + 1 - offered_before))
        around.events = n
        await around.cycles(3 * period + 40)
        late = n - offered_before if offered_before else 0  # offered after: for the next tick
        checks.equal(late, around.board.registers["late_events"] - before, "late events")
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def overruns(dut: Any) -> None:
    """Ticks longer than a period: one overrun for each end missed, and no catching up."""
    if not parameters()["tick_timer"]:
        return
    around, checks = await _begin(dut)
    await around.strobe("clear")
    await around.until(lambda: not around.expect_busy)
    lengths = iter([250, *[12] * 50])
    around.work = lambda: next(lengths)
    period = 100
    written = await around.write(period=period, run_ticks=5)
    await around.cycles(800)
    begins = [cycle - written - 1 for cycle in around.when("begins") if cycle > written]
    # Begins at 100; ends beyond 350, when the ends of two periods have been missed.
    belated = 100 + 250 + 2 + 3 * around.latency + 1
    checks.equal([100, belated, 400, 500, 600], begins, "cycles in which ticks begin")
    checks.equal(2, int(dut.overruns.value), "overruns")
    checks.equal(1, int(dut.flags.value) >> FLAGS.index("overrun") & 1, "flag")
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def stops_at_output(dut: Any) -> None:
    """No tick follows one with a spike until clear; or there is no such register."""
    if not parameters()["tick_timer"]:
        return
    around, checks = await _begin(dut)
    spiking = False
    around.spikes = lambda: spiking
    for period in (0, 60):
        for asked in (1, 0):
            await around.write(period=period, stop_at_output=asked, run_ticks=20)
            before = len(around.when("core_start"))
            await around.until(lambda: len(around.when("core_start")) == before + 3)  # noqa: B023
            spiking = True
            await around.until(lambda: not around.expect_busy)
            spiking = False
            stops = bool(around.early_stop and asked)
            await around.cycles(500)
            ran = len(around.when("core_start")) - before
            assert (ran == 3) if stops else (ran > 5), f"{ran} ticks, period {period}"
            await around.strobe("start")
            await around.cycles(20)
            again = len(around.when("core_start")) - before
            checks.equal(3 if stops else max(again, ran), again, "ticks after a strobe")
            checks.equal(17 if stops else 0, int(dut.run_ticks.value) * stops, "ticks left")
            checks.equal(0, int(dut.overruns.value), "overruns")
            if around.early_stop:
                checks.equal(int(stops), int(dut.stopped.value), "stopped")
                checks.equal(asked, int(dut.stop_at_output.value), "register")
            await around.strobe("clear")
            await around.until(lambda: not around.expect_busy)
            before = len(around.when("core_start"))
            await around.strobe("start")
            await around.until(lambda: not around.expect_busy)
            checks.equal(before + 1, len(around.when("core_start")), "ticks after clear")
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def anything(dut: Any) -> None:
    """Random modes, work, traffic and strobes, under the eyes of the scoreboard."""
    if not parameters()["tick_timer"]:
        return
    corners = ("overrun", "late event", "dropped packet", "belated tick", "strobe while running")
    early = ("stopped",) if parameters()["early_stop"] else ()
    around, checks = await _begin(dut, *corners, *early)
    rng, state = around.rng, around.board.registers
    around.travel = lambda: int(rng.integers(0, 20))
    around.work = lambda: int(rng.choice([0, 1, 5, 30, 90]))
    around.held_up = lambda: bool(rng.random() < 0.3)
    deeds = ["clear"] * 3 + ["start"] * 10 + ["period"] * 12 + ["run"] * 20 + ["nothing"] * 5
    deeds += ["stop", "clear"] * (5 * around.early_stop)
    around.spikes = lambda: bool(rng.random() < 0.01)
    await around.write(period=40, run_ticks=FOR_EVER)
    for deed in rng.permutation(deeds):
        around.pause = (lambda: 0) if rng.integers(2) else (lambda: int(rng.integers(0, 5)))
        if around.board.stopped and rng.integers(2):
            await around.strobe("clear")
            around.requests.append(("run_ticks", FOR_EVER))
        if deed in ("clear", "start"):
            checks.reach("strobe while running", state["run_ticks"])
            await around.strobe(deed)
        elif deed == "period":
            around.requests.append(("period", int(rng.choice([0, 1, 7, 40, 60, 120]))))
        elif deed == "run":
            around.requests.append(("run_ticks", int(rng.choice([0, 3, 20, FOR_EVER, FOR_EVER]))))
        elif deed == "stop":
            around.requests.append(("stop_at_output", int(rng.choice([0, 1, 1, 3]))))
        around.events += int(rng.choice([0, 1, 8, 60]))
        await around.cycles(int(rng.integers(1, 300)))
        for corner, name in zip(corners, REGISTERS[-4:-1], strict=False):
            checks.reach(corner, state[name])
        checks.reach("belated tick", around.board.belated)
        if early:
            checks.reach("stopped", around.board.stopped)
    checks.finish()
