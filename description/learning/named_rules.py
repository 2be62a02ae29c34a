"""Learning rules of the literature, written in the rule language of ``docs/learning.md``.

Each function returns a :class:`LearningRule`. Time constants are in ticks. Amplitudes are fractions
of the weight range ``w_max - w_min``, as where the sources normalise weights to 0..1, unless the
docstring says otherwise.

What is approximated in all of them:

* ``decay = round(4096 * exp(-1 / tau))``, so a time constant is off by up to ``tau / 8192`` of
  itself. A trace rounds down when it decays: it is always below the exact one, but by less than
  ``1 / (1 - decay / 4096)``, about ``tau``, of its LSBs. Wide traces make that small beside the
  increment.
* An amplitude is the increment of a trace times a power of two. The increment is rounded.
* A trace that adds saturates above 4 fresh spikes.
* A weight change is rounded to weight LSBs. Where ``rounding`` is ``"stochastic"``, the default for
  small changes, it is right on average.
"""

from collections.abc import Callable

from spikelet.description.learning.one_sided_rules import binary_stdp, querlioz, sdsp, target_stdp
from spikelet.description.learning.pulse_rules import manhattan, mixed_precision
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.stdp_rules import pair_stdp, reward_stdp, triplet_stdp
from spikelet.description.learning.taught_rules import (
    error_trace,
    normad,
    resume,
    reward_chance,
    reward_error,
)

__all__ = [
    "RULES",
    "binary_stdp",
    "error_trace",
    "manhattan",
    "mixed_precision",
    "normad",
    "pair_stdp",
    "querlioz",
    "resume",
    "reward_chance",
    "reward_error",
    "reward_stdp",
    "sdsp",
    "target_stdp",
    "triplet_stdp",
]

RULES: dict[str, Callable[..., LearningRule]] = {
    rule.__name__: rule
    for rule in (
        pair_stdp,
        triplet_stdp,
        sdsp,
        binary_stdp,
        querlioz,
        reward_stdp,
        target_stdp,
        resume,
        normad,
        error_trace,
        reward_error,
        reward_chance,
        manhattan,
        mixed_precision,
    )
}
"""The functions by name."""
