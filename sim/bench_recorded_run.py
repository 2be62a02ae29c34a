"""cocotb bench of an emitted chip, through its ports only: replays golden's recorded run.

Parameters of :func:`replay`: ``run``, a RecordedRun, and ``compared``, the path of a file that gets
the number of values compared. Of :func:`record`: ``given``, and ``words``, the path of an ``.npz``
that gets what was seen.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import FallingEdge, RisingEdge, SimTimeoutError, with_timeout

from spikelet.description.run.recorded_run import RecordedRun
from spikelet.sim.drivers import CLOCK_NS, Monitor, Sink, Source
from spikelet.sim.testbench import Checks, parameters, start

__all__ = ["Given", "Words"]

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Given:
    """What a chip is given, and what is read; the fields are those of RecordedRun.

    ``n_outputs`` is the number of output lines, ``cycle_limit`` the clock cycles after which
    something that is waited for counts as hanging.
    """

    program: Words
    samples: int
    ticks: int
    offsets: npt.NDArray[np.int64]
    flits: Words
    n_outputs: int
    output_mask: int
    probes: Words
    last_probes: Words
    cycle_limit: int
    count_shift: int = 0

    @classmethod
    def of(cls, run: RecordedRun) -> "Given":
        """Return what a recorded run gives."""
        return cls(
            *(run.program, run.samples, run.ticks, run.offsets, run.flits),
            *(run.outputs.shape[2], run.output_mask, run.probes, run.last_probes),
            *(run.cycle_limit, run.count_shift),
        )


class EmittedChip:
    """Drives a chip's ports and counts its output spikes."""

    def __init__(self, dut: Any, given: Given, edge: RisingEdge) -> None:
        self.dut, self.given, self.edge = dut, given, edge
        self.place = "before the first sample"
        self.events = Source(dut, "event_in")
        self.requests = Source(dut, "config_request")
        self.sink = Sink(dut, "event_out")
        self.monitor = Monitor(dut, "event_out", self._count)
        self.counts = np.zeros(given.n_outputs, np.uint16)
        self.responses: list[int] = []
        self.task = cocotb.start_soon(self._collect())

    def _count(self, flit: int) -> None:
        line = flit & self.given.output_mask
        assert line < len(self.counts), f"{self.place}: a spike of output {line}, which is none"
        shift = self.given.count_shift
        self.counts[line] += flit >> shift if shift else 1

    async def _collect(self) -> None:
        valid, payload = self.dut.config_response__valid, self.dut.config_response__payload
        raised = RisingEdge(valid)
        while True:
            if not valid.value:
                await raised
            await self.edge
            if valid.value:
                word = payload.value
                assert word.is_resolvable, f"{self.place}: config_response__payload is {word}"
                self.responses.append(int(word))

    async def within_limit(self, what: str, waited_for: Any) -> None:
        """Wait, and fail if it takes too long."""
        limit = self.given.cycle_limit
        try:
            await with_timeout(waited_for, limit * CLOCK_NS, "ns")
        except SimTimeoutError:
            raise AssertionError(
                f"{self.place}: hangs: {what} for {limit} clock cycles; busy is "
                f"{self.dut.busy.value}"
            ) from None

    async def strobe(self, name: str) -> None:
        """Start a tick, or clear; wait until the chip is no longer busy."""
        signal = getattr(self.dut, name)
        signal.value = 1
        await self.edge
        signal.value = 0
        await self.edge
        busy = self.dut.busy
        assert busy.value.is_resolvable, f"{self.place}: busy is {busy.value}"
        if busy.value:
            await self.within_limit(f"busy after {name}", FallingEdge(busy))
            await self.edge

    async def write(self, program: Words) -> None:
        """Write rows of (address, data)."""
        for first in range(0, len(program), 1000):  # the limit is for a few words
            part = program[first : first + 1000].tolist()
            self.requests.send(1 << 64 | data << 32 | address for address, data in part)
            await self.within_limit("config_request is not ready", self.requests.sent())

    async def read(self, addresses: Words) -> Words:
        """Read words."""
        self.responses.clear()
        self.requests.send(addresses.tolist())
        await self.within_limit("config_request is not ready", self.requests.sent())
        for _ in range(self.given.cycle_limit):
            if len(self.responses) >= len(addresses):
                break
            await self.edge
        got = len(self.responses)
        assert got == len(addresses), f"{self.place}: {got} responses to {len(addresses)} reads"
        return np.array(self.responses, np.uint32)

    async def tick(self, flits: Words) -> None:
        """Send events and run a tick."""
        self.counts[:] = 0
        self.events.send(flits.tolist())
        await self.within_limit("event_in is not ready", self.events.sent())
        await self.strobe("start")


async def _ticks(dut: Any, given: Given) -> AsyncIterator[tuple[int, int, Any, Words, Words]]:
    """Load the chip and run all ticks; yield sample, tick, outputs, words and last words."""
    names = ("event_in__valid", "config_request__valid", "event_out__ready", "start", "clear")
    edge = await start(dut, **dict.fromkeys(names, 0))
    chip = EmittedChip(dut, given, edge)
    await chip.write(given.program)
    for sample in range(given.samples):
        chip.place = f"sample {sample}, before its first tick"
        await chip.strobe("clear")
        for tick in range(given.ticks):
            chip.place = f"sample {sample}, tick {tick}"
            place = sample * given.ticks + tick
            await chip.tick(given.flits[given.offsets[place] : given.offsets[place + 1]])
            counts = chip.counts.copy()
            words = await chip.read(given.probes)
            last = given.last_probes if tick + 1 == given.ticks else given.last_probes[:0]
            yield sample, tick, counts, words, await chip.read(last)


@cocotb.test()
async def replay(dut: Any) -> None:
    """All outputs and words are those that golden recorded."""
    wanted = parameters()
    run: RecordedRun = wanted["run"]
    checks = Checks()
    async for sample, tick, counts, words, last in _ticks(dut, Given.of(run)):
        where = {"sample": sample, "tick": tick}
        checks.equal(run.outputs[sample, tick], counts, "spikes of the outputs", **where)
        _equal(checks, run.probes, run.words[sample, tick], words, where)
        if last.size or tick + 1 == run.ticks:
            _equal(checks, run.last_probes, run.last_words[sample], last, where)
    checks.finish()
    assert checks.compared == run.values, f"{checks.compared} values compared, of {run.values}"
    Path(wanted["compared"]).write_text(str(checks.compared))


def _equal(
    checks: Checks, addresses: Words, expected: Words, got: Words, where: dict[str, int]
) -> None:
    """Compare words; a difference is named with its address."""
    for wrong in np.flatnonzero(expected != got)[:1]:
        what = f"words at addresses from {addresses[wrong]:#010x} on"
        checks.equal(expected[wrong:], got[wrong:], what, **where)
    checks.equal(expected, got, "words", **where)


@cocotb.test()
async def record(dut: Any) -> None:
    """Keep outputs, words and last words, for a Recording that is compared elsewhere."""
    wanted = parameters()
    given: Given = wanted["given"]
    shape = (given.samples, given.ticks)
    outputs = np.zeros((*shape, given.n_outputs), np.uint16)
    words = np.zeros((*shape, len(given.probes)), np.uint32)
    last = np.zeros((given.samples, len(given.last_probes)), np.uint32)
    async for sample, tick, counts, seen, ending in _ticks(dut, given):
        outputs[sample, tick], words[sample, tick] = counts, seen
        if len(ending):
            last[sample] = ending
    np.savez(wanted["words"], outputs=outputs, words=words, last=last)
