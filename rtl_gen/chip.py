"""A chip: cores, mesh, tick barrier and configuration port. Twin of ``golden/chip.py``."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl_gen.config_chain import ConfigNode
from rtl_gen.core import Core
from rtl_gen.layouts import (
    CONFIG_LATENCY,
    config_request,
    config_response,
    delayed,
    flit_stream,
)
from rtl_gen.mesh import Mesh
from spikelet.description.memory_map import CHIP_REGISTERS, IDENTIFICATION, ChipMap, Region
from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams

__all__ = ["Chip"]


class Chip(wiring.Component):
    """The whole chip. Between ticks it is configured and given events; ``start`` runs a tick.

    A tick begins when all events have reached their axons, and ends, with ``busy`` falling, when
    every core is idle and no flit is under way. A host that does not take ``event_out`` stalls the
    tick; no spike is lost.

    Timing: read data follows its request by ``2 + CONFIG_LATENCY`` cycles and one for each core.
    Reset: forgets everything under way; memories keep their contents, so follow with ``clear``.

    Parameters
    ----------
    chip : ChipParams

    Members
    -------
    event_in : ``In(stream of flit)``
        Events from the host; taken between ticks.
    event_out : ``Out(stream of flit)``
        Spikes to the host; ``axon`` is the output line.
    config_request : ``In(config_request(32))``
        Taken between ticks.
    config_response : ``Out(config_response())``
        One word for each read, in order; 0 from addresses where there is nothing.
    start : ``In(1)``
        Strobe: run a tick.
    clear : ``In(1)``
        Strobe: clear potentials, arrivals and counters.
    busy : ``Out(1)``
        A tick or a clear runs, or is about to; strobes are ignored.
    """

    def __init__(self, chip: ChipParams) -> None:
        self.chip = chip
        self.map = ChipMap(chip)
        flit = flit_stream(flit_packet(chip))
        super().__init__(
            {
                "event_in": In(flit),
                "event_out": Out(flit),
                "config_request": In(config_request(32)),
                "config_response": Out(config_response()),
                "start": In(1),
                "clear": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.mesh = mesh = Mesh(self.chip)
        cores = [Core(self.chip, number) for number in range(len(self.chip.cores))]
        for number, core in enumerate(cores):
            m.submodules[f"core_{number}"] = core
            connect(m, core.event_out, getattr(mesh, f"core_{number}_in"))
            connect(m, getattr(mesh, f"core_{number}_out"), core.event_in)
        connect(m, mesh.host_out, flipped(self.event_out))

        idle = Signal()
        m.d.comb += idle.eq(~(mesh.busy | Cat(core.busy for core in cores).any()))
        strobes = self._sequence(m, idle)
        for core in cores:
            m.d.comb += [core.start.eq(strobes["start"]), core.clear.eq(strobes["clear"])]
        m.d.comb += [
            mesh.host_in.payload.eq(self.event_in.payload),
            mesh.host_in.valid.eq(self.event_in.valid & ~self.busy),
            self.event_in.ready.eq(mesh.host_in.ready & ~self.busy),
        ]
        self._configure(m, cores, strobes)
        return m

    def _sequence(self, m: Module, idle: Value) -> dict[str, Signal]:
        """Build the tick barrier; return the strobes to the cores and the running mark."""
        strobes = {name: Signal(name=f"core_{name}") for name in ("start", "clear", "running")}
        clearing = Signal()
        configured = self._configured(m)
        m.d.comb += self.busy.eq(1)
        with m.FSM():
            with m.State("BETWEEN-TICKS"):
                m.d.comb += self.busy.eq(0)
                m.d.sync += clearing.eq(self.clear)
                with m.If(self.start | self.clear):
                    m.next = "SETTLE"
            with m.State("SETTLE"):  # events and configuration are still on their way
                with m.If(idle & configured):
                    m.d.sync += [
                        strobes["start"].eq(~clearing),
                        strobes["clear"].eq(clearing),
                        strobes["running"].eq(~clearing),
                    ]
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.sync += [strobes["start"].eq(0), strobes["clear"].eq(0)]
                m.next = "RUN"
            with m.State("RUN"), m.If(idle):
                m.d.sync += strobes["running"].eq(0)
                m.next = "BETWEEN-TICKS"
        return strobes

    def _configured(self, m: Module) -> Value:
        """Return whether the last configuration request has reached the end of the chain."""
        length = len(self.chip.cores) + CONFIG_LATENCY + 3
        left = Signal(range(length + 1))
        with m.If(self.config_request.valid & self.config_request.ready):
            m.d.sync += left.eq(length)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return left == 0

    def _configure(self, m: Module, cores: list[Core], strobes: dict[str, Signal]) -> None:
        """Build the configuration chain: the chip's own registers, then every core."""
        registers = Region(
            "registers", 0, len(CHIP_REGISTERS), len(CHIP_REGISTERS), 32, "r", "register"
        )
        m.submodules.config = node = ConfigNode(
            window=0,
            window_words=self.map.window,
            address_bits=self.map.address_bits,
            regions={"registers": registers},
        )
        request = self.config_request
        accepted = Signal()
        in_range = Signal()
        m.d.comb += [
            request.ready.eq(~self.busy),
            accepted.eq(request.valid & request.ready),
            in_range.eq(request.p.address[self.map.address_bits :] == 0),
            node.i.write.eq(accepted & request.p.write & in_range),
            node.i.read.eq(accepted & ~request.p.write & in_range),
            node.i.address.eq(request.p.address),
            node.i.data.eq(request.p.data),
        ]
        links: list[wiring.PureInterface] = [node.o]
        for core in cores:
            connect(m, links[-1], core.config_in)
            links.append(core.config_out)

        # Every response passes all nodes, so that the time to the end of the chain is the same.
        reading = accepted & ~request.p.write
        m.d.comb += self.config_response.payload.eq(links[-1].response)
        m.d.comb += self.config_response.valid.eq(
            delayed(m, reading, len(cores) + CONFIG_LATENCY + 2, name="reading")
        )

        ticks, cycles = Signal(32), Signal(32)
        with m.If(strobes["clear"]):
            m.d.sync += ticks.eq(0)
        with m.Elif(strobes["start"]):
            m.d.sync += [ticks.eq(ticks + 1), cycles.eq(1)]
        with m.Elif(strobes["running"]):
            m.d.sync += cycles.eq(cycles + 1)
        values = {
            "identification": C(IDENTIFICATION, 32),
            "structure": C(int(self.chip.digest[:8], 16), 32),
            "ticks": ticks,
            "cycles": cycles,
        }
        port = node.registers
        offset = delayed(m, port.offset, CONFIG_LATENCY - 1, name="register")
        with m.Switch(offset):
            for number, name in enumerate(CHIP_REGISTERS):
                with m.Case(number):
                    m.d.sync += port.read_data.eq(values[name])
