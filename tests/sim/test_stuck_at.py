"""Stuck flip-flops: in a netlist written by hand, and in those of a self-test image."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stuck_at import faults_of
from spikelet.boards import ICEBREAKER, ULX3S_85F, Board
from spikelet.compiler.compile import compile_network
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import family_named
from spikelet.fpga.self_test_image import StoredRun
from spikelet.network.limits import PlacementLimits
from spikelet.runs.self_test_run import stored_samples
from spikelet.samples.samples import Samples
from spikelet.sim.stuck_at import Observed, StuckBoard, flip_flops, with_stuck_flip_flops
from spikelet.sim.verilator import Design
from tests.fpga.self_test_bench import learning_run
from tests.helpers.networks import SUBTRACT, chain

NETLIST = """
module watched(clk, button, led, take, request_valid, request_address, request_ready,
  response_valid, response_data, spike_valid, spike_line);
  input clk;
  input button, take, request_valid;
  input [31:0] request_address;
  output [1:0] led;
  output request_ready, response_valid, spike_valid;
  output [31:0] response_data;
  output [1:0] spike_line;
  wire \\chip.toggle[0] ;
  wire answered;
  reg [7:0] cycles = 0;
  always @(posedge clk) cycles <= cycles + (cycles != 255);
  SB_DFF \\chip.toggle_SB_DFF_Q  (
    .C(clk),
    .D(~\\chip.toggle[0] ),
    .Q(\\chip.toggle[0] )
  );
  SB_DFFSR answered_SB_DFF_Q (
    .C(clk),
    .D(request_valid & take),
    .Q(answered),
    .R(1'h0)
  );
  assign spike_valid = cycles < 20;
  assign spike_line = {2{\\chip.toggle[0] }};
  assign request_ready = 1;
  assign response_valid = answered;
  assign response_data = request_address + 1;
  assign led = ~{cycles >= 100 & ~button, 1'b1};
endmodule
"""
NETS = ["answered", "chip.toggle[0]"]

ECP5_FLIP_FLOP = """
  TRELLIS_FF #(
    .CEMUX("1"),
    .REGSET("RESET")
  ) \\config.o__read_TRELLIS_FF_Q  (
    .CLK(clk),
    .DI(\\config.o__read_TRELLIS_FF_Q_DI ),
    .Q(\\config.o__read )
  );
  LUT4 #(
    .INIT(16'hf000)
  ) \\config.lut  (
    .Z(\\config.z )
  );
"""


@pytest.fixture(scope="module")
def board() -> StuckBoard:
    family = family_named("ice40")
    design = Design(NETLIST, family.cell_models, family.include_folders())
    return StuckBoard(design, ["SB_DFF"], NETS)


def _run(board: StuckBoard, stuck: tuple[int, int] | None, **changed: int) -> Observed:
    options: Mapping[str, int] = {"released": 0, "verdicts": 2, "limit": 500, **changed}
    addresses = np.array([5, 9], np.uint32)
    return board.run(stuck, inverted=3, n_outputs=2, addresses=addresses, **options)


def test_flip_flops_of_both_families_are_found() -> None:
    assert flip_flops(NETLIST, ["SB_DFF"]) == ["chip.toggle[0]", "answered"]
    assert flip_flops(ECP5_FLIP_FLOP, ["TRELLIS_FF"]) == ["config.o__read"]


@pytest.mark.parametrize("nets", [["answered", "answered"], ["cycles[0]"]])
def test_only_a_flip_flop_can_be_stuck(nets: list[str]) -> None:
    with pytest.raises(SpikeletError, match=re.escape(f"{nets[0]} must be the output of one")):
        with_stuck_flip_flops(NETLIST, ["SB_DFF"], "watched", nets)


@pytest.mark.parametrize(
    ("stuck", "spikes", "words"),
    [
        (None, [10, 0, 10], [6, 10]),
        ((1, 0), [20, 0, 0], [6, 10]),
        ((1, 1), [0, 0, 20], [6, 10]),
        ((0, 0), [10, 0, 10], []),
    ],
)
def test_a_flip_flop_is_stuck(board, stuck, spikes: list[int], words: list[int]) -> None:
    seen = _run(board, stuck)
    assert seen.spikes.tolist() == spikes
    assert seen.words.tolist() == words
    assert (seen.leds, seen.cycles) == (3, 100)


def test_without_a_verdict_time_runs_out(board: StuckBoard) -> None:
    seen = _run(board, None, released=1, limit=300)
    assert (seen.leds, seen.cycles) == (1, 300)


def _trained() -> tuple[ChipParams, StoredRun]:
    network = chain([4, 2], neuron=SUBTRACT, scale=1 / 4, seed=1)
    compiled = compile_network(network, limits=PlacementLimits(lanes=2))
    spikes = np.random.default_rng(1).random((1, 6, 4)) < 0.6
    return compiled.chip, stored_samples(compiled, Samples(spikes.astype(np.uint8)), 0)


def _learning() -> tuple[ChipParams, StoredRun]:
    return learning_run(16, 4, ticks=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "make"),
    [(ICEBREAKER, _trained), (ULX3S_85F, _trained), (ICEBREAKER, _learning)],
    ids=["iCEBreaker", "ULX3S-85F", "iCEBreaker-learning"],
)
def test_every_fault_that_changes_what_a_chip_computes_lights_failed(
    board: Board, make: Callable[[], tuple[ChipParams, StoredRun]], tmp_path: Path
) -> None:
    faults = list(faults_of(*make(), board, tmp_path, seed=1, count=8))
    assert not faults[0].flip_flop
    assert sum(bool(fault.changes) for fault in faults) == 8
    assert {"spikes", "state"} <= {fault.changes for fault in faults}
    assert [fault for fault in faults if not fault.right] == []
