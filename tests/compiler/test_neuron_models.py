"""Neuron models beside the LIF with a reset: from real numbers to the chip and back."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel, Parameter, State
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.recording import Recording
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float, run_layers
from spikelet.runs.agreement import agreement
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from tests.helpers.networks import population, spikes

NOISY = NeuronModel(
    "noisy",
    """
level = threshold + (draw >> 9); product = v*decay
summed = nearest(product, 12) + current
clipped = clamp(summed)
fired = clipped > level
v = where(fired, 0, clipped)
""",
    (State("v"), State("fired", "flag")),
    (Parameter("threshold", low=0), Parameter("decay", "fraction")),
    lsb=1 / 64,
)
"""The threshold is drawn from 128 LSBs."""


def recorded(compiled: CompiledNetwork, given: Any) -> Recording:
    return run(compiled, given, record=("spikes", "states")).recording


def layers(model: NeuronModel, weights: list[FloatArray], **values: float | FloatArray) -> Network:
    """Return fully connected layers of equal neurons; the last is the output."""
    given = {name: np.atleast_1d(np.asarray(value, float)) for name, value in values.items()}
    names = [INPUT, *(f"p{i}" for i in range(len(weights)))]
    return Network(
        "n",
        len(weights[0]),
        None,
        tuple(
            Population(name, w.shape[1], model, given)
            for name, w in zip(names[1:], weights, strict=True)
        ),
        tuple(Projection(a, b, w) for a, b, w in zip(names, names[1:], weights, strict=False)),
        (names[-1],),
    )


def matrices(sizes: list[int], scale: float, seed: int = 0) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [scale * rng.integers(-3, 8, shape) / 8 for shape in pairwise(sizes)]


def izhikevich(scale: float = 40.0) -> Network:
    """Regular spiking neurons, at rest at -70 mV after the first ticks."""
    return layers(
        neuron_model("izhikevich"),
        matrices([12, 10, 4], scale),
        threshold=30.0,
        a=0.02,
        b=0.2,
        c=-65.0,
        d=8.0,
    )


def test_cuba_lif_by_hand() -> None:
    """A spike of weight 1 leaves 1, 1/2, 1/4 of current, added to the potential, which halves."""
    one = layers(neuron_model("cuba-lif"), [np.ones((1, 1))], threshold=9, decay=0.5, decay_i=0.5)
    (run,) = run_float(one, np.array([1, 0, 0, 0]).reshape(1, 4, 1))
    assert run.potentials.ravel().tolist() == [1, 1, 0.75, 0.5]


def test_refractory_by_hand() -> None:
    """Two ticks after a spike are lost: of steady input every third tick spikes."""
    model = neuron_model("lif-refractory")
    one = layers(model, [2 * np.ones((1, 1))], threshold=1, refractory_period=2)
    (run,) = run_float(one, np.ones((1, 7, 1)))
    assert run.spikes.ravel().tolist() == [True, False, False] * 2 + [True]
    compiled = compile_network(one)
    trace = recorded(compiled, np.ones((1, 7, 1)))
    assert Run(compiled, trace).states("p0")["refractory"].ravel().tolist() == [
        2,
        1,
        0,
        2,
        1,
        0,
        2,
    ]
    assert Run(compiled, trace).spikes("p0").ravel().tolist() == run.spikes.ravel().tolist()


def test_izhikevich_equals_its_equations() -> None:
    """Against v' = v + 0.04 v**2 + 5 v + 140 - u + I and u' = u + a (b v - u), in mV and ms."""
    network = izhikevich()
    given = spikes(1, 120, 12, rate=0.4, seed=2)
    run, _ = run_float(network, given)
    v, u = np.zeros(10), np.zeros(10)
    fired = []
    for tick in given[0]:
        slope = 0.04 * v**2 + 5 * v + 2867 * 0.048828125 - u + tick @ network.projections[0].weights
        tracking = 0.2 * v - u
        v, u = v + slope, u + 0.02 * tracking
        over = v > 30
        v, u = np.where(over, -65, v), u + 8 * over
        fired.append(over)
    np.testing.assert_array_equal(run.spikes[0], fired)
    np.testing.assert_allclose(run.potentials[0, -1], v, rtol=1e-6)
    assert 0.01 < np.mean(fired) < 0.5


def test_a_fixed_lsb_sets_the_scale() -> None:
    network = izhikevich()
    quantised = quantise(network, 4, 16, spikes(2, 40, 12, seed=1))
    for layer, found in zip(quantised.quantisation, quantised.populations, strict=True):
        lsb = layer.scale / 2**layer.weight_exponent
        assert lsb == pytest.approx(0.048828125, rel=1e-12)
        assert found.parameters["threshold"].tolist() == [round(30 / lsb)]
        assert found.parameters["c"].tolist() == [round(-65 / lsb)]
        assert found.parameters["a"].tolist() == [round(0.02 * 4096)]
        assert layer.rms_error < layer.scale
    with pytest.raises(
        SpikeletError, match=r"threshold of layer 'p0' must be in 0\.\.511, found 614"
    ):
        quantise(network, 4, 10)


CASES = {
    "cuba-lif": layers(
        *(neuron_model("cuba-lif"), matrices([12, 10, 4], 0.5)),
        **{"threshold": 1.0, "decay": 0.8, "decay_i": 0.6, "bias": 0.01},
    ),
    "lif-refractory": layers(
        *(neuron_model("lif-refractory"), matrices([12, 10, 4], 1.0)),
        **{"threshold": 1.0, "decay": 0.9, "refractory_period": 3},
    ),
    "izhikevich": izhikevich(),
    "noisy": layers(NOISY, matrices([12, 10, 4], 1.0), threshold=0.5, decay=0.75),
}


@pytest.mark.parametrize("name", CASES)
def test_integers_do_as_real_numbers_do(name: str, tmp_path: Path) -> None:
    """Nearly the same spikes; the same whatever the cores, also where neurons draw."""
    network, given = CASES[name], spikes(4, 40, 12, rate=0.3, seed=7)
    options: dict[str, Any] = {"weight_bits": 8, "potential_bits": 20, "calibration": given}
    whole = compile_network(network, **options)
    parts = compile_network(
        network, **options, limits=PlacementLimits(max_neurons=4, lanes=2, pipelines=2)
    )
    assert len(parts.chip.cores) > len(whole.chip.cores)
    parts.save(tmp_path)
    traces = [recorded(chip, given) for chip in (whole, parts, CompiledNetwork.load(tmp_path))]
    for layer in ("p0", "p1"):
        found = [
            Run(chip, t).spikes(layer) for chip, t in zip((whole, parts), traces, strict=False)
        ]
        np.testing.assert_array_equal(found[0], found[1])
        for state, values in Run(whole, traces[0]).states(layer).items():
            np.testing.assert_array_equal(Run(parts, traces[1]).states(layer)[state], values)
    assert traces[2].first_difference(traces[1]) is None
    shares = agreement(Run(whole, traces[0]), given)
    assert all(layer.float_spikes > 20 for layer in shares)
    assert all(layer.share > 0.85 for layer in shares)


def test_draws_depend_on_the_key_alone() -> None:
    network, given = CASES["noisy"], spikes(2, 30, 12, rate=0.3, seed=7)
    found = {}
    for key in (1, 2):
        compiled = compile_network(network, draw_key=key, weight_bits=8)
        assert compiled.network.draw_key == key
        assert [core.draw_key for core in compiled.image.cores] == [key, key]
        assert [core.draw_indices.tolist()[:4] for core in compiled.image.cores] == [
            [0, 1, 2, 3],
            [10, 11, 12, 13],
        ]
        found[key] = Run(compiled, recorded(compiled, given)).spikes("p0")
        assert agreement(Run(compiled, recorded(compiled, given)), given)[0].share > 0.9
    assert (found[1] != found[2]).any()
    runs = [run_layers(network, given, draw_key=key)[0].spikes for key in (1, 1, 2)]
    assert (runs[0] == runs[1]).all() and (runs[0] != runs[2]).any()
    with pytest.raises(SpikeletError, match=r"draw_key must be an int in 1\.\.4294967295, not 0"):
        compile_network(network, draw_key=0)


def test_first_tick_is_that_of_neurons_that_move_by_themselves() -> None:
    def first_ticks(network: Network) -> list[int]:
        return [core.first_tick for core in compile_network(network).chip.cores]

    assert first_ticks(CASES["lif-refractory"]) == [0, 0]
    assert first_ticks(CASES["cuba-lif"]) == first_ticks(izhikevich()) == [0, 1]
    assert first_ticks(CASES["noisy"]) == [0, 1]


def test_inhibition_in_one_core_and_in_two() -> None:
    model = neuron_model("nir-euler")
    network = layers(model, matrices([6, 5], 1.0), threshold=0.5, inhibition=0.25)
    given = spikes(3, 20, 6, rate=0.5)
    (float_run,) = run_float(network, given)
    compiled = compile_network(network, limits=PlacementLimits(lanes=4), weight_bits=4)
    (core,) = compiled.chip.cores
    assert core.n_neurons == 8 and core.scope("threshold") == "neuron"  # three are kept silent
    trace = recorded(compiled, given)
    assert float_run.spikes.any()
    np.testing.assert_array_equal(Run(compiled, trace).spikes("p0"), float_run.spikes)
    still = layers(model, matrices([6, 5], 1.0), threshold=0.5)
    assert (run_float(still, given)[0].spikes != float_run.spikes).any()
    split = compile_network(network, limits=PlacementLimits(max_neurons=4, lanes=4), weight_bits=4)
    assert [core.inhibition_axon for core in split.chip.cores] == [True, True]
    trace = recorded(split, given)
    np.testing.assert_array_equal(Run(split, trace).spikes("p0"), float_run.spikes)
    with pytest.raises(SpikeletError, match=r"7 axons \(6 from 'input' \+ 1 from its other cores"):
        compile_network(network, limits=PlacementLimits(max_neurons=4, max_axons=6, lanes=4))


def test_layers_of_different_models() -> None:
    """Each population has its own; what is saved names both."""
    first, second = (CASES[name].populations[0] for name in ("cuba-lif", "lif-refractory"))
    rng = np.random.default_rng(3)
    network = Network(
        "mixed",
        12,
        None,
        (first, Population("late", 10, second.neuron, second.parameters)),
        (
            Projection(INPUT, "p0", rng.integers(-2, 8, (12, 10)) / 16),
            Projection("p0", "late", rng.integers(-2, 8, (10, 10)) / 8),
        ),
        ("late",),
    )
    compiled = compile_network(network)
    assert [core.neuron.name for core in compiled.chip.cores] == ["cuba-lif", "lif-refractory"]
    assert [model.name for model in compiled.network.neurons] == ["cuba-lif", "lif-refractory"]
    trace = recorded(compiled, spikes(1, 10, 12))
    assert set(Run(compiled, trace).states("late")) == {"v", "refractory"}
    with pytest.raises(SpikeletError, match="has neurons of cuba-lif, lif-refractory and dt None"):
        compile_network(network, "cuba-lif")


def test_the_old_form_of_a_saved_network(tmp_path: Path) -> None:
    """It is named, with how to make it anew."""
    compiled = compile_network(layers(neuron_model("nir-euler"), [np.ones((2, 2))], threshold=1))
    compiled.save(tmp_path)
    record = tmp_path / "artefact.json"
    assert '"version": 8' in record.read_text()
    record.write_text(record.read_text().replace('"version": 8', '"version": 3'))
    with pytest.raises(SpikeletError, match="version") as info:
        CompiledNetwork.load(tmp_path)
    assert "compile the network again" in info.value.remedy


def test_a_population_refuses_by_kind() -> None:
    model = neuron_model("lif-refractory")
    for values, message in (
        (
            {"refractory_period": np.array([2.0, 64.0])},
            r"refractory_period must be in 0\.\.63, found",
        ),
        ({"decay": np.array([-0.5])}, r"decay must be in 0\.\.1, found -0\.5"),
        (
            {"threshold": np.array([1.0, 0.0])},
            r"threshold must be above 0, found 0 \(neuron 1 of 2",
        ),
    ):
        with pytest.raises(SpikeletError, match=f"population 'p': {message}"):
            population("p", 2, model, **values)
