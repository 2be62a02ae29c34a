"""The 20 behaviours of examples/izhikevich: those of the equations in real numbers, and on RTL."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from spikelet import Samples, verify
from spikelet.examples.izhikevich.behaviours import (
    PEAK,
    STEPS,
    behaviour_network,
    coded,
    main,
    potentials,
)
from spikelet.examples.izhikevich.stimuli import BEHAVIOURS, Behaviour

EXPECTED = {
    "phasic spiking": [1],
    "phasic bursting": range(3, 10),
    "spike latency": [1],
    "subthreshold oscillation": [1],
    "resonator": [1],
    "integrator": [1],
    "rebound spike": [1],
    "rebound burst": range(3, 12),
    "threshold variability": [1],
    "bistability": range(3, 7),
    "depolarizing after-potential": [1],
    "accommodation": [1],
}
"""Spikes that make a behaviour what it is; the others spike on and on."""


@cache
def golden() -> tuple[np.ndarray, np.ndarray]:
    return potentials(*behaviour_network())


def in_real_numbers(own: Behaviour) -> list[float]:
    """Return the times of the spikes by the paper's equations, forward Euler, in ms."""
    times = np.arange(int(own.span * STEPS)) / STEPS
    v, u, found = own.v, own.b * own.v if own.u is None else own.u, []
    for time, current in zip(times, own.current(times), strict=True):
        v += (0.04 * v * v + own.slope * v + own.constant - u + current) / STEPS
        u += own.a * (own.b * (v + own.offset) - (0 if own.free else u)) / STEPS
        if v > PEAK:
            v, u = own.c, u + own.d
            found.append(float(time))
    return found


@pytest.mark.parametrize("place", range(len(BEHAVIOURS)), ids=[b.name for b in BEHAVIOURS])
def test_spikes_are_those_of_the_equations(place: int) -> None:
    """As many, and each within 3 % of the time since the beginning."""
    own, (_, spikes) = BEHAVIOURS[place], golden()
    found = np.flatnonzero(spikes[: int(own.span * STEPS), place]) / STEPS
    expected = np.array(in_real_numbers(own))
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() <= 0.03 * own.span
    assert len(found) in EXPECTED.get(own.name, range(4, 60))


def test_currents_are_coded_exactly_or_in_127_steps() -> None:
    ticks = 400 * STEPS
    for own in BEHAVIOURS:
        codes, unit, rest = coded(own, ticks)
        current = own.current(np.arange(int(own.span * STEPS)) / STEPS)
        error = np.abs(codes[: len(current)] * unit + rest - current).max()
        ramp = "class" in own.name or own.name == "accommodation"
        assert error <= (unit / 2 + 1e-9 if ramp else 1e-9), own.name
        assert codes.min() >= -128 and codes.max() <= 127


@pytest.mark.slow
def test_they_are_the_same_on_the_rtl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, inputs = behaviour_network()
    assert verify(compiled, Samples(inputs)).equal
    picture = tmp_path / "behaviours.png"
    monkeypatch.setattr("sys.argv", ["behaviours", "-o", str(picture)])
    assert main() == 0 and picture.stat().st_size > 20_000
