"""What is proved of round-robin arbitration."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spikelet.formal.tracking import no_reset
from spikelet.rtl_gen.round_robin import round_robin

__all__ = ["ArbiterIsFair"]


class ArbiterIsFair(wiring.Component):
    """One requester is granted at a time, until it is served; none waits for the same one twice.

    So nobody waits while more than ``n - 1`` others are served.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        super().__init__({"requests": In(n), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        grant = round_robin(m, self.requests, self.ready, name="arbiter")
        stalled, granted = Signal(), Signal(self.n)
        m.d.sync += [stalled.eq(~self.ready & self.requests.any()), granted.eq(grant)]
        with m.If(stalled):
            m.d.comb += Assert(grant == granted)
        m.d.comb += [
            Assert((grant & ~self.requests) == 0),
            Assert((grant & (grant - 1)) == 0),
            Assert(grant.any() == self.requests.any()),
        ]
        served = Mux(self.ready, grant, 0)
        waiting = Signal(self.n)
        m.d.sync += waiting.eq(self.requests & ~served)
        m.d.comb += Assume((waiting & ~self.requests) == 0)
        for number in range(self.n):
            others = Signal(self.n, name=f"served_before_{number}")
            with m.If(self.requests[number] & ~served[number]):
                m.d.comb += Assert((others & served) == 0)
                m.d.sync += others.eq(others | served)
            with m.Else():
                m.d.sync += others.eq(0)
            m.d.comb += Cover(served[number] & others.any())
        return m
