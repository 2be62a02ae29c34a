"""A kept verification that is damaged, though its record is whole."""

import json
from pathlib import Path

import pytest

from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.runs.verification_files import read_verification


def keep(folder: Path, fields: object) -> None:
    result = json.dumps(fields).encode()
    contents = {"result.json": result, "recording.npz": b"", "samples.npz": b""}
    Artefact("golden run", {"samples": "a1"}).write(folder / "golden", contents)


@pytest.mark.parametrize("fields", [{}, {"structure": "", "float": {"x": 1}}, [], {"float": None}])
def test_what_holds_no_verification_is_refused(tmp_path: Path, fields: object) -> None:
    keep(tmp_path, fields)
    with pytest.raises(SpikeletError, match="does not hold a verification") as caught:
        read_verification(tmp_path, {})
    assert caught.value.remedy == "run spikelet verify again"


def test_what_was_made_of_something_else_is_named_and_not_used(tmp_path: Path) -> None:
    keep(tmp_path, {})
    kept = read_verification(tmp_path, {"samples": "b2"})
    assert (kept.verification, kept.trace, kept.samples, kept.made) == (None, None, None, [])
    (old,) = kept.out_of_date
    assert (old.what, old.reasons) == ("golden run", ("samples was a1, is b2",))


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    kept = read_verification(tmp_path, {})
    assert (kept.verification, kept.out_of_date, kept.made) == (None, [], [])
