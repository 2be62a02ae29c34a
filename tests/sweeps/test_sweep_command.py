"""``spikelet sweep``: axes as text, what is printed, and what is refused."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.commands.sweep import _values
from spikelet.sweeps import sweep as sweeps
from tests.sweeps.helpers import Here

DIGITS = Path("examples/digits").resolve()
SAMPLES = f"{DIGITS / 'digits_test.npz'}:test_"
NEURON = ("--neuron", "snntorch-subtract")


def invoke(*arguments: object) -> tuple[int, str]:
    given = ("sweep", DIGITS / "digits.nir", SAMPLES, *NEURON, "--count", 10, *arguments)
    result = CliRunner().invoke(main, [str(a) for a in given], catch_exceptions=False)
    return result.exit_code, result.output


def test_what_is_printed_and_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "Processes", Here)
    axes = ("--axis", "lanes=3,16", "--axis", "ticks=4..8..4", "-o", tmp_path)
    code, output = invoke(*axes)
    assert code == 0, output
    assert "lanes=3 ticks=4: no chip: limits: lanes must be a power of two" in output
    assert "4 configurations, 0 of them measured before; 2 make no chip, 0 failed" in output
    code, output = invoke(*axes, "--json")
    fields = json.loads(output)
    assert code == 0 and fields["resumed"] == 4 and len(fields["table"]) == 4
    assert {row["lanes"] for row in fields["front"]} == {16}
    assert Path(fields["picture"]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ("lanes", "is no axis with values"),
        ("lanes=", "is no axis with values"),
        ("lanes=4..2", "4..2 is no range"),
        ("lanes=1..9..0", "is no range"),
        ("lanes=1,,2", "a value is empty"),
        ("lanes=a..b", "invalid literal"),
        ("nothing=1", "there is no axis 'nothing'"),
    ],
)
def test_axes_that_are_none(axis: str, words: str, tmp_path: Path) -> None:
    code, output = invoke("--axis", axis, "-o", tmp_path)
    assert code == 1 and words in output and "remedy" in output
    twice = ("--axis", "lanes=1", "--axis", "lanes=2")
    assert "given twice" in invoke(*twice, "-o", tmp_path)[1]


def test_values_have_the_types_that_they_look_like() -> None:
    words = ("2..4", "1..5..2", "true", "0.5", "spram", "7")
    assert [_values(word) for word in words] == [
        *([2, 3, 4], [1, 3, 5], [True], [0.5], ["spram"], [7])
    ]
