"""Rules that are evaluated at the spikes of one side only: the pre or the post spike.

See :mod:`spikelet.description.learning.named_rules` for units, and what is approximated.
"""

import math
from itertools import pairwise

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.scaling import (
    HEADROOM,
    check_int,
    check_number,
    check_weights,
    constant,
    countdown,
    decay,
    spike_trace,
)
from spikelet.description.learning.text import LARGEST_PERIOD

__all__ = ["binary_stdp", "querlioz", "sdsp", "target_stdp"]


def sdsp(
    *,
    theta_v: int,
    a: int = 1,
    b: int = 1,
    theta_up: tuple[int, int] = (24, 104),
    theta_down: tuple[int, int] = (24, 32),
    calcium_increment: int = 8,
    tau_calcium: float = 60.0,
    calcium_bits: int = 8,
    theta_w: int | None = None,
    drift: tuple[int, int] = (1, 1),
    drift_period: int | None = None,
    w_min: int = 0,
    w_max: int = 15,
) -> LearningRule:
    """Return spike-driven synaptic plasticity (SDSP).

    Brader, Senn & Fusi 2007, "Learning real-world stimuli in a neural network with spike-driven
    synaptic dynamics"; in hardware Frenkel et al. 2019, "A 0.086-mm2 12.7-pJ/SOP 64k-synapse 256-
    neuron online-learning digital spiking neuromorphic processor in 28-nm CMOS" (ODIN). At a pre
    spike, with the neuron's potential ``V`` and calcium ``C``::

        w + a   if V >  theta_v and theta_up[0]   < C < theta_up[1]
        w - b   if V <= theta_v and theta_down[0] < C < theta_down[1]

    and, to make the synapse bistable, if there is a ``drift_period``::

        w + drift[0]   every 2**drift_period ticks if w >  theta_w
        w - drift[1]   every 2**drift_period ticks if w <= theta_w

    Calcium is the post trace ``y1``, before the tick's post spike. ``V`` is the potential after the
    tick before, which is the reset potential if the neuron fired then. ODIN compares with ``>=``
    where the paper has ``>``: lower its limits by 1.

    Parameters
    ----------
    theta_v : int
        In potential LSBs, -65536..65536.
    a, b : int
        Steps, 1..255 weight LSBs.
    theta_up, theta_down : tuple of int
        Between them calcium allows a step, in its LSBs, -1 to ``2**calcium_bits``.
    calcium_increment : int
        Of one post spike, in LSBs of the calcium.
    tau_calcium : float
        Time constant, 0.125..8191 ticks.
    calcium_bits : int
        Width of the calcium, 1..15.
    theta_w : int or None
        Between the two stable states; the middle of the range by default.
    drift : tuple of int
        Up and down, 1..255 weight LSBs.
    drift_period : int or None
        0..8; None: no drift.
    w_min, w_max : int
        Bounds of the weights.

    Returns
    -------
    LearningRule
        With ``y1``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    check_weights(w_min, w_max)
    check_int("theta_v", theta_v, -(1 << 16), 1 << 16)
    check_int("calcium_bits", calcium_bits, 1, 15)
    for name, pair in (("theta_up", theta_up), ("theta_down", theta_down), ("drift", drift)):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise SpikeletError(f"{name} must be two ints, not {pair!r}")
    for name, step in (("a", a), ("b", b), ("drift[0]", drift[0]), ("drift[1]", drift[1])):
        check_int(name, step, 1, 255)
    terms = []
    for side, step, compare, name, limits in (
        ("", a, ">", "theta_up", theta_up),
        (" - ", b, "<=", "theta_down", theta_down),
    ):
        check_int(f"{name}[0]", limits[0], -1, (1 << calcium_bits) - 2)
        check_int(f"{name}[1]", limits[1], limits[0] + 2, 1 << calcium_bits)
        window = f"(y1 > {limits[0]})*(y1 < {limits[1]})"
        terms.append(f"{side}{step}*x0*(v {compare} {theta_v})*{window}")
    if drift_period is not None:
        check_int("drift_period", drift_period, 0, LARGEST_PERIOD)
        middle = (w_min + w_max) // 2 if theta_w is None else theta_w
        check_int("theta_w", middle, w_min, w_max - 1)
        terms.append(f" + {drift[0]}*u{drift_period}*(w > {middle})")
        terms.append(f" - {drift[1]}*u{drift_period}*(w <= {middle})")
    elif theta_w is not None:
        raise SpikeletError("theta_w is of use only with a drift_period")
    check_int("calcium_increment", calcium_increment, 1, (1 << calcium_bits) - 1)
    calcium = TraceParams(calcium_increment, decay("tau_calcium", tau_calcium), bits=calcium_bits)
    return LearningRule(
        "".join(terms),
        y1=calcium,
        w_min=w_min,
        w_max=w_max,
        name="sdsp",
        source="Brader, Senn & Fusi 2007; Frenkel et al. 2019",
    )


def binary_stdp(*, p_plus: float = 0.1, p_minus: float = 0.05, window: int = 20) -> LearningRule:
    """Return stochastic STDP of 1-bit weights, evaluated at the post spike.

    Suri et al. 2013, "Bio-inspired stochastic computing using binary CBRAM synapses": if the axon
    had a spike in the last ``window`` ticks, this one included, the weight becomes 1 with
    probability ``p_plus``; if it had none, it becomes 0 with probability ``p_minus``. Stochastic
    rounding does it: the change is the probability, and the bounds are 0 and 1. Probabilities are
    rounded to multiples of 2^-16; the draws are those of the contract. The trace ``x1`` is set to
    ``window`` and counts down by 1.

    Parameters
    ----------
    p_plus, p_minus : float
        Probabilities, 2^-16 to 1.
    window : int
        1..32767 ticks.

    Returns
    -------
    LearningRule
        With ``x1``, for unsigned weights of any width; only 0 and 1 are used.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    check_number("p_plus", p_plus, 2.0**-16, 1)
    check_number("p_minus", p_minus, 2.0**-16, 1)
    return LearningRule(
        f"{constant(p_plus)}*y0*(x1 > 0) - {constant(p_minus)}*y0*(x1 == 0)",
        x1=countdown(window),
        w_min=0,
        w_max=1,
        rounding="stochastic",
        name="binary_stdp",
        source="Suri et al. 2013",
    )


def querlioz(
    *,
    a_plus: float = 0.01,
    a_minus: float = 0.005,
    beta_plus: float = 3.0,
    beta_minus: float = 3.0,
    window: int = 20,
    levels: int = 8,
    w_min: int = 0,
    w_max: int = 127,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return simplified STDP with a step that depends exponentially on the weight.

    Querlioz, Bichler, Dollfus & Gamrat 2013, "Immunity to device variations in a spiking neural
    network with memristive nanodevices", equations 1 and 2. At a post spike, with ``u = (w - w_min)
    / (w_max - w_min)``::

        dw =  a_plus  * (w_max - w_min) * exp(-beta_plus * u)           axon active in the window
        dw = -a_minus * (w_max - w_min) * exp(-beta_minus * (1 - u))    axon not active

    Each exponential is a staircase of ``levels`` steps of equal width, which comparisons of ``w``
    add up: in a step from ``u = i / levels`` it has the value at ``u = (i + 1/2) / levels``. The
    relative error is at most ``exp(beta / (2 * levels)) - 1``, 21 % by default, and on average
    nearly 0; to it comes the rounding of each step of the staircase to multiples of 2^-16 LSB. The
    trace ``x1`` is set to ``window`` and counts down by 1.

    Parameters
    ----------
    a_plus, a_minus : float
        Amplitudes, above 0, up to 1.
    beta_plus, beta_minus : float
        0..10.
    window : int
        1..32767 ticks, that of the post spike included.
    levels : int
        1..32, at most ``w_max - w_min``.
    w_min, w_max : int
        Bounds of the weights.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    scale = check_weights(w_min, w_max)
    check_int("levels", levels, 1, min(32, scale))
    limits = [math.ceil(scale * i / levels) for i in range(levels)]
    up = _staircase(("a_plus", a_plus), ("beta_plus", beta_plus), scale, levels)
    down = _staircase(("a_minus", a_minus), ("beta_minus", beta_minus), scale, levels)
    terms = [f"{up[0]}*y0*(x1 > 0)", f" - {down[0]}*y0*(x1 == 0)"]
    for limit, more in zip(limits[:0:-1], up[1:], strict=True):
        terms.append(f" + {more}*y0*(x1 > 0)*(w < {w_min + limit})" if more else "")
    for limit, more in zip(limits[1:], down[1:], strict=True):
        terms.append(f" - {more}*y0*(x1 == 0)*(w >= {w_min + limit})" if more else "")
    return LearningRule(
        "".join(terms),
        x1=countdown(window),
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        name="querlioz",
        source="Querlioz, Bichler, Dollfus & Gamrat 2013, equations 1 and 2",
    )


def _staircase(
    amplitude: tuple[str, float], beta: tuple[str, float], scale: int, levels: int
) -> list[str]:
    """Return the lowest level of an exponential and what each further one adds ("": nothing)."""
    check_number(*amplitude, 0, 1)
    check_number(*beta, 0, 10)
    heights = [
        amplitude[1] * scale * math.exp(-beta[1] * (i + 0.5) / levels)
        for i in reversed(range(levels))
    ]
    steps = [constant(heights[0]), *(constant(high - low) for low, high in pairwise(heights))]
    if not steps[0]:
        raise SpikeletError(
            f"{amplitude[0]} must make steps of at least 2^-17 LSB for every weight, not "
            f"{heights[0]:.2g} as with {amplitude[1]!r}"
        )
    return steps


def target_stdp(
    *,
    eta: float = 0.01,
    x_target: float = 0.4,
    tau: float = 20.0,
    w_min: int = 0,
    w_max: int = 127,
    soft: bool = True,
    nearest: bool = False,
    trace_bits: int = 10,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return STDP towards a target of the pre trace, evaluated at the post spike.

    Diehl & Cook 2015, "Unsupervised learning of digit recognition using spike-timing-dependent
    plasticity", the rule with a target and a weight dependence of ``mu``; at a post spike::

        dw = eta * (x_pre - x_target) * (w_max - w)**mu

    The trace ``x_pre`` rises by 1 at each pre spike, or is set to 1 with ``nearest``, and decays
    with ``tau``. ``soft`` is ``mu`` 1; else ``mu`` is 0, and the range ``w_max - w_min`` stands in
    the place of ``w_max - w``. An axon without spikes loses weight, so the post phase visits all
    axons of a neuron's group.

    Parameters
    ----------
    eta : float
        Amplitude, above 0, up to 1.
    x_target : float
        0..4, or 0..1 with ``nearest``, in pre spikes; rounded to LSBs of the trace.
    tau : float
        Time constant, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    soft : bool
        Whether the upper bound is soft.
    nearest : bool
        Whether a spike sets the trace.
    trace_bits : int
        Width of the trace, 4..15.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    weights = check_weights(w_min, w_max)
    check_number("x_target", x_target, 0, 1 if nearest else 2**HEADROOM)
    x1, power = spike_trace(
        ("eta", eta),
        1 if soft else weights,
        ("tau", tau),
        ("trace_bits", trace_bits),
        nearest=nearest,
    )
    target = round(x_target * x1.increment)
    return LearningRule(
        f"{power}*y0*(x1 - {target})" + ("*(w_max - w)" if soft else ""),
        x1=x1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        name="target_stdp",
        source="Diehl & Cook 2015",
    )
