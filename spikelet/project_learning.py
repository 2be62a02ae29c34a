"""Learning in a project folder: epochs that can be resumed, and what was learned."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.locked import writing
from spikelet.runs.engines import engine_named
from spikelet.runs.epochs import Epochs
from spikelet.runs.learn import LearningRun, learn_from, making_of
from spikelet.runs.verification import Verification
from spikelet.samples.plastic_samples import LearningSamples

__all__ = ["Learned", "learn_in"]


@dataclass(frozen=True)
class Learned:
    """What :meth:`Project.learn` made: with what looks wrong in it, and the page."""

    run: LearningRun
    verification: Verification | None
    warnings: list[str]
    report: Path


def learn_in(
    folder: Path,
    compiled: CompiledNetwork,
    samples: LearningSamples,
    *,
    engine: str,
    epochs: int,
    learning: bool,
    start: Path | None,
    resume: bool,
    command: str,
    verified: Callable[[ChipState | None], Verification | None],
    progress: Callable[[str, int, int], None],
    liberty: Path | None = None,
) -> tuple[LearningRun, Verification | None]:
    """Let the network of a folder learn, and keep each epoch and the result there.

    Parameters
    ----------
    folder : Path
        Of the project.
    compiled : CompiledNetwork
        Of it.
    samples, engine, epochs, learning, start, resume, progress, liberty
        As for :meth:`spikelet.project.Project.learn`.
    command : str
        For the records.
    verified : callable
        Verifies some samples first, from the snapshot to begin with, if that is asked for.
    """
    begun = None if start is None else ChipState.load(start)
    if begun is not None:
        begun.check(compiled.chip)
    engine_named(engine)
    making = making_of(compiled, samples, engine, learning, start, command, liberty)
    with writing(folder):
        kept = Epochs(folder / "epochs", making)
        if resume:
            kept.check_resumable(folder)
        else:
            kept.clear()
        verification = verified(begun)
        learned = learn_from(
            compiled,
            samples,
            engine=engine,
            epochs=epochs,
            learning=learning,
            start=begun,
            kept=kept,
            folder=folder,
            liberty=liberty,
            progress=progress,
        )
        made = replace(making, options={**making.options, "epochs": epochs})
        made.write(folder / "learned", learned.contents())
    return learned, verification
