"""cocotb bench of an emitted chip behind a bus: replays golden's recorded run through the bus.

The buses are those of cocotbext-wishbone and cocotbext-axi. Parameters: ``run`` (RecordedRun),
``params`` (BusParams); ``base``, the byte address of the chip, if it is not 0. What ports there are
says what bus it is, and whether events have streams.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)
from cocotbext.wishbone.driver import WBOp, WishboneMaster

from spikelet.description.chip.bus_registers import EVENT_WAITS, BusParams
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.sim.testbench import Checks, parameters, start

_BUSY, _DONE = 1, 2
_START, _CLEAR, _CLEAR_DONE = 1, 2, 4
_SIGNALS = {
    **{name: name for name in ("cyc", "stb", "we", "adr", "ack", "err", "sel")},
    **{"datwr": "dat_w", "datrd": "dat_r"},
}


class _Wishbone:
    """Registers, by word address."""

    def __init__(self, dut: Any, base: int) -> None:
        self.base = base // 4
        self.master = WishboneMaster(
            dut, "wb", dut.clk, width=32, timeout=1000, signals_dict=_SIGNALS
        )

    async def write(self, address: int, data: int) -> None:
        (result,) = await self.master.send_cycle([WBOp(self.base + address, data, sel=0xF)])
        assert int(result.ack) == 1, f"write to {address:#x}: {result.ack}"

    async def read(self, address: int) -> int:
        (result,) = await self.master.send_cycle([WBOp(self.base + address)])
        assert int(result.ack) == 1, f"read of {address:#x}: {result.ack}"
        return int(result.datrd)


class _AxiLite:
    """Registers, by byte address."""

    def __init__(self, dut: Any, base: int) -> None:
        self.base = base
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)

    async def write(self, address: int, data: int) -> None:
        result = await self.master.write(self.base + 4 * address, data.to_bytes(4, "little"))
        assert result.resp == AxiResp.OKAY, f"write to {address:#x}: {result.resp}"

    async def read(self, address: int) -> int:
        result = await self.master.read(self.base + 4 * address, 4)
        assert result.resp == AxiResp.OKAY, f"read of {address:#x}: {result.resp}"
        return int.from_bytes(result.data, "little")


class _Register:
    """Events through the register ``event``."""

    def __init__(self, registers: Any, params: BusParams) -> None:
        self.registers = registers
        self.params = params

    async def events(self, flits: list[int]) -> None:
        for flit in flits:
            await self.registers.write(self.params.address("event"), flit)

    async def spikes(self) -> list[int]:
        """Take spikes until the tick has ended."""
        found: list[int] = []
        while True:
            state = await self.registers.read(self.params.address("control"))
            spike = await self.registers.read(self.params.address("event"))
            if spike >> EVENT_WAITS:
                found.append(spike)
            elif not state & _BUSY:
                return found


class _Streams:
    """Events through streams."""

    def __init__(self, dut: Any) -> None:
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        self.in_bytes = len(dut.s_axis_tdata) // 8
        self.out_bytes = len(dut.m_axis_tdata) // 8

    async def events(self, flits: list[int]) -> None:
        if flits:
            data = b"".join(flit.to_bytes(self.in_bytes, "little") for flit in flits)
            await self.source.send(AxiStreamFrame(data))
            await self.source.wait()

    async def spikes(self) -> list[int]:
        """Return the packet of a tick, without its mark."""
        data = bytes((await self.sink.recv()).tdata)
        size = self.out_bytes
        words = [int.from_bytes(data[i : i + size], "little") for i in range(0, len(data), size)]
        assert words[-1] == 1 << (8 * size - 1), f"mark {words[-1]:#x}"
        return words[:-1]


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def replay(dut: Any) -> None:
    """Load, clear, send, run and read as a processor does; compare all with golden's run."""
    given = parameters()
    run: RecordedRun = given["run"]
    params: BusParams = given["params"]
    checks = Checks("spike")
    base = given.get("base", 0)
    bus = _Wishbone(dut, base) if hasattr(dut, "wb_cyc") else _AxiLite(dut, base)
    events = _Streams(dut) if hasattr(dut, "s_axis_tdata") else _Register(bus, params)
    await start(dut)
    edge = RisingEdge(dut.clk)
    control = params.address("control")

    async def wait() -> None:
        while not int(dut.irq.value):
            await edge
        checks.equal(_DONE, await bus.read(control) & (_DONE | _BUSY), "state when it interrupts")

    await bus.write(params.address("interrupts"), 1)
    for address, data in run.program.tolist():
        await bus.write(address, data)
    offsets = run.offsets.tolist()
    for sample in range(run.samples):
        await bus.write(control, _CLEAR | _CLEAR_DONE)
        await wait()
        for tick in range(run.ticks):
            number = sample * run.ticks + tick
            await events.events(run.flits[offsets[number] : offsets[number + 1]].tolist())
            await bus.write(control, _START | _CLEAR_DONE)
            spikes = await events.spikes()
            await wait()
            found = np.zeros(run.outputs.shape[2], int)
            for spike in spikes:
                found[spike & run.output_mask] += 1
                checks.reach("spike")
            checks.sequence(run.outputs[sample, tick].tolist(), found.tolist(), "output")
            words = [await bus.read(int(address)) for address in run.probes]
            checks.sequence(run.words[sample, tick].tolist(), words, "word")
        words = [await bus.read(int(address)) for address in run.last_probes]
        checks.sequence(run.last_words[sample].tolist(), words, "word")
    checks.finish()
