"""Errors by teachers: golden against the contract word for word, numpy, C, and cases by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.error import ErrorParams, with_error
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from tests.golden.slow_learning import SlowCore
from tests.helpers.random_plastic import random_plastic_image, random_reward
from tests.helpers.random_taught import random_taught_core

TICKS = 10
BRIEF = TraceParams(10, bits=4, mode="set")
"""10 in the tick of the spike, then 0."""

Ticks = list[tuple[tuple[int, ...], tuple[int, ...]]]
"""Of each tick: axons 0 and 1 that spike, neurons 0 and 1 that are taught."""


@pytest.mark.parametrize(
    ("backend", "first", "last"),
    [("numpy", 0, 10), ("native", 10, 16), pytest.param("native", 16, 60, marks=pytest.mark.slow)],
)
def test_every_tick_of_random_cores(backend: str, first: int, last: int) -> None:
    """C is compiled anew for each."""
    changed = errors = 0
    for seed in range(first, last):
        rng = np.random.default_rng(seed)
        core = random_taught_core(rng)
        chip = ChipParams((core,))
        image = random_plastic_image(rng, chip).cores[0]
        image = replace(image, destinations=joined(), learning=bool(rng.integers(0, 8)))
        spikes = rng.random((1, TICKS, core.n_axons)) < rng.choice([0.1, 0.4, 0.8])
        reward = random_reward(rng, chip, 1, TICKS)
        events = Events.from_spikes(spikes, [(a, 0, a, 0) for a in range(core.n_axons)])
        trace = GoldenChip(chip, ChipImage((image,)), backend=backend).run(
            events, record=("spikes", "states", "learning"), reward=reward
        )
        assert trace.states and trace.learned
        slow = SlowCore(core, image)
        for tick in range(TICKS):
            before = str(slow.w)
            slow.tick(spikes[0, tick].tolist(), int(reward[0, tick]))
            where = f"seed {seed}, tick {tick}"
            for name, values in trace.states[0].items():
                assert slow.neurons.of(name) == values[0, tick].tolist(), f"{where}, {name}"
            expected = {"weights": slow.w, "tags": slow.t, **slow.traces}
            expected |= {**slow.neurons.kept, "random": slow.random}
            for name, got in trace.learned[0].items():
                assert expected[name] == got[0, tick].tolist(), f"{where}, {name}"
            changed += before != str(slow.w)
            errors += any(slow.errors)
    most = (last - first) * TICKS
    assert changed > most / 20 and errors > most / 4, f"{changed} changes, {errors} errors"


def core_with(dw: str, error: ErrorParams, **fields: Any) -> CoreParams:
    """Two plastic axons, two teachers of weight 5 and -5, and two that make neurons fire."""
    rule = LearningRule(dw, **{"w_min": -100, "w_max": 100, "error_bits": error.bits, **fields})
    return CoreParams(
        *(6, 2, with_error(neuron_model("nir-euler"), error)),
        weight_bits=8,
        lanes=1,
        learning=rule,
        parameters={"threshold": 120, "decay": 0},
        teacher_axons=2,
    )


def play(
    core: CoreParams, script: Ticks, fire: dict[int, int] | None = None, backend: str = "numpy"
) -> Any:
    """Run; neuron ``fire[tick]`` fires in that tick. Return errors and plastic weights by tick."""
    weights = np.zeros((6, 2), np.int16)
    weights[2:4] = np.eye(2) * 127
    weights[4:] = np.diag((5, -5))
    image = CoreImage(
        weights, joined(), {}, plastic=np.array([1, 1, 0, 0, 0, 0], np.bool_), tags=np.zeros((0, 0))
    )
    spikes = np.zeros((1, len(script), 6), np.bool_)
    for tick, (axons, taught) in enumerate(script):
        spikes[0, tick, list(axons)] = True
        spikes[0, tick, [4 + n for n in taught]] = True
    for tick, neuron in (fire or {}).items():
        spikes[0, tick, 2 + neuron] = True
    chip = GoldenChip(ChipParams((core,)), ChipImage((image,)), backend=backend)
    events = Events.from_spikes(spikes, [(a, 0, a, 0) for a in range(6)])
    trace = chip.run(events, record=("spikes", "states", "learning"))
    assert trace.states and trace.learned
    return (
        trace.states[0]["e"][0].tolist(),
        trace.learned[0]["weights"][0, :, :2].tolist(),
        trace.states[0]["v"][0].tolist(),
    )


def test_a_teacher_loads_the_error_and_not_the_potential() -> None:
    error = ErrorParams(bits=8, decay=2048)
    errors, _, v = play(core_with("e*x1", error, x1=BRIEF), [((), (0, 1)), ((), ()), ((), (0,))])
    assert errors == [[5, -5], [2, -2], [6, -1]], "it halves towards 0, then the teacher adds"
    assert v == [[0, 0]] * 3


def test_an_own_spike_takes_off_what_it_should() -> None:
    core = core_with("e*x1", ErrorParams(bits=8, spike=3), x1=BRIEF)
    errors, _, _ = play(core, [((), (0,)), ((), ())], fire={0: 0, 1: 1})
    assert errors == [[5 - 3, 0], [0, -3]]


def test_the_error_saturates() -> None:
    errors, _, _ = play(core_with("e*x1", ErrorParams(bits=3), x1=BRIEF), [((), (0, 1))])
    assert errors == [[3, -4]]


def test_terms_use_the_error_of_the_tick_and_the_traces_of_the_post_phase() -> None:
    """Without a spike of the neuron; ``x0`` is of the same tick, ``x1`` raised."""
    core = core_with("e*x0 + 2^-1*e*x1", ErrorParams(bits=8), x1=BRIEF)
    _, weights, _ = play(core, [((0,), (0, 1)), ((1,), ()), ((), (0,))])
    assert weights == [[[5 + 25, -5 - 25], [0, 0]]] * 3


def test_a_post_term_with_the_error_counts_where_the_neuron_fires() -> None:
    core = core_with("x0*y0*e", ErrorParams(bits=8))
    _, weights, _ = play(core, [((0,), (0, 1)), ((1,), (0, 1))], fire={1: 1})
    assert weights[-1] == [[0, 0], [0, -5]]


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_spike_without_an_error_counts_beside_terms_with_one(backend: str) -> None:
    core = core_with("e*x0 + 7*x0*y0", ErrorParams(bits=8))
    _, weights, _ = play(core, [((0,), ()), ((1,), (1,))], {0: 0}, backend)
    assert weights == [[[7, 0], [0, 0]], [[7, 0], [0, -5]]]


def test_one_visit_for_spike_and_error_rounds_once() -> None:
    """ReSuMe where both come in a tick: nothing changes, not by 1 from two roundings."""
    core = core_with("2^-2*e*x1 - 5*2^-2*x1*y0", ErrorParams(bits=8), x1=BRIEF)
    _, weights, _ = play(core, [((0,), (0,))], fire={0: 0})
    assert weights[0][0] == [0, 0]


def test_the_window_is_about_the_threshold() -> None:
    core = core_with("e*x1", ErrorParams(bits=8, decay=4095, window=60), x1=BRIEF)
    core = replace(core, parameters={"threshold": 120, "decay": 0, "bias": 61})
    near, _, v = play(core, [((), (0,))])
    core = replace(core, parameters={"threshold": 120, "decay": 0, "bias": 59})
    far, _, _ = play(core, [((), (0,))])
    assert v[0][0] == 61 and (near[0][0], far[0][0]) == (5, 0)


@pytest.mark.parametrize(
    ("dw", "message"),
    [
        ("e*u2", r"u2 is for terms without x0, y0 and e"),
        ("(e + 1)*x1", r"may not be 0 where e is 0; multiply it by e"),
        ("(e >= 0)*x1", r"may not be 0 where e is 0"),
        ("e*x0*v", r"v can be used only with x0 and without y0 and e"),
        ("x1", r"multiply it by x0 .* e \(error\)"),
    ],
)
def test_terms_that_cannot_be_built(dw: str, message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        LearningRule(dw, x1=BRIEF)


def test_cores_without_what_the_rule_reads() -> None:
    taught = core_with("e*x1", ErrorParams(bits=8), x1=BRIEF)
    with pytest.raises(SpikeletError, match=r"reads e, .* there is no teacher"):
        replace(taught, teacher_axons=0)
    with pytest.raises(SpikeletError, match=r"reads e, but neurons of 'nir-euler' have no such"):
        replace(taught, neuron=neuron_model("nir-euler"), teacher_axons=0)
    with pytest.raises(SpikeletError, match=r"2 axons are those of teachers, but there is no lea"):
        replace(taught, learning=None)
    with pytest.raises(SpikeletError, match=r"but 'nir-euler' reads no teacher"):
        replace(taught, neuron=neuron_model("nir-euler"))
    with pytest.raises(SpikeletError, match=r"reads e in 7 bits, which hold -64\.\.63; .* -128"):
        replace(taught, learning=replace(taught.learning, error_bits=7))
    with pytest.raises(SpikeletError, match=r"teacher_axons must be an int in 0\.\.5, not 6"):
        replace(taught, teacher_axons=6)


@pytest.mark.parametrize(
    ("field", "value", "valid"),
    [
        ("bits", 17, "2..16"),
        ("decay", 4096, "0..4095"),
        ("spike", -1, "0..32767"),
        ("window", -2, "0..32767"),
    ],
)
def test_error_params_outside_their_range(field: str, value: int, valid: str) -> None:
    with pytest.raises(SpikeletError, match=rf"error: {field} must be .*{valid}.*{value}"):
        ErrorParams(**{field: value})


def test_models_that_cannot_be_given_an_error() -> None:
    once = with_error(neuron_model("nir-euler"), ErrorParams())
    with pytest.raises(SpikeletError, match=r"has 'e' already"):
        with_error(once, ErrorParams())
    with pytest.raises(SpikeletError, match=r"has no threshold for the window"):
        with_error(neuron_model("li"), ErrorParams(window=3))


def test_a_chip_without_errors_is_described_as_before() -> None:
    core = core_with("e*x1", ErrorParams(bits=8), x1=BRIEF)
    assert CoreParams.from_dict(core.to_dict()) == core
    rule = LearningRule("x1*y0", x1=BRIEF)
    plain = replace(core, neuron=neuron_model("nir-euler"), teacher_axons=0, learning=rule)
    assert "teacher_axons" not in plain.to_dict()
    assert "error_bits" not in plain.to_dict()["learning"]
