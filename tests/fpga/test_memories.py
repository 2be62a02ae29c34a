"""The memories of a chip counted by hand, and where exactly a chip no longer fits."""

from dataclasses import replace

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.lanes import rows_in_word
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.fpga.memories import Memory, chip_memories, place_memory, varying_bits
from tests.helpers.neuron_models import HABITUATING, NOISY, ODD

CORE = CoreParams(
    200,
    64,
    neuron_model("nir-euler"),
    lanes=16,
    pipelines=4,
    weight_bits=5,
    potential_bits=18,
    delay_slots=8,
    list_entries=10,
    parameters={
        **{"threshold": "neuron", "decay": "shared"},
        **{"bias": "neuron", "reset_potential": "neuron"},
    },
)
ECP5 = device_named("LFE5U-25F")


def memories_of(chip: ChipParams) -> dict[str, Memory]:
    return {memory.name: memory for memory in chip_memories(chip)}


def test_memories_of_a_core() -> None:
    shared = replace(CORE, n_neurons=16, parameters={**CORE.parameters, "threshold": "shared"})
    chip = ChipParams((CORE, shared), 2, fifo_depth=4)
    found = memories_of(chip)
    shapes = {
        name.removeprefix("core 0 "): (memory.rows, memory.bank_bits, memory.banks)
        for name, memory in found.items()
        if not name.startswith("core 1")
    }
    width = found["core 0 destinations"].bank_bits
    assert shapes == {
        "weights": (4 * 200, 32, 3),  # 16 lanes of 5 bits
        "state": (16, 19, 4),
        "destinations": (74, width, 1),
        "axon list": (200, 8, 1),
        "axon bitmap": (8 * 16, 16, 1),  # 13 words of 16 axons
        "fired queue": (16, 4 + 4, 1),
        "threshold": (16, 17, 4),  # never negative
        "bias": (16, 18, 4),
        "reset_potential": (16, 18, 4),
        "router queues": (4, found["router queues"].bank_bits, 2 + 1 + 2),  # cores, host, links
    }
    assert found["core 0 weights"].unread_bits == 16  # 80 bits in three banks
    assert found["core 0 weights"].bits == 800 * 96
    assert {memory.kind for memory in found.values()} == {"block", "auto", "unclocked"}
    # One group: the axons need no list; one threshold: no memory.
    assert not {"core 1 axon list", "core 1 threshold"} & found.keys()
    assert found["core 1 fired queue"].bank_bits == 4 + 2


def test_every_state_word_has_a_memory_and_so_has_what_is_kept_and_what_neurons_draw() -> None:
    shapes = [
        {
            memory.name.removeprefix("core 0 "): (memory.rows, memory.bank_bits, memory.banks)
            for memory in chip_memories(ChipParams((replace(CORE, neuron=model, parameters={}),)))
        }
        for model in (ODD, HABITUATING, NOISY, CORE.neuron)
    ]
    state = (16, 18 + 1, 4)
    assert shapes[0]["state"] == (16, 18 + 2, 4)  # two flags
    assert shapes[0]["state 1"], shapes[0]["state 2"] == ((16, 2, 4), (16, 18, 4))
    assert (shapes[1]["state"], shapes[1]["used"]) == (state, (16, 6, 4))
    assert (shapes[2]["state"], shapes[2]["draws"]) == (state, (32, 32, 4))
    assert shapes[3]["state"] == state
    assert not {"state 1", "used", "draws", "adaptation"} & shapes[3].keys()


@pytest.mark.parametrize(
    ("bits", "bank_bits", "banks", "unread"),
    [(3, 24, 1, 0), (4, 32, 1, 0), (5, 32, 2, 24), (6, 32, 2, 16), (8, 32, 2, 0)],
)
def test_rows_are_cut_into_banks_of_32_bits(
    bits: int, bank_bits: int, banks: int, unread: int
) -> None:
    weights = memories_of(ChipParams((replace(CORE, lanes=8, weight_bits=bits),)))["core 0 weights"]
    assert (weights.bank_bits, weights.banks, weights.unread_bits) == (bank_bits, banks, unread)


@pytest.mark.parametrize(("depth", "places"), [(2, 1), (3, 2), (4, 4), (5, 4), (6, 8)])
def test_a_queue_of_flits_has_a_power_of_two_of_places(depth: int, places: int) -> None:
    chip = ChipParams((CORE,), fifo_depth=depth)
    assert memories_of(chip)["router queues"].rows == places


@pytest.mark.parametrize(("axons", "bits"), [(2, 1), (3, 2), (256, 8), (257, 9)])
def test_lists_of_axons_hold_their_highest_number(axons: int, bits: int) -> None:
    rule = LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=7)
    found = memories_of(ChipParams((replace(CORE, n_axons=axons, learning=rule),)))
    for name in ("core 0 axon list", "core 0 visited axons"):
        assert (found[name].rows, found[name].bank_bits) == (axons, bits)


def test_all_bits_that_vary_count() -> None:
    assert varying_bits([0b0001, 0b0011, 0b1001]) == 2
    assert varying_bits([5, 5, 5]) == 0


@pytest.mark.parametrize("name", ["block_rams", "dsps", "luts"])
def test_what_fits_exactly_fits_and_one_more_does_not(name: str) -> None:
    chip = ChipParams((CORE,))
    need = check_fit(chip, ECP5).needed[name]
    usable = ECP5.family.usable if name == "luts" else 1
    most = next(size for size in range(need, 2 * need + 2) if int(size * usable) >= need)
    exact = replace(ECP5, capacity={**ECP5.capacity, name: most})
    assert check_fit(chip, exact).fits
    report = check_fit(chip, replace(ECP5, capacity={**ECP5.capacity, name: most - 1}))
    (problem,) = report.problems
    assert problem.startswith(f"{need} {name.replace('_', ' ')} of {most - 1}")
    over = need - int((most - 1) * usable)
    assert problem.endswith(f"({over} too many)")
    assert not report.fits


def test_memory_bits_count_what_is_in_ram() -> None:
    chip = ChipParams((CORE,))
    report = check_fit(chip, ECP5)
    assert report.available["memory_bits"] == ECP5.capacity["block_rams"] * 18 * 1024
    assert report.largest[0] == ("core 0 weights", 800 * 96)
    assert [bits for _, bits in report.largest] == sorted(
        (bits for _, bits in report.largest), reverse=True
    )
    assert len(report.largest) == 3
    assert 800 * 96 <= report.needed["memory_bits"] <= sum(m.bits for m in chip_memories(chip))


def test_rows_share_words_no_deeper_than_a_block_ram() -> None:
    """tinyODIN's 65,536 rows of 4 bits: 16 block RAMs of 16,384 bits each, and no more."""
    core = replace(CORE, n_axons=256, n_neurons=256, lanes=1, pipelines=1, weight_bits=4)
    weights = memories_of(ChipParams((core,)))["core 0 weights"]
    assert (weights.rows, weights.bank_bits, weights.banks, weights.sharing) == (16384, 4, 4, 4)
    placed = place_memory(weights, ECP5.family.rams)
    assert (placed.resource, placed.cells) == ("block_rams", 16)
    assert placed.multiplexers == 3 * 4  # a row is chosen from its word
    three = Memory("ragged", 100, 32, 6, unread_bits=20, sharing=3)  # two banks of 32 and 12 bits
    assert place_memory(three, ECP5.family.rams).cells == 3 * (1 + 1)
    assert rows_in_word(16384) == 1
    assert rows_in_word(16385) == 2
    assert rows_in_word(65537) == 8
