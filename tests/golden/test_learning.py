"""The sentences of the contract's section Learning, each by a case computed by hand."""

from typing import Any

import numpy as np
import pytest

from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.golden.lfsr import draw
from spikelet.golden.trace_update import decayed, raised
from tests.golden.plastic_lab import TEACHER, Script, lab
from tests.golden.slow_learning import lfsr_steps

HALVING = TraceParams(10, decay_shift=1)
"""10, then 5, 2, 1, 0."""

STEADY = TraceParams(4, decay=4095, bits=4)
"""4, then 3, 2, 1, 0: a factor just below 1, rounded down."""


def rule(dw: str, **fields: Any) -> LearningRule:
    return LearningRule(dw, **{"w_max": TEACHER - 1, **fields})


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (HALVING, [0, 10, 5, 2, 1, 0, 0]),
        (STEADY, [0, 4, 3, 2, 1, 0, 0]),
        (TraceParams(9, bits=4), [0, 9, 0, 0, 0, 0, 0]),
        (TraceParams(9, decay=2048, bits=4), [0, 9, 4, 2, 1, 0, 0]),
    ],
)
def test_a_trace_rises_and_decays(trace: TraceParams, expected: list[int]) -> None:
    core = lab(rule("x1*y0", x1=trace))
    script: Script = [((), ()), ((0,), ()), *[((), ())] * 5]
    after = core.learned(script, "x1")
    assert [int(raised(trace, np.array(0), np.array(True)))] == [expected[1]]
    assert [a[0] for a in after] == [int(decayed(trace, np.array(v))) for v in expected]


@pytest.mark.parametrize(("mode", "expected"), [("add", 15), ("set", 9)])
def test_add_saturates_and_set_sets(mode: str, expected: int) -> None:
    trace = TraceParams(9, decay=4095, bits=4, mode=mode)
    assert raised(trace, np.array([10, 0]), np.array([True, False])).tolist() == [expected, 0]


def test_every_trace_reaches_zero() -> None:
    for shift, decay in ((0, 4095), (15, 0), (1, 0), (0, 1)):
        trace = TraceParams(1, decay=decay, decay_shift=shift, bits=9)
        values = np.arange(512)
        for _ in range(512):
            after = decayed(trace, values)
            assert np.all((after < values) | (values == 0)) and after.min() >= 0
            values = after
        assert not values.any()


def test_pre_phase_uses_what_was_before() -> None:
    """The sum has the old weight; ``y1`` has not risen by a spike of this tick."""
    core = lab(rule("-1*x0*y1", y1=HALVING), [[20], [30]], weight_exponent=0)
    trace = core.play([((0,), (0,)), ((0,), ()), ((0, 1), (0,)), ((), ())])
    assert trace.learned and trace.states
    weights = trace.learned[0]["weights"][0, :, :2, 0].tolist()
    assert weights == [[20, 30], [15, 30], [13, 28], [13, 28]]  # y1: 0, 5, 2
    assert trace.states[0]["v"][0, :, 0].tolist() == [0, 20, 0, 0]


def test_post_phase_uses_raised_pre_traces() -> None:
    """``x1`` has risen by this tick's spike and not decayed; ``x0`` is this tick's."""
    core = lab(rule("x1*y0 + 50*x0*y0", x1=HALVING), [[0], [0]])
    script: Script = [((0,), (0,)), ((1,), ()), ((), (0,)), ((), ())]
    assert core.learned(script) == [[[60], [0]], [[60], [0]], [[62], [5]], [[62], [5]]]


def test_second_traces_are_those_before_the_own_spike() -> None:
    """As triplets want it: ``x2`` in the pre phase, ``y2`` in the post phase."""
    core = lab(rule("x0*x2 + y0*y2*x0", x2=STEADY, y2=TraceParams(7, decay=4095)), [[0]])
    assert core.learned([((0,), (0,)), ((0,), (0,)), ((), ())])[:2] == [[[0]], [[3 + 6]]]


def test_a_third_trace_of_the_neuron() -> None:
    """``y3`` has a decay of its own, and in no phase the spike of its tick."""
    traces = {"y1": HALVING, "y2": TraceParams(7, decay=4095), "y3": STEADY}
    text = "x0*y1 + 2*x0*y2 + 3*x0*y3 + 4*y0*y3 + y3*u0"
    core = lab(rule(text, **traces), [[0]])
    found = core.learned([((0,), (0,)), ((0,), (0,)), ((), ())])
    expected, w, y = [], 0, {"y1": 0, "y2": 0, "y3": 0}
    for spikes in (True, True, False):
        w += spikes * (y["y1"] + 2 * y["y2"] + 7 * y["y3"]) + y["y3"]
        expected.append([[w]])
        for name, trace in traces.items():
            up = y[name] + trace.increment * spikes
            y[name] = up * trace.decay // 4096 if trace.decay else up // 2
    assert found == expected


def test_potential_is_that_of_the_tick_before() -> None:
    core = lab(rule("x0*v", w_max=100), [[20], [7]])
    assert core.learned([((0,), ()), ((1,), ())]) == [[[20], [7]], [[20], [27]]]


def test_only_plastic_axons_learn_and_only_with_neurons_that_fired() -> None:
    core = lab(rule("x0 + 3*y0*x0"), [[1, 2], [3, 4]], plastic=[False, True])
    assert core.learned([((0, 1), (1,))]) == [[[1, 2], [4, 8]]]


def test_weight_and_tag_use_both_from_before() -> None:
    fields = {"dt": "w*x0", "tag_bits": 8}
    core = lab(rule("t*x0", **fields), [[20]], contents={"tags": 3})
    script: Script = [((0,), ()), ((0,), ())]
    assert core.learned(script) == [[[23]], [[46]]]
    core = lab(rule("t*x0", **fields), [[20]], contents={"tags": 3})
    assert core.learned(script, "tags") == [[[23]], [[46]]]


def test_the_post_phase_follows_the_pre_phase_and_the_sweep_both() -> None:
    core = lab(rule("w*x0 + 10*y0*x0 + w*u0"), [[5]])
    assert core.learned([((0,), (0,))]) == [[[2 * (5 + 5 + 10)]]]


@pytest.mark.parametrize(
    ("dw", "low", "high", "expected"),
    [("-8*x0", 3, 126, 3), ("9*x0", -5, 25, 25)],
)
def test_weights_stop_at_their_bounds(dw: str, low: int, high: int, expected: int) -> None:
    core = lab(rule(dw, w_min=low, w_max=high), [[10]])
    assert core.learned([((0,), ())] * 4)[-1] == [[expected]]


@pytest.mark.parametrize(("dt", "expected"), [("9*x0", 15), ("-9*x0", -16)])
def test_tags_stop_at_their_width(dt: str, expected: int) -> None:
    core = lab(rule("t*u8", dt=dt, tag_bits=5))
    assert core.learned([((0,), ())] * 4, "tags")[-1] == [[expected]]


@pytest.mark.parametrize(
    ("dt", "nearest", "toward_zero"),
    [
        ("2^-1*x0", 1, 0),  # halves go up
        ("3*2^-1*x0", 2, 1),
        ("-1*2^-1*x0", 0, 0),
        ("-3*2^-1*x0", -1, -1),
        ("-3*2^-2*x0", -1, 0),
        ("-2*x0", -2, -2),
    ],
)
def test_rounding(dt: str, nearest: int, toward_zero: int) -> None:
    for rounding, value in (("nearest", nearest), ("toward_zero", toward_zero)):
        core = lab(rule("t*u8", dt=dt, tag_bits=5, tag_rounding=rounding))
        assert core.learned([((0,), ())], "tags") == [[[value]]]
    core = lab(rule(dt, w_min=-9), [[0]])
    assert core.learned([((0,), ())]) == [[[nearest]]]


def test_nearest_is_once_for_the_whole_sum() -> None:
    core = lab(rule("2^-2*x0 + 2^-2*x0*w"), [[1]])
    assert core.learned([((0,), ())]) == [[[2]]]


def test_stochastic_takes_the_highest_bits_for_weights_and_the_lowest_for_tags() -> None:
    both = rule("2^-3*x0", dt="2^-3*x0", tag_bits=8, rounding="stochastic", w_max=100)
    both = LearningRule(**{**both.to_dict(), "tag_rounding": "stochastic"})
    core = lab(both, [[0]])
    state, w, t = int(core.image.cores[0].random[0]), 0, 0
    weights, tags = [], []
    for _ in range(40):
        bits, state = lfsr_steps(state)
        w, t = w + ((1 + (bits >> 13)) >> 3), t + ((1 + (bits & 7)) >> 3)
        weights.append([[w]])
        tags.append([[t]])
    script: Script = [((0,), ())] * 40
    trace = core.play(script)
    assert trace.learned
    assert trace.learned[0]["weights"][0, :, :1].tolist() == weights
    assert trace.learned[0]["tags"][0, :, :1].tolist() == tags
    assert weights != tags and 0 < w < 40


def test_a_draw_is_sixteen_steps_of_one_bit() -> None:
    states = np.array([1, 0xFFFFFFFF, 0x80000000, 12345], np.uint32)
    draws, after = draw(states, 3)
    for lane in range(len(states)):
        state = int(states[lane])
        for visit in range(3):
            bits, state = lfsr_steps(state)
            assert int(draws[visit, lane]) == bits
        assert int(after[lane]) == state


@pytest.mark.parametrize(
    ("dw", "script", "visits"),
    [
        ("2^-4*x0", [((0, 1), ())], 2 * 2),  # groups times active plastic axons
        ("2^-4*x0", [((), (0,))], 0),
        ("2^-4*x1*y0", [((0,), ()), ((), (3,))], 1 * 1),  # one group fired, one axon has a trace
        ("2^-4*x1*y0", [((0,), (0, 1))], 1),  # x1 of this very tick
        ("2^-4*x1*y0", [((0,), (0, 2))], 2),
        ("2^-4*x1*y0", [((0,), ()), ((), ()), ((), ()), ((), ()), ((), (0,))], 0),  # trace gone
        ("2^-4*x0*y0", [((1,), (0,))], 1),
        ("2^-4*(x1 - 1)*y0", [((), (3,))], 1 * 3),  # not 0 in silence: all plastic axons
        ("2^-4*u1", [((), ()), ((), ()), ((), ())], 2 * 3),
        ("2^-4*r*t", [((0,), ())], 0),
    ],
)
def test_how_many_visits_draw(dw: str, script: Script, visits: int) -> None:
    """Two groups of two lanes, three plastic axons and one that is not."""
    fields: dict[str, Any] = {"rounding": "stochastic"}
    if "x1" in dw:
        fields["x1"] = STEADY
    if "t" in dw:
        fields |= {"dt": "t*u8", "tag_bits": 4}
    core = lab(rule(dw, **fields), [[9] * 4] * 4, plastic=[True] * 3 + [False], lanes=2)
    script = [({*axons, 3}, neurons) for axons, neurons in script]
    core.play(script)
    state = core.image.cores[0].random
    _, expected = draw(state, visits)
    assert core.snapshot().image.cores[0].random.tolist() == expected.tolist()


def test_sweeps_by_period_and_by_reward() -> None:
    core = lab(rule("u1 + 10*u2 + 10*r*(r + 1)", w_max=120, w_min=-100), [[0]])
    silence: Script = [((), ())] * 4
    weights = core.learned(silence, reward=[[0, 0, -2, 0]])
    assert weights == [[[0]], [[1]], [[1 + 20]], [[21 + 1 + 10]]]


def test_periods_count_from_clear_and_go_on_with_the_run() -> None:
    script: Script = [((), ())] * 3
    cleared, going_on = lab(rule("u2"), [[0]]), lab(rule("u2"), [[0]])
    for core, clear, total in ((cleared, True, 0), (going_on, False, 2)):
        trace = core.play(script, script, script, clear=clear)
        assert trace.learned and trace.learned[0]["weights"][2, 2, 0, 0] == total
    assert cleared.snapshot().ticks == 3 and going_on.snapshot().ticks == 9


def test_off_nothing_is_learned_but_traces_go_on() -> None:
    fields = {"x1": STEADY, "y1": STEADY, "rounding": "stochastic"}
    text = rule("2^-1*x1*y0 - 2^-1*y1*x0 + u0", **fields)
    script: Script = [((0,), (0,)), ((0,), ()), ((), (0,))]
    on, off = (lab(text, parameters=Adaptation(1).constants) for _ in range(2))
    off.learn(False)
    trace = off.play(script, script)
    assert trace.learned
    before, after = off.image.cores[0], off.snapshot().image.cores[0]
    for name in ("weights", "random", "states.adaptation"):
        assert after.to_arrays()[name].tolist() == before.to_arrays()[name].tolist()
    learned = on.play(script).learned
    assert learned and learned[0]["random"].tolist() != trace.learned[0]["random"].tolist()
    for name in ("x1", "y1"):
        assert learned[0][name][0].tolist() == trace.learned[0][name][0].tolist()
    off.learn(True)
    again = off.play(script).learned
    assert again and again[0]["weights"].tolist() == learned[0]["weights"].tolist()


def test_adaptation_rises_decays_and_stops() -> None:
    adaptation = Adaptation(100, decay_shift=2, fraction_bits=0, bits=8)
    core = lab(rule("x0"), parameters=adaptation.constants, weight_exponent=1)
    after = core.learned(
        [((), (0,)), ((), ()), ((), (0,)), ((), ()), *[((), ())] * 3], "adaptation"
    )
    assert after == [[100], [75], [75 - 19 + 100], [117], [87], [65], [48]]
    core = lab(rule("x0"), parameters=Adaptation(200, bits=8).constants)
    assert core.learned([((), (0,))] * 2, "adaptation") == [[200], [255]]


def test_adaptation_is_added_to_the_threshold() -> None:
    adaptation = Adaptation(3, fraction_bits=1, bits=8)
    core = lab(rule("x0"), parameters=adaptation.constants)
    for spikes in ([True, False, False], [False] * 3):  # it outlasts the clear
        trace = core.play([((), (0,))] * 3)
        assert trace.spikes and trace.spikes[0][0, :, 0].tolist() == spikes


def test_inhibition_lowers_those_that_did_not_fire() -> None:
    core = lab(
        rule("x0"), [[0, 0, 0]], parameters={"inhibition": "shared"}, contents={"inhibition": 40}
    )
    trace = core.play([((), ()), ((), (1,)), ((), ()), ((), ())])
    assert trace.states
    assert trace.states[0]["v"][0].tolist() == [[0, 0, 0], [0, 0, 0], [-40, 0, -40], [0, 0, 0]]


def test_clear_keeps_what_was_learned_and_drops_the_rest() -> None:
    text = rule(
        "2^-1*x1*y0 + 2^-1*y1*x0", x1=STEADY, y1=STEADY, dt="x0", tag_bits=4, rounding="stochastic"
    )
    core = lab(text, parameters=Adaptation(7).constants)
    core.play([((0,), (0,)), ((0,), ())])
    kept = core.snapshot().image.cores[0]
    trace = core.play([((), ())])
    after = core.snapshot()
    first, last, kept = (i.to_arrays() for i in (core.image.cores[0], after.image.cores[0], kept))
    for name in ("weights", "tags", "states.adaptation", "random"):
        assert last[name].tolist() == kept[name].tolist()
        assert kept[name].tolist() != first[name].tolist()
    assert trace.states and not trace.states[0]["v"].any() and after.ticks == 1
    state = after.cores[0]
    assert set(state.states) == {"v", "fired"} and set(state.traces) == {"x1", "y1"}
    assert not any(values.any() for values in state.to_arrays().values())
