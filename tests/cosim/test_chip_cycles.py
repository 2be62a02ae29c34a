# amaranth: UnusedElaboratable=no
"""Clock cycles of chips of several cores, with contention, and of cores that learn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.golden.chip import GoldenChip
from spikelet.golden.timing import tick_cycles
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import Drawn, random_core, random_events, random_image, spiking
from tests.helpers.random_plastic import (
    random_plastic_chip,
    random_plastic_image,
    random_reward,
)
from tests.helpers.random_sparse import made_sparse

MOST_OFF = 0.02
"""Share of a sample's cycles by which a prediction may be off."""


def alike_cores(rng: np.random.Generator, n_cores: int) -> tuple[CoreParams, ...]:
    """Return cores of one shape, so that none outlasts the traffic; a third have sparse synapses.

    They have many lanes and long lists, so they all send much at once.
    """
    core = replace(
        random_core(rng, graded=False),
        n_axons=40,
        n_neurons=64,
        lanes=32,
        pipelines=16,
        list_entries=128,
        weight_bits=4,
        weight_format="signed",
        transmission=False,
    )
    sparse = made_sparse(rng, core)
    return tuple(sparse if number % 3 == 2 else core for number in range(n_cores))


def check(seed: int, n_cores: int, *, widest: int = 0, **structure: Any) -> None:
    """Compare a random chip of this structure: samples within 2 %, here every tick exactly.

    Seeds are such that it matters whose turn it is in the routers, and what events left of it.
    ``widest`` is how many axons the second core has, if not as many as the others.
    """
    rng = np.random.default_rng(seed)

    def drawn() -> Drawn:
        cores = list(alike_cores(rng, n_cores))
        if widest:
            cores[1] = replace(cores[1], n_axons=widest)
        chip = ChipParams(tuple(cores), n_outputs=8, **structure)
        return chip, random_image(rng, chip), random_events(rng, chip, samples=3, ticks=30)

    chip, image, events = spiking(drawn, spikes=500)
    golden = GoldenChip(chip, image)
    predicted = golden.run(events, record=("spikes", "cycles"))
    verilog = to_verilog(whole_chip(chip), "chip")
    with VerilatedChip(chip, Design(verilog), optimise="build") as rtl:
        rtl.load(image)
        found = rtl.run(events)
    assert found.first_difference(predicted) is None
    assert predicted.cycles is not None and found.cycles is not None
    off = predicted.cycles.sum(axis=1) / found.cycles.sum(axis=1) - 1
    assert np.abs(off).max() <= MOST_OFF
    assert (predicted.cycles == found.cycles).all()
    counted = golden.counted
    assert counted is not None
    assert (counted.cycles == found.cycles).all()
    behind = counted.waiting.min(axis=2) - 2 * chip.barrier_latency
    assert (behind >= 0).all()
    assert (behind > 0).any()  # spikes are still on their way when all cores have done
    assert (counted.emission > 0).any()


def test_cycles_of_a_mesh_with_multicast_are_those_of_the_rtl() -> None:
    check(9, 3, width=2, height=2, multicast=True, fifo_depth=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 6, 7])
def test_cycles_of_learning_cores_are_within_2_percent(seed: int) -> None:
    """A rule with a sweep and a post phase in SPRAM, a sweep alone, and one with all phases."""
    rng = np.random.default_rng(seed)
    rewards = []

    def drawn() -> Drawn:
        chip = random_plastic_chip(rng, most_cores=1)
        image = random_plastic_image(rng, chip)
        events = random_events(rng, chip, samples=3, ticks=30)
        rewards.append(random_reward(rng, chip, 3, 30))
        return chip, image, events

    chip, image, events = spiking(drawn, spikes=60)
    reward = rewards[-1]
    predicted = GoldenChip(chip, image).run(events, record=("spikes", "cycles"), reward=reward)
    idle = tick_cycles(chip, predicted.active_axons)
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        found = rtl.run(events, reward=reward)
    assert found.first_difference(predicted) is None
    assert predicted.cycles is not None and found.cycles is not None
    assert abs(predicted.cycles.sum() / found.cycles.sum() - 1) <= MOST_OFF
    assert abs(idle.sum() / found.cycles.sum() - 1) > 5 * MOST_OFF  # learning is much of it


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "n_cores", "structure"),
    [
        (2, 5, {"width": 3, "height": 3, "topology": "torus", "fifo_depth": 2}),
        (3, 4, {"width": 4, "chip_columns": 2, "topology": "line", "multicast": True}),
        (11, 4, {"width": 4, "topology": "tree", "fifo_depth": 2}),
        # spikes wait for the scan of a core of many axons
        (7, 2, {"width": 2, "fifo_depth": 2, "widest": 400}),
    ],
)
def test_cycles_are_those_of_the_rtl_whatever_the_network(
    seed: int, n_cores: int, structure: dict[str, Any]
) -> None:
    check(seed, n_cores, **structure)
