"""The node kinds that are read, and the choice of a file's handlers."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.network.convolution import Convolution
from spikelet.network.network import FloatArray
from spikelet.nir.handler import NodeHandler
from spikelet.nir.nodes.affine import Affine
from spikelet.nir.nodes.avg_pool2d import AvgPool2d
from spikelet.nir.nodes.conv1d import Conv1d
from spikelet.nir.nodes.conv2d import Conv2d
from spikelet.nir.nodes.cuba_li import CurrentIntegrator
from spikelet.nir.nodes.cuba_lif import CubaLif
from spikelet.nir.nodes.delay import Delay
from spikelet.nir.nodes.flatten import Flatten
from spikelet.nir.nodes.i import PureIntegrator
from spikelet.nir.nodes.if_ import Integrator
from spikelet.nir.nodes.input import Input
from spikelet.nir.nodes.li import LeakyIntegrator
from spikelet.nir.nodes.lif import Lif
from spikelet.nir.nodes.linear import Linear
from spikelet.nir.nodes.output import Output
from spikelet.nir.nodes.scale import Scale
from spikelet.nir.nodes.sum_pool2d import SumPool2d
from spikelet.nir.nodes.threshold import Threshold

__all__ = [
    "HANDLERS",
    "NEURON_HANDLERS",
    "convolution_node",
    "handlers_by_kind",
    "neuron_node",
    "readout_node",
]

NEURON_HANDLERS = (CubaLif(), Lif(), Integrator(), Threshold())
"""Those of neurons, of which the export takes the first that can express a population."""

CONVOLUTION_HANDLERS = (Conv1d(), Conv2d())
"""Those of convolutions."""

READOUT_HANDLERS = (LeakyIntegrator(), CurrentIntegrator(), PureIntegrator())
"""Those of what never spikes, as above."""

HANDLERS: tuple[NodeHandler, ...] = (
    *(Input(), Output(), Linear(), Affine()),
    *CONVOLUTION_HANDLERS,
    *(SumPool2d(), AvgPool2d()),
    *NEURON_HANDLERS,
    *READOUT_HANDLERS,
    *(Flatten(), Scale(), Delay()),
)
"""One handler a file of ``nir/nodes/``; a test compares the two."""


def handlers_by_kind(more: Iterable[NodeHandler] = ()) -> Mapping[str, NodeHandler]:
    """Return the handlers by node kind.

    Parameters
    ----------
    more : iterable of NodeHandler
        A user's own. One of a kind that is there already takes its place.

    Raises
    ------
    SpikeletError
        If one is no :class:`NodeHandler`, has no kind, or two are of one kind.
    """
    own: dict[str, NodeHandler] = {}
    for handler in more:
        kind = getattr(handler, "kind", None)
        if not isinstance(handler, NodeHandler) or not isinstance(kind, str) or not kind:
            raise SpikeletError(
                f"a handler must be a NodeHandler with a kind, not {handler!r}",
                remedy="give an object, not its class, and name the node's type in `kind`",
            )
        if kind in own:
            raise SpikeletError(f"two handlers are given for node type {kind}")
        own[kind] = handler
    return {**{handler.kind: handler for handler in HANDLERS}, **own}


def convolution_node(
    convolution: Convolution, bias: FloatArray
) -> tuple[str, dict[str, npt.NDArray[Any]]] | None:
    """Return kind and fields of the node that is a convolution; None if there is none.

    Parameters
    ----------
    convolution : Convolution
    bias : array of float64, shape (outputs,)
    """
    for handler in CONVOLUTION_HANDLERS:
        if handler.axes == len(convolution.window):
            return handler.written(convolution, bias)
    return None


def readout_node(
    model: str, parameters: dict[str, FloatArray], dt: float
) -> tuple[str, dict[str, FloatArray]] | None:
    """Return kind and fields of the node that expresses integrators; None if there is none.

    Parameters
    ----------
    model : str
        Name of their model.
    parameters : dict of str to array of float64, shape (size,)
        Their decays.
    dt : float
        Seconds per tick.
    """
    size = max((len(values) for values in parameters.values()), default=1)
    for handler in READOUT_HANDLERS:
        fields = handler.written(parameters, dt, size) if handler.model == model else None
        if fields is not None:
            return handler.kind, fields
    return None


def neuron_node(
    parameters: dict[str, FloatArray], dt: float, size: int
) -> tuple[str, dict[str, FloatArray]]:
    """Return kind and fields of the node that expresses neurons with an input gain of 1.

    Parameters
    ----------
    parameters : dict of str to array of float64, shape (size,)
        As those of :class:`NeuronValues`.
    dt : float
        Seconds per tick.
    size : int

    Raises
    ------
    SpikeletError
        If no node kind has these parameters.
    """
    for handler in NEURON_HANDLERS:
        if (fields := handler.written(parameters, dt, size)) is not None:
            return handler.kind, fields
    raise SpikeletError(f"no NIR node has the parameters {', '.join(parameters)}")
