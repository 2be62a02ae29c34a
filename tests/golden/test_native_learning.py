"""The native path equals numpy on plastic chips, bit for bit, in all that can be recorded."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage, random_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden import native
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes
from tests.cosim.plastic import WITH_DEVICES, plastic_chip, plastic_image
from tests.cosim.support import cases
from tests.helpers.random_chips import random_events
from tests.helpers.random_plastic import (
    random_plastic_chip,
    random_plastic_image,
    random_reward,
)

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())

EVERYTHING = ("spikes", "states", "learning", "checksums")

RULES = (
    LearningRule("2^-3*x1*y0 - 2^-3*x0*y1", x1=TraceParams(40, 3900), y1=TraceParams(60, 3900)),
    LearningRule(
        "2^-6*x1*(w_max - w)*y0 - 2^-5*x0*y1*w + r*2^-2*t - (w > 90)*u3",
        dt="2^-2*x1*y0 - 2^-2*y2*x0*(v > 0) - 2^-3*t*u1",
        x1=TraceParams(40, decay_shift=3),
        y1=TraceParams(3, bits=2, mode="set"),
        y2=TraceParams(60, decay_shift=4),
        tag_bits=7,
        rounding="stochastic",
        tag_rounding="stochastic",
    ),
    LearningRule(
        "2^-4*(x1 - 3)*y0 + 2^-5*x0*x2*y1",
        x1=TraceParams(40, decay_shift=3),
        x2=TraceParams(40, 4000),
        y1=TraceParams(40, decay_shift=3),
        rounding="stochastic",
    ),
    LearningRule(
        "2^-4*x1*y0*(y3 > 4) - 2^-5*x0*y3*y2 + 2^-6*y3*u1",
        x1=TraceParams(40, decay_shift=3),
        y2=TraceParams(5, decay_shift=2),
        y3=TraceParams(20, 4000),
    ),
    LearningRule("2^-6*x0*y3 + 2^-1*y0", y3=TraceParams(60, 3900)),
    LearningRule("2^-1*w*x0*y0 - x0*v*2^-6 + r*2^-1", w_min=-100, w_max=100),
    LearningRule(
        "2^-16*x1*y1*x0 - 2^-16*x1*y1*y0",
        x1=TraceParams((1 << 15) - 1, 4095, bits=15),
        y1=TraceParams((1 << 15) - 1, 4095, bits=15),
    ),
)
"""The last fills its accumulator."""


def compare(
    chip: ChipParams, image: ChipImage, rng: np.random.Generator, runs: int = 3
) -> tuple[int, int]:
    """Run both, with and without clear, switched and restored; return (spikes, changes)."""
    pair = [GoldenChip(chip, image, backend=backend) for backend in ("native", "numpy")]
    spikes = changes = 0
    for number in range(runs):
        events = random_events(rng, chip, samples=3, ticks=14)
        reward = random_reward(rng, chip, 3, 14)
        clear = bool(rng.integers(2))
        if number == runs - 1:
            for golden in pair:
                golden.learn(False)
        got, expected = (
            golden.run(events, record=EVERYTHING, reward=reward, clear=clear) for golden in pair
        )
        assert got.first_difference(expected) is None, chip.cores[0].learning
        assert len(got.compared(expected)) == 7 and got.notes["backend"] == "native"
        assert np.array_equal(got.cycles, expected.cycles)
        pair[number % 2].restore(pair[1 - number % 2].snapshot())
        assert expected.spikes and expected.learned
        spikes += sum(int(fired.sum()) for fired in expected.spikes)
        changes += int((np.diff(expected.learned[0]["weights"], axis=1) != 0).sum())
    return spikes, changes


def chip_of(
    rule: LearningRule, n_axons: int, n_neurons: int, lanes: int, rng: np.random.Generator
) -> tuple[ChipParams, ChipImage]:
    """Return a core with this rule, which fires for a share of its inputs, and its contents."""
    core = CoreParams(
        n_axons,
        n_neurons,
        neuron_model("nir-euler"),
        weight_bits=8,
        lanes=lanes,
        parameters={"decay": "shared"},
        delay_slots=4,
        learning=rule,
    )
    neurons = np.arange(n_neurons)
    shape = (n_axons, n_neurons)
    image = CoreImage(
        rng.integers(max(rule.w_min, -20), 100, shape).astype(np.int16),
        destinations(neurons, 0, neurons % n_axons, 1 + neurons % 3),
        {
            "threshold": np.array([60 * (1 + n_axons // 12)], np.int32),
            "decay": np.array([3600], np.int32),
        },
        plastic=rng.random(n_axons) < 0.9,
        tags=rng.integers(-9, 9, shape if rule.tag_bits else (0, 0)).astype(np.int8),
        random=random_states(lanes if rule.stochastic else 0, 1),
    )
    return ChipParams((core,)), ChipImage((image,))


@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
def test_rules_in_cores_of_many_shapes(rule: LearningRule) -> None:
    rng = np.random.default_rng(1)
    spikes = changes = 0
    for n_axons, n_neurons, lanes in ((1, 1, 1), (9, 64, 64), (65, 66, 2), (40, 128, 16)):
        counts = compare(*chip_of(rule, n_axons, n_neurons, lanes, rng), rng, runs=2)
        spikes, changes = spikes + counts[0], changes + counts[1]
    assert spikes > 300 and changes > 300, "the networks hardly learned"


@pytest.mark.parametrize("name", cases(WITH_DEVICES[1:], **{n: n for n in WITH_DEVICES}))
def test_memristive_synapses(name: str) -> None:
    rng = np.random.default_rng(2)
    chip = plastic_chip(name, **({"n_neurons": 12} if name == "devices" else {}))
    seed = 4 if name == "scaled_devices" else 3  # with which enough neurons fire
    spikes, changes = compare(chip, plastic_image(chip, seed), rng)
    assert spikes > 50 and changes > 50, (spikes, changes)


@pytest.mark.parametrize("seed", range(10))
def test_random_plastic_chips(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chip = random_plastic_chip(rng, most_cores=3, teachers=True)
    compare(chip, random_plastic_image(rng, chip), rng)


@pytest.mark.parametrize(("weight_format", "weight"), [("unsigned", 255), ("signed", -128)])
def test_sums_of_more_rows_than_16_bits_hold(weight_format: str, weight: int) -> None:
    rule = LearningRule("x0", w_max=127)
    core = CoreParams(
        *(600, 70, neuron_model("nir-euler")),
        weight_bits=8,
        weight_format=weight_format,
        potential_bits=24,
        lanes=1,
        learning=rule,
    )
    image = CoreImage(
        np.full((600, 70), weight, np.int16),
        joined(),
        {"threshold": np.array([core.v_max], np.int32)},
        plastic=np.zeros(600, np.bool_),
    )
    for n_active in (127, 128, 129, 257, 600):
        spikes = np.zeros((1, 1, 600), np.uint8)
        spikes[:, :, :n_active] = 1
        inputs = DenseSpikes(spikes, np.array([(a, 0, a, 0) for a in range(600)]))
        trace = GoldenChip(ChipParams((core,)), ChipImage((image,)), backend="native").run(inputs)
        assert trace.states and set(trace.states[0]["v"].ravel()) == {n_active * weight}


def test_samples_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    chip, image = chip_of(RULES[0], 40, 64, 16, rng)
    events = random_events(rng, chip, samples=5)
    whole = GoldenChip(chip, image, backend="native").run(events, record=EVERYTHING[:3])
    monkeypatch.setattr(native, "_CHUNK_UPDATES", 1)
    done: list[int] = []
    parts = GoldenChip(chip, image, backend="native").run(
        events, record=EVERYTHING[:3], progress=done.append
    )
    assert parts.first_difference(whole) is None and done == [1, 2, 3, 4, 5]


def test_falls_back_where_the_rule_cannot_be_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rule in (
        RULES[0],
        LearningRule("x0*113", w_max=113),
    ):  # not compiled before in this process
        chip, image = chip_of(rule, 3, 4, 2, np.random.default_rng(0))
        if rule is RULES[0]:  # from here on kernel and neuron update are there
            GoldenChip(chip, image, backend="native")
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    native.warn_of_numpy.cache_clear()
    with pytest.warns(SpikeletWarning, match=r"on numpy.*slower: false cannot compile"):
        notes = GoldenChip(chip, image).notes
    assert notes["backend"] == "numpy"
    assert "false cannot compile learning_rule.c" in notes["backend_note"]
    with pytest.raises(SpikeletError, match=r"^false cannot compile learning_rule\.c"):
        GoldenChip(chip, image, backend="native")
