"""The report: one HTML page, which needs nothing but itself, of all that is known of a network."""

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording
from spikelet.description.versions import package_versions
from spikelet.fpga.families import families
from spikelet.fpga.flow import FpgaReport
from spikelet.measures.accuracy import wilson
from spikelet.placement.quality import PlacementQuality
from spikelet.reports import throughput_section
from spikelet.reports.fpga_section import Cost, design, proof_rows, speed_rows
from spikelet.reports.report_json import REPORT_JSON, as_json
from spikelet.reports.report_page import PAGE, check_extra, filled, write_page
from spikelet.reports.section import Parts
from spikelet.runs.drift import Drift
from spikelet.runs.learn import LearningRun
from spikelet.runs.levels import Proof
from spikelet.runs.run_result import Run
from spikelet.runs.throughput import Throughput
from spikelet.runs.verification import EngineResult, Verification
from spikelet.samples.decode import class_is
from spikelet.samples.samples import Samples

_MISSING_EXTRA: ImportError | None = None
try:
    from spikelet.reports import drift_section, learning_section, plots, structure_plots
    from spikelet.reports.sections import SECTIONS
except ImportError as error:
    _MISSING_EXTRA = error

__all__ = ["PAGE", "THROUGHPUT", "write_report"]

THROUGHPUT = "throughput.json"
"""What :meth:`Throughput.to_dict` returns, beside the page."""

_TEMPLATE = Path(__file__).with_name("report.html.j2")
_COMPARED = {
    "spikes": "spikes of every neuron",
    "states": "states of neurons",
    "outputs": "output spikes",
    "active_axons": "active axons",
    "merged_spikes": "merged spikes",
    "checksums": "weights, tags, traces, adaptations and LFSRs after each sample",
}


def write_report(
    folder: Path,
    *,
    compiled: CompiledNetwork,
    samples: Samples | None,
    verification: Verification | None,
    trace: Recording | None,
    fpga: Sequence[FpgaReport],
    proofs: Sequence[Proof] = (),
    learned: LearningRun | None = None,
    warnings: Sequence[str] = (),
    sample: int = 0,
    state: str = "v",
    made: Sequence[Artefact] = (),
    out_of_date: Sequence[OutOfDate] = (),
    drifts: Sequence[Drift] = (),
    throughput: Throughput | None = None,
    files: Sequence[Path] = (),
    guidance: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write ``index.html``, its pictures as PNGs and ``report.json``; return the page's path.

    The page holds its pictures and needs no other file. What is not known is said to be missing.

    Parameters
    ----------
    folder : Path
    compiled : CompiledNetwork
    samples : Samples or None
        The input that led to ``trace``; more samples than it has are ignored.
    verification : Verification or None
    trace : Recording or None
        Golden's, of the first samples, with spikes and states.
    fpga : sequence of FpgaReport
    proofs : sequence of Proof
        Of the levels of some of those builds.
    learned : LearningRun or None
        What the network has learned.
    warnings : sequence of str
        What looks wrong, besides those of the verification.
    sample : int
        The sample that is drawn.
    state : str
        The state of the neurons that is drawn: the potential, ``v``, or another.
    made : sequence of Artefact
        Records of what the page shows: what it was made of, and the commands that make it again.
    out_of_date : sequence of OutOfDate
        What the page names and does not show.
    drifts : sequence of Drift
        How far integers drift from the float network at each weight width.
    throughput : Throughput or None
        Where the clock cycles of a sample go; also written to :data:`THROUGHPUT`.
    files : sequence of Path
        Files that belong to the network, relative to ``folder``, which the page links.
    guidance : mapping of str to sequence of str
        What to look at once a board is programmed, in lines, by the board.

    Raises
    ------
    SpikeletError
        If the parts are not of the same network or run, ``sample`` is not in the recording, the
        folder cannot be written, or matplotlib or Jinja is not installed.
    """
    check_extra(_MISSING_EXTRA)
    shown = samples.first(trace.samples) if samples and trace else None
    lengths = shown.lengths if shown else None
    run = None if trace is None else Run(compiled, trace, lengths=lengths)
    decode = verification.decode if verification else "count"
    _check(compiled, samples, verification, run, sample)
    pictures = _drawn(compiled, samples, run, sample, state, decode)
    if learned:
        pictures |= learning_section.drawn(learned)
    if drifts:
        pictures["drift"] = drift_section.drawn(drifts)
    cost = _cost(verification, run)
    parts = Parts(
        *(compiled, samples, run, decode, sample, fpga, files, guidance or {}, verification),
        cost.cycles if cost else None,
    )
    sections = [(s, found) for s in SECTIONS if (found := s.content(parts)) is not None]
    for section, _ in sections:
        pictures |= section.pictures(parts) if section.pictures else {}
    told: dict[str, Any] = {
        "verification": verification,
        "verdict": _verdict(verification),
        "recorded": _recorded(compiled, verification),
        "placement": _placement(compiled.quality),
        "cost": cost,
        "speed": speed_rows(cost, fpga),
        "proofs": proofs,
        "warnings": [*(verification.warnings if verification else ()), *warnings],
        "provenance": _provenance(compiled, made, learned),
        "commands": list(dict.fromkeys(record.command for record in made if record.command)),
        "out_of_date": out_of_date,
        "drift": drift_section.filled_in(drifts),
        "learned": learning_section.filled_in(learned) if learned else None,
        "leaks": drift_section.leaks(compiled.network.quantisation),
    }
    page = filled(
        _TEMPLATE,
        pictures,
        {"engine": _engine_name, "interval": _interval},
        **told,
        sections=[(s, s.shown(found) if s.shown else found) for s, found in sections],
        compiled=compiled,
        samples=samples,
        trace=trace,
        counts=run.output_counts()[sample] if run else None,
        votes=run.votes(decode)[sample] if run else None,
        class_is=class_is(decode, bool(compiled.network.readouts)),
        sample=sample,
        state=state,
        compared=_COMPARED,
        predicted=lambda engine: _predicted(engine, run),
        designs=[design(report) for report in fpga],
        proof_rows=proof_rows,
        drift_samples=drifts[0].samples if drifts else 0,
        throughput=throughput,
        throughput_words=throughput_section.words(throughput, fpga) if throughput else "",
        throughput_layers=throughput_section.layer_rows(throughput) if throughput else [],
        throughput_cores=throughput_section.core_rows(throughput) if throughput else [],
        units=[layer.name for layer in compiled.network.quantisation if len(layer.units) > 1],
    )
    record = Artefact("report", _inputs(compiled, made))
    told |= {"network": compiled.name, "sample": sample, "fpga": fpga}
    told["quantisation"] = compiled.network.quantisation
    if learned:
        told["learned"] = {what: held for what, held in told["learned"].items() if what != "run"}
    told["throughput"] = throughput.to_dict(fpga) if throughput else None
    told["sections"] = {section.name: found for section, found in sections}
    further = {REPORT_JSON: as_json(told)}
    if throughput:
        further[THROUGHPUT] = json.dumps(throughput.to_dict(fpga), indent=1).encode()
    return write_page(Path(folder), page, pictures, record, further)


def _check(
    compiled: CompiledNetwork,
    samples: Samples | None,
    verification: Verification | None,
    run: Run | None,
    sample: int,
) -> None:
    again = "run spikelet verify again"
    if verification is not None and verification.structure != compiled.chip.digest:
        raise SpikeletError(
            f"the verification is of chip {verification.structure[:12]}, network "
            f"{compiled.name!r} has chip {compiled.chip.digest[:12]}",
            remedy=again,
        )
    if samples is not None:
        compiled.network.check_spikes(samples.spikes)
    if run is None:
        return
    trace = run.recording
    if not 0 <= sample < trace.samples:
        raise SpikeletError(f"sample must be in 0..{trace.samples - 1}, not {sample}")
    if samples is not None:
        expected = (len(samples.spikes), samples.spikes.shape[1] + compiled.output_latency)
        if trace.samples > expected[0] or trace.ticks != expected[1]:
            raise SpikeletError(
                f"the Recording has {trace.samples} samples of {trace.ticks} ticks, the samples "
                f"account for {expected[0]} of {expected[1]}",
                remedy=again,
            )


def _drawn(
    compiled: CompiledNetwork,
    samples: Samples | None,
    run: Run | None,
    sample: int,
    state: str,
    decode: str,
) -> dict[str, bytes]:
    pictures = {
        "network": structure_plots.network(compiled),
        "placement": structure_plots.placement(compiled),
    }
    if len(compiled.chip.cores) > 1:
        pictures["links"] = structure_plots.links(compiled)
    if run is not None:
        pictures["outputs"] = plots.outputs(run, samples, sample, decode)
        pictures["activity"] = plots.activity(run)
        if run.recording.spikes is not None:
            pictures["raster"] = plots.raster(run, samples, sample)
            if run.recording.states is not None:
                pictures["states"] = plots.states(run, sample, state)
    return pictures


def _placement(quality: PlacementQuality) -> list[list[str]]:
    """Return a row for this placement, and one for random placements."""
    loads, drawn = quality.loads, quality.random
    share = f"{drawn.objective / loads.total:.2f}" if loads.total else "–"
    return [
        ["this placement", f"{loads.total:,.1f}", "1", f"{loads.largest:,.1f}"],
        [
            f"random, mean of {drawn.count}",
            f"{drawn.objective:,.1f}",
            share,
            f"{drawn.largest:,.1f}",
        ],
    ]


def _recorded(
    compiled: CompiledNetwork, verification: Verification | None
) -> dict[str, Any] | None:
    """Return mood, title and lines of what the network's framework recorded; None: no framework."""
    origin = compiled.network.floats.origin if compiled.network.floats else None
    if origin is None:
        return None
    lines = [f"{origin.path} is read {'; '.join(origin.reading)}."]
    if origin.unsaid:
        lines.append(f"The file does not say, and there is taken: {'; '.join(origin.unsaid)}.")
    found = verification.recorded if verification else None
    if found is None:
        lines.append("Give samples with what the framework recorded (expected).")
        title = "Nothing was compared with the framework"
        return {"mood": "open", "title": title, "lines": lines}
    title = found.words[0].upper() + found.words[1:]
    if found.all_equal:
        return {"mood": "pass", "title": title, "lines": lines}
    return {"mood": "fail", "title": title, "lines": [f"{found.difference}.", *lines]}


def _verdict(verification: Verification | None) -> dict[str, Any]:
    """Return mood (``pass``, ``fail`` or ``open``), title and lines of the headline."""
    others = verification.engines[1:] if verification else []
    if not others:
        title = "Only the golden model has run" if verification else "Not verified yet"
        line = "Run spikelet verify on this network, then report again."
        return {"mood": "open", "title": title, "lines": [line]}
    runs = [f"{_engine_name(e.engine)}: {e.samples:,} samples of {e.ticks:,} ticks" for e in others]
    runs += [f"{_engine_name(e.engine)}: {e.early_stop.words}" for e in others if e.early_stop]
    different = [engine for engine in others if engine.difference is not None]
    if different:
        names = " and ".join(_engine_name(engine.engine) for engine in different)
        lines = [f"{_engine_name(e.engine)}: {e.difference}" for e in different]
        return {"mood": "fail", "title": f"Not equal to the golden model: {names}", "lines": lines}
    nothing = [engine for engine in others if not engine.spiked]
    if nothing:
        lines = [f"{_engine_name(engine.engine)}: {engine.verdict}" for engine in nothing]
        title = "Nothing was compared: no neuron spiked"
        return {"mood": "open", "title": title, "lines": lines}
    compared = set.intersection(*(set(engine.compared) for engine in others))
    subjects = ["spike" if "spikes" in compared else "output spike"]
    subjects += ["state of a neuron"] if "states" in compared else []
    subjects += ["learned weight"] if "checksums" in compared else []
    title = f"Every {', '.join(subjects)} and counter equals the golden model's"
    silence = list(dict.fromkeys(engine.silence for engine in others if engine.silent))
    title = "; ".join([title, *silence])
    return {"mood": "pass", "title": title, "lines": runs}


def _engine_name(engine: str) -> str:
    """Return an engine's name for readers, as in ``netlist for FAMILY``."""
    names = {f"netlist-{family.name}": f"netlist for {family.title}" for family in families()}
    names["netlist-cells"] = "netlist of standard cells"
    return {"golden": "golden model", "rtl": "RTL", **names}.get(engine, engine)


def _interval(accuracy: float, samples: int) -> str:
    """Return Wilson's 95 % interval of a share."""
    low, high = wilson(accuracy * samples, samples)
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _predicted(engine: EngineResult, run: Run | None) -> float | None:
    """Return golden's mean cycles of the samples that an engine ran."""
    if run is None or run.recording.cycles is None or run.recording.samples < engine.samples:
        return None
    return float(run.of_samples(run.recording.cycles)[: engine.samples].sum(axis=1).mean())


def _cost(verification: Verification | None, run: Run | None) -> Cost | None:
    """Return a sample's cost as the RTL's counter measured it or else as golden predicts it."""
    engines = verification.engines if verification else []
    for engine in (*engines[1:], *engines[:1]):
        if engine.cycles:
            how = "predicted by" if engine.engine == "golden" else "measured in"
            source = f"{how} the {_engine_name(engine.engine)}, mean of {engine.samples:,} samples"
            return Cost(engine.cycles, engine.synaptic_operations, engine.mean_ticks, source)
    trace = run.recording if run else None
    if run is None or trace is None or trace.cycles is None or not trace.cycles.any():
        return None
    cycles = float(run.of_samples(trace.cycles).sum(axis=1).mean())
    operations = float(run.of_samples(trace.synaptic_operations).sum(axis=(1, 2)).mean())
    source = f"predicted by the golden model, mean of {trace.samples:,} samples"
    return Cost(cycles, operations, float(trace.ends().mean()), source)


def _inputs(compiled: CompiledNetwork, made: Sequence[Artefact]) -> dict[str, str]:
    """Return all digests by role; where records differ in one, it says whose the later ones are."""
    inputs = dict(compiled.digests)
    for record in made:
        for role, digest in record.inputs.items():
            same = inputs.get(role, digest) == digest
            inputs[role if same else f"{role} of the {record.kind}"] = digest
    return inputs


def _provenance(
    compiled: CompiledNetwork, made: Sequence[Artefact], learned: LearningRun | None
) -> list[list[str]]:
    """Return what the results depend on, with digests, and the tools that made them."""
    net = compiled.network
    rows = [
        ["Neuron model", f"{model.name}, version {model.version}: {model.description}{source}"]
        for model in net.neurons
        for source in [f" ({model.source})" if model.source else ""]
    ]
    rows += [
        ["Time step", f"{net.dt:g} s per tick" if net.dt else "none: nothing needs it"],
        ["Ticks from input to output", str(compiled.output_latency)],
    ]
    inputs = _inputs(compiled, made)
    if learned:
        for record in made:
            if "epochs" in record.options:
                rows += [[_title(what), str(value)] for what, value in record.options.items()]
                inputs |= record.files
        rows.append(["State after the last tick, CRC-32 of each core", _checksums(learned)])
    rows += [[f"{_title(role)}, SHA-256", digest] for role, digest in inputs.items()]
    tools = {name: version for record in made for name, version in record.tools.items()}
    tools |= package_versions("spikelet", "numpy", "matplotlib")
    rows += [["Python", platform.python_version()], *map(list, sorted(tools.items()))]
    return rows


def _title(role: str) -> str:
    """Return a role as a title; the name of a file as it is."""
    return role if "." in role else f"{role[0].upper()}{role[1:]}"


def _checksums(learned: LearningRun) -> str:
    return ", ".join(f"{value:08x}" for value in learned.state.checksums())
