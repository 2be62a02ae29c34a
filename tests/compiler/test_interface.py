"""The file for drivers in other languages: what it alone says is enough to run a network."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.interface import interface
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.packets import flit_packet
from spikelet.description.neurons.models import neuron_model
from spikelet.network.limits import PlacementLimits
from tests.helpers.emitted import small_network
from tests.helpers.networks import chain, population


@pytest.mark.parametrize("seed", [0, 1])
def test_flits_of_inputs_are_those_of_the_driver(seed: int) -> None:
    compiled = small_network(seed)
    told = json.loads(interface(compiled))
    inputs = told["inputs"]
    assert inputs["count"] == compiled.network.n_inputs == len(inputs["flits"])
    for number in range(inputs["count"]):
        spikes = np.zeros((1, 1, inputs["count"]), np.uint8)
        spikes[0, 0, number] = 1
        events = compiled.events(spikes)
        assert events.flits(compiled.chip).tolist() == inputs["flits"][number]
        assert events.ticks == 1 + inputs["ticks_to_output"]
    assert any(inputs["flits"])


def test_fields_of_a_flit() -> None:
    """They take a flit apart as the chip does."""
    compiled = small_network()
    flit = json.loads(interface(compiled))["flit"]
    assert flit["bits"] == flit_packet(compiled.chip).width
    words = compiled.events(np.ones((1, 1, compiled.network.n_inputs), np.uint8))
    for word, core, axon in zip(words.flits(compiled.chip), words.core, words.axon, strict=True):
        found = {
            f["name"]: (int(word) >> f["low"]) & ((1 << f["bits"]) - 1) for f in flit["fields"]
        }
        assert found["x"] + compiled.chip.width * found["y"] == core
        assert found["axon"] == axon and found["host"] == 0


def test_outputs_are_the_lines_of_their_neurons() -> None:
    """A population in several cores: each neuron's destination is the line that is told."""
    compiled = compile_network(chain([4, 5, 20]), limits=PlacementLimits(max_neurons=8, lanes=8))
    outputs = json.loads(interface(compiled))["outputs"]
    (told,) = outputs["populations"]
    assert outputs["count"] == told["neurons"] == len(told["lines"]) == 20
    assert len({core for core, _ in told["places"]}) > 1
    for line, (core, neuron) in zip(told["lines"], told["places"], strict=True):
        found = compiled.image.cores[core].destinations
        targets = found[found[:, 0] == neuron]
        assert targets[targets[:, 1] == HOST][:, 2].tolist() == [line]


def test_outputs_that_are_read_have_places_and_no_lines() -> None:
    network = chain([4, 5, 3])
    read = population("p1", 3, neuron_model("li"), threshold=None)
    network = replace(network, populations=(network.populations[0], read))
    compiled = compile_network(network)
    (told,) = json.loads(interface(compiled))["outputs"]["populations"]
    assert told["lines"] is None and told["population"] == "p1"
    core = compiled.layer("p1").slices[0].core
    assert told["places"] == [[core, neuron] for neuron in range(3)]
