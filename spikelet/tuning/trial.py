"""One chip that is tried: compiled, measured on samples by the golden model, and weighed."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.network import Network
from spikelet.runs.run import run
from spikelet.samples.samples import Samples
from spikelet.targets import target_fit
from spikelet.tuning.space import Point, Space

__all__ = ["Bounds", "Trial", "Workbench"]

_REFUSED = 1e6
"""More than any violation of bounds."""


@dataclass(frozen=True)
class Trial:
    """A chip that was tried.

    Parameters
    ----------
    point : dict of str to int
        What was chosen, as of :class:`Space`.
    how : str
        ``"first"``: chosen beforehand; ``"search"``: by the search; ``"step"``: a step away from
        the best before.
    refusal : str
        Why there is no such chip; empty if there is.
    correct : int
        Samples that were classified as labelled.
    size : float
        Sum of the shares that it takes of the device's resources.
    needed : dict of str to int
        What it takes of each resource, by the fit check.
    problems : tuple of str
        What does not fit the device.
    cycles : float
        Clock cycles of a sample, as predicted, on average.
    """

    point: Point
    how: str
    refusal: str = ""
    correct: int = 0
    size: float = 0.0
    needed: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    cycles: float = 0.0


@dataclass(frozen=True)
class Bounds:
    """What a chip must keep.

    Parameters
    ----------
    correct : float
        Samples that must at least be classified as labelled.
    samples : int
    max_cycles : float or None
        Clock cycles that a sample may take on average.
    must_fit : bool
        Whether it must fit the device.
    """

    correct: float
    samples: int
    max_cycles: float | None = None
    must_fit: bool = False

    def violation(self, trial: Trial) -> float:
        """Return by how much a chip violates the bounds; 0 if it keeps them."""
        lost = max(0.0, self.correct - trial.correct) / self.samples
        return self.hardware_violation(trial) + lost

    def hardware_violation(self, trial: Trial) -> float:
        """Return by how much a chip violates the bounds besides that of accuracy."""
        if trial.refusal:
            return _REFUSED
        found = trial.size if self.must_fit and trial.problems else 0.0
        if self.max_cycles is not None:
            found += max(0.0, trial.cycles / self.max_cycles - 1)
        return found

    def kept_by(self, trial: Trial) -> bool:
        """Return whether a chip keeps the bounds."""
        return not self.violation(trial)


@dataclass(frozen=True)
class Workbench:
    """What chips are tried on.

    Parameters
    ----------
    network : Network
    samples : Samples
        With labels.
    space : Space
    target : str
        Board or device whose resources are counted.
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
        As for :func:`spikelet.compile`.
    """

    __repr__ = summary

    network: Network
    samples: Samples
    space: Space
    target: str
    calibration: npt.NDArray[np.uint8] | None = None

    def tried(self, point: Point, how: str) -> Trial:
        """Return what a chip comes to."""
        options = self.space.options(point)
        try:
            compiled = compile_network(self.network, calibration=self.calibration, **options)
        except SpikeletError as error:
            return Trial(point, how, refusal=str(error.args[0]))
        fit = target_fit(compiled, self.target)
        counted = [name for name, most in fit.available.items() if most and name != "memory_bits"]
        ran = run(compiled, self.samples, record=())
        correct = self.samples.score(ran.output_counts()).correct
        cycles = ran.recording.cycles
        assert correct is not None and cycles is not None
        return Trial(
            point,
            how,
            "",
            correct,
            sum(fit.needed[name] / most for name, most in fit.available.items() if name in counted),
            {name: fit.needed[name] for name in counted},
            fit.problems,
            float(ran.of_samples(cycles).sum(axis=1).mean()),
        )
