"""Digits learned without labels by devices that vary and are stuck: what moves, and is said."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikelet import SpikeletError, Variability
from spikelet.examples.learning import unsupervised_devices
from spikelet.examples.learning.unsupervised_digits import (
    build,
    digits_8x8,
    learn,
    learn_side_by_side,
    plan_for,
)


def test_table_picture_and_figures(tmp_path, capsys):
    arguments = ["--neurons", "30", "--seeds", "1", "--epochs", "2", "--stuck", "0", "0.9"]
    lost = unsupervised_devices.main([*arguments, "--out", str(tmp_path)])
    report = json.loads((tmp_path / "results.json").read_text())
    rows = {(row["stuck"], row["step"]): row["accuracy"][0] for row in report["rows"]}
    assert set(rows) == {(0, 0), (0.9, 0), (0, 0.25)}
    assert rows[0, 0] > 60 and rows[0.9, 0] < rows[0, 0] - 10
    assert lost == (rows[0, 0] - rows[0, 0.25] >= 3)
    assert ("not reached" in capsys.readouterr().out) == bool(lost)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_stuck_devices_stay_and_others_learn():
    images = digits_8x8()
    plan = replace(plan_for(images), epochs=1)
    compiled = build(images, 16, 4, plan, 1, 16, variability=Variability(stuck=0.3, step=0.25))
    learned = learn_side_by_side(images, [compiled], seed=1, plan=plan)[0]
    before = compiled.weights("pixels", "neurons")
    after = compiled.weights("pixels", "neurons", learned.state.image)
    read = compiled.network.projection("pixels", "neurons").rule.devices.read
    codes = compiled.devices("pixels", "neurons")
    stuck = read(codes, "stuck")[0].astype(bool)
    assert stuck.mean() == pytest.approx(0.3, abs=0.05)
    assert np.std(read(codes, "variation")) == pytest.approx(2, abs=0.3)  # in eighths
    assert (before == after)[stuck].all() and (before != after)[~stuck].mean() > 0.5


def test_networks_side_by_side_learn_what_each_learns_alone():
    images = digits_8x8()
    plan = replace(plan_for(images), epochs=1)
    networks = [build(images, 16, bits, plan, 1, 16) for bits in (8, 4)]
    found = learn_side_by_side(images, networks, seed=1, plan=plan)
    for bits, outcome in zip((8, 4), found, strict=True):
        alone = learn(images, 16, bits=bits, plan=plan)
        assert (outcome.state.checksums() == alone.state.checksums()).all()
        assert outcome.accuracy == alone.accuracy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "0"], r"^--seeds must be 1 or more, not 0$"),
        (["--images", "0"], r"^--images must be 1 or more, not 0$"),
        (["--stuck", "0.1"], r"^--stuck must have 0, to which all others are compared"),
        (["--stuck", "0", "2"], r"^variability: stuck must be "),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(SpikeletError, match=message):
        unsupervised_devices.main(arguments)
