"""What was learned, on disk: what it was made of, and whether it belongs to a network."""

from pathlib import Path

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate, digests_of_files
from spikelet.description.errors import SpikeletError
from spikelet.runs.engines import engine_tools
from spikelet.runs.learn import LearningRun
from spikelet.samples.plastic_samples import LearningSamples

__all__ = ["making_of", "read_learned"]

_KIND = "learned network"


def making_of(
    compiled: CompiledNetwork,
    samples: LearningSamples,
    engine: str,
    learning: bool,
    start: Path | None,
    command: str,
) -> Artefact:
    """Return the record of everything that an epoch depends on."""
    inputs, sources = digests_of_files({"samples file": samples.path, "snapshot file": start})
    return Artefact(
        _KIND,
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
        old = OutOfDate(_KIND, ("its files are not those that were written",), made.command)
    if old:
        return None, [], [old]
    try:
        return LearningRun.load(folder, compiled, bool(made.options["learning"])), [made], []
    except (SpikeletError, KeyError) as error:
        return None, [], [OutOfDate(_KIND, (str(error.args[0]),), made.command)]
