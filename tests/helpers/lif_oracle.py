"""Golden model of the LIF update. Twin of ``rtl_gen/lif_update.py``, name for name."""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.profile import DECAY_BITS

__all__ = ["lif_update"]

_HALF = 1 << (DECAY_BITS - 1)
_BELOW_ONE = (1 << DECAY_BITS) - 1


def lif_update(
    core: CoreParams,
    image: CoreImage,
    v: npt.NDArray[np.int64],
    fired: npt.NDArray[np.bool_],
    current: npt.NDArray[np.int64],
    *,
    adaptation: npt.NDArray[np.int64] | None = None,
    inhibited: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Advance neurons by one tick, as :class:`ExecutionProfile` specifies.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
    v : array of int64, shape (..., n_neurons)
        Membrane potentials in ``core.v_min..core.v_max``.
    fired : array of bool, same shape
        Whether the neuron fired in the tick before.
    current : array of int64, same shape
        Synaptic sums, in weight LSBs.
    adaptation : array of int64, same shape, or None
        Of a core with adaptation.
    inhibited : array of bool, same shape, or None
        Of a core with inhibition: where in the tick before some other neuron fired and this one did
        not.

    Returns
    -------
    v_next : array of int64, same shape
    fired_next : array of bool, same shape
    """
    profile = core.profile
    threshold = image.threshold.astype(np.int64)
    if core.adaptation and adaptation is not None:
        raised = threshold + (adaptation >> core.adaptation.fraction_bits)
        threshold = np.minimum(raised, core.v_max)
    reset_potential = image.reset_potential.astype(np.int64)

    if profile.reset_delay:
        pending = fired
    elif profile.residual_reset:
        pending = v > threshold
    else:
        pending = np.zeros_like(fired)
    subtracts = profile.reset == "subtract"

    base: npt.NDArray[np.int64] = v if subtracts else np.where(pending, reset_potential, v)
    leaked = base if core.decay == "none" else _scale(profile.rounding, base * image.decay)
    lowered = np.where(pending, threshold, 0) if subtracts else 0
    inhibition = 0 if inhibited is None else np.where(inhibited, image.inhibition, 0)
    summed = leaked + (current << core.weight_exponent) + image.bias - inhibition - lowered
    clipped = np.clip(summed, core.v_min, core.v_max)
    fired_next = clipped > threshold

    if profile.reset_delay:
        return clipped, fired_next
    if subtracts:
        restored = clipped + lowered - np.where(fired_next, threshold, 0)
        return np.clip(restored, core.v_min, core.v_max), fired_next
    return np.where(fired_next, reset_potential, clipped), fired_next


def _scale(rounding: str, product: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Divide by 4096; ``>>`` rounds toward minus infinity."""
    if rounding == "nearest":
        product = product + _HALF
    elif rounding == "toward_zero":
        product = product + np.where(product < 0, _BELOW_ONE, 0)
    return product >> DECAY_BITS
