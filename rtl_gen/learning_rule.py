"""A learning rule's datapath, made from its syntax tree. Twin of ``golden/learning_rule.py``."""

from dataclasses import dataclass

from amaranth import C, Cat, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.checks import signed_bits, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import post_fields
from spikelet.description.learning.rule import (
    DRAW_BITS,
    LearningRule,
    factor_range,
    term_range,
    variable_range,
)
from spikelet.description.learning.text import Comparison, Factor, SumOfProducts, Term
from spikelet.rtl_gen.layouts import delayed

__all__ = ["RuleDatapath", "visit_layout"]


def visit_layout(core: CoreParams) -> data.StructLayout:
    """Return what all lanes share in a visit.

    ``post`` and ``sweep`` tell the phase, neither is the pre phase. ``period_k`` is 1 if a sweep
    evaluates the terms with ``uk``. Fields that the rule does not use are left out.
    """
    rule = _rule(core)
    fields = {"x0": 1, "post": 1, "sweep": 1}
    fields |= {name: trace.bits for name, trace in rule.pre_traces.items()}
    layout: dict[str, Shape] = {name: unsigned(bits) for name, bits in fields.items()}
    layout |= {f"period_{k}": unsigned(1) for k in rule.periods}
    if "b" in rule.variables:
        layout["b"] = unsigned(1)
    if "r" in rule.variables:
        layout["r"] = signed(rule.reward_bits)
    return data.StructLayout(layout)


def _rule(core: CoreParams) -> LearningRule:
    assert core.learning is not None, "not a plastic core"
    return core.learning


@dataclass(frozen=True)
class _Staged:
    """A value and the cycle in which it is there, counted from the visit's entry."""

    value: Value
    stage: int


class RuleDatapath(wiring.Component):
    """Visits a row of synapses in every clock cycle: one lane for each neuron of the group.

    Every product takes a stage, all terms of a lane are added in one, then the old value and the
    rounding, then comes the clamping.

    Timing: a visit leaves :attr:`latency` cycles after it entered; never stalls.
    Reset: does not matter; what is in the pipeline is qualified by its user.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    visit : ``In(visit_layout(core))``
    fired : ``In(lanes)``
        ``y0``.
    neurons : ``In(lanes * post_bits)``
        Post traces, and potentials if the rule uses them.
    errors : ``In(lanes * error_bits)``
        ``e``, with ``fired``, if the rule reads it.
    weights : ``In(lanes * weight_bits)``
    tags : ``In(lanes * tag_bits)``
    draws : ``In(lanes * DRAW_BITS)``
        :attr:`draw_stage` cycles after the visit entered.
    new_weights : ``Out(lanes * weight_bits)``
        Not where synapses are made of devices.
    up, down : ``Out(lanes)``
        Pulses, where they are.
    new_tags : ``Out(lanes * tag_bits)``
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        self.rule = rule = _rule(core)
        self.fields = post_fields(core)
        self.neuron_bits = sum(self.fields.values())
        names = rule.variables | {"w"} | ({"t"} if rule.tag_bits else set())
        self.ranges = {
            name: variable_range(rule, name, core.weight_min, core.weight_max, core.potential_bits)
            for name in names
        }
        self.term_stages = max(_stages(term) for term in rule.terms)
        self.draw_stage = self.term_stages + 1
        self.latency = self.term_stages + 3
        members = {
            "visit": In(visit_layout(core)),
            "fired": In(core.lanes),
            "weights": In(core.lanes * core.weight_bits),
        }
        if rule.devices:
            members |= {"up": Out(core.lanes), "down": Out(core.lanes)}
        else:
            members["new_weights"] = Out(core.lanes * core.weight_bits)
        if self.fields:
            members["neurons"] = In(core.lanes * self.neuron_bits)
        if rule.reads_error:
            members["errors"] = In(core.lanes * rule.error_bits)
        if rule.tag_bits:
            members["tags"] = In(core.lanes * rule.tag_bits)
            members["new_tags"] = Out(core.lanes * rule.tag_bits)
        if rule.stochastic:
            members["draws"] = In(core.lanes * DRAW_BITS)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, rule = self.core, self.rule
        shared = {name: Value.cast(self.visit[name]) for name in rule.pre_traces}
        for name in ("r", "b"):
            if name in rule.variables:
                shared[name] = Value.cast(self.visit[name])
        products = {term: self._shared_product(m, i, term, shared) for i, term in self._numbered()}
        for lane in range(core.lanes):
            variables = dict(shared)
            first = lane * self.neuron_bits
            for name, bits in self.fields.items():
                field = self.neurons[first : first + bits]
                variables[name] = field.as_signed() if name == "v" else field
                first += bits
            weight = self.weights.word_select(lane, core.weight_bits)
            variables["w"] = weight.as_signed() if core.weight_format == "signed" else weight
            if rule.reads_error:
                variables["e"] = self.errors.word_select(lane, rule.error_bits).as_signed()
            if rule.tag_bits:
                variables["t"] = self.tags.word_select(lane, rule.tag_bits).as_signed()
            terms = {
                term: self._term(m, f"{lane}_{i}", term, products[term], variables, lane)
                for i, term in self._numbered()
            }
            old = C(0) if rule.devices else variables["w"]
            self._update(m, lane, rule.weight, terms, old)
            if rule.tag:
                self._update(m, lane, rule.tag, terms, variables["t"])
        return m

    def _numbered(self) -> list[tuple[int, Term]]:
        unique = dict.fromkeys(self.rule.terms)
        return list(enumerate(unique))

    def _shared_product(
        self, m: Module, number: int, term: Term, shared: dict[str, Value]
    ) -> tuple[_Staged | None, list[Value]]:
        """Return the product of the factors that are the same in all lanes, and their gates."""
        factors = [f for f in term.factors if self._names(f) <= set(shared)]
        gates = [self._comparison(f, shared) for f in factors if isinstance(f, Comparison)]
        return self._product(m, f"shared_{number}", factors, shared, None), gates

    @staticmethod
    def _names(factor: Factor) -> set[str]:
        if isinstance(factor, Comparison):
            return {factor.variable}
        return {name for name, _ in factor.variables}

    def _product(
        self,
        m: Module,
        name: str,
        factors: list[Factor],
        variables: dict[str, Value],
        product: _Staged | None,
    ) -> _Staged | None:
        """Multiply ``product`` by the factors that are not comparisons, a stage for each."""
        for index, factor in enumerate(factors):
            if isinstance(factor, Comparison):
                continue
            staged = self._linear(m, f"{name}_factor_{index}", factor, variables)
            if product is None:
                product = staged
                continue
            stage = max(product.stage, staged.stage)
            left = delayed(m, product.value, stage - product.stage, name=f"{name}_left_{index}")
            right = delayed(m, staged.value, stage - staged.stage, name=f"{name}_right_{index}")
            multiplied = Signal((left * right).shape(), name=f"{name}_product_{index}")
            m.d.sync += multiplied.eq(left * right)
            product = _Staged(multiplied, stage + 1)
        return product

    def _linear(self, m: Module, name: str, factor: Factor, variables: dict[str, Value]) -> _Staged:
        """Return a sum of variables and a constant; a variable alone needs no stage."""
        assert not isinstance(factor, Comparison)
        if not _is_sum(factor):
            return _Staged(variables[factor.variables[0][0]], 0)
        total: Value = C(factor.constant)
        for variable, sign in factor.variables:
            total = total + variables[variable] if sign > 0 else total - variables[variable]
        low, high = factor_range(factor, self.ranges)
        shape = unsigned(unsigned_bits(high)) if low >= 0 else signed(signed_bits(low, high))
        register = Signal(shape, name=name)
        m.d.sync += register.eq(total)
        return _Staged(register, 1)

    @staticmethod
    def _comparison(factor: Comparison, variables: dict[str, Value]) -> Value:
        value = variables[factor.variable]
        return {
            "<": value < factor.value,
            "<=": value <= factor.value,
            ">": value > factor.value,
            ">=": value >= factor.value,
            "==": value == factor.value,
            "!=": value != factor.value,
        }[factor.operator]

    def _term(
        self,
        m: Module,
        name: str,
        term: Term,
        shared: tuple[_Staged | None, list[Value]],
        variables: dict[str, Value],
        lane: int,
    ) -> Value:
        """Return a term as it is when the terms are added: 0 where a trigger or gate is."""
        product, gates = shared
        own = [f for f in term.factors if not self._names(f) <= set(self.visit.shape().members)]
        product = self._product(m, f"product_{name}", own, variables, product)
        visit = self.visit
        conditions = [*gates, {"pre": ~visit.post & ~visit.sweep}.get(term.phase, C(1))]
        if term.phase == "post":
            conditions += [visit.post] if term.counts_by_error else [visit.post, self.fired[lane]]
            conditions += [visit.x0] if "x0" in term.triggers else []
        elif term.phase == "sweep":
            conditions.append(visit.sweep)
            conditions += [visit[f"period_{term.period}"]] if term.period is not None else []
        conditions += [self._comparison(f, variables) for f in own if isinstance(f, Comparison)]
        gate = Signal(name=f"gate_{name}")
        m.d.comb += gate.eq(Cat(conditions).all())
        stages = self.term_stages
        value, stage = (product.value, product.stage) if product else (C(1), stages)
        value = delayed(m, value, stages - stage, name=f"value_{name}")
        open_gate = delayed(m, gate, stages, name=f"open_{name}")
        return Mux(open_gate, value, 0)

    def _update(
        self, m: Module, lane: int, rule: SumOfProducts, terms: dict[Term, Value], old: Value
    ) -> None:
        """Add the terms, then the old value and the rounding; clamp."""
        core, fraction_bits = self.core, rule.fraction_bits
        is_weight = rule.target == "dw"
        name = f"{rule.target}_{lane}"
        low = high = 0
        total: Value = C(0)
        for term in rule.terms:
            ends = term_range(term, self.ranges, fraction_bits)
            low, high = low + min(0, ends[0]), high + max(0, ends[1])
            scaled = (terms[term] * abs(term.coefficient)) << (term.exponent + fraction_bits)
            total = total + scaled if term.coefficient > 0 else total - scaled
        change = Signal(signed(signed_bits(low, high)), name=f"change_{name}")
        m.d.sync += change.eq(total)

        old = delayed(m, old, self.draw_stage, name=f"old_{name}")
        rounding = self.rule.rounding if is_weight else self.rule.tag_rounding
        added = self._added(rounding, fraction_bits, lane, is_weight)
        start = Cat(added, old).as_signed() if old.shape().signed else Cat(added, old)
        width = max(len(start) + 1, len(change)) + 1
        summed = Signal(signed(width), name=f"summed_{name}")
        m.d.sync += summed.eq(start + change)
        rounded = summed >> fraction_bits
        if rounding == "toward_zero" and fraction_bits:
            rounded = rounded + (summed[-1] & summed[:fraction_bits].any())
        if is_weight and self.rule.devices:
            m.d.sync += [self.up[lane].eq(rounded > 0), self.down[lane].eq(rounded < 0)]
            return
        least, most = (self.rule.w_min, self.rule.w_max) if is_weight else self.ranges["t"]
        output = self.new_weights if is_weight else self.new_tags
        bits = core.weight_bits if is_weight else self.rule.tag_bits
        clamped = Mux(rounded < least, least, Mux(rounded > most, most, rounded))
        m.d.sync += output.word_select(lane, bits).eq(clamped)

    def _added(self, rounding: str, fraction_bits: int, lane: int, is_weight: bool) -> Value:
        """Return what rounding adds, below the old value's lowest bit."""
        if fraction_bits == 0 or rounding == "toward_zero":
            return C(0, fraction_bits)
        if rounding == "nearest":
            return C(1 << (fraction_bits - 1), fraction_bits)
        draw = self.draws.word_select(lane, DRAW_BITS)
        return draw[-fraction_bits:] if is_weight else draw[:fraction_bits]


def _stages(term: Term) -> int:
    """Return the stages of a term's product and gate: sums, each multiplication, comparisons."""
    products = [factor for factor in term.factors if not isinstance(factor, Comparison)]
    summing = any(_is_sum(factor) for factor in products)
    comparing = len(products) < len(term.factors)
    return max(summing + max(0, len(products) - 1), int(comparing))


def _is_sum(factor: Factor) -> bool:
    """Return whether a factor needs an adder: it is more than a variable."""
    return not isinstance(factor, Comparison) and (
        factor.constant != 0 or factor.variables != ((factor.variables[0][0], 1),)
    )
