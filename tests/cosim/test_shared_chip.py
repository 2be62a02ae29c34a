# amaranth: UnusedElaboratable=no
"""A chip with shared synapses equals the same network with the kernels lowered to dense weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden import chip as golden_chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip_of, random_core, random_events, random_image
from tests.helpers.random_convolutions import convolution_core, random_convolution

FIRST = ConvolutionShape(10, 9, 2, 5, 5, 8, 3, 3, 2, 2, 1, 1, 1, 1)
SECOND = ConvolutionShape(5, 5, 8, 5, 3, 4, 3, 3, 1, 1, 1, 2, 1, 1)
N_OUTPUTS = 16


def core_of(convolution: ConvolutionShape, lanes: int, pipelines: int) -> CoreParams:
    return CoreParams(
        convolution.n_axons,
        convolution.n_neurons,
        neuron_model("snntorch-subtract"),
        weight_exponent=4,
        lanes=lanes,
        pipelines=pipelines,
        parameters={"decay": "shared", "threshold": "neuron"},
        synapses="shared",
        synapse_options=convolution.options(),
    )


def lowered(chip: ChipParams, image: ChipImage) -> tuple[ChipParams, ChipImage]:
    """Return a chip and its contents with dense weights."""
    cores = tuple(
        replace(
            core,
            synapses="dense",
            synapse_options={},
            lanes=min(core.lanes, core.n_neurons & -core.n_neurons),  # dense lanes divide them
        )
        for core in chip.cores
    )
    contents = (
        replace(part, weights=core.synapse_format.matrix(core, part.weights))
        for core, part in zip(chip.cores, image.cores, strict=True)
    )
    return replace(chip, cores=cores), ChipImage(tuple(contents))


@pytest.fixture(scope="module")
def chip() -> ChipParams:
    """Return two convolutions and a dense layer."""
    dense = CoreParams(
        SECOND.n_neurons,
        N_OUTPUTS,
        neuron_model("snntorch-subtract"),
        weight_exponent=4,
        parameters={"decay": "shared", "threshold": "neuron"},
    )
    first, second = core_of(FIRST, 8, 2), replace(core_of(SECOND, 2, 1), synapses="gather")
    return ChipParams((first, second, dense), 3, 1, N_OUTPUTS)


@pytest.fixture(scope="module")
def image(chip: ChipParams) -> ChipImage:
    rng = np.random.default_rng(1)
    n = np.arange(FIRST.n_neurons)
    routes = (
        destinations(n, 1, SECOND.axons.ravel()),
        destinations(np.arange(SECOND.n_neurons), 2, np.arange(SECOND.n_neurons)),
        destinations(np.arange(N_OUTPUTS), HOST, np.arange(N_OUTPUTS)),
    )
    shapes = (FIRST.kernel_shape, SECOND.kernel_shape, (SECOND.n_neurons, N_OUTPUTS))
    contents = [
        CoreImage(
            rng.integers(-5, 8, shape).astype(np.int16),
            there,
            {
                "decay": np.array([3500], np.int32),
                "threshold": rng.integers(100, 400, core.n_neurons).astype(np.int32),
            },
        )
        for core, shape, there in zip(chip.cores, shapes, routes, strict=True)
    ]
    return ChipImage(tuple(contents))


@pytest.fixture(scope="module")
def events() -> Events:
    """Return samples from silent to full."""
    rng = np.random.default_rng(2)
    density = np.array([0.0, 0.05, 0.2, 0.5, 1.0])[:, None, None]
    spikes = rng.random((5, 12, FIRST.axons.size)) < density
    routes = [(line, 0, axon, 0) for line, axon in enumerate(FIRST.axons.ravel().tolist())]
    return Events.from_spikes(spikes, routes, extra_ticks=3)


def test_every_spike_and_potential_is_that_of_the_dense_network(
    chip: ChipParams, image: ChipImage, events: Events, tmp_path: Path
) -> None:
    expected = golden_chip.run(*lowered(chip, image), events)
    assert expected.spikes is not None and expected.outputs.any()
    assert all(0.02 < spikes.mean() < 0.9 for spikes in expected.spikes)
    for backend in ("numpy", "native"):
        found = golden_chip.run(chip, image, events, backend=backend)
        assert found.first_difference(expected) is None
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        found = rtl.run(events)
        assert found.first_difference(expected) is None
        assert (found.active_axons == expected.active_axons).all()
        snapshot = rtl.snapshot()
        snapshot.save(tmp_path / "state.npz")
        rtl.run(events, record=())
        rtl.restore(ChipState.load(tmp_path / "state.npz"))
        golden = golden_chip.GoldenChip(chip, image)
        golden.restore(snapshot)
        again = [engine.run(events, clear=False) for engine in (rtl, golden)]
        assert again[0].first_difference(again[1]) is None


def test_golden_predicts_its_cycles() -> None:
    """Of silent ticks exactly, of others the mean, roughly."""
    core = replace(core_of(FIRST, 4, 1), parameters={})
    chip = ChipParams((core,), n_outputs=1)
    rng = np.random.default_rng(3)
    (contents,) = random_image(rng, chip).cores
    image = ChipImage((replace(contents, destinations=destinations([], HOST, [])),))
    spikes = np.zeros((4, 40, core.n_axons), np.bool_)
    for sample, density in enumerate((0.0, 0.1, 0.4, 1.0)):
        spikes[sample][:, FIRST.axons.ravel()] = rng.random((40, FIRST.axons.size)) < density
    events = Events.from_spikes(spikes, [(axon, 0, axon, 0) for axon in range(core.n_axons)])
    golden = golden_chip.run(chip, image, events)
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        found = rtl.run(events)
    assert found.first_difference(golden) is None
    assert (found.cycles[0] == golden.cycles[0]).all()
    means = found.cycles.mean(axis=1), golden.cycles.mean(axis=1)
    assert (abs(means[0] - means[1]) < 0.08 * means[0]).all(), means


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_chips(seed: int) -> None:
    """Convolutions of any geometry among dense cores, joined and routed in any way."""
    rng = np.random.default_rng(seed)
    cores = [convolution_core(rng, random_convolution(rng), s) for s in ("shared", "gather")]
    chip = random_chip_of(rng, (*cores, random_core(rng)))
    image, events = random_image(rng, chip), random_events(rng, chip, ticks=30)
    expected = golden_chip.run(*lowered(chip, image), events, backend="numpy")
    assert expected.spikes is not None and any(s.any() for s in expected.spikes)
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        assert rtl.run(events).first_difference(expected) is None
