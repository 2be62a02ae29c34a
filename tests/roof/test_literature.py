"""The experiments of the literature, in short: what they reach, and that the RTL does the same."""

import json

import numpy as np
import pytest

from spikelet import SpikeletError
from spikelet.examples.learning.support import RECORD, compare
from spikelet.examples.literature import association, gibbs


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


@pytest.mark.parametrize("module", [gibbs, association])
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
    found = compare(lambda engine: [gibbs.sampled(1, engine, 1000, RECORD)[0].recording])
    assert found.equal, found.difference
    assert found.ticks == 1000 and {"spikes", "states"} <= set(found.compared)
