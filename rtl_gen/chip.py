"""A chip: cores, network on chip, tick control, configuration. Twin of ``golden/chip.py``."""

from functools import reduce
from operator import or_

from amaranth import Array, C, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.memory_map import IDENTIFICATION, ChipMap, Region
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.barrier import all_of, sum_of, to_all
from spikelet.rtl_gen.config_chain import ConfigNode
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.elaborate import Shared
from spikelet.rtl_gen.flit_fifo import FlitFifo
from spikelet.rtl_gen.layouts import (
    CONFIG_LATENCY,
    config_request,
    config_response,
    delayed,
    feed,
    flit_stream,
)
from spikelet.rtl_gen.network_on_chip import NetworkOnChip
from spikelet.rtl_gen.tick_control import TickControl

__all__ = ["Chip"]

_DROPPED_BITS = 13
"""As many packets as there can be positions may be dropped in one cycle."""


class Chip(wiring.Component):
    """The whole chip, or one of several that make up a larger one.

    Between ticks it is configured and given events; ``start`` runs a tick, or the chip runs ticks
    by itself (:class:`TickControl`). A tick begins when all events have reached their axons, and
    ends, with ``busy`` falling, when every core is idle and no flit is under way. A host that does
    not take ``event_out`` stalls the tick; no spike is lost.

    Timing: read data follows its request by :attr:`ConfigNode.latency` cycles and one for each
    core; in one of several chips, for each position.
    Reset: forgets everything under way; memories keep their contents, so follow with ``clear``.

    Parameters
    ----------
    chip : ChipParams
    part : tuple of int, or None
        Column and row of this chip, where ``chip`` is cut into several; the one at (0, 0) has the
        host and controls the ticks of all. :class:`~spikelet.rtl_gen.joined_chips.JoinedChips`
        joins them.

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
        Strobe: clear potentials, arrivals, counters and flags, and stop running by itself.
    busy : ``Out(1)``
        A tick or a clear runs, or is about to; strobes are ignored.

    One of several also has the sides of :class:`NetworkOnChip`. The one at (0, 0) has, besides
    these, ``core_start``, ``core_clear`` (``Out(1)``, for the cores of the others), and
    ``others_idle``, ``others_dropped``, ``others_core_dropped`` (``In``); the others have only the
    configuration port, and the same with the direction turned: ``core_start``, ``core_clear``,
    ``idle``, ``dropped``, ``core_dropped``.
    """

    def __init__(self, chip: ChipParams, part: tuple[int, int] | None = None) -> None:
        if part is None and chip.chip_columns * chip.chip_rows > 1:
            raise SpikeletError(
                f"chip: cut into {chip.chip_columns} x {chip.chip_rows} chips, it is not one",
                remedy="build JoinedChips, or one part",
            )
        self.chip = chip
        self.part = part
        self.leads = part in (None, (0, 0))
        self.map = ChipMap(chip)
        self.network = NetworkOnChip(chip, part or (0, 0))
        positions = chip.width * chip.height // (chip.chip_columns * chip.chip_rows)
        self.latency = chip.barrier_latency
        self.missing = 0 if part is None else positions - len(self.network.cores)
        flit = flit_stream(self.network.flit)
        members = {
            "config_request": In(config_request(32)),
            "config_response": Out(config_response()),
        }
        if self.leads:
            members |= {"event_in": In(flit), "event_out": Out(flit)}
            members |= {"start": In(1), "clear": In(1), "busy": Out(1)}
        if part is not None:
            to_others, prefix = (Out, In), "others_"
            if not self.leads:
                to_others, prefix = (In, Out), ""
            strobe, answer = to_others
            members |= {"core_start": strobe(1), "core_clear": strobe(1)}
            members |= {f"{prefix}idle": answer(1), f"{prefix}core_dropped": answer(1)}
            members |= {f"{prefix}dropped": answer(_DROPPED_BITS)}
            for side in self.network.edges:
                for way in ("in", "out"):
                    members[f"{side}_{way}"] = self.network.signature.members[f"{side}_{way}"]
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.network = network = self.network
        cores = [Core(self.chip, number, told=True, chip_map=self.map) for number in network.cores]
        queues: list[FlitFifo] = []
        for core in cores:
            m.submodules[f"core_{core.number}"] = core.shared
            m.d.comb += [getattr(core, name).eq(value) for name, value in core.place.items()]
            connect(m, core.event_out, getattr(network, f"core_{core.number}_in"))
            arrivals = getattr(network, f"core_{core.number}_out")
            if self.chip.registered_links:
                # Whether a core takes a flit depends on the flit: not on wires across the chip too.
                queue = FlitFifo(network.flit, depth=2)
                m.submodules[f"arrivals_{core.number}"] = Shared(queue, network.flit)
                connect(m, arrivals, queue.i)
                queues.append(queue)
                arrivals = queue.o
            connect(m, arrivals, core.event_in)
        for side in network.edges:
            connect(m, flipped(getattr(self, f"{side}_in")), getattr(network, f"{side}_in"))
            connect(m, getattr(network, f"{side}_out"), flipped(getattr(self, f"{side}_out")))

        waiting = Cat(queue.o.valid for queue in queues)
        working = Cat(network.busy, *(core.busy for core in cores), waiting)
        idle = all_of(m, ~working, self.latency, name="idle")
        dropped = sum_of(m, network.dropped, name="dropped")
        core_dropped = Signal()
        m.d.sync += core_dropped.eq(Cat(core.dropped for core in cores).any())
        if self.leads:
            strobes, node = self._lead(m, idle, dropped, core_dropped)
        else:
            strobes, node = (self.core_start, self.core_clear), self._first_node(m, {})
            m.d.comb += [
                self.config_request.ready.eq(1),
                self.idle.eq(idle),
                self.dropped.eq(dropped),
                self.core_dropped.eq(core_dropped),
            ]
        for strobe, name in zip(strobes, ("start", "clear"), strict=True):
            copies = to_all(m, strobe, len(cores), self.latency, name=name)
            for core, copy in zip(cores, copies, strict=True):
                m.d.comb += getattr(core, name).eq(copy)
        self._configure(m, node, cores)
        return m

    def _lead(
        self, m: Module, idle: Value, dropped: Value, core_dropped: Value
    ) -> tuple[tuple[Signal, Signal], ConfigNode]:
        """Build what only the chip with the host has; return the cores' strobes, and its window."""
        m.submodules.tick_control = control = TickControl(
            self.latency, self.chip.early_stop, self.chip.tick_timer
        )
        network = self.network
        feed(m, network.host_out, self.event_out)
        m.d.comb += [
            Value.cast(network.host_in.payload).eq(self.event_in.payload),
            network.host_in.valid.eq(self.event_in.valid & ~self.busy),
            self.event_in.ready.eq(network.host_in.ready & ~self.busy),
            self.config_request.ready.eq(~self.busy),
            self.busy.eq(control.busy),
            control.start.eq(self.start),
            control.clear.eq(self.clear),
            control.event_waits.eq(self.event_in.valid),
            control.event_taken.eq(self.event_in.valid & self.event_in.ready),
            control.config_waits.eq(self.config_request.valid),
            control.configured.eq(self._configured(m)),
        ]
        if self.chip.early_stop:
            taken = self.event_out.valid & self.event_out.ready
            m.d.comb += control.output_taken.eq(taken)
        if self.part is None:
            m.d.comb += [
                control.all_idle.eq(idle),
                control.dropped.eq(dropped),
                control.core_dropped.eq(core_dropped),
            ]
        else:
            m.d.comb += [
                control.all_idle.eq(idle & self.others_idle),
                control.dropped.eq(dropped + self.others_dropped),
                control.core_dropped.eq(core_dropped | self.others_core_dropped),
                self.core_start.eq(control.core_start),
                self.core_clear.eq(control.core_clear),
            ]

        names = control.names
        span = 1 << (len(names) - 1).bit_length()
        registers = Region("registers", 0, len(names), span, 32, "rw", "register")
        node = self._first_node(m, {"registers": registers})
        port = node.registers
        values = {
            "identification": C(IDENTIFICATION, 32),
            "structure": C(int(self.chip.digest[:8], 16), 32),
            **{name: getattr(control, name) for name in control.registers},
        }
        m.d.comb += [
            control.write.eq(port.write),
            control.write_register.eq(port.offset),
            control.write_data.eq(port.data),
        ]
        offset = delayed(m, port.offset, CONFIG_LATENCY - 2, name="register")
        found = [Signal(32, name=f"registers_from_{first}") for first in range(0, len(names), 4)]
        for index, word in enumerate(found):  # of four at most, which a look-up table can choose
            here = [values.get(name, C(0)) for name in names[4 * index : 4 * index + 4]]
            with m.If(offset[2:] == index):
                m.d.sync += word.eq(Array([*here, *[C(0)] * (4 - len(here))])[offset[:2]])
            with m.Else():
                m.d.sync += word.eq(0)
        m.d.sync += port.read_data.eq(reduce(or_, found))
        return (control.core_start, control.core_clear), node

    @property
    def _chain_length(self) -> int:
        return len(self.network.cores) + self.missing

    def _configured(self, m: Module) -> Value:
        """Return whether the last configuration request has reached the end of the chain."""
        length = self._chain_length + ConfigNode.latency + 1
        left = Signal(range(length + 1))
        configured = Signal(init=1)  # left == 0, in a register: ticks begin by it
        with m.If(self.config_request.valid & self.config_request.ready):
            m.d.sync += [left.eq(length), configured.eq(0)]
        with m.Elif(~configured):
            m.d.sync += [left.eq(left - 1), configured.eq(left == 1)]
        return configured

    def _node(self, window: int, regions: dict[str, Region]) -> ConfigNode:
        return ConfigNode(
            window=window,
            window_words=self.map.window,
            address_bits=self.map.address_bits,
            regions=regions,
        )

    def _first_node(self, m: Module, regions: dict[str, Region]) -> ConfigNode:
        """Build the chip's own window, and take requests into it."""
        m.submodules.config = node = self._node(0, regions)
        request = self.config_request
        accepted = Signal()
        in_range = Signal()
        m.d.comb += [
            accepted.eq(request.valid & request.ready),
            in_range.eq(request.p.address[self.map.address_bits :] == 0),
            node.i.write.eq(accepted & request.p.write & in_range),
            node.i.read.eq(accepted & ~request.p.write & in_range),
            node.i.address.eq(request.p.address),
            node.i.data.eq(request.p.data),
        ]
        return node

    def _configure(self, m: Module, node: ConfigNode, cores: list[Core]) -> None:
        """Build the configuration chain: the chip's own window, then every core.

        Every response passes all nodes, so that the time to the end of the chain is the same; in
        one of several chips, nodes without a core make up for missing ones.
        """
        links: list[wiring.PureInterface] = [node.o]
        for core in cores:
            connect(m, links[-1], core.config_in)
            links.append(core.config_out)
        for number in range(self.missing):
            m.submodules[f"config_{number}"] = empty = self._node(0, {})
            connect(m, links[-1], empty.i)
            links.append(empty.o)
        accepted = self.config_request.valid & self.config_request.ready
        reading = accepted & ~self.config_request.p.write
        m.d.comb += self.config_response.payload.eq(links[-1].response)
        m.d.comb += self.config_response.valid.eq(
            delayed(m, reading, self._chain_length + ConfigNode.latency, name="reading")
        )
