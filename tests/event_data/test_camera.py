"""Files of event cameras, through faery: the events that were written, damage, and the extra."""

import sys
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.event_data.binning import Binning
from spikelet.event_data.convert import bin_events
from spikelet.event_data.event_file import in_order
from spikelet.event_data.event_readers import event_reader_of, open_events
from spikelet.event_data.readers.camera import Camera
from tests.helpers.event_files import moving_bar

FIXTURES = Path(__file__).parents[1] / "fixtures" / "events"
NAMES = ("bar.aedat4", "bar2.raw", "bar3.raw", "bar.dat")


@pytest.mark.parametrize("name", [*NAMES, "bar21.raw"])
def test_events_are_those_that_were_written(name: str) -> None:
    file = open_events(FIXTURES / name)
    assert file.sensor == (34, 34) and file.polarity and not file.from_zero
    bar = moving_bar(0, 1, events=300)
    blocks = list(in_order(file.streams[0]))
    for index, field in enumerate("txyp"):
        found = np.concatenate([block[index] for block in blocks])
        assert np.array_equal(found, bar[field].astype(int)), field


@pytest.mark.parametrize("name", [*NAMES, "bar21.raw"])
def test_files_that_were_cut_short(name: str, tmp_path: Path) -> None:
    """Between two words, an EVT or DAT file gives the events before the cut: nothing shows it."""
    content = (FIXTURES / name).read_bytes()
    for length in (len(content) - 1001, 30, 12):  # words are of even numbers of bytes
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(SpikeletError, match=rf"{name} (is cut short|cannot be read)"):
            bin_events(tmp_path / name, Binning(1000, 10, (34, 34)))


def test_another_sensor_than_the_header_says() -> None:
    with pytest.raises(SpikeletError, match="is of a sensor of 34 columns and 34 rows, not of 128"):
        bin_events(FIXTURES / "bar.dat", Binning(1000, 10, (128, 128)))


@pytest.mark.parametrize("name", NAMES)
def test_without_faery_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faery", None)
    assert isinstance(event_reader_of(FIXTURES / name), Camera)
    with pytest.raises(SpikeletError, match=r"package faery .*the extra 'events'\)") as caught:
        open_events(FIXTURES / name)
    assert "[events]" in caught.value.remedy and name in str(caught.value)
