"""The preset ``odin`` with SDSP against what the published Verilog learned under Verilator.

``tests/fixtures/presets/make_odin_learning.py`` recorded it, over the chip's own ports.
"""

from pathlib import Path

import numpy as np

from spikelet.compiler.compile import compile_network
from spikelet.description.learning.rule import LearningRule
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "odin_learning.npz"


OF_A_NEURON = ("threshold", "leak", "theta_mem", "theta_1", "theta_2", "theta_3", "calcium_leak")


def test_a_spike_a_tick_teaches_as_in_the_published_verilog() -> None:
    """Every spike of 256 neurons in 160 ticks, and every weight and potential after the last."""
    with np.load(RECORDED) as file:
        found = {name: file[name] for name in file.files}
    axons = len(found["learned"])
    own = {name: found[name] for name in OF_A_NEURON}
    active = found["axons"][:, None] == np.arange(axons)
    network = PlasticNetwork("recorded", preset="odin")
    network.inputs("axons", axons)
    network.population("neurons", 256, neuron="odin-sdsp", **own)
    rule = LearningRule("dw = x0*e", error_bits=2, w_min=0, w_max=7)
    network.project("axons", "neurons", weights=found["weights"][:axons], rule=rule)
    network.output("neurons")
    got = run(compile_network(network), active[None], record=("spikes", "states"))
    spikes = np.zeros((len(active), 256), np.int64)
    np.add.at(spikes, tuple(found["spikes"].T), 1)
    assert np.array_equal(got.spikes("neurons")[0], spikes)
    assert np.array_equal(got.states("neurons")["v"][0, -1], found["potentials"])
    assert np.array_equal(got.weights("axons", "neurons"), found["learned"])
    changes = found["learned"] - found["weights"][:axons].astype(np.int64)
    assert (changes > 0).sum() > 100 and (changes < 0).sum() > 100
