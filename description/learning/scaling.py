"""From the units of the literature to the integers of a rule: traces, constants, and checks."""

import math

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import TraceParams

__all__ = [
    "HEADROOM",
    "check_int",
    "check_number",
    "check_weights",
    "constant",
    "countdown",
    "decay",
    "spike_trace",
]

HEADROOM = 2
"""Bits of a trace that adds above those of its increment: it holds 4 spikes at once."""

_FRACTION_BITS = 16
"""The smallest power of two in a rule is 2^-16."""

_SIGNIFICANT_BITS = 16


def check_number(name: str, value: float, low: float, high: float) -> None:
    """Raise SpikeletError unless a parameter is a number in ``low..high``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise SpikeletError(f"{name} must be a number in {low}..{high}, not {value!r}")


def check_int(name: str, value: int, low: int, high: int) -> None:
    """Raise SpikeletError unless a parameter is an int in ``low..high``."""
    if type(value) is not int or not low <= value <= high:
        raise SpikeletError(f"{name} must be an int in {low}..{high}, not {value!r}")


def check_weights(w_min: int, w_max: int) -> int:
    """Return the range of weights; SpikeletError unless both bounds are possible."""
    check_int("w_min", w_min, -128, 254)
    check_int("w_max", w_max, w_min + 1, 255)
    return w_max - w_min


def decay(name: str, tau: float) -> int:
    """Return the decay, in 1/4096, of a trace with a time constant of 0.125..8191 ticks."""
    check_number(name, tau, 0.125, 8191)
    return round(4096 * math.exp(-1 / tau))


def spike_trace(
    amplitude: tuple[str, float],
    scale: float,
    tau: tuple[str, float],
    bits: tuple[str, int],
    *,
    nearest: bool = False,
    largest: float = 1,
) -> tuple[TraceParams, str]:
    """Return a trace, and the power of two that makes an amplitude of its increment.

    Parameters
    ----------
    amplitude : (str, float)
        Name and value, above 0, up to ``largest``.
    scale : float
        What the rule needs is ``amplitude * scale``.
    tau : (str, float)
        Name and value of the time constant, in ticks.
    bits : (str, int)
        Name and value of the trace's width, 4..15.
    nearest : bool
        Whether a spike sets the trace, which then needs no headroom.
    largest : float

    Raises
    ------
    SpikeletError
        If a value is outside its range, or the amplitude too small for powers down to 2^-16.
    """
    check_int(*bits, 4, 15)
    check_number(*amplitude, 0, largest)
    used = bits[1] if nearest else bits[1] - HEADROOM
    wanted = amplitude[1] * scale
    exponent = max(math.frexp(wanted)[1] - used, -_FRACTION_BITS)
    increment = min(round(wanted * 2.0**-exponent), (1 << used) - 1)
    if not increment:
        least = 2.0 ** -(_FRACTION_BITS + 1) / scale
        raise SpikeletError(f"{amplitude[0]} must be above {least:.2g}, not {amplitude[1]!r}")
    mode = "set" if nearest else "add"
    return TraceParams(increment, decay(*tau), bits=bits[1], mode=mode), f"2^{exponent}"


def countdown(window: int) -> TraceParams:
    """Return a trace that is above 0 for so many ticks, 1..32767: that of the spike, and after."""
    check_int("window", window, 1, (1 << 15) - 1)
    return TraceParams(window, decay_shift=15, bits=window.bit_length(), mode="set")


def constant(value: float, digits: int = _SIGNIFICANT_BITS) -> str:
    """Return a positive value as an odd integer times a power of two, or "" if it rounds to 0.

    Parameters
    ----------
    value : float
        Rounded to a multiple of 2^-16.
    digits : int
        Significant bits that are kept, 1..16.
    """
    exponent = max(math.frexp(value)[1] - digits, -_FRACTION_BITS)
    odd = round(value * 2.0**-exponent)
    if not odd:
        return ""
    zeros = (odd & -odd).bit_length() - 1
    power = f"2^{exponent + zeros}"
    return power if odd >> zeros == 1 else f"{odd >> zeros}*{power}"
