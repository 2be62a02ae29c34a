"""A plastic network on a chip: run it, compare engines, save and load it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import arrays_under, packed_arrays, read_arrays
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.description.summary import summary
from spikelet.network.integers import InputGroup, PlacedPopulation, PlacedProjection, Weights
from spikelet.runs.learned import Learned
from spikelet.runs.plastic_engines import engine_inputs, opened
from spikelet.samples.samples import Samples

if TYPE_CHECKING:
    from spikelet.runs.verify import Verification

__all__ = ["FORMAT", "PLASTIC", "Plastic"]

PLASTIC = "network that learns"
"""What the record of a saved network calls it."""

FORMAT = 3
"""Version of the saved form of a plastic network; raised when it changes."""

_VERIFY = "spikelet.runs.plastic_verify"  # loaded when used: it needs the hardware tools

_NETWORK_FILE, _ARRAYS_FILE = "plastic.json", "plastic.npz"
_COMPILE_AGAIN = "compile the network again and save it to this folder"


@dataclass(frozen=True, eq=False)
class Plastic:
    """A network that learns, on a chip; made by :meth:`PlasticNetwork.compile`.

    Parameters
    ----------
    name : str
    dt : float
        Seconds per tick.
    seed : int
    chip : ChipParams
    image : ChipImage
        Before any learning; never changed.
    routes : array of int64, shape (routes, 4)
        (input, core, axon, delay).
    inputs : tuple of InputGroup
        In the order of their lines in the input spikes.
    populations : tuple of PlacedPopulation
    projections : tuple of PlacedProjection
    outputs : tuple of str
        Populations whose neurons, one population after another, are the output lines.
    """

    __repr__ = summary

    name: str
    dt: float
    seed: int
    chip: ChipParams
    image: ChipImage
    routes: npt.NDArray[np.int64]
    inputs: tuple[InputGroup, ...]
    populations: tuple[PlacedPopulation, ...]
    projections: tuple[PlacedProjection, ...]
    outputs: tuple[str, ...]

    @property
    def n_inputs(self) -> int:
        """Input lines of all groups."""
        return sum(group.size for group in self.inputs)

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of everything that a run depends on, by what it is."""
        placed = (repr(self.inputs), repr(self.populations), repr(self.projections))
        return {
            "chip structure": self.chip.digest,
            "chip contents": digest_of(self.image.program(self.chip)),
            "chip mapping": digest_of(self.routes, *placed, repr((self.outputs, self.dt))),
        }

    @property
    def neurons(self) -> tuple[int, ...]:
        """Neurons in use in each core."""
        return tuple(population.size for population in self.populations)

    @property
    def learns(self) -> bool:
        """Whether any projection is plastic."""
        return any(projection.plastic for projection in self.projections)

    def population(self, name: str) -> PlacedPopulation:
        """Return a population by name; SpikeletError lists the names otherwise."""
        for population in self.populations:
            if population.name == name:
                return population
        names = ", ".join(population.name for population in self.populations)
        raise self._error(f"there is no population {name!r}; there are {names}")

    def projection(self, source: str, target: str) -> PlacedProjection:
        """Return a projection by its ends; SpikeletError lists them otherwise."""
        for projection in self.projections:
            if (projection.source, projection.target) == (source, target):
                return projection
        found = ", ".join(f"{p.source} -> {p.target}" for p in self.projections)
        raise self._error(f"there is no projection {source!r} -> {target!r}; there are {found}")

    def weights(self, source: str, target: str, image: ChipImage | None = None) -> Weights:
        """Return a read-only view of a projection's weights, shape (n_source, n_target).

        Parameters
        ----------
        source, target : str
        image : ChipImage or None
            None: those before learning.
        """
        projection, population = self.projection(source, target), self.population(target)
        stored = (image or self.image).cores[population.core].weights
        view = stored[projection.axons, : population.size]
        view.flags.writeable = False
        return view

    def run(
        self,
        spikes: npt.ArrayLike | Samples,
        *,
        engine: str = "golden",
        learning: bool = True,
        reward: npt.ArrayLike | None = None,
        clear: bool = True,
        start: ChipState | None = None,
        record: Sequence[str] = ("spikes",),
        progress: Callable[[int], None] = lambda samples: None,
    ) -> Learned:
        """Run samples, one after another; what is learned goes on from each to the next.

        Parameters
        ----------
        spikes : Samples, or array of 0 and 1, shape (samples, ticks, n_inputs)
        engine : str
            ``"golden"`` or ``"rtl"``.
        learning : bool
            False: weights, tags and adaptations stay as they are.
        reward : array of int, shape (samples, ticks), or None
            The reward ``r`` of each tick; None: 0.
        clear : bool
            Whether potentials, traces and arrivals are cleared before each sample.
        start : ChipState or None
            A snapshot of this chip to go on from; None: the network as compiled.
        record : sequence of str
            Any of ``"spikes"``, ``"states"``, ``"learning"`` (weights, tags, traces and
            adaptation after each tick: large) and ``"checksums"`` (of the state after each sample).
        progress : callable
            Told how many samples are done, now and then.

        Raises
        ------
        SpikeletError
            For an unknown engine, input, reward or snapshot that does not fit, a missing tool.
        """
        dense = self._checked(spikes)
        if start is not None:
            start.check(self.chip)
        with opened(engine, self.chip, self.image) as chip:
            if start is not None:
                chip.restore(start)
            if self.learns:
                chip.learn(learning)
            trace = chip.run(
                engine_inputs(engine, dense, self.routes),
                record=tuple(record),
                reward=None if reward is None else np.asarray(reward),
                clear=clear,
                progress=progress,
            )
            trace.neurons = self.neurons  # those that fill the last lanes do no operations
            return Learned(self, trace, chip.snapshot())

    def verify(
        self,
        spikes: npt.ArrayLike | Samples,
        *,
        engine: str = "rtl",
        samples: int = 200,
        learning: bool = True,
        reward: npt.ArrayLike | None = None,
        clear: bool = True,
        start: ChipState | None = None,
        progress: Callable[[str, int, int], None] = lambda engine, done, samples: None,
    ) -> "Verification":
        """Run golden and another engine on the first samples, and compare all bit for bit.

        Compared are outputs, counters, spikes and states of every neuron in every tick, and,
        after each sample, a checksum of weights, tags, traces, adaptations and random states.

        Parameters
        ----------
        spikes, learning, reward, clear, start
            As for :meth:`run`.
        engine : str
            Besides golden.
        samples : int
            So many at most.
        progress : callable
            Told engine, samples done, and samples in all.

        Raises
        ------
        SpikeletError
            As :meth:`run`, or for fewer than 1 sample.
        """
        dense = self._checked(spikes)[: max(0, samples)]
        if not len(dense):
            raise self._error("verify: there must be 1 sample or more, not 0")
        result: Verification = import_module(_VERIFY).verify_plastic(
            self,
            dense,
            engine,
            reward=None if reward is None else np.asarray(reward)[: len(dense)],
            clear=clear,
            learning=learning,
            start=start,
            progress=progress,
        )
        return result

    def initial_state(self) -> ChipState:
        """Return the snapshot of the chip as compiled."""
        states = tuple(CoreState.cleared(core) for core in self.chip.cores)
        return ChipState(self.chip.digest, 0, self.image, states)

    def _checked(self, spikes: npt.ArrayLike | Samples) -> npt.NDArray[np.uint8]:
        """Return input spikes as an array; SpikeletError unless they fit."""
        dense = np.asarray(spikes.spikes if isinstance(spikes, Samples) else spikes)
        if dense.ndim != 3 or dense.shape[2] != self.n_inputs:
            raise self._error(
                f"input spikes must have shape (samples, ticks, {self.n_inputs}), not {dense.shape}"
            )
        wrong = (dense != 0) & (dense != 1)
        if wrong.any():
            sample, tick, line = (int(i) for i in np.argwhere(wrong)[0])
            raise self._error(
                f"input spikes must be 0 or 1, found {dense[sample, tick, line]} at sample "
                f"{sample}, tick {tick}, input {line}"
            )
        return dense.astype(np.uint8)

    def _error(self, message: str) -> SpikeletError:
        return SpikeletError(f"network {self.name!r}: {message}")

    def save(self, folder: str | Path, made: Artefact | None = None) -> None:
        """Write ``plastic.json``, ``plastic.npz`` and, last, the record with their digests.

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
        arrays: dict[str, npt.NDArray[Any]] = {"routes": self.routes}
        for index, core in enumerate(self.image.cores):
            arrays |= {f"core_{index}.{name}": values for name, values in core.to_arrays().items()}
        description = {
            "name": self.name,
            "dt": self.dt,
            "seed": self.seed,
            "chip": self.chip.to_dict(),
            "inputs": [asdict(group) for group in self.inputs],
            "populations": [asdict(population) for population in self.populations],
            "projections": [asdict(projection) for projection in self.projections],
            "outputs": self.outputs,
        }
        contents = {
            _NETWORK_FILE: json.dumps(description, indent=1).encode(),
            _ARRAYS_FILE: packed_arrays(arrays),
        }
        made = made or Artefact(PLASTIC, {})
        replace(made, kind=PLASTIC, version=FORMAT).write(Path(folder), contents)

    @classmethod
    def load(cls, folder: str | Path) -> "Plastic":
        """Read what :meth:`save` wrote.

        SpikeletError, naming the file, if one is missing, damaged, of another version, or not of
        the same run as the others.
        """
        path = Path(folder) / _NETWORK_FILE
        _, contents = Artefact.read(
            Path(folder),
            (_NETWORK_FILE, _ARRAYS_FILE),
            kind=PLASTIC,
            version=FORMAT,
            remedy=_COMPILE_AGAIN,
        )
        try:
            description = json.loads(contents[_NETWORK_FILE])
            arrays = read_arrays(contents[_ARRAYS_FILE], _ARRAYS_FILE, limit=None)
            return _rebuilt(description, arrays)
        except (SpikeletError, *MALFORMED) as error:
            raise SpikeletError(
                f"{path} does not describe a plastic network: "
                f"{error.args[0] if error.args else error}",
                remedy=_COMPILE_AGAIN,
            ) from error


def _rebuilt(description: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Plastic:
    chip = ChipParams.from_dict(description["chip"])
    image = ChipImage(
        tuple(
            CoreImage.from_arrays(arrays_under(arrays, f"core_{i}."))
            for i in range(len(chip.cores))
        )
    )
    image.check(chip)
    return Plastic(
        description["name"],
        description["dt"],
        description["seed"],
        chip,
        image,
        arrays["routes"],
        tuple(InputGroup(group["name"], tuple(group["shape"])) for group in description["inputs"]),
        tuple(PlacedPopulation(**entry) for entry in description["populations"]),
        tuple(PlacedProjection(**entry) for entry in description["projections"]),
        tuple(description["outputs"]),
    )
