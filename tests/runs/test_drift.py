"""Drift: counts, overlap and first difference at each width, against spikes counted by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.network.grid import grid
from spikelet.network.network import Network, Population
from spikelet.network.reference import run_float
from spikelet.runs.drift import Drift, drift
from spikelet.runs.run import run
from spikelet.runs.verify import verify
from spikelet.samples.samples import Samples
from tests.helpers.networks import spikes
from tests.network.test_normalise import network as off_grid


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(spikes(12, 20, 12), np.arange(12) % 4)


def of_width(found: tuple[Drift, ...], bits: int | None) -> Drift:
    (drifted,) = (d for d in found if d.weight_bits == bits)
    return drifted


def test_every_width_is_what_compile_makes_of_it(samples: Samples) -> None:
    """On other cores, and counted apart."""
    network = off_grid("snntorch-subtract", 3)
    found = drift(compile_network(network, potential_bits=20), samples)
    assert [d.weight_bits for d in found] == [None, *range(1, 9)]
    for bits in (1, 3, 8):
        ran = run(compile_network(network, weight_bits=bits, potential_bits=20), samples)
        drifted = of_width(found, bits)
        assert drifted.samples == 12
        assert drifted.score == samples.score(ran.output_counts())
        floats = run_float(network, samples.spikes)
        for layer, theirs in zip(drifted.layers, floats, strict=True):
            mine = ran.spikes(layer.name)
            assert layer.float_spikes == theirs.spikes.sum() > 0
            assert layer.integer_spikes == mine.sum()
            assert layer.common == (mine & theirs.spikes).sum()
            assert layer.first == tuple(np.argwhere(mine != theirs.spikes)[0].tolist())
            assert layer.verdict == "approximate"
            assert layer.overlap == (mine & theirs.spikes).sum() / (mine | theirs.spikes).sum()
    overlaps = [of_width(found, bits).layers[0].overlap or 0 for bits in (1, 4, 8)]
    assert overlaps == sorted(overlaps) and overlaps[0] < overlaps[2]


def test_a_grid_is_exact_from_its_width_on(samples: Samples) -> None:
    network = grid(off_grid("nir-euler", 1), 4, potential_bits=24)
    found = drift(compile_network(network, potential_bits=24), samples, (2, 4))
    for bits, verdict in ((None, "exact"), (2, "approximate"), (4, "exact")):
        layers = of_width(found, bits).layers
        assert [layer.verdict for layer in layers] == [verdict] * 2
        assert all((layer.first is None) == (layer.overlap == 1.0) for layer in layers)


def test_what_is_refused_is_unsupported(samples: Samples) -> None:
    """A layer of which one source's weights vanish at few bits."""
    network = off_grid("nir-euler", 1)
    scaled = [
        replace(p, weights=p.weights * (0.02 if p.source == p.target else 1))
        for p in network.projections
    ]
    found = drift(
        compile_network(replace(network, projections=tuple(scaled)), weight_bits=8), samples
    )
    few, many = of_width(found, 2), of_width(found, 8)
    assert not few.layers and few.score is None
    assert "all weights from 'a' into layer 'a' become 0 at 2 bits" in few.refused
    assert many.layers and not many.refused


def test_padding_is_no_difference(samples: Samples) -> None:
    network = off_grid("snntorch-zero", 2)
    lengths = np.full(12, 9)
    shown = samples.spikes.copy()
    shown[:, 9:] = 0
    padded = replace(samples, spikes=shown, lengths=lengths)
    short = replace(samples, spikes=samples.spikes[:, :9])
    compiled = compile_network(network)
    assert drift(compiled, padded, (3,)) == drift(compiled, short, (3,))


def test_networks_and_samples_without(samples: Samples) -> None:
    network: Network = off_grid("nir-euler", 1)
    compiled = compile_network(network)
    none: Any = replace(samples, spikes=samples.spikes[:0], labels=None)
    assert drift(compiled, none) == ()
    assert drift(replace(compiled, network=replace(compiled.network, floats=None)), samples) == ()
    unlabelled = drift(compiled, replace(samples, labels=None), (4,))
    assert unlabelled[0].score is not None and unlabelled[0].score.accuracy is None


def test_potentials_that_are_read(samples: Samples) -> None:
    """A layer that cannot spike is compared by its potentials, not called exact for its silence."""
    network = off_grid("nir-euler", 1)
    read = Population("b", 4, neuron_model("li"), {"decay": np.array([0.9])})
    network = replace(network, populations=(network.populations[0], read))
    found = drift(compile_network(network), samples, (2, 8))
    layers = [of_width(found, bits).layers[1] for bits in (2, 8)]
    assert [layer.verdict for layer in layers] == ["approximate"] * 2
    few, many = (layer.potential_error or 0 for layer in layers)
    assert few > many > 0


def test_an_array_is_the_spikes_of_samples(samples: Samples) -> None:
    compiled = compile_network(off_grid("nir-euler", 1))
    few = replace(samples.first(5), labels=None)
    assert drift(compiled, few.spikes, [4]) == drift(compiled, few, [4])
    found, wanted = (verify(compiled, given, ["golden"]) for given in (few.spikes, few))
    assert found.outputs == wanted.outputs and found.layers == wanted.layers and sum(found.outputs)
    with pytest.raises(SpikeletError, match="input spikes must be 0 or 1, found 2"):
        verify(compiled, 2 * few.spikes, ["golden"])
