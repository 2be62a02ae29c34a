"""Runs that a self-test stores, and a board with its self-test in Verilator."""

import ctypes
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spikelet.boards import Board
from spikelet.compiler.compile import compile_network
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.run.events import Events
from spikelet.fpga.self_test_image import StoredRun
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.self_test_run import stored_run
from spikelet.sim.verilator import Design, build_library

__all__ = ["SimulatedBoard", "events_of", "learning_run"]

_HARNESS = """\
#include "Vtop.h"

// Clocks a board from configuration on, until one of the LEDs in `verdicts` is lit, or for `limit`
// cycles; returns the cycles, and in `leds` those lit.
extern "C" long run(int stuck, long limit, int released, int inverted, int verdicts, int *leds) {
  Vtop board;
  board.button = released;
  STUCK
  board.clk = 0;
  board.eval();
  long cycle = 0;
  while (cycle < limit && !((board.led ^ inverted) & verdicts)) {
    board.clk = 1;
    board.eval();
    board.clk = 0;
    board.eval();
    ++cycle;
  }
  *leds = board.led ^ inverted;
  return cycle;
}
"""


def events_of(ticks: Sequence[Sequence[int]], samples: int = 1) -> Events:
    """Return events to these axons of core 0 in each tick; the ticks are of so many samples."""
    axons = np.array([axon for tick in ticks for axon in tick], np.int32)
    offsets = np.cumsum([0, *map(len, ticks)])
    return Events(samples, len(ticks) // samples, offsets, 0 * axons, axons, 0 * axons)


def learning_run(axons: int, neurons: int, *, ticks: int) -> tuple[ChipParams, StoredRun]:
    """Return a chip that learns by pairs of spikes, and a run of 20 samples of four patterns."""
    rule = pair_stdp(trace_bits=8, a_plus=0.1, a_minus=0.05, tau_plus=4.0)
    network = PlasticNetwork("patterns", seed=0)
    network.inputs("pixels", axons)
    network.population(
        "neurons",
        neurons,
        threshold=30 * axons,
        decay=3500,
        inhibition=9 * axons,
        potential_bits=13,
    )
    network.project("pixels", "neurons", weights=(0, rule.w_max), rule=rule)
    network.output("neurons")
    plastic = compile_network(network, limits=PlacementLimits(lanes=2))
    lit = np.arange(axons) * 4 // axons == (np.arange(20) % 4)[:, None]
    rate = np.where(lit, 0.4, 0.02)[:, None]
    spikes = (np.random.default_rng(1).random((20, ticks, axons)) < rate).astype(np.uint8)
    chip = replace(plastic.chip, fifo_depth=2)
    return chip, stored_run(chip, plastic.image, Events.from_spikes(spikes, plastic.routes))


class SimulatedBoard:
    """A board with its self-test.

    Parameters
    ----------
    design : Design
        Of a :class:`spikelet.fpga.board_top.BoardTop` called ``top``: its RTL or a netlist.
    board : Board
    folder : Path
        For the harness.
    can_stick : bool
        Whether it is a netlist from :func:`spikelet.sim.stuck_at.with_stuck_flip_flops`.
    """

    def __init__(
        self, design: Design, board: Board, folder: Path, *, can_stick: bool = False
    ) -> None:
        self.board = board
        harness = folder / "board.cpp"
        stuck = "board.stuck = stuck; board.stuck_value = 0;" if can_stick else ""
        harness.write_text(_HARNESS.replace("STUCK", stuck))
        self._library = ctypes.CDLL(str(build_library(design, "top", harness, optimise="build")))
        self._library.run.restype = ctypes.c_long

    def run(self, limit: int, *, stuck: int = 0) -> tuple[str, int, int]:
        """Return what the last two LEDs say, those before them as a number, and the clock cycles.

        ``limit``: clock cycles after which the LEDs count as dark. ``stuck``: number of the
        flip-flop that is stuck at 0, or 0 for none.
        """
        pins = self.board.leds
        inverted = sum(pin.inverted << place for place, pin in enumerate(pins))
        shown = len(pins) - 2
        leds = ctypes.c_int()
        cycles = self._library.run(
            *(ctypes.c_int(stuck), ctypes.c_long(limit)),
            *map(ctypes.c_int, (self.board.pin("button").inverted, inverted, 0b11 << shown)),
            ctypes.byref(leds),
        )
        said = ("dark", "failed", "passed", "both")[leds.value >> shown]
        return said, leds.value & (1 << shown) - 1, cycles
