"""Convert: a ReLU network as spiking neurons without a leak, and its accuracy over ticks."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.conversion.layers import ReluNetwork, scaled_and_shifted
from spikelet.conversion.normalise import normalised
from spikelet.conversion.onnx_file import onnx_file, read_onnx
from spikelet.conversion.torch_module import exported, is_module
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.network import Network
from spikelet.nir.importer import load_network
from spikelet.runs.verify import float_outputs
from spikelet.samples.encode import rate
from spikelet.samples.plastic_samples import Encoder, LearningSamples, load_learning_samples
from spikelet.samples.samples import Samples, winners

__all__ = ["NEURON", "Conversion", "convert"]

NEURON = "if-subtract-half"
"""Model of the neurons: Rueckauer et al. 2017, equation 3, but they start halfway to a spike."""

_CALIBRATED = 1_000
"""Samples on which the activations of the ReLU network are taken."""

_BATCH = 200


@dataclass(frozen=True, eq=False)
class Conversion:
    """A ReLU network as a spiking one.

    Parameters
    ----------
    network : Network
        In real numbers, as :func:`spikelet.compile` takes it.
    nir : bytes
        The same as a NIR file, to be read with neuron model :data:`NEURON`.
    values : mapping of str to float
        Activation that a spike a tick stands for, by layer.
    samples : int
    relu_accuracy : float
        Share of the samples that the ReLU network classifies as labelled.
    accuracies : tuple of float
        The same of the spiking network, after 1, 2, ... ticks.
    agreements : tuple of float
        Share of the samples of which it says the class that the ReLU network says.
    notes : tuple of str
        What of the ReLU network was left out.
    """

    __repr__ = summary

    network: Network
    nir: bytes
    values: Mapping[str, float]
    samples: int
    relu_accuracy: float
    accuracies: tuple[float, ...]
    agreements: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def ticks(self) -> int:
        """Ticks of a sample."""
        return len(self.accuracies)

    @property
    def accuracy(self) -> float:
        """Share of the samples that are classified as labelled after all ticks."""
        return self.accuracies[-1]

    @property
    def lost(self) -> float:
        """Percentage points lost against the ReLU network after all ticks."""
        return 100 * (self.relu_accuracy - self.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        names = ("samples", "ticks", "relu_accuracy", "accuracy", "lost")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: list(getattr(self, name)) for name in ("accuracies", "agreements", "notes")},
            "values": dict(self.values),
        }


def convert(
    model: Any,
    samples: LearningSamples | str | Path,
    *,
    ticks: int = 32,
    percentile: float = 99.9,
    calibration: LearningSamples | str | Path | None = None,
    mean: float | Sequence[float] = 0.0,
    std: float | Sequence[float] = 1.0,
    shape: Sequence[int] | None = None,
    count: int | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Conversion:
    """Turn a trained ReLU network into spiking neurons, and measure what that loses.

    Each ReLU, and each output, becomes an IF neuron with reset by subtraction, whose threshold is
    the activation that a spike a tick stands for; see :mod:`spikelet.conversion.normalise`. Batch
    normalisation is folded into the weights before it. Inputs are levels, as the rate of
    :func:`spikelet.rate`.

    Parameters
    ----------
    model : path or torch.nn.Module
        An ONNX file, or a module. Dense and convolution layers, average pooling, batch
        normalisation, ReLU and sums of branches, from images (channels first) to a value for each
        class.
    samples : LearningSamples or path
        ``levels`` (samples, inputs), ``full_scale`` and ``labels``; on these accuracy is measured.
    ticks : int
        Of each sample, 1 or more.
    percentile : float
        Of the activations of a layer, above 0 and at most 100.
    calibration : LearningSamples or path, or None
        On the first 1,000 of these, which need no labels, activations are taken; None: on samples.
    mean, std : float, or sequence of a float for each channel
        The network was trained on ``(level / full_scale - mean) / std``.
    shape : sequence of int or None
        Of a sample of a torch module; an ONNX file says it.
    count : int or None
        Only the first so many samples; None: all.
    progress : callable
        Told what is done, how much of it, and of how much.

    Raises
    ------
    SpikeletError
        If the network cannot be read or has parts without a counterpart, it names the node; if
        samples have no levels or labels, or another size; or an option is out of range.
    """
    if type(ticks) is not int or ticks < 1:
        raise SpikeletError(f"ticks must be an int of 1 or more, not {ticks!r}")
    if not 0 < percentile <= 100:
        raise SpikeletError(f"percentile must be above 0 and at most 100, not {percentile:g}")
    relu = _standardised(_relu_network(model, shape), mean, std)
    shown = _levels(samples, ticks, relu)
    levels, labels = shown.given[:count], shown.labels
    if labels is None or not len(levels):
        raise SpikeletError(
            f"{shown.path or 'the samples'} hold no labels, without which there is no accuracy",
            remedy="store labels (samples,) beside the levels",
        )
    taken = shown if calibration is None else _levels(calibration, ticks, relu)
    scaled = normalised(relu, taken.given[:_CALIBRATED] / taken.full_scale, percentile)
    nir = scaled.nir()
    network = _spiking(nir, relu.name)
    Samples(levels[:, None], labels[:count]).check_labels(network.n_outputs)
    right, same = np.zeros((2, ticks), np.int64)
    relu_right, n = 0, len(levels)
    for first in range(0, n, _BATCH):
        progress("samples", first, n)
        part = levels[first : first + _BATCH]
        wanted = labels[first : first + len(part)]
        classes = relu.outputs(part / shown.full_scale).argmax(axis=1)
        found = _classes_over_ticks(network, rate(part, shown.full_scale, ticks))
        relu_right += int((classes == wanted).sum())
        right += (found == wanted[:, None]).sum(axis=0)
        same += (found == classes[:, None]).sum(axis=0)
    progress("samples", n, n)
    return Conversion(
        network,
        nir,
        scaled.values,
        n,
        relu_right / n,
        tuple((right / n).tolist()),
        tuple((same / n).tolist()),
        relu.notes,
    )


def _relu_network(model: Any, shape: Sequence[int] | None) -> ReluNetwork:
    if isinstance(model, str | Path):
        return onnx_file(Path(model))
    if not is_module(model):
        raise SpikeletError(
            f"a network must be the path of an ONNX file or a torch.nn.Module, not {model!r}"
        )
    if shape is None:
        raise SpikeletError(
            "the shape of a sample is not known from a torch module",
            remedy="give it, such as shape=(1, 28, 28)",
        )
    return read_onnx(exported(model, tuple(shape)), type(model).__name__)


def _standardised(
    relu: ReluNetwork, mean: float | Sequence[float], std: float | Sequence[float]
) -> ReluNetwork:
    """Return a network of levels as shares of full scale."""
    means, deviations = (np.atleast_1d(np.asarray(x, np.float64)) for x in (mean, std))
    if not (np.isfinite(means).all() and np.isfinite(deviations).all() and (deviations > 0).all()):
        raise SpikeletError(
            f"mean must be finite and std above 0, not {means.tolist()} and {deviations.tolist()}"
        )
    if not means.any() and (deviations == 1).all():
        return relu
    first, _ = scaled_and_shifted(
        None, relu.input_shape, 1 / deviations, -means / deviations, "mean and std"
    )
    return relu.behind(first)


def _levels(given: LearningSamples | str | Path, ticks: int, relu: ReluNetwork) -> LearningSamples:
    """Return samples with levels; SpikeletError unless they are the network's inputs."""
    if not isinstance(given, LearningSamples):
        given = load_learning_samples(Path(given), Encoder("rate", {"ticks": ticks}))
    if given.encoder is None or given.given.ndim != 2:
        raise SpikeletError(
            f"{given.path or 'the samples'} hold spikes, not levels",
            remedy="give levels (samples, inputs) and full_scale, which the ReLU network takes",
        )
    if given.given.shape[1] != relu.n_inputs:
        raise SpikeletError(
            f"{given.path or 'the samples'} have {given.given.shape[1]} inputs, the network "
            f"{relu.name} {relu.n_inputs}, of shape {relu.input_shape}"
        )
    return given


def _spiking(nir: bytes, name: str) -> Network:
    """Return the network of a NIR file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.nir"
        path.write_bytes(nir)
        return load_network(path, NEURON)


def _classes_over_ticks(network: Network, spikes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the class of each sample after each tick, (samples, ticks); -1 before any spike."""
    counts = np.cumsum(float_outputs(network, spikes), axis=1, dtype=np.int64)
    classes = winners(counts.reshape(-1, counts.shape[2]))
    return classes.reshape(counts.shape[:2])
