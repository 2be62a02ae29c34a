"""Recording: the record of a run, the same for every engine, compared bit for bit."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import arrays_under, packed_arrays, read_arrays
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.neuron_words import state_type
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.summary import summary

__all__ = ["Difference", "Recording", "learned_fields", "recorded_states"]

_UNITS = {
    "outputs": "output line",
    "random": "lane",
    "x1": "axon",
    "x2": "axon",
}
"""What the index of a difference counts, where it is not a neuron."""

_WHOLE = ("active_axons", "merged_spikes", "checksums", "ticks_run")
"""What has one value for a core, or a sample."""

_OF_SAMPLES = ("checksums", "ticks_run")
"""What holds for a whole sample."""

_PER_CORE = ("spikes", "states", "learned")
"""What is recorded core by core."""

_NAMES = {"states": "states", "learned": "learned values"}
"""What is recorded by names, for messages."""

_AT_END = 1 << 62
"""Where the comparison puts what holds for a whole sample."""


def learned_fields(core: CoreParams) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Return shape and type of what ``Recording.learned`` has of a core after each tick, by name.

    States of the neurons that ``clear`` keeps; and of a plastic core weights, and tags, traces,
    LFSRs and devices as far as there are.
    """
    rule = core.learning
    kept: dict[str, tuple[tuple[int, ...], type[np.generic]]]
    kept = dict.fromkeys(core.update.kept, ((core.n_neurons,), np.int32))
    if rule is None:
        return kept
    synapses = (core.n_axons, core.n_neurons)
    fields: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {"weights": (synapses, np.int16)}
    if rule.tag_bits:
        fields["tags"] = (synapses, np.int8)
    fields |= dict.fromkeys(rule.pre_traces, ((core.n_axons,), np.int32))
    fields |= dict.fromkeys(rule.post_traces, ((core.n_neurons,), np.int32))
    fields |= kept
    if rule.stochastic:
        fields["random"] = ((core.lanes,), np.uint32)
    if rule.devices:
        fields["devices"] = ((rule.devices.count, *synapses), np.int32)
        fields["selected"] = ((1,), np.int32)
    return fields


def recorded_states(core: CoreParams) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Return shape and type of what ``Recording.states`` has of a core after each tick, by name.

    Of each neuron the states that ``clear`` clears, but for ``fired``, which are the spikes; flags
    are bool, counts uint8.
    """
    return {
        name: ((core.n_neurons,), state_type(core, name))
        for name in core.update.states
        if name != "fired"
    }


@dataclass(frozen=True)
class Difference:
    """The first place where two Recordings differ; ``-1`` where an index does not apply."""

    what: str
    sample: int
    tick: int
    core: int
    index: int
    expected: int
    got: int
    axon: int = -1

    def __str__(self) -> str:
        unit = "" if self.what in _WHOLE else _UNITS.get(self.what, "neuron")
        places = (
            *(("sample", self.sample), ("tick", self.tick), ("core", self.core)),
            *(("axon", self.axon), (unit, self.index if unit else -1)),
        )
        where = ", ".join(f"{name} {value}" for name, value in places if value >= 0)
        return f"{self.what} differ first at {where}: expected {self.expected}, got {self.got}"


@dataclass
class Recording:
    """What a chip did with a batch of samples, each from a cleared state or going on.

    Parameters
    ----------
    engine : str
        Who ran it: ``"golden"``, ``"rtl"``, ``"netlist-FAMILY"`` and the like.
    outputs : array of uint16, shape (samples, ticks, n_outputs)
        Spikes that reached the host, counted by output line.
    active_axons : array of int32, shape (samples, ticks, cores)
        Axons found active, each as often as its count of spikes.
    merged_spikes : array of int32, shape (samples, cores)
        Spikes that merged into an arrival already due at the same axon and tick; of counts, those
        above their largest.
    neurons : tuple of int
        Neurons in use in each core, for the count of synaptic operations.
    spikes : list of arrays of bool, shape (samples, ticks, n_neurons), or None
        Per core, where recorded; uint8, counts, of a core whose neurons send graded spikes.
    states : list of dict of arrays, shape (samples, ticks, n_neurons), or None
        Per core, where recorded: the states of the neurons that ``clear`` clears, but for
        ``fired``, after each tick, by name; the potential, ``v``, in potential LSBs.
    cycles : array of int64, shape (samples, ticks), or None
        Clock cycles of each tick, from its start to the barrier: measured, or predicted by golden's
        cost model. Not part of equality.
    learned : list of dict of arrays, shapes (samples, ticks, ...), or None
        Per core, where recorded: weights, tags, ``x1``, ``x2``, ``y1`` to ``y3``, adaptations and
        LFSRs after each tick; see :func:`learned_fields`.
    checksums : array of uint32, shape (samples, cores), or None
        :meth:`ChipState.checksums` after each sample, where recorded.
    ticks_run : array of int64, shape (samples,), or None
        Ticks after which each sample was stopped by its first output spike, or all ticks, of a run
        with early stop; what was not run is 0 everywhere. None: all ticks of all samples were run.
    """

    __repr__ = summary

    engine: str
    outputs: npt.NDArray[np.uint16]
    active_axons: npt.NDArray[np.int32]
    merged_spikes: npt.NDArray[np.int32]
    neurons: tuple[int, ...]
    spikes: list[npt.NDArray[Any]] | None = None
    states: list[dict[str, npt.NDArray[Any]]] | None = None
    cycles: npt.NDArray[np.int64] | None = None
    learned: list[dict[str, npt.NDArray[Any]]] | None = None
    checksums: npt.NDArray[np.uint32] | None = None
    ticks_run: npt.NDArray[np.int64] | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Samples in the batch."""
        return int(self.outputs.shape[0])

    @property
    def ticks(self) -> int:
        """Ticks of each sample."""
        return int(self.outputs.shape[1])

    @property
    def synaptic_operations(self) -> npt.NDArray[np.int64]:
        """SOPs, shape (samples, ticks, cores): active axons times neurons in use."""
        return self.active_axons.astype(np.int64) * np.array(self.neurons, np.int64)

    def ends(self) -> npt.NDArray[np.int64]:
        """Return how many ticks were run of each sample, shape (samples,)."""
        if self.ticks_run is None:
            return np.full(self.samples, self.ticks, np.int64)
        return self.ticks_run

    def first(self, samples: int) -> "Recording":
        """Return the Recording of the first so many samples."""

        def part(arrays: list[Any] | None) -> list[Any] | None:
            return None if arrays is None else [array[:samples] for array in arrays]

        def named(cores: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
            if cores is None:
                return None
            return [{name: values[:samples] for name, values in core.items()} for core in cores]

        return Recording(
            self.engine,
            self.outputs[:samples],
            self.active_axons[:samples],
            self.merged_spikes[:samples],
            self.neurons,
            spikes=part(self.spikes),
            states=named(self.states),
            cycles=None if self.cycles is None else self.cycles[:samples],
            learned=named(self.learned),
            checksums=None if self.checksums is None else self.checksums[:samples],
            ticks_run=None if self.ticks_run is None else self.ticks_run[:samples],
            notes=self.notes,
        )

    def first_difference(self, expected: "Recording") -> Difference | None:
        """Return where this Recording first departs from ``expected``, or None if they are equal.

        Outputs, counters, and whatever both recorded of spikes, potentials, what was learned and
        checksums are compared; the earliest tick of the first differing sample wins. SpikeletError
        if the runs have other sizes.
        """
        if self.outputs.shape != expected.outputs.shape:
            raise SpikeletError(
                f"cannot compare a Recording of shape {self.outputs.shape} ({self.engine}) "
                f"with one of {expected.outputs.shape} ({expected.engine})"
            )
        found = [_differ(*pair) for pair in self._pairs(expected)]
        differences = [difference for difference in found if difference]
        return min(
            differences, key=lambda d: (d.sample, d.tick if d.tick >= 0 else _AT_END), default=None
        )

    def _pairs(
        self, expected: "Recording"
    ) -> Iterator[tuple[str, int, npt.NDArray[Any], npt.NDArray[Any]]]:
        """Yield (what, core, expected, got) of arrays (samples, ticks, ...), 1 tick for counts."""
        yield from self._named_pairs(expected, "states")
        if self.spikes is not None and expected.spikes is not None:
            for core, (got, want) in enumerate(zip(self.spikes, expected.spikes, strict=True)):
                yield "spikes", core, want, got
        yield from self._named_pairs(expected, "learned")
        if self.ticks_run is not None or expected.ticks_run is not None:
            mine, theirs = (trace.ends()[:, None, None] for trace in (self, expected))
            yield "ticks_run", -1, theirs, mine
        yield "outputs", -1, expected.outputs, self.outputs
        for core in range(len(self.neurons)):
            yield (
                "active_axons",
                core,
                expected.active_axons[..., core, None],
                self.active_axons[..., core, None],
            )
        for what in ("merged_spikes", "checksums"):
            mine, theirs = getattr(self, what), getattr(expected, what)
            if mine is not None and theirs is not None:
                for core in range(len(self.neurons)):
                    yield what, core, theirs[:, None, [core]], mine[:, None, [core]]

    def _named_pairs(
        self, expected: "Recording", what: str
    ) -> Iterator[tuple[str, int, npt.NDArray[Any], npt.NDArray[Any]]]:
        mine, theirs = getattr(self, what), getattr(expected, what)
        if mine is None or theirs is None:
            return
        for core, (got, want) in enumerate(zip(mine, theirs, strict=True)):
            if got.keys() != want.keys():
                raise SpikeletError(
                    f"cannot compare the {_NAMES[what]} of core {core}: "
                    f"{', '.join(got) or 'nothing'} "
                    f"({self.engine}) with {', '.join(want) or 'nothing'} ({expected.engine})"
                )
            for name in want:
                yield name, core, want[name], got[name]

    def compared(self, expected: "Recording") -> list[str]:
        """Return the names of what :meth:`first_difference` compares with ``expected``."""
        optional = ("spikes", "states", "learned", "checksums", "ticks_run")
        both = [
            w for w in optional if getattr(self, w) is not None and getattr(expected, w) is not None
        ]
        return ["outputs", "active_axons", "merged_spikes", *both]

    def save(self, path: Path) -> None:
        """Write to ``path`` (compressed .npz); a half-written file never appears there."""
        with AtomicFile(path) as file:
            file.write(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the contents of the file that :meth:`save` writes."""
        recorded = [what for what in _PER_CORE if getattr(self, what) is not None]
        header = {"engine": self.engine, "notes": self.notes, "recorded": recorded}
        arrays: dict[str, npt.NDArray[Any]] = {
            "outputs": self.outputs,
            "active_axons": self.active_axons,
            "merged_spikes": self.merged_spikes,
            "neurons": np.array(self.neurons),
            "header": np.array(json.dumps(header)),
        }
        if self.cycles is not None:
            arrays["cycles"] = self.cycles
        for core, values in enumerate(self.spikes or []):
            arrays[f"spikes.{core}"] = values
        for what in ("states", "learned"):
            for core, named in enumerate(getattr(self, what) or []):
                arrays |= {f"{what}.{core}.{name}": values for name, values in named.items()}
        for what in ("checksums", "ticks_run"):
            if getattr(self, what) is not None:
                arrays[what] = getattr(self, what)
        return packed_arrays(arrays)

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """Read what :meth:`save` wrote; SpikeletError if the file is missing or damaged."""
        try:
            arrays = read_arrays(path, "a Recording that Spikelet saved", limit=None)
            return cls._from_arrays(arrays, json.loads(str(arrays["header"])))
        except (SpikeletError, *MALFORMED) as error:
            raise SpikeletError(f"{path} is not a readable Recording: {error.args[0]}") from error

    @classmethod
    def _from_arrays(
        cls, arrays: dict[str, npt.NDArray[Any]], header: dict[str, Any]
    ) -> "Recording":
        cores = range(len(arrays["neurons"]))
        recorded: dict[str, Any] = {}
        for what in header["recorded"]:
            recorded[what] = [
                arrays[f"spikes.{core}"]
                if what == "spikes"
                else arrays_under(arrays, f"{what}.{core}.")
                for core in cores
            ]
        return cls(
            header["engine"],
            arrays["outputs"],
            arrays["active_axons"],
            arrays["merged_spikes"],
            tuple(arrays["neurons"].tolist()),
            cycles=arrays.get("cycles"),
            checksums=arrays.get("checksums"),
            ticks_run=arrays.get("ticks_run"),
            notes=header["notes"],
            **recorded,
        )


def _differ(
    what: str, core: int, expected: npt.NDArray[Any], got: npt.NDArray[Any]
) -> Difference | None:
    unequal = expected != got
    if not unequal.any():
        return None
    place = np.unravel_index(int(np.argmax(unequal)), unequal.shape)
    sample, tick, *axon, index = (int(i) for i in place)
    if what in _OF_SAMPLES:
        tick = -1
    values = int(expected[place]), int(got[place])
    return Difference(what, sample, tick, core, index, *values, *axon)
