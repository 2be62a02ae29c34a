"""The preset ``truenorth`` against what RANC's simulator did with two recurrent cores.

``tests/fixtures/presets/make_ranc.py`` recorded it. RANC has neither noise nor saturation: the leak
and thresholds are not stochastic, and ``saturate`` is 0.
"""

from pathlib import Path

import numpy as np

from spikelet.compiler.compile import compile_network
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "ranc.npz"


def test_two_recurrent_cores_are_as_in_ranc() -> None:
    """Every spike and potential of 64 neurons in 120 ticks."""
    with np.load(RECORDED) as file:
        given = {name: file[name].astype(np.int64) for name in file.files if name != "commit"}
    neurons, inputs = given["threshold"].shape[1], given["spikes"].shape[1]
    onto = np.stack(  # weights from each axon of a core
        [w[:, types].T * bits for w, types, bits in zip(*map(given.get, _OF_A_CORE), strict=True)]
    )
    network = PlasticNetwork("ranc", preset="truenorth")
    network.inputs("lines", inputs)
    for core in range(2):
        network.population(
            f"cells_{core}",
            neurons,
            threshold=given["threshold"][core],
            negative_threshold=-given["negative"][core],
            leak=given["leak"][core],
            reset_mode=given["reset_mode"][core],
            reset_potential=given["reset_potential"][core],
            saturate=0,
        )
        network.output(f"cells_{core}")
    network.project("lines", "cells_0", weights=onto[0, :inputs])
    for core in range(2):
        for target in range(2):
            there = given["target"][core] == target
            weights = onto[target, given["axon"][core]] * there[:, None]
            delay = int(given["delays"][core, target])
            network.project(f"cells_{core}", f"cells_{target}", weights=weights, delay=delay)
    compiled = compile_network(network)
    got = run(compiled, given["spikes"][None].astype(np.bool_), record=("spikes", "states"))
    for core in range(2):
        assert compiled.core(f"cells_{core}").synapses == "axon-types"
        name = f"cells_{core}"
        assert np.array_equal(got.spikes(name)[0], given["fired"][:, core])
        assert np.array_equal(got.states(name)["v"][0], given["potentials"][:, core])
    assert given["fired"].sum() > 1000 and (given["fired"].sum(axis=0) > 0).sum() > 30


_OF_A_CORE = ("weights", "types", "bits")
