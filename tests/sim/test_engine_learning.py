"""Learning switched for one core of two, on golden and on the simulated RTL."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

RULE = LearningRule("dw = x1*y0", x1=TraceParams(increment=3, decay=2048), w_max=100)
PLASTIC = CoreParams(
    8,
    4,
    neuron_model("snntorch-zero"),
    weight_bits=8,
    lanes=4,
    potential_bits=12,
    parameters={"decay": "shared"},
    learning=RULE,
)
FIXED = replace(PLASTIC, learning=None)
CHIP = ChipParams((PLASTIC, FIXED, PLASTIC), 3, 1)


def image() -> ChipImage:
    """Return weights with which every neuron fires for every spike."""
    return ChipImage(
        tuple(
            CoreImage(
                np.full((8, 4), 10, np.int16),
                joined(),
                {"threshold": np.array([5], np.int32), "decay": np.array([0], np.int32)},
                plastic=np.ones(8 if core.learning else 0, np.bool_),
            )
            for core in CHIP.cores
        )
    )


@pytest.fixture(scope="module")
def rtl():
    """Compile the chip."""
    design = Design(to_verilog(Chip(CHIP), "chip"))
    with VerilatedChip(CHIP, design, optimise="build") as engine:
        yield engine


@pytest.fixture(params=["golden", "rtl"])
def engine(request: pytest.FixtureRequest) -> GoldenChip | VerilatedChip:
    """Return a chip with the image."""
    if request.param == "golden":
        return GoldenChip(CHIP, image())
    compiled = request.getfixturevalue("rtl")
    compiled.load(image())
    return compiled


def learned(engine: GoldenChip | VerilatedChip) -> list[bool]:
    """Run some spikes to all cores; return in which the weights have changed."""
    spikes = np.ones((1, 3, 3), np.uint8)
    routes = [(core, core, 1, 0) for core in range(3)]
    before = [core.weights.copy() for core in engine.snapshot().image.cores]
    engine.run(Events.from_spikes(spikes, routes))
    after = [core.weights for core in engine.snapshot().image.cores]
    return [bool((b != a).any()) for b, a in zip(before, after, strict=True)]


def test_one_core_is_switched(engine):
    assert learned(engine) == [True, False, True]
    engine.learn(False, 2)
    assert learned(engine) == [True, False, False]
    engine.learn(False)
    assert learned(engine) == [False, False, False]
    engine.learn(True, 2)
    assert learned(engine) == [False, False, True]
    assert [core.learning for core in engine.snapshot().image.cores[::2]] == [False, True]


@pytest.mark.parametrize("core", [1, 3, -1])
def test_a_core_without_an_engine_cannot_learn(engine, core):
    message = rf"^learn: core {core} is not plastic; plastic cores are 0, 2$"
    with pytest.raises(SpikeletError, match=message):
        engine.learn(True, core)
