"""Stages of a network as functions that open its project folder: build, report and learn."""

from pathlib import Path
from typing import Any

from spikelet.compiler.compile import Source
from spikelet.fpga.flow import FpgaReport
from spikelet.project import opened
from spikelet.project_learning import Learned
from spikelet.samples.plastic_samples import LearningSamples
from spikelet.samples.samples import Samples

__all__ = ["build", "learn", "report"]


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
