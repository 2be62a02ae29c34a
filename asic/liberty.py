"""Liberty files: what a library of standard cells holds, and whether a chip can be made of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.errors import SpikeletError, file_error

__all__ = ["Cell", "Library", "read_library"]

_REMEDY = "give the liberty file of a library of standard cells, whole, as text (.lib)"
_TOKEN = re.compile(
    r"""(?P<skip>\s+|\\\r?\n|/\*.*?\*/|//[^\n]*)
      |(?P<string>"(?:[^"\\]|\\.)*")
      |(?P<mark>[(){}:;,])
      |(?P<word>[^\s(){}:;,"]+)""",
    re.X | re.S,
)


@dataclass(frozen=True)
class Cell:
    """A cell of a library.

    Parameters
    ----------
    name : str
    area : float
        In the library's own unit, commonly square micrometres; 0 if it says none.
    inputs : tuple of str
    functions : tuple of str
        Those of its outputs.
    clock : str
        Clock of its flip-flop, as the library writes it; empty if it holds none.
    set_or_clear : bool
        Whether the flip-flop has an asynchronous one.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    functions: tuple[str, ...]
    clock: str = ""
    set_or_clear: bool = False


@dataclass(frozen=True)
class Library:
    """A library of standard cells.

    Parameters
    ----------
    path : Path
    name : str
    cells : tuple of Cell
    delays : bool
        Whether its cells have tables of delays.
    """

    path: Path
    name: str
    cells: tuple[Cell, ...]
    delays: bool

    def missing(self) -> list[str]:
        """Return what a chip needs and the library does not have."""
        gates = [cell for cell in self.cells if not cell.clock and len(cell.functions) == 1]
        single = {_table(cell) for cell in gates if len(cell.inputs) == 1}
        double = {_table(cell) for cell in gates if len(cell.inputs) == 2}
        lacking = []
        if not any(c.clock and not c.set_or_clear and len(c.inputs) == 2 for c in self.cells):
            lacking.append("a flip-flop of a clock and D alone (group ff)")
        if (1, 0) not in single:
            lacking.append('an inverter (function "!A")')
        if not double & {(1, 1, 1, 0), (1, 0, 0, 0), (0, 0, 0, 1), (0, 1, 1, 1)}:
            lacking.append('a NAND, NOR, AND or OR of two inputs (function "!(A B)")')
        return lacking


def read_library(path: Path) -> Library:
    """Return the library of a liberty file.

    Raises
    ------
    SpikeletError
        If there is no such file, it is cut short or damaged (with the line), it is no library, or
        it lacks cells that every chip needs (with each).
    """
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise file_error(f"liberty file {path} cannot be read", error) from error
    library = _library(path, text)
    if not library.cells:
        raise SpikeletError(f"{path}: library {library.name} has no cells", remedy=_REMEDY)
    lacking = library.missing()
    if lacking:
        raise SpikeletError(
            f"{path}: library {library.name} of {len(library.cells)} cells lacks "
            + "; ".join(lacking),
            remedy="a chip is made of flip-flops, inverters and gates of two inputs: give a "
            "library that has them",
        )
    return library


@dataclass
class _Group:
    kind: str
    name: str
    line: int
    values: dict[str, str]
    groups: "list[_Group]"

    def within(self, *kinds: str) -> "Iterator[_Group]":
        return (group for group in self.groups if group.kind in kinds)


def _library(path: Path, text: str) -> Library:
    top = _parsed(path, text)
    cells = tuple(_cell(path, group) for group in top.within("cell"))
    delays = '"' in text and re.search(r"\bcell_rise\s*\(", text) is not None
    return Library(path, top.name, cells, delays)


def _cell(path: Path, group: _Group) -> Cell:
    pins = [*group.within("pin")]
    for bus in group.within("bus", "bundle"):
        pins += bus.within("pin")
    inputs = tuple(pin.name for pin in pins if pin.values.get("direction") == "input")
    outputs = [pin for pin in pins if pin.values.get("direction") == "output"]
    functions = tuple(pin.values["function"] for pin in outputs if "function" in pin.values)
    area = group.values.get("area", "0")
    try:
        number = float(area)
    except ValueError:
        raise SpikeletError(
            f"{path}:{group.line}: area of cell {group.name} is no number: {area!r}", remedy=_REMEDY
        ) from None
    flip_flop = next(group.within("ff"), None)
    if flip_flop is None:
        return Cell(group.name, number, inputs, functions)
    special = bool(flip_flop.values.keys() & {"clear", "preset"})
    clock = flip_flop.values.get("clocked_on", "")
    return Cell(group.name, number, inputs, functions, clock, special)


def _table(cell: Cell) -> tuple[int, ...]:
    """Return what a gate does, for all values of its inputs, the first of which changes slowest."""
    text = re.sub(r"(\([^()]*\)|\w+)\s*'", r"!\1", cell.functions[0])
    text = re.sub(r"(?<=[\w)])\s+(?=[\w(!])", " & ", text)
    text = text.replace("*", "&").replace("+", "|").replace("!", "~")
    found = []
    for number in range(1 << len(cell.inputs)):
        bits = {name: number >> i & 1 for i, name in enumerate(reversed(cell.inputs))}
        digits = text
        for name, bit in bits.items():
            digits = re.sub(rf"\b{re.escape(name)}\b", str(bit), digits)
        if not re.fullmatch(r"[01\s()&|^~]+", digits):
            return ()
        try:
            found.append(int(eval(digits, {"__builtins__": {}})) & 1)
        except (SyntaxError, TypeError):
            return ()
    return tuple(found)


def _parsed(path: Path, text: str) -> _Group:
    """Return the group ``library``, with all within."""
    tokens = [*_tokens(path, text)]
    if not tokens or tokens[0][0] != "library":
        raise SpikeletError(
            f"{path} is no liberty file: it does not begin with library(NAME) {{", remedy=_REMEDY
        )
    reader = _Reader(path, tokens)
    top = reader.statement(None)
    if top is None:
        raise SpikeletError(f"{path}:{tokens[0][1]}: library is no group", remedy=_REMEDY)
    return top


def _tokens(path: Path, text: str) -> Iterator[tuple[str, int]]:
    """Yield words, strings and marks, each with its line."""
    place, line = 0, 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise SpikeletError(
                f"{path}:{line}: the file is damaged or cut short: a string that begins here does "
                "not end",
                remedy=_REMEDY,
            )
        if found.lastgroup != "skip":
            yield found[0], line
        line += found[0].count("\n")
        place = found.end()


class _Reader:
    """Reads statements from tokens."""

    def __init__(self, path: Path, tokens: list[tuple[str, int]]) -> None:
        self.path, self.tokens, self.place = path, tokens, 0
        self.open: list[_Group] = []

    def statement(self, into: _Group | None) -> _Group | None:
        """Read a statement into a group; return it if it is a group itself."""
        word, line = self._next()
        if word == ";":
            return None
        if word in "(){}:,":
            raise self._damaged(f"{word!r} where a statement begins", line)
        mark, _ = self._next()
        if mark == ":":
            value = self._value()
            if into is not None:
                into.values[word] = value
            return None
        if mark != "(":
            raise self._damaged(f"{word!r} is followed by {mark!r} instead of '(' or ':'", line)
        arguments = []
        while (part := self._next()[0]) != ")":
            if part in "{};":
                raise self._damaged(f"the parenthesis of {word!r} is not closed", line)
            arguments.append(part.strip('"'))
        if self.place == len(self.tokens) or self.tokens[self.place][0] != "{":
            return None
        self.place += 1
        group = _Group(word, " ".join(arguments), line, {}, [])
        self.open.append(group)
        while self._peek() != "}":
            inner = self.statement(group)
            if inner is not None:
                group.groups.append(inner)
        self.place += 1
        self.open.pop()
        return group

    def _value(self) -> str:
        first, line = self._next()
        words = [first.strip('"')]
        while self._peek() not in (";", "}") and self.tokens[self.place][1] == line:
            words.append(self._next()[0])
        if self._peek() == ";":
            self.place += 1
        return " ".join(words)

    def _peek(self) -> str:
        if self.place == len(self.tokens):
            where = ", ".join(f"{g.kind}({g.name}) of line {g.line}" for g in self.open[-2:])
            raise SpikeletError(
                f"{self.path}: the file is cut short: it ends within {where or 'a statement'}",
                remedy=_REMEDY,
            )
        return self.tokens[self.place][0]

    def _next(self) -> tuple[str, int]:
        self._peek()
        self.place += 1
        return self.tokens[self.place - 1]

    def _damaged(self, what: str, line: int) -> SpikeletError:
        return SpikeletError(f"{self.path}:{line}: the file is damaged: {what}", remedy=_REMEDY)
