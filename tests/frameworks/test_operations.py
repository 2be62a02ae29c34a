"""What operations make of traced values, against numpy on the values themselves.

PyTorch's dispatcher, which calls them, is tested with the frameworks.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.expression import INPUT_LINES, Refused, Source, Way, at, refusal
from spikelet.frameworks.maps import sum_pool
from spikelet.frameworks.operations import OPERATIONS
from spikelet.frameworks.traced import BATCH, TIME, Lead, Traced, refused
from spikelet.nir.signal import Signal

TICKS, SAMPLES = 3, 4
RNG = np.random.default_rng(2)

Array = npt.NDArray[Any]


def traced(shape: tuple[int, ...], *axes: str, tick: int | None = None) -> Traced:
    """Return spikes of the input, of one tick or of all."""
    lead = Lead(axes, TICKS, SAMPLES)
    return Traced(Source(INPUT_LINES, "spikes", tick, shape), lead, (*lead.sizes, *shape))


def drawn(shape: tuple[int, ...]) -> Array:
    """Return spikes (ticks, samples, ...)."""
    return (RNG.random((TICKS, SAMPLES, *shape)) < 0.5).astype(float)


def values(found: Signal, spikes: Array) -> Array:
    """Return a signal's values for spikes (samples, ...) of the input in the same tick."""
    flat = spikes.reshape(len(spikes), -1)
    each = sum(flat @ part.matrix() for part in found.parts.values())
    return (each + found.bias).reshape(len(spikes), *found.shape)


def check(x: Traced, spikes: Array, made: Traced, expected: Array) -> None:
    """Each tick of ``made`` must be what numpy made of the spikes, in the shape of ``made``."""
    assert made.shape == expected.shape
    if TIME not in made.lead.axes:
        tick = x.node.tick if isinstance(x.node, Source) and x.node.tick is not None else 1
        signal = Way(made.node, tick).signal()
        assert signal.shape == made.of_sample
        found = values(signal, spikes[tick])
        np.testing.assert_allclose(found, expected.reshape(found.shape))
        return
    for tick in range(TICKS):
        found = values(Way(at(made.node, tick), tick).signal(), spikes[tick])
        split = expected.reshape(*made.lead.sizes, *made.of_sample)
        step = split[tick] if made.lead.axes[0] == TIME else split[:, tick]
        np.testing.assert_allclose(found, step)


WEIGHT, BIAS = RNG.normal(size=(5, 6)), RNG.normal(size=5)
SIX, MAP = (6,), (2, 3, 4)

CASES: dict[str, tuple[str, tuple[int, ...], tuple[Any, ...], Callable[[Array], Array]]] = {
    "clone": ("clone", SIX, (), lambda x: x),
    "flatten": ("view", MAP, (), lambda x: x.reshape(SAMPLES, 24)),
    "unsqueeze": ("unsqueeze", SIX, (), lambda x: x[:, None]),
    "permute": ("permute", MAP, ([0, 3, 1, 2],), lambda x: x.transpose(0, 3, 1, 2)),
    "transpose": ("transpose", MAP, (-1, -2), lambda x: x.swapaxes(-1, -2)),
    "select": ("select", MAP, (2, -1), lambda x: x[:, :, -1]),
    "slice": ("slice", MAP, (3, 1, 4, 2), lambda x: x[:, :, :, 1:4:2]),
    "scalar": ("add", SIX, (0.5,), lambda x: x + 0.5),
    "constant": ("add", SIX, (np.arange(6.0),), lambda x: x + np.arange(6)),
    "alpha": ("sub", SIX, (np.arange(6.0), 3), lambda x: x - 3 * np.arange(6)),
    "rsub": ("rsub", SIX, (np.arange(6.0),), lambda x: np.arange(6) - x),
    "neg": ("neg", SIX, (), np.negative),
    "factor": ("mul", SIX, (np.arange(6.0),), lambda x: x * np.arange(6)),
    "divided": ("div", SIX, (4.0,), lambda x: x / 4),
    "mm": ("mm", SIX, (WEIGHT.T,), lambda x: x @ WEIGHT.T),
    "linear": ("linear", SIX, (WEIGHT, BIAS), lambda x: x @ WEIGHT.T + BIAS),
}


@pytest.mark.parametrize("name", CASES)
def test_operations_on_a_tick(name: str) -> None:
    operation, shape, args, numpys = CASES[name]
    x, spikes = traced(shape, BATCH, tick=1), drawn(shape)
    expected = numpys(spikes[1])
    check(x, spikes, OPERATIONS[operation](x, expected.shape, *args), expected)


def test_operations_on_whole_sequences() -> None:
    """Samples and ticks are merged, weighted, parted, exchanged and taken out again."""
    x, spikes = traced(SIX, TIME, BATCH), drawn(SIX)
    merged = OPERATIONS["view"](x, (TICKS * SAMPLES, 6))
    weighted = OPERATIONS["addmm"](BIAS, (12, 5), merged, WEIGHT.T)
    parted = OPERATIONS["view"](weighted, (TICKS, SAMPLES, 5))
    expected = spikes @ WEIGHT.T + BIAS
    check(x, spikes, parted, expected)
    turned = OPERATIONS["transpose"](parted, (SAMPLES, TICKS, 5), 0, 1)
    assert turned.lead.axes == (BATCH, TIME)
    check(x, spikes, turned, expected.swapaxes(0, 1))
    ticks = OPERATIONS["unbind"](turned, [(SAMPLES, 5)] * TICKS, 1)
    for tick, one in enumerate(ticks):
        signal = Way(one.node, tick).signal()
        np.testing.assert_allclose(values(signal, spikes[tick]), expected[tick])
    again = OPERATIONS["stack"](ticks, (TICKS, SAMPLES, 5), 0)
    check(x, spikes, again, expected)
    behind = OPERATIONS["stack"](ticks, (SAMPLES, TICKS, 5), 1)
    assert behind.lead.axes == (BATCH, TIME)
    check(x, spikes, behind, expected.swapaxes(0, 1))


def test_values_that_are_put_together() -> None:
    x, spikes = traced(MAP, BATCH, tick=1), drawn(MAP)
    halves = OPERATIONS["split"](x, [(4, 2, 3, 2)] * 2, 2, 3)
    expected = np.concatenate([spikes[1][..., 2:], spikes[1][..., :2]], axis=3)
    check(x, spikes, OPERATIONS["cat"](halves[::-1], (4, 2, 3, 4), 3), expected)
    both = [x, OPERATIONS["neg"](x, x.shape)]
    stacked = OPERATIONS["stack"](both, (4, 2, 2, 3, 4), 1)
    check(x, spikes, stacked, np.stack([spikes[1], -spikes[1]], axis=1))
    with_constant = OPERATIONS["cat"]([x, np.ones((4, 1, 3, 4))], (4, 3, 3, 4), 1)
    ones = np.ones((4, 1, 3, 4))
    check(x, spikes, with_constant, np.concatenate([spikes[1], ones], axis=1))


def test_maps() -> None:
    """Pooling, and normalisation by statistics that are there."""
    shape = (2, 4, 6)
    x, spikes = traced(shape, BATCH, tick=1), drawn(shape)
    windows = spikes[1].reshape(SAMPLES, 2, 2, 2, 3, 2)
    average = OPERATIONS["avg_pool2d"](x, (SAMPLES, 2, 2, 3), [2, 2])
    check(x, spikes, average, windows.mean(axis=(3, 5)))
    check(x, spikes, sum_pool(x, (SAMPLES, 2, 2, 3), 2, None), windows.sum(axis=(3, 5)))
    weight, bias, mean, variance = RNG.random((4, 2)) + 0.5

    def wide(v: Array) -> Array:
        return v[:, None, None]

    expected = (spikes[1] - wide(mean)) / np.sqrt(wide(variance) + 0.1)
    given = (weight, bias, mean, variance, False, 0.1, 0.1)
    made = OPERATIONS["native_batch_norm"](x, x.shape, *given)
    check(x, spikes, made, expected * wide(weight) + wide(bias))


REFUSED: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "two signals": ("mul", ("x",), "two signals are multiplied"),
    "divisor": ("div", ("x",), "a signal divides"),
    "weights": ("linear", ("x",), "a matrix product of two signals"),
    "repeated": ("expand", (), "values are repeated"),
    "one sample": ("select", (0, 1), "one sample of the batch is taken out"),
    "some samples": ("slice", (0, 1, 3), "some of the samples are taken out"),
    "samples behind": ("permute", ([1, 0],), "moved behind other axes"),
    "differing": ("add", (np.arange(24.0).reshape(4, 6),), "differs between samples"),
    "summed": ("sum", ([1],), "summed over samples, or over those of a sample"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_operations_that_no_chip_has(name: str) -> None:
    operation, args, words = REFUSED[name]
    x = traced(SIX, BATCH, tick=1)
    shape = {"expand": (4, 3, 6), "select": (6,), "slice": (2, 6)}.get(operation, (4, 6))
    given = [x if isinstance(arg, str) else arg for arg in args]
    with pytest.raises(SpikeletError, match=words):
        OPERATIONS[operation](x, shape, *given)


def test_batch_statistics_are_refused() -> None:
    x = traced((2, 3), BATCH, tick=1)
    given = (None, None, np.zeros(2), np.ones(2), True, 0.1, 1e-5)
    with pytest.raises(SpikeletError, match="statistics of the batch"):
        OPERATIONS["native_batch_norm"](x, x.shape, *given)


def test_sums_over_time_feed_nothing() -> None:
    x = traced(SIX, TIME, BATCH)
    found = OPERATIONS["mean"](x, (SAMPLES, 6), [0])
    with pytest.raises(SpikeletError, match="summed over ticks"):
        Way(found.node, 1).signal()


def test_ways_of_ticks_are_compared() -> None:
    """By what they do, not by which ticks they are of."""
    ways = []
    for tick, weight in enumerate((WEIGHT, WEIGHT.copy(), 2 * WEIGHT)):
        made = OPERATIONS["linear"](traced(SIX, BATCH, tick=tick), (SAMPLES, 5), weight)
        ways.append(Way(made.node, tick).key())
    assert ways[0] == ways[1] != ways[2]


def test_what_is_refused_names_its_reason() -> None:
    x = traced(SIX, BATCH, tick=1)
    wrong = refused("the operation exp", "leave it out", [x], x.shape)
    behind = OPERATIONS["neg"](wrong, x.shape)
    found = refusal(behind.node)
    assert isinstance(found, Refused) and found.reason == "the operation exp"
    assert prod(behind.of_sample) == 6
