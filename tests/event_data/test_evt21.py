"""EVT2.1: words of several pixels, both orders of bytes, times that begin anew, and damage."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.event_data.binning import Binning
from spikelet.event_data.convert import bin_events
from spikelet.event_data.event_file import in_order
from spikelet.event_data.event_readers import open_events
from tests.helpers.event_files import EVENTS, evt21_words, write_evt21

TIME, TRIGGER, OTHERS = 0x8 << 60, 0xA << 60, 0xE << 60


def rows(path: Path) -> list[list[int]]:
    """Return t, x, y and p of each event."""
    blocks = list(in_order(open_events(path).streams[0]))
    return [[int(b[k][i]) for k in range(4)] for b in blocks for i in range(len(b.t))]


def dense(seed: int = 0) -> npt.NDArray[Any]:
    """Return events of which many are in one row, in one microsecond."""
    rng = np.random.default_rng(seed)
    found = np.zeros(3000, EVENTS)
    found["t"] = np.sort(rng.integers(0, 5000, 3000)) // 50 * 50
    for name, size in (("y", 3), ("p", 2), ("x", 100)):
        found[name] = rng.integers(0, size, 3000)
    found = np.unique(found)
    return found[np.lexsort([found[name] for name in "xpyt"])]


@pytest.mark.parametrize("size", [1 << 13, 7, 1])
@pytest.mark.parametrize(("order", "legacy"), [("little", False), ("legacy", True), ("", True)])
def test_words_of_several_pixels(
    order: str, legacy: bool, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = dense()
    words = evt21_words(events)
    assert len(words) < 0.6 * len(events), "few words have several pixels"
    monkeypatch.setattr("spikelet.event_data.readers.evt21._BLOCK_WORDS", size)
    option = f";endianness={order}" if order else ";height=3;width=100"
    path = write_evt21(tmp_path / "e.raw", words, option, "100x3", legacy=legacy)
    assert open_events(path).sensor == (100, 3)
    assert rows(path) == [[int(e[k]) for k in "txyp"] for e in events]


def test_a_word_by_hand(tmp_path: Path) -> None:
    """On, 5 us after 64 us * 3, columns 32, 35 and 63 of row 9; what is no event is passed over."""
    word = 0x1 << 60 | 5 << 54 | 32 << 43 | 9 << 32 | 1 | 1 << 3 | 1 << 31
    words = [word, TIME | 3 << 32, TRIGGER, word, OTHERS | 7, 0xF << 60]
    expected = [[197, x, 9, 1] for x in (32, 35, 63)]
    assert rows(write_evt21(tmp_path / "e.raw", words, sensor="64x10")) == expected


@pytest.mark.parametrize("size", [1 << 13, 1])
def test_times_begin_anew(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikelet.event_data.readers.evt21._BLOCK_WORDS", size)
    last = (1 << 28) - 1
    words = [TIME | last << 32, 1, TIME, 1, TIME | 5 << 32, 1, TIME | last << 32, 1, TIME, 1]
    times = [t for t, *_ in rows(write_evt21(tmp_path / "e.raw", words))]
    turn = 1 << 34
    assert times == [turn - 64, turn, turn + 320, 2 * turn - 64, 2 * turn]
    words = [TIME | 9 << 32, 1, TIME | 8 << 32, 1]
    with pytest.raises(SpikeletError, match="out of order: event 1 is at 512 us"):
        rows(write_evt21(tmp_path / "e.raw", words))


@pytest.mark.parametrize(
    ("words", "order", "message", "remedy"),
    [
        ([TIME, 0x3 << 60 | 1], ";endianness=little", "word 1 is of kind 0x3", "damaged"),
        ([1, 1], ";endianness=little", "holds no time", "endianness"),
        ([TIME, 1], ";endianness=big", "endianness is 'big'", "little and legacy"),
        ([1, 1], "", "no endianness, and its first word is no time", "% format"),
    ],
)
def test_files_that_are_wrong(
    words: list[int], order: str, message: str, remedy: str, tmp_path: Path
) -> None:
    path = write_evt21(tmp_path / "e.raw", words, order)
    with pytest.raises(SpikeletError, match=message) as caught:
        rows(path)
    assert remedy in caught.value.remedy and "e.raw" in str(caught.value)


def test_an_event_that_is_not_on_the_sensor(tmp_path: Path) -> None:
    path = write_evt21(tmp_path / "e.raw", [TIME, 40 // 32 * 32 << 43 | 1 << 8])
    with pytest.raises(SpikeletError, match=r"e\.raw.*40"):
        bin_events(path, Binning(1000, 10))
