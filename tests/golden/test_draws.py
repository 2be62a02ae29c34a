"""What neurons draw: its bits pass statistical tests, and it depends on seed, tick and number only.

The tests of chance have fixed seeds, and bounds that a good generator passes in all but one of a
million cases.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.draws import first_words, key_after, words_after
from spikelet.description.neurons.model import NeuronModel, State
from spikelet.description.run.events import Events
from spikelet.golden import native
from spikelet.golden.chip import GoldenChip
from spikelet.golden.draws import Draws, next_key

BACKENDS = ["numpy", *(["native"] if native.available() else [])]

DRAWING = NeuronModel(
    "drawing",
    "v = draw; rest = chance(40000, 16)\nlow = rest > 0\nfired = v > 60000",
    (State("v", low=0, high=65535), State("fired", "flag"), State("low", "flag")),
)
SURE = 5.0
"""Standard deviations: a normal variable is beyond in one of two million cases."""


CONTROL = -1
"""A key for which numpy's generator draws, which all tests must pass, too."""


def table(key: int, ticks: int, numbers: np.ndarray) -> np.ndarray:
    """Return the words of some neurons in the first ticks, shape (ticks, neurons)."""
    if key == CONTROL:
        shape = ticks, len(numbers)
        return np.random.default_rng(1).integers(0, 1 << 32, shape, dtype=np.uint32)
    found = Draws(key, numbers)
    return np.array([found.of(tick) for tick in range(ticks)]).astype(np.uint32)


def bits_of(words: np.ndarray) -> np.ndarray:
    """Return the bits of each word, lowest first, in another axis."""
    return (words[..., None] >> np.arange(32, dtype=np.uint32)) & 1


def deviation(ones: np.ndarray, trials: int) -> float:
    """Return by how many standard deviations a count of fair bits is off, at worst."""
    return float(np.abs(ones - trials / 2).max() / (trials / 4) ** 0.5)


@pytest.mark.parametrize("key", [1, 0xDEADBEEF, CONTROL])
def test_every_bit_is_fair_and_no_two_are_related(key: int) -> None:
    words = table(key, 400, np.arange(500))
    bits = bits_of(words).reshape(-1, 32)
    assert deviation(bits.sum(axis=0), len(bits)) < SURE
    for one in range(32):
        others = bits[:, one + 1 :] ^ bits[:, one, None]
        if others.size:
            assert deviation(others.sum(axis=0), len(bits)) < SURE


@pytest.mark.parametrize("key", [12345, CONTROL])
@pytest.mark.parametrize("ahead", [1, 2, 3, 7])
@pytest.mark.parametrize("axis", [0, 1])
def test_bits_of_ticks_and_of_neighbours_are_not_related(ahead: int, axis: int, key: int) -> None:
    """Each bit against each bit of the word ``ahead`` ticks later, or neurons further on."""
    bits = bits_of(table(key, 300, np.arange(300))).astype(np.float32)  # counts are exact
    first = np.delete(bits, np.s_[-ahead:], axis).reshape(-1, 32)
    second = np.delete(bits, np.s_[:ahead], axis).reshape(-1, 32)
    n = len(first)
    both = first.T @ second
    ones = first.sum(axis=0)[:, None] + second.sum(axis=0) - 2 * both  # where they differ
    assert deviation(ones, n) < SURE


@pytest.mark.parametrize("key", [1, 12345, CONTROL])
@pytest.mark.parametrize(("together", "bits"), [(1, 16), (2, 8), (3, 5), (4, 4), (7, 2), (14, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_values_that_follow_one_another_are_spread_evenly(
    key: int, together: int, bits: int, axis: int
) -> None:
    """Chi-square of the highest bits of several ticks in a row, and of several neighbours."""
    values = (table(key, 500, np.arange(600)) >> np.uint32(32 - bits)).astype(np.int64)
    found = np.zeros((), np.int64)
    last = values.shape[axis] - together
    for one in range(together):
        found = (found << bits) + np.take(values, range(one, last + one + 1, together), axis)
    counts = np.bincount(found.ravel(), minlength=1 << together * bits)
    expected = found.size / len(counts)
    chi = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi - len(counts) + 1) < SURE * (2 * len(counts)) ** 0.5


@pytest.mark.parametrize("key", [1, 12345, CONTROL])
@pytest.mark.parametrize("axis", [0, 1])
def test_rare_events_are_independent(key: int, axis: int) -> None:
    """An event of a chance of 1/256 is as likely behind another, up to 40 ticks or neurons on."""
    rare = (table(key, 600, np.arange(600)) < 1 << 24).astype(np.float64)
    assert abs(rare.mean() - 1 / 256) * 256 < SURE * (256 / rare.size) ** 0.5
    rare -= 1 / 256
    for ahead in range(1, 41):
        pairs = np.delete(rare, np.s_[-ahead:], axis) * np.delete(rare, np.s_[:ahead], axis)
        sigma = 1 / 256 * (pairs.size) ** 0.5
        # Few are expected: the bound is that of a Poisson variable, not of a normal one.
        assert abs(pairs.sum()) < SURE * sigma + 2, ahead


@pytest.mark.parametrize("shift", [16, 0])
def test_pairs_and_values_are_spread_evenly(shift: int) -> None:
    """Chi-square of the values of ``draw`` and ``draw_low``, and of pairs in time and space."""
    values = (table(99, 500, 1000 + np.arange(400)) >> np.uint32(shift)) & 0xFFFF
    high = values >> 8
    pairs = {
        "values": high.ravel() * 1,
        "in time": (values[:-1] >> 12) * 16 + (values[1:] >> 12),
        "in space": (values[:, :-1] >> 12) * 16 + (values[:, 1:] >> 12),
        "lowest bits": (values[:-1] & 15) * 16 + (values[1:] & 15),
    }
    for what, found in pairs.items():
        counts = np.bincount(found.ravel().astype(np.int64), minlength=256)
        expected = found.size / 256
        chi = ((counts - expected) ** 2 / expected).sum()
        assert abs(chi - 255) < SURE * (2 * 255) ** 0.5, f"{what}: {chi}"


def test_no_key_comes_back_soon() -> None:
    key, seen = 1, set()
    for _ in range(20_000):
        seen.add(key)
        key = next_key(key)
    assert len(seen) == 20_000 and 0 not in seen


@pytest.mark.parametrize("ticks", [0, 1, 2, 31, 1000])
def test_a_key_is_found_without_the_ticks_before(ticks: int) -> None:
    for first in (1, 0x80000000, 987654321):
        key = first
        for _ in range(ticks):
            key = next_key(key)
        assert key_after(first, ticks) == key
        assert words_after(np.array([first, 7], np.uint32), ticks)[0] == key


def test_words_by_hand() -> None:
    """One first word round by round: a key plus a number that wrap to 1."""
    a = 1
    a = (a ^ 0) * 2049  # 1 >> 11 is 0
    a = ((a ^ 16) * 8193) % 2**32  # 2049 >> 7
    assert a == 16918545
    a = ((a ^ 4130) * 513) % 2**32  # 16918545 >> 12
    a = ((a ^ a >> 15) * 2049) % 2**32
    a = ((a ^ a >> 6) * 65) % 2**32
    assert first_words((1 << 32) - 4, np.array([5])).tolist() == [a ^ a >> 11]
    assert first_words((1 << 32) - 4, np.array([4])).tolist() == [1], "0 would stay 0"
    assert Draws((1 << 32) - 4, np.array([4])).of(1).tolist() == [270369]
    assert next_key(1) == 270369  # of xorshift32, as Marsaglia gives it


def drawn(
    cores: list[list[int]], ticks: int, *, key: int = 77, lanes: int = 1, backend: str = "numpy"
) -> dict[int, list[int]]:
    """Return what each neuron drew, by its number, with the neurons of each core in this order."""
    params = tuple(CoreParams(1, len(numbers), DRAWING, lanes=lanes) for numbers in cores)
    images = tuple(
        CoreImage(
            np.zeros((1, len(numbers)), np.int16),
            joined(),
            {},
            draw_key=key,
            draw_indices=np.array(numbers, np.int32),
        )
        for numbers in cores
    )
    chip = ChipParams(params, len(params))
    none = Events(1, ticks, np.zeros(ticks + 1, np.int64), *[np.zeros(0, np.int32)] * 3)
    trace = GoldenChip(chip, ChipImage(images), backend=backend).run(none)
    assert trace.states
    found = {}
    for numbers, states in zip(cores, trace.states, strict=True):
        for n, number in enumerate(numbers):
            found[number] = (states["v"][0, :, n] * 2 + states["low"][0, :, n]).tolist()
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_place_order_lanes_and_cores_change_nothing(backend: str) -> None:
    numbers = list(range(0, 48, 3))
    expected = drawn([numbers], 20, backend=backend)
    assert len({str(values) for values in expected.values()}) == len(numbers)
    order = np.random.default_rng(1).permutation(numbers).tolist()
    for cores in ([order], [order[:4], order[4:]], [[n] for n in order]):
        assert drawn(cores, 20, backend=backend) == expected
    assert drawn([order[:8], order[8:]], 20, lanes=4, backend=backend) == expected
    assert drawn([numbers], 20, key=78, backend=backend) != expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_in_pieces_draws_as_one(backend: str) -> None:
    core = CoreParams(1, 70, DRAWING, lanes=1)
    numbers = np.arange(70, dtype=np.int32)
    image = CoreImage(np.zeros((1, 70), np.int16), joined(), {}, draw_key=5, draw_indices=numbers)
    chip, images = ChipParams((core,)), ChipImage((image,))

    def silence(samples: int, ticks: int) -> Events:
        offsets = np.zeros(samples * ticks + 1, np.int64)
        return Events(samples, ticks, offsets, *[np.zeros(0, np.int32)] * 3)

    whole = GoldenChip(chip, images, backend=backend).run(silence(1, 30))
    golden = GoldenChip(chip, images, backend=backend)
    other = GoldenChip(chip, images, backend=backend)
    pieces = [golden.run(silence(1, 7))]
    other.restore(golden.snapshot())
    pieces += [other.run(silence(1, 11), clear=False), other.run(silence(2, 6), clear=False)]
    assert whole.states
    values = [p.states[0]["v"].reshape(-1, 70) for p in pieces if p.states]
    assert np.array_equal(np.concatenate(values), whole.states[0]["v"][0])
    again = golden.run(silence(2, 30))
    assert again.states and np.array_equal(again.states[0]["v"][0], again.states[0]["v"][1])
    assert again.first(1).first_difference(whole) is None


@pytest.mark.parametrize("bits", [1, 4, 12, 16])
def test_rounding_by_chance_is_unbiased(bits: int) -> None:
    """The mean of many rounded values is the value, for values of every remainder and sign."""
    text = f"rounded = chance(current, {bits})\nv = clamp(rounded); fired = rounded > 30000"
    model = NeuronModel("rounding", text, (State("v"), State("fired", "flag")))
    rng = np.random.default_rng(bits)
    step = 1 << bits
    n_neurons, ticks = 64, 2000
    values = rng.integers(-3 * step, 3 * step, n_neurons)
    core = CoreParams(
        1, n_neurons, model, lanes=1, weight_bits=8, weight_exponent=bits and max(0, bits - 6)
    )
    weights = np.clip(values >> core.weight_exponent, -128, 127).astype(np.int16)
    exact = (weights.astype(np.int64) << core.weight_exponent) / step
    image = CoreImage(
        weights[None], joined(), {}, draw_key=9, draw_indices=np.arange(n_neurons, dtype=np.int32)
    )
    spikes = np.ones((1, ticks, 1), np.bool_)
    events = Events.from_spikes(spikes, [(0, 0, 0, 0)])
    trace = GoldenChip(ChipParams((core,)), ChipImage((image,)), backend="numpy").run(events)
    assert trace.states
    rounded = trace.states[0]["v"][0]
    assert np.all((rounded == np.floor(exact)) | (rounded == np.ceil(exact)))
    rest = exact - np.floor(exact)
    sigma = np.sqrt(np.maximum(rest * (1 - rest), 1e-12) / ticks)
    off = np.abs(rounded.mean(axis=0) - exact) / sigma
    assert np.all((off < SURE) | (rest == 0))
    assert np.sum(rest > 0) > n_neurons // 3
    mean = (rounded - exact).mean() / np.sqrt((sigma**2).sum() / n_neurons**2)
    assert abs(mean) < SURE, "on the whole it rounds up or down"


def test_a_neuron_that_draws_goes_on_before_its_core_does() -> None:
    """The key depends on the tick alone: also where the core's first ticks compute nothing."""
    late = replace(CoreParams(1, 4, DRAWING, lanes=1), first_tick=3)
    image = CoreImage(
        np.zeros((1, 4), np.int16),
        joined(),
        {},
        draw_key=77,
        draw_indices=np.arange(4, dtype=np.int32),
    )
    none = Events(1, 9, np.zeros(10, np.int64), *[np.zeros(0, np.int32)] * 3)
    expected = drawn([list(range(4))], 9)
    for backend in BACKENDS:
        trace = GoldenChip(ChipParams((late,)), ChipImage((image,)), backend=backend).run(none)
        assert trace.states
        assert not trace.states[0]["v"][0, :3].any()
        for n in range(4):
            values = trace.states[0]["v"][0, 3:, n] * 2 + trace.states[0]["low"][0, 3:, n]
            assert values.tolist() == expected[n][3:]
