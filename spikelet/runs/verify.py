"""Verify: the same input on every engine, and everything compared."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference, Trace
from spikelet.description.summary import summary
from spikelet.network.network import Network
from spikelet.network.reference import simulate as simulate_float
from spikelet.runs.agreement import (
    LayerAgreement,
    agreement_warnings,
    output_warnings,
    quantisation_warnings,
)
from spikelet.runs.engines import engine_named, simulate
from spikelet.samples.samples import Samples, Score, winners

__all__ = [
    "EngineResult",
    "Verification",
    "compile_warnings",
    "float_classes",
    "float_counts",
    "verify",
]

_CHECKED_SAMPLES = 16
"""Calibration samples on which :func:`compile_warnings` looks at spikes."""


@dataclass(frozen=True)
class EngineResult:
    """What one engine did, compared with golden.

    Parameters
    ----------
    engine : str
    samples, ticks : int
        Samples run, and ticks of each.
    compared : list of str
        What was compared with golden, bit for bit; empty for golden itself.
    difference : str or None
        The first difference from golden, in words; None if there is none.
    score : Score or None
        How the samples were classified; None for a network whose outputs are not classes.
    cycles : float or None
        Mean clock cycles of a sample, from the chip's own counter; for golden predicted.
    synaptic_operations : float
        Mean SOPs of a sample.
    seconds : float
        Wall-clock time of the simulation, building the engine included.
    silent : list of str
        Layers that never spiked in these samples.
    spiked : bool
        Whether any neuron did.
    """

    engine: str
    samples: int
    ticks: int
    compared: list[str]
    difference: str | None
    score: Score | None
    cycles: float | None
    synaptic_operations: float
    seconds: float
    silent: list[str]
    spiked: bool

    @property
    def equal(self) -> bool:
        """Whether nothing differed from golden, and there was something that could."""
        return self.difference is None and self.spiked

    @property
    def verdict(self) -> str:
        """The comparison with golden, in words."""
        if self.difference is not None:
            return self.difference
        if not self.spiked:
            return "nothing was compared: no neuron spiked in any sample"
        words = f"every bit equal of {', '.join(self.compared)}"
        return f"{words}; {self.silence}" if self.silent else words

    @property
    def silence(self) -> str:
        """Which layers never spiked, in words; empty if all did."""
        names = ", ".join(self.silent)
        return f"layer{'s'[: len(self.silent) > 1]} {names} never spiked" if self.silent else ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        accuracy = None if self.score is None else self.score.accuracy
        return {**asdict(self), "equal": self.equal, "accuracy": accuracy}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "EngineResult":
        """Inverse of :meth:`to_dict`; KeyError or TypeError for other fields."""
        own = {name: fields[name] for name in cls.__dataclass_fields__}
        score = own["score"]
        return cls(**{**own, "score": None if score is None else Score(**score)})


@dataclass(frozen=True)
class Verification:
    """Results of all engines on one network.

    Parameters
    ----------
    structure : str
        Digest of the chip.
    float_score : Score or None
        Of the float network on golden's samples.
    engines : list of EngineResult
        Golden first.
    layers : list of LayerAgreement
        Float against golden's spikes.
    outputs : list of int
        Golden's spikes of each output line, over all samples.
    """

    __repr__ = summary

    structure: str
    float_score: Score | None
    engines: list[EngineResult]
    layers: list[LayerAgreement]
    outputs: list[int]

    @property
    def equal(self) -> bool:
        """Whether every engine equals golden, and something was compared."""
        return all(engine.equal for engine in self.engines[1:])

    @property
    def warnings(self) -> list[str]:
        """What looks wrong though all may be equal, each with numbers and a remedy."""
        return [*agreement_warnings(self.layers), *output_warnings(self.outputs)]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        return {
            "structure": self.structure,
            "equal": self.equal,
            "float": None if self.float_score is None else asdict(self.float_score),
            "engines": [engine.to_dict() for engine in self.engines],
            "layers": [{**asdict(layer), "overlap": layer.overlap} for layer in self.layers],
            "outputs": self.outputs,
            "warnings": self.warnings,
        }


def verify(
    compiled: CompiledNetwork,
    samples: Samples,
    engines: Sequence[str] = ("rtl",),
    *,
    folder: Path,
    netlist_samples: int = 20,
    progress: Callable[[str, int, int], None] = lambda engine, done, samples: None,
    differs: Callable[[str, Samples, Difference], None] = lambda engine, samples, difference: None,
) -> tuple[Verification, dict[str, Trace]]:
    """Run golden and the named engines on the same samples and compare all that they recorded.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
        1 or more.
    engines : sequence of str
        Of :func:`engines`, besides golden.
    folder : Path
        Where netlists are synthesised.
    netlist_samples : int
        Netlists, and cocotb, simulate slowly, and run the first so many samples only; 1 or more.
    progress : callable
        Told engine, samples done, and samples in all.
    differs : callable
        Told engine, its samples, and its first difference from golden.

    Returns
    -------
    Verification
    dict of str to Trace
        By engine.

    Raises
    ------
    SpikeletError
        As :func:`simulate`, or if there is no sample: nothing equals nothing.
    """
    if not len(samples.spikes) or netlist_samples < 1:
        raise SpikeletError(
            f"verify: there must be 1 sample or more, not {len(samples.spikes)}, and 1 or more for "
            f"netlists, not {netlist_samples}",
            remedy="give a file with samples, and leave --count out or above 0",
        )
    samples.check_labels(compiled.chip.n_outputs)

    def run(engine: str, part: Samples) -> tuple[Trace, float]:
        total = len(part.spikes)
        progress(engine, 0, total)
        began = time.perf_counter()
        trace = simulate(
            compiled,
            part.spikes,
            engine,
            folder=folder,
            progress=lambda done: progress(engine, done, total),
        )
        return trace, time.perf_counter() - began

    expected, seconds = run("golden", samples)
    results = [_result(compiled, samples, expected, None, seconds)]
    traces = {"golden": expected}
    for engine in dict.fromkeys(engines):
        if engine == "golden":
            continue
        part = samples.first(netlist_samples if engine_named(engine).few_samples else None)
        trace, seconds = run(engine, part)
        results.append(_result(compiled, part, trace, expected.first(trace.samples), seconds))
        traces[engine] = trace
        if difference := trace.first_difference(expected.first(trace.samples)):
            differs(engine, part, difference)
    verification = Verification(
        compiled.chip.digest,
        samples.score(float_counts(compiled.network, samples.spikes)),
        results,
        list(compiled.agreement(expected, samples.spikes)),
        compiled.output_counts(expected).sum(axis=0).tolist(),
    )
    return verification, traces


def compile_warnings(compiled: CompiledNetwork, samples: Samples | None) -> list[str]:
    """Return what looks wrong before anything was verified, each with numbers and a remedy.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples or None
        Calibration samples: the golden model runs the first of them.
    """
    found = list(quantisation_warnings(compiled.quantisation))
    if samples is not None and len(samples.spikes):
        shown = samples.first(_CHECKED_SAMPLES).spikes
        found += agreement_warnings(compiled.agreement(simulate(compiled, shown), shown))
    return found


def float_counts(network: Network, spikes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the spikes of each output of the float network, shape (samples, outputs)."""
    layers = simulate_float(network, spikes, potentials=False)
    counts = {
        population.name: layer.spikes.sum(axis=1)
        for population, layer in zip(network.populations, layers, strict=True)
    }
    return np.concatenate([counts[name] for name in network.outputs], axis=1)


def float_classes(network: Network, spikes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return each sample's class by the float network, as :func:`winners` does: (samples,)."""
    return winners(float_counts(network, spikes))


def _result(
    compiled: CompiledNetwork,
    samples: Samples,
    trace: Trace,
    expected: Trace | None,
    seconds: float,
) -> EngineResult:
    difference = trace.first_difference(expected) if expected else None
    spiked = {x.name: bool(compiled.layer_spikes(trace, x.name).any()) for x in compiled.layers}
    return EngineResult(
        trace.engine,
        trace.samples,
        trace.ticks,
        trace.compared(expected) if expected else [],
        str(difference) if difference else None,
        samples.score(compiled.output_counts(trace)),
        None if trace.cycles is None else float(trace.cycles.sum(axis=1).mean()),
        float(trace.synaptic_operations.sum(axis=(1, 2)).mean()),
        seconds,
        [name for name, any_spike in spiked.items() if not any_spike],
        any(spiked.values()),
    )
