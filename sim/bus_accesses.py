"""What a processor does with a chip on its bus, whatever the bus; see ``bench_wishbone.py``."""

from typing import Any, Protocol

import numpy as np

from spikelet.description.chip.bus_registers import EVENT_WAITS, BusParams
from spikelet.sim.noted_chip import NotedChip
from spikelet.sim.noted_ports import NotedPorts
from spikelet.sim.testbench import Checks

__all__ = ["Bus", "accesses", "idle_inputs"]

_ROUNDS = 40
_BUSY, _DONE = 1, 2


class Bus(Protocol):
    """A bus with one processor; each access returns whether it ended with an error."""

    async def write(self, address: int, data: int, *, whole: bool = True) -> bool:
        """Write a word, or without ``whole`` some bytes of one."""

    async def read(self, address: int) -> tuple[int, bool]:
        """Return a word, and whether there was an error."""


def idle_inputs() -> dict[str, int]:
    """Return the chip's side of the ports while it does nothing."""
    names = ("busy", "event_in__ready", "event_out__valid", "config_request__ready")
    return dict.fromkeys((*names, "config_response__valid"), 0)


async def accesses(
    dut: Any, bus: Bus, ports: NotedPorts, params: BusParams, rng: np.random.Generator
) -> Checks:
    """Write, read, send events, run ticks and take spikes, with every kind of access that fails.

    What the chip was told must be what was written, and what is read what the chip says.
    """
    processor = _Processor(dut, bus, params, rng)
    for _ in range(_ROUNDS):
        await processor.configures()
        await processor.errs()
        await processor.runs()
    processor.checks.sequence(processor.told.told, ports.chip.told, "operation at the chip")
    return processor.checks


class _Processor:
    def __init__(self, dut: Any, bus: Bus, params: BusParams, rng: np.random.Generator) -> None:
        self.dut, self.bus, self.params, self.rng = dut, bus, params, rng
        self.checks = Checks(*("refused while busy", "partial", "no register", "no spike"))
        self.told = NotedChip()
        self.control, self.event, self.interrupts = (
            params.address(name) for name in ("control", "event", "interrupts")
        )

    async def write(self, address: int, data: int) -> None:
        self.checks.equal(0, int(await self.bus.write(address, data)), "error of a write")

    async def read(self, address: int) -> int:
        data, error = await self.bus.read(address)
        self.checks.equal(0, int(error), "error of a read")
        return data

    async def configures(self) -> None:
        """Access the memory map between ticks."""
        for _ in range(int(self.rng.integers(4))):
            address = int(self.rng.integers(1 << self.params.address_bits))
            data = int(self.rng.integers(1 << 32))
            if self.rng.random() < 0.5:
                await self.write(address, data)
                self.told.write(address, data)
            else:
                expected = self.told.read(address)
                self.checks.equal(expected, await self.read(address), "word", address=address)

    async def errs(self) -> None:
        """Make accesses that nothing allows."""
        if self.rng.random() < 0.2:
            address = int(self.rng.integers(4))
            assert await self.bus.write(address, 1, whole=False), "a part of a word was written"
            self.checks.reach("partial")
        if self.rng.random() < 0.2:
            address = self.interrupts + 1 + int(self.rng.integers(9))
            assert (await self.bus.read(address))[1], "a register that there is not was read"
            self.checks.reach("no register")

    async def runs(self) -> None:
        """Send events, run a tick or clear, and take the spikes."""
        for _ in range(int(self.rng.integers(4))):
            flit = int(self.rng.integers(1 << self.params.flit_bits))
            await self.write(self.event, flit)
            self.told.event(flit)
        enabled = int(self.rng.integers(4))
        await self.write(self.control, 4)  # clear `done`
        await self.write(self.interrupts, enabled)
        self.checks.equal(enabled, await self.read(self.interrupts), "what interrupts")
        expected: list[int] = []
        if clears := self.rng.random() < 0.3:
            self.told.clear()
        else:
            expected = self.told.tick()
        await self.write(self.control, 2 if clears else 1)
        self.checks.sequence(expected, await self._spikes(len(expected)), "spike")
        self.checks.equal(_DONE, await self.read(self.control), "state behind a tick")
        self.checks.equal(enabled & 1, int(self.dut.irq.value), "interrupt")

    async def _spikes(self, expected: int) -> list[int]:
        """Take spikes until the chip is no longer busy."""
        found: list[int] = []
        while True:
            state = await self.read(self.control)
            if state & _BUSY and len(found) < expected:  # and stays so until they are taken
                refused = (
                    await self.bus.write(self.control, 1),
                    await self.bus.write(self.event, 0),
                    (await self.bus.read(0))[1],
                )
                assert all(refused), "what is taken between ticks only"
                self.checks.reach("refused while busy")
            spike = await self.read(self.event)
            if spike:
                self.checks.equal(1, spike >> EVENT_WAITS, "bit of a spike")
                found.append(spike & ((1 << self.params.flit_bits) - 1))
                continue
            self.checks.reach("no spike")
            if not state & _BUSY:
                return found
