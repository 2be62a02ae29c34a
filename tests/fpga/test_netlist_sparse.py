"""A chip with sparse synapses after synthesis for each family equals its RTL and golden."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import run
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_events, random_image, spiking

FAMILIES = {"ecp5": "LFE5U-25F", "ice40": "ICE40UP5K-SG48", "gowin": "GW2AR-18C"}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("groups", [4, 40])
def test_the_netlist_of_a_sparse_chip_equals_its_rtl_and_golden(
    family: str, groups: int, tmp_path: Path
) -> None:
    """Few groups, whose sums may be in distributed RAM or registers, and many, in block RAM."""
    core = CoreParams(
        n_axons=24,
        n_neurons=4 * groups,
        neuron=neuron_model("snntorch-subtract"),
        lanes=4,
        pipelines=2,
        parameters={"decay": "shared"},
        synapses="sparse",
        synapse_options={"entries": 60, "fan_in": 6},
    )
    chip = ChipParams((core,), 1, 1, 4)
    rng = np.random.default_rng(0)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        return chip, random_image(rng, chip), random_events(rng, chip)

    batches = [spiking(draw, spikes=5, outputs=1)[1:] for _ in range(3)]
    verilog = to_verilog(Chip(chip), "chip")
    device = device_named(FAMILIES[family])
    made_for = device.family
    report = synthesise(verilog, "chip", device, tmp_path)
    text = report.netlist_verilog.read_text()
    netlist = Design(text, made_for.cell_models, made_for.include_folders())
    cycles = []
    for design in (Design(verilog), netlist):
        with VerilatedChip(chip, design, optimise="build") as engine:
            for image, events in batches:
                engine.load(image)
                trace = engine.run(events, cycle_limit=10_000)
                assert trace.first_difference(run(chip, image, events)) is None
                cycles.append(trace.cycles.tolist())
    assert cycles[:3] == cycles[3:]
