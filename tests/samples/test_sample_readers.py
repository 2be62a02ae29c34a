"""Kinds of samples files: the table, and which reader a file gets."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.samples import readers
from spikelet.samples.sample_readers import NEEDED, READERS
from spikelet.samples.samples import load_samples

SPIKES = np.random.default_rng(3).random((4, 5, 6)) < 0.5


def test_every_file_of_the_folder_is_in_the_table() -> None:
    files = {path.stem for path in Path(str(readers.__file__)).parent.glob("*.py")} - {"__init__"}
    assert {type(reader).__module__.rpartition(".")[2] for reader in READERS} == files
    assert all(reader.needed in NEEDED and type(reader).__doc__ for reader in READERS)


def test_a_file_is_known_by_how_it_begins(tmp_path: Path) -> None:
    for name in ("a.npy", "a.bin", "a.npz"):
        with open(tmp_path / name, "wb") as file:
            np.save(file, SPIKES)
        found = load_samples(tmp_path / name)
        assert (found.spikes == SPIKES).all() and found.labels is None


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (SPIKES[0], "spikes must have 3 axes .*, not 2"),
        (np.zeros(3, [("x", "i2"), ("t", "i8")]), "spikes must be numbers, not a table of events"),
        (np.full((1, 2, 3), 2), "spikes must be 0 or 1, found 2"),
    ],
)
def test_a_single_array_is_checked_as_spikes(tmp_path: Path, array: object, message: str) -> None:
    np.save(tmp_path / "a.npy", np.asarray(array))
    with pytest.raises(SpikeletError, match=rf"a\.npy: {message}"):
        load_samples(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", b"x", r"a\.npz is a text file .*, not an \.npz file"),
        ("a.NPY", b"", r"a\.NPY is empty, not an \.npy file"),
        ("a.npy", b"PK\x03\x04", r"a\.npy is an \.npz file that is cut short"),
        ("a.dat", b"\x00\x01", r"a\.dat is of an unknown kind, not a samples file"),
        ("a", b"#!AER-DAT2.0", "a is an AEDAT file of camera events, not a samples file"),
    ],
)
def test_other_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SpikeletError, match=message) as info:
        load_samples(tmp_path / name)
    assert info.value.remedy


def test_folders_and_absent_files(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "x.npy", "does not exist")):
        with pytest.raises(SpikeletError, match=message):
            load_samples(path)
