"""The boards: how long a bitstream takes, and by how much each seed meets the chip's clock.

The digits network, as in ``spikelet demo``, is compiled once, and the images of each board are
synthesised, placed and routed with seeds 1 to 4. Goals: a bitstream takes less than 10 minutes of
processor time (the tools use one core), and every seed meets the clock.
"""

import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

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
from spikelet.fpga.families import device_named, families
from spikelet.fpga.flow import build_bitstream
from spikelet.fpga.place_and_route import place_and_route
from spikelet.fpga.power_on import with_clock
from spikelet.images.image import ImageOptions
from spikelet.images.kinds import IMAGE_KINDS, image_kind
from spikelet.network.limits import PlacementLimits
from spikelet.samples.samples import Samples, load_samples

__all__ = ["main"]

LONGEST_S = 600
"""Goal: seconds of processor time to a bitstream."""

EXAMPLE = Path(__file__).parents[1] / "examples" / "digits"


@dataclass(frozen=True)
class Built:
    """An image for a board.

    Parameters
    ----------
    board, image : str
    clock_mhz : float
        Of the chip.
    seconds, elapsed : float
        Of processor time, and of a clock, from Verilog to the bitstream, with the seeds that it
        takes to meet the chip's clock.
    seed : int
        The one with which it was built.
    seeds : dict of int to float
        Fmax in MHz of all seeds that were asked for.
    used : dict of str to str
        Of each resource, and how many there are.
    """

    board: str
    image: str
    clock_mhz: float
    seconds: float
    elapsed: float
    seed: int
    seeds: dict[int, float]
    used: dict[str, str]

    @property
    def reached(self) -> bool:
        """Whether both goals are."""
        return self.seconds < LONGEST_S and min(self.seeds.values()) >= self.clock_mhz


def main() -> int:
    """Print the table; return 1 if a goal is missed."""
    options = options_of(
        __doc__,
        board={"choices": list(BOARDS), "action": "append", "help": "leave out the others"},
        image={"choices": list(IMAGE_KINDS), "action": "append", "help": "self-test by default"},
        seeds={"type": int, "default": 4, "help": "how many seeds to place and route with"},
        clock={"type": float, "help": "of the chip, in MHz, in place of the board's"},
    )
    packages = [package.name for family in families() for package in family.packages]
    tools = versions("amaranth", "pyosys", *packages)
    print_versions(tools)
    test = load_samples(EXAMPLE / "digits_test.npz", "test_")
    compiled = compile_network(
        EXAMPLE / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=8, weight_memory="spram", fifo_depth=2),
        calibration=load_samples(EXAMPLE / "digits_test.npz", "calibration_").spikes,
    )
    table = Table(title="digits network, 64-64-10")
    for column in (
        "board",
        "image",
        "clock, MHz",
        "s to bitstream",
        "Fmax by seed, MHz",
        "used",
        "",
    ):
        table.add_column(column)
    found = []
    for name in options.board or BOARDS:
        board = board_named(name)
        if options.clock:
            board = with_clock(board, round(options.clock * 1e6))
        for image in options.image or ["self-test"]:
            made = _built(compiled, test, board, image, options.seeds)
            found.append(made)
            table.add_row(
                *(made.board, made.image, f"{made.clock_mhz:g}", f"{made.seconds:.0f}"),
                " ".join(f"{mhz:.1f}" for mhz in made.seeds.values()),
                ", ".join(f"{number} {resource}" for resource, number in made.used.items()),
                verdict(made.reached),
            )
    console.print(table)
    write_json(options.json, {"versions": tools, "boards": [asdict(made) for made in found]})
    return int(not all(made.reached for made in found))


def _built(
    compiled: CompiledNetwork, samples: Samples, board: Board, image: str, seeds: int
) -> Built:
    """Build an image as ``spikelet build`` does, and place and route it with the other seeds."""
    kind = image_kind(image)
    said = samples if kind.stores_samples else None
    made = kind.make(compiled, board, ImageOptions(said))
    family = device_named(board.device).family

    def progress(line: str) -> None:
        console.print(f"{board.name}, {image}: {line}", highlight=False)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "build"
        started, spent = time.perf_counter(), _processor_s()
        report = build_bitstream(
            *(made.verilog(), "top", board, folder),
            ports=made.ports,
            seeds=range(1, seeds + 1),
            progress=progress,
        )
        seconds, elapsed = _processor_s() - spent, time.perf_counter() - started
        reached = dict(report.routed.seeds)
        left = [seed for seed in range(1, seeds + 1) if seed not in reached]
        if left:
            others = place_and_route(
                device_named(board.device),
                folder,
                constraints=(folder / family.constraints_file).read_text(),
                target_mhz=report.target_mhz,
                seeds=left,
                progress=progress,
            )
            reached |= others.seeds
    used = {
        family.resource(name).title.lower(): f"{usage.used:,} of {usage.available:,}"
        for name, usage in report.routed.utilisation.items()
    }
    return Built(
        *(board.name, image, report.target_mhz, seconds, elapsed, report.routed.seed, reached), used
    )


def _processor_s() -> float:
    """Return the processor time of this process and those that have ended, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    run(main)
