"""Rules for synapses of coarse steps: they turn the error of a neuron into pulses.

See :mod:`spikelet.description.learning.named_rules` for units, and what is approximated. The error
``e`` is that of :class:`ErrorParams`, with a teacher.
"""

from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.scaling import (
    HEADROOM,
    check_int,
    check_weights,
    decay,
    spike_trace,
)
from spikelet.description.learning.text import LARGEST_PERIOD

__all__ = ["manhattan", "mixed_precision"]


def manhattan(
    *,
    step: int = 1,
    theta: int = 1,
    tau: float = 10.0,
    trace_bits: int = 6,
    theta_trace: int = 4,
    w_min: int = -127,
    w_max: int = 127,
    error_bits: int = 8,
) -> LearningRule:
    """Return the Manhattan rule: the sign of the error only, a step for each synapse.

    Schiffmann, Joost & Werner 1994; for devices Zamanidoost et al. 2015, "Manhattan rule training
    for memristive crossbar circuit pattern classifiers"::

        w + step   where e >=  theta and the trace of the axon is at least theta_trace
        w - step   where e <= -theta and likewise

    Parameters
    ----------
    step : int
        1..255 weight LSBs.
    theta : int
        Least error that counts, 1..``2**(error_bits - 1) - 1``.
    tau : float
        Time constant of the trace, 0.125..8191 ticks. A spike raises it by a quarter of its range.
    trace_bits : int
        Width of ``x1``, 4..15.
    theta_trace : int
        Least trace that counts, 1..``2**trace_bits - 1``.
    w_min, w_max : int
        Bounds of the weights.
    error_bits : int
        Width of ``e``, 2..16.

    Returns
    -------
    LearningRule
        With ``x1`` and ``e``; it rounds nothing and draws nothing.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    check_weights(w_min, w_max)
    check_int("step", step, 1, 255)
    check_int("error_bits", error_bits, 2, 16)
    check_int("theta", theta, 1, (1 << (error_bits - 1)) - 1)
    check_int("trace_bits", trace_bits, 4, 15)
    check_int("theta_trace", theta_trace, 1, (1 << trace_bits) - 1)
    counts = f"(x1 >= {theta_trace})"
    return LearningRule(
        f"{step}*(e >= {theta})*{counts} - {step}*(e <= -{theta})*{counts}",
        x1=TraceParams(1 << (trace_bits - HEADROOM), decay("tau", tau), bits=trace_bits),
        w_min=w_min,
        w_max=w_max,
        error_bits=error_bits,
        name="manhattan",
        source="Schiffmann, Joost & Werner 1994; Zamanidoost et al. 2015",
    )


def mixed_precision(
    *,
    rate: float = 1.0,
    tau: float = 20.0,
    pulse: int = 64,
    step: int = 1,
    period: int = 4,
    w_min: int = -127,
    w_max: int = 127,
    trace_bits: int = 10,
    error_bits: int = 8,
) -> LearningRule:
    """Return accumulate, then pulse: fine changes add up in the tag, coarse steps in the weight.

    Nandakumar et al. 2020, "Mixed-precision deep learning based on computational memory", equation
    4, with the tag as the accumulator ``chi`` and pulses of granularity ``pulse``::

        chi + rate * e(t) * x(t)                        in every tick with an error
        w + step, chi - pulse   if chi >=  pulse        every 2**period ticks
        w - step, chi + pulse   if chi <= -pulse

    The tag rounds by chance and saturates at its 8 bits. A step carries off one pulse; the paper
    carries off all whole ones at once.

    Parameters
    ----------
    rate : float
        Tag LSBs for an error of 1 and a fresh spike, above 0, up to 127.
    tau : float
        Time constant of the trace, 0.125..8191 ticks.
    pulse : int
        1..127 tag LSBs.
    step : int
        1..255 weight LSBs.
    period : int
        0..8.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of ``x1``, 4..15.
    error_bits : int
        Width of ``e``, 2..16.

    Returns
    -------
    LearningRule
        With ``x1``, ``e`` and a tag.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    check_weights(w_min, w_max)
    check_int("pulse", pulse, 1, 127)
    check_int("step", step, 1, 255)
    check_int("period", period, 0, LARGEST_PERIOD)
    bits = ("trace_bits", trace_bits)
    x1, power = spike_trace(("rate", rate), 1, ("tau", tau), bits, largest=127)
    up, down = f"u{period}*(t >= {pulse})", f"u{period}*(t <= -{pulse})"
    return LearningRule(
        f"{step}*{up} - {step}*{down}",
        f"{power}*e*x1 - {pulse}*{up} + {pulse}*{down}",
        x1=x1,
        w_min=w_min,
        w_max=w_max,
        tag_bits=8,
        tag_rounding="stochastic",
        error_bits=error_bits,
        name="mixed_precision",
        source="Nandakumar et al. 2020, equation 4",
    )
