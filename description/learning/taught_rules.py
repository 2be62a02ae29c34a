"""Rules with a third factor of each neuron: its error by a teacher, or a reward.

See :mod:`spikelet.description.learning.named_rules` for units, and what is approximated. The rules
read ``e``; how a neuron's error comes about is told by its :class:`ErrorParams`, and each docstring
says which it wants. A teacher's weight, or a value of ``e``, is counted in errors of 1.
"""

from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.scaling import (
    check_int,
    check_number,
    check_weights,
    constant,
    decay,
    spike_trace,
)

__all__ = ["error_trace", "normad", "resume", "reward_chance", "reward_error"]


def resume(
    *,
    a: float = 0.0,
    a_trace: float = 0.01,
    tau: float = 10.0,
    w_min: int = -127,
    w_max: int = 127,
    trace_bits: int = 10,
    error_bits: int = 2,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return ReSuMe, the remote supervised method.

    Ponulak & Kasinski 2010, "Supervised learning in spiking neural networks with ReSuMe", equation
    2.8: with ``S_d`` and ``S_o`` the desired and the own spikes, and ``S_in`` those of the axon::

        dw/dt = (S_d(t) - S_o(t)) * (a + a_trace * sum of exp(-s / tau) over spikes s ago)

    in units of ``w_max - w_min``. ``e`` is what the teacher says of the tick, 0 or 1, from
    ``ErrorParams(bits=2)`` and a teacher of weight 1, one to one; the own spike is ``y0``. Where
    both come in a tick nothing changes. With ``a`` above 0 a spike visits all plastic axons.

    Parameters
    ----------
    a, a_trace : float
        Amplitudes, 0..1 and above 0, up to 1.
    tau : float
        Time constant, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of ``x1``, 4..15.
    error_bits : int
        Width of ``e``, 2..16.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1`` and ``e``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    weights = check_weights(w_min, w_max)
    check_number("a", a, 0, 1)
    x1, power = spike_trace(("a_trace", a_trace), weights, ("tau", tau), ("trace_bits", trace_bits))
    always = constant(a * weights) if a else ""
    alike = f" + {always}*e - {always}*y0" if always else ""
    return LearningRule(
        f"{power}*x1*e - {power}*x1*y0{alike}",
        x1=x1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        error_bits=error_bits,
        name="resume",
        source="Ponulak & Kasinski 2010, equation 2.8",
    )


def normad(
    *,
    rate: float = 0.02,
    tau: float = 10.0,
    tau_rise: float = 2.5,
    w_min: int = -127,
    w_max: int = 127,
    trace_bits: int = 10,
    error_bits: int = 8,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return NormAD, the normalised approximate descent, without its norm.

    Anwani & Rajendran 2015, "NormAD - Normalized approximate descent based supervised learning rule
    for spiking neurons", equation 13, with ``d`` the input currents of the synapses, each filtered
    by the neuron's own leak::

        dw = rate * e(t) * d(t) / |d(t)|        e = 1 at a wanted spike, -1 at one too many

    ``d`` of an axon is the response of the potential to its spikes: ``exp(-s / tau) - exp(-s /
    tau_rise)``, the difference of the traces ``x1`` and ``x2``. The norm over all synapses of a
    neuron is not at hand in a core, so it is left out: what it takes from ``rate`` on average must
    be given with ``rate``. It differs from the paper's by how much ``|d(t)|`` changes with time,
    for many inputs of steady rates little.

    ``e`` comes from ``ErrorParams(bits, spike=n)`` and a teacher of weight ``n``: then a spike at
    the right tick has no error, and ``rate`` counts in ``n``.

    Parameters
    ----------
    rate : float
        Above 0, up to 1, in ``w_max - w_min`` for an error of 1 and a fresh spike.
    tau, tau_rise : float
        Time constants, 0.125..8191 ticks; ``tau_rise`` below ``tau``.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of both traces, 4..15.
    error_bits : int
        Width of ``e``, 2..16.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1``, ``x2`` and ``e``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    weights = check_weights(w_min, w_max)
    check_number("tau", tau, 0.125, 8191)
    check_number("tau_rise", tau_rise, 0.125, tau)
    bits = ("trace_bits", trace_bits)
    x1, power = spike_trace(("rate", rate), weights, ("tau", tau), bits)
    x2 = TraceParams(x1.increment, decay("tau_rise", tau_rise), bits=trace_bits)
    return LearningRule(
        f"{power}*e*(x1 - x2)",
        x1=x1,
        x2=x2,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        error_bits=error_bits,
        name="normad",
        source="Anwani & Rajendran 2015, equation 13, without the norm",
    )


def error_trace(
    *,
    rate: float = 0.01,
    tau: float = 20.0,
    w_min: int = -127,
    w_max: int = 127,
    trace_bits: int = 10,
    error_bits: int = 8,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return the error of a neuron times the trace of the axon.

    ``dw = rate * e(t) * x(t)``, with ``x`` raised by 1 at each spike of the axon and decaying with
    ``tau``. What it is depends on how the error comes about:

    * **Random feedback, e-prop's form** (Bellec et al. 2020, "A solution to the learning dilemma
      for recurrent networks of spiking neurons", equations 3 and 5, LIF neurons; Lillicrap et al.
      2016): the output's wanted and own spikes as teachers, with fixed random weights, and an
      :class:`ErrorParams` with a ``window`` for the derivative of the spike.
    * **SuperSpike** (Zenke & Ganguli 2018, "SuperSpike: Supervised learning in multilayer spiking
      neural networks", equation 5): a leaking error of wanted less own spikes, with a ``window``.
      The paper filters the product of derivative and trace once more by the error's kernel; here
      the derivative is that of the tick of the error, and it is a box.

    Parameters
    ----------
    rate : float
        Above 0, up to 1, in ``w_max - w_min`` for an error of 1 and a fresh spike.
    tau : float
        Time constant, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of ``x1``, 4..15.
    error_bits : int
        Width of ``e``, 2..16.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1`` and ``e``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    weights = check_weights(w_min, w_max)
    x1, power = spike_trace(("rate", rate), weights, ("tau", tau), ("trace_bits", trace_bits))
    return LearningRule(
        f"{power}*e*x1",
        x1=x1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        error_bits=error_bits,
        name="error_trace",
        source="Bellec et al. 2020; Zenke & Ganguli 2018",
    )


def reward_error(
    *,
    rate: float = 2.0**-8,
    tau: float = 10.0,
    w_min: int = -127,
    w_max: int = 127,
    trace_bits: int = 6,
    error_bits: int = 8,
    reward_bits: int = 4,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return the three-factor rule of probabilistic networks: reward, pre trace, spike less chance.

    Jang et al. 2019, "An introduction to probabilistic spiking neural networks", equation 20, for
    neurons that spike with the probability ``p``::

        dw = rate * r * x(t) * (spike - p)

    The neuron model has a state ``e`` of ``spike - p``; no teacher is needed. ``rate`` is in weight
    LSBs for a reward of 1, an ``e`` of 1 and a fresh spike. Reward and spikes are of the same tick.

    Parameters
    ----------
    rate : float
        Above 0, up to 127.
    tau : float
        Time constant, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of ``x1``, 4..15.
    error_bits, reward_bits : int
        Widths of ``e`` and ``r``, 2..16.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1`` and ``e``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    check_weights(w_min, w_max)
    bits = ("trace_bits", trace_bits)
    x1, power = spike_trace(("rate", rate), 1, ("tau", tau), bits, largest=127)
    return LearningRule(
        f"{power}*r*e*x1",
        x1=x1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        error_bits=error_bits,
        reward_bits=reward_bits,
        name="reward_error",
        source="Jang et al. 2019, equation 20",
    )


def reward_chance(
    *,
    rate: float = 1.0,
    tau: float = 10.0,
    w_min: int = -127,
    w_max: int = 127,
    trace_bits: int = 6,
    chance_bits: int = 8,
    reward_bits: int = 4,
    rounding: str = "stochastic",
) -> LearningRule:
    """Return :func:`reward_error` for neurons that have their chance ``p``: ``probabilistic``.

    Jang et al. 2019, equation 20: ``dw = rate * r * x(t) * (spike - p)``, as two terms, that of the
    spike and that of its chance. ``rate`` is in weight LSBs for a reward of 1 and fresh spikes,
    that of the neuron with a chance of 0. The post phase visits the neurons whose chance is not 0:
    most of them.

    Parameters
    ----------
    rate : float
        Above 0, up to 127.
    tau : float
        Time constant, 0.125..8191 ticks.
    w_min, w_max : int
        Bounds of the weights.
    trace_bits : int
        Width of ``x1``, 4..15.
    chance_bits : int
        Width of ``p`` behind the binary point, 1..15.
    reward_bits : int
        Width of ``r``, 2..16.
    rounding : str
        Of the weight.

    Returns
    -------
    LearningRule
        With ``x1`` and ``p``.

    Raises
    ------
    SpikeletError
        If a parameter is outside its range.
    """
    check_weights(w_min, w_max)
    check_int("chance_bits", chance_bits, 1, 15)
    one = 1 << chance_bits
    check_number("rate", rate, 0, 127)
    bits = ("trace_bits", trace_bits)
    x1, power = spike_trace(("rate", rate / one), 1, ("tau", tau), bits, largest=127)
    return LearningRule(
        f"{one}*{power}*r*x1*y0 - {power}*r*x1*p",
        x1=x1,
        w_min=w_min,
        w_max=w_max,
        rounding=rounding,
        error_bits=chance_bits + 1,
        reward_bits=reward_bits,
        name="reward_chance",
        source="Jang et al. 2019, equation 20",
    )
