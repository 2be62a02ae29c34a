"""Samples files: which sets, labels and values are read, and what the others are told."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.samples.plastic_samples import load_learning_samples
from spikelet.samples.samples import Samples, load_samples

DIGITS = Path("examples/digits/digits_test.npz").resolve()
RNG = np.random.default_rng(17)
SPIKES = RNG.random((6, 12, 4)) < 0.4
LEVELS: dict[str, Any] = {"levels": RNG.integers(0, 9, (6, 4)), "full_scale": 8, "ticks": 5}
EYE = np.eye(4)[[0, 1, 2, 3, 0, 1]]


def load(tmp_path: Path, **arrays: Any) -> Samples:
    np.savez(tmp_path / "s.npz", **arrays)
    return load_samples(tmp_path / "s.npz")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1]),
        (np.array([0, 1, 2, 3, 0, 1.0]), [0, 1, 2, 3, 0, 1]),
        (np.array([0, 1, 2, 3, 0, 1], ">f4"), [0, 1, 2, 3, 0, 1]),
        (np.arange(6).reshape(6, 1), [0, 1, 2, 3, 4, 5]),
        (np.array([True, False] * 3), [1, 0, 1, 0, 1, 0]),
        (np.arange(6, dtype=np.uint64), [0, 1, 2, 3, 4, 5]),
    ],
)
def test_labels_that_are_right(tmp_path: Path, labels: Any, expected: list[int]) -> None:
    for arrays in ({"spikes": SPIKES}, LEVELS):
        found = load(tmp_path, labels=labels, **arrays).labels
        assert found is not None and found.tolist() == expected and found.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "message", "remedy"),
    [
        (list("abcdef"), "are text, the first is 'a'", "np.unique"),
        (np.array([b"a"] * 6), "are text", "np.unique"),
        ([0.9, 1.2, 2, 3, 0, 1], r"whole numbers, found 0\.9 at 0 \(2 of 6\)", "round"),
        ([0, np.nan, 2, 3, 0, 1], r"whole numbers, found nan at 1 \(1 of 6\)", "round"),
        ([0, np.inf, 2, 3, 0, 1], "whole numbers, found inf at 1", "round"),
        ([0, 1e300, 2, 3, 0, 1], "whole numbers, found 1e\\+300 at 1", "round"),
        ([0, -1, 2, 3, 0, -1], r"from 0, found -1 at 1 \(2 of 6\)", "leave"),
        (np.full(6, 2**63, np.uint64), "from 0, found 9223372036854775808 at 0", "leave"),
        (EYE, r"must have shape \(6,\), not \(6, 4\)", "one-hot: store labels.argmax"),
        (np.zeros((6, 4)) + 7, r"must have shape \(6,\), not \(6, 4\)", ""),
        (np.zeros(12), r"must have shape \(6,\), not \(12,\)", "swapaxes"),
        (np.zeros(5), r"must have shape \(6,\), not \(5,\)", ""),
        (np.zeros(6, complex), "must be numbers, not complex128", "give an"),
        (np.zeros(6, "M8[s]"), "must be numbers, not datetime", "give an"),
        (np.zeros(6, [("x", "i4")]), "a table of events", "data"),
    ],
)
def test_labels_that_are_wrong(tmp_path: Path, labels: Any, message: str, remedy: str) -> None:
    for arrays in ({"spikes": SPIKES}, LEVELS):
        if remedy == "swapaxes" and arrays is LEVELS:
            continue
        with pytest.raises(SpikeletError, match=rf"s\.npz: labels .*{message}") as caught:
            load(tmp_path, labels=labels, **arrays)
        assert remedy in caught.value.remedy


def test_labels_against_the_outputs() -> None:
    def samples(*labels: int) -> Samples:
        return Samples(np.zeros((len(labels), 1, 1), np.uint8), np.array(labels))

    samples(0, 3, 1).check_labels(4)
    Samples(np.zeros((1, 1, 1), np.uint8)).check_labels(4)
    with pytest.raises(SpikeletError, match=r"0\.\.3, the network's .* sample 2 is 4 ") as caught:
        samples(0, 1, 4, 5).check_labels(4)
    assert "count from 1" not in caught.value.remedy
    with pytest.raises(SpikeletError, match="sample 3 is 4") as caught:
        samples(1, 2, 3, 4).check_labels(4)
    assert "count from 1: store labels - 1, which are 0..3" in caught.value.remedy


@pytest.mark.parametrize("dtype", ["<u1", "|b1", ">i4", ">f8", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_spikes_of_any_number_format(tmp_path: Path, dtype: str, order: str) -> None:
    found = load(tmp_path, spikes=np.asarray(SPIKES, dtype, order=order)).spikes
    assert np.array_equal(found, SPIKES) and found.dtype == np.uint8
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("arrays", "message", "remedy"),
    [
        ({}, "holds nothing", "give an .npz"),
        ({"events": np.zeros(3)}, "holds events", "give an .npz"),
        ({"events": np.zeros(3, [("t", "i8")])}, "holds events", "spikelet data"),
        ({"spikes": np.where(SPIKES, 1, -1)}, "must be 0 or 1, found -1 at sample 0", "levels"),
        (
            {"spikes": np.where(SPIKES, 3, 0)},
            "must be 0 or 1, found 3 at sample 0",
            "--merge-counts",
        ),
        ({"spikes": np.where(SPIKES, 1, np.nan)}, "must be 0 or 1, found nan", "levels"),
        ({"spikes": SPIKES[0]}, "must have 3 axes .*, not 2: ", r"spikes[None]"),
        ({"spikes": SPIKES[None]}, "must have 3 axes .*, not 4", "frames (ticks, p, y, x)"),
        ({"spikes": SPIKES[None, None, None]}, "must have 3 axes .*, not 6", "reshape"),
        ({"spikes": np.zeros((0, 12, 6))}, r"has shape \(0, 12, 6\): there is nothing", "give"),
        ({"spikes": np.zeros((3, 0, 6))}, r"has shape \(3, 0, 6\): there is nothing", "give"),
        ({"spikes": np.zeros(5, [("x", "i2"), ("t", "i8")])}, "a table of events", "data"),
        ({"spikes": np.full((1, 2, 3), "a")}, "must be numbers, not <U1", "give"),
        ({**LEVELS, "full_scale": [8, 8]}, r"full_scale must be one number, not an .*\(2,\)", ""),
        ({**LEVELS, "ticks": 10.7}, r"ticks must be whole numbers, found 10\.7 at 0", "round"),
        ({**LEVELS, "ticks": np.nan}, "ticks must be whole numbers, found nan", "round"),
        ({**LEVELS, "ticks": "ten"}, "ticks must be numbers, not <U3", "give"),
        ({**LEVELS, "ticks": 0}, "ticks must be an int of 1 or more, not 0", ""),
        ({**LEVELS, "ticks": 10**12}, "places for a spike; at most 2,147,483,648", "fewer"),
        ({**LEVELS, "full_scale": 10**12}, r"full_scale must be an int in 1\.\.", ""),
        ({**LEVELS, "full_scale": 7}, r"must be in 0\.\.7, found 0\.\.8", ""),
        (
            {**LEVELS, "levels": np.full((2, 4), 0.5)},
            "levels must be whole numbers, found",
            "np.rint(255 * levels)",
        ),
        ({**LEVELS, "levels": np.zeros(4)}, "levels must have 2 axes .*, not 1", "give"),
    ],
)
def test_values_that_are_wrong(
    tmp_path: Path, arrays: dict[str, Any], message: str, remedy: str
) -> None:
    with pytest.raises(SpikeletError, match=rf"s\.npz.*{message}") as caught:
        load(tmp_path, **arrays)
    assert remedy in caught.value.remedy
    assert str(caught.value).count("s.npz") == 1


def test_numbers_in_other_forms(tmp_path: Path) -> None:
    expected = load(tmp_path, **LEVELS).spikes
    for changed in (
        {"full_scale": np.array([8]), "ticks": np.array([[5]])},
        {"full_scale": 8.0, "ticks": np.float32(5)},
        {"levels": LEVELS["levels"].astype(">f8")},
        {"levels": np.asfortranarray(LEVELS["levels"].astype(">i2"))},
    ):
        assert np.array_equal(load(tmp_path, **{**LEVELS, **changed}).spikes, expected)


def test_sets_of_one_file() -> None:
    """Our own digits hold two: the message names them and how to choose."""
    with pytest.raises(SpikeletError, match="holds test_levels, test_labels, test_e") as caught:
        load_samples(DIGITS)
    assert f"('calibration_', 'test_') behind a colon, such as {DIGITS}:calibration_" in (
        caught.value.remedy
    )
    chosen = load_samples(f"{DIGITS}:test_")
    assert np.array_equal(chosen.spikes, load_samples(DIGITS, "test_").spikes)
    assert len(chosen.spikes) == 360 and len(load_samples(f"{DIGITS}:calibration_").spikes) == 200
    with pytest.raises(SpikeletError, match="has no train_spikes and no train_levels"):
        load_samples(f"{DIGITS}:train_")


def test_one_set_needs_no_choice(tmp_path: Path) -> None:
    np.savez(tmp_path / "a:b.npz", test_spikes=SPIKES, test_labels=np.arange(6))
    for path in (tmp_path / "a:b.npz", f"{tmp_path / 'a:b.npz'}:test_"):
        found = load_samples(path)
        assert np.array_equal(found.spikes, SPIKES) and found.labels is not None


@pytest.mark.parametrize("count", [0, -3])
def test_the_first_of_none(count: int) -> None:
    with pytest.raises(SpikeletError, match=f"must be 1 or more, not {count}"):
        Samples(SPIKES.astype(np.uint8)).first(count)


def test_the_first_ticks() -> None:
    spikes = SPIKES.astype(np.uint8)
    spikes[1, 4:] = 0
    recorded = {"": np.arange(6), "a": np.arange(6 * 12 * 2).reshape(6, 12, 2)}
    lengths = np.array([12, 4, 12, 12, 12, 12])
    given = Samples(spikes, np.arange(6), lengths=lengths, expected=recorded)
    found = given.shortened(5)
    assert np.array_equal(found.spikes, spikes[:, :5])
    assert found.lengths is not None and found.lengths.tolist() == [5, 4, 5, 5, 5, 5]
    assert list(found.expected) == ["a"]  # a class is of the whole sample
    assert np.array_equal(found.expected["a"], recorded["a"][:, :5])
    assert found.labels is given.labels
    for ticks in (0, 13):
        with pytest.raises(SpikeletError, match=rf"must be in 1\.\.12, .*, not {ticks}$"):
            given.shortened(ticks)


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (np.zeros((6, 5)), "must be integers"),
        (np.zeros(6, int), r"must have shape \(6, 12\), not \(6,\)"),
        (np.zeros((6, 5), int), r"must have shape \(6, 12\), not \(6, 5\)"),
    ],
)
def test_rewards(tmp_path: Path, reward: Any, message: str) -> None:
    np.savez(tmp_path / "s.npz", spikes=SPIKES, reward=reward)
    with pytest.raises(SpikeletError, match=rf"s\.npz: reward {message}"):
        load_learning_samples(tmp_path / "s.npz", None)


FRAMES = RNG.integers(0, 3, (3, 5, 2, 4, 6))
"""Counts of events as tonic's ToFrame makes them: samples, ticks, polarities, rows, columns."""


def test_frames_are_flattened_and_their_shape_is_kept(tmp_path: Path) -> None:
    found = load(tmp_path, spikes=FRAMES > 0, labels=[0, 1, 1])
    assert found.input_shape == (2, 4, 6)
    assert np.array_equal(found.spikes, (FRAMES > 0).reshape(3, 5, 48))
    assert found.first(1).input_shape == (2, 4, 6)
    assert load(tmp_path, spikes=SPIKES).input_shape is None


def test_counts_become_spikes_on_request(tmp_path: Path) -> None:
    lost, events = int(np.maximum(FRAMES - 1, 0).sum()), int(FRAMES.sum())
    said = f"{lost} of {events} events are lost"
    with pytest.raises(SpikeletError, match=f"found 2 at .*{said}") as caught:
        load(tmp_path, spikes=FRAMES)
    assert "--merge-counts" in caught.value.remedy
    with pytest.warns(SpikeletWarning, match=rf"s\.npz: spikes: {said} where counts above 1"):
        found = load_samples(tmp_path / "s.npz", merge_counts=True)
    assert np.array_equal(found.spikes, (FRAMES > 0).reshape(3, 5, 48))
    for wrong in (-1, 1.5, np.inf, np.nan):
        np.savez(tmp_path / "s.npz", spikes=np.where(FRAMES == 2, wrong, FRAMES))
        with pytest.raises(SpikeletError, match=f"must be 0 or 1, found {wrong}"):
            load_samples(tmp_path / "s.npz", merge_counts=True)


def test_arrays_with_the_ticks_first(tmp_path: Path) -> None:
    """They are asked about where something else says how many samples there are."""
    time_first = SPIKES.swapaxes(0, 1)
    for name, values in (("labels", np.zeros(6)), ("lengths", np.full(6, 12))):
        with pytest.raises(SpikeletError, match=name) as caught:
            load(tmp_path, spikes=time_first, **{name: values})
        assert "is the first axis of spikes the ticks?" in caught.value.remedy
        found = load_samples(tmp_path / "s.npz", time_first=True)
        assert np.array_equal(found.spikes, SPIKES)
    np.savez(tmp_path / "s.npz", spikes=time_first, reward=np.zeros((6, 12), int))
    with pytest.raises(SpikeletError, match="reward must have shape") as caught:
        load_learning_samples(tmp_path / "s.npz", None)
    assert "is the first axis of spikes the ticks?" in caught.value.remedy


def test_files_that_were_pickled(tmp_path: Path) -> None:
    ragged = np.empty(2, object)
    ragged[:] = [np.zeros((3, 4)), np.zeros((5, 4))]
    np.savez(tmp_path / "s.npz", spikes=ragged)
    with pytest.raises(SpikeletError, match="'spikes' holds Python objects") as caught:
        load_samples(tmp_path / "s.npz")
    assert "`lengths`" in caught.value.remedy
    (tmp_path / "s.pkl").write_bytes(pickle.dumps([1]))
    with pytest.raises(SpikeletError, match="is a Python pickle") as caught:
        load_samples(tmp_path / "s.pkl")
    assert "np.savez(PATH, NAME=array)" in caught.value.remedy
    with zipfile.ZipFile(tmp_path / "s.pt", "w") as archive:  # as torch.save makes it
        archive.writestr("s/data.pkl", b"")
    with pytest.raises(SpikeletError, match=r"is a PyTorch file") as caught:
        load_samples(tmp_path / "s.pt")
    assert "tensor.numpy()" in caught.value.remedy
