"""A layer of a trained network that learns on the chip, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet import LearningRule, PlacementLimits, SpikeletError, TraceParams, write_nir
from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.runs.run import run
from tests.helpers.networks import chain, spikes

TEXT = (
    'dw = "x1*y0 - x0"\nx1 = { increment = 4, decay_shift = 2, bits = 4 }\nw_min = -8\nw_max = 7\n'
)
RULE = LearningRule(
    "x1*y0 - x0", x1=TraceParams(4, decay_shift=2, bits=4), w_min=-8, w_max=7, name="rule"
)


def trained() -> Any:
    """Return two layers with weights that use the whole range of 4 bits."""
    return chain([6, 8, 3], scale=0.5)


def test_a_plastic_layer_of_a_trained_network(tmp_path: Path) -> None:
    network = compile_network(trained()).network
    compiled = compile_network(network.make_plastic("p1", RULE), limits=PlacementLimits(lanes=2))
    assert compiled.learns and compiled.core("p1").learning == RULE
    assert compiled.core("p0").learning is None
    fired = spikes(4, 20, 6, rate=0.5)
    learned = run(compiled, fired)
    before, after = compiled.weights("p0", "p1"), learned.weights("p0", "p1")
    assert (before == network.projection("p0", "p1").weights).all()
    assert (before != after).any() and after.min() >= -8 and after.max() <= 7
    assert (run(compiled, fired, learning=False).weights("p0", "p1") == before).all()
    compiled.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.network.floats is not None and loaded.digests == compiled.digests
    again = run(loaded, fired)
    assert again.recording.first_difference(learned.recording) is None
    assert (again.final.checksums() == learned.final.checksums()).all()


def test_what_it_learned_comes_back_from_its_nir_file(tmp_path: Path) -> None:
    network = replace(trained(), dt=1e-3)
    compiled = compile_network(network, plastic={"p1": RULE})
    fired = spikes(3, 20, 6, rate=0.5)
    learned = run(compiled, fired)
    still = run(compiled, fired, start=learned.final, learning=False)
    assert write_nir(learned.network, tmp_path / "out.nir") == ["how p1 learns: rule"]
    (neuron,) = network.neurons
    back = compile_network(tmp_path / "out.nir", neuron, weight_bits=8, potential_bits=22)
    found = run(back, fired)
    for name in ("p0", "p1"):
        assert still.spikes(name).any()
        assert (found.spikes(name) == still.spikes(name)).mean() > 0.99


def test_a_compiled_network_keeps_its_rules_when_compiled_otherwise(tmp_path: Path) -> None:
    compile_network(trained(), plastic={"p1": RULE}).save(tmp_path)
    wider = compile_network(tmp_path, weight_bits=5)
    assert wider.core("p1").learning == RULE and wider.core("p1").weight_bits == 5
    again = compile_network(tmp_path)
    assert again.chip == CompiledNetwork.load(tmp_path).chip


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compile_network(trained()).save("trained")
    Path("rule.toml").write_text(TEXT)
    command = ["compile", "trained", "-o", "out", "--plastic", "p1=rule.toml", "--lanes", "2"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    compiled = CompiledNetwork.load("out/compiled")
    assert compiled.core("p1").learning == RULE and compiled.core("p1").lanes == 2
    assert {"chip.v", "testbench.v"} <= {path.name for path in Path("out/rtl").iterdir()}
    for option, message in (
        ("p1", "--plastic must be LAYER=RULE.toml, not 'p1'"),
        ("p9=rule.toml", "there is no population 'p9'; there are p0, p1"),
        ("p1=absent.toml", "absent.toml cannot be read"),
    ):
        done = CliRunner().invoke(main, ["compile", "trained", "-o", "x", "--plastic", option])
        assert done.exit_code == 1 and message in done.output


def refused(message: str, source: Any, layer: str = "p1", rule: Any = RULE, **options: Any) -> None:
    with pytest.raises(SpikeletError, match=message):
        compile_network(source, plastic={layer: rule}, **options)


def test_what_is_refused() -> None:
    narrow = replace(RULE, w_min=0)
    low, high = (int(f(compile_network(trained()).weights("p0", "p1"))) for f in (np.min, np.max))
    refused(
        rf"'p0' -> 'p1' has weights of {low}\.\.{high}, which the bounds of rule rule, 0\.\.7",
        trained(),
        rule=narrow,
    )
    wide = replace(RULE, w_max=100)
    refused(
        r"weights and bounds -8\.\.100 .* need 8 bits; 4 bits hold -8\.\.7", trained(), rule=wide
    )
    without_0 = [
        replace(p, weights=np.where(p.weights == 0, 0.125, p.weights))
        for p in trained().projections
    ]
    binary = replace(trained(), projections=tuple(without_0))
    refused("weights of 1 bit, .* cannot learn", binary, weight_bits=1)
    first, second = trained().populations
    biased = replace(second, parameters={**second.parameters, "bias": np.full(3, 0.5)})
    deep = replace(trained(), populations=(first, biased))
    refused("'p1' at depth 1 does not stay at rest without input", deep)
    with pytest.raises(SpikeletError, match=r"population 'p0' needs \d+ axons .* than the 4 that"):
        compile_network(trained(), plastic={"p0": RULE}, limits=PlacementLimits(max_axons=4))


def test_a_population_that_need_not_stay_whole_is_split() -> None:
    compiled = compile_network(
        trained(), plastic={"p1": RULE}, limits=PlacementLimits(max_neurons=4, lanes=4)
    )
    assert [len(layer.slices) for layer in compiled.layers] == [2, 1]
