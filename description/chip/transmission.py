"""Stochastic transmission: the chance with which a spike of an axon brings its weights."""

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.format import SynapseFormat

__all__ = [
    "CERTAIN",
    "TRANSMISSION_BITS",
    "check_transmission",
    "transmission_chance",
    "transmission_words",
]

TRANSMISSION_BITS = 8
"""A chance is in units of ``2**-8``."""

CERTAIN = 1 << TRANSMISSION_BITS
"""The chance of an axon whose spikes all bring its weights."""


def transmission_chance(what: str, chance: object) -> int:
    """Return a chance in units of ``2**-8``, 1..256, to the nearest.

    Raises
    ------
    SpikeletError
        Naming ``what``, unless ``chance`` is a number of 1/256..1.
    """
    number = float(chance) if isinstance(chance, int | float) else 0.0
    if isinstance(chance, bool) or not 1 / CERTAIN <= number <= 1:
        raise SpikeletError(
            f"{what}: transmission must be a chance of 1/256..1 (0.00390625..1), not {chance!r}",
            remedy="leave the projection out where no spike is to come through",
        )
    return round(number * CERTAIN)


def transmission_words(chances: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    """Return what the memory of a core holds: the chance of each axon's spikes to fail, 0..255."""
    return (CERTAIN - chances.astype(np.int64)).astype(np.uint32)


def check_transmission(given: object, format: SynapseFormat, spike_bits: int) -> None:
    """Raise SpikeletError unless axons of a core can fail to transmit, or it has none that do.

    Parameters
    ----------
    given : bool
        The core's field.
    format : SynapseFormat
        Of the core: one that can learn.
    spike_bits : int
        Of the core: 1.
    """
    if type(given) is not bool:
        raise SpikeletError(f"core: transmission must be true or false, not {given!r}")
    if not given:
        return
    if not format.learns:
        raise SpikeletError(
            f"core: {format.name} synapses cannot transmit stochastically",
            remedy="use dense synapses",
        )
    if spike_bits > 1:
        raise SpikeletError(
            f"core: graded spikes, of {spike_bits} bits, cannot come to a core with stochastic "
            "transmission",
            remedy="use spike_bits of 1",
        )
