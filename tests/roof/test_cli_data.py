"""spikelet data: what is shown of events and samples, what is written, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.samples.samples import load_samples
from spikelet.samples.view import View, image_text, raster_text
from tests.helpers.event_files import cochlea, moving_bar, write_csv, write_nmnist, write_shd


def said(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["data", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def fields(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(*arguments, "--json"))
    return found


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    for index in range(4):
        path = tmp_path / "bars" / f"{index % 2}" / f"{index}.bin"
        write_nmnist(path, moving_bar(index % 2, index))
    return tmp_path / "bars"


def test_a_file_is_shown_with_what_was_guessed(bars: Path) -> None:
    text = said(bars / "0/0.bin")
    assert "0.bin: N-MNIST events, 1 stream" in text and "2,000 events" in text
    assert "guessed, to show it: --sensor 34x34 --bin 1000us" in text
    assert "1 samples of 100 ticks of 1,000 us, and 2,312 inputs (2 polarities, 34 rows" in text
    assert text.count("\n  |") == 40, "a raster and an image, of 20 lines each"
    found = fields(bars)
    assert (found["streams"], found["events"], found["classes"]) == (4, 8000, ["0", "1"])
    assert found["labels"] == {"0": 2, "1": 2} and found["whole"]
    assert fields(bars, "--count", 1)["whole"] is False


def test_a_samples_file_is_written_and_shown(bars: Path, tmp_path: Path) -> None:
    options = ["--sensor", "34x34", "--bin", "10ms", "--ticks", "8", "--downsample", "2"]
    more = ["--region", "2,0,30x34", "--polarity", "on", "--start", "0.001s", "--lengths"]
    out, png = tmp_path / "s.npz", tmp_path / "s.png"
    text = said(bars, *options, *more, "-o", out, "--picture", png)
    assert f"samples: {out}" in text and f"picture: {png}" in text
    assert png.read_bytes().startswith(b"\x89PNG")
    binning = spikelet.Binning(10_000, 8, (34, 34), 2, "on", (2, 0, 30, 34), 1000)
    expected = spikelet.bin_events(bars, binning, lengths=True)
    assert load_samples(out).digest == expected.digest
    assert "outside the region, or of the other polarity, left out" in text
    assert "events before the beginning left out" in text
    found = fields(out)
    assert found["kind"] == "samples file" and found["input_shape"] == [1, 17, 15]
    assert found["spikes"] == expected.spikes.sum() and found["lengths"] == [8, 8]
    assert found["rate"] == expected.spikes.mean()


def test_samples_without_a_spike_are_warned_about(bars: Path, tmp_path: Path) -> None:
    options = ["--sensor", "34x34", "--bin", "1ms", "--ticks", "9", "--start", "9s"]
    text = said(bars, *options, "-o", tmp_path / "s.npz")
    assert "warning:" in text and "no input spikes in any of 4 samples" in text
    assert not load_samples(tmp_path / "s.npz").spikes.any()


def test_the_options_of_text(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "e.txt", moving_bar(0, 0), header="")
    options = ["--columns", "t,x,y,p", "--time-unit", "ms"]
    assert fields(path, *options)["microseconds"] > 90_000_000


def test_long_streams_are_cut(bars: Path, tmp_path: Path) -> None:
    options = ["--sensor", "34x34", "--bin", "5ms", "--ticks", "4", "--cut"]
    said(bars / "0/0.bin", *options, "-o", tmp_path / "s.npz")
    assert load_samples(tmp_path / "s.npz").spikes.shape == (5, 4, 2312)


def test_counts_and_axes_are_put_right(tmp_path: Path) -> None:
    """A set of a file becomes a file of its own, with all that belongs to it."""
    counts = np.random.default_rng(0).integers(0, 4, (6, 3, 5))
    path, new = tmp_path / "c.npz", tmp_path / "new.npz"
    np.savez(path, a_spikes=counts, a_labels=[0, 1, 2], b_spikes=counts, a_reward=np.ones((3, 6)))
    lost = int(np.maximum(counts - 1, 0).sum())
    assert f"{lost} of {counts.sum()} events are lost" in said(f"{path}:a_", status=1)
    text = said(f"{path}:a_", "--merge-counts", "--time-first", "-o", new)
    assert f"warning: {path}: a_spikes: {lost} of {counts.sum()} events are lost" in text
    found = load_samples(new)
    assert np.array_equal(found.spikes, (counts > 0).swapaxes(0, 1))
    assert found.labels is not None and found.labels.tolist() == [0, 1, 2]
    with np.load(new) as arrays:
        assert set(arrays) == {"spikes", "labels", "reward"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bin", "10"], "'10' must be written as 10ms, 500us or 1.5s"),
        (["--bin", "0.5us"], "'0.5us' is no whole number of microseconds"),
        (["--bin", "0ms"], "bin must be 1 or more, not 0"),
        (["--sensor", "34,34"], "must be written as 34x34"),
        (["--sensor", "0x34"], "must be in 1..65536"),
        (["--region", "1,2,3"], "must be written as 2,4,16x12"),
        (["--time-unit", "h"], "must be one of ns, us, ms, s, not 'h'"),
        (["--sample", "7"], "sample must be in 0..0, of those that were looked at, not 7"),
        (["--merge-counts"], "holds events, and no counts"),
        (["-o", "x.npz", "--bin", "1ms"], "does not say how large its sensor is"),
        (["-o", "x.npz", "--sensor", "34x34"], "how long is a tick?"),
        (["--cut"], "cut into samples of how many ticks?"),
    ],
)
def test_options_that_are_refused(
    bars: Path, options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status = 2 if "written as" in message or "whole number" in message else 1
    assert message in said(bars / "0/0.bin", *options, status=status)
    assert not (tmp_path / "x.npz").exists()


def test_options_of_events_for_samples(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", spikes=np.ones((2, 3, 4)))
    for options in (["--bin", "1ms"], ["--lengths"], ["--columns", "t,x"]):
        text = said(tmp_path / "s.npz", *options, status=1)
        assert "is a samples file: there are no events to be binned" in text
    text = said(tmp_path / "s.npz", "--count", "1", "-o", tmp_path / "n.npz", status=1)
    assert "all samples of a samples file are written" in text
    assert "does not exist" in said(tmp_path / "missing.npz", status=1)
    assert "does not exist" in said(tmp_path / "missing.npz:a_", status=1)
    (tmp_path / "bad.npz").write_bytes((tmp_path / "s.npz").read_bytes()[:-9])
    assert "cut short or damaged" in said(tmp_path / "bad.npz", status=1)


def test_only_the_beginning_of_what_is_long_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shd(tmp_path / "e.h5", [cochlea(0, i) for i in range(5)], [0] * 5)
    monkeypatch.setattr("spikelet.data_summary._LOOKED_AT", 3)
    assert "of the first 3: not all were looked at" in said(path)
    monkeypatch.setattr("spikelet.data_summary._EVENTS_LOOKED_AT", 1000)
    found = fields(path)
    assert found["samples"] == 2 and 1000 <= found["events"] < 2000
    assert fields(path, "--sensor", "700", "--bin", "9ms", "-o", tmp_path / "s.npz")["samples"] == 5


def test_pictures_made_of_text() -> None:
    """Signs stand for means of equal parts; the darkest is the largest."""
    spikes = np.zeros((6, 3), np.uint8)
    spikes[0, 0] = spikes[5, 2] = 1
    assert raster_text(spikes) == ["@     ", "      ", "     @"]
    assert image_text(np.array([[0, 9], [3, 6]])) == ["  @@", "--**"]
    wide = np.zeros((144, 40), np.uint8)
    wide[:2, :2] = 1
    wide[2, 0] = 1
    lines = raster_text(wide)
    assert (len(lines), len(lines[0])) == (20, 72)
    assert lines[0][:3] == "@- " and not "".join(lines[1:]).strip()


def test_a_view_sums_up() -> None:
    view = View(chosen=1)
    first = np.zeros((4, 1, 2, 3), np.uint8)
    first[0, 0, 1, 2] = first[2, 0, 1, 2] = 1
    view.add(first, 3, 3)
    view.add(1 - first, 5)
    assert (view.samples, view.spikes, view.inputs, view.label) == (2, 24, 6, 5)
    assert view.rate == 24 / (7 * 6) and view.per_tick.tolist() == [6, 6, 6, 6]
    assert view.image is not None and view.image.tolist() == [[[2, 2, 2], [2, 2, 2]]]
    assert view.labels == {3: 1, 5: 1} and view.sample is not None
    assert np.array_equal(view.sample, (1 - first).reshape(4, 6))
