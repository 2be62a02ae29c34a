"""Neuron models of the literature, against their published equations."""

from dataclasses import replace

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.model import NeuronModel, State
from spikelet.description.neurons.models import neuron_model
from tests.helpers.neuron_ticks import Ticks, bare_image, drawn_words, native_ticks

NEURONS = 256


def run(model: str | NeuronModel, sums: np.ndarray, bits: int = 24, **values: object) -> Ticks:
    """Run golden's native neurons of a model with sums, shape (ticks, neurons)."""
    core = CoreParams(
        *(1, sums.shape[1], neuron_model(model)),
        **{"lanes": 1, "potential_bits": bits, "parameters": dict.fromkeys(values, "neuron")},
    )
    return native_ticks(core, bare_image(core, **values), sums)


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


def truenorth(
    v: int, current: int, p: dict[str, int], leak_drawn: int, threshold_drawn: int
) -> tuple[int, bool]:
    """One tick of one neuron, with potentials without end, by Cassidy et al. 2013.

    The letters are the paper's: lambda the leak, epsilon its reversal, c whether it is stochastic,
    alpha and beta the thresholds, M the mask, kappa whether the negative one saturates, gamma the
    reset mode, R the reset potential; rho are the draws, 8 bits for the leak.
    """
    v += current
    lambda_, epsilon = p["leak"], p["leak_reversal"]
    omega = (1 - epsilon) + epsilon * sign(v)
    chosen = (abs(lambda_) > leak_drawn) * sign(lambda_) if p["leak_stochastic"] else lambda_
    v += omega * chosen
    eta = threshold_drawn & p["threshold_mask"]
    alpha, beta = p["threshold"], p["negative_threshold"]
    kappa, gamma, reset = p["saturate"], p["reset_mode"], p["reset_potential"]
    if v >= alpha + eta:
        return (reset, v - (alpha + eta), v)[gamma], True
    if v < -(beta * kappa + (beta + eta) * (1 - kappa)):
        return (-beta if kappa else (-reset, v + (beta + eta), v)[gamma]), False
    return v, False


def test_truenorth_is_as_published() -> None:
    """Every way of leaking and of resetting, below and above the thresholds, with every draw."""
    rng = np.random.default_rng(1)
    ticks = 300
    parameters = {
        "threshold": rng.integers(0, 400, NEURONS),
        "threshold_mask": (1 << rng.integers(0, 9, NEURONS)) - 1,
        "leak": rng.integers(-255, 256, NEURONS) >> rng.integers(0, 8, NEURONS),
        "leak_stochastic": rng.integers(0, 2, NEURONS),
        "leak_reversal": rng.integers(0, 2, NEURONS),
        "negative_threshold": rng.integers(0, 300, NEURONS),
        "saturate": rng.integers(0, 2, NEURONS),
        "reset_mode": rng.integers(0, 3, NEURONS),
        "reset_potential": rng.integers(-100, 100, NEURONS),
    }
    sums = rng.integers(-120, 121, (ticks, NEURONS))
    got = run("truenorth", sums, **parameters)
    words = drawn_words(1, np.arange(NEURONS), ticks)
    low = high = 0
    for n in range(NEURONS):
        own, v = {name: int(values[n]) for name, values in parameters.items()}, 0
        for tick in range(ticks):
            word = int(words[tick, n])
            v, fired = truenorth(v, int(sums[tick, n]), own, 255 - word % 256, word >> 16)
            assert (got["v"][tick, n], got["fired"][tick, n]) == (v, fired), (n, tick, own)
            high += fired
            low += v == -own["negative_threshold"]
    assert high > 1000 and low > 1000


def test_alif_is_as_published() -> None:
    """Equal spikes to the equations in real numbers; potentials to within rounding."""
    scale, ticks = 1 << 19, 400
    given = np.random.default_rng(2).random((ticks, 16)) * 0.3
    got = run(
        *("alif", np.rint(given * scale).astype(np.int64)),
        **{"threshold": scale, "decay": 3900, "decay_a": 4060, "step": scale // 4},
    )
    v, a = np.zeros(16), np.zeros(16)
    for tick in range(ticks):
        v, threshold = v * 3900 / 4096 + given[tick], 1 + a
        spikes = v > threshold
        v, a = v - spikes, a * 4060 / 4096 + spikes * 0.25
        assert np.array_equal(got["fired"][tick], spikes), tick
        assert np.abs(got["v"][tick] / scale - v).max() < 0.01
    assert got["fired"].sum() > 300 and (got["a"].max() / scale) > 0.5


def test_adlif_is_as_published() -> None:
    """Bittar and Garner's equations 5 and 6; alpha 3900 / 4096, beta 4000 / 4096."""
    scale, ticks, n = 1 << 19, 400, 16
    alpha, beta, a, b = 3900 / 4096, 4000 / 4096, 0.02, 0.5
    given = np.random.default_rng(3).random((ticks, n)) * 8
    got = run(
        *("adlif", np.rint((1 - alpha) * given * scale).astype(np.int64)),
        **{"threshold": scale, "decay": 3900, "decay_w": 4000},
        **{"a": round((1 - alpha) * a * 4096), "b": round((1 - alpha) * b * scale)},
    )
    a = round((1 - alpha) * a * 4096) / 4096 / (1 - alpha)
    u, w, spikes = np.zeros(n), np.zeros(n), np.zeros(n)
    for tick in range(ticks):
        before = u
        u = alpha * u + (1 - alpha) * (given[tick] - w) - spikes
        w = beta * w + a * before + b * spikes
        spikes = (u >= 1).astype(float)
        assert np.array_equal(got["fired"][tick], spikes), tick
        assert np.abs(got["v"][tick] / scale - u).max() < 0.01
    assert 100 < got["fired"].sum() < ticks * n / 2


def test_the_chance_is_a_sigmoid_of_the_potential() -> None:
    """Within 0.02 over 10**5 ticks, also at the edges of the table's steps."""
    potentials = np.concatenate([np.arange(-600, 601, 25), np.arange(-17, 18)])
    sums = np.broadcast_to(potentials, (100_000, len(potentials)))
    model = neuron_model("probabilistic")
    seen = replace(model, states=(*model.states, State("p", "absolute", 0, 65536)))
    got = run(seen, sums, threshold=0, decay=0)
    expected = 1 / (1 + np.exp(-potentials / 64))
    assert np.abs(got["fired"].mean(axis=0) - expected).max() < 0.02
    assert np.abs(got["p"][0] / 65536 - expected).max() < 0.017
    never, always = potentials <= -512, potentials >= 512
    assert got["fired"][:, always].all() and not got["fired"][:, never].any()


def test_thresholds_are_drawn_from_a_range() -> None:
    sums = np.broadcast_to(np.arange(96, 128), (20_000, 32))
    got = run("lif-stochastic", sums, threshold=100, decay=0, noise=16)
    expected = np.clip((np.arange(96, 128) - 100) / 16, 0, 1)
    assert np.abs(got["fired"].mean(axis=0) - expected).max() < 0.02


def test_a_slow_leak_goes_on_by_chance() -> None:
    """The mean is that of real numbers, where rounding to the nearest would stand still."""
    sums = np.zeros((400, 2000), np.int64)
    sums[0] = 100
    slow = {"threshold": 1000, "decay": 4055}
    by_chance = run("lif-stochastic", sums, **slow)["v"][-1].mean()
    assert abs(by_chance - 100 * (4055 / 4096) ** 399) < 0.5
    assert run("lif-subtract", sums, **slow)["v"][-1].mean() > 20


def test_a_linear_leak_ends_at_0() -> None:
    sums = np.zeros((30, 2), np.int64)
    sums[0] = 100, -100
    got = run("lif-linear-leak", sums, threshold=1000, leak=7)["v"]
    assert got[:16, 0].tolist() == [*range(100, 1, -7), 0] == (-got[:16, 1]).tolist()
    assert not got[15:].any()
