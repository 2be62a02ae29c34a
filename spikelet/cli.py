"""The command line: every stage alone, and all of them in one demo."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from spikelet import __version__
from spikelet.description.params import TOPOLOGIES
from spikelet.description.profile import PROFILES
from spikelet.errors import SpikeletError
from spikelet.installation import not_installed

__all__ = ["main"]

_CONSOLE = Console()
_EXTRAS = {
    **dict.fromkeys(("compile", "simulate", "verify"), "chip"),
    **dict.fromkeys(("report", "learn"), "report"),
    "build": "fpga",
    "demo": "all",
}
"""The extra that has all that a command needs."""
_FOLDER = click.argument("folder", type=click.Path(path_type=Path))
_SAMPLES = click.argument("samples", type=click.Path(path_type=Path))


class _Group(click.Group):
    """Turns errors that a user can act on into messages, unless ``--debug`` is given."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SpikeletError, ImportError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, ModuleNotFoundError) and error.name:
                verb = ctx.invoked_subcommand or ""
                error = not_installed(error.name, f"spikelet {verb}", _EXTRAS.get(verb, ""))
            click.echo(f"spikelet: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Group)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """From a spiking neural network to a chip whose every spike is proven."""


@main.command("compile")
@click.argument("network", type=click.Path(path_type=Path))
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--profile", type=click.Choice(sorted(PROFILES)), help="How a tick is computed.")
@click.option("--dt", type=float, help="Seconds per tick, where the file does not say.")
@click.option("--weight-bits", default=4, show_default=True)
@click.option("--potential-bits", default=16, show_default=True)
@click.option("--max-axons", default=1024, show_default=True, help="Largest core: axons.")
@click.option("--max-neurons", default=256, show_default=True, help="Largest core: neurons.")
@click.option("--lanes", default=16, show_default=True, help="Neurons accumulated in a cycle.")
@click.option("--pipelines", default=1, show_default=True, help="Neuron-update pipelines.")
@click.option("--weight-memory", type=click.Choice(["block", "spram"]), default="block")
@click.option("--topology", type=click.Choice(TOPOLOGIES), default="mesh", show_default=True)
@click.option("--multicast/--no-multicast", default=None, help="Default: where it is of use.")
@click.option("--placement-seed", default=0, show_default=True, help="Another seed, another chip.")
@click.option("--calibration", type=click.Path(path_type=Path), help="Samples for ranges, rates.")
@click.option("--target", "targets", multiple=True, help="Board or device that it must fit.")
def compile_command(
    network: Path,
    folder: Path,
    profile: str | None,
    dt: float | None,
    weight_bits: int,
    potential_bits: int,
    max_axons: int,
    max_neurons: int,
    lanes: int,
    pipelines: int,
    weight_memory: str,
    topology: str,
    multicast: bool | None,
    placement_seed: int,
    calibration: Path | None,
    targets: tuple[str, ...],
) -> None:
    """Import, quantise and place NETWORK (a NIR file); write the chip's files."""
    from boards import BOARDS
    from fpga.devices import device_named
    from fpga.fit import require_fit
    from spikelet.road.compiled import compile_network
    from spikelet.road.place import PlacementLimits
    from spikelet.road.project import Project, target_named
    from spikelet.road.samples import load_samples

    compiled = compile_network(
        network,
        profile,
        dt,
        weight_bits=weight_bits,
        potential_bits=potential_bits,
        limits=PlacementLimits(max_axons, max_neurons, lanes, pipelines, weight_memory),
        calibration=load_samples(calibration).spikes if calibration else None,
        topology=topology,
        multicast=multicast,
        placement_seed=placement_seed,
    )
    for target in map(target_named, targets):
        board = BOARDS.get(target)
        require_fit(compiled.chip, device_named(board.device if board else target))
    Project(folder).save(compiled)
    _show_compiled(compiled)
    click.echo(f"compiled to {folder}")


@main.command()
@_FOLDER
@_SAMPLES
@click.option("--engine", default="golden", show_default=True, help="golden, rtl, netlist-...")
@click.option("--count", type=int, help="Only the first so many samples.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the Trace goes.")
def simulate(folder: Path, samples: Path, engine: str, count: int | None, out: Path | None) -> None:
    """Run SAMPLES on one engine of the project FOLDER; save the Trace."""
    from spikelet.road.engines import simulate as run
    from spikelet.road.project import Project
    from spikelet.road.samples import load_samples

    compiled = Project(folder).load()
    chosen = load_samples(samples).first(count)
    with _progress() as report:
        report(engine, 0, len(chosen.spikes))
        trace = run(
            compiled,
            chosen.spikes,
            engine,
            folder=folder,
            progress=lambda done: report(engine, done, len(chosen.spikes)),
        )
    out = out or folder / f"{engine}.npz"
    trace.save(out)
    accuracy = chosen.accuracy(compiled.classify(trace))
    shown = "" if accuracy is None else f", {accuracy:.2%} classified as labelled"
    click.echo(f"{engine}: {trace.samples} samples of {trace.ticks} ticks{shown}; Trace in {out}")


@main.command()
@_FOLDER
@_SAMPLES
@click.option("--engine", "engines", multiple=True, help="Besides golden; rtl by default.")
@click.option("--count", type=int, help="Only the first so many samples.")
@click.option("--netlist-samples", default=20, show_default=True)
def verify(
    folder: Path, samples: Path, engines: tuple[str, ...], count: int | None, netlist_samples: int
) -> None:
    """Run golden and other engines on SAMPLES and compare everything, bit for bit."""
    from spikelet.road.project import Project
    from spikelet.road.samples import load_samples

    with _progress() as report:
        result = Project(folder).verify(
            load_samples(samples).first(count),
            engines or ("rtl",),
            netlist_samples=netlist_samples,
            progress=report,
        )
    _show_verification(result)
    if not result.equal:
        sys.exit(1)


@main.command()
@_FOLDER
@click.argument("target")
@click.option("--samples", type=click.Path(path_type=Path), help="One is stored in the image.")
@click.option("--sample", default=0, show_default=True, help="Which sample to store.")
@click.option("--seeds", default=4, show_default=True, help="Seeds to try at most.")
def build(folder: Path, target: str, samples: Path | None, sample: int, seeds: int) -> None:
    """Synthesise, place, route and pack for TARGET, a board or a bare device."""
    from spikelet.road.project import Project
    from spikelet.road.samples import load_samples

    chosen = load_samples(samples) if samples else None
    project = Project(folder)
    report = project.build(target, chosen, sample=sample, seeds=range(1, seeds + 1), progress=_say)
    _show_build(project, target, report)


@main.command()
@_FOLDER
@click.option("--sample", default=0, show_default=True, help="Which sample to draw.")
def report(folder: Path, sample: int) -> None:
    """Write one HTML page of all that is known of the project FOLDER."""
    from spikelet.road.project import Project

    click.echo(f"report: {Project(folder).report(sample)}")


@main.command()
@click.argument("network", type=click.Path(path_type=Path))
@_SAMPLES
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--engine", default="golden", show_default=True, help="golden or rtl.")
@click.option("--epochs", default=1, show_default=True, help="How often all samples are shown.")
@click.option("--seed", type=int, help="In the place of the network's.")
@click.option("--learning/--no-learning", default=True, help="Only run, or learn.")
@click.option("--resume", type=click.Path(path_type=Path), help="A snapshot to go on from.")
@click.option("--verify", default=0, metavar="N", help="Compare golden and RTL on N samples.")
def learn(
    network: Path,
    samples: Path,
    folder: Path,
    engine: str,
    epochs: int,
    seed: int | None,
    learning: bool,
    resume: Path | None,
    verify: int,
) -> None:
    """Let NETWORK (a TOML file) learn from SAMPLES; save, export and report what it learned."""
    from spikelet.plastic.learn import NIR_FILE
    from spikelet.plastic.learn import learn as run
    from spikelet.plastic.learned import SNAPSHOT_FILE, WEIGHTS_FILE
    from spikelet.plastic.samples import load_learning_samples
    from spikelet.plastic.toml_file import load_task

    task = load_task(network, seed)
    shown = load_learning_samples(samples, task.encoder)
    with _progress() as report:
        result = run(
            task,
            shown,
            folder,
            engine=engine,
            epochs=epochs,
            learning=learning,
            resume=resume,
            verify=verify,
            progress=report,
        )
    _show_learned(result)
    for item in result.not_in_nir:
        _say(f"{NIR_FILE} does not express {item}")
    click.echo(f"learned: {folder / WEIGHTS_FILE}; go on with --resume {folder / SNAPSHOT_FILE}")
    click.echo(f"report: {result.report}")
    if result.verification:
        _show_verification(result.verification)
        if not result.verification.equal:
            sys.exit(1)


@main.command()
def doctor() -> None:
    """Show every tool, its version and place, and what repairs one that is missing."""
    from spikelet.road.doctor import examine

    findings = examine()
    for item in findings:
        click.echo(f"{item.name:22}{item.version or 'MISSING':22}  {item.purpose}")
        click.echo(f"    {item.place or 'repair: ' + item.remedy}")
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
@click.option("--placement-seed", default=0, show_default=True, help="Another seed, another chip.")
def demo(folder: Path, netlists: bool, topology: str, placement_seed: int) -> None:
    """Everything with a trained digits network: compile, verify, two bitstreams, report."""
    from spikelet.road.compiled import compile_network
    from spikelet.road.engines import ENGINES
    from spikelet.road.place import PlacementLimits
    from spikelet.road.project import Project
    from spikelet.road.samples import load_samples

    example = Path(str(files("examples.digits")))
    test = load_samples(example / "digits_test.npz", "test_")
    calibration = load_samples(example / "digits_test.npz", "calibration_")
    project = Project(folder)

    _say("1 of 4: compile digits.nir, 64-64-10, trained with snnTorch")
    compiled = compile_network(
        example / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=8, weight_memory="spram"),
        calibration=calibration.spikes,
        topology=topology,
        placement_seed=placement_seed,
    )
    project.save(compiled)
    _show_compiled(compiled)

    _say("2 of 4: verify golden, RTL and netlists")
    with _progress() as report:
        result = project.verify(test, ENGINES[1:] if netlists else ("rtl",), progress=report)
    _show_verification(result)

    _say("3 of 4: build bitstreams (the tools compile themselves at their first call)")
    for target in ("ULX3S-85F", "iCEBreaker"):
        _show_build(project, target, project.build(target, test, progress=_say))

    _say("4 of 4: report")
    click.echo(f"report: {project.report()}")
    if not result.equal:
        sys.exit(1)


def _say(line: str) -> None:
    _CONSOLE.print(line, markup=False, highlight=False)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each engine."""
    from spikelet.road.guidance import described

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=_CONSOLE) as bars:
        tasks: dict[str, Any] = {}

        def report(engine: str, done: int, total: int) -> None:
            if engine not in tasks:
                tasks[engine] = bars.add_task(engine, total=total)
            bars.update(tasks[engine], completed=done, description=described(engine, done))

        yield report


def _show_compiled(compiled: Any) -> None:
    table = Table("layer", "size", "weight scale", "clipped", "cores (axons x neurons, lanes)")
    for layer, stats in zip(compiled.layers, compiled.quantisation, strict=True):
        cores = [compiled.chip.cores[part.core] for part in layer.slices]
        shapes = ", ".join(f"{c.n_axons}x{c.n_neurons}, {c.lanes}" for c in cores)
        clipped = f"{stats.clipped} of {stats.weights}"
        table.add_row(layer.name, str(layer.size), f"{stats.scale:.6g}", clipped, shapes)
    _CONSOLE.print(table)
    if len(compiled.chip.cores) > 1:
        loads, drawn = compiled.quality.loads, compiled.quality.random
        _say(
            f"placed {'with' if compiled.chip.multicast else 'without'} multicast: packets cross "
            f"{loads.total:,.1f} links a tick, in random placements {drawn.objective:,.1f}; "
            f"largest link load {loads.largest:,.1f}, at random {drawn.largest:,.1f}"
        )


def _show_learned(result: Any) -> None:
    table = Table("projection", "learns", "before: least, mean, largest", "after", "changed")
    plastic = result.learned.plastic
    for projection in plastic.projections:
        ends = (projection.source, projection.target)
        before, after = plastic.weights(*ends, result.before), result.learned.weights(*ends)
        spread = [f"{w.min()}, {w.mean():.1f}, {w.max()}" for w in (before, after)]
        learns = "yes" if projection.plastic else "no"
        changed = f"{(before != after).sum()} of {before.size}"
        table.add_row(" to ".join(ends), learns, *spread, changed)
    _CONSOLE.print(table)


def _show_verification(result: Any) -> None:
    table = Table("engine", "samples", "accuracy", "cycles a sample", "equal to golden", "seconds")
    if result.float_accuracy is not None:
        samples = str(result.engines[0].samples)
        table.add_row("float", samples, f"{result.float_accuracy:.2%}", "", "", "")
    for engine in result.engines:
        table.add_row(
            engine.engine,
            str(engine.samples),
            "" if engine.accuracy is None else f"{engine.accuracy:.2%}",
            "" if engine.cycles is None else f"{engine.cycles:,.0f}",
            ("yes" if engine.equal else "NO") if engine.compared else "",
            f"{engine.seconds:.1f}",
        )
    _CONSOLE.print(table)
    for engine in result.engines:
        if not engine.equal:
            click.echo(f"{engine.engine}: {engine.difference}")
        elif engine.compared:
            click.echo(f"{engine.engine}: every bit equal of {', '.join(engine.compared)}")


def _show_build(project: Any, target: str, report: Any) -> None:
    from spikelet.road.guidance import after_build
    from spikelet.road.project import target_named

    folder = project.folder / "fpga" / target_named(target)
    placement = report.placement
    used = ", ".join(
        f"{usage.used} of {usage.available} {kind}"
        for kind, usage in placement.utilisation.items()
        if usage.used
    )
    _say(f"{target}: {placement.fmax_mhz:.1f} MHz (wanted {report.target_mhz:g}); {used}")
    for line in after_build(folder, report):
        click.echo(line)
