"""The language of neuron models: every kind of fault is named, at its place in the text."""

from typing import Any

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel, Parameter, State
from spikelet.description.neurons.text import DEEPEST, LONGEST

STATES = (State("v"), State("fired", "flag"))
PARAMETERS = (Parameter("threshold", low=0),)
REST = "fired = clipped > threshold; v = where(clipped > threshold, 0, clipped)"


def model(text: str, *states: State, parameters: tuple[Parameter, ...] = ()) -> NeuronModel:
    return NeuronModel("mine", text, (*STATES, *states), (*PARAMETERS, *parameters))


def with_line(line: str) -> str:
    """Return a text whose second line is this one; it makes ``clipped``."""
    return f"summed = v + current\n{line}\n{REST}"


def test_a_good_text_is_taken() -> None:
    good = model(with_line("clipped = clamp(summed)  # a comment"))
    assert [[a.name for a in line] for line in good.lines] == [
        ["summed"],
        ["clipped"],
        ["fired", "v"],
    ]
    spaced = model("\n# none\n" + with_line("   clipped =clamp( summed ) ;") + "\n\n")
    assert [len(line) for line in spaced.lines] == [1, 1, 2]


FAULTS = [
    # line, what the mark is below, message
    ("clipped = clamp(summed", "(", "this is not an expression: '(' was never closed"),
    ("clipped = clamp(summed) +", "", "this is not an expression: invalid syntax"),
    ("clipped = clamp(summed)\0", "", "this is not an expression"),
    ("if v: clipped = clamp(summed)", "if", "a line holds assignments, name = expression, parted"),
    ("clipped = other = clamp(summed)", "clipped", "a line holds assignments"),
    ("clipped += clamp(summed)", "clipped", "a line holds assignments"),
    ("clipped: int = clamp(summed)", "clipped", "a line holds assignments"),
    ("clamp(summed)", "clamp", "a line holds assignments"),
    ("import os", "import", "a line holds assignments"),
    ("clipped, other = clamp(summed), 1", "clipped", "only a name can be assigned to"),
    ("clipped[0] = clamp(summed)", "clipped", "only a name can be assigned to"),
    ("clipped = clamp(summed.real)", "summed.real", "this is no part of the language"),
    ("clipped = clamp([summed])", "[", "this is no part of the language"),
    ("clipped = clamp(summed if v else 1)", "summed", "this is no part of the language"),
    ("clipped = clamp((lambda: 1)())", "(lambda", "there is no function ''"),
    ("clipped = clamp(lambda: 1)", "lambda", "this is no part of the language"),
    ("clipped = clamp((summed, 1))", "(summed", "this is no part of the language"),
    ("clipped = clamp(f'{summed}')", "f'", "this is no part of the language"),
    ("clipped = clamp(a := summed)", "a :=", "this is no part of the language"),
    ("clipped = clamp(1.5)", "1.5", "numbers are integers, not 1.5"),
    ("clipped = clamp(True)", "True", "numbers are integers, not True"),
    ("clipped = clamp('summed')", "'summed'", "numbers are integers, not 'summed'"),
    ("clipped = least(clamp(summed), 1 << 3)", None, None),
    (f"clipped = least(clamp(summed), {1 << 61})", "2305", "the number needs more than 62 bits"),
    ("clipped = clamp(+summed)", "+", "of the operators with one side there are - and not"),
    ("clipped = clamp(~summed)", "~", "of the operators with one side there are - and not"),
    ("clipped = clamp(summed / 2)", "summed", "of the operators with two sides there are + - * & "),
    ("clipped = clamp(summed ** 2)", "summed", "of the operators with two sides there are"),
    ("clipped = clamp(summed | 1)", "summed", "of the operators with two sides there are"),
    ("clipped = clamp(0 < summed < 9)", "0 <", "compare two values by one of < <= > >= == !="),
    ("clipped = clamp(summed is v)", "summed", "compare two values by one of"),
    ("clipped = clamp(summed in v)", "summed", "compare two values by one of"),
    ("clipped = clip(summed)", "clip(", "there is no function 'clip'"),
    ("clipped = summed.clamp()", "summed.", "there is no function ''"),
    ("clipped = clamp(summed, 1)", "clamp", "clamp is called as clamp(x): x kept"),
    ("clipped = clamp(x=summed)", "clamp", "clamp is called as clamp(x)"),
    ("clipped = clamp(least(summed))", "least", "least is called as least(a, b): the smaller"),
    ("clipped = clamp(least(*summed, 1))", "*summed", "this is no part of the language"),
    ("clipped = clamp(table(summed, 3))", "table", "table is called as table(i, (a, b, ...))"),
    ("clipped = clamp(table(summed, ()))", "table", "table is called as"),
    ("clipped = clamp(table(0, (1, v)))", "v)", "a table holds integers"),
    ("clipped = clamp(sumed)", "sumed", "unknown name 'sumed'"),
    ("clipped = clamp(draw_lower)", "draw_lower", "unknown name 'draw_lower'"),
    ("clipped = clamp(summed); x = clipped", "clipped", "clipped is used before its stage"),
    ("clipped = clamp(later)", "later", "unknown name 'later'"),
    ("clipped = clamp(summed); summed = 1", "summed = 1", "summed is assigned a second time"),
    ("clipped = clamp(summed); current = 1", "current", "current is given, and cannot be assigned"),
    ("clipped = clamp(summed); threshold = 1", "threshold", "threshold is given, and cannot be"),
    ("clipped = clamp(summed); v_max = 1", "v_max", "v_max is given, and cannot be assigned"),
    ("clipped = clamp(summed); clamp = 1", "clamp =", "'clamp' cannot be a name"),
    ("clipped = clamp(summed); X = 1", "X", "'X' cannot be a name"),
    ("clipped = clamp(summed); other = 1", "other", "nothing uses other"),
    ("clipped = clamp(summed - v); v = 1", "v)", "v is assigned in this same line: is the old or"),
    ("clipped = clamp(v) + summed; v = 1", "v)", "v is assigned in this same line"),
    ("clipped = clamp(" + "-" * DEEPEST + "summed)", "-summed", f"more than {DEEPEST} operations"),
    ("clipped = clamp(" + "v + " * DEEPEST + "summed)", "v +", f"more than {DEEPEST} operations"),
    ("clipped = clamp(" + "v or " * DEEPEST + "v)", "v or", f"more than {DEEPEST} conditions"),
]


@pytest.mark.parametrize(("line", "below", "message"), FAULTS)
def test_a_fault_points_into_the_text(line: str, below: str | None, message: str | None) -> None:
    if message is None:
        model(with_line(line))
        return
    with pytest.raises(SpikeletError) as caught:
        model(with_line(line))
    said, shown, mark = caught.value.args[0].split("\n")
    assert said.startswith("neuron model 'mine': line 2, column ") and message in said
    assert shown.strip() == line
    place = int(said.split("column ")[1].split(":")[0]) - 1
    assert mark == " " * (4 + place) + "^"
    if below:
        assert line[place:].startswith(below), f"the mark is below {line[place:]!r}"


@pytest.mark.parametrize("fault", ["v = (" * 300, "v = " + "-" * 5000 + "1", "v = \N{SNOWMAN}"])
def test_a_text_that_python_itself_gives_up(fault: str) -> None:
    with pytest.raises(SpikeletError, match=r"^neuron model 'mine': line 1, column "):
        model(fault)


def test_a_text_that_is_too_long() -> None:
    with pytest.raises(SpikeletError, match=f"the text has .* characters, more than {LONGEST:,}$"):
        model("# " + "x" * LONGEST)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v = clamp(v + current)", "state fired is never assigned\n  remedy: add a line fired ="),
        ("fired = v > threshold", "state v is never assigned"),
        ("v = clamp(current); fired = v > 3", "v is assigned in this same line"),
        ("v = clamp(current)\nfired = v > 3", "nothing uses the parameter threshold"),
        (
            "v = clamp(chance(current, 2) + threshold)\nfired = chance(v, 3) > 1",
            "a neuron draws once a tick: chance stands in the text more than once",
        ),
    ],
)
def test_a_whole_text_is_checked(text: str, message: str) -> None:
    with pytest.raises(SpikeletError) as caught:
        model(text)
    assert message in str(caught.value) + f"\n  remedy: {caught.value.remedy}"


CORE_FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("clipped = summed", {}, "v = where", "v can become -32896..32879, its range is -32768..32767"),
    (
        "clipped = clamp(v*v*v*v*v + summed)",
        {},
        "v + s",
        "* of -1152886320234758144..1152921504606846976 and -32768..32767 can be",
    ),
    (
        "clipped = clamp(summed << threshold)",
        {},
        "threshold",
        "<< is by a constant in 0..62, not b",
    ),
    ("clipped = clamp(summed >> 63)", {}, "63", ">> is by a constant in 0..62, not by 63"),
    ("clipped = clamp(summed << -1)", {}, "-1", "<< is by a constant in 0..62, not by -1"),
    ("clipped = clamp(nearest(summed, v))", {}, "nearest", "nearest is by a constant in 0..62, no"),
    (
        "clipped = clamp(chance(summed, 17))",
        {},
        "chance",
        "chance is by a constant in 0..16, not b",
    ),
    ("clipped = clamp(summed & 1)", {}, "1", "& is of values that are 0 or more, not of -"),
    ("clipped = clamp(where(v, 1, summed))", {}, "where", "where needs a condition, 0 or 1, not a"),
    ("clipped = clamp(not summed)", {}, "not", "not needs a condition, 0 or 1, not a value of -"),
    ("clipped = clamp(summed + (v and fired))", {}, "v and", "and needs a condition, 0 or 1"),
    (
        "clipped = clamp(table(v, (1, 2)) + summed)",
        {},
        "table",
        "the index of a table of 2 values must be in 0..1, and can be -32768..32767",
    ),
]


@pytest.mark.parametrize(("line", "fields", "below", "message"), CORE_FAULTS)
def test_what_a_core_cannot_compute_points_into_the_text(
    line: str, fields: dict[str, Any], below: str, message: str
) -> None:
    with pytest.raises(SpikeletError) as caught:
        CoreParams(16, 16, model(with_line(line)), **fields)
    said, shown, mark = caught.value.args[0].split("\n")
    assert said.startswith("neuron model 'mine': line ") and message in said
    assert shown[mark.index("^") :].startswith(below), f"the mark is below {shown}"
