"""Artefacts: whole or not at all, and never taken for what they are not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.artefact import RECORD, Artefact, digest_of, digests_of_files
from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile

MADE = Artefact(
    "run of rtl",
    {"samples": "a" * 64, "chip": "b" * 64},
    options={"ticks": 3, "shape": (1, 2)},
    tools={"yosys": "1"},
    command="spikelet verify p s.npz",
)
FILES = {"a.txt": b"one", "b.txt": b"two"}


def read(folder: Path, *names: str) -> dict[str, bytes]:
    return Artefact.read(folder, names or FILES, kind="run of rtl", remedy="again")[1]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = MADE.write(tmp_path / "deep" / "folder", FILES)
    assert read(tmp_path / "deep" / "folder") == FILES
    assert Artefact.load(tmp_path / "deep" / "folder") == made
    assert made.intact(tmp_path / "deep" / "folder") and made.same_making(MADE)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "a.txt").write_bytes(b"other"), "a.txt is not the file that artefact.json"),
        (lambda f: (f / "a.txt").unlink(), "a.txt cannot be read .*: not complete"),
        (lambda f: (f / RECORD).unlink(), "artefact.json cannot be read"),
        (lambda f: (f / RECORD).write_text("[1]"), "artefact.json is not a record"),
        (lambda f: (f / RECORD).write_text('{"kind": 1}'), "artefact.json is not a record"),
        (lambda f: (f / RECORD).write_text("[" * 100_000), "artefact.json is not a record"),
    ],
)
def test_damage_is_noticed(damage, message, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    made = MADE.write(tmp_path, FILES)
    damage(tmp_path)
    with pytest.raises(SpikeletError, match=f"(?s){message}.*remedy: again"):
        read(tmp_path)
    if not (tmp_path / "a.txt").exists() or (tmp_path / "a.txt").read_bytes() != b"one":
        assert not made.intact(tmp_path)


def test_another_kind_or_version_is_refused(tmp_path: Path) -> None:
    MADE.write(tmp_path, FILES)
    with pytest.raises(SpikeletError, match="kind must be 'run of golden', not 'run of rtl'"):
        Artefact.read(tmp_path, FILES, kind="run of golden", remedy="")
    with pytest.raises(SpikeletError, match="version must be 2, not 1"):
        Artefact.read(tmp_path, FILES, kind="run of rtl", version=2, remedy="")


def test_a_writer_removes_only_what_the_last_one_wrote(tmp_path: Path) -> None:
    MADE.write(tmp_path, FILES)
    (tmp_path / "mine.txt").write_text("of the user")
    MADE.write(tmp_path, {"b.txt": b"new"})
    assert {path.name for path in tmp_path.iterdir()} == {"b.txt", "mine.txt", RECORD}
    Artefact.remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_record_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    made = MADE.write(tmp_path / "in", FILES)
    fields = json.loads((tmp_path / "in" / RECORD).read_text())
    fields["files"]["../precious"] = "0"
    (tmp_path / "in" / RECORD).write_text(json.dumps(fields))
    made.write(tmp_path / "in", {})
    Artefact.remove(tmp_path / "in")
    assert (tmp_path / "precious").exists()


def test_without_room_nothing_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MADE.write(tmp_path, FILES)
    enter = AtomicFile.__enter__

    def full(self):  # type: ignore[no-untyped-def]
        if self.path.name == "b.txt":
            raise OSError(28, "No space left on device")
        return enter(self)

    monkeypatch.setattr(AtomicFile, "__enter__", full)
    with pytest.raises(SpikeletError, match="cannot be written.*No space left"):
        MADE.write(tmp_path, {"a.txt": b"new", "b.txt": b"new"})
    monkeypatch.undo()
    assert read(tmp_path) == FILES
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, RECORD}


def test_a_reader_waits_for_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two replaced files, the folder is neither the old nor the new one."""
    from spikelet.description import artefact

    MADE.write(tmp_path, FILES)
    (tmp_path / "a.txt").write_bytes(b"new")  # as a writer leaves it for a moment
    (tmp_path / ".artefact.json.x.partial").write_text("")
    waits = []

    def go_on(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            MADE.write(tmp_path, {"a.txt": b"new", "b.txt": b"two"})

    monkeypatch.setattr(artefact.time, "sleep", go_on)
    assert read(tmp_path)["a.txt"] == b"new"
    assert len(waits) == 2


def test_what_differs_is_named_with_the_command_that_renews_it() -> None:
    assert MADE.out_of_date({"samples": "a" * 64, "other": "c"}, {"nextpnr": "9"}) is None
    old = MADE.out_of_date({"samples": "c" * 64, "chip": "b" * 64}, {"yosys": "2"})
    assert old is not None
    assert old.reasons == (f"samples was {'a' * 12}, is {'c' * 12}", "yosys was 1, is 2")
    assert str(old).startswith("run of rtl is out of date (samples was aaaa")
    assert str(old).endswith("; renew it: spikelet verify p s.npz")


def test_a_changed_source_file_is_noticed_and_a_missing_one_is_not(tmp_path: Path) -> None:
    source = tmp_path / "s.npz"
    source.write_bytes(b"1")
    inputs, sources = digests_of_files({"samples file": source, "network file": None})
    assert inputs.keys() == sources.keys() == {"samples file"}
    made = replace(MADE, inputs=inputs, sources=sources)
    assert made.out_of_date({}) is None
    source.write_bytes(b"2")
    old = made.out_of_date({})
    assert old is not None and "samples file was" in old.reasons[0]
    source.unlink()
    assert made.out_of_date({}) is None
    with pytest.raises(SpikeletError, match=r"s\.npz cannot be read"):
        digests_of_files({"samples file": source})


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"samples": "c" * 64, "chip": "b" * 64}},
        {"options": {"ticks": 4}},
        {"tools": {"yosys": "2"}},
        {"version": 2},
        {"kind": "run of golden"},
    ],
)
def test_another_making_is_another(change: dict[str, object]) -> None:
    assert not MADE.same_making(replace(MADE, **change))  # type: ignore[arg-type]
    assert MADE.same_making(replace(MADE, command="other", files={"x": "y"}))


def test_seal_covers_what_a_tool_left(tmp_path: Path) -> None:
    (tmp_path / "netlist.v").write_text("module")
    (tmp_path / ".lock").write_text("")
    made = MADE.seal(tmp_path)
    assert made.files.keys() == {"netlist.v"}
    assert Artefact.load(tmp_path) == made and made.intact(tmp_path)


def test_digests_tell_arrays_apart() -> None:
    """By value, type, shape and border, but not by order in memory or byte order."""
    base = np.arange(6, dtype=np.int32).reshape(2, 3)
    same = [np.asfortranarray(base), base.astype(">i4")]
    assert {digest_of(a) for a in same} == {digest_of(base)}
    other = [base.T, base.reshape(6), base.astype(np.int64), base + 1]
    assert len({digest_of(a) for a in [base, *other]}) == 5
    assert digest_of("ab", "c") != digest_of("a", "bc") != digest_of("a", None, "bc")
