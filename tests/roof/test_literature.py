"""The experiments of the literature, in short: what they reach, and that the RTL does the same."""

import json

import numpy as np
import pytest

from spikelet import SpikeletError
from spikelet.examples.learning.digits16 import Digits
from spikelet.examples.learning.support import RECORD, compare
from spikelet.examples.literature import (
    association,
    federated,
    gibbs,
    grid_world,
    lifelong,
    repair,
    reservoir,
    sudoku,
    winner,
)
from spikelet.examples.literature.small_digits import small_digits
from spikelet.runs.run import run


def test_gibbs_draws_from_the_exact_distribution():
    for seed in range(3):
        expected = gibbs.exact(*gibbs.machine(seed))
        _, states = gibbs.sampled(seed, ticks=40_000)
        assert gibbs.distance(states, expected) < 0.03
        assert gibbs.distance(states, np.roll(expected, 1)) > 0.1
        changed = states[1:] ^ states[:-1]
        turns = 1 << (np.arange(1, len(states)) % gibbs.UNITS)
        assert not (changed & ~turns).any() and (changed == turns).mean() > 0.1


def test_the_exact_distribution():
    couplings, biases = gibbs.machine(0)
    zero, none = np.zeros_like(couplings), np.zeros_like(biases)
    assert gibbs.exact(zero, none) == pytest.approx(1 / 32)
    assert gibbs.exact(couplings, none)[3] / gibbs.exact(couplings, none)[0] == pytest.approx(
        np.exp(couplings[0, 1])
    )
    assert gibbs.exact(zero, biases)[4] / gibbs.exact(zero, biases)[0] == pytest.approx(
        np.exp(biases[2])
    )


def test_patterns_are_completed():
    shown, memory = association.patterns(8, 3), association.Memory()
    assert (shown.sum(axis=1) == association.ACTIVE).all()
    nothing = memory.recall(shown, 3)
    assert nothing.missing == 0
    memory.learn(shown)
    found = memory.recall(shown, 3)
    assert (found.missing, found.false, found.exact) == (1, 0, 1)
    learned = memory.compiled.weights("cells", "cells", memory.state.image)
    assert ((learned == association.TOGETHER) == (shown.T @ shown > 0)).all()
    assert memory.recall(association.patterns(8, 4), 3).exact == 0


def test_a_memory_repairs_itself_only_while_it_learns():
    found = repair.trial(0.15, 0)
    assert 87 <= found[repair.REPAIRED] >= found[repair.PLAIN] + 10
    assert found["shown again"] == 100 and found["synapses right, %"] > 97
    memory = association.Memory()
    memory.learn(association.patterns(8, 0))
    learned = repair.learned_synapses(memory).sum()
    repair.break_synapses(memory, 0.25, np.random.default_rng(0))
    assert repair.learned_synapses(memory).sum() == pytest.approx(0.75 * learned, abs=1)


def test_the_strongest_input_wins_and_alone_it_does_not():
    found = winner.played(2.0, 0, winner.build())
    alone = winner.played(2.0, 0, winner.build(inhibition=False))
    share = "of spikes, %"
    assert found["right, %"] >= 98 and found[share] > 80
    assert alone[share] < 10
    assert winner.played(1.0, 0, winner.build())["right, %"] < 20  # none is the strongest
    spikes, strongest = winner.spike_trains(2.0, 0)
    rates = spikes.mean(axis=1)
    mine = rates[np.arange(len(rates)), strongest]
    assert mine.mean() == pytest.approx(0.4, abs=0.01)
    assert rates.mean() == pytest.approx(0.2 * 33 / 32, abs=0.005)


def test_easy_puzzles():
    given, solution = sudoku.puzzle(1)
    assert (given >= 0).sum() == sudoku.CLUES
    grid = solution.reshape(9, 9)
    boxes = grid.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    assert all((np.sort(units, axis=1) == np.arange(9)).all() for units in (grid, grid.T, boxes))
    assert (sudoku.by_singles(given) == solution).all()
    empty = np.full(81, -1)
    assert (sudoku.by_singles(empty) == empty).all()  # without clues there is nothing but guessing
    assert (sudoku.PEERS.sum(axis=1) == 20).all()


def test_sudoku_is_solved_by_noise():
    chip = sudoku.build()
    assert (chip.weights("digits", "digits") != 0).sum() == 729 * 28
    given, _ = sudoku.puzzle(1)
    ticks, conflicts = sudoku.solved(chip, given, 2000)
    assert 0 < ticks <= 2000 and conflicts[-1] == 0 and min(conflicts[:-1]) > 0
    impossible = given.copy()
    cells = np.flatnonzero(given < 0)[0], np.flatnonzero(given >= 0)[0]
    impossible[cells[0]] = given[np.flatnonzero(sudoku.PEERS[cells[0]] & (given >= 0))[0]]
    assert sudoku.solved(chip, impossible, 500)[0] == -1


def test_streams_and_their_readout():
    spikes, classes = reservoir.streams(200, [0])
    assert spikes.shape == (200, 120, 16) and 80 < classes.sum() < 120
    counts = reservoir.counts(spikes, 6).reshape(200, 6, 2, 8).sum(axis=3)
    assert (counts.min(axis=2) == 0).all()
    ones = counts[:, :, 1] > 0
    assert (ones[:, -3:].sum(axis=1) % 2 == classes).all()
    separable = np.where(classes == 1, 1.0, -1.0)[:, None] * [2.0, 0.0] + [5.0, 1.0]
    assert reservoir.right(separable, classes, reservoir.ridge(separable, classes)) == 100


def test_a_readout_on_the_chip_is_better_than_one_of_the_inputs():
    found = reservoir.trial(0, 400, 200)
    assert found["on the chip"] > found["ridge, inputs, 3 bins"] + 10
    assert abs(found["on the chip"] - found["ridge, reservoir, in float"]) < 2


def test_the_average_is_right_in_the_mean():
    parts = np.zeros((2, 20_000), int)
    parts[1] = 3
    found = federated.average(parts, np.random.default_rng(0))
    assert set(found) == {1, 2} and found.mean() == pytest.approx(1.5, abs=0.02)
    assert (federated.average([parts[1], parts[1]], np.random.default_rng(0)) == 3).all()


def test_chips_learn_from_images_that_they_never_saw():
    training, test = Digits.small()
    parts = federated.shares(training)
    assert set(parts["0-4 alone"][0].labels) == set(range(5))
    both, one = (
        federated.learned(parts[name], test, 0, 3)[0][-1]
        for name in ("0-4 and 5-9, averaged", "0-4 alone")
    )
    assert both > one + 10 and one <= 55


def test_hidden_neurons_answer_to_their_share_and_lessons_move_only_what_they_should():
    (images, labels), _ = small_digits()
    learner = lifelong.Learner(0.03, images[:100], 0)
    before = learner.compiled.weights("hidden", "digits").astype(int)
    spikes = np.zeros((100, 2, 192 + 10 * lifelong.TEACHERS), np.uint8)
    spikes[:, :, :192] = lifelong.lines(images[:100])[:, None]
    ran = run(learner.compiled, spikes, learning=False)
    hidden = ran.spikes("hidden")[:, 0]
    assert hidden.mean() == pytest.approx(0.03, abs=0.005)
    learner.teach(images[:1], labels[:1])
    after = learner.compiled.weights("hidden", "digits", learner.state.image).astype(int)
    expected = np.zeros_like(before)
    expected[hidden[0], labels[0]] = 1  # the others spiked too little to unlearn
    assert (after - before == expected).all()


@pytest.mark.slow
def test_sparse_thresholds_keep_what_was_learned():
    sparse, dense = (lifelong.trial(share, 0) for share in (lifelong.SPARSE, lifelong.DENSE))
    assert sparse["kept"] > dense["kept"] + 30 and dense["kept"] < 50
    assert min(found["0-4 at first"] for found in (sparse, dense)) > 80


def test_steps_to_the_goal_become_fewer():
    agent = grid_world.Agent(11)
    assert agent.episode(learning=False)[0] > 0 and not any(agent.rewards)
    for _ in range(150):
        agent.episode()
    ticks, kinds = len(agent.spikes), {int(spikes.sum()) for spikes in agent.spikes}
    assert kinds == {0, 1} and ticks == len(agent.rewards)
    agent.chip.learn(False)
    assert grid_world.near([agent.episode(learning=False) for _ in range(40)]) > 50
    assert grid_world.near([(3, 2), (4, 2)]) == 50


MODULES = [gibbs, association, grid_world, winner, sudoku, reservoir, federated, lifelong, repair]


@pytest.mark.parametrize("module", MODULES)
def test_no_seed_at_all(module):
    with pytest.raises(SpikeletError, match=r"^--seeds must be in 1\.\.1000, not 0$"):
        module.main(["--seeds", "0"])


def test_a_command_writes_table_picture_and_figures(tmp_path, capsys):
    assert gibbs.main(["--seeds", "2", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "100000" in told and "at most 0.03 after 100,000 ticks: reached" in told
    report = json.loads((tmp_path / "results.json").read_text())
    assert list(report["goals"].values()) == [True]
    assert len(report["total_variation"]["100000"]) == 2
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_rtl_is_golden():
    """Draws, states that are held, and a table; the other experiments say so by ``--rtl``."""
    found = compare(lambda engine: [gibbs.sampled(1, engine, 1000, RECORD)[0].recording])
    assert found.equal, found.difference
    assert found.ticks == 1000 and {"spikes", "states"} <= set(found.compared)
