"""Sudoku by noise: ``python -m spikelet.examples.literature.sudoku``.

Stochastic neurons that inhibit each other wherever the rules forbid both wander through states with
probabilities exp(-energy), and find the one without conflict (Jonke, Habenschuss & Maass 2016; on
SpiNNaker, Fonseca Guerra & Furber 2017). A neuron for each digit in each cell; a clue is an input
that spikes in every tick. In each tick half of the neurons, drawn anew, draw their state.

A puzzle is easy if it can be solved without guessing: by filling in, again and again, the cells in
which one digit is left, and the digits for which one cell of a row, column or box is left.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run

__all__ = ["build", "by_singles", "main", "puzzle", "solved"]

COMMAND = Command("sudoku", seeds=100)
TICKS, CHUNK = 10_000, 500
WINDOW = 20  # ticks, whose spikes are counted to read a digit in each cell
CLUES = 36
SCALE = 16  # LSBs of 1
BIAS, CONFLICT = 4 * SCALE, 5 * SCALE
SIGMOID = [round(32768 / (1 + math.exp(-x / SCALE))) for x in range(8 * SCALE + 1)]
NEURON: dict[str, Any] = {
    "name": "held",
    "version": 1,
    "description": "unit of a Boltzmann machine, drawn anew in half of the ticks",
    "source": "Jonke, Habenschuss and Maass 2016, with states held by chance",
    "text": f"""
clipped = clamp(current + bias); mine = (draw & 1) == 0; coin = draw >> 1
size = least(abs(clipped), {len(SIGMOID) - 1}); below = clipped < 0
likely = table(size, ({", ".join(map(str, SIGMOID))}))
p = where(below, 32768 - likely, likely)
fired = where(mine, coin < p, fired); v = clipped
""",
    "states": {"v": {}, "fired": {"kind": "flag"}},
    "parameters": {"bias": {"default": 0}},
}
CELL = np.arange(81)
ROW, COLUMN = CELL // 9, CELL % 9
UNITS = np.array([of == i for of in (ROW, COLUMN, ROW // 3 * 3 + COLUMN // 3) for i in range(9)])
PEERS = (UNITS.T.astype(int) @ UNITS > 0) & ~np.eye(81, dtype=bool)
Grid = npt.NDArray[np.int64]


def by_singles(grid: Grid) -> Grid:
    """Return a grid (81,), of -1 or digits 0..8, as far as it is filled in without guessing."""
    grid = grid.copy()
    while True:
        left = (PEERS.astype(int) @ np.eye(10, dtype=int)[grid][:, :9] == 0) & (grid < 0)[:, None]
        hidden = UNITS.T.astype(int) @ (UNITS.astype(int) @ left == 1) > 0
        cells, digits = np.nonzero(left & (hidden | (left.sum(axis=1) == 1)[:, None]))
        if not len(cells):
            return grid
        grid[cells] = digits


def puzzle(seed: int, clues: int = CLUES) -> tuple[Grid, Grid]:
    """Return an easy puzzle and its only solution, (81,) each."""
    generator = np.random.default_rng(seed)
    bands = [3 * band + generator.permutation(3) for _ in "rc" for band in generator.permutation(3)]
    rows, columns = np.concatenate(bands).reshape(2, 9)
    base = (3 * (ROW % 3) + ROW // 3 + COLUMN).reshape(9, 9) % 9
    solution = generator.permutation(9)[base][rows][:, columns].reshape(-1)
    while True:
        given = np.where(generator.permutation(81) < clues, solution, -1)
        if (by_singles(given) == solution).all():
            return given, solution


def build() -> CompiledNetwork:
    """Return the chip, which is the same for all puzzles."""
    cell, digit = np.divmod(np.arange(729), 9)
    same_cell, same_digit = cell[:, None] == cell, digit[:, None] == digit
    forbidden = (same_cell & ~same_digit) | (same_digit & PEERS[cell][:, cell])
    network = PlasticNetwork("sudoku")
    network.inputs("clues", 729)
    network.population("digits", 729, neuron=NEURON, bias=BIAS)
    network.project("clues", "digits", weights=127, connectivity="one_to_one")
    network.project("digits", "digits", weights=-CONFLICT * forbidden.astype(int))
    network.output("digits")
    return compile_network(network, limits=PlacementLimits(max_axons=2048, max_neurons=1024))


def clue_spikes(given: Grid, ticks: int) -> npt.NDArray[np.uint8]:
    """Return the input, (1, ticks, 729)."""
    lines = (np.arange(9) == given[:, None]).astype(np.uint8).reshape(-1)
    return np.tile(lines, (1, ticks, 1))


def solved(compiled: CompiledNetwork, given: Grid, ticks: int = TICKS) -> tuple[int, list[float]]:
    """Return ticks until the digits keep all rules, -1 if they never do, and conflicts in time.

    Only rules are asked, not the solution: no digit twice among peers, and clues stand.
    """
    state, spikes, conflicts = compiled.initial_state(), clue_spikes(given, CHUNK), []
    for first in range(0, ticks, CHUNK):
        ran = run(compiled, spikes, clear=False, start=state, record=())
        state = ran.final
        counts = ran.outputs.reshape(-1, WINDOW, 81, 9).sum(axis=1, dtype=int)
        for window, grid in enumerate(counts.argmax(axis=2)):
            wrong = (PEERS & (grid[:, None] == grid)).sum() / 2 + (given != grid)[given >= 0].sum()
            conflicts.append(float(wrong))
            if not wrong:
                return first + (window + 1) * WINDOW, conflicts
    return -1, conflicts


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    compiled = build()
    found = [solved(compiled, puzzle(seed)[0]) for seed in range(options.seeds)]
    taken = np.array([ticks if ticks >= 0 else TICKS + 1 for ticks, _ in found])
    limits = (300, 1000, 3000, TICKS)
    groups = np.array_split(taken, min(5, len(taken)))
    rows = {n: {"solved, %": [100 * (group <= n).mean() for group in groups]} for n in limits}
    title = f"{options.seeds} easy puzzles of {CLUES} clues (seeds from 0), in {len(groups)} groups"
    COMMAND.show(title, "ticks", rows, ".1f")
    figure, (left, right) = panels(2)
    for _, conflicts in found[:4]:
        left.plot(WINDOW * (1 + np.arange(len(conflicts))), conflicts)
    left.set(xlabel="ticks", ylabel="conflicts", xscale="log")
    right.step(np.sort(taken), 100 * np.arange(1, len(taken) + 1) / len(taken), where="post")
    right.set(xlabel="ticks", ylabel="solved, %", xscale="log", xlim=(20, TICKS), ylim=(0, 105))

    def engines(engine: str) -> list[Recording]:
        spikes = clue_spikes(puzzle(0)[0], 1000)
        return [run(build(), spikes, engine, record=RECORD).recording]

    goal = f"at least 90 % of easy puzzles within {TICKS:,} ticks"
    reached = bool((taken <= TICKS).mean() >= 0.9)
    report = {"ticks": [ticks for ticks, _ in found], "clues": CLUES}
    return COMMAND.finish(options, {goal: reached}, report, figure, engines)


if __name__ == "__main__":
    guarded(main)
