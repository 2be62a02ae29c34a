"""A learning rule as C text, for ``learning_rule.c``. No twin in rtl_gen."""

from collections.abc import Collection, Sequence

from spikelet.description.learning.devices import DEVICE_FIELDS, NOISE_MEAN, Devices
from spikelet.description.learning.rule import DRAW_BITS, LearningRule
from spikelet.description.learning.text import (
    LARGEST_PERIOD,
    PHASES,
    POST_TRACES,
    TRACES,
    Factor,
    LinearFactor,
    SumOfProducts,
    Term,
)

__all__ = ["rule_code"]

_REWARD_DUE = LARGEST_PERIOD + 1
"""Bit of ``due`` for the sweep terms without a period; bit k is for those with ``uk``."""


def rule_code(rule: LearningRule) -> str:
    """Return the definitions that make ``learning_rule.c`` a core with this rule.

    Sums fit 32 bits, as :meth:`LearningRule.check` has made sure. They are computed modulo 2**32
    and only then become signed, so the order in which a compiler adds does not matter.
    """
    phases = {phase: [term for term in rule.terms if term.phase == phase] for phase in PHASES}
    due = sum({1 << _due_bit(term) for term in phases["sweep"]})
    flags = {
        "HAS_TAGS": rule.tag is not None,
        "STOCHASTIC": rule.stochastic,
        **{f"HAS_{name.upper()}": name in rule.variables for name in (*TRACES, "v", "b", "e")},
        "VISITS_ERRORS": rule.visits_errors,
        "PRE_TERMS": bool(phases["pre"]),
        "PRE_NEEDS_Y": all(_vanishes(term, POST_TRACES) for term in phases["pre"]),
        "POST_TERMS": bool(phases["post"]),
        "VISITS_SILENT_AXONS": rule.visits_silent_axons,
        "SWEEP_TERMS": due,
        "REWARD_DUE": _REWARD_DUE,
        "VISIT_DRAWS": rule.visit_draws,
        "HAS_DEVICES": rule.devices is not None,
        "DEVICES": rule.devices.count if rule.devices else 1,
    }
    lines = [f"#define {name} {int(value)}" for name, value in flags.items()]
    if rule.devices:
        lines += _devices(rule.devices)
    bounds = (-1, 1) if rule.devices else (rule.w_min, rule.w_max)
    old = "w" if rule.devices is None else ""
    lines += _target("WEIGHT", old, rule.weight, rule.rounding, bounds)
    if rule.tag:
        largest = (1 << (rule.tag_bits - 1)) - 1
        lines += _target("TAG", "t", rule.tag, rule.tag_rounding, (-largest - 1, largest))
    else:
        lines.append("#define NEW_TAG(phase, s) 0")
    return "\n".join(lines) + "\n"


def _devices(devices: Devices) -> list[str]:
    """Return what the C text must know of devices: curves, and fields of their codes."""
    first, _ = devices.fields.get("writes", (0, 0))
    values = {
        "LEVELS": str(devices.levels),
        "NOISE": str(devices.noise),
        "NOISE_MEAN": str(NOISE_MEAN),
        "UP": f"{{{', '.join(map(str, devices.up))}}}",
        "DOWN": f"{{{', '.join(map(str, devices.down))}}}",
        "MOST_WRITES": str((1 << devices.write_bits) - 1),
        "FIRST_WRITES": str(first),
        "PAIRS": str(int(devices.pairs)),
        "DEVICE_BITS": str(devices.code_bits // len(devices.sides)),
        "REFRESH": str(devices.refresh),
        "SLICE_BITS": str(devices.slice_bits),
    }
    lines = [f"#define {name} {value}" for name, value in values.items()]
    for name in DEVICE_FIELDS:
        place, bits = devices.fields.get(name, (0, 0))
        field = f"((code) >> {place} & {(1 << bits) - 1})"
        if name == "variation" and bits:
            half = 1 << (bits - 1)
            field = f"(({field} ^ {half}) - {half})"
        lines.append(f"#define {name.upper()}(code) {field}")
    return lines


def _target(
    name: str, old: str, target: SumOfProducts, rounding: str, bounds: tuple[int, int]
) -> list[str]:
    """Return the macros of weight or tag: the change in each phase, rounding, clamping."""
    bits = target.fraction_bits
    before = f"(uint32_t)(s).{old}" if old else "0u"  # a device's pulse is the sign of a change
    total = f"(({before} << {bits}) + {name}_CHANGE_##phase(s))"
    below_one, half = (1 << bits) - 1, 1 << bits >> 1
    drawn = f"(s).draw >> {DRAW_BITS - bits}" if name == "WEIGHT" else f"(s).draw & {below_one}"
    added = {
        "nearest": f"{half}",
        "stochastic": f"({drawn})",
        "toward_zero": f"((int32_t){total} < 0 ? {below_one} : 0)",
    }[rounding]
    rounded = f"(int32_t)({total} + {added}) >> {bits}"
    changes = [
        f"#define {name}_CHANGE_{phase.upper()}(s) ({_sum(target.in_phase(phase), bits)})"
        for phase in PHASES
    ]
    low, high = bounds
    return [*changes, f"#define NEW_{name}(phase, s) clamp({rounded}, {low}, {high})"]


def _sum(terms: Sequence[Term], fraction_bits: int) -> str:
    return " + ".join(_product(term, fraction_bits) for term in terms) or "0u"


def _product(term: Term, fraction_bits: int) -> str:
    factors = [f"(uint32_t)({term.coefficient << (term.exponent + fraction_bits)})"]
    if term.phase == "post" and "x0" in term.triggers:  # in the pre phase it is 1
        factors.append("(uint32_t)(s).x0")
    if "y0" in term.triggers:  # of neurons that are visited for their error it may be 0
        factors.append("(uint32_t)(s).y0")
    if term.phase == "sweep":
        factors.append(f"(uint32_t)((s).due >> {_due_bit(term)} & 1)")
    return " * ".join([*factors, *(_factor(factor) for factor in term.factors)])


def _factor(factor: Factor) -> str:
    if isinstance(factor, LinearFactor):
        variables = (f"{'-+'[sign > 0]} (s).{name}" for name, sign in factor.variables)
        return f"(uint32_t)({factor.constant} {' '.join(variables)})"
    return f"(uint32_t)((s).{factor.variable} {factor.operator} {factor.value})"


def _due_bit(term: Term) -> int:
    return _REWARD_DUE if term.period is None else term.period


def _vanishes(term: Term, names: Collection[str]) -> bool:
    """Return whether the term is 0 where all the variables of these names are."""
    return any(_is_zero(factor, names) for factor in term.factors)


def _is_zero(factor: Factor, names: Collection[str]) -> bool:
    if isinstance(factor, LinearFactor):
        return factor.constant == 0 and all(name in names for name, _ in factor.variables)
    return factor.variable in names and not factor.holds(0)
