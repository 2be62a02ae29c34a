"""Bridges between the classic four-phase AER handshake and streams of events.

No twin in golden, which has no wires.

The handshake is that of K. A. Boahen, "Point-to-point connectivity between neuromorphic chips using
address events", IEEE Trans. Circuits Syst. II 47(5), 2000, on bundled data: the sender puts the
address on its wires, raises ``req``, and keeps both until the receiver raises ``ack``; then ``req``
falls, then ``ack``. There is no clock between the two sides. The address is not synchronised: its
wires must have settled when ``req`` rises (data before request), and stay so until ``ack`` rises.
"""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from spikelet.description.errors import SpikeletError

__all__ = ["FourPhaseToStream", "StreamToFourPhase", "four_phase"]


def four_phase(address_bits: int) -> wiring.Signature:
    """Return the signature of the handshake, as the sender of events sees it.

    Parameters
    ----------
    address_bits : int
        At least 1.

    Raises
    ------
    SpikeletError
        If ``address_bits`` is not a positive integer.
    """
    if type(address_bits) is not int or address_bits < 1:
        raise SpikeletError(f"address_bits must be an integer of at least 1, not {address_bits!r}")
    return wiring.Signature({"req": Out(1), "ack": In(1), "address": Out(address_bits)})


class FourPhaseToStream(wiring.Component):
    """Receives events of a four-phase sender: one transfer at ``o`` for each handshake.

    Timing: ``o.valid`` rises with the third clock edge after ``req``, two of which are the
    synchroniser's; ``ack`` rises with the transfer, and falls with the third edge after ``req``
    fell. So a handshake takes at least 7 cycles, and longer by the sender's delays and by each
    cycle in which ``o.ready`` is low. The address is sampled one edge before it can be seen at
    ``o``: at least two clock periods after ``req`` rose, and before ``ack`` does.
    Reset: lowers ``o.valid`` and ``ack``, so an event at ``o`` is dropped; a ``req`` that is high
    afterwards is an event, also if it had been acknowledged before. Reset both sides, or none.

    Parameters
    ----------
    address_bits : int
        At least 1; :func:`four_phase` raises SpikeletError otherwise.

    Members
    -------
    aer : ``In(four_phase(address_bits))``
        Not of the clock domain.
    o : ``Out(stream of address_bits)``
    """

    def __init__(self, address_bits: int) -> None:
        sender = four_phase(address_bits)
        super().__init__({"aer": In(sender), "o": Out(stream.Signature(address_bits))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        req = Signal()
        m.submodules.req_synchronizer = FFSynchronizer(self.aer.req, req)
        with m.If(self.o.valid):
            with m.If(self.o.ready):
                m.d.sync += [self.o.valid.eq(0), self.aer.ack.eq(1)]
        with m.Elif(self.aer.ack):
            m.d.sync += self.aer.ack.eq(req)
        with m.Elif(req):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(self.aer.address)]
        return m


class StreamToFourPhase(wiring.Component):
    """Sends the events of a stream to a four-phase receiver: one handshake for each transfer.

    Timing: the address is driven with the transfer, ``req`` rises one cycle later and falls with
    the third clock edge after ``ack`` rose; ``i.ready`` rises two edges after ``ack`` fell. So a
    handshake takes at least 7 cycles, and longer by the receiver's delays. The address stays until
    the next transfer.
    Reset: lowers ``req``; an event whose ``ack`` has not risen may be lost. No event is taken while
    ``ack`` is high, so hold reset for at least two cycles, the depth of the synchroniser.

    Parameters
    ----------
    address_bits : int
        At least 1; :func:`four_phase` raises SpikeletError otherwise.

    Members
    -------
    i : ``In(stream of address_bits)``
    aer : ``Out(four_phase(address_bits))``
        ``ack`` is not of the clock domain.
    """

    def __init__(self, address_bits: int) -> None:
        sender = four_phase(address_bits)
        super().__init__({"i": In(stream.Signature(address_bits)), "aer": Out(sender)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ack = Signal()
        m.submodules.ack_synchronizer = FFSynchronizer(self.aer.ack, ack)
        # Not reset: it would fall together with req, too early for the receiver.
        address = Signal(len(self.aer.address), reset_less=True)
        m.d.comb += self.aer.address.eq(address)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(~ack)
                with m.If(self.i.valid & ~ack):
                    m.d.sync += address.eq(self.i.payload)
                    m.next = "SETUP"
            with m.State("SETUP"):
                m.d.sync += self.aer.req.eq(1)
                m.next = "REQUEST"
            with m.State("REQUEST"):
                with m.If(ack):
                    m.d.sync += self.aer.req.eq(0)
                    m.next = "IDLE"
        return m
