"""Learning: what a plastic core is built to do. The tick contract says when it does it."""

import re
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.text import (
    CHANCE,
    PHASES,
    POST_TRACES,
    PRE_TRACES,
    TRACES,
    Comparison,
    Factor,
    SumOfProducts,
    Term,
    parse_rule,
)

__all__ = [
    "ACCUMULATOR_BITS",
    "DECAY_BITS",
    "DRAW_BITS",
    "LearningRule",
    "TraceParams",
    "variable_range",
]

ACCUMULATOR_BITS = 32
"""Every product of a rule, and every sum, must fit in so many bits, with its fraction."""

DECAY_BITS = 12
"""A trace's ``decay`` is in units of ``2**-12``."""

DRAW_BITS = 16
"""Bits of each draw of a lane's LFSR."""

_Range = tuple[int, int]


@dataclass(frozen=True)
class TraceParams:
    """A trace: raised by a spike, decaying every tick. Values 0..``2**bits - 1``.

    Decaying rounds down, so that every trace reaches 0: to ``value - ceil(value / 2**decay_shift)``
    if ``decay_shift`` is not 0, else to ``floor(value * decay / 4096)``.

    Parameters
    ----------
    increment : int
        1..``2**bits - 1``.
    decay : int
        0..4095, in 1/4096; 0 also means that the trace lasts one tick.
    decay_shift : int
        0..15.
    bits : int
        1..15.
    mode : str
        ``"add"``: a spike adds the increment, up to the largest value (all-to-all pairing).
        ``"set"``: a spike sets the trace to it (nearest-spike pairing).

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    increment: int
    decay: int = 0
    decay_shift: int = 0
    bits: int = 8
    mode: str = "add"

    def __post_init__(self) -> None:
        check_int("trace: bits", self.bits, 1, 15)
        check_int("trace: increment", self.increment, 1, self.largest)
        check_int("trace: decay", self.decay, 0, 4095)
        check_int("trace: decay_shift", self.decay_shift, 0, 15)
        if self.decay and self.decay_shift:
            raise SpikeletError("trace: give decay or decay_shift, not both")
        if self.mode not in ("add", "set"):
            raise SpikeletError(f"trace: mode must be one of add, set, not {self.mode!r}")

    @property
    def largest(self) -> int:
        """Largest value."""
        return (1 << self.bits) - 1


@dataclass(frozen=True)
class LearningRule:
    """What a plastic core's synapses compute. See ``docs/learning.md`` for the rule's language.

    A visit of a synapse computes ``w' = clamp(round(w + dw), w_min, w_max)``, and likewise its tag
    from ``dt``, from what both were before. ``dw`` and ``dt`` are exact; they are rounded once.

    Parameters
    ----------
    dw : str
        Rule of the weight.
    dt : str
        Rule of the tag, or empty: no tags.
    x1, x2, y1, y2, y3 : TraceParams or None
        Pre and post traces, as far as the rule uses them.
    w_min, w_max : int
        Hard bounds of plastic weights; soft bounds are factors ``(w_max - w)`` and ``(w - w_min)``.
    rounding : str
        Of the weight: ``"nearest"`` (halves go up) or ``"stochastic"``.
    tag_bits : int
        Width of a tag (two's complement), 2..8, or 0 without tags.
    tag_rounding : str
        ``"toward_zero"``, ``"nearest"`` or ``"stochastic"``.
    reward_bits : int
        Width of the reward (two's complement), 2..16.
    devices : Devices or None
        What synapses are made of, whose sums have the bounds ``w_min`` and ``w_max``; None: the
        weight is what changes.
    error_bits : int
        Width of the error ``e`` (two's complement), 2..16: a state of the core's neurons. Of the
        chance ``p``, ``2**(error_bits - 1)`` is 1, and one less the most that is read.
    name : str
    source : str
        Where the rule comes from.

    Raises
    ------
    SpikeletError
        If a field is outside its range, or the text is not a rule, with the position.
    """

    dw: str
    dt: str = ""
    x1: TraceParams | None = None
    x2: TraceParams | None = None
    y1: TraceParams | None = None
    y2: TraceParams | None = None
    y3: TraceParams | None = None
    w_min: int = 0
    w_max: int = 127
    rounding: str = "nearest"
    tag_bits: int = 0
    tag_rounding: str = "toward_zero"
    reward_bits: int = 8
    devices: Devices | None = None
    error_bits: int = 8
    name: str = "custom"
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        what = f"rule {self.name}:"
        for name in ("dw", "dt", "name", "source"):
            if not isinstance(getattr(self, name), str):
                raise SpikeletError(f"{what} {name} must be text, not {getattr(self, name)!r}")
        check_int(f"{what} w_min", self.w_min, -128, 255)
        check_int(f"{what} w_max", self.w_max, self.w_min + 1, 255)
        check_int(f"{what} reward_bits", self.reward_bits, 2, 16)
        check_int(f"{what} error_bits", self.error_bits, 2, 16)
        for name, valid in (
            ("rounding", ("nearest", "stochastic")),
            ("tag_rounding", ("toward_zero", "nearest", "stochastic")),
        ):
            if getattr(self, name) not in valid:
                raise SpikeletError(
                    f"{what} {name} must be one of {', '.join(valid)}, not {getattr(self, name)!r}"
                )
        if bool(self.dt) != bool(self.tag_bits):
            raise SpikeletError(f"{what} a rule dt and tag_bits belong together")
        if self.tag_bits:
            check_int(f"{what} tag_bits", self.tag_bits, 2, 8)
        self._check_used(what)
        devices = self.devices
        if not isinstance(devices, Devices | None):
            raise SpikeletError(
                f"{what} devices must be Devices, not {devices!r}",
                remedy="give them to the projection, as docs/memristors.md says",
            )
        if devices and (self.w_min, self.w_max) != (devices.w_min, devices.w_max):
            raise SpikeletError(
                f"{what} w_min and w_max must be {devices.w_min} and {devices.w_max}, the sums of "
                f"its devices, not {self.w_min} and {self.w_max}",
                remedy="use with_devices()",
            )

    def _check_used(self, what: str) -> None:
        """Check that what the texts name is there."""
        used = {name for term in self.terms for name in term.variables}
        for name in TRACES:
            if name in used and getattr(self, name) is None:
                raise SpikeletError(f"{what} the rule uses {name}, which has no TraceParams")
            if name not in used and getattr(self, name) is not None:
                raise SpikeletError(f"{what} {name} has TraceParams, but the rule does not use it")
        if "t" in used and not self.tag_bits:
            raise SpikeletError(f"{what} the rule uses t, which needs dt and tag_bits")
        if self.reads_chance and re.search(r"\be\b", f"{self.dw} {self.dt}"):
            raise SpikeletError(f"{what} reads e and p, and a core gives its rule one of them")

    @cached_property
    def weight(self) -> SumOfProducts:
        """The syntax tree of ``dw``."""
        return parse_rule(self.dw, "dw", (self.w_min, self.w_max))

    @cached_property
    def tag(self) -> SumOfProducts | None:
        """The syntax tree of ``dt``, or None."""
        return parse_rule(self.dt, "dt", (self.w_min, self.w_max)) if self.dt else None

    @property
    def terms(self) -> tuple[Term, ...]:
        """Terms of both."""
        return self.weight.terms + (self.tag.terms if self.tag else ())

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables in either."""
        return frozenset(name for term in self.terms for name in term.variables)

    @property
    def phases(self) -> tuple[str, ...]:
        """Those of :data:`PHASES` in which there is a term."""
        return tuple(p for p in PHASES if any(term.phase == p for term in self.terms))

    @property
    def pre_traces(self) -> dict[str, TraceParams]:
        """``x1`` and ``x2``, as far as there are."""
        return self._traces(PRE_TRACES)

    @property
    def post_traces(self) -> dict[str, TraceParams]:
        """``y1``, ``y2`` and ``y3``, as far as there are."""
        return self._traces(POST_TRACES)

    def _traces(self, among: tuple[str, ...]) -> dict[str, TraceParams]:
        pairs: dict[str, TraceParams | None] = {name: getattr(self, name) for name in among}
        return {name: trace for name, trace in pairs.items() if trace}

    @property
    def stochastic(self) -> bool:
        """Whether a core with this rule has LFSRs."""
        return (
            self.rounding == "stochastic"
            or (self.tag_bits > 0 and self.tag_rounding == "stochastic")
            or self.visit_draws > 1
        )

    @property
    def visit_draws(self) -> int:
        """Draws of a visit in a core with LFSRs: the rule's and, if they draw, the devices'."""
        return 2 if self.devices and self.devices.draws else 1

    def with_devices(self, devices: Devices) -> "LearningRule":
        """Return the rule for synapses of such devices, with the bounds of their sums."""
        return replace(self, devices=devices, w_min=devices.w_min, w_max=devices.w_max)

    @property
    def visits_silent_axons(self) -> bool:
        """Whether the post phase visits all plastic axons, not only those with a trace or spike."""
        return any(not _vanishes_in_silence(t) for t in self.terms if t.phase == "post")

    @property
    def reads_error(self) -> bool:
        """Whether the rule reads ``e``, or ``p`` in its place."""
        return "e" in self.variables

    @property
    def reads_chance(self) -> bool:
        """Whether the rule reads ``p``, the chance of the neuron to spike."""
        return re.search(rf"\b{CHANCE}\b", f"{self.dw} {self.dt}") is not None

    @property
    def visits_errors(self) -> bool:
        """Whether the post phase visits neurons that did not fire, for their error."""
        return any(term.counts_by_error for term in self.terms)

    @property
    def periods(self) -> tuple[int, ...]:
        """The k of each ``uk`` in the rule, ascending."""
        return tuple(sorted({t.period for t in self.terms if t.period is not None}))

    def check(self, weight_min: int, weight_max: int, potential_bits: int) -> None:
        """Raise SpikeletError unless a core of these widths can be built, naming the term."""
        what = f"rule {self.name}:"
        if not weight_min <= self.w_min < self.w_max <= weight_max:
            raise SpikeletError(
                f"{what} bounds {self.w_min}..{self.w_max} must lie in {weight_min}..{weight_max}, "
                "the range of the core's weights"
            )
        ranges = {
            name: variable_range(self, name, weight_min, weight_max, potential_bits)
            for name in self.variables | {"w"} | ({"t"} if self.tag_bits else set())
        }
        self._check_sum(self.weight, ranges, ranges["w"])
        if self.tag:
            self._check_sum(self.tag, ranges, ranges["t"])

    def _check_sum(self, rule: SumOfProducts, ranges: dict[str, _Range], own: _Range) -> None:
        """Check each product on its way, then the sum with the old value and the rounding."""
        scale = 1 << rule.fraction_bits
        low, high = own[0] * scale, own[1] * scale + scale - 1
        for term in rule.terms:
            ends = term_range(term, ranges, rule.fraction_bits)
            low, high = low + min(0, ends[0]), high + max(0, ends[1])
            for what, (least, most) in (("this product", ends), ("the sum so far", (low, high))):
                bits = max((~end if end < 0 else end).bit_length() for end in (least, most)) + 1
                if bits > ACCUMULATOR_BITS:
                    raise SpikeletError(
                        f"rule {self.name}: {rule.target}, term {term.text}: {what} can take "
                        f"{bits} bits, with {rule.fraction_bits} of fraction, but accumulators "
                        f"have {ACCUMULATOR_BITS}",
                        remedy="use narrower traces, fewer factors or larger powers of two",
                    )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        values = asdict(self)
        if self.devices is None:  # what a rule has no use for is not named
            del values["devices"]
        else:
            values["devices"] = self.devices.to_dict()
        if not self.reads_error:
            del values["error_bits"]
        if self.y3 is None:
            del values["y3"]
        return values

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "LearningRule":
        """Inverse of :meth:`to_dict`."""
        traces = {
            name: TraceParams(**fields[name]) for name in TRACES if fields.get(name) is not None
        }
        devices = fields.get("devices")
        return cls(**{**fields, **traces, "devices": Devices(**devices) if devices else None})


def variable_range(
    rule: LearningRule, name: str, weight_min: int, weight_max: int, potential_bits: int
) -> _Range:
    """Return the smallest and largest value of a variable."""
    if name in TRACES:
        trace: TraceParams = getattr(rule, name)
        return 0, trace.largest
    if name == "w":
        return weight_min, weight_max
    if name == "b":
        return 0, 1
    bits = {
        "v": potential_bits,
        "t": rule.tag_bits,
        "r": rule.reward_bits,
        "e": rule.error_bits,
    }[name]
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def factor_range(factor: Factor, ranges: dict[str, _Range]) -> _Range:
    """Return the smallest and largest value of a factor."""
    if isinstance(factor, Comparison):
        return 0, 1
    low = high = factor.constant
    for name, sign in factor.variables:
        ends = sorted(sign * end for end in ranges[name])
        low, high = low + ends[0], high + ends[1]
    return low, high


def term_range(term: Term, ranges: dict[str, _Range], fraction_bits: int) -> _Range:
    """Return the smallest and largest value of a term, in units of ``2**-fraction_bits``."""
    scale = term.coefficient << (term.exponent + fraction_bits)
    ends = {scale}
    for factor in term.factors:
        ends = {end * other for end in ends for other in factor_range(factor, ranges)}
    return min(ends), max(ends)


def _vanishes_in_silence(term: Term) -> bool:
    """Return whether the term is 0 where x0, x1 and x2 are."""
    if "x0" in term.triggers:
        return True
    for factor in term.factors:
        if isinstance(factor, Comparison):
            if factor.variable in PRE_TRACES and not factor.holds(0):
                return True
        elif factor.constant == 0 and {name for name, _ in factor.variables} <= set(PRE_TRACES):
            return True
    return False
