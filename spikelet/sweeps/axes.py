"""The kinds of axes, by name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.sweeps.axis import Axis, Settings, Value

__all__ = ["AXES", "axis_named", "registered"]

_WIDTHS = ("weight_bits", "potential_bits", "decay_bits", "spike_bits")
_OPTIONS = {
    "topology": "str",
    "multicast": "true, false",
    "placement_seed": "int, 0 or more",
    "draw_key": "int, 1..2**32 - 1",
    "neuron_scales": "true, false",
}
_TYPES = {"int": "int", "str": "str", "bool": "true, false"}
_SWEPT_LIMITS = {
    limit.name: _TYPES[str(getattr(limit.type, "__name__", limit.type))]
    for limit in fields(PlacementLimits)
    if str(getattr(limit.type, "__name__", limit.type)) in _TYPES
}


def _width(name: str, settings: Settings, layer: str, value: Value) -> None:
    """Set bits of all layers, or of one, which then goes before those of all."""
    if type(value) is not int:
        raise SpikeletError(f"{name} must be an int, not {value!r}")
    given = settings.options.get(name)
    if not layer and given is None:
        settings.options[name] = value
    elif layer and not isinstance(given, int):
        settings.options[name] = {**(given or {}), layer: value}
    else:
        raise SpikeletError(
            f"{name} is an axis for all layers and for one",
            remedy=f"name each layer ({name}.LAYER), or none",
        )


def _option(name: str, settings: Settings, _: str, value: Value) -> None:
    settings.options[name] = value


def _limit(name: str, settings: Settings, _: str, value: Value) -> None:
    settings.limits[name] = value


def _ticks(settings: Settings, _: str, value: Value) -> None:
    if type(value) is not int or value < 1:
        raise SpikeletError(f"ticks must be an int of 1 or more, not {value!r}")
    settings.ticks = value


def _seed(settings: Settings, _: str, value: Value) -> None:
    settings.changes.append(partial(_seeded, value))


def _seeded(value: Any, network: IntegerNetwork) -> IntegerNetwork:
    return replace(network, seed=value)


def _rule(settings: Settings, part: str, value: Value) -> None:
    settings.changes.append(partial(_ruled, part, value))


def _ruled(part: str, value: Value, network: IntegerNetwork) -> IntegerNetwork:
    """Return the network with a field of its learning rules, or of a trace of them, changed."""
    if not network.learns:
        raise network.error("it has no learning rule", "leave the axis rule.FIELD out")

    def changed(rule: LearningRule) -> LearningRule:
        name, _, inner = part.partition(".")
        if name not in {one.name for one in fields(rule)}:
            names = ", ".join(one.name for one in fields(rule))
            raise SpikeletError(f"a learning rule has no {name!r}", remedy=f"take one of {names}")
        if not inner:
            field: dict[str, Any] = {name: value}
            return replace(rule, **field)
        old = getattr(rule, name)
        if old is None or inner not in {one.name for one in fields(old)}:
            raise SpikeletError(f"{name} of rule {rule.name!r} has no {inner!r}")
        return replace(rule, **{name: replace(old, **{inner: value})})

    projections = tuple(
        replace(p, rule=changed(p.rule)) if p.rule else p for p in network.projections
    )
    return replace(network, projections=projections)


AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        *(Axis(name, partial(_width, name), "LAYER") for name in _WIDTHS),
        *(Axis(name, partial(_option, name), values=text) for name, text in _OPTIONS.items()),
        *(Axis(name, partial(_limit, name), values=text) for name, text in _SWEPT_LIMITS.items()),
        Axis("ticks", _ticks, values="int, 1 up to those of the samples"),
        Axis("seed", _seed, values="int, of the LFSRs of stochastic rules"),
        Axis("rule", _rule, "FIELD", True, "as of the learning rule's field"),
    )
}


def axis_named(name: str, among: Mapping[str, Axis] | None = None) -> tuple[Axis, str]:
    """Return the axis of a name, such as ``weight_bits.hidden``, and what stands behind the dot.

    SpikeletError, with the names that there are, if there is none.
    """
    there = AXES if among is None else among
    kind, _, part = name.partition(".")
    if kind not in there:
        raise SpikeletError(f"there is no axis {name!r}", remedy=f"take one of {', '.join(there)}")
    axis = there[kind]
    if part and not axis.part:
        raise SpikeletError(f"axis {name!r}: {kind} is of the whole chip", remedy=f"name it {kind}")
    if axis.needs_part and not part:
        raise SpikeletError(f"axis {name!r} must say of what", remedy=f"{kind}.{axis.part}")
    return axis, part


@contextmanager
def registered(axis: Axis) -> Iterator[Axis]:
    """Make an axis of one's own known by name in a ``with`` block.

    SpikeletError if there is one of that name already.
    """
    if axis.name in AXES or not axis.name or "." in axis.name:
        raise SpikeletError(
            f"axis {axis.name!r} cannot be registered: there is one of that name, or it is no name",
            remedy="give it a name of its own, without a dot",
        )
    AXES[axis.name] = axis
    try:
        yield axis
    finally:
        del AXES[axis.name]
