"""Events into spikes: against a loop over events, by hand, and what does not fit."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.event_data import convert
from spikelet.event_data.binning import POLARITIES, Binning
from spikelet.event_data.convert import Tally, bin_events, binned, planned, write_samples
from spikelet.event_data.event_file import EventBlock, EventFile, EventStream
from spikelet.samples.samples import load_samples
from tests.helpers.event_files import EVENTS, cochlea, moving_bar, write_nmnist, write_shd


def file_of(
    events: npt.NDArray[Any], cuts: list[int], *, polarity: bool = True, from_zero: bool = False
) -> EventFile:
    """Return events as a file that is read in blocks which end at ``cuts``."""
    ends = [0, *sorted(cuts), len(events)]
    parts = [events[a:b] for a, b in pairwise(ends)]

    def blocks() -> Any:
        for e in parts:
            yield EventBlock(e["t"], e["x"], e["y"], e["p"].astype(np.uint8))

    return EventFile(Path("f"), "events", [EventStream("f", blocks)], None, polarity, from_zero)


def slowly(
    events: npt.NDArray[Any], binning: Binning, *, polarity: bool, from_zero: bool
) -> dict[int, set[tuple[int, ...]]]:
    """Return the spikes of each sample, as (tick, polarity, row, column), one event at a time."""
    assert binning.bin and binning.ticks and binning.sensor
    begin = binning.start
    if begin is None:
        begin = 0 if from_zero or not len(events) else int(events["t"][0])
    found: dict[int, set[tuple[int, ...]]] = {0: set()}
    x0, y0, width, height = binning.region or (0, 0, *binning.sensor)
    for t, x, y, p in zip(*(events[name].tolist() for name in "txyp"), strict=True):
        sample, tick = divmod((t - begin) // binning.bin, binning.ticks)
        if t < begin or (sample and not binning.cut):
            continue
        for each in range(sample + 1):
            found.setdefault(each, set())
        column, row = x - x0, y - y0
        wanted = {"on": p, "off": not p}.get(binning.polarity, True) or not polarity
        if 0 <= column < width and 0 <= row < height and wanted:
            plane = int(p) if binning.polarity == "both" and polarity else 0
            size = binning.downsample
            found[sample].add((tick, plane, row // size, column // size))
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[npt.NDArray[Any], list[int], Binning, bool, bool]:
    columns, rows = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    count = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    events = np.zeros(count, EVENTS)
    events["t"] = np.sort(rng.integers(0, draw(st.sampled_from([1, 50, 400])), count)) + draw(
        st.sampled_from([0, 13, 1 << 40])
    )
    events["x"], events["y"] = rng.integers(0, columns, count), rng.integers(0, rows, count)
    events["p"] = rng.integers(0, 2, count)
    region = None
    if draw(st.booleans()):
        x, y = draw(st.integers(0, columns - 1)), draw(st.integers(0, rows - 1))
        region = (x, y, draw(st.integers(1, columns - x)), draw(st.integers(1, rows - y)))
    polarity = draw(st.booleans())
    start = draw(st.sampled_from([None, 0, 20]))
    far = bool(count) and events["t"][0] >= 1 << 40
    binning = Binning(
        draw(st.integers(1, 60)),
        draw(st.integers(1, 12)),
        (columns, rows),
        draw(st.integers(1, 4)),
        draw(st.sampled_from(POLARITIES if polarity else POLARITIES[:2])),
        region,
        None if far else start,
        draw(st.booleans()),
    )
    cuts = draw(st.lists(st.integers(0, count), max_size=4))
    return events, cuts, binning, polarity, draw(st.booleans()) and not far


@settings(max_examples=150, deadline=None, derandomize=True)
@given(case=cases())
def test_spikes_are_those_of_a_loop_over_events(case: Any) -> None:
    events, cuts, binning, polarity, from_zero = case
    file = file_of(events, cuts, polarity=polarity, from_zero=from_zero)
    grid, _ = planned(file, binning)
    tally = Tally()
    made = list(binned(file, grid, tally, cut=binning.cut))
    expected = slowly(events, binning, polarity=polarity, from_zero=from_zero)
    assert len(made) == len(expected)
    for sample, spikes in enumerate(made):
        assert {tuple(place) for place in np.argwhere(spikes.spikes).tolist()} == expected[sample]
        assert spikes.spikes.max(initial=0) <= 1
    assert tally.spikes == sum(map(len, expected.values()))
    total = tally.spikes + tally.merged + tally.early + tally.late + tally.elsewhere
    assert total == len(events), "every event became something"


def bar(tmp_path: Path, seed: int = 1, **fields: int) -> Path:
    return write_nmnist(tmp_path / "bar.bin", moving_bar(0, seed, **fields))


def test_what_is_left_open_is_as_much_as_needed(tmp_path: Path) -> None:
    path = bar(tmp_path)
    last = int(moving_bar(0, 1)["t"][-1])
    sensor = (34, 34)
    found = bin_events(path, Binning(bin=10_000, sensor=sensor))
    assert found.spikes.shape == (1, last // 10_000 + 1, 2 * 34 * 34)
    assert found.input_shape == (2, 34, 34)
    assert found.spikes[0, -1].any()
    by_ticks = bin_events(path, Binning(ticks=7, sensor=sensor))
    assert by_ticks.spikes.shape[1] == 7 and by_ticks.spikes[0, [0, -1]].any(axis=1).all()


def test_long_streams_are_cut(tmp_path: Path) -> None:
    """The pieces, one behind another, are the stream."""
    path = bar(tmp_path)
    whole = bin_events(path, Binning(bin=1000, ticks=120, sensor=(34, 34)))
    pieces = bin_events(path, Binning(bin=1000, ticks=30, sensor=(34, 34), cut=True), lengths=True)
    assert pieces.spikes.shape[:2] == (4, 30)
    assert np.array_equal(pieces.spikes.reshape(120, -1), whole.spikes[0])
    assert pieces.lengths is not None
    assert pieces.lengths.tolist() == [30, 30, 30, int(moving_bar(0, 1)["t"][-1]) // 1000 - 89]


def test_lengths_end_with_the_last_event(tmp_path: Path) -> None:
    samples = [cochlea(i % 3, i) for i in range(4)]
    path = write_shd(tmp_path / "e.h5", samples, [0, 1, 2, 0])
    binning = Binning(bin=10_000, ticks=90, sensor=(700, 1), downsample=10)
    found = bin_events(path, binning, lengths=True)
    ends = [min(90, int(np.rint(1e6 * t.astype(float)).max()) // 10_000 + 1) for t, _ in samples]
    assert found.lengths is not None and found.lengths.tolist() == ends
    assert found.spikes.shape == (4, 90, 70) and found.input_shape == (1, 1, 70)
    assert found.labels is not None and found.labels.tolist() == [0, 1, 2, 0]
    assert bin_events(path, binning).lengths is None


def test_what_is_written_is_what_is_returned(tmp_path: Path) -> None:
    for index in range(6):
        write_nmnist(
            tmp_path / "set" / f"{index % 2}" / f"{index}.bin", moving_bar(index % 4, index)
        )
    binning = Binning(bin=20_000, ticks=4, sensor=(34, 34), downsample=2, polarity="merged")
    expected = bin_events(tmp_path / "set", binning, lengths=True)
    file = convert.open_events(tmp_path / "set")
    seen = []
    grid, tally = write_samples(
        tmp_path / "s.npz", file, binning, lengths=True, shown=lambda made: seen.append(made.label)
    )
    found = load_samples(tmp_path / "s.npz")
    assert found.digest == expected.digest and found.input_shape == (1, 17, 17) == grid.shape
    assert seen == [0, 0, 0, 1, 1, 1] and tally.spikes == found.spikes.sum()
    written = (tmp_path / "s.npz").read_bytes()
    write_samples(tmp_path / "s.npz", file, binning, lengths=True)
    assert (tmp_path / "s.npz").read_bytes() == written, "the same, whenever it is written"


def test_a_stream_is_not_in_memory_as_a_whole(tmp_path: Path) -> None:
    """Of a long one, no more blocks are alive than one and its successor."""
    alive: list[int] = []

    def blocks() -> Any:
        for index in range(40):
            t = np.full(1000, index * 1000)
            block = EventBlock(t, t % 5, t % 3, t % 2)
            alive.append(index)
            yield block

    file = EventFile(Path("f"), "events", [EventStream("f", blocks)], (5, 3))
    grid, _ = planned(file, Binning(bin=1000, ticks=2, cut=True))
    assert len(alive) == 40, "it was looked through, to know how many samples there will be"
    alive.clear()
    made = binned(file, grid, Tally(), cut=True)
    next(made)
    assert len(alive) <= 3, "samples come while events are still to be read"
    assert len(list(made)) == 19


@pytest.mark.parametrize(
    ("fields", "message", "remedy"),
    [
        ({"sensor": None}, "does not say how large its sensor is", "--sensor 34x34"),
        ({"sensor": None, "bin": None}, "its events reach column 33 and row 33: 34x34", "--sensor"),
        ({"sensor": (30, 34)}, "an event has x 33, and the sensor has 30 columns", "at least 34"),
        (
            {"sensor": (34, 9)},
            "an event has y 33, and the sensor has 34 columns and 9 rows",
            "34 rows",
        ),
        ({"sensor": (33, 34)}, "an event has x 33, and the sensor has 33 columns", "at least 34"),
        (
            {"sensor": (34, 33)},
            "an event has y 33, and the sensor has 34 columns and 33 rows",
            "34",
        ),
        ({"bin": None, "ticks": None}, "how long is a tick", "--bin 10ms"),
        ({"bin": 0}, "bin must be 1 or more, not 0", ""),
        ({"ticks": -1}, "ticks must be 1 or more, not -1", ""),
        ({"downsample": 0}, r"downsample must be in 1\.\.65536, not 0", ""),
        ({"downsample": 1 << 63}, r"downsample must be in 1\.\.65536, not 9223372036854775808", ""),
        ({"bin": 1 << 63}, "bin must be within 9007199254740992 us, not 9223372036854775808", ""),
        ({"start": -(1 << 63)}, "start must be within 9007199254740992 us, not -922", ""),
        ({"polarity": "up"}, "must be one of both, merged, on, off, not 'up'", ""),
        ({"sensor": (0, 34)}, r"must be in 1\.\.65536, not 0 and 34", ""),
        ({"region": (30, 0, 5, 5)}, "5 columns and 5 rows from column 30 and row 0 on is not", ""),
        ({"region": (-1, 0, 5, 5)}, "from column -1", ""),
        ({"region": (0, 0, 5, 0)}, "5 columns and 0 rows", ""),
        ({"ticks": 10**9}, "places for a spike; at most 2,147,483,648", "longer ticks"),
        ({"cut": True, "ticks": None}, "cut into samples of how many ticks", "give ticks"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, fields: dict[str, Any], message: str, remedy: str
) -> None:
    given = {"bin": 1000, "ticks": 10, "sensor": (34, 34), **fields}
    with pytest.raises(SpikeletError, match=message) as caught:
        bin_events(bar(tmp_path), Binning(**given))
    assert remedy in caught.value.remedy


def test_sensors_and_polarities_that_a_file_denies(tmp_path: Path) -> None:
    file = file_of(np.zeros(2, EVENTS), [])
    sized = EventFile(file.path, file.kind, file.streams, (5, 5))
    with pytest.raises(SpikeletError, match="is of a sensor of 5 columns and 5 rows, not of 9"):
        planned(sized, Binning(10, 3, (9, 9)))
    path = write_shd(tmp_path / "e.h5", [cochlea(0, 0)], None)
    with pytest.raises(SpikeletError, match="have no polarity, so there are none that are on"):
        bin_events(path, Binning(10, 3, (700, 1), polarity="on"))


def test_a_stream_that_goes_on_fills_its_sample() -> None:
    """Also where its last ticks are empty, and whether the next event is in the same block."""
    events = np.zeros(2, EVENTS)
    events["t"] = [0, 95]
    for cuts in ([], [1]):
        for cut, lengths in ((False, [5]), (True, [5, 5])):
            file = file_of(events, cuts, from_zero=True)
            binning = Binning(10, 5, (1, 1), cut=cut)
            grid, _ = planned(file, binning)
            made = list(binned(file, grid, Tally(), cut=cut))
            assert [sample.length for sample in made] == lengths
