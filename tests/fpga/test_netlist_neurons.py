"""Chips of neurons with more than one state after synthesis equal golden, bit for bit."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.devices import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import run
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.netlist import netlist_includes, netlist_sources
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip_of, random_core, random_events, random_image

FAMILIES = {"ecp5": "LFE5U-85F", "ice40": "ICE40UP5K-SG48"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("model", ["izhikevich", "cuba-lif"])
def test_the_netlist_equals_golden(model: str, family: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    chip = random_chip_of(rng, (random_core(rng, neuron_model(model)),))
    report = synthesise(
        to_verilog(whole_chip(chip), "chip"), "chip", device_named(FAMILIES[family]), tmp_path
    )
    text = report.netlist_verilog.read_text()
    netlist = Design(text, netlist_sources(family), netlist_includes())
    spikes = 0
    with VerilatedChip(chip, netlist, name=family, optimise="build") as engine:
        for _ in range(3):
            image, events = random_image(rng, chip), random_events(rng, chip)
            expected = run(chip, image, events)
            engine.load(image)
            difference = engine.run(events).first_difference(expected)
            assert difference is None, difference
            assert expected.spikes is not None
            spikes += sum(int(fired.sum()) for fired in expected.spikes)
    assert spikes > 0
