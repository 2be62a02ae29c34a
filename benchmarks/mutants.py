"""Single faults in Python sources, made by rules on the syntax tree.

A fault replaces the text of one node and leaves the rest of the file as it is. Not touched are
docstrings, type annotations, decorators, ``__all__``, assertions, texts of messages, and calls that
only report progress.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Mutant", "drawn", "mutants_of"]

_OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|"),
}

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
}

_TEXT_KEYWORDS = frozenset({"remedy", "stacklevel", "indent", "name", "doc", "help", "strict"})
"""Keyword arguments that say something to people, or (``strict``) only guard against ourselves."""

_TEXT_CALLS = re.compile(r"(.*(Error|Warning)|file_error|warn|print)$")
"""Calls whose arguments are messages."""

_PROGRESS = frozenset({"print", "progress", "advance", "console", "bar"})
"""Calls, and objects whose calls, only report progress."""

_TEXT_FUNCTIONS = frozenset({"__str__", "__repr__"})


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Parameters
    ----------
    file : str
        Path within the repository.
    line : int
        Where the changed text begins; the first is 1.
    lines : range
        Of the statement that it belongs to, without the statements within.
    rule : str
    before, after : str
        The text replaced, and what replaces it.
    start : int
        Where the text begins, in bytes.
    place : str
        What the fault is drawn by: where it is, whatever the rest of the file may be.
    text : str
        The line, without indentation.
    number : int
        1, or more if the same can be done at several places of the line.
    """

    file: str
    line: int
    lines: range
    rule: str
    before: str
    after: str
    start: int
    place: str
    text: str
    number: int

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.file}:{self.line} {self.rule}: {before} -> {after}"

    def applied(self, source: str) -> str:
        """Return the source with the fault."""
        data = source.encode()
        end = self.start + len(self.before.encode())
        return (data[: self.start] + self.after.encode() + data[end:]).decode()

    def changes(self, source: str) -> bool:
        """Return whether the result is Python, and not the same program."""
        try:
            return ast.dump(ast.parse(self.applied(source))) != ast.dump(ast.parse(source))
        except SyntaxError:
            return False


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Return all faults of a file, in the order in which they are found."""
    finder = _Finder(file, source)
    finder.visit(ast.parse(source))
    return finder.found


def drawn(mutants: Iterable[Mutant], sources: dict[str, str], seed: int) -> Iterator[Mutant]:
    """Yield faults in an order that the seed decides; each keeps its place when others are gone."""
    seen: dict[str, int] = {}

    def key(mutant: Mutant) -> str:
        number = seen[mutant.place] = seen.get(mutant.place, 0) + 1
        return hashlib.sha256(f"{seed} {number} {mutant.place}".encode()).hexdigest()

    for mutant in sorted(mutants, key=key):
        if mutant.changes(sources[mutant.file]):
            yield mutant


class _Finder(ast.NodeVisitor):
    """Collects the faults of one file."""

    def __init__(self, file: str, source: str) -> None:
        self.file = file
        self.data = source.encode()
        self.source_lines = source.splitlines()
        self.line_starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.line_starts.append(self.line_starts[-1] + len(line))
        self.found: list[Mutant] = []
        self.scopes: list[str] = []
        self.returns: list[str] = []
        self.statement: ast.stmt | None = None

    # Places.

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self.line_starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.line_starts[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.expr | ast.stmt) -> str:
        return self.data[self._start(node) : self._end(node)].decode()

    def _add(self, rule: str, start: int, before: str, after: str) -> None:
        statement = self.statement
        assert statement is not None
        line = self.data[:start].count(b"\n") + 1
        first = self._start(statement)
        inner: Sequence[ast.stmt] = getattr(statement, "body", ())
        last = inner[0].lineno - 1 if inner else statement.end_lineno or line
        alike = sum((m.line, m.rule, m.before) == (line, rule, before) for m in self.found)
        head = self.data[first : self._end(statement)].decode().splitlines()[0]
        self.found.append(
            Mutant(
                file=self.file,
                line=line,
                lines=range(statement.lineno, max(last, statement.lineno) + 1),
                rule=rule,
                before=before,
                after=after,
                start=start,
                place=" ".join(
                    [self.file, *self.scopes, head, str(start - first), rule, before, after]
                ),
                text=self.source_lines[line - 1].strip(),
                number=1 + alike,
            )
        )

    def _replace(self, rule: str, node: ast.expr | ast.stmt, after: str) -> None:
        self._add(rule, self._start(node), self._text(node), after)

    def _between(self, rule: str, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """Replace an operator that stands once between two operands."""
        start = self._end(left)
        between = self.data[start : self._start(right)].decode()
        places = list(re.finditer(old, between))
        if len(places) == 1:
            at = start + len(between[: places[0].start()].encode())
            self._add(rule, at, places[0].group(), new)

    # Statements.

    def visit(self, node: ast.AST) -> None:
        """Visit a node, and note the statement that it belongs to."""
        outer = self.statement
        if isinstance(node, ast.stmt):
            self.statement = node
        super().visit(node)
        self.statement = outer

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    @contextmanager
    def _scope(self, name: str, returns: str) -> Iterator[None]:
        self.scopes.append(name)
        self.returns.append(returns)
        yield
        self.scopes.pop()
        self.returns.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Visit defaults and body: not annotations, nor decorators."""
        if node.name in _TEXT_FUNCTIONS:
            return
        self._visit_all((*node.args.defaults, *node.args.kw_defaults))
        with self._scope(node.name, ast.unparse(node.returns) if node.returns else ""):
            self._visit_all(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Visit the body."""
        with self._scope(node.name, ""):
            self._visit_all(node.body)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Drop an assignment to a part of something, which leaves no name undefined."""
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return
        made = self.scopes[-1:] == ["__init__"]  # without it, there would be no such attribute
        if not made and all(isinstance(t, ast.Attribute | ast.Subscript) for t in node.targets):
            self._replace("statement dropped", node, "pass")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Visit the value, not the annotation."""
        self._visit_all([node.value])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Drop it, or one of the statements that are added to a module; or change its operator."""
        self._replace("statement dropped", node, "pass")
        if self._text(node.target).startswith(("m.d.", "m.d[", "m.submodules")):
            if isinstance(node.value, ast.List) and len(node.value.elts) > 1:
                for element in node.value.elts:
                    self._replace("statement dropped", element, "*()")
        else:
            old, new = _OPERATORS[type(node.op)]
            pattern = rf"{re.escape(old)}="
            self._between("operator swapped", node.target, node.value, pattern, f"{new}=")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Drop a call, unless it only reports progress."""
        if isinstance(node.value, ast.Constant):
            return
        if isinstance(node.value, ast.Call):
            names = {n.id for n in ast.walk(node.value.func) if isinstance(n, ast.Name)}
            names.add(getattr(node.value.func, "attr", ""))
            if names & _PROGRESS:
                return
            self._replace("statement dropped", node, "pass")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Drop it; what it says is a message."""
        self._replace("statement dropped", node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        """Drop it."""
        self._replace("statement dropped", node, "pass")

    def visit_Continue(self, node: ast.Continue) -> None:
        """Drop it."""
        self._replace("statement dropped", node, "pass")

    def visit_Assert(self, node: ast.Assert) -> None:
        """Leave it: it speaks to us, or to the type checker."""

    def visit_Return(self, node: ast.Return) -> None:
        """Return the opposite, or nothing; not instead of a text."""
        value = node.value
        if value is None:
            self._replace("statement dropped", node, "pass")
            return
        if self.returns[-1] == "bool":
            if not isinstance(value, ast.Constant):
                self._replace("return value", value, f"not ({self._text(value)})")
        elif not isinstance(value, ast.Constant | ast.JoinedStr) and self.returns[-1] != "str":
            self._replace("return value", value, "None")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        """Negate its condition."""
        if "__name__" not in self._text(node.test) and self._text(node.test) != "TYPE_CHECKING":
            self._negate(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        """Negate its condition."""
        self._negate(node.test)
        self.generic_visit(node)

    # Expressions.

    def _negate(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Constant):
            self._replace("condition negated", test, f"(not ({self._text(test)}))")

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Negate its condition."""
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Negate its conditions."""
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave it: a text."""

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Swap its operator, unless it joins texts."""
        texts = any(
            isinstance(side, ast.JoinedStr)
            or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
            for side in (node.left, node.right)
        )
        if type(node.op) in _OPERATORS and not texts:
            old, new = _OPERATORS[type(node.op)]
            self._between("operator swapped", node.left, node.right, re.escape(old), new)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Swap one of its operators."""
        old, new = (r"\band\b", "or") if isinstance(node.op, ast.And) else (r"\bor\b", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between("and/or swapped", left, right, old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drop it."""
        if not isinstance(node.op, ast.UAdd):
            self._replace("operator dropped", node, f"({self._text(node.operand)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Change each comparison."""
        sides = (node.left, *node.comparators)
        for left, op, right in zip(sides, node.ops, node.comparators, strict=False):
            old, new = _COMPARISONS[type(op)]
            self._between("comparison changed", left, right, old, new)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Add one to a number, invert a truth value."""
        if isinstance(node.value, bool):
            self._replace("truth value inverted", node, str(not node.value))
        elif isinstance(node.value, int | float):
            self._replace("constant off by one", node, repr(node.value + 1))

    def visit_Call(self, node: ast.Call) -> None:
        """Swap what a multiplexer chooses from, negate Amaranth's conditions; leave messages."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if _TEXT_CALLS.match(name):
            return
        if name == "Mux" and len(node.args) == 3:
            first, second = self._start(node.args[1]), self._end(node.args[2])
            before = self.data[first:second].decode()
            after = f"{self._text(node.args[2])}, {self._text(node.args[1])}"
            self._add("choices swapped", first, before, after)
        if name in ("If", "Elif") and len(node.args) == 1:
            test = node.args[0]
            self._replace("condition negated", test, f"({self._text(test)}) == 0")
        self._visit_all((node.func, *node.args))
        self._visit_all(k.value for k in node.keywords if k.arg not in _TEXT_KEYWORDS)
