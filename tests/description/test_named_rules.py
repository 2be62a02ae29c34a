"""The named rules: visits computed by hand from the published equations, and what is refused."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import (
    RULES,
    binary_stdp,
    pair_stdp,
    querlioz,
    reward_stdp,
    sdsp,
    target_stdp,
    triplet_stdp,
)
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.scaling import constant, countdown, spike_trace
from spikelet.description.learning.text import parse_rule
from spikelet.description.neurons.chance import with_chance
from spikelet.description.neurons.error import ErrorParams, with_error
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.learning_rule import visit as golden_visit
from spikelet.golden.trace_update import decayed
from tests.golden.plastic_lab import lab
from tests.helpers.rule_evaluator import evaluate, visit

NEEDED = {"sdsp": {"theta_v": 100}}
"""Parameters without a default."""


def visited(rule: LearningRule, phase: str, **values: int) -> int | tuple[int, int]:
    """Return weight, and tag if there are any, after a visit, on which golden must agree."""
    weight, tag = visit(rule, phase, **values)
    tick, draw = values.pop("tick", 0), values.pop("draw", 0)
    terms = [
        term
        for term in rule.terms
        if term.phase == phase
        and (phase != "sweep" or (values.get("r") if term.period is None else True))
        and (term.period is None or (tick + 1) % 2**term.period == 0)
    ]
    own = {"pre": {"x0": 1}, "post": {"y0": 1}, "sweep": {}}[phase]
    names = dict.fromkeys(("x0", "y0", "x1", "x2", "y1", "y2", "v", "w", "t", "r"), 0)
    arrays = {n: np.full((1, 1), value) for n, value in (names | own | values).items()}
    weights, tags = golden_visit(rule, terms, arrays, np.full((1, 1), draw))
    assert int(weights[0, 0]) == weight
    assert (None if tags is None else int(tags[0, 0])) == tag
    return weight if tag is None else (weight, tag)


def test_the_page_names_these_rules_and_its_examples_are_true():
    page = (Path(__file__).parents[2] / "docs/learning.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| [^|]* \| [^|]* \|$", page, re.M)
    assert [name for name, *_ in rows] == list(RULES)
    for name, phases, traces in rows:
        rule = RULES[name](**NEEDED.get(name, {}))
        assert phases.split(";")[0] == ", ".join(rule.phases)
        assert set(re.findall(r"`(\w+)`", traces)) >= {*rule.pre_traces, *rule.post_traces}
        assert ("a tag" in traces) == bool(rule.tag_bits)
    examples = re.findall(r"^\| (pre|post|sweep) \|.*\| `([^`]*)` \|$", page, re.M)
    assert len(examples) == 5
    for phase, text in examples:
        assert [term.phase for term in parse_rule(text, "dw", (0, 9)).terms] == [phase]
    found: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", page, re.S)[1], found)
    assert found["rule"].phases == ("pre", "post")
    refused = re.findall(r"such as `([^`]*)` \|", page)
    assert len(refused) == 2
    for text in refused:
        with pytest.raises(SpikeletError, match="^rule for dw, column 1"):
            parse_rule(text, "dw", (0, 9))


@pytest.mark.parametrize("name", RULES)
def test_a_core_can_be_built_with_the_defaults(name):
    rule = RULES[name](**NEEDED.get(name, {}))
    assert rule.name == name and rule.source
    signed, neuron = rule.w_min < 0, neuron_model("snntorch-zero")
    if rule.reads_chance:
        neuron = with_chance(neuron_model("probabilistic"), rule.error_bits)
    elif rule.reads_error:
        neuron = with_error(neuron, ErrorParams(bits=rule.error_bits))
    core = CoreParams(
        n_axons=64,
        n_neurons=16,
        neuron=neuron,
        weight_bits=rule.w_max.bit_length() + signed,
        weight_format="signed" if signed else "unsigned",
        potential_bits=20,
        learning=rule,
        teacher_axons=16 * (rule.reads_error and not rule.reads_chance),
    )
    assert CoreParams.from_dict(core.to_dict()) == core


def test_pairs_with_hard_bounds():
    rule = pair_stdp(
        a_plus=0.25, a_minus=0.125, tau_plus=10.0, tau_minus=5.0, w_max=64, rounding="nearest"
    )
    assert rule.dw == "2^-5*x1*y0 - 2^-6*x0*y1"
    assert rule.x1 == TraceParams(512, decay=3706, bits=12)  # exp(-1/10) = 0.9048
    assert rule.y1 == TraceParams(512, decay=3354, bits=12)  # exp(-1/5) = 0.8187
    assert visited(rule, "post", w=10, x1=512, x0=1) == 26  # + 64 / 4
    assert visited(rule, "post", w=10, x1=463) == 24  # + 16 * 0.904 = 14.5 - 0.03
    assert visited(rule, "post", w=60, x1=512) == 64
    assert visited(rule, "pre", w=10, y1=512) == 2  # - 64 / 8
    assert visited(rule, "pre", w=10, y1=419) == 3  # - 8 * 0.818 = - 6.55
    assert visited(rule, "pre", w=3, y1=512) == 0


def test_pairs_with_soft_bounds():
    rule = pair_stdp(a_plus=0.25, a_minus=0.125, w_min=4, w_max=64, soft=True, rounding="nearest")
    assert rule.dw == "2^-11*x1*y0*(w_max - w) - 2^-12*x0*y1*(w - w_min)"
    assert visited(rule, "post", w=10, x1=512) == 24  # + 54 / 4 = 13.5: halves go up
    assert visited(rule, "post", w=64, x1=2048) == 64
    assert visited(rule, "pre", w=20, y1=512) == 18  # - 16 / 8
    assert visited(rule, "pre", w=4, y1=4095) == 4


def test_nearest_pairs_set_their_traces():
    rule = pair_stdp(a_plus=0.25, a_minus=0.125, w_max=64, nearest=True, rounding="nearest")
    assert rule.x1.mode == rule.y1.mode == "set"
    assert rule.dw == "2^-7*x1*y0 - 2^-8*x0*y1" and rule.x1.increment == 2048
    assert visited(rule, "post", w=10, x1=2048) == 26


def test_triplets():
    rule = triplet_stdp(
        a2_plus=0.25, a3_plus=0.125, a2_minus=0.125, a3_minus=0.25, w_max=64, rounding="nearest"
    )
    assert rule.dw == "2^-1*x1*y0 + 2^-11*x1*y2*y0 - 2^-2*y1*x0 - 2^-10*y1*x2*x0"
    increments = [t.increment for t in (rule.x1, rule.x2, rule.y1, rule.y2)]
    assert increments == [32, 512, 32, 512]
    decays = [t.decay for t in (rule.x1, rule.x2, rule.y1, rule.y2)]
    assert decays == [round(4096 * math.exp(-1 / tau)) for tau in (16.8, 101, 33.7, 114)]
    assert visited(rule, "post", w=10, x1=32, x2=999, y1=999, y2=512) == 34  # + 16 + 8
    assert visited(rule, "post", w=10, x1=16, y2=0) == 18
    assert visited(rule, "pre", w=40, y1=32, y2=999, x1=999, x2=256) == 24  # - 8 - 16 / 2
    assert visited(rule, "pre", w=40, y1=0, x2=512) == 40


def test_triplet_terms_of_amplitude_0_are_left_out():
    rule = triplet_stdp()  # the minimal model: pairs depress, triplets potentiate
    assert rule.dw == "2^-15*x1*y2*y0 - 2^-6*y1*x0"
    assert rule.x2 is None and rule.x1.increment == 32 and rule.y2.increment == 845
    amplitude = rule.x1.increment * rule.y2.increment / 2**15
    assert amplitude == pytest.approx(6.5e-3 * 127, rel=1e-3)
    assert rule.y1.increment / 2**6 == pytest.approx(7.1e-3 * 127, rel=0.01)
    other = triplet_stdp(a2_plus=0.01, a3_plus=0, a2_minus=0.01, a3_minus=0.01)
    assert other.y2 is None and other.x2 is not None


@pytest.mark.parametrize(
    ("v", "calcium", "change"),
    [
        (101, 24, 0),
        (101, 25, 2),
        (101, 103, 2),
        (101, 104, 0),
        (100, 24, 0),
        (100, 25, -3),
        (100, 31, -3),
        (100, 32, 0),
        (-5, 200, 0),
    ],
)
def test_sdsp_steps_between_the_calcium_limits(v, calcium, change):
    rule = sdsp(theta_v=100, a=2, b=3)
    assert rule.phases == ("pre",)
    assert visited(rule, "pre", w=7, v=v, y1=calcium) == 7 + change
    narrow = sdsp(theta_v=0, calcium_bits=5, theta_up=(3, 9), theta_down=(3, 9), tau_calcium=10)
    assert narrow.y1 == TraceParams(8, decay=3706, bits=5)


def test_sdsp_drifts_to_its_two_states():
    rule = sdsp(theta_v=0, drift=(1, 2), drift_period=3, w_max=15)
    assert rule.phases == ("pre", "sweep") and rule.periods == (3,)
    assert [visited(rule, "sweep", w=w, tick=7) for w in (0, 1, 7, 8, 15)] == [0, 0, 5, 9, 15]
    assert [visited(rule, "sweep", w=w, tick=6) for w in (7, 8)] == [7, 8]
    assert visited(sdsp(theta_v=0, drift_period=0, theta_w=10), "sweep", w=10) == 9


@pytest.mark.parametrize(("p_plus", "p_minus"), [(0.1, 0.05), (1.0, 2**-16), (0.3, 0.999)])
def test_binary_weights_change_with_the_given_probability(p_plus, p_minus):
    rule = binary_stdp(p_plus=p_plus, p_minus=p_minus, window=5)
    draws = np.arange(1 << 16)

    def weights(w: int, x1: int) -> np.ndarray:
        values = {"w": np.full(draws.shape, w), "x1": np.array(x1), "y0": np.array(1)}
        return golden_visit(rule, rule.terms, values, draws)[0]

    assert weights(0, 5).sum() == weights(0, 1).sum() == round(p_plus * 65536)
    assert (1 - weights(1, 0)).sum() == round(p_minus * 65536)
    assert weights(1, 1).all() and not weights(0, 0).any()
    assert [visited(rule, "post", w=0, x1=1, draw=d) for d in (0, 65535)] == [int(p_plus == 1), 1]


@given(st.integers(1, 200))
def test_a_window_is_open_for_so_many_ticks(window):
    trace = countdown(window)
    values = [np.array([trace.increment])]
    while values[-1][0]:
        values.append(decayed(trace, values[-1]))
    assert len(values) - 1 == window
    assert countdown((1 << 15) - 1).bits == 15


QUERLIOZ = {"a_plus": 0.02, "a_minus": 0.01, "beta_plus": 3.0, "beta_minus": 2.0}


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 32), st.integers(0, 3), st.integers(40, 255))
def test_the_staircase_is_near_the_exponential(levels, w_min, w_max):
    rule = querlioz(**QUERLIOZ, levels=levels, window=4, w_min=w_min, w_max=w_max)
    scale = w_max - w_min
    errors = {"a_plus": [], "a_minus": []}
    for w in range(w_min, w_max + 1):
        u = (w - w_min) / scale
        for x1, name, published in (
            (1, "a_plus", 0.02 * scale * math.exp(-3 * u)),
            (0, "a_minus", -0.01 * scale * math.exp(-2 * (1 - u))),
        ):
            values = {"x1": x1, "w": w, "y0": 1}
            change = float(evaluate(rule.dw, values))
            errors[name].append(abs(change / published - 1))
    rounding = levels * 2**-17 / (scale * 0.01 * math.exp(-3))
    assert max(errors["a_plus"]) <= math.exp(3 / (2 * levels)) - 1 + rounding
    assert max(errors["a_minus"]) <= math.exp(2 / (2 * levels)) - 1 + rounding


def test_the_error_of_the_default_staircase():
    rule = querlioz()
    changes = [float(evaluate(rule.dw, {"x1": 1, "w": w, "y0": 1})) for w in range(128)]
    exact = [1.27 * math.exp(-3 * w / 127) for w in range(128)]
    error = np.array(changes) / exact - 1
    assert 0.20 < np.abs(error).max() < 0.21
    assert abs(error.mean()) < 0.01
    assert np.unique(np.round(changes, 3)).size == 8


def test_querlioz_by_hand():
    rule = querlioz(**QUERLIOZ, levels=1, w_max=100, rounding="nearest", window=3)
    # one level: 2 * exp(-1.5) = 0.446 LSB, and 1 * exp(-1) = 0.368
    assert visited(rule, "post", w=50, x1=3) == visited(rule, "post", w=50, x1=0) == 50
    rule = querlioz(a_plus=0.1, a_minus=0.1, levels=2, w_max=100, rounding="nearest")
    # u = 1/4 and 3/4: 10 * exp(-0.75) = 4.72 and 10 * exp(-2.25) = 1.05
    assert [visited(rule, "post", w=w, x1=9) - w for w in (10, 49, 50, 90)] == [5, 5, 1, 1]
    assert [visited(rule, "post", w=w, x1=0) - w for w in (10, 49, 50, 90)] == [-1, -1, -5, -5]
    assert querlioz(beta_plus=0, beta_minus=0, levels=9).dw.count("x1") == 2


def test_rewards_turn_tags_into_weights():
    rule = reward_stdp(
        a_plus=16, a_minus=8, tau_tag=100, learning_rate=1 / 64, rounding="nearest", tag_bits=8
    )
    assert (rule.dw, rule.dt) == ("2^-6*r*t", "2^-3*x1*y0 - 2^-4*x0*y1 - 15*2^-5*t*u6")
    assert visited(rule, "post", w=5, t=3, x1=128, r=9) == (5, 19)
    assert visited(rule, "post", w=5, t=-3, x1=127) == (5, 12)  # -3 + 15.875, towards 0
    assert visited(rule, "post", w=5, t=120, x1=128) == (5, 127)
    assert visited(rule, "pre", w=5, t=3, y1=128, x0=1) == (5, -5)
    assert visited(rule, "sweep", w=50, t=-32, r=8, tick=0) == (46, -32)
    assert visited(rule, "sweep", w=50, t=32, r=0, tick=63) == (50, 17)  # 32 * 17 / 32
    assert visited(rule, "sweep", w=50, t=-33, r=0, tick=63) == (50, -17)
    assert visited(rule, "sweep", w=50, t=1, r=0, tick=63) == (50, 0)
    assert visited(rule, "sweep", w=50, t=32, r=2, tick=63) == (51, 17)  # the tag from before


@pytest.mark.parametrize(("reward", "expected"), [(8, 54), (0, 50), (-8, 46)])
def test_a_reward_reaches_the_pair_before_it(reward, expected):
    """The tag is 16 * exp(-2 / 20) = 14.4, rounded down; after tick 15 it keeps 19/32 of it: 8."""
    rule = reward_stdp(tau_tag=30, learning_rate=1 / 16, rounding="nearest")
    assert rule.dt.endswith("- 13*2^-5*t*u4")
    script = [([0] if tick == 2 else [], [0] if tick == 4 else []) for tick in range(25)]
    rewards = [[reward if tick == 20 else 0 for tick in range(25)]]
    tags = lab(rule, [[50]]).learned(script, "tags")
    assert [tags[tick][0][0] for tick in (3, 4, 14, 15, 24)] == [0, 14, 14, 8, 8]
    weights = lab(rule, [[50]]).learned(script, reward=rewards)
    assert (weights[19], weights[20], weights[24]) == ([[50]], [[expected]], [[expected]])


@given(st.floats(1, 700))
def test_tags_decay_with_their_time_constant(tau):
    rule = reward_stdp(tau_tag=tau)
    (period,) = rule.periods
    term = rule.tag.terms[-1]
    lost = -term.coefficient * 2**term.exponent
    assert lost <= 0.66
    assert -(2**period) / math.log(1 - lost) == pytest.approx(tau, rel=0.07)


def test_targets():
    rule = target_stdp(eta=0.25, x_target=0.5, w_max=64, soft=False, rounding="nearest")
    assert rule.dw == "2^-3*y0*(x1 - 64)" and rule.x1.increment == 128
    assert visited(rule, "post", w=20, x1=128) == 28  # + 16 * (1 - 0.5)
    assert visited(rule, "post", w=20, x1=0) == 12
    assert rule.visits_silent_axons
    soft = target_stdp(eta=0.25, x_target=0.5, w_max=64, rounding="nearest")
    assert soft.dw == "2^-9*y0*(x1 - 64)*(w_max - w)"
    assert visited(soft, "post", w=20, x1=128) == 26  # + 44 / 4 / 2 = 5.5: halves go up
    assert visited(soft, "post", w=64, x1=0) == 64
    assert not target_stdp(x_target=0).visits_silent_axons
    assert target_stdp(nearest=True).x1.mode == "set"


@given(
    st.floats(2.0**-18, 1),
    st.integers(1, 255),
    st.floats(0.125, 8191),
    st.integers(4, 15),
    st.booleans(),
)
def test_traces_carry_the_amplitude(amplitude, scale, tau, bits, nearest):
    try:
        trace, power = spike_trace(
            ("a", amplitude), scale, ("tau", tau), ("bits", bits), nearest=nearest
        )
    except SpikeletError as error:
        assert amplitude * scale <= 2.0**-17 and "a must be above" in str(error)
        return
    exponent = int(power.removeprefix("2^"))
    used = bits if nearest else bits - 2
    step = 2.0**exponent
    assert abs(trace.increment * step - amplitude * scale) <= step
    assert exponent == -16 or trace.increment >= 1 << (used - 1)
    assert trace.increment < 1 << used and trace.largest == (1 << bits) - 1
    assert trace.decay == round(4096 * math.exp(-1 / tau)) and 0 < trace.decay < 4096


@given(st.floats(2.0**-20, 300), st.integers(1, 16))
def test_constants_are_near_and_odd(value, digits):
    text = constant(value, digits)
    got = float(evaluate(text, {})) if text else 0.0
    assert abs(got - value) <= max(2.0**-17, value * 2.0**-digits)
    assume(text)
    odd = int(text.partition("*")[0]) if "*" in text else 1
    assert odd % 2 == 1 and odd < 1 << digits


@pytest.mark.parametrize(
    ("rule", "fields", "message"),
    [
        (pair_stdp, {"a_plus": 0}, "a_plus must be above 6e-08, not 0"),
        (pair_stdp, {"a_plus": 1e-8}, "a_plus must be above 6e-08, not 1e-08"),
        (pair_stdp, {"a_minus": 1.5}, "a_minus must be a number in 0..1, not 1.5"),
        (pair_stdp, {"a_minus": math.nan}, "a_minus must be a number in 0..1, not nan"),
        (pair_stdp, {"a_minus": "1"}, "a_minus must be a number in 0..1, not '1'"),
        (pair_stdp, {"a_minus": True}, "a_minus must be a number in 0..1, not True"),
        (pair_stdp, {"tau_plus": 0.1}, "tau_plus must be a number in 0.125..8191, not 0.1"),
        (pair_stdp, {"tau_minus": 9e3}, "tau_minus must be a number in 0.125..8191, not 9000.0"),
        (pair_stdp, {"trace_bits": 3}, "trace_bits must be an int in 4..15, not 3"),
        (pair_stdp, {"w_max": 0}, "w_max must be an int in 1..255, not 0"),
        (pair_stdp, {"w_min": 255}, "w_min must be an int in -128..254, not 255"),
        (triplet_stdp, {"a3_plus": 0}, "a2_plus and a3_plus must not both be 0"),
        (triplet_stdp, {"a2_minus": 0.0}, "a2_minus and a3_minus must not both be 0"),
        (triplet_stdp, {"a3_plus": -1}, "a3_plus must be a number in 0..1, not -1"),
        (triplet_stdp, {"a3_plus": 1e-6}, "a3_plus must be above 1.9e-06, not 1e-06"),
        (triplet_stdp, {"tau_y": 0}, "tau_y must be a number in"),
        (triplet_stdp, {"trace_bits": 16}, "trace_bits must be an int in 4..15, not 16"),
        (triplet_stdp, {"slow_trace_bits": 16}, "slow_trace_bits must be an int in 4..15"),
        (sdsp, {"theta_v": 1e5}, "theta_v must be an int in -65536..65536, not 100000.0"),
        (sdsp, {"a": 0}, "a must be an int in 1..255, not 0"),
        (sdsp, {"drift": (1, 300)}, r"drift\[1\] must be an int in 1..255, not 300"),
        (sdsp, {"theta_up": (-2, 4)}, r"theta_up\[0\] must be an int in -1..254, not -2"),
        (sdsp, {"theta_down": (9, 10)}, r"theta_down\[1\] must be an int in 11..256, not 10"),
        (sdsp, {"calcium_bits": 16}, "calcium_bits must be an int in 1..15, not 16"),
        (sdsp, {"calcium_increment": 256}, "calcium_increment must be an int in 1..255, not 256"),
        (sdsp, {"theta_up": 4}, "theta_up must be two ints, not 4"),
        (sdsp, {"drift": (1, 1, 1)}, r"drift must be two ints, not \(1, 1, 1\)"),
        (sdsp, {"theta_w": 3}, "theta_w is of use only with a drift_period"),
        (sdsp, {"drift_period": 9}, "drift_period must be an int in 0..8, not 9"),
        (sdsp, {"drift_period": 0, "theta_w": 15}, "theta_w must be an int in 0..14, not 15"),
        (binary_stdp, {"p_plus": 0}, "p_plus must be a number in .*..1, not 0"),
        (binary_stdp, {"p_minus": 1.1}, "p_minus must be a number in .*..1, not 1.1"),
        (binary_stdp, {"window": 0}, "window must be an int in 1..32767, not 0"),
        (querlioz, {"levels": 33}, "levels must be an int in 1..32, not 33"),
        (querlioz, {"levels": 8, "w_max": 7}, "levels must be an int in 1..7, not 8"),
        (querlioz, {"beta_plus": 11}, "beta_plus must be a number in 0..10, not 11"),
        (querlioz, {"a_minus": 1e-7}, "a_minus must make steps of at least .*, not 7.6e-07 as"),
        (reward_stdp, {"a_plus": 128}, "a_plus must be a number in 0..127, not 128"),
        (reward_stdp, {"tau_tag": 0.5}, "tau_tag must be a number in 1..8000, not 0.5"),
        (reward_stdp, {"learning_rate": 2}, "learning_rate must be a number in .*..1, not 2"),
        (target_stdp, {"x_target": 5}, "x_target must be a number in 0..4, not 5"),
        (target_stdp, {"x_target": 2, "nearest": True}, "x_target must be a number in 0..1, not 2"),
        (target_stdp, {"eta": 0}, "eta must be above 7.6e-06, not 0"),
    ],
)
def test_what_is_refused(rule, fields, message):
    with pytest.raises(SpikeletError, match=f"^{message}"):
        rule(**{**NEEDED.get(rule.__name__, {}), **fields})
