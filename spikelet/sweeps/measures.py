"""What is measured of a configuration, by name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.fpga.fit import FitReport
from spikelet.measures import measures as of_reviews
from spikelet.measures.subject import Subject
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples
from spikelet.targets import target_fit

__all__ = ["MEASURES", "Measured", "SweptMeasure", "measure_named", "records", "registered"]


@dataclass(frozen=True)
class Measured:
    """A compiled configuration, with what measures share; nothing is made that none asks for.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
    target : str
        Board or device whose resources are counted.
    record : tuple of str
        As for :func:`spikelet.run`.
    """

    compiled: CompiledNetwork
    samples: Samples
    target: str
    record: tuple[str, ...]

    @cached_property
    def ran(self) -> Run:
        """The run of golden on all samples, on one thread."""
        return run(self.compiled, self.samples, record=self.record, threads=1)

    @cached_property
    def fit(self) -> FitReport:
        """The fit check, whose LUTs are an estimate."""
        return target_fit(self.compiled, self.target)


@dataclass(frozen=True)
class SweptMeasure:
    """A measure.

    Parameters
    ----------
    name : str
    of : callable
        A function of a module, so that workers find it; given a :class:`Measured`.
    unit : str
    more : bool
        Whether more is better.
    record : tuple of str
        What the run must record for it.
    needs_labels : bool
    """

    name: str
    of: Callable[[Measured], float]
    unit: str
    more: bool = False
    record: tuple[str, ...] = ()
    needs_labels: bool = False


def _accuracy(measured: Measured) -> float:
    found = measured.samples.score(measured.ran.output_counts()).accuracy
    if found is None:
        raise SpikeletError("the samples hold no labels", remedy="leave the measure accuracy out")
    return float(found)


def _cycles(measured: Measured) -> float:
    cycles = measured.ran.recording.cycles
    assert cycles is not None  # golden always has them
    return float(measured.ran.of_samples(cycles).sum(axis=1).mean())


def _output_spikes(measured: Measured) -> float:
    return float(measured.ran.output_counts().sum(axis=1).mean())


def _needed(name: str, measured: Measured) -> float:
    return float(measured.fit.needed.get(name, 0))


def _size(measured: Measured) -> float:
    fit = measured.fit
    counted = {n: most for n, most in fit.available.items() if most and n != "memory_bits"}
    return float(sum(fit.needed[name] / most for name, most in counted.items()))


def _fits(measured: Measured) -> float:
    return float(measured.fit.fits)


def _cores(measured: Measured) -> float:
    return float(len(measured.compiled.chip.cores))


def _of_reviews(name: str, measured: Measured) -> float:
    """Return the last figure, which is of all, of a measure that reports have, too."""
    measure = of_reviews.measure_named(name)
    subject = Subject(measured.compiled, measured.samples, measured.ran)
    return float(measure.figures(subject)[-1].value)


_WITH_SPIKES = {
    name: of_reviews.measure_named(name)
    for name in (
        *("energy_estimate", "energy_per_operation_estimate"),
        *("additions_per_multiplication", "spikes_per_inference"),
    )
}
"""Of the measures that reports have, those that a run tells."""


MEASURES: dict[str, SweptMeasure] = {
    measure.name: measure
    for measure in (
        SweptMeasure("accuracy", _accuracy, "share of the samples", more=True, needs_labels=True),
        SweptMeasure("cycles", _cycles, "clock cycles of a sample, on average", record=("cycles",)),
        SweptMeasure("output_spikes", _output_spikes, "spikes of a sample, on average"),
        SweptMeasure("luts", partial(_needed, "luts"), "LUTs, estimated"),
        SweptMeasure("block_rams", partial(_needed, "block_rams"), "block RAMs"),
        SweptMeasure("multipliers", partial(_needed, "dsps"), "multiplier blocks"),
        SweptMeasure("memory_bits", partial(_needed, "memory_bits"), "bits of memories"),
        SweptMeasure("size", _size, "sum of the shares of the device's resources"),
        SweptMeasure("fits", _fits, "1 if the device holds it", more=True),
        SweptMeasure("cores", _cores, "cores"),
        *(
            SweptMeasure(
                name,
                partial(_of_reviews, name),
                f"{measure.title} {measure.unit}".strip(),
                record=("spikes",),
            )
            for name, measure in _WITH_SPIKES.items()
        ),
    )
}


def measure_named(name: str) -> SweptMeasure:
    """Return a measure; SpikeletError, with the names that there are, if there is none."""
    if name not in MEASURES:
        raise SpikeletError(
            f"there is no measure {name!r}", remedy=f"take one of {', '.join(MEASURES)}"
        )
    return MEASURES[name]


def records(measures: Sequence[SweptMeasure]) -> tuple[str, ...]:
    """Return what the run must record for some measures."""
    return tuple(dict.fromkeys(name for measure in measures for name in measure.record))


@contextmanager
def registered(measure: SweptMeasure) -> Iterator[SweptMeasure]:
    """Make a measure of one's own known by name in a ``with`` block.

    SpikeletError if there is one of that name already.
    """
    if measure.name in MEASURES:
        raise SpikeletError(
            f"measure {measure.name!r} cannot be registered: there is one of that name",
            remedy="give it a name of its own",
        )
    MEASURES[measure.name] = measure
    try:
        yield measure
    finally:
        del MEASURES[measure.name]
