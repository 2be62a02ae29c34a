"""A compiled network: the chip, what is loaded into it, and how to read what it did."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.place import PlacedLayer, PlacementLimits, place
from spikelet.compiler.saved import arrays_of, description_of, fields_of
from spikelet.description.array_files import packed_arrays, read_arrays
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Trace
from spikelet.description.summary import summary
from spikelet.golden import chip as golden_chip
from spikelet.network.network import INPUT, FloatArray, Network
from spikelet.network.quantise import LayerQuantisation, quantise
from spikelet.network.reference import simulate
from spikelet.nir.importer import load_network
from spikelet.placement.place import PlacementQuality
from spikelet.runs.agreement import LayerAgreement
from spikelet.samples.samples import winners

__all__ = ["COMPILED", "CompiledNetwork", "compile_network", "measured_rates"]

COMPILED = "compiled network"
"""What the record of a saved network calls it."""

_FORMAT = 4
"""Version of the saved form; raised when it changes."""

_CHIP_FILE, _ARRAYS_FILE = "chip.json", "arrays.npz"
_COMPILE_AGAIN = "compile the network again into this folder (spikelet compile)"
_MEASURED_SAMPLES = 16
"""Calibration samples on which the golden model shows who spikes how often."""


@dataclass(frozen=True, eq=False)
class CompiledNetwork:
    """A network as the chip runs it, and how it became so; made by :func:`compile_network`.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    routes : array of int64, shape (routes, 4)
        (input, core, axon, delay).
    layers : tuple of PlacedLayer
        In the order of the network's populations.
    output_latency : int
        Ticks from an input to the outputs it can cause.
    neurons : tuple of int
        Neurons in use in each core.
    quality : PlacementQuality
        Link loads, and what random placements come to.
    quantisation : tuple of LayerQuantisation
    network : Network
        The float network.
    """

    __repr__ = summary

    chip: ChipParams
    image: ChipImage
    routes: npt.NDArray[np.int64]
    layers: tuple[PlacedLayer, ...]
    output_latency: int
    neurons: tuple[int, ...]
    quality: PlacementQuality
    quantisation: tuple[LayerQuantisation, ...]
    network: Network

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.name

    @property
    def draw_key(self) -> int:
        """What the draws of neurons start from; 1 where none draws."""
        return max((core.draw_key for core in self.image.cores), default=0) or 1

    @property
    def dt(self) -> float | None:
        """Seconds per tick, where anything depends on it."""
        return self.network.dt

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of everything that a run depends on, by what it is."""
        placed = (repr(self.layers), repr(self.neurons), str(self.output_latency))
        return {
            "chip structure": self.chip.digest,
            "chip contents": digest_of(self.image.program(self.chip)),
            "chip mapping": digest_of(self.routes, *placed),
            "float network": self.network.digest,
        }

    def events(self, spikes: npt.ArrayLike) -> Events:
        """Return the host events of input spikes, and ticks for the last of them to come out.

        Parameters
        ----------
        spikes : array of 0 and 1, shape (samples, ticks, n_inputs)

        Raises
        ------
        SpikeletError
            For another shape or other values.
        """
        dense = self.network.check_spikes(spikes)
        return Events.from_spikes(dense, self.routes, extra_ticks=self.output_latency)

    def output_counts(self, trace: Trace) -> npt.NDArray[np.int64]:
        """Return the spikes of each output over the valid ticks, shape (samples, n_outputs)."""
        self._check_trace(trace)
        counts: npt.NDArray[np.int64] = trace.outputs[:, self.output_latency :].sum(1, np.int64)
        return counts

    def classify(self, trace: Trace) -> npt.NDArray[np.int64]:
        """Return each sample's class as :func:`winners` does: -1 where no output spiked."""
        return winners(self.output_counts(trace))

    def layer(self, name: str) -> PlacedLayer:
        """Return a layer by name; SpikeletError lists the names otherwise."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise SpikeletError(f"network {self.name!r} has no layer {name!r}; its layers are {names}")

    def layer_spikes(self, trace: Trace, layer: str) -> npt.NDArray[np.bool_]:
        """Return a layer's spikes (samples, ticks, size), tick by tick as those of ``run_float``.

        SpikeletError if the Trace did not record spikes or is of another chip.
        """
        return self._assembled(trace, trace.spikes, "spikes", self.layer(layer))

    def layer_states(self, trace: Trace, layer: str) -> dict[str, npt.NDArray[Any]]:
        """Return a layer's states by name, as :meth:`layer_spikes`; the potential ``v`` in LSBs."""
        found = self.layer(layer)
        core = self.chip.cores[found.slices[0].core]
        return {
            name: self._assembled(
                trace,
                None if trace.states is None else [states.get(name) for states in trace.states],
                "states",
                found,
            )
            for name in core.update.states
            if name != "fired"
        }

    def layer_parameter(self, layer: str, name: str) -> npt.NDArray[Any] | None:
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

    def _assembled(
        self, trace: Trace, recorded: list[Any] | None, what: str, layer: PlacedLayer
    ) -> npt.NDArray[Any]:
        self._check_trace(trace)
        if recorded is None:
            raise SpikeletError(
                f"the Trace of {trace.engine} has no {what}",
                remedy=f"run the engine again and record {what}",
            )
        ticks = slice(layer.depth, trace.ticks - self.output_latency + layer.depth)
        return layer.assembled(
            [recorded[part.core][:, ticks, : part.count] for part in layer.slices]
        )

    def _check_trace(self, trace: Trace) -> None:
        found = (trace.outputs.shape[2], len(trace.neurons))
        if found != (self.chip.n_outputs, len(self.chip.cores)):
            raise SpikeletError(
                f"network {self.name!r} has {self.chip.n_outputs} outputs and "
                f"{len(self.chip.cores)} cores, the Trace of {trace.engine} {found[0]}, {found[1]}"
            )
        if trace.ticks <= self.output_latency:
            raise SpikeletError(
                f"the Trace of {trace.engine} has {trace.ticks} ticks; outputs of network "
                f"{self.name!r} appear after {self.output_latency}"
            )

    def agreement(self, trace: Trace, spikes: npt.ArrayLike) -> tuple[LayerAgreement, ...]:
        """Compare a Trace's spikes, layer by layer, with those of the float network.

        Parameters
        ----------
        trace : Trace
            With spikes recorded.
        spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
            The input that led to the Trace.
        """
        runs = simulate(self.network, spikes, potentials=False, draw_key=self.draw_key)
        return tuple(
            self._agreement(layer, trace, run.spikes)
            for layer, run in zip(self.layers, runs, strict=True)
        )

    def _agreement(
        self, layer: PlacedLayer, trace: Trace, theirs: npt.NDArray[np.bool_]
    ) -> LayerAgreement:
        mine = self.layer_spikes(trace, layer.name)
        if mine.shape != theirs.shape:
            raise SpikeletError(
                f"the Trace of {trace.engine} is of {mine.shape[0]} samples of {mine.shape[1]} "
                f"ticks, the input of {theirs.shape[0]} of {theirs.shape[1]}"
            )
        by_neuron = mine.sum(axis=(0, 1))
        saturations = None
        if trace.states is not None:
            core = self.chip.cores[layer.slices[0].core]
            potentials = self.layer_states(trace, layer.name)["v"]
            saturations = int(np.isin(potentials, (core.v_min, core.v_max)).sum())
        return LayerAgreement(
            layer.name,
            float_spikes=int(theirs.sum()),
            integer_spikes=int(mine.sum()),
            common=int((mine & theirs).sum()),
            places=mine.size,
            neurons=layer.size,
            silent_neurons=int((by_neuron == 0).sum()),
            busiest=int(by_neuron.max(initial=0)),
            saturations=saturations,
        )

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
        contents = {
            _CHIP_FILE: json.dumps(description_of(self), indent=1).encode(),
            _ARRAYS_FILE: packed_arrays(arrays_of(self)),
        }
        made = made or Artefact(COMPILED, {})
        replace(made, kind=COMPILED, version=_FORMAT).write(Path(folder), contents)

    @classmethod
    def load(cls, folder: str | Path) -> "CompiledNetwork":
        """Read what :meth:`save` wrote.

        SpikeletError, naming the file, if one is missing, damaged, of another version, or not of
        the same run as the others.
        """
        _, contents = Artefact.read(
            Path(folder),
            (_CHIP_FILE, _ARRAYS_FILE),
            kind=COMPILED,
            version=_FORMAT,
            remedy=_COMPILE_AGAIN,
        )
        try:
            arrays = read_arrays(contents[_ARRAYS_FILE], _ARRAYS_FILE, limit=None)
            return cls(**fields_of(json.loads(contents[_CHIP_FILE]), arrays))
        except (SpikeletError, *MALFORMED) as error:
            raise SpikeletError(
                f"{Path(folder) / _CHIP_FILE} does not describe a compiled network: "
                f"{error.args[0] if error.args else error}",
                remedy=_COMPILE_AGAIN,
            ) from error


def compile_network(
    source: str | Path | Network,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    *,
    weight_bits: int = 4,
    potential_bits: int = 16,
    limits: PlacementLimits | None = None,
    calibration: npt.ArrayLike | None = None,
    topology: str = "mesh",
    multicast: bool | None = None,
    placement_seed: int = 0,
    draw_key: int = 1,
) -> CompiledNetwork:
    """Import, quantise and place a network.

    Parameters
    ----------
    source : path or Network
        A NIR file, or a float network, which brings its own neuron models and time step.
    neuron, dt
        As for :func:`load_network`.
    weight_bits, potential_bits
        As for :func:`quantise`.
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
        As for :func:`quantise`; a network on several cores is placed by the spikes that the golden
        model emits on the first samples.
    limits : PlacementLimits or None
        As for :func:`place`.
    topology, multicast, placement_seed, draw_key
        As for :func:`place`.

    Raises
    ------
    SpikeletError
        As these do.
    """
    network = _loaded(source, neuron, dt)
    quantised = quantise(network, weight_bits, potential_bits, calibration)

    def compiled(rates: dict[str, FloatArray] | None) -> CompiledNetwork:
        placed = place(
            quantised,
            limits,
            topology=topology,
            multicast=multicast,
            seed=placement_seed,
            rates=rates,
            draw_key=draw_key,
        )
        return CompiledNetwork(
            placed.chip,
            placed.image,
            placed.routes,
            placed.layers,
            placed.output_latency,
            placed.neurons,
            placed.quality,
            quantised.layers,
            network,
        )

    found = compiled(None)
    if calibration is not None and len(found.chip.cores) > 1:
        shown = network.check_spikes(calibration)[:_MEASURED_SAMPLES]
        found = compiled(measured_rates(found, shown))
    return found


def measured_rates(compiled: CompiledNetwork, spikes: npt.ArrayLike) -> dict[str, FloatArray]:
    """Return the spikes a tick of each input and neuron that the golden model emits.

    Each counts as if it had spiked once more, so that the silent ones are not forgotten.

    Parameters
    ----------
    compiled : CompiledNetwork
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    """
    dense = compiled.network.check_spikes(spikes)
    trace = golden_chip.run(
        compiled.chip,
        compiled.image,
        compiled.events(dense),
        record=("spikes",),
        neurons=compiled.neurons,
    )
    places = dense.shape[0] * dense.shape[1]
    emitted = {
        INPUT: dense,
        **{x.name: compiled.layer_spikes(trace, x.name) for x in compiled.layers},
    }
    return {name: (1 + found.sum(axis=(0, 1))) / (1 + places) for name, found in emitted.items()}


def _loaded(
    source: str | Path | Network, neuron: NeuronModel | str | Path | None, dt: float | None
) -> Network:
    """Return the float network, imported or as given."""
    if not isinstance(source, Network):
        return load_network(source, neuron, dt)
    other = neuron is not None and (neuron_model(neuron),) != source.neurons
    if other or dt not in (None, source.dt):
        names = ", ".join(model.name for model in source.neurons)
        raise SpikeletError(
            f"network {source.name!r} has neurons of {names} and dt {source.dt}; others cannot be "
            "given"
        )
    return source
