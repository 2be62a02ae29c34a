"""The verbs that work in a project folder, as functions."""

from pathlib import Path
from typing import Any

from spikelet.compiler.compile import Source, compile_network
from spikelet.description.artefact import Artefact, digests_of_files
from spikelet.description.errors import SpikeletError
from spikelet.fpga.flow import FpgaReport
from spikelet.locked import writing
from spikelet.project import Learned, Project
from spikelet.samples.plastic_samples import LearningSamples
from spikelet.samples.samples import Samples

__all__ = ["build", "learn", "opened", "report"]


def opened(
    source: Source, folder: Path | None, command: str = "", seed: int | None = None
) -> Project:
    """Return the project of a folder, or the one that a network is compiled into.

    A folder that holds the network of the same NIR file, compiled with whatever options, is used as
    it is; a TOML file says all by itself, and is compiled again.

    Parameters
    ----------
    source : path or network
        A project folder, or what :func:`compile_network` takes.
    folder : Path or None
        Of the project; needed unless ``source`` is one.
    command : str
    seed : int or None
        As for :func:`compile_network`.

    Raises
    ------
    SpikeletError
        If there is no folder to work in, or the network cannot be compiled.
    """
    path = Path(source) if isinstance(source, str | Path) else None
    if path and path.is_dir() and folder in (None, path):
        return Project(path, command)
    if folder is None:
        if path and not path.exists():
            raise SpikeletError(f"{path} does not exist", remedy="give a network or project folder")
        raise SpikeletError(
            f"{path or 'the network'} is no project folder, and there is none to work in",
            remedy="name one: -o FOLDER, or folder= in Python",
        )
    project = Project(folder, command)
    if path and path.suffix.lower() != ".toml":
        made = Artefact.load(folder / "compiled")
        present = digests_of_files({"network file": path})[0] if path.is_file() else {}
        if made and present.items() and present.items() <= made.inputs.items():
            return project
    with writing(folder):
        project.keep(compile_network(source, seed=seed), path)
    return project


def build(
    source: Source,
    target: str,
    samples: Samples | None = None,
    *,
    folder: Path | None = None,
    **options: Any,
) -> FpgaReport:
    """Build a network for a board or device; see :func:`opened` and :meth:`Project.build`."""
    return opened(source, folder).build(target, samples, **options)


def report(source: Source, *, folder: Path | None = None, sample: int = 0) -> Path:
    """Write one HTML page of a network; see :func:`opened` and :meth:`Project.report`."""
    return opened(source, folder).report(sample)[0]


def learn(
    source: Source, samples: LearningSamples, *, folder: Path | None = None, **options: Any
) -> Learned:
    """Let a network learn from samples; see :func:`opened` and :meth:`Project.learn`."""
    return opened(source, folder).learn(samples, **options)
