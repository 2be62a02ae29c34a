"""cocotb bench of the Wishbone target: cocotbext-wishbone is the bus, and judges its cycles.

Parameters: ``params`` (BusParams).
"""

from typing import Any

import cocotb
from cocotbext.wishbone.driver import WBOp, WishboneMaster

from spikelet.description.chip.bus_registers import BusParams
from spikelet.sim.bus_accesses import accesses, idle_inputs
from spikelet.sim.noted_ports import NotedPorts
from spikelet.sim.testbench import parameters, random_source, start

_ERROR = 2
_SIGNALS = {
    **{name: name for name in ("cyc", "stb", "we", "adr", "ack", "err", "sel")},
    **{"datwr": "dat_w", "datrd": "dat_r"},
}


class _Wishbone:
    def __init__(self, dut: Any) -> None:
        self.master = WishboneMaster(
            dut, "wb", dut.clk, width=32, timeout=1000, signals_dict=_SIGNALS
        )

    async def write(self, address: int, data: int, *, whole: bool = True) -> bool:
        sel = 0xF if whole else 0b0101
        (result,) = await self.master.send_cycle([WBOp(address, data, sel=sel)])
        return int(result.ack) == _ERROR

    async def read(self, address: int) -> tuple[int, bool]:
        (result,) = await self.master.send_cycle([WBOp(address)])
        return int(result.datrd), int(result.ack) == _ERROR


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_processor_runs_the_chip(dut: Any) -> None:
    """Every register, and every access that ends with an error."""
    params: BusParams = parameters()["params"]
    rng = random_source()
    bus = _Wishbone(dut)
    ports = NotedPorts(dut, rng)
    await start(dut, **idle_inputs())
    cocotb.start_soon(ports.serve())
    (await accesses(dut, bus, ports, params, rng)).finish()
