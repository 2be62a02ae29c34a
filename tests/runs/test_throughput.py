# amaranth: UnusedElaboratable=no
"""Where the clock cycles of a sample go: golden's account, and what the RTL measures."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.runs.throughput import Throughput, throughput
from spikelet.samples.samples import Samples
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.networks import chain, spikes


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    return compile_network(chain([16, 12, 3]), limits=PlacementLimits(max_neurons=8, lanes=4))


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(spikes(5, 6, 16))


@pytest.fixture(scope="module")
def found(compiled: CompiledNetwork, samples: Samples) -> Throughput:
    counted = throughput(compiled, samples)
    assert counted is not None
    return counted


def test_cycles_are_those_that_the_rtl_measures(
    compiled: CompiledNetwork, samples: Samples, found: Throughput
) -> None:
    design = Design(to_verilog(whole_chip(compiled.chip), "chip"))
    with VerilatedChip(compiled.chip, design, optimise="build") as rtl:
        rtl.load(compiled.image)
        measured = rtl.run(compiled.events(samples.spikes))
    assert measured.cycles is not None
    assert found.cycles == measured.cycles.sum(axis=1).mean()
    assert found.samples_per_second(2.0) == 2e6 / found.cycles


def test_parts_of_every_core_add_up(compiled: CompiledNetwork, found: Throughput) -> None:
    assert [core.layer for core in found.cores] == ["p0", "p0", "p1"]
    assert [core.neurons for core in found.cores] == list(compiled.neurons)
    for core in found.cores:
        assert core.own + core.waiting == pytest.approx(found.cycles / found.ticks)
        assert core.sums > 0 and core.update > 0 and core.waiting >= found.barrier
    assert sum(core.bounds for core in found.cores) == pytest.approx(1)


def test_layers_are_those_of_their_busiest_core(found: Throughput) -> None:
    first, last = found.layers
    assert (first.layer, first.cores, last.layer, last.cores) == ("p0", 2, "p1", 1)
    assert first.own == max(core.own for core in found.cores if core.layer == "p0")
    assert first.bounds == pytest.approx(sum(core.bounds for core in found.cores[:2]))
    assert found.bound == "p0"
    assert replace(found, network=first.own + 1).bound == "network"


def test_ticks_behind_a_samples_length_are_left_out(compiled: CompiledNetwork) -> None:
    dense = spikes(2, 6, 16)
    dense[1, 4:] = 0
    short = Samples(dense, lengths=np.array([6, 4]))
    counted = throughput(compiled, short)
    assert counted is not None
    assert counted.ticks == 5 + compiled.output_latency
    alone = [throughput(compiled, Samples(dense[:1])), throughput(compiled, Samples(dense[1:, :4]))]
    cycles = [one.cycles for one in alone if one is not None]
    assert counted.cycles == pytest.approx(np.mean(cycles), rel=0.02)


def test_no_samples_no_account(compiled: CompiledNetwork) -> None:
    assert throughput(compiled, Samples(spikes(0, 6, 16))) is None
