"""Networks whose cores are asked to rest."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.runs.run import run
from tests.compiler.test_sparse_synapses import network_of


def test_cores_rest_where_limits_say_so(tmp_path: Path) -> None:
    network = network_of(1.0, (40, 24, 8))
    plain = compile_network(network)
    resting = compile_network(network, limits={"rest": True})
    assert {core.rests for core in plain.chip.cores} == {False}
    assert {core.rests for core in resting.chip.cores} == {True}
    resting.save(tmp_path / "saved")
    assert CompiledNetwork.load(tmp_path / "saved").limits.rest

    spikes = np.zeros((2, 300, 40), np.uint8)
    spikes[:, :4] = np.random.default_rng(3).random((2, 4, 40)) < 0.5
    wanted, found = (run(c, spikes, record=("spikes", "cycles")) for c in (plain, resting))
    assert found.output_counts().any()
    assert (found.output_counts() == wanted.output_counts()).all()
    long, short = wanted.recording.cycles[:, -1], found.recording.cycles[:, -1]
    assert (short < long / 2).all()


def test_rest_is_a_truth_value() -> None:
    with pytest.raises(SpikeletError, match="limits: rest must be true or false, not 1"):
        compile_network(network_of(1.0, (40, 24, 8)), limits={"rest": 1})
