"""Random chips, networks and inputs: golden, numpy and compiled, and RTL must be equal."""

import numpy as np
import pytest

from golden.chip import GoldenChip
from rtl_gen.chip import Chip
from rtl_gen.emit import to_verilog
from sim.engine import CompiledChip
from sim.verilator import Design
from tests.helpers.random_chips import random_chip, random_events, random_image

CHIPS = 40
NETWORKS = 5
"""For each chip; 200 configurations in all, on as many chips as the C++ compiler has time for."""


@pytest.mark.parametrize("seed", range(CHIPS))
def test_random_chip(seed):
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    spikes = 0
    with CompiledChip(chip, Design(to_verilog(Chip(chip), "chip")), optimise="build") as rtl:
        for network in range(NETWORKS):
            image, events = random_image(rng, chip), random_events(rng, chip)
            expected = GoldenChip(chip, image, backend="numpy").run(events)
            compiled = GoldenChip(chip, image, backend="compiled").run(events)
            rtl.load(image)
            got = rtl.run(events)
            for trace in (compiled, got):
                difference = trace.first_difference(expected)
                assert difference is None, f"seed {seed}, network {network}: {difference}"
            assert set(got.compared(expected)) >= {"spikes", "potentials", "outputs"}
            spikes += sum(int(core.sum()) for core in expected.spikes)
    assert spikes > 0, f"seed {seed}: nobody fired"
