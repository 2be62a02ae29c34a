"""Verify: the same input on every engine, and everything compared."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.trace import AtomicFile, Trace
from spikelet.errors import MALFORMED, SpikeletError
from spikelet.road.compiled import CompiledNetwork
from spikelet.road.engines import simulate
from spikelet.road.network import Network
from spikelet.road.reference import simulate as simulate_float
from spikelet.road.samples import Samples

__all__ = ["EngineResult", "Verification", "float_classes", "verify"]


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
    accuracy : float or None
        Share of the samples classified as labelled, where there are labels.
    cycles : float or None
        Mean clock cycles of a sample, from the chip's own counter; for golden predicted.
    synaptic_operations : float
        Mean SOPs of a sample.
    seconds : float
        Wall-clock time of the simulation, building the engine included.
    """

    engine: str
    samples: int
    ticks: int
    compared: list[str]
    difference: str | None
    accuracy: float | None
    cycles: float | None
    synaptic_operations: float
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether nothing differed from golden."""
        return self.difference is None


@dataclass(frozen=True)
class Verification:
    """Results of all engines on one network.

    Parameters
    ----------
    structure : str
        Digest of the chip.
    float_accuracy : float or None
        Of the float network on golden's samples, where there are labels.
    engines : list of EngineResult
        Golden first.
    """

    structure: str
    float_accuracy: float | None
    engines: list[EngineResult]

    @property
    def equal(self) -> bool:
        """Whether every engine equals golden."""
        return all(engine.equal for engine in self.engines)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        with AtomicFile(path) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def load(cls, path: Path) -> "Verification":
        """Read what :meth:`save` wrote; SpikeletError if it cannot be read."""
        try:
            fields: dict[str, Any] = json.loads(path.read_text())
            engines = [EngineResult(**engine) for engine in fields.pop("engines")]
            return cls(**fields, engines=engines)
        except (OSError, *MALFORMED) as error:
            raise SpikeletError(
                f"{path} is not a readable verification: {error}",
                remedy="run spikelet verify again",
            ) from error


def verify(
    compiled: CompiledNetwork,
    samples: Samples,
    engines: Sequence[str] = ("rtl",),
    *,
    folder: Path,
    netlist_samples: int = 20,
    progress: Callable[[str, int, int], None] = lambda engine, done, samples: None,
) -> tuple[Verification, Trace]:
    """Run golden and the named engines on the same samples and compare all that they recorded.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
    engines : sequence of str
        Of :data:`ENGINES`, besides golden.
    folder : Path
        Where netlists are synthesised.
    netlist_samples : int
        Netlists simulate slowly, and run the first so many samples only.
    progress : callable
        Told engine, samples done, and samples in all.

    Returns
    -------
    Verification
    Trace
        Golden's.
    """

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
    for engine in engines:
        part = samples.first(netlist_samples if engine.startswith("netlist") else None)
        trace, seconds = run(engine, part)
        results.append(_result(compiled, part, trace, expected.first(trace.samples), seconds))
    accuracy = None
    if samples.labels is not None:
        accuracy = samples.accuracy(float_classes(compiled.network, samples.spikes))
    return Verification(compiled.chip.digest, accuracy, results), expected


def float_classes(network: Network, spikes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the output of the float network that spiked most, shape (samples,)."""
    layers = simulate_float(network, spikes, potentials=False)
    counts = {
        population.name: layer.spikes.sum(axis=1)
        for population, layer in zip(network.populations, layers, strict=True)
    }
    joined = np.concatenate([counts[name] for name in network.outputs], axis=1)
    winners: npt.NDArray[np.int64] = joined.argmax(axis=1)
    return winners


def _result(
    compiled: CompiledNetwork,
    samples: Samples,
    trace: Trace,
    expected: Trace | None,
    seconds: float,
) -> EngineResult:
    difference = trace.first_difference(expected) if expected else None
    cycles = None if trace.cycles is None else float(trace.cycles.sum(axis=1).mean())
    return EngineResult(
        trace.engine,
        trace.samples,
        trace.ticks,
        trace.compared(expected) if expected else [],
        str(difference) if difference else None,
        samples.accuracy(compiled.classify(trace)),
        cycles,
        float(trace.synaptic_operations.sum(axis=(1, 2)).mean()),
        seconds,
    )
