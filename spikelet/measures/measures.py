"""All measures, and what they find."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.measures import accuracy, activity, additions, density, energy, learning, neurobench
from spikelet.measures.measure import Measure
from spikelet.measures.subject import Subject

__all__ = ["measure_named", "measured", "measures", "registered"]

_MEASURES: list[Measure] = [
    measure
    for module in (accuracy, density, energy, learning, additions, neurobench, activity)
    for measure in module.MEASURES
]


def measures() -> tuple[Measure, ...]:
    """Return the measures that are known by name, in the order in which they are shown."""
    return tuple(_MEASURES)


def measure_named(name: str) -> Measure:
    """Return the measure called ``name``; SpikeletError lists the valid names otherwise."""
    for measure in _MEASURES:
        if measure.name == name:
            return measure
    names = ", ".join(measure.name for measure in _MEASURES)
    raise SpikeletError(
        f"measure must be one of {names}, not {name!r}", remedy="choose one of these measures"
    )


@contextmanager
def registered(measure: Measure) -> Iterator[Measure]:
    """Make a measure of one's own known by name in a ``with`` block: reports then have it.

    Raises
    ------
    SpikeletError
        If there is a measure of that name, or the definition or source is missing.
    """
    if any(known.name == measure.name for known in _MEASURES):
        raise SpikeletError(
            f"measure {measure.name!r} cannot be registered: there is a measure of that name",
            remedy="give it another name",
        )
    for field in ("name", "title", "definition", "source", "needs"):
        if not getattr(measure, field):
            raise SpikeletError(
                f"measure {measure.name!r} cannot be registered: its {field} is empty",
                remedy=f"state its {field}",
            )
    _MEASURES.append(measure)
    try:
        yield measure
    finally:
        _MEASURES.remove(measure)


def measured(subject: Subject) -> dict[str, dict[str, Any]]:
    """Return what is found of each measure, JSON-compatible, by name.

    ``figures`` is empty where it is not known; ``needs`` then says what is missing.
    """
    return {
        measure.name: {
            "title": measure.title,
            "unit": measure.unit,
            "estimate": measure.estimate,
            "definition": measure.definition,
            "source": measure.source,
            "needs": measure.needs,
            "figures": [asdict(figure) for figure in measure.figures(subject)],
        }
        for measure in _MEASURES
    }
