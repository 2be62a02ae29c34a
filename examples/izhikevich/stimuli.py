"""The 20 behaviours of Izhikevich 2004, figure 1: parameters, and the current of each in time.

E. M. Izhikevich, "Which model to use for cortical spiking neurons?", IEEE Transactions on Neural
Networks 15(5), 2004; numbers as in the figure's published script (izhikevich.org, figure1.m).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BEHAVIOURS", "Behaviour"]

Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Behaviour:
    """One panel of the figure.

    Parameters
    ----------
    name : str
    a, b, c, d : float
        Of the model; c in mV, d in the units of u.
    v : float
        Potential at the beginning, mV.
    span : float
        Milliseconds.
    current : callable
        From times in ms to currents.
    u : float or None
        Recovery at the beginning; None: b * v.
    slope, constant : float
        Of v' = 0.04 v**2 + slope v + constant - u + I.
    offset : float
        u follows b * (v + offset), mV.
    free : bool
        u' = a b (v + offset), without - u.
    """

    name: str
    a: float
    b: float
    c: float
    d: float
    v: float
    span: float
    current: Callable[[Times], Times]
    u: float | None = None
    slope: float = 5.0
    constant: float = 140.0
    offset: float = 0.0
    free: bool = False


def _step(level: float, at: float, rest: float = 0.0) -> Callable[[Times], Times]:
    return lambda t: np.where(t > at, level, rest)


def _pulses(*pulses: tuple[float, float, float], rest: float = 0.0) -> Callable[[Times], Times]:
    """Return a current of pulses (level, from, for so long) above its rest."""

    def current(t: Times) -> Times:
        found = np.full(t.shape, rest)
        for level, at, length in pulses:
            found[(t > at) & (t < at + length)] = level
        return found

    return current


def _ramp(rate: float, at: float, rest: float = 0.0) -> Callable[[Times], Times]:
    return lambda t: rest + np.where(t > at, rate * (t - at), 0.0)


def _accommodating(t: Times) -> Times:
    slow = np.where(t < 200, t / 25, 0.0)
    return np.where((t >= 300) & (t < 312.5), (t - 300) / 12.5 * 4, slow)


def _class_1(name: str, span: float, current: Callable[[Times], Times]) -> Behaviour:
    return Behaviour(name, 0.02, -0.1, -55, 6, -60, span, current, slope=4.1, constant=108.0)


BEHAVIOURS = (
    Behaviour("tonic spiking", 0.02, 0.2, -65, 6, -70, 100, _step(14, 10)),
    Behaviour("phasic spiking", 0.02, 0.25, -65, 6, -64, 200, _step(0.5, 20)),
    Behaviour("tonic bursting", 0.02, 0.2, -50, 2, -70, 220, _step(15, 22)),
    Behaviour("phasic bursting", 0.02, 0.25, -55, 0.05, -64, 200, _step(0.6, 20)),
    Behaviour("mixed mode", 0.02, 0.2, -55, 4, -70, 160, _step(10, 16)),
    Behaviour("frequency adaptation", 0.01, 0.2, -65, 8, -70, 85, _step(30, 8.5)),
    _class_1("class 1 excitable", 300, _ramp(0.075, 30)),
    Behaviour("class 2 excitable", 0.2, 0.26, -65, 0, -64, 300, _ramp(0.015, 30, -0.5)),
    Behaviour("spike latency", 0.02, 0.2, -65, 6, -70, 100, _pulses((7.04, 10, 3))),
    Behaviour("subthreshold oscillation", 0.05, 0.26, -60, 0, -62, 200, _pulses((2, 20, 5))),
    Behaviour(
        *("resonator", 0.1, 0.26, -60, -1, -62, 400),
        _pulses((0.65, 40, 4), (0.65, 60, 4), (0.65, 280, 4), (0.65, 320, 4)),
    ),
    _class_1("integrator", 100, _pulses((9, 9.09, 2), (9, 14.09, 2), (9, 70, 2), (9, 80, 2))),
    Behaviour("rebound spike", 0.03, 0.25, -60, 4, -64, 200, _pulses((-15, 20, 5))),
    Behaviour("rebound burst", 0.03, 0.25, -52, 0, -64, 200, _pulses((-15, 20, 5))),
    Behaviour(
        *("threshold variability", 0.03, 0.25, -60, 4, -64, 100),
        _pulses((1, 10, 5), (-6, 70, 5), (1, 80, 5)),
    ),
    Behaviour(
        *("bistability", 0.1, 0.26, -60, 0, -61, 300),
        # the second must meet the right phase, which is another in steps of 1/8 ms than in 1/4
        _pulses((1.24, 37.5, 5), (1.24, 210, 5), rest=0.24),
    ),
    Behaviour("depolarizing after-potential", 1, 0.2, -60, -21, -70, 50, _pulses((20, 9, 2))),
    Behaviour(
        *("accommodation", 0.02, 1, -55, 4, -65, 400, _accommodating),
        u=-16.0,
        offset=65.0,
        free=True,
    ),
    Behaviour(
        *("inhibition-induced spiking", -0.02, -1, -60, 8, -63.8, 350),
        _pulses((75, 50, 200), rest=80),
    ),
    Behaviour(
        *("inhibition-induced bursting", -0.026, -1, -45, 0, -63.8, 350),
        _pulses((75, 50, 200), rest=80),
    ),
)
"""A to T of the figure."""
