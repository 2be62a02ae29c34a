"""The contract's section Learning word for word: one synapse at a time, in exact fractions."""

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.learning.rule import TraceParams
from spikelet.description.learning.text import Comparison, SumOfProducts, Term
from tests.helpers.neuron_ticks import PythonNeurons

__all__ = ["SlowCore", "lfsr_steps"]

COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def lfsr_steps(state: int) -> tuple[int, int]:
    """Return the 16 bits that come in, and the state, after 16 steps of one bit each."""
    draw = 0
    for _ in range(16):
        bit = (state >> 31 ^ state >> 29 ^ state >> 25 ^ state >> 24) & 1
        state = (state << 1 | bit) & 0xFFFFFFFF
        draw = draw << 1 | bit
    return draw, state


def raised(trace: TraceParams, value: int) -> int:
    """A trace after a spike."""
    return trace.increment if trace.mode == "set" else min(value + trace.increment, trace.largest)


def decayed(trace: TraceParams, value: int) -> int:
    """A trace a tick later."""
    if trace.decay_shift:
        return value - math.ceil(Fraction(value, 2**trace.decay_shift))
    return math.floor(Fraction(value * trace.decay, 4096))


def evaluate(term: Term, values: dict[str, int]) -> Fraction:
    """A term, without its period."""
    product = Fraction(term.coefficient) * Fraction(2) ** term.exponent
    for trigger in term.triggers:
        product *= values[trigger] if trigger[0] != "u" else 1
    for factor in term.factors:
        if isinstance(factor, Comparison):
            product *= int(COMPARE[factor.operator](values[factor.variable], factor.value))
        else:
            product *= factor.constant + sum(s * values[n] for n, s in factor.variables)
    return product


def rounded(exact: Fraction, mode: str, bits: int, drawn: int) -> int:
    """A sum without its fraction, of which there are so many bits."""
    if mode == "toward_zero":
        return math.trunc(exact)
    if mode == "nearest":
        return math.floor(exact + (Fraction(1, 2) if bits else 0))
    return math.floor(exact + Fraction(drawn, 2**bits))


def fraction_bits(rule: SumOfProducts) -> int:
    """As many as the largest negative power of two in the sum needs."""
    return max([0, *(-term.exponent for term in rule.terms)])


@dataclass
class SlowCore:
    """A plastic core of one sample.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
    """

    core: CoreParams
    image: CoreImage
    ticks: int = 0
    traces: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rule = self.core.learning
        assert rule is not None
        self.rule = rule
        self.w = self.image.weights.tolist()
        self.t = self.image.tags.tolist()
        self.random = self.image.random.tolist()
        self.neurons = PythonNeurons(self.core, self.image)
        self.errors = [0] * self.core.n_neurons
        self.clear()

    def clear(self) -> None:
        """Clear potentials, marks, traces and the number of the tick."""
        core, rule = self.core, self.rule
        self.ticks = 0
        self.neurons.clear()
        self.traces = {name: [0] * core.n_axons for name in rule.pre_traces}
        self.traces |= {name: [0] * core.n_neurons for name in rule.post_traces}

    def tick(self, s: list[bool], reward: int) -> None:
        """Steps 2 to 3d, with arrivals ``s``."""
        rule, groups = self.rule, range(self.core.groups)
        first_teacher = self.core.n_axons - self.core.teacher_axons
        rows = [(row, a < first_teacher) for a, row in enumerate(self.w) if s[a]]
        current = [sum(row[n] for row, plain in rows if plain) for n in self._all()]
        teacher = [sum(row[n] for row, plain in rows if not plain) for n in self._all()]
        none = [False] * self.core.n_neurons
        self._phase(self._terms("pre"), groups, lambda axon: s[axon], s, none, reward)
        self.neurons.tick(current, teacher)
        self.errors = self.neurons.of("e") if rule.reads_error else [0] * self.core.n_neurons
        pairs = zip(self.fired, self.errors, strict=True)
        visited = [fired or (rule.visits_errors and error != 0) for fired, error in pairs]
        for name, trace in rule.pre_traces.items():
            self.traces[name] = [
                raised(trace, value) if spike else value
                for value, spike in zip(self.traces[name], s, strict=True)
            ]
        lanes = self.core.lanes
        fired = [group for group in groups if any(visited[group * lanes :][:lanes])]
        self._phase(
            self._terms("post"),
            fired,
            lambda axon: s[axon] or self._traced(axon) or rule.visits_silent_axons,
            *(s, self.fired, reward),
        )
        due = [
            term
            for term in self._terms("sweep")
            if (reward != 0 if term.period is None else (self.ticks + 1) % 2**term.period == 0)
        ]
        self._phase(due, groups, lambda axon: True, s, none, reward)
        self._end()

    def _terms(self, phase: str) -> list[Term]:
        return [term for term in self.rule.terms if term.phase == phase]

    def _phase(
        self,
        terms: list[Term],
        groups: Iterable[int],
        eligible: Callable[[int], bool],
        s: list[bool],
        fired: list[bool],
        reward: int,
    ) -> None:
        """Visit groups and in each the plastic axons that are eligible, both ascending."""
        if not terms or not self.image.learning:
            return
        for group in groups:
            for axon in range(self.core.n_axons):
                if self.image.plastic[axon] and eligible(axon):
                    self._visit(terms, group, axon, s, fired, reward)

    def _all(self) -> range:
        return range(self.core.n_neurons)

    def _traced(self, axon: int) -> bool:
        return any(self.traces[name][axon] for name in self.rule.pre_traces)

    @property
    def v(self) -> list[int]:
        """Potentials after the last tick."""
        return self.neurons.of("v")

    @property
    def fired(self) -> list[bool]:
        """Who fired in the last tick."""
        return [bool(fired) for fired in self.neurons.of("fired")]

    def _end(self) -> None:
        for name, trace in self.rule.pre_traces.items():
            self.traces[name] = [decayed(trace, value) for value in self.traces[name]]
        for name, trace in self.rule.post_traces.items():
            self.traces[name] = [
                decayed(trace, raised(trace, value) if fired else value)
                for value, fired in zip(self.traces[name], self.fired, strict=True)
            ]
        self.ticks += 1

    def _visit(
        self,
        terms: list[Term],
        group: int,
        axon: int,
        s: list[bool],
        fired: list[bool],
        reward: int,
    ) -> None:
        """Visit the synapses of a group and an axon, after a draw of each lane."""
        core, rule = self.core, self.rule
        draws = [0] * core.lanes
        if rule.stochastic:
            draws, self.random = map(list, zip(*map(lfsr_steps, self.random), strict=True))
        for lane, draw in enumerate(draws):
            n = group * core.lanes + lane
            values = {name: self.traces[name][axon] for name in rule.pre_traces}
            values |= {name: self.traces[name][n] for name in rule.post_traces}
            values |= {"x0": int(s[axon]), "y0": int(fired[n]), "v": self.v[n], "r": reward}
            values |= {"e": self.errors[n]} if rule.reads_error else {}
            values |= {"w": self.w[axon][n]} | ({"t": self.t[axon][n]} if rule.tag else {})
            bits = fraction_bits(rule.weight)
            dw = sum((evaluate(x, values) for x in terms if x in rule.weight.terms), Fraction(0))
            w = rounded(values["w"] + dw, rule.rounding, bits, draw >> (16 - bits))
            self.w[axon][n] = max(rule.w_min, min(rule.w_max, w))
            if rule.tag:
                bits, most = fraction_bits(rule.tag), 2 ** (rule.tag_bits - 1)
                dt = sum((evaluate(x, values) for x in terms if x in rule.tag.terms), Fraction(0))
                t = rounded(values["t"] + dt, rule.tag_rounding, bits, draw % 2**bits)
                self.t[axon][n] = max(-most, min(most - 1, t))
