"""The synapse formats that there are."""

from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.axon_types import AxonTypes
from spikelet.description.synapses.dense import Dense
from spikelet.description.synapses.format import SynapseFormat
from spikelet.description.synapses.gather import Gather
from spikelet.description.synapses.shared import Shared
from spikelet.description.synapses.sparse import Sparse

__all__ = ["register_synapse_format", "synapse_format", "synapse_formats"]

_FORMATS: dict[str, SynapseFormat] = {
    format.name: format for format in (Dense(), Shared(), Gather(), Sparse(), AxonTypes())
}


def synapse_formats() -> tuple[str, ...]:
    """Return the names of the formats."""
    return tuple(_FORMATS)


def synapse_format(name: str) -> SynapseFormat:
    """Return a format by its name; SpikeletError lists those that there are."""
    if name not in _FORMATS:
        raise SpikeletError(
            f"there is no synapse format {name!r}", remedy=f"take one of {', '.join(_FORMATS)}"
        )
    return _FORMATS[name]


def register_synapse_format(format: SynapseFormat) -> None:
    """Add a format of one's own.

    Its twins are added by :func:`spikelet.golden.synapses.sums.register_sums` and
    :func:`spikelet.rtl_gen.synapses.crossbars.register_crossbar`. SpikeletError if the name is
    taken.
    """
    if _FORMATS.setdefault(format.name, format) is not format:
        raise SpikeletError(f"there is a synapse format {format.name!r} already")
