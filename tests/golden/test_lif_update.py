"""The LIF update against hand-computed vectors and a slow reference in exact fractions."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.profile import PROFILES, ExecutionProfile
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.golden.lif_update import lif_update

INPUTS = [150, 60, 0, -40, 300, 10, 0]
BY_HAND = {
    "snntorch-zero": ([150, 60, 30, -25, 288, 10, 5], [1, 0, 0, 0, 1, 0, 0]),
    "snntorch-zero-immediate": ([0, 60, 30, -25, 0, 10, 5], [1, 0, 0, 0, 1, 0, 0]),
    "snntorch-subtract": ([150, 35, 18, -31, 285, 53, 27], [1, 0, 0, 0, 1, 0, 0]),
    "snntorch-subtract-immediate": ([50, 85, 43, -18, 191, 106, 53], [1, 0, 0, 0, 1, 0, 0]),
    "nir-euler": ([-20, 50, 25, -27, -20, 0, 0], [1, 0, 0, 0, 1, 0, 0]),
}
"""Threshold 100, decay one half, 10-bit potentials, reset to -20 where to a value."""

ROUND = {
    "floor": math.floor,
    "toward_zero": math.trunc,
    "nearest": lambda x: math.floor(x + Fraction(1, 2)),
}
CHOICES = [
    ExecutionProfile(f"{reset}-{delay}-{residual}-{rounding}", 1, reset, delay, residual, rounding)
    for reset, delay, residual in (
        *(("zero", False, False), ("zero", True, False), ("value", False, False)),
        *(("value", True, False), ("subtract", False, False), ("subtract", True, False)),
        ("subtract", False, True),
    )
    for rounding in ROUND
]
"""Every profile that can be."""


def make_core(profile: ExecutionProfile, **fields: object) -> CoreParams:
    value = "neuron" if profile.reset == "value" else "none"
    return CoreParams(
        1, 1, profile, lanes=1, **{"reset_potential": value, "bias": "shared", **fields}
    )


def make_image(**fields: int) -> CoreImage:
    arrays = {name: np.array([value], np.int32) for name, value in fields.items()}
    return CoreImage(np.zeros((1, 1), np.int16), destinations=joined(), **arrays)


def slow_tick(
    core: CoreParams,
    image: CoreImage,
    v: int,
    fired: bool,
    current: int,
    raised: int = 0,
    inhibited: bool = False,
) -> tuple[int, bool]:
    """One tick, in the words of the contract; ``raised`` is what is added to the threshold."""
    profile = core.profile
    threshold = min(int(image.threshold[0]) + raised, core.v_max)
    reset_potential = int(image.reset_potential[0])
    subtracts = profile.reset == "subtract"

    def clamp(x: int) -> int:
        return max(core.v_min, min(core.v_max, x))

    pending = fired if profile.reset_delay else profile.residual_reset and v > threshold
    base = reset_potential if pending and not subtracts else v
    leaked = base
    if core.decay != "none":
        leaked = ROUND[profile.rounding](Fraction(base) * int(image.decay[0]) / 4096)
    lowered = threshold if pending and subtracts else 0
    summed = leaked + current * 2**core.weight_exponent + int(image.bias[0]) - lowered
    clipped = clamp(summed - (int(image.inhibition[0]) if inhibited else 0))
    fires = clipped > threshold
    if profile.reset_delay:
        return clipped, fires
    if subtracts:
        return clamp(clipped + lowered - (threshold if fires else 0)), fires
    return (reset_potential if fires else clipped), fires


@pytest.mark.parametrize("name", PROFILES)
def test_by_hand(name: str) -> None:
    core = make_core(PROFILES[name], potential_bits=10)
    image = make_image(threshold=100, decay=2048, reset_potential=-20 * (name == "nir-euler"))
    v, fired = np.zeros(1, np.int64), np.zeros(1, np.bool_)
    got = []
    for current in INPUTS:
        v, fired = lif_update(core, image, v, fired, np.array([current]))
        got.append((int(v[0]), int(fired[0])))
    assert got == list(zip(*BY_HAND[name], strict=True))


@pytest.mark.parametrize("rounding", ROUND)
def test_rounding_of_halves(rounding: str) -> None:
    expected = {"floor": [-2, -1, 0, 1], "toward_zero": [-1, 0, 0, 1], "nearest": [-1, 0, 1, 2]}
    core = make_core(replace(PROFILES["nir-euler"], rounding=rounding))
    image = make_image(threshold=100, decay=2048)
    v, fired = np.array([-3, -1, 1, 3]), np.zeros(4, np.bool_)
    got, _ = lif_update(core, image, v, fired, np.zeros(4, np.int64))
    assert got.tolist() == expected[rounding]


def edges(low: int, high: int) -> st.SearchStrategy[int]:
    return st.sampled_from([low, low + 1, high - 1, high]) | st.integers(low, high)


SHIFTS = st.sampled_from([0, 3, 16])


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_against_fractions(data: st.DataObject) -> None:
    bits = data.draw(st.sampled_from([4, 8, 16, 24]))
    core = make_core(
        data.draw(st.sampled_from(CHOICES)),
        potential_bits=bits,
        weight_exponent=data.draw(st.sampled_from([0, 3, 16])),
        decay=data.draw(st.sampled_from(["none", "shared"])),
        adaptation=data.draw(st.none() | st.builds(Adaptation, st.just(1), fraction_bits=SHIFTS)),
        learning=LearningRule("x0", w_min=-8, w_max=7),
        inhibition=data.draw(st.sampled_from(["none", "shared"])),
    )
    potential = edges(core.v_min, core.v_max)
    image = make_image(
        threshold=data.draw(edges(0, core.v_max)),
        decay=data.draw(edges(0, 4095)),
        bias=data.draw(potential),
        reset_potential=data.draw(potential),
        inhibition=data.draw(edges(0, core.v_max)),
    )
    v = data.draw(potential | st.just(int(image.threshold[0])))
    fired = data.draw(st.booleans())
    for _ in range(3):
        needed = (int(image.threshold[0]) - v - int(image.bias[0])) >> core.weight_exponent
        current = data.draw(edges(-4096 * 128, 4096 * 255) | st.sampled_from([0, needed]))
        inhibited = core.inhibition == "shared" and data.draw(st.booleans())
        adaptation, raised = None, 0
        if core.adaptation:
            value = data.draw(edges(0, core.adaptation.largest))
            adaptation, raised = np.array([value]), value >> core.adaptation.fraction_bits
        next_v, next_fired = lif_update(
            *(core, image, np.array([v]), np.array([fired]), np.array([current])),
            adaptation=adaptation,
            inhibited=np.array([True]) if inhibited else None,
        )
        expected = slow_tick(core, image, v, fired, current, raised, inhibited)
        assert (int(next_v[0]), bool(next_fired[0])) == expected
        v, fired = expected
