"""What a framework means by the numbers of a NIR file: the door for a new one.

NIR describes neurons by differential equations. What a tick computes, and what the constants in a
file are, each framework decides for itself; one file of ``nir/conventions/`` says it of one.
Formulas are names of this module's tables, so that a convention is data, and a page can show it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from spikelet.description.summary import summary
from spikelet.network.network import FloatArray

__all__ = ["CURRENT_GAINS", "DECAYS", "GAINS", "STARTS", "STEPS", "WRITTEN", "Convention", "Rule"]

Formula = Callable[[FloatArray, FloatArray], FloatArray]
"""Of the ticks' share in a time constant, and of ``r``, or of what stands in its place."""


def _ones(rate: FloatArray, r: FloatArray) -> FloatArray:
    return np.ones(np.broadcast_shapes(rate.shape, r.shape))


STEPS: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {"dt": lambda dt: dt, "dt dt": lambda dt: dt * dt, "1": lambda dt: 1.0}
)
"""What a tick is in the unit of the file's time constants, from the seconds of a tick."""

DECAYS: Mapping[str, Formula] = MappingProxyType(
    {
        "1 - dt/tau": lambda rate, r: 1 - rate,
        "exp(-dt/tau)": lambda rate, r: np.exp(-rate),
        "r": lambda rate, r: r,
    }
)
"""What is left of a potential after a tick."""

GAINS: Mapping[str, Formula] = MappingProxyType(
    {
        "r dt/tau": lambda rate, r: r * rate,
        "1 - decay": lambda rate, r: 1 - np.exp(-rate),
        "r": lambda rate, r: r,
        "1": _ones,
    }
)
"""The factor of a neuron's input; ``1 - decay`` is that of an exponential decay."""

CURRENT_GAINS: Mapping[str, Formula] = MappingProxyType(
    {
        "w_in dt/tau_syn": lambda rate, w_in: w_in * rate,
        "exp(-dt/tau_syn)": lambda rate, w_in: np.exp(-rate),
        "1": _ones,
    }
)
"""The factor of what arrives at a synaptic current."""

WRITTEN: Mapping[str, Formula] = MappingProxyType(
    {
        "1": _ones,
        "tau/dt": lambda rate, r: 1 / rate,
        "1/dt": lambda rate, r: 1 / rate,  # of neurons without a time constant, as if it were 1 s
        "1 - dt/tau": lambda rate, r: 1 - rate,
        "tau/dt exp(-dt/tau)": lambda rate, r: np.exp(-rate) / rate,
    }
)
"""What exporters write as ``r``, or as ``w_in`` of a synaptic current."""

STARTS = ("0", "v_leak", "v_reset")
"""What a potential starts at."""


@dataclass(frozen=True)
class Rule:
    """What a framework means by one kind of neuron node.

    Parameters
    ----------
    models : mapping of str to str
        Names of neuron models, by how the neurons reset; they also say whether a potential spikes
        at the threshold or above it, and whether in the same tick.
    decay, gain : str
        Of :data:`DECAYS` and :data:`GAINS`; no decay where there is no time constant.
    current_gain : str
        Of :data:`CURRENT_GAINS`, where there is a synaptic current.
    r, w_in : tuple of str
        What its exporter writes, of :data:`WRITTEN`; by these its files are known.
    tau : tuple of float
        Between which its time constants are, where ``r`` alone shows nothing.
    start : str
        Of :data:`STARTS`.
    clamped : bool
        Whether decays are kept in 0..1; else others are refused.
    recurrent : mapping of str to str
        Models of neurons whose spikes come back, where they are others.
    """

    models: Mapping[str, str]
    decay: str = "1 - dt/tau"
    gain: str = "r dt/tau"
    current_gain: str = ""
    r: tuple[str, ...] = ()
    w_in: tuple[str, ...] = ()
    tau: tuple[float, float] = (-np.inf, np.inf)
    start: str = "0"
    clamped: bool = False
    recurrent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Convention:
    """What a framework means by a NIR file.

    Parameters
    ----------
    name : str
        By which it is chosen.
    title : str
        The framework, with the version that was read.
    rules : mapping of str to Rule
        By node kind; kinds that are not there, its exporter does not write.
    readouts : mapping of str to Rule
        By node kind, of nodes that never spike, as far as their constants are not those of the kind
        that does.
    step : str
        Of :data:`STEPS`.
    dt : float or None
        Seconds per tick that its exporter takes unless told otherwise; None: there are none.
    reset : str
        How its neurons reset unless told otherwise; a key of the rules' models.
    unsaid : tuple of str
        What its files do not say, in words, with what is taken.
    several : bool
        Whether its neurons may spike several times in a tick, unless they reset "subtract-once".
    source : str
        Where in the framework it is found.
    """

    __repr__ = summary

    name: str
    title: str
    rules: Mapping[str, Rule]
    readouts: Mapping[str, Rule] = field(default_factory=dict)
    step: str = "dt"
    dt: float | None = None
    reset: str = "value"
    unsaid: tuple[str, ...] = ()
    several: bool = False
    source: str = ""

    def rule(self, kind: str) -> Rule:
        """Return what it says of a node kind that it has a rule for."""
        return self.readouts[kind] if kind in self.readouts else self.rules[kind]

    @property
    def resets(self) -> tuple[str, ...]:
        """The ways to reset that some kind has, the usual first."""
        found = [reset for rule in self.rules.values() for reset in rule.models]
        return tuple(dict.fromkeys([self.reset, *found]))

    def reset_of(self, model: str) -> str | None:
        """Return how neurons of a model's name reset here; None if they are none of this."""
        for rule in self.rules.values():
            for reset, name in (*rule.models.items(), *rule.recurrent.items()):
                if name == model:
                    return reset
        return None
