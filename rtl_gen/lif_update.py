"""The arithmetic of a LIF neuron, pipelined. Twin of ``golden/lif_update.py``, name for name."""

from amaranth import C, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.checks import signed_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.profile import DECAY_BITS

__all__ = ["LifUpdate", "neuron_layout"]

_LATENCY = 7


def neuron_layout(core: CoreParams) -> data.StructLayout:
    """Return what the update of one neuron needs; fields that the core lacks are left out."""
    potential = signed(core.potential_bits)
    fields = {
        "v": potential,
        "fired": unsigned(1),
        "current": signed(core.current_bits),
        "threshold": potential,
    }
    if core.decay != "none":
        fields["decay"] = unsigned(DECAY_BITS)
    if core.bias != "none":
        fields["bias"] = potential
    if core.reset_potential != "none":
        fields["reset_potential"] = potential
    if core.inhibition != "none":
        fields["inhibition"] = potential
        fields["inhibited"] = unsigned(1)
    return data.StructLayout(fields)


class LifUpdate(wiring.Component):
    """One neuron-update pipeline: a neuron in and a neuron out in every clock cycle.

    The arithmetic is that of :class:`~spikelet.description.chip.profile.ExecutionProfile`.

    Timing: the result leaves :attr:`latency` cycles after the neuron entered; never stalls.
    Reset: does not matter; what is in the pipeline is qualified by its user.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    neuron : ``In(neuron_layout(core))``
    v_next : ``Out(signed(potential_bits))``
    fired_next : ``Out(1)``
    """

    latency = _LATENCY

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        super().__init__(
            {
                "neuron": In(neuron_layout(core)),
                "v_next": Out(signed(core.potential_bits)),
                "fired_next": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, profile = self.core, self.core.profile
        subtracts = profile.reset == "subtract"
        potential = signed(core.potential_bits)

        # Stage 1: who is to be reset first?
        neuron = self._stage(m, 1, self.neuron)
        pending = Signal()
        if profile.reset_delay:
            m.d.sync += pending.eq(self.neuron.fired)
        elif profile.residual_reset:
            m.d.sync += pending.eq(self.neuron.v > self.neuron.threshold)

        # Stage 2: the potential that decays, and the first terms of what is added to it.
        neuron_2 = self._stage(m, 2, neuron)
        reset_potential = neuron.reset_potential if profile.reset == "value" else C(0)
        base = Signal(potential)
        lowered = Signal(potential)
        inhibition: Value = C(0)
        if core.inhibition != "none":
            inhibition = Signal(potential)
            m.d.sync += inhibition.eq(Mux(neuron.inhibited, neuron.inhibition, 0))
        m.d.sync += base.eq(neuron.v if subtracts else Mux(pending, reset_potential, neuron.v))
        m.d.sync += lowered.eq(Mux(pending, neuron.threshold, 0) if subtracts else 0)

        # Stage 3: the product, and the rest of what is added.
        neuron_3 = self._stage(m, 3, neuron_2)
        product = Signal(signed(core.potential_bits + DECAY_BITS))
        current = neuron_2.current << core.weight_exponent
        added = Signal(self._shape_of_added())
        lowered_3 = Signal(potential)
        m.d.sync += product.eq(base if core.decay == "none" else base * neuron_2.decay)
        bias = neuron_2.bias if core.bias != "none" else C(0)
        m.d.sync += added.eq(current + bias - lowered - inhibition)
        m.d.sync += lowered_3.eq(lowered)

        # Stage 4: the sum, exact.
        neuron_4 = self._stage(m, 4, neuron_3)
        summed = Signal(signed(max(added.shape().width, core.potential_bits) + 1))
        lowered_4 = Signal(potential)
        m.d.sync += summed.eq(self._leaked(product) + added)
        m.d.sync += lowered_4.eq(lowered_3)

        # Stage 5: clamped to the potential's range.
        neuron_5 = self._stage(m, 5, neuron_4)
        clipped = Signal(potential)
        lowered_5 = Signal(potential)
        m.d.sync += clipped.eq(_clamp(summed, core))
        m.d.sync += lowered_5.eq(lowered_4)

        # Stage 6: compared.
        neuron_6 = self._stage(m, 6, neuron_5)
        fired_next = Signal()
        clipped_6 = Signal(potential)
        lowered_6 = Signal(potential)
        m.d.sync += fired_next.eq(clipped > neuron_5.threshold)
        m.d.sync += clipped_6.eq(clipped)
        m.d.sync += lowered_6.eq(lowered_5)

        # Stage 7: reset.
        m.d.sync += self.fired_next.eq(fired_next)
        if profile.reset_delay:
            m.d.sync += self.v_next.eq(clipped_6)
        elif subtracts:
            restored = Signal(signed(core.potential_bits + 2))
            taken = Signal(potential)
            m.d.comb += taken.eq(Mux(fired_next, neuron_6.threshold, 0))
            m.d.comb += restored.eq(clipped_6 + lowered_6 - taken)
            m.d.sync += self.v_next.eq(_clamp(restored, core))
        else:
            reset_potential = neuron_6.reset_potential if profile.reset == "value" else C(0)
            m.d.sync += self.v_next.eq(Mux(fired_next, reset_potential, clipped_6))
        return m

    def _stage(self, m: Module, number: int, neuron: data.View) -> data.View:
        """Register a neuron; what no later stage uses is dropped by synthesis."""
        register = Signal(neuron_layout(self.core), name=f"neuron_{number}")
        m.d.sync += register.eq(neuron)
        return register

    def _shape_of_added(self) -> Shape:
        """Return the shape that holds current, bias and the lowered threshold without overflow."""
        core = self.core
        scale = 1 << core.weight_exponent
        low = core.n_axons * core.weight_min * scale
        high = core.n_axons * core.weight_max * scale
        if core.bias != "none":
            low, high = low + core.v_min, high + core.v_max
        if core.profile.reset == "subtract":
            low -= core.v_max
        if core.inhibition != "none":
            low -= core.v_max
        return signed(signed_bits(low, high))

    def _leaked(self, product: Signal) -> Value:
        """Divide by 4096, rounding with a carry into the sum."""
        if self.core.decay == "none":
            return product
        quotient, rest = product >> DECAY_BITS, product[:DECAY_BITS]
        rounding = self.core.profile.rounding
        if rounding == "nearest":
            return quotient + rest[-1]
        if rounding == "toward_zero":
            return quotient + ((product < 0) & rest.any())
        return quotient


def _clamp(value: Signal, core: CoreParams) -> Value:
    """Saturate: too large where the bits above the range are not all copies of the sign."""
    sign, above = value[-1], value[core.potential_bits - 1 : -1]
    rail = Mux(sign, core.v_min, core.v_max)
    return Mux(Mux(sign, ~above.all(), above.any()), rail, value)
