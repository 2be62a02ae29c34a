"""The convolutional example network, trained on the grid: a chip holds it without rounding."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.network.reference import run_float
from spikelet.runs.run import run
from spikelet.runs.verify import float_classes

NETWORK = Path(__file__).parents[2] / "examples" / "mnist" / "spiking_cnn.nir"


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    return compile_network(NETWORK, limits={"pipelines": 4})


def strokes(count: int, ticks: int) -> np.ndarray:
    """Return spikes of broad random lines, (samples, ticks, 784)."""
    rng = np.random.default_rng(1)
    row, column = np.mgrid[:28, :28]
    spikes = np.zeros((count, ticks, 28, 28), np.uint8)
    for index in range(count):
        for _ in range(3):
            angle, offset = rng.uniform(0, np.pi), rng.uniform(-7, 7)
            away = (row - 14) * np.sin(angle) + (column - 14) * np.cos(angle) - offset
            spikes[index] |= rng.random((ticks, 28, 28)) < np.exp(-(away**2) / 3)
    return spikes.reshape(count, ticks, -1)


def test_three_cores_of_which_two_share_kernels(compiled: CompiledNetwork) -> None:
    cores = {layer.name: compiled.core(layer.name) for layer in compiled.layers}
    formats = {name: core.synapses for name, core in cores.items()}
    assert formats == {"if1": "shared", "if2": "shared", "output": "dense"}
    assert len(compiled.chip.cores) == 3
    for name, kernel in (("if1", 8 * 25), ("if2", 16 * 8 * 25)):
        core = cores[name]
        assert core.weight_bits == 4 and core.weight_rows * core.lanes <= 1.1 * kernel


def test_nothing_is_rounded(compiled: CompiledNetwork) -> None:
    for layer in compiled.network.quantisation:
        assert layer.scale == 1 and layer.rms_error == 0
        assert layer.clipped == layer.vanished == 0
    spikes = strokes(20, 8)
    found = run(compiled, spikes, record=("spikes", "states"))
    floats = compiled.network.floats
    assert floats is not None
    for population, layer in zip(floats.populations, run_float(floats, spikes), strict=True):
        np.testing.assert_array_equal(found.spikes(population.name), layer.spikes)
        np.testing.assert_array_equal(found.potentials(population.name), layer.potentials)
    np.testing.assert_array_equal(found.classify(), float_classes(floats, spikes))
    assert len(set(found.classify().tolist())) > 2
