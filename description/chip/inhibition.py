"""The axon by which neurons of other cores inhibit those of a core."""

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.update import NeuronUpdate
from spikelet.description.synapses.format import SynapseFormat

__all__ = ["check_inhibition_axon"]


def check_inhibition_axon(
    given: object, format: SynapseFormat, update: NeuronUpdate, model: str
) -> None:
    """Raise SpikeletError unless a core can be what its ``inhibition_axon`` says.

    Parameters
    ----------
    given : bool
        The field.
    format : SynapseFormat
        Of the core: one that can learn, whose scan has ended before the first sums leave.
    update : NeuronUpdate
        Of the core: reads ``inhibited``.
    model : str
        Name of the neuron model.
    """
    if type(given) is not bool:
        raise SpikeletError(f"core: inhibition_axon must be true or false, not {given!r}")
    if not given:
        return
    if not format.learns:
        raise SpikeletError(
            f"core: a core of {format.name} synapses cannot have an inhibition_axon",
            remedy="use dense synapses",
        )
    if "inhibited" not in update.inputs:
        raise SpikeletError(
            f"core: inhibition_axon is of no use: {model!r} with these parameters does not read "
            "inhibited",
            remedy="give the model an inhibition, or leave inhibition_axon out",
        )
