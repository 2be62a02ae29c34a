"""cocotb bench of :mod:`benchmarks.engine_speed`: a chip driven from Python in every clock cycle.

Parameters: ``program`` (rows of address and data); ``flits``, ``offsets`` and ``ticks`` of one
sample; ``axon_mask``, of the output line in a flit; ``every_wire``, whether to read every output
and write every input of the streams in every cycle, or only what is needed; ``results``, path of
the file to write to.
"""

import json
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from spikelet.sim.testbench import parameters, start


async def _strobe(
    dut: Any, edge: RisingEdge, name: str, axon_mask: int, *, every_wire: bool = False
) -> tuple[int, list[int]]:
    """Run a tick or a clear; return its clock cycles and the output lines that spiked in it."""
    strobe, busy = getattr(dut, name), dut.busy
    valid, payload = dut.event_out__valid, dut.event_out__payload
    accepted, ready, offered = dut.event_in__ready, dut.event_out__ready, dut.event_in__valid
    strobe.value = 1
    await edge
    strobe.value = 0
    await edge
    cycles, lines = 2, []
    while busy.value:
        if every_wire:
            flit, spiked, _ = int(payload.value), valid.value, accepted.value
            if spiked:
                lines.append(flit & axon_mask)
            ready.value = 1
            offered.value = 0
        elif valid.value:
            lines.append(int(payload.value) & axon_mask)
        await edge
        cycles += 1
    return cycles, lines


@cocotb.test()
async def every_cycle(dut: Any) -> None:
    """Load the chip, then run a sample under the clock."""
    given = parameters()
    quiet = dict.fromkeys(("start", "clear", "event_in__valid", "config_request__valid"), 0)
    edge = await start(dut, **quiet, event_out__ready=1)
    dut.config_request__valid.value = 1
    for address, data in given["program"]:
        dut.config_request__payload.value = 1 << 64 | data << 32 | address
        await edge
    dut.config_request__valid.value = 0
    await _strobe(dut, edge, "clear", 0)

    began, cycles, outputs = time.process_time(), 0, []
    for tick in range(given["ticks"]):
        first, last = given["offsets"][tick : tick + 2]
        dut.event_in__valid.value = int(first < last)
        for flit in given["flits"][first:last]:
            dut.event_in__payload.value = flit
            taken = False
            while not taken:
                await edge
                cycles += 1
                taken = bool(dut.event_in__ready.value)
        dut.event_in__valid.value = 0
        took, lines = await _strobe(
            dut, edge, "start", given["axon_mask"], every_wire=given["every_wire"]
        )
        cycles += took
        outputs.append(sorted(lines))
    seconds = time.process_time() - began
    report = {"seconds": seconds, "cycles": cycles, "outputs": outputs}
    Path(given["results"]).write_text(json.dumps(report))
