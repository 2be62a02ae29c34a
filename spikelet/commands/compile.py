"""``spikelet compile``: from a network file to a compiled network and its chip files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import (
    DECAY_BITS,
    DT,
    FRAMEWORK,
    FROM_0,
    INPUT_COUNTS,
    INPUT_LEVELS,
    NETWORK,
    NEURON,
    PLACEMENT_SEED,
    POSITIVE,
    POTENTIAL_BITS,
    REQUIRE_RECORDED,
    SPIKE_BITS,
    WEIGHT_BITS,
)
from spikelet.description.chip.params import TOPOLOGIES
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["compile_command"]

_STRUCTURE = ("preset", "neuron_scales", "topology", "multicast", "placement_seed")
"""Options that a network compiled like another has from that."""


@click.command("compile")
@NETWORK
@click.option(
    *("-o", "--out", "folder"),
    type=click.Path(path_type=Path),
    help="Project folder; with --like by default that of the other network.",
)
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    help="Folder of a network whose structure, widths and scales are kept.",
)
@NEURON
@FRAMEWORK
@DT
@WEIGHT_BITS
@POTENTIAL_BITS
@DECAY_BITS
@SPIKE_BITS
@click.option("--neuron-scales/--layer-scale", default=None, help="Weight scale of each neuron.")
@click.option("--plastic", "rules", multiple=True, help="LAYER=RULE.toml: a layer that learns.")
@click.option("--seed", type=FROM_0, help="In the place of that of a TOML file.")
@click.option("--preset", help="The same: a name of `spikelet presets`, or a .toml file.")
@click.option("--max-axons", type=POSITIVE, help="Largest core: axons; 1024 by default.")
@click.option("--max-neurons", type=POSITIVE, help="Largest core: neurons; 256 by default.")
@click.option("--lanes", type=POSITIVE, help="Neurons accumulated in a cycle; 16 by default.")
@click.option(
    "--layer-cores",
    multiple=True,
    help="LAYER=CORES: its neurons are spread over so many cores, at least.",
)
@click.option(
    "--spread",
    help="CORES over which the neurons of the slowest layer are spread; or auto: layer by layer, "
    "as long as a sample takes fewer cycles and the --target holds it. Needs --calibration.",
)
@click.option("--pipelines", type=POSITIVE, help="Neuron-update pipelines; 1 by default.")
@click.option("--synapses", help="auto (by default), dense, shared, gather, sparse, axon-types.")
@click.option(
    "--block-ram",
    type=POSITIVE,
    help="Bits of a block RAM, for --synapses auto; by default the --target's, or 16384.",
)
@click.option("--weight-memory", type=click.Choice(["block", "spram"]), help="block by default.")
@click.option(
    "--fifo-depth",
    type=click.IntRange(2, 16),
    help="Flits that wait at each input of a router; 4 by default.",
)
@click.option(
    "--early-stop/--no-early-stop",
    default=None,
    help="The chip can stop at the first output spike; off by default.",
)
@click.option(
    "--tick-timer/--no-tick-timer",
    default=None,
    help="The chip can start ticks by itself, in real time; on by default.",
)
@click.option(
    "--rest/--no-rest",
    default=None,
    help="Cores whose neurons are at rest cut silent ticks short; off by default.",
)
@click.option(
    "--narrow/--no-narrow",
    default=None,
    help="Only the potential bits and axons that can be needed; off by default.",
)
@click.option("--topology", type=click.Choice(TOPOLOGIES), help="mesh by default.")
@click.option("--multicast/--no-multicast", default=None, help="Default: where it is of use.")
@PLACEMENT_SEED
@click.option(
    "--draw-key",
    type=click.IntRange(1, (1 << 32) - 1),
    help="What neurons that draw numbers start from; 1 by default.",
)
@INPUT_LEVELS
@INPUT_COUNTS
@click.option("--calibration", type=click.Path(path_type=Path), help="Samples for ranges, rates.")
@REQUIRE_RECORDED
@click.option("--target", "targets", multiple=True, help="Board or device that it must fit.")
@click.option("--image", help="What the chip must fit a board with: self-test, host-link, ...")
@click.option("--top", default="chip", show_default=True, help="Name of the Verilog's top module.")
@click.option(
    "--ports", default="native", show_default=True, help="Of the Verilog: native, wishbone or axi."
)
@printing_options
def compile_command(
    terminal: Terminal,
    network: Path,
    folder: Path | None,
    like: Path | None,
    rules: tuple[str, ...],
    weight_bits: tuple[str, ...],
    potential_bits: tuple[str, ...],
    decay_bits: tuple[str, ...],
    spike_bits: tuple[str, ...],
    calibration: Path | None,
    require_recorded: bool,
    targets: tuple[str, ...],
    image: str | None,
    top: str,
    ports: str,
    **options: Any,
) -> None:
    """Import, quantise and place NETWORK (a NIR or TOML file, or a folder); write the chip's files.

    What is not given is taken from a TOML file, or from the network that a folder holds. With
    --like only what is loaded is new: the chip stays the same, and so can its bitstream (patch).
    """
    from spikelet.compiler.compile import compile_network, compiled_folder
    from spikelet.compiler.compiled import CompiledNetwork
    from spikelet.compiler.like import LayerCost, compile_like
    from spikelet.compiler.spread import cores_or_auto
    from spikelet.network.quantise import bits_of_layers
    from spikelet.network.toml_file import rules_of_layers
    from spikelet.project import Project
    from spikelet.results import compiled_fields, old_fields, show_compiled, show_costs
    from spikelet.rtl_gen.bus_chip import check_ports
    from spikelet.rtl_gen.emit import check_top
    from spikelet.runs.recorded import compare_recorded
    from spikelet.runs.recorded import require_recorded as required
    from spikelet.runs.verify import compile_warnings
    from spikelet.samples.samples import load_samples
    from spikelet.targets import holder

    check_top(top)
    check_ports(ports)
    folder = _written(folder, like)
    levels = options["input_levels"] or options["input_counts"] or 1
    if network.is_dir() and calibration:
        levels = CompiledNetwork.load(compiled_folder(network)).network.input_levels
    samples = load_samples(calibration, input_levels=levels) if calibration else None
    structure: dict[str, Any] = {
        "plastic": rules_of_layers(rules),
        "weight_bits": bits_of_layers("--weight-bits", weight_bits),
        "potential_bits": bits_of_layers("--potential-bits", potential_bits),
        "decay_bits": bits_of_layers("--decay-bits", decay_bits),
        "spike_bits": bits_of_layers("--spike-bits", spike_bits),
        "limits": _limits(options, targets if like is None else ()),
        "spread": cores_or_auto(options.pop("spread")),
        **{name: options.pop(name) for name in _STRUCTURE},
    }
    shown = samples.spikes if samples else None
    if like is None:
        fits = holder(targets, image)
        compiled = compile_network(network, calibration=shown, fits=fits, **options, **structure)
        costs: tuple[LayerCost, ...] = ()
    else:
        _check_kept(like, structure)
        other = CompiledNetwork.load(compiled_folder(like))
        compiled, costs = compile_like(network, other, calibration=shown, **options)
    recorded = compare_recorded(compiled.network.floats, samples, compiled.network.draw_key)
    if require_recorded:
        required(recorded)
    _say_fits(terminal, compiled, targets, image)
    old = Project(folder, command_line(click.get_current_context())).save(
        compiled, network=network, calibration=samples, top=top, ports=ports
    )
    warnings = compile_warnings(compiled, samples, recorded)
    show_compiled(terminal, compiled, recorded)
    show_costs(terminal, costs)
    terminal.warn(warnings)
    terminal.out_of_date(old)
    terminal.say(f"compiled to {folder}")
    made = compiled_fields(compiled, folder, recorded)
    made |= {"like": {"folder": str(like), "costs": list(map(asdict, costs))}} if like else {}
    terminal.result({**made, "warnings": warnings, **old_fields(old)})


def _limits(options: dict[str, Any], targets: Sequence[str]) -> dict[str, Any]:
    """Take the limits that are given out of the options; block RAMs are by default the targets'."""
    from spikelet.compiler.spread import cores_of_layers
    from spikelet.network.limits import PlacementLimits
    from spikelet.targets import block_ram_of, target_named

    limits = {field.name: options.pop(field.name) for field in fields(PlacementLimits)}
    limits["layer_cores"] = cores_of_layers(limits["layer_cores"]) or None
    if limits["block_ram"] is None and targets:
        limits["block_ram"] = min(block_ram_of(target_named(target)) for target in targets)
    return {name: value for name, value in limits.items() if value is not None}


def _written(folder: Path | None, like: Path | None) -> Path:
    """Return the folder that is written: without ``-o`` that whose structure is kept."""
    found = folder or like
    if found is None:
        raise click.UsageError("Missing option '-o' / '--out'.")
    return found


def _say_fits(
    terminal: Terminal, compiled: Any, targets: tuple[str, ...], image: str | None
) -> None:
    """Print the fit check for each target; SpikeletError if one does not hold the network."""
    from spikelet.boards import BOARDS
    from spikelet.images.kinds import image_kind
    from spikelet.targets import require_target, target_named

    for target in map(target_named, targets):
        fit = require_target(compiled, target, image)
        stores = target in BOARDS and image_kind(image).stores_samples
        rest = "; the sample's events are counted by build" if stores else ""
        terminal.say(f"{fit}{rest}")


def _check_kept(like: Path, structure: Mapping[str, Any]) -> None:
    """Raise SpikeletError if an option would change the structure that is to be kept."""
    from spikelet.description.errors import SpikeletError

    given = [
        name
        for name, value in structure.items()
        if value not in (None, {}) and (name, value) != ("placement_seed", 0)
    ]
    if given:
        raise SpikeletError(
            f"--like keeps the structure of {like}, and {', '.join(given)} would change it",
            remedy="leave one of them out",
        )
