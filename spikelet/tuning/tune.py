"""Tune: bits of each layer, size of cores, lanes and memory, for the smallest chip."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from spikelet.boards import BOARDS, board_named
from spikelet.compiler.compile import Source, compile_network
from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.summary import summary
from spikelet.description.versions import golden_version, package_versions
from spikelet.fpga.families import device_named
from spikelet.locked import writing
from spikelet.network.graded import graded_inputs
from spikelet.network.network import Network
from spikelet.reports.tuning_plot import tuning_picture
from spikelet.runs.verify import float_outputs
from spikelet.samples.decode import count
from spikelet.samples.samples import Samples
from spikelet.targets import target_named
from spikelet.tuning.search import Search, best_of
from spikelet.tuning.space import Space
from spikelet.tuning.study import TRIALS, Study
from spikelet.tuning.trial import Bounds, Trial, Workbench

__all__ = ["LARGEST", "Tuning", "tune"]

LARGEST = "LFE5U-85F"
"""The device whose resources are counted where no target is given."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """What tuning found.

    Parameters
    ----------
    space : Space
    bounds : Bounds
    trials : tuple of Trial
        In the order in which they were made.
    best : Trial
        The smallest chip that keeps the bounds.
    float_correct : int
        Samples that the float network classifies as labelled.
    target : str
        Board or device whose resources were counted.
    """

    __repr__ = summary

    space: Space
    bounds: Bounds
    trials: tuple[Trial, ...]
    best: Trial
    float_correct: int
    target: str

    @property
    def options(self) -> dict[str, Any]:
        """The best chip as options of :func:`spikelet.compile`, besides the calibration."""
        return self.space.options(self.best.point)

    @property
    def words(self) -> list[str]:
        """The best chip as options of ``spikelet compile``."""
        return self.space.words(self.best.point)

    @property
    def front(self) -> tuple[Trial, ...]:
        """Chips than which none that was tried is smaller and as accurate, smallest first.

        Of those that fit and are fast enough.
        """
        return _front(self.trials, self.bounds)

    def accuracy(self, trial: Trial) -> float:
        """Return the share of the samples that a chip classifies as labelled."""
        return trial.correct / self.bounds.samples

    @property
    def float_accuracy(self) -> float:
        """The share of the samples that the float network classifies as labelled."""
        return self.float_correct / self.bounds.samples

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""

        def fields(trial: Trial) -> dict[str, Any]:
            options = " ".join(self.space.words(trial.point))
            return {**asdict(trial), "accuracy": self.accuracy(trial), "options": options}

        return {
            "samples": self.bounds.samples,
            "target": self.target,
            "float_accuracy": self.float_accuracy,
            "best": fields(self.best),
            "front": [fields(trial) for trial in self.front],
            "trials": [fields(trial) for trial in self.trials],
        }


def tune(
    source: Source,
    samples: Samples,
    *,
    accuracy: float = -0.5,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    framework: str | None = None,
    input_levels: int | None = None,
    input_counts: int | None = None,
    target: str | None = None,
    max_cycles: float | None = None,
    calibration: Samples | None = None,
    trials: int = 100,
    seed: int = 0,
    folder: Path | None = None,
    resume: bool = False,
    command: str = "",
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Tuning:
    """Find the smallest chip of a trained network that loses no more accuracy than allowed.

    Weight, potential and decay bits of each layer, the size of cores, lanes, pipelines, the format
    of synapses and the kind of weight memory are tried (:class:`Space`), each chip by the golden
    model on all samples. What is found is the best of what was tried, and no choice in it can be a
    step smaller alone. It holds for these samples: measure the network again on others.

    Parameters
    ----------
    source : path or network
        As for :func:`spikelet.compile`; a trained network.
    samples : Samples
        With labels.
    accuracy : float
        Percentage points that may be lost against the float network, as a change: -100..0.
    neuron, dt, framework, input_levels, input_counts
        As for :func:`spikelet.compile`.
    target : str or None
        Board or device that the chip must fit; its size is the sum of the shares of all resources
        that the fit check counts. None: the shares of an LFE5U-85F, which it need not fit.
    max_cycles : float or None
        Clock cycles, as golden predicts them, that a sample may take on average.
    calibration : Samples or None
        As for :func:`spikelet.compile`.
    trials : int
        Chips to try, 1 or more, before the steps that make the best of them smaller.
    seed : int
        Equal seeds make equal trials; 0 or more.
    folder : Path or None
        Project folder: trials and picture are kept in ``tuning/`` there. None: nowhere.
    resume : bool
        Go on with the trials in the folder; the result is the same as without the interruption.
    command : str
        For the record; empty from Python.
    progress : callable
        Told what is done, how much of it, and of how much.

    Raises
    ------
    SpikeletError
        If an option or label is out of range, the network was not trained, there is nothing to
        resume, or no chip that was tried keeps the bounds: it says the best that was reached.
    """
    _check(accuracy, max_cycles, trials, seed, samples)
    graded = {"input_levels": input_levels, "input_counts": input_counts}
    network = _trained(source, neuron, dt, framework, graded)
    counted = LARGEST if target is None else target_named(target)
    space = Space.of(network, _memories(counted))
    samples.check_labels(network.n_outputs)
    progress("float network", 0, 1)
    spikes = float_outputs(network, samples.spikes, lengths=samples.lengths)
    float_correct = samples.score(count(spikes)).correct
    assert float_correct is not None
    progress("float network", 1, 1)
    n = len(samples.spikes)
    bounds = Bounds(round(float_correct + accuracy / 100 * n, 6), n, max_cycles, target is not None)
    shown = None if calibration is None else calibration.spikes
    bench = Workbench(network, samples, space, counted, shown)
    search = Search(space, bounds, trials, seed)
    study = None
    if folder is not None:
        making = _making(bench, bounds, calibration, seed, command)
        study = Study(folder / "tuning", making)
    elif resume:
        raise SpikeletError("there is no folder to resume in", remedy="give a folder")
    with nullcontext() if folder is None else writing(folder):
        made = _made(bench, search, study, resume, progress)
        best = best_of(made, bounds)
        if study:
            study.keep(made, _picture(made, best, bounds, float_correct, counted))
    if not bounds.kept_by(best):
        raise _not_reached(made, best, space, bounds, float_correct)
    return Tuning(space, bounds, tuple(made), best, float_correct, counted)


def _made(
    bench: Workbench,
    search: Search,
    study: Study | None,
    resume: bool,
    progress: Callable[[str, int, int], None],
) -> list[Trial]:
    """Return all trials, those that were kept and those that follow from them."""
    made = study.trials(bench.space) if study and resume else []
    while (wanted := search.next(made)) is not None:
        point, how = wanted
        known = next((trial for trial in made if trial.point == point), None)
        made.append(replace(known, how=how) if known else bench.tried(point, how))
        if study:
            study.keep(made)
        steps = sum(trial.how == "step" for trial in made)
        progress("trials", len(made) - steps, search.trials)
        if steps:
            progress("steps, at most", steps, search.trials)
    return made


def _check(
    accuracy: float, max_cycles: float | None, trials: int, seed: int, samples: Samples
) -> None:
    if not -100 <= accuracy <= 0:
        raise SpikeletError(
            f"accuracy must be in -100..0, percentage points against float, not {accuracy:g}",
            remedy="what may be lost is negative: -0.5 for half a point",
        )
    if max_cycles is not None and not 0 < max_cycles < float("inf"):
        raise SpikeletError(f"max_cycles must be above 0, not {max_cycles:g}")
    for name, value, low in (("trials", trials, 1), ("seed", seed, 0)):
        if type(value) is not int or value < low:
            raise SpikeletError(f"{name} must be an int of {low} or more, not {value!r}")
    if samples.labels is None or not len(samples.spikes):
        raise SpikeletError(
            f"{samples.path or 'the samples'} hold no labels, without which there is no accuracy",
            remedy="store labels (samples,) beside the spikes or levels",
        )


def _trained(
    source: Source,
    neuron: NeuronModel | str | Path | None,
    dt: float | None,
    framework: str | None,
    graded: Mapping[str, Any],
) -> Network:
    """Return the float network of a source; SpikeletError if it has none."""
    if isinstance(source, Network) and (neuron, dt, framework) == (None, None, None):
        return graded_inputs(source, *graded.values())
    network = compile_network(source, neuron, dt, framework=framework, **graded).network
    if network.floats is None:
        raise network.error(
            "it was not trained: there is no float network whose accuracy could be kept",
            "tune a network of a NIR file",
        )
    return network.floats


def _memories(target: str) -> tuple[str, ...]:
    """Return the kinds of weight memory that a target has."""
    device = device_named(board_named(target).device if target in BOARDS else target)
    return ("block", "spram") if device.offers("spram") else ("block",)


def _making(
    bench: Workbench, bounds: Bounds, calibration: Samples | None, seed: int, command: str
) -> Artefact:
    """Return what each trial, and their order, depends on; not how many there are."""
    inputs = {
        "float network": bench.network.digest,
        "samples": bench.samples.digest,
        "calibration": calibration.digest if calibration else "none",
    }
    options = {**asdict(bounds), "target": bench.target, "seed": seed}
    tools = {
        "golden model": golden_version(),
        **package_versions("spikelet", "numpy", "scipy", "pymetis", "optuna"),
    }
    return Artefact(TRIALS, inputs, options, tools, command)


def _front(trials: Sequence[Trial], bounds: Bounds) -> tuple[Trial, ...]:
    """Return the front of size and accuracy; see :attr:`Tuning.front`."""
    found: list[Trial] = []
    usable = [trial for trial in trials if not bounds.hardware_violation(trial)]
    for trial in sorted(usable, key=lambda trial: (trial.size, -trial.correct)):
        if not found or trial.correct > found[-1].correct:
            found.append(trial)
    return tuple(found)


def _picture(
    trials: Sequence[Trial], best: Trial, bounds: Bounds, float_correct: int, target: str
) -> bytes:
    shown = [trial for trial in trials if not trial.refusal]

    def points(chosen: Sequence[Trial]) -> list[tuple[float, float]]:
        return [(trial.size, trial.correct / bounds.samples) for trial in chosen]

    return tuning_picture(
        kept=points([trial for trial in shown if bounds.kept_by(trial)]),
        violating=points([trial for trial in shown if not bounds.kept_by(trial)]),
        front=points(_front(trials, bounds)),
        best=points([best])[0] if bounds.kept_by(best) else None,
        float_accuracy=float_correct / bounds.samples,
        least=bounds.correct / bounds.samples,
        target=target,
    )


def _not_reached(
    trials: Sequence[Trial], nearest: Trial, space: Space, bounds: Bounds, float_correct: int
) -> SpikeletError:
    """Return the error that says what came nearest to the bounds."""
    if nearest.refusal:
        return SpikeletError(
            f"none of {len(trials)} chips can be compiled; the first: {trials[0].refusal}",
            remedy="see what spikelet compile says of the network",
        )
    samples = bounds.samples
    wanted = f"at most {100 * (float_correct - bounds.correct) / samples:.2f} points"
    wanted += f" and {bounds.max_cycles:,.0f} clock cycles a sample" if bounds.max_cycles else ""
    lost = 100 * (float_correct - nearest.correct) / samples
    found = f"loses {lost:.2f} points and takes {nearest.cycles:,.0f} cycles"
    found += f", and does not fit: {'; '.join(nearest.problems)}" if nearest.problems else ""
    return SpikeletError(
        f"none of {len(trials)} chips loses {wanted}, of the {float_correct / samples:.2%} of the "
        f"float network; the nearest ({' '.join(space.words(nearest.point))}) {found}",
        remedy="allow more (--accuracy, --max-cycles), try more (--trials), calibrate "
        "(--calibration), or take a larger --target",
    )
