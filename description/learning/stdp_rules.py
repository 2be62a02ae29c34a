"""Rules of spike pairs and triplets: at the pre spike and at the post spike.

See :mod:`spikelet.description.learning.named_rules` for units, and what is approximated.
"""

import math

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.scaling import (
    HEADROOM,
    check_int,
    check_number,
    check_weights,
    constant,
    decay,
    spike_trace,
)
from spikelet.description.learning.text import LARGEST_PERIOD

__all__ = ["pair_stdp", "reward_stdp", "triplet_stdp"]


def pair_stdp(
    *,
    a_plus: float = 0.005,
    a_minus: float = 0.00525,
    tau_plus: float = 20.0,
    tau_minus: float = 20.0,
    w_min: int = 0,
    w_max: int = 127,
    soft: bool = False,
    nearest: bool = False,
    trace_bits: int = 12,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return pair-based STDP.

    With ``t`` the time from the pre to the post spike of a pair::

        dw =  a_plus  * range_plus  * exp(-t / tau_plus)    at the post spike, t >= 0
        dw = -a_minus * range_minus * exp( t / tau_minus)   at the pre spike,  t < 0

    Hard bounds: both ranges are ``w_max - w_min``, and the weight is cut off at the bounds (Song,
    Miller & Abbott 2000, "Competitive Hebbian learning through spike-timing-dependent synaptic
    plasticity"; the default amplitudes and time constants are theirs, with ticks of 1 ms). Soft
    bounds: ``w_max - w`` and ``w - w_min`` (Morrison, Diesmann & Gerstner 2008, "Phenomenological
    models of synaptic plasticity based on spike timing", multiplicative STDP). All pairs count,
    or, with ``nearest``, each spike only with the nearest earlier one of the other side (Morrison
    et al., symmetric nearest-spike pairing). Spikes of the same tick count as pre before post.

    Parameters
    ----------
    a_plus, a_minus : float
        Amplitudes, above 0, up to 1.
    tau_plus, tau_minus : float
        Time constants, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    soft : bool
        Whether the bounds are soft.
    nearest : bool
        Whether only the nearest spikes pair.
    trace_bits : int
        Width of both traces, 4..15.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1`` and ``y1``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    weights = check_weights(w_min, w_max)
    scale = 1 if soft else weights
    bits = ("trace_bits", trace_bits)
    x1, plus = spike_trace(("a_plus", a_plus), scale, ("tau_plus", tau_plus), bits, nearest=nearest)
    y1, minus = spike_trace(
        ("a_minus", a_minus), scale, ("tau_minus", tau_minus), bits, nearest=nearest
    )
    up, down = ("*(w_max - w)", "*(w - w_min)") if soft else ("", "")
    return LearningRule(
        f"{plus}*x1*y0{up} - {minus}*x0*y1{down}",
        x1=x1,
        y1=y1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        name="pair_stdp",
        source="Song, Miller & Abbott 2000; Morrison, Diesmann & Gerstner 2008",
    )


def triplet_stdp(
    *,
    a2_plus: float = 0.0,
    a3_plus: float = 6.5e-3,
    a2_minus: float = 7.1e-3,
    a3_minus: float = 0.0,
    tau_plus: float = 16.8,
    tau_minus: float = 33.7,
    tau_x: float = 101.0,
    tau_y: float = 114.0,
    w_min: int = 0,
    w_max: int = 127,
    trace_bits: int = 8,
    slow_trace_bits: int = 12,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return triplet STDP, all-to-all, with hard bounds.

    Pfister & Gerstner 2006, "Triplets of spikes in a model of spike timing-dependent plasticity",
    equations 2 and 3; with ``t-`` the time just before the spike::

        dw = -o1(t) * (a2_minus + a3_minus * r2(t-))    at a pre spike
        dw =  r1(t) * (a2_plus  + a3_plus  * o2(t-))    at a post spike

    ``r1``, ``r2``, ``o1``, ``o2`` rise by 1 at each pre, pre, post, post spike and decay with
    ``tau_plus``, ``tau_x``, ``tau_minus``, ``tau_y``. They are the traces ``x1``, ``x2``, ``y1``,
    ``y2``, which the contract gives in the pre and post phase as the rule needs them: those of the
    own side before the own spike. A term of amplitude 0 is left out, with its trace. By default the
    rule is the paper's minimal model fitted to data of the visual cortex, with ticks of 1 ms.

    The products of two traces share the 16 fraction bits of a rule, so the traces cannot be as
    wide as those of :func:`pair_stdp`: where an amplitude needs it, the increment of the slow
    trace is made smaller than ``slow_trace_bits`` would allow.

    Parameters
    ----------
    a2_plus, a3_plus, a2_minus, a3_minus : float
        Amplitudes, 0..1; not both 0 on a side.
    tau_plus, tau_minus, tau_x, tau_y : float
        Time constants, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits, slow_trace_bits : int
        Widths of ``x1`` and ``y1``, and of ``x2`` and ``y2``, 4..15.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1``, ``y1``, and ``x2`` and ``y2`` as far as they are needed.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range, or an amplitude too small for the widths.
    """
    scale = check_weights(w_min, w_max)
    bits = (("trace_bits", trace_bits), ("slow_trace_bits", slow_trace_bits))
    plus, x1, y2 = _triplet_side(
        (("a2_plus", a2_plus), ("a3_plus", a3_plus)),
        (("tau_plus", tau_plus), ("tau_y", tau_y)),
        bits,
        ("x1", "y2", "y0"),
        scale,
    )
    minus, y1, x2 = _triplet_side(
        (("a2_minus", a2_minus), ("a3_minus", a3_minus)),
        (("tau_minus", tau_minus), ("tau_x", tau_x)),
        bits,
        ("y1", "x2", "x0"),
        scale,
    )
    return LearningRule(
        " + ".join(plus) + "".join(f" - {term}" for term in minus),
        x1=x1,
        x2=x2,
        y1=y1,
        y2=y2,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        name="triplet_stdp",
        source="Pfister & Gerstner 2006, equations 2 and 3",
    )


_Pair = tuple[tuple[str, float], tuple[str, float]]


def _triplet_side(
    amplitudes: _Pair,
    taus: _Pair,
    bits: tuple[tuple[str, int], tuple[str, int]],
    names: tuple[str, str, str],
    scale: int,
) -> tuple[list[str], TraceParams, TraceParams | None]:
    """Return the terms of one side, its fast trace and, if it has a triplet term, the slow one."""
    pair, triplet = amplitudes
    fast, slow, trigger = names
    check_number(*pair, 0, 1)
    check_number(*triplet, 0, 1)
    if not pair[1] and not triplet[1]:
        raise SpikeletError(f"{pair[0]} and {triplet[0]} must not both be 0")
    terms = []
    if pair[1]:
        trace, power = spike_trace(pair, scale, taus[0], bits[0])
        terms.append(f"{power}*{fast}*{trigger}")
    else:
        check_int(*bits[0], 4, 15)
        increment = 1 << (bits[0][1] - 1 - HEADROOM)
        trace = TraceParams(increment, decay(*taus[0]), bits=bits[0][1])
    if not triplet[1]:
        return terms, trace, None
    # The fast trace counts in increments, so the slow one carries the rest of the amplitude.
    slow_trace, power = spike_trace(triplet, scale / trace.increment, taus[1], bits[1])
    return [*terms, f"{power}*{fast}*{slow}*{trigger}"], trace, slow_trace


def reward_stdp(
    *,
    a_plus: float = 16.0,
    a_minus: float = 16.0,
    tau_plus: float = 20.0,
    tau_minus: float = 20.0,
    tau_tag: float = 100.0,
    learning_rate: float = 2.0**-8,
    w_min: int = 0,
    w_max: int = 127,
    trace_bits: int = 10,
    tag_bits: int = 8,
    reward_bits: int = 8,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return STDP modulated by a reward, with an eligibility trace at each synapse: its tag.

    Izhikevich 2007, "Solving the distal reward problem through linkage of STDP and dopamine
    signaling", equations 1 and 2; Florian 2007, "Reinforcement learning through modulation of
    spike-timing-dependent synaptic plasticity" (MSTDPET)::

        dtag = a_plus * exp(-t / tau_plus), -a_minus * exp(t / tau_minus)    at pairs of spikes
        dtag/dt = -tag / tau_tag
        dw/dt = learning_rate * r * tag

    Pairs as in :func:`pair_stdp`, all of them. The tag decays every ``2**k`` ticks, with the
    largest k of 0..8 for which it then loses at most half, by a fraction rounded to 1/32; it rounds
    towards 0 and so always gets there. Its changes by pairs also round towards 0. Bounds are hard.
    In a tick with a reward, the weight takes the tag from before that tick's decay.

    Parameters
    ----------
    a_plus, a_minus : float
        Amplitudes in tag LSBs, above 0, up to 127.
    tau_plus, tau_minus : float
        Time constants, 0.125..8191 ticks.
    tau_tag : float
        1..8000 ticks.
    learning_rate : float
        Weight LSBs for a reward of 1 and a tag of 1; 2^-16 to 1; rounded to 4 significant bits and
        to a multiple of 2^-16.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of both traces, 4..15.
    tag_bits, reward_bits : int
        Widths of tag and reward.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1``, ``y1`` and a tag.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    bits = ("trace_bits", trace_bits)
    x1, plus = spike_trace(("a_plus", a_plus), 1, ("tau_plus", tau_plus), bits, largest=127)
    y1, minus = spike_trace(("a_minus", a_minus), 1, ("tau_minus", tau_minus), bits, largest=127)
    check_number("tau_tag", tau_tag, 1, 8000)
    period = min(LARGEST_PERIOD, max(0, math.floor(math.log2(tau_tag * math.log(2)))))
    lost = constant(round(32 * (1 - math.exp(-(2**period) / tau_tag))) / 32)
    check_number("learning_rate", learning_rate, 2.0**-16, 1)
    return LearningRule(
        f"{constant(learning_rate, 4)}*r*t",
        f"{plus}*x1*y0 - {minus}*x0*y1 - {lost}*t*u{period}",
        x1=x1,
        y1=y1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        tag_bits=tag_bits,
        reward_bits=reward_bits,
        name="reward_stdp",
        source="Izhikevich 2007, equations 1 and 2; Florian 2007",
    )
