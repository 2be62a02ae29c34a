"""Trace: the record of a run, the same for every engine, compared bit for bit."""

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spikelet.errors import SpikeletError

__all__ = ["AtomicFile", "Difference", "Trace"]


@dataclass(frozen=True)
class Difference:
    """The first place where two Traces differ; ``-1`` where an index does not apply."""

    what: str
    sample: int
    tick: int
    core: int
    index: int
    expected: int
    got: int

    def __str__(self) -> str:
        places = (("sample", self.sample), ("tick", self.tick), ("core", self.core))
        where = ", ".join(f"{name} {value}" for name, value in places if value >= 0)
        unit = {"outputs": "output line", "spikes": "neuron", "potentials": "neuron"}.get(self.what)
        where += f", {unit} {self.index}" if unit and self.index >= 0 else ""
        return f"{self.what} differ first at {where}: expected {self.expected}, got {self.got}"


@dataclass
class Trace:
    """What a chip did with a batch of samples, each from a cleared state.

    Parameters
    ----------
    engine : str
        Who ran it: ``"golden"``, ``"rtl"``, ``"netlist-ecp5"`` and the like.
    outputs : array of uint16, shape (samples, ticks, n_outputs)
        Spikes that reached the host, counted by output line.
    active_axons : array of int32, shape (samples, ticks, cores)
        Axons found active.
    merged_spikes : array of int32, shape (samples, cores)
        Spikes that merged into an arrival already due at the same axon and tick.
    neurons : tuple of int
        Neurons in use in each core, for the count of synaptic operations.
    spikes : list of arrays of bool, shape (samples, ticks, n_neurons), or None
        Per core, where recorded.
    potentials : list of arrays of int32, shape (samples, ticks, n_neurons), or None
        Per core, after each tick, in potential LSBs, where recorded.
    cycles : array of int64, shape (samples, ticks), or None
        Clock cycles of each tick, from its start to the barrier: measured, or predicted by golden's
        cost model. Not part of equality.
    """

    engine: str
    outputs: npt.NDArray[np.uint16]
    active_axons: npt.NDArray[np.int32]
    merged_spikes: npt.NDArray[np.int32]
    neurons: tuple[int, ...]
    spikes: list[npt.NDArray[np.bool_]] | None = None
    potentials: list[npt.NDArray[np.int32]] | None = None
    cycles: npt.NDArray[np.int64] | None = None
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

    def first(self, samples: int) -> "Trace":
        """Return the Trace of the first so many samples."""

        def part(arrays: list[Any] | None) -> list[Any] | None:
            return None if arrays is None else [array[:samples] for array in arrays]

        return Trace(
            self.engine,
            self.outputs[:samples],
            self.active_axons[:samples],
            self.merged_spikes[:samples],
            self.neurons,
            spikes=part(self.spikes),
            potentials=part(self.potentials),
            cycles=None if self.cycles is None else self.cycles[:samples],
            notes=self.notes,
        )

    def first_difference(self, expected: "Trace") -> Difference | None:
        """Return where this Trace first departs from ``expected``, or None if they are equal.

        Outputs, counters, and whatever both recorded of spikes and potentials are compared; the
        earliest tick of the first differing sample wins. SpikeletError if the runs have other
        sizes.
        """
        if self.outputs.shape != expected.outputs.shape:
            raise SpikeletError(
                f"cannot compare a Trace of shape {self.outputs.shape} ({self.engine}) "
                f"with one of {expected.outputs.shape} ({expected.engine})"
            )
        found = []
        for what in ("potentials", "spikes"):
            mine, theirs = getattr(self, what), getattr(expected, what)
            if mine is not None and theirs is not None:
                for core, (got, want) in enumerate(zip(mine, theirs, strict=True)):
                    found.append(_differ(what, core, want, got))
        found.append(_differ("outputs", -1, expected.outputs, self.outputs))
        for core in range(len(self.neurons)):
            want, got = expected.active_axons[..., core, None], self.active_axons[..., core, None]
            found.append(_differ("active_axons", core, want, got))
        for core in range(len(self.neurons)):
            want, got = expected.merged_spikes[:, core], self.merged_spikes[:, core]
            found.append(_differ("merged_spikes", core, want[:, None, None], got[:, None, None]))
        differences = [difference for difference in found if difference]
        return min(differences, key=lambda d: (d.sample, d.tick), default=None)

    def compared(self, expected: "Trace") -> list[str]:
        """Return the names of what :meth:`first_difference` compares with ``expected``."""
        optional = ("spikes", "potentials")
        both = [
            w for w in optional if getattr(self, w) is not None and getattr(expected, w) is not None
        ]
        return ["outputs", "active_axons", "merged_spikes", *both]

    def save(self, path: Path) -> None:
        """Write to ``path`` (compressed .npz); a half-written file never appears there."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "outputs": self.outputs,
            "active_axons": self.active_axons,
            "merged_spikes": self.merged_spikes,
            "neurons": np.array(self.neurons),
            "header": np.array(json.dumps({"engine": self.engine, "notes": self.notes})),
        }
        if self.cycles is not None:
            arrays["cycles"] = self.cycles
        for what in ("spikes", "potentials"):
            for core, values in enumerate(getattr(self, what) or []):
                arrays[f"{what}_{core}"] = values
        with AtomicFile(path) as temporary:
            np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "Trace":
        """Read what :meth:`save` wrote; SpikeletError if the file is missing or damaged."""
        try:
            with open(path, "rb") as file, np.load(file) as data:
                arrays = dict(data)
            header = json.loads(str(arrays.pop("header")))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise SpikeletError(f"{path} is not a readable Trace: {error}") from error
        recorded: dict[str, Any] = {}
        for what in ("spikes", "potentials"):
            n_recorded = sum(name.startswith(f"{what}_") for name in arrays)
            recorded[what] = [arrays[f"{what}_{core}"] for core in range(n_recorded)] or None
        return cls(
            header["engine"],
            arrays["outputs"],
            arrays["active_axons"],
            arrays["merged_spikes"],
            tuple(arrays["neurons"].tolist()),
            cycles=arrays.get("cycles"),
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
    sample, tick, index = (int(i) for i in place)
    return Difference(what, sample, tick, core, index, int(expected[place]), int(got[place]))


class AtomicFile:
    """Context manager: a temporary file beside ``path`` that replaces it on success only."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __enter__(self) -> Any:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        self.temporary = Path(name)
        self.file = os.fdopen(descriptor, "wb")
        return self.file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.file.close()
        if kind is None:
            os.chmod(self.temporary, 0o644)
            self.temporary.replace(self.path)
        else:
            self.temporary.unlink()
