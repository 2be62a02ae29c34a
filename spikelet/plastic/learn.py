"""The whole of ``spikelet learn``: run, verify, save, export and report, in one folder.

==================  ===============================================================
``plastic/``        the network on its chip, before learning
``snapshot.npz``    all that a run needs to go on, with what was learned
``weights.npz``     learned weights by projection, and adaptations
``counts.npz``      spikes of each output population (epochs, samples, neurons); labels
``learned.nir``     the learned network for other simulators
``verification.json``  where golden was compared with RTL
``report/``         the HTML page and its pictures
==================  ===============================================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spikelet.description.image import ChipImage
from spikelet.description.state import ChipState
from spikelet.description.summary import summary
from spikelet.description.trace import AtomicFile
from spikelet.errors import SpikeletError
from spikelet.plastic.learned import Learned
from spikelet.plastic.nir_export import write_nir
from spikelet.plastic.report import LearningRun, write_learning_report
from spikelet.plastic.samples import LearningSamples
from spikelet.plastic.toml_file import LearningTask

if TYPE_CHECKING:
    from spikelet.road.verify import Verification

__all__ = ["COUNTS_FILE", "NIR_FILE", "VERIFICATION_FILE", "LearningResult", "learn"]

COUNTS_FILE = "counts.npz"
NIR_FILE = "learned.nir"
VERIFICATION_FILE = "verification.json"

_BATCH_BYTES = 1 << 27
"""Input spikes that are encoded, and run, at once."""

_MOST_RECORDED = 1 << 27
"""Weights of all ticks that the drawn sample may record; a longer sample is cut."""


@dataclass(frozen=True, eq=False)
class LearningResult:
    """What :func:`learn` made.

    Parameters
    ----------
    before : ChipImage
        Contents before the first epoch.
    learned : Learned
        At the end; its Trace is of the last samples only.
    verification : Verification or None
    not_in_nir : list of str
        What the NIR file does not express.
    report : Path
    """

    __repr__ = summary

    before: ChipImage
    learned: Learned
    verification: "Verification | None"
    not_in_nir: list[str]
    report: Path


def learn(
    task: LearningTask,
    samples: LearningSamples,
    folder: Path,
    *,
    engine: str = "golden",
    epochs: int = 1,
    learning: bool = True,
    resume: Path | None = None,
    verify: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> LearningResult:
    """Let a network learn from samples; leave everything in ``folder``.

    Parameters
    ----------
    task : LearningTask
    samples : LearningSamples
    folder : Path
    engine : str
        ``"golden"`` or ``"rtl"``.
    epochs : int
        How often all samples are shown, in the same order, 1 or more.
    learning : bool
        False: only run.
    resume : Path or None
        A snapshot to go on from.
    verify : int
        So many samples also run on golden and RTL, which are compared; 0: none.
    progress : callable
        Told what is going on, samples done, and samples in all.

    Raises
    ------
    SpikeletError
        If a part does not fit the others, or the folder cannot be written.
    """
    if epochs < 1 or verify < 0 or not len(samples):
        raise SpikeletError(
            f"learn: epochs and samples must be 1 or more, and verify 0 or more, not {epochs}, "
            f"{len(samples)}, {verify}"
        )
    plastic = task.plastic
    start = None if resume is None else ChipState.load(resume)
    first = start or plastic.initial_state()
    plastic.save(folder / "plastic")
    verification = None
    if verify:
        verification = plastic.verify(
            samples.spikes(last=verify),
            samples=verify,
            learning=learning,
            reward=samples.rewards(last=verify),
            start=start,
            progress=lambda name, done, total: progress(f"verify {name}", done, total),
        )
        verification.save(folder / VERIFICATION_FILE)
    learned, counts = _epochs(task, samples, engine, epochs, learning, start, progress)
    learned.save(folder, trace=False)
    with AtomicFile(folder / COUNTS_FILE) as file:
        found = {name: np.stack([epoch[name] for epoch in counts]) for name in plastic.outputs}
        if samples.labels is not None:
            found["labels"] = samples.labels
        np.savez_compressed(file, **found)  # type: ignore[arg-type]
    not_in_nir = write_nir(plastic, folder / NIR_FILE, image=learned.state.image)
    shown = _shown(task, samples, learned, learning=learning)
    run = LearningRun(learned, first.image, counts, shown, samples, learning, not_in_nir)
    report = write_learning_report(folder / "report", run, verification)
    return LearningResult(first.image, learned, verification, not_in_nir, report)


def _epochs(
    task: LearningTask,
    samples: LearningSamples,
    engine: str,
    epochs: int,
    learning: bool,
    start: ChipState | None,
    progress: Callable[[str, int, int], None],
) -> tuple[Learned, list[dict[str, npt.NDArray[np.int64]]]]:
    """Return the last batch of the last epoch, and the output spikes of all, by population."""
    sample = samples.spikes(last=1)
    at_once = max(1, _BATCH_BYTES // max(1, sample.size))
    counts = []
    for epoch in range(epochs):
        parts = []
        for first in range(0, len(samples), at_once):

            def report(
                done: int, what: str = f"{engine}, epoch {epoch + 1}", first: int = first
            ) -> None:
                progress(what, first + done, len(samples))

            learned = task.plastic.run(
                samples.spikes(epoch, first, first + at_once),
                engine=engine,
                learning=learning,
                reward=samples.rewards(first, first + at_once),
                start=start,
                record=(),
                progress=report,
            )
            start = learned.state
            parts.append(learned)
        counts.append(
            {n: np.concatenate([p.counts(n) for p in parts]) for n in task.plastic.outputs}
        )
    return learned, counts


def _shown(
    task: LearningTask, samples: LearningSamples, learned: Learned, *, learning: bool
) -> Learned:
    """Return the first sample as run from what was learned, with everything recorded."""
    spikes = samples.spikes(last=1)
    synapses = sum(core.n_axons * core.n_neurons for core in task.plastic.chip.cores)
    ticks = max(1, min(spikes.shape[1], _MOST_RECORDED // synapses))
    return task.plastic.run(
        spikes[:, :ticks],
        learning=learning,
        reward=None if samples.reward is None else samples.reward[:1, :ticks],
        start=learned.state,
        record=("spikes", "potentials", "learning"),
    )
