"""Plastic chips run in parts: snapshots, going on without clear, records, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording, learned_fields
from spikelet.golden import native
from spikelet.golden.chip import GoldenChip, run
from tests.helpers.random_chips import random_chip, random_events, random_image
from tests.helpers.random_plastic import (
    random_plastic_chip,
    random_plastic_image,
    random_reward,
)

EVERYTHING = ("spikes", "states", "learning", "checksums")
TICKS = 12
BACKENDS = [
    "numpy",
    pytest.param(
        "native", marks=pytest.mark.skipif(not native.available(), reason=native.why_not())
    ),
]


def setting(
    seed: int, samples: int = 3
) -> tuple[ChipParams, ChipImage, Events, "np.ndarray[tuple[int, int], np.dtype[np.int64]]"]:
    """Return a random plastic chip with recurrent delays, its contents, inputs and rewards."""
    rng = np.random.default_rng(seed)
    chip = random_plastic_chip(rng, teachers=True)
    image = random_plastic_image(rng, chip)
    events = random_events(rng, chip, samples=samples, ticks=TICKS)
    return chip, image, events, random_reward(rng, chip, samples, TICKS)


def joined(events: Events) -> Events:
    """Return the same events as one long sample."""
    return replace(events, samples=1, ticks=events.samples * events.ticks)


def same(got: ChipState, expected: ChipState) -> bool:
    """Whether two snapshots agree in everything."""
    return got.ticks == expected.ticks and got.checksums().tolist() == expected.checksums().tolist()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(6))
def test_samples_without_clear_are_one_long_run(seed: int, backend: str) -> None:
    chip, image, events, reward = setting(seed)
    parts = GoldenChip(chip, image, backend=backend)
    got = parts.run(events, record=EVERYTHING, reward=reward, clear=False)
    whole = GoldenChip(chip, image, backend=backend)
    expected = whole.run(joined(events), record=EVERYTHING, reward=reward.reshape(1, -1))
    assert same(parts.snapshot(), whole.snapshot())
    assert got.merged_spikes.sum(axis=0).tolist() == expected.merged_spikes[0].tolist()
    for name in ("outputs", "active_axons"):
        shape = getattr(expected, name).shape
        assert np.array_equal(getattr(got, name).reshape(shape), getattr(expected, name))
    assert got.learned and expected.learned
    for mine, theirs in zip(got.learned, expected.learned, strict=True):
        for name, values in theirs.items():
            assert np.array_equal(mine[name].reshape(values.shape), values)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_a_restored_snapshot_goes_on_bit_for_bit(seed: int, clear: bool) -> None:
    chip, image, events, reward = setting(seed)
    first, later = events.samples_between(0, 1), events.samples_between(1, 3)
    one = GoldenChip(chip, image, backend="numpy")
    one.run(first, reward=reward[:1])
    other = GoldenChip(chip, image, backend="numpy")
    other.restore(one.snapshot())
    assert same(other.snapshot(), one.snapshot())
    expected = one.run(later, record=EVERYTHING, reward=reward[1:], clear=clear)
    got = other.run(later, record=EVERYTHING, reward=reward[1:], clear=clear)
    assert got.first_difference(expected) is None and same(other.snapshot(), one.snapshot())
    assert len(got.compared(expected)) == 7


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_values_stay_in_their_ranges(seed: int) -> None:
    chip, image, events, reward = setting(seed)
    golden = GoldenChip(chip, image, backend="numpy")
    golden.run(events, reward=reward, clear=False)
    golden.snapshot().check(chip)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_lanes_change_stochastic_rules_only(seed: int) -> None:
    chip, image, events, reward = setting(seed)
    core = chip.cores[0]
    assert core.learning
    if core.learning.stochastic:
        core = replace(
            core, learning=replace(core.learning, rounding="nearest", tag_rounding="nearest")
        )
    plain = replace(image.cores[0], random=np.zeros(0, np.uint32))
    images = ChipImage((plain, *image.cores[1:]))
    traces = []
    for lanes in (1, core.lanes):
        cores = (replace(core, lanes=lanes, pipelines=1), *chip.cores[1:])
        chip = replace(chip, cores=cores)
        traces.append(run(chip, images, events, record=EVERYTHING, reward=reward, backend="numpy"))
    assert traces[0].first_difference(traces[1]) is None


def test_lanes_change_a_stochastic_rule() -> None:
    seeds = [s for s in range(40) if _stochastic(setting(s)[0])]
    changed = 0
    for seed in seeds:
        chip, image, events, _ = setting(seed)
        core, states = chip.cores[0], image.cores[0].random
        if core.lanes == 1:
            continue
        other = replace(core, lanes=core.lanes // 2, pipelines=1)
        chips = [chip, replace(chip, cores=(other, *chip.cores[1:]))]
        contents = replace(image.cores[0], random=states[: other.lanes])
        images = [image, ChipImage((contents, *image.cores[1:]))]
        sums = [
            GoldenChip(*pair, backend="numpy").run(events, record=("learning",)).learned
            for pair in zip(chips, images, strict=True)
        ]
        assert sums[0] and sums[1]
        changed += not np.array_equal(sums[0][0]["weights"], sums[1][0]["weights"])
    assert changed > 2


def _stochastic(chip: ChipParams) -> bool:
    rule = chip.cores[0].learning
    return rule is not None and rule.rounding == "stochastic" and rule.weight.fraction_bits > 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fixed_core_beside_a_plastic_one_stays(backend: str) -> None:
    for seed in range(20):
        chip, image, events, reward = setting(seed)
        if len(chip.cores) > 1 and not chip.cores[1].update.kept:
            break
    golden = GoldenChip(chip, image, backend=backend)
    trace = golden.run(events, record=EVERYTHING, reward=reward)
    after = golden.snapshot().image.cores
    assert trace.learned and list(trace.learned[1]) == [] and trace.learned[0]
    before = image.cores[1].to_arrays()
    assert len(before) > 6
    for name, values in after[1].to_arrays().items():
        assert values.tolist() == before[name].tolist(), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_given_image_is_never_changed(backend: str) -> None:
    chip, image, events, reward = setting(9)
    before = [core.weights.tolist() for core in image.cores]
    golden = GoldenChip(chip, image, backend=backend)
    golden.run(events, reward=reward)
    first = golden.snapshot()
    sums = first.checksums().tolist()
    golden.run(events, reward=reward, clear=False)
    assert first.checksums().tolist() == sums != golden.snapshot().checksums().tolist()
    assert [core.weights.tolist() for core in image.cores] == before and golden.image is image


def test_records_have_the_shapes_that_are_promised() -> None:
    chip, image, events, reward = setting(5)
    trace = run(chip, image, events, record=EVERYTHING, reward=reward)
    assert trace.learned and trace.checksums is not None
    for core, learned in zip(chip.cores, trace.learned, strict=True):
        fields = learned_fields(core)
        assert list(learned) == list(fields)
        for name, (shape, dtype) in fields.items():
            assert learned[name].shape == (3, TICKS, *shape) and learned[name].dtype == dtype
    assert trace.checksums.shape == (3, len(chip.cores))
    bare = run(chip, image, events, record=(), reward=reward)
    assert bare.learned is None and bare.checksums is None
    assert bare.first_difference(trace) is None and len(bare.compared(trace)) == 3


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_recorded_changes_nothing(seed: int, backend: str) -> None:
    chip, image, events, reward = setting(seed)
    states = []
    for record in ((), EVERYTHING):
        golden = GoldenChip(chip, image, backend=backend)
        golden.run(events, record=record, reward=reward)
        states.append(golden.snapshot())
    assert same(*states)


def _recorded(seed: int = 9) -> Recording:
    chip, image, events, reward = setting(seed)
    return run(chip, image, events, record=EVERYTHING, reward=reward)


def test_a_trace_of_learning_survives_a_file(tmp_path: Path) -> None:
    trace = _recorded()
    trace.save(tmp_path / "recording.npz")
    loaded = Recording.load(tmp_path / "recording.npz")
    assert loaded.first_difference(trace) is None and len(loaded.compared(trace)) == 7
    first = loaded.first(1)
    assert first.learned and first.checksums is not None and len(first.checksums) == 1
    assert all(len(values) == 1 for core in first.learned for values in core.values())


def test_a_damaged_trace_is_refused_or_unharmed(tmp_path: Path) -> None:
    trace, path = _recorded(), tmp_path / "recording.npz"
    trace.save(path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    cuts = [good[:size] for size in rng.integers(0, len(good), 20)]
    flips = [bytearray(good) for _ in range(60)]
    for content in flips:
        content[int(rng.integers(len(good)))] ^= 1 << int(rng.integers(8))
    refused = 0
    for content in [*cuts, *flips]:
        path.write_bytes(content)
        try:
            assert Recording.load(path).first_difference(trace) is None
        except SpikeletError as error:
            assert str(error).startswith(f"{path} is not a readable Recording: ")
            refused += 1
    assert refused > 60


def test_every_learned_value_counts() -> None:
    expected = _recorded()
    assert expected.learned
    for name in expected.learned[0]:
        got = _recorded()
        assert got.learned
        values = got.learned[0][name]
        values[1, 4].flat[-1] ^= 1
        difference = got.first_difference(expected)
        assert difference and (difference.what, difference.sample, difference.tick) == (name, 1, 4)
        assert f"{name} differ first at sample 1, tick 4, core 0" in str(difference)
        if values.ndim == 4:
            axon, neuron = np.array(values.shape[2:]) - 1
            assert f"axon {axon}, neuron {neuron}: expected" in str(difference)


def test_checksums_count_after_all_else_of_their_sample() -> None:
    expected, got = _recorded(), _recorded()
    assert got.checksums is not None
    got.checksums[1, 0] ^= 1
    difference = got.first_difference(expected)
    assert str(difference).startswith("checksums differ first at sample 1, core 0: expected")
    got.outputs[1, -1, 0] ^= 1
    assert (difference := got.first_difference(expected)) and difference.what == "outputs"


def test_traces_of_other_cores_cannot_be_compared() -> None:
    expected, got = _recorded(), _recorded()
    assert got.learned
    del got.learned[0]["weights"]
    with pytest.raises(
        SpikeletError,
        match=r"^cannot compare the learned values of core 0: .+ \(golden\) with weights.*lden\)$",
    ):
        got.first_difference(expected)


def test_what_does_not_fit_is_refused() -> None:
    chip, image, events, _ = setting(1)
    golden = GoldenChip(chip, image)
    for reward, message in (
        (
            np.zeros((3, TICKS + 1), int),
            r"^reward must have shape \(3, 12\), samples and ticks, not",
        ),
        (np.zeros((3, TICKS)), r"^reward must be integers, not float64$"),
    ):
        with pytest.raises(SpikeletError, match=message):
            golden.run(events, reward=reward)
    with pytest.raises(SpikeletError, match=r"^record: any of spikes, .*checksums, not 'weights'$"):
        golden.run(events, record=("weights",))
    state = golden.snapshot()
    with pytest.raises(SpikeletError, match=r"^the snapshot is of structure "):
        golden.restore(replace(state, digest="0" * 64))
    with pytest.raises(SpikeletError, match=r"^snapshot: ticks must be 0 or more, not -1$"):
        golden.restore(replace(state, ticks=-1))
    states = {**state.cores[0].states, "v": state.cores[0].states["v"] + (1 << 24)}
    wrong = replace(state.cores[0], states=states)
    with pytest.raises(SpikeletError, match=r"^snapshot: core 0: v must be in "):
        golden.restore(replace(state, cores=(wrong, *state.cores[1:])))


def test_a_reward_out_of_range_is_refused_where_it_is_used() -> None:
    chips = [setting(seed) for seed in range(30)]
    for uses in (True, False):
        chip, image, events, reward = next(
            s
            for s in chips
            if ("r" in s[0].cores[0].learning.variables) is uses  # type: ignore[union-attr]
        )
        reward[1, 2] = 1 << 15
        if uses:
            with pytest.raises(
                SpikeletError, match=r"^reward, for core 0 must be in -\d+\.\.\d+, f"
            ):
                run(chip, image, events, reward=reward)
        else:
            run(chip, image, events, reward=reward)


def test_a_chip_without_plastic_cores_cannot_learn() -> None:
    rng = np.random.default_rng(2)
    chip = random_chip(rng)
    golden = GoldenChip(chip, random_image(rng, chip))
    with pytest.raises(SpikeletError, match=r"^learn: the chip has no plastic core$"):
        golden.learn(True)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(10))
def test_a_fixed_chip_goes_on_without_clear(seed: int, backend: str) -> None:
    """Also before the first tick of a core and with arrivals several ticks ahead."""
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    image, events = random_image(rng, chip), random_events(rng, chip, samples=4, ticks=3)
    parts, whole = (GoldenChip(chip, image, backend=backend) for _ in range(2))
    got = parts.run(events, clear=False)
    expected = whole.run(joined(events))
    assert np.array_equal(got.outputs.reshape(expected.outputs.shape), expected.outputs)
    assert same(parts.snapshot(), whole.snapshot())
    last = GoldenChip(chip, image, backend=backend)
    last.run(events, record=())
    alone = GoldenChip(chip, image, backend=backend)
    alone.run(events.samples_between(3, 4))
    assert same(last.snapshot(), alone.snapshot())
