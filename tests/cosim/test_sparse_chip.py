# amaranth: UnusedElaboratable=no
"""A chip with sparse synapses equals the same network with dense weights; its clock cycles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.run.events import Events
from spikelet.golden import chip as golden_chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import (
    random_chip_of,
    random_core,
    random_events,
    random_image,
    spiking,
)
from tests.helpers.random_sparse import sparse_core

ACTIVITIES = (0.0, 0.02, 0.1, 0.3, 0.7, 1.0)


def lowered(chip: ChipParams, image: ChipImage) -> tuple[ChipParams, ChipImage]:
    """Return a chip and its contents with dense weights."""
    cores = tuple(replace(core, synapses="dense", synapse_options={}) for core in chip.cores)
    contents = (
        replace(part, weights=core.synapse_format.matrix(core, part.weights))
        for core, part in zip(chip.cores, image.cores, strict=True)
    )
    return replace(chip, cores=cores), ChipImage(tuple(contents))


@pytest.mark.parametrize("seed", [pytest.param(n, marks=pytest.mark.slow) for n in range(8)])
def test_random_chips_equal_those_with_dense_weights(seed: int, tmp_path: Path) -> None:
    """Sparse cores of any shape beside a dense one, joined and routed in any way."""
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        cores = (sparse_core(rng), sparse_core(rng), random_core(rng))
        chip = random_chip_of(rng, cores)
        return chip, random_image(rng, chip), random_events(rng, chip, ticks=30)

    chip, image, events = spiking(draw, spikes=20)
    expected = golden_chip.run(*lowered(chip, image), events, backend="numpy")
    for backend in ("numpy", "native"):
        found = golden_chip.run(chip, image, events, backend=backend)
        assert found.first_difference(expected) is None
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        assert rtl.run(events).first_difference(expected) is None
        snapshot = rtl.snapshot()
        snapshot.save(tmp_path / "state.npz")
        rtl.run(events, record=())
        rtl.restore(ChipState.load(tmp_path / "state.npz"))
        golden = golden_chip.GoldenChip(chip, image)
        golden.restore(snapshot)
        again = [engine.run(events, clear=False) for engine in (rtl, golden)]
        assert again[0].first_difference(again[1]) is None
        other = random_image(rng, chip)  # as after training again: other rows, the same structure
        rtl.load(other)
        assert rtl.run(events).first_difference(golden_chip.run(chip, other, events)) is None


def test_what_a_core_takes_without_its_axons_is_off_by_so_much() -> None:
    """The mean over random rows, all of them in use."""
    rng = np.random.default_rng(4)
    matrix = ((rng.random((400, 64)) < 0.1) * 7).astype(np.int16)
    core = CoreParams(400, 64, random_core(rng).neuron, lanes=8, parameters={})
    sparse = replace(core, synapses="sparse", synapse_options={"entries": 1, "fan_in": 1})
    options = sparse.synapse_format.options_of(8, matrix)
    sparse = replace(sparse, synapse_options=options)
    entries = sparse.synapse_format.stored(sparse, matrix, "core")
    for activity in ACTIVITIES[1:]:
        active = rng.random((100, 400)) < activity
        exact = sparse.synapse_format.exact_cycles(sparse, active, entries).mean()
        number = active.sum(axis=1).astype(np.float64)
        empty = sparse.scan_words * (1 - 1 / sparse.scan_words) ** number
        assert abs(sparse.synapse_format.cycles(sparse, number, empty).mean() / exact - 1) < 0.08
