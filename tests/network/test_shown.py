"""What calibration samples show: what projections carry, tick by tick."""

import numpy as np

from spikelet.network.shown import Shown
from tests.helpers.networks import spikes
from tests.network.test_normalise import network


def test_arrivals_of_a_layer_and_of_itself_a_tick_later() -> None:
    one = network("nir-euler", 1)
    shown = spikes(2, 30, 12, seed=1)
    found = Shown.of(one, shown)
    own = found.layers["a"].spikes
    assert own[:, :-1].any() and own[:, -1].any(), "the last spikes of a sample are in no other"
    ticks = found.busy(one.into("a"), 100)
    rows = np.concatenate([found.arriving(p, ticks) for p in one.into("a")], axis=1)
    expected = []
    for sample in range(2):
        for tick in range(30):
            before = own[sample, tick - 1] if tick else np.zeros(10)
            row = np.concatenate([shown[sample, tick], before])
            if row.any():
                expected.append(row)
    np.testing.assert_array_equal(rows, expected)
    few = found.busy(one.into("a"), 7)
    assert 4 <= len(few) <= 7 and np.ptp(few) > 30 and set(few) <= set(ticks)
