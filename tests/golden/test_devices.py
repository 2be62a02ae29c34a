"""What a pulse does, sentence by sentence of the contract, one device at a time in fractions."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.golden import native
from spikelet.golden.devices import noise, programmed
from spikelet.golden.lfsr import draw
from tests.golden.plastic_lab import Lab, lab
from tests.golden.slow_learning import lfsr_steps

CURVED = Devices(
    2,
    up=(90, 70, 50, 30, 20, 10, 5),
    down=(3, 10, 20, 40, 60, 80, 300),
    noise=13,
    faults=True,
    variation=True,
    write_bits=3,
)


def by_hand(devices: Devices, pulse: int, code: dict[str, int], word: int) -> dict[str, int]:
    """The contract's words for one pulse."""
    if not pulse:
        return code
    steps = devices.up if pulse > 0 else devices.down
    step = pulse * Fraction(steps[code["level"]], 16) * Fraction(8 + code["variation"], 8)
    nibbles = [word >> first & 15 for first in (4, 8, 12)]
    step += Fraction(devices.noise, 16) * Fraction(2 * sum(nibbles) - 45, 16)
    moved = math.floor(code["level"] + step + Fraction(word & 15, 16) + Fraction(1, 32))
    level = code["level"] if code["stuck"] else max(0, min(devices.levels - 1, moved))
    return {**code, "level": level, "writes": min(code["writes"] + 1, 7)}


def test_a_pulse_is_that_of_the_contract():
    rng = np.random.default_rng(5)
    for number in range(3000):
        devices = replace(CURVED, noise=13 - number % 2)
        code = {
            "level": int(rng.integers(7)),
            "stuck": int(rng.random() < 0.1),
            "variation": int(rng.integers(-8, 8)),
            "writes": int(rng.integers(8)),
        }
        pulse, word = int(rng.integers(-1, 2)), int(rng.integers(1 << 16))
        codes = devices.codes(**{name: np.array([value]) for name, value in code.items()})
        new = programmed(devices, np.array([pulse]), codes.astype(np.int64), np.array([word]))
        expected = by_hand(devices, pulse, code, word)
        assert {name: int(devices.read(new, name)[0]) for name in code} == expected


def pair_by_hand(devices: Devices, pulse: int, pair: list[dict[str, int]], word: int) -> None:
    """The contract's words for one pulse to a differential pair: G+ and G-, which change."""
    if not pulse:
        return
    pulsed = 0 if pulse > 0 else 1
    pair[pulsed] = by_hand(devices, 1, pair[pulsed], word)
    levels = [device["level"] for device in pair]
    if min(levels) >= devices.refresh and not any(device["stuck"] for device in pair):
        for device, other in zip(pair, reversed(levels), strict=True):
            device["level"] = max(0, device["level"] - other)
        other = pair[1 - pulsed]
        other["writes"] = min(other["writes"] + 1, 7)


def test_a_pulse_to_a_pair_is_that_of_the_contract():
    rng = np.random.default_rng(6)
    devices = replace(CURVED, pairs=True, refresh=4)
    refreshed = 0
    for _ in range(3000):
        pair = [
            {
                "level": int(rng.integers(7)),
                "stuck": int(rng.random() < 0.1),
                "variation": int(rng.integers(-8, 8)),
                "writes": int(rng.integers(8)),
            }
            for _ in devices.sides
        ]
        pulse, word = int(rng.integers(-1, 2)), int(rng.integers(1 << 16))
        codes = devices.joined(**{n: np.array([[d[n]] for d in pair]) for n in pair[0]})
        new = programmed(devices, np.array([[pulse]]), codes.astype(np.int64), np.array([[word]]))
        before = [device["level"] for device in pair]
        pair_by_hand(devices, pulse, pair, word)
        found = {name: devices.each(new, name).ravel().tolist() for name in pair[0]}
        assert found == {name: [device[name] for device in pair] for name in found}
        refreshed += all(a["level"] < b for a, b in zip(pair, before, strict=True))
    assert refreshed > 100


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_pulses_of_both_signs_raise_and_a_refresh_keeps_the_weight(backend):
    if backend == "native" and not native.available():
        pytest.skip(native.why_not())
    devices = Devices(1, up=(16,) * 8, down=(16,) * 8, bits=3, write_bits=4, pairs=True, refresh=3)
    y1 = TraceParams(2, decay_shift=2, bits=2, mode="set")
    rule = LearningRule("5*x0*y0 - x0*(y1 == 1)", y1=y1).with_devices(devices)
    core = lab(rule, [[0, 0]], backend=backend)
    learned = core.play([BOTH, BOTH, BOTH, PRE, NONE, BOTH, PRE, NONE, BOTH, PRE]).learned
    assert learned is not None
    codes = learned[0]["devices"][0, :, :, 0, 0]
    levels = [devices.each(code, "level").tolist() for code in codes]
    # G- rises with a spike in the tick behind a post spike, then G+ with both.
    assert levels[:5] == [[1, 0], [2, 1], [3, 2], [0, 0], [0, 0]]
    assert levels[5:] == [[1, 0], [1, 1], [1, 1], [2, 1], [2, 2]]
    assert devices.each(codes[-1], "writes").tolist() == [6, 5]
    weights = learned[0]["weights"][0, :, 0, 0].tolist()
    assert weights == [plus - minus for plus, minus in levels]


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_pulse_to_a_slice_counts_by_its_significance(backend):
    if backend == "native" and not native.available():
        pytest.skip(native.why_not())
    devices = Devices(3, up=(16,) * 4, down=(16,) * 4, bits=2, slice_bits=2)
    rule = LearningRule("x0*y0").with_devices(devices)
    core = lab(rule, [[0, 0]], backend=backend)
    learned = core.play([BOTH, BOTH, NONE, BOTH, BOTH, BOTH]).learned
    assert learned is not None
    assert learned[0]["weights"][0, :, 0, 0].tolist() == [1, 5, 5, 21, 22, 26]
    assert learned[0]["devices"][0, -1, :, 0, 0].tolist() == [2, 2, 1]


def test_noise_and_rounding_are_right_on_average():
    words = np.arange(1 << 16)
    assert noise(words).mean() == 0 and abs(noise(words).std() - 16) < 0.05
    for step in (3, 16, 37):
        devices = Devices(1, up=(step,) * 16, down=(step,) * 16)
        new = programmed(devices, np.ones(1 << 16, np.int64), np.full(1 << 16, 5), words)
        assert devices.read(new, "level").mean() == 5 + step / 16


def test_draws_in_blocks_are_those_of_single_steps():
    states = np.array([1, 0xDEADBEEF, 7], np.uint32)
    slow = states.tolist()
    rows = []
    for _ in range(500):
        bits, slow = map(list, zip(*map(lfsr_steps, slow), strict=True))
        rows.append(bits)
    for visits in (0, 1, 2, 29, 30, 31, 63, 64, 65, 200, 500):
        draws, after = draw(states, visits)
        assert draws.tolist() == rows[:visits] and after.dtype == np.uint32
    assert after.tolist() == slow


def whole(count: int, **fields: int) -> Lab:
    """Return two synapses of devices at level 3, up by 2 at a pre spike and a post spike together.

    And down by 1 where a pre spike follows a post spike of the tick before. They do not draw.
    """
    devices = Devices(count, up=(32,) * 8, down=(16,) * 8, bits=3, **fields)
    y1 = TraceParams(2, decay_shift=2, bits=2, mode="set")  # 2, then 1, 0
    rule = LearningRule("5*x0*y0 - x0*(y1 == 1)", y1=y1).with_devices(devices)
    return lab(rule, [[3 * count]] * 2)


BOTH, PRE, POST, NONE = ((0, 1), (0,)), ((0,), ()), ((), (0,)), ((), ())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_tick_with_a_pulse_goes_on_to_the_next_device(count):
    learned = whole(count, write_bits=4).play([BOTH, PRE, NONE, PRE, POST, PRE, BOTH]).learned
    assert learned is not None
    selected = learned[0]["selected"][0, :, 0].tolist()
    assert selected == [n % count for n in (1, 2, 2, 2, 2, 3, 4)]
    levels = [3 + 0 * n for n in range(count)]
    for number, step in enumerate((2, -1, -1, 2)):  # what the first synapse got
        levels[number % count] += step
    codes = learned[0]["devices"][0, -1, :, 0, 0]
    assert (codes & 7).tolist() == levels
    assert (codes >> 3).tolist() == [len(range(d, 4, count)) for d in range(count)]
    assert learned[0]["weights"][0, -1, 0, 0] == sum(levels)


def test_both_phases_of_a_tick_program_the_same_device():
    learned = whole(3).play([POST, BOTH]).learned
    assert learned is not None
    assert learned[0]["devices"][0, -1, :, 0, 0].tolist() == [3 - 1 + 2, 3, 3]
    assert learned[0]["selected"][0, :, 0].tolist() == [0, 1]


def test_levels_stop_at_their_ends():
    learned = whole(1).learned([BOTH] * 2)
    assert [w[1][0] for w in learned] == [5, 6]  # down by 1, then up by 2
    learned = whole(1).learned([BOTH, NONE] * 4)
    assert [w[1][0] for w in learned] == [5, 5, 7, 7, 7, 7, 7, 7]


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_tick_in_which_no_neuron_gives_a_pulse_goes_on_to_no_other_device(backend):
    """Also in C, which computes more neurons than there are, to whom no spike has come."""
    if backend == "native" and not native.available():
        pytest.skip(native.why_not())
    devices = Devices(3, up=(16,) * 8, down=(16,) * 8, bits=3)
    rule = LearningRule("x0*(y1 == 0)", y1=TraceParams(7, decay_shift=3, bits=3, mode="set"))
    core = lab(rule.with_devices(devices), [[9, 9]], backend=backend)
    learned = core.play([((0,), (0, 1)), ((0,), ()), ((), ()), ((0,), ())]).learned
    assert learned is not None
    assert learned[0]["selected"][0, :, 0].tolist() == [1, 1, 1, 1]
    assert learned[0]["weights"][0, :, 0].tolist() == [[10, 10]] * 4
