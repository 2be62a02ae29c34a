"""The fit check: counts that synthesis confirms, messages, and remedies that are true."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fit_chips import HELD_OUT
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp, reward_stdp
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named, families, family_named
from spikelet.fpga.families.family import Device
from spikelet.fpga.fit import (
    LUT_TERMS,
    SELF_TEST_PROGRAM,
    Beside,
    check_fit,
    lut_terms,
    require_fit,
)
from spikelet.fpga.memories import Memory, chip_memories, place_memory, router_queues, varying_bits
from spikelet.fpga.synthesise import synthesise
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from tests.helpers.neuron_models import NOISY

FIXTURES = Path(__file__).parents[1] / "fixtures" / "fpga"

LEAKY: dict[str, str | int] = {"decay": "shared"}

CORE = CoreParams(256, 256, neuron_model("snntorch-zero"), parameters=LEAKY)
SMALL_ECP5, LARGE_ECP5 = device_named("LFE5U-25F"), device_named("LFE5U-85F")
ICE40 = device_named("ICE40UP5K-SG48")


def _with(**parameters: str | int) -> dict[str, Any]:
    """Return fields of a core with more parameters."""
    return {"parameters": {**LEAKY, **parameters}}


RULE = LearningRule(
    "2^-2*x1*y0 - 3*2^-5*x0*y1*w + 2^-1*r*t",
    "x1*y0 - x0*y1 - 2^-1*u1*t",
    x1=TraceParams(9, decay=3300, bits=5),
    y1=TraceParams(9, decay_shift=2, bits=5, mode="set"),
    w_max=7,
    rounding="stochastic",
    tag_bits=5,
    reward_bits=4,
)


def _chip(*cores: CoreParams) -> ChipParams:
    return ChipParams(cores, width=len(cores), n_outputs=256)


SMALL = replace(CORE, n_axons=16, n_neurons=8, lanes=4)

TAGS = replace(
    CORE,
    weight_bits=8,
    parameters={**LEAKY, **Adaptation(40, bits=16, decay_shift=6).constants},
    learning=reward_stdp(trace_bits=10, tag_bits=8),
)


@pytest.mark.parametrize(
    ("core", "device"),
    [
        (
            replace(
                SMALL,
                lanes=2,
                pipelines=2,
                potential_bits=20,
                parameters={**LEAKY, "bias": "neuron", **Adaptation(40, bits=10).constants},
                learning=RULE,
            ),
            SMALL_ECP5,
        ),
        pytest.param(
            replace(SMALL, weight_memory="spram", n_neurons=64), ICE40, marks=pytest.mark.slow
        ),
        pytest.param(TAGS, SMALL_ECP5, marks=pytest.mark.slow),
    ],
    ids=["learning", "spram", "large and learning"],
)
def test_memories_and_multipliers_are_those_of_synthesis(
    core: CoreParams, device: Device, tmp_path: Path
) -> None:
    chip = ChipParams((core,), n_outputs=4)
    built = synthesise(to_verilog(Chip(chip), "chip"), "chip", device, tmp_path).resources
    need = check_fit(chip, device).needed
    for name in ("block_rams", "dsps", "sprams"):
        assert need.get(name) == built.get(name), name
    assert need["luts"] > 0.95 * built["luts"]  # packing adds some
    # Flip-flops are not estimated: LUTs reach their limit first.
    assert built["flip_flops"] * device.family.usable < need["luts"]
    assert lut_terms(chip, device)["distributed ram"] == built.get("distributed_rams", 0)


def test_a_memory_goes_where_the_costs_of_yosys_send_it() -> None:
    """Cells found by synthesis of single memories: rows, bits, writable, where, and how many."""
    for family, rows, bits, writable, resource, cells in (
        ("ecp5", 64, 17, True, "distributed_rams", 20),
        ("ecp5", 256, 8, True, "block_rams", 1),
        ("ecp5", 64, 10, True, "distributed_rams", 12),
        ("ecp5", 300, 20, False, "block_rams", 1),
        ("ecp5", 3000, 20, False, "block_rams", 4),
        ("ecp5", 60, 32, False, "tables", 1920),
        ("ice40", 4, 16, True, "registers", 64),
        ("ice40", 8, 16, True, "block_rams", 1),
        ("ice40", 3000, 20, False, "block_rams", 15),
        ("ice40", 2000, 12, False, "block_rams", 6),
        ("ice40", 60, 32, False, "tables", 1920),
    ):
        memory = Memory("memory", rows, bits, writable=writable)
        placed = place_memory(memory, family_named(family).rams)
        assert (placed.resource, placed.cells) == (resource, cells), (family, rows, bits)
    in_spram = Memory("weights", 16385, 32, 2, kind="spram")
    placed = place_memory(in_spram, ICE40.family.rams)
    assert (placed.resource, placed.cells) == ("sprams", 8)
    assert place_memory(in_spram, SMALL_ECP5.family.rams).resource == "block_rams"
    queue = Memory("queue", 8, 16, kind="unclocked")
    assert place_memory(queue, ICE40.family.rams).resource == "registers"
    assert place_memory(queue, SMALL_ECP5.family.rams).resource == "distributed_rams"


def test_bits_that_are_the_same_in_all_rows_of_a_table_take_no_ram() -> None:
    assert varying_bits([0b1010, 0b1001, 0b1010]) == 2
    assert varying_bits([7]) == 0


def test_counts_of_a_256_by_256_core_are_those_of_synthesis() -> None:
    on_ecp5 = check_fit(_chip(CORE), SMALL_ECP5)
    assert on_ecp5.fits
    assert (on_ecp5.needed["block_rams"], on_ecp5.needed["dsps"]) == (20, 1)
    in_spram = check_fit(_chip(replace(CORE, weight_memory="spram")), ICE40)
    assert in_spram.fits
    assert (in_spram.needed["block_rams"], in_spram.needed["sprams"]) == (6, 4)
    assert str(in_spram).endswith(": fits")


def test_the_destination_table_has_a_word_for_each_neuron_and_each_list_entry() -> None:
    """Words: 8 bits of axon, 1 of delay, the host's, 2 of x, and 2 marks; or an address."""
    chip = _chip(CORE, replace(CORE, list_entries=300), replace(CORE, list_entries=65536))
    tables = [memory for memory in chip_memories(chip) if memory.name.endswith("destinations")]
    assert [(table.rows, table.bank_bits) for table in tables] == [
        (256, 14),
        (556, 14),
        (65792, 19),
    ]
    chips = _chip(CORE), _chip(replace(CORE, list_entries=1024))
    without, with_lists = (check_fit(chip, SMALL_ECP5).needed for chip in chips)
    assert with_lists["memory_bits"] - without["memory_bits"] == 1280 * 13 - 256 * 12
    assert with_lists["block_rams"] - without["block_rams"] == 1


def test_memories_that_a_rule_does_not_use_are_not_built() -> None:
    """No post phase: no list of groups that fired. Silent axons visited: no list of the others."""
    only_pre = replace(CORE, weight_bits=8, learning=LearningRule("x0*(v > 9) - 1*x0"))
    every = LearningRule("2^-2*y0*(x1 - 3)", x1=TraceParams(9, decay_shift=2))
    only_post = replace(CORE, weight_bits=8, learning=every)
    names = [
        {memory.name.removeprefix("core 0 ") for memory in chip_memories(_chip(core))}
        for core in (only_pre, only_post)
    ]
    assert {"axons to visit", "post traces"} <= names[0]
    assert not {"fired groups", "axons with a spike", "pre traces"} & names[0]
    assert {"fired groups", "axons with a spike", "pre traces"} <= names[1]
    assert not {"axons to visit", "post traces", "copy of the pre traces"} & names[1]
    triplet = replace(every, dw="2^-2*y0*x1 - 2^-2*x0*x1")
    copied = chip_memories(_chip(replace(only_post, learning=triplet)))
    assert any(memory.name == "core 0 copy of the pre traces" for memory in copied)


def test_memories_of_a_core_that_learns_have_the_rows_and_bits_of_the_rtl() -> None:
    """Traces in two halves, of 4 axons or a group a row; tags beside the weights."""
    core = replace(
        CORE,
        n_axons=784,
        n_neurons=160,
        weight_bits=8,
        parameters={**LEAKY, **Adaptation(9, bits=20).constants},
        learning=reward_stdp(trace_bits=10, tag_bits=6),
    )
    shapes = {
        memory.name.removeprefix("core 0 "): (memory.rows, memory.bank_bits, memory.banks)
        for memory in chip_memories(_chip(core))
    }
    assert shapes["weights"] == (7840, 32, 4)
    assert shapes["tags"] == (7840, 32, 3)
    assert shapes["pre traces"] == (512, 32, 2)
    assert shapes["post traces"] == (32, 32, 5)
    assert shapes["fired groups"] == (10, 16 + 4 + 13, 1)
    assert shapes["plastic axons"] == shapes["axons to visit"] == (49, 16, 1)
    assert shapes["visited axons"] == (784, 10, 1)
    assert shapes["adaptation"] == (160, 20, 1)


def test_each_pipeline_takes_the_multipliers_of_its_width() -> None:
    wide = replace(CORE, potential_bits=24, pipelines=4)
    assert check_fit(_chip(wide), LARGE_ECP5).needed["dsps"] == 8
    without = replace(CORE, parameters={})
    assert check_fit(_chip(without), LARGE_ECP5).needed["dsps"] == 0


def test_a_product_takes_as_many_multipliers_as_its_operands_are_cut_into() -> None:
    ecp5, ice40 = SMALL_ECP5.family.multiplier, ICE40.family.multiplier
    assert ecp5 is not None and ice40 is not None
    assert [ecp5.cells(18, bits) for bits in (1, 2, 18, 19, 20, 37)] == [
        *(0, 1, 1),  # a bit is a gate
        *(1, 2, 2),  # and so is a last piece of one
    ]
    assert ecp5.cells(24, 24) == 4
    assert [ice40.cells(8, bits) for bits in (2, 3)] == [0, 1]


def test_a_core_that_learns_is_refused_for_all_that_it_holds() -> None:
    """78 block RAMs and 38 multipliers are what synthesis makes of it."""
    report = check_fit(_chip(TAGS), SMALL_ECP5)
    assert report.problems == (
        "78 block rams of 56 (22 too many)",
        "38 dsps of 28 (10 too many)",
    )
    assert check_fit(_chip(replace(TAGS, parameters=LEAKY, learning=None)), SMALL_ECP5).fits


def test_says_what_does_not_fit_and_what_would() -> None:
    with pytest.raises(SpikeletError) as caught:
        require_fit(_chip(CORE), ICE40)
    assert "does not fit ICE40UP5K-SG48" in str(caught.value)
    assert "70 block rams of 30 (40 too many)" in str(caught.value)
    assert "core 0 weights 262144 bits" in str(caught.value)
    assert caught.value.remedy == "compile with --weight-memory spram or with --target GW1NR-9C"


def test_an_estimate_that_was_not_compared_with_synthesis_is_called_a_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the device, and of one that is offered."""
    gowin = device_named("GW1NR-9C")
    words = "LUTs of Gowin are a guess: never compared with synthesis"
    for error, said in ((None, words), (0.07, "")):
        monkeypatch.setattr(type(gowin.family), "lut_error", error)
        report = check_fit(_chip(CORE), ICE40)
        assert any("GW1NR-9C" in options for options in report.remedies)
        assert report.caution == said
        with pytest.raises(SpikeletError) as caught:
            require_fit(_chip(CORE), ICE40)
        assert caught.value.remedy.endswith(said)
        assert (words in str(check_fit(_chip(SMALL), gowin))) == bool(said)
    assert not check_fit(_chip(SMALL), ICE40).caution


def test_fewer_bits_are_offered_and_lanes_are_not_where_they_do_not_help() -> None:
    report = check_fit(_chip(*[CORE] * 4), SMALL_ECP5)
    assert report.problems[0].startswith("80 block rams of 56")
    assert report.remedies == ("--weight-bits 2", "--target LFE5U-45F")


def _applied(chip: ChipParams, options: str) -> ChipParams:
    """Return a chip compiled with options, which are read here as the command line would."""
    timer = chip.tick_timer and "--no-tick-timer" not in options
    words = options.replace("--no-tick-timer", "").split()
    fields: dict[str, str] = dict(zip(words[::2], words[1::2], strict=True))
    cores = []
    for core in chip.cores:
        lanes = min(core.lanes, int(fields.get("--lanes", core.lanes)))
        pipelines = min(core.pipelines, lanes, int(fields.get("--pipelines", core.pipelines)))
        cores.append(
            replace(
                core,
                lanes=lanes,
                pipelines=pipelines,
                weight_bits=min(core.weight_bits, int(fields.get("--weight-bits", 8))),
                weight_memory=fields.get("--weight-memory", core.weight_memory),
            )
        )
    depth = int(fields.get("--fifo-depth", chip.fifo_depth))
    return replace(chip, cores=tuple(cores), fifo_depth=depth, tick_timer=timer)


def _target(options: str, device: Device) -> Device:
    words = options.split()
    return device_named(words[words.index("--target") + 1]) if "--target" in words else device


MNIST = (
    CoreParams(784, 128, neuron_model("snntorch-subtract"), parameters=LEAKY),
    CoreParams(128, 16, neuron_model("snntorch-subtract"), parameters=LEAKY),
)


@pytest.mark.parametrize(
    ("cores", "device", "expected"),
    [
        pytest.param(
            MNIST,
            ICE40,
            {
                ("--weight-memory", "--lanes"),
                ("--weight-memory", "--weight-bits", "--fifo-depth"),
                ("--weight-memory", "--weight-bits", "--no-tick-timer"),
                ("--target",),
            },
            id="SPRAM and fewer lanes",
        ),
        pytest.param(
            (replace(CORE, n_axons=64, weight_bits=2, lanes=256),),
            ICE40,
            {("--lanes",), ("--target",)},
            id="fewer lanes",
        ),
        pytest.param(
            (replace(CORE, lanes=16, pipelines=16, weight_memory="spram", weight_bits=2),),
            ICE40,
            {("--pipelines",), ("--lanes",), ("--target",)},
            id="fewer pipelines",
        ),
        pytest.param(
            (replace(CORE, weight_bits=8),) * 9,
            SMALL_ECP5,
            {("--target", "--weight-bits")},
            id="a larger device and fewer bits",
        ),
        pytest.param(
            (replace(CORE, n_axons=100, lanes=256, weight_bits=4),),
            ICE40,
            {("--weight-bits", "--lanes"), ("--weight-memory", "--lanes"), ("--target",)},
            id="fewer bits and fewer lanes",
        ),
    ],
)
def test_every_remedy_is_true_by_the_same_estimate_and_the_next_larger_value_is_not(
    cores: tuple[CoreParams, ...], device: Device, expected: set[tuple[str, ...]]
) -> None:
    chip = _chip(*cores)
    report = check_fit(chip, device)
    names = {
        tuple(word for word in options.split() if word.startswith("--"))
        for options in report.remedies
    }
    assert names == expected
    for options in report.remedies:
        assert check_fit(_applied(chip, options), _target(options, device)).fits, options
        *rest, name, value = options.split()
        if value.isdigit():
            larger = int(value) + 1 if name == "--weight-bits" else 2 * int(value)
            milder = " ".join([*rest, name, str(larger)])
            assert not check_fit(_applied(chip, milder), _target(options, device)).fits, milder


def test_a_chip_that_just_misses_is_offered_no_tick_timer() -> None:
    core = replace(CORE, weight_bits=8, weight_memory="spram", lanes=8)
    chip = _chip(replace(core, learning=pair_stdp(trace_bits=8, rounding="nearest")))
    chip = replace(chip, n_outputs=1)
    report = check_fit(chip, ICE40)
    assert "--no-tick-timer" in report.remedies
    assert check_fit(replace(chip, tick_timer=False), ICE40).fits


@pytest.mark.parametrize("rule", [pair_stdp(), reward_stdp(), RULE], ids=lambda rule: rule.name)
def test_remedies_keep_the_bounds_of_a_rule(rule: LearningRule) -> None:
    """Weights narrower than ``w_min..w_max`` cannot be built, so they are no way out."""
    bits = rule.w_max.bit_length() + 1
    chip = _chip(replace(CORE, n_axons=512, weight_bits=bits, learning=rule))
    report = check_fit(chip, SMALL_ECP5 if bits > 4 else ICE40)
    assert report.problems and report.remedies
    assert not any("--weight-bits" in options for options in report.remedies)


def test_bits_of_weights_that_learn_are_cut_down_to_the_bounds_of_the_rule() -> None:
    chip = _chip(replace(CORE, n_axons=512, weight_bits=8, learning=pair_stdp(w_max=7)))
    report = check_fit(chip, SMALL_ECP5)
    (options,) = [o for o in report.remedies if "--weight-bits" in o]
    assert 4 <= int(options.split()[-1]) < 8
    assert check_fit(_applied(chip, options), SMALL_ECP5).fits


def test_where_nothing_helps_it_says_so_and_what_is_largest() -> None:
    with pytest.raises(SpikeletError, match="1280 block rams of 208") as caught:
        require_fit(_chip(*[CORE] * 64), LARGE_ECP5)
    assert "use a smaller network" in caught.value.remedy
    assert "core 0 weights is the largest memory" in caught.value.remedy


def test_what_an_image_holds_beside_the_chip_counts_and_follows_the_weights() -> None:
    """Weights in SPRAM fit an iCE40; the ROM that loads them does not, unless they are fewer."""
    chip = _chip(replace(CORE, n_axons=128, weight_memory="spram", lanes=8, n_neurons=128))
    program = Memory(SELF_TEST_PROGRAM, 2500, 32, writable=False)
    events = Memory("self-test events", 300, 10, writable=False)
    bare, image = check_fit(chip, ICE40), check_fit(chip, ICE40, Beside(470, (program, events)))
    assert bare.fits and image.needed["luts"] - bare.needed["luts"] > 300
    assert image.needed["block_rams"] - bare.needed["block_rams"] == 20 + 2
    larger = replace(program, rows=3300)
    with pytest.raises(SpikeletError, match="with what the image holds beside it") as caught:
        require_fit(chip, ICE40, Beside(470, (larger, events)))
    assert "self-test program 105600 bits" in str(caught.value)
    assert "--weight-bits" not in caught.value.remedy  # of 8 lanes: as many words
    assert "--target Tang-Nano-9K" in caught.value.remedy


def test_every_input_of_a_router_has_a_queue() -> None:
    """Of cores, of the host, and of both ends of each link."""
    small = replace(CORE, n_axons=16, n_neurons=16)
    for number, width, height, topology, links in (
        (1, 1, 1, "mesh", 0),
        (4, 2, 2, "mesh", 4),
        (6, 3, 2, "torus", 12),
        (4, 4, 1, "ring", 4),
        (4, 4, 1, "tree", 2),
        (1, 1, 1, "tree", 0),
    ):
        chip = ChipParams((small,) * number, width, height, topology=topology)
        assert router_queues(chip) == number + 1 + 2 * links, topology


def test_a_constant_of_a_rule_takes_an_adder_of_its_ones() -> None:
    trace = TraceParams(9, decay_shift=2)
    rules = (LearningRule(f"2^-3*x1*y0{more}", x1=trace) for more in ("", " - 5*2^-3*y0"))
    cores = (replace(CORE, weight_bits=8, learning=rule) for rule in rules)
    without, constant = (lut_terms(_chip(core), LARGE_ECP5) for core in cores)
    assert constant["multiplexer"] == without["multiplexer"]
    assert 16 * 2 <= constant["adder"] - without["adder"] <= 16 * 3 * 2


def test_an_image_has_a_shorter_program_where_weights_take_fewer_words() -> None:
    core = replace(CORE, n_axons=128, n_neurons=128, weight_memory="spram", lanes=8, weight_bits=8)
    program = Memory(SELF_TEST_PROGRAM, 4096 + 200, 32, writable=False)
    report = check_fit(_chip(core), ICE40, Beside(470, (program,)))
    assert report.problems and "--weight-bits 4" in report.remedies
    assert not check_fit(_chip(replace(core, weight_bits=4)), ICE40, Beside(470, (program,))).fits


def test_cells_of_bits_that_nothing_reads_are_dropped() -> None:
    """48 bits in banks of 32: the second bank is half unread; as synthesis of such chips finds."""
    weights = Memory("weights", 256, 32, 2, "block", unread_bits=16)
    assert place_memory(weights, ICE40.family.rams).cells == 3
    deep = replace(weights, rows=1024)
    assert place_memory(deep, ICE40.family.rams).cells == 12
    chip = _chip(replace(CORE, n_neurons=64, weight_bits=3))
    assert chip_memories(chip)[0].unread_bits == 16


def test_an_image_says_itself_what_its_logic_takes() -> None:
    """In logic cells of an iCE40, which other families scale."""
    chip = _chip(CORE)
    for family in families():
        device = family.largest
        bare = check_fit(chip, device).needed
        beside = check_fit(chip, device, Beside(2000, ())).needed
        assert beside["luts"] - bare["luts"] == pytest.approx(
            2000 * family.lut_costs["image"], abs=1
        )
        assert {**beside, "luts": 0} == {**bare, "luts": 0}
    assert check_fit(chip, ICE40, Beside(2000, ())).needed["luts"] > 2000


def test_every_family_has_a_coefficient_for_each_term() -> None:
    for family in families():
        assert set(family.lut_costs) == set(LUT_TERMS)
        assert all(number >= 0 for number in family.lut_costs.values())


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"lanes": 32}, {"sum": 16 * 16, "adder": 16 * 26, "multiplexer": 16 * 40, "register": 1}),
        ({"pipelines": 2}, {"adder": 16 * 2, "multiplexer": 16 * 2, "register": 1}),
        ({"potential_bits": 20}, {"adder": 4 * 2, "multiplexer": 4 * 3, "configuration": 4}),
        ({"n_axons": 512}, {"address": 1, "sum": 16}),
        (
            _with(**Adaptation(9).constants),
            {"adder": 24 + 17, "multiplexer": 15 + 48, "register": 24},
        ),
        (
            _with(**Adaptation(9, decay_shift=3).constants),
            {"adder": 2 * 24 + 17, "multiplexer": 15 + 48},
        ),
        ({"learning": pair_stdp(trace_bits=8)}, {"random": 32 * 16, "configuration": 16}),
        ({"learning": pair_stdp(trace_bits=9, rounding="nearest")}, {"multiplexer": 2 * 16 + 16}),
        (
            {"learning": replace(reward_stdp(), rounding="nearest")},
            {"multiplexer": 16 * 8, "adder": 16 * 20, "register": 16 * 8, "configuration": 32},
        ),
        (_with(inhibition="shared"), {"adder": 16, "multiplexer": 15, "configuration": 15}),
        ({"list_entries": 9}, {"address": 4 * 9}),
        (_with(bias="shared"), {"adder": 16}),
        (
            {**_with(bias="neuron"), "pipelines": 4},
            {"multiplexer": 3 * 16 + 3 * 17, "register": 4 * 2 * 16},
        ),
        (
            {"neuron": neuron_model("snntorch-subtract-immediate"), **_with()},
            {"adder": 3 * 16},
        ),
        (
            {"neuron": neuron_model("cuba-lif"), **_with(decay_i="shared")},
            {"adder": 16, "multiplexer": 2 * 16, "configuration": 12},
        ),
        (
            {"neuron": NOISY, **_with()},
            {"random": 64, "register": 32, "configuration": 32},
        ),
        ({"weight_bits": 4, "learning": None}, {"plastic core": -1}),
    ],
    ids=str,
)
def test_terms_grow_with_the_structure(fields: dict[str, Any], more: dict[str, int]) -> None:
    """Of 16 lanes; each term by what the RTL has more of it, at least."""
    core = replace(CORE, weight_bits=8, learning=pair_stdp(trace_bits=8, rounding="nearest"))
    few, many = (lut_terms(_chip(c), LARGE_ECP5) for c in (core, replace(core, **fields)))
    for name, least in more.items():
        assert many[name] - few[name] >= least, (name, many[name] - few[name])
    for device in (LARGE_ECP5, ICE40):
        needs = [
            check_fit(_chip(c), device).needed["luts"] for c in (core, replace(core, **fields))
        ]
        assert (needs[1] > needs[0]) == (fields.get("learning", core) is not None)


RECORDED = json.loads((FIXTURES / "fit_estimates.json").read_text())


@pytest.mark.parametrize(
    ("family", "title"),
    [(family, title) for family, chips in RECORDED.items() for title in chips],
)
def test_estimates_meet_what_synthesis_has_made(family: str, title: str) -> None:
    """Of chips that no coefficient comes from; ``python -m benchmarks.fit_estimates`` builds them.

    The fixture holds the cells that this command printed.
    """
    device = family_named(family).largest
    need, built = check_fit(HELD_OUT[family][title], device).needed, RECORDED[family][title]
    assert {name: need.get(name, 0) for name in ("block_rams", "dsps", "sprams")} == {
        name: built[name] for name in ("block_rams", "dsps", "sprams")
    }
    assert need["luts"] == pytest.approx(built["luts"], rel=0.1)
    error = device.family.lut_error
    assert error is not None and abs(need["luts"] / built["luts"] - 1) < error + 0.0006
