"""``compile --like``: other contents for a chip that there is, and what needs another chip."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.like import compile_like
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.network.builder import PlasticNetwork
from spikelet.network.network import Network
from spikelet.runs.run import run
from spikelet.samples.samples import load_samples
from tests.compiler.test_shared_synapses import NETWORK as CONVOLUTION
from tests.compiler.test_sparse_synapses import SPIKES, network_of
from tests.helpers.networks import (
    SUBTRACT,
    branched,
    chain,
    lif,
    linear,
    sink,
    source,
    write,
)
from tests.helpers.networks import spikes as random_spikes
from tests.helpers.retrained import retrained

DIGITS = Path(__file__).parents[2] / "examples" / "digits"

SHAPES: dict[str, tuple[Callable[[int], Network], dict[str, Any]]] = {
    "one after another": (lambda seed: chain([9, 8, 4], seed=seed), {}),
    "branches, loops": (
        lambda seed: branched(seed=seed, recurrent=("c",), decay=np.array([0.5])),
        {},
    ),
    "small cores": (
        lambda seed: branched(seed=seed),
        {"max_neurons": 4, "lanes": 2, "pipelines": 2},
    ),
    "multicast": (lambda seed: chain([9, 40, 40], seed=seed), {"max_neurons": 16, "lanes": 8}),
}
"""Networks by seed, on one grid of weights; and limits."""


@pytest.mark.parametrize("shape", SHAPES)
def test_of_one_grid_it_is_what_a_compilation_of_its_own_is(shape: str) -> None:
    """Weights that both scales hold exactly: all contents are those of a free compilation."""
    network, limits = SHAPES[shape]
    there, wanted = (compile_network(network(seed), limits=limits) for seed in (1, 2))
    found, costs = compile_like(network(2), there)
    if shape != "small cores":  # in which a row of zeros is another axon less
        assert found.digests == wanted.digests
    spikes = random_spikes(2, 12, there.network.n_inputs, rate=0.5)
    shown = [run(one, spikes, record=("spikes",)).outputs for one in (found, wanted, there)]
    assert np.array_equal(*shown[:2]) and not np.array_equal(*shown[1:])
    assert found.digests["chip contents"] != there.digests["chip contents"]
    assert found.chip is there.chip
    assert all(cost.error == cost.own_error == 0 == cost.clipped for cost in costs)
    again, _ = compile_like(network(1), found)
    assert again.digests == there.digests


def test_kernels_and_sparse_rows_keep_their_memories() -> None:
    there = compile_network(CONVOLUTION, limits={"synapses": "shared"})
    turned = replace(
        CONVOLUTION,
        projections=tuple(
            replace(
                p,
                weights=-p.weights,
                convolution=p.convolution and replace(p.convolution, kernel=-p.convolution.kernel),
            )
            for p in CONVOLUTION.projections
        ),
    )
    found, _ = compile_like(turned, there)
    assert found.chip.digest == there.chip.digest
    assert {core.synapses for core in found.chip.cores} > {"shared"}
    for new, old in zip(found.image.cores, there.image.cores, strict=True):
        assert np.array_equal(new.weights, np.clip(-old.weights, -8, 7))  # -8 has no counterpart

    pruned = compile_network(network_of(0.1), limits={"synapses": "sparse"})
    fewer, more = network_of(0.05), network_of(0.2)
    kept, _ = compile_like(fewer, pruned)
    dense = compile_network(fewer, limits={"synapses": "dense"})
    rows = pruned.chip.cores[0]
    assert kept.chip is pruned.chip and rows.synapses == "sparse"
    shown = [run(one, SPIKES, record=("spikes",)).outputs for one in (kept, dense)]
    assert shown[0].any() and np.array_equal(*shown)
    with pytest.raises(
        SpikeletError,
        match=r"needs another structure.*sparse synapses\): there ent"
        r"ries \d+, fan_in \d+, needed entries \d+, fan_in \d+",
    ):
        compile_like(more, pruned)


def test_other_weights_cost_what_their_own_scale_would_not() -> None:
    first = chain([9, 8, 4], seed=1)
    there = compile_network(first)
    rng = np.random.default_rng(5)
    wider = replace(
        first,
        projections=tuple(
            replace(p, weights=1.4 * p.weights + rng.normal(0, 0.02, p.weights.shape))
            for p in first.projections
        ),
    )
    found, costs = compile_like(wider, there)
    own = compile_network(wider)
    assert found.chip.digest == there.chip.digest
    for cost, layer, free in zip(
        costs, there.network.quantisation, own.network.quantisation, strict=True
    ):
        assert (cost.scale, cost.own_scale) == (layer.scale, free.scale)
        assert cost.scale < cost.own_scale
        weights = wider.into(cost.name)[0].weights / cost.scale
        assert cost.clipped == ((np.round(weights) > 7) | (np.round(weights) < -8)).sum() > 0
        assert cost.error > cost.own_error > 0


def _with(network: Network, **fields: Any) -> Network:
    """Return a network whose last population has other fields or parameters."""
    *others, last = network.populations
    parameters = {**last.parameters, **fields.pop("parameters", {})}
    changed = replace(last, parameters=parameters, **fields)
    return replace(network, populations=(*others, changed))


CHAIN = chain([9, 8, 4], seed=1)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (chain([9, 7, 4], seed=1), r"neurons of layer 'p0': there 8, needed 7"),
        (chain([8, 8, 4], seed=1), r"inputs: there 9 lines, needed 8 lines"),
        (
            chain([9, 8, 4, 4], seed=1),
            r"populations: there p0, p1, needed p0, p1, p2; outputs: there p1, needed p2; "
            r"projections: there .*needed .*p1 -> p2 \(0 ticks\)",
        ),
        (
            chain([9, 8, 4], seed=1, neuron=SUBTRACT),
            r"neuron model of layer 'p0': there nir-euler, needed snntorch-subtract; neuron model",
        ),
        (
            _with(CHAIN, parameters={"bias": np.array([0.5])}),
            r"bias of layer 'p1': there 0, built in, needed \d+; first tick of layer 'p1': there "
            r"0, needed 1",
        ),
        (
            _with(CHAIN, parameters={"threshold": np.array([1, 1.5, 1, 1])}),
            r"threshold of layer 'p1': there one register, needed a value for each neuron",
        ),
        (
            _with(CHAIN, parameters={"threshold": np.array([1000.0])}),
            r"threshold of layer 'p1': there -?\d+..\d+, needed \d+..\d+",
        ),
    ],
)
def test_what_needs_another_structure_is_named(network: Network, message: str) -> None:
    there = compile_network(CHAIN)
    with pytest.raises(SpikeletError, match=rf"needs another structure than.*: {message}") as error:
        compile_like(network, there)
    assert "without --like" in error.value.remedy


def test_a_weight_from_where_no_axon_is_needs_another_structure() -> None:
    """Parts of a layer have axons only for those sources that they listened to."""
    first = chain([12, 8, 4], seed=1)
    halves = np.kron(np.eye(2), np.ones((6, 4)))
    whole = first.projections[0]
    pruned = replace(
        first, projections=(replace(whole, weights=whole.weights * halves), *first.projections[1:])
    )
    there = compile_network(pruned, limits={"max_axons": 8, "lanes": 4})
    assert len(there.chip.cores) == 3
    assert compile_like(pruned, there)[0].digests == there.digests
    with pytest.raises(
        SpikeletError, match=r"axons of core 1 from 'input' \(layer 'p0'\): there none"
    ):
        compile_like(first, there)


def _hand_built(high: int = 7, *, rule_max: int = 60, exponent: int = 0) -> PlasticNetwork:
    rule = pair_stdp(trace_bits=6, a_plus=0.1, a_minus=0.05, tau_plus=4.0, w_max=rule_max)
    network = PlasticNetwork("hand", seed=3)
    network.inputs("pixels", 6)
    network.population("a", 4, threshold=200, decay=3500)
    network.population("b", 3, threshold=9, decay=3500, weight_exponent=exponent)
    network.project("pixels", "a", weights=(0, 40), rule=rule)
    network.project("a", "b", weights=(-2, high))
    network.output("b")
    return network


def test_networks_built_by_hand() -> None:
    there = compile_network(_hand_built())
    found, costs = compile_like(_hand_built(6), there)
    assert found.chip.digest == there.chip.digest and not costs
    assert found.image.cores[1].weights.max() <= 6
    same, _ = compile_like(_hand_built(), there)
    assert same.digests == there.digests
    for network, message in (
        (_hand_built(9), r"weights of layer 'b': there -8..7 \(4 bits\), needed -1..9"),
        (_hand_built(exponent=1), r"weight exponent of layer 'b': there 0, needed 1"),
        (_hand_built(rule_max=50), r"learning rule of layer 'a'"),
    ):
        with pytest.raises(SpikeletError, match=message):
            compile_like(network, there)
    with pytest.raises(SpikeletError, match=r"is trained, and 'hand' was built by hand"):
        compile_like(CHAIN, there)


def _file(folder: Path, seed: int, hidden: int = 8) -> Path:
    nodes = {
        "in": source(9),
        "fc": linear(hidden, 9, seed),
        "hidden": lif(hidden),
        "out": sink(hidden),
    }
    return write(folder / f"{seed}-{hidden}.nir", nodes)


def test_the_command_keeps_the_chip_and_says_the_cost(tmp_path: Path) -> None:
    def compiled(*arguments: object) -> tuple[int, str]:
        fixed = ["--neuron", "snntorch-zero", "--dt", "1e-3"]
        result = CliRunner().invoke(main, ["compile", *map(str, arguments), *fixed])
        return result.exit_code, result.output

    old, new = tmp_path / "old", tmp_path / "new"
    code, said = compiled(_file(tmp_path, 1), "-o", old)
    assert code == 0, said
    code, said = compiled(_file(tmp_path, 2), "--like", old, "-o", new)
    assert code == 0, said
    assert "what the kept scales cost" in said and "weight scale (its own)" in said
    assert (new / "rtl/chip.v").read_bytes() == (old / "rtl/chip.v").read_bytes()
    assert (new / "rtl/program.hex").read_bytes() != (old / "rtl/program.hex").read_bytes()
    before, after = (CompiledNetwork.load(folder / "compiled").digests for folder in (old, new))
    assert before["chip structure"] == after["chip structure"]

    code, said = compiled(_file(tmp_path, 2, 9), "--like", old, "-o", tmp_path / "none")
    assert code == 1 and "neurons of layer 'hidden': there 8, needed 9" in said
    assert not (tmp_path / "none").exists()
    code, said = compiled(_file(tmp_path, 2), "--like", old, "--lanes", "4")
    assert code == 1 and "--like keeps the structure" in said and "limits" in said
    code, said = compiled(_file(tmp_path, 2))
    assert code == 2 and "Missing option" in said
    code, said = compiled(_file(tmp_path, 2), "--like", old)  # in its place
    assert code == 0, said
    assert (old / "rtl/program.hex").read_bytes() == (new / "rtl/program.hex").read_bytes()


def test_retrained_digits_classify_as_well_as_on_a_chip_of_their_own(tmp_path: Path) -> None:
    """The trained digits network, and one whose weights moved by a third of a weight unit."""
    file = retrained(DIGITS / "digits.nir", tmp_path / "retrained.nir", seed=2)
    there, own = compile_network(DIGITS / "digits.nir"), compile_network(file)
    found, costs = compile_like(file, there)
    assert found.chip.digest == there.chip.digest
    assert all(0 < cost.own_error < cost.error < 0.15 for cost in costs)
    samples = load_samples(DIGITS / "digits_test.npz", "test_")
    classes = [
        run(one, samples, record=("spikes",)).outputs.sum(axis=1).argmax(axis=1)
        for one in (found, own)
    ]
    assert (classes[0] == samples.labels).mean() > 0.96
    assert (classes[0] == classes[1]).mean() > 0.96
