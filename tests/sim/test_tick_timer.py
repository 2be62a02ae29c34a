# amaranth: UnusedElaboratable=no
"""A chip whose ticks begin by strobes only, behind the driver, and golden."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import TIMER_REGISTERS
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip, random_events, random_image, spiking


def test_a_chip_without_the_timer_equals_golden_and_has_no_register_of_it() -> None:
    rng = np.random.default_rng(5)
    core = CoreParams(20, 24, neuron_model("snntorch-zero"), lanes=8, list_entries=40)
    chip = ChipParams((core,), n_outputs=9, tick_timer=False)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        image = random_image(rng, chip)
        return chip, image, random_events(rng, chip, samples=2, ticks=8)

    _, image, events = spiking(draw, outputs=1)
    expected = GoldenChip(chip, image).run(events)
    design = Design(to_verilog(Chip(chip), "chip"))
    with VerilatedChip(chip, design, optimise="build") as engine:
        engine.load(image)
        assert engine.run(events).first_difference(expected) is None
        assert engine.register("ticks") == 8
        for name in TIMER_REGISTERS:
            with pytest.raises(SpikeletError, match=f"(?s)no register {name!r}.*--tick-timer"):
                engine.register(name)


def test_the_timer_is_a_truth_value() -> None:
    chip = random_chip(np.random.default_rng(5))
    with pytest.raises(SpikeletError, match="chip: tick_timer must be a bool, not 0"):
        replace(chip, tick_timer=0)  # type: ignore[arg-type]
