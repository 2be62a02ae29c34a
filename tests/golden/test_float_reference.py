"""Golden's learning against the published equations, in floating point and without traces.

The reference sums over pairs and triplets of spikes, with ``exp(-dt / tau)`` of their distances.
What golden computes may differ by what the integers round, and by no more. Let ``I`` be the
increment of a trace, ``D`` its decay, ``d = D / 4096``, and ``X`` the sum of ``exp(-n / tau)`` over
the ages ``n`` of its spikes.

* ``D`` is rounded to the nearest: ``|d - exp(-1 / tau)| <= 2**-13``. So a spike of age ``n`` is off
  by at most ``n * max(d, exp(-1 / tau))**(n - 1) * 2**-13`` (mean value theorem).
* Each tick rounds the trace down by less than 1, of which ``d**m`` is left ``m`` ticks later: in
  all, less than ``1 / (1 - d)``, in units of ``I``.

The sum of both, ``e(X)``, bounds ``|trace / I - X|`` as long as the trace does not saturate, which
the tests ensure. An amplitude ``A`` that is built as ``B`` then gives ``|B * trace / I - A * X| <=
|B - A| * X + B * e(X)``, and a product of two traces ``|B - A| * X * Y + B * (e(X) * Y + X * e(Y) +
e(X) * e(Y))``. The weight is rounded to the nearest: 1/2 more for each visit. Clipping at the
bounds brings no two values further apart, so all this holds for the weight after the visit.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage, random_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.named_rules import pair_stdp, triplet_stdp
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip

AXONS = 4
DRIVERS = 5
"""Axons of weight 255 that make a neuron fire; 4 plastic ones alone cannot."""

_Bool = npt.NDArray[np.bool_]


def learned(rule: LearningRule, pre: _Bool, post: _Bool, first: int, *, each: bool = True):
    """Return the plastic weights before the first tick and after each, with given spikes.

    Parameters
    ----------
    rule : LearningRule
    pre : array of bool, shape (ticks, AXONS)
    post : array of bool, shape (ticks, neurons)
        When the neurons are made to fire; with ``each`` False the first column goes for all.
    first : int
        Weight to start from.

    Returns
    -------
    array of int, shape (1 + ticks, AXONS, neurons)
    """
    n_neurons = post.shape[1]
    drives = np.eye(n_neurons, dtype=int) if each else np.ones((1, n_neurons), int)
    weights = np.concatenate([np.full((AXONS, n_neurons), first), np.repeat(255 * drives, 5, 0)])
    core = CoreParams(
        n_axons=len(weights),
        n_neurons=n_neurons,
        neuron=neuron_model("snntorch-zero"),
        weight_bits=8,
        weight_format="unsigned",
        lanes=n_neurons,
        parameters={"threshold": 1100, "decay": 0},  # between 4 * 255 and 5 * 255
        learning=rule,
    )
    image = CoreImage(
        weights.astype(np.int16),
        joined(),
        {},
        plastic=np.arange(len(weights)) < AXONS,
        random=random_states(n_neurons, 11) if rule.stochastic else np.zeros(0, np.uint32),
    )
    driven = np.repeat(post if each else post[:, :1], DRIVERS, 1)
    spikes = np.concatenate([pre, driven], 1)[None]
    routes = [(line, 0, line, 0) for line in range(spikes.shape[2])]
    chip = GoldenChip(ChipParams((core,)), ChipImage((image,)), backend="numpy")
    trace = chip.run(Events.from_spikes(spikes, routes), record=("spikes", "learning"))
    assert np.array_equal(
        trace.spikes[0][0], post if each else np.repeat(post[:, :1], n_neurons, 1)
    )
    after = trace.learned[0]["weights"][0, :, :AXONS]
    return np.concatenate([np.full((1, AXONS, n_neurons), first), after])


def trains(seed: int, ticks: int, neurons: int, rate: float = 0.04) -> tuple[_Bool, _Bool]:
    """Return pre and post spikes, in which they also meet in a tick."""
    rng = np.random.default_rng(seed)
    pre, post = rng.random((ticks, AXONS)) < rate, rng.random((ticks, neurons)) < rate
    assert (pre[:, :, None] & post[:, None]).any()
    return pre, post


@dataclass
class Decaying:
    """What a trace stands for: the sum over spikes of ``exp(-age / tau)``, and the error of it."""

    tau: float
    built: TraceParams

    def sum(self, tick: int, times: list[int]) -> float:
        """Return X at a tick."""
        return sum(math.exp(-(tick - time) / self.tau) for time in times)

    def at(self, tick: int, times: list[int]) -> tuple[float, float]:
        """Return X and e(X) at a tick; ``times`` are those of the spikes that count."""
        exact, built = math.exp(-1 / self.tau), self.built.decay / 4096
        value = self.sum(tick, times)
        peak = max((self.sum(t, [s for s in times if s <= t]) for t in times), default=0.0)
        assert peak * self.built.increment <= self.built.largest, "the trace saturates"
        error = 1 / (1 - built) / self.built.increment
        for age in (tick - time for time in times):
            error += age * max(exact, built) ** max(age - 1, 0) * 2.0**-13
        return value, error


def amplitude(rule: LearningRule, term: int, *traces: str) -> float:
    """Return an amplitude as it is built, in weight LSBs."""
    chosen = rule.weight.terms[term]
    increments = [getattr(rule, name).increment for name in traces]
    return abs(chosen.coefficient) * 2.0**chosen.exponent * math.prod(increments)


def product(wanted: float, built: float, *factors: tuple[float, float]) -> tuple[float, float]:
    """Return ``wanted`` times the values of some traces, and the bound of its error."""
    value, above = 1.0, 1.0
    for exact, error in factors:
        value, above = value * exact, above * (exact + error)
    return wanted * value, abs(built - wanted) * value + built * (above - value)


def compare(weights, pre, post, change, scale=lambda sign, w: 1.0) -> tuple[float, float]:
    """Assert that each tick changes each weight as the reference does, and the whole run too.

    Parameters
    ----------
    weights : array of int, shape (1 + ticks, AXONS, neurons)
    pre, post : array of bool
    change : callable
        ``change(sign, tick, pre times, post times)`` returns the size of the change at a pre spike
        (sign -1) or a post spike (sign 1), and the bound of its error.
    scale : callable
        By which a change is multiplied, for soft bounds.

    Returns
    -------
    largest : float
        Largest change of a weight in a tick, by the reference.
    error : float
        Largest difference from it.
    """
    largest = worst = 0.0
    for axon, neuron in np.ndindex(weights.shape[1:]):
        before, after = np.flatnonzero(pre[:, axon]).tolist(), np.flatnonzero(post[:, neuron])
        free, bound_of_run = float(weights[0, axon, neuron]), 0.0
        for tick in range(len(pre)):
            w = float(weights[tick, axon, neuron])
            start, bound = w, 0.0
            earlier = [t for t in after.tolist() if t < tick]
            until = [t for t in before if t <= tick]
            for sign, spiked, own in (
                (-1, pre[tick, axon], before),
                (1, post[tick, neuron], after),
            ):
                if not spiked:
                    continue
                assert tick in own
                step, error = change(sign, tick, until, earlier)
                bound += 0.5 + error * scale(sign, w)
                w = min(max(w + sign * step * scale(sign, w), 0.0), 255.0)
                free = min(max(free + sign * step * scale(sign, free), 0.0), 255.0)
            bound_of_run += bound
            got = weights[tick + 1, axon, neuron]
            assert abs(got - w) <= bound, f"{tick=} {axon=} {neuron=}: {got}, reference {w}"
            assert abs(got - free) <= bound_of_run + 1e-9
            largest, worst = max(largest, abs(w - start)), max(worst, abs(got - w))
    return largest, worst


def pair_reference(
    rule: LearningRule, plus: float, minus: float, tau_plus: float, tau_minus: float
):
    """Return the ``change`` of pair STDP: a sum over the pairs that a spike makes."""
    up, down = Decaying(tau_plus, rule.x1), Decaying(tau_minus, rule.y1)

    def change(sign, tick, before, after):
        if sign > 0:
            return product(plus, amplitude(rule, 0, "x1"), up.at(tick, before))
        return product(minus, amplitude(rule, 1, "y1"), down.at(tick, after))

    return change


@pytest.mark.parametrize(("seed", "first", "reached"), [(1, 10, 0), (2, 128, 128), (3, 245, 255)])
def test_pairs_with_hard_bounds(seed, first, reached):
    pre, post = trains(seed, 150, 4)
    rule = pair_stdp(
        a_plus=0.05,
        a_minus=0.06,
        tau_plus=20,
        tau_minus=14,
        w_max=255,
        trace_bits=15,
        rounding="nearest",
    )
    weights = learned(rule, pre, post, first)
    change = pair_reference(rule, 0.05 * 255, 0.06 * 255, 20, 14)
    largest, worst = compare(weights, pre, post, change)
    assert largest > 15 and worst < 1.02  # two visits in a tick, each rounded once
    assert reached in weights


@pytest.mark.parametrize("seed", [4, 5])
def test_pairs_with_soft_bounds(seed):
    pre, post = trains(seed, 150, 4)
    rule = pair_stdp(
        a_plus=0.2,
        a_minus=0.15,
        tau_plus=10,
        tau_minus=30,
        w_max=255,
        soft=True,
        trace_bits=15,
        rounding="nearest",
    )
    weights = learned(rule, pre, post, 100)
    change = pair_reference(rule, 0.2, 0.15, 10, 30)
    largest, worst = compare(weights, pre, post, change, lambda sign, w: 255 - w if sign > 0 else w)
    assert largest > 15 and worst < 1.1


def test_nearest_pairs():
    pre, post = trains(6, 150, 4, rate=0.1)
    rule = pair_stdp(
        a_plus=0.05,
        a_minus=0.05,
        w_max=255,
        nearest=True,
        trace_bits=15,
        rounding="nearest",
    )
    weights = learned(rule, pre, post, 128)
    every = pair_reference(rule, 0.05 * 255, 0.05 * 255, 20, 20)
    largest, worst = compare(
        weights, pre, post, lambda sign, t, before, after: every(sign, t, before[-1:], after[-1:])
    )
    assert largest > 8 and worst < 1.02


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_triplets(seed):
    pre, post = trains(seed, 150, 4)
    amplitudes = {"a2_plus": 0.02, "a3_plus": 0.08, "a2_minus": 0.03, "a3_minus": 0.05}
    taus = {"tau_plus": 8, "tau_minus": 12, "tau_x": 25, "tau_y": 30}
    rule = triplet_stdp(
        **amplitudes, **taus, w_max=255, trace_bits=11, slow_trace_bits=13, rounding="nearest"
    )
    a2_plus, a3_plus, a2_minus, a3_minus = (255 * a for a in amplitudes.values())
    r1, r2 = Decaying(8, rule.x1), Decaying(25, rule.x2)
    o1, o2 = Decaying(12, rule.y1), Decaying(30, rule.y2)

    def change(sign, tick, before, after):
        if sign > 0:
            pairs = product(a2_plus, amplitude(rule, 0, "x1"), r1.at(tick, before))
            slow = o2.at(tick, after)
            built = amplitude(rule, 1, "x1", "y2")
            triplets = product(a3_plus, built, r1.at(tick, before), slow)
        else:
            pairs = product(a2_minus, amplitude(rule, 2, "y1"), o1.at(tick, after))
            slow = r2.at(tick, [time for time in before if time < tick])
            built = amplitude(rule, 3, "y1", "x2")
            triplets = product(a3_minus, built, o1.at(tick, after), slow)
        return pairs[0] + triplets[0], pairs[1] + triplets[1]

    weights = learned(rule, pre, post, 128)
    largest, worst = compare(weights, pre, post, change)
    assert largest > 20 and worst < 2


def test_stochastic_rounding_is_right_on_average():
    """Changes of about 1/3 LSB, which rounding to the nearest would lose: the mean weight of 256
    neurons with the same spikes is the reference's, within the errors of the traces and five
    standard errors: a rounding has at most the variance 1/4."""
    pre, post = trains(10, 150, 1)
    rule = pair_stdp(a_plus=0.3 / 255, a_minus=0.1 / 255, w_max=255, trace_bits=15)
    weights = learned(rule, pre, np.repeat(post, 256, 1), 128, each=False)
    change = pair_reference(rule, 0.3, 0.1, 20, 20)
    after = np.flatnonzero(post[:, 0]).tolist()
    furthest = 0.0
    for axon in range(AXONS):
        before = np.flatnonzero(pre[:, axon]).tolist()
        steps = [
            (sign, *change(sign, t, [b for b in before if b <= t], [a for a in after if a < t]))
            for sign, times in ((-1, before), (1, after))
            for t in times
        ]
        expected = 128 + sum(sign * step for sign, step, _ in steps)
        bound = sum(error for *_, error in steps) + 5 * math.sqrt(len(steps) / 4 / 256)
        assert abs(weights[-1, axon].mean() - expected) <= bound
        assert np.unique(weights[-1, axon]).size > 3
        assert bound < 0.9
        furthest = max(furthest, abs(expected - 128))
    assert furthest > 2
