"""Random neuron models, with any text of the language, for differential tests."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel, Parameter, State

__all__ = ["changing_core", "random_model", "random_models"]

_INPUTS = {"current": 36, "inhibited": 1, "learning": 1, "draw": 16}
_BITS = {"membrane": 23, "fraction": 12, "ticks": 6, "flag": 1}
_MOST = 46
"""Bits of a value; beyond them the text does not multiply or shift to the left."""


def random_model(rng: np.random.Generator) -> NeuronModel:
    """Return a model from a generator of random numbers."""
    return _Author(lambda low, high: int(rng.integers(low, high + 1))).model()


@st.composite
def random_models(draw: st.DrawFn) -> NeuronModel:
    """Strategy for models, which hypothesis can make smaller."""
    return _Author(lambda low, high: draw(st.integers(low, high))).model()


class _Author:
    """Writes a model; ``integer(low, high)`` makes the choices."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer
        self.bits: dict[str, int] = {}
        self.unused: list[str] = []
        self.chances = 1

    def model(self) -> NeuronModel:
        states = [self._v(), State("fired", "flag")]
        states += [self._state(f"s{i}") for i in range(self.integer(0, 3))]
        parameters = [self._parameter(f"p{i}") for i in range(self.integer(0, 4))]
        self.bits = _INPUTS | {item.name: _width(item) for item in (*states, *parameters)}
        self.unused = [parameter.name for parameter in parameters]
        left = [state for state in states if state.name != "v"]
        lines = []
        for number in range(self.integer(0, 4)):
            now = [left.pop(self.integer(0, len(left) - 1))] if left and self._one_of(3) else []
            lines.append(self._line(now, [f"t{number}_{i}" for i in range(self.integer(0, 2))]))
        lines.append(self._line(left, []))
        rest = " + ".join(["v", "(current >> 1)", *self.unused])
        lines.append(f"v = {self._kept(states[0], f'{rest} + {self._value(2)}')}")
        return NeuronModel("random", "\n".join(lines), tuple(states), tuple(parameters))

    def _v(self) -> State:
        if self._one_of(3):
            return State("v", "absolute", low=-self.integer(0, 2000), high=self.integer(1, 2000))
        return State("v")

    def _state(self, name: str) -> State:
        kind = self._pick("membrane", "ticks", "flag", "absolute", "absolute")
        low, high = -self.integer(0, 1 << 12), self.integer(1, 1 << self.integer(1, 30))
        ends = {"low": low, "high": high} if kind == "absolute" else {}
        return State(name, kind, **ends, kept=not self.integer(0, 4) and kind != "flag")

    def _parameter(self, name: str) -> Parameter:
        kind = self._pick("membrane", "fraction", "ticks", "flag", "absolute")
        low = self.integer(-5, 100)
        ends = {"low": low, "high": low + self.integer(0, 900)} if kind == "absolute" else {}
        default = (
            self.integer(*((0, 1) if kind == "flag" else (0, 60))) if self._one_of(3) else None
        )
        if default is not None and ends:
            default = ends["low"]
        return Parameter(name, kind, **ends, default=default)

    def _line(self, states: list[State], temporary: list[str]) -> str:
        """Return a line that assigns these; none of its values reads another that it assigns."""
        targets = [*(state.name for state in states), *temporary]
        known = dict(self.bits)
        parts, found = [], {}
        for state in states:
            self._forget(targets, known, but=state.name)
            wanted = self._condition(2) if state.kind == "flag" else self._value(3)
            parts.append(f"{state.name} = {self._kept(state, wanted)}")
        for name in temporary:
            self._forget(targets, known)
            value = self._value(3)
            parts.append(f"{name} = {value}")
            found[name] = self._last
        self.bits = known | found
        self.unused += temporary
        return self._pick("; ", ";", " ;  ").join(parts)

    def _forget(self, targets: list[str], known: dict[str, int], but: str = "") -> None:
        self.bits = {n: bits for n, bits in known.items() if n == but or n not in targets}

    def _kept(self, state: State, value: str) -> str:
        """Return the value in the state's range."""
        if state.kind == "absolute":
            return f"clamp({value}, {state.low}, {state.high})"
        return {"membrane": f"clamp({value})", "ticks": f"clamp({value}, 0, 63)", "flag": value}[
            state.kind
        ]

    def _value(self, depth: int) -> str:
        """Return an expression; ``self._last`` is how many bits its magnitude may have."""
        text, self._last = self._expression(depth)
        return text

    def _expression(self, depth: int) -> tuple[str, int]:
        """Return an expression and how many bits its magnitude may have."""
        simple = (self._name, self._name, self._number)
        nested = (
            *(self._flag, self._rounded, self._of_one, self._looked_up, self._shifted),
            *(
                self._masked,
                self._chosen,
                self._bounded,
                self._product,
                self._sum,
                self._sum,
                self._sum,
            ),
        )
        if not depth or not self.integer(0, 4):
            return simple[self.integer(0, len(simple) - 1)]()
        return nested[self.integer(0, len(nested) - 1)](depth - 1)

    def _number(self) -> tuple[str, int]:
        return str(self.integer(-20, 70)), 7

    def _flag(self, depth: int) -> tuple[str, int]:
        return self._condition(depth), 1

    def _rounded(self, depth: int) -> tuple[str, int]:
        a, bits = self._expression(depth)
        shift = self.integer(0, 20)
        name = self._pick("nearest", "truncate", "chance")
        if name != "chance":
            return f"{name}({a}, {shift})", bits + 1
        if not self.chances:
            return f"(({a}) >> {shift})", bits
        self.chances -= 1
        return f"chance({a}, {min(shift, 16)})", bits + 1

    def _of_one(self, depth: int) -> tuple[str, int]:
        a, bits = self._expression(depth)
        return f"{self._pick('abs', 'sign', '-')}({a})", bits + 1

    def _looked_up(self, depth: int) -> tuple[str, int]:
        a, _ = self._expression(depth)
        size = self.integer(1, 5)
        values = ", ".join(str(self.integer(-900, 900)) for _ in range(size))
        return f"table(clamp({a}, 0, {size - 1}), ({values},))", 10

    def _shifted(self, depth: int) -> tuple[str, int]:
        a, bits = self._expression(depth)
        shift = self.integer(0, 5) if bits < _MOST else 0
        return f"(({a}) << {shift})", bits + shift

    def _masked(self, depth: int) -> tuple[str, int]:
        a, bits = self._expression(depth)
        if self._one_of(2):
            return f"(abs({a}) & {self.integer(0, 5000)})", 13
        b, _ = self._expression(depth)
        return f"(abs({a}) & most({b}, 0))", bits + 1

    def _chosen(self, depth: int) -> tuple[str, int]:
        (a, bits), (b, others) = self._expression(depth), self._expression(depth)
        return f"where({self._condition(depth)}, {a}, {b})", max(bits, others)

    def _bounded(self, depth: int) -> tuple[str, int]:
        name = self._pick("least", "most", "clamp", "clamp in")
        a, bits = self._expression(depth)
        if name == "clamp":
            return f"clamp({a})", 23
        b, others = self._expression(depth)
        if name == "clamp in":
            return f"clamp({a}, {b}, {self.integer(-9, 99)})", max(bits, others, 7)
        return f"{name}({a}, {b})", max(bits, others)

    def _product(self, depth: int) -> tuple[str, int]:
        (a, bits), (b, others) = self._expression(depth), self._expression(depth)
        if bits + others < _MOST:
            return f"(({a}) * ({b}))", bits + others
        return f"(({a}) + ({b}))", max(bits, others) + 1

    def _sum(self, depth: int) -> tuple[str, int]:
        (a, bits), (b, others) = self._expression(depth), self._expression(depth)
        return f"(({a}) {self._pick('+', '-')} ({b}))", max(bits, others) + 1

    def _condition(self, depth: int) -> str:
        kind = self.integer(0, 3) if depth else 0
        if kind == 0:
            operator = self._pick("<", "<=", ">", ">=", "==", "!=")
            a, b = (self._expression(depth and depth - 1)[0] for _ in range(2))
            return f"(({a}) {operator} ({b}))"
        if kind == 1:
            return f"(not {self._condition(depth - 1)})"
        operator = self._pick("and", "or")
        return f"({self._condition(depth - 1)} {operator} {self._condition(depth - 1)})"

    def _name(self) -> tuple[str, int]:
        name = self._pick(*self.unused, *self.bits)
        if name not in self.bits:  # not to be read in this line
            return "v", self.bits.get("v", 23)
        if name in self.unused:
            self.unused.remove(name)
        return name, self.bits[name]

    def _pick(self, *choices: str) -> str:
        return choices[self.integer(0, len(choices) - 1)]

    def _one_of(self, number: int) -> bool:
        return not self.integer(0, number - 1)


def _width(item: State | Parameter) -> int:
    if item.kind == "absolute":
        assert isinstance(item.low, int)
        assert isinstance(item.high, int)
        return max(abs(item.low), abs(item.high)).bit_length()
    return _BITS[item.kind]


def changing_core(model: NeuronModel, make: Callable[[], CoreParams]) -> CoreParams | None:
    """Return the core, or None if one of its states never changes, which is refused."""
    try:
        return make()
    except SpikeletError as error:
        if not str(error.args[0]).endswith(f"of {model.name!r} never changes"):
            raise
        return None
