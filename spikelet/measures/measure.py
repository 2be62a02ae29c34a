"""What a measure is: a name, a definition with its source, and how it is computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikelet.measures.subject import Subject

__all__ = ["Figure", "Measure"]


@dataclass(frozen=True)
class Figure:
    """One value of a measure.

    Parameters
    ----------
    value : float
        In the measure's unit.
    of : str
        What it is of, where a measure has several values, such as a layer or a board.
    note : str
        What a reader should know of it; empty if there is nothing.
    """

    value: float
    of: str = ""
    note: str = ""


@dataclass(frozen=True)
class Measure:
    """A measure; those of Spikelet are in the files of this folder, each with its sources.

    Parameters
    ----------
    name : str
        As in JSON; lower case, with underscores.
    title : str
        As on the page.
    unit : str
        Of its values; empty for a number or a share.
    definition : str
        The formula in words, without a full stop.
    source : str
        Who defines it, or asks for it.
    needs : str
        What must be there for it to be known.
    figures : callable
        Returns its values of a :class:`Subject`; none where what it needs is missing.
    estimate : bool
        Whether it is computed from a table of someone else's figures, and not counted.
    """

    name: str
    title: str
    unit: str
    definition: str
    source: str
    needs: str
    figures: Callable[[Subject], Sequence[Figure]]
    estimate: bool = False
