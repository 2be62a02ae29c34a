"""What an axis sets: options of the compiler, limits of cores, the network, or what is run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spikelet.network.integers import IntegerNetwork

__all__ = ["Axis", "Settings", "Value"]

Value = int | float | str | bool
"""A value of an axis."""


@dataclass
class Settings:
    """What one configuration sets; axes fill it in.

    Parameters
    ----------
    options : dict
        Of :func:`spikelet.compile`, besides ``limits``.
    limits : dict
        Fields of :class:`PlacementLimits`.
    changes : list of callable
        What is changed in the network, in integers, before it is placed.
    ticks : int or None
        First ticks of each sample that are run; None: all.
    """

    options: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    changes: list[Callable[[IntegerNetwork], IntegerNetwork]] = field(default_factory=list)
    ticks: int | None = None


@dataclass(frozen=True)
class Axis:
    """A kind of axis.

    Parameters
    ----------
    name : str
    set : callable
        Given the settings, the part of the axis' name behind the dot, and a value; a SpikeletError
        says why there is no such configuration. A function of a module, so that workers find it.
    part : str
        What may stand behind a dot in the name, such as ``"LAYER"``; empty: nothing.
    needs_part : bool
        Whether it must stand there.
    values : str
        What its values are, for messages and the documentation.
    """

    name: str
    set: Callable[[Settings, str, Value], None]
    part: str = ""
    needs_part: bool = False
    values: str = "int"
