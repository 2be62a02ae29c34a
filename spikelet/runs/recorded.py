"""What a framework recorded of its network, held against the float network that was read."""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.network.network import Network
from spikelet.network.origin import Origin
from spikelet.network.reference import FloatLayer, run_layers
from spikelet.nir.frameworks import FRAMEWORKS
from spikelet.nir.importer import load_network
from spikelet.samples.decode import count
from spikelet.samples.lengths import ended, within
from spikelet.samples.samples import Samples, winners

__all__ = [
    "OUTPUTS",
    "Recorded",
    "RecordedLayer",
    "compare_recorded",
    "readings",
    "recorded_warnings",
    "require_recorded",
]

OUTPUTS = "outputs"
"""What the outputs of a network are called among its layers."""

_NEAR = 1e-4
"""Potentials are equal that are no further apart, as a share of the largest, and of 1."""

_TRIED_SAMPLES = 16
"""Samples on which other conventions are tried first."""

_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class RecordedLayer:
    """A layer of the float network against what was recorded of it.

    Parameters
    ----------
    name : str
        Of the population, or :data:`OUTPUTS`.
    what : str
        What was recorded: spikes, counts, potentials or classes.
    samples, equal : int
        Samples, and those in which all is equal.
    recorded, found : int
        Spikes, as far as they are of spikes or counts; else 0.
    common : int
        Spikes of both, in the same sample, tick and neuron.
    further : int
        Recorded spikes that are a neuron's second or later in their tick.
    first : str
        The first difference, in words; empty if there is none.
    """

    name: str
    what: str
    samples: int
    equal: int
    recorded: int = 0
    found: int = 0
    common: int = 0
    further: int = 0
    first: str = ""


@dataclass(frozen=True)
class Recorded:
    """The float network against what its framework recorded.

    Parameters
    ----------
    samples, equal : int
        Samples, and those in which all layers are equal.
    layers : tuple of RecordedLayer
        In the network's order, the outputs last.
    fitting : tuple of str
        Options by which the file would compute what was recorded, where it does not.
    tried : int
        How many other readings of the file were tried.
    """

    samples: int
    equal: int
    layers: tuple[RecordedLayer, ...]
    fitting: tuple[str, ...] = ()
    tried: int = 0

    @property
    def all_equal(self) -> bool:
        """Whether all is equal in all samples."""
        return self.equal == self.samples

    @property
    def words(self) -> str:
        """The comparison in words, layer by layer."""
        what = " and ".join(dict.fromkeys(layer.what for layer in self.layers))
        each = ", ".join(f"{layer.name} {layer.equal:,}" for layer in self.layers)
        return (
            f"float network equals the recorded {what} in {self.equal:,} of {self.samples:,} "
            f"samples ({each})"
        )

    @property
    def difference(self) -> str:
        """The first layer that differs, where, and what would fit, in words; empty if none does."""
        if self.all_equal:
            return ""
        layer = next(layer for layer in self.layers if layer.first)
        found = f"{layer.name}: {layer.first}"
        if self.fitting:
            return f"{found}; the file fits as read with {' or with '.join(self.fitting)}"
        tried = f"; none of {self.tried} other readings of the file fits" if self.tried else ""
        return f"{found}{tried}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        return {**asdict(self), "words": self.words, "difference": self.difference}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Recorded":
        """Inverse of :meth:`to_dict`; KeyError or TypeError for other fields."""
        layers = tuple(RecordedLayer(**layer) for layer in fields["layers"])
        return cls(
            fields["samples"], fields["equal"], layers, tuple(fields["fitting"]), fields["tried"]
        )


def compare_recorded(
    network: Network | None,
    samples: Samples | None,
    draw_key: int = 1,
    file: Path | None = None,
) -> Recorded | None:
    """Compare the float network with what samples hold of its framework's run.

    Where they differ, the file is read by the other conventions too, and those that fit are named.

    Parameters
    ----------
    network : Network or None
        None for a network that was not trained.
    samples : Samples or None
    draw_key : int
        As for :func:`run_float`.
    file : Path or None
        The network's file; None: where it was read from.

    Returns
    -------
    Recorded or None
        None if there is nothing to compare.

    Raises
    ------
    SpikeletError
        If an array is of no layer, or of another shape than the layer's.
    """
    if network is None or samples is None or not samples.expected:
        return None
    found = _compared(network, samples, draw_key)
    if found.all_equal or network.origin is None:
        return found
    path = file or Path(network.origin.path)
    if not path.is_file():
        return found
    fitting, tried = _fitting(path, network, samples)
    return Recorded(found.samples, found.equal, found.layers, fitting, tried)


def require_recorded(recorded: Recorded | None) -> None:
    """SpikeletError unless something was recorded, and the float network equals all of it."""
    if recorded is None:
        raise SpikeletError(
            "nothing was compared with the framework, which --require-recorded asks for: there are "
            "no samples that hold what it recorded, or the network was not trained",
            remedy="give a trained network, and samples with the framework's own spikes (expected)",
        )
    if not recorded.all_equal:
        raise SpikeletError(
            f"{recorded.words}, and --require-recorded asks for all: {recorded.difference}",
            remedy="read the file as it was trained: --framework, --neuron, --dt",
        )


def recorded_warnings(origin: Origin | None, recorded: Recorded | None) -> Iterator[str]:
    """Yield what is not sure, or wrong, of what a network file was taken for."""
    approximate = origin is not None and bool(origin.approximate)
    if recorded and not recorded.all_equal and (recorded.fitting or not approximate):
        yield f"{recorded.words}: {recorded.difference}"
    if origin is None:
        return
    for words in origin.approximate:
        layers = _counted_once(recorded.layers) if recorded else ()
        spikes, further = (sum(getattr(x, n) for x in layers) for n in ("recorded", "further"))
        if recorded is None:
            yield f"approximate: {words}; how much is known with recorded spikes (expected)"
        elif further:
            either = spikes + sum(x.found - x.common for x in layers)
            shared = sum(x.common for x in layers)
            yield (
                f"approximate: {words}: of {spikes:,} recorded spikes {further:,} "
                f"({further / spikes:.1%}) are further ones of their tick; {recorded.words}; "
                f"overlap of spikes {shared / either:.1%}"
            )
    if recorded is None or not recorded.all_equal:
        yield from origin.doubts


def _counted_once(layers: tuple[RecordedLayer, ...]) -> tuple[RecordedLayer, ...]:
    """Return the layers without the outputs, which are layers too, unless nothing else is there."""
    return tuple(layer for layer in layers if layer.name != OUTPUTS) or layers


def _fitting(path: Path, network: Network, samples: Samples) -> tuple[tuple[str, ...], int]:
    """Return the options by which a file fits the samples, and how many others were tried."""
    few, found, tried = samples.first(_TRIED_SAMPLES), [], 0
    seen = {network.digest}
    for options, other in readings(path, network.dt):
        if other.digest in seen:
            continue
        seen.add(other.digest)
        tried += 1
        if _compared(other, few).all_equal and _compared(other, samples).all_equal:
            found.append(options)
    return tuple(found), tried


def readings(path: Path, dt: float | None) -> Iterator[tuple[str, Network]]:
    """Yield how a file could be read otherwise: the options, and the network."""
    for convention in FRAMEWORKS.values():
        for reset in convention.resets:
            models = [
                rule.models[reset] for rule in convention.rules.values() if reset in rule.models
            ]
            usual = reset == convention.reset
            for step in dict.fromkeys((None, dt)):
                options = [f"--framework {convention.name}"]
                options += [] if usual else [f"--neuron {models[0]}"]
                options += [] if step is None else [f"--dt {step:g}"]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", SpikeletWarning)
                    try:
                        other = load_network(
                            path,
                            None if usual else models[0],
                            step,
                            framework=convention.name,
                        )
                    except SpikeletError:
                        continue
                yield " ".join(options), other


def _compared(network: Network, samples: Samples, draw_key: int = 1) -> Recorded:
    layers = run_layers(network, samples.spikes, draw_key=draw_key)
    by_name = {p.name: layer for p, layer in zip(network.populations, layers, strict=True)}
    named = {_layer_of(network, name): values for name, values in samples.expected.items()}
    order = [name for name in (*by_name, OUTPUTS) if name in named]
    ran = [
        _held(name, named[name], _of(name, by_name, network), network, samples) for name in order
    ]
    equal = np.logical_and.reduce([each for _, each in ran])
    return Recorded(len(samples.spikes), int(equal.sum()), tuple(layer for layer, _ in ran))


def _layer_of(network: Network, name: str) -> str:
    """Return the population that an array's name means; empty means the outputs.

    That is the one of this name, or the only one in whose name it stands as a word, between dots
    and underscores: "1" means "1.lif", or "_1".
    """
    if not name:
        return OUTPUTS
    names = [population.name for population in network.populations]
    if name in names:
        return name
    fitting = [n for n in names if name in re.split(r"[._]", n)]
    if len(fitting) == 1:
        return fitting[0]
    raise SpikeletError(
        f"what was recorded of layer {name!r} is of "
        f"{'no layer' if not fitting else 'several layers: ' + ', '.join(fitting)}",
        remedy=f"name it expected_LAYER, with one of {', '.join(names)}",
    )


def _of(name: str, by_name: Mapping[str, FloatLayer], network: Network) -> dict[str, FloatLayer]:
    return {n: by_name[n] for n in (network.outputs if name == OUTPUTS else (name,))}


def _classes(
    layers: Mapping[str, FloatLayer], network: Network, samples: Samples
) -> npt.NDArray[np.int64]:
    """Return the classes by most spikes, or largest sum of potentials where these are read."""
    values = [
        ended(samples.lengths, np.asarray(layer.potentials))
        if name in network.readouts
        else within(samples.lengths, layer.spikes)
        for name, layer in layers.items()
    ]
    return winners(count(np.concatenate(values, axis=2)))


def _held(
    name: str,
    values: _Array,
    layers: Mapping[str, FloatLayer],
    network: Network,
    samples: Samples,
) -> tuple[RecordedLayer, npt.NDArray[np.bool_]]:
    """Compare a layer; return also in which samples it is equal."""
    spikes = np.concatenate([layer.spikes for layer in layers.values()], axis=2)
    potentials = bool(layers) and all(layer in network.readouts for layer in layers)
    what, recorded = _kind(name, values, spikes, potentials)
    if samples.lengths is not None:
        spikes = within(samples.lengths, spikes)
    found: _Array = spikes
    if what == "counts":
        found = spikes.sum(axis=1)
    elif what == "classes":
        found = _classes(layers, network, samples)
    if what == "potentials":
        read = [np.asarray(layer.potentials) for layer in layers.values()]
        found = np.concatenate(read, axis=2)
        far = _NEAR * max(1.0, float(np.abs(recorded).max(initial=0)))
        apart = ~(np.abs(found - recorded) <= far)
    else:
        apart = found != recorded
    if samples.lengths is not None and apart.ndim == 3:  # padding is none of a sample
        apart = within(samples.lengths, apart)
        recorded = within(samples.lengths, recorded)
    equal = ~apart.reshape(len(apart), -1).any(axis=1)
    first = ""
    if not equal.all():
        place = tuple(int(i) for i in np.argwhere(apart)[0])
        axes = ("sample", "neuron") if what == "counts" else ("sample", "tick", "neuron")
        where = ", ".join(f"{axis} {i}" for axis, i in zip(axes, place, strict=False))
        first = f"{what} of {where}: recorded {recorded[place]:g}, float {found[place]:g}"
    numbers = (0, 0, 0, 0)
    if what in ("spikes", "counts"):
        most = np.maximum(recorded - 1, 0).sum() if what == "spikes" else 0
        common = np.minimum(found, recorded).sum()
        numbers = (int(recorded.sum()), int(found.sum()), int(common), int(most))
    return RecordedLayer(name, what, len(equal), int(equal.sum()), *numbers, first), equal


def _kind(
    name: str, values: _Array, spikes: npt.NDArray[np.bool_], read: bool
) -> tuple[str, _Array]:
    """Return what was recorded, and its values; SpikeletError for another shape.

    ``read`` says whether it is of populations that never spike, whose potentials may be whole.
    """
    samples, ticks, size = spikes.shape
    whole = values.dtype.kind in "biu" or bool((values == np.rint(values)).all())
    flat = values.reshape(*values.shape[:2], -1) if values.ndim > 3 else values
    if whole:
        flat = flat.astype(np.int64)
    if flat.shape == (samples, ticks, size):
        return ("spikes" if whole and not read else "potentials"), flat
    if whole and flat.shape == (samples, size):
        return "counts", flat
    if whole and name == OUTPUTS and flat.shape == (samples,):
        return "classes", flat
    classes = f", or classes ({samples},)" if name == OUTPUTS else ""
    raise SpikeletError(
        f"what was recorded of {name} has shape {values.shape} of "
        f"{'whole numbers' if whole else 'fractions'}; it must be spikes or potentials "
        f"({samples}, {ticks}, {size}), counts ({samples}, {size}){classes}",
        remedy="record one run of the framework on these samples, in their order",
    )
