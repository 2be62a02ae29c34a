"""Memristive synapses as they are described: codes, weights, what differs, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.chip.state_words import learned_words, state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.variability import DEAD, STUCK, Variability
from tests.cosim.plastic import plastic_chip, plastic_image

FLAT = Devices(3, up=(16,) * 12, down=(16,) * 12)
FULL = replace(FLAT, noise=5, off=2, faults=True, variation=True, write_bits=6)
PAIRS = replace(FULL, pairs=True, refresh=9)
RULE = LearningRule("x1*y0", x1=TraceParams(4, decay_shift=1))


def test_a_code_holds_all_of_a_device():
    assert (FLAT.code_bits, FULL.code_bits) == (4, 4 + 1 + 4 + 6)
    rng = np.random.default_rng(1)
    values = {
        "level": rng.integers(0, 12, (3, 4, 5)),
        "stuck": rng.integers(0, 2, (3, 4, 5)),
        "variation": rng.integers(-8, 8, (3, 4, 5)),
        "writes": rng.integers(0, 64, (3, 4, 5)),
    }
    codes = FULL.codes(**values)
    assert codes.dtype == np.int32 and codes.min() >= 0
    assert codes[0, 0, 0] == (
        values["level"][0, 0, 0]
        | values["stuck"][0, 0, 0] << 4
        | (values["variation"][0, 0, 0] & 15) << 5
        | values["writes"][0, 0, 0] << 9
    )
    for name, value in values.items():
        assert np.array_equal(FULL.read(codes, name), value)
    assert np.array_equal(FULL.weights(codes), 3 * 2 + values["level"].sum(axis=0))
    assert not FLAT.read(codes, "writes").any()
    with pytest.raises(SpikeletError, match="stuck is given, but these devices have none"):
        FLAT.codes(stuck=np.ones(1, int))


def test_weights_are_shared_out_equally():
    weights = np.arange(FULL.w_min, FULL.w_max + 1).reshape(1, -1)
    levels = FULL.shared(weights)
    assert np.array_equal(FULL.weights(FULL.codes(level=levels)), weights)
    assert (np.ptp(levels, axis=0) <= 1).all() and levels.max() == FULL.levels - 1
    assert (FULL.w_min, FULL.w_max) == (6, 39)


def test_of_a_pair_a_code_holds_both_devices():
    rng = np.random.default_rng(1)
    values = {
        "level": rng.integers(0, 12, (6, 4, 5)),
        "stuck": rng.integers(0, 2, (6, 4, 5)),
        "variation": rng.integers(-8, 8, (6, 4, 5)),
        "writes": rng.integers(0, 64, (6, 4, 5)),
    }
    codes = PAIRS.joined(**values)
    assert codes.shape == (3, 4, 5) and PAIRS.code_bits == 30 and codes.min() >= 0
    for name, value in values.items():
        assert np.array_equal(PAIRS.each(codes, name), value)
        assert np.array_equal(PAIRS.read(codes, f"minus_{name}"), value[3:])
    plus, minus = np.split(values["level"], 2)
    assert np.array_equal(codes >> 15, FULL.codes(**{n: v[3:] for n, v in values.items()}))
    assert np.array_equal(PAIRS.weights(codes), (plus - minus).sum(axis=0))
    weights = np.arange(PAIRS.w_min, PAIRS.w_max + 1).reshape(1, -1)
    levels = PAIRS.shared(weights)
    assert np.array_equal(PAIRS.weights(PAIRS.joined(level=levels)), weights)
    assert (np.ptp(levels[:3], axis=0) <= 1).all() and (np.ptp(levels[3:], axis=0) <= 1).all()
    assert not (levels[:3] * levels[3:]).any()
    assert (PAIRS.w_min, PAIRS.w_max) == (-33, 33)  # `off` cancels
    assert not replace(FLAT, down=(17,) * 12, pairs=True).draws  # no pulse takes that step


@pytest.mark.parametrize("pairs", [False, True])
def test_bit_slices_count_by_powers_of_two(pairs):
    devices = Devices(3, up=(16,) * 5, down=(16,) * 5, off=2, bits=3, slice_bits=2, pairs=pairs)
    assert devices.scales == (1, 4, 16)
    assert (devices.w_min, devices.w_max) == ((-84, 84) if pairs else (42, 126))
    weights = np.arange(devices.w_min, devices.w_max + 1).reshape(1, -1)
    codes = devices.joined(level=devices.shared(weights))
    assert np.array_equal(devices.weights(codes), weights)
    level = devices.differences(codes)
    lowest = 0 if pairs else 42
    assert np.array_equal(lowest + level[0] + 4 * level[1] + 16 * level[2], weights)
    rule = RULE.with_devices(devices)
    assert LearningRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    assert "slice_bits" not in RULE.with_devices(FLAT).to_dict()["devices"]


def test_a_rule_with_pairs_survives_json():
    rule = RULE.with_devices(PAIRS)
    assert LearningRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    named = RULE.with_devices(FLAT).to_dict()["devices"]
    assert "pairs" not in named and "refresh" not in named  # digests of other devices stay


def test_only_fractions_noise_and_variation_draw():
    assert not FLAT.draws and not replace(FLAT, faults=True, write_bits=3).draws
    assert replace(FLAT, noise=1).draws and replace(FLAT, variation=True).draws
    assert replace(FLAT, up=(17,) + (16,) * 11).draws
    assert not RULE.with_devices(FLAT).stochastic and RULE.with_devices(FULL).stochastic
    assert [RULE.with_devices(d).visit_draws for d in (FLAT, FULL)] == [1, 2]


def test_a_rule_with_devices_survives_json():
    rule = RULE.with_devices(FULL)
    again = LearningRule.from_dict(json.loads(json.dumps(rule.to_dict())))
    assert again == rule and hash(again) == hash(rule)
    assert "devices" not in RULE.to_dict()  # so that the digests of other chips stay


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "devices: count must be an int in 1..16, not 0"),
        ({"count": 17}, "count must be an int in 1..16"),
        ({"bits": 9}, "devices: bits must be an int in 1..8, not 9"),
        ({"bits": 3}, "up has a step for each of 12 levels, but 3 bits hold 2 to 8"),
        ({"up": (16,)}, "up has a step for each of 1 levels"),
        ({"up": (16,) * 11}, "up and down must be of the same levels, not 11 and 12"),
        ({"up": (16,) * 11 + (-1,)}, r"up must be an int in 0..4095, not -1"),
        ({"down": 16}, "down must be a list of ints, not 16"),
        ({"noise": -1}, "noise must be an int in 0..4095"),
        ({"off": 80}, "3 of conductances up to 91 add up to 273, but a weight is at most 255"),
        ({"write_bits": 17}, "write_bits must be an int in 0..16"),
        ({"faults": 1}, "faults must be true or false"),
        ({"pairs": 1}, "pairs must be true or false"),
        ({"slice_bits": 4}, "slice_bits of 4 need 16 levels or more, but there are 12: weights in"),
        ({"slice_bits": 9}, r"slice_bits must be an int in 0..8, not 9"),
        (
            {"slice_bits": 3},
            "3 of conductances up to 11 add up to 803, but a weight is at most 255",
        ),
        ({"refresh": 3}, "refresh is that of differential pairs, but there are none"),
        ({"pairs": True, "refresh": 12}, r"refresh must be an int in 0..11, not 12"),
        ({"pairs": True, "count": 12}, "12 of differences up to 11 add up to 132, .* at most 127"),
        ({"pairs": True, "write_bits": 12}, "a code of a pair takes 32 bits, but has 31 at most"),
    ],
)
def test_what_devices_cannot_be(changes, message):
    with pytest.raises(SpikeletError, match=message):
        replace(FLAT, **changes)


def test_a_rule_has_the_bounds_of_its_devices():
    with pytest.raises(SpikeletError, match="w_min and w_max must be 0 and 33"):
        replace(RULE, devices=FLAT, w_max=34)


def test_variability_is_drawn_from_its_seed():
    devices = replace(FLAT, up=(16,) * 16, down=(16,) * 16, faults=True, variation=True)
    weights = np.full((200, 50), 23)
    drawn = Variability(seed=7, step=0.25, stuck=0.1, dead=0.05)
    codes = drawn.codes(devices, weights)
    assert np.array_equal(codes, drawn.codes(devices, weights))
    assert (codes != replace(drawn, seed=8).codes(devices, weights)).any()
    stuck = devices.read(codes, "stuck") == 1
    level, variation = (devices.read(codes, name) for name in ("level", "variation"))
    assert abs(stuck.mean() - 0.15) < 0.01
    assert abs((stuck & (level == 0)).mean() - 0.05 - 0.1 / 16) < 0.01
    assert set(np.unique(level[~stuck])) == {7, 8}  # 23 in three
    assert abs(variation.mean()) < 0.1 and abs(variation.std() - 2) < 0.1
    assert drawn.built(FLAT) == replace(FLAT, faults=True, variation=True)
    assert Variability().built(FLAT) == FLAT and Variability().built(FULL) == FULL


def test_a_fault_map_says_which_are_stuck():
    devices = replace(FLAT, faults=True)
    faults = np.zeros((3, 2, 1), int)
    faults[0, 1, 0], faults[2, 0, 0] = STUCK, DEAD
    codes = Variability(faults=faults).codes(devices, np.full((2, 1), 15))
    assert devices.read(codes, "level")[..., 0].tolist() == [[5, 5], [5, 5], [0, 5]]
    assert devices.read(codes, "stuck")[..., 0].tolist() == [[0, 1], [0, 0], [1, 0]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": 0}, "seed must not be 0"),
        ({"seed": -1}, "seed must be an int in 1..4294967295, not -1"),
        ({"step": 0.6}, "step must be a number in 0..0.5, not 0.6"),
        ({"stuck": 0.7, "dead": 0.6}, "dead must be a number in 0.."),
        ({"faults": np.zeros(3), "stuck": 0.1}, "give faults, or stuck and dead, not both"),
        ({"faults": np.zeros(3)}, "faults must be integers, not float64"),
        ({"faults": np.array([3])}, "faults must be in 0..2, found 3"),
    ],
)
def test_what_variability_cannot_be(fields, message):
    with pytest.raises(SpikeletError, match=message):
        Variability(**fields)


def test_a_fault_map_must_have_the_shape_of_the_devices():
    faults = np.zeros((2, 3, 4), int)
    with pytest.raises(SpikeletError, match=r"must have shape \(3, 4, 5\): .*not \(2, 3, 4\)"):
        Variability(faults=faults).codes(FULL, np.full((4, 5), 20))


def test_a_fault_map_of_pairs_has_both_devices():
    devices = replace(FLAT, faults=True, pairs=True)
    faults = np.zeros((6, 2, 1), int)
    faults[0, 1, 0], faults[5, 0, 0] = DEAD, STUCK
    codes = Variability(faults=faults).codes(devices, np.array([[-9], [12]]))
    assert devices.each(codes, "level")[..., 0].T.tolist() == [
        [0, 0, 0, 3, 3, 3],
        [0, 4, 4, 0, 0, 0],
    ]
    assert devices.read(codes, "stuck")[..., 0].T.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert devices.read(codes, "minus_stuck")[..., 0].T.tolist() == [[0, 0, 1], [0, 0, 0]]
    with pytest.raises(SpikeletError, match=r"must have shape \(6, 2, 1\)"):
        Variability(faults=faults[:3]).codes(devices, np.zeros((2, 1), int))


def test_devices_are_loaded_and_read_back():
    chip = plastic_chip("devices")
    core, image = chip.cores[0], plastic_image(chip, 3)
    words = dict(image.program(chip).tolist())
    region = ChipMap(chip).cores[0]["devices"]
    assert (region.words, region.bits) == (3 * core.weight_rows * 2, 32)  # 4 * 14 bits: 2 banks
    addresses = state_words(chip)[0]
    read = {
        name: np.array([words[a] for a in where.tolist()], np.uint32)
        for name, where in addresses.items()
        if name in ("devices", "selected", "weights", "random")
    }
    found = learned_words(core, read)
    contents = image.cores[0]
    assert np.array_equal(found["devices"], contents.devices)
    assert np.array_equal(found["selected"], contents.selected)
    by_tick = learned_words(core, {"devices": np.stack([read["devices"]] * 2)})
    assert by_tick["devices"].shape == (2, *contents.devices.shape)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("devices", np.zeros((2, 37, 16), np.int32), r"devices must have shape \(3, 37, 16\)"),
        ("selected", np.zeros(0, np.int32), r"selected must have shape \(1,\)"),
        ("selected", np.array([3], np.int32), "selected must be in 0..2, found 3"),
        ("devices", np.full((3, 37, 16), 15, np.int32), "levels of devices must be in 0..11"),
        ("devices", np.full((3, 37, 16), 1 << 14, np.int32), "devices must be in 0..16383"),
        ("devices", np.zeros((3, 37, 16), np.int32), "add up to 3, but the weight is"),
    ],
)
def test_contents_that_are_not_those_of_the_devices(name, value, message):
    chip = plastic_chip("devices")
    contents = replace(plastic_image(chip, 3).cores[0], **{name: value})
    with pytest.raises(SpikeletError, match=message):
        contents.check(chip.cores[0], "core 0")


def test_a_snapshot_keeps_devices(tmp_path):
    chip = plastic_chip("devices")
    image = plastic_image(chip, 3)
    state = ChipState(chip.digest, 0, image, (CoreState.cleared(chip.cores[0]),))
    state.save(tmp_path / "snapshot.npz")
    again = ChipState.load(tmp_path / "snapshot.npz")
    again.check(chip)
    assert np.array_equal(again.image.cores[0].devices, image.cores[0].devices)
    for name in ("devices", "selected"):
        other = getattr(image.cores[0], name) ^ 1
        changed = replace(image, cores=(replace(image.cores[0], **{name: other}),))
        assert replace(state, image=changed).checksums() != state.checksums()
