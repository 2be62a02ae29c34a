"""A network on the iCEBreaker from golden down to its bitstream, and a bit of a weight flipped."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.flipped_bits import outcomes, weight_bit
from spikelet.compiler.compile import compile_network
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.runs.self_test_run import stored_samples
from spikelet.samples.samples import Samples
from spikelet.targets import built_board
from tests.helpers.networks import SUBTRACT, chain, spikes

BOARD = "iCEBreaker"


@pytest.mark.slow
def test_every_level_is_equal_and_a_flipped_weight_is_found(tmp_path: Path) -> None:
    """One build: all levels equal; a bit of a weight flipped: register and LED differ."""
    samples = Samples(spikes(3, 5, 6), np.array([0, 1, 2]))
    network = chain([6, 8, 4], neuron=SUBTRACT, decay=np.array([0.75]))
    limits = PlacementLimits(max_axons=16, max_neurons=8, lanes=4)
    compiled = compile_network(network, limits=limits)
    project = Project(tmp_path)
    project.save(compiled)
    report = project.build(BOARD, samples)
    assert len(report.clocking.clocks) == 1
    assert "button" in [one.source for one in report.clocking.crossings]
    assert not report.clocking.unsynchronised
    assert not report.routed.unconstrained(report.clocking.clocks)

    verification = project.verify(samples, ("rtl",))
    proof = project.prove(samples, BOARD, "configuration", verification)
    names = ["rtl", "board", "netlist", "round trip", "configuration"]
    assert [level.name for level in proof.levels] == names
    assert proof.equal, [level.found for level in proof.levels]
    cycles = {level.cycles for level in proof.levels if level.cycles}
    assert len(cycles) == 1, "each level reaches the verdict in the same cycle"

    built, count = built_board(BOARD, compiled, tmp_path, samples)
    stored = stored_samples(compiled, samples, 0, count)
    weight = weight_bit(built, compiled, stored, tmp_path / "flipped")
    clean, flipped = outcomes(built, [weight])
    assert not clean.found
    assert flipped.belongs_to.startswith("contents of block RAM")
    assert "differs in cycle" in flipped.found
    assert "failed" in flipped.found
