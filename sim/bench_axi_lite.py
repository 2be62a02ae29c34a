"""cocotb bench of the AXI4-Lite subordinate: cocotbext-axi is the bus, and judges its channels.

Parameters: ``params`` (BusParams).
"""

import itertools
from typing import Any

import cocotb
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from spikelet.description.chip.bus_registers import BusParams
from spikelet.sim.bus_accesses import accesses, idle_inputs
from spikelet.sim.noted_ports import NotedPorts
from spikelet.sim.testbench import parameters, random_source, start

_WORD = 4


class _AxiLite:
    def __init__(self, dut: Any) -> None:
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)

    async def write(self, address: int, data: int, *, whole: bool = True) -> bool:
        line = data.to_bytes(_WORD, "little")[: _WORD if whole else 2]
        answer = await self.master.write(_WORD * address, line)
        return bool(answer.resp == AxiResp.SLVERR)

    async def read(self, address: int) -> tuple[int, bool]:
        answer = await self.master.read(_WORD * address, _WORD)
        return int.from_bytes(answer.data, "little"), bool(answer.resp == AxiResp.SLVERR)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_processor_runs_the_chip(dut: Any) -> None:
    """Every register, and every access that ends with an error, on channels that pause."""
    params: BusParams = parameters()["params"]
    rng = random_source()
    bus = _AxiLite(dut)
    for channel in (
        bus.master.write_if.aw_channel,
        bus.master.write_if.w_channel,
        bus.master.write_if.b_channel,
        bus.master.read_if.ar_channel,
        bus.master.read_if.r_channel,
    ):
        channel.set_pause_generator(itertools.cycle(rng.integers(0, 2, 97).astype(bool).tolist()))
    ports = NotedPorts(dut, rng)
    await start(dut, **idle_inputs())
    cocotb.start_soon(ports.serve())
    (await accesses(dut, bus, ports, params, rng)).finish()
