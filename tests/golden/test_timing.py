"""The cost model over a chip: that of the core that needs most."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.timing import core_cycles, tick_cycles
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import profile_named

PROFILE = profile_named("snntorch-subtract")


@st.composite
def cores(draw: st.DrawFn) -> CoreParams:
    """Return a core; the few sizes make many that are alike."""
    lanes = draw(st.sampled_from([1, 2, 16]))
    return CoreParams(
        draw(st.sampled_from([1, 2, 15, 16, 17, 300])),
        lanes * draw(st.sampled_from([1, 5])),
        PROFILE,
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
    chip = ChipParams((CoreParams(16, 16, PROFILE, lanes=1),) * 4, 2, 2)
    assert tick_cycles(chip, np.zeros((2, 0, 4), np.int32)).shape == (2, 0)
