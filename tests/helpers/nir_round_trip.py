"""A float network, written as a NIR file and read again."""

from pathlib import Path

import numpy as np

from spikelet.network.matrices import dense
from spikelet.network.network import Network
from spikelet.nir.export import write_nir
from spikelet.nir.importer import load_network

__all__ = ["check_file"]


def check_file(network: Network, folder: Path) -> None:
    """The file of a network gives the same network, without any option and without a warning."""
    write_nir(network, folder / f"{network.name}.nir")
    again = load_network(folder / f"{network.name}.nir")
    assert (again.n_inputs, again.outputs) == (network.n_inputs, network.outputs)
    assert [p.name for p in again.populations] == [p.name for p in network.populations]
    for one, other in zip(network.populations, again.populations, strict=True):
        assert one.neuron == other.neuron
        for parameter in one.neuron.parameter_names:
            size = one.size
            values = [np.broadcast_to(p.values(parameter), (size,)) for p in (one, other)]
            np.testing.assert_array_equal(*values, err_msg=f"{one.name}: {parameter}")
    written = {(p.source, p.target, p.ticks): p for p in network.projections}
    assert written.keys() == {(p.source, p.target, p.ticks) for p in again.projections}
    for projection in again.projections:
        theirs = written[projection.source, projection.target, projection.ticks]
        np.testing.assert_array_equal(dense(projection.weights), dense(theirs.weights))
        if theirs.convolution is not None and projection.convolution is not None:
            np.testing.assert_array_equal(projection.convolution.kernel, theirs.convolution.kernel)
            assert projection.convolution.output_shape == theirs.convolution.output_shape
