"""A trace rises and decays. Twin of ``golden/trace_update.py``."""

from amaranth import Module, Mux, Signal, Value

from spikelet.description.learning.rule import DECAY_BITS, TraceParams

__all__ = ["decayed", "less_fraction", "raised"]


def raised(m: Module, trace: TraceParams, value: Value, spike: Value, *, name: str) -> Signal:
    """Return, a cycle later, the trace after a spike, or unchanged."""
    register = Signal(trace.bits, name=f"{name}_raised")
    if trace.mode == "set":
        m.d.sync += register.eq(Mux(spike, trace.increment, value))
        return register
    total = Signal(trace.bits + 1, name=f"{name}_total")
    m.d.comb += total.eq(value + Mux(spike, trace.increment, 0))
    m.d.sync += register.eq(total[: trace.bits] | total[-1].replicate(trace.bits))
    return register


def decayed(m: Module, trace: TraceParams, value: Value, *, name: str) -> Value:
    """Return, a cycle later, the trace after a tick's decay, rounded down."""
    if trace.decay_shift:
        register = Signal(trace.bits, name=f"{name}_decayed")
        m.d.sync += register.eq(less_fraction(value, trace.decay_shift))
        return register
    product = Signal(trace.bits + DECAY_BITS, name=f"{name}_product")
    m.d.sync += product.eq(value * trace.decay)
    return product[DECAY_BITS:]


def less_fraction(value: Value, shift: int) -> Value:
    """Return ``value - ceil(value / 2**shift)``."""
    return value - (value >> shift) - value[:shift].any()
