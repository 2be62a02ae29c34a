"""Drift of devices: the power law, one exponent a device, readings, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.drift import Drift

PAIRS = Devices(
    *(1, (16,) * 128, (16,) * 128, 7), faults=True, variation=True, write_bits=3, pairs=True
)
YEAR = 3.15e7


def codes(devices=PAIRS, stuck=0):
    rng = np.random.default_rng(3)
    shape = (len(devices.sides) * devices.count, 90, 40)
    return devices.joined(
        level=rng.integers(0, devices.levels, shape),
        stuck=np.full(shape, stuck),
        variation=rng.integers(-8, 8, shape),
        writes=rng.integers(0, 8, shape),
    )


@pytest.mark.parametrize("off", [0, 20])
def test_conductances_fall_by_the_power_law(off):
    devices, before = replace(PAIRS, off=off), codes()
    after = Drift(nu=0.06, start=10.0).codes(devices, before, YEAR)
    level = devices.each(before, "level")
    expected = np.rint((level + off) * (YEAR / 10) ** -0.06 - off).clip(0)
    assert np.array_equal(devices.each(after, "level"), expected)
    for name in ("stuck", "variation", "writes"):
        assert np.array_equal(devices.each(after, name), devices.each(before, name))
    assert np.array_equal(Drift(start=10.0).codes(devices, before, 10.0), before)


def test_each_device_has_an_exponent_that_it_keeps():
    full = PAIRS.joined(level=np.full((2, 90, 40), 127))
    drift = Drift(nu=0.05, spread=0.02, seed=4)
    hour, year = (PAIRS.each(drift.codes(PAIRS, full, t), "level") for t in (3600, YEAR))
    exponents = [-np.log(now / 127) / np.log(t) for now, t in ((hour, 3600), (year, YEAR))]
    assert abs(exponents[1].mean() - 0.05) < 0.001 and abs(exponents[1].std() - 0.02) < 0.001
    assert np.corrcoef(exponents[0].ravel(), exponents[1].ravel())[0, 1] > 0.99
    again = PAIRS.each(drift.codes(PAIRS, full, YEAR), "level")
    assert np.array_equal(again, year)
    for other in (replace(drift, seed=5), drift):
        moved = other.codes(PAIRS, full, YEAR, array=int(other is drift))
        assert (PAIRS.each(moved, "level") != year).mean() > 0.5


def test_a_reading_has_noise_of_its_own_and_stuck_devices_stay():
    half = PAIRS.joined(level=np.full((2, 90, 40), 64))
    drift = Drift(nu=0, read_noise=0.05)
    first, second = (drift.codes(PAIRS, half, 1, reading=n) for n in (0, 1))
    found = PAIRS.each(first, "level") - 64
    assert abs(found.std() - 0.05 * 127) < 0.2 and abs(found.mean()) < 0.3
    assert np.array_equal(first, drift.codes(PAIRS, half, 1)) and (first != second).mean() > 0.8
    stuck = codes(stuck=1)
    assert np.array_equal(drift.codes(PAIRS, stuck, YEAR), stuck)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"nu": -0.1}, "drift: nu must be a number in 0..1, not -0.1"),
        ({"spread": 2}, "drift: spread must be a number in 0..1"),
        ({"read_noise": "much"}, "drift: read_noise must be a number"),
        ({"start": 0}, "drift: start must be a number in"),
        ({"seed": 0}, "drift: seed must not be 0"),
        ({"seed": -1}, "drift: seed must be an int in 1..4294967295"),
    ],
)
def test_what_a_drift_cannot_be(fields, message):
    with pytest.raises(SpikeletError, match=message):
        Drift(**fields)


def test_a_time_before_the_start_is_refused():
    with pytest.raises(
        SpikeletError, match=r"seconds must be a number in 20..1000000000000.0, not 19"
    ):
        Drift(start=20).codes(PAIRS, codes(), 19)
