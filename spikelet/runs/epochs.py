"""Epochs of a learning run: each run in batches, and kept so that the run can be resumed."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.array_files import packed_arrays, read_arrays
from spikelet.description.artefact import Artefact
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.runs.run import run
from spikelet.runs.run_result import SNAPSHOT_FILE
from spikelet.samples.plastic_samples import LearningSamples

__all__ = ["Counts", "Epochs", "run_epoch"]

_BATCH_BYTES = 1 << 27
"""Input spikes that are encoded, and run, at once."""

_COUNTS = "counts.npz"

Counts = dict[str, npt.NDArray[np.int64]]


def run_epoch(
    compiled: CompiledNetwork,
    samples: LearningSamples,
    epoch: int,
    *,
    engine: str,
    learning: bool,
    start: ChipState | None,
    folder: Path | None,
    progress: Callable[[str, int, int], None],
    liberty: Path | None = None,
) -> tuple[ChipState, Counts]:
    """Show all samples once.

    Returns
    -------
    ChipState
        After the last of them.
    dict of array of int64, shape (samples, size)
        Output spikes of all samples, by output population.
    """
    sample = samples.spikes(last=1)
    at_once = max(1, _BATCH_BYTES // max(1, sample.size))
    outputs = compiled.network.outputs
    parts: list[Counts] = []
    for first in range(0, len(samples), at_once):

        def report(done: int, first: int = first) -> None:
            progress(f"{engine}, epoch {epoch + 1}", first + done, len(samples))

        ran = run(
            compiled,
            samples.spikes(epoch, first, first + at_once),
            engine,
            learning=learning,
            reward=samples.rewards(first, first + at_once),
            start=start,
            record=(),
            folder=folder,
            progress=report,
            liberty=liberty,
        )
        start = ran.final
        parts.append({name: ran.counts(name) for name in outputs})
    assert start is not None
    return start, {n: np.concatenate([part[n] for part in parts]) for n in outputs}


@dataclass(frozen=True)
class Epochs:
    """The epochs of a run that have ended.

    Parameters
    ----------
    folder : Path
    making : Artefact
        What the run depends on.
    """

    folder: Path
    making: Artefact

    def clear(self) -> None:
        """Remove all of them, of this run or another."""
        for place in self.folder.glob("*/"):
            Artefact.remove(place)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            shutil.rmtree(self.folder)

    def check_resumable(self, folder: Path) -> None:
        """Raise SpikeletError, saying what differs, unless the first epoch is of this run."""
        wanted, found = self._record(0), Artefact.load(self._place(0))
        if found is None:
            raise SpikeletError(
                f"there is nothing to resume in {folder}: no epoch has ended there",
                remedy="leave --resume out",
            )
        if not found.same_making(wanted):
            old = found.out_of_date(wanted.inputs, wanted.tools)
            reasons = "; ".join(old.reasons) if old else f"{found.options} is {wanted.options}"
            raise SpikeletError(
                f"{folder} holds epochs of another run: {reasons}",
                remedy="resume with the same files and options, or leave --resume out",
            )

    def first(self, most: int) -> tuple[list[Counts], ChipState | None]:
        """Return the counts of the first epochs, ``most`` of them at most, and the last's state."""
        counts: list[Counts] = []
        state = None
        while len(counts) < most:
            place, wanted = self._place(len(counts)), self._record(len(counts))
            found = Artefact.load(place)
            if found is None or not found.same_making(wanted) or not found.intact(place):
                break
            counts.append(read_arrays(place / _COUNTS, "the spike counts of an epoch"))
            state = ChipState.load(place / SNAPSHOT_FILE)
        return counts, state

    def keep(self, epoch: int, state: ChipState, counts: Counts) -> None:
        """Keep what an epoch has led to; SpikeletError if the folder cannot be written."""
        contents = {SNAPSHOT_FILE: state.to_bytes(), _COUNTS: packed_arrays(counts)}
        self._record(epoch).write(self._place(epoch), contents)

    def _place(self, epoch: int) -> Path:
        return self.folder / f"{epoch + 1:04}"

    def _record(self, epoch: int) -> Artefact:
        return replace(self.making, kind=f"epoch {epoch + 1} of learning")
