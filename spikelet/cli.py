"""The command line: every stage alone, and all of them in one demo."""

import io
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from spikelet import __version__
from spikelet.command_group import CommandGroup
from spikelet.convert_command import convert
from spikelet.data_command import data_command
from spikelet.description.chip.params import TOPOLOGIES
from spikelet.terminal import Terminal, command_line, printing_options
from spikelet.tune_command import tune

__all__ = ["main"]

_POSITIVE = click.IntRange(min=1)
_FROM_0 = click.IntRange(min=0)
_NETWORK = click.argument("network", type=click.Path(path_type=Path))
_SAMPLES = click.argument("samples", type=click.Path(path_type=Path))
_OUT = click.option(
    *("-o", "--out", "folder"),
    type=click.Path(path_type=Path),
    help="Project folder, unless NETWORK is one.",
)
_NEURON = click.option(
    "--neuron", metavar="MODEL", help="Neuron model: a name, or a .toml or .json file."
)
_FRAMEWORK = click.option(
    "--framework", metavar="NAME", help="Who wrote a NIR file: snntorch, norse, ..."
)
_DT = click.option("--dt", type=float, help="Seconds per tick, where the file does not say.")
_WEIGHT_BITS = click.option(
    "--weight-bits", metavar="[LAYER=]BITS", multiple=True, help="4 by default."
)
_POTENTIAL_BITS = click.option(
    "--potential-bits", metavar="[LAYER=]BITS", multiple=True, help="16 by default."
)
_COUNT = click.option("--count", type=_POSITIVE, help="Only the first so many samples.")
_PLACEMENT_SEED = click.option(
    "--placement-seed",
    type=_FROM_0,
    default=0,
    show_default=True,
    help="Another seed, another chip.",
)
_DECODE = click.option("--decode", default="count", show_default=True, help="Decoder of classes.")
_LEARNING = click.option("--learning/--no-learning", default=True, help="Only run, or learn.")
_START = click.option("--start", type=click.Path(path_type=Path), help="A snapshot to begin with.")


@click.group(cls=CommandGroup)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """From a spiking neural network to a chip whose every spike is proven."""
    for stream in (sys.stdout, sys.stderr):  # names may be more than a terminal can show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


main.add_command(data_command)


@main.command("compile")
@_NETWORK
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), required=True)
@_NEURON
@_FRAMEWORK
@_DT
@_WEIGHT_BITS
@_POTENTIAL_BITS
@click.option("--neuron-scales/--layer-scale", default=None, help="Weight scale of each neuron.")
@click.option("--plastic", "rules", multiple=True, help="LAYER=RULE.toml: a layer that learns.")
@click.option("--seed", type=_FROM_0, help="In the place of that of a TOML file.")
@click.option("--max-axons", type=_POSITIVE, help="Largest core: axons; 1024 by default.")
@click.option("--max-neurons", type=_POSITIVE, help="Largest core: neurons; 256 by default.")
@click.option("--lanes", type=_POSITIVE, help="Neurons accumulated in a cycle; 16 by default.")
@click.option("--pipelines", type=_POSITIVE, help="Neuron-update pipelines; 1 by default.")
@click.option("--synapses", help="auto (by default), dense, or shared: kernels.")
@click.option("--weight-memory", type=click.Choice(["block", "spram"]), help="block by default.")
@click.option(
    "--fifo-depth",
    type=click.IntRange(2, 16),
    help="Flits that wait at each input of a router; 4 by default.",
)
@click.option("--topology", type=click.Choice(TOPOLOGIES), help="mesh by default.")
@click.option("--multicast/--no-multicast", default=None, help="Default: where it is of use.")
@_PLACEMENT_SEED
@click.option(
    "--draw-key",
    type=click.IntRange(1, (1 << 32) - 1),
    help="What neurons that draw numbers start from; 1 by default.",
)
@click.option("--calibration", type=click.Path(path_type=Path), help="Samples for ranges, rates.")
@click.option("--target", "targets", multiple=True, help="Board or device that it must fit.")
@click.option("--top", default="chip", show_default=True, help="Name of the Verilog's top module.")
@printing_options
def compile_command(
    terminal: Terminal,
    network: Path,
    folder: Path,
    rules: tuple[str, ...],
    weight_bits: tuple[str, ...],
    potential_bits: tuple[str, ...],
    calibration: Path | None,
    targets: tuple[str, ...],
    top: str,
    **options: Any,
) -> None:
    """Import, quantise and place NETWORK (a NIR or TOML file, or a folder); write the chip's files.

    What is not given is taken from a TOML file, or from the network that a folder holds.
    """
    from spikelet.boards import BOARDS
    from spikelet.compiler.compile import compile_network
    from spikelet.network.limits import PlacementLimits
    from spikelet.network.quantise import bits_of_layers
    from spikelet.network.toml_file import rules_of_layers
    from spikelet.project import Project
    from spikelet.results import compiled_fields, old_fields, show_compiled
    from spikelet.rtl_gen.emit import check_top
    from spikelet.runs.recorded import compare_recorded
    from spikelet.runs.verify import compile_warnings
    from spikelet.samples.samples import load_samples
    from spikelet.targets import require_target, target_named

    check_top(top)
    samples = load_samples(calibration) if calibration else None
    limits = {field.name: options.pop(field.name) for field in fields(PlacementLimits)}
    compiled = compile_network(
        network,
        plastic=rules_of_layers(rules),
        weight_bits=bits_of_layers("--weight-bits", weight_bits),
        potential_bits=bits_of_layers("--potential-bits", potential_bits),
        limits={name: value for name, value in limits.items() if value is not None},
        calibration=samples.spikes if samples else None,
        **options,
    )
    recorded = compare_recorded(compiled.network.floats, samples, compiled.network.draw_key)
    for target in map(target_named, targets):
        fit = require_target(compiled, target)
        rest = "; the sample's events are counted by build" if target in BOARDS else ""
        terminal.say(f"{fit}{rest}")
    project = Project(folder, command_line(click.get_current_context()))
    old = project.save(compiled, network=network, calibration=samples, top=top)
    warnings = compile_warnings(compiled, samples, recorded)
    show_compiled(terminal, compiled, recorded)
    terminal.warn(warnings)
    terminal.out_of_date(old)
    terminal.say(f"compiled to {folder}")
    made = compiled_fields(compiled, folder, recorded)
    terminal.result({**made, "warnings": warnings, **old_fields(old)})


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@_NEURON
@_FRAMEWORK
@_DT
@_WEIGHT_BITS
@_POTENTIAL_BITS
@printing_options
def check(
    terminal: Terminal,
    file: Path,
    weight_bits: tuple[str, ...],
    potential_bits: tuple[str, ...],
    **options: Any,
) -> None:
    """Say of each node of the NIR file FILE whether a chip computes it exactly; write nothing."""
    from spikelet.network.quantise import bits_of_layers
    from spikelet.results import show_check
    from spikelet.support import UNSUPPORTED
    from spikelet.support import check as checked

    found = checked(
        file,
        weight_bits=bits_of_layers("--weight-bits", weight_bits),
        potential_bits=bits_of_layers("--potential-bits", potential_bits),
        **options,
    )
    show_check(terminal, found)
    terminal.result(found.to_dict())
    if found.verdict == UNSUPPORTED:
        sys.exit(1)


@main.command()
@_NETWORK
@_SAMPLES
@_OUT
@click.option("--engine", default="golden", show_default=True, help="golden, rtl, netlist-...")
@_COUNT
@_DECODE
@_LEARNING
@_START
@click.option(
    "--recording", type=click.Path(path_type=Path), help="Also write the recording there."
)
@printing_options
def run(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    engine: str,
    count: int | None,
    decode: str,
    learning: bool,
    start: Path | None,
    recording: Path | None,
) -> None:
    """Run SAMPLES on one engine; keep the Recording in the project folder."""
    from spikelet.description.chip.state import ChipState
    from spikelet.project import opened
    from spikelet.results import score_fields, score_words
    from spikelet.runs.engines import engine_named
    from spikelet.samples.decode import decoder_named
    from spikelet.samples.plastic_samples import load_learning_samples

    engine_named(engine)
    decoder_named(decode)
    project = opened(network, folder, command_line(click.get_current_context()))
    net = project.load().network
    chosen = load_learning_samples(samples, net.encoder).first(count)
    with terminal.progress() as progress:
        progress(engine, 0, len(chosen.spikes))
        ran = project.run(
            chosen,
            engine,
            learning=learning,
            start=ChipState.load(start) if start else None,
            progress=lambda done: progress(engine, done, len(chosen.spikes)),
        )
    trace = ran.recording
    if recording:
        trace.save(recording)
    recording = recording or project.run_file(engine)
    score = chosen.score(ran.votes(decode)) if net.floats else None
    runs = f"{trace.samples:,} samples of {trace.ticks:,} ticks"
    words = score_words(score) if score else ""
    terminal.say(f"{engine}: {runs}{words}; Recording in {recording}")
    fields = score_fields(score) if score else {"samples": trace.samples}
    terminal.result({"engine": engine, "ticks": trace.ticks, **fields, "trace": str(recording)})


@main.command()
@_NETWORK
@_SAMPLES
@_OUT
@click.option(
    *("--engine", "engines"),
    multiple=True,
    default=("rtl",),
    show_default=True,
    help="Besides golden; can be given several times; cocotb: in every simulator that is there.",
)
@_COUNT
@_DECODE
@_LEARNING
@_START
@click.option("--netlist-samples", type=_POSITIVE, default=20, show_default=True)
@click.option("--waves", is_flag=True, help="Of a difference, write a waveform.")
@printing_options
def verify(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    engines: tuple[str, ...],
    count: int | None,
    decode: str,
    learning: bool,
    start: Path | None,
    netlist_samples: int,
    waves: bool,
) -> None:
    """Run golden and other engines on SAMPLES and compare everything, bit for bit."""
    from spikelet.description.chip.state import ChipState
    from spikelet.project import opened
    from spikelet.results import show_verification
    from spikelet.runs.engines import chosen_engines
    from spikelet.samples.plastic_samples import load_learning_samples

    chosen = chosen_engines(engines, terminal.say)
    project = opened(network, folder, command_line(click.get_current_context()))
    shown = load_learning_samples(samples, project.load().network.encoder).first(count)
    with terminal.progress() as progress:
        result = project.verify(
            shown,
            chosen,
            learning=learning,
            start=ChipState.load(start) if start else None,
            netlist_samples=netlist_samples,
            decode=decode,
            progress=progress,
            waves=terminal.say if waves else None,
        )
    show_verification(terminal, result)
    terminal.result(result.to_dict())
    if not result.equal:
        sys.exit(1)


@main.command()
@_NETWORK
@click.argument("target")
@_OUT
@click.option("--samples", type=click.Path(path_type=Path), help="Some are stored in the image.")
@click.option("--sample", type=_FROM_0, default=0, show_default=True, help="First of them.")
@click.option("--count", type=_POSITIVE, help="How many; 1, or 20 of a network that learns.")
@click.option("--seeds", type=_POSITIVE, default=4, show_default=True, help="Seeds to try at most.")
@printing_options
def build(
    terminal: Terminal,
    network: Path,
    target: str,
    folder: Path | None,
    samples: Path | None,
    seeds: int,
    **options: Any,
) -> None:
    """Synthesise, place, route and pack for TARGET, a board or a bare device."""
    from spikelet.project import opened
    from spikelet.results import build_fields, show_build
    from spikelet.samples.plastic_samples import load_learning_samples

    project = opened(network, folder, command_line(click.get_current_context()))
    encoder = project.load().network.encoder
    chosen = load_learning_samples(samples, encoder).first(None) if samples else None
    report = project.build(
        target, chosen, seeds=range(1, seeds + 1), progress=terminal.say, **options
    )
    show_build(terminal, target, report, project.build_folder(target))
    terminal.result(build_fields(report, project.build_folder(target)))


@main.command()
@_NETWORK
@_OUT
@click.option("--sample", type=_FROM_0, default=0, show_default=True, help="Which sample to draw.")
@click.option("--state", default="v", show_default=True, help="Which state of neurons to draw.")
@printing_options
def report(terminal: Terminal, network: Path, folder: Path | None, sample: int, state: str) -> None:
    """Write one HTML page of all that is known of a project."""
    from spikelet.project import opened
    from spikelet.results import old_fields

    project = opened(network, folder, command_line(click.get_current_context()))
    page, old = project.report(sample, state)
    terminal.out_of_date(old)
    terminal.say(f"report: {page}")
    terminal.result({"report": str(page), **old_fields(old)})


@main.command()
@_NETWORK
@_SAMPLES
@_OUT
@click.option("--engine", default="golden", show_default=True, help="golden, rtl, netlist-...")
@click.option(
    "--epochs",
    type=_POSITIVE,
    default=1,
    show_default=True,
    help="How often all samples are shown.",
)
@click.option("--seed", type=_FROM_0, help="In the place of that of a TOML file.")
@_LEARNING
@_START
@click.option("--resume", is_flag=True, help="Go on behind the last epoch that has ended.")
@click.option(
    "--verify", type=_FROM_0, default=0, metavar="N", help="Compare golden and RTL on N samples."
)
@printing_options
def learn(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    engine: str,
    seed: int | None,
    verify: int,
    **options: Any,
) -> None:
    """Let NETWORK learn from SAMPLES; save, export and report what it learned."""
    from spikelet.project import opened
    from spikelet.results import learned_fields, show_learned, show_verification
    from spikelet.runs.engines import engine_named
    from spikelet.runs.learn import NIR_FILE
    from spikelet.runs.run import SNAPSHOT_FILE, WEIGHTS_FILE
    from spikelet.samples.plastic_samples import load_learning_samples

    engine_named(engine)
    project = opened(network, folder, command_line(click.get_current_context()), seed)
    shown = load_learning_samples(samples, project.load().network.encoder)
    with terminal.progress() as progress:
        result = project.learn(shown, engine=engine, verify=verify, progress=progress, **options)
    show_learned(terminal, result.run)
    written, reasons = result.run.nir
    for reason in reasons:
        terminal.say(f"{NIR_FILE} {'does not express' if written else 'is not written:'} {reason}")
    terminal.warn(result.warnings)
    place = project.folder / "learned"
    terminal.say(f"learned: {place / WEIGHTS_FILE}; go on with --start {place / SNAPSHOT_FILE}")
    terminal.say(f"report: {result.report}")
    if result.verification:
        show_verification(terminal, result.verification)
    terminal.result(learned_fields(result, project.folder))
    if result.verification and not result.verification.equal:
        sys.exit(1)


@main.command()
@click.argument("model", required=False)
@click.option("--cost", metavar="FAMILY", help="Also build its pipeline for a family or device.")
@printing_options
def neurons(terminal: Terminal, model: str | None, cost: str | None) -> None:
    """List the neuron models, or print all of MODEL, a name or a .toml or .json file."""
    from spikelet.reports.neuron_listing import show_model, show_models

    if cost and not model:
        raise click.UsageError("--cost is of one MODEL: name it")
    say = terminal.say
    terminal.result(show_model(model, cost, say) if model else show_models(say))


@main.command()
@printing_options
def doctor(terminal: Terminal) -> None:
    """Show every tool, its version and place, and what repairs one that is missing."""
    from dataclasses import asdict

    from spikelet.doctor import examine

    findings = examine()
    for item in findings:
        terminal.say(f"{item.name:22}{item.version or 'MISSING':22}  {item.purpose}")
        terminal.say(f"    {item.place or 'repair: ' + item.remedy}")
    terminal.result({"tools": [asdict(item) for item in findings]})
    if any(not item.version and item.required for item in findings):
        sys.exit(1)


@main.command()
@click.option(
    "-o",
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("build/demo"),
    show_default=True,
)
@click.option("--netlists/--no-netlists", default=True, help="Also simulate the netlists.")
@click.option("--topology", type=click.Choice(TOPOLOGIES), default="mesh", show_default=True)
@_PLACEMENT_SEED
@printing_options
def demo(terminal: Terminal, folder: Path, **options: Any) -> None:
    """From a trained digits network to bitstreams for two FPGA families, and the report."""
    from spikelet.demo import demonstrate
    from spikelet.project import Project

    project = Project(folder, command_line(click.get_current_context()))
    if not demonstrate(terminal, project, **options):
        sys.exit(1)


main.add_command(convert)
main.add_command(tune)
