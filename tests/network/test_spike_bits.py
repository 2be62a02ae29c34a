"""Layers whose neurons spike several times in a tick: the bits of their counts."""

import json
from pathlib import Path

import nir
import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.network.network import Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from spikelet.nir.export import to_nir
from spikelet.nir.importer import load_network
from tests.helpers.networks import linear, sink, source, write

SPIKES = (np.random.default_rng(3).random((4, 10, 6)) < 0.6).astype(np.uint8)


def network(**parameters: float) -> Network:
    """Return two layers on a grid of 1/4, of which the first may spike many times in a tick."""
    rng = np.random.default_rng(2)
    given = {"threshold": np.ones(1), **{n: np.array([v]) for n, v in parameters.items()}}
    last = {"threshold": np.full(1, 2.0)}
    return Network(
        "counts",
        6,
        None,
        (
            Population("many", 5, neuron_model("lif-multispike"), given),
            Population("once", 3, neuron_model("lif-subtract-ge"), last),
        ),
        (
            Projection("input", "many", rng.integers(-2, 7, (6, 5)) / 4),
            Projection("many", "once", rng.integers(-7, 8, (5, 3)) / 4),
        ),
        ("once",),
    )


def test_the_float_network_counts() -> None:
    many, once = run_float(network(), SPIKES)
    assert many.spikes.dtype == np.uint8 and many.spikes.max() > 2
    assert once.spikes.dtype == np.bool_
    potential = np.zeros((4, 5))
    for tick in range(10):
        potential += SPIKES[:, tick] @ network().projections[0].weights
        count = np.maximum(np.floor(potential), 0)
        potential -= count
        np.testing.assert_array_equal(many.spikes[:, tick], count)
        np.testing.assert_array_equal(many.potentials[:, tick], potential)


def test_a_floor_under_the_potential_acts_behind_the_reset() -> None:
    bounded = network(bounded=1, lowest=-0.25)
    (many, _), (free, _) = run_float(bounded, SPIKES), run_float(network(), SPIKES)
    weights = -np.abs(bounded.projections[0].weights)
    down = Network(
        *("down", 6, None, bounded.populations),
        (Projection("input", "many", weights), bounded.projections[1]),
        ("once",),
    )
    assert run_float(down, SPIKES)[0].potentials.min() == -0.25
    assert many.spikes.sum() >= free.spikes.sum()


def test_bits_are_those_that_are_needed_or_asked_for() -> None:
    def bits(*arguments: object, **options: object) -> int:
        return quantise(network(), 4, *arguments, **options).spike_bits["many"]

    most = int(run_float(network(), SPIKES)[0].spikes.max())
    assert bits() == 4
    assert bits(None, SPIKES) == most.bit_length() == 3
    assert bits(None, SPIKES, spike_bits=8) == 8
    assert bits(spike_bits={"many": 2}) == 2
    silent = np.zeros((1, 4, 6), np.uint8)
    assert bits(None, silent) == 1
    assert quantise(network(spike_bits=2), 4).spike_bits == {"many": 2}


@pytest.mark.parametrize("given", [0, 9, {"many": 9}])
def test_bits_out_of_range_are_refused(given: object) -> None:
    with pytest.raises(SpikeletError, match=r"spike_bits.* must be in 1\.\.8, found"):
        quantise(network(), 4, spike_bits=given)


def test_bits_of_a_layer_that_spikes_once_are_refused() -> None:
    with pytest.raises(SpikeletError, match="'once', whose neurons .* spike once a tick"):
        quantise(network(), 4, spike_bits={"once": 4})
    with pytest.raises(SpikeletError, match="'none', which is no layer"):
        quantise(network(), 4, spike_bits={"none": 4})


def test_the_chip_equals_the_float_network_in_counts() -> None:
    compiled = spikelet.compile(network(), weight_bits=4, calibration=SPIKES)
    assert [core.spike_bits for core in compiled.chip.cores] == [1, 3]
    result = spikelet.verify(compiled, spikelet.Samples(SPIKES))
    assert result.equal and [layer.verdict for layer in result.layers] == ["exact", "exact"]
    again = spikelet.compile(compiled, weight_bits=5)
    assert again.network.spike_bits == compiled.network.spike_bits


def test_a_layer_that_learns_takes_no_counts() -> None:
    rule = spikelet.LearningRule(
        "2^-2*x0*y1", y1=spikelet.TraceParams(increment=4), w_min=-8, w_max=7
    )
    with pytest.raises(SpikeletError, match="population 'once': core: graded spikes, of 4 bits"):
        spikelet.compile(network(), weight_bits=4, plastic={"once": rule})


def test_a_file_of_ours_keeps_what_nir_has_no_field_for(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    given = network(bounded=1, lowest=-0.25, spike_bits=3)
    path.write_bytes(to_nir(given)[0])
    found = load_network(path)
    mine, theirs = given.populations[0].parameters, found.populations[0].parameters
    assert mine.keys() == theirs.keys() and all((mine[n] == theirs[n]).all() for n in mine)
    for told in ('{"many": {"none": [1]}}', '{"other": {}}', "[1]", '{"many": {"lowest": "x"}}'):
        other = nir.read(path)
        other.metadata["neuron_parameters"] = told
        nir.write(tmp_path / "bad.nir", other)
        with pytest.raises(SpikeletError, match="'neuron_parameters' is no JSON of numbers"):
            load_network(tmp_path / "bad.nir")


def test_check_says_exact_where_the_bits_hold_all(tmp_path: Path) -> None:
    weights = np.random.default_rng(1).integers(-7, 8, (5, 6)) / 4
    neurons = nir.IF(np.ones(5), np.full(5, 1.0))
    nodes = {"in": source(6), "fc": linear(5, 6, 1), "n": neurons, "out": sink(5)}
    nodes["fc"].weight = weights
    path = write(tmp_path / "net.nir", nodes)

    def said(*options: str) -> dict[str, str]:
        arguments = ["check", str(path), "--framework", "sinabs", "--json", *options]
        found = json.loads(CliRunner().invoke(main, arguments).stdout)
        return {node["name"]: (node["verdict"], *node["reasons"]) for node in found["nodes"]}

    assert said("--spike-bits", "8")["n"] == ("exact",)
    verdict, reason = said()["n"]
    assert verdict == "approximate" and "at most 15 in a tick, in 4 bits" in reason
