"""Array files of any kind, from anybody: read, or refused by name, and never unpickled."""

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from spikelet.description import array_files
from spikelet.description.array_files import read_array, read_arrays
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording

NEEDED = "an .npz file with `spikes`"


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(path: Path, **members: bytes) -> Path:
    """Write a zip archive of members as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def header(text: str, version: int = 1) -> bytes:
    data = text.encode("latin1") + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(data))
    return b"\x93NUMPY" + bytes([version, 0]) + size + data


def declared(shape: object, descr: str = "|u1", order: bool = False) -> bytes:
    return header(f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}")


KINDS = {
    "n.nir": (b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file"),
    "l.pkl": (pickle.dumps([1, 2]), "is a Python pickle"),
    "e.csv": (b"t,x,y,p\n0,1,2,1\n", "is a text file"),
    "e.aedat": (b"#!AER-DAT2.0\r\n# raw\r\n\0\0\0\1", "is an AEDAT file of camera events"),
    "e.raw": (b"% evt 3.0\n% end\n\0\x80", "is a raw file of camera events"),
    "n.bin": (bytes(range(256)) * 4, "is of an unknown kind"),
    "empty.npz": (b"", "is empty"),
    "one.npy": (npy(np.zeros(3)), r"is a single numpy array \(\.npy\)"),
    "m.mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "is a MATLAB file"),
    "g.gz": (b"\x1f\x8b\x08\0", "is a gzip-compressed file"),
}


@pytest.mark.parametrize("name", KINDS)
def test_files_of_another_kind_are_named(tmp_path: Path, name: str) -> None:
    content, kind = KINDS[name]
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, kind)


def refused(path: Path, message: str) -> str:
    with pytest.raises(SpikeletError, match=message) as caught:
        read_arrays(path, NEEDED)
    text = str(caught.value)
    assert path.name in text and "pickle=" not in text and caught.value.remedy
    return text


def test_archives_of_other_things(tmp_path: Path) -> None:
    for names, kind in ((["t/data.pkl", "t/version"], "a PyTorch file"), (["a.txt"], "'a.txt'")):
        with zipfile.ZipFile(tmp_path / "t.pt", "w") as archive:
            for name in names:
                archive.writestr(name, b"\x80\x02}q\0.")
        refused(tmp_path / "t.pt", kind)
    with zipfile.ZipFile(tmp_path / "none.npz", "w"):
        pass
    assert read_arrays(tmp_path / "none.npz", NEEDED) == {}


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder, not a file")
    refused(tmp_path / "absent.npz", "does not exist")
    refused(tmp_path / ("x" * 300), "cannot be read: File name too long")
    with pytest.raises(SpikeletError, match="cannot be read: embedded null byte"):
        read_arrays("a\0b", NEEDED)


@pytest.mark.parametrize("keep", [5, 40, 200, 0.5, 0.9])
def test_a_cut_file(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "cut.npz"
    np.savez(path, spikes=np.random.default_rng(0).integers(0, 2, (5, 9, 7)))
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    refused(path, "cut short or damaged")


def test_python_objects_are_not_unpickled(tmp_path: Path) -> None:
    """Ragged lists, and a pickle that would do something."""
    ragged = np.empty(2, object)
    ragged[:] = [[1], [1, 2]]
    np.savez(tmp_path / "ragged.npz", spikes=ragged)
    text = refused(tmp_path / "ragged.npz", "array 'spikes' holds Python objects")
    assert "one array of numbers" in text and "pickle" not in text


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (declared((38 << 30,)) + b"few", r"declares shape .* 38\.0 GiB, and the file holds 3 byt"),
        (declared((10**12, 10**12)), "over 2\\^70 bytes"),
        (declared((1 << 62, 4), "<f8"), "over 2|declares"),
        (declared((-1, 5)) + b"12345", "declares shape"),
        (declared("(" * 900 + ")" * 900), "header of array 'a' is damaged"),
        (declared((2,), "|O") + b"xx", "Python objects"),
        (declared((2,), "|a1") + b"xx", "header of array 'a' is damaged"),
        (header("{'descr': '|u1'}"), "header of array 'a' is damaged"),
        (header("__import__('os').system('true')"), "header of array 'a' is damaged"),
        (b"\x93NUMPY\x09\0\x02\0{}", "header of array 'a' is damaged"),
        (b"", "header of array 'a' is damaged"),
        (b"no array at all", "header of array 'a' is damaged"),
        (header(" " * 20000, version=2), "header of array 'a' is damaged"),
    ],
)
def test_headers_that_lie(tmp_path: Path, member: bytes, message: str) -> None:
    refused(npz(tmp_path / "lie.npz", a=member), message)


def test_what_is_too_large_is_refused_before_memory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip of zeros is small however much it declares; the limit is that of all arrays."""
    monkeypatch.setattr(array_files, "LARGEST_BYTES", 1000)
    monkeypatch.setattr(np.lib.format, "read_array", forbidden_above(1000))
    path = npz(tmp_path / "bomb.npz", a=npy(np.zeros(500, np.uint8)), b=npy(np.zeros(501, "u1")))
    with pytest.raises(SpikeletError, match=r"'b' of shape \(501,\) takes 501 bytes; .* 1,000 byt"):
        read_arrays(path, NEEDED, limit=1000)
    assert read_arrays(path, NEEDED, limit=1001)["b"].size == 501


def forbidden_above(limit: int):
    read = np.lib.format.read_array

    def checked(file, **options):
        found = read(file, **options)
        assert found.nbytes <= limit
        return found

    return checked


def test_a_wrong_checksum(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", a=npy(np.arange(1000)))
    data = bytearray(path.read_bytes())
    data[14] ^= 1  # the CRC of the member, here and in the directory
    at = data.rindex(b"PK\x01\x02")
    data[at + 16] ^= 1
    path.write_bytes(data)
    refused(path, "cut short or damaged")


@pytest.mark.parametrize("dtype", ["<i4", ">i4", ">f8", "|b1", "<u2", ">u8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_byte_order_and_layout(tmp_path: Path, dtype: str, order: str) -> None:
    given = np.asarray(np.random.default_rng(1).integers(0, 2, (3, 4, 5)), dtype, order=order)
    np.savez_compressed(tmp_path / "a.npz", a=given)
    np.save(tmp_path / "a.npy", given)
    for found in (
        read_arrays(tmp_path / "a.npz", NEEDED)["a"],
        read_arrays((tmp_path / "a.npz").read_bytes(), NEEDED)["a"],
        read_array(tmp_path / "a.npy", NEEDED),
    ):
        assert np.array_equal(found, given) and found.dtype == given.dtype


def test_single_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.zeros(3))
    (tmp_path / "big.npy").write_bytes(declared((38 << 30,)))
    (tmp_path / "cut.npy").write_bytes(npy(np.zeros(9))[:-3])
    np.save(tmp_path / "o.npy", np.array([[1], None], object), allow_pickle=True)
    for name, message in (
        ("w.npz", r"is a zip archive, not an \.npy file"),
        ("absent.npy", "does not exist"),
        ("big.npy", r"declares shape .* 38\.0 GiB"),
        ("cut.npy", "declares shape"),
        ("o.npy", "Python objects"),
    ):
        with pytest.raises(SpikeletError, match=message):
            read_array(tmp_path / name, "an .npy file")


@pytest.mark.parametrize("load", [Recording.load, ChipState.load])
@pytest.mark.parametrize("header", ["[]", "{}", "null", "[" * 3000, "no json", '{"engine": 1}'])
def test_traces_and_snapshots_of_another_form(tmp_path: Path, load, header: str) -> None:
    np.savez(tmp_path / "a.npz", header=np.array(header))
    with pytest.raises(SpikeletError, match=r"a\.npz is not a readable"):
        load(tmp_path / "a.npz")


def test_a_zip_member_that_cannot_be_unpacked(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", a=npy(np.zeros(1000)))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    for place in (8, at + 10):
        data[place : place + 2] = struct.pack("<H", 99)  # a compression that does not exist
    path.write_bytes(data)
    refused(path, "cut short or damaged")


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB"),
        ((1 << 20) - 1, "1,024.0 KiB"),
        (1 << 20, "1.0 MiB"),
        (3 << 29, "1.5 GiB"),
        ((1 << 70) - 1, f"{1 << 40:,}.0 GiB"),
        (1 << 70, "over 2^70 bytes"),
    ],
)
def test_sizes_are_said_in_the_largest_unit(tmp_path: Path, size: int, said: str) -> None:
    path = npz(tmp_path / "a.npz", a=declared((size,)))
    assert f", {said}, and the file holds 0 bytes of it" in refused(path, "declares shape")


@pytest.mark.parametrize(("last", "whole"), [(999, True), (9999, False)])
def test_long_shapes_are_cut_short(tmp_path: Path, last: int, whole: bool) -> None:
    shape = (9,) * 25 + (last,)
    assert len(str(shape)) == 80 + (not whole)
    text = refused(npz(tmp_path / "a.npz", a=declared(shape)), "declares shape")
    cut = f"declares shape {str(shape)[:60]}... (26 axes) of uint8"
    assert (cut in text) == (not whole)
    assert (str(shape) in text) == whole


def test_a_sign_that_the_end_of_the_first_bytes_cuts_is_text(tmp_path: Path) -> None:
    euro = "\N{EURO SIGN}".encode()
    for before in range(506, 516):  # the sign is cut by the end of what is looked at
        (tmp_path / "a.csv").write_bytes(b"a" * before + euro * 9)
        refused(tmp_path / "a.csv", "is a text file")
