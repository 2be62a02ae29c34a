"""An emitted chip as a LiteX module: its registers on the bus of a SoC, and its interrupt.

``spikelet compile NETWORK -o FOLDER --ports wishbone`` (or ``axi``) makes the Verilog. Then, in a
SoC::

    self.chip = Spikelet(platform, "FOLDER/rtl", "wishbone")
    self.bus.add_slave("chip", self.chip.bus, self.chip.region(0x9000_0000))
    self.irq.add("chip", use_loc_if_exists=True)  # where there is a processor

Written for LiteX 2024.12, which is on PyPI.
"""

import json
from pathlib import Path
from typing import Any

from litex.gen import LiteXModule
from litex.soc.integration.soc import SoCRegion
from litex.soc.interconnect import axi, stream, wishbone
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel
from migen import ClockSignal, Instance, ResetSignal, Signal

__all__ = ["Spikelet"]

_AXI_LITE = {
    "aw": ("addr", "prot"),
    "w": ("data", "strb"),
    "b": ("resp",),
    "ar": ("addr", "prot"),
    "r": ("data", "resp"),
}


class Spikelet(LiteXModule):
    """A chip behind a bus.

    Parameters
    ----------
    platform : GenericPlatform
        To which the Verilog is added.
    rtl : path
        The folder ``rtl`` that ``spikelet compile`` wrote.
    ports : str
        ``"wishbone"`` or ``"axi"``, as it was compiled.
    top : str
        As it was compiled.

    Attributes
    ----------
    bus : wishbone.Interface or AXILiteInterface
    irq : Signal
    ev : EventManager
        Of one level, ``chip``: the chip's interrupt.
    sink, source : stream.Endpoint
        Of ``axi`` only: events in and out; ``data`` and ``last`` as in docs/ports.md.
    """

    def __init__(
        self, platform: Any, rtl: str | Path, ports: str = "wishbone", top: str = "chip"
    ) -> None:
        if ports not in ("wishbone", "axi"):
            raise ValueError(f"ports must be wishbone or axi, not {ports!r}")
        folder = Path(rtl)
        module = f"{top}_{ports}"
        for name in ("chip.v", f"{module}.v"):
            if not (folder / name).is_file():
                raise ValueError(f"{folder / name} is missing; compile with --ports {ports}")
            platform.add_source(str(folder / name))
        self.word_bits = json.loads((folder / "memory_map.json").read_text())["address_bits"] + 1
        flit = json.loads((folder / "interface.json").read_text())["flit"]["bits"]
        self.irq = Signal()
        self.ev = EventManager()
        self.ev.chip = EventSourceLevel(description="A tick has ended, or a spike waits.")
        self.ev.finalize()
        self.comb += self.ev.chip.trigger.eq(self.irq)
        connected = {"i_clk": ClockSignal(), "i_rst": ResetSignal(), "o_irq": self.irq}
        connected |= self._wishbone() if ports == "wishbone" else self._axi(flit)
        self.specials += Instance(module, **connected)

    def region(self, origin: int) -> SoCRegion:
        """Return the chip's place on the bus; ``origin`` is a byte address."""
        return SoCRegion(origin=origin, size=4 << self.word_bits, cached=False)

    def _wishbone(self) -> dict[str, Any]:
        self.bus = bus = wishbone.Interface(data_width=32, adr_width=30, addressing="word")
        inputs = ("cyc", "stb", "we", "dat_w", "sel")
        return {
            "i_wb_adr": bus.adr[: self.word_bits],
            **{f"i_wb_{name}": getattr(bus, name) for name in inputs},
            **{f"o_wb_{name}": getattr(bus, name) for name in ("dat_r", "ack", "err")},
        }

    def _axi(self, flit_bits: int) -> dict[str, Any]:
        self.bus = bus = axi.AXILiteInterface(data_width=32, address_width=32)
        connected: dict[str, Any] = {}
        for channel, parts in _AXI_LITE.items():
            port = getattr(bus, channel)
            given, back = ("o", "i") if channel in ("b", "r") else ("i", "o")
            connected[f"{given}_s_axil_{channel}valid"] = port.valid
            connected[f"{back}_s_axil_{channel}ready"] = port.ready
            for part in parts:
                wire: Any = 0 if part == "prot" else getattr(port, part)
                narrow = wire[: self.word_bits + 2] if part == "addr" else wire
                connected[f"{given}_s_axil_{channel}{part}"] = narrow
        self.sink = stream.Endpoint([("data", 8 * ((flit_bits + 7) // 8))])
        self.source = stream.Endpoint([("data", 8 * ((flit_bits + 8) // 8))])
        for name, port, given, back in (
            ("s_axis", self.sink, "i", "o"),
            ("m_axis", self.source, "o", "i"),
        ):
            connected |= {
                f"{given}_{name}_tdata": port.data,
                f"{given}_{name}_tvalid": port.valid,
                f"{given}_{name}_tlast": port.last,
                f"{back}_{name}_tready": port.ready,
            }
        return connected
