"""A plastic chip after synthesis learns what its RTL and the golden model learn, bit for bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.pieces import check_in_pieces
from tests.helpers.random_chips import random_events
from tests.helpers.random_plastic import random_plastic_image, random_reward

TARGETS = {
    "ecp5": ("LFE5U-25F", "block"),
    "ice40": ("ICE40UP5K-SG48", "spram"),
    "gowin": ("GW2AR-18C", "block"),
}

RULE = LearningRule(
    "dw = 2^-2*x1*y0 - 2^-3*x0*y1 + 2^-1*r*t",
    "dt = x1*y0 - x0*y1 - 2^-1*u1*t",
    x1=TraceParams(increment=9, decay=3300, bits=5),
    y1=TraceParams(increment=9, decay_shift=2, bits=5, mode="set"),
    w_max=7,
    rounding="stochastic",
    tag_bits=5,
    reward_bits=4,
)
RECORD = ("spikes", "states", "learning", "checksums")


@pytest.mark.slow
@pytest.mark.parametrize("family", TARGETS)
def test_the_netlist_learns_what_golden_learns(family: str, tmp_path: Path) -> None:
    device, memory = TARGETS[family]
    core = CoreParams(
        n_axons=16,
        n_neurons=8,
        neuron=neuron_model("snntorch-zero-immediate"),
        lanes=4,
        weight_memory=memory,
        parameters={
            **{"decay": "shared", "inhibition": "shared"},
            **Adaptation(increment=40, decay_shift=3, fraction_bits=2, bits=10).constants,
        },
        learning=RULE,
    )
    chip = ChipParams((core,), 1, 1, 4)
    rng = np.random.default_rng(3)
    contents = random_plastic_image(rng, chip).cores[0]
    active = {"threshold": np.array([12], np.int32), "inhibition": np.array([5], np.int32)}
    contents = replace(  # so that neurons fire, but not in every tick
        contents,
        parameters={**contents.parameters, **active},
        states={"adaptation": np.zeros(core.n_neurons, np.int32)},
    )
    image, events = ChipImage((contents,)), random_events(rng, chip, ticks=24)
    reward = random_reward(rng, chip, events.samples, events.ticks)
    expected = GoldenChip(chip, image).run(events, record=RECORD, reward=reward)
    assert expected.spikes is not None and expected.spikes[0].any()
    assert expected.learned is not None
    assert (expected.learned[0]["weights"][-1, -1] != image.cores[0].weights).any()

    verilog = to_verilog(Chip(chip), "chip")
    made_for = device_named(device).family
    report = synthesise(verilog, "chip", device_named(device), tmp_path)
    text = report.netlist_verilog.read_text()
    netlist = Design(text, made_for.cell_models, made_for.include_folders())
    cycles = []
    for name, design in {"rtl": Design(verilog), family: netlist}.items():
        with VerilatedChip(chip, design, name=name, optimise="build") as engine:
            engine.load(image)
            trace = engine.run(events, record=RECORD, reward=reward, cycle_limit=10_000)
            difference = trace.first_difference(expected)
            assert difference is None, f"{name}: {difference}"
            cycles.append(trace.cycles.tolist())
            assert check_in_pieces(engine, GoldenChip(chip, image), 1)
    assert cycles[0] == cycles[1]
