"""The grid: what compile makes of a layer, and the same again when that is compiled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikelet
from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.examples import mnist as examples
from spikelet.network.convolution import Convolution
from spikelet.network.grid import in_real_numbers
from spikelet.network.matrices import dense
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.runs.agreement import agreement
from spikelet.runs.run import run
from tests.helpers.networks import EULER, spikes
from tests.network.test_normalise import MODELS, factors_of, in_other_units, network

OPTIONS = st.fixed_dictionaries(
    {
        "bits": st.integers(1, 8),
        "potential_bits": st.sampled_from([None, 12, 16, 24]),
        "neuron_scales": st.booleans(),
    }
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(MODELS)),
    seed=st.integers(0, 1000),
    spread=st.sampled_from([1.0, 16.0]),
    calibrated=st.booleans(),
    options=OPTIONS,
)
def test_a_network_on_the_grid_is_what_is_compiled(
    name: str, seed: int, spread: float, calibrated: bool, options: dict[str, Any]
) -> None:
    one = network(name, seed)
    given_network = in_other_units(one, factors_of(one, seed, spread)) if spread > 1 else one
    shown = spikes(2, 15, 12, seed=seed) if calibrated else None
    onto = spikelet.grid(given_network, calibration=shown, **options)
    assert spikelet.grid(onto, calibration=shown, **options).digest == onto.digest
    bits = options.pop("bits")
    found = quantise(onto, bits, calibration=shown, **options)
    assert in_real_numbers(found).digest == onto.digest, "integers times units are the same numbers"
    for p, q in zip(found.projections, onto.projections, strict=True):
        (layer,) = (stats for stats in found.quantisation if stats.name == p.target)
        np.testing.assert_array_equal(p.weights * layer.weight_unit, q.weights)
        assert layer.rms_error <= 1e-6 * layer.scale
    for a, b in zip(found.populations, onto.populations, strict=True):
        (layer,) = (stats for stats in found.quantisation if stats.name == a.name)
        for parameter in ("threshold", "bias", "reset_potential"):
            if parameter in a.parameters:
                np.testing.assert_array_equal(
                    a.parameters[parameter] * layer.lsb,
                    np.broadcast_to(b.parameters[parameter], (b.size,))
                    if len(layer.units) > 1
                    else b.parameters[parameter],
                )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    single=st.booleans(),
    recurrent=st.booleans(),
    kernel=st.booleans(),
    options=OPTIONS,
)
def test_arrays_on_the_grid_stay(
    seed: int, single: bool, recurrent: bool, kernel: bool, options: dict[str, Any]
) -> None:
    rng = np.random.default_rng(seed)
    layer: dict[str, Any] = {
        "weights": rng.normal(size=(5, 2, 3, 3) if kernel else (5, 9)),
        "threshold": rng.uniform(0.5, 2, 5) if seed % 2 else np.array(1.0),
        "decay": rng.uniform(0.5, 0.97, 5),
        "bias": rng.normal(0, 0.05, 5),
        **({"recurrent": rng.normal(size=(5, 5))} if recurrent else {}),
    }
    dtype = np.float32 if single else np.float64
    layer = {name: values.astype(dtype) for name, values in layer.items()}
    onto = spikelet.grid(layer, **options)
    for name, values in layer.items():
        assert onto[name].dtype == dtype
        if name == "threshold" and options["neuron_scales"]:
            assert onto[name].shape in ((), (5,))
        else:
            assert onto[name].shape == values.shape
    again = spikelet.grid(onto, **options)
    for name, values in onto.items():
        np.testing.assert_array_equal(again[name], values)
    if not options["neuron_scales"] and not seed % 2:
        assert np.unique(np.abs(onto["weights"])).size <= max(2, 2 ** (options["bits"] - 1) + 1)
    np.testing.assert_allclose(onto["decay"] * 4096, np.round(layer["decay"] * 4096), atol=1e-3)


def test_weights_alone() -> None:
    weights = np.random.default_rng(0).normal(size=(6, 20)).astype(np.float32)
    onto = spikelet.grid(weights, 3)
    assert onto.dtype == np.float32 and onto.shape == weights.shape
    (matrix,) = quantise(
        Network(
            "n",
            20,
            None,
            (Population("p", 6, EULER, {"threshold": np.ones(1)}),),
            (Projection(INPUT, "p", weights.T.astype(np.float64)),),
            ("p",),
        ),
        3,
    ).projections
    step = np.abs(onto[onto != 0]).min()
    np.testing.assert_allclose(onto / step, np.round(onto / step), atol=1e-5)
    np.testing.assert_array_equal(np.round(onto / step).T, matrix.weights)


def test_a_kernel_on_the_grid_is_that_of_its_matrix() -> None:
    rng = np.random.default_rng(0)
    convolution = Convolution(
        rng.normal(size=(3, 2, 3, 3)), (2, 5, 5), (1, 1), (1, 1), ((1, 1), (1, 1))
    )
    weights = np.zeros((50, 75))
    sources, targets, values = convolution.triplets()
    weights[sources, targets] = values
    layer = Population("c", 75, EULER, {"threshold": np.ones(1)})
    one = Network("n", 50, None, (layer,), (Projection(INPUT, "c", weights, convolution),), ("c",))
    (onto,) = spikelet.grid(one).projections
    assert onto.convolution is not None
    assert np.unique(onto.convolution.kernel).size <= 16
    matrix = np.zeros((50, 75))
    sources, targets, values = onto.convolution.triplets()
    matrix[sources, targets] = values
    np.testing.assert_allclose(matrix, dense(onto.weights), rtol=1e-12)


@pytest.mark.parametrize("name", ["nir-euler", "snntorch-subtract", "snntorch-zero"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_on_the_grid_every_spike_is_the_same(name: str, bits: int) -> None:
    """At enough potential bits: what is left is the rounding of the recurrence."""
    onto = spikelet.grid(network(name, 1), bits, potential_bits=24)
    shown = spikes(20, 30, 12, seed=1)
    ran = run(compile_network(onto, weight_bits=bits, potential_bits=24), shown)
    layers = agreement(ran, shown)
    assert all(layer.integer_spikes > 100 for layer in layers)
    assert [layer.overlap for layer in layers] == [1.0, 1.0]


def test_trained_digits_are_on_the_grid() -> None:
    trained = spikelet.load_network("examples/digits/digits.nir", "snntorch-subtract")
    onto = spikelet.grid(trained)
    for p, q in zip(trained.projections, onto.projections, strict=True):
        np.testing.assert_allclose(p.weights, q.weights, rtol=1e-6)


def test_what_is_refused() -> None:
    for layer, message in (
        ({"threshold": 1.0}, "weights are missing, found threshold"),
        ({}, "weights are missing, found nothing"),
        (np.ones(3), r"weights must have shape \(outputs, inputs\).* not \(3,\)"),
        (np.zeros((2, 3)), "all weights into layer 'layer' are 0"),
        ([["a", "b"]], "weights must be an array of real numbers"),
        (
            {"weights": np.ones((2, 3)), "bias": np.ones(3)},
            "bias must have shape .*2,",
        ),
        ({"weights": np.ones((2, 3)), "beta": 1.0}, "has no parameter 'beta'"),
        ({"weights": np.ones((2, 3)), "recurrent": np.ones((3, 3))}, "weights must have shape"),
        ({"weights": np.ones((2, 3)), "threshold": -1.0}, "threshold must be above 0"),
    ):
        with pytest.raises(SpikeletError, match=message):
            spikelet.grid(layer)
    with pytest.raises(SpikeletError, match=r"weight_bits must be in 1..8, found 9"):
        spikelet.grid(np.ones((2, 3)), 9)
    with pytest.raises(SpikeletError, match="potential_bits are given for 'p', which is no layer"):
        spikelet.grid(np.ones((2, 3)), 4, potential_bits={"p": 3})


@pytest.mark.parametrize(
    ("framework", "model"), [("norse", "nir-euler"), ("spikingjelly", "lif-ge")]
)
def test_a_framework_s_own_spikes(framework: str, model: str) -> None:
    """Recorded in the framework, of a layer that was put on the grid there in its own loop."""
    with np.load(f"tests/fixtures/grid/{framework}.npz") as file:
        recorded = {name: file[name] for name in file.files}
    weights = recorded["weights"].astype(np.float64).T
    parameters = {n: np.atleast_1d(recorded[n]).astype(float) for n in ("threshold", "decay")}
    layer = Population("p", weights.shape[1], spikelet.neuron_model(model), parameters)
    shown = np.unpackbits(recorded["spikes"], axis=-1, count=weights.shape[0])
    one = Network("n", len(weights), None, (layer,), (Projection(INPUT, "p", weights),), ("p",))
    compiled = compile_network(one, weight_bits=4, potential_bits=20)
    (stats,) = compiled.network.quantisation
    assert stats.rms_error < 1e-6 * stats.scale, "the weights are on the grid"
    assert recorded["expected"].sum() > 1000
    np.testing.assert_array_equal(run(compiled, shown).outputs, recorded["expected"])


def test_the_binary_example_is_on_its_grid() -> None:
    path = Path(examples.__file__).with_name("binary.nir")
    compiled = compile_network(path, "snntorch-subtract", weight_bits=1)
    for population, layer in zip(
        compiled.network.populations, compiled.network.quantisation, strict=True
    ):
        assert population.weight_format == "binary" and population.weight_bits == 1
        assert layer.rms_error <= 1e-6 * layer.scale
    assert all(set(np.unique(p.weights)) == {-1, 1} for p in compiled.network.projections)
