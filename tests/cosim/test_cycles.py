# amaranth: UnusedElaboratable=no
"""Clock cycles of a tick, counted by golden from the active axons: those of the RTL, exactly."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.run.events import Events
from spikelet.golden import chip as golden_chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_core, random_image, spiking
from tests.helpers.random_convolutions import convolution_core, random_convolution
from tests.helpers.random_sparse import sparse_core
from tests.helpers.random_types import typed_core

DENSITIES = (0.0, 0.02, 0.1, 0.3, 0.7, 1.0)


def shared_core(rng: np.random.Generator) -> CoreParams:
    return convolution_core(rng, random_convolution(rng))


def gather_core(rng: np.random.Generator) -> CoreParams:
    return convolution_core(rng, random_convolution(rng), "gather")


def wide_sparse_core(rng: np.random.Generator) -> CoreParams:
    """Return a core with many words of axons, of which some are empty while entries are read."""
    return replace(
        CoreParams(500, 32, sparse_core(rng).neuron, lanes=2),
        synapses="sparse",
        synapse_options={"entries": 2000, "fan_in": 120},
    )


def scaled_core(rng: np.random.Generator) -> CoreParams:
    """Return a core whose axons have short-term plasticity, and can fail."""
    core = replace(random_core(rng), spike_bits=1, transmission=True)
    return replace(core, short_term=ShortTermPlasticity(20000, 60000, 30000))


def check(draw: Callable[[np.random.Generator], CoreParams], rng: np.random.Generator) -> None:
    """Compare a chip of one core, whose neurons are not updated in its first ticks."""

    def drawn() -> tuple[ChipParams, ChipImage, Events]:
        core = replace(draw(rng), first_tick=10, spike_bits=1)
        chip = ChipParams((core,), n_outputs=4)
        spikes = rng.random((len(DENSITIES), 20, core.n_axons)) < np.array(DENSITIES)[:, None, None]
        routes = [(axon, 0, axon, 0) for axon in range(core.n_axons)]
        return chip, random_image(rng, chip), Events.from_spikes(spikes, routes)

    chip, image, events = spiking(drawn)
    record = ("spikes", "states", "cycles")
    golden, native = (
        golden_chip.run(chip, image, events, record=record, backend=backend)
        for backend in ("numpy", "native")
    )
    assert golden.cycles is not None and golden.spikes is not None
    assert (golden.cycles == native.cycles).all()
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        found = rtl.run(events)
    assert found.first_difference(golden) is None
    quiet = ~golden.spikes[0].any(axis=2)
    assert (quiet & (golden.active_axons[..., 0] > 0)).any()
    assert (~quiet).any()
    assert (found.cycles == golden.cycles).all()


@pytest.mark.parametrize(
    ("draw", "seed"),
    [
        *((random_core, 0), (random_core, 2), (shared_core, 3), (gather_core, 2), (gather_core, 4)),
        *(
            (sparse_core, 1),
            (wide_sparse_core, 0),
            (typed_core, 1),
            (scaled_core, 2),
            pytest.param(scaled_core, 5, marks=pytest.mark.slow),
        ),
    ],
)
def test_cycles_are_those_of_the_rtl(
    draw: Callable[[np.random.Generator], CoreParams], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    check(draw, rng)


@pytest.mark.slow
@pytest.mark.parametrize("draw", [random_core, shared_core, gather_core, sparse_core])
@pytest.mark.parametrize("seed", range(6, 12))
def test_cycles_are_those_of_the_rtl_whatever_the_core(
    draw: Callable[[np.random.Generator], CoreParams], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    check(draw, rng)
