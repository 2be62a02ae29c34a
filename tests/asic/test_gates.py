"""Chips as gates of standard cells do what golden does, whatever the library."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.asic.chip_design import asic_design
from spikelet.asic.liberty import read_library
from spikelet.asic.synthesise import MODELS_SCRIPT, synthesise
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.yosys import run_yosys
from spikelet.golden.chip import GoldenChip
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run
from spikelet.runs.standard_cells import cells_design
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.model import Model
from tests.asic.library import GATES, library_text, write_library
from tests.helpers.networks import chain
from tests.helpers.random_chips import random_events
from tests.helpers.random_plastic import random_plastic_image, random_reward

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
    """With memories as macros, and random registers at power-on."""
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
    gates = synthesise(
        design.files, "chip", read_library(write_library(tmp_path)), tmp_path, period_ps=10_000
    )
    assert gates.cells.keys() <= {*GATES, "DFF"}
    assert gates.area > 0 and gates.delay_ps is not None and gates.delay_ps > 0
    with VerilatedChip(chip, cells_design(tmp_path), optimise="build", power_on_seed=7) as engine:
        engine.load(image)
        got = engine.run(events, record=RECORD, reward=reward, cycle_limit=20_000)
    assert got.first_difference(expected) is None


def test_models_of_cells_do_what_the_library_states(tmp_path: Path) -> None:
    """All that the models are made of, against functions written by hand."""
    (tmp_path / "cells.lib").write_text(library_text())
    run_yosys(MODELS_SCRIPT, tmp_path)
    gates = "".join(
        f"{name} u{place}({', '.join(f'.{pin}({pin})' for pin in inputs)}, .Y(Y[{place}]));"
        for place, (name, (_, inputs, _)) in enumerate(GATES.items())
    )
    top = (
        f"module top(input CK, A, B, C, output [{len(GATES) - 1}:0] Y, output Q);"
        f"{gates} DFF ff(.CK(CK), .D(A), .Q(Q)); endmodule"
    )
    with Model((tmp_path / "library.v").read_text() + top, "top", clock="CK") as model:
        for number in range(8):
            values = a, b, c = number >> 2, number >> 1 & 1, number & 1
            model["A"], model["B"], model["C"] = values
            wanted = [1 - a, 1 - a * b, (1 - a) * (1 - b), a, (1 - a * b) * (1 - c)]
            assert [model["Y"] >> place & 1 for place in range(5)] == wanted, values
            before = model["Q"]
            model["A"] = 1 - before
            assert model["Q"] == before
            model.step()
            assert model["Q"] == 1 - before


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
