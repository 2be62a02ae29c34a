"""Liberty files, whole, damaged and short of cells."""

from pathlib import Path

import pytest

from spikelet.asic.liberty import read_library
from spikelet.description.errors import SpikeletError
from tests.asic.library import GATES, library_text, write_library


def test_a_library_is_read(tmp_path: Path) -> None:
    library = read_library(write_library(tmp_path))
    assert library.name == "small" and library.delays
    assert {cell.name: cell.area for cell in library.cells} == {
        **{name: area for name, (area, _, _) in GATES.items()},
        "DFF": 8.0,
    }
    flip_flop = library.cells[-1]
    assert (flip_flop.clock, flip_flop.inputs, flip_flop.set_or_clear) == ("CK", ("CK", "D"), False)


def failing(tmp_path: Path, text: str) -> str:
    """Return what is said of a liberty file, without its path."""
    path = tmp_path / "bad.lib"
    path.write_text(text)
    with pytest.raises(SpikeletError) as error:
        read_library(path)
    return str(error.value).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("gates", "flip_flop", "lacking"),
    [
        (("INV", "NAND"), False, ["a flip-flop of a clock and D alone (group ff)"]),
        (("NAND", "BUF"), True, ['an inverter (function "!A")']),
        (("INV", "AOI"), True, ['a NAND, NOR, AND or OR of two inputs (function "!(A B)")']),
        (("BUF",), False, ["a flip-flop", "an inverter", "a NAND, NOR, AND or OR"]),
    ],
)
def test_missing_cells_are_named(
    tmp_path: Path, gates: tuple[str, ...], flip_flop: bool, lacking: list[str]
) -> None:
    found = failing(tmp_path, library_text(gates, flip_flop=flip_flop))
    cells = len(gates) + flip_flop
    assert found.startswith(f"FILE: library small of {cells} cells lacks ")
    assert all(what in found for what in lacking) and found.count("; ") == len(lacking) - 1
    assert "remedy" in found


def test_only_what_is_missing_is_named(tmp_path: Path) -> None:
    for pair in (("INV", "NAND"), ("INV", "NOR")):
        path = tmp_path / "few.lib"
        path.write_text(library_text(pair))
        assert len(read_library(path).cells) == 3


def test_a_flip_flop_with_a_clear_alone_is_none(tmp_path: Path) -> None:
    text = library_text().replace('clocked_on : "CK";', 'clocked_on : "CK"; clear : "!R";')
    assert "lacks a flip-flop" in failing(tmp_path, text)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused_with_its_place(tmp_path: Path, share: float) -> None:
    text = library_text()
    found = failing(tmp_path, text[: int(len(text) * share)])
    assert "cut short" in found and "remedy: give the liberty file" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE is no liberty file: it does not begin with library(NAME) {"),
        ("module INV(A, Y); endmodule", "FILE is no liberty file"),
        ("library : small;", "FILE:1: library is no group"),
        ("library (small) { }", "FILE: library small has no cells"),
        (
            library_text().replace("pin (A) {", "pin (A {", 1),
            "FILE:16: the file is damaged: the parenthesis of 'pin' is not closed",
        ),
        (
            library_text().replace("area : 2.0;", "area : two;", 1),
            "FILE:14: area of cell INV is no",
        ),
        (library_text().replace("cell (NAND)", "cell NAND", 1), "the file is damaged: 'cell' is"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert message in failing(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SpikeletError, match=r"^liberty file .*no\.lib cannot be read: No such file"
    ):
        read_library(tmp_path / "no.lib")
