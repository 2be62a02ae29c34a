"""Show a network samples, epoch after epoch, and keep what it learned.

=================  ================================================================
``snapshot.npz``   all that a run needs to go on, with what was learned
``weights.npz``    learned weights by projection, and kept states
``counts.npz``     spikes of each output population (epochs, samples, neurons); labels
``sample.npz``     the first sample, as it is drawn in the report
``before.npz``     the snapshot before the first epoch, if one was given
``learned.nir``    the learned network for other simulators, where NIR has such neurons
=================  ================================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, compiled_from
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.array_files import packed_arrays, read_arrays
from spikelet.description.artefact import Artefact, OutOfDate, digests_of_files
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.integer_layers import IntegerProjection, Weights
from spikelet.nir.export import to_nir
from spikelet.runs.engines import engine_tools
from spikelet.runs.epochs import Counts, Epochs, run_epoch
from spikelet.runs.run import run
from spikelet.runs.run_result import SNAPSHOT_FILE, WEIGHTS_FILE, Run, weights_file
from spikelet.samples.plastic_samples import LearningSamples
from spikelet.samples.samples import Samples

__all__ = [
    "COUNTS_FILE",
    "NIR_FILE",
    "LearningRun",
    "learn_from",
    "making_of",
    "read_learned",
]

COUNTS_FILE = "counts.npz"
NIR_FILE = "learned.nir"
_SAMPLE_FILE, _BEFORE_FILE = "sample.npz", "before.npz"

_LEARNED = "learned network"
_MOST_RECORDED = 1 << 27
"""Weights of all ticks that the drawn sample may record; a longer sample is cut."""


@dataclass(frozen=True, eq=False)
class LearningRun:
    """What a network has learned.

    Parameters
    ----------
    compiled : CompiledNetwork
    before : ChipState or None
        The snapshot before the first epoch; None: the network as compiled.
    state : ChipState
        After the last epoch.
    counts : list of dict of array of int64, shape (samples, size)
        Of each epoch, by output population.
    sample : Samples
        The first of the samples.
    learning : bool
        Whether learning was on.
    labels : array of int64, shape (samples,), or None
    """

    __repr__ = summary

    compiled: CompiledNetwork
    before: ChipState | None
    state: ChipState
    counts: Sequence[Counts]
    sample: Samples
    learning: bool = True
    labels: npt.NDArray[np.int64] | None = field(default=None, repr=False)

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return len(next(iter(self.counts[0].values())))

    @property
    def plastic_projections(self) -> list[IntegerProjection]:
        """Those that learn."""
        return [p for p in self.compiled.network.projections if p.rule]

    def weights(self, source: str, target: str) -> tuple[Weights, Weights]:
        """Return a projection's weights before and after: (n_source, n_target)."""
        first = self.before.image if self.before else None
        before, after = (
            self.compiled.weights(source, target, image) for image in (first, self.state.image)
        )
        return before, after

    def output_counts(self, name: str) -> npt.NDArray[np.int64]:
        """Return an output population's spikes, one epoch behind another: (samples, size)."""
        return np.concatenate([counts[name] for counts in self.counts])

    @cached_property
    def shown(self) -> Run:
        """The sample as golden runs it from what was learned, with everything recorded."""
        synapses = sum(core.n_axons * core.n_neurons for core in self.compiled.chip.cores)
        ticks = max(1, min(self.sample.spikes.shape[1], _MOST_RECORDED // synapses))
        reward = self.sample.reward
        return run(
            self.compiled,
            self.sample.spikes[:, :ticks],
            learning=self.learning,
            reward=None if reward is None else reward[:, :ticks],
            start=self.state,
            record=("spikes", "states", "learning"),
        )

    @cached_property
    def nir(self) -> tuple[bytes | None, list[str]]:
        """The learned network as a NIR file, and what that does not express.

        None, and why, for a network that cannot be written as one.
        """
        try:
            return to_nir(self.compiled.with_learned(self.state.image))
        except SpikeletError as error:
            return None, [str(error.args[0])]

    def contents(self) -> dict[str, bytes]:
        """Return the contents of the run's files by name."""
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.stack([epoch[name] for epoch in self.counts]) for name in self.counts[0]
        }
        if self.labels is not None:
            arrays["labels"] = self.labels
        sample: dict[str, npt.NDArray[Any]] = {"spikes": self.sample.spikes}
        if self.sample.reward is not None:
            sample["reward"] = self.sample.reward
        optional = {
            _BEFORE_FILE: self.before.to_bytes() if self.before else None,
            NIR_FILE: self.nir[0],
        }
        return {
            SNAPSHOT_FILE: self.state.to_bytes(),
            WEIGHTS_FILE: weights_file(self.compiled, self.state.image),
            COUNTS_FILE: packed_arrays(arrays),
            _SAMPLE_FILE: packed_arrays(sample),
            **{name: contents for name, contents in optional.items() if contents is not None},
        }

    @classmethod
    def load(cls, folder: Path, compiled: CompiledNetwork, learning: bool) -> "LearningRun":
        """Read what :meth:`contents` gave; SpikeletError for a file that cannot be used."""
        before = folder / _BEFORE_FILE
        arrays = read_arrays(folder / COUNTS_FILE, "the spike counts of epochs")
        labels = arrays.pop("labels", None)
        epochs = len(next(iter(arrays.values())))
        sample = read_arrays(folder / _SAMPLE_FILE, "a sample")
        return cls(
            compiled,
            ChipState.load(before) if before.exists() else None,
            ChipState.load(folder / SNAPSHOT_FILE),
            [{name: counts[i] for name, counts in arrays.items()} for i in range(epochs)],
            Samples(sample["spikes"], reward=sample.get("reward")),
            learning,
            labels,
        )


def learn_from(
    source: Source,
    samples: LearningSamples,
    *,
    engine: str = "golden",
    epochs: int = 1,
    learning: bool = True,
    start: ChipState | None = None,
    kept: Epochs | None = None,
    folder: Path | None = None,
    liberty: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> LearningRun:
    """Let a network learn from samples.

    Parameters
    ----------
    source : path or network
        As for :func:`run`.
    samples : LearningSamples
    engine : str
        Of :func:`engines`; the cocotb engines cannot go on from a batch to the next.
    epochs : int
        How often all samples are shown, in the same order, 1 or more.
    learning : bool
        False: only run.
    start : ChipState or None
        A snapshot to begin with in the place of the network as described.
    kept : Epochs or None
        Where each epoch is kept; those that are there are not run again.
    folder : Path or None
        The project folder, for engines that need one.
    liberty : Path or None
        Library of standard cells (liberty file) of engine ``netlist-cells``.
    progress : callable
        Told what is going on, samples done, and samples in all.

    Raises
    ------
    SpikeletError
        If a part does not fit the others, or nothing is to be done.
    """
    if epochs < 1 or not len(samples):
        raise SpikeletError(
            f"learn: epochs and samples must be 1 or more, not {epochs} and {len(samples)}"
        )
    if samples.lengths is not None:
        raise SpikeletError(
            "learn: samples have lengths, and a network would go on learning in the padding",
            remedy="learn from samples of each length by themselves; or leave lengths out, so that "
            "padding is time",
        )
    compiled = compiled_from(source)
    counts, state = kept.first(epochs) if kept else ([], None)
    state = state or start
    for epoch in range(len(counts), epochs):
        state, found = run_epoch(
            compiled,
            samples,
            epoch,
            engine=engine,
            learning=learning,
            start=state,
            folder=folder,
            liberty=liberty,
            progress=progress,
        )
        counts.append(found)
        if kept:
            kept.keep(epoch, state, found)
    assert state is not None
    return LearningRun(compiled, start, state, counts, samples.first(1), learning, samples.labels)


def making_of(
    compiled: CompiledNetwork,
    samples: LearningSamples,
    engine: str,
    learning: bool,
    start: Path | None,
    command: str,
    liberty: Path | None = None,
) -> Artefact:
    """Return the record of everything that an epoch depends on."""
    inputs, sources = digests_of_files(
        {"samples file": samples.path, "snapshot file": start, "liberty file": liberty}
    )
    return Artefact(
        _LEARNED,
        {**compiled.digests, "samples": samples.digest, **inputs},
        options={"engine": engine, "learning": learning, "seed": compiled.network.seed},
        tools=engine_tools("golden") | engine_tools(engine),
        command=command,
        sources=sources,
    )


def read_learned(
    folder: Path, compiled: CompiledNetwork
) -> tuple[LearningRun | None, list[Artefact], list[OutOfDate]]:
    """Return what was learned, and its record, if it was by this network; or that it is not."""
    made = Artefact.load(folder)
    if made is None:
        return None, [], []
    old = made.out_of_date(compiled.digests)
    if old is None and not made.intact(folder):
        old = OutOfDate(_LEARNED, ("its files are not those that were written",), made.command)
    if old:
        return None, [], [old]
    try:
        return LearningRun.load(folder, compiled, bool(made.options["learning"])), [made], []
    except (SpikeletError, KeyError) as error:
        return None, [], [OutOfDate(_LEARNED, (str(error.args[0]),), made.command)]
