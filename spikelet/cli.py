"""The command line: every stage alone, and all of them in one demo."""

import io
import sys
from importlib.resources import files
from pathlib import Path

import click

from spikelet import __version__
from spikelet.command_group import CommandGroup
from spikelet.description.chip.params import TOPOLOGIES
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["main"]

_POSITIVE = click.IntRange(min=1)
_FROM_0 = click.IntRange(min=0)
_FOLDER = click.argument("folder", type=click.Path(path_type=Path))
_SAMPLES = click.argument("samples", type=click.Path(path_type=Path))


@click.group(cls=CommandGroup)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """From a spiking neural network to a chip whose every spike is proven."""
    for stream in (sys.stdout, sys.stderr):  # names may be more than a terminal can show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@main.command("compile")
@click.argument("network", type=click.Path(path_type=Path))
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--neuron", metavar="MODEL", help="Neuron model: a name, or a .toml or .json file.")
@click.option("--dt", type=float, help="Seconds per tick, where the file does not say.")
@click.option("--weight-bits", type=_POSITIVE, default=4, show_default=True)
@click.option("--potential-bits", type=_POSITIVE, default=16, show_default=True)
@click.option(
    "--max-axons", type=_POSITIVE, default=1024, show_default=True, help="Largest core: axons."
)
@click.option(
    "--max-neurons", type=_POSITIVE, default=256, show_default=True, help="Largest core: neurons."
)
@click.option(
    "--lanes", type=_POSITIVE, default=16, show_default=True, help="Neurons accumulated in a cycle."
)
@click.option(
    "--pipelines", type=_POSITIVE, default=1, show_default=True, help="Neuron-update pipelines."
)
@click.option("--weight-memory", type=click.Choice(["block", "spram"]), default="block")
@click.option(
    "--fifo-depth",
    type=click.IntRange(2, 16),
    default=4,
    show_default=True,
    help="Flits that wait at each input of a router.",
)
@click.option("--topology", type=click.Choice(TOPOLOGIES), default="mesh", show_default=True)
@click.option("--multicast/--no-multicast", default=None, help="Default: where it is of use.")
@click.option(
    "--placement-seed",
    type=_FROM_0,
    default=0,
    show_default=True,
    help="Another seed, another chip.",
)
@click.option(
    "--draw-key",
    type=click.IntRange(1, (1 << 32) - 1),
    default=1,
    show_default=True,
    help="What neurons that draw numbers start from.",
)
@click.option("--calibration", type=click.Path(path_type=Path), help="Samples for ranges, rates.")
@click.option("--target", "targets", multiple=True, help="Board or device that it must fit.")
@click.option("--top", default="chip", show_default=True, help="Name of the Verilog's top module.")
@printing_options
def compile_command(
    terminal: Terminal,
    network: Path,
    folder: Path,
    neuron: str | None,
    dt: float | None,
    weight_bits: int,
    potential_bits: int,
    max_axons: int,
    max_neurons: int,
    lanes: int,
    pipelines: int,
    weight_memory: str,
    fifo_depth: int,
    topology: str,
    multicast: bool | None,
    placement_seed: int,
    draw_key: int,
    calibration: Path | None,
    targets: tuple[str, ...],
    top: str,
) -> None:
    """Import, quantise and place NETWORK (a NIR file); write the chip's files."""
    from spikelet.boards import BOARDS
    from spikelet.compiler.compiled import compile_network
    from spikelet.compiler.place import PlacementLimits
    from spikelet.project import Project, require_target, target_named
    from spikelet.results import compiled_fields, old_fields, show_compiled
    from spikelet.rtl_gen.emit import check_top
    from spikelet.runs.verify import compile_warnings
    from spikelet.samples.samples import load_samples

    check_top(top)
    samples = load_samples(calibration) if calibration else None
    compiled = compile_network(
        network,
        neuron,
        dt,
        weight_bits=weight_bits,
        potential_bits=potential_bits,
        limits=PlacementLimits(max_axons, max_neurons, lanes, pipelines, weight_memory, fifo_depth),
        calibration=samples.spikes if samples else None,
        topology=topology,
        multicast=multicast,
        placement_seed=placement_seed,
        draw_key=draw_key,
    )
    for target in map(target_named, targets):
        fit = require_target(compiled, target)
        rest = "; the sample's events are counted by build" if target in BOARDS else ""
        terminal.say(f"{fit}{rest}")
    project = Project(folder, command_line(click.get_current_context()))
    old = project.save(compiled, network=network, calibration=samples, top=top)
    warnings = compile_warnings(compiled, samples)
    show_compiled(terminal, compiled)
    terminal.warn(warnings)
    terminal.out_of_date(old)
    terminal.say(f"compiled to {folder}")
    terminal.result({**compiled_fields(compiled, folder), "warnings": warnings, **old_fields(old)})


@main.command()
@_FOLDER
@_SAMPLES
@click.option("--engine", default="golden", show_default=True, help="golden, rtl, netlist-...")
@click.option("--count", type=_POSITIVE, help="Only the first so many samples.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write the Trace there.")
@printing_options
def simulate(
    terminal: Terminal,
    folder: Path,
    samples: Path,
    engine: str,
    count: int | None,
    out: Path | None,
) -> None:
    """Run SAMPLES on one engine of the project FOLDER; keep the Trace there."""
    from spikelet.project import Project
    from spikelet.results import score_fields, score_words
    from spikelet.samples.samples import load_samples

    project = Project(folder, command_line(click.get_current_context()))
    compiled, chosen = project.load(), load_samples(samples).first(count)
    with terminal.progress() as progress:
        progress(engine, 0, len(chosen.spikes))
        trace = project.simulate(
            chosen, engine, progress=lambda done: progress(engine, done, len(chosen.spikes))
        )
    if out:
        trace.save(out)
    out = out or project.run_file(engine)
    score = chosen.score(compiled.output_counts(trace))
    runs = f"{trace.samples:,} samples of {trace.ticks:,} ticks"
    terminal.say(f"{engine}: {runs}{score_words(score)}; Trace in {out}")
    terminal.result(
        {"engine": engine, "ticks": trace.ticks, **score_fields(score), "trace": str(out)}
    )


@main.command()
@_FOLDER
@_SAMPLES
@click.option(
    *("--engine", "engines"),
    multiple=True,
    default=("rtl",),
    show_default=True,
    help="Besides golden; can be given several times; cocotb: in every simulator that is there.",
)
@click.option("--count", type=_POSITIVE, help="Only the first so many samples.")
@click.option("--netlist-samples", type=_POSITIVE, default=20, show_default=True)
@click.option("--waves", is_flag=True, help="Of a difference, write a waveform.")
@printing_options
def verify(
    terminal: Terminal,
    folder: Path,
    samples: Path,
    engines: tuple[str, ...],
    count: int | None,
    netlist_samples: int,
    waves: bool,
) -> None:
    """Run golden and other engines on SAMPLES and compare everything, bit for bit."""
    from spikelet.project import Project
    from spikelet.results import show_verification
    from spikelet.runs.engines import chosen_engines
    from spikelet.samples.samples import load_samples

    with terminal.progress() as progress:
        result = Project(folder, command_line(click.get_current_context())).verify(
            load_samples(samples).first(count),
            chosen_engines(engines, terminal.say),
            netlist_samples=netlist_samples,
            progress=progress,
            waves=terminal.say if waves else None,
        )
    show_verification(terminal, result)
    terminal.result(result.to_dict())
    if not result.equal:
        sys.exit(1)


@main.command()
@_FOLDER
@click.argument("target")
@click.option("--samples", type=click.Path(path_type=Path), help="One is stored in the image.")
@click.option("--sample", type=_FROM_0, default=0, show_default=True, help="Which sample to store.")
@click.option("--seeds", type=_POSITIVE, default=4, show_default=True, help="Seeds to try at most.")
@printing_options
def build(
    terminal: Terminal, folder: Path, target: str, samples: Path | None, sample: int, seeds: int
) -> None:
    """Synthesise, place, route and pack for TARGET, a board or a bare device."""
    from spikelet.project import Project
    from spikelet.results import build_fields, show_build
    from spikelet.samples.samples import load_samples

    project = Project(folder, command_line(click.get_current_context()))
    chosen = load_samples(samples) if samples else None
    report = project.build(
        target, chosen, sample=sample, seeds=range(1, seeds + 1), progress=terminal.say
    )
    show_build(terminal, target, report, project.build_folder(target))
    terminal.result(build_fields(report, project.build_folder(target)))


@main.command()
@_FOLDER
@click.option("--sample", type=_FROM_0, default=0, show_default=True, help="Which sample to draw.")
@click.option("--state", default="v", show_default=True, help="Which state of neurons to draw.")
@printing_options
def report(terminal: Terminal, folder: Path, sample: int, state: str) -> None:
    """Write one HTML page of all that is known of the project FOLDER."""
    from spikelet.project import Project
    from spikelet.results import old_fields

    page, old = Project(folder, command_line(click.get_current_context())).report(sample, state)
    terminal.out_of_date(old)
    terminal.say(f"report: {page}")
    terminal.result({"report": str(page), **old_fields(old)})


@main.command()
@click.argument("network", type=click.Path(path_type=Path))
@_SAMPLES
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--engine", default="golden", show_default=True, help="golden or rtl.")
@click.option(
    "--epochs",
    type=_POSITIVE,
    default=1,
    show_default=True,
    help="How often all samples are shown.",
)
@click.option("--seed", type=_FROM_0, help="In the place of the network's.")
@click.option("--learning/--no-learning", default=True, help="Only run, or learn.")
@click.option("--start", type=click.Path(path_type=Path), help="A snapshot to begin with.")
@click.option("--resume", is_flag=True, help="Go on behind the last epoch that has ended.")
@click.option(
    "--verify", type=_FROM_0, default=0, metavar="N", help="Compare golden and RTL on N samples."
)
@printing_options
def learn(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path,
    engine: str,
    epochs: int,
    seed: int | None,
    learning: bool,
    start: Path | None,
    resume: bool,
    verify: int,
) -> None:
    """Let NETWORK (a TOML file) learn from SAMPLES; save, export and report what it learned."""
    from spikelet.network.toml_file import load_task
    from spikelet.results import learned_fields, show_learned, show_verification
    from spikelet.runs.learn import NIR_FILE
    from spikelet.runs.learn import learn as run
    from spikelet.runs.learned import SNAPSHOT_FILE, WEIGHTS_FILE
    from spikelet.samples.plastic_samples import load_learning_samples

    task = load_task(network, seed)
    shown = load_learning_samples(samples, task.encoder)
    with terminal.progress() as progress:
        result = run(
            task,
            shown,
            folder,
            engine=engine,
            epochs=epochs,
            learning=learning,
            start=start,
            resume=resume,
            verify=verify,
            command=command_line(click.get_current_context()),
            progress=progress,
        )
    show_learned(terminal, result)
    for item in result.not_in_nir:
        terminal.say(f"{NIR_FILE} does not express {item}")
    terminal.warn(result.warnings)
    weights, snapshot = folder / WEIGHTS_FILE, folder / SNAPSHOT_FILE
    terminal.say(f"learned: {weights}; go on with --start {snapshot}")
    terminal.say(f"report: {result.report}")
    if result.verification:
        show_verification(terminal, result.verification)
    terminal.result(learned_fields(result, folder))
    if result.verification and not result.verification.equal:
        sys.exit(1)


@main.command()
@click.argument("model", required=False)
@click.option("--cost", metavar="FAMILY", help="Also build its pipeline for a family or device.")
@printing_options
def neurons(terminal: Terminal, model: str | None, cost: str | None) -> None:
    """List the neuron models, or print all of MODEL, a name or a .toml or .json file."""
    from spikelet.description.neurons.models import neuron_model, neuron_models
    from spikelet.reports.neuron_listing import listed_models, model_fields, model_lines

    if model is None:
        if cost:
            raise click.UsageError("--cost is of one MODEL: name it")
        for line in listed_models(neuron_models().values()):
            terminal.say(line)
        terminal.result({"neurons": [model_fields(found) for found in neuron_models().values()]})
        return
    found = neuron_model(model)
    for line in model_lines(found):
        terminal.say(line)
    fields = model_fields(found)
    if cost:
        from dataclasses import asdict

        from spikelet.fpga.families import devices, family_named
        from spikelet.fpga.neuron_cost import neuron_cost

        device = devices().get(cost) or family_named(cost).devices[0]
        taken = neuron_cost(found, device, progress=terminal.say)
        terminal.say(
            f"on {taken.device}: {taken.luts:,} LUTs, {taken.flip_flops:,} flip-flops, "
            f"{taken.dsps:,} multipliers, {taken.fmax_mhz:.0f} MHz for one update pipeline"
        )
        fields["cost"] = asdict(taken)
    terminal.result(fields)


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
@click.option(
    "--placement-seed",
    type=_FROM_0,
    default=0,
    show_default=True,
    help="Another seed, another chip.",
)
@printing_options
def demo(
    terminal: Terminal, folder: Path, netlists: bool, topology: str, placement_seed: int
) -> None:
    """From a trained digits network to bitstreams for two FPGA families, and the report."""
    from spikelet.compiler.compiled import compile_network
    from spikelet.compiler.place import PlacementLimits
    from spikelet.project import Project
    from spikelet.results import (
        build_fields,
        compiled_fields,
        show_build,
        show_compiled,
        show_verification,
    )
    from spikelet.runs.engines import netlist_engines
    from spikelet.samples.samples import load_samples

    example = Path(str(files("spikelet.examples.digits")))
    test = load_samples(example / "digits_test.npz", "test_")
    calibration = load_samples(example / "digits_test.npz", "calibration_")
    project = Project(folder, command_line(click.get_current_context()))

    terminal.say("1 of 4: compile digits.nir, 64-64-10, trained with snnTorch")
    compiled = compile_network(
        example / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=8, weight_memory="spram", fifo_depth=2),
        calibration=calibration.spikes,
        topology=topology,
        placement_seed=placement_seed,
    )
    project.save(compiled, network=example / "digits.nir", calibration=calibration)
    show_compiled(terminal, compiled)

    terminal.say("2 of 4: verify golden, RTL and netlists")
    with terminal.progress() as progress:
        engines = ("rtl", *netlist_engines()) if netlists else ("rtl",)
        result = project.verify(test, engines, progress=progress)
    show_verification(terminal, result)

    terminal.say("3 of 4: build bitstreams (the tools compile themselves at their first call)")
    builds = {}
    for target in ("ULX3S-85F", "iCEBreaker"):
        built = project.build(target, test, progress=terminal.say)
        show_build(terminal, target, built, project.build_folder(target))
        builds[target] = build_fields(built, project.build_folder(target))

    terminal.say("4 of 4: report")
    page, old = project.report()
    terminal.out_of_date(old)
    terminal.say(f"report: {page}")
    terminal.result(
        {
            **compiled_fields(compiled, folder),
            "verification": result.to_dict(),
            "builds": builds,
            "report": str(page),
        }
    )
    if not result.equal:
        sys.exit(1)
