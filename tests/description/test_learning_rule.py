"""What a plastic core is built to do, and what is refused."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage, random_states, scan_rows
from spikelet.description.chip.memory_map import ChipMap, describe, post_bits, post_fields
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import lane_banks, pack_lanes, unpack_lanes
from spikelet.description.learning.rule import LearningRule, TraceParams, term_range, variable_range
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.dense import synapse_rows
from tests.helpers.rule_evaluator import evaluate

TRACE = TraceParams(32, decay=3900)
WIDE = TraceParams(1, decay_shift=3, bits=15)
PAIR = LearningRule("x1*y0 - x0*y1", x1=TRACE, y1=TRACE)
TAGGED = LearningRule(
    "2^-4*r*t",
    "2^-3*x1*y0 - 2^-3*x0*y1 - 2^-2*t*u4 + x0*(v > 3)",
    x1=TRACE,
    y1=replace(TRACE, bits=6),
    rounding="stochastic",
    tag_bits=5,
    reward_bits=4,
)
CORE = CoreParams(
    n_axons=20,
    n_neurons=16,
    neuron=neuron_model("snntorch-zero"),
    weight_bits=8,
    potential_bits=12,
    lanes=8,
    learning=TAGGED,
    parameters=Adaptation(100, decay_shift=4, bits=20).constants,
)


def test_what_has_no_third_trace_does_not_name_it() -> None:
    """So that digests are what they were."""
    rule = LearningRule("x1*y0", x1=TRACE)
    assert "y3" not in rule.to_dict() and LearningRule.from_dict(rule.to_dict()) == rule
    third = LearningRule("x1*y3*y0", x1=TRACE, y3=TRACE)
    assert LearningRule.from_dict(third.to_dict()) == third
    assert third.post_traces == {"y3": TRACE}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bits": 16}, "^trace: bits must be an int in 1..15, not 16$"),
        ({"bits": 0}, "^trace: bits must be an int in 1..15, not 0$"),
        ({"increment": 0}, "^trace: increment must be an int in 1..255, not 0$"),
        ({"increment": 256}, "^trace: increment must be an int in 1..255, not 256$"),
        ({"increment": 1.0}, r"^trace: increment must be an int in 1..255, not 1\.0$"),
        ({"decay": 4096}, "^trace: decay must be an int in 0..4095, not 4096$"),
        ({"decay_shift": 16}, "^trace: decay_shift must be an int in 0..15, not 16$"),
        ({"decay": 1, "decay_shift": 1}, "^trace: give decay or decay_shift, not both$"),
        ({"mode": "max"}, "^trace: mode must be one of add, set, not 'max'$"),
    ],
)
def test_traces_are_checked(fields, message):
    with pytest.raises(SpikeletError, match=message):
        TraceParams(**{"increment": 1, **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bits": 25}, "^adaptation: bits must be an int in 2..24, not 25$"),
        ({"increment": 1 << 24}, "^adaptation: increment must be an int in 1..16777215, not 16"),
        ({"decay_shift": 25}, "^adaptation: decay_shift must be an int in 0..24, not 25$"),
        ({"fraction_bits": 17}, "^adaptation: fraction_bits must be an int in 0..16, not 17$"),
    ],
)
def test_adaptations_are_checked(fields, message):
    with pytest.raises(SpikeletError, match=message):
        Adaptation(**{"increment": 1, **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"w_min": -129}, "w_min must be an int in -128..255, not -129"),
        ({"w_min": 5, "w_max": 5}, "w_max must be an int in 6..255, not 5"),
        ({"w_max": 256}, "w_max must be an int in 1..255, not 256"),
        ({"reward_bits": 1}, "reward_bits must be an int in 2..16, not 1"),
        ({"rounding": "floor"}, "rounding must be one of nearest, stochastic, not 'floor'"),
        ({"tag_rounding": "up"}, "tag_rounding must be one of toward_zero, nearest, stochastic"),
        ({"dt": "x1*y0"}, "a rule dt and tag_bits belong together"),
        ({"tag_bits": 4}, "a rule dt and tag_bits belong together"),
        ({"dt": "x1*y0", "tag_bits": 9}, "tag_bits must be an int in 2..8, not 9"),
        ({"x1": None}, "the rule uses x1, which has no TraceParams"),
        ({"x2": TRACE}, "x2 has TraceParams, but the rule does not use it"),
        ({"y3": TRACE}, "y3 has TraceParams, but the rule does not use it"),
        ({"dw": "x1*y0*y3 - x0*y1"}, "the rule uses y3, which has no TraceParams"),
        ({"dw": "x1*y0 - t*x0*y1"}, "the rule uses t, which needs dt and tag_bits"),
        ({"dw": None}, "dw must be text, not None"),
        ({"source": 3}, "source must be text, not 3"),
    ],
)
def test_rules_are_checked(fields, message):
    with pytest.raises(SpikeletError, match=rf"^rule custom: {message}"):
        replace(PAIR, **fields)


def test_errors_of_the_text_come_through():
    with pytest.raises(SpikeletError, match="^rule for dt, column 4: "):
        LearningRule("r*t", "x0*q", tag_bits=4)


def test_what_a_rule_has():
    assert TAGGED.phases == ("pre", "post", "sweep")
    assert TAGGED.periods == (4,)
    assert TAGGED.variables == {"x1", "y1", "r", "t", "v"}
    assert (list(TAGGED.pre_traces), list(TAGGED.post_traces)) == (["x1"], ["y1"])
    assert TAGGED.stochastic and not PAIR.stochastic
    assert replace(TAGGED, rounding="nearest").stochastic is False
    assert replace(TAGGED, rounding="nearest", tag_rounding="stochastic").stochastic
    assert replace(PAIR, tag_rounding="stochastic").stochastic is False
    assert PAIR.tag is None and PAIR.phases == ("pre", "post") and PAIR.periods == ()
    assert replace(PAIR, source="elsewhere") == PAIR != replace(PAIR, name="other")


@pytest.mark.parametrize(
    ("dw", "silent"),
    [
        ("x1*y0", False),
        ("x0*y0", False),
        ("(x1 - x2)*y0", False),
        ("(x1 > 0)*y0", False),
        ("(x2 == 4)*y0", False),
        ("(x1 != 0)*w*y0", False),
        ("x0*y1*y2", False),
        ("x0*y1 - r*x1", False),
        ("y0", True),
        ("w*y0", True),
        ("(x1 - 1)*y0", True),
        ("(x1 + w)*y0", True),
        ("(x1 == 0)*y0", True),
        ("(x2 < 4)*y0", True),
        ("x1*y0 - y0*y1", True),
    ],
)
def test_which_rules_visit_silent_axons(dw, silent):
    traces = {name: TRACE for name in ("x1", "x2", "y1", "y2") if name in dw}
    assert LearningRule(dw, **traces).visits_silent_axons is silent


CHECKED = LearningRule(
    "2^-3*x1*(y1 - w + 2)*y0 - 5*x0*(v > 4)*(2 - v - w) + 3*r*t*w",
    "x0*t",
    x1=replace(TRACE, bits=3, increment=1),
    y1=replace(TRACE, bits=2, increment=1),
    tag_bits=3,
    reward_bits=3,
)


@given(st.data())
def test_no_value_leaves_the_range_of_its_term(data):
    bounds = {n: variable_range(CHECKED, n, -8, 7, 5) for n in ("x1", "y1", "v", "w", "t", "r")}
    values = {name: data.draw(st.integers(*bounds[name])) for name in bounds}
    triggers = {name: data.draw(st.integers(0, 1)) for name in ("x0", "y0")}
    for term in CHECKED.weight.terms:
        low, high = term_range(term, bounds, 3)
        sign = -1 if term.coefficient < 0 else 1
        value = sign * evaluate(term.text, {**values, **triggers}) * 8
        assert min(low, 0) <= value <= max(high, 0)


def test_ranges_are_reached():
    bounds = {n: variable_range(CHECKED, n, -8, 7, 5) for n in ("x1", "y1", "v", "w", "t", "r")}
    for term in (CHECKED.weight.terms[0], CHECKED.weight.terms[2]):
        corners = [
            evaluate(term.text, {**dict(zip(bounds, corner, strict=True)), "y0": 1}) * 8
            for corner in product(*bounds.values())
        ]
        low, high = term_range(term, bounds, 3)
        assert min(corners) == low and max(corners) == high


def _wide(dw: str) -> LearningRule:
    return LearningRule(dw, **{name: WIDE for name in ("x1", "x2", "y1", "y2") if name in dw})


def test_an_accumulator_that_could_overflow_is_refused_with_its_term():
    fits = "2^-16*x1*x2*y0"
    _wide(fits).check(-128, 127, 16)
    for dw, term, what in (
        ("x0*w + 4*2^-16*x1*x2*y0", "4*2^-16*x1*x2*y0", "this product can take 33 bits"),
        (f"{fits} + x0*{fits}", f"x0*{fits}", "the sum so far can take 33 bits"),
        ("x0*y1*y1*y2", "x0*y1*y1*y2", "this product can take 46 bits, with 0 of fraction"),
    ):
        with pytest.raises(SpikeletError) as caught:
            _wide(dw).check(-128, 127, 16)
        assert f"rule custom: dw, term {term}: {what}" in str(caught.value)
        assert "remedy: use narrower traces" in str(caught.value)


def test_the_sum_with_the_old_weight_and_the_rounding_must_fit():
    most = "2^-1*x0 + 65535*2^14*x0 + {}*x0"  # with a weight of 127 and 1 to round: 2**31 - 2
    LearningRule(most.format(16255)).check(-128, 127, 16)
    with pytest.raises(SpikeletError, match=r"custom: dw, term 16256\*x0: the sum so far can take"):
        LearningRule(most.format(16256)).check(-128, 127, 16)


def test_the_sum_with_the_old_tag_must_fit_too():
    most = "65536*2^14*x0 + 65535*2^14*x0 + {}*x0"  # with a tag of 127: 2**31 - 1
    fits = LearningRule("t*x0", most.format(16256), tag_bits=8)
    fits.check(-128, 127, 16)
    over = replace(fits, dt=most.format(16257))
    with pytest.raises(SpikeletError, match=r"custom: dt, term 16257\*x0: the sum so far can take"):
        over.check(-128, 127, 16)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"w_min": -9}, r"bounds -9..5 must lie in -8..7, the range of the core's weights"),
        ({"w_max": 8}, r"bounds 0..8 must lie in -8..7"),
    ],
)
def test_bounds_must_fit_the_weights(fields, message):
    rule = replace(PAIR, **{"w_max": 5, **fields})
    with pytest.raises(SpikeletError, match=message):
        replace(CORE, weight_bits=4, learning=rule, parameters={})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"weight_bits": 1, "weight_format": "binary"},
            "weights that learn must be signed or unsigned, not binary\n  remedy: with 1 bit",
        ),
        (
            {"learning": None},
            "state adaptation of 'snntorch-zero' never changes\n  remedy: give the core a learn",
        ),
        ({"first_tick": 1}, "first_tick must be 0 to learn, not 1"),
        ({"learning": _wide("4*2^-16*x1*x2*y0")}, "this product can take 33 bits"),
    ],
)
def test_plastic_cores_are_checked(fields, message):
    with pytest.raises(SpikeletError, match=message):
        replace(CORE, **fields)


@pytest.mark.parametrize("core", [CORE, replace(CORE, learning=PAIR, parameters={})])
def test_fields_survive_json(core):
    fields = json.loads(json.dumps(core.to_dict()))
    assert CoreParams.from_dict(fields) == core
    rule = LearningRule.from_dict(json.loads(json.dumps(core.learning.to_dict())))
    assert rule == core.learning and rule.source == core.learning.source
    other = replace(core, learning=replace(core.learning, w_max=126))
    assert ChipParams((core,)).digest != ChipParams((other,)).digest


@given(
    st.integers(1, 6), st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 2**32)
)
def test_lanes_unpack_to_what_was_packed(rows, lanes, bits, signed, seed):
    low = -(1 << (bits - 1)) if signed else 0
    codes = np.random.default_rng(seed).integers(low, low + (1 << bits), (rows, lanes))
    offsets, words = pack_lanes(codes, bits)
    assert np.array_equal(unpack_lanes(words, lanes, bits, signed=signed), codes)
    banks = lane_banks(lanes, bits)
    assert banks & (banks - 1) == 0 and banks // 2 < -(-lanes * bits // 32) <= banks
    assert np.unique(offsets).size == offsets.size and offsets.max() < rows * banks
    row, lane = rows - 1, lanes - 1
    whole = sum(
        int(w) << 32 * int(o % banks)
        for o, w in zip(offsets, words, strict=True)
        if o // banks == row
    )
    assert whole >> lane * bits & ((1 << bits) - 1) == codes[row, lane] & ((1 << bits) - 1)


def test_regions_of_a_plastic_core():
    regions = ChipMap(ChipParams((CORE,))).cores[0]
    assert {
        name: (regions[name].words, regions[name].bits)
        for name in (
            "plastic",
            "learning",
            "tags",
            "pre_traces",
            "post_traces",
            "random",
            "adaptation",
        )
    } == {
        "plastic": (2, 16),
        "learning": (2, 4),
        "tags": (40 * 2, 32),
        "pre_traces": (8, 32),
        "post_traces": (2 * 8, 32),
        "random": (16, 16),
        "adaptation": (16, 20),
    }
    assert post_fields(CORE) == {"y1": 6, "v": 12} and post_bits(CORE) == 18
    fixed = replace(CORE, learning=None, parameters={})
    assert not {"plastic", "learning", "tags", "random", "adaptation"} & set(
        ChipMap(ChipParams((fixed,))).cores[0]
    )
    assert post_fields(fixed) == {}
    plain = ChipMap(ChipParams((replace(CORE, learning=PAIR),))).cores[0]
    assert "tags" not in plain and "random" not in plain and plain["learning"].bits == 8
    layouts = [r["layout"] for r in describe(ChipParams((CORE,)))["cores"][0]["regions"]]
    assert any("lanes are neurons, y1, v" in layout for layout in layouts)


def _image(core: CoreParams = CORE) -> CoreImage:
    rng = np.random.default_rng(1)
    return CoreImage(
        rng.integers(0, 128, (20, 16)).astype(np.int16),
        joined(),
        {"threshold": np.array([9], np.int32)},
        {"adaptation": rng.integers(0, 1 << 20, 16).astype(np.int32)},
        plastic=np.arange(20) % 3 > 0,
        tags=rng.integers(-16, 16, (20, 16)).astype(np.int8),
        random=random_states(8, 5),
        learning=False,
    )


def test_a_plastic_image_is_accepted():
    ChipImage((_image(),)).check(ChipParams((CORE,)))
    free = _image()
    free.weights[0] = -128  # axon 0 is not plastic: the rule's bounds do not bind it
    free.check(CORE, "core 0")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "states.adaptation",
            np.zeros(15, np.int32),
            r"adaptation must have shape \(16,\), not \(15,\)",
        ),
        ("plastic", np.zeros(0, bool), r"plastic must have shape \(20,\), not \(0,\)"),
        ("tags", np.zeros((0, 0), np.int8), r"tags must have shape \(20, 16\), not \(0, 0\)"),
        ("random", np.ones(16, np.uint32), r"random must have shape \(8,\), not \(16,\)"),
        (
            "states.adaptation",
            np.full(16, 1 << 20, np.int32),
            "adaptation must be in 0..1048575, found 10",
        ),
        ("weights", np.full((20, 16), -1, np.int16), "weights of plastic axons must be in 0..127"),
        ("tags", np.full((20, 16), 16, np.int8), "tags must be in -16..15, found 16"),
        ("tags", np.full((20, 16), -17, np.int8), "tags must be in -16..15, found -17"),
        ("random", np.zeros(8, np.uint32), "random must be in 1..4294967295, found 0"),
    ],
)
def test_plastic_images_are_checked(field, value, message):
    with pytest.raises(SpikeletError, match=f"^core 0: {message}"):
        wrong = CoreImage.from_arrays({**_image().to_arrays(), field: value})
        ChipImage((wrong,)).check(ChipParams((CORE,)))


@pytest.mark.parametrize("field", ["plastic", "tags", "random", "states"])
def test_a_fixed_core_has_nothing_to_learn(field):
    bare = replace(CORE, learning=None, parameters={})
    empty = {"plastic": np.zeros(0, bool), "tags": np.zeros((0, 0), np.int8)}
    empty |= {"random": np.zeros(0, np.uint32), "states": {}}
    replace(_image(), **empty).check(bare, "core 0")
    del empty[field]
    with pytest.raises(
        SpikeletError, match=f"^core 0: {field} must (have shape|be none, not adaptation)"
    ):
        replace(_image(), **empty).check(bare, "core 0")


def test_a_program_holds_what_is_learned():
    chip, image = ChipParams((CORE,)), _image()
    writes = dict(ChipImage((image,)).program(chip).tolist())
    chip_map = ChipMap(chip)

    def words(region: str, offsets: np.ndarray) -> np.ndarray:
        return np.array([writes[a] for a in chip_map.address(0, region, offsets)], np.uint32)

    rows = synapse_rows(CORE, image.tags)
    offsets, _ = pack_lanes(rows, 5)
    assert np.array_equal(unpack_lanes(words("tags", offsets), 8, 5, signed=True), rows)
    assert words("plastic", np.arange(2)).tolist() == [
        int(row @ (1 << np.arange(16))) for row in scan_rows(CORE, image.plastic)
    ]
    assert words("learning", np.arange(1)).tolist() == [0]
    assert np.array_equal(words("adaptation", np.arange(16)), image.states["adaptation"])
    halves = words("random", np.arange(16)).reshape(8, 2)[::-1]
    assert np.array_equal(halves[:, 0] << 16 | halves[:, 1], image.random)


def test_first_states_of_lfsrs_differ_and_repeat():
    states = random_states(64, 7)
    assert np.unique(states).size == 64 and states.all() and states.dtype == np.uint32
    assert np.array_equal(states, random_states(64, 7))
    assert not np.array_equal(states, random_states(64, 8))
