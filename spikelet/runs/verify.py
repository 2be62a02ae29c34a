"""Verify: the same input on every engine, and everything compared."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, compiled_from
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference
from spikelet.host.board_port import BoardPort
from spikelet.network.network import Network
from spikelet.network.reference import run_layers
from spikelet.runs.agreement import (
    agreement,
    agreement_warnings,
    quantisation_warnings,
)
from spikelet.runs.early_stop import check_decoder, early_stop_of
from spikelet.runs.engines import engine_named
from spikelet.runs.recorded import Recorded, compare_recorded, recorded_warnings
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.runs.verification import EngineResult, Verification
from spikelet.samples.decode import count, decoder_named
from spikelet.samples.lengths import Lengths, ended, within
from spikelet.samples.samples import Samples, as_samples, winners

__all__ = [
    "compile_warnings",
    "float_classes",
    "float_counts",
    "float_outputs",
    "verify",
]

_CHECKED_SAMPLES = 16
"""Calibration samples on which :func:`compile_warnings` looks at spikes."""


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
