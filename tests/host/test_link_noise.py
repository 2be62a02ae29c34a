"""Random and damaged bytes into the link in gates; ``benchmarks/link_noise.py`` sends a million."""

import pytest

from benchmarks.link_noise import Noise


@pytest.mark.slow
def test_nothing_is_executed_wrongly_and_all_recovers() -> None:
    noise = Noise(seed=2, optimise="build")
    noise.run(20_000, 10_000)
    assert noise.executed > 500
    assert noise.recoveries > 10
    assert noise.connections > 3
    assert noise.gates.resets == 0
