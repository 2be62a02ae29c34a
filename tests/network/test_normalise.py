"""Neurons in units of their own: the same spikes, and integers that do not depend on the units."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikelet
from spikelet.description.neurons.models import neuron_model
from spikelet.network.convolution import Convolution
from spikelet.network.matrices import dense
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.normalise import normalised
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from tests.helpers.networks import LIF_MODELS, branched, spikes

MODELS = {
    **LIF_MODELS,
    "cuba-lif": neuron_model("cuba-lif"),
    "lif-refractory": neuron_model("lif-refractory"),
}


def network(name: str, seed: int, *, equal: bool = True, **more: Any) -> Network:
    """Two populations, the first with connections to itself; weights are on no grid."""
    rng = np.random.default_rng(seed)
    sizes = {INPUT: 12, "a": 10, "b": 4}
    ends = [(INPUT, "a"), ("a", "a"), ("a", "b"), (INPUT, "b")]
    projections = [Projection(s, t, rng.normal(0.1, 0.4, (sizes[s], sizes[t]))) for s, t in ends]
    populations = []
    for layer in ("a", "b"):
        size, model = sizes[layer], MODELS[name]
        values = {
            "threshold": np.ones(1) if equal else rng.uniform(0.5, 1.5, size),
            "decay": rng.uniform(0.5, 0.95, size),
            "bias": rng.uniform(-0.05, 0.1, size),
            "reset_potential": rng.uniform(-0.3, 0.0, size),
            **more,
        }
        held = {n: v for n, v in values.items() if n in model.parameter_names}
        populations.append(Population(layer, size, model, held))
    return Network("n", 12, None, tuple(populations), tuple(projections), ("b",))


def in_other_units(given: Network, factors: dict[str, Any]) -> Network:
    """Multiply all that scales with the weights of each neuron by its factor."""
    populations = []
    for p in given.populations:
        kinds = {q.name: q.kind for q in p.neuron.parameters}
        values = {
            n: v * factors[p.name] if kinds[n] == "membrane" else v for n, v in p.parameters.items()
        }
        populations.append(replace(p, parameters=values))
    projections = [replace(q, weights=q.weights * factors[q.target]) for q in given.projections]
    return replace(given, populations=tuple(populations), projections=tuple(projections))


def factors_of(given: Network, seed: int, spread: float) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    reach = np.log(spread) / 2
    return {p.name: np.exp(rng.uniform(-reach, reach, p.size)) for p in given.populations}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(MODELS)),
    seed=st.integers(0, 1000),
    bits=st.integers(1, 8),
    spread=st.floats(1.5, 1000.0),
    calibrated=st.booleans(),
    neuron_scales=st.booleans(),
    equal=st.booleans(),
)
def test_integers_do_not_depend_on_the_units(
    name: str,
    seed: int,
    bits: int,
    spread: float,
    calibrated: bool,
    neuron_scales: bool,
    equal: bool,
) -> None:
    one = network(name, seed, equal=equal)
    other = in_other_units(one, factors_of(one, seed, spread))
    shown = spikes(2, 20, 12, seed=seed) if calibrated else None
    mine, theirs = (quantise(n, bits, 16, shown, neuron_scales=neuron_scales) for n in (one, other))
    for p, q in zip(mine.projections, theirs.projections, strict=True):
        np.testing.assert_array_equal(p.weights, q.weights)
    for a, b in zip(mine.populations, theirs.populations, strict=True):
        assert a.weight_exponent == b.weight_exponent
        assert a.parameters.keys() == b.parameters.keys()
        for parameter, values in a.parameters.items():
            np.testing.assert_array_equal(values, b.parameters[parameter])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(MODELS)),
    seed=st.integers(0, 1000),
    neuron_scales=st.booleans(),
)
def test_in_float_nothing_is_lost(name: str, seed: int, neuron_scales: bool) -> None:
    given_network = network(name, seed, equal=False)
    even, units = normalised(given_network, {"a": 4, "b": 4}, neuron_scales=neuron_scales)
    shown = spikes(2, 30, 12, seed=seed)
    for p, mine, theirs in zip(
        given_network.populations, run_float(given_network, shown), run_float(even, shown),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(mine.spikes, theirs.spikes)
        np.testing.assert_allclose(theirs.potentials * units[p.name], mine.potentials, atol=1e-5)


def test_equal_neurons_stay_as_they_are() -> None:
    one = network("nir-euler", 1)
    even, units = normalised(one, {"a": 4, "b": 4})
    assert even is one
    assert {name: values.tolist() for name, values in units.items()} == {"a": [1.0], "b": [1.0]}
    assert all(p.parameters["threshold"].shape == (1,) for p in quantise(one).populations)
    other = in_other_units(one, factors_of(one, 1, 16))
    found = quantise(other)
    assert all(p.parameters["threshold"].shape == (1,) for p in found.populations)
    assert [len(layer.units) for layer in found.quantisation] == [10, 4]
    # a scale for each neuron costs a memory of thresholds
    apart = quantise(one, neuron_scales=True)
    assert [p.parameters["threshold"].shape for p in apart.populations] == [(10,), (4,)]


def test_a_grid_is_never_left() -> None:
    """One of all weights stays, whatever the thresholds; then one of each neuron."""
    one = branched()  # thresholds differ, weights are on one grid
    assert normalised(one, dict.fromkeys("abc", 4) | {"out": 4})[0] is one
    other = in_other_units(one, factors_of(one, 3, 16))
    found = quantise(other, 4, 24)
    assert [layer.rms_error < 1e-6 * layer.scale for layer in found.quantisation] == [True] * 4
    for p, q in zip(found.projections, other.projections, strict=True):
        (layer,) = (x for x in found.quantisation if x.name == p.target)
        restored = p.weights * layer.scale * np.array(layer.units)
        np.testing.assert_allclose(restored, q.weights, rtol=1e-6, atol=1e-12)


def test_a_scale_for_each_neuron_rounds_less() -> None:
    """Neurons of unequal weights and one threshold: each gets the scale that suits it."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(200, 8)) * np.geomspace(1, 8, 8)
    layer = Population("a", 8, MODELS["nir-euler"], {"threshold": np.full(1, 4.0)})
    one = Network("n", 200, None, (layer,), (Projection(INPUT, "a", weights),), ("a",))

    def error(found: Any) -> Any:
        (stats,), (projection,) = found.quantisation, found.projections
        restored = projection.weights * stats.scale * np.array(stats.units)
        return np.sqrt(((restored - weights) ** 2).mean(axis=0)) / weights.std(axis=0)

    together, apart = error(quantise(one)), error(quantise(one, neuron_scales=True))
    assert apart.max() < 0.13
    assert together.max() > 0.5
    thresholds = quantise(one, neuron_scales=True).populations[0].parameters["threshold"]
    assert thresholds.max() <= 16 * np.median(thresholds)


def test_what_does_not_scale_stays() -> None:
    """A fixed LSB, or values in LSBs that no weight scales: neurons are left as they are."""
    izhikevich = neuron_model("izhikevich")
    values = {"a": [0.02], "b": [0.2], "c": [-65.0], "d": [8.0], "threshold": [20.0, 30.0]}
    fixed = Population("p", 2, izhikevich, {n: np.array(v) for n, v in values.items()})
    adapting = {"threshold": np.array([1.0, 2.0]), "adaptation_bits": np.array([4.0])}
    adapted = Population("p", 2, MODELS["nir-euler"], adapting)
    for population in (fixed, adapted):
        one = Network(
            "n", 3, None, (population,), (Projection(INPUT, "p", np.eye(3, 2) + 0.3),), ("p",)
        )
        assert normalised(one, {"p": 4}, neuron_scales=True)[0] is one


@pytest.mark.parametrize("bits", [4, 8])
def test_digits_in_other_units(bits: int) -> None:
    """Trained weights and thresholds times up to 4 or by 4: the same chip, bit for bit."""
    samples = spikelet.load_samples("examples/digits/digits_test.npz", "calibration_")
    one = spikelet.load_network("examples/digits/digits.nir", "snntorch-subtract")
    other = in_other_units(one, factors_of(one, 25, 16))
    mine, theirs = (quantise(n, bits, 16, samples.spikes) for n in (one, other))
    for p, q in zip(mine.projections, theirs.projections, strict=True):
        np.testing.assert_array_equal(p.weights, q.weights)
    for a, b in zip(mine.populations, theirs.populations, strict=True):
        assert {n: v.tolist() for n, v in a.parameters.items()} == {
            n: v.tolist() for n, v in b.parameters.items()
        }


def test_a_channel_has_one_unit() -> None:
    """Neurons of a convolution's channel share a kernel, and so the unit it is divided by."""
    rng = np.random.default_rng(0)
    convolution = Convolution(
        rng.normal(size=(3, 2, 3, 3)), (2, 5, 5), (1, 1), (1, 1), ((1, 1), (1, 1))
    )
    sources, targets, values = convolution.triplets()
    weights = np.zeros((50, 75))
    weights[sources, targets] = values
    factors = convolution.per_value(np.array([1.0, 4.0, 0.3]))
    layer = Population("c", 75, MODELS["nir-euler"], {"threshold": factors})
    into = Projection(INPUT, "c", weights, convolution)
    one = Network("n", 50, None, (layer,), (into,), ("c",))
    for neuron_scales in (False, True):
        even, units = normalised(one, {"c": 4}, neuron_scales=neuron_scales)
        assert all(np.ptp(channel) == 0 for channel in units["c"].reshape(3, 25))
        (changed,) = even.projections
        assert changed.convolution is not None
        matrix = np.zeros((50, 75))
        sources, targets, values = changed.convolution.triplets()
        matrix[sources, targets] = values
        np.testing.assert_allclose(matrix, dense(changed.weights), rtol=1e-12)
    (found,) = quantise(one).populations
    assert found.parameters["threshold"].shape == (1,)
    # thresholds that differ within a channel stay different
    apart = replace(layer, parameters={"threshold": factors * rng.uniform(1, 2, 75)})
    even, units = normalised(replace(one, populations=(apart,)), {"c": 4})
    assert all(np.ptp(channel) == 0 for channel in units["c"].reshape(3, 25))
    np.testing.assert_allclose(
        even.populations[0].parameters["threshold"] * units["c"], apart.parameters["threshold"]
    )
