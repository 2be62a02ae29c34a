"""Operations of PyTorch that arrange values: other shapes, parts, and several put together.

Each takes its first argument, the shape of the result, and the other arguments; a tensor that
depends on spikes is a :class:`Traced`, one that does not an array.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.expression import Applied, OverTime, Steps, at, sources_of
from spikelet.frameworks.traced import BATCH, TIME, Shape, Traced, constant
from spikelet.nir.signal import Signal, Sparse

__all__ = [
    "cat",
    "over_time",
    "permute",
    "reshape",
    "same",
    "select",
    "slice_",
    "split",
    "stack",
    "transpose",
    "unbind",
]


def same(x: Traced, shape: Shape, *_: Any, **__: Any) -> Traced:
    """Return the value itself: copies, and other number formats."""
    return replace(x, shape=shape)


def reshape(x: Traced, shape: Shape, *_: Any, **__: Any) -> Traced:
    """Return the same values in another shape."""
    if prod(shape) != prod(x.shape):
        raise SpikeletError("values are repeated along an axis")
    found = Traced(x.node, x.lead, shape)
    of_sample = found.of_sample
    if of_sample == x.node.shape:
        return found

    def apply(signal: Signal) -> Signal:
        return signal.reshaped(of_sample)

    return x.through(("reshape", of_sample), apply, shape, of_sample)


def permute(x: Traced, shape: Shape, dims: Sequence[int]) -> Traced:
    """Return the values with their axes in another order."""
    order = [d % len(x.shape) for d in dims]
    n = x.n_lead
    if sorted(order[:n]) != list(range(n)):
        raise SpikeletError("samples or ticks are moved behind other axes")
    axes = x.lead.axes
    if order[:n] != list(range(n)):
        axes = tuple(str(x.axis(d)) for d in order[:n])
    inner = [d - n for d in order[n:]]
    moved = replace(x, lead=replace(x.lead, axes=axes), shape=shape)
    if inner == sorted(inner):
        return moved
    return moved.selected(x.numbers.transpose(inner), shape)


def transpose(x: Traced, shape: Shape, first: int, second: int) -> Traced:
    """Return the values with two axes exchanged."""
    order = list(range(len(x.shape)))
    order[first], order[second] = order[second], order[first]
    return permute(x, shape, order)


def select(x: Traced, shape: Shape, dim: int, index: int) -> Traced:
    """Return the values at one place of an axis."""
    axis = x.axis(dim)
    if axis == TIME:
        return Traced(at(x.node, index % x.lead.ticks), x.lead.without_time(), shape)
    if axis == BATCH:
        raise SpikeletError("one sample of the batch is taken out")
    return x.selected(np.take(x.numbers, index, axis=int(axis)), shape)


def unbind(x: Traced, shapes: Sequence[Shape], dim: int = 0) -> list[Traced]:
    """Return the values at each place of an axis."""
    return [select(x, shape, dim, index) for index, shape in enumerate(shapes)]


def slice_(
    x: Traced, shape: Shape, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Traced:
    """Return some of the values along an axis."""
    if shape == x.shape:
        return replace(x, shape=shape)
    axis = x.axis(dim)
    if isinstance(axis, str):
        raise SpikeletError(f"some of the {axis} are taken out")
    places = [slice(None)] * axis + [slice(start, end, step)]
    return x.selected(x.numbers[tuple(places)], shape)


def split(x: Traced, shapes: Sequence[Shape], size: Any, dim: int = 0) -> list[Traced]:
    """Return the values in parts along an axis."""
    found, start = [], 0
    for shape in shapes:
        found.append(slice_(x, shape, dim, start, start + shape[dim]))
        start += shape[dim]
    return found


def stack(given: Sequence[Any], shape: Shape, dim: int = 0) -> Traced:
    """Return values put together along a new axis: that of time, or one of the sample."""
    x = next(part for part in given if isinstance(part, Traced))
    dim += len(shape) if dim < 0 else 0
    parts = _traced(given, x)
    if dim < x.n_lead or (dim == x.n_lead and _are_ticks(parts)):
        return _over_time(parts, shape, dim)
    wider = (*shape[:dim], 1, *shape[dim + 1 :])
    return cat([reshape(part, wider) for part in parts], shape, dim)


def cat(given: Sequence[Any], shape: Shape, dim: int = 0) -> Traced:
    """Return values put together along an axis."""
    x = next(part for part in given if isinstance(part, Traced))
    dim += len(shape) if dim < 0 else 0
    parts = _traced(given, x)
    if dim < x.n_lead:
        if x.shape[dim] != 1:
            raise SpikeletError(f"tensors are joined along {x.axis(dim)}")
        return _over_time(parts, shape, dim)
    axis = dim - x.n_lead
    of_sample = shape[x.n_lead :]
    numbers = np.arange(prod(of_sample)).reshape(of_sample)
    ends = np.cumsum([part.of_sample[axis] for part in parts])
    places = [found.ravel() for found in np.split(numbers, ends[:-1], axis=axis)]
    size = prod(of_sample)

    def apply(*signals: Signal) -> Signal:
        spread = [
            s.through(Sparse(s.size, size, np.arange(s.size), p, np.ones(s.size)), of_sample)
            for s, p in zip(signals, places, strict=True)
        ]
        return Signal.sum(spread)

    nodes = tuple(part.node for part in parts)
    key = ("cat", axis, tuple(part.of_sample for part in parts))
    return Traced(Applied(key, apply, nodes, of_sample), x.lead, shape)


def _over_time(parts: Sequence[Traced], shape: Shape, dim: int) -> Traced:
    """Return single ticks put together along time, which becomes axis ``dim``."""
    lead = parts[0].lead
    if not _are_ticks(parts):
        raise SpikeletError(
            f"{len(parts)} tensors are put together along an axis in front of the samples, and "
            f"they are not the {lead.ticks} ticks"
        )
    axes = list(lead.axes)
    axes.insert(dim, TIME)
    whole = replace(lead, axes=tuple(axes))
    return Traced(Steps(tuple(part.node for part in parts)), whole, shape)


def _are_ticks(parts: Sequence[Traced]) -> bool:
    """Return whether values are those of single ticks, of all of them, in their order."""
    lead = parts[0].lead
    if TIME in lead.axes or len(parts) != lead.ticks:
        return False
    newest = [[s.tick or 0 for s in sources_of(part.node)] for part in parts]
    return all(max(ticks, default=tick) == tick for tick, ticks in enumerate(newest))


def _traced(given: Sequence[Any], like: Traced) -> list[Traced]:
    """Return values as traced ones, of the same samples and ticks."""
    found = [v if isinstance(v, Traced) else constant(v, np.shape(v), like) for v in given]
    if any(part.lead != like.lead for part in found):
        raise SpikeletError("tensors of whole sequences and of single ticks meet")
    return found


def over_time(x: Traced, shape: Shape, dim: Any = None, *_: Any, **__: Any) -> Traced:
    """Return the sum or mean over time."""
    dims = np.ravel([] if dim is None else dim).astype(int)
    if [x.axis(int(d)) for d in dims] != [TIME]:
        raise SpikeletError("values are summed over samples, or over those of a sample")
    return Traced(OverTime(x.node, x.node.shape), x.lead.without_time(), shape)
