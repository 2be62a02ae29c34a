"""Neurons in units of their own, on the chip: the same spikes, and potentials in the old units."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.network.builder import PlasticNetwork
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from spikelet.runs.run import run
from tests.helpers.networks import LIF_MODELS, branched, spikes
from tests.network.test_normalise import factors_of, in_other_units


@pytest.mark.parametrize("neuron", LIF_MODELS.values(), ids=lambda p: p.name)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), bias=st.sampled_from([0.0, 0.25]), recurrent=st.booleans())
def test_the_chip_of_a_network_in_other_units(
    neuron: Any, seed: int, bias: float, recurrent: bool
) -> None:
    """Without leak, and each neuron on a grid of its own, no spike and no potential differs."""
    own = ["a", "c"] if recurrent else []
    network = branched(neuron=neuron, seed=seed, bias=bias, recurrent=own)
    factors = factors_of(network, seed, 16)
    fired = spikes(2, 10, 7, rate=0.4, seed=seed)
    compiled = compile_network(
        in_other_units(network, factors), potential_bits=24, calibration=fired
    )
    found = run(compiled, fired, record=("spikes", "states"))
    for layer, floats in zip(network.populations, run_float(network, fired), strict=True):
        np.testing.assert_array_equal(found.spikes(layer.name), floats.spikes)
        np.testing.assert_allclose(
            found.potentials(layer.name), floats.potentials * factors[layer.name], atol=1e-5
        )
        assert floats.spikes.any()


def test_units_are_saved(tmp_path: Path) -> None:
    network = branched(decay=np.array([0.9]))
    compiled = compile_network(in_other_units(network, factors_of(network, 1, 4)))
    assert len(compiled.network.quantisation[0].units) == 9
    assert compiled.network.quantisation[0].leaks
    compiled.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.network.quantisation == compiled.network.quantisation


def test_compiled_again_a_network_keeps_how_it_was_scaled(tmp_path: Path) -> None:
    compiled = compile_network(branched(), neuron_scales=True, weight_bits=1)
    assert {p.weight_bits for p in compiled.network.populations} == {2}, "some weights are 0"
    again = compile_network(compiled, potential_bits=20)
    assert all(layer.neuron_scales for layer in again.network.quantisation)
    assert {layer.weight_bits for layer in again.network.quantisation} == {1}
    other = compile_network(compiled, neuron_scales=False)
    assert not any(layer.neuron_scales for layer in other.network.quantisation)


def test_potentials_of_a_network_that_was_not_trained() -> None:
    network = PlasticNetwork("built")
    network.inputs("in", 2)
    network.population("p", 2, neuron="nir-euler", threshold=2)
    network.project("in", "p", weights=1)
    network.output("p")
    found = run(network, np.ones((1, 3, 2)), record=("states",))
    np.testing.assert_array_equal(found.potentials("p"), found.states("p")["v"])  # in LSBs
    with pytest.raises(SpikeletError, match="has no layer 'q'"):
        found.potentials("q")


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_what_needs_nothing_grows_in_nothing(name: str) -> None:
    """The examples' networks are on a grid, of equal neurons, and their leaks are short."""
    network = load_network(f"examples/{name}/{name}.nir", "snntorch-subtract")
    found = quantise(network)
    for population, layer in zip(found.populations, found.quantisation, strict=True):
        assert (population.weight_bits, population.potential_bits) == (4, 16)
        assert {k: v.shape for k, v in population.parameters.items()} == {
            "threshold": (1,),
            "decay": (1,),
        }
        assert population.neuron is neuron_model("snntorch-subtract")
        assert layer.units == (1.0,) and not layer.rms_error and layer.leaks[0].acts
