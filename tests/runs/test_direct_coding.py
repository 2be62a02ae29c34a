"""Direct coding: real inputs in every tick, as counts of graded events; exact on golden and RTL."""

import json
import shlex
from pathlib import Path
from typing import Any

import nir  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.network.graded import with_graded_inputs
from spikelet.network.matrices import dense
from spikelet.network.network import Network
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from spikelet.samples.samples import load_samples
from spikelet.support import check
from tests.helpers.networks import chain, integrator, sink, source, write

STEPS, TICKS = 15, 8
IMAGES = np.random.default_rng(3).integers(0, STEPS + 1, (5, 1, 6, 6)) / STEPS
"""Pixels in 0..1."""

KERNEL = np.random.default_rng(4).integers(-4, 8, (3, 1, 3, 3)) / 16
THRESHOLD = 1.0008
"""No sum of weights and pixels: float64 would round it to either side."""

LAST = np.random.default_rng(5).integers(-4, 8, (4, 48)) / 16


def file(folder: Path) -> Path:
    """Write a convolution of images into IF neurons that are reset to 0, and a dense layer."""
    nodes = {
        "input": source(1, 6, 6),
        "conv": nir.Conv2d((6, 6), KERNEL, 1, 0, 1, 1, np.zeros(3)),
        "hidden": integrator(48, v_threshold=THRESHOLD),
        "flat": nir.Flatten({"input": np.array([3, 4, 4])}, 0),
        "fc": nir.Linear(LAST),
        "cells": integrator(4, v_threshold=THRESHOLD),
        "output": sink(4),
    }
    return write(folder / "n.nir", nodes)


def by_hand(images: npt.NDArray[np.float64]) -> list[npt.NDArray[np.bool_]]:
    """Return the spikes of both layers, with the pixels themselves as a current in every tick."""
    windows = np.lib.stride_tricks.sliding_window_view(images[:, 0], (3, 3), axis=(1, 2))
    current = np.einsum("syxkl,ckl->scyx", windows, KERNEL[:, 0]).reshape(len(images), -1)
    found: list[list[npt.NDArray[np.bool_]]] = [[], []]
    v = [np.zeros_like(current), np.zeros((len(images), 4))]
    for _ in range(TICKS):
        for layer in range(2):
            v[layer] = v[layer] + (found[0][-1] @ LAST.T if layer else current)
            fired = v[layer] > THRESHOLD
            v[layer][fired] = 0
            found[layer].append(fired)
    return [np.stack(layer, axis=1) for layer in found]


def compiled(folder: Path, **options: Any) -> CompiledNetwork:
    return spikelet.compile(file(folder), "nir-euler", 1.0, input_levels=STEPS, **options)


@pytest.mark.parametrize("engine", ["golden", "rtl"])
@pytest.mark.parametrize("synapses", ["dense", "shared"])
def test_pixels_are_currents(engine: str, synapses: str, tmp_path: Path) -> None:
    """Every spike of both layers is that of real pixels; weights on a grid stay exact."""
    net = compiled(tmp_path, limits={"synapses": synapses, "lanes": 4})
    shown = spikelet.direct(IMAGES.reshape(5, -1), 1, TICKS, STEPS)
    found = spikelet.run(net, shown, engine, record=("spikes", "states"))
    expected = by_hand(IMAGES)
    layers = [found.spikes(layer.name) for layer in net.layers]
    for spikes, wanted in zip(layers, expected, strict=True):
        assert np.array_equal(spikes, wanted) and wanted.any() and not wanted.all()
    floats = run_float(net.network.floats or pytest.fail("no floats"), shown)
    assert all(np.array_equal(a.spikes, b) for a, b in zip(floats, expected, strict=True))
    bits = [net.core(layer.name).spike_bits for layer in net.layers]
    assert bits == [4, 1], "only the first layer takes counts"
    first = net.layers[0].slices[0].core
    active = found.recording.active_axons
    assert (active[:, :TICKS, first] == shown.sum(axis=2)).all(), "each axon as often as its count"


def test_a_network_is_what_it_was(tmp_path: Path) -> None:
    """Weights are divided by the steps; what is not graded keeps its digest."""
    plain = load_network(file(tmp_path), "nir-euler", 1.0)
    graded = with_graded_inputs(plain, 5)
    assert graded.input_levels == 5 and graded.digest != plain.digest
    found, given = (dense(network.projections[0].weights) for network in (graded, plain))
    assert np.array_equal(found * 5, given)
    assert graded.projections[1] is plain.projections[1]
    again = Network(**{name: getattr(plain, name) for name in plain.__dataclass_fields__})
    assert again.digest == plain.digest
    with pytest.raises(SpikeletError, match="graded already, in 5 steps"):
        with_graded_inputs(graded, 3)
    with pytest.raises(SpikeletError, match="input_levels must be a whole number in 1..255, not 0"):
        with_graded_inputs(plain, 0)
    net = compiled(tmp_path)
    net.save(tmp_path / "saved")
    loaded = CompiledNetwork.load(tmp_path / "saved")
    assert loaded.network.input_levels == STEPS and loaded.digests == net.digests
    assert loaded.network.floats and loaded.network.floats.input_levels == STEPS
    with pytest.raises(SpikeletError, match="cannot be made graded"):
        spikelet.compile(loaded, input_levels=3)


def test_the_bound_of_potentials_counts_the_steps() -> None:
    """Without calibration, an input at full scale adds all its steps at once."""
    net = chain([4, 3], scale=1 / 8)
    few, many = (spikelet.compile(with_graded_inputs(net, n)).network for n in (1, 200))
    lows = [n.quantisation[0].range_low * n.lsb("p0")[0] for n in (few, many)]
    assert lows[0] == pytest.approx(lows[1]) and lows[0] < 0


def test_values_that_are_not_on_the_grid() -> None:
    found = spikelet.direct([[0.0, 0.49, 0.5, 1.0]], 1, 2, 2)
    assert found.dtype == np.uint8 and found.tolist() == [[[0, 1, 1, 2]] * 2]
    assert spikelet.direct([[0, 127, 128, 255]], 255, 1, 255).tolist() == [[[0, 127, 128, 255]]]
    for levels, message in (
        ([[0.5, 1.5]], r"must be in 0..1, found 1.5 at sample 0, input 1"),
        ([[-0.1]], r"must be in 0..1, found -0.1"),
        ([[np.nan]], "found nan"),
        ([["a"]], "must be numbers"),
        ([0.5], r"of shape \(1,\)"),
    ):
        with pytest.raises(SpikeletError, match=message):
            spikelet.direct(levels, 1, 2, 2)
    for ticks, steps in ((0, 2), (1, 0), (1, 256)):
        with pytest.raises(SpikeletError, match="1 tick or more, and 1..255 steps"):
            spikelet.direct([[0.5]], 1, ticks, steps)


def said(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_commands(tmp_path: Path) -> None:
    """Levels files are given directly to a network of graded inputs, and spikes as counts."""
    project, levels = tmp_path / "project", tmp_path / "levels.npz"
    real = IMAGES.reshape(5, -1)
    labels = by_hand(IMAGES)[1].sum(axis=1).argmax(axis=1)
    np.savez(levels, levels=real, full_scale=1, ticks=TICKS, labels=labels)
    counts = spikelet.direct(real, 1, TICKS, STEPS)
    np.savez(tmp_path / "counts.npz", spikes=counts, labels=labels)
    options = ("--neuron", "nir-euler", "--dt", "1", "--input-levels", STEPS)
    said("compile", file(tmp_path), "-o", project, *options, "--calibration", levels)
    for samples in (levels, tmp_path / "counts.npz"):
        text = CliRunner().invoke(main, ["verify", str(project), str(samples), "--json"]).stdout
        found = json.loads(text)
        assert found["equal"] and found["engines"][1]["accuracy"] == 1
        assert found["layers"][0]["first"] is None and found["layers"][0]["float_spikes"] > 20
    said("report", project)
    said("compile", project, "-o", project, "--lanes", 2, "--calibration", levels)
    np.savez(tmp_path / "more.npz", spikes=counts + np.uint8(3))
    text = said("run", project, tmp_path / "more.npz", status=1)
    assert "must be whole numbers in 0..15, the levels of the network's inputs, found" in text
    plain = tmp_path / "plain"
    said("compile", tmp_path / "n.nir", "-o", plain, *options[:4])
    text = said("run", plain, tmp_path / "counts.npz", status=1)
    assert "must be 0 or 1" in text and "--input-counts" in text
    both = ("--input-levels", 2, "--input-counts", 2)
    text = said("compile", tmp_path / "n.nir", "-o", plain, *options[:4], *both, status=1)
    assert "either steps from 0 to 1 or counts" in text


def test_check_and_tune(tmp_path: Path) -> None:
    """Both know graded inputs: check judges the chip that takes them, tune's best compiles."""
    neuron = ("--neuron", "nir-euler", "--dt", "1")
    levels = tmp_path / "levels.npz"
    labels = by_hand(IMAGES)[1].sum(axis=1).argmax(axis=1)
    np.savez(levels, levels=IMAGES.reshape(5, -1), full_scale=1, ticks=TICKS, labels=labels)
    for option, bits in (("--input-levels", 4), ("--input-counts", 2)):
        most = (1 << bits) - 1
        chip = check(file(tmp_path), "nir-euler", 1.0, **{option[2:].replace("-", "_"): most}).chip
        assert chip and chip.count_bits == bits
        said("check", tmp_path / "n.nir", *neuron, option, most)
    both = ("--input-levels", 2, "--input-counts", 2)
    text = said("check", tmp_path / "n.nir", *neuron, *both, status=1)
    assert "either steps from 0 to 1 or counts" in text
    project = tmp_path / "tuned"
    given = ("tune", tmp_path / "n.nir", levels, "-o", project, *neuron, "--trials", 2)
    text = said(*given, *both, status=1)
    assert "either steps from 0 to 1 or counts" in text
    options = ("--input-levels", STEPS, "--calibration", levels, "--json")
    found = json.loads(CliRunner().invoke(main, list(map(str, [*given, *options]))).stdout)
    assert found["best"]["accuracy"] == 1
    words = shlex.split(found["command"])
    assert words[:2] == ["spikelet", "compile"]
    said(*words[1:])
    net = CompiledNetwork.load(project / "compiled")
    assert net.network.input_levels == STEPS
    again = said("tune", project, levels, "--trials", 1, "--calibration", levels)
    assert "float network 100.00%" in again


def test_counts_of_events(tmp_path: Path) -> None:
    """A network that was trained on counts gets them: its weights stay as they are."""
    counts = np.random.default_rng(1).integers(0, 4, (4, TICKS, 36))
    plain = load_network(file(tmp_path), "nir-euler", 1.0)
    net = spikelet.compile(plain, input_counts=3)
    assert [net.core(layer.name).spike_bits for layer in net.layers] == [2, 1]
    scale = net.network.quantisation[0].scale
    found, given = (dense(n.projections[0].weights) for n in (net.network, plain))
    assert np.allclose(found * scale, given)
    project = tmp_path / "project"
    options = ("--neuron", "nir-euler", "--dt", "1", "--input-counts", 3)
    said("compile", tmp_path / "n.nir", "-o", project, *options)
    np.savez(tmp_path / "c.npz", spikes=counts)
    found = json.loads(
        CliRunner().invoke(main, ["verify", str(project), str(tmp_path / "c.npz"), "--json"]).stdout
    )
    assert found["equal"] and found["layers"][1]["float_spikes"] > 20
    assert found["layers"][0]["first"] is None and found["layers"][1]["first"] is None


def test_counts_that_are_no_input() -> None:
    net = with_graded_inputs(chain([4, 3]), 3)
    for value, message in ((4, "found 4"), (-1, "found -1"), (0.5, "found 0.5")):
        shown = np.zeros((1, 2, 4))
        shown[0, 1, 2] = value
        with pytest.raises(
            SpikeletError, match=rf"counts in 0..3, {message}.* at sample 0, tick 1"
        ):
            net.check_spikes(shown)


def test_load_samples(tmp_path: Path) -> None:
    np.savez(tmp_path / "l.npz", levels=[[0, 5, 10]], full_scale=10, ticks=2)
    found = load_samples(tmp_path / "l.npz", input_levels=4)
    assert found.spikes.tolist() == [[[0, 2, 4]] * 2]
    assert load_samples(tmp_path / "l.npz").spikes.max() == 1
