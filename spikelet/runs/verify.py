"""Verify: the same input on every engine, and everything compared."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, compiled_from
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference
from spikelet.description.summary import summary
from spikelet.host.board_port import BoardPort
from spikelet.network.network import Network
from spikelet.network.origin import Origin
from spikelet.network.reference import run_layers
from spikelet.runs.agreement import (
    LayerAgreement,
    agreement,
    agreement_warnings,
    output_warnings,
    quantisation_warnings,
)
from spikelet.runs.early_stop import EarlyStop, check_decoder, early_stop_of
from spikelet.runs.engines import engine_named
from spikelet.runs.recorded import Recorded, compare_recorded, recorded_warnings
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.samples.decode import count, decoder_named
from spikelet.samples.lengths import Lengths, ended, within
from spikelet.samples.samples import Samples, Score, as_samples, winners

__all__ = [
    "EngineResult",
    "Verification",
    "compile_warnings",
    "float_classes",
    "float_counts",
    "float_outputs",
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
        Whether any neuron did, or the potential of one that is read moved.
    early_stop : EarlyStop or None
        How far samples were run that stop at their first output spike.
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
    early_stop: EarlyStop | None = None

    @property
    def mean_ticks(self) -> float:
        """Ticks that the chip ran for a sample, mean over the samples."""
        return self.early_stop.mean_ticks if self.early_stop else self.ticks

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
        stop = {"early_stop": self.early_stop.to_dict()} if self.early_stop else {}
        own = asdict(replace(self, early_stop=None))
        del own["early_stop"]
        return {**own, "equal": self.equal, "accuracy": accuracy, **stop}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "EngineResult":
        """Inverse of :meth:`to_dict`; KeyError or TypeError for other fields."""
        names = [name for name in cls.__dataclass_fields__ if name != "early_stop"]
        own, stop = {name: fields[name] for name in names}, fields.get("early_stop")
        own["score"] = None if own["score"] is None else Score(**own["score"])
        return cls(**own, early_stop=None if stop is None else EarlyStop.from_dict(stop))


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
    runs : dict of Run
        By engine; none of a verification that was kept.
    decode : str
        The decoder of the classes.
    recorded : Recorded or None
        The float network against what its framework recorded; None if nothing was.
    origin : Origin or None
        How the network's file was read.
    """

    __repr__ = summary

    structure: str
    float_score: Score | None
    engines: list[EngineResult]
    layers: list[LayerAgreement]
    outputs: list[int]
    runs: dict[str, Run] = field(default_factory=dict, repr=False)
    decode: str = "count"
    recorded: Recorded | None = None
    origin: Origin | None = None

    @property
    def equal(self) -> bool:
        """Whether every engine equals golden, and something was compared."""
        return all(engine.equal for engine in self.engines[1:])

    @property
    def warnings(self) -> list[str]:
        """What looks wrong though all may be equal, each with numbers and a remedy."""
        classes = self.float_score is not None
        spread = output_warnings(self.outputs) if classes else ()
        doubtful = recorded_warnings(self.origin, self.recorded)
        return [*doubtful, *agreement_warnings(self.layers), *spread]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        return {
            "structure": self.structure,
            "equal": self.equal,
            "float": None if self.float_score is None else asdict(self.float_score),
            "engines": [engine.to_dict() for engine in self.engines],
            "layers": [{**asdict(layer), "overlap": layer.overlap} for layer in self.layers],
            "outputs": self.outputs,
            "decode": self.decode,
            "recorded": self.recorded and self.recorded.to_dict(),
            "origin": self.origin and self.origin.to_dict(),
            "warnings": self.warnings,
        }


def verify(
    source: Source,
    samples: Samples | npt.ArrayLike,
    engines: Sequence[str] = ("rtl",),
    *,
    learning: bool | Sequence[str] = True,
    start: ChipState | None = None,
    clear: bool = True,
    folder: Path | None = None,
    netlist_samples: int = 20,
    decode: str = "count",
    early_stop: bool = False,
    network_file: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda engine, done, samples: None,
    differs: Callable[[str, Samples, Difference], None] = lambda engine, samples, difference: None,
    port: BoardPort | None = None,
    say: Callable[[str], None] = lambda line: None,
    liberty: Path | None = None,
) -> Verification:
    """Run golden and the named engines on the same samples and compare all that they recorded.

    Compared are outputs, counters, and spikes and states of every neuron in every tick; of a
    network that learns, after each sample, a checksum of weights, tags, traces, adaptations and
    LFSRs too.

    Parameters
    ----------
    source : path or network
        As for :func:`run`.
    samples : Samples, or array of 0 and 1, shape (samples, ticks, n_inputs)
        1 or more.
    engines : sequence of str
        Of :func:`engines`, besides golden.
    learning, start, clear
        As for :func:`run`.
    folder : Path or None
        Where netlists are synthesised, and the emitted Verilog is.
    netlist_samples : int
        Netlists, and cocotb, simulate slowly, and run the first so many samples only; 1 or more.
    decode : str
        How output spikes become classes, of :data:`spikelet.samples.decode.DECODERS`.
    early_stop : bool
        As for :func:`run`.
    network_file : Path or None
        As ``file`` of :func:`compare_recorded`.
    progress : callable
        Told engine, samples done, and samples in all.
    differs : callable
        Told engine, its samples, and its first difference from golden.
    port, say, liberty
        As for :func:`run`.

    Raises
    ------
    SpikeletError
        As :func:`run`, or if there is no sample: nothing equals nothing.
    """
    compiled, decoder = compiled_from(source), decoder_named(decode)
    samples = as_samples(samples, compiled.network.check_spikes)
    if not len(samples.spikes) or netlist_samples < 1:
        raise SpikeletError(
            f"verify: there must be 1 sample or more, not {len(samples.spikes)}, and 1 or more for "
            f"netlists, not {netlist_samples}",
            remedy="give a file with samples, and leave --count out or above 0",
        )
    floats = compiled.network.floats
    key = compiled.network.draw_key
    if early_stop:
        check_decoder(compiled, decode)
    if floats:
        samples.check_labels(compiled.network.n_outputs)
    recorded = compare_recorded(floats, samples, key, network_file)
    record = ("spikes", "states", *(("checksums",) if compiled.learns else ()))

    def timed(engine: str, part: Samples) -> tuple[Run, float]:
        total = len(part.spikes)
        progress(engine, 0, total)
        began = time.perf_counter()
        found = run(
            compiled,
            part,
            engine,
            learning=learning,
            start=start,
            clear=clear,
            record=record,
            folder=folder,
            progress=lambda done: progress(engine, done, total),
            early_stop=early_stop,
            port=port,
            say=say,
            liberty=liberty,
        )
        return found, time.perf_counter() - began

    expected, seconds = timed("golden", samples)
    results = [_result(samples, expected, None, seconds, decode)]
    runs = {"golden": expected}
    for engine in dict.fromkeys(engines):
        if engine == "golden":
            continue
        part = samples.first(netlist_samples if engine_named(engine).few_samples else None)
        runs[engine], seconds = timed(engine, part)
        results.append(_result(part, runs[engine], expected, seconds, decode))
        difference = _difference(runs[engine], expected)
        if difference:
            differs(engine, part, difference)
    return Verification(
        compiled.chip.digest,
        samples.score(decoder(float_outputs(floats, samples.spikes, key, lengths=samples.lengths)))
        if floats
        else None,
        results,
        list(agreement(expected, samples.spikes)),
        expected.output_counts().sum(axis=0).tolist(),
        runs,
        decode,
        recorded,
        floats.origin if floats else None,
    )


def compile_warnings(
    compiled: CompiledNetwork, samples: Samples | None, recorded: Recorded | None = None
) -> list[str]:
    """Return what looks wrong before anything was verified, each with numbers and a remedy.

    Parameters
    ----------
    compiled : CompiledNetwork
    recorded : Recorded or None
        The float network against what its framework recorded.
    samples : Samples or None
        Calibration samples: the golden model runs the first of them.
    """
    floats = compiled.network.floats
    found = list(recorded_warnings(floats.origin if floats else None, recorded))
    found += list(quantisation_warnings(compiled.network.quantisation))
    if samples is not None and len(samples.spikes):
        shown = samples.first(_CHECKED_SAMPLES)
        ran = run(compiled, shown, learning=False, record=("spikes", "states"))
        found += agreement_warnings(agreement(ran, shown.spikes))
    return found


def float_counts(network: Network, spikes: npt.ArrayLike, draw_key: int = 1) -> npt.NDArray[Any]:
    """Return how often each output of the float network spiked, shape (samples, outputs).

    Of potentials, their sum.
    """
    return count(float_outputs(network, spikes, draw_key))


def float_outputs(
    network: Network, spikes: npt.ArrayLike, draw_key: int = 1, *, lengths: Lengths = None
) -> npt.NDArray[Any]:
    """Return what each output of the float network does, as :attr:`Run.output_values`."""
    layers = run_layers(network, spikes, potentials=False, draw_key=draw_key)
    found = {
        population.name: within(lengths, layer.spikes)
        if layer.potentials is None
        else ended(lengths, layer.potentials)
        for population, layer in zip(network.populations, layers, strict=True)
    }
    return np.concatenate([found[name] for name in network.outputs], axis=2)


def float_classes(network: Network, spikes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return each sample's class by the float network, as :func:`winners` does: (samples,)."""
    return winners(float_counts(network, spikes))


def _difference(got: Run, expected: Run) -> Difference | None:
    trace = got.recording
    return trace.first_difference(expected.recording.first(trace.samples))


def _result(
    samples: Samples, got: Run, expected: Run | None, seconds: float, decode: str
) -> EngineResult:
    trace, network = got.recording, got.compiled.network
    difference = _difference(got, expected) if expected else None
    words = str(difference) if difference else None
    if expected and difference and difference.what == "checksums":
        words = f"{words}{_learned_difference(got, expected)}"
    read = network.readouts
    spiked = {p.name: got.spikes(p.name).any() for p in network.populations if p.name not in read}
    moved = any(got.states(name)["v"].any() for name in read)
    return EngineResult(
        trace.engine,
        trace.samples,
        trace.ticks,
        trace.compared(expected.recording) if expected else [],
        words,
        samples.score(got.votes(decode)) if network.floats else None,
        None if trace.cycles is None else float(got.of_samples(trace.cycles).sum(axis=1).mean()),
        float(got.of_samples(trace.synaptic_operations).sum(axis=(1, 2)).mean()),
        seconds,
        [name for name, any_spike in spiked.items() if not any_spike],
        bool(any(spiked.values()) or moved),
        early_stop_of(trace, got.compiled.output_latency, samples.lengths),
    )


def _learned_difference(got: Run, expected: Run) -> str:
    """Return in which of what was learned two runs of the same samples end differently."""
    if None in (got.state, expected.state) or len(got.outputs) != len(expected.outputs):
        return ""
    found = []
    for index, core in enumerate(got.compiled.chip.cores):
        if core.learning:
            mine, theirs = (
                {
                    **run.final.image.cores[index].to_arrays(),
                    **run.final.cores[index].to_arrays(),
                }
                for run in (got, expected)
            )
            for name, values in theirs.items():
                unequal = np.argwhere(np.atleast_1d(values != mine[name]))
                if len(unequal):
                    place = tuple(unequal[0].tolist())
                    found.append(f"{name} of core {index} ({len(unequal)}, the first at {place})")
    return f"; at the end differ {', '.join(found)}" if found else ""
