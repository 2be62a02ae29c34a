"""The neuron update of a core as C text, for ``neuron_update.c``. No twin in rtl_gen.

Values are 32 bits wide where that holds all of them, else 64. Constants are loaded at run time: so
cores that differ only in them share one function, which the compiler turns into vector code once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from spikelet.description.chip.core import CoreParams
from spikelet.description.expression import (
    COMPARISONS,
    Constant,
    Name,
    Node,
    Operation,
    Range,
    range_of,
)
from spikelet.description.neurons.text import DRAWN

__all__ = ["NeuronCode", "neuron_code"]

_SHIFTS = (">>", "nearest", "truncate", "chance")
_OPERATIONS = {
    **{operator: f"{{0}} {operator} {{1}}" for operator in ("+", "-", "*", "&", *COMPARISONS)},
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "not": "!{0}",
    "negative": "-{0}",
    "where": "{0} ? {1} : {2}",
    "<<": "{0} << {shift}",
    ">>": "{0} >> {shift}",
    "nearest": "({0} + ((int{bits}_t)1 << {shift} >> 1)) >> {shift}",
    "truncate": "truncate{bits}({0}, {shift})",
    "chance": "({0} + ({1} & (1 << {shift}) - 1)) >> {shift}",
    "least": "least{bits}({0}, {1})",
    "most": "most{bits}({0}, {1})",
    "clamp": "least{bits}(most{bits}({0}, {1}), {2})",
    "abs": "abs{bits}({0})",
    "sign": "sign{bits}({0})",
}
"""C text of each operation on arguments of so many bits."""


@dataclass(frozen=True)
class NeuronCode:
    """What C needs of a core's neuron update.

    Parameters
    ----------
    text : str
        Macros for ``neuron_update.c``.
    constants : tuple of int
        What the function is given to load.
    rows : tuple of str
        Names of the memories that it is given, in order: parameters, states, and ``first_words``
        and ``draws`` of a model that draws.
    """

    text: str
    constants: tuple[int, ...]
    rows: tuple[str, ...]


def neuron_code(core: CoreParams) -> NeuronCode:
    """Return the code of a core's update."""
    update = core.update
    writer = _Writer(update.ranges)
    states = (*update.states, *update.kept)
    flags = {name for name in states if core.neuron.state(name).kind in ("flag", "count")}
    lines = [
        writer.definition(assignment.name, writer.value(assignment.value))
        for line in update.lines
        for assignment in line
    ]
    stores = [f"row_{name}[n] = {writer.value(update.results[name])};" for name in states]
    loads = [writer.definition(name, f"row_{name}[n]") for name in (*update.parameters, *states)]
    loads += [_INPUTS[name](writer) for name in update.inputs]
    rows = [*update.parameters, *states]
    kinds = {name: "uint8_t" if name in flags else "int32_t" for name in rows}
    if update.draws:
        rows += ("first_words", "draws")
        kinds |= {"first_words": "uint32_t", "draws": "uint32_t"}
        loads.insert(0, "const uint32_t drawn = row_draws[n] ^ row_first_words[n];")
        stores.append("row_draws[n] = next_word(drawn) ^ row_first_words[n];")
    pointers = [f"{kinds[name]} *const row_{name} = rows[{i}];" for i, name in enumerate(rows)]
    macros = {
        "INHIBITED": [str(int("inhibited" in update.inputs))],
        "TABLES": writer.tables,
        "ROWS": pointers,
        "CONSTANTS": writer.loads,
        "LOADS": loads,
        "LINES": lines,
        "STORES": stores,
    }
    text = "".join(_macro(name, parts) for name, parts in macros.items())
    return NeuronCode(text, tuple(writer.constants), tuple(rows))


def _macro(name: str, parts: Iterable[str]) -> str:
    return " \\\n    ".join([f"#define {name}", *parts]) + "\n"


_INPUTS = {
    "current": lambda writer: writer.definition(
        "current", f"({writer.kind_of('current')})sums[n] << weight_exponent"
    ),
    "inhibited": lambda writer: writer.definition("inhibited", "any & !row_fired[n]"),
    "learning": lambda writer: writer.definition("learning", "learning"),
    "teacher": lambda writer: writer.definition(
        "teacher", f"({writer.kind_of('teacher')})sums[columns + n] << weight_exponent"
    ),
    "draw": lambda writer: writer.definition("draw", "drawn >> 16"),
    DRAWN: lambda writer: writer.definition(DRAWN, "drawn & 65535"),
}


class _Writer:
    """Writes expressions, and notes the constants and tables in them."""

    def __init__(self, ranges: dict[str, Range]) -> None:
        self.ranges = ranges
        self.constants: list[int] = []
        self.loads: list[str] = []
        self.tables: list[str] = []

    def kind_of(self, name: str) -> str:
        """Return the C type of a name."""
        return f"int{_bits(self.ranges[name])}_t"

    def definition(self, name: str, value: str) -> str:
        """Return the C text that gives a name its value."""
        return f"const {self.kind_of(name)} x_{name} = {value};"

    def value(self, node: Node) -> str:
        """Return the C text of an expression, whose type is as wide as its range needs."""
        if isinstance(node, Name):
            return f"x_{node.name}"
        if isinstance(node, Constant):
            return self._constant(node.value)
        if node.operator == "table":
            return self._table(node)
        return self._operation(node)

    def _operation(self, node: Operation) -> str:
        operator = node.operator
        arguments, shift = node.arguments, 0
        if operator in ("<<", *_SHIFTS):
            arguments, shift = self._shifted(node)
        ranges = [range_of(argument, self.ranges) for argument in arguments]
        found = range_of(node, self.ranges)
        inside = [*ranges, found]
        if operator == "nearest":
            inside.append((ranges[0][0], ranges[0][1] + (1 << shift >> 1)))
        if operator == "chance":
            inside.append((ranges[0][0], ranges[0][1] + (1 << shift) - 1))
        bits = 64 if shift > 30 else max(map(_bits, inside))
        parts = [
            f"(int64_t)({text})" if bits > _bits(ends) else text
            for text, ends in zip(map(self.value, arguments), ranges, strict=True)
        ]
        text = _OPERATIONS[operator].format(*parts, bits=bits, shift=shift)
        return f"(int32_t)({text})" if bits > _bits(found) else f"({text})"

    def _shifted(self, node: Operation) -> tuple[tuple[Node, ...], int]:
        """Return the arguments of a shift without its constant, and that."""
        value, by, *others = node.arguments
        assert isinstance(by, Constant)
        return (value, *others), by.value

    def _constant(self, value: int) -> str:
        index = len(self.constants)
        self.constants.append(value)
        kind = f"int{_bits((value, value))}_t"
        self.loads.append(f"const {kind} k{index} = ({kind})constants[{index}];")
        return f"k{index}"

    def _table(self, node: Operation) -> str:
        index, *values = node.arguments
        name = f"table{len(self.tables)}"
        bits = _bits(range_of(node, self.ranges))
        listed = ", ".join(f"{value.value}" for value in values if isinstance(value, Constant))
        self.tables.append(f"static const int64_t {name}[] = {{{listed}}};")
        return f"((int{bits}_t){name}[{self.value(index)}])"


def _bits(ends: Range) -> int:
    return 32 if ends[0] >= -(1 << 31) and ends[1] < 1 << 31 else 64
