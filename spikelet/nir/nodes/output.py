"""Output: spikes that the host sees."""

from math import prod

from spikelet.description.errors import SpikeletError
from spikelet.network.network import INPUT
from spikelet.nir.handler import Field, ImportedNode, NodeHandler, check_size, declared_shape
from spikelet.nir.signal import Signal

__all__ = ["Output"]


class Output(NodeHandler):
    """The spikes of one neuron node, as they are, with `Flatten` nodes between them at most."""

    kind = "Output"
    fields = (Field("shape"),)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Make the population whose spikes arrive an output of the network."""
        if signal.spikes_of in (None, INPUT):
            raise SpikeletError(
                f"an Output must be fed by one neuron node, not by {', '.join(node.sources)}",
                remedy="end the network with a neuron node, such as LIF or IF, for each Output",
            )
        shape = declared_shape(node)
        if prod(shape) != 1:  # a scalar neuron parameter makes exporters declare one value
            check_size(f"shape {list(shape)}", prod(shape), signal)
        node.network.outputs.append(str(signal.spikes_of))
        return signal
