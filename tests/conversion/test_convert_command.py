"""``spikelet convert``: from an ONNX file to a compiled network, by what is printed."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from tests.helpers.onnx_networks import Builder, computed


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command line; return exit code and everything it printed."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Write a network of two dense layers, and samples."""
    built = Builder((16,), 3).gemm(12, 16).node("Relu").gemm(4, 12).node("Softmax")
    network, samples = tmp_path / "dense.onnx", tmp_path / "samples.npz"
    network.write_bytes(built.bytes(4))
    levels = np.random.default_rng(0).integers(0, 9, (50, 16))
    labels = [int(computed(built.model(4), x / 8).argmax()) for x in levels]
    np.savez(samples, levels=levels, full_scale=8, ticks=4, labels=labels)
    return network, samples


def test_from_onnx_to_a_compiled_network(tmp_path: Path, files: tuple[Path, Path]) -> None:
    folder = tmp_path / "project"
    code, output = invoke("convert", *files, "-o", folder, "--ticks", 48, "--json")
    assert code == 0, output
    fields = json.loads(output)
    assert fields["relu_accuracy"] == 1 and fields["accuracy"] >= 0.9
    assert len(fields["accuracies"]) == fields["ticks"] == 48 and fields["samples"] == 50
    assert Path(fields["picture"]).read_bytes().startswith(b"\x89PNG")
    kept = json.loads((folder / "conversion" / "conversion.json").read_text())
    assert kept["accuracies"] == fields["accuracies"]
    code, output = invoke(*shlex.split(fields["command"])[1:])
    assert code == 0, output
    assert "compiled to" in output


def test_what_is_printed(tmp_path: Path, files: tuple[Path, Path]) -> None:
    options = ("--count", 20, "--percentile", 100, "--mean", "0.1", "--std", "0.9", "--ticks", 5)
    code, output = invoke("convert", *files, "-o", tmp_path / "p", *options)
    assert code == 0, output
    words = " ".join(output.split())
    assert "of 20 samples, spiking" in words and "after 5 ticks" in words
    assert "left out: the Softmax" in words and "--neuron if-subtract-half" in words
    rows = [line.split("│")[1].strip() for line in output.splitlines() if line.startswith("│")]
    assert rows == ["1", "2", "4", "5"]


def test_bad_input(tmp_path: Path, files: tuple[Path, Path]) -> None:
    network, samples = files
    code, output = invoke("convert", samples, samples, "-o", tmp_path / "p")
    assert code == 1 and "samples.npz is not a valid ONNX file" in output
    code, output = invoke("convert", network, network, "-o", tmp_path / "p")
    assert code == 1 and "dense.onnx" in output and "Traceback" not in output
    code, output = invoke(
        "convert", network, samples, "-o", tmp_path / "p", "--mean", 1, "--mean", 2
    )
    assert code == 1 and "the offset of shape (2,)" in output
    assert not (tmp_path / "p").exists()
