"""Round-robin arbitration. No twin in golden: no result depends on who is served first."""

from amaranth import Cat, Module, Mux, Signal, Value

__all__ = ["round_robin"]


def round_robin(m: Module, requests: Value, ready: Value, *, name: str) -> Signal:
    """Return a one-hot grant: the next requester after the one that was served last.

    A grant stands until it is served (``ready``), so that what is chosen by it is stable while it
    waits; a request must stand until then too.

    Parameters
    ----------
    m : Module
    requests : Value
        A bit for each requester.
    ready : Value
        What is granted in this cycle is served in this cycle.
    name : str
        Prefix for the names of signals.
    """
    n = len(requests)
    request = Signal(n, name=f"{name}_request")
    grant = Signal(n, name=f"{name}_grant")
    # Requesters from the one that was granted on, or, once it is served, those after it.
    favoured = Signal(n, name=f"{name}_favoured")
    preferred = request & favoured
    m.d.comb += [
        request.eq(requests),
        grant.eq(Mux(preferred.any(), _lowest(preferred), _lowest(request))),
    ]
    after = Cat(grant[:i].any() for i in range(n))
    with m.If(request.any()):
        m.d.sync += favoured.eq(after | Mux(ready, 0, grant))
    return grant


def _lowest(bits: Value) -> Value:
    """Return only the lowest bit that is set; without a carry chain, which for few bits is slow."""
    return Cat(bit & ~bits[:i].any() for i, bit in enumerate(bits))
