"""Where the events of a chip without a host come from: pins of the board, or samples in the image.

A source is a component with the ports of :func:`source_side`; all its other ports are pins. While
``accept`` is high it gives events. Of the stored one ``ended`` says that all of a tick is given.
``within`` says that it has given some flits of an event, and not all, and ``lost``, for a cycle,
that an event is lost.
"""

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect

from spikelet.description.chip.destinations import event_flits
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga import memories
from spikelet.fpga.self_test_image import StoredRun, step_layout, step_rows
from spikelet.rtl_gen.aer_bridge import FourPhaseToStream
from spikelet.rtl_gen.uart import Uart

__all__ = [
    "SERIAL_BITS",
    "WAITING",
    "AerSource",
    "InputTable",
    "SerialSource",
    "StoredSource",
    "source_side",
]

SERIAL_BITS = 14
"""Of an address in two bytes, each of which has 7."""

WAITING = 256
"""Events of a serial line that wait while a tick runs."""


def source_side(flit_bits: int) -> dict[str, wiring.Member]:
    """Return what all sources have: events as bits of flits, and when they may come."""
    given = Out(stream.Signature(flit_bits))
    return {"accept": In(1), "o": given, **{w: Out(1) for w in ("ended", "within", "lost")}}


class InputTable(wiring.Component):
    """Events of the network's inputs as flits: one for each core and axon that an input goes to.

    Timing: three cycles for each route of the input that has most. An address above the inputs is
    taken, and gives nothing.

    Parameters
    ----------
    chip : ChipParams
    routes : array of int, shape (routes, 4)
        (input, core, axon, delay), as ``CompiledNetwork.routes``.
    n_inputs : int
    address_bits : int

    Members
    -------
    i : ``In(stream of address_bits)``
    o : ``Out(stream of the flit's bits)``
    within : ``Out(1)``
        Some flits of an event have been given, and not all.

    Attributes
    ----------
    memory : spikelet.fpga.memories.Memory
    """

    def __init__(
        self, chip: ChipParams, routes: npt.ArrayLike, n_inputs: int, address_bits: int
    ) -> None:
        found = np.asarray(routes, np.int64).reshape(-1, 4)
        flits = event_flits(chip, found[:, 1], found[:, 2], found[:, 3]).tolist()
        self.n_inputs = n_inputs
        self.flit_bits = flit_packet(chip).width
        by_input: list[list[int]] = [[] for _ in range(n_inputs)]
        for source, flit in zip(found[:, 0].tolist(), flits, strict=True):
            by_input[source].append(flit | 1 << self.flit_bits)
        self.places = 1 << (max(1, *map(len, by_input)) - 1).bit_length()
        self.rows = [row for rows in by_input for row in (*rows, *[0] * (self.places - len(rows)))]
        self.memory = memories.Memory(
            "input routes", len(self.rows), memories.varying_bits(self.rows), writable=False
        )
        super().__init__(
            {
                "i": In(stream.Signature(address_bits)),
                "o": Out(stream.Signature(self.flit_bits)),
                "within": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self.flit_bits + 1
        m.submodules.routes = storage = Memory(shape=shape, depth=len(self.rows), init=self.rows)
        read = storage.read_port()
        place = Signal(range(self.places))
        known = self.i.payload < self.n_inputs
        last = ~known | (place == self.places - 1)
        row = Cat(place, self.i.payload) if self.places > 1 else self.i.payload
        m.d.comb += [read.addr.eq(row), read.en.eq(1), self.o.payload.eq(read.data)]
        m.d.comb += self.within.eq(place != 0)
        with m.FSM():
            with m.State("READ"), m.If(self.i.valid):
                m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += self.o.valid.eq(known & read.data[-1])
                with m.If(~known | ~read.data[-1] | self.o.ready):
                    m.d.comb += self.i.ready.eq(last)
                    m.d.sync += place.eq(Mux(last, 0, place + 1))
                    m.next = "READ"
        return m


class AerSource(wiring.Component):
    """Events of a sender with the four-phase handshake; it waits while a tick runs.

    Parameters
    ----------
    table : InputTable

    Members
    -------
    aer_req, aer_address : ``In``
        As in :class:`spikelet.rtl_gen.aer_bridge.FourPhaseToStream`; the address is an input of the
        network.
    aer_ack : ``Out(1)``
    accept, o, ended, within, lost
        See :func:`source_side`.
    """

    def __init__(self, table: InputTable) -> None:
        self.table = table
        self.bits = len(table.i.payload)
        super().__init__(
            {
                **source_side(table.flit_bits),
                "aer_req": In(1),
                "aer_address": In(self.bits),
                "aer_ack": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bridge = bridge = FourPhaseToStream(self.bits)
        m.submodules.table = table = self.table
        connect(m, bridge.o, table.i)
        m.d.comb += [
            bridge.aer.req.eq(self.aer_req),
            bridge.aer.address.eq(self.aer_address),
            self.aer_ack.eq(bridge.aer.ack),
        ]
        _gate(m, self, table)
        return m


class SerialSource(wiring.Component):
    """Events of a serial line, of two bytes each: 1 and the upper 7 bits, 0 and the lower 7 bits.

    A byte that is lost costs one event. Some events wait while a tick runs; those beyond are lost.
    ``lost`` tells of both: of an event that does not fit, and of half an event.

    Parameters
    ----------
    table : InputTable
        Of addresses of 14 bits.
    divider : int
        As for :class:`spikelet.rtl_gen.uart.Uart`.
    waiting : int
        How many events wait.

    Members
    -------
    rx : ``In(1)``
    accept, o, ended, within, lost
        See :func:`source_side`.
    """

    def __init__(self, table: InputTable, divider: int, waiting: int = WAITING) -> None:
        self.table = table
        self.divider = divider
        self.waiting = waiting
        super().__init__({**source_side(table.flit_bits), "rx": In(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.uart = uart = Uart(self.divider)
        m.submodules.table = table = self.table
        m.submodules.queue = queue = SyncFIFOBuffered(width=SERIAL_BITS, depth=self.waiting)
        upper, half = Signal(7), Signal()
        byte, comes = uart.received.payload, Signal()
        m.d.comb += [
            comes.eq(uart.received.valid & half & ~byte[7]),
            self.lost.eq(Mux(comes, ~queue.w_rdy, uart.received.valid & (half == byte[7]))),
            uart.rx.eq(self.rx),
            queue.w_data.eq(Cat(byte[:7], upper)),
            queue.w_en.eq(comes),
            table.i.payload.eq(queue.r_data),
            table.i.valid.eq(queue.r_rdy),
            queue.r_en.eq(table.i.ready),
        ]
        with m.If(uart.received.valid):
            m.d.sync += [half.eq(byte[7]), upper.eq(byte)]
        _gate(m, self, table)
        return m


class StoredSource(wiring.Component):
    """Samples in the image, one after the other and again from the first.

    Parameters
    ----------
    chip : ChipParams
    run : StoredRun
        Whose events are given; SpikeletError if it has rewards.

    Members
    -------
    accept, o, ended, within, lost
        See :func:`source_side`; ``ended`` is high for one cycle.

    Attributes
    ----------
    memory : spikelet.fpga.memories.Memory
    """

    def __init__(self, chip: ChipParams, run: StoredRun) -> None:
        if run.reward is not None and run.reward.any():
            raise SpikeletError(
                "stored samples: an image that shows samples again and again gives no reward",
                remedy="build the self-test, which runs them once",
            )
        self.layout = step_layout(chip, run)
        self.rows = step_rows(chip, run)
        values = [self.layout.const(row).as_bits() for row in self.rows]
        self.memory = memories.Memory(
            "stored events", len(values), memories.varying_bits(values), writable=False
        )
        super().__init__(source_side(flit_packet(chip).width))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.events = rom = Memory(shape=self.layout, depth=len(self.rows), init=self.rows)
        read = rom.read_port()
        fetched, row = Signal(), Signal(range(len(self.rows)))
        taken = self.accept & fetched & (~read.data.valid | self.o.ready)
        m.d.comb += [
            read.addr.eq(row),
            read.en.eq(1),
            self.o.payload.eq(read.data.payload),
            self.o.valid.eq(self.accept & fetched & read.data.valid),
            self.ended.eq(taken & read.data.last),
        ]
        m.d.sync += fetched.eq(~taken)
        with m.If(taken):
            m.d.sync += row.eq(Mux(row == len(self.rows) - 1, 0, row + 1))
        return m


def _gate(m: Module, source: wiring.Component, table: InputTable) -> None:
    """Pass events on while the source may give them."""
    accept: Value = source.accept
    m.d.comb += [
        source.o.payload.eq(table.o.payload),
        source.o.valid.eq(table.o.valid & accept),
        table.o.ready.eq(source.o.ready & accept),
        source.within.eq(table.within),
    ]
