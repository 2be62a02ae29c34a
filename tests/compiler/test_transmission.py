"""Networks whose projections transmit stochastically: compiled, run, split, saved, refused."""

from pathlib import Path

import numpy as np
import pytest

from spikelet import LearningRule, PlacementLimits, PlasticNetwork, SpikeletError, TraceParams
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.like import compile_like
from spikelet.golden.draws import next_key
from spikelet.network.toml_file import load_toml
from spikelet.runs.run import run

RULE = LearningRule("2^-3*x1*y0 - 2^-2*x0", x1=TraceParams(40, decay_shift=3, bits=8), w_max=120)
SPIKES = np.random.default_rng(4).random((2, 40, 8)) < 0.4


def network(transmission: float = 0.5) -> PlasticNetwork:
    """Return a network with a plastic and a fixed projection, the first of which can fail."""
    found = PlasticNetwork("failing", seed=3)
    found.inputs("lines", 6)
    found.inputs("others", 2)
    found.population("cells", 4, threshold=200, decay=3500)
    found.project("lines", "cells", weights=(60, 120), rule=RULE, transmission=transmission)
    found.project("others", "cells", weights=20)
    found.output("cells")
    return found


def compiled(transmission: float = 0.5, most: int = 4, **options: int) -> CompiledNetwork:
    limits = PlacementLimits(lanes=2, max_neurons=most)
    return compile_network(network(transmission), limits=limits, **options)


def test_beside_a_rule_in_one_core_and_in_two(tmp_path: Path) -> None:
    plain, one, two = compiled(1.0), compiled(), compiled(most=2)
    assert not plain.chip.cores[0].transmission and not plain.image.cores[0].transmission_key
    assert one.image.cores[0].transmission.tolist() == [128] * 6 + [256] * 2
    keys = [core.transmission_key for core in two.image.cores]
    assert len(two.chip.cores) == 2 and len({*keys, *map(next_key, keys)}) == 4
    counts = [run(net, SPIKES).counts("cells").sum() for net in (plain, one, two)]
    assert counts[0] > max(counts[1:]) and min(counts[1:]) > 0
    one.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.chip == one.chip and loaded.network.transmits("cells")
    assert loaded.network.projections[0].transmission == 128
    assert (run(loaded, SPIKES).counts("cells") == run(one, SPIKES).counts("cells")).all()


def test_the_draw_key_is_the_seed() -> None:
    same, other = compiled(draw_key=1), compiled(draw_key=2)
    spikes = [run(net, SPIKES).spikes("cells") for net in (compiled(), same, other)]
    assert (spikes[0] == spikes[1]).all() and (spikes[0] != spikes[2]).any()
    with pytest.raises(SpikeletError, match=r"draw_key must be an int in 1\.\.4294967295, not 0"):
        compiled(draw_key=0)


def test_like() -> None:
    one = compiled()
    same, _ = compile_like(network(0.25), one)
    assert same.image.cores[0].transmission.tolist() == [64] * 6 + [256] * 2
    with pytest.raises(SpikeletError, match="stochastic transmission of layer 'cells': there"):
        compile_like(network(1.0), one)


def test_toml(tmp_path: Path) -> None:
    file = tmp_path / "failing.toml"
    text = """
        name = "failing"
        outputs = ["cells"]
        [inputs.lines]
        size = 3
        [populations.cells]
        size = 2
        threshold = 9
        [[projections]]
        source = "lines"
        target = "cells"
        weights = 4
        transmission = 0.25
    """
    file.write_text(text)
    assert load_toml(file).network.projections[0].transmission == 64
    file.write_text(text.replace("0.25", "1.5"))
    with pytest.raises(SpikeletError, match=r"transmission must be a chance of .* not 1\.5"):
        load_toml(file)


@pytest.mark.parametrize("chance", [0, 0.003, 1.5, "0.5", True])
def test_chances_out_of_range(chance: object) -> None:
    with pytest.raises(
        SpikeletError, match=r"'lines' -> 'cells': transmission must be a chance of"
    ):
        network(chance)  # type: ignore[arg-type]
