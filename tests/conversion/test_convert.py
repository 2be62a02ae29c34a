"""Conversion: weights and thresholds, accuracy over ticks against loops, and what is refused."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import nir
import numpy as np
import numpy.typing as npt
import pytest

import spikelet
from spikelet.conversion.convert import NEURON, Conversion, convert
from spikelet.conversion.normalise import normalised
from spikelet.conversion.onnx_file import read_onnx
from spikelet.description.errors import SpikeletError
from spikelet.network.network import INPUT, Network
from spikelet.runs.agreement import agreement
from spikelet.samples.plastic_samples import Encoder, LearningSamples
from tests.helpers.onnx_networks import Builder, computed, residual_cnn, small_cnn

FULL_SCALE = 16


def levels(count: int, inputs: int = 64, seed: int = 4) -> npt.NDArray[np.int64]:
    """Return intensities with much that is dark."""
    rng = np.random.default_rng(seed)
    shown = rng.integers(0, FULL_SCALE + 1, (count, inputs))
    return np.where(rng.random((count, inputs)) < 0.5, 0, shown)


def labelled(built: Builder, count: int = 60) -> LearningSamples:
    """Return samples whose labels are what the loops say of them."""
    given, model = levels(count, int(np.prod(built.shape))), built.model(5)
    values = [computed(model, x.reshape(built.shape) / FULL_SCALE) for x in given]
    labels = np.array([int(v.ravel().argmax()) for v in values])
    encoder = Encoder("rate", {"ticks": 32})
    return LearningSamples(given, labels, encoder=encoder, full_scale=FULL_SCALE)


@pytest.fixture(scope="module")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the small CNN."""
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    path.write_bytes(small_cnn().bytes(5))
    return path


@pytest.fixture(scope="module")
def converted(cnn: Path) -> Conversion:
    """Convert the small CNN, with few ticks."""
    return convert(cnn, labelled(small_cnn()), ticks=24)


def converted_file(built: Builder, samples: LearningSamples, ticks: int = 24) -> Conversion:
    """Convert a network."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "built.onnx"
        path.write_bytes(built.bytes(5))
        return convert(path, samples, ticks=ticks)


def rates_of(network: Network, inputs: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.float64]]:
    """Return ReLU by a spiking network's weights: what rates would be without end, unbounded."""
    found = {INPUT: inputs}
    for population in network.populations:
        current = sum(found[p.source] @ p.weights for p in network.into(population.name))
        driven = current + population.values("bias")
        found[population.name] = np.maximum(driven / population.values("threshold"), 0)
    return found


@pytest.mark.parametrize("built", [small_cnn(), residual_cnn()], ids=["chain", "shortcuts"])
def test_each_layer_computes_the_activations_in_its_unit(built: Builder) -> None:
    """By the weights of the network that is compiled, against the loops."""
    model, samples = built.model(5), labelled(built)
    converted = converted_file(built, samples)
    shown = levels(3, seed=8) / FULL_SCALE
    rates = rates_of(converted.network, shown)
    relus = [n.output[0] for n in model.graph.node if n.op_type == "Relu"]
    lift = normalised(read_onnx(built.bytes(5), "s"), levels(60) / FULL_SCALE, 99.9).lift
    for number, end in enumerate([*relus, None], start=1):
        part = type(model)()
        part.CopyFrom(model)
        ends = [n.output[0] for n in model.graph.node]
        last = ends.index(end) + 1 if end else len(ends)
        del part.graph.node[last:]
        name = f"layer_{number}" if end else "output"
        for sample, rate in zip(shown, rates[name], strict=True):
            wanted = computed(part, sample.reshape(1, 8, 8)).ravel() + (0 if end else lift)
            expected = np.maximum(wanted, 0) / converted.values[name]
            np.testing.assert_allclose(rate, expected, rtol=1e-5, atol=1e-6)


def test_most_activations_are_below_one_spike_a_tick(converted: Conversion) -> None:
    rates = rates_of(converted.network, levels(60) / FULL_SCALE)
    for name in converted.values:
        active = rates[name][rates[name] > 0] if name != "output" else rates[name].max(axis=1)
        assert 0 < (active > 1).sum() <= max(1, 0.002 * active.size), name


def test_accuracy_over_ticks_is_that_of_neurons_in_loops(converted: Conversion) -> None:
    samples = labelled(small_cnn())
    network, ticks = converted.network, converted.ticks
    assert samples.labels is not None
    right = np.zeros(ticks)
    for shown, label in zip(samples.given, samples.labels, strict=True):
        spikes = spikelet.rate(shown[None], FULL_SCALE, ticks)[0]
        potentials = {
            p.name: np.zeros(p.size) + p.values("threshold") / 2 for p in network.populations
        }
        counts = np.zeros(5, int)
        for tick in range(ticks):
            emitted: dict[str, npt.NDArray[Any]] = {INPUT: spikes[tick]}
            for p in network.populations:
                for q in network.into(p.name):
                    potentials[p.name] = potentials[p.name] + emitted[q.source] @ q.weights
                potentials[p.name] = potentials[p.name] + p.values("bias")
                fired = potentials[p.name] >= p.values("threshold")
                potentials[p.name] = np.where(
                    fired, potentials[p.name] - p.values("threshold"), potentials[p.name]
                )
                emitted[p.name] = fired
            counts += emitted["output"]
            right[tick] += counts.any() and counts.argmax() == label
    np.testing.assert_allclose(converted.accuracies, right / len(samples))
    assert converted.relu_accuracy == 1
    assert converted.accuracies == converted.agreements, "labels are the ReLU network's classes"


def test_with_ticks_the_classes_become_those_of_the_relu_network(cnn: Path) -> None:
    found = convert(cnn, labelled(small_cnn()), ticks=256)
    assert found.accuracies[0] < found.accuracies[7] - 0.1 and found.accuracies[31] > 0.9
    assert found.accuracy >= 0.98 and found.lost == pytest.approx(100 * (1 - found.accuracy))


def test_the_nir_file_is_one_that_nir_reads(converted: Conversion, tmp_path: Path) -> None:
    path = tmp_path / "small.nir"
    path.write_bytes(converted.nir)
    graph = nir.read(path)
    following, name, kinds = dict(graph.edges), "input", ["Input"]
    while name in following:
        name = following[name]
        kinds.append(type(graph.nodes[name]).__name__)
    assert kinds == [
        *("Input", "Conv2d", "IF", "AvgPool2d", "Conv2d", "IF", "Flatten", "Affine", "IF"),
        "Output",
    ]
    network = spikelet.load_network(path, NEURON)
    assert network.digest == converted.network.digest


def test_the_network_compiles_and_keeps_its_classes(converted: Conversion) -> None:
    samples = labelled(small_cnn())
    spikes = spikelet.rate(samples.given, FULL_SCALE, converted.ticks)
    compiled = spikelet.compile(
        converted.network, weight_bits=8, potential_bits=20, calibration=spikes
    )
    classes = spikelet.run(compiled, spikes).classify()
    assert (classes == samples.labels).mean() > converted.accuracy - 0.05


def test_standardised_inputs() -> None:
    """A network of (x - mean) / std is that of x behind these layers."""
    built = Builder((2, 4, 4), 5)
    built.node("Sub", np.array([[[0.2]], [[0.4]]])).node("Div", np.array([[[0.5]], [[0.8]]]))
    explicit = built.conv(3, 2, (2, 2), pads=[1, 1, 1, 1]).node("Relu").node("Flatten").gemm(5, 75)
    bare = Builder((2, 4, 4), 5).conv(3, 2, (2, 2), pads=[1, 1, 1, 1]).node("Relu")
    bare.node("Flatten").gemm(5, 75)
    samples = labelled(explicit)
    one = convert_bytes(explicit, samples)
    other = convert_bytes(bare, samples, mean=(0.2, 0.4), std=(0.5, 0.8))
    assert one.accuracies == other.accuracies and one.relu_accuracy == other.relu_accuracy == 1


def convert_bytes(built: Builder, samples: LearningSamples, **options: Any) -> Conversion:
    """Convert what a fake torch exports: no torch is needed to run its exporter's result."""

    class Module:
        training = True

        def eval(self) -> None:
            self.training = False

        def train(self, mode: bool) -> None:
            self.training = mode

    def export(module: Module, args: Any, file: Any, **_: Any) -> None:
        assert not module.training, "dropout and normalisation as in inference"
        if args[0].shape != (1, *built.shape):
            raise RuntimeError("size mismatch")
        file.write(built.bytes(5))

    with pytest.MonkeyPatch.context() as patch:
        fake = SimpleNamespace(
            nn=SimpleNamespace(Module=Module),
            onnx=SimpleNamespace(export=export),
            zeros=lambda *shape: np.zeros(shape),
        )
        patch.setitem(sys.modules, "torch", fake)
        module = Module()
        try:
            return convert(module, samples, **{"shape": built.shape, **options})
        finally:
            assert module.training


def test_a_torch_module_is_exported(converted: Conversion) -> None:
    built = small_cnn()
    found = convert_bytes(built, labelled(built), ticks=24)
    assert found.network.digest == converted.network.digest
    assert found.accuracies == converted.accuracies
    with pytest.raises(SpikeletError, match="torch cannot export Module .*size mismatch"):
        convert_bytes(built, labelled(built), shape=(1, 9, 9))
    with pytest.raises(SpikeletError, match=r"shape of a sample is not known"):
        convert_bytes(built, labelled(built), shape=None)


def test_layers_between_which_there_are_no_weights() -> None:
    """A pool alone takes a factor; outputs that are rectified are not lifted."""
    built = Builder((1, 4, 4), 2).conv(5, 1, (1, 1)).node("Relu")
    built.node("AveragePool", kernel_shape=[2, 2]).node("Relu").node("GlobalAveragePool")
    built.node("Flatten").node("Relu")
    found = convert_bytes(built, labelled(built), ticks=200)
    assert list(found.values) == ["layer_1", "layer_2", "output"]
    rates = rates_of(found.network, levels(2, 16) / FULL_SCALE)
    for sample, rate in zip(levels(2, 16) / FULL_SCALE, rates["output"], strict=True):
        wanted = computed(built.model(5), sample.reshape(1, 4, 4)) / found.values["output"]
        np.testing.assert_allclose(rate, wanted, rtol=1e-5, atol=1e-6)
    assert found.accuracy > 0.9


def test_calibration_alone_decides_what_a_spike_is_worth(cnn: Path) -> None:
    samples = labelled(small_cnn())
    bright = LearningSamples(
        np.full((4, 64), FULL_SCALE), encoder=samples.encoder, full_scale=FULL_SCALE
    )
    usual, other = convert(cnn, samples), convert(cnn, samples, calibration=bright)
    assert usual.values != other.values and usual.relu_accuracy == other.relu_accuracy
    few = convert(cnn, samples, count=7)
    assert few.samples == 7 and few.values == usual.values


def test_what_is_refused(cnn: Path, tmp_path: Path) -> None:
    samples = labelled(small_cnn())

    def refusal(model: Any = cnn, shown: Any = samples, **options: Any) -> str:
        with pytest.raises(SpikeletError) as error:
            convert(model, shown, **options)
        return str(error.value)

    assert "ticks must be an int of 1 or more, not 0" in refusal(ticks=0)
    assert "percentile must be above 0 and at most 100" in refusal(percentile=101)
    assert "std above 0" in refusal(std=0)
    assert "mean and std: the offset of shape (2,)" in refusal(mean=(1.0, 2.0))
    assert "an ONNX file or a torch.nn.Module, not 3" in refusal(3)
    path = tmp_path / "spikes.npz"
    np.savez(path, spikes=np.zeros((2, 3, 64), np.uint8), labels=np.zeros(2, int))
    assert "levels" in refusal(shown=path) and str(path) in refusal(shown=path)
    unlabelled = LearningSamples(samples.given, encoder=samples.encoder, full_scale=FULL_SCALE)
    assert "hold no labels" in refusal(shown=unlabelled)
    narrow = LearningSamples(
        samples.given[:, :60], samples.labels, encoder=samples.encoder, full_scale=FULL_SCALE
    )
    assert "have 60 inputs, the network small 64, of shape (1, 8, 8)" in refusal(shown=narrow)
    spikes = LearningSamples(np.zeros((2, 3, 64), np.uint8), np.zeros(2, np.int64))
    assert "hold spikes, not levels" in refusal(shown=spikes)
    far = LearningSamples(
        samples.given, np.full(60, 7), encoder=samples.encoder, full_scale=FULL_SCALE
    )
    assert "labels must be in 0..4" in refusal(shown=far)
    dead = Builder((64,)).node("Gemm", np.zeros((64, 3)), -np.ones(3)).node("Relu").gemm(5, 3)
    (tmp_path / "dead.onnx").write_bytes(dead.bytes(5))
    assert "layer_1 of the ReLU network is never above 0 on 60" in refusal(tmp_path / "dead.onnx")


def test_shortcuts_follow_and_run_on_a_chip() -> None:
    samples = labelled(residual_cnn())
    found = converted_file(residual_cnn(), samples, 80)
    assert found.relu_accuracy == 1 and found.agreements[-1] >= 0.9 > 2 * found.agreements[0]
    compiled = spikelet.compile(found.network, weight_bits=8, potential_bits=20)
    spikes = spikelet.rate(samples.given[:20], FULL_SCALE, 24)
    ran = spikelet.run(compiled, spikes, record=("spikes",))
    overlaps = [layer.overlap or 0 for layer in agreement(ran, spikes)]
    assert overlaps[0] > 0.9 and min(overlaps) > 0.3
    delays = {(p.source, p.target): p.delay for p in compiled.network.projections}
    assert delays["layer_1", "layer_3"] == 1 + delays["layer_1", "layer_2"], "past a layer"
