# amaranth: UnusedElaboratable=no
"""A synapse format is one file in each of description, golden and rtl_gen: here all in this one.

The format of this file stores one weight for each axon, the same to every neuron.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring

from spikelet.compiler.compile import compile_network
from spikelet.description.checks import check_range, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import ChipMap, Region
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.synapses.format import (
    CoreShape,
    Memory,
    SynapseFormat,
    SynapseRegion,
    Words,
)
from spikelet.description.synapses.formats import register_synapse_format
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.golden import chip as golden_chip
from spikelet.golden.synapses.sums import register_sums
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.reference import run_float
from spikelet.project import Project
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, delayed
from spikelet.rtl_gen.synapses.crossbars import register_crossbar
from spikelet.rtl_gen.synapses.ports import crossbar_members
from spikelet.runs.run import run
from spikelet.samples.samples import Samples
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

N_AXONS, N_NEURONS = 40, 24


class AxonWeights(SynapseFormat):
    """One signed weight for each axon."""

    name = "axon-weights"

    def check_core(self, core: CoreShape) -> None:
        if core.weight_format != "signed":
            raise SpikeletError(f"core: {self.name} are signed, not {core.weight_format}")

    def rows(self, core: CoreShape) -> int:
        return core.n_axons

    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        if weights.shape != (core.n_axons,):
            raise SpikeletError(f"{name}: weights must have shape ({core.n_axons},)")
        check_range(f"{name}: weights", weights, core.weight_min, core.weight_max)

    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        if (matrix != matrix[:, :1]).any():
            raise SpikeletError(f"{name}: the weights of an axon differ")
        return matrix[:, 0]

    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        return np.repeat(weights[:, None], core.n_neurons, axis=1)

    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        return (SynapseRegion("axon_weights", core.n_axons, core.weight_bits, "axon"),)

    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        codes = weights.astype(np.int64) & ((1 << core.weight_bits) - 1)
        return [("axon_weights", np.arange(core.n_axons), codes.astype(np.uint32))]

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        return (Memory("axon weights", core.n_axons, core.weight_bits),)

    def logic(self, core: CoreShape) -> Counter[str]:
        return Counter({"sum": core.current_bits, "address": unsigned_bits(core.n_neurons)})

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return empty_words + active + (core.n_neurons - core.lanes) / core.pipelines


def axon_sums(
    core: CoreParams, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return the same sum for every neuron."""
    totals = active.astype(np.int32) @ weights.astype(np.int32)
    return np.repeat(totals[..., None], core.n_neurons, axis=-1)


class AxonCrossbar(wiring.Component):
    """Adds the weights of the active axons as they come; then every neuron gets the sum."""

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        super().__init__(crossbar_members(core, regions))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, port = self.core, self.axon_weights
        m.submodules.memory = memory = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=core.weight_bits
        )
        m.d.comb += [
            memory.read_row.eq(Mux(port.read, port.offset, self.axon)),
            memory.read_enable.eq(port.read | self.axon_valid),
            memory.write_row.eq(port.offset),
            memory.write_data.eq(port.data),
            memory.write_banks.eq(port.write),
            port.read_data.eq(delayed(m, memory.read_data, CONFIG_LATENCY - 1, name="word")),
        ]
        total = Signal(signed(core.current_bits))
        valid = delayed(m, self.axon_valid, 1, name="valid")
        with m.If(self.start):
            m.d.sync += total.eq(0)
        with m.Elif(valid):
            m.d.sync += total.eq(total + memory.read_data.as_signed())
        running = Signal()
        ending = Signal(3)
        rows_left = Signal(range(core.rows + 1))
        done = running & ~self.scanning
        with m.If(self.start):
            m.d.sync += running.eq(1)
        with m.Elif(done):
            m.d.sync += running.eq(0)
        m.d.sync += ending.eq(Cat(done & ~self.start, ending))
        with m.If(ending[-1]):
            m.d.sync += rows_left.eq(core.rows)
        with m.Elif(self.sums_valid):
            m.d.sync += rows_left.eq(rows_left - 1)
        m.d.comb += [
            self.sums_valid.eq(rows_left != 0),
            self.sums.eq(total.replicate(core.pipelines)),
            self.busy.eq(running | ending.any() | self.sums_valid),
        ]
        return m


register_synapse_format(AxonWeights())
register_sums(AxonWeights.name, axon_sums)
register_crossbar(AxonWeights.name, AxonCrossbar)


@pytest.fixture(scope="module")
def chip() -> ChipParams:
    core = CoreParams(
        *(N_AXONS, N_NEURONS, neuron_model("nir-euler")),
        weight_bits=6,
        lanes=8,
        pipelines=2,
        parameters={"threshold": "neuron", "decay": "shared"},
        synapses=AxonWeights.name,
    )
    return ChipParams((core,), n_outputs=N_NEURONS)


@pytest.fixture(scope="module")
def image(chip: ChipParams) -> ChipImage:
    rng = np.random.default_rng(1)
    return ChipImage(
        (
            CoreImage(
                weights=rng.integers(-32, 32, N_AXONS).astype(np.int16),
                destinations=destinations(np.arange(N_NEURONS), HOST, np.arange(N_NEURONS)),
                parameters={
                    "threshold": rng.integers(5, 60, N_NEURONS).astype(np.int32),
                    "decay": np.array([3500], np.int32),
                },
            ),
        )
    )


@pytest.fixture(scope="module")
def events() -> Events:
    rng = np.random.default_rng(2)
    spikes = rng.random((5, 20, N_AXONS)) < 0.2
    return Events.from_spikes(spikes, [(axon, 0, axon, 0) for axon in range(N_AXONS)])


def test_golden_and_rtl_are_equal(chip: ChipParams, image: ChipImage, events: Events) -> None:
    record = ("spikes", "states")
    numpy, compiled = (
        golden_chip.run(chip, image, events, record=record, backend=backend)
        for backend in ("numpy", "native")
    )
    assert compiled.first_difference(numpy) is None
    assert 0.02 < np.mean(numpy.spikes[0]) < 0.9
    design = Design(to_verilog(whole_chip(chip), "chip"))
    with VerilatedChip(chip, design, optimise="build") as rtl:
        rtl.load(image)
        trace = rtl.run(events, record=record)
        assert trace.first_difference(numpy) is None
        assert trace.outputs.any()
    silent = ~numpy.spikes[0].any(axis=-1)  # spikes on their way out are not predicted
    assert abs(trace.cycles - numpy.cycles)[silent].max() <= 1


def test_it_is_in_the_memory_map(chip: ChipParams, image: ChipImage) -> None:
    regions = ChipMap(chip).cores[0]
    assert regions["axon_weights"].words == N_AXONS and "weights" not in regions
    program = dict(image.program(chip).tolist())
    first = int(ChipMap(chip).address(0, "axon_weights"))
    weights = image.cores[0].weights
    assert [program[first + axon] for axon in range(N_AXONS)] == [int(w) & 63 for w in weights]


def test_a_chip_and_a_snapshot_are_saved_and_loaded(
    chip: ChipParams, image: ChipImage, events: Events, tmp_path
) -> None:
    assert ChipParams.from_dict(chip.to_dict()) == chip
    golden = golden_chip.GoldenChip(chip, image)
    golden.run(events)
    golden.snapshot().save(tmp_path / "state.npz")
    loaded = ChipState.load(tmp_path / "state.npz")
    loaded.check(chip)
    assert (loaded.image.cores[0].weights == image.cores[0].weights).all()
    assert (loaded.checksums() == golden.snapshot().checksums()).all()


def test_a_network_is_compiled_with_it(tmp_path: Path) -> None:
    """From a float network to runs on golden and RTL, saved, loaded and reported."""
    rng = np.random.default_rng(3)
    rows = rng.integers(-3, 8, 12) / 8
    rows[:2] = -1, 7 / 8
    layer = Population("p0", 16, neuron_model("nir-euler"), {"threshold": np.array([1.0])})
    projection = Projection(INPUT, "p0", np.repeat(rows[:, None], 16, axis=1))
    network = Network("rows", 12, None, (layer,), (projection,), ("p0",))
    compiled = compile_network(network, limits={"synapses": AxonWeights.name, "lanes": 8})
    assert compiled.image.cores[0].weights.shape == (12,)
    spikes = (rng.random((3, 15, 12)) < 0.4).astype(np.uint8)
    (expected,) = run_float(network, spikes)
    assert (run(compiled, spikes).spikes("p0") == expected.spikes).all() and expected.spikes.any()
    project = Project(tmp_path)
    project.save(compiled)
    result = project.verify(Samples(spikes), ("golden", "rtl"))
    assert result.equal
    assert project.load().digests == compiled.digests
    page, _ = project.report()
    assert "rows" in page.read_text()
    uneven = replace(projection, weights=rng.integers(-8, 8, (12, 16)) / 8)
    with pytest.raises(SpikeletError, match="layer 'p0': the weights of an axon differ"):
        compile_network(
            replace(network, projections=(uneven,)),
            limits={"synapses": AxonWeights.name, "lanes": 8},
        )


def test_the_fit_check_counts_it(chip: ChipParams) -> None:
    device = device_named("LFE5U-25F")
    dense = ChipParams((replace(chip.cores[0], synapses="dense"),), n_outputs=N_NEURONS)
    needed = [check_fit(c, device).needed for c in (chip, dense)]
    assert all(needed[0][name] <= needed[1][name] for name in needed[0])
    assert needed[0] != needed[1]


def test_what_it_cannot_hold_is_refused(chip: ChipParams, image: ChipImage) -> None:
    core = chip.cores[0]
    with pytest.raises(SpikeletError, match="the weights of an axon differ"):
        core.synapse_format.stored(core, np.arange(12, dtype=np.int16).reshape(3, 4), "core 0")
    with pytest.raises(SpikeletError, match="axon-weights are signed, not unsigned"):
        CoreParams(4, 8, core.neuron, weight_format="unsigned", lanes=8, synapses="axon-weights")
    with pytest.raises(SpikeletError, match="no synapse format 'rows'"):
        CoreParams(4, 8, core.neuron, lanes=8, synapses="rows")
