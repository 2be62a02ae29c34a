"""A chip of one small core of each preset: golden, RTL and the ECP5 netlist are the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.presets.preset import Preset
from spikelet.description.presets.presets import presets
from spikelet.description.run.events import Events
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import run
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip_of, random_events, random_image, spiking


def small(preset: Preset, options: bool) -> CoreParams:
    """Return a core of a preset with fewer axons, neurons and delays."""
    core = preset.core()
    kept = core.synapse_options if options else {}
    core = replace(core, n_axons=24, n_neurons=16, synapse_options=kept)
    return replace(core, lanes=4, delay_slots=4, list_entries=40)


def drawn(seed: int, *, options: bool = True) -> tuple[ChipParams, ChipImage, Events]:
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        chip = random_chip_of(rng, tuple(small(found, options) for found in presets().values()))
        return chip, random_image(rng, chip), random_events(rng, chip)

    return spiking(draw)


def test_numpy_and_c_are_the_same() -> None:
    for seed in range(3):
        chip, image, events = drawn(seed, options=False)  # C has no stochastic synapses
        found = [run(chip, image, events, backend=backend) for backend in ("numpy", "native")]
        assert found[0].first_difference(found[1]) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:golden runs on numpy")
def test_rtl_and_netlist_are_golden(tmp_path: Path) -> None:
    chip, image, events = drawn(1)
    text, device = to_verilog(whole_chip(chip), "chip"), device_named("LFE5U-85F")
    report = synthesise(text, "chip", device, tmp_path)
    family = device.family
    netlist = Design(
        report.netlist_verilog.read_text(), family.cell_models, family.include_folders()
    )
    for design, name in ((Design(text), "rtl"), (netlist, family.name)):
        with VerilatedChip(chip, design, name=name, optimise="build") as engine:
            engine.load(image)
            difference = engine.run(events).first_difference(run(chip, image, events))
            assert difference is None, (name, difference)
