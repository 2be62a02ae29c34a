"""Chips whose potentials have only the bits that they can need: the same in every tick."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikelet
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.like import compile_like
from spikelet.compiler.narrow import narrowed_bits
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.runs.run import run

AXONS, NEURONS = 12, 8


def network_of(
    neuron: str, weights: Any, rule: Any = None, source: Any = "axons", **parameters: Any
) -> spikelet.PlasticNetwork:
    network = spikelet.PlasticNetwork("one", seed=1)
    network.inputs("axons", AXONS)
    network.population("cells", NEURONS, neuron=neuron, **parameters)
    network.project("axons", "cells", weights=weights, rule=rule)
    network.output("cells")
    return network


def drawn(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(-8, 8, (AXONS, NEURONS)).astype(np.int16)


def inputs(weights: np.ndarray) -> np.ndarray:
    """Random spikes of several rates; and for each neuron all that raises it, or lowers it."""
    rng = np.random.default_rng(4)
    rates = np.array([0.1, 0.4, 0.9])[:, None, None]
    noise = rng.random((3, 60, AXONS)) < rates
    raising = np.repeat((weights > 0).T[:, None], 60, axis=1)
    lowering = np.repeat((weights < 0).T[:, None], 60, axis=1)
    turning = raising.copy()
    turning[:, 30:] = lowering[:, 30:]
    return np.concatenate([noise, raising, lowering, turning])


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "zero": ("snntorch-zero", {"threshold": 40, "decay": 3500}),
    "subtract": ("snntorch-subtract", {"threshold": 60, "decay": 2048}),
    "at once": ("snntorch-subtract-immediate", {"threshold": 40, "decay": 3000, "bias": 5}),
    "euler": ("nir-euler", {"threshold": 90, "decay": 3500}),
    "current": ("cuba-lif", {"threshold": 60, "decay": 3000, "decay_i": 2000}),
    "refractory": ("lif-refractory", {"threshold": 60, "decay": 3500}),
    "own decays": ("snntorch-zero", {"threshold": 40, "decay": np.linspace(0, 3600, 8, dtype=int)}),
}


@pytest.mark.parametrize("name", CASES)
def test_every_spike_and_potential_is_the_same(name: str) -> None:
    neuron, parameters = CASES[name]
    weights = drawn(len(name))
    network = network_of(neuron, weights, **parameters)
    wide = compile_network(network)
    narrow = compile_network(network, limits={"narrow": True})
    bits = narrow.chip.cores[0].potential_bits
    assert bits < wide.chip.cores[0].potential_bits == 16
    found, wanted = (
        run(compiled, inputs(weights), record=("spikes", "states")).recording
        for compiled in (narrow, wide)
    )
    assert found.first_difference(wanted) is None
    assert wanted.spikes is not None and wanted.spikes[0].any()


def test_the_width_is_the_least() -> None:
    """84 a tick, half of it kept: up to 168, which 8 bits do not hold, and 9 do."""
    network = network_of(
        "snntorch-zero", np.full((AXONS, NEURONS), 7, np.int16), threshold=200, decay=2048
    )
    narrow = compile_network(network, limits={"narrow": True})
    assert narrow.chip.cores[0].potential_bits == 9
    trace = run(narrow, np.ones((1, 40, AXONS), bool), record=("states",)).recording
    assert trace.states is not None
    assert int(trace.states[0]["v"].max()) == 168


def test_what_some_input_can_clamp_stays_as_it_is() -> None:
    weights = drawn(1)
    plain = {"threshold": 40, "decay": 3500}
    for network in (
        network_of("snntorch-zero", weights, threshold=40),  # without a leak
        network_of("tinyodin-lif", weights, threshold=40, leak=2),
        network_of("snntorch-zero", (0, 100), rule=pair_stdp(w_max=100), **plain),
    ):
        assert narrowed_bits(network.integers()) == {"cells": 16}
    for neuron in ("snntorch-zero", "nir-euler", "lif-ge"):
        large = network_of(neuron, weights, threshold=20000, decay=3500)
        assert narrowed_bits(large.integers()) == {"cells": 16}, "its threshold needs them"


def test_axons_without_a_weight_take_no_row() -> None:
    weights = drawn(1)
    weights[[2, 5, 11]] = 0
    network = network_of("snntorch-zero", weights, threshold=40, decay=3500)
    wide, narrow = (compile_network(network, limits={"narrow": n}) for n in (False, True))
    assert wide.chip.cores[0].n_axons == AXONS
    assert narrow.chip.cores[0].n_axons == AXONS - 3
    wanted, found = (run(c, inputs(weights), record=("spikes", "states")) for c in (wide, narrow))
    assert found.output_counts().any()
    assert (found.output_counts() == wanted.output_counts()).all()
    assert found.recording.states is not None
    assert wanted.recording.states is not None
    assert (found.recording.states[0]["v"] == wanted.recording.states[0]["v"]).all()


def test_narrow_is_kept_and_other_weights_must_fit(tmp_path: Path) -> None:
    parameters = {"threshold": 40, "decay": 2048}
    network = network_of("snntorch-zero", np.ones((AXONS, NEURONS), np.int16), **parameters)
    narrow = compile_network(network, limits={"narrow": True})
    narrow.save(tmp_path / "saved")
    again = CompiledNetwork.load(tmp_path / "saved")
    assert again.limits.narrow
    assert again.chip == narrow.chip
    assert "narrow" not in (tmp_path / "saved" / "chip.json").read_text().split('"limits"')[0]
    # Weights of 1 and -1 in one width, of which the latter need no more: 12 less bring -24.
    same = network_of("snntorch-zero", np.ones((AXONS, NEURONS), np.int16), **parameters)
    assert compile_like(same, narrow)[0].chip == narrow.chip
    wide = replace(narrow.network.projections[0], weights=np.full((AXONS, NEURONS), 7, np.int16))
    heavier = replace(narrow.network, projections=(wide,))
    with pytest.raises(SpikeletError, match="narrowed potential bits of layer 'cells': there 7, "):
        compile_like(heavier, narrow)


def test_narrow_is_a_truth_value() -> None:
    network = network_of("snntorch-zero", drawn(1), threshold=40)
    with pytest.raises(SpikeletError, match="limits: narrow must be true or false, not 1"):
        compile_network(network, limits={"narrow": 1})


@pytest.mark.slow
def test_the_rtl_of_a_narrow_chip_is_golden() -> None:
    weights = drawn(3)
    network = network_of("snntorch-subtract", weights, threshold=60, decay=2048)
    narrow = compile_network(network, limits={"narrow": True})
    record = ("spikes", "states")
    found = run(narrow, inputs(weights)[:6], engine="rtl", record=record).recording
    expected = run(narrow, inputs(weights)[:6], record=record).recording
    assert found.first_difference(expected) is None
