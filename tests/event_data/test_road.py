"""From event files to a chip: made here in the layouts of N-MNIST and SHD, golden equals RTL."""

import json
from pathlib import Path
from typing import Any

import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from tests.helpers.event_files import cochlea, moving_bar, write_nmnist, write_shd
from tests.helpers.networks import integrator, lif, sink, source, write


def ran(*arguments: object) -> dict[str, Any]:
    words = [str(argument) for argument in arguments]
    result = CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def nmnist(folder: Path) -> tuple[Path, list[str]]:
    for index in range(8):
        path = folder / "train" / f"{index % 4}" / f"{index:05}.bin"
        write_nmnist(path, moving_bar(index % 4, index))
    return folder / "train", ["--sensor", "34x34", "--bin", "5ms", "--ticks", "20"]


def shd(folder: Path) -> tuple[Path, list[str]]:
    path = folder / "train.h5"
    write_shd(path, [cochlea(i % 3, i) for i in range(8)], [i % 3 for i in range(8)])
    return path, ["--sensor", "700", "--bin", "25ms", "--ticks", "40", "--lengths"]


def convolution(path: Path, inputs: int, outputs: int) -> Path:
    """Write a network that convolves frames of two polarities, and pools."""
    rng = np.random.default_rng(1)
    kernel = rng.normal(0.05, 0.25, (4, 2, 5, 5))
    nodes = {
        "input": source(2, 34, 34),
        "conv": nir.Conv2d((34, 34), kernel, 3, 0, 1, 1, np.zeros(4)),
        "cells": integrator(400),
        "pool": nir.SumPool2d(2, 2, 0),
        "flat": nir.Flatten({"input": np.array([4, 5, 5])}, 0),
        "fc": nir.Linear(rng.normal(0.1, 0.4, (outputs, 100))),
        "out": lif(outputs),
        "output": sink(outputs),
    }
    return write(path, nodes)


def network(path: Path, inputs: int, outputs: int) -> Path:
    """Write two layers whose output neurons have a bias, so that they fire in padding too."""
    rng = np.random.default_rng(0)
    nodes = {
        "input": source(inputs),
        "in": nir.Linear(rng.normal(0.1, 0.4, (16, inputs))),
        "hidden": lif(16),
        "out": nir.Affine(rng.normal(0.1, 0.4, (outputs, 16)), np.full(outputs, 0.6)),
        "cells": lif(outputs),
        "output": sink(outputs),
    }
    return write(path, nodes)


@pytest.mark.parametrize(
    ("made", "written", "downsample", "inputs", "outputs"),
    [
        (nmnist, network, 4, 162, 4),
        pytest.param(shd, network, 20, 35, 3, marks=pytest.mark.slow),
        pytest.param(nmnist, convolution, 1, 2312, 4, marks=pytest.mark.slow),
        pytest.param(shd, network, 1, 700, 3, marks=pytest.mark.slow),
    ],
)
def test_golden_is_rtl(
    made: Any, written: Any, downsample: int, inputs: int, outputs: int, tmp_path: Path
) -> None:
    """Also at the full size: frames of 2 x 34 x 34 into a convolution, and 700 channels."""
    events, options = made(tmp_path)
    samples, project = tmp_path / "samples.npz", tmp_path / "project"
    shown = ran("data", events, *options, "--downsample", downsample, "-o", samples)
    assert np.prod(shown["input_shape"]) == inputs and shown["samples"] == 8
    net = written(tmp_path / "n.nir", inputs, outputs)
    neuron = ("--neuron", "nir-euler", "--dt", "1e-3", "--weight-bits", "6")
    ran("compile", net, "-o", project, *neuron, "--calibration", samples)
    found = ran("verify", project, samples, "--engine", "rtl", "--decode", "first")
    golden, rtl = found["engines"]
    assert found["equal"] and rtl["samples"] == 8 and {"outputs", "spikes"} <= set(rtl["compared"])
    assert golden["score"] == rtl["score"] and golden["score"]["unclassified"] == 0
    assert sum(found["outputs"]) > 8 and found["decode"] == "first"
    with np.load(samples) as arrays:
        ticks = arrays["lengths"] if "lengths" in arrays else np.full(8, shown["ticks"])
    assert found["layers"][1]["places"] == outputs * ticks.sum()
