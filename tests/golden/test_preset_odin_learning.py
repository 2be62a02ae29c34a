"""The preset ``odin`` with SDSP against what the published Verilog learned under Verilator.

``tests/fixtures/presets/make_odin_learning.py`` recorded it, over the chip's own ports.
"""

from pathlib import Path

import numpy as np

from spikelet.compiler.compile import compile_network
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "odin_learning.npz"


def sdsp(theta_mem: int, theta_1: int, theta_2: int, theta_3: int, leak: int) -> LearningRule:
    """Return SDSP as ODIN has it; a potential is compared after the leak of the tick."""
    up = f"x0*(v >= {theta_mem + leak})*(y1 >= {theta_1})*(y1 < {theta_3})"
    down = f"x0*(v < {theta_mem + leak})*(y1 >= {theta_1})*(y1 < {theta_2})"
    calcium = TraceParams(bits=3, increment=1, decay_shift=3)
    return LearningRule(f"dw = {up} - {down}", y1=calcium, w_min=0, w_max=7)


def test_a_spike_a_tick_teaches_as_in_the_published_verilog() -> None:
    """Every spike of 256 neurons in 160 ticks, and every weight and potential after the last."""
    with np.load(RECORDED) as file:
        found = {name: file[name] for name in file.files}
    axons = len(found["learned"])
    thetas = {name: int(found[name]) for name in found if name.startswith("theta_")}
    active = found["axons"][:, None] == np.arange(axons)
    network = PlasticNetwork("recorded", preset="odin")
    network.inputs("axons", axons)
    network.population("neurons", 256, threshold=found["threshold"], leak=found["leak"])
    rule = sdsp(**thetas, leak=int(found["leak_of_all"]))
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
