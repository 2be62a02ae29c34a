"""The LIF update as it was written by hand before neuron models were texts: an oracle for five."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PROFILES", "Profile", "adapted", "lif_update"]

_Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Profile:
    """How a tick is computed; ``residual_reset`` only with reset "subtract" and without delay."""

    reset: str
    reset_delay: bool
    residual_reset: bool = False
    rounding: str = "nearest"


PROFILES = {
    "snntorch-zero": Profile("zero", True),
    "snntorch-zero-immediate": Profile("zero", False),
    "snntorch-subtract": Profile("subtract", True),
    "snntorch-subtract-immediate": Profile("subtract", False, True),
    "nir-euler": Profile("value", False),
}


def lif_update(
    profile: Profile,
    ends: tuple[int, int],
    v: _Int,
    fired: npt.NDArray[np.bool_],
    current: _Int,
    *,
    threshold: npt.ArrayLike,
    decay: npt.ArrayLike | None = None,
    bias: npt.ArrayLike = 0,
    reset_potential: npt.ArrayLike = 0,
    inhibition: npt.ArrayLike = 0,
    raised: npt.ArrayLike = 0,
    inhibited: npt.ArrayLike = False,
) -> tuple[_Int, npt.NDArray[np.bool_]]:
    """Return potentials and who fired after a tick.

    ``ends`` are the ends of the membrane range; ``current`` is in potential LSBs; ``raised`` is
    what the adaptation adds to the threshold; without ``decay`` there is no leak.
    """
    threshold = np.minimum(np.asarray(threshold) + raised, ends[1])
    if profile.reset_delay:
        pending = fired
    elif profile.residual_reset:
        pending = v > threshold
    else:
        pending = np.zeros_like(fired)
    subtracts = profile.reset == "subtract"

    base = v if subtracts else np.where(pending, reset_potential, v)
    leaked = base if decay is None else _scale(profile.rounding, base * decay)
    lowered = np.where(pending, threshold, 0) if subtracts else 0
    summed = leaked + current + bias - np.where(inhibited, inhibition, 0) - lowered
    clipped = np.clip(summed, *ends)
    fired_next = clipped > threshold

    if profile.reset_delay:
        return clipped, fired_next
    if subtracts:
        restored = clipped + lowered - np.where(fired_next, threshold, 0)
        return np.clip(restored, *ends), fired_next
    return np.where(fired_next, reset_potential, clipped), fired_next


def adapted(
    values: _Int,
    fired: npt.NDArray[np.bool_],
    *,
    increment: int,
    decay_shift: int,
    bits: int,
    fraction_bits: int,
) -> _Int:
    """Return the adaptations after a tick with learning: they have decayed, then risen."""
    if decay_shift:
        values = values - -(-values >> decay_shift)
    return np.minimum(values + increment * fired, (1 << bits) - 1)


def _scale(rounding: str, product: _Int) -> _Int:
    """Divide by 4096; ``>>`` rounds toward minus infinity."""
    if rounding == "nearest":
        product = product + 2048
    elif rounding == "toward_zero":
        product = product + np.where(product < 0, 4095, 0)
    return product >> 12
