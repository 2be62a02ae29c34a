"""A neuron model: states, parameters, and a text that says what a tick computes."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import Any, NoReturn

from spikelet.description.errors import SpikeletError
from spikelet.description.expression import Node, Range, RangeError, names, range_of
from spikelet.description.neurons.fields import check_fields
from spikelet.description.neurons.kinds import FRACTION_BITS, KINDS, fraction_one
from spikelet.description.neurons.text import (
    BOUNDS,
    CHANCE,
    DRAWN,
    FUNCTIONS,
    INPUTS,
    Assignment,
    Line,
    TextError,
    parse,
    parse_bound,
)
from spikelet.description.summary import summary

__all__ = ["FRACTION_BITS", "KINDS", "NeuronModel", "Parameter", "State"]

RESERVED = (
    *("weights", "state", "destinations", "arrivals", "tick", "counters", "plastic", "tags"),
    *("pre_traces", "post_traces", "random", "draw_key", "draw_indices", "draws", "spikes"),
    *("devices", "selected"),
    *("outputs", "checksums", "active_axons", "merged_spikes", "x1", "x2", "y1", "y2", "y3"),
)
"""Names that a memory map, a snapshot or a recording has already."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class State:
    """What a neuron keeps from tick to tick.

    Parameters
    ----------
    name : str
    kind : str
        One of :data:`KINDS`.
    low, high : int, str or None
        Range: an integer, or an expression of ``v_min``, ``v_max`` and parameters that a core has
        as constants; None for the kind's own. A state whose range is one value is not built.
    kept : bool
        Whether ``clear`` leaves it as it is; its first values are part of what is loaded.
    optional : bool
        Whether a core that never changes it from 0 is built without it; others are refused.
    description : str
    """

    name: str
    kind: str = "membrane"
    low: int | str | None = None
    high: int | str | None = None
    kept: bool = False
    optional: bool = False
    description: str = ""


@dataclass(frozen=True)
class Parameter:
    """What a neuron is given.

    Parameters
    ----------
    name : str
    kind : str
        One of :data:`KINDS`.
    low, high : int, str or None
        As for :class:`State`.
    default : int or None
        What a core takes that is not told of the parameter: nothing is built for it. None: it must
        be given.
    constant : bool
        Whether it is always built in, such as the bits of a shift.
    description : str
    """

    name: str
    kind: str = "membrane"
    low: int | str | None = None
    high: int | str | None = None
    default: int | None = None
    constant: bool = False
    description: str = ""

    @property
    def one(self) -> int:
        """What a factor of 1 would be among its values, of a fraction."""
        return fraction_one(self.high)


@dataclass(frozen=True)
class NeuronModel:
    """A neuron model.

    Parameters
    ----------
    name : str
    text : str
        Lines of the language of ``docs/neurons.md``. Every state is assigned once.
    states : tuple of State
        Among them the potential ``v`` and ``fired``, a flag or a count: how often a neuron spikes.
    parameters : tuple of Parameter
    version : int
        Raised whenever what a named model computes changes.
    lsb : float or None
        Real value of one potential LSB of a model whose scale is fixed; None where membrane values
        scale with the weights.
    source : str
        Where the model comes from.
    description : str

    Raises
    ------
    SpikeletError
        Naming the place in the text, for anything in it that is not the language, a name that is
        unknown, a value used before its stage, a state that is assigned twice or never, and a value
        that nothing uses.
    """

    __repr__ = summary

    name: str
    text: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...] = ()
    version: int = 1
    lsb: float | None = None
    source: str = ""
    description: str = ""
    lines: tuple[Line, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_declared()
        try:
            object.__setattr__(self, "lines", parse(self.text))
            self._check_text()
        except TextError as error:
            raise SpikeletError(
                f"neuron model {self.name!r}: {error.args[0]}", remedy=error.remedy
            ) from None

    def __hash__(self) -> int:
        return hash((self.name, self.text))  # of texts, which know theirs

    @cached_property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states."""
        return tuple(state.name for state in self.states)

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    def state(self, name: str) -> State:
        """Return a state by its name; SpikeletError lists those that there are."""
        for state in self.states:
            if state.name == name:
                return state
        raise SpikeletError(
            f"neuron model {self.name!r} has no state {name!r}",
            remedy=f"its states are {', '.join(self.state_names)}",
        )

    def reads(self, name: str) -> bool:
        """Return whether the text reads an input, or whatever else is of this name."""
        return any(n.name == name for line in self.lines for a in line for n in names(a.value))

    def parameter(self, name: str) -> Parameter:
        """Return a parameter by its name; SpikeletError lists those that there are."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise SpikeletError(
            f"neuron model {self.name!r} has no parameter {name!r}",
            remedy=f"its parameters are {', '.join(self.parameter_names)}",
        )

    def range_of(
        self, what: State | Parameter, potential_bits: int, constants: Mapping[str, int]
    ) -> Range:
        """Return the range of a state or parameter in a core.

        Parameters
        ----------
        what : State or Parameter
        potential_bits : int
        constants : mapping of str to int
            Parameters that the core has as constants.
        """
        known = {name: (value, value) for name, value in constants.items()}
        known |= dict(zip(BOUNDS, ((v, v) for v in membrane_range(potential_bits)), strict=True))
        ends = []
        for given, usual in zip((what.low, what.high), KINDS[what.kind], strict=True):
            end = usual if given is None else given
            try:
                ends.append(end if isinstance(end, int) else range_of(_bound(end), known)[0])
            except RangeError as error:
                self._refuse(f"the range of {what.name}: {error.args[0]}")
            except KeyError as error:
                self._refuse(
                    f"the range of {what.name} needs {error.args[0]}",
                    f"build the core with an int for {error.args[0]}",
                )
        low, high = ends
        if low > high:
            self._refuse(f"the range of {what.name} is {low}..{high}, which holds nothing")
        return low, high

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON-compatible values, without what is as usual."""
        found: dict[str, Any] = {"name": self.name, "version": self.version}
        for name in ("source", "description", "lsb"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        for name in ("states", "parameters"):
            found[name] = {item.name: _told(item) for item in getattr(self, name)}
        return {**found, "text": self.text}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "NeuronModel":
        """Inverse of :meth:`to_dict`; SpikeletError names a field that is missing, wrong or odd."""
        name = values.get("name")
        if not isinstance(name, str):
            raise SpikeletError(f"neuron model: name must be a text, not {name!r}")
        what = f"neuron model {name!r}"
        check_fields(what, values, cls, required=("name", "text", "states"))
        parts: dict[str, Any] = {}
        for field_name, kind in (("states", State), ("parameters", Parameter)):
            tables = values.get(field_name, {})
            for inner, table in tables.items():
                place = f"{what}: {field_name}.{inner}"
                if not isinstance(table, Mapping):
                    raise SpikeletError(f"{place} must be a table, not {table!r}")
                check_fields(place, table, kind, odd=("name",))
            parts[field_name] = tuple(kind(name=n, **table) for n, table in tables.items())
        return cls(**{**values, **parts})

    def _check_declared(self) -> None:
        given = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.init
            and f.name not in ("states", "parameters")
            and getattr(self, f.name) is not None
        }
        check_fields("neuron model", given, type(self))
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,63}", self.name):
            raise SpikeletError(
                f"neuron model: name must be of a-z, 0-9, '_', '.' and '-', not {self.name!r}"
            )
        if self.lsb is not None and not 0 < self.lsb < math.inf:
            self._refuse(f"lsb must be more than 0, not {self.lsb}")
        seen: set[str] = set()
        groups = (("states", self.states, State), ("parameters", self.parameters, Parameter))
        for what, group, part in groups:
            if not isinstance(group, tuple) or not all(isinstance(item, part) for item in group):
                self._refuse(f"{what} must be a tuple of {part.__name__}")
        taken = {*INPUTS, *FUNCTIONS, *BOUNDS, DRAWN, *RESERVED}
        declared: list[State | Parameter] = [*self.states, *self.parameters]
        for item in declared:
            if not _NAME.fullmatch(item.name) or item.name in taken:
                self._refuse(
                    f"{item.name!r} cannot be the name of a state or parameter",
                    "use a-z, 0-9 and _; taken are " + ", ".join(sorted(taken)),
                )
            if item.name in seen:
                self._refuse(f"the name {item.name!r} is given twice")
            if item.kind not in KINDS:
                self._refuse(
                    f"the kind of {item.name} must be one of {', '.join(KINDS)}, not {item.kind!r}"
                )
            if item.kind == "absolute" and (item.low is None or item.high is None):
                self._refuse(f"{item.name} is absolute: give low and high")
            if item.kind == "flag" and (item.low is not None or item.high is not None):
                self._refuse(f"{item.name} is a flag, 0 or 1: leave low and high out")
            given = {n: value for n, value in vars(item).items() if value is not None}
            check_fields(f"neuron model {self.name!r}: {item.name}", given, type(item))
            self._check_bounds(item)
            seen.add(item.name)
        for name, wanted in (("v", KINDS), ("fired", ("flag", "count"))):
            found = [state for state in self.states if state.name == name and not state.kept]
            if not found or found[0].kind not in wanted:
                what = ", a flag or a count" if name == "fired" else ""
                self._refuse(f"there must be a state {name}{what}")

    def _check_bounds(self, item: State | Parameter) -> None:
        if isinstance(item, State) and item.kept and item.optional:
            self._refuse(f"{item.name} is kept, and cannot be optional", "leave one of them out")
        known = {*BOUNDS, *self.parameter_names}
        for bound in (item.low, item.high):
            try:
                read = [] if not isinstance(bound, str) else list(names(_bound(bound)))
            except RangeError as error:
                self._refuse(f"the range of {item.name}: {error.args[0]}")
            for name in read:
                if name.name not in known:
                    self._refuse(
                        f"the range of {item.name}: unknown name {name.name!r}",
                        f"known are {', '.join(sorted(known))}",
                    )

    def _check_text(self) -> None:
        given = {*INPUTS, DRAWN, *BOUNDS, *self.state_names, *self.parameter_names}
        ready, assigned = set(given), dict[str, Assignment]()
        for line in self.lines:
            here = {assignment.name for assignment in line}
            for assignment in line:
                self._check_target(assignment, given, assigned)
                assigned[assignment.name] = assignment
            for assignment in line:
                self._check_reads(assignment, ready, here)
            ready |= here
        for name in self.state_names:
            if name not in assigned:
                self._refuse(f"state {name} is never assigned", f"add a line {name} = ...")
        used = {name.name for line in self.lines for a in line for name in names(a.value)}
        for name, assignment in assigned.items():
            if name not in {*used, *self.state_names, CHANCE}:
                self._refuse_at(assignment, f"nothing uses {name}", "leave it out")
        declared: list[State | Parameter] = [*self.states, *self.parameters]
        bounds = [bound for item in declared for bound in (item.low, item.high)]
        for bound in bounds:
            used |= (
                {name.name for name in names(_bound(bound))} if isinstance(bound, str) else set()
            )
        for name in self.parameter_names:
            if name not in used:
                self._refuse(f"nothing uses the parameter {name}", "leave it out")
        draws = [n for line in self.lines for a in line for n in names(a.value) if n.name == DRAWN]
        if len(draws) > 1:
            self._refuse("a neuron draws once a tick: chance stands in the text more than once")

    def _check_reads(self, assignment: Assignment, ready: set[str], here: set[str]) -> None:
        later = {a.name for line in self.lines for a in line}
        for name in names(assignment.value):
            if name.name not in ready:
                message = f"unknown name {name.name!r}"
                remedy = f"known are {', '.join(sorted(ready - {DRAWN}))}"
                if name.name in later:
                    message = f"{name.name} is used before its stage"
                    remedy = "a value can be read in the lines below the one that assigns it"
                raise TextError(self.text, assignment.line, name.place, message, remedy)
            if name.name in here and name.name != assignment.name:
                raise TextError(
                    *(self.text, assignment.line, name.place),
                    f"{name.name} is assigned in this same line: is the old or the new one meant?",
                    "move one of the two to a line of its own",
                )

    def _check_target(
        self, assignment: Assignment, given: set[str], assigned: dict[str, Assignment]
    ) -> None:
        name = assignment.name
        if name in assigned:
            self._refuse_at(assignment, f"{name} is assigned a second time")
        if name in given and name not in self.state_names:
            self._refuse_at(assignment, f"{name} is given, and cannot be assigned")
        if name in FUNCTIONS or not _NAME.fullmatch(name):
            self._refuse_at(assignment, f"{name!r} cannot be a name", "use a-z, 0-9 and _")

    def _refuse_at(self, assignment: Assignment, message: str, remedy: str = "") -> NoReturn:
        raise TextError(self.text, assignment.line, assignment.place, message, remedy)

    def _refuse(self, message: str, remedy: str = "") -> NoReturn:
        raise SpikeletError(f"neuron model {self.name!r}: {message}", remedy=remedy)


def membrane_range(potential_bits: int) -> Range:
    """Return ``v_min`` and ``v_max``."""
    return -(1 << (potential_bits - 1)), (1 << (potential_bits - 1)) - 1


@cache
def _bound(text: str) -> Node:
    try:
        return parse_bound(text)
    except TextError as error:
        raise RangeError(error.args[0], 0) from None


def _told(item: State | Parameter) -> dict[str, Any]:
    usual = type(item)(item.name)
    values = {f.name: getattr(item, f.name) for f in fields(item) if f.name != "name"}
    return {"kind": item.kind} | {n: v for n, v in values.items() if v != getattr(usual, n)}
