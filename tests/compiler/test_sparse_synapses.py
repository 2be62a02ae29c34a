"""Pruned networks on their way from a float network to cores that store rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.project import Project
from spikelet.runs.run import run
from spikelet.samples.samples import Samples


def grid(rng: np.random.Generator, density: float, *shape: int) -> np.ndarray:
    """Return weights that 4 bits hold exactly, the ends of the range among them, so dense."""
    weights = np.where(rng.random(shape) < density, rng.integers(1, 8, shape), 0)
    weights *= rng.choice([-1, 1, 1], shape)
    weights.flat[:2] = -8, 7
    return weights / 8


def population(name: str, size: int, threshold: float) -> Population:
    parameters = {"threshold": np.array([threshold]), "decay": np.array([0.5])}
    return Population(name, size, neuron_model("snntorch-subtract"), parameters)


def network_of(density: float, sizes: tuple[int, int, int] = (300, 120, 10)) -> Network:
    """Return two layers, of which the first is pruned."""
    rng = np.random.default_rng(1)
    inputs, hidden, outputs = sizes
    return Network(
        "pruned",
        inputs,
        None,
        (population("a", hidden, 1.0), population("b", outputs, 8.0)),
        (
            Projection(INPUT, "a", grid(rng, density, inputs, hidden)),
            Projection("a", "b", grid(rng, 1.0, hidden, outputs)),
        ),
        ("b",),
    )


NETWORK = network_of(0.1)
SPIKES = (np.random.default_rng(2).random((3, 12, 300)) < 0.15).astype(np.uint8)


def formats(compiled: CompiledNetwork) -> list[list[str]]:
    """Return the synapse format of each core of each layer."""
    cores = compiled.chip.cores
    return [[cores[part.core].synapses for part in layer.slices] for layer in compiled.layers]


@pytest.mark.parametrize(
    ("limits", "cores"),
    [({}, 1), ({"lanes": 4, "max_neurons": 50}, 3), ({"lanes": 32, "max_axons": 200}, 2)],
)
def test_sparse_equals_dense(limits: dict[str, int], cores: int) -> None:
    """Also where a layer is cut into parts."""
    sparse, dense = (
        compile_network(NETWORK, limits={"synapses": name, **limits})
        for name in ("sparse", "dense")
    )
    found = formats(sparse)
    assert set(found[0]) == {"sparse"} and len(found[0]) >= cores
    assert set(found[1]) == {"dense"} == {name for layer in formats(dense) for name in layer}
    runs = [run(one, SPIKES, record=("spikes", "states")) for one in (sparse, dense)]
    for layer in "ab":
        spikes, states = (
            [getattr(one, what)(layer) for one in runs] for what in ("spikes", "states")
        )
        assert 0.02 < spikes[0].mean() < 0.9
        assert (spikes[0] == spikes[1]).all()
        assert (states[0]["v"] == states[1]["v"]).all()


def test_auto_takes_it_where_it_saves_block_rams_and_cycles() -> None:
    sparse, dense = (
        compile_network(NETWORK, limits={"synapses": name}) for name in ("auto", "dense")
    )
    assert formats(sparse) == [["sparse"], ["dense"]]
    device = device_named("LFE5U-25F")
    needed = [check_fit(one.chip, device).needed["block_rams"] for one in (sparse, dense)]
    assert needed[0] < needed[1]
    cycles = [run(one, SPIKES).recording.cycles.mean() for one in (sparse, dense)]
    assert cycles[0] < cycles[1]


@pytest.mark.parametrize("network", [network_of(0.6), network_of(0.1, (20, 16, 4))])
def test_auto_leaves_alone_what_is_dense_or_small(network: Network) -> None:
    """Of a layer that fits one block RAM, rows save none."""
    assert formats(compile_network(network)) == [["dense"], ["dense"]]


@pytest.mark.slow
def test_from_network_to_rtl_saved_and_loaded(tmp_path: Path) -> None:
    compiled = compile_network(NETWORK)
    project = Project(tmp_path)
    project.save(compiled)
    loaded = project.load()
    assert loaded.digests == compiled.digests and formats(loaded) == [["sparse"], ["dense"]]
    result = project.verify(Samples(SPIKES), ("golden", "rtl"))
    assert result.equal
    page, _ = project.report()
    assert "<td>sparse</td>" in page.read_text()
    assert "a part of its map" not in page.read_text()


def test_retrained_weights_of_the_same_places_load_into_the_same_chip() -> None:
    """As after fine-tuning with a mask: structure, and so what was placed and routed, stays."""
    first, second = NETWORK.projections
    weights = first.weights.copy()
    weights[weights > 0] = 1 - weights[weights > 0]
    weights.flat[:2] = first.weights.flat[:2]
    assert (weights != first.weights).mean() > 0.04
    retrained = replace(NETWORK, projections=(replace(first, weights=weights), second))
    old, new = compile_network(NETWORK), compile_network(retrained)
    assert new.chip == old.chip and new.chip.digest == old.chip.digest
    new.image.check(old.chip)
    spikes = [run(one, SPIKES).spikes("b") for one in (old, new)]
    assert (spikes[0] != spikes[1]).any()


def test_what_has_no_room_is_refused() -> None:
    compiled = compile_network(NETWORK)
    core = compiled.chip.cores[compiled.layer("a").slices[0].core]
    matrix = core.synapse_format.matrix(core, compiled.image.cores[0].weights)
    matrix[:, :64] = 1
    with pytest.raises(SpikeletError, match=r"layer 'a': \d+ entries; the core has room for \d+"):
        core.synapse_format.stored(core, matrix, "layer 'a'")


def test_rows_that_no_core_has_room_for() -> None:
    """With one lane there is an entry for each weight."""
    rng = np.random.default_rng(5)
    network = Network(
        "large",
        1000,
        None,
        (population("a", 700, 40.0),),
        (Projection(INPUT, "a", grid(rng, 0.45, 1000, 700)),),
        ("a",),
    )
    limits = {"lanes": 1, "max_neurons": 700}
    assert formats(compile_network(network, limits=limits)) == [["dense"]]
    with pytest.raises(SpikeletError, match="rows of 'a' have more entries than a core may"):
        compile_network(network, limits={"synapses": "sparse", **limits})


def test_sparse_by_hand_refuses_what_is_too_dense_or_learns() -> None:
    limits = {"synapses": "sparse"}
    with pytest.raises(
        SpikeletError,
        match=r"no layer can be stored as sparse rows: rows of 'a' take [\d,]+ bits, dense weights "
        r"[\d,]+; rows of 'b'",
    ):
        compile_network(network_of(1.0), limits=limits)
    single = replace(
        NETWORK,
        populations=NETWORK.populations[:1],
        projections=NETWORK.projections[:1],
        outputs=("a",),
    )
    rule = pair_stdp(w_min=-8, w_max=7, rounding="nearest")
    with pytest.raises(SpikeletError, match="no layer can be stored as sparse rows: 'a' learns"):
        compile_network(single, limits=limits, plastic={"a": rule})
    assert formats(compile_network(single, plastic={"a": rule})) == [["dense"]]
