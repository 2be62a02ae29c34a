"""What calibration samples show: arrivals in the order of the axons, and errors of currents."""

import numpy as np

from spikelet.network.scale import codes
from spikelet.network.shown import Shown
from tests.helpers.networks import spikes
from tests.network.test_normalise import network


def test_arrivals_of_a_layer_and_of_itself_a_tick_later() -> None:
    one = network("nir-euler", 1)
    shown = spikes(2, 30, 12, seed=1)
    found = Shown.of(one, shown)
    own = found.layers["a"].spikes
    assert own[:, :-1].any() and own[:, -1].any(), "the last spikes of a sample are in no other"
    rows = found.arriving("a")
    expected = []
    for sample in range(2):
        for tick in range(30):
            before = own[sample, tick - 1] if tick else np.zeros(10)
            row = np.concatenate([shown[sample, tick], before])
            if row.any():
                expected.append(row)
    np.testing.assert_array_equal(rows, expected)
    assert found.arriving("b").shape[1] == 10 + 12


def test_the_error_is_that_of_the_currents() -> None:
    one = network("nir-euler", 2)
    found = Shown.of(one, spikes(2, 30, 12, seed=1))
    error = found.current_error("b", 4)
    assert error is not None
    weights = np.concatenate([p.weights for p in one.into("b")])
    rounded = 0.2 * codes(weights, 0.2, 4)
    arriving = found.arriving("b")
    lost = arriving @ weights - arriving @ rounded
    np.testing.assert_allclose(error(0.2), np.sum(lost**2))
    silent = Shown.of(network("nir-euler", 2, bias=np.full(1, -1.0)), np.zeros((1, 3, 12)))
    assert silent.current_error("b", 4) is None
