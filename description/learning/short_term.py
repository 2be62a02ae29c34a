"""Short-term plasticity of axons: facilitation and depression (Tsodyks & Markram)."""

import math
from dataclasses import dataclass

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.format import SynapseFormat

__all__ = [
    "AMPLITUDE_BITS",
    "DEPLETED_BITS",
    "FACTOR_BITS",
    "SHORT_TERM_STATES",
    "U_BITS",
    "ShortTermPlasticity",
    "check_short_term",
]

U_BITS = 15
"""``u``, and ``utilisation``, are in units of ``2**-15``."""

DEPLETED_BITS = 16
"""``depleted``, which is ``1 - R``, is in units of ``2**-16``."""

FACTOR_BITS = 16
"""Factors of decay are in units of ``2**-16``."""

AMPLITUDE_BITS = 12
"""An amplitude is in units of ``2**-12``, at most 1."""

SHORT_TERM_STATES = {"u": (1 << U_BITS) - 1, "depleted": (1 << DEPLETED_BITS) - 1}
"""What a core keeps of each axon, with its largest value."""


@dataclass(frozen=True)
class ShortTermPlasticity:
    """How much of its weights a spike of an axon brings, by the spikes before it.

    The model of Tsodyks, Pawelzik & Markram 1998, eq. 2.1 to 2.3, in ticks: a spike first raises
    ``u`` by ``U * (1 - u)``; it brings ``u * R`` of the weights, and takes as much of ``R``.
    Between spikes ``R`` recovers towards 1, and ``u`` decays to 0, each with its time constant.

    Parameters
    ----------
    utilisation : int
        ``U`` in ``2**-15``, 1..32767.
    recovery : int
        What a tick leaves of ``1 - R``, in ``2**-16``, 0..65535.
    facilitation : int
        What a tick leaves of ``u``, in ``2**-16``, 0..65535; 0: every spike finds ``u`` at ``U``.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    utilisation: int
    recovery: int
    facilitation: int = 0

    def __post_init__(self) -> None:
        check_int("short-term plasticity: utilisation", self.utilisation, 1, (1 << U_BITS) - 1)
        for name in ("recovery", "facilitation"):
            value = getattr(self, name)
            check_int(f"short-term plasticity: {name}", value, 0, (1 << FACTOR_BITS) - 1)

    @classmethod
    def of(
        cls, utilisation: float, tau_recovery: float, tau_facilitation: float = 0.0
    ) -> "ShortTermPlasticity":
        """Return the one of a fraction and of time constants.

        Parameters
        ----------
        utilisation : float
            ``U``, above 0 and below 1.
        tau_recovery, tau_facilitation : float
            In ticks, 0 or more; 0: it is over by the next tick.

        Raises
        ------
        SpikeletError
            If a value is outside its range, or a time constant so long that nothing would decay.
        """
        if not _is_number(utilisation) or not 0 < utilisation < 1:
            raise SpikeletError(
                "short-term plasticity: utilisation must be a number above 0 and below 1, not "
                f"{utilisation!r}"
            )
        factors = []
        for name, tau in (("tau_recovery", tau_recovery), ("tau_facilitation", tau_facilitation)):
            if not _is_number(tau) or not 0 <= tau < math.inf:
                raise SpikeletError(
                    f"short-term plasticity: {name} must be 0 ticks or more, not {tau!r}"
                )
            factor = round((1 << FACTOR_BITS) * math.exp(-1 / tau)) if tau else 0
            if factor >= 1 << FACTOR_BITS:
                raise SpikeletError(
                    f"short-term plasticity: a {name} of {tau:g} ticks is no decay in 16 bits",
                    remedy="make it at most 100,000 ticks",
                )
            factors.append(factor)
        largest = (1 << U_BITS) - 1
        return cls(min(largest, max(1, round(utilisation * (1 << U_BITS)))), *factors)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_short_term(given: object, format: SynapseFormat, spike_bits: int) -> None:
    """Raise SpikeletError unless a core can have short-term plasticity, or has none.

    Parameters
    ----------
    given : ShortTermPlasticity or None
        The core's field.
    format : SynapseFormat
        Of the core: one that can learn.
    spike_bits : int
        Of the core: 1.
    """
    if given is None:
        return
    if not isinstance(given, ShortTermPlasticity):
        raise SpikeletError(f"core: short_term must be a ShortTermPlasticity, not {given!r}")
    if not format.learns:
        raise SpikeletError(
            f"core: {format.name} synapses cannot have short-term plasticity",
            remedy="use dense synapses",
        )
    if spike_bits > 1:
        raise SpikeletError(
            f"core: graded spikes, of {spike_bits} bits, cannot come to a core with short-term "
            "plasticity",
            remedy="use spike_bits of 1",
        )
