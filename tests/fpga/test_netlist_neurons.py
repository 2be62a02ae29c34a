"""Chips of neurons with more than one state after synthesis equal golden, bit for bit."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import run
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

DEVICES = ["LFE5U-85F", "ICE40UP5K-SG48", "GW2AR-18C"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("model", ["izhikevich", "cuba-lif"])
def test_the_netlist_equals_golden(model: str, name: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        chip = random_chip_of(rng, (random_core(rng, neuron_model(model)),))
        return chip, random_image(rng, chip), random_events(rng, chip)

    chip, image, events = spiking(draw)
    device = device_named(name)
    report = synthesise(to_verilog(whole_chip(chip), "chip"), "chip", device, tmp_path)
    text = report.netlist_verilog.read_text()
    netlist = Design(text, device.family.cell_models, device.family.include_folders())
    with VerilatedChip(chip, netlist, name=device.family.name, optimise="build") as engine:
        for _ in range(3):
            engine.load(image)
            difference = engine.run(events).first_difference(run(chip, image, events))
            assert difference is None, difference
            image, events = random_image(rng, chip), random_events(rng, chip)
