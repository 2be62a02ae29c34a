"""A SoC without a processor around an emitted chip: ``python soc.py RTL OUT PORTS TOP``.

A Wishbone master outside, in the place of a processor, has its bus; the chip is at 0x9000_0000.
Writes ``OUT/soc.v``. Of a chip with AXI ports the event streams are pins.
"""

import sys
from pathlib import Path
from typing import Any

from litex.build.generic_platform import GenericPlatform, Pins
from litex.gen import LiteXModule
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import wishbone
from migen import ClockDomain
from spikelet_litex import Spikelet

BASE = 0x9000_0000


def pins(width: int) -> Pins:
    """Return pins that no package has."""
    return Pins(" ".join(["X"] * width))


class Clocking(LiteXModule):
    """The clock and the reset of two pins."""

    def __init__(self, platform: Any) -> None:
        self.cd_sys = ClockDomain()
        self.comb += self.cd_sys.clk.eq(platform.request("clk"))
        self.comb += self.cd_sys.rst.eq(platform.request("rst"))


class SoC(SoCCore):
    """A bus, a master on pins, and the chip."""

    def __init__(self, platform: Any, rtl: Path, ports: str, top: str) -> None:
        self.crg = Clocking(platform)
        super().__init__(
            platform, 100e6, cpu_type=None, with_uart=False, with_timer=False, ident="Spikelet"
        )
        self.chip = Spikelet(platform, rtl, ports, top)
        self.bus.add_slave("chip", self.chip.bus, self.chip.region(BASE))
        widths = {"adr": 30, "dat_w": 32, "sel": 4, "dat_r": 32}
        names = ("cyc", "stb", "we", "adr", "dat_w", "sel", "dat_r", "ack", "err")
        given = [(f"wb_{name}", 0, pins(widths.get(name, 1))) for name in names]
        given.append(("irq", 0, pins(1)))
        if ports == "axi":
            for name, port in (("s_axis", self.chip.sink), ("m_axis", self.chip.source)):
                given.append((f"{name}_tdata", 0, pins(len(port.data))))
                given += [(f"{name}_t{wire}", 0, pins(1)) for wire in ("valid", "ready", "last")]
        platform.add_extension(given)
        master = wishbone.Interface(data_width=32, adr_width=30, addressing="word")
        self.bus.add_master("pins", master)
        for name in names:
            pad, wire = platform.request(f"wb_{name}"), getattr(master, name)
            into = name not in ("dat_r", "ack", "err")
            self.comb += wire.eq(pad) if into else pad.eq(wire)
        self.comb += platform.request("irq").eq(self.chip.irq)
        if ports == "axi":
            for name, port, into in (
                ("s_axis", self.chip.sink, True),
                ("m_axis", self.chip.source, False),
            ):
                for pin, wire in (("data", port.data), ("valid", port.valid), ("last", port.last)):
                    pad = platform.request(f"{name}_t{pin}")
                    self.comb += wire.eq(pad) if into else pad.eq(wire)
                pad = platform.request(f"{name}_tready")
                self.comb += pad.eq(port.ready) if into else port.ready.eq(pad)


def main(rtl: str, out: str, ports: str, top: str) -> None:
    """Write the SoC's Verilog."""
    platform = GenericPlatform("none", [("clk", 0, pins(1)), ("rst", 0, pins(1))], name="soc")
    soc = SoC(platform, Path(rtl), ports, top)
    soc.finalize()
    verilog = platform.get_verilog(soc, name="soc")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    verilog.write(str(folder / "soc.v"))


if __name__ == "__main__":
    main(*sys.argv[1:])
