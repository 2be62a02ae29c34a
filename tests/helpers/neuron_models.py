"""Neuron models for tests: with what none of the models that are there uses."""

from spikelet.description.neurons.model import NeuronModel, Parameter, State
from spikelet.description.neurons.models import neuron_models

__all__ = ["ALL_MODELS", "HABITUATING", "MIXED_MODELS", "NOISY", "ODD"]

V = State("v")
FIRED = State("fired", "flag")

NOISY = NeuronModel(
    "noisy",
    """
scaled = v*decay; level = threshold + (draw >> noise)
summed = chance(scaled, 12) + current
clipped = clamp(summed)
fired = clipped > level
v = where(fired, 0, clipped)
""",
    (V, FIRED),
    (
        Parameter("threshold", low=0),
        Parameter("decay", "fraction", default=4096),
        Parameter("noise", "absolute", low=0, high=16, default=8, constant=True),
    ),
)
"""A LIF whose threshold is drawn, and whose potential is rounded by chance."""

HABITUATING = NeuronModel(
    "habituating",
    """
weak = truncate(current*(63 - used), 6)
clipped = clamp(v - sign(v) + weak)
over = clipped > threshold; left = most(used - 1, 0)
lowered = clamp(clipped - threshold); more = least(left + step, 63)
fired = over; v = where(over, lowered, clipped); used = where(over, more, left)
""",
    (V, FIRED, State("used", "ticks", kept=True)),
    (Parameter("threshold", low=0), Parameter("step", "ticks")),
)
"""A neuron that stays tired over ``clear``, and needs no learning for that."""

ODD = NeuronModel(
    "odd",
    """
up = abs(v) > threshold or not low; phase = where(count == 3, 0, least(count + 1, 3))
drive = current * table(count, (1, -2, 3, 1))
clipped = clamp(nearest(v*3, 2) + drive, floor, v_max)
over = up != (clipped >= threshold) and not inhibited
fired = over; low = clipped <= floor; last = clipped
count = phase; v = where(fired, -truncate(clipped, 1), clipped)
""",
    (
        *(State("v", low="v_min >> 1", high="v_max"), FIRED, State("low", "flag")),
        *(State("count", "absolute", low=0, high=3), State("last")),
    ),
    (Parameter("threshold", low=0), Parameter("floor", low="v_min >> 1", high=0, default=0)),
)
"""Three more states, two flags, a table, and most of the functions."""

ALL_MODELS = (*neuron_models().values(), NOISY, HABITUATING, ODD)

_MIXED = ("cuba-lif", "izhikevich", "lif-refractory", "nir-euler", "snntorch-subtract-immediate")
_MIXED += ("snntorch-subtract", "snntorch-zero-immediate", "snntorch-zero")
MIXED_MODELS = (*(neuron_models()[name] for name in _MIXED), NOISY, HABITUATING, ODD)
"""Those of random chips: one of each kind of text. The others differ from them in a line, or never
spike, and have tests of their own.
"""
