"""cocotb bench of the time limits: every cycle is golden's.

Parameters: ``log_unit``, ``busy_units``.
"""

from typing import Any

import cocotb

from spikelet.golden.watchdog import Watchdog
from spikelet.sim.testbench import Checks, parameters, random_source, start

_CYCLES = 6000


@cocotb.test(timeout_time=200, timeout_unit="us")
async def limits_pass_as_golden_says(dut: Any) -> None:
    """Ticks and silences of many lengths, about those of the limits."""
    given, rng = parameters(), random_source()
    unit = 1 << given["log_unit"]
    golden = Watchdog(given["log_unit"], given["busy_units"])
    inputs = dict.fromkeys(("busy", "heard", "limit", "restart"), 0)
    edge = await start(dut, **inputs)
    golden.cycle(busy=False, heard=False, limit=0)
    corners = ("late", "just not late", "restarted", "silent", "spoke in time", "switched off")
    checks = Checks(*corners)
    left = dict.fromkeys(("busy", "heard", "limit"), 0)
    for cycle in range(_CYCLES):
        before = dict(inputs)
        inputs["restart"] = int(rng.random() < 0.002)
        if not left["busy"]:
            inputs["busy"] ^= 1
            left["busy"] = int(rng.integers(1, (given["busy_units"] + 1) * unit + 3))
        inputs["heard"] = int(not left["heard"])
        if inputs["heard"]:
            left["heard"] = int(rng.integers(1, 5 * unit))
        if not left["limit"]:
            inputs["limit"] = int(rng.choice([0, 1, 2, 3]))
            left["limit"] = int(rng.integers(1, 20 * unit))
        left = {name: count - 1 for name, count in left.items()}
        for name, value in inputs.items():
            getattr(dut, name).value = value
        was_late = golden.late
        await edge
        checks.equal(int(was_late), int(dut.late.value), "late", cycle=cycle)
        silent = golden.cycle(
            busy=bool(inputs["busy"]),
            heard=bool(inputs["heard"]),
            limit=inputs["limit"],
            restart=bool(inputs["restart"]),
        )
        checks.equal(int(silent), int(dut.silent.value), "silent", cycle=cycle)
        checks.reach("late", golden.late and not was_late)
        checks.reach("restarted", was_late and not golden.late)
        checks.reach("silent", silent)
        checks.reach("just not late", before["busy"] and not inputs["busy"] and not golden.late)
        checks.reach("spoke in time", inputs["heard"] and inputs["limit"] and not silent)
        checks.reach("switched off", before["limit"] and not inputs["limit"])
    checks.finish()
