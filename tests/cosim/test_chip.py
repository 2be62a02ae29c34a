# amaranth: UnusedElaboratable=no
"""Whole chips: one core, a mesh with a missing core, a ring, chips joined to one, random ones."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.rtl_gen.config_chain import ConfigNode
from spikelet.rtl_gen.joined_chips import whole_chip
from tests.cosim.support import Bench, cases
from tests.helpers.random_chips import random_chip, random_events, random_image, spiking

FIRST = CoreParams(
    n_axons=20,
    n_neurons=24,
    neuron=neuron_model("snntorch-subtract"),
    parameters={"decay": "shared"},
    lanes=8,
    pipelines=2,
    delay_slots=4,
    list_entries=40,
)
SECOND = replace(
    FIRST, n_axons=33, n_neurons=16, neuron=neuron_model("snntorch-zero"), lanes=16, delay_slots=8
)
THIRD = replace(
    FIRST,
    n_neurons=10,
    lanes=2,
    pipelines=1,
    list_entries=0,
    weight_bits=8,
    neuron=neuron_model("cuba-lif"),
    parameters={
        **{"decay": "shared", "decay_i": "neuron", "reset_potential": "shared", "bias": "shared"},
        "inhibition": "neuron",
    },
    first_tick=2,
)
TINY = CoreParams(
    n_axons=6,
    n_neurons=8,
    neuron=neuron_model("snntorch-subtract-immediate"),
    parameters={"decay": "shared"},
    lanes=4,
    list_entries=40,
    weight_bits=1,
    weight_format="binary",
)
CHIPS = {
    "one_core": ChipParams((FIRST,), n_outputs=9),
    "missing_core": ChipParams((FIRST, SECOND, THIRD), 2, 2, 12, multicast=True),
    "ring": ChipParams((TINY,) * 5, 5, 1, 3, topology="ring", fifo_depth=2),
    "joined": ChipParams((TINY,) * 4, 2, 2, 3, multicast=True, chip_columns=2, chip_rows=2),
}
SLOW_CHIPS = {
    "by_strobe": ChipParams((FIRST, SECOND), 2, 1, 9, tick_timer=False),
    "tree": ChipParams((TINY, FIRST, THIRD), 4, 1, 3, topology="tree", multicast=True),
    "torus": ChipParams((TINY,) * 5, 3, 2, 3, topology="torus", multicast=True, fifo_depth=2),
    "joined_two": ChipParams((TINY, FIRST), 2, 1, 3, chip_columns=2),
    "joined_missing": ChipParams((TINY,) * 13, 4, 4, 3, chip_columns=2, chip_rows=2),
}


def _bench(chip: ChipParams) -> Bench:
    parts = chip.chip_columns * chip.chip_rows
    chain_length = len(chip.cores) if parts == 1 else chip.width * chip.height // parts
    return Bench(
        whole_chip(chip),
        bench="chip",
        chip=chip,
        node_latency=ConfigNode.latency,
        chain_length=chain_length,
    )


def _drawn(seed: int, chip: ChipParams | None = None) -> tuple[ChipParams, ChipImage, Events]:
    """Return a chip of which the host gets so many spikes that it holds some of them up.

    The last sample has no events.
    """
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        drawn = chip or random_chip(rng)
        events = random_events(rng, drawn, samples=3, ticks=8)
        silent = np.full(events.ticks, events.offsets[-1])
        offsets = np.concatenate([events.offsets, silent])
        return drawn, random_image(rng, drawn), replace(events, samples=4, offsets=offsets)

    return spiking(draw, outputs=30)


def _run(bench: Bench, seed: int, folder) -> None:
    _, image, events = _drawn(seed, bench.parameters["chip"])
    bench.run(seed, folder, image=image, events=events)


@pytest.fixture(scope="module", params=cases(("missing_core", "ring"), **CHIPS))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a chip."""
    return _bench(request.param)


@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (2, 3))])
def test_chip(bench, seed, tmp_path):
    _run(bench, seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("chip", cases(**SLOW_CHIPS))
def test_further_chips(chip, tmp_path):
    bench = _bench(chip)
    for seed in (1, 2):
        _run(bench, seed, tmp_path / str(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_chip(seed, tmp_path):
    chip, image, events = _drawn(seed)
    _bench(chip).run(seed, tmp_path, image=image, events=events)
