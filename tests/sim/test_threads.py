# amaranth: UnusedElaboratable=no
"""Samples side by side in several Verilated chips give what one gives."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.run.joined import joined_samples
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.cosim.plastic import plastic_chip
from tests.helpers.pieces import check_same_state
from tests.helpers.random_chips import random_chip, random_events, random_image

RECORD = ("spikes", "states", "checksums")


def drawn() -> tuple[ChipParams, ChipImage, Events]:
    """Return a chip of several cores that keeps nothing from sample to sample, and spikes."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        chip = replace(random_chip(rng), early_stop=True)
        image, events = random_image(rng, chip), random_events(rng, chip, samples=10)
        keeps = any(core.update.kept for core in chip.cores)
        if len(chip.cores) > 1 and not keeps:
            ends = GoldenChip(chip, image).run(events, record=(), stop_at_output=True).ends()
            if len(set(ends.tolist())) > 2:
                return chip, image, events
    raise AssertionError("no chip was found")


def check_equal(one: Recording, other: Recording) -> None:
    """Check that two Recordings hold the same, cycles too."""
    assert one.first_difference(other) is None
    for name in ("cycles", "merged_spikes", "ticks_run", "checksums"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.slow  # compiles a chip
def test_as_with_one_thread() -> None:
    chip, image, events = drawn()
    design = Design(to_verilog(whole_chip(chip), "chip"))
    other = random_image(np.random.default_rng(7), chip)
    given: dict[str, Any] = {"optimise": "build"}
    with (
        VerilatedChip(chip, design, **given) as one,
        VerilatedChip(chip, design, threads=4, **given) as several,
    ):
        for loaded in (image, other):  # all are loaded anew
            one.load(loaded)
            several.load(loaded)
            done: list[int] = []
            expected = one.run(events, record=RECORD)
            assert expected.outputs.any()
            check_equal(several.run(events, record=RECORD, progress=done.append), expected)
            assert done == sorted(done) and done[-1] == events.samples
            check_same_state(several.snapshot(), one.snapshot())
        one.load(image)
        several.load(image)
        stopped = several.run(events, record=("spikes",), stop_at_output=True)
        assert len(set(stopped.ends().tolist())) > 2
        check_equal(stopped, one.run(events, record=("spikes",), stop_at_output=True))
        assert len(several._others) == 3
        state = one.snapshot()
        for options in ({"clear": False}, {"start": state}):  # one by one
            check_equal(several.run(events, **options), one.run(events, **options))
            check_same_state(several.snapshot(), one.snapshot())
        assert several.cycles > one.cycles  # the others are loaded, too
        with pytest.raises(SpikeletError, match="sample 0, tick 0 did not end"):
            several.run(events, cycle_limit=1)
    with pytest.raises(SpikeletError, match="closed"):
        several.run(events)


@pytest.mark.slow
def test_chips_that_learn_run_sample_by_sample() -> None:
    chip = plastic_chip("pairs")
    design = Design(to_verilog(whole_chip(chip), "chip"))
    with VerilatedChip(chip, design, optimise="build", threads=4) as engine:
        assert engine._threads == 1


def test_joined_samples_are_the_whole() -> None:
    chip, image, events = drawn()
    golden = GoldenChip(chip, image)
    options: dict[str, Any] = {"record": (*RECORD, "learning"), "stop_at_output": True}
    whole = golden.run(events, **options)
    parts = [golden.run(events.samples_between(a, b), **options) for a, b in ((0, 3), (3, 10))]
    check_equal(joined_samples(parts), whole)
    assert joined_samples(parts[:1]) is parts[0]
