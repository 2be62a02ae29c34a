"""One plastic layer and two on the 8x8 digits: what each learns, and what is said of the gain."""

import json

import pytest

from spikelet import SpikeletError
from spikelet.examples.learning import random_feedback, two_layers
from spikelet.examples.learning.digits16 import Digits


def test_one_layer_learns():
    training, held_out = Digits.small()
    plan = random_feedback.Plan()
    compiled = two_layers.build(two_layers.OneLayer(), 0)
    untrained = compiled.initial_state()
    state = random_feedback.train(compiled, training, plan, 2)
    learned = random_feedback.accuracy(compiled, held_out, plan, state)
    assert learned > 0.7
    assert random_feedback.accuracy(compiled, held_out, plan, untrained) < 0.4


def test_figures_and_verdict(tmp_path, capsys):
    missed = two_layers.main(["--seeds", "1", "--epochs", "1", "--out", str(tmp_path)])
    scores = json.loads((tmp_path / "results.json").read_text())["scores"]
    (one,), (two,) = scores.values()
    assert one > 60 and two > 60 and missed == (two < one + 1)
    assert ("not reached" in capsys.readouterr().out) == bool(missed)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["images", "epochs", "seeds"])
def test_refused(name):
    with pytest.raises(SpikeletError, match=rf"^--{name} must be in 1\.\.\d+, not 0$"):
        two_layers.main([f"--{name}", "0"])
