"""cocotb bench of one node of the configuration chain.

Parameters: ``chip``; ``core``, whose node this is; ``config_latency``.
"""

from typing import Any

import cocotb
import numpy as np

from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.sim.testbench import Checks, parameters, random_source, start

REQUESTS = 1500
STEPS = REQUESTS + 16


class Stimulus:
    """Random requests, and what the regions and the nodes before would answer at any time."""

    def __init__(self, rng: np.random.Generator, chip: ChipParams, core: int) -> None:
        chip_map = ChipMap(chip)
        self.regions = chip_map.cores[core]
        self.base = chip_map.window * (1 + core)
        self.end = self.base + chip_map.window
        places = [(self.base + r.base, self.base + r.base + r.span) for r in self.regions.values()]
        anywhere = [(0, 1 << chip_map.address_bits), (self.base, self.end), *places]
        picked = np.stack([rng.integers(low, high, REQUESTS) for low, high in anywhere])
        which = rng.integers(0, len(anywhere), REQUESTS)
        self.address = picked[which, np.arange(REQUESTS)].tolist()
        self.write = (rng.integers(0, 3, REQUESTS) == 1).tolist()
        self.read = [not w and bool(rng.integers(2)) for w in self.write]
        self.data = rng.integers(0, 1 << 32, REQUESTS).tolist()
        self.before = (rng.integers(0, 1 << 32, STEPS) * (rng.random(STEPS) < 0.3)).tolist()
        self.answers = {
            name: rng.integers(0, 1 << region.bits, STEPS).tolist()
            for name, region in self.regions.items()
        }

    def offset(self, request: int, region: str) -> int | None:
        """Return the offset into a region that a request is for, if it is for that region."""
        place = self.regions[region]
        offset = int(self.address[request]) - self.base - place.base
        return offset if 0 <= offset < place.span else None


def _drive(dut: Any, stimulus: Stimulus, step: int) -> None:
    asked = step < REQUESTS
    dut.i__write.value = int(asked and stimulus.write[step])
    dut.i__read.value = int(asked and stimulus.read[step])
    if asked:
        dut.i__address.value = stimulus.address[step]
        dut.i__data.value = stimulus.data[step]
    dut.i__response.value = stimulus.before[step]
    for name, answers in stimulus.answers.items():
        getattr(dut, f"{name}__read_data").value = answers[step]


def _check_passed(dut: Any, stimulus: Stimulus, request: int, checks: Checks) -> None:
    """Check that a request passes on."""
    write, read = stimulus.write[request], stimulus.read[request]
    address, data = stimulus.address[request], stimulus.data[request]
    where = {"request": request, "address": address}
    passed = [bool(dut.o__write.value), bool(dut.o__read.value)]
    checks.equal([write, read], passed, "strobes passed on", **where)
    if write or read:
        checks.equal(address, int(dut.o__address.value), "address passed on", **where)
        checks.equal(data, int(dut.o__data.value), "data passed on", **where)


def _check_regions(dut: Any, stimulus: Stimulus, request: int, checks: Checks) -> None:
    """Check what a request does at the regions."""
    write, read = stimulus.write[request], stimulus.read[request]
    address, data = stimulus.address[request], stimulus.data[request]
    where = {"request": request, "address": address}
    hits = 0
    for name, region in stimulus.regions.items():
        offset = stimulus.offset(request, name)
        hit = offset is not None
        hits += hit
        strobes = [bool(getattr(dut, f"{name}__{s}").value) for s in ("write", "read")]
        checks.equal([hit and write, hit and read], strobes, f"strobes of {name}", **where)
        if offset is not None and (write or read):
            if region.span > 1:
                checks.equal(offset, int(getattr(dut, f"{name}__offset").value), "offset", **where)
            wanted = data & ((1 << region.bits) - 1)
            checks.equal(wanted, int(getattr(dut, f"{name}__data").value), "data", **where)
    inside = stimulus.base <= address < stimulus.end
    checks.reach("write", hits and write)
    checks.reach("read", hits and read)
    checks.reach("hole", inside and not hits and read)
    checks.reach("other window", not inside)
    checks.reach("idle", not write and not read)


def _check_response(dut: Any, stimulus: Stimulus, request: int, step: int, checks: Checks) -> None:
    """Check that the response is what came from before, and the answer if there was a read."""
    response = stimulus.before[step]
    checks.reach("answer from before", response)
    for name in stimulus.regions:
        if stimulus.offset(request, name) is not None and stimulus.read[request]:
            response |= stimulus.answers[name][step]
    checks.equal(response, int(dut.o__response.value), "response", request=request)


@cocotb.test(timeout_time=50, timeout_unit="us")
async def requests(dut: Any) -> None:
    """Strobes reach their region only; answers join the response in time; all passes on.

    A request of step s passes on at s + 1, is at the regions at s + 2 and answered there
    ``config_latency`` steps later, when the response from before comes too; it leaves with that one
    step after.
    """
    given = parameters()
    stimulus = Stimulus(random_source(), given["chip"], given["core"])
    checks = Checks("write", "read", "hole", "other window", "idle", "answer from before")
    edge = await start(dut, i__write=0, i__read=0, i__response=0)
    for step in range(STEPS):
        _drive(dut, stimulus, step)
        await edge
        if 0 <= step - 1 < REQUESTS:
            _check_passed(dut, stimulus, step - 1, checks)
        if 0 <= step - 2 < REQUESTS:
            _check_regions(dut, stimulus, step - 2, checks)
        answered = step - 3 - given["config_latency"]
        if 0 <= answered < REQUESTS:
            _check_response(dut, stimulus, answered, step - 1, checks)
    checks.finish()
