"""The experiments with teachers, in short: what they reach on golden, and how they score."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikelet import SpikeletError
from spikelet.examples.learning import normad, random_feedback
from spikelet.examples.learning.digits16 import Digits


def test_spikes_are_matched_one_to_one():
    wanted, found = np.zeros((2, 200, 1), bool)
    wanted[[50, 100, 150]] = True
    found[[30, 49, 110, 180]] = True  # of two near the first, one is too many
    assert normad.placed(wanted, found) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert normad.placed(wanted, wanted) == (1, 0)
    assert normad.placed(wanted, np.zeros_like(wanted)) == (0, 0)


def test_normad_learns_its_task_in_short(tmp_path):
    arguments = ["--quick", "--no-rtl", "--epochs", "25", "--out", str(tmp_path)]
    assert normad.main(arguments) == 0
    shares = json.loads((tmp_path / "results.json").read_text())["shares"]
    assert len(shares) == 26 and (tmp_path / "figure.png").exists()
    assert shares[0][0] < 0.5 and shares[-1][0] >= 0.85 and shares[-1][1] <= 0.2


def test_random_feedback_learns_in_short():
    training, held_out = Digits.small()
    plan = replace(random_feedback.Plan(), hidden=100, hidden_rate=2e-5, output_rate=2e-3)
    compiled = random_feedback.build(plan, 0)
    before = compiled.weights("pixels", "hidden")
    state = random_feedback.train(compiled, training, plan, 4)
    assert (compiled.weights("pixels", "hidden", state.image) != before).mean() > 0.1
    assert random_feedback.accuracy(compiled, held_out, plan, state) >= 0.7


@pytest.mark.parametrize("arguments", [["--epochs", "1001"], ["--rtl", "-1"]])
def test_numbers_outside_their_range_are_refused(arguments):
    with pytest.raises(SpikeletError, match=rf"{arguments[0]} must be in 0\.\.1000, not"):
        random_feedback.main(arguments)
    with pytest.raises(SpikeletError, match=r"--epochs must be in 1\.\.1000"):
        normad.main(["--epochs", "0"])
