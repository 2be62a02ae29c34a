"""Recurrent layers on the chip: golden and RTL against the quantised network in plain integers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet import RULES, PlasticNetwork, write_nir
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.neurons.model import NeuronModel
from spikelet.golden import chip as golden_chip
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import INPUT, Network, Projection
from spikelet.network.quantise import quantise
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.networks import LIF_MODELS, RESETS, SUBTRACT, branched, population, spikes


def run_integers(quantised: IntegerNetwork, samples: Any) -> dict[str, tuple[Any, Any]]:
    """Return spikes and potentials of each population, without delays: the tests' own network.

    A population is fed the spikes of this tick by others, and by itself those of the tick before.
    """
    zeros = {p.name: np.zeros((len(samples), p.size), int) for p in quantised.populations}
    v, sent, record = dict(zeros), dict(zeros), []
    for tick in range(samples.shape[1]):
        sent[INPUT] = samples[:, tick].astype(int)
        for p in quantised.populations:
            # its own spikes are still those of the tick before
            into = [q for q in quantised.projections if q.target == p.name]
            limit, one = 1 << (p.potential_bits - 1), p.neuron.parameter("decay").one
            current = sum(sent[q.source] @ q.weights.astype(int) for q in into)
            how, threshold = RESETS[p.neuron.name], p.parameters["threshold"]
            pending = sent[p.name] if how.delayed else v[p.name] > threshold
            pending = pending * (how.delayed or how.residual)
            reset = p.parameters.get("reset_potential", 0)
            base = v[p.name] if how.kind == "subtract" else np.where(pending, reset, v[p.name])
            leaked = (base * p.parameters.get("decay", one) + one // 2) // one
            summed = leaked + current * 2**p.weight_exponent + p.parameters.get("bias", 0)
            taken = pending * threshold if how.kind == "subtract" else 0
            v[p.name] = np.clip(summed - taken, -limit, limit - 1)
            sent[p.name] = (v[p.name] > threshold).astype(int)
            if not how.delayed and how.kind == "subtract":
                back = v[p.name] + taken - sent[p.name] * threshold
                v[p.name] = np.clip(back, -limit, limit - 1)
            elif not how.delayed:
                v[p.name] = np.where(sent[p.name], reset, v[p.name])
        record.append({p.name: (sent[p.name], v[p.name]) for p in quantised.populations})
    return {
        name: tuple(np.stack([tick[name][i] for tick in record], axis=1) for i in (0, 1))
        for name in zeros
    }


def assert_equal(compiled: CompiledNetwork, trace: Any, expected: Any) -> None:
    for layer in compiled.layers:
        found = (
            Run(compiled, trace).spikes(layer.name),
            Run(compiled, trace).states(layer.name)["v"],
        )
        for values, wanted in zip(found, expected[layer.name], strict=True):
            np.testing.assert_array_equal(values, wanted)
    outputs = np.concatenate([expected[name][0] for name in compiled.network.outputs], axis=2)
    np.testing.assert_array_equal(trace.outputs[:, compiled.output_latency :], outputs)


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("neuron", LIF_MODELS.values(), ids=lambda p: p.name)
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 1000),
    max_neurons=st.sampled_from([3, 6, 256]),
    recurrent=st.sets(st.sampled_from(["a", "b", "c", "out"]), min_size=1),
    leaky=st.booleans(),
    bits=st.sampled_from([1, 4]),
    multicast=st.sampled_from([None, False]),
)
def test_golden_is_the_quantised_network(
    backend: str,
    neuron: NeuronModel,
    seed: int,
    max_neurons: int,
    recurrent: set[str],
    leaky: bool,
    bits: int,
    multicast: bool | None,
) -> None:
    """Recurrent layers at any depth, beside skip connections, on one core each or on several."""
    decay = 1 - np.random.default_rng(seed).random(1) / 2 if leaky else None
    network = branched(neuron=neuron, seed=seed, bias=0.3, recurrent=sorted(recurrent), decay=decay)
    fired = spikes(2, 12, 7, rate=0.4, seed=seed)
    compiled = compile_network(
        network,
        weight_bits=bits,
        limits=PlacementLimits(max_neurons=max_neurons, lanes=1),
        multicast=multicast,
        placement_seed=seed,
    )
    trace = golden_chip.run(
        compiled.chip,
        compiled.image,
        compiled.events(fired),
        neurons=compiled.neurons,
        backend=backend,
    )
    expected = run_integers(quantise(network, bits), fired)
    assert_equal(compiled, trace, expected)
    assert any(expected[name][0][:, :-1].any() for name in recurrent)


def test_rtl_equals_golden() -> None:
    """A recurrent layer at depth 1, on two cores that feed each other, beside skip connections."""
    rng = np.random.default_rng(5)
    sizes = {INPUT: 6, "first": 4, "again": 8, "out": 3}
    pairs = [
        (INPUT, "first"),
        ("first", "again"),
        (INPUT, "again"),
        ("again", "again"),
        ("again", "out"),
        ("first", "out"),
        ("out", "out"),
    ]
    network = Network(
        "recurrent",
        6,
        None,
        tuple(
            population(n, sizes[n], SUBTRACT, decay=np.array([0.9]))
            for n in ("first", "again", "out")
        ),
        tuple(Projection(a, b, rng.normal(0.1, 0.5, (sizes[a], sizes[b]))) for a, b in pairs),
        ("out",),
    )
    fired = spikes(3, 20, 6, rate=0.5, seed=5)
    quantised = quantise(network)
    expected = run_integers(quantised, fired)
    forward = tuple(p for p in quantised.projections if p.source != p.target)
    without = run_integers(replace(quantised, projections=forward), fired)
    for name in ("again", "out"):
        assert (without[name][0] != expected[name][0]).any()  # what comes back matters
    compiled = compile_network(network, limits=PlacementLimits(max_neurons=4, lanes=4))
    assert [len(layer.slices) for layer in compiled.layers] == [1, 2, 1]
    assert_equal(compiled, run(compiled, fired, record=("spikes", "states")).recording, expected)
    verilog = to_verilog(Chip(compiled.chip), "chip")
    with VerilatedChip(compiled.chip, Design(verilog), optimise="build") as chip:
        chip.load(compiled.image)
        trace = chip.run(compiled.events(fired), neurons=compiled.neurons)
    assert_equal(compiled, trace, expected)
    assert (
        trace.first_difference(run(compiled, fired, record=("spikes", "states")).recording) is None
    )


@pytest.mark.parametrize("neuron", ["snntorch-subtract", "snntorch-zero-immediate"])
def test_a_learned_network_with_lateral_inhibition_comes_back_from_its_file(
    neuron: str, tmp_path: Path
) -> None:
    """Built for the chip by other code, exported, and imported again as a recurrent layer."""
    network = PlasticNetwork("lateral", dt=1e-3, seed=2)
    network.inputs("pixels", (3, 4))
    network.population("first", 6, threshold=96, neuron=neuron)
    network.population("second", 3, threshold=24, neuron=neuron)
    rule = RULES["pair_stdp"](a_plus=0.02, a_minus=0.02, w_max=60)
    network.project("pixels", "first", weights=(10, 40), rule=rule)
    network.project("first", "second", weights=(5, 15))
    network.winner_take_all("first", 17)
    network.output("second")
    plastic = compile_network(network, limits=PlacementLimits(lanes=2))
    fired = spikes(5, 30, 12, rate=0.15)
    learned = run(plastic, fired.astype(bool))
    still = run(plastic, fired.astype(bool), learning=False, start=learned.state)
    write_nir(learned.network, tmp_path / "out.nir")
    assert len(np.unique(learned.weights("pixels", "first"))) > 10  # so their unit is an LSB
    compiled = compile_network(
        tmp_path / "out.nir",
        neuron,
        weight_bits=8,
        potential_bits=20,
        limits=PlacementLimits(max_neurons=2, lanes=2),
    )
    assert compiled.network.floats.recurrent("first") is not None
    trace = run(compiled, fired, record=("spikes", "states")).recording
    for depth, name in enumerate(("first", "second")):
        expected = still.spikes(name)[:, depth:]  # on the chip each layer runs a tick later
        assert 0.1 < expected.mean() < 0.9
        np.testing.assert_array_equal(Run(compiled, trace).spikes(name)[:, : 30 - depth], expected)
