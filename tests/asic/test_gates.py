"""Chips as gates of standard cells do what golden does, whatever the library."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.asic.chip_design import asic_design
from spikelet.asic.liberty import read_library
from spikelet.asic.synthesise import synthesise
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run
from spikelet.runs.standard_cells import cells_design
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.asic.library import GATES, MODELS, write_library
from tests.helpers.networks import chain
from tests.helpers.random_chips import random_events
from tests.helpers.random_plastic import random_plastic_image, random_reward

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
"""Of Debian's qflow-tech-osu018, which the test uses where it is installed."""

RULE = LearningRule(
    "dw = 2^-1*x1*y0 - x0", x1=TraceParams(increment=9, decay_shift=2, bits=5), w_max=7
)
RECORD = ("spikes", "states", "learning", "checksums")


def tiny_network() -> CompiledNetwork:
    """Return a network of one small core."""
    return compile_network(
        chain([4, 4], seed=0), limits=PlacementLimits(max_axons=4, max_neurons=4, lanes=4)
    )


@pytest.mark.slow
def test_gates_learn_what_golden_learns(tmp_path: Path) -> None:
    """With memories as macros, after two power-ons; a wrong cell is found."""
    core = CoreParams(
        n_axons=8,
        n_neurons=4,
        neuron=neuron_model("snntorch-zero-immediate"),
        lanes=2,
        parameters={"decay": "shared"},
        learning=RULE,
    )
    chip = ChipParams((core,), 1, 1, 4)
    rng = np.random.default_rng(3)
    image, events = random_plastic_image(rng, chip), random_events(rng, chip, ticks=16)
    contents = image.cores[0]
    contents.parameters["threshold"][:] = 12
    image = ChipImage((contents,))
    reward = random_reward(rng, chip, events.samples, events.ticks)
    expected = GoldenChip(chip, image).run(events, record=RECORD, reward=reward)
    assert expected.spikes is not None and expected.spikes[0].any()
    assert expected.learned is not None
    assert (expected.learned[0]["weights"][-1, -1] != image.cores[0].weights).any()

    design = asic_design(chip, smallest_macro_bits=32)
    assert design.macros
    files, libraries = design.files, [write_library(tmp_path)]
    if OSU018.exists():
        libraries.append(OSU018)
    for number, path in enumerate(libraries):
        folder = tmp_path / str(number)
        gates = synthesise(files, "chip", read_library(path), folder, period_ps=10_000)
        assert gates.area > 0 and gates.delay_ps is not None and gates.delay_ps > 0
        made = cells_design(folder)
        own = folder / "own.v"
        own.write_text(MODELS)
        designs = {"derived models": made}
        if not number:
            assert gates.cells.keys() <= {*GATES, "DFF"}
            designs["own models"] = Design(made.text, (own, made.models[1]))
        for name, found in designs.items():
            assert differs(chip, image, events, reward, found, expected) is None, name
    broken = MODELS.replace("assign Y = ~(A & B | C)", "assign Y = ~(A & B & C)")
    own.write_text(broken)
    assert differs(chip, image, events, reward, designs["own models"], expected)


def differs(chip, image, events, reward, design, expected) -> str | None:
    """Return the first difference of gates from golden."""
    try:
        with VerilatedChip(chip, design, optimise="build", power_on_seed=7) as engine:
            engine.load(image)
            got = engine.run(events, record=RECORD, reward=reward, cycle_limit=20_000)
    except SpikeletError as error:
        return str(error)
    return got.first_difference(expected)


def test_the_engine_needs_a_library(tmp_path: Path) -> None:
    spikes = np.ones((1, 2, 4), np.uint8)
    with pytest.raises(SpikeletError, match=r"^engine netlist-cells needs a library of standard"):
        run(tiny_network(), spikes, "netlist-cells", folder=tmp_path)
    with pytest.raises(SpikeletError, match=r"no\.lib cannot be read"):
        run(
            *(tiny_network(), spikes, "netlist-cells"),
            folder=tmp_path,
            liberty=tmp_path / "no.lib",
        )
