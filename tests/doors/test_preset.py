"""A preset that only this file knows, from its text to runs on golden and RTL."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet import PlasticNetwork, Samples, SpikeletError, load_toml, run, verify
from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.description.presets.presets import presets
from spikelet.network.limits import PlacementLimits

SMALL = """
name = "small"
description = "a core of 8 axons by 4 neurons"
source = "this test"
neuron = "tinyodin-lif"
n_axons = 8
n_neurons = 4
weight_bits = 3
potential_bits = 9
weight_exponent = 1
lanes = 2
table = { theta = "threshold" }
differs = ["all"]
"""

NETWORK = """
preset = "small.toml"
outputs = ["cells"]
[inputs.lines]
size = 8
[populations.cells]
size = 4
threshold = [3, 5, 9, 20]
leak = 1
[[projections]]
source = "lines"
target = "cells"
weights = [1, 3]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "net.toml").write_text(NETWORK)
    return tmp_path


def spikes() -> np.ndarray:
    return np.random.default_rng(1).random((2, 30, 8)) < 0.2


def test_a_network_takes_what_it_does_not_say_from_its_preset(folder: Path) -> None:
    network = PlasticNetwork("own", preset=folder / "small.toml")
    network.inputs("lines", 8)
    network.population("cells", 4, threshold=[3, 5, 9, 20], leak=1)
    network.population("others", 2, threshold=9, neuron="nir-euler", potential_bits=14)
    network.project("lines", "cells", weights=(1, 3))
    network.project("cells", "others", weights=1)
    network.output("cells")
    compiled = compile_network(network)
    core, other = compiled.core("cells"), compiled.core("others")
    assert (core.neuron.name, core.weight_bits, core.weight_format) == ("tinyodin-lif", 3, "signed")
    assert (core.potential_bits, core.weight_exponent, core.lanes) == (9, 1, 2)
    assert (other.neuron.name, other.potential_bits, other.weight_exponent) == ("nir-euler", 14, 1)
    assert compiled.limits == PlacementLimits(8, 4, 2, synapses="dense")
    lanes = compile_network(network, limits={"lanes": 4}).limits
    assert (lanes.lanes, lanes.max_axons) == (4, 8)
    wide = PlasticNetwork("wide", preset=folder / "small.toml")
    wide.inputs("lines", 8)
    wide.population("cells", 4, threshold=3)
    wide.project("lines", "cells", weights=7)
    wide.output("cells")
    with pytest.raises(SpikeletError, match=r"need 4 bits; 3 bits hold -4\.\.3"):
        compile_network(wide)


def test_a_toml_file_names_its_preset(folder: Path) -> None:
    found = load_toml(folder / "net.toml")
    assert found.network.populations[0].neuron.name == "tinyodin-lif"
    assert found.limits.max_axons == 8 and found.limits.lanes == 2
    text = NETWORK + "[chip]\nlanes = 1\n"
    (folder / "net.toml").write_text(text)
    assert load_toml(folder / "net.toml").limits.lanes == 1
    assert load_toml(folder / "net.toml", preset="tinyodin").limits.max_axons == 256
    (folder / "net.toml").write_text(text.replace("small.toml", "tiny"))
    with pytest.raises(SpikeletError, match=r"net.toml: there is no preset 'tiny'"):
        load_toml(folder / "net.toml")


def test_the_command_line(folder: Path) -> None:
    def invoke(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(main, list(words))
        return found.exit_code, found.output

    code, output = invoke("presets")
    assert code == 0 and all(f"{p.name}: {p.description}" in output for p in presets().values())
    assert list(presets()) == [
        p["name"] for p in json.loads(invoke("presets", "--json")[1])["presets"]
    ]
    code, output = invoke("presets", str(folder / "small.toml"))
    assert code == 0 and "weights -4..3" in output and "theta" in output and "    all" in output
    assert json.loads(invoke("presets", "tinyodin", "--json")[1])["n_axons"] == 256
    code, output = invoke("presets", "none")
    assert code == 1 and "there is no preset 'none'" in output
    out = str(folder / "out")
    code, output = invoke("compile", str(folder / "net.toml"), "--preset", "loihi", "-o", out)
    assert code == 1 and "has no parameter 'leak'" in output
    code, output = invoke("compile", str(folder / "none.nir"), "--preset", "loihi", "-o", out)
    assert code == 1 and "a preset, 'loihi', can be given for a TOML file only" in output


@pytest.mark.slow
def test_it_runs_on_golden_and_rtl(folder: Path) -> None:
    found = compile_network(folder / "net.toml")
    samples = Samples(spikes().astype(np.uint8))
    assert run(found, samples.spikes).spikes("cells").sum() > 20
    assert verify(found, samples).equal
