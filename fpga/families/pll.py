"""Phase-locked loops: what makes a chip's clock of the oscillator's on a board."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from spikelet.description.errors import SpikeletError

__all__ = ["Pll", "nearest_below"]

T = TypeVar("T")


@dataclass(frozen=True)
class Pll:
    """A PLL as it is instantiated.

    Parameters
    ----------
    primitive : str
        The family's cell.
    clock_in, clock_out, locked : str
        Its ports for the clocks, and the one that is 1 while the output can be relied on.
    output_hz : int
        True output frequency in Hz, rounded down.
    parameters : mapping of str to int or str
    attributes : mapping of str to str
    tied : mapping of str to int
        Input ports with a constant level.
    feedback : tuple of str
        An output port, and the input port that takes it; empty if the loop closes within the cell.
    """

    primitive: str
    clock_in: str
    clock_out: str
    locked: str
    output_hz: int
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    tied: Mapping[str, int] = field(default_factory=dict)
    feedback: tuple[str, ...] = ()


def nearest_below(
    title: str, wanted_hz: int, settings: Iterable[T], output: Callable[[T], Fraction]
) -> T:
    """Return the first of the settings whose output comes nearest to a frequency from below.

    SpikeletError tells the range if none is at or below it, or all are far from it.

    Parameters
    ----------
    title : str
        For the message.
    wanted_hz : int
    settings : iterable
        All that the PLL can do with its input, in the order in which they are preferred.
    output : callable
        Returns the output frequency of a setting in Hz.
    """
    found = [(output(setting), setting) for setting in settings]
    if not found:
        raise SpikeletError(
            f"{title}: its PLL makes nothing of the board's clock",
            remedy="run the chip at the board's own clock",
        )
    lowest, highest = min(hz for hz, _ in found), max(hz for hz, _ in found)
    if not int(lowest) <= wanted_hz <= highest:
        raise SpikeletError(
            f"{title}: its PLL makes {_mhz(lowest)} to {_mhz(highest)} MHz of the board's clock, "
            f"not {wanted_hz / 1e6:g} MHz",
            remedy="choose a frequency in this range, or the board's own clock (--clock MHZ)",
        )
    # Whole hertz, so that what was rounded down is found again.
    best = max((hz for hz, _ in found if int(hz) <= wanted_hz))
    return next(setting for hz, setting in found if hz == best)


def _mhz(hz: Fraction) -> str:
    return f"{float(hz) / 1e6:.4g}"
