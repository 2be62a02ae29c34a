"""Convolutions against plain loops over the equation, and what is refused of them."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.network.convolution import Convolution, same_padding
from tests.helpers.slow_convolution import convolved, pooled


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    """Return a convolution over one or two axes, of any stride, padding, dilation and groups."""
    axes = draw(st.integers(1, 2))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))

    groups, window, extent = draw(st.integers(1, 3)), each(1, 3), each(1, 6)
    inputs, outputs = (groups * draw(st.integers(1, 2)) for _ in range(2))
    stride, dilation = each(1, 3), each(1, 2)
    padding = tuple(zip(each(0, 2), each(0, 2), strict=True))
    for k, n, d, pad in zip(window, extent, dilation, padding, strict=True):
        assume(d * (k - 1) < n + sum(pad))
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(
        -4, 5, (outputs, inputs // groups, *window)
    )
    return Convolution(values.astype(float), (inputs, *extent), stride, dilation, padding, groups)


def matrix(of: Convolution) -> Any:
    """Return the connection as a matrix; a pair that stands twice would be counted twice."""
    found = np.zeros((of.n_source, of.size))
    np.add.at(found, of.triplets()[:2], of.triplets()[2])
    return found


@settings(max_examples=200, deadline=None)
@given(of=convolutions(), seed=st.integers(0, 99))
def test_it_is_the_equation(of: Convolution, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-4, 5, of.shape).astype(float)
    y = convolved(x, of.kernel, of.stride, of.padding, of.dilation, of.groups)
    assert y.shape == of.output_shape
    np.testing.assert_array_equal(x.ravel() @ matrix(of), y.ravel())
    sources, targets, weights = of.triplets()
    assert len({*zip(sources.tolist(), targets.tolist(), strict=True)}) == len(weights)
    assert (weights != 0).all() and len(weights) <= of.pairs
    factors = np.arange(1.0, len(of.kernel) + 1)
    np.testing.assert_array_equal(matrix(of.scaled(factors)), matrix(of) * of.per_value(factors))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_pools_are_sums_and_averages_of_windows(data: st.DataObject) -> None:
    window, stride = (tuple(data.draw(st.tuples(*[st.integers(1, 3)] * 2))) for _ in range(2))
    padding = data.draw(st.tuples(*[st.integers(0, 1)] * 2))
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(3, 6), st.integers(3, 6)))
    x = np.random.default_rng(5).integers(0, 2, shape).astype(float)
    for weight in (1.0, 1 / np.prod(window)):
        of = Convolution.pooling(shape, window, stride, padding, weight)
        y = pooled(x, window, stride, padding) * weight
        assert y.shape == of.output_shape
        np.testing.assert_allclose(x.ravel() @ matrix(of), y.ravel(), atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(first=convolutions(), second=convolutions(), same=st.booleans())
def test_two_in_a_row_are_one_or_none(first: Convolution, second: Convolution, same: bool) -> None:
    """Or two, where the second pads with 0 what the first would give otherwise."""
    if same and len(first.window) == len(second.window):
        inputs = first.output_shape[0]
        kernel = np.resize(second.kernel, (len(second.kernel), inputs, *second.window))
        try:
            second = replace(second, kernel=kernel, shape=first.output_shape, groups=1)
        except SpikeletError:  # the kernel does not fit what is left
            assume(False)
    one = second.behind(first)
    assert one is None or first.output_shape == second.shape
    if one:
        assert (matrix(one) == matrix(first) @ matrix(second)).all()
        assert (one.shape, one.output_shape) == (first.shape, second.output_shape)


def test_a_convolution_behind_a_pool_is_a_larger_one() -> None:
    pool = Convolution.pooling((4, 8, 8), (2, 2), (2, 2), (0, 0))
    kernel = np.arange(4.0 * 4 * 9).reshape(4, 4, 3, 3)
    second = Convolution(kernel, (4, 4, 4), (1, 1), (1, 1), ((1, 1),) * 2)
    one = second.behind(pool)
    assert one and one.window == (6, 6) and one.stride == (2, 2)
    assert (matrix(one) == matrix(pool) @ matrix(second)).all()
    odd = Convolution.pooling((4, 9, 9), (2, 2), (2, 2), (0, 0))  # leaves the last row out
    assert second.behind(odd) is None
    without = replace(second, padding=((0, 0),) * 2)
    found = without.behind(odd)
    assert found and (matrix(found) == matrix(odd) @ matrix(without)).all()


@pytest.mark.parametrize(("kernel", "dilation"), [*product((1, 2, 3, 4, 5), (1, 2, 3))])
def test_same_padding_keeps_the_extent(kernel: int, dilation: int) -> None:
    padding = same_padding((kernel,), (dilation,), (1,))
    of = Convolution(np.ones((1, 1, kernel)), (1, 7), (1,), (dilation,), padding)
    assert of.output_shape == (1, 7)
    (front, behind) = padding[0]
    assert behind - front in (0, 1)  # PyTorch pads one more behind
    with pytest.raises(SpikeletError, match="'same' is defined for stride 1 only, not \\[2\\]"):
        same_padding((kernel,), (dilation,), (2,))


def test_large_maps_stay_sparse() -> None:
    of = Convolution(np.ones((8, 1, 3, 3)), (1, 128, 128), (1, 1), (1, 1), ((1, 1),) * 2)
    assert of.size == 8 * 128 * 128  # a matrix would hold 2,147,483,648 values
    assert len(of.triplets()[2]) == 8 * (3 * 128 - 2) ** 2


GOOD: dict[str, Any] = {
    "kernel": np.ones((4, 1, 3, 3)),
    "shape": (2, 8, 8),
    "stride": (1, 1),
    "dilation": (1, 1),
    "padding": ((0, 0), (0, 0)),
    "groups": 2,
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kernel": np.ones((4, 1))}, "must have outputs, inputs and a window"),
        ({"kernel": np.ones((4, 0, 3, 3))}, r"none of them 0, not shape \(4, 0, 3, 3\)"),
        ({"shape": (128,)}, r"needs values of 3 axes, channels and 2 more, not of shape \(128,\)"),
        ({"shape": (2, 0, 8)}, "needs values of 3 axes"),
        ({"stride": (0, 1)}, r"stride must be 2 whole numbers of 1 or more, not \[0, 1\]"),
        ({"stride": (1,)}, "stride must be 2 whole numbers"),
        ({"dilation": (1, 0)}, "dilation must be 2 whole numbers of 1 or more"),
        ({"padding": ((0, -1), (0, 0))}, "padding must be 2 whole numbers of 0 or more"),
        ({"groups": 3}, "groups must divide the 2 input and 4 output channels, not be 3"),
        ({"groups": 0}, "groups must divide"),
        ({"groups": 1}, "is for 1 input channels, but 2 arrive"),
        ({"kernel": np.ones((4, 2, 3, 3))}, "for 2 input channels in each of 2 groups, but 2 arr"),
        ({"shape": (2, 2, 8)}, "reaches over 3 values, more than the height 2 with padding, 2"),
        ({"dilation": (1, 4)}, "reaches over 9 values, more than the width 8 with padding, 8"),
        ({"kernel": np.ones((4, 1, 1, 1)), "shape": (2, 8192, 8192)}, "has up to 268,435,456 wei"),
    ],
)
def test_what_is_refused(changed: dict[str, Any], message: str) -> None:
    assert Convolution(**GOOD).output_shape == (4, 6, 6)
    with pytest.raises(SpikeletError, match=message):
        Convolution(**{**GOOD, **changed})


@settings(max_examples=200, deadline=None)
@given(of=convolutions(), seed=st.integers(0, 99))
def test_windows_see_what_the_kernel_meets(of: Convolution, seed: int) -> None:
    """And the kernel is found again in the connection, but for what only meets padding."""
    x = np.random.default_rng(seed).integers(-4, 5, of.n_source).astype(float)
    seen = np.append(x, 0)[of.windows()]
    kernel = of.kernel.reshape(of.groups, -1, seen.shape[1])
    np.testing.assert_array_equal((kernel @ seen).ravel(), x @ matrix(of))
    again = replace(of, kernel=of.kernel_of(matrix(of)))
    np.testing.assert_array_equal(matrix(again), matrix(of))
