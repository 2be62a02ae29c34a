"""Self-test images that learn: their RTL, and the netlists and bitstreams of both boards."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from spikelet.boards import ICEBREAKER, ULX3S_85F, Board
from spikelet.description.chip.params import ChipParams
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import Beside, require_fit
from spikelet.fpga.flow import build_bitstream
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import StoredRun, image_memories
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.hardware import board_design
from spikelet.sim.stuck_at import flip_flops, with_stuck_flip_flops
from tests.fpga.self_test_bench import SimulatedBoard, learning_run

OWN_CLOCK = [replace(board, pll_hz=0) for board in (ICEBREAKER, ULX3S_85F)]
"""The figures of the documentation are those of the boards' own clocks."""


def _top(chip: ChipParams, run: StoredRun, board: Board) -> tuple[str, int]:
    """Return the Verilog of a board's image, and clock cycles in which it has given a verdict."""
    test = SelfTest(Chip(chip), chip, run)
    power_on = board.chip_hz // 1000
    return to_verilog(BoardTop(test, board), "top"), test.cycle_limit + power_on


def _replaced(pattern: str, by: str) -> Callable[[str], str]:
    """Return what replaces one place of a text."""

    def replaced(verilog: str) -> str:
        text, places = re.subn(pattern, by, verilog, flags=re.M)
        assert places == 1
        return text

    return replaced


CUTS: dict[str, tuple[Callable[[str], str], str]] = {
    "whole": (lambda verilog: verilog, "passed"),
    "learning never on": (_replaced(r"^    enabled <= .*;$", "    enabled <= 1'h0;"), "failed"),
    "weights never written": (
        _replaced(r"\.write\(\\learning__write\$\d+ \)", ".write(1'h0)"),
        "failed",
    ),
}


@pytest.mark.parametrize("cut", CUTS)
def test_an_image_passes_only_if_it_learns(cut: str, tmp_path: Path) -> None:
    chip, run = learning_run(24, 8, ticks=5)
    assert run.events.samples == 20
    changed, expected = CUTS[cut]
    verilog, limit = _top(chip, run, ICEBREAKER)
    said, winner, cycles = SimulatedBoard(
        board_design(changed(verilog), ICEBREAKER), ICEBREAKER, tmp_path
    ).run(limit)
    assert said == expected
    assert cycles < limit / 4, "what is compared is wrong, not the time"
    if cut == "whole":
        assert winner == run.expected


@pytest.mark.slow
@pytest.mark.parametrize("board", OWN_CLOCK, ids=lambda board: board.name)
def test_the_bitstream_learns_20_samples_on_64_by_16_synapses(board: Board, tmp_path: Path) -> None:
    chip, run = learning_run(64, 16, ticks=8)
    device = device_named(board.device)
    require_fit(chip, device, Beside(470, image_memories(chip, run)))
    verilog, limit = _top(chip, run, board)
    report = build_bitstream(verilog, "top", board, tmp_path / "image", seeds=range(1, 9))
    assert (tmp_path / "image" / report.bitstream).stat().st_size > 100_000
    assert report.routed.meets_target

    netlist = (tmp_path / "image" / "netlist.v").read_text()
    family = device.family
    kinds = tuple(family.resource("flip_flops").cells)
    (enabled,) = (
        net for net in flip_flops(netlist, kinds) if re.search(r"\.learning\S*\.enabled$", net)
    )
    text = with_stuck_flip_flops(netlist, kinds, "top", [enabled])
    design = board_design(text, board)
    simulated = SimulatedBoard(design, board, tmp_path, can_stick=True)
    shown = run.expected & (1 << len(board.leds) - 2) - 1
    said, winner, cycles = simulated.run(limit)
    assert (said, winner) == ("passed", shown)
    assert cycles < limit / 4
    used = {name: usage.used for name, usage in report.routed.utilisation.items()}
    print(f"\n{board.name}: {used}, {report.routed.fmax_mhz:.1f} MHz, {cycles} clock cycles")
    said, _, cycles = simulated.run(limit, stuck=1)
    assert said == "failed"
    assert cycles < limit / 2
