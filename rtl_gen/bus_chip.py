"""A chip with the ports of a bus around its own. No twin in golden, which has no bus."""

from amaranth import Cat, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spikelet.description.chip.bus_registers import BusParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.axi_lite import AxiLite
from spikelet.rtl_gen.axi_stream import AxiStream
from spikelet.rtl_gen.bus_registers import chip_side
from spikelet.rtl_gen.wishbone import Wishbone

__all__ = ["NATIVE", "PORTS", "BusChip", "bus_top", "check_ports"]

NATIVE = "native"
"""The chip's own ports, without a bus around them."""

PORTS = (NATIVE, "wishbone", "axi")
"""What ports an emitted chip can have."""


def check_ports(ports: str) -> str:
    """Return ``ports``; SpikeletError unless it is one of :data:`PORTS`."""
    if ports not in PORTS:
        raise SpikeletError(
            f"ports: there are none called {ports!r}", remedy=f"take one of {', '.join(PORTS)}"
        )
    return ports


def bus_top(top: str, ports: str) -> str:
    """Return the name of the module with ``ports`` around the chip ``top``."""
    return top if ports == NATIVE else f"{top}_{ports}"


class BusChip(wiring.Component):
    """A bus in front of a chip that is Verilog of its own: that of ``rtl_gen/chip.py``.

    Timing, reset: those of :class:`Wishbone`, or of :class:`AxiLite` and :class:`AxiStream`, and of
    the chip.

    Parameters
    ----------
    chip : ChipParams
    ports : str
        ``"wishbone"``: :class:`Wishbone`. ``"axi"``: :class:`AxiLite` without the register
        ``event``, and :class:`AxiStream`.
    top : str
        Name of the chip's module.

    Members
    -------
    Those of the components, without the chip's side.
    """

    def __init__(self, chip: ChipParams, ports: str, top: str) -> None:
        self.params = params = BusParams.of(chip)
        self.top = top
        self.parts: dict[str, wiring.Component] = {}
        if check_ports(ports) == "axi":
            self.parts = {
                "registers": AxiLite(params, events=False),
                "events": AxiStream(params),
            }
        else:
            self.parts = {"registers": Wishbone(params)}
        inner = chip_side(params)
        super().__init__(
            {
                name: member
                for part in self.parts.values()
                for name, member in part.signature.members.items()
                if name not in inner
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inner = chip_side(self.params)
        for name, part in self.parts.items():
            m.submodules[name] = part
            for port, member in part.signature.members.items():
                if port not in inner:
                    ours, its = getattr(self, port), getattr(part, port)
                    m.d.comb += its.eq(ours) if member.flow is In else ours.eq(its)
        registers = self.parts["registers"]
        events = self.parts.get("events", registers)
        request, response = registers.config_request, registers.config_response
        address = Signal(32)
        m.d.comb += address.eq(request.p.address)
        if events is not registers:
            m.d.comb += events.clear.eq(registers.clear)
        busy = Signal()
        for part in self.parts.values():
            m.d.comb += part.busy.eq(busy)
        m.submodules.chip = Instance(
            self.top,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_start=registers.start,
            i_clear=registers.clear,
            o_busy=busy,
            i_config_request__payload=Cat(address, request.p.data, request.p.write),
            i_config_request__valid=request.valid,
            o_config_request__ready=request.ready,
            o_config_response__payload=response.payload,
            o_config_response__valid=response.valid,
            i_event_in__payload=events.event_in.payload,
            i_event_in__valid=events.event_in.valid,
            o_event_in__ready=events.event_in.ready,
            o_event_out__payload=events.event_out.payload,
            o_event_out__valid=events.event_out.valid,
            i_event_out__ready=events.event_out.ready,
        )
        return m
