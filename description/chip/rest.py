"""Cores whose silent ticks can be cut short."""

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.neurons.update import NeuronUpdate
from spikelet.description.synapses.format import SynapseFormat

__all__ = ["can_rest", "check_rest"]


def check_rest(given: object) -> None:
    """Raise SpikeletError unless the field ``rest`` of a core is a truth value."""
    if type(given) is not bool:
        raise SpikeletError(f"core: rest must be true or false, not {given!r}")


def can_rest(
    format: SynapseFormat,
    update: NeuronUpdate,
    rule: LearningRule | None,
    short_term: ShortTermPlasticity | None,
) -> bool:
    """Return whether a core's neurons can come to rest, and its crossbar can leave a tick out.

    Neurons that draw have another input in every tick. A plastic core has traces, rewards and
    sweeps, which go on without spikes, as short-term plasticity does. In some formats sums leave
    before the scan has ended.
    """
    return format.rests and not update.draws and rule is None and short_term is None
