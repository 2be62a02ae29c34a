"""Quantisation: exact on a grid, least error elsewhere, exponents that fit, honest statistics."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.network.integers import IntegerNetwork
from spikelet.network.network import INPUT, Network, Projection
from spikelet.network.quantise import bits_of_layers, quantise
from spikelet.network.reference import run_layers
from spikelet.network.scale import best_scale
from tests.helpers.networks import LIF_MODELS, branched, chain, population, spikes


def single(weights: Any, **fields: Any) -> Network:
    """One population fed by the input."""
    weights = np.asarray(weights, float)
    layer = population("p", weights.shape[1], **fields)
    return Network("n", len(weights), 1e-3, (layer,), (Projection(INPUT, "p", weights),), ("p",))


def restored(quantised: IntegerNetwork) -> list[Any]:
    """Return the weights in float units, projection by projection."""
    scales = {layer.name: layer.scale for layer in quantised.quantisation}
    return [p.weights * scales[p.target] for p in quantised.projections]


@settings(max_examples=200, deadline=None)
@given(
    bits=st.integers(2, 8),
    seed=st.integers(0, 10_000),
    step=st.floats(1e-3, 10.0),
    size=st.integers(1, 60),
)
def test_grid_weights_are_recovered_exactly(bits: int, seed: int, step: float, size: int) -> None:
    limit = 1 << (bits - 1)
    codes = np.random.default_rng(seed).integers(-limit, limit, (size, 2))
    codes[0, 0] = codes[0, 0] or 1
    quantised = quantise(single(codes * step), bits, 24)
    np.testing.assert_allclose(restored(quantised)[0], codes * step, rtol=1e-12)
    assert quantised.quantisation[0].clipped == 0
    assert quantised.quantisation[0].rms_error < 1e-9 * step
    assert quantised.quantisation[0].scale >= step * (1 - 1e-9), "the largest step is taken"


def test_full_range_grid_gives_the_very_codes() -> None:
    codes = np.arange(-8, 8).reshape(4, 4)
    for weights in (codes / 16, (codes / 16).astype(np.float32) * (1 + 1e-7), codes * 0.3):
        quantised = quantise(single(weights))
        np.testing.assert_array_equal(quantised.projections[0].weights, codes)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(bits=st.integers(2, 8), seed=st.integers(0, 1000), heavy=st.booleans())
def test_scale_is_close_to_the_best(bits: int, seed: int, heavy: bool) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.standard_t(2, 300) if heavy else rng.normal(size=300)

    def error(scale: float) -> float:
        limit = 1 << (bits - 1)
        return float(
            np.sum((weights - scale * np.clip(np.round(weights / scale), -limit, limit - 1)) ** 2)
        )

    span = np.abs(weights).max() / (1 << (bits - 1))
    best = min(error(scale) for scale in span * np.geomspace(0.01, 2, 800))
    assert error(best_scale(weights, bits)) <= 1.05 * best


def test_scale_of_many_weights() -> None:
    weights = np.random.default_rng(0).normal(size=60_000)
    few, many = best_scale(weights[:10_000], 4), best_scale(weights, 4)
    assert many == pytest.approx(few, rel=0.05)


def test_one_bit_is_binary() -> None:
    quantised = quantise(single([[0.5, -0.25], [0.125, -0.75]]), 1)
    (layer,) = quantised.populations
    assert (layer.weight_format, layer.weight_bits) == ("binary", 1)
    np.testing.assert_array_equal(quantised.projections[0].weights, [[1, -1], [1, -1]])
    assert quantised.quantisation[0].scale == pytest.approx(0.40625, rel=1e-4)


@pytest.mark.parametrize("bits", range(1, 9))
def test_a_weight_of_0_is_0_at_every_width(bits: int) -> None:
    weights = np.random.default_rng(bits).normal(size=(30, 4))
    weights[::3] = 0
    quantised = quantise(single(weights), bits, 24)
    assert not quantised.projections[0].weights[::3].any()
    if bits == 1:
        (layer,) = quantised.populations
        assert (layer.weight_format, layer.weight_bits) == ("signed", 2)
        np.testing.assert_array_equal(quantised.projections[0].weights, np.sign(weights))


def test_projections_into_a_population_share_a_scale() -> None:
    network = branched()
    quantised = quantise(network)
    assert len(quantised.quantisation) == 4
    for projection, expected in zip(restored(quantised), network.projections, strict=True):
        np.testing.assert_allclose(projection, expected.weights, rtol=1e-12)


def test_what_comes_back_counts_like_any_input() -> None:
    """Recurrent weights share the scale, the statistics, the bound, and show in calibration."""
    own = Projection("p", "p", np.array([[1.0]]))
    network = single([[0.5], [0.25]])
    network = replace(network, projections=(*network.projections, own))
    quantised = quantise(network)
    assert [p.weights.ravel().tolist() for p in quantised.projections] == [[2, 1], [4]]
    (found,) = quantised.quantisation
    assert (found.weights, found.scale) == (3, 0.25)
    lsb = found.scale / 2**found.weight_exponent
    assert found.range_high * lsb == pytest.approx(1.0 + 0.75 + 1.0)
    (shown,) = quantise(network, calibration=np.ones((1, 3, 2))).quantisation
    lsb = shown.scale / 2**shown.weight_exponent
    # 0.75; 1.5 fires and becomes 0; 0.75 and 1 more
    assert shown.range_high * lsb == pytest.approx(1.75)


def test_statistics_of_clipped_weights() -> None:
    weights = np.concatenate([np.random.default_rng(0).normal(size=400), [10.0]])[:, None]
    quantised = quantise(single(weights), 4, 24)
    (layer,) = quantised.quantisation
    rounded = np.round(weights / layer.scale)
    assert layer.weights == 401
    assert layer.clipped == np.sum((rounded > 7) | (rounded < -8)) > 0
    assert layer.clipped_fraction == layer.clipped / 401
    error = weights - restored(quantised)[0]
    assert layer.rms_error == pytest.approx(np.sqrt(np.mean(error**2)))


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    potential_bits=st.integers(8, 24),
    name=st.sampled_from(sorted(LIF_MODELS)),
)
def test_largest_exponent_that_fits_the_calibration(
    seed: int, potential_bits: int, name: str
) -> None:
    network = chain([6, 5], neuron=LIF_MODELS[name], seed=seed, decay=np.array([0.75]))
    given_spikes = spikes(3, 12, 6, seed=seed, rate=0.7)
    quantised = quantise(network, 4, potential_bits, given_spikes)
    (layer,), (run,) = quantised.quantisation, run_layers(network, given_spikes)
    lsb = layer.scale / 2**layer.weight_exponent
    assert layer.range_source == "calibration"
    assert layer.range_low == pytest.approx(run.lowest / lsb)
    assert layer.range_high == pytest.approx(run.highest / lsb)
    assert (layer.available_low, layer.available_high) == (
        -(2 ** (potential_bits - 1)),
        2 ** (potential_bits - 1) - 1,
    )
    needed = max(2 * layer.range_high, -2 * layer.range_low, 1.0 / lsb)
    if layer.weight_exponent > 0:
        assert needed <= layer.available_high
        assert layer.range_used <= 0.5
    if layer.weight_exponent < 16:
        assert 2 * needed > layer.available_high


@pytest.mark.parametrize("potential_bits", [8, 12, 16])
def test_a_silent_calibration_leaves_room_for_the_threshold(potential_bits: int) -> None:
    quantised = quantise(single([[1.0, -0.125]]), 4, potential_bits, np.zeros((1, 5, 1)))
    (layer,) = quantised.populations
    assert (
        2 ** (potential_bits - 2) - 1
        <= layer.parameters["threshold"][0]
        < 2 ** (potential_bits - 1)
    )


def test_calibration_chooses_the_scale_by_the_currents() -> None:
    """Large weights of sources that hardly spike are clipped for the sake of the others."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(60, 5))
    weights[:6] *= 6
    shown = spikes(4, 50, 60, rate=0.3, seed=1)
    shown[..., :6] = 0
    network = single(weights)

    def error(found: IntegerNetwork) -> float:
        lost = weights - restored(found)[0]
        return float(((shown.reshape(-1, 60) @ lost) ** 2).sum())

    plain, calibrated = quantise(network, 4, 16), quantise(network, 4, 16, shown)
    assert calibrated.quantisation[0].scale < plain.quantisation[0].scale
    assert error(calibrated) < 0.5 * error(plain)
    silent = quantise(network, 4, 16, np.zeros_like(shown))
    assert silent.quantisation[0].scale == plain.quantisation[0].scale


def test_bound_without_calibration() -> None:
    network = single([[0.5, -1.0], [0.25, 0.125]], bias=np.array([0.5, -0.25]))
    (layer,) = quantise(network).quantisation
    lsb = layer.scale / 2**layer.weight_exponent
    assert layer.range_source == "bound"
    assert layer.range_high * lsb == pytest.approx(1.0 + 0.75 + 0.5)
    assert layer.range_low * lsb == pytest.approx(-1.0 - 0.25)


def test_integers_of_a_population() -> None:
    network = single(
        [[0.5, -1.0, 0.875]],
        decay=np.array([0.9375, 0.5, 1.0]),
        threshold=np.array([1.0, 2.0, 1.5]),
        bias=np.array([0.25, 0.0, -0.125]),
        reset_potential=np.array([-0.5]),
    )
    (layer,) = quantise(network).populations
    found = layer.parameters
    unit = 8 * 2**layer.weight_exponent
    found = layer.parameters
    np.testing.assert_array_equal(found["threshold"], np.array([1, 2, 1.5]) * unit)
    np.testing.assert_array_equal(found["bias"], np.array([0.25, 0, -0.125]) * unit)
    np.testing.assert_array_equal(found["reset_potential"], [-0.5 * unit])
    np.testing.assert_array_equal(found["decay"], [3840, 2048, 4095])
    assert all(values.dtype == np.int32 for values in found.values())


def test_shared_and_absent_parameters() -> None:
    half, one = np.array([0.5, 0.5]), np.array([1.0, 1.0])
    network = single([[0.5, -1.0]], decay=half, threshold=one, bias=0 * one, reset_potential=-half)
    (layer,) = quantise(network).populations
    shapes = {name: values.shape for name, values in layer.parameters.items()}
    assert shapes == {"threshold": (1,), "decay": (1,), "reset_potential": (1,)}
    (layer,) = quantise(single([[0.5, -1.0]], reset_potential=0 * one)).populations
    assert list(layer.parameters) == ["threshold"]


def test_weights_that_become_zero() -> None:
    with pytest.raises(SpikeletError, match="all weights into layer 'p' are 0"):
        quantise(single([[0.0, 0.0]]))
    network = single([[1.0], [-1.0]])
    layers = (population("q", 1), *network.populations)
    projections = (
        *network.projections,
        Projection(INPUT, "q", np.ones((2, 1))),
        Projection("q", "p", np.array([[1e-3]])),
    )
    network = replace(network, populations=layers, projections=projections)
    with pytest.raises(
        SpikeletError, match="all weights from 'q' into layer 'p' become 0 at 4 bits"
    ):
        quantise(network)


@pytest.mark.parametrize("field", ["threshold", "bias", "reset_potential"])
def test_constants_that_do_not_fit(field: str) -> None:
    network = single([[1e-3, 1e-3]], **{field: np.array([1.0, 100.0])})
    message = rf"the {field} of layer 'p' is 100000 weight steps at 4-bit .* of 16 bits hold 32767"
    with pytest.raises(SpikeletError, match=message) as info:
        quantise(network)
    assert "--potential-bits" in str(info.value)
    assert quantise(network, potential_bits=18).populations[0].weight_exponent == 0


@pytest.mark.parametrize(("bits", "potential"), [(0, 16), (9, 16), (4, 3), (4, 25)])
def test_widths_out_of_range(bits: int, potential: int) -> None:
    with pytest.raises(SpikeletError, match=r"_bits must be in \d+..\d+, found"):
        quantise(chain([3, 2]), bits, potential)


def test_each_layer_may_have_widths_of_its_own() -> None:
    network = chain((6, 5, 4))
    first, last = (p.name for p in network.populations)
    mixed = quantise(network, {first: 3}, {last: 12})
    widths = [(p.weight_bits, p.potential_bits) for p in mixed.populations]
    assert widths == [(3, 16), (4, 12)]
    for alone, here in ((quantise(network, 3, 16), 0), (quantise(network, 4, 12), 1)):
        np.testing.assert_array_equal(
            alone.projections[here].weights, mixed.projections[here].weights
        )
        assert alone.quantisation[here] == mixed.quantisation[here]
    assert quantise(network, {first: 1}).quantisation[0].weight_bits == 1


def test_widths_of_layers_that_are_refused() -> None:
    network = chain((6, 5))
    name = network.populations[0].name
    with pytest.raises(SpikeletError, match=f"weight_bits of layer '{name}' must be in 1..8"):
        quantise(network, {name: 9})
    with pytest.raises(SpikeletError, match="potential_bits are given for 'x', which is no layer"):
        quantise(network, 4, {"x": 9})


def test_widths_as_texts() -> None:
    assert bits_of_layers("--weight-bits", ()) is None
    assert bits_of_layers("--weight-bits", ("0",)) == 0, "is refused later, not left out"
    assert bits_of_layers("--weight-bits", ("a=b=3", "c=4")) == {"a=b": 3, "c": 4}
    for texts in (("x",), ("a=",), ("a=-1",), ("a=3", "a=4"), ("3", "4"), ("²",)):
        with pytest.raises(SpikeletError, match="--weight-bits must be a number of bits, or LAYER"):
            bits_of_layers("--weight-bits", texts)
    with pytest.raises(SpikeletError, match=r"for all layers \(3\) and for some"):
        bits_of_layers("--weight-bits", ("3", "a=4"))
