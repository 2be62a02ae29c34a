"""A chip's memory map, events and ticks as words of a bus. No twin in golden, which has no bus."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.bus_registers import BUS_REGISTERS, EVENT_WAITS, BusParams
from spikelet.rtl_gen.layouts import config_request, config_response

__all__ = ["BusRegisters", "bus_request", "bus_response", "chip_side", "wired"]

_CONTROL, _EVENT, _INTERRUPTS = range(len(BUS_REGISTERS))


def bus_request(params: BusParams) -> stream.Signature:
    """Return the signature of what a bus asks: word address, data, write (else read)."""
    return stream.Signature(
        data.StructLayout({"address": params.word_bits, "data": 32, "write": 1})
    )


def bus_response() -> wiring.Signature:
    """Return the signature of answers, one for each request, in order; they do not wait."""
    return wiring.Signature({"data": Out(32), "error": Out(1), "valid": Out(1)})


def chip_side(params: BusParams) -> dict[str, wiring.Member]:
    """Return the members that drive a chip: the other side of those of ``rtl_gen/chip.py``."""
    flit = stream.Signature(params.flit_bits)
    return {
        "event_in": Out(flit),
        "event_out": In(flit),
        "config_request": Out(config_request(params.address_bits)),
        "config_response": In(config_response()),
        "start": Out(1),
        "clear": Out(1),
        "busy": In(1),
    }


class BusRegisters(wiring.Component):
    """Answers a bus, one request after another, and never makes it wait for a tick.

    What the chip takes between ticks only is an error while it is busy: the memory map, and events.
    So no processor can hang that has not taken the spikes for which the tick waits.

    No bench of its own: ``sim/bench_wishbone.py`` runs it.

    Timing: a register answers in the cycle after its request, a write to the memory map two cycles
    after it, a read when the chip's word has come.
    Reset: forgets the request under way, and interrupts that were enabled.

    Parameters
    ----------
    params : BusParams
    events : bool
        Whether there is a register ``event``; if not, events have ports of their own.

    Members
    -------
    request, response : ``In(bus_request)``, ``Out(bus_response)``
    irq : ``Out(1)``
        1 while what is enabled holds.
    event_in, event_out, config_request, config_response, start, clear, busy
        To the chip's ports of these names.
    """

    def __init__(self, params: BusParams, *, events: bool = True) -> None:
        self.params = params
        self.events = events
        super().__init__(
            {
                "request": In(bus_request(params)),
                "response": Out(bus_response()),
                "irq": Out(1),
                **chip_side(params),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        asked, answer = self.request, self.response
        word, write = Signal(32), Signal()
        address = Signal(self.params.word_bits)
        m.d.comb += [
            self.config_request.p.address.eq(address),
            self.config_request.p.data.eq(word),
            self.config_request.p.write.eq(write),
            self.event_in.payload.eq(word),
        ]
        enabled, done = Signal(2), Signal()
        was_busy, begins = Signal(), Signal()
        busy = self.busy | begins  # from the cycle after a strobe on
        m.d.sync += [was_busy.eq(self.busy), begins.eq(self.start | self.clear)]
        m.d.comb += self.irq.eq((Cat(done, self.event_out.valid) & enabled).any())

        def finish(*, error: bool = False) -> None:
            m.d.sync += [answer.valid.eq(1), answer.error.eq(error)]
            m.next = "idle"

        def control() -> None:
            with m.If(write):
                m.d.comb += self.start.eq(word[0] & ~busy)
                m.d.comb += self.clear.eq(word[1] & ~word[0] & ~busy)
                with m.If(word[2]):
                    m.d.sync += done.eq(0)
                finish()
                with m.If((word[0] | word[1]) & busy):
                    finish(error=True)
            with m.Else():
                m.d.sync += answer.data.eq(Cat(busy, done, self.event_out.valid))
                finish()

        def event() -> None:
            with m.If(write):
                m.next = "event"
            with m.Else():
                m.d.comb += self.event_out.ready.eq(1)
                with m.If(self.event_out.valid):
                    m.d.sync += answer.data.eq(self.event_out.payload)
                    m.d.sync += answer.data[EVENT_WAITS].eq(1)
                finish()

        def interrupts() -> None:
            with m.If(write):
                m.d.sync += enabled.eq(word)
            with m.Else():
                m.d.sync += answer.data.eq(enabled)
            finish()

        m.d.sync += answer.valid.eq(0)
        with m.If(was_busy & ~self.busy):
            m.d.sync += done.eq(1)
        with m.FSM():
            with m.State("idle"):
                m.d.comb += asked.ready.eq(1)
                m.d.sync += answer.data.eq(0)
                with m.If(asked.valid):
                    m.d.sync += [
                        address.eq(asked.p.address),
                        word.eq(asked.p.data),
                        write.eq(asked.p.write),
                    ]
                    m.next = "memory map"
                    with m.If(asked.p.address[-1]):
                        m.next = "register"
            with m.State("register"), m.Switch(address[:-1]):
                with m.Case(_CONTROL):
                    control()
                with m.Case(_INTERRUPTS):
                    interrupts()
                if self.events:
                    with m.Case(_EVENT):
                        event()
                with m.Default():
                    finish(error=True)
            with m.State("event"):
                m.d.comb += self.event_in.valid.eq(~busy)
                with m.If(busy):
                    finish(error=True)
                with m.Elif(self.event_in.ready):
                    finish()
            with m.State("memory map"):
                m.d.comb += self.config_request.valid.eq(~busy)
                with m.If(busy):
                    finish(error=True)
                with m.Elif(self.config_request.ready):
                    m.next = "word"
                    with m.If(write):
                        finish()
            with m.State("word"), m.If(self.config_response.valid):
                m.d.sync += answer.data.eq(self.config_response.payload)
                finish()
        return m


def wired(m: Module, registers: BusRegisters, outer: wiring.Component) -> None:
    """Connect the chip's side of registers with the members of these names around them."""
    for name in chip_side(registers.params):
        inner, port = getattr(registers, name), getattr(outer, name)
        if name == "busy":
            m.d.comb += inner.eq(port)
        elif name in ("start", "clear"):
            m.d.comb += port.eq(inner)
        else:
            connect(m, inner, flipped(port))
