"""The boards: how long a bitstream takes, and by how much each seed meets the chip's clock.

``python -m benchmarks.boards --board ULX3S-12F``: the digits network, as in ``spikelet demo``, is
compiled with as many of its 8 lanes as the fit check lets onto the board, and its image is built by
``spikelet build``'s flow, then placed and routed with the seeds that the flow did not try. Goals: a
bitstream takes less than 10 minutes of processor time (the tools use one core), and every seed
meets the clock. What is finished is kept in ``--folder``, each seed by itself, and not run again.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

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
from spikelet.boards import BOARDS, Board, board_named
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.cache import cache_folder
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named, families
from spikelet.fpga.families.family import Family
from spikelet.fpga.fit import check_fit
from spikelet.fpga.flow import FpgaReport, build_bitstream
from spikelet.fpga.place_and_route import place_and_route
from spikelet.fpga.power_on import with_clock
from spikelet.fpga.tools import run_tool
from spikelet.images.image import BoardImage, ImageOptions
from spikelet.images.kinds import IMAGE_KINDS, image_kind
from spikelet.network.limits import PlacementLimits
from spikelet.samples.samples import Samples, load_samples

__all__ = ["EXAMPLE", "Built", "Step", "Stopwatch", "digits_network", "main", "measured"]

LONGEST_S = 600
"""Goal: seconds of processor time to a bitstream."""

LANES = (8, 4, 2, 1)
"""Tried in this order until the chip fits."""

SEEDS = 4
"""Which the flow tries until one meets the clock, as ``spikelet build`` does."""

EXAMPLE = Path(__file__).parents[1] / "examples" / "digits"


class Step(NamedTuple):
    """Seconds of processor time, and of a clock."""

    processor_s: float
    elapsed_s: float


@dataclass
class Built:
    """An image for a board.

    Parameters
    ----------
    board, image : str
    lanes : int
    clock_mhz : float
        Of the chip.
    steps : dict of str to Step
        ``"Verilog"``, ``"synthesis"``, ``"seed 1"`` and so on, ``"packing"``.
    to_bitstream : list of str
        Those of the steps that it took to a bitstream: further seeds are not among them.
    seeds : dict of int to float
        Fmax in MHz of all seeds that were asked for; 0 of one that was not placed or routed.
    used : dict of str to str
        Of each resource, and how many there are.
    problem : str
        Why there is no bitstream; empty if there is one.
    """

    board: str
    image: str
    lanes: int
    clock_mhz: float
    steps: dict[str, Step] = field(default_factory=dict)
    to_bitstream: list[str] = field(default_factory=list)
    seeds: dict[int, float] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def seconds(self) -> Step:
        """Of all steps to the bitstream."""
        spent = [self.steps[name] for name in self.to_bitstream]
        return Step(sum(step.processor_s for step in spent), sum(s.elapsed_s for s in spent))

    @property
    def reached(self) -> bool:
        """Whether both goals are."""
        in_time = not self.problem and self.seconds.processor_s < LONGEST_S
        return in_time and min(self.seeds.values(), default=0.0) >= self.clock_mhz

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Built":
        """Inverse of ``asdict``, through JSON."""
        steps = {name: Step(*step) for name, step in fields["steps"].items()}
        seeds = {int(seed): mhz for seed, mhz in fields["seeds"].items()}
        return cls(**{**fields, "steps": steps, "seeds": seeds})


class Stopwatch:
    """Times the flow's steps by what it says of them.

    Parameters
    ----------
    title : str
        Stands before each line that is printed.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.steps: dict[str, Step] = {}
        self._synthesising = False
        self._since = _now()

    def lap(self, step: str) -> None:
        """End a step, which began where the last one ended."""
        now = _now()
        spent = Step(now[0] - self._since[0], now[1] - self._since[1])
        self.steps[step], self._since = spent, now
        self._synthesising = step == "Verilog"

    def progress(self, line: str) -> None:
        """Take a line of the flow."""
        console.print(f"{self.title}: {line}", highlight=False)
        if line.startswith("seed "):
            self.lap(line.partition(":")[0])
        elif ": synthesis for " in line:
            self.lap("Verilog")
        elif self._synthesising:  # place and route has begun; its own time counts once it has ended
            self.lap("synthesis")


def main() -> int:
    """Print the table; return 1 if a goal is missed."""
    options = options_of(
        __doc__,
        board={"choices": list(BOARDS), "action": "append", "help": "leave out the others"},
        image={"choices": list(IMAGE_KINDS), "action": "append", "help": "self-test by default"},
        seeds={"type": int, "default": SEEDS, "help": "how many seeds to place and route with"},
        clock={"type": float, "help": "of the chip, in MHz, in place of the board's"},
        lanes={"type": int, "help": "in place of the most, up to 8, that the fit check allows"},
        folder={
            "type": Path,
            "default": cache_folder() / "benchmarks" / "boards",
            "help": "keeps what is finished",
        },
    )
    packages = [package.name for family in families() for package in family.packages]
    tools = versions("amaranth", "pyosys", *packages)
    print_versions(tools)
    test = load_samples(EXAMPLE / "digits_test.npz", "test_")
    found = []
    for name in options.board or BOARDS:
        board = board_named(name)
        if options.clock:
            board = with_clock(board, round(options.clock * 1e6))
        for image in options.image or ["self-test"]:
            lanes, made = _image(test, board, image, (options.lanes,) if options.lanes else LANES)
            title = f"{board.name}-{image}-{lanes}-lanes-{board.chip_hz / 1e6:g}-MHz"
            built = Built(board.name, image, lanes, board.chip_hz / 1e6)
            seeds = range(1, options.seeds + 1)
            found.append(measured(built, made, board, options.folder / title, seeds))
    console.print(_table(found))
    write_json(options.json, {"versions": tools, "boards": [asdict(made) for made in found]})
    return int(not all(made.reached for made in found))


def measured(
    built: Built, made: BoardImage, board: Board, folder: Path, seeds: Iterable[int]
) -> Built:
    """Return an image with what was measured of it, from the folder where that is finished."""
    kept, place = folder / "measured.json", folder / "build"
    family = device_named(board.device).family
    if kept.exists():
        found = Built.from_dict(json.loads(kept.read_text()))
    else:  # of a build without its times
        found = built
        shutil.rmtree(place, ignore_errors=True)
    title = f"{built.board}, {built.image}"
    _prepare(family, title)
    watch = Stopwatch(title)
    try:
        report = build_bitstream(
            *(made.verilog(), "top", board, place),
            ports=made.ports,
            seeds=range(1, SEEDS + 1),
            progress=watch.progress,
        )
    except SpikeletError as error:
        console.print(f"{title}: {error}", style="red", highlight=False)
        return replace(built, steps=watch.steps, problem=str(error))
    if watch.steps:
        watch.lap("packing")
        found = replace(
            built,
            steps=watch.steps,
            to_bitstream=list(watch.steps),
            seeds=dict(report.routed.seeds),
            used=_used(report, family),
        )
        write_json(kept, asdict(found))
    for seed in seeds:
        if seed not in found.seeds:
            watch = Stopwatch(title)
            found.seeds[seed] = _fmax(place, board, report.target_mhz, seed, watch)
            found.steps |= watch.steps
            write_json(kept, asdict(found))
    return found


def _image(
    samples: Samples, board: Board, image: str, lanes: Iterable[int]
) -> tuple[int, BoardImage]:
    """Return the image of the chip with most lanes that fits, and these; else of the smallest."""
    kind, device = image_kind(image), device_named(board.device)
    options = ImageOptions(samples if kind.stores_samples else None)
    for number in lanes:
        compiled = digits_network(number)
        made = kind.make(compiled, board, options)
        report = check_fit(compiled.chip, device, made.beside)
        console.print(f"{board.name}, {image}, {number} lanes: {report}", highlight=False)
        if report.fits:
            break
    return number, made


def digits_network(lanes: int) -> CompiledNetwork:
    """Return the digits network, as ``spikelet demo`` compiles it, with so many lanes."""
    return compile_network(
        EXAMPLE / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=lanes, weight_memory="spram", fifo_depth=2),
        calibration=load_samples(EXAMPLE / "digits_test.npz", "calibration_").spikes,
    )


def _prepare(family: Family, title: str) -> None:
    """Call place and route once: at its first call it is compiled for the machine."""
    if family.placer:
        with tempfile.TemporaryDirectory() as temporary:
            progress = Stopwatch(title).progress
            run_tool(family.placer, ["--version"], Path(temporary), "log", progress=progress)


def _fmax(place: Path, board: Board, target_mhz: float, seed: int, watch: Stopwatch) -> float:
    """Return the Fmax in MHz of a further seed, 0 if it is not placed or routed."""
    device = device_named(board.device)
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copy(place / "netlist.json", temporary)
        try:
            routed = place_and_route(
                device,
                Path(temporary),
                constraints=(place / device.family.constraints_file).read_text(),
                target_mhz=target_mhz,
                seeds=(seed,),
                progress=watch.progress,
            )
        except SpikeletError:
            return 0.0
    return routed.fmax_mhz


def _used(report: FpgaReport, family: Family) -> dict[str, str]:
    return {
        family.resource(name).title.lower(): f"{usage.used:,} of {usage.available:,}"
        for name, usage in report.routed.utilisation.items()
    }


def _table(found: list[Built]) -> Table:
    table = Table(title="digits network, 64-64-10")
    for column in ("board", "image", "lanes", "clock, MHz", "s of processor (of a clock)"):
        table.add_column(column)
    for column in ("Fmax by seed, MHz", "used", ""):
        table.add_column(column)
    for made in found:
        steps = [(name, made.steps[name]) for name in made.to_bitstream or made.steps]
        times = [("bitstream", made.seconds)] if made.to_bitstream else []
        table.add_row(
            *(made.board, made.image, str(made.lanes), f"{made.clock_mhz:g}"),
            "\n".join(f"{name} {step[0]:.0f} ({step[1]:.0f})" for name, step in times + steps),
            " ".join(f"{mhz:.1f}" for _, mhz in sorted(made.seeds.items())) or made.problem,
            "\n".join(f"{number} {resource}" for resource, number in made.used.items()),
            verdict(made.reached),
        )
    return table


def _now() -> tuple[float, float]:
    """Return seconds of processor time of this process and those that have ended, and a clock's."""
    times = os.times()
    spent = times.user + times.system + times.children_user + times.children_system
    return spent, time.perf_counter()


if __name__ == "__main__":
    run(main)
