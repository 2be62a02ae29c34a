"""What commands print: JSON alone, nothing at all, and commands that can be run again."""

import json
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from spikelet.cli import main
from spikelet.terminal import command_line
from tests.helpers.networks import chain, integrator, linear, sink, source, spikes, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    nodes = {"in": source(6), "fc": linear(4, 6), "if": integrator(4), "out": sink(4)}
    write(tmp_path / "n.nir", nodes)
    np.savez("s.npz", spikes=spikes(3, 8, 6), labels=[0, 1, 2])
    np.savez("silent.npz", spikes=np.zeros((2, 8, 6), np.uint8))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


COMPILE = ("compile", "n.nir", "-o", "p", "--framework", "nir", "--dt", "1e-3")


def test_json_is_all_that_a_command_prints(folder: Path) -> None:
    compiled = json.loads(run(*COMPILE, "--json").stdout)
    assert compiled["out_of_date"] == [] and compiled["cores"] == [
        {"axons": 6, "neurons": 4, "lanes": 4, "synapses": "dense"}
    ]
    assert compiled["digests"].keys() == {
        *("chip structure", "chip contents", "chip mapping", "float network"),
    }
    simulated = json.loads(run("run", "p", "s.npz", "--json").stdout)
    assert simulated["samples"] == 3 and simulated["trace"] == "p/runs/golden/recording.npz"
    verified = json.loads(run("verify", "p", "s.npz", "--engine", "golden", "--json").stdout)
    assert verified["engines"][0]["accuracy"] == simulated["accuracy"]
    assert 0.5 < verified["layers"][0]["overlap"] < 1
    reported = json.loads(run("report", "p", "--json").stdout)
    assert Path(reported["report"]).is_file() and reported["out_of_date"] == []
    run(*COMPILE, "--weight-bits", "5")
    reported = json.loads(run("report", "p", "--json").stdout)
    assert {old["what"] for old in reported["out_of_date"]} == {"golden run", "run of golden"}


def test_quiet_prints_warnings_and_errors_only(folder: Path) -> None:
    for arguments in (COMPILE, ("run", "p", "s.npz"), ("report", "p")):
        result = run(*arguments, "--quiet")
        assert (result.exit_code, result.output) == (0, "")
    result = run("verify", "p", "silent.npz", "--engine", "golden", "--quiet")
    assert result.stdout == "" and "warning: layer 'if' never spiked" in result.stderr
    result = run("verify", "p", "absent.npz", "--quiet")
    assert result.exit_code == 1 and "absent.npz" in result.stderr


def test_what_compile_voids_is_said(folder: Path) -> None:
    run(*COMPILE)
    run("verify", "p", "s.npz", "--engine", "golden", "--count", "2")
    result = run(*COMPILE, "--potential-bits", "12")
    assert "golden run is out of date (chip structure was" in result.stderr
    assert "renew it: spikelet verify p s.npz --engine golden --count 2" in result.stderr


def test_calibration_shows_layers_that_fall_silent(folder: Path) -> None:
    """One large weight sets the scale; what the others say is rounded away."""
    network = chain([8, 6, 2])
    weights = np.full((6, 8), 0.3)
    weights[:, 0] = 40
    nodes = {
        "in": source(8),
        "fc": linear(6, 8),
        "if": integrator(6),
        "fc2": linear(2, 6),
        "if2": integrator(2),
        "out": sink(2),
    }
    nodes["fc"].weight = weights
    write(folder / "outlier.nir", nodes)
    shown = spikes(3, 20, 8)
    shown[..., 0] = 0
    np.savez("c.npz", spikes=shown)
    command = ("compile", "outlier.nir", "-o", "q", "--neuron", "nir-euler", "--dt", "1e-3")
    result = run(*command, "--calibration", "c.npz")
    assert result.exit_code == 0, result.output
    assert "layer 'if': 42 of 48 weights that are not 0 became 0" in result.stderr
    assert "layer 'if' is silent on integers; the float network spikes" in result.stderr
    assert network.sizes


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (["a b.nir"], "spikelet try 'a b.nir' --lanes 16 --multicast"),
        (["-x.nir", "--lanes", "2"], "spikelet try ./-x.nir --lanes 2 --multicast"),
        (
            ["n.nir", "--no-multicast", "-t", "x", "-t", "y", "--dt", "0.5"],
            "spikelet try n.nir --lanes 16 --no-multicast --target x --target y --dt 0.5",
        ),
        (["n.nir", "--on", "--json"], "spikelet try n.nir --lanes 16 --multicast --on"),
    ],
)
def test_a_command_is_printed_with_all_its_options(given: list[str], printed: str) -> None:
    """What is printed is parsed again to the same values."""
    seen: list[tuple[str, dict[str, object]]] = []

    @click.command("try", context_settings={"ignore_unknown_options": True})
    @click.argument("file")
    @click.option("--lanes", default=16)
    @click.option("--multicast/--no-multicast", default=True)
    @click.option("-t", "--target", multiple=True)
    @click.option("--dt", type=float)
    @click.option("--on", is_flag=True)
    @click.option("--json", "as_json", is_flag=True)
    def command(**values: object) -> None:
        seen.append((command_line(click.get_current_context()), values))

    CliRunner().invoke(command, given, catch_exceptions=False)
    assert seen[0][0] == printed
    CliRunner().invoke(command, shlex.split(printed)[2:], catch_exceptions=False)
    assert seen[1][0] == printed
