"""The preset ``tinyodin`` against what the published Verilog did under Verilator.

``tests/fixtures/presets/make_tinyodin.py`` recorded it, over the chip's own ports.
"""

from pathlib import Path
from typing import Any

import numpy as np

from spikelet.compiler.compile import compile_network
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.runs.run_result import Run

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "tinyodin.npz"


def recorded(part: str) -> dict[str, Any]:
    """Return stimulus and answer of a part; spikes of shape (ticks, 256)."""
    with np.load(RECORDED) as file:
        found = {
            name.removeprefix(f"{part}_"): file[name]
            for name in file.files
            if name.startswith(part)
        }
    found["active"] = np.unpackbits(found["active"], axis=1)
    spikes = np.zeros(found["active"].shape, np.int64)
    np.add.at(spikes, tuple(found["spikes"].T), 1)
    return {**found, "spikes": spikes}


def network(found: dict[str, Any]) -> PlasticNetwork:
    """Return the recorded core as a network of the preset."""
    made = PlasticNetwork("recorded", preset="tinyodin")
    made.inputs("axons", 256)
    made.population("neurons", 256, threshold=found["threshold"], leak=found["leak"])
    made.project("axons", "neurons", weights=found["weights"])
    made.output("neurons")
    return made


def golden(found: dict[str, Any]) -> Run:
    compiled = compile_network(network(found))
    return run(compiled, found["active"][None], record=("spikes", "states"))


def test_a_spike_a_tick_is_as_in_the_published_verilog() -> None:
    """Every spike of 256 neurons in 400 ticks, and every potential after the last."""
    found = recorded("single")
    got = golden(found)
    assert np.array_equal(got.spikes("neurons")[0], found["spikes"])
    last = got.states("neurons")["v"][0, -1]
    assert np.array_equal(last, found["potentials"])
    assert found["spikes"].sum() > 4000 and (found["spikes"].sum(axis=0) > 0).sum() > 150
    assert last.min() == -2048, "the stimulus missed the lowest potential"


def test_several_spikes_a_tick_differ_as_the_preset_says() -> None:
    """Sums are compared once a tick: most spikes stay, none is more than one a tick."""
    found = recorded("several")
    got = golden(found).spikes("neurons")[0]
    there = np.minimum(found["spikes"], 1)
    both = (got & there.astype(got.dtype)).sum()
    assert 0.6 < both / there.sum() < 1
    assert got.max() == 1 and found["spikes"].max() > 1
