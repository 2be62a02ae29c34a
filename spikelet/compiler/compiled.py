"""A compiled network: the chip, what is loaded into it, and where everything of the network is."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.saved import network_arrays, network_fields, network_of, quality_of
from spikelet.description.array_files import packed_arrays
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.checks import check_range
from spikelet.description.chip.compiled_files import (
    ARRAYS_FILE,
    CHIP_FILE,
    COMPILED,
    FORMAT,
    chip_of,
    described,
    image_arrays,
    image_of,
    read_compiled,
)
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.summary import summary
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.network.integer_layers import Weights
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.network.matrices import dense
from spikelet.placement.quality import PlacementQuality

__all__ = ["CompiledNetwork", "PlacedLayer", "Slice"]


@dataclass(frozen=True)
class Slice:
    """Places ``first`` up to ``first + count`` in a layer's order; neurons 0.. of ``core``."""

    core: int
    first: int
    count: int


@dataclass(frozen=True)
class PlacedLayer:
    """Where a population went; its slices cover its order, one after another.

    Parameters
    ----------
    name : str
    depth : int
    size : int
    slices : tuple of Slice
    order : tuple of int, or None
        The neuron at each place, where a layer is split by receptive fields; None where neurons are
        in ascending order.
    """

    name: str
    depth: int
    size: int
    slices: tuple[Slice, ...]
    order: tuple[int, ...] | None = None

    def assembled(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return the values of all neurons, last axis, from those of each slice."""
        values = np.concatenate(parts, axis=-1)
        return values if self.order is None else values[..., np.argsort(self.order)]

    def neurons(self, part: Slice) -> npt.NDArray[np.int64]:
        """Return the neurons of a slice, as the layer numbers them."""
        places = np.arange(part.first, part.first + part.count)
        return places if self.order is None else np.array(self.order)[places]


@dataclass(frozen=True, eq=False)
class CompiledNetwork:
    """A network as the chip runs it; made by ``spikelet.compile``.

    Parameters
    ----------
    network : IntegerNetwork
    chip : ChipParams
    image : ChipImage
        Before any learning; never changed.
    routes : array of int64, shape (routes, 4)
        (input, core, axon, delay): where each input's spikes are sent.
    layers : tuple of PlacedLayer
        In the order of the network's populations.
    quality : PlacementQuality
        Link loads, and what random placements come to.
    limits : PlacementLimits
        By which it was placed.
    """

    __repr__ = summary

    network: IntegerNetwork
    chip: ChipParams
    image: ChipImage
    routes: npt.NDArray[np.int64]
    layers: tuple[PlacedLayer, ...]
    quality: PlacementQuality
    limits: PlacementLimits

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.name

    @property
    def learns(self) -> bool:
        """Whether any projection is plastic."""
        return self.network.learns

    @property
    def output_latency(self) -> int:
        """Ticks from an input to the last outputs that it can cause."""
        return max(self.network.population(name).depth for name in self.network.outputs)

    @cached_property
    def neurons(self) -> tuple[int, ...]:
        """Neurons in use in each core.

        Those behind them fill the last lanes. They have no destination and weights of 0, or as near
        as rule or format allow, and where it matters a threshold out of reach.
        """
        used = {part.core: part.count for layer in self.layers for part in layer.slices}
        return tuple(used[core] for core in range(len(self.chip.cores)))

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of everything that a run depends on, by what it is."""
        net = self.network
        ends = [(p.source, p.target, p.delay, p.connectivity) for p in net.projections]
        parts = (self.layers, net.inputs, ends, net.outputs, net.dt, net.encoder)
        found = {
            "chip structure": self.chip.digest,
            "chip contents": digest_of(self.image.program(self.chip)),
            "chip mapping": digest_of(self.routes, *map(repr, parts)),
        }
        return found | ({"float network": net.floats.digest} if net.floats else {})

    def events(self, spikes: npt.ArrayLike, extra_ticks: int | None = None) -> Events:
        """Return the host events of input spikes, and ticks for the last of them to come out.

        Parameters
        ----------
        spikes : array of 0 and 1, or counts, shape (samples, ticks, n_inputs)
        extra_ticks : int or None
            Ticks that follow; None: :attr:`output_latency`.

        Raises
        ------
        SpikeletError
            For another shape or other values.
        """
        dense = self.network.check_spikes(spikes)
        extra = self.output_latency if extra_ticks is None else extra_ticks
        graded = self.network.input_levels > 1
        return Events.from_spikes(dense, self.routes, extra_ticks=extra, counts=graded)

    def dense_spikes(self, spikes: npt.NDArray[Any], extra_ticks: int) -> DenseSpikes:
        """Return input spikes that were checked, for golden: what :meth:`events` has as events."""
        return DenseSpikes(spikes, self.routes, extra_ticks, self.network.input_levels > 1)

    def layer(self, name: str) -> PlacedLayer:
        """Return a layer by name; SpikeletError lists the names otherwise."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise SpikeletError(f"network {self.name!r} has no layer {name!r}; its layers are {names}")

    def core(self, layer: str) -> CoreParams:
        """Return the first core of a layer."""
        return self.chip.cores[self.layer(layer).slices[0].core]

    def axons(self, source: str, target: str) -> slice:
        """Return the axons of a projection in each core of a layer whose cores have all axons."""
        wanted = self.network.projection(source, target)
        first = 0
        for projection in self.network.into(target):
            if projection is wanted:
                break
            first += self.network.sizes[projection.source]
        return slice(first, first + self.network.sizes[source])

    def weights(self, source: str, target: str, image: ChipImage | None = None) -> Weights:
        """Return a read-only view of a projection's weights, shape (n_source, n_target).

        Parameters
        ----------
        source, target : str
        image : ChipImage or None
            None: those before learning.
        """
        projection, layer = self.network.projection(source, target), self.layer(target)
        if projection.rule is None:
            view = dense(projection.weights).view()
        else:
            view = self._synapses(source, layer, "weights", image)
        view.flags.writeable = False
        return view

    def devices(
        self, source: str, target: str, image: ChipImage | None = None
    ) -> npt.NDArray[np.int32] | None:
        """Return the codes of a projection's devices, shape (count, n_source, n_target), if any.

        ``projection.rule.devices.read`` has their fields.
        """
        projection, layer = self.network.projection(source, target), self.layer(target)
        if projection.rule is None or projection.rule.devices is None:
            return None
        return self._synapses(source, layer, "devices", image)

    def _synapses(
        self, source: str, layer: PlacedLayer, field: str, image: ChipImage | None
    ) -> npt.NDArray[Any]:
        """Return what cores hold of each synapse, shape (..., n_source, n_target)."""
        cores, axons = (image or self.image).cores, self.axons(source, layer.name)
        parts = [getattr(cores[p.core], field)[..., axons, : p.count] for p in layer.slices]
        return parts[0] if len(parts) == 1 else layer.assembled(parts)

    def kept_state(
        self, layer: str, name: str, image: ChipImage | None = None
    ) -> npt.NDArray[np.int32]:
        """Return a state that ``clear`` keeps, such as the adaptation, of each neuron: (size,).

        SpikeletError if the layer's neurons have no such state.
        """
        placed = self.layer(layer)
        contents = (image or self.image).cores
        if name not in self.core(layer).update.kept:
            raise SpikeletError(f"population {layer!r} has no {name}")
        parts = [contents[part.core].states[name][: part.count] for part in placed.slices]
        return placed.assembled(parts)

    def parameter(self, layer: str, name: str) -> npt.NDArray[Any] | None:
        """Return a parameter of each neuron of a layer, in its core's units; None if it has none.

        Shape (size,).
        """
        found = self.layer(layer)
        parts = []
        for part in found.slices:
            core, contents = self.chip.cores[part.core], self.image.cores[part.core]
            if name not in core.parameters:
                return None
            value = core.parameters[name]
            values = np.array([value]) if isinstance(value, int) else contents.parameters[name]
            spread = values if len(values) > 1 else np.broadcast_to(values, (core.n_neurons,))
            parts.append(spread[: part.count])
        return found.assembled(parts)

    def with_learned(self, image: ChipImage) -> IntegerNetwork:
        """Return the network with the weights and kept states of contents."""
        net = self.network
        return replace(
            net,
            projections=tuple(
                replace(
                    p,
                    weights=self.weights(p.source, p.target, image),
                    devices=self.devices(p.source, p.target, image),
                )
                if p.rule
                else p
                for p in net.projections
            ),
            populations=tuple(
                replace(
                    p,
                    states={
                        name: self.kept_state(p.name, name, image)
                        for name in self.core(p.name).update.kept
                    },
                )
                for p in net.populations
            ),
        )

    def with_weights(
        self, state: ChipState, source: str, target: str, weights: npt.ArrayLike
    ) -> ChipState:
        """Return a snapshot with other weights of a plastic projection; all else stays.

        Parameters
        ----------
        state : ChipState
        source, target : str
        weights : array of int, shape (n_source, n_target)
            Within the bounds of the projection's rule.

        Raises
        ------
        SpikeletError
            If the projection is not plastic, is made of devices, or the weights do not fit.
        """
        projection, layer = self.network.projection(source, target), self.layer(target)
        what, rule = f"network {self.name!r}: weights {source!r} -> {target!r}", projection.rule
        values = np.asarray(weights)
        if rule is None:
            raise SpikeletError(
                f"{what} are not plastic, so that snapshots do not hold them",
                remedy="compile a network with these weights",
            )
        if values.shape != projection.weights.shape or values.dtype.kind not in "iu":
            raise SpikeletError(
                f"{what} must be int, of shape {projection.weights.shape}, not {values.dtype} of "
                f"{values.shape}"
            )
        if rule.devices:
            raise SpikeletError(
                f"{what} are sums of devices, of which each has its own state",
                remedy="compile a network with these weights, or let it learn",
            )
        check_range(what, values, rule.w_min, rule.w_max)
        cores = list(state.image.cores)
        for part in layer.slices:
            stored = cores[part.core].weights.copy()
            stored[self.axons(source, target), : part.count] = values[:, layer.neurons(part)]
            cores[part.core] = replace(cores[part.core], weights=stored)
        return replace(state, image=replace(state.image, cores=tuple(cores)))

    def initial_state(self) -> ChipState:
        """Return the snapshot of the chip as compiled."""
        states = tuple(CoreState.cleared(core) for core in self.chip.cores)
        return ChipState(self.chip.digest, 0, self.image, states)

    def save(self, folder: str | Path, made: Artefact | None = None) -> None:
        """Write ``chip.json``, ``arrays.npz`` and, last, the record with their digests.

        Parameters
        ----------
        folder : path
        made : Artefact or None
            What is known of where the network came from.

        Raises
        ------
        SpikeletError
            If the folder cannot be written.
        """
        description: dict[str, Any] = {
            "network": network_fields(self.network),
            "chip": self.chip.to_dict(),
            "layers": [asdict(layer) for layer in self.layers],
            "random": asdict(self.quality.random),
            "measured": self.quality.measured,
            "limits": asdict(self.limits),
        }
        # Named only where unusual.
        for name in ("early_stop", "tick_timer", "rest", "narrow", "layer_cores"):
            if description["limits"][name] == getattr(PlacementLimits, name):
                del description["limits"][name]
        loads = self.quality.loads.loads
        arrays = {
            "routes": self.routes,
            **{f"load {port}": load for port, load in loads.items()},
            **image_arrays(self.image),
            **network_arrays(self.network),
        }
        contents = {
            CHIP_FILE: json.dumps(description, indent=1).encode(),
            ARRAYS_FILE: packed_arrays(arrays),
        }
        made = made or Artefact(COMPILED, {})
        replace(made, kind=COMPILED, version=FORMAT).write(Path(folder), contents)

    @classmethod
    def load(cls, folder: str | Path) -> "CompiledNetwork":
        """Read what :meth:`save` wrote.

        SpikeletError, naming the file, if one is missing, damaged, of another version, or not of
        the same run as the others.
        """
        fields, arrays = read_compiled(Path(folder))
        with described(Path(folder)):
            chip = chip_of(fields)
            return cls(
                network_of(fields["network"], arrays),
                chip,
                image_of(chip, arrays),
                arrays["routes"],
                tuple(_layer(entry) for entry in fields["layers"]),
                quality_of(chip, fields, arrays),
                PlacementLimits(**fields["limits"]),
            )


def _layer(entry: dict[str, Any]) -> PlacedLayer:
    slices = tuple(Slice(**part) for part in entry["slices"])
    order = entry["order"] and tuple(entry["order"])
    return PlacedLayer(entry["name"], entry["depth"], entry["size"], slices, order)
