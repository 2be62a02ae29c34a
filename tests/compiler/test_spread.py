"""Layers spread over more cores: the same spikes in fewer clock cycles, and clear errors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.spread import cores_of_layers
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run
from spikelet.runs.throughput import throughput
from spikelet.samples.samples import Samples
from tests.helpers.networks import chain, spikes

LIMITS = PlacementLimits(lanes=4)
NETWORK = chain([24, 32, 12, 3])
SHOWN = spikes(4, 8, 24)


@pytest.fixture(scope="module")
def usual() -> CompiledNetwork:
    return compile_network(NETWORK, limits=LIMITS, calibration=SHOWN)


def cycles(compiled: CompiledNetwork) -> float:
    found = throughput(compiled, Samples(SHOWN))
    assert found is not None
    return found.cycles


def check_spikes(usual: CompiledNetwork, wider: CompiledNetwork) -> None:
    first, second = (run(compiled, SHOWN, record=("spikes",)) for compiled in (usual, wider))
    assert first.outputs.any()
    assert np.array_equal(first.outputs, second.outputs)
    for layer in usual.layers:
        assert first.spikes(layer.name).any()
        assert np.array_equal(first.spikes(layer.name), second.spikes(layer.name)), layer.name


def test_layers_named_with_their_cores_spike_as_before(usual: CompiledNetwork) -> None:
    limits = replace(LIMITS, layer_cores=(("p0", 4), ("p1", 2)))
    wider = compile_network(NETWORK, limits=limits)
    assert [len(layer.slices) for layer in usual.layers] == [1, 1, 1]
    assert [len(layer.slices) for layer in wider.layers] == [4, 2, 1]
    assert [part.count for part in wider.layer("p0").slices] == [8] * 4
    check_spikes(usual, wider)
    assert cycles(wider) < cycles(usual)


def test_the_slowest_layer_is_spread_over_so_many_cores(usual: CompiledNetwork) -> None:
    wider = compile_network(NETWORK, limits=LIMITS, calibration=SHOWN, spread=2)
    assert wider.limits.layer_cores == (("p0", 2),)
    assert [len(layer.slices) for layer in wider.layers] == [2, 1, 1]
    check_spikes(usual, wider)


def test_auto_spreads_until_nothing_improves(usual: CompiledNetwork) -> None:
    wider = compile_network(NETWORK, limits=LIMITS, calibration=SHOWN, spread="auto")
    two = compile_network(NETWORK, limits=LIMITS, calibration=SHOWN, spread=2)
    check_spikes(usual, wider)
    assert cycles(wider) < cycles(two) < cycles(usual)
    assert len(wider.chip.cores) > len(two.chip.cores)


def test_auto_ends_where_the_device_is_full() -> None:
    seen = []

    def fits(compiled: CompiledNetwork) -> bool:
        seen.append(len(compiled.chip.cores))
        return seen[-1] <= 4

    wider = compile_network(NETWORK, limits=LIMITS, calibration=SHOWN, spread="auto", fits=fits)
    assert len(wider.chip.cores) <= 4 < seen[-1]


def test_without_it_nothing_changes(usual: CompiledNetwork, tmp_path: Path) -> None:
    one = replace(LIMITS, layer_cores=(("p0", 1),))
    same = compile_network(NETWORK, limits=one, calibration=SHOWN)
    assert same.chip.digest == usual.chip.digest
    usual.save(tmp_path)
    assert "layer_cores" not in (tmp_path / "chip.json").read_text()


def test_a_folder_keeps_the_cores_of_layers(tmp_path: Path) -> None:
    wider = compile_network(NETWORK, limits=replace(LIMITS, layer_cores=(("p0", 4),)))
    wider.save(tmp_path)
    again = CompiledNetwork.load(tmp_path)
    assert again.limits == wider.limits
    assert len(compile_network(again, calibration=SHOWN).layer("p0").slices) == 4


@pytest.mark.parametrize(
    ("layer_cores", "message"),
    [
        (
            {"p0": 9},
            r"'p0' has 32 neurons, which are 8 groups of 4 lanes: .* 8 cores at most, not 9",
        ),
        ({"q": 2}, r"there is no population 'q' to spread over 2 cores"),
        ({"p0": 0}, r"layer_cores must name populations, once each, with 1 core or more"),
        ([["p0", 2], ["p0", 3]], r"layer_cores must name populations, once each"),
        ("p0", r"layer_cores must name populations"),
    ],
)
def test_cores_that_cannot_be(layer_cores: object, message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        compile_network(NETWORK, limits={"lanes": 4, "layer_cores": layer_cores})


def test_a_layer_that_learns_is_not_spread() -> None:
    rule = LearningRule("x1*y0", x1=TraceParams(1, bits=4), w_max=7, w_min=-8)
    with pytest.raises(SpikeletError, match=r"'p1' cannot be spread over 2 cores: it learns"):
        compile_network(
            NETWORK, limits={"lanes": 4, "layer_cores": {"p1": 2}}, plastic={"p1": rule}
        )


@pytest.mark.parametrize("given", [1, 0, "some", 2.0])
def test_spread_over_what_is_no_number_of_cores(given: object) -> None:
    with pytest.raises(SpikeletError, match=r"spread must be a number of cores, 2 or more, or"):
        compile_network(NETWORK, limits=LIMITS, calibration=SHOWN, spread=given)  # type: ignore[arg-type]


def test_spread_needs_samples() -> None:
    with pytest.raises(SpikeletError, match=r"spread needs samples.*\n.*--calibration"):
        compile_network(NETWORK, limits=LIMITS, spread="auto")


def test_what_is_spread_over_so_many_must_fit() -> None:
    with pytest.raises(SpikeletError, match=r"'p0' spread over 3 cores, 5 in all, it does not fit"):
        compile_network(
            NETWORK, limits=LIMITS, calibration=SHOWN, spread=3, fits=lambda compiled: False
        )


def test_layers_and_cores_of_the_command_line() -> None:
    assert cores_of_layers(["a=2", "b=x=3"]) == {"a": 2, "b=x": 3}
    for texts in (["a"], ["=2"], ["a=0"], ["a=two"], ["a=2", "a=3"]):
        with pytest.raises(SpikeletError, match="--layer-cores must be LAYER=CORES"):
            cores_of_layers(texts)
