"""The learning experiments, in short: what they reach, and what their inputs are made of."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from spikelet import SpikeletError
from spikelet.examples.learning import correlation, drift, reward, sdsp_digits, stuck_cells
from spikelet.examples.learning.digits16 import SIDE, Digits, Preparation, deskewed, scaled
from spikelet.examples.learning.support import area_under_curve, compare, save, separation

SMALL = correlation.Task(levels=16, devices=2, synapses=100, steps=400)
PLAN = sdsp_digits.Plan()


def test_scores():
    high, low = np.array([2.0, 4.0]), np.array([1.0, 1.0, 3.0, 3.0])
    assert separation(high, low) == pytest.approx(1.0)
    assert separation(low, high) == pytest.approx(-1.0)
    assert area_under_curve(high, low) == pytest.approx(6 / 8)
    assert area_under_curve(np.array([1.0, 3.0]), low) == pytest.approx(1 / 2)
    assert separation(np.ones(2), np.zeros(3)) == np.inf


def test_correlated_spikes_have_the_rate_and_correlation():
    task = correlation.Task(synapses=100, steps=20_000)
    spikes = correlation.correlated_spikes(task)
    assert spikes.mean(axis=0) == pytest.approx(correlation.PROBABILITY, abs=0.012)
    among = np.corrcoef(spikes.T.astype(float))
    off = ~np.eye(100, dtype=bool)
    first = np.zeros((100, 100), bool)
    first[:10, :10] = True
    assert among[first & off] == pytest.approx(correlation.CORRELATION, abs=0.03)
    assert among[~first & off] == pytest.approx(0, abs=0.05)


def test_a_step_programs_one_device_of_each_synapse_in_turn():
    task = replace(SMALL, steps=120, noise=0.0)
    learned = correlation.detect(task, record=("spikes", "learning"))
    assert learned.recording.learned is not None and learned.recording.spikes is not None
    codes = learned.recording.learned[0]["devices"][0, ..., 0].astype(
        int
    )  # (ticks, devices, inputs)
    selected = learned.recording.learned[0]["selected"][0, :-1, 0]
    moved = np.diff(codes, axis=0)
    fired = learned.recording.spikes[0][0, :, 0]
    now, before = fired[1:], fired[:-1]
    spikes = correlation.correlated_spikes(task)[1:]
    for device in range(task.devices):
        steps = moved[:, device]
        assert steps[selected == device].any() and not steps[selected != device].any()
        assert not steps[~spikes].any() and not steps[~now & ~before].any()
        assert (steps[now & ~before] >= 0).all() and (steps[before & ~now] <= 0).all()
    assert fired.sum() > 5


def test_more_devices_tell_the_groups_apart_better():
    base = correlation.Task(synapses=300, steps=2500)
    found = {devices: correlation.outcome(replace(base, devices=devices)) for devices in (1, 3)}
    assert found[3].separation > found[1].separation + 0.5
    assert found[3].area > found[1].area + 0.03
    assert found[1].spikes > 100


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"levels": 257}, r"^task: levels must be an int in 2\.\.256, not 257$"),
        ({"synapses": 9}, r"^task: synapses must be an int in 10\.\.4096, not 9$"),
        ({"steps": 0}, r"^task: steps must be an int in 1\.\.1048576, not 0$"),
    ],
)
def test_correlation_refuses(fields, message):
    with pytest.raises(SpikeletError, match=message):
        correlation.Task(**fields)


@pytest.mark.slow
def test_learning_with_stuck_cells_brings_back_half_of_what_they_cost():
    assert stuck_cells.main(["--seeds", "2", "--epochs", "2"]) == 0
    with pytest.raises(SpikeletError, match="--seeds and --epochs must be 1 or more"):
        stuck_cells.main(["--epochs", "0"])


@pytest.mark.slow
def test_scaled_thresholds_make_up_for_a_year_of_drift(tmp_path):
    assert drift.main(["--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["ideal"] > 0.85
    last = results["rows"][-1]
    assert last["scaled"] > last["as_was"] + 0.05 and last["scaled"] > results["ideal"] - 0.06
    with pytest.raises(SpikeletError, match="--epochs and --samples must be 1 or more"):
        drift.main(["--epochs", "0"])


@pytest.mark.parametrize("module", [correlation, reward])
def test_no_seed_at_all(module):
    with pytest.raises(SpikeletError, match=r"^--seeds must be 1 or more, not 0$"):
        module.main(["--seeds", "0"])


def test_reward_teaches_the_choice_and_its_change():
    tasks = [reward.Task(trials=240, seed=seed) for seed in range(3)]
    sessions = [reward.play(task) for task in tasks]
    right = np.array([session.right for session in sessions])
    assert right[:, 60:120].mean() > 0.9
    assert right[:, 120:130].mean() < 0.3  # what was learned first is wrong now
    assert right[:, 210:].mean() > 0.8
    earned = np.where(right, reward.REWARD, -reward.REWARD)
    assert all((s.rewards == e).all() for s, e in zip(sessions, earned, strict=True))


def test_reward_shuffled_or_too_late_teaches_nothing():
    task = reward.Task(trials=200)
    session = reward.play(task)
    control = reward.shuffled(task, session)
    assert sorted(control.rewards) == sorted(session.rewards)
    assert (control.rewards != session.rewards).any()
    assert control.right[50:100].mean() < 0.8 < session.right[50:100].mean()
    late = reward.play(replace(task, delay=1000))
    assert late.right.mean() < 0.7


@pytest.mark.parametrize(("field", "least"), [("trials", 2), ("delay", 1), ("seed", 0)])
def test_reward_refuses(field, least):
    with pytest.raises(SpikeletError, match=rf"^task: {field} must be {least} or more, not -1$"):
        reward.Task(**{field: -1})
    with pytest.raises(SpikeletError, match=r"^task: trials must be even, not 51$"):
        reward.Task(trials=51)
    with pytest.raises(SpikeletError, match=r"^--trials must be 50 or more, not 49$"):
        reward.main(["--trials", "49"])


def test_lessons():
    digits = Digits.small()[0].part(0, 3)
    spikes = sdsp_digits.lessons(digits, PLAN)
    assert spikes.shape == (3, PLAN.ticks + 2, SIDE * SIDE + 80)
    pixels, teachers = np.split(spikes, [SIDE * SIDE], axis=2)
    volley = pixels[:, :-2]
    assert (volley.sum(axis=(1, 2)) == np.minimum(PLAN.pixels, (digits.levels > 0).sum(1))).all()
    assert volley.sum(axis=2).max() == 1
    assert (pixels[:, -1] == volley.sum(axis=1)).all() and not pixels[:, -2].any()
    expected = np.eye(10, dtype=int)[digits.labels].repeat(8, axis=1)
    assert (teachers[:, -2] == expected).all()
    assert teachers.sum() == expected.sum()
    assert (sdsp_digits.volleys(digits, PLAN) == spikes[:, :-2] * (np.arange(336) < 256)).all()


def test_a_lesson_lifts_the_taught_and_lowers_the_others():
    """Without calcium to stop it, and with certain steps."""
    plan = replace(PLAN, gates=False, shift_up=0, shift_down=0)
    digits = Digits.small()[0].part(0, 1)
    plastic = sdsp_digits.build(plan, 1)
    before = plastic.weights("pixels", "digits").astype(int)
    state = sdsp_digits.train(plastic, digits, plan)
    change = plastic.weights("pixels", "digits", state.image) - before
    shown = sdsp_digits.volleys(digits, plan)[0, :, :256].any(axis=0)
    expected = np.where(np.arange(10) == digits.labels[0], 1, -1) * shown[:, None]
    assert (change == expected).all()


def test_calcium_decides():
    """No neuron spikes enough to be lowered, none little enough to be lifted: nothing changes."""
    plan = replace(PLAN, too_many=200, enough=1)
    digits = Digits.small()[0].part(0, 5)
    plastic = sdsp_digits.build(plan, 1)
    state = sdsp_digits.train(plastic, digits, plan)
    after = plastic.weights("pixels", "digits", state.image)
    assert (after == plastic.weights("pixels", "digits")).all()
    taught_only = replace(plan, enough=255)
    state = sdsp_digits.train(sdsp_digits.build(taught_only, 1), digits, taught_only)
    change = plastic.weights("pixels", "digits", state.image) - after
    assert change.min() == 0 and set(np.flatnonzero(change.any(axis=0))) == set(digits.labels)


def test_small_digits_are_learned():
    training, held_out = Digits.small()
    plastic = sdsp_digits.build(PLAN, 1)
    untrained = sdsp_digits.accuracy(plastic, held_out, PLAN, plastic.initial_state())
    state = sdsp_digits.train(plastic, training, PLAN)
    assert untrained < 0.35
    assert sdsp_digits.accuracy(plastic, held_out, PLAN, state) > 0.7


def test_images_are_encoded_in_parts(monkeypatch):
    training = Digits.small()[0].part(0, 60)
    plastic = sdsp_digits.build(PLAN, 1)
    whole = sdsp_digits.train(plastic, training, PLAN)
    share = sdsp_digits.accuracy(plastic, training, PLAN, whole)
    monkeypatch.setattr(sdsp_digits, "CHUNK", 25)
    parts = sdsp_digits.train(plastic, training, PLAN)
    assert (parts.checksums() == whole.checksums()).all()
    assert sdsp_digits.accuracy(plastic, training, PLAN, parts) == share


def test_deskewed():
    """A slanted bar stands upright in the middle; its mass stays."""
    image = np.zeros((1, 28, 28))
    for row in range(4, 24):
        image[0, row, 4 + row // 2 : 7 + row // 2] = 90.0
    straight = deskewed(image)
    columns = np.arange(28)
    centres = (straight[0, 4:24] @ columns) / straight[0, 4:24].sum(axis=1)
    assert centres == pytest.approx(13.5, abs=0.35)
    assert straight.sum() == pytest.approx(image.sum())
    assert (straight[0, :4] == 0).all()


def test_scaled_keeps_the_mean():
    image = np.random.default_rng(0).random((2, 20, 20))
    smaller = scaled(image, SIDE)
    assert smaller.shape == (2, SIDE, SIDE)
    assert smaller.mean(axis=(1, 2)) == pytest.approx(image.mean(axis=(1, 2)))
    assert scaled(image, 20) == pytest.approx(image)
    assert smaller[0, 0, 0] == pytest.approx(
        (image[0, 0, 0] + (image[0, 0, 1] + image[0, 1, 0]) / 4 + image[0, 1, 1] / 16) / 1.5625
    )


def test_mnist_refuses_images_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "spikelet.examples.learning.digits16.load_mnist",
        lambda folder: (np.ones((5, 784), np.uint8), np.zeros(5, np.uint8)),
    )
    assert Digits.mnist(tmp_path, 1, 5, Preparation()).levels.shape == (4, 256)
    with pytest.raises(SpikeletError, match=r"images 1 to 5 are wanted of 5$"):
        Digits.mnist(tmp_path, 1, 6, Preparation())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "40001"], r"^--images must be in 1\.\.40000, not 40001$"),
        (["--seeds", "0"], r"^--seeds must be in 1\.\.1000, not 0$"),
        (["--ablate"], r"^--ablate needs MNIST's validation images"),
        (["--data", "nowhere"], r"^nowhere/train-images-idx3-ubyte\.gz "),
    ],
)
def test_sdsp_refuses(arguments, message):
    with pytest.raises(SpikeletError, match=message):
        sdsp_digits.main(arguments)


def test_rtl_is_golden():
    """The smallest of the three; then it is seen that a difference would be."""
    task = reward.Task(trials=12)
    record = ("spikes", "states", "checksums")

    def run(engine: str):
        return reward.play(task, engine=engine, record=record).traces

    found = compare(run)
    assert found.equal, found.difference
    assert (found.samples, found.ticks) == (24, 12 * 90)
    assert {"spikes", "states", "checksums"} <= set(found.compared)
    assert found.cycles > found.ticks * 20

    def other(engine: str):
        seed = 0 if engine == "golden" else 1
        return reward.play(reward.Task(trials=2, seed=seed), record=record).traces

    differing = compare(other)
    assert not differing.equal
    assert "DIFFERENT" in str(differing)


def test_command_line_writes_table_picture_and_figures(tmp_path, capsys):
    folder = tmp_path / "out"
    arguments = ["--quick", "--no-rtl", "--out", str(folder)]
    assert sdsp_digits.main(arguments) == 0
    assert "wrote" in capsys.readouterr().out
    report = json.loads((folder / "results.json").read_text())
    assert report["held_out"][0]["accuracy"][0] > 0.7
    assert report["images"] == 460
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_results_that_cannot_be_written(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SpikeletError, match=r"file.results.json cannot be written: "):
        save(file, {"tools": {}}, Figure())
