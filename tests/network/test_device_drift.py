"""Networks of drifted, compensated and written devices: contents of the same chip."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet import Drift, SpikeletError, Variability, compensated, drifted, run, written
from spikelet.compiler.compile import compile_network
from spikelet.description.learning.device_model import device_model
from spikelet.network.limits import PlacementLimits
from tests.network.test_devices import DEVICES, network

PAIRS = replace(DEVICES, count=1, up=(16,) * 128, down=(2032,) * 128, bits=7, pairs=True)
WEIGHTS = np.random.default_rng(2).integers(-127, 128, (30, 3))
YEAR = 3.15e7


def pairs(**options):
    given = {"devices": PAIRS, "weights": WEIGHTS, "variability": None}
    return network(**{**given, **options}).integers()


def compiled(found):
    return compile_network(found, limits=PlacementLimits(lanes=2))


def test_a_drifted_network_is_other_contents_of_the_same_chip():
    fresh = pairs()
    aged = drifted(fresh, Drift(nu=0.05), YEAR)
    assert np.array_equal(fresh.projection("i", "n").weights, WEIGHTS)
    expected = np.rint(np.abs(WEIGHTS) * YEAR**-0.05) * np.sign(WEIGHTS)
    chips = [compiled(found) for found in (fresh, aged, compensated(fresh, aged))]
    assert np.array_equal(chips[1].weights("i", "n"), expected)
    assert len({chip.chip.digest for chip in chips}) == 1
    thresholds = [chip.parameter("n", "threshold").tolist() for chip in chips]
    factor = np.abs(expected).sum() / np.abs(WEIGHTS).sum()
    assert thresholds == [[60] * 3, [60] * 3, [round(60 * factor)] * 3] and 0.4 < factor < 0.45
    spikes = (np.random.default_rng(1).random((1, 60, 30)) < 0.1).astype(np.uint8)
    counts = [int(run(chip, spikes, learning=False).outputs.sum()) for chip in chips]
    assert counts[1] < 0.8 * counts[0] and abs(counts[2] - counts[0]) < 0.1 * counts[0], counts


def test_what_does_not_drift_is_named():
    fresh = pairs()
    with pytest.raises(SpikeletError, match="'cells' has no projections made of devices"):
        drifted(pairs(devices=None, weights=3), Drift(), 10)
    made = network(devices=PAIRS, weights=WEIGHTS, variability=None)
    made.inputs("other", 3)
    made.project("other", "n", weights=3)
    fixed = made.integers()
    with pytest.raises(SpikeletError, match="'other' -> 'n' is not made of devices, and does not"):
        compensated(fixed, drifted(fixed, Drift(), 10))
    with pytest.raises(SpikeletError, match="population 'n': its devices, .* conduct nothing"):
        compensated(fresh, pairs(weights=0))


def test_devices_are_pulsed_until_they_are_read_right():
    real, (report,) = written(pairs(), tolerance=3, limit=300)
    assert not report.unreached.any() and report.worst <= 3 and report.unreached.shape == (2, 30, 3)
    found = real.projection("i", "n")
    assert (np.abs(found.weights - WEIGHTS) <= 3).all()
    assert np.array_equal(compiled(real).weights("i", "n"), found.weights)
    ideal = np.abs(WEIGHTS).sum()  # a level a pulse
    assert 0.8 * ideal < report.pulses < 1.5 * ideal and "pulses a device, 0 of 180" in str(report)
    _, (short,) = written(pairs(), tolerance=3, limit=50)
    assert short.unreached[0][WEIGHTS > 65].all() and not short.unreached[0][WEIGHTS < 40].any()
    assert short.worst > 60 and short.pulses < report.pulses


def test_stuck_devices_are_not_reached():
    devices = replace(PAIRS, faults=True)
    spread = Variability(seed=3, stuck=0.2)
    real, (report,) = written(pairs(devices=devices), tolerance=2, limit=400, variability=spread)
    stuck = real.projection("i", "n").rule.devices.each(real.projection("i", "n").devices, "stuck")
    assert report.unreached.mean() > 0.1 and not (report.unreached & (stuck == 0)).any()
    with pytest.raises(SpikeletError, match="stuck is given, but these devices have none"):
        written(pairs(), variability=spread)


def test_a_device_that_falls_at_once_begins_again():
    devices = device_model("pcm").devices(1, levels=64, pairs=True, write_bits=8)
    weights = np.full((30, 3), 40)
    real, (report,) = written(pairs(devices=devices, weights=weights), tolerance=4, limit=200)
    codes = real.projection("i", "n").devices
    assert report.unreached.mean() < 0.05 and devices.each(codes, "writes")[0].mean() > 8
    assert devices.each(codes, "writes").sum() == report.pulses


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": -1}, "written: tolerance must be an int in 0..255, not -1"),
        ({"limit": 0}, "written: limit must be an int in 1..10000, not 0"),
        ({"seed": 0.5}, "written: seed must be an int"),
    ],
)
def test_what_writing_cannot_take(options, message):
    with pytest.raises(SpikeletError, match=message):
        written(pairs(), **options)
    with pytest.raises(SpikeletError, match="made of devices, which could be written"):
        written(pairs(devices=None, weights=3))
