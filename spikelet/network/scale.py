"""How weights become integers: the value of one weight unit, and the integers that follow from it.

The integers are signed. One bit is +1 or -1 for every weight that is not 0; a weight of 0 is 0 at
every width.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spikelet.network.network import FloatArray

__all__ = ["best_scale", "codes", "column_scales", "grid_step", "shortened", "squared_error"]

_SEARCHED_WEIGHTS = 8_192
"""Weights, spread evenly over all when sorted, on which a scale is searched."""

_SIGNIFICANT = 40
"""Significant bits of a scale. A float64 holds its products with integers of 8 bits: so the step
that is found in multiples of a step is that step, to the last bit."""

_COARSE = np.concatenate([np.geomspace(0.01, 0.6, 32), np.linspace(0.62, 1.02, 41)])
_FINE = np.linspace(0.97, 1.03, 25)
_OF_COLUMNS = np.concatenate([np.geomspace(0.05, 0.55, 8), np.linspace(0.6, 1.0, 11)])
"""Scales that are tried, as shares of the one that clips nothing; around the best; of columns."""


def shortened(values: npt.ArrayLike) -> FloatArray:
    """Return the nearest numbers of 40 significant bits."""
    mantissas, exponents = np.frexp(np.asarray(values, np.float64))
    rounded = np.round(np.ldexp(mantissas, _SIGNIFICANT))
    return np.asarray(np.ldexp(rounded, exponents - _SIGNIFICANT))


def codes(weights: FloatArray, scale: float | FloatArray, bits: int) -> npt.NDArray[np.int8]:
    """Return the integers nearest to ``weights / scale``, of the shape of ``weights``."""
    if bits == 1:
        return np.sign(weights).astype(np.int8)
    limit = 1 << (bits - 1)
    return np.clip(np.round(weights / scale), -limit, limit - 1).astype(np.int8)


def squared_error(weights: FloatArray, scale: float, bits: int) -> float:
    """Return the sum of the squares of what rounding changes."""
    return float(np.sum((weights - scale * codes(weights, scale, bits)) ** 2))


def grid_step(weights: FloatArray, bits: int) -> float | None:
    """Return the largest step of which all weights are multiples that the width holds, or None.

    ``weights`` are not all 0. What float32 rounds off is no matter.
    """
    magnitudes = np.abs(weights)
    least = float(magnitudes[magnitudes > 0].min())
    if bits == 1 and magnitudes.max() - least > 1e-6 * least:
        return None
    steps = least / np.arange(1, (1 << (bits - 1)) + 1)
    steps = steps if bits > 1 else steps[:1]
    values = np.unique(weights)
    power = float(np.mean(values**2))
    span = 0.0 if bits == 1 else _span(weights, bits) * (1 - 1e-6)
    for step in steps[steps >= span]:
        whole = np.round(values / step)
        # float32 products of a grid and a gain are off the grid by their rounding
        if np.mean((values - step * whole) ** 2) <= 1e-13 * power:
            return float(shortened(float(whole @ values) / float(whole @ whole)))
    return None


def best_scale(
    weights: FloatArray,
    bits: int,
    error: Callable[[float], float] | None = None,
    *,
    zeros: int = 0,
) -> float:
    """Return the value of one weight unit that gives the least error.

    If all weights are multiples of some step within the integer range, it is the largest such
    step. Otherwise, of one bit, it is the mean magnitude of the weights that are not 0; of more,
    candidates are searched, refined by alternating between integers and scale.

    Parameters
    ----------
    weights : array of float64
        Not all 0.
    bits : int
        1..8.
    error : callable or None
        Returns the error of a scale; None: the sum of the squares of what rounding changes.
    zeros : int
        Weights besides, which are 0.
    """
    with_zero = np.append(weights, 0.0) if zeros else weights
    found = grid_step(with_zero, bits)
    if found is not None:
        return found
    if bits == 1:
        return float(shortened(np.abs(weights[weights != 0]).mean()))
    sample = _spread(weights, zeros)

    def of_sample(scale: float) -> float:
        return squared_error(sample, scale, bits)

    candidates = _span(with_zero, bits) * _COARSE
    for _ in range(2):  # the error has many shallow valleys: look closer around the lowest
        refined = [_refined(sample, float(candidate), bits) for candidate in candidates]
        best = min(refined, key=of_sample)
        candidates = best * _FINE
    if error is not None:
        candidates = best * np.geomspace(0.7, 1.4, 29)
        best = min([best, *map(float, candidates)], key=error)
    divisor = int(np.gcd.reduce(codes(weights, best, bits).ravel().astype(np.int64)))
    return float(shortened(best * max(divisor, 1)))


def column_scales(weights: FloatArray, bits: int) -> FloatArray:
    """Return the best scale of each column, shape (columns,); 0 where a column is all 0."""
    limit = 1 << (bits - 1)
    if bits == 1:
        count = np.count_nonzero(weights, axis=0)
        means: FloatArray = np.abs(weights).sum(axis=0) / np.maximum(count, 1)
        return means
    span = np.maximum(weights.max(axis=0) / (limit - 1), -weights.min(axis=0) / limit)
    span = np.maximum(span, 0)
    best: FloatArray = span.copy()
    least = np.full(span.shape, np.inf)
    for share in _OF_COLUMNS:
        scale = np.where(span > 0, span * share, 1.0)
        for _ in range(2):
            found = codes(weights, scale, bits).astype(np.float64)
            power = (found**2).sum(axis=0)
            fitted = (found * weights).sum(axis=0) / np.maximum(power, 1)
            scale = np.where((power > 0) & (fitted > 0), fitted, scale)
        error = ((weights - scale * codes(weights, scale, bits)) ** 2).sum(axis=0)
        better = (error < least) & (span > 0)
        best, least = np.where(better, scale, best), np.where(better, error, least)
    return best


def _spread(weights: FloatArray, zeros: int) -> FloatArray:
    """Return some weights, and zeros, at even steps of their order."""
    ordered = np.sort(weights, axis=None)
    total = ordered.size + zeros
    places = np.arange(0, total, 1 + total // _SEARCHED_WEIGHTS)
    first = int(np.searchsorted(ordered, 0.0))  # zeros stand there
    found: FloatArray = np.concatenate(
        [
            ordered[places[places < first]],
            np.zeros(int(((places >= first) & (places < first + zeros)).sum())),
            ordered[places[places >= first + zeros] - zeros],
        ]
    )
    return found


def _span(weights: FloatArray, bits: int) -> float:
    """Return the least scale that clips nothing."""
    limit = 1 << (bits - 1)
    return float(max(weights.max() / (limit - 1), -weights.min() / limit))


def _refined(weights: FloatArray, scale: float, bits: int) -> float:
    """Alternate between the integers of a scale and the best scale for these integers."""
    for _ in range(3):
        found = codes(weights, scale, bits).astype(np.float64)
        product, power = float(found @ weights), float(found @ found)
        if product <= 0:
            return scale
        scale = product / power
    return scale
