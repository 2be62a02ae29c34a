"""Execution profiles: how one tick of a neuron is computed, in integers."""

from dataclasses import asdict, dataclass
from typing import Any

from spikelet.description.errors import SpikeletError

__all__ = ["DECAY_BITS", "PROFILES", "ExecutionProfile", "profile_named"]

DECAY_BITS = 12
"""A decay d in 0..4095 stands for the factor d / 4096.

Loihi's decays have 12 bits, too, in Lava's bit-accurate models (``lava/proc/lif/models.py``), where
a decay is what is taken off.
"""


@dataclass(frozen=True)
class ExecutionProfile:
    """A named, versioned account of a neuron's tick; it is stored with every compiled network.

    With potential ``v``, last tick's spike ``fired``, synaptic sum ``current`` (weight units) and
    the neuron's ``threshold``, ``decay``, ``bias`` and ``reset_potential``, one tick computes, in
    this order and exactly, in integers, ``inhibited`` where another neuron of the core fired::

        pending = fired                   if reset_delay             (else 0)
                  v > threshold           if residual_reset
        base    = v, or reset_potential where pending                (reset "zero" or "value")
        leaked  = round(base * decay / 4096)                         (base where there is no leak)
        summed  = leaked + current * 2**weight_exponent + bias - inhibited * inhibition
                  - pending * threshold                              (last term: reset "subtract")
        clipped = clamp(summed, v_min, v_max)
        fired'  = clipped > threshold
        v'      = clipped                                            if reset_delay
                  reset_potential where fired', else clipped         reset "zero" or "value"
                  clamp(clipped + pending * threshold - fired' * threshold)   reset "subtract"

    ``reset_potential`` is 0 for reset "zero". ``residual_reset`` is a habit of snnTorch's
    ``Leaky(reset_mechanism="subtract", reset_delay=False)``: a potential still above the threshold
    after its reset is lowered for the next comparison, and raised again if that does not fire.

    Parameters
    ----------
    name : str
    version : int
        Raised whenever the arithmetic of a named profile changes.
    reset : str
        ``"zero"``, ``"value"`` or ``"subtract"``.
    reset_delay : bool
        Whether a spike resets the potential at the start of the next tick instead of in its own.
    residual_reset : bool
        See above; only with reset "subtract" and without ``reset_delay``.
    rounding : str
        Of ``base * decay / 4096``: ``"floor"``, ``"toward_zero"``, or ``"nearest"`` (halves go up).
    source : str
        Where the semantics come from.
    """

    name: str
    version: int
    reset: str
    reset_delay: bool
    residual_reset: bool = False
    rounding: str = "nearest"
    source: str = ""

    def __post_init__(self) -> None:
        for field, valid in (
            ("reset", ("zero", "value", "subtract")),
            ("rounding", ("floor", "toward_zero", "nearest")),
        ):
            if getattr(self, field) not in valid:
                raise SpikeletError(
                    f"profile {self.name}: {field} must be one of {', '.join(valid)}, "
                    f"not {getattr(self, field)!r}"
                )
        if self.residual_reset and (self.reset != "subtract" or self.reset_delay):
            raise SpikeletError(
                f"profile {self.name}: residual_reset needs reset 'subtract' and no reset_delay"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        return asdict(self)


_SNNTORCH = "snnTorch 1.0, snntorch/_neurons/leaky.py (Eshraghian et al. 2023)"

PROFILES = {
    profile.name: profile
    for profile in (
        ExecutionProfile("snntorch-zero", 1, "zero", reset_delay=True, source=_SNNTORCH),
        ExecutionProfile("snntorch-zero-immediate", 1, "zero", reset_delay=False, source=_SNNTORCH),
        ExecutionProfile("snntorch-subtract", 1, "subtract", reset_delay=True, source=_SNNTORCH),
        ExecutionProfile(
            "snntorch-subtract-immediate",
            1,
            "subtract",
            reset_delay=False,
            residual_reset=True,
            source=_SNNTORCH,
        ),
        ExecutionProfile(
            "nir-euler",
            1,
            "value",
            reset_delay=False,
            source="NIR 1.0 LIF and IF, forward Euler (Pedersen et al. 2024)",
        ),
    )
}
"""The profiles by name."""


def profile_named(name: str) -> ExecutionProfile:
    """Return the preset called ``name``; SpikeletError lists the valid names otherwise."""
    if name not in PROFILES:
        raise SpikeletError(f"profile must be one of {', '.join(PROFILES)}, not {name!r}")
    return PROFILES[name]
