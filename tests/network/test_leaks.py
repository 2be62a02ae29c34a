"""Slow leaks: what rounding does to them is known, mended where the widths are free, and said."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.network.grid import grid
from spikelet.network.leaks import MOST_LEFT, finer, leak_parameters
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.runs.agreement import quantisation_warnings
from spikelet.runs.drift import drift
from spikelet.runs.run import run
from spikelet.runs.verify import verify
from spikelet.samples.samples import Samples
from tests.helpers.networks import spikes


def one_neuron(model: str, weight: float, **parameters: Any) -> Network:
    values = {n: np.atleast_1d(np.asarray(v, float)) for n, v in parameters.items()}
    layer = Population("p", 1, neuron_model(model), {"threshold": np.ones(1), **values})
    into = Projection(INPUT, "p", np.array([[weight, -weight / 8]]).T)
    return Network("n", 2, None, (layer,), (into,), ("p",))


def left_on_chip(network: Network, ticks: int, **options: Any) -> float:
    """Return the share of a pulse of half a threshold that a run on golden leaves after ticks."""
    shown = np.zeros((1, ticks + 1, 2), np.uint8)
    shown[0, 0, 0] = 1
    found = run(compile_network(network, **options), shown, record=("states",)).states("p")["v"]
    return float(found[0, ticks, 0] / found[0, 0, 0])


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    beta=st.sampled_from([0.5, 0.9, 0.99, 0.999, 0.9995]),
    potential_bits=st.integers(8, 24),
    model=st.sampled_from(["nir-euler", "snntorch-subtract", "snntorch-zero", "lif-refractory"]),
)
def test_what_is_said_to_be_left_is_left(beta: float, potential_bits: int, model: str) -> None:
    """The recurrence that is followed is the one that a core computes."""
    network = one_neuron(model, 0.5, decay=beta)
    (layer,) = quantise(network, 8, potential_bits).quantisation
    (leak,) = layer.leaks
    ticks = 3 * round(leak.wanted)
    assert left_on_chip(network, ticks, weight_bits=8, potential_bits=potential_bits) == leak.left


@pytest.mark.parametrize(("beta", "bits"), [(0.9, 16), (0.99, 16), (0.999, 17), (0.9995, 18)])
def test_a_leak_that_would_stop_gets_more_bits(beta: float, bits: int) -> None:
    network = one_neuron("snntorch-subtract", 0.5, decay=beta)
    found = quantise(network, 8)
    assert found.populations[0].potential_bits == bits
    assert found.quantisation[0].leaks[0].acts
    assert not list(quantisation_warnings(found.quantisation))
    ticks = 3 * round(found.quantisation[0].leaks[0].wanted)
    assert left_on_chip(network, ticks, weight_bits=8) <= MOST_LEFT


@pytest.mark.parametrize("model", ["snntorch-subtract", "nir-euler", "lif-refractory"])
def test_a_leak_that_4096_does_not_hold_gets_a_finer_one(model: str) -> None:
    """And more bits of the potential; where a width is asked for, it is said what would help."""
    network = one_neuron(model, 0.5, decay=0.9999)
    found = quantise(network, 8)
    (layer,), (leak,) = found.populations, found.quantisation[0].leaks
    assert layer.neuron.parameter("decay").one == 1 << leak.bits > 4096
    assert layer.parameters["decay"][0] == round(0.9999 * (1 << leak.bits))
    assert leak.acts and leak.close(leak.stored)
    assert not list(quantisation_warnings(found.quantisation))
    assert left_on_chip(network, 30_000, weight_bits=8) == leak.left <= MOST_LEFT
    narrow = quantise(network, 8, 16)
    assert "decay" not in narrow.populations[0].parameters, "no leak is nearer than 4095/4096"
    assert narrow.populations[0].neuron is network.populations[0].neuron
    (message,) = quantisation_warnings(narrow.quantisation)
    assert "the nearest that 12 bits hold is none: 100% of a potential is left" in message
    assert "leave --potential-bits out" in message


def test_warned_of_with_numbers() -> None:
    network = one_neuron("snntorch-subtract", 0.5, decay=0.999)
    (message,) = quantisation_warnings(quantise(network, 8, 16).quantisation)
    assert "layer 'p': decay of neuron 0 has a time constant of 999 ticks" in message
    assert "25% of a potential is left where real numbers leave 5 %" in message
    more = int(message.split("compile with ")[1].split()[0])
    assert not list(quantisation_warnings(quantise(network, 8, 16 + more).quantisation))
    (message,) = quantisation_warnings(quantise(network, 8, 8).quantisation)
    assert "100% of a potential is left where real numbers leave 5 %" in message


def test_neurons_without_leak_among_others() -> None:
    """They keep 4095/4096, and ask for nothing finer; all without are without."""
    values = {"threshold": np.ones(1), "decay": np.array([1.0, 0.9])}
    layer = Population("p", 2, neuron_model("nir-euler"), values)
    into = Projection(INPUT, "p", np.array([[0.5, -1.0]]))
    found = quantise(Network("n", 1, None, (layer,), (into,), ("p",)))
    assert found.populations[0].parameters["decay"].tolist() == [4095, 3686]
    assert found.populations[0].potential_bits == 16
    none = quantise(one_neuron("nir-euler", 0.5, decay=1.0))
    assert "decay" not in none.populations[0].parameters
    assert not none.quantisation[0].leaks


def test_leaks_of_the_models() -> None:
    """Every fraction of the LIF models decays a state; the Izhikevich model's do not."""
    for name, model in neuron_models().items():
        fractions = {p.name for p in model.parameters if p.kind == "fraction"}
        found = {parameter.name: bits for parameter, _, bits in leak_parameters(model)}
        assert found == ({} if model.lsb else dict.fromkeys(fractions, 12)), name
        fine = finer(model, dict.fromkeys(fractions, 18))
        assert {b for _, _, b in leak_parameters(fine)} == ({18} if found else set())
    model = neuron_models()["cuba-lif"]
    fine = finer(model, {"decay_i": 16})
    assert [(p.name, bits) for p, _, bits in leak_parameters(fine)] == [
        ("decay_i", 16),
        ("decay", 12),
    ]
    assert fine.parameter("decay") == model.parameter("decay")


TEXTS = {
    "nearest": "product = v*decay; added = current\nsummed = nearest(product, 12) + added",
    "twice": "product = v*decay; added = current\nsummed = nearest(product, 12) + added + product",
    "truncate": "product = v*decay; added = current\nsummed = truncate(product, 12) + added",
    "shifted": "product = v*decay; added = current\nsummed = (product >> 12) + added",
    "chance": "product = v*decay; added = current\nsummed = chance(product, 12) + added",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_models_of_ones_own(kind: str) -> None:
    text = f"{TEXTS[kind]}\nclipped = clamp(summed)\nfired = clipped > threshold; v = clipped"
    model = NeuronModel.from_dict(
        {
            "name": "own",
            "text": text,
            "states": {"v": {}, "fired": {"kind": "flag"}},
            "parameters": {
                "threshold": {"low": 0},
                "decay": {"kind": "fraction", "default": 4096},
            },
        }
    )
    (found,) = leak_parameters(model)
    assert found[1:] == ({"shifted": ">>", "twice": "nearest"}.get(kind, kind), 12)
    fine = finer(model, {"decay": 16})
    assert (fine is model) == (kind in ("shifted", "twice")), "where the text does not allow it"
    layer = Population("p", 1, model, {"threshold": np.ones(1), "decay": np.array([0.999])})
    network = Network("n", 1, None, (layer,), (Projection(INPUT, "p", np.array([[0.5]])),), ("p",))
    (leak,) = quantise(network, 8, 10).quantisation[0].leaks
    # rounded down, potentials fall to 0, and rounded by chance, on average as they should
    assert leak.acts == (kind == "chance")


def test_a_fraction_of_more_bits_in_a_text() -> None:
    """What the text of a user's own model says, float network and integers go by."""
    base = neuron_model("nir-euler").to_dict()
    base["text"] = base["text"].replace("nearest(product, 12)", "nearest(product, 16)")
    base["parameters"]["decay"] |= {"high": 65535, "default": 65536}
    values = {"threshold": np.ones(1), "decay": np.array([0.75])}
    layer = Population("p", 1, NeuronModel.from_dict(base), values)
    into = Projection(INPUT, "p", np.array([[0.5], [0.0]]))
    network = Network("n", 2, None, (layer,), (into,), ("p",))
    found = quantise(network)
    assert found.populations[0].parameters["decay"].tolist() == [3 << 14]
    assert left_on_chip(network, 2) == pytest.approx(0.5625, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["snntorch-subtract", "nir-euler"])
@pytest.mark.parametrize("beta", [0.9995, 0.9999])
def test_the_hardware_has_them(model: str, beta: float) -> None:
    """More bits and finer fractions, one for each neuron: RTL equals golden."""
    rng = np.random.default_rng(0)
    values = {
        "threshold": np.ones(1),
        "decay": beta + rng.uniform(0, 0.1, 4) * (1 - beta),
        "bias": rng.uniform(-0.01, 0.01, 4),
    }
    layer = Population("p", 4, neuron_model(model), values)
    into = Projection(INPUT, "p", rng.normal(0.05, 0.12, (8, 4)))
    compiled = compile_network(Network("n", 8, None, (layer,), (into,), ("p",)))
    assert (compiled.network.populations[0].neuron is layer.neuron) == (beta < 0.9999)
    result = verify(compiled, Samples(spikes(2, 200, 8, rate=0.1)), ("rtl",))
    assert result.equal, [engine.verdict for engine in result.engines]


def test_decay_bits_that_are_asked_for() -> None:
    network = one_neuron("snntorch-subtract", 0.5, decay=0.9999)
    assert quantise(network, 8).quantisation[0].decay_bits == 19
    for bits in (12, 15, 20):
        found = quantise(network, 8, decay_bits={"p": bits})
        (layer,) = found.quantisation
        one = 1 << bits
        (stored,) = found.populations[0].parameters.get("decay", [one])
        assert layer.decay_bits == bits and stored == round(0.9999 * one)
    compiled = compile_network(network, weight_bits=8, decay_bits=15)
    again = compile_network(compiled, weight_bits=7)
    assert again.network.quantisation[0].decay_bits == 15
    other = compile_network(compiled, decay_bits=16)
    assert other.network.quantisation[0].decay_bits == 16
    (at_7, *_) = (d for d in drift(compiled, Samples(spikes(2, 5, 2))) if d.weight_bits == 7)
    assert at_7.layers
    assert grid(network, 8, decay_bits=15).populations[0].parameters["decay"] * 2**15 % 1 == 0


@pytest.mark.parametrize(
    ("parameters", "bits", "message"),
    [
        ({"decay": 0.9}, 11, r"decay_bits must be in 12\.\.20"),
        ({"decay": 0.9}, {"p": 21}, r"decay_bits of layer 'p' must be in 12\.\.20"),
        ({"decay": 0.9}, {"q": 12}, "given for 'q', which is no layer"),
    ],
)
def test_decay_bits_that_are_refused(
    parameters: dict[str, float], bits: int | dict[str, int], message: str
) -> None:
    with pytest.raises(SpikeletError, match=message):
        quantise(one_neuron("snntorch-subtract", 0.5, **parameters), decay_bits=bits)


def test_decay_bits_of_a_text_that_has_no_such_decay() -> None:
    with pytest.raises(SpikeletError, match="'p', which has no leak"):
        quantise(one_neuron("threshold", 0.5), decay_bits={"p": 13})
    own = replace(
        neuron_model("snntorch-subtract"),
        text=neuron_model("snntorch-subtract").text.replace(
            "nearest(product, 12)", "(product >> 12)"
        ),
    )
    network = replace(one_neuron("snntorch-subtract", 0.5, decay=0.9))
    layer = replace(network.populations[0], neuron=own)
    with pytest.raises(SpikeletError, match="has no decays of 13 bits, which layer 'p'"):
        quantise(replace(network, populations=(layer,)), decay_bits=13)
    assert quantise(replace(network, populations=(layer,)), decay_bits=12).quantisation
