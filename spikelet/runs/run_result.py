"""What a run did and learned, population by population."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork, PlacedLayer
from spikelet.description.array_files import packed_arrays
from spikelet.description.artefact import Artefact
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.text import POST_TRACES, PRE_TRACES
from spikelet.description.run.recording import Recording, recorded_states
from spikelet.description.summary import summary
from spikelet.description.versions import package_versions
from spikelet.network.integer_layers import Weights
from spikelet.network.integers import IntegerNetwork
from spikelet.network.matrices import dense
from spikelet.network.network import FloatArray
from spikelet.samples.decode import decoder_named
from spikelet.samples.lengths import Lengths, ended, within
from spikelet.samples.samples import winners

__all__ = [
    "RECORDING_FILE",
    "SNAPSHOT_FILE",
    "WEIGHTS_FILE",
    "Run",
    "weights_file",
]

SNAPSHOT_FILE = "snapshot.npz"
RECORDING_FILE = "recording.npz"
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True, eq=False)
class Run:
    """What a network has done and learned.

    The chip runs its layers one tick apart; what is read here is in the network's own time, in
    which all layers run in the same tick.

    Parameters
    ----------
    compiled : CompiledNetwork
    recording : Recording
        In the chip's own time.
    state : ChipState or None
        After the last tick; :func:`run` goes on from it as ``start``. None if the engine cannot
        tell, or it was not asked.
    drained : bool
        Whether the last ticks of each sample are those in which its last spikes come out.
    begun : int
        Ticks since the state was cleared in which the first sample begins.
    lengths : array of int64, shape (samples,), or None
        Ticks of each sample. What the network did in the padding behind them is read as 0: so a
        sample gives what it would give alone. Of a run with early stop, they are not more than the
        ticks up to the first output spike; the other layers, which the chip runs ahead of the
        outputs, are read up to there, too.
    """

    __repr__ = summary

    compiled: CompiledNetwork
    recording: Recording
    state: ChipState | None = field(default=None, repr=False)
    drained: bool = True
    begun: int = 0
    lengths: Lengths = None

    def __post_init__(self) -> None:
        chip, trace = self.compiled.chip, self.recording
        found = (trace.outputs.shape[2], len(trace.neurons))
        if found != (chip.n_outputs, len(chip.cores)):
            raise SpikeletError(
                f"network {self.compiled.name!r} has {chip.n_outputs} outputs and "
                f"{len(chip.cores)} cores, the Recording of {trace.engine} {found[0]}, {found[1]}"
            )
        latency = self.compiled.output_latency
        if self.drained and not self.begun and trace.ticks <= latency:
            raise SpikeletError(
                f"the Recording of {trace.engine} has {trace.ticks} ticks; outputs of network "
                f"{self.compiled.name!r} appear after {latency}"
            )
        if trace.ticks_run is not None:
            ends = trace.ticks_run - latency
            ends = ends if self.lengths is None else np.minimum(self.lengths, ends)
            object.__setattr__(self, "lengths", ends)

    def _ticks(self, depth: int) -> slice:
        """Return the chip's ticks in which a layer of some depth was in the network's ticks."""
        last = self.recording.ticks
        if self.drained:
            last -= self.compiled.output_latency - depth
        return slice(min(last, max(0, depth - self.begun)), last)

    @property
    def outputs(self) -> npt.NDArray[np.uint16]:
        """Spikes of each output line in each tick: (samples, ticks, n_outputs).

        0 for outputs whose potentials are read.
        """
        network = self.compiled.network
        return self._side_by_side([self._line_spikes(name) for name in network.outputs])

    @property
    def output_values(self) -> npt.NDArray[Any]:
        """What each output does in each tick: (samples, ticks, n_outputs).

        Spikes; of outputs that cannot spike, their :meth:`potentials`, NaN in the padding.
        """
        network = self.compiled.network
        read = {name: ended(self.lengths, self.potentials(name)) for name in network.readouts}
        return self._side_by_side(
            [read[n] if n in read else self._line_spikes(n) for n in network.outputs]
        )

    def _side_by_side(self, parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        ticks = {part.shape[1] for part in parts}
        if len(ticks) > 1:
            raise self.compiled.network.error(
                "its outputs are at different depths, so that without drain they are of different "
                "ticks",
                "read them one by one, with spikes() or potentials(), or drain the run",
            )
        return np.concatenate(parts, axis=2)

    def _line_spikes(self, output: str) -> npt.NDArray[np.uint16]:
        """Return the spikes of an output population's lines: (samples, ticks, size)."""
        network = self.compiled.network
        if output not in network.outputs:
            names = ", ".join(network.outputs)
            raise SpikeletError(f"{output!r} is not an output; outputs are {names}")
        before = network.outputs[: network.outputs.index(output)]
        first = sum(network.sizes[name] for name in before)
        ticks = self._ticks(network.population(output).depth)
        lines = slice(first, first + network.sizes[output])
        return within(self.lengths, self.recording.outputs[:, ticks, lines])

    def output_counts(self) -> npt.NDArray[np.int64]:
        """Return the spikes of each output line, shape (samples, n_outputs)."""
        return self.outputs.sum(1, np.int64)  # type: ignore[no-any-return]

    def votes(self, decode: str = "count") -> npt.NDArray[Any]:
        """Return votes for each output, (samples, n_outputs), by a decoder of :data:`DECODERS`."""
        return decoder_named(decode)(self.output_values)

    def classify(self, decode: str = "count") -> npt.NDArray[np.int64]:
        """Return each sample's class as :func:`winners` does: -1 where all votes are 0."""
        return winners(self.votes(decode))

    def of_samples(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return counts of each tick of the chip, (samples, ticks, ...), with 0 in the padding.

        A sample ends when its last spikes are out, as if it had been run alone.
        """
        latency = self.compiled.output_latency
        return within(None if self.lengths is None else self.lengths + latency, values)

    def counts(self, output: str) -> npt.NDArray[np.int64]:
        """Return the spikes of each neuron of an output population, shape (samples, size)."""
        return self._line_spikes(output).sum(1, np.int64)  # type: ignore[no-any-return]

    def potentials(self, layer: str) -> FloatArray:
        """Return a layer's potentials after each tick, as :meth:`spikes`, as real numbers.

        In the unit of the float network's weights; in LSBs of a network that was not trained.
        SpikeletError if states were not recorded.
        """
        found: FloatArray = self.states(layer)["v"] * self.compiled.network.lsb(layer)
        return found

    def spikes(self, layer: str) -> npt.NDArray[Any]:
        """Return a layer's spikes (samples, ticks, size); SpikeletError if not recorded.

        Bool, or uint8, counts, of a layer that sends graded spikes.
        """
        placed, recorded = self._recorded("spikes", layer)
        return self._assembled(recorded, placed)

    def states(self, layer: str) -> dict[str, npt.NDArray[Any]]:
        """Return a layer's states after each tick, by name, as :meth:`spikes`; ``v`` in LSBs."""
        placed, recorded = self._recorded("states", layer)
        return {
            name: self._assembled([values.get(name) for values in recorded], placed)
            for name in recorded_states(self.compiled.core(layer))
        }

    def _assembled(self, recorded: list[Any], layer: PlacedLayer) -> npt.NDArray[Any]:
        ticks = self._ticks(layer.depth)
        found = layer.assembled(
            [recorded[part.core][:, ticks, : part.count] for part in layer.slices]
        )
        return within(self.lengths, found)

    def _recorded(self, what: str, name: str) -> tuple[PlacedLayer, list[Any]]:
        layer, recorded = self.compiled.layer(name), getattr(self.recording, what)
        if recorded is None:
            wanted = "learning" if what == "learned" else what
            raise SpikeletError(
                f"the Recording of {self.recording.engine} has no {wanted}",
                remedy=f"run again with {wanted!r} in record",
            )
        return layer, recorded

    def _learned(self, name: str) -> tuple[PlacedLayer, list[dict[str, npt.NDArray[Any]]]]:
        """Return a layer, and what each of its cores learned after each tick."""
        layer, recorded = self._recorded("learned", name)
        ticks = self._ticks(layer.depth)
        return layer, [
            {what: values[:, ticks] for what, values in recorded[part.core].items()}
            for part in layer.slices
        ]

    def _of_neurons(self, layer: str, name: str) -> npt.NDArray[Any]:
        """Return something learned, whose last axis are neurons, of all neurons of a layer."""
        placed, found = self._learned(layer)
        parts = zip(placed.slices, found, strict=True)
        return placed.assembled([values[name][..., : part.count] for part, values in parts])

    def post_traces(self, layer: str) -> dict[str, npt.NDArray[np.int32]]:
        """Return post traces and states that are kept, after each tick: (samples, ticks, size).

        By name, as far as the layer has them; SpikeletError if learning was not recorded.
        """
        names = (*POST_TRACES, *self.compiled.core(layer).update.kept)
        here = self._learned(layer)[1][0]
        return {name: self._of_neurons(layer, name) for name in names if name in here}

    def pre_traces(self, source: str, target: str) -> dict[str, npt.NDArray[np.int32]]:
        """Return the pre traces of a projection after each tick: (samples, ticks, n_source)."""
        axons, (_, found) = self.compiled.axons(source, target), self._learned(target)
        return {n: found[0][n][..., axons] for n in PRE_TRACES if n in found[0]}

    def weight_history(self, source: str, target: str) -> npt.NDArray[Any]:
        """Return a projection's weights after each tick: (samples, ticks, n_source, n_target)."""
        return self._of_neurons(target, "weights")[..., self.compiled.axons(source, target), :]

    @property
    def final(self) -> ChipState:
        """The state after the last tick; SpikeletError if the engine cannot, or did not, tell."""
        if self.state is None:
            raise SpikeletError(
                f"engine {self.recording.engine} does not tell its state",
                remedy="run with snapshot=True, on an engine that can: golden, rtl, board",
            )
        return self.state

    @property
    def network(self) -> IntegerNetwork:
        """The network with what it has learned."""
        return self.compiled.with_learned(self.final.image)

    def weights(self, source: str, target: str) -> Weights:
        """Return a read-only view of a projection's weights, shape (n_source, n_target)."""
        return self.compiled.weights(source, target, self.final.image)

    def devices(self, source: str, target: str, field: str = "level") -> npt.NDArray[np.int64]:
        """Return ``level``, ``stuck``, ``variation`` or ``writes`` of a projection's devices.

        Shape (count, n_source, n_target); of differential pairs (2 * count, n_source, n_target),
        those of G+ first. SpikeletError if its synapses are not made of devices.
        """
        codes = self.compiled.devices(source, target, self.final.image)
        rule = self.compiled.network.projection(source, target).rule
        if codes is None or rule is None or rule.devices is None:
            raise SpikeletError(f"projection {source!r} -> {target!r} has no devices")
        return rule.devices.each(codes, field)

    def kept_state(self, layer: str, name: str) -> npt.NDArray[np.int32]:
        """Return a state that ``clear`` keeps, such as the adaptation, of each neuron: (size,)."""
        return self.compiled.kept_state(layer, name, self.final.image)

    def save(self, folder: str | Path, *, recording: bool = True) -> None:
        """Write the snapshot, the weights by projection, and, if ``recording``, the Recording.

        ``weights.npz`` holds an array (n_source, n_target) called ``SOURCE_to_TARGET`` for each
        projection, with ``_after_DELAY`` behind it for further delays between the same two, and for
        states that are kept, such as the adaptation, ``STATE_POPULATION``.
        SpikeletError if the folder cannot be written.
        """
        contents = {
            WEIGHTS_FILE: weights_file(self.compiled, self.final.image),
            SNAPSHOT_FILE: self.final.to_bytes(),
        }
        if recording:
            contents[RECORDING_FILE] = self.recording.to_bytes()
        made = Artefact("run", self.compiled.digests, tools=package_versions("spikelet"))
        made.write(Path(folder), contents)


def weights_file(compiled: CompiledNetwork, image: ChipImage) -> bytes:
    """Return the contents of ``weights.npz``: see :meth:`Run.save`."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for p in compiled.network.projections:
        name = f"{p.source}_to_{p.target}"
        if name in arrays:  # of another delay, which does not learn
            arrays[f"{name}_after_{p.delay}"] = dense(p.weights)
        else:
            arrays[name] = compiled.weights(p.source, p.target, image)
    for population in compiled.network.populations:
        for name in compiled.core(population.name).update.kept:
            arrays[f"{name}_{population.name}"] = compiled.kept_state(population.name, name, image)
    return packed_arrays(arrays)
