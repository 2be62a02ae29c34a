"""Results as the command line shows them: tables for people, and fields for JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.like import LayerCost
from spikelet.description.artefact import OutOfDate
from spikelet.fpga.flow import FpgaReport, timing_words
from spikelet.guidance import after_build
from spikelet.network.origin import Origin
from spikelet.project_asic import AsicEstimate
from spikelet.project_learning import Learned
from spikelet.runs.learn import LearningRun
from spikelet.runs.levels import Proof
from spikelet.runs.recorded import Recorded
from spikelet.runs.verification import Verification
from spikelet.samples.samples import Score
from spikelet.terminal import Terminal

__all__ = [
    "build_fields",
    "compiled_fields",
    "learned_fields",
    "old_fields",
    "score_fields",
    "score_words",
    "show_asic",
    "show_build",
    "show_compiled",
    "show_costs",
    "show_learned",
    "show_proof",
    "show_verification",
]


def old_fields(old: Iterable[OutOfDate]) -> dict[str, Any]:
    """Return what is out of date."""
    return {"out_of_date": [asdict(item) for item in old]}


def score_words(score: Score) -> str:
    """Return how samples were classified, behind a comma; empty if there is nothing to say."""
    shown = "" if score.accuracy is None else f", {score.accuracy:.2%} classified as labelled"
    return f"{shown}, {score.notes}" if score.notes else shown


def score_fields(score: Score) -> dict[str, Any]:
    """Return how samples were classified."""
    return {**asdict(score), "accuracy": score.accuracy}


def _show_recorded(terminal: Terminal, origin: Origin | None, recorded: Recorded | None) -> None:
    """Print how the network's file was read, and whether that is what its framework did."""
    if origin is None:
        return
    terminal.say(
        f"{recorded.words}"
        if recorded
        else "nothing was compared with the framework: the samples "
        "hold nothing that it recorded (expected)"
    )
    terminal.say(f"{origin.path} is read {'; '.join(origin.reading)}")
    if origin.unsaid:
        terminal.say(f"the file does not say, and there is taken: {'; '.join(origin.unsaid)}")


def _origin(compiled: CompiledNetwork) -> Origin | None:
    return compiled.network.floats.origin if compiled.network.floats else None


def show_compiled(
    terminal: Terminal, compiled: CompiledNetwork, recorded: Recorded | None = None
) -> None:
    """Print how the network was read, its layers on cores, and what the placement is worth."""
    _show_recorded(terminal, _origin(compiled), recorded)
    rows = []
    quantised = {stats.name: stats for stats in compiled.network.quantisation}
    for layer in compiled.layers:
        cores = [compiled.chip.cores[part.core] for part in layer.slices]
        shapes = ", ".join(f"{c.n_axons}x{c.n_neurons}, {c.lanes}" for c in cores)
        synapses = ", ".join(dict.fromkeys(core.synapses for core in cores))
        stats, rule = quantised.get(layer.name), compiled.network.rule(layer.name)
        learns = rule.name if rule else ""
        scale = f"{stats.scale:.6g}" if stats else ""
        clipped = f"{stats.clipped} of {stats.weights}" if stats else ""
        rows.append([layer.name, str(layer.size), scale, clipped, shapes, synapses, learns])
    shape = "cores (axons x neurons, lanes)"
    header = ("layer", "size", "weight scale", "clipped", shape, "synapses", "rule")
    terminal.table(header, rows)
    if len(compiled.chip.cores) > 1:
        loads, drawn = compiled.quality.loads, compiled.quality.random
        terminal.say(
            f"placed {'with' if compiled.chip.multicast else 'without'} multicast: packets cross "
            f"{loads.total:,.1f} links a tick, in random placements {drawn.objective:,.1f}; "
            f"largest link load {loads.largest:,.1f}, at random {drawn.largest:,.1f}"
        )


def show_costs(terminal: Terminal, costs: Iterable[LayerCost]) -> None:
    """Print what the scales of another network cost each layer; nothing if there are none."""
    rows = [
        [
            cost.name,
            f"{cost.scale:.6g} ({cost.own_scale:.6g})",
            f"{cost.clipped} ({cost.own_clipped})",
            f"{cost.error:.2%} ({cost.own_error:.2%})",
            f"{cost.range_used:.0%}",
        ]
        for cost in costs
    ]
    if rows:
        header = ("layer", "weight scale (its own)", "clipped", "error", "range used")
        terminal.say("what the kept scales cost; in brackets, with scales of its own:")
        terminal.table(header, rows)


def compiled_fields(
    compiled: CompiledNetwork, folder: Path, recorded: Recorded | None = None
) -> dict[str, Any]:
    """Return layers, cores and digests of a compiled network, and how it was read."""
    origin = _origin(compiled)
    return {
        "recorded": recorded and recorded.to_dict(),
        "origin": origin and origin.to_dict(),
        "name": compiled.name,
        "folder": str(folder),
        "digests": compiled.digests,
        "output_latency": compiled.output_latency,
        "layers": [asdict(layer) for layer in compiled.layers],
        "quantisation": [asdict(layer) for layer in compiled.network.quantisation],
        "cores": [
            {
                "axons": c.n_axons,
                "neurons": c.n_neurons,
                "lanes": c.lanes,
                "synapses": c.synapses,
            }
            for c in compiled.chip.cores
        ],
    }


def show_proof(terminal: Terminal, proof: Proof) -> None:
    """Print each level of a board's build, and what was compared."""
    rows = [
        [
            level.name,
            str(level.samples),
            "" if level.cycles is None else f"{level.cycles:,}",
            "yes" if level.equal else "NO",
        ]
        for level in proof.levels
    ]
    terminal.table((f"level ({proof.board})", "samples", "cycles", "equal"), rows)
    for level in proof.levels:
        terminal.say(f"{level.name}: {level.found or level.compared}")
    if proof.round_trip_only:
        terminal.say(
            "the circuit of the bitstream was not simulated: what is shown is that the netlist is "
            "equal, and the round trip of the configuration"
        )


def show_verification(terminal: Terminal, result: Verification) -> None:
    """Print each engine's figures, and its comparison with golden in words."""

    def row(name: str, samples: int, score: Score | None, *more: str) -> list[str]:
        if score is None:
            return [name, str(samples), "", "", "", *more]
        accuracy = "" if score.accuracy is None else f"{score.accuracy:.2%}"
        return [name, str(samples), accuracy, str(score.unclassified), str(score.ties), *more]

    _show_recorded(terminal, result.origin, result.recorded)
    rows = []
    if result.float_score is not None:
        rows.append(row("float", result.engines[0].samples, result.float_score, "", "", ""))
    for engine in result.engines:
        cycles = "" if engine.cycles is None else f"{engine.cycles:,.0f}"
        equal = "yes" if engine.equal else "NO" if engine.difference else "nothing"
        more = (cycles, equal if engine.compared else "", f"{engine.seconds:.1f}")
        rows.append(row(engine.engine, engine.samples, engine.score, *more))
    header = ("engine", "samples", "accuracy", "no class", "tied", "cycles", "equal", "seconds")
    terminal.table(header, rows)
    for engine in result.engines:
        if engine.early_stop:
            terminal.say(f"{engine.engine}: {engine.early_stop.words}")
        if engine.compared:
            terminal.say(f"{engine.engine}: {engine.verdict}")
    terminal.warn(result.warnings)


def show_build(terminal: Terminal, target: str, report: FpgaReport, folder: Path) -> None:
    """Print frequency and utilisation of a build, and what to do with it."""
    routed = report.routed
    used = ", ".join(
        f"{usage.used} of {usage.available} {kind}"
        for kind, usage in routed.utilisation.items()
        if usage.used
    )
    frequency = f"{routed.fmax_mhz:.1f} MHz (wanted {report.target_mhz:g})"
    terminal.say(f"{target}: {frequency}; {used}")
    for line in timing_words(report):
        terminal.say(line)
    for line in after_build(folder, report):
        terminal.say(line)


def build_fields(report: FpgaReport, folder: Path) -> dict[str, Any]:
    """Return a build's figures, and where its bitstream is."""
    bitstream = str((folder / report.bitstream).absolute()) if report.bitstream else None
    return {**report.to_dict(), "bitstream": bitstream, "made": asdict(report.made)}


def show_learned(terminal: Terminal, run: LearningRun) -> None:
    """Print the weights of each projection before and after."""
    rows = []
    for p in run.compiled.network.projections:
        before, after = run.weights(p.source, p.target)
        spread = [f"{w.min()}, {w.mean():.1f}, {w.max()}" for w in (before, after)]
        changed = f"{(before != after).sum()} of {before.size}"
        rows.append([f"{p.source} to {p.target}", "yes" if p.rule else "no", *spread, changed])
    header = ("projection", "learns", "before: least, mean, largest", "after", "changed")
    terminal.table(header, rows)


def learned_fields(result: Learned, folder: Path) -> dict[str, Any]:
    """Return what was learned, in numbers."""
    run = result.run
    projections = []
    for p in run.compiled.network.projections:
        before, after = run.weights(p.source, p.target)
        changed = int((before != after).sum())
        projections.append({"source": p.source, "target": p.target, "changed": changed})
    return {
        "folder": str(folder),
        "digests": run.compiled.digests,
        "checksums": [int(value) for value in run.state.checksums()],
        "projections": projections,
        "nir_written": run.nir[0] is not None,
        "not_in_nir": run.nir[1],
        "warnings": result.warnings,
        "verification": result.verification and result.verification.to_dict(),
        "report": str(result.report),
    }


def show_asic(terminal: Terminal, estimate: AsicEstimate) -> None:
    """Show what is known of a chip before layout."""
    macros = sum(int(macro["instances"]) for macro in estimate.macros)
    rows = [["memory macros", f"{macros:,} of {estimate.macro_bits:,} bits; area not known"]]
    if estimate.library:
        cells = estimate.cells or {}
        rows.append(["library", estimate.library])
        rows.append(["cells", f"{sum(cells.values()):,}"])
        rows.append(["area of the cells", f"{estimate.area:,.0f}, in the library's unit"])
    if estimate.path_ps is not None:
        how = "clock to clock" if estimate.path_by == "OpenSTA" else "gates alone"
        rows.append(["longest path", f"{estimate.path_ps:,.0f} ps ({estimate.path_by}, {how})"])
    terminal.table(("before layout", ""), rows)
    if estimate.library:
        terminal.say("without wires, clock tree and the macros' delays: a layout will be slower")
