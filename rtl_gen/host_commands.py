"""What a host asks of a chip, byte by byte. Twin of ``golden/host_commands.py``."""

import struct

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.host_link import OPERATIONS, LinkParams
from spikelet.rtl_gen.layouts import config_request, config_response

__all__ = ["HostCommands", "chip_side"]

_WRITE, _READ, _EVENTS, _RUN, _CLEAR, _IDENTIFY, _WATCHDOG = range(len(OPERATIONS))


def chip_side(params: LinkParams) -> dict[str, wiring.Member]:
    """Return the members that drive a chip: the other side of those of ``rtl_gen/chip.py``.

    Addresses have a bit more than those of the chip, which is set in all that lie beyond.
    """
    flit = stream.Signature(params.flit_bits)
    return {
        "event_in": Out(flit),
        "event_out": In(flit),
        "config_request": Out(config_request(params.address_bits + 1)),
        "config_response": In(config_response()),
        "start": Out(1),
        "clear": Out(1),
        "busy": In(1),
    }


class HostCommands(wiring.Component):
    """Executes operations one after another, in the order in which their bytes come.

    Spikes that leave the chip while no ``run`` is executed are taken and forgotten.

    No bench of its own: ``sim/bench_host_link.py`` runs it behind the frames.

    Timing: a byte in or out in each clock cycle at most; an operation waits for the chip as long as
    it must, and a tick for ``o``, when spikes leave faster than they are taken.
    Reset: forgets the operation under way. A tick under way goes on.

    Parameters
    ----------
    params : LinkParams

    Members
    -------
    i, o : ``In(stream of 8)``, ``Out(stream of 8)``
    refused : ``Out(1)``
        An operation was not known. Nothing is executed, and what comes is dropped, until reset.
    watchdog : ``Out(16)``
        The count of the last ``watchdog``; 0 from reset on.
    event_in, event_out, config_request, config_response, start, clear, busy
        To the chip's ports of these names.
    """

    def __init__(self, params: LinkParams) -> None:
        self.params = params
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8)),
                "refused": Out(1),
                "watchdog": Out(16),
                **chip_side(params),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        operation = Signal(range(len(OPERATIONS)))
        count = Signal(16)  # of words, flits or ticks still to come
        address = Signal(self.params.address_bits + 1)
        word = Signal(32)  # what has come, or is still to be sent from the lowest byte on
        left = Signal(range(5))  # bytes of it
        taken, sent = self.i.valid & self.i.ready, self.o.valid & self.o.ready
        incoming = Cat(word[8:], self.i.payload)
        identity = struct.unpack("<4I", self.params.identity)
        request, events, spikes = self.config_request, self.event_in, self.event_out
        m.d.comb += [
            self.o.payload.eq(word[:8]),
            request.p.address.eq(address),
            request.p.data.eq(word),
            request.p.write.eq(operation == _WRITE),
            events.payload.eq(word[32 - 8 * self.params.flit_bytes :]),
            spikes.ready.eq(1),
        ]
        with m.If(taken | sent):
            m.d.sync += [word.eq(Mux(taken, incoming, word >> 8)), left.eq(left - 1)]
        with m.FSM():
            with m.State("OPERATION"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += left.eq(2)
                with m.If(self.i.valid):
                    m.d.sync += operation.eq(self.i.payload)
                    m.next = "COUNT"
                    with m.If(self.i.payload >= len(OPERATIONS)):
                        m.next = "REFUSED"
            with m.State("COUNT"):
                m.d.comb += self.i.ready.eq(left != 0)
                with m.If(left == 0):
                    m.d.sync += [count.eq(word[16:]), left.eq(4)]
                    m.next = "NEXT"
                    with m.If(operation <= _READ):
                        m.next = "ADDRESS"
            with m.State("ADDRESS"):
                m.d.comb += self.i.ready.eq(left != 0)
                with m.If(left == 0):
                    beyond = word[self.params.address_bits :].any()
                    m.d.sync += address.eq(Cat(word[: self.params.address_bits], beyond))
                    m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += left.eq(Mux(operation == _EVENTS, self.params.flit_bytes, 4))
                with m.Switch(operation):
                    with m.Case(_WRITE, _EVENTS):
                        m.next = "TAKE"
                    with m.Case(_READ):
                        m.next = "REQUEST"
                    with m.Case(_IDENTIFY):
                        m.next = "IDENTITY"
                    with m.Case(_WATCHDOG):
                        m.d.sync += self.watchdog.eq(count)
                        m.next = "OPERATION"
                    with m.Default():
                        m.next = "STROBE"
                with m.If(count == 0):
                    m.next = "OPERATION"
            with m.State("TAKE"):
                m.d.comb += self.i.ready.eq(left != 0)
                with m.If(left == 0):
                    m.next = "EVENT"
                    with m.If(operation == _WRITE):
                        m.next = "REQUEST"
            with m.State("EVENT"):
                m.d.comb += events.valid.eq(1)
                with m.If(events.ready):
                    m.next = "COUNTED"
            with m.State("REQUEST"):
                m.d.comb += request.valid.eq(1)
                with m.If(request.ready):
                    m.d.sync += address.eq(address + 1)
                    m.next = "COUNTED"
                    with m.If(operation == _READ):
                        m.next = "ANSWER"
            with m.State("ANSWER"):
                with m.If(self.config_response.valid):
                    m.d.sync += word.eq(self.config_response.payload)
                    m.next = "SEND"
            with m.State("IDENTITY"):
                with m.Switch(count):
                    for number, part in enumerate(identity):
                        with m.Case(len(identity) - number):
                            m.d.sync += word.eq(part)
                    with m.Default():
                        m.d.sync += word.eq(0)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.o.valid.eq(left != 0)
                with m.If(left == 0):
                    m.next = "COUNTED"
            with m.State("STROBE"):  # until the chip has seen it
                m.d.comb += [self.start.eq(operation == _RUN), self.clear.eq(operation == _CLEAR)]
                m.d.sync += left.eq(0)
                with m.If(~self.busy):
                    m.next = "TICK"
            with m.State("TICK"):
                ends = left == 0
                m.d.comb += [self.o.valid.eq(~ends), spikes.ready.eq(ends)]
                with m.If(ends & spikes.valid & (operation == _RUN)):
                    line = spikes.payload[: self.params.spike_bits]
                    spiked = spikes.payload[self.params.flit_bits - self.params.count_bits :]
                    m.d.sync += [word.eq(Cat(line, spiked)), left.eq(self.params.spike_bytes)]
                with m.Elif(ends & ~self.busy):
                    m.next = "COUNTED"
                    with m.If(operation == _RUN):
                        last = C(1 << (8 * self.params.spike_bytes - 1), 32)
                        m.d.sync += [word.eq(last), left.eq(self.params.spike_bytes)]
                        m.next = "SEND"
            with m.State("COUNTED"):
                m.d.sync += count.eq(count - 1)
                m.next = "NEXT"
            with m.State("REFUSED"):
                m.d.comb += [self.refused.eq(1), self.i.ready.eq(1)]
        return m
