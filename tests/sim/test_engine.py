"""The Verilated chip, the files of a chip, and Verilator's own check of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import IDENTIFICATION, ChipMap
from spikelet.description.chip.packets import destination_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import run
from spikelet.rtl_gen.emit import to_verilog, write_chip
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design, lint
from tests.cosim.plastic import plastic_chip
from tests.helpers.random_chips import random_chip, random_core, random_events, random_image


@pytest.fixture(scope="module")
def made():
    """Return a random chip with contents, its Verilog and the engine."""
    rng = np.random.default_rng(11)
    chip = random_chip(rng, most_cores=2)
    image = random_image(rng, chip)
    verilog = to_verilog(whole_chip(chip), "chip", share=True)
    with VerilatedChip(chip, Design(verilog), optimise="build") as engine:
        engine.load(image)
        yield chip, image, verilog, engine


@pytest.mark.parametrize(
    "seed", [4, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (0, 1, 2, 3, 5))]
)
def test_lint(seed, tmp_path):
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    write_chip(chip, random_image(rng, chip), "random", tmp_path)
    lint(tmp_path / "chip.v", "chip")


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "rows"), [(2, 1), (2, 2)])
def test_lint_of_chips_cut_into_several(columns, rows, tmp_path):
    """What only one of them answers must not be left open in the others."""
    rng = np.random.default_rng(1)
    cores = tuple(random_core(rng, neuron_model("cuba-lif")) for _ in range(3))
    chip = ChipParams(cores, 2, 2, 3, chip_columns=columns, chip_rows=rows)
    write_chip(chip, random_image(rng, chip), "random", tmp_path)
    lint(tmp_path / "chip.v", "chip")


@pytest.mark.parametrize("name", ["pairs", "tagged"])
@pytest.mark.parametrize("groups", [1, 2])
def test_lint_of_learning_cores(name, groups, tmp_path):
    """Also of the least: counters of a core of one group hold a bit."""
    core = plastic_chip(name).cores[0]
    chip = ChipParams((replace(core, n_neurons=groups * core.lanes),))
    path = tmp_path / "chip.v"
    path.write_text(to_verilog(whole_chip(chip), "chip"))
    lint(path, "chip")


def test_files_of_a_chip(made, tmp_path):
    chip, image, verilog, _ = made
    assert write_chip(chip, image, "example", tmp_path) == verilog
    described = json.loads((tmp_path / "memory_map.json").read_text())
    assert described["window_words"] == ChipMap(chip).window
    lines = (tmp_path / "program.hex").read_text().splitlines()
    program = [[int(word, 16) for word in line.split()] for line in lines]
    assert program == image.program(chip).tolist()
    assert (tmp_path / "example.core").read_text().startswith("CAPI=2:")


def test_what_was_loaded_reads_back(made):
    chip, image, _, engine = made
    program = image.program(chip)
    assert np.array_equal(engine.read(program[:, 0].copy()), program[:, 1] & _masks(chip, program))
    assert engine.read(np.array([0], np.uint32))[0] == IDENTIFICATION


def _masks(chip, program):
    """Return the bits that exist in each written word."""
    masks = np.zeros(len(program), np.uint32)
    chip_map = ChipMap(chip)
    for core, regions in enumerate(chip_map.cores):
        for region in regions.values():
            first = chip_map.window * (1 + core) + region.base
            here = (program[:, 0] >= first) & (program[:, 0] < first + region.span)
            masks[here] = (1 << region.bits) - 1
    return masks


def test_addresses_of_nothing_read_zero(made):
    chip, *_, engine = made
    beyond = ChipMap(chip).window * (1 + len(chip.cores))
    assert engine.read(np.array([beyond, 2**31, 0], np.uint32)).tolist() == [0, 0, IDENTIFICATION]


def test_a_run_can_be_repeated_in_parts(made):
    chip, image, _, engine = made
    events = random_events(np.random.default_rng(2), chip, samples=3)
    whole = engine.run(events)
    assert whole.first_difference(run(chip, image, events)) is None
    part = engine.run(events.samples_between(2, 3), record=())
    assert part.spikes is None
    assert np.array_equal(part.outputs, whole.outputs[2:])


def test_a_tick_without_end_is_an_error(made):
    chip, _, verilog, _ = made
    events = random_events(np.random.default_rng(2), chip)
    with (
        VerilatedChip(chip, Design(verilog), optimise="build") as other,
        pytest.raises(SpikeletError, match="sample 0, tick 0 did not end within 3 clock cycles"),
    ):
        other.run(events, cycle_limit=3)


def test_a_design_of_another_chip_is_refused(made):
    other = random_chip(np.random.default_rng(12))
    with pytest.raises(SpikeletError, match="do not belong together"):
        VerilatedChip(other, Design(made[2]), optimise="build")


def test_verilog_that_is_wrong_is_reported():
    with pytest.raises(SpikeletError, match="verilator_bin failed"):
        VerilatedChip(
            random_chip(np.random.default_rng(1)), Design("module chip; nonsense endmodule")
        )


LEAKY = {"decay": "shared"}
SENDER = CoreParams(4, 2, neuron_model("snntorch-zero"), lanes=2, delay_slots=8, parameters=LEAKY)
SMALL = CoreParams(2, 2, neuron_model("snntorch-zero"), lanes=2, parameters=LEAKY)
ROW = ChipParams((SENDER, SMALL), 3, n_outputs=2)
"""Core 1 has fewer axons and delays than a flit can name, and at (2, 0) there is no core."""

TO_HOST = {"axon": 1, "delay": 0, "host": 1, "x": 0, "y": 0}


@pytest.fixture(scope="module")
def row():
    """Compile a chip of two cores."""
    with VerilatedChip(
        ROW, Design(to_verilog(whole_chip(ROW), "chip")), optimise="build"
    ) as engine:
        yield engine


def send(engine: VerilatedChip, **fields: int) -> Recording:
    """Let neuron 0 of core 0 send what no checked image can hold; both its neurons fire twice."""
    images = [
        CoreImage(
            np.full((core.n_axons, 2), 7, np.int16),
            destinations([0, 1], HOST, 0) if core is SENDER else joined(),
            {"threshold": np.ones(1, np.int32), "decay": np.zeros(1, np.int32)},
        )
        for core in ROW.cores
    ]
    engine.load(ChipImage(tuple(images)))
    word = destination_packet(ROW, SENDER).pack(**{**TO_HOST, **fields}, list_ends=1, valid=1)
    address = engine.map.address(0, "destinations")
    engine.link.write(np.array([[address, word]], np.uint32))
    spikes = np.zeros((2, 4, 1), np.uint8)
    spikes[1, 1:3] = 1
    return engine.run(Events.from_spikes(spikes, [(0, 0, 0, 0)]))


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"host": 0, "x": 2}, "the network"),
        ({"host": 0, "x": 1, "axon": 2}, "core 1"),
        ({"host": 0, "x": 1, "delay": 1}, "core 1"),
    ],
)
def test_dropped_packets_are_an_error(row, fields, where):
    message = rf"^rtl: {where} dropped 2 packets, the first in sample 1, tick 1\n"
    with pytest.raises(SpikeletError, match=message):
        send(row, **fields)


def test_an_output_line_that_is_not_there_is_not_counted(row):
    assert send(row).outputs[1].tolist() == [[0, 0], [1, 1], [1, 1], [0, 0]]
    assert send(row, axon=3).outputs[1].tolist() == [[0, 0], [1, 0], [1, 0], [0, 0]]


@pytest.mark.parametrize(("lanes", "pipelines"), [(16, 1), (32, 8)])
def test_predicted_cycles_where_nobody_fires(lanes, pipelines):
    """Exact with no axon active; with all of them less by the two cycles that drain the scan."""
    core = CoreParams(
        n_axons=128,
        n_neurons=64,
        neuron=neuron_model("snntorch-zero"),
        lanes=lanes,
        pipelines=pipelines,
    )
    chip = ChipParams((core,))
    threshold = {"threshold": np.ones(1, np.int32)}
    image = ChipImage((CoreImage(np.zeros((128, 64), np.int16), joined(), threshold),))
    spikes = np.zeros((1, 4, 128), np.uint8)
    spikes[:, 2] = 1
    axons = np.arange(128)
    events = Events.from_spikes(spikes, np.stack([axons, 0 * axons, axons, 0 * axons], axis=1))
    expected = run(chip, image, events)
    with VerilatedChip(
        chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build"
    ) as engine:
        engine.load(image)
        got = engine.run(events)
    assert got.first_difference(expected) is None
    assert (got.cycles - expected.cycles).tolist() == [[0, 0, 2, 0]]
