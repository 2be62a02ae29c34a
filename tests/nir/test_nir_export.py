"""What a learned network leaves: a NIR file that others can run, pictures and a report."""

import struct

import nir  # type: ignore[import-untyped]
import numpy as np
import pytest

from spikelet import (
    RULES,
    Adaptation,
    PlacementLimits,
    PlasticNetwork,
    SpikeletError,
    write_nir,
)
from spikelet.compiler.compile import compile_network
from spikelet.reports import learning_plots as plots
from spikelet.reports.plots import raster
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.samples.plastic_samples import Encoder, LearningSamples
from spikelet.samples.samples import Samples
from spikelet.verbs import learn


def feed_forward(neuron="snntorch-subtract", bias=1, **options):
    """Return two layers that learn, without recurrence."""
    network = PlasticNetwork("layers", dt=1e-3, seed=2)
    network.inputs("pixels", (3, 4))
    given = {"threshold": 96, "decay": 3900, "adaptation": Adaptation(512, decay_shift=4)}
    network.population("first", 6, neuron=neuron, **{**given, **options})
    network.population("second", 3, threshold=[20, 24, 28], bias=bias, neuron=neuron)
    rule = RULES["pair_stdp"](a_plus=0.1, a_minus=0.05, w_max=60)
    network.project("pixels", "first", weights=(20, 60), rule=rule)
    network.project("first", "second", weights=(5, 15))
    network.output("second")
    return network


def random_spikes(samples=5, ticks=30, lines=12, density=0.3, seed=0):
    """Return random input spikes."""
    return np.random.default_rng(seed).random((samples, ticks, lines)) < density


def exported(network, path, **options):
    """Write a NIR file; return it as the nir package reads it."""
    left_out = write_nir(network, path, **options)
    return nir.read(path), left_out


@pytest.mark.parametrize(
    "neuron", ["snntorch-zero", "snntorch-subtract", "snntorch-zero-immediate"]
)
def test_the_learned_network_comes_back_from_its_file_and_spikes_the_same(neuron, tmp_path):
    """Through the road for trained networks, which knows nothing of learning."""
    network = feed_forward(neuron, bias=None, decay=None, adaptation=None)
    plastic = compile_network(network, limits=PlacementLimits(lanes=2))
    spikes = random_spikes()
    learned = run(plastic, spikes)
    assert (learned.weights("pixels", "first") != plastic.weights("pixels", "first")).any()
    write_nir(learned.network, tmp_path / "out.nir")
    compiled = compile_network(tmp_path / "out.nir", neuron, weight_bits=8, potential_bits=20)
    trace = run(compiled, spikes.astype(np.uint8), record=("spikes", "states")).recording
    still = run(plastic, spikes, learning=False, start=learned.state)
    for depth, name in enumerate(("first", "second")):
        expected = still.spikes(name)[:, depth:]  # on the chip each layer runs a tick later
        assert expected.any()
        assert (Run(compiled, trace).spikes(name)[:, : 30 - depth] == expected).all()


def test_numbers_of_the_file(tmp_path):
    plastic = compile_network(feed_forward())
    learned = run(plastic, random_spikes())
    graph, left_out = exported(learned.network, tmp_path / "x.nir")
    first, second = graph.nodes["first"], graph.nodes["second"]
    assert isinstance(first, nir.LIF) and isinstance(second, nir.IF)
    raised = learned.kept_state("first", "adaptation") >> 8
    assert raised.any()
    assert np.allclose(first.v_threshold, (96 + raised) / 96)
    assert np.allclose(1 - 1e-3 / first.tau, 3900 / 4096)
    assert np.allclose(first.r * 1e-3 / first.tau, 1)  # the weight is what a spike adds
    assert np.allclose(second.v_threshold, [20 / 28, 24 / 28, 1])
    weights = graph.nodes["pixels->first"].weight
    assert np.allclose(weights * 96, learned.weights("pixels", "first").T)
    assert isinstance(graph.nodes["first->second"], nir.Affine)
    assert np.allclose(graph.nodes["first->second"].bias, 1 / 28)
    assert graph.nodes["pixels"].input_type["input"].tolist() == [12]
    assert ("second", "second output") in graph.edges
    assert left_out == ["how first learns: pair_stdp"]
    assert graph.metadata["reset_mechanism"] == "subtract"
    assert graph.metadata["dt"] == 1e-3
    doubled, _ = exported(plastic.network, tmp_path / "y.nir", threshold=2.0)
    assert np.allclose(doubled.nodes["second"].v_threshold, np.array([20, 24, 28]) / 14)


def test_weight_exponents_and_thresholds_at_the_end_of_their_range(tmp_path):
    adaptation = Adaptation(2**20, fraction_bits=8)
    network = feed_forward(weight_exponent=2, potential_bits=9, adaptation=adaptation)
    plastic = compile_network(network)
    learned = run(plastic, random_spikes())
    assert (learned.kept_state("first", "adaptation") >> 8).max() > 255
    graph, _ = exported(learned.network, tmp_path / "x.nir")
    assert graph.nodes["first"].v_threshold.max() == 255 / 96
    weights = learned.weights("pixels", "first")
    assert np.allclose(graph.nodes["pixels->first"].weight, 4 * weights.T / 96)


def test_recurrence_delays_and_what_is_left_out(tmp_path):
    network = feed_forward(inhibition=32)
    network.population("late", 2, threshold=5, neuron="nir-euler", reset_potential=-1)
    network.project("second", "late", weights=3, delay=4)
    network.project("pixels", "late", weights=1, delay=2)
    network.winner_take_all("second", 7)
    graph, left_out = exported(network.integers(), tmp_path / "x.nir")
    inhibition = graph.nodes["first inhibition"].weight
    assert np.allclose(inhibition, -(1 - np.eye(6)) / 3)
    assert {("first", "first inhibition"), ("first inhibition", "first")} <= set(graph.edges)
    assert np.allclose(graph.nodes["second->second"].weight * 28, -7 * (1 - np.eye(3)))
    assert np.allclose(graph.nodes["second->late delay"].delay, 3e-3)
    assert np.allclose(graph.nodes["pixels->late delay"].delay, 2e-3)
    assert "first->second delay" not in graph.nodes
    assert np.allclose(graph.nodes["late"].v_reset, -0.2)
    assert len(left_out) == 3
    assert any("does not add up" in item for item in left_out)
    assert any("different neuron models" in item for item in left_out)
    assert "reset_mechanism" not in graph.metadata


def test_bad_exports(tmp_path):
    plastic = compile_network(feed_forward())
    with pytest.raises(SpikeletError, match=r"threshold must be above 0, not 0"):
        write_nir(plastic.network, tmp_path / "x.nir", threshold=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(SpikeletError, match="cannot be written"):
        write_nir(plastic.network, tmp_path / "file" / "x.nir")


@pytest.fixture(scope="module")
def recorded():
    """Return a run of two samples with everything recorded, and its input."""
    spikes = random_spikes(2)
    plastic = compile_network(feed_forward())
    return run(plastic, spikes, record=("spikes", "states", "learning")), spikes


def size_of(png):
    """Return the width and height of a PNG."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def test_pictures(recorded):
    learned, spikes = recorded
    weights = learned.weights("pixels", "first")
    fields = plots.receptive_fields(weights, (3, 4), (0, 60), "first")
    assert min(size_of(fields)) > 100
    other = weights.copy()
    other[:, 4] = 60 - other[:, 4]
    assert plots.receptive_fields(other, (3, 4), (0, 60), "first") != fields
    many = np.tile(weights, 40)  # of 240 neurons, 100 are drawn
    hundred = plots.receptive_fields(many[:, :100], (3, 4), (0, 60), "first")
    assert plots.receptive_fields(many, (3, 4), (0, 60), "first") == hundred
    before = learned.compiled.weights("pixels", "first")
    histogram = plots.weight_histogram(before, weights, (0, 60))
    assert histogram != plots.weight_histogram(before, before, (0, 60))
    assert min(size_of(raster(learned, Samples(spikes), 1))) > 100
    curves = plots.learning_curve(learned.counts("second"))
    assert size_of(curves)[0] > size_of(curves)[1]


def test_traces_are_those_of_the_axons_and_neurons(recorded):
    learned, _ = recorded
    drawn = [
        plots.traces(learned, "pixels", "first", axons=axons, neurons=neurons, sample=1)
        for axons, neurons in (([0], [1]), ([2], [1]), ([0], [3]), ([0], [1]))
    ]
    assert drawn[0] == drawn[3]
    assert drawn[0] != drawn[1] and drawn[0] != drawn[2]


def task_of(network):
    """Return a task as a file would describe it."""
    return network.integers(Encoder("rate", {"ticks": 20}, rest=5))


def levels(samples=6):
    """Return intensities as samples."""
    drawn = np.random.default_rng(3).integers(0, 9, (samples, 12))
    return LearningSamples(drawn, encoder=Encoder("rate", {"ticks": 20}, rest=5), full_scale=8)


def test_the_report_says_what_happened(tmp_path):
    result = learn(task_of(feed_forward()), levels(), folder=tmp_path, epochs=2)
    page = result.report.read_text()
    run, plastic = result.run, result.run.compiled
    before, after = run.weights("pixels", "first")
    changed = before != after
    assert f"<b>{changed.sum():,}</b>" in page and f"of {changed.size} plastic weights" in page
    assert "<b>12</b>" in page and "samples in 2 epochs, learning on" in page
    assert "Not verified yet" in page
    rule = plastic.network.rule("first")
    assert f"dw = {rule.dw}" in page and "Song, Miller" in page
    assert plastic.chip.digest in page
    graph = nir.read(tmp_path / "learned" / "learned.nir")
    exported_weights = graph.nodes["pixels->first"].weight.T * 96
    assert np.allclose(exported_weights, after)
    assert f"{run.state.checksums()[0]:08x}" in page
    assert page.count("data:image/png;base64,") == 10
    for name in ("fields-pixels-first", "weights-pixels-first", "traces-pixels-first"):
        assert size_of((result.report.parent / f"{name}.png").read_bytes())[0] > 100
    for name in ("learned-raster", "network", "placement"):
        assert size_of((result.report.parent / f"{name}.png").read_bytes())[0] > 100
    assert "how first learns: pair_stdp" in page
    assert "http" not in page.replace("https://", "http://").split("</style>")[1]


def test_batches_are_one_run(tmp_path, monkeypatch):
    from spikelet.runs import epochs as module

    seen = []
    whole = learn(task_of(feed_forward()), levels(), folder=tmp_path / "whole")
    monkeypatch.setattr(module, "_BATCH_BYTES", 4 * 25 * 12)  # 4 samples, then 2
    parts = learn(
        task_of(feed_forward()),
        levels(),
        folder=tmp_path / "parts",
        progress=lambda what, done, total: seen.append((what, done, total)),
    )
    assert (parts.run.state.checksums() == whole.run.state.checksums()).all()
    assert parts.run.samples == 6
    assert ("golden, epoch 1", 4, 6) in seen and seen[-1] == ("golden, epoch 1", 6, 6)
    with (
        np.load(tmp_path / "whole/learned/counts.npz") as one,
        np.load(tmp_path / "parts/learned/counts.npz") as two,
    ):
        assert (one["second"] == two["second"]).all() and one["second"].any()


def test_without_learning_nothing_changes_and_the_report_says_so(tmp_path):
    result = learn(task_of(feed_forward()), levels(), folder=tmp_path, learning=False)
    assert "learning off" in result.report.read_text()
    assert "<b>0</b><span>of 72 plastic weights changed" in result.report.read_text()


def test_a_network_without_a_rule_has_a_report_too(tmp_path):
    network = PlasticNetwork("fixed")
    network.inputs("pixels", 12)
    network.population("cells", 3, threshold=50)
    network.project("pixels", "cells", weights=(10, 30))
    network.output("cells")
    result = learn(task_of(network), levels(), folder=tmp_path)
    assert "No projection of this network is plastic." in result.report.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs and samples must be 1 or more, not 0 and 6"),
        ({"verify": -1}, "verify must be 0 or more, not -1"),
        ({"engine": "fpga"}, "engine must be one of golden, rtl, .* not 'fpga'"),
    ],
)
def test_bad_options(options, message, tmp_path):
    with pytest.raises(SpikeletError, match=message):
        learn(task_of(feed_forward()), levels(), folder=tmp_path, **options)


def test_no_samples(tmp_path):
    with pytest.raises(SpikeletError, match="not 1 and 0"):
        learn(task_of(feed_forward()), levels(0), folder=tmp_path)


def test_missing_extra(tmp_path, monkeypatch):
    from spikelet.reports import report

    monkeypatch.setattr(report, "_MISSING_EXTRA", ImportError("No module named 'pylab'"))
    with pytest.raises(SpikeletError, match=r"No module named 'pylab'[\s\S]*spikelet\[report\]"):
        learn(task_of(feed_forward()), levels(), folder=tmp_path)
