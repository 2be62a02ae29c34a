"""Event files: the same events from every layout, and what damaged files are told."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.event_data import event_file, readers
from spikelet.event_data.binning import Binning
from spikelet.event_data.convert import bin_events
from spikelet.event_data.event_file import EventBlock, EventFile, in_order
from spikelet.event_data.event_reader import Layout
from spikelet.event_data.event_readers import EVENT_READERS, open_events
from spikelet.event_data.readers import csv_text
from tests.helpers.event_files import cochlea, moving_bar, write_csv, write_nmnist, write_shd

BAR = moving_bar(0, 1, events=500)


def joined(file: EventFile, stream: int = 0) -> EventBlock:
    """Return all events of a stream."""
    blocks = list(in_order(file.streams[stream]))
    return EventBlock(*(np.concatenate(values) for values in zip(*blocks, strict=True)))


def same(found: EventBlock, expected: npt.NDArray[Any]) -> None:
    for name, values in zip("txyp", found, strict=True):
        assert np.array_equal(values, expected[name].astype(int)), name


def write_npy(path: Path, events: npt.NDArray[Any]) -> Path:
    np.save(path, events)
    return path


def write_npz(path: Path, events: npt.NDArray[Any]) -> Path:
    np.savez_compressed(path, events=events)
    return path


WRITERS: dict[str, Callable[[Path, npt.NDArray[Any]], Path]] = {
    "e.bin": write_nmnist,
    "e.csv": write_csv,
    "e.npy": write_npy,
    "e.npz": write_npz,
}


def test_every_file_of_the_folder_is_in_the_table() -> None:
    files = {path.stem for path in Path(str(readers.__file__)).parent.glob("*.py")} - {"__init__"}
    assert {type(reader).__module__.rpartition(".")[2] for reader in EVENT_READERS} == files
    assert all(reader.needed and type(reader).__doc__ for reader in EVENT_READERS)


@pytest.mark.parametrize("name", WRITERS)
def test_events_are_those_that_were_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks that divide them unevenly, too."""
    path = WRITERS[name](tmp_path / name, BAR)
    same(joined(open_events(path)), BAR)
    for module in {type(reader).__module__ for reader in EVENT_READERS}:
        monkeypatch.setattr(f"{module}.BLOCK_EVENTS", 7, raising=False)
    monkeypatch.setattr(csv_text, "_PIECE_BYTES", 100)
    assert event_file.BLOCK_EVENTS > 7
    blocks = list(open_events(path).streams[0].blocks())
    assert len(blocks) > 50
    same(joined(open_events(path)), BAR)


def test_nmnist_times_beyond_23_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A y of 240 is no event, and adds 8,192 us to what follows, in the blocks behind it too."""
    events = np.zeros(6, BAR.dtype)
    events["t"], events["x"] = [5, 9, 3, 4, 1, 2], [1, 0, 2, 3, 0, 4]
    events["y"] = [0, 240, 1, 2, 240, 3]
    path = write_nmnist(tmp_path / "e.bin", events)
    for size in (100, 2, 1):
        monkeypatch.setattr("spikelet.event_data.readers.nmnist.BLOCK_EVENTS", size)
        found = joined(open_events(path))
        assert found.t.tolist() == [5, 8195, 8196, 16386]
        assert (found.x.tolist(), found.y.tolist()) == ([1, 2, 3, 4], [0, 1, 2, 3])


def test_shd(tmp_path: Path) -> None:
    """Its samples are ragged, and need not be in the order of time."""
    t, x = cochlea(0, 3)
    mixed = np.random.default_rng(0).permutation(len(t))
    path = write_shd(tmp_path / "e.h5", [(t[:9], x[:9]), (t[mixed], x[mixed])], [4, 2])
    file = open_events(path)
    assert [stream.label for stream in file.streams] == [4, 2]
    assert not file.polarity and file.from_zero and file.sensor is None
    found = joined(file, 1)
    assert len(found.t) == len(t) and (np.diff(found.t) >= 0).all()
    assert sorted(zip(found.t.tolist(), found.x.tolist(), strict=True)) == sorted(
        zip(np.rint(1e6 * t.astype(float)).astype(int).tolist(), x.tolist(), strict=True)
    )
    assert [s.label for s in open_events(write_shd(tmp_path / "f.h5", [(t, x)], None)).streams] == [
        None
    ]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("x,y,p,t\n1,2,1,10\n3,4,0,20\n", {}),
        ("# made by hand\nTimestamp;X;Y;Polarity\r\n10;1;2;1\r\n20;3;4;0\r\n", {}),
        ("10 1 2 1\n20 3 4 0", {"columns": ("t", "x", "y", "p")}),
        ("10\t1\t2\t1\n\n20\t3\t4\t-1\n", {"columns": ("t", "x", "y", "p")}),
        ("t,x,y,on,id\n10,1,2,True,7\n20,3,4,False,8\n", {}),
        (
            "1e-05,1,7,2,1\n0.00002,3,7,4,0\n",
            {"columns": ("t", "x", "-", "y", "p"), "time_unit": "s"},
        ),
        ("0.010,1,2,1\n0.020,3,4,0\n", {"columns": ("t", "x", "y", "p"), "time_unit": "ms"}),
        ("10000,1,2,1\n20000,3,4,0\n", {"columns": ("t", "x", "y", "p"), "time_unit": "ns"}),
    ],
)
def test_text_in_many_forms(tmp_path: Path, text: str, layout: dict[str, Any]) -> None:
    (tmp_path / "e.csv").write_text(text)
    found = joined(open_events(tmp_path / "e.csv", Layout(**layout)))
    assert [values.tolist() for values in found] == [[10, 20], [1, 3], [2, 4], [1, 0]]


def test_whole_numbers_are_read_as_numpy_reads_them() -> None:
    """Of any number of digits, up to where int64 ends."""
    rng = np.random.default_rng(5)
    table = rng.integers(0, 10 ** rng.integers(1, 18, (200, 3)))
    file = io.BytesIO()
    np.savetxt(file, table, "%d", ",")
    found = csv_text._whole_numbers(file.getvalue(), ",", 3)
    assert found is not None and np.array_equal(np.transpose(found), table)
    for other in (b"1,2\n", b"1,2,3,4\n5,6\n", b"1,-2,3\n", b"1,2.5,3\n", b"1,,3\n", b"1;2,3\n"):
        assert csv_text._whole_numbers(other, ",", 3) is None
    assert csv_text._whole_numbers(b"1,2,1234567890123456789\n", ",", 3) is None


def test_fields_of_other_names_and_kinds(tmp_path: Path) -> None:
    """As they come from other programs: unsigned and float times, no rows, no polarity."""
    events = np.zeros(2, [("channel", "u2"), ("ts", "f4"), ("more", "f8")])
    events["channel"], events["ts"] = [5, 6], [0.5, 0.25]
    np.savez(tmp_path / "e.npz", a=events[::-1], b=events[:1])
    file = open_events(tmp_path / "e.npz", Layout(time_unit="ms"))
    assert len(file.streams) == 2 and not file.polarity
    assert [values.tolist() for values in joined(file)] == [[250, 500], [6, 5], [0, 0], [0, 0]]
    assert joined(file, 1).x.tolist() == [5]


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name, bars in (("10", 2), ("2", 1)):
        for index in range(bars):
            write_nmnist(tmp_path / name / f"{index}.bin", moving_bar(bars, index))
    (tmp_path / ".hidden").write_text("")
    file = open_events(tmp_path)
    assert file.classes == ("2", "10")
    assert [stream.label for stream in file.streams] == [2, 10, 10]
    same(joined(file, 2), moving_bar(2, 1))
    (tmp_path / "2").rename(tmp_path / "two")
    assert [stream.label for stream in open_events(tmp_path).streams] == [0, 0, 1]
    assert [stream.label for stream in open_events(tmp_path / "10").streams] == [None, None]


FIELDS = np.dtype([("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i4")])


def _events(**fields: Any) -> npt.NDArray[Any]:
    events = np.zeros(3, FIELDS)
    for name, values in {"t": [1, 2, 3], **fields}.items():
        events[name] = values
    return events


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize(
    ("name", "content", "message", "remedy"),
    [
        (
            "e.bin",
            b"12345678",
            r"e\.bin is cut short.*8 bytes are 1 events of 5 bytes and 3",
            "copy",
        ),
        ("e.csv", "", r"e\.csv holds no event", "give"),
        ("e.csv", "\n#\n", r"e\.csv holds no event", "give"),
        ("e.csv", "1,2,3,1\n", "does not name its columns; line 1 is '1,2,3,1'", "--columns"),
        ("e.csv", "a,b\n1,2\n", r"line 1: no column is t \('a', 'b'\)", "name them t, x"),
        ("e.csv", "t,time,x\n1,2,3\n", "line 1: several columns are t", "name them"),
        (
            "e.csv",
            "t,x,y,p\n1,2,3,1\n4,5,6\n",
            "line 3 must be 4 numbers, not '4,5,6'",
            "cut short",
        ),
        ("e.csv", "t,x,y,p\n1,2,3,1\n4,5,6,q\n", "line 3 must be 4 numbers, not '4,5,6,q'", "cut"),
        ("e.csv", "t,x,y,p\n1,2,3,2\n", "p is 2", "0 or -1 for off"),
        ("e.csv", "t,x,y,p\n1,-2,3,1\n", "x is -2", "from 0"),
        ("e.csv", "t,x,y,p\n1,2.5,3,1\n", "x must be whole numbers", "from 0"),
        ("e.csv", "t,x,y,p\nnan,2,3,1\n", "nan is no time", "finite"),
        ("e.csv", "t,x,y,p\n1e300,2,3,1\n", r"1e\+300 is no time", "285 years"),
        (
            "e.csv",
            "t,x,y,p\n5,2,3,1\n4,2,3,1\n",
            "event 1 is at 4 us, the one before it at 5",
            "sort",
        ),
        ("e.npy", _events(t=[1, 3, 2]), "out of order: event 2 is at 2 us", "sort"),
        ("e.npy", _events(t=np.array([1, 2, -(2**63)])), "out of order", "sort"),
        ("e.npy", _events(p=[0, 1, 9]), "p is 9", "0 or -1"),
        ("e.npy", _events(x=[0, -1, 0]), "x is -1", "from 0"),
        ("e.npy", np.zeros(3, [("x", "i4")]), r"no column is t \('x'\)", "name them t"),
        ("e.npy", np.zeros((3, 2), FIELDS), r"no structured array of events.*\(3, 2\)", "give"),
        ("e.npy", np.zeros(3, [("t", "i8"), ("x", "S2")]), "x must be whole numbers", "from 0"),
        ("e.npy", np.zeros(3, [("t", "S2"), ("x", "i8")]), "times must be numbers", ""),
        ("e.dat2", b"\x00\x01", "is of an unknown kind, not a file of events", "an .h5 file"),
        ("e.aedat", b"#!AER-DAT2.0\r\n", "is an AEDAT file of version 2; version 4 is read", "CSV"),
    ],
)
def test_files_that_are_wrong(
    tmp_path: Path, name: str, content: Any, message: str, remedy: str
) -> None:
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SpikeletError, match=message) as caught:
        joined(open_events(path))
    assert remedy in caught.value.remedy and name in str(caught.value)


@pytest.mark.parametrize("name", ["e.npy", "e.npz", "e.csv", "e.bin"])
def test_files_that_were_cut_short(name: str, tmp_path: Path) -> None:
    _truncated(WRITERS[name](tmp_path / name, BAR))
    with pytest.raises(
        SpikeletError, match=r"cut short|declares shape|must be 4 numbers"
    ) as caught:
        bin_events(tmp_path / name, Binning(1000, 10, (34, 34)))
    assert name in str(caught.value)


def test_hdf5_that_is_wrong(tmp_path: Path) -> None:
    path = write_shd(tmp_path / "e.h5", [cochlea(0, 0), cochlea(1, 1)], [0, 1])
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(SpikeletError, match=r"e\.h5 is an HDF5 file that is cut short"):
        open_events(path)
    path.write_bytes(whole)
    with h5py.File(path, "a") as file:
        file["spikes/times"][1] = np.zeros(3, np.float16)
    with pytest.raises(SpikeletError, match=r"sample 1 has spikes/times of shape \(3,\)"):
        joined(open_events(path), 1)
    for labels in (np.zeros(3, int), np.zeros(2), np.array([0, -1])):
        with h5py.File(path, "a") as file:
            del file["labels"]
            file["labels"] = labels
        with pytest.raises(SpikeletError, match="labels must be 2 numbers from 0"):
            open_events(path)
    with h5py.File(path, "w") as file:
        file["node"] = 1
    with pytest.raises(SpikeletError, match="an HDF5 file without spikes/times and spikes/units"):
        open_events(path)


def test_folders_that_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(SpikeletError, match="holds no file"):
        open_events(tmp_path)
    write_nmnist(tmp_path / "a" / "0.bin", BAR)
    write_csv(tmp_path / "a" / "1.csv", BAR)
    with pytest.raises(SpikeletError, match=r"1\.csv: kind is events as text, that of .*0\.bin"):
        joined(open_events(tmp_path), 1)
    (tmp_path / "a/1.csv").unlink()
    write_nmnist(tmp_path / "0.bin", BAR)
    with pytest.raises(SpikeletError, match=r"0\.bin stands beside folders"):
        open_events(tmp_path)
    (tmp_path / "0.bin").unlink()
    (tmp_path / "a" / "b").mkdir()
    with pytest.raises(SpikeletError, match="b is a folder, not a file"):
        joined(open_events(tmp_path), 1)
    for index in range(2):
        write_shd(tmp_path / "h" / f"{index}.h5", [cochlea(0, 0)] * 2, None) if (
            tmp_path / "h"
        ).mkdir(exist_ok=True) is None else None
    with pytest.raises(SpikeletError, match=r"0\.h5 holds 2 samples; in a folder each file is one"):
        joined(open_events(tmp_path / "h"))


def test_units_of_time() -> None:
    with pytest.raises(SpikeletError, match="must be one of ns, us, ms, s, not 'minutes'"):
        Layout(time_unit="minutes")


def test_shd_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples are read several at a time, and can be asked for in any order."""
    samples = [cochlea(index % 3, index) for index in range(7)]
    path = write_shd(tmp_path / "e.h5", samples, None)
    for size in (1, 3, 64):
        monkeypatch.setattr("spikelet.event_data.readers.shd._SAMPLES_AT_ONCE", size)
        file = open_events(path)
        for index in (*range(7), 2, 6, 0):
            assert sorted(joined(file, index).x.tolist()) == sorted(samples[index][1].tolist())


def test_a_truth_value_of_2(tmp_path: Path) -> None:
    path = write_npy(tmp_path / "e.npy", BAR)
    content = bytearray(path.read_bytes())
    content[-1] = 2  # the last event's polarity
    path.write_bytes(content)
    with pytest.raises(SpikeletError, match=r"e\.npy: p is 2"):
        joined(open_events(path))


def test_time_that_goes_back_between_two_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "e.npy", _events(t=[1, 3, 2]))
    for size in (1, 2, 3):
        monkeypatch.setattr("spikelet.event_data.readers.structured.BLOCK_EVENTS", size)
        with pytest.raises(SpikeletError, match="event 2 is at 2 us, the one before it at 3 us"):
            joined(open_events(tmp_path / "e.npy"))
