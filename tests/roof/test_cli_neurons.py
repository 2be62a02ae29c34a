"""``spikelet neurons``: the models that are there, and all of one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.description.neurons.models import neuron_models


def invoke(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(main, ["neurons", *words])
    return found.exit_code, found.output


def test_the_list_names_every_model_with_its_states_and_source() -> None:
    code, output = invoke()
    assert code == 0
    for model in neuron_models().values():
        assert f"{model.name}: {model.description}" in output
        assert f"    states {', '.join(model.state_names)}; {model.source}" in output
    code, output = invoke("--json")
    assert [found["name"] for found in json.loads(output)["neurons"]] == list(neuron_models())


@pytest.mark.parametrize("name", neuron_models())
def test_a_model_is_printed_whole(name: str) -> None:
    code, output = invoke(name)
    model = neuron_models()[name]
    assert code == 0
    assert all(line in output for line in model.text.splitlines())
    for item in (*model.states, *model.parameters):
        assert f"    {item.name}: {item.kind}, " in output
    needed = any(p.default is None and not p.constant for p in model.parameters)
    assert "latency: " in output and ("must be given" in output) == needed
    fields = json.loads(invoke(name, "--json")[1])
    assert fields["text"] == model.text and fields["latency"] >= 2
    assert 0 < fields["state_bits"]["v"] <= 16


def test_what_is_not_there() -> None:
    code, output = invoke("lif")
    assert code == 1 and "there is no neuron model 'lif'" in output and "nir-euler" in output
    code, output = invoke("none.toml")
    assert code == 1 and "none.toml" in output
    code, output = invoke("--cost", "ecp5")
    assert code == 2 and "--cost is of one MODEL" in output
    code, output = invoke("nir-euler", "--cost", "none")
    assert code == 1 and "device must be one of" in output


def test_a_file_with_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('name = "bad"\ntext = "v = w"\n[states.v]\n[states.fired]\nkind = "flag"\n')
    code, output = invoke(str(path))
    assert code == 1 and "bad.toml" in output and "unknown name 'w'" in output


@pytest.mark.slow
def test_cost_of_a_pipeline() -> None:
    code, output = invoke("nir-euler", "--cost", "ecp5", "--json")
    assert code == 0
    cost = json.loads(output)["cost"]
    assert 50 < cost["luts"] < 400 and cost["fmax_mhz"] > 50 and cost["latency"] == 6
