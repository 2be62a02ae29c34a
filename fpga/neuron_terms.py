"""How much logic the update of neurons takes, counted from what a core computes of its model."""

from collections import Counter
from collections.abc import Iterator

from spikelet.description.checks import bits_of
from spikelet.description.chip.core import CoreParams
from spikelet.description.expression import (
    COMPARISONS,
    Constant,
    Node,
    Operation,
    Range,
    looked_up,
    names,
    range_of,
)

__all__ = ["draw_terms", "neuron_products", "update_terms"]

_FEW_DIGITS = 3
"""As in ``rtl_gen/expression.py``: a constant factor of so many digits takes adders."""


def update_terms(core: CoreParams) -> Counter[str]:
    """Return the adders, multiplexers and registers of one update pipeline, in bits.

    See :func:`spikelet.fpga.logic_terms.logic_terms`.
    """
    terms: Counter[str] = Counter()
    for line in core.update.lines:
        for assignment in line:
            terms.update(_terms(assignment.value, core.update.ranges))
    terms["register"] += _carried_bits(core)
    return terms


def draw_terms(core: CoreParams) -> Counter[str]:
    """Return the terms of what neurons draw, of a whole core."""
    if not core.update.draws:
        return Counter()
    return Counter(
        {
            "random": core.pipelines * 2 * 32,
            "multiplexer": (2 * core.pipelines - 1) * 32,
            "register": core.pipelines * 32,
        }
    )


def neuron_products(core: CoreParams) -> Iterator[tuple[int, int]]:
    """Yield the widths of both operands of each multiplier of an update pipeline."""
    for line in core.update.lines:
        for assignment in line:
            for node in _operations(assignment.value):
                if node.operator == "*" and not _adders(node):
                    left, right = (range_of(a, core.update.ranges) for a in node.arguments)
                    signed = left[0] < 0 or right[0] < 0
                    bits_left, bits_right = (
                        bits_of(*ends) + (signed and ends[0] >= 0) for ends in (left, right)
                    )
                    yield bits_left, bits_right


def _operations(node: Node) -> Iterator[Operation]:
    if isinstance(node, Operation):
        yield node
        for argument in node.arguments:
            yield from _operations(argument)


def _terms(node: Node, ranges: dict[str, Range], *, added: bool = False) -> Counter[str]:
    """Return the terms of an expression; one that is ``added`` takes its carry along."""
    terms: Counter[str] = Counter()
    if not isinstance(node, Operation):
        return terms
    operator = node.operator
    for argument in node.arguments:
        terms.update(_terms(argument, ranges, added=operator in ("+", "-")))
    bits = bits_of(*range_of(node, ranges))
    parts = [bits_of(*range_of(argument, ranges)) for argument in node.arguments]
    constant = [isinstance(argument, Constant) for argument in node.arguments]
    adder = multiplexer = 0
    if operator in ("+", "-", "negative"):
        adder = bits
    elif operator in COMPARISONS:
        adder = max(parts) if not any(constant) else max(parts) // 2
    elif operator == "*":
        adder = bits * max(0, _adders(node) - 1)
    elif operator == "where":
        multiplexer = 0 if all(constant[1:]) else bits
    elif operator in ("clamp", "least", "most"):
        multiplexer = bits
        adder = sum(bits for known in constant[1:] if not known)
    elif operator == "abs":
        adder, multiplexer = bits, bits
    elif operator == "table" and not looked_up(node, ranges):
        multiplexer = bits * (len(parts) - 2) // 2
    elif operator in ("nearest", "truncate", "chance"):
        adder = parts[0] if operator == "chance" else 0 if added else bits
        adder += _divisor_bits(node) // 2 if operator == "truncate" else 0
    terms.update({"adder": adder, "multiplexer": multiplexer})
    return terms


def _divisor_bits(node: Operation) -> int:
    """Return the bits by which an operation shifts."""
    bits = node.arguments[1]
    return bits.value if isinstance(bits, Constant) else 0


def _adders(product: Operation) -> int:
    """Return the digits of a constant factor, if those are few; 0: it takes a multiplier."""
    for argument in product.arguments:
        if isinstance(argument, Constant):
            value = abs(argument.value)
            digits = (value ^ 3 * value).bit_count()
            return digits if digits <= _FEW_DIGITS else 0
    return 0


def _carried_bits(core: CoreParams) -> int:
    """Return the bits of registers that hold, stage by stage, what another register held."""
    update = core.update
    still = {name for name in update.parameters if core.scope(name) == "shared"} | {"learning"}
    nodes = [[assignment.value for assignment in line] for line in update.lines]
    known = {*update.states, *update.kept, *update.parameters, *update.inputs} - still
    total = 0
    for number, line in enumerate(update.lines, 1):
        later = [node for below in nodes[number:] for node in below]
        read = {name.name for node in (*later, *update.results.values()) for name in names(node)}
        total += sum(
            core.current_bits if name == "current" else bits_of(*update.ranges[name])
            for name in known & read
        )
        known |= {assignment.name for assignment in line}
    return total
