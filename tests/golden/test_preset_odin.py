"""The preset ``odin`` against what the published Verilog did under Verilator.

``tests/fixtures/presets/make_odin.py`` recorded it, over the chip's own ports.
"""

from pathlib import Path

import numpy as np

from spikelet.compiler.compile import compile_network
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "odin.npz"


def test_a_spike_a_tick_is_as_in_the_published_verilog() -> None:
    """Every spike of 256 neurons in 250 ticks, and every potential after the last."""
    with np.load(RECORDED) as file:
        found = {name: file[name] for name in file.files}
    active = found["axons"][:, None] == np.arange(256)
    network = PlasticNetwork("recorded", preset="odin")
    network.inputs("axons", 256)
    network.population("neurons", 256, threshold=found["threshold"], leak=found["leak"])
    network.project("axons", "neurons", weights=found["weights"])
    network.output("neurons")
    got = run(compile_network(network), active[None], record=("spikes", "states"))
    spikes = np.zeros(active.shape, np.int64)
    np.add.at(spikes, tuple(found["spikes"].T), 1)
    assert np.array_equal(got.spikes("neurons")[0], spikes)
    assert np.array_equal(got.states("neurons")["v"][0, -1], found["potentials"])
    assert spikes.sum() > 2000 and (spikes.sum(axis=0) > 0).sum() > 100
    assert (got.states("neurons")["v"] == 0).any()
