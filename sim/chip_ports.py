"""The ports of a whole chip, and what its benches read of it and compare with golden."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    COUNTERS,
    FLAGS,
    ChipMap,
)
from spikelet.description.chip.neuron_words import unpack_states
from spikelet.description.chip.packets import COUNT, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import state_words
from spikelet.description.run.recording import Recording
from spikelet.sim.drivers import Monitor, Source, cycle, pauses
from spikelet.sim.testbench import Checks, pack

__all__ = ["ConfigPort", "Reader", "strobe"]


class ConfigPort:
    """Writes and reads through the chip's configuration port."""

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut = dut
        self.layout = given["layouts"]["config_request__payload"]
        self.latency = given["node_latency"] + given["chain_length"]
        self.source = Source(dut, "config_request", pauses(rng, "never"))
        self.requests = Monitor(dut, "config_request")
        self.responses: list[tuple[int, int]] = []
        self.task = cocotb.start_soon(self._collect())

    async def _collect(self) -> None:
        edge, raised = RisingEdge(self.dut.clk), RisingEdge(self.dut.config_response__valid)
        while True:
            if not self.dut.config_response__valid.value:
                await raised
            await edge
            if self.dut.config_response__valid.value:
                self.responses.append((cycle(), int(self.dut.config_response__payload.value)))

    async def write(self, words: npt.NDArray[np.uint32]) -> None:
        """Write rows of (address, data)."""
        self.source.send(
            pack(self.layout, {"address": address, "data": data, "write": 1})
            for address, data in words.tolist()
        )
        await self.source.sent()
        self.requests.transfers.clear()

    async def read(self, addresses: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Read words; each must come when it is due."""
        self.responses.clear()
        self.requests.transfers.clear()
        self.source.send(
            pack(self.layout, {"address": address, "data": 0, "write": 0})
            for address in addresses.tolist()
        )
        await self.source.sent()
        await ClockCycles(self.dut.clk, self.latency + 1)
        due = [at + self.latency for at, _ in self.requests.transfers]
        came = [at for at, _ in self.responses]
        assert due == came, (
            f"{len(came)} responses from cycle {came[:1]}, {len(due)} due from {due[:1]}"
        )
        return np.array([word for _, word in self.responses], np.uint32)


class Reader:
    """What is read after each tick, and golden's Recording to compare it with."""

    def __init__(self, chip: ChipParams, expected: Recording) -> None:
        self.chip, self.expected = chip, expected
        chip_map, self.n_cores = ChipMap(chip), len(chip.cores)
        registers = np.arange(len(CHIP_REGISTERS), dtype=np.uint32)
        states = [words["state"] for words in state_words(chip, ("state",))]
        counters = [
            chip_map.address(core, "counters", np.arange(len(COUNTERS)))
            for core in range(self.n_cores)
        ]
        self.probes = np.concatenate([registers, *counters, *states])
        lengths = [len(registers), self.n_cores * len(COUNTERS), *map(len, states)]
        self.splits = np.cumsum(lengths)[:-1]

    def compare(
        self,
        checks: Checks,
        words: npt.NDArray[np.uint32],
        flits: list[int],
        busy_cycles: int,
        where: dict[str, int],
        drops: tuple[int, Sequence[int]] | None = None,
    ) -> None:
        """Compare all that was read after a tick, and the flits that reached the host in it.

        ``drops`` are the packets dropped in the network, and in each core.
        """
        expected, (sample, tick) = self.expected, (where["sample"], where["tick"])
        assert expected.spikes is not None and expected.states is not None
        registers, counters, *states = np.split(words, self.splits)
        for core, state in enumerate(states):
            found = unpack_states(self.chip.cores[core], state)
            place = {**where, "core": core}
            for name, values in expected.states[core].items():
                checks.equal(values[sample, tick], found[name], f"{name} of neuron", **place)
            want_fired = expected.spikes[core][sample, tick]
            checks.equal(want_fired, found["fired"], "spikes of neuron", **place)
            checks.reach("spike", want_fired.any())
        fields = flit_packet(self.chip).unpack(np.array(flits, np.int64))
        others = sum(fields[name] for name in fields if name not in ("axon", COUNT))
        assert not np.any(others), f"{where}: a spike for the host holds more than its line"
        outputs = np.bincount(
            fields["axon"], fields.get(COUNT), minlength=self.chip.n_outputs
        ).astype(np.int64)
        checks.equal(expected.outputs[sample, tick], outputs, "spikes on output line", **where)
        active, merged, dropped = counters.reshape(self.n_cores, len(COUNTERS)).T
        in_network, in_cores = drops or (0, [0] * self.n_cores)
        checks.equal(in_cores, dropped, "packets dropped by core", **where)
        self._compare_registers(
            checks,
            dict(zip(CHIP_REGISTERS, registers.tolist(), strict=True)),
            in_network,
            any(in_cores),
            where,
        )
        want_active = expected.active_axons[sample, : tick + 1].sum(axis=0)
        checks.equal(want_active, active, "active axons of core", **where)
        if tick == expected.ticks - 1:
            checks.equal(expected.merged_spikes[sample], merged, "merged spikes of core", **where)
            checks.reach("merge", merged.any())
        # `cycles` counts from the start in the cores, when all events have settled, to the barrier.
        cycles = int(registers[CHIP_REGISTERS.index("cycles")])
        assert 0 < cycles < busy_cycles, f"{where}: {cycles} cycles, busy for {busy_cycles}"
        checks.reach("output", outputs.any())
        checks.reach("silent tick", not expected.active_axons[sample, tick].any())

    def _compare_registers(
        self,
        checks: Checks,
        registers: dict[str, int],
        in_network: int,
        in_cores: bool,
        where: dict[str, int],
    ) -> None:
        checks.equal(where["tick"] + 1, registers["ticks"], "ticks", **where)
        checks.equal(in_network, registers["dropped_packets"], "dropped packets", **where)
        flags = bool(in_network or in_cores) << FLAGS.index("dropped_packet")
        checks.equal(flags, registers["flags"], "flags", **where)
        for name in ("overruns", "late_events"):
            checks.equal(0, registers[name], name, **where)


async def strobe(dut: Any, edge: RisingEdge, name: str) -> int:
    """Give a strobe; return the cycles in which the chip was busy."""
    getattr(dut, name).value = 1
    await edge
    getattr(dut, name).value = 0
    await RisingEdge(dut.busy)
    began = cycle()
    await FallingEdge(dut.busy)
    ended = cycle()
    await edge
    return ended - began
