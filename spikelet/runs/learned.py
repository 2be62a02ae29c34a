"""What a plastic network has done and learned."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import packed_arrays
from spikelet.description.artefact import Artefact
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Trace
from spikelet.description.summary import summary
from spikelet.description.versions import package_versions
from spikelet.network.integers import Weights

if TYPE_CHECKING:
    from spikelet.compiler.plastic import Plastic

__all__ = ["SNAPSHOT_FILE", "TRACE_FILE", "WEIGHTS_FILE", "Learned"]

SNAPSHOT_FILE = "snapshot.npz"
TRACE_FILE = "trace.npz"
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True, eq=False)
class Learned:
    """The result of a run.

    Parameters
    ----------
    plastic : Plastic
    trace : Trace
    state : ChipState
        After the last tick; :meth:`Plastic.run` goes on from it as ``start``.
    """

    __repr__ = summary

    plastic: "Plastic"
    trace: Trace
    state: ChipState

    def weights(self, source: str, target: str) -> Weights:
        """Return a read-only view of a projection's weights, shape (n_source, n_target)."""
        return self.plastic.weights(source, target, self.state.image)

    def adaptation(self, population: str) -> npt.NDArray[np.int32]:
        """Return each neuron's adaptation, shape (size,); SpikeletError without adaptation."""
        placed = self.plastic.population(population)
        states = self.state.image.cores[placed.core].states
        if "adaptation" not in states:
            raise SpikeletError(f"population {population!r} has no adaptation")
        return states["adaptation"][: placed.size]

    def counts(self, output: str) -> npt.NDArray[np.int64]:
        """Return the spikes of each neuron of an output population, shape (samples, size)."""
        outputs = self.plastic.outputs
        if output not in outputs:
            raise SpikeletError(f"{output!r} is not an output; outputs are {', '.join(outputs)}")
        sizes = [self.plastic.population(name).size for name in outputs]
        first = sum(sizes[: outputs.index(output)])
        lines = self.trace.outputs[..., first : first + sizes[outputs.index(output)]]
        counts: npt.NDArray[np.int64] = lines.sum(axis=1, dtype=np.int64)
        return counts

    def spikes(self, population: str) -> npt.NDArray[np.bool_]:
        """Return a population's spikes (samples, ticks, size); SpikeletError if not recorded."""
        return self._recorded("spikes", population)

    def states(self, population: str) -> dict[str, npt.NDArray[Any]]:
        """Return a population's states after each tick by name, as :meth:`spikes`.

        They are those that ``clear`` clears; the potential ``v`` is in LSBs.
        """
        size = self.plastic.population(population).size
        recorded = self._of_core("states", population)
        return {name: values[..., :size] for name, values in recorded.items()}

    def post_traces(self, population: str) -> dict[str, npt.NDArray[np.int32]]:
        """Return post traces, and states that are kept, after each tick: (samples, ticks, size).

        By name, as far as the population has them; SpikeletError if learning was not recorded.
        """
        placed, found = self.plastic.population(population), self._learning(population)
        names = ("y1", "y2", *self.plastic.chip.cores[placed.core].update.kept)
        return {name: found[name][..., : placed.size] for name in names if name in found}

    def pre_traces(self, source: str, target: str) -> dict[str, npt.NDArray[np.int32]]:
        """Return the pre traces of a projection after each tick: (samples, ticks, n_source)."""
        placed, found = self.plastic.projection(source, target), self._learning(target)
        return {name: found[name][..., placed.axons] for name in ("x1", "x2") if name in found}

    def weight_history(self, source: str, target: str) -> npt.NDArray[Any]:
        """Return a projection's weights after each tick: (samples, ticks, n_source, n_target)."""
        placed, population = (
            self.plastic.projection(source, target),
            self.plastic.population(target),
        )
        history = self._learning(target)["weights"]
        return history[..., placed.axons, : population.size]

    def _learning(self, population: str) -> dict[str, npt.NDArray[Any]]:
        recorded: dict[str, npt.NDArray[Any]] = self._of_core("learned", population)
        return recorded

    def _recorded(self, what: str, population: str) -> npt.NDArray[Any]:
        recorded: npt.NDArray[Any] = self._of_core(what, population)
        return recorded[..., : self.plastic.population(population).size]

    def _of_core(self, what: str, population: str) -> Any:
        recorded = getattr(self.trace, what)
        if recorded is None:
            name = "learning" if what == "learned" else what
            raise SpikeletError(
                f"the run did not record {name}", remedy=f"run again with {name!r} in record"
            )
        return recorded[self.plastic.population(population).core]

    def save(self, folder: str | Path, *, trace: bool = True) -> None:
        """Write the snapshot, the weights by projection, and, if ``trace``, the Trace.

        ``weights.npz`` holds an array (n_source, n_target) called ``SOURCE_to_TARGET`` for each
        projection, and ``STATE_POPULATION`` for each state that is kept, such as ``adaptation``.
        SpikeletError if the folder cannot be written.
        """
        contents = self.contents()
        if trace:
            contents[TRACE_FILE] = self.trace.to_bytes()
        inputs = self.plastic.digests
        Artefact("learned network", inputs, tools=package_versions("spikelet")).write(
            Path(folder), contents
        )

    def contents(self) -> dict[str, bytes]:
        """Return the contents of the files with snapshot and weights, by name."""
        arrays: dict[str, npt.NDArray[Any]] = {
            f"{p.source}_to_{p.target}": self.weights(p.source, p.target)
            for p in self.plastic.projections
        }
        for population in self.plastic.populations:
            for name, values in self.state.image.cores[population.core].states.items():
                arrays[f"{name}_{population.name}"] = values[: population.size]
        return {
            WEIGHTS_FILE: packed_arrays(arrays),
            SNAPSHOT_FILE: self.state.to_bytes(),
        }
