"""The fit check: counts that synthesis confirmed, and messages."""

from dataclasses import replace

import pytest

from fpga.devices import device_named
from fpga.fit import check_fit, chip_memories, require_fit
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import profile_named
from spikelet.errors import SpikeletError

CORE = CoreParams(256, 256, profile_named("snntorch-zero"))


def _chip(*cores: CoreParams) -> ChipParams:
    return ChipParams(cores, width=len(cores), n_outputs=256)


def test_counts_of_a_256_by_256_core_are_those_of_synthesis() -> None:
    on_ecp5 = check_fit(_chip(CORE), device_named("LFE5U-25F"))
    assert on_ecp5.fits
    assert (on_ecp5.needed["block_rams"], on_ecp5.needed["dsps"]) == (20, 1)
    in_spram = check_fit(
        _chip(replace(CORE, weight_memory="spram")), device_named("ICE40UP5K-SG48")
    )
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
    without, with_lists = (check_fit(chip, device_named("LFE5U-25F")).needed for chip in chips)
    assert with_lists["memory_bits"] - without["memory_bits"] == 1280 * 13 - 256 * 12
    assert with_lists["block_rams"] - without["block_rams"] == 1


def test_says_what_does_not_fit_and_what_would() -> None:
    with pytest.raises(SpikeletError) as caught:
        require_fit(_chip(CORE), device_named("ICE40UP5K-SG48"))
    assert "does not fit ICE40UP5K-SG48" in str(caught.value)
    assert "70 block rams of 30 (40 too many)" in str(caught.value)
    assert "core 0 weights 262144 bits" in str(caught.value)
    assert "weights in SPRAM or" in caught.value.remedy
    assert "device LFE5U-25F" in caught.value.remedy


def test_fewer_lanes_and_bits_are_offered_only_if_they_help() -> None:
    report = check_fit(_chip(*[CORE] * 4), device_named("LFE5U-25F"))
    assert report.problems[0].startswith("80 block rams of 56")
    assert "weights of 2 bits" in report.remedies
    assert not any("lanes" in remedy for remedy in report.remedies)


def test_offers_the_most_lanes_that_fit() -> None:
    wide = CoreParams(64, 256, profile_named("snntorch-zero"), lanes=256, weight_bits=2)
    device = device_named("ICE40UP5K-SG48")
    report = check_fit(_chip(wide), device)
    (lanes,) = [int(remedy.split()[2]) for remedy in report.remedies if "lanes" in remedy]
    assert check_fit(_chip(replace(wide, lanes=lanes)), device).fits
    assert not check_fit(_chip(replace(wide, lanes=2 * lanes)), device).fits


def test_each_pipeline_takes_the_multipliers_of_its_width() -> None:
    wide = replace(CORE, potential_bits=24, pipelines=4)
    assert check_fit(_chip(wide), device_named("LFE5U-85F")).needed["dsps"] == 8
    without = replace(CORE, decay="none")
    assert check_fit(_chip(without), device_named("LFE5U-85F")).needed["dsps"] == 0
