"""The calls: a module of a framework and a sample, to a float network and what the module did."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.frameworks.agreement import LayerAgreement, agreement_of
from spikelet.frameworks.framework import Framework
from spikelet.frameworks.norse import Norse
from spikelet.frameworks.reading import SeenLayer, network_of
from spikelet.frameworks.readouts import readouts_of
from spikelet.frameworks.sinabs import Sinabs
from spikelet.frameworks.snntorch import SnnTorch
from spikelet.frameworks.spikingjelly import SpikingJelly
from spikelet.network.network import Network
from spikelet.samples.samples import Samples

__all__ = ["Imported", "from_norse", "from_sinabs", "from_snntorch", "from_spikingjelly"]


class Imported(NamedTuple):
    """A module as a float network, and what it did with the sample.

    Attributes
    ----------
    network : Network
        Populations have the names of the module's neuron modules; what is computed behind these
        and returned in each tick is ``readout``, a population that never spikes.
    samples : Samples
        The input spikes, with ``expected``: the module's own spikes, layer by layer, and the
        values that it returned in each tick.
    agreement : tuple of LayerAgreement
        How far the float network's spikes equal the module's, layer by layer.
    """

    network: Network
    samples: Samples
    agreement: tuple[LayerAgreement, ...]


def from_snntorch(
    net: Any,
    sample: Any,
    *,
    labels: npt.ArrayLike | None = None,
    time_axis: int = 0,
    dt: float | None = None,
    name: str = "network",
) -> Imported:
    """Return a module of snnTorch as a float network.

    The module is run once on the sample, as it is: its own ``forward``, with a loop over the ticks
    or without. Neurons may be ``Leaky``, ``RLeaky``, ``Synaptic``, ``RSynaptic`` and ``Lapicque``.
    Their hidden states are reset before and behind.

    Parameters
    ----------
    net : torch.nn.Module
        In evaluation mode, if it has dropout or batch normalisation.
    sample : array or tensor of 0 and 1, shape (ticks, samples, ...)
        Two ticks and two samples, or more. It is given whole to a module that loops over the ticks
        itself, and one tick after the other to a module that does not.
    labels : array of int, shape (samples,), or None
    time_axis : int
        0 or 1: the axis of the sample that is time. So the module takes it.
    dt : float or None
        Seconds per tick, for the network and files made of it; nothing that is computed here
        depends on it.
    name : str
        Of the network.

    Raises
    ------
    SpikeletError
        Naming the module: for what a chip cannot mean, a sample that is no spikes, a module in
        training mode, and if the float network does not spike as the module does.

    Warns
    -----
    SpikeletWarning
        If spikes differ where a potential was within rounding (of float32) of its threshold.
    """
    return _imported(SnnTorch(), net, sample, labels, time_axis, dt, name)


def from_norse(
    net: Any,
    sample: Any,
    *,
    labels: npt.ArrayLike | None = None,
    time_axis: int = 0,
    name: str = "network",
) -> Imported:
    """Return a module of Norse as a float network; as :func:`from_snntorch`.

    Neurons may be ``LIFBoxCell``, ``LIFCell``, ``LIF``, ``IAFCell``, ``IAF``, and recurrent
    ``LIFRecurrentCell`` and ``LIFRecurrent``. The time step is theirs, and must be the same in all.
    A module that takes one tick after the other, such as ``SequentialState``, gets its state as the
    second argument, and returns it behind the spikes.
    """
    return _imported(Norse(), net, sample, labels, time_axis, None, name)


def from_spikingjelly(
    net: Any,
    sample: Any,
    *,
    labels: npt.ArrayLike | None = None,
    time_axis: int = 0,
    dt: float | None = None,
    name: str = "network",
) -> Imported:
    """Return a module of SpikingJelly as a float network; as :func:`from_snntorch`.

    Neurons may be ``IFNode``, ``LIFNode``, ``ParametricLIFNode`` and ``CUBALIFNode``, in either
    step mode, with reset to a value or by subtraction.
    """
    return _imported(SpikingJelly(), net, sample, labels, time_axis, dt, name)


def from_sinabs(
    net: Any,
    sample: Any,
    *,
    labels: npt.ArrayLike | None = None,
    time_axis: int = 1,
    dt: float | None = None,
    name: str = "network",
) -> Imported:
    """Return a module of sinabs as a float network; as :func:`from_snntorch`.

    The sample has shape (samples, ticks, ...); for a module of ``Squeeze`` layers both axes are
    merged. Neurons may be ``IAF``, ``LIF``, their recurrent and their squeezing variants, with
    ``spike_fn=SingleSpike``.
    """
    return _imported(Sinabs(), net, sample, labels, time_axis, dt, name)


def _imported(
    framework: Framework,
    net: Any,
    sample: Any,
    labels: npt.ArrayLike | None,
    time_axis: int,
    dt: float | None,
    name: str,
) -> Imported:
    _check_module(framework, net)
    given = _sample(sample, time_axis)
    seen = _seen(framework, net, given, time_axis)
    layers = []
    for neurons in seen.neurons.values():
        try:
            cell = framework.read(neurons.module, neurons.shape)
        except SpikeletError as error:
            text = f"module {neurons.name!r}: {error.args[0]}"
            raise SpikeletError(text, remedy=error.remedy) from error
        layers.append(SeenLayer(neurons.name, neurons.shape, neurons.arriving, cell))
    dt = framework.time_step([n.module for n in seen.neurons.values()], dt)
    readouts = readouts_of(seen.results, len(given), seen.neurons)
    results = [returned and returned.node for returned in seen.results]
    read = [readout.layer for readout in readouts]
    network = network_of(name, given.shape[2:], layers, results, dt, read)
    spikes = np.ascontiguousarray(given.swapaxes(0, 1)).reshape(*given.shape[1::-1], -1)
    fired = {n: neurons.fired() for n, neurons in seen.neurons.items()}
    fired = {n: f.reshape(*f.shape[:2], -1).astype(np.uint8) for n, f in fired.items()}
    values = {readout.layer.name: readout.values for readout in readouts}
    agreement = agreement_of(network, spikes, fired, values)
    if told := [layer.differs for layer in agreement if layer.differs]:
        warnings.warn("\n".join(told), SpikeletWarning, stacklevel=3)
    samples = Samples(spikes, _labels(labels, len(spikes)), expected={**fired, **values})
    return Imported(network, samples, agreement)


def _labels(labels: npt.ArrayLike | None, samples: int) -> npt.NDArray[np.int64] | None:
    if labels is None:
        return None
    given = np.asarray(labels.detach().cpu() if hasattr(labels, "detach") else labels)
    if given.shape != (samples,) or given.dtype.kind not in "iu":
        raise SpikeletError(
            f"labels must be whole numbers of shape ({samples},), not {given.dtype} of shape "
            f"{given.shape}",
            remedy="give the class of each sample",
        )
    return given.astype(np.int64)


def _check_module(framework: Framework, net: Any) -> None:
    """SpikeletError unless a module can be run as it will be on a chip."""
    if not hasattr(net, "named_modules"):
        raise SpikeletError(
            f"a module of {framework.name} is a torch.nn.Module, not {type(net).__name__}",
            remedy="give the trained network itself; a NIR file is read by load_network",
        )
    modules = list(net.named_modules())
    if not any(framework.is_neuron(module) for _, module in modules):
        known = ", ".join(framework.readers)
        found = ", ".join(dict.fromkeys(type(module).__name__ for _, module in modules))
        raise SpikeletError(
            f"there are no neurons of {framework.name} in this module; it has {found}",
            remedy=f"use the call of the framework that it is from; {framework.name}'s are {known}",
        )
    for name, module in modules:
        kind = type(module).__name__
        if module.training and kind.startswith(("Dropout", "AlphaDropout", "BatchNorm")):
            raise SpikeletError(
                f"module {name!r} ({kind}) is in training mode", remedy="call net.eval() first"
            )


def _sample(sample: Any, time_axis: int) -> npt.NDArray[np.uint8]:
    """Return a sample as (ticks, samples, ...); SpikeletError unless it is spikes."""
    if time_axis not in (0, 1):
        raise SpikeletError(
            f"time_axis must be 0 or 1, not {time_axis!r}",
            remedy="give the axis of the sample that is time; the other is that of the samples",
        )
    values = np.asarray(sample.detach().cpu() if hasattr(sample, "detach") else sample)
    axes = ("ticks, samples", "samples, ticks")[time_axis]
    if values.ndim < 3:
        raise SpikeletError(
            f"sample must have the axes ({axes}, inputs...), not shape {values.shape}",
            remedy="give input spikes in every tick; a single sample is sample[None], and a still "
            "picture becomes spikes by spikelet.rate",
        )
    if min(values.shape) < 1 or min(values.shape[:2]) < 2:
        raise SpikeletError(
            f"sample must have two ticks and two samples or more, not shape {values.shape} "
            f"({axes}, inputs...)",
            remedy="give more of them, so that axes can be told apart",
        )
    if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        raise SpikeletError(
            "sample must be spikes, 0 or 1",
            remedy="encode values as spikes first, as spikelet.rate does; counts become spikes by "
            "counts > 0",
        )
    return np.ascontiguousarray(values.swapaxes(0, 1) if time_axis else values, np.uint8)


def _seen(framework: Framework, net: Any, given: npt.NDArray[np.uint8], time_axis: int) -> Any:
    """Return what is seen of a module that takes the sample in the first shape that it can take."""
    from spikelet.frameworks.trace import trace  # noqa: PLC0415 # imports PyTorch

    failures: list[tuple[str, Exception]] = []
    for shape in framework.shapes_of(net, time_axis):
        try:
            return trace(net, framework, given, shape=shape)
        except Exception as error:
            failures.append((shape, error))
    told = "; ".join(f"given {_WORDS[shape]}: {_text(error)}" for shape, error in failures)
    remedies = [error.remedy for _, error in failures if isinstance(error, SpikeletError)]
    raise SpikeletError(
        f"the module cannot be traced with a sample of {given.shape[0]} ticks and "
        f"{given.shape[1]} samples of shape {given.shape[2:]}: {told}",
        remedy="; or ".join(dict.fromkeys(remedies))
        or "check that the module runs on this sample, and which axis is time",
    ) from failures[0][1]


_WORDS = {
    "ticks": "one tick after the other",
    "time first": "whole, time first",
    "samples first": "whole, samples first",
    "merged": "whole, samples and ticks in one axis",
}


def _text(error: Exception) -> str:
    """Return an error in a line."""
    if isinstance(error, SpikeletError):
        return str(error.args[0])
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
