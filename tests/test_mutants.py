"""The faults of the mutation check: what each rule makes, and what is left alone."""

from pathlib import Path

import pytest

from benchmarks.mutants import drawn, mutants_of
from benchmarks.mutation import GROUPS, equivalents
from benchmarks.mutation_copy import ROOT

NAME = "module.py"


def faults(source: str) -> list[str]:
    """Return each fault as the whole changed source."""
    return [mutant.applied(source) for mutant in mutants_of(NAME, source)]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x = a + b", {"x = a - b"}),
        ("x = (a) << (b)", {"x = (a) >> (b)"}),
        ("x = a <= b < c", {"x = a < b < c", "x = a <= b <= c"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a and b or c", {"x = a or b or c", "x = a and b and c"}),
        ("x = not a", {"x = (a)"}),
        ("x = 7, True", {"x = 8, True", "x = 7, False"}),
        ("x = a if b else c", {"x = a if (not (b)) else c"}),
        ("x = [a for a in b if a]", {"x = [a for a in b if (not (a))]"}),
        ("while a:\n    b()", {"while (not (a)):\n    b()", "while a:\n    pass"}),
        ("x += y", {"x -= y", "pass"}),
        ("a.b = c", {"pass"}),
        ("def f() -> bool:\n    return a", {"def f() -> bool:\n    return not (a)"}),
        ("def f() -> int:\n    return a", {"def f() -> int:\n    return None"}),
        ("m.d.comb += [a.eq(b), c.eq(d)]", {"pass", "m.d.comb += [*(), c.eq(d)]"}),
        ("with m.If(a):\n    pass", {"with m.If((a) == 0):\n    pass"}),
        ("x = Mux(a, b, c)", {"x = Mux(a, c, b)"}),
        ("if a:\n    raise E(f'{1 + 2} is not {3}')", {"if a:\n    pass"}),
        ("x = '\N{GREEK SMALL LETTER ALPHA}', 1", {"x = '\N{GREEK SMALL LETTER ALPHA}', 2"}),
    ],
)
def test_each_rule_changes_one_place(source: str, changed: set[str]) -> None:
    found = faults(source)
    assert changed <= set(found)
    assert len(set(found)) == len(found) <= len(changed) + 1  # the other of two list elements


@pytest.mark.parametrize(
    "source",
    [
        '"""A text."""\n',
        "__all__ = ['a', 'b'][0:1]",
        "def f(x: Literal[1]) -> Literal[2]: ...",
        "@dataclass(frozen=True)\nclass A:\n    x: Annotated[int, 3]",
        "assert x == 1",
        "x = f'{1 + 2}'",
        "console.print(1)",
        "if __name__ == '__main__':\n    sys.exit(1)",
        "x = file_error(f'{path}', 1)",
        "x = f(remedy=1 + 2)",
        "def __str__(self):\n    return self.a + 1",
    ],
)
def test_texts_and_what_only_people_read_are_left_alone(source: str) -> None:
    assert faults(source) == []


def test_the_seed_alone_decides_the_order_and_other_code_does_not_change_it() -> None:
    source = "def f(a):\n    return a + 1\n\n\ndef g(a):\n    return a - 2\n"
    more = f"import os\n\n\ndef e(a):\n    return a * 3\n\n\n{source}"

    def order(text: str, seed: int) -> list[str]:
        chosen = drawn(mutants_of(NAME, text), {NAME: text}, seed)
        return [mutant.place for mutant in chosen if " e " not in mutant.place]

    assert order(source, 1) == order(more, 1) == order(source, 1)
    assert order(source, 1) != order(source, 2)
    assert sorted(order(source, 1)) == sorted(order(source, 2))


def test_lines_are_those_of_the_statement_itself() -> None:
    source = "x = 0\nif (\n    a\n):\n    b = (\n        1)\n"
    lines = {mutant.before: mutant.lines for mutant in mutants_of(NAME, source)}
    assert lines == {"0": range(1, 2), "a": range(2, 5), "1": range(5, 7)}


def test_the_groups_name_files_that_exist() -> None:
    for group in GROUPS.values():
        for name in (*group.files, *group.tests):
            assert (ROOT / name).is_file(), name
        assert all(Path(name).name.startswith("test_") for name in group.tests)


def test_every_fault_listed_as_equivalent_can_be_made_and_has_a_reason() -> None:
    listed = equivalents()
    for entry in listed:
        made = mutants_of(entry.file, (ROOT / entry.file).read_text())
        assert any(entry.is_of(mutant) for mutant in made), entry
        assert len(entry.reason) > 20
