"""cocotb bench of the event streams: cocotbext-axi sends events, and takes packets of spikes.

Parameters: ``params`` (BusParams).
"""

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from spikelet.description.chip.bus_registers import BusParams
from spikelet.sim.noted_chip import NotedChip
from spikelet.sim.noted_ports import LONGEST_TICK, NotedPorts
from spikelet.sim.testbench import Checks, parameters, random_source, start

_IDLE = ("busy", "event_in__ready", "event_out__valid", "clear")
_MANY = 200


class _Strobes(NotedPorts):
    """A chip whose ticks the bench starts, since the streams do not."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.starts = 0

    def strobes(self) -> list[str]:
        found = super().strobes()
        if self.starts:
            self.starts -= 1
            found.append("start")
        return found


async def _connected(
    dut: Any, pause: float
) -> tuple[Any, _Strobes, AxiStreamSource, AxiStreamSink]:
    rng = random_source()
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
    ports = _Strobes(dut, rng, pause)
    await start(dut, **dict.fromkeys(_IDLE, 0))
    cocotb.start_soon(ports.serve())
    return rng, ports, source, sink


def _frame(flits: list[int], size: int) -> AxiStreamFrame:
    return AxiStreamFrame(b"".join(flit.to_bytes(size, "little") for flit in flits))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_tick_is_a_packet(dut: Any) -> None:
    """With pauses on all sides; a clear sends nothing."""
    params: BusParams = parameters()["params"]
    rng, ports, source, sink = await _connected(dut, 0.5)
    checks = Checks("silent", "spikes", "cleared")
    told, size = NotedChip(), params.spike_bytes
    sink.set_pause_generator(bool(rng.random() < 0.4) for _ in iter(int, 1))
    source.set_pause_generator(bool(rng.random() < 0.4) for _ in iter(int, 1))
    for _ in range(30):
        flits = rng.integers(1 << params.flit_bits, size=int(rng.integers(6))).tolist()
        if flits:
            await source.send(_frame(flits, params.event_bytes))
            await source.wait()
            await ClockCycles(dut.clk, 20)
        for flit in flits:
            told.event(flit)
        if rng.random() < 0.2:
            dut.clear.value = 1
            await RisingEdge(dut.clk)
            dut.clear.value = 0
            told.clear()
            await ClockCycles(dut.clk, 2 * LONGEST_TICK)
            checks.reach("cleared")
            continue
        ports.starts += 1
        packet = bytes((await sink.recv()).tdata)
        words = [
            int.from_bytes(packet[i : i + size], "little") for i in range(0, len(packet), size)
        ]
        checks.sequence([*told.tick(), 1 << (8 * size - 1)], words, "word of a packet")
        checks.reach("spikes" if len(words) > 1 else "silent")
    checks.equal(1, int(sink.empty()), "whether no packet is left")
    checks.sequence(told.told, ports.chip.told, "operation at the chip")
    checks.finish()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def an_event_each_cycle(dut: Any) -> None:
    """Both ways, where nobody pauses."""
    params: BusParams = parameters()["params"]
    rng, ports, source, sink = await _connected(dut, 0.0)
    checks = Checks()
    flits = rng.integers(1 << params.flit_bits, size=_MANY).tolist()
    taken: list[int] = []
    sent: list[int] = []

    async def count() -> None:
        edge, cycle = RisingEdge(dut.clk), 0
        while True:
            await edge
            cycle += 1
            if dut.event_in__valid.value and dut.event_in__ready.value:
                taken.append(cycle)
            if dut.m_axis_tvalid.value and dut.m_axis_tready.value:
                sent.append(cycle)

    cocotb.start_soon(count())
    await source.send(_frame(flits, params.event_bytes))
    await source.wait()
    await ClockCycles(dut.clk, 5)
    checks.equal(_MANY - 1, taken[-1] - taken[0], "cycles of events")
    ports.starts += 1
    await sink.recv()
    checks.equal(_MANY - 1, sent[-2] - sent[0], "cycles of spikes")
    checks.finish()
