"""Convolutions on their way from a float network to cores that share a kernel."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.neurons.models import neuron_model
from spikelet.network.convolution import Convolution
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.project import Project
from spikelet.runs.run import run
from spikelet.samples.samples import Samples

RNG = np.random.default_rng(1)


def projection(source: str, target: str, convolution: Convolution) -> Projection:
    weights = np.zeros((convolution.n_source, convolution.size))
    sources, targets, values = convolution.triplets()
    weights[sources, targets] = values
    return Projection(source, target, weights, convolution)


def population(name: str, size: int, threshold: float) -> Population:
    parameters = {"threshold": np.array([threshold]), "decay": np.array([0.5])}
    return Population(name, size, neuron_model("snntorch-subtract"), parameters)


def grid(*shape: int) -> np.ndarray:
    """Return weights that 4 bits hold exactly, the ends of the range among them."""
    weights = RNG.integers(-7, 8, shape) / 8
    weights.flat[:2] = -1, 7 / 8
    return weights


FIRST = Convolution(grid(8, 2, 3, 3), (2, 9, 10), (2, 2), (1, 1), ((1, 1), (1, 1)))
SECOND = Convolution(grid(6, 4, 3, 2), (8, 5, 5), (1, 1), (1, 2), ((1, 1), (0, 1)), 2)
NETWORK = Network(
    "maps",
    FIRST.n_source,
    None,
    (
        population("a", FIRST.size, 1.5),
        population("b", SECOND.size, 0.75),
        population("c", 10, 1.0),
    ),
    (
        projection(INPUT, "a", FIRST),
        projection("a", "b", SECOND),
        Projection("b", "c", grid(SECOND.size, 10)),
    ),
    ("c",),
)
SPIKES = (RNG.random((3, 12, FIRST.n_source)) < 0.3).astype(np.uint8)


def formats(compiled: CompiledNetwork) -> list[list[str]]:
    """Return the synapse format of each core of each layer."""
    cores = compiled.chip.cores
    return [[cores[part.core].synapses for part in layer.slices] for layer in compiled.layers]


@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({}, [1, 1, 1]),
        ({"lanes": 4, "max_neurons": 64}, [4, 3, 1]),
        ({"lanes": 2, "max_axons": 170}, [3, 4, 1]),
    ],
)
@pytest.mark.parametrize("synapses", ["shared", "gather"])
def test_shared_equals_dense(synapses: str, limits: dict[str, int], cores: list[int]) -> None:
    """Also where maps are cut by rows, and by channels."""
    shared, dense = (
        compile_network(NETWORK, limits={"synapses": name, **limits})
        for name in (synapses, "dense")
    )
    assert formats(shared) == [[synapses] * cores[0], [synapses] * cores[1], ["dense"] * cores[2]]
    assert {name for layer in formats(dense) for name in layer} == {"dense"}
    runs = [run(one, SPIKES, record=("spikes", "states")) for one in (shared, dense)]
    for layer in "abc":
        spikes, potentials = (
            [getattr(one, what)(layer) for one in runs] for what in ("spikes", "states")
        )
        assert 0.02 < spikes[0].mean() < 0.9
        assert (spikes[0] == spikes[1]).all()
        assert (potentials[0]["v"] == potentials[1]["v"]).all()


def test_a_kernel_takes_its_bits_in_each_core() -> None:
    compiled = compile_network(NETWORK, limits={"synapses": "shared", "max_neurons": 64})
    for layer, convolution in (("a", FIRST), ("b", SECOND)):
        whole = convolution.kernel.shape[0] * convolution.shape[0] * np.prod(convolution.window)
        for part in compiled.layer(layer).slices:
            core = compiled.chip.cores[part.core]
            assert compiled.image.cores[part.core].weights.size <= whole
            assert core.weight_rows * core.lanes == compiled.image.cores[part.core].weights.size


@pytest.mark.slow
def test_from_network_to_rtl_saved_and_loaded(tmp_path: Path) -> None:
    compiled = compile_network(NETWORK, limits={"synapses": "shared", "lanes": 4, "max_axons": 200})
    assert [len(layer) for layer in formats(compiled)] == [2, 4, 1]
    project = Project(tmp_path)
    project.save(compiled)
    loaded = project.load()
    assert loaded.digests == compiled.digests
    result = project.verify(Samples(SPIKES), ("golden", "rtl"))
    assert result.equal
    page, _ = project.report()
    assert "a part of its map" in page.read_text()
    again = compile_network(loaded, limits={"synapses": "shared", "max_axons": 4096})
    assert formats(again) == [["shared"], ["shared"], ["dense"]]


def test_what_takes_less_is_chosen() -> None:
    """A kernel as large as its map is a dense layer; shared, it would need sums besides."""
    whole = Convolution(grid(16, 4, 6, 6), (4, 6, 6), (1, 1), (1, 1), ((0, 0), (0, 0)))
    network = Network(
        "whole",
        whole.n_source,
        None,
        (population("a", whole.size, 2.0),),
        (projection(INPUT, "a", whole),),
        ("a",),
    )
    assert formats(compile_network(network)) == [["dense"]]
    assert formats(compile_network(network, limits={"synapses": "shared"})) == [["shared"]]
    large = Convolution(grid(8, 2, 3, 3), (2, 20, 20), (1, 1), (1, 1), ((1, 1), (1, 1)))
    network = replace(
        network,
        n_inputs=large.n_source,
        populations=(population("a", large.size, 2.0),),
        projections=(projection(INPUT, "a", large),),
    )
    assert formats(compile_network(network)) == [["shared"]]
    small = {"block_ram": 4096}
    assert formats(compile_network(network, limits=small)) == [["gather"]]
    few = Convolution(grid(2, 1, 7, 7), (1, 16, 16), (1, 1), (1, 1), ((3, 3), (3, 3)))
    network = replace(
        network,
        n_inputs=few.n_source,
        populations=(population("a", few.size, 2.0),),
        projections=(projection(INPUT, "a", few),),
    )
    small["pipelines"] = 2  # sums leave at once; windows have many words, rows of sums few bits
    assert formats(compile_network(network, limits=small)) == [["shared"]]


def test_a_target_says_how_large_block_rams_are(tmp_path: Path) -> None:
    single = replace(
        NETWORK,
        populations=NETWORK.populations[:1],
        projections=NETWORK.projections[:1],
        outputs=("a",),
    )
    Project(tmp_path / "first").save(compile_network(single))
    for target, found in (("ICE40UP5K-SG48", "gather"), ("LFE5U-25F", "shared")):
        folder = tmp_path / target
        arguments = ["compile", str(tmp_path / "first"), "-o", str(folder), "--target", target]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        assert formats(Project(folder).load()) == [[found]]
        assert found in result.output


def test_what_cannot_be_shared_stays_dense() -> None:
    """Layers that learn, that several projections lead to, and matrices that are no convolution."""
    limits = {"synapses": "shared"}
    first = NETWORK.projections[0]
    single = replace(
        NETWORK, populations=NETWORK.populations[:1], projections=(first,), outputs=("a",)
    )
    assert formats(compile_network(single, limits=limits)) == [["shared"]]
    plastic = compile_network(
        single, limits=limits, plastic={"a": pair_stdp(w_min=-8, w_max=7, rounding="nearest")}
    )
    assert formats(plastic) == [["dense"]]
    changed = first.weights.copy()
    changed[np.argmax(changed[:, 0]), 0] /= 2
    other = replace(single, projections=(replace(first, weights=changed),))
    assert {name for layer in formats(compile_network(other, limits=limits)) for name in layer} == {
        "dense"
    }
    recurrent = replace(single, projections=(first, Projection("a", "a", np.eye(FIRST.size) / 8)))
    found = formats(compile_network(recurrent, limits=limits))
    assert {name for layer in found for name in layer} == {"dense"}
