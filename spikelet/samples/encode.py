"""Encoders: from intensities, or signals, to input spikes.

Those of :data:`ENCODERS` take integer intensities in 0..``full_scale``, shape (samples, inputs),
and return spikes, shape (samples, ticks, inputs), 1 where an input spikes; ``population`` has
several inputs for each intensity. SpikeletError for intensities that are not integers, of another
shape or outside their range, and for fewer than 1 tick. ``delta`` takes signals over time.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = [
    "ENCODERS",
    "MOST_PLACES",
    "check_levels",
    "delta",
    "direct",
    "latency",
    "poisson",
    "population",
    "rank_order",
    "rate",
    "rest",
]

MOST_PLACES = 1 << 31
"""Samples times ticks times inputs that are encoded at once."""

_LARGEST_SCALE = 1 << 30
_LEAST_RESPONSE = 0.1


def rate(levels: npt.ArrayLike, full_scale: int, ticks: int) -> npt.NDArray[np.uint8]:
    """Encode integer intensities as evenly spaced spikes, without randomness.

    An input at level ``l`` has fired ``floor(l * t / full_scale + 1/2)`` times after ``t`` ticks
    (error diffusion in time); at full scale it fires in every tick.

    Parameters
    ----------
    levels : array of int, shape (samples, inputs)
        Intensities in 0..``full_scale``.
    full_scale : int
    ticks : int

    Returns
    -------
    array of uint8, shape (samples, ticks, inputs)
        1 where an input spikes.

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``.
    """
    checked = _checked(levels, full_scale, ticks)
    elapsed = np.arange(ticks + 1).reshape(1, -1, 1)
    fired = (2 * checked[:, None, :] * elapsed + full_scale) // (2 * full_scale)
    return np.diff(fired, axis=1).astype(np.uint8)


def direct(
    levels: npt.ArrayLike, full_scale: float, ticks: int, steps: int
) -> npt.NDArray[np.uint8]:
    """Give intensities in every tick, as counts of graded inputs: direct coding.

    As snnTorch and SpikingJelly show a static image: its pixels are the input of the first layer's
    weights in each tick (Rueckauer et al. 2017, "Conversion of continuous-valued deep networks to
    efficient event-driven networks for image classification").

    Parameters
    ----------
    levels : array of int or float, shape (samples, inputs)
        Intensities in 0..``full_scale``.
    full_scale : float
    ticks : int
    steps : int
        Counts from 0 to full scale, 1..255: the ``input_levels`` of the network. An intensity
        becomes the nearest count, halves up; one on the grid of steps is given exactly.

    Returns
    -------
    array of uint8, shape (samples, ticks, inputs)

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``, or no number, there is no tick, or ``steps`` is not
        in 1..255.
    """
    values = np.asarray(levels)
    if values.dtype.kind not in "biuf" or values.ndim != 2:
        raise SpikeletError(
            f"encoder direct: levels must be numbers (samples, inputs), not {values.dtype} of "
            f"shape {values.shape}"
        )
    valid = (values >= 0) & (values <= full_scale)
    if not valid.all():
        sample, line = (int(i) for i in np.argwhere(~valid)[0])
        raise SpikeletError(
            f"encoder direct: levels must be in 0..{full_scale:g}, found {values[sample, line]} at "
            f"sample {sample}, input {line}",
            remedy="scale them to 0..full_scale; what a normalisation shifts below 0 belongs into "
            "the bias of the first layer",
        )
    if ticks < 1 or not 1 <= steps <= 255:
        raise SpikeletError(
            f"encoder direct: there must be 1 tick or more, and 1..255 steps, not {ticks}, {steps}"
        )
    counts = np.floor(values.astype(np.float64) * steps / full_scale + 0.5).astype(np.uint8)
    return np.repeat(counts[:, None, :], ticks, axis=1)


def poisson(
    levels: npt.ArrayLike,
    full_scale: int,
    ticks: int,
    *,
    max_rate: float = 63.75,
    dt: float = 1e-3,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """Encode intensities as the rates of Poisson spike trains, in discrete time.

    In each tick an input at level ``l`` spikes with probability ``max_rate * dt * l / full_scale``,
    independently of all others, as in Diehl & Cook 2015, "Input encoding" (0 to 63.75 Hz).

    Parameters
    ----------
    levels : array of int, shape (samples, inputs)
        Intensities in 0..``full_scale``.
    full_scale : int
    ticks : int
    max_rate : float
        Rate at full scale, in Hz; ``max_rate * dt`` in 0..1.
    dt : float
        Seconds per tick.
    seed : int
        Equal seeds give equal spikes; a sample's do not depend on how many samples follow.

    Returns
    -------
    array of uint8, shape (samples, ticks, inputs)

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``, or ``max_rate * dt`` is not in 0..1.
    """
    checked = _checked(levels, full_scale, ticks)
    probability = max_rate * dt
    if not 0 <= probability <= 1:
        raise SpikeletError(
            f"encoder poisson: max_rate * dt must be a probability in 0..1, not {probability:g} "
            f"({max_rate:g} Hz, ticks of {dt:g} s)",
            remedy="lower max_rate, or shorten dt",
        )
    generator = np.random.default_rng(seed)
    spikes = np.empty((len(checked), ticks, checked.shape[1]), np.uint8)
    for sample, sample_levels in enumerate(checked):
        draws = generator.random(spikes.shape[1:], np.float32)
        spikes[sample] = draws < np.float32(probability) * (sample_levels / full_scale)
    return spikes


def latency(levels: npt.ArrayLike, full_scale: int, ticks: int) -> npt.NDArray[np.uint8]:
    """Encode intensities as the time to the first and only spike: the brighter, the earlier.

    An input at level ``l`` spikes in tick ``floor((ticks - 1) * (full_scale - l) / full_scale)``:
    in tick 0 at full scale. One at level 0 does not spike. Linear time to first spike, after
    Thorpe, Delorme & Van Rullen 2001, "Spike-based strategies for rapid processing".

    Parameters
    ----------
    levels : array of int, shape (samples, inputs)
        Intensities in 0..``full_scale``.
    full_scale : int
    ticks : int

    Returns
    -------
    array of uint8, shape (samples, ticks, inputs)

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``.
    """
    checked = _checked(levels, full_scale, ticks)
    due = (ticks - 1) * (full_scale - checked) // full_scale
    return _single_spikes(due, checked > 0, ticks)


def rank_order(
    levels: npt.ArrayLike, full_scale: int, ticks: int, *, count: int
) -> npt.NDArray[np.uint8]:
    """Encode the order of intensities: the ``count`` brightest inputs spike once, in their order.

    The input of rank ``q`` (0 the brightest; of equals the lowest input first) spikes in tick
    ``floor(q * ticks / count)``: one spike in each tick if ``ticks`` is ``count``. Inputs at level
    0 never spike. Thorpe & Gautrais 1998, "Rank order coding"; so was MNIST given to the chip ODIN
    (Frenkel et al. 2019).

    Parameters
    ----------
    levels : array of int, shape (samples, inputs)
        Intensities in 0..``full_scale``.
    full_scale : int
    ticks : int
    count : int
        Spikes of a sample at most, 1..inputs.

    Returns
    -------
    array of uint8, shape (samples, ticks, inputs)

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``, or ``count`` outside 1..inputs.
    """
    checked = _checked(levels, full_scale, ticks)
    if type(count) is not int or not 1 <= count <= checked.shape[1]:
        raise SpikeletError(
            f"encoder rank_order: count must be an int in 1..{checked.shape[1]}, the inputs, "
            f"not {count!r}"
        )
    ranks = np.argsort(np.argsort(-checked, axis=1, kind="stable"), axis=1)
    return _single_spikes(ranks * ticks // count, (ranks < count) & (checked > 0), ticks)


def population(
    levels: npt.ArrayLike, full_scale: int, ticks: int, *, fields: int, beta: float = 1.5
) -> npt.NDArray[np.uint8]:
    """Encode each intensity by several inputs, which spike the earlier the nearer it is to theirs.

    Bohte, Kok & La Poutré 2002, "Error-backpropagation in temporally encoded networks of spiking
    neurons", section 4: Gaussian receptive fields, of which number ``i``, from 1 to ``fields``, has
    its centre at ``(2 i - 3) / 2 * full_scale / (fields - 2)``, and all have a deviation of
    ``full_scale / (beta * (fields - 2))``. A field that responds with ``r``, at most 1, spikes in
    the tick nearest to ``(ticks - 1) * (1 - r)``; one with ``r`` below 0.1 does not spike.

    Parameters
    ----------
    levels : array of int, shape (samples, intensities)
        In 0..``full_scale``.
    full_scale : int
    ticks : int
    fields : int
        Inputs for each intensity, 3 or more.
    beta : float
        Above 0: the larger, the narrower the fields.

    Returns
    -------
    array of uint8, shape (samples, ticks, intensities * fields)
        The inputs of an intensity stand beside each other.

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``, or ``fields`` or ``beta`` is out of range.
    """
    checked = _checked(levels, full_scale, ticks)
    if type(fields) is not int or fields < 3:
        raise SpikeletError(f"encoder population: fields must be an int of 3 or more: {fields!r}")
    if not 0 < beta < np.inf:
        raise SpikeletError(f"encoder population: beta must be above 0, not {beta!r}")
    _check_places(len(checked), ticks, checked.shape[1] * fields)
    centres = (2 * np.arange(1, fields + 1) - 3) / 2 / (fields - 2)
    away = (checked[:, :, None] / full_scale - centres) * beta * (fields - 2)
    response = np.exp(-(away**2) / 2).reshape(len(checked), -1)
    due = np.rint((ticks - 1) * (1 - response)).astype(np.int64)
    return _single_spikes(due, response >= _LEAST_RESPONSE, ticks)


def delta(signal: npt.ArrayLike, threshold: float) -> npt.NDArray[np.uint8]:
    """Encode signals by their changes: a spike when one has risen, or fallen, by a threshold.

    Send-on-delta (Miskowicz 2006, "Send-on-delta concept: an event-based data reporting
    strategy"), with a reference that follows in steps: it is a channel's first value, and each
    spike moves it by the threshold (step-forward encoding: Petro, Kasabov & Kiss 2020, "Selection
    and optimization of temporal spike encoding methods for spiking neural networks"). So the first
    value, and the threshold times on spikes minus off spikes, is within a threshold of the signal,
    unless it changes by more than one in a tick.

    Parameters
    ----------
    signal : array of float, shape (samples, ticks, channels)
    threshold : float
        Above 0.

    Returns
    -------
    array of uint8, shape (samples, ticks, 2 * channels)
        First all channels' off spikes, then all channels' on spikes.

    Raises
    ------
    SpikeletError
        If the signal is of another shape or not finite, or the threshold is not above 0.
    """
    values = np.asarray(signal)
    numbers = values.ndim == 3 and values.dtype.kind in "biuf"
    if not numbers or not np.isfinite(values).all():
        raise SpikeletError(
            "encoder delta: a signal must be finite numbers of shape (samples, ticks, channels), "
            f"not {values.dtype} of shape {values.shape}"
        )
    if not 0 < threshold < np.inf:
        raise SpikeletError(f"encoder delta: threshold must be above 0, not {threshold!r}")
    samples, ticks, channels = values.shape
    _check_places(samples, ticks, 2 * channels)
    spikes = np.zeros((samples, ticks, 2, channels), np.uint8)
    exact = values.astype(np.float64)
    reference = exact[:, :1].sum(axis=1)  # 0 where there is no tick
    for tick in range(ticks):
        change = exact[:, tick] - reference
        spikes[:, tick, 0] = change <= -threshold
        spikes[:, tick, 1] = change >= threshold
        reference += threshold * (spikes[:, tick, 1].astype(np.int8) - spikes[:, tick, 0])
    return spikes.reshape(samples, ticks, 2 * channels)


def rest(spikes: npt.NDArray[np.uint8], ticks: int) -> npt.NDArray[np.uint8]:
    """Return spikes with so many silent ticks behind each sample, in which traces decay.

    Parameters
    ----------
    spikes : array of uint8, shape (samples, ticks, inputs)
    ticks : int
        0 or more.

    Raises
    ------
    SpikeletError
        If ``ticks`` is negative.
    """
    if type(ticks) is not int or ticks < 0:
        raise SpikeletError(f"rest: ticks must be an int of 0 or more, not {ticks!r}")
    _check_places(len(spikes), spikes.shape[1] + ticks, spikes.shape[2])
    return np.pad(spikes, ((0, 0), (0, ticks), (0, 0)))


ENCODERS: dict[str, Callable[..., npt.NDArray[np.uint8]]] = {
    f.__name__: f for f in (rate, poisson, latency, rank_order, population)
}
"""The encoders by name."""


def check_levels(levels: npt.ArrayLike, full_scale: int) -> npt.NDArray[np.int64]:
    """Return levels as int64; SpikeletError for what no encoder takes."""
    found = np.asarray(levels)
    if type(full_scale) is not int or not 1 <= full_scale <= _LARGEST_SCALE:
        raise SpikeletError(
            f"encoder: full_scale must be an int in 1..{_LARGEST_SCALE}, not {full_scale!r}"
        )
    if found.ndim != 2 or found.dtype.kind not in "iu":
        raise SpikeletError(
            "input levels must be integers of shape (samples, inputs), not "
            f"{found.dtype} of shape {found.shape}"
        )
    if found.size and not (found.min() >= 0 and found.max() <= full_scale):
        raise SpikeletError(
            f"input levels must be in 0..{full_scale}, found {found.min()}..{found.max()}"
        )
    return found.astype(np.int64)


def _checked(levels: npt.ArrayLike, full_scale: int, ticks: int) -> npt.NDArray[np.int64]:
    """Return levels as int64; SpikeletError for what no encoder takes."""
    checked = check_levels(levels, full_scale)
    if type(ticks) is not int or ticks < 1:
        raise SpikeletError(f"encoder: ticks must be an int of 1 or more, not {ticks!r}")
    _check_places(len(checked), ticks, checked.shape[1])
    return checked


def _check_places(samples: int, ticks: int, inputs: int) -> None:
    if samples * ticks * inputs > MOST_PLACES:
        raise SpikeletError(
            f"{samples} samples of {ticks} ticks and {inputs} inputs are "
            f"{samples * ticks * inputs:,} places for a spike; at most {MOST_PLACES:,} are encoded",
            remedy="fewer ticks, or fewer samples in a file",
        )


def _single_spikes(
    due: npt.NDArray[np.int64], fires: npt.NDArray[np.bool_], ticks: int
) -> npt.NDArray[np.uint8]:
    """Return one spike for each input that fires, in its tick; both (samples, inputs)."""
    spikes = np.zeros((len(due), ticks, due.shape[1]), np.uint8)
    sample, line = np.nonzero(fires)
    spikes[sample, due[sample, line], line] = 1
    return spikes
