"""cocotb bench of a router's input queue: order, places, and what it says a cycle before.

Parameters: ``depth``.
"""

from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from spikelet.sim.drivers import PAUSES, pauses
from spikelet.sim.testbench import Checks, parameters, random_source, start


@cocotb.test(timeout_time=50, timeout_unit="us")
async def flits_in_order(dut: Any) -> None:
    """Random flits and pauses, in lockstep with a model."""
    depth, rng = parameters()["depth"], random_source()
    checks = Checks("full", "empty", "room for one", "passes at once")
    await start(dut, i__valid=0, o__ready=0)
    edge = FallingEdge(dut.clk)
    held: deque[int] = deque()
    for sending in PAUSES:
        for taking in PAUSES:
            waits, stalls = pauses(rng, sending), pauses(rng, taking)
            offered: int | None = None
            for _ in range(120):
                await edge
                if offered is None and not next(waits):
                    offered = int(rng.integers(1 << len(dut.i__payload)))
                ready = not next(stalls)
                dut.i__valid.value, dut.i__payload.value = int(offered is not None), offered or 0
                dut.o__ready.value = int(ready)
                await ReadOnly()

                places = depth - len(held)
                shown = (bool(held), places > 0, places >= 2)
                got = (bool(s.value) for s in (dut.o__valid, dut.i__ready, dut.room))
                checks.sequence(shown, list(got), "o.valid, i.ready, room")
                if held:
                    checks.equal(held[0], int(dut.o__payload.value), "flit")
                following = list(held)[1:]
                if offered is not None and places:
                    following.append(offered)
                    checks.reach("passes at once", not held)
                load = bool(following) and (ready or not held)
                checks.equal(load, bool(dut.load.value), "load")
                if load:
                    checks.equal(following[0], int(dut.coming.value), "coming flit")
                checks.reach("full", not places)
                checks.reach("room for one", places == 1)
                checks.reach("empty", not held)

                if offered is not None and places:
                    held.append(offered)
                    offered = None
                    if len(held) > 1 and ready:
                        held.popleft()
                elif held and ready:
                    held.popleft()
    checks.finish()
