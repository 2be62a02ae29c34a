"""The cost model over a chip: that of the core that needs most."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip_cycles import chip_cycles
from spikelet.golden.timing import (
    core_cycles,
    exact_core_cycles,
    exact_sum_cycles,
    learning_cycles,
    tick_cycles,
)
from tests.helpers.neuron_models import NOISY
from tests.helpers.random_chips import random_image

MODEL = neuron_model("snntorch-subtract")
PIPELINE = 12 + 5
"""Of a core without leak: lowered; added; summed; clipped; fired."""


@st.composite
def cores(draw: st.DrawFn) -> CoreParams:
    """Return a core; the few sizes make many that are alike."""
    lanes = draw(st.sampled_from([1, 2, 16]))
    return CoreParams(
        draw(st.sampled_from([1, 2, 15, 16, 17, 300])),
        lanes * draw(st.sampled_from([1, 5])),
        MODEL,
        lanes=lanes,
        pipelines=draw(st.sampled_from([1, lanes])),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(cores(), min_size=1, max_size=9), st.integers(0, 1000))
def test_tick_takes_what_its_slowest_core_takes(chosen: list[CoreParams], seed: int) -> None:
    chip = ChipParams(tuple(chosen), len(chosen), 1)
    most = np.array([core.n_axons for core in chosen])
    active = np.random.default_rng(seed).integers(0, most + 1, (3, 7, len(chosen)), np.int32)
    cycles = [core_cycles(core, active[..., index]) for index, core in enumerate(chosen)]
    expected = np.rint(np.max(cycles, axis=0)) + 2 * chip.barrier_latency
    assert np.array_equal(tick_cycles(chip, active), expected)


def test_no_ticks_take_no_cycles() -> None:
    chip = ChipParams((CoreParams(16, 16, MODEL, lanes=1),) * 4, 2, 2)
    assert tick_cycles(chip, np.zeros((2, 0, 4), np.int32)).shape == (2, 0)


@pytest.mark.parametrize(
    ("fields", "active", "cycles"),
    [
        # One group: the pipeline, the axons, the empty words, the update.
        ({"n_axons": 16, "n_neurons": 4, "lanes": 4}, 0, PIPELINE + 0 + 1 + 0 + 4),
        ({"n_axons": 16, "n_neurons": 4, "lanes": 4}, 3, PIPELINE + 3 + 0 + 0 + 4),
        ({"n_axons": 16, "n_neurons": 4, "lanes": 4, "pipelines": 2}, 3, PIPELINE + 3 + 0 + 0 + 2),
        # Four words, of which three are expected to stay empty behind one axon.
        ({"n_axons": 64, "n_neurons": 4, "lanes": 4}, 1, PIPELINE + 1 + 3 + 0 + 4),
        ({"n_axons": 64, "n_neurons": 4, "lanes": 4}, 2, PIPELINE + 2 + 2.25 + 0 + 4),
        # Further groups take the axons and a cycle more, or the update if that is longer.
        ({"n_axons": 16, "n_neurons": 12, "lanes": 4}, 3, PIPELINE + 3 + 0 + 2 * 4 + 4),
        ({"n_axons": 16, "n_neurons": 12, "lanes": 4}, 4, PIPELINE + 4 + 0 + 2 * 5 + 4),
        ({"n_axons": 16, "n_neurons": 12, "lanes": 4}, 1, PIPELINE + 1 + 0 + 2 * 4 + 4),
        (
            {"n_axons": 16, "n_neurons": 12, "lanes": 4, "pipelines": 4},
            1,
            PIPELINE + 1 + 0 + 2 * 2 + 1,
        ),
    ],
)
def test_cycles_of_a_core_counted_by_hand(
    fields: dict[str, int], active: int, cycles: float
) -> None:
    core = CoreParams(neuron=MODEL, **fields)  # type: ignore[arg-type]
    assert core_cycles(core, np.array([active], np.int32)) == [cycles]


@pytest.mark.parametrize(
    ("fields", "axons", "cycles"),
    [
        # A cycle for each axon and each empty word; the scan drains behind the last words' axons.
        ({"n_axons": 64, "n_neurons": 4, "lanes": 4}, [], PIPELINE + 4 + 0 + 4),
        ({"n_axons": 64, "n_neurons": 4, "lanes": 4}, [0, 1, 15], PIPELINE + 3 + 3 + 0 + 4),
        ({"n_axons": 64, "n_neurons": 4, "lanes": 4}, [47], PIPELINE + 1 + 3 + 1 + 4),
        ({"n_axons": 64, "n_neurons": 4, "lanes": 4}, [0, 63], PIPELINE + 2 + 2 + 2 + 4),
        ({"n_axons": 16, "n_neurons": 12, "lanes": 4}, [3, 4, 5, 6], PIPELINE + 4 + 2 + 2 * 5 + 4),
    ],
)
def test_cycles_counted_from_the_axons(
    fields: dict[str, int], axons: list[int], cycles: int
) -> None:
    core = CoreParams(neuron=MODEL, **fields)  # type: ignore[arg-type]
    active = np.zeros((1, 2, core.n_axons), np.bool_)
    active[0, 1, axons] = True
    chip = ChipParams((core,) * 2, 2)
    image = random_image(np.random.default_rng(1), chip)
    weights = image.cores[0].weights
    assert exact_core_cycles(core, *exact_sum_cycles(core, active[0], weights))[1] == cycles
    slower = [np.zeros_like(active), active]
    silent = exact_core_cycles(core, *exact_sum_cycles(core, slower[0][0], weights))[1]
    quiet = [np.zeros((1, 2, core.n_neurons), np.bool_)] * 2
    counted = chip_cycles(chip, image, slower, quiet, np.zeros((1, 2, 2), np.bool_))
    assert counted.cycles[0, 1] == max(cycles, silent) + 2 * chip.barrier_latency
    assert counted.own[0, 1].tolist() == [silent, cycles]
    assert counted.waiting[0, 1].tolist() == [
        max(cycles, silent) + 2 * chip.barrier_latency - own for own in (silent, cycles)
    ]


def test_cycles_of_counts_are_not_counted() -> None:
    core = CoreParams(8, 4, MODEL, lanes=4, spike_bits=2)
    with pytest.raises(SpikeletError, match=r"not counted for cores whose axons take counts of 2"):
        exact_sum_cycles(core, np.ones((1, 8), np.bool_), np.zeros((8, 4), np.int16))


def test_lines_of_a_model_count_and_draws_do_not() -> None:
    none = np.zeros(1, np.int32)
    for model, lines in (
        *((neuron_model("izhikevich"), 7), (NOISY, 5)),
        (neuron_model("probabilistic"), 6),
    ):
        leak = {"decay": "shared"} if model.reads("draw") else {}
        core = CoreParams(16, 4, model, lanes=4, parameters=leak)
        assert core_cycles(core, none) == [12 + lines + 0 + 1 + 0 + 4], model.name


@pytest.mark.parametrize(
    ("memory", "pre", "active", "groups", "axons", "cycles"),
    [
        ("block", True, 5, 0, 7, 0),
        ("block", True, 5, 1, 7, 8 + 13),
        ("block", False, 5, 3, 0, 3 + 13),
        ("block", True, 0, 3, 7, 3 * 8 + 13),
        # In SPRAM a visit takes two cycles.
        ("spram", False, 5, 0, 7, 0),
        ("spram", False, 5, 3, 7, 3 * 15 + 13),
        # With a pre phase, so does the accumulation of each of four groups: 5 more for the first,
        # for the others 11 instead of 6.
        ("spram", True, 5, 0, 7, 5 + 3 * 5),
        ("spram", True, 5, 3, 7, 3 * 15 + 13 + 5 + 3 * 5),
        # What the update of the group before, 4 cycles, takes in any case is not added.
        ("spram", True, 2, 0, 7, 2 + 3 * (5 - 4)),
        ("spram", True, 1, 0, 7, 1 + 3 * (4 - 4)),
    ],
)
def test_cycles_of_learning_counted_by_hand(
    memory: str, pre: bool, active: int, groups: int, axons: int, cycles: int
) -> None:
    trace = TraceParams(1, bits=1)
    terms = "x1*y0 - x0*y1" if pre else "x1*y0"
    rule = LearningRule(terms, x1=trace, y1=trace if pre else None, w_max=7)
    core = CoreParams(16, 16, MODEL, lanes=4, weight_memory=memory, learning=rule)
    assert learning_cycles(core, active, groups, axons) == cycles


def test_the_barrier_is_passed_twice() -> None:
    core = CoreParams(16, 4, MODEL, lanes=4)
    chip = ChipParams((core,) * 9, 3, 3)
    assert chip.barrier_latency > 0
    active = np.zeros((1, 1, 9), np.int32)
    active[..., 4] = 3
    expected = PIPELINE + 3 + 0 + 0 + 4 + 2 * chip.barrier_latency
    assert tick_cycles(chip, active).tolist() == [[expected]]
