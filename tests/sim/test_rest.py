# amaranth: UnusedElaboratable=no
"""Chips that rest: the states of one that never does, golden's cycles, and what wakes them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.neuron_words import state_fields, state_span
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import GoldenChip
from spikelet.golden.timing import rest_cycles
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_sparse import sparse_core
from tests.helpers.random_types import typed_core
from tests.helpers.resting import bursts, resting_chip, resting_image, silence


def verilated(chip: ChipParams) -> VerilatedChip:
    return VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build")


def check(found: Recording, golden: Recording, chip: ChipParams) -> int:
    """Compare states, and the cycles of ticks in which nobody fires; return how many rest."""
    assert found.first_difference(golden) is None
    assert found.cycles is not None and golden.cycles is not None and golden.spikes is not None
    nobody = np.logical_and.reduce([~spikes.any(axis=2) for spikes in golden.spikes])
    exact = all(core.spike_bits == 1 for core in chip.cores)
    at_rest: npt.NDArray[np.bool_] = golden.cycles == max(map(rest_cycles, chip.cores))
    for ticks in (nobody, at_rest) if exact else (at_rest,):
        assert (found.cycles[ticks] == golden.cycles[ticks]).all()
    return int(at_rest.sum())


class Pair:
    """A chip, and golden, with the same contents."""

    def __init__(self, chip: ChipParams, image: ChipImage, rtl: VerilatedChip) -> None:
        rtl.load(image)
        self.chip, self.rtl = chip, rtl
        self.golden = GoldenChip(chip, image, backend="numpy")
        never = tuple(replace(core, rest=False) for core in chip.cores)
        self.usual = GoldenChip(replace(chip, cores=never), image, backend="numpy")

    def run(self, seed: int) -> int:
        """Run bursts, from a cleared state; return how many ticks rest."""
        events = bursts(np.random.default_rng(seed), self.chip)
        found = self.rtl.run(events)
        record = ("spikes", "states", "cycles")
        if any(core.spike_bits > 1 for core in self.chip.cores):
            record = record[:2]
        assert found.first_difference(self.usual.run(events)) is None
        return check(found, self.golden.run(events, record=record), self.chip)

    def go_on(self, ticks: int) -> npt.NDArray[np.int64]:
        """Run some silent ticks from here on; return their cycles."""
        record = ("spikes", "states", "cycles")
        golden = self.golden.run(silence(self.chip, ticks), record=record, clear=False)
        found = self.rtl.run(silence(self.chip, ticks), clear=False)
        check(found, golden, self.chip)
        assert found.cycles is not None
        return found.cycles[0]

    def write(self, region: str, offset: int, value: int) -> None:
        """Write a word of the chip between ticks."""
        address = int(self.rtl.map.address(0, region, offset))
        self.rtl.link.write(np.array([[address, value]], np.uint32))


def test_what_wakes_a_chip() -> None:
    """A state or a parameter that is written, a snapshot, and `clear`, of a chip at rest."""
    rng = np.random.default_rng(1)
    names = ("threshold", "decay", "bias", "inhibition")
    chip = resting_chip("lif-refractory", parameters=dict.fromkeys(names, "shared"))
    given = {"threshold": 10, "decay": 3000, "bias": 0, "inhibition": 3}
    with verilated(chip) as rtl:
        pair = Pair(chip, resting_image(rng, chip, **given), rtl)
        assert pair.run(1) > 40
        rest = rest_cycles(chip.cores[0])
        assert (pair.go_on(20)[-3:] == rest).all()
        assert (pair.go_on(3) == rest).all()

        state = pair.golden.snapshot()
        (core,) = state.cores
        states = {name: values.copy() for name, values in core.states.items()}
        states["v"][5] = -700
        pair.golden.restore(replace(state, cores=(replace(core, states=states),)))
        address = state_address(chip, 5)
        old = int(rtl.read(np.array([address], np.uint32))[0])
        word = (old & ~0xFFF) | (-700 & 0xFFF)
        rtl.link.write(np.array([[address, word]], np.uint32))
        cycles = pair.go_on(40)
        assert cycles[0] > rest and cycles[1] > rest and cycles[-1] == rest

        state = pair.golden.snapshot()
        (contents,) = state.image.cores
        parameters = {**contents.parameters, "bias": np.array([2], np.int32)}
        image = ChipImage((replace(contents, parameters=parameters),))
        pair.golden.restore(replace(state, image=image))
        pair.write("bias", 0, 2)
        cycles = pair.go_on(40)
        assert (cycles[:3] > rest).all() and cycles[-1] == rest

        state = pair.golden.snapshot()
        for engine in (rtl, pair.golden):
            engine.restore(state)
        cycles = pair.go_on(3)
        assert cycles[0] > rest and (cycles[1:] == rest).all()


def state_address(chip: ChipParams, neuron: int) -> int:
    """Return where the word is that begins with the potential of a neuron."""
    place = state_fields(chip.cores[0])["v"]
    assert place.first_bit == 0
    offset = neuron * state_span(chip.cores[0]) + place.word
    return int(ChipMap(chip).address(0, "state", offset))


def inhibited_core() -> CoreParams:
    names = {"inhibition": "shared", "decay": "neuron"}
    return resting_chip("nir-euler", parameters=names, pipelines=2).cores[0]


SLOW = [
    lambda: sparse_core(np.random.default_rng(1)),
    lambda: typed_core(np.random.default_rng(1)),
    inhibited_core,
    lambda: resting_chip("lif-multispike", spike_bits=3).cores[0],
    lambda: resting_chip("cuba-lif", lanes=16, pipelines=4).cores[0],
]


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(SLOW)))
def test_cores_that_rest(index: int) -> None:
    core = replace(SLOW[index](), first_tick=0, rest=True)
    chip = ChipParams((core,), n_outputs=4)
    with verilated(chip) as rtl:
        rested = 0
        for seed in range(6):
            image = resting_image(np.random.default_rng(seed), chip, bias=0)
            rested += Pair(chip, image, rtl).run(seed)
    assert rested > 20
