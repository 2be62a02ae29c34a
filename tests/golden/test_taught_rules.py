"""Named rules with a third factor against the published equations, in floating point.

Steps are many weight LSBs, and round to the nearest: so a visit is off by half an LSB at most, and
by what the traces, of 15 bits, lose.
"""

import numpy as np
import pytest

import spikelet
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.description.learning.rule import LearningRule

TICKS, LINES = 80, 4
TAU, TAU_RISE = 10.0, 3.0
EXACT = {"trace_bits": 15, "rounding": "nearest"}


def learned(
    rule: LearningRule, error: spikelet.ErrorParams, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return spikes of lines, teacher and driver, those of the cell, and the weights' change."""
    network = spikelet.PlasticNetwork("one", seed=5)
    for name, size in (("lines", LINES), ("driver", 1), ("wanted", 1)):
        network.inputs(name, size)
    network.population("cell", 1, threshold=126, decay=0, error=error)
    network.project("lines", "cell", weights=0, rule=rule)
    network.project("driver", "cell", weights=127)
    network.project("wanted", "cell", weights=max(1, error.spike), teacher=True)
    network.output("cell")
    chance = np.array([0.08] * LINES + [0.08, 0.08])
    spikes = np.random.default_rng(seed).random((1, TICKS, LINES + 2)) < chance
    run = spikelet.run(spikelet.compile(network), spikes)
    return spikes[0], run.spikes("cell")[0, :, 0].astype(int), run.weights("lines", "cell")[:, 0]


def kernel(spikes: np.ndarray, tau: float) -> np.ndarray:
    """Return the sum of exp(-s / tau) over the spikes s ticks ago, shape (TICKS, LINES)."""
    ages = np.arange(TICKS)[:, None] - np.arange(TICKS)[None, :]
    return np.where(ages >= 0, np.exp(-np.maximum(ages, 0) / tau), 0) @ spikes[:, :LINES]


def check(changed: np.ndarray, expected: np.ndarray, visits: int) -> None:
    """Compare; the steps must be large beside what rounding does."""
    assert visits > 8 and np.abs(expected).max() > 10
    assert np.abs(changed - expected).max() <= 0.6 * visits, f"{changed} and {expected}"
    assert np.corrcoef(changed, expected)[0, 1] > 0.99


@pytest.mark.parametrize("a", [0.0, 0.02])
def test_resume(a: float) -> None:
    rule = RULES["resume"](a=a, a_trace=0.06, tau=TAU, **EXACT)
    spikes, own, changed = learned(rule, spikelet.ErrorParams(bits=2), 4)
    error = spikes[:, -1] - own
    expected = 254 * (error @ (a + 0.06 * kernel(spikes, TAU)))
    check(changed, expected, np.count_nonzero(error))


def test_normad() -> None:
    rule = RULES["normad"](rate=0.06, tau=TAU, tau_rise=TAU_RISE, error_bits=2, **EXACT)
    spikes, own, changed = learned(rule, spikelet.ErrorParams(bits=2, spike=1), 6)
    error = spikes[:, -1] - own
    response = kernel(spikes, TAU) - kernel(spikes, TAU_RISE)
    check(changed, 254 * 0.06 * (error @ response), np.count_nonzero(error))


def test_superspike_with_an_error_that_leaks() -> None:
    """In a window so wide that the derivative is 1; the kernel of the error is exp(-s / 2.5)."""
    error = spikelet.ErrorParams(bits=8, decay=round(4096 * np.exp(-0.4)), spike=30, window=9000)
    rule = RULES["error_trace"](rate=0.0008, tau=TAU, **EXACT)
    spikes, own, changed = learned(rule, error, 3)
    leaking = 30 * kernel((spikes[:, -1] - own)[:, None].repeat(LINES, 1), 2.5)
    expected = 254 * 0.0008 * (leaking * kernel(spikes, TAU)).sum(axis=0)
    check(changed, expected, np.count_nonzero(np.abs(leaking[:, 0]) >= 1))


def test_manhattan_steps_by_the_sign() -> None:
    rule = RULES["manhattan"](step=3, tau=TAU, error_bits=2, theta_trace=8)
    spikes, own, changed = learned(rule, spikelet.ErrorParams(bits=2, spike=1), 4)
    error, trace = spikes[:, -1] - own, kernel(spikes, TAU)
    clear = np.abs(16 * trace - 8) > 1.5  # a trace loses up to an LSB or so
    expected = 3 * (error @ (trace >= 0.5))
    near = 3 * (np.abs(error) @ ~clear)
    assert (np.abs(changed - expected) <= near).all() and np.abs(expected).max() > 5


def test_mixed_precision_steps_by_what_has_added_up() -> None:
    """Every tick that has enough takes a step, of whole pulses; the rest is in the tag."""
    error = spikelet.ErrorParams(bits=2, spike=1)
    rule = RULES["mixed_precision"](rate=15.0, tau=TAU, pulse=16, period=0, error_bits=2)
    spikes, own, changed = learned(rule, error, 11)
    summed = 15 * ((spikes[:, -1] - own) @ kernel(spikes, TAU))
    assert np.abs(summed).max() > 40
    assert (np.abs(16 * changed - summed) < 16 + 12).all(), f"{16 * changed} and {summed}"


def test_pruned_synapses_stay_so() -> None:
    rule = spikelet.masked(RULES["error_trace"](rate=0.05, tau=TAU, error_bits=2, **EXACT))
    network = spikelet.PlasticNetwork("pruned", seed=1)
    network.inputs("lines", 20)
    network.inputs("wanted", 4)
    network.population("cells", 4, threshold=90, decay=0, error=spikelet.ErrorParams(bits=2))
    network.project("lines", "cells", weights=(1, 40), rule=rule)
    network.project("wanted", "cells", weights=1, teacher=True)
    network.output("cells")
    compiled = spikelet.compile(network)
    state = spikelet.prune(compiled, compiled.initial_state(), "lines", "cells", 0.5)
    before = compiled.weights("lines", "cells", state.image)
    kept, first = before != 0, compiled.weights("lines", "cells")
    assert kept.sum() == 40 and first[kept].min() >= first[~kept].max()
    spikes = np.random.default_rng(2).random((1, 60, 24)) < 0.1
    after = spikelet.run(compiled, spikes, start=state).weights("lines", "cells")
    assert (after[~kept] == 0).all() and (after[kept] > before[kept]).mean() > 0.9
    for share, ends, message in (
        (1.5, ("lines", "cells"), r"share must be a number in 0\.\.1, not 1\.5"),
        (0.5, ("wanted", "cells"), r"wanted -> cells: the projection is not plastic"),
    ):
        with pytest.raises(SpikeletError, match=message):
            spikelet.prune(compiled, state, *ends, share)
    with pytest.raises(SpikeletError, match=r"needs a weight of 0 within 3\.\.9"):
        spikelet.masked(LearningRule("x0", w_min=3, w_max=9))


def test_reward_times_trace_times_spike_less_chance() -> None:
    """A model of one's own has the third factor: no teacher is needed."""
    text = (
        "fired = draw < 16384\nv = clamp(current)\n"
        "e = where(fired, 96, -32)"  # 128 times the spike less its chance of 1/4
    )
    flag, error = {"kind": "flag"}, {"kind": "absolute", "low": -128, "high": 127}
    model = {"name": "chance", "text": text, "states": {"v": {}, "fired": flag, "e": error}}
    network = spikelet.PlasticNetwork("chance")
    network.inputs("lines", LINES)
    network.population("cell", 1, neuron=model)
    rule = RULES["reward_error"](rate=0.02, tau=TAU, reward_bits=4, **EXACT)
    network.project("lines", "cell", weights=0, rule=rule)
    network.output("cell")
    rng = np.random.default_rng(8)
    spikes = (rng.random((1, TICKS, LINES)) < 0.1).astype(int)
    reward = rng.integers(-6, 7, (1, TICKS)) * (rng.random((1, TICKS)) < 0.3)
    run = spikelet.run(spikelet.compile(network), spikes, reward=reward)
    third = reward[0] * (128 * run.spikes("cell")[0, :, 0] - 32.0)
    expected = 0.02 * (third @ kernel(spikes[0], TAU))
    check(run.weights("lines", "cell")[:, 0], expected, np.count_nonzero(third))


@pytest.mark.parametrize(
    ("name", "field", "value", "message"),
    [
        ("resume", "a", 2, r"a must be a number in 0\.\.1, not 2"),
        ("normad", "tau_rise", 11.0, r"tau_rise must be a number in 0\.125\.\.10\.0, not 11\.0"),
        ("error_trace", "rate", 0, r"rate must be above"),
        ("reward_error", "rate", 200, r"rate must be a number in 0\.\.127, not 200"),
        ("mixed_precision", "pulse", 128, r"pulse must be an int in 1\.\.127, not 128"),
        ("manhattan", "theta", 200, r"theta must be an int in 1\.\.127, not 200"),
    ],
)
def test_parameters_outside_their_range(name: str, field: str, value: float, message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        RULES[name](**{field: value})
