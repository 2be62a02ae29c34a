# amaranth: UnusedElaboratable=no
"""Runs that stop at the first output spike: golden on both backends, and the RTL."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden import native
from spikelet.golden.chip import GoldenChip
from spikelet.host.driver import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilated_link import VerilatedLink
from spikelet.sim.verilator import Design
from tests.helpers.pieces import check_same_state
from tests.helpers.random_chips import random_chip, random_events, random_image
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image

BACKENDS = ("numpy", *(("native",) if native.available() else ()))
TICKS = 12


def later(events: Events) -> Events:
    """Return the events without those of the first 2 ticks of sample 1, 4 of sample 2, ..."""
    sample, tick = np.divmod(events.tick_of_event, events.ticks)
    kept = tick >= 2 * sample
    counts = np.bincount(events.tick_of_event[kept], minlength=events.samples * events.ticks)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    names = ("core", "axon", "delay", *(("count",) if events.count is not None else ()))
    fields = {name: getattr(events, name)[kept] for name in names}
    return replace(events, offsets=offsets, **fields)


def drawn(
    seed: int, plastic: bool = False, keeps: bool = True
) -> tuple[ChipParams, ChipImage, Events]:
    """Return a chip of which some samples stop before their last tick, and some do not.

    Unless it ``keeps`` something, its neurons begin each sample alike.
    """
    for number in range(seed, seed + 1000, 50):
        rng = np.random.default_rng(number)
        chip = random_plastic_chip(rng, most_cores=2) if plastic else random_chip(rng)
        chip = replace(chip, early_stop=True)
        image = (random_plastic_image if plastic else random_image)(rng, chip)
        events = later(random_events(rng, chip, samples=7, ticks=TICKS))
        ends = GoldenChip(chip, image).run(events, record=(), stop_at_output=True).ends()
        if not keeps and any(core.update.kept for core in chip.cores):
            continue
        if len(set(ends.tolist())) > 2:
            return chip, image, events
    raise AssertionError("no chip was found")


def cut(whole: Recording, stopped: Recording) -> None:
    """Check that a stopped run is the whole one, up to the tick of the first output spike."""
    spiked = whole.outputs.any(axis=2)
    ends = np.where(spiked.any(axis=1), spiked.argmax(axis=1) + 1, whole.ticks)
    assert stopped.ticks_run is not None and np.array_equal(stopped.ticks_run, ends)
    ran = np.arange(whole.ticks) < ends[:, None]
    pairs = [("outputs", whole.outputs, stopped.outputs), ("cycles", whole.cycles, stopped.cycles)]
    pairs += [("active", whole.active_axons, stopped.active_axons)]
    for core in range(len(whole.neurons)):
        pairs += [("spikes", whole.spikes[core], stopped.spikes[core])]  # type: ignore[index]
        for name, values in whole.states[core].items():  # type: ignore[index]
            pairs += [(name, values, stopped.states[core][name])]  # type: ignore[index]
    for name, expected, found in pairs:
        assert expected is not None and found is not None
        assert np.array_equal(found[ran], expected[ran]), name
        assert not found[~ran].any(), name
    assert (stopped.merged_spikes <= whole.merged_spikes).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_stopped_run_is_the_beginning_of_the_whole_one(seed: int) -> None:
    chip, image, events = drawn(seed, keeps=False)
    found = []
    for backend in BACKENDS:
        golden = GoldenChip(chip, image, backend=backend)
        whole = golden.run(events)
        found.append(golden.run(events, stop_at_output=True))
        cut(whole, found[-1])
        after = golden.snapshot()
        assert after.ticks == found[-1].ends()[-1]
    assert found[0].first_difference(found[-1]) is None


@pytest.mark.parametrize("plastic", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_rtl_stops_where_golden_does(plastic: bool) -> None:
    """With what is learned up to there, and nothing of the ticks behind it."""
    chip, image, events = drawn(7, plastic)
    record = ("spikes", "states", "learning", "checksums")
    golden = GoldenChip(chip, image)
    expected = golden.run(events, record=record, stop_at_output=True)
    design = Design(to_verilog(whole_chip(chip), "chip"))
    with VerilatedChip(chip, design, optimise="build") as rtl:
        rtl.load(image)
        found = rtl.run(events, record=record, stop_at_output=True)
        assert {"ticks_run", "checksums"} <= set(found.compared(expected))
        assert found.first_difference(expected) is None
        check_same_state(rtl.snapshot(), golden.snapshot())
        assert found.cycles is not None
        assert np.array_equal((found.cycles > 0).sum(axis=1), found.ends())
        if not plastic:  # nothing of it stays
            whole = rtl.run(events)
            assert whole.ticks_run is None
            assert whole.first_difference(GoldenChip(chip, image).run(events)) is None
            assert whole.first_difference(expected) is not None


def test_a_recording_keeps_where_samples_ended(tmp_path) -> None:
    chip, image, events = drawn(3)
    golden = GoldenChip(chip, image)
    found = golden.run(events, stop_at_output=True)
    found.save(tmp_path / "r.npz")
    again = Recording.load(tmp_path / "r.npz")
    assert again.first_difference(found) is None
    assert np.array_equal(again.ends(), found.ends())
    assert np.array_equal(again.first(2).ends(), found.ends()[:2])
    other = replace(found, ticks_run=found.ends() + np.eye(1, 7, 4, dtype=np.int64)[0])
    difference = other.first_difference(found)
    end = int(found.ends()[4])
    assert str(difference) == (f"ticks_run differ first at sample 4: expected {end}, got {end + 1}")


def test_what_cannot_stop_is_refused() -> None:
    chip, image, events = drawn(3)
    plain = replace(chip, early_stop=False)
    with pytest.raises(SpikeletError, match="no early stop") as caught:
        GoldenChip(plain, image).run(events, stop_at_output=True)
    assert "--early-stop" in caught.value.remedy
    with pytest.raises(SpikeletError, match="must start from a cleared state"):
        GoldenChip(chip, image).run(events, stop_at_output=True, clear=False)
    with pytest.raises(SpikeletError, match="early_stop must be a bool, not 1"):
        replace(chip, early_stop=1)  # type: ignore[arg-type]
    assert "early_stop" not in plain.to_dict()
    assert ChipParams.from_dict(plain.to_dict()) == plain
    assert ChipParams.from_dict(chip.to_dict()) == chip and chip.digest != plain.digest


def test_a_link_that_does_not_stop_is_named() -> None:
    chip, image, events = drawn(7)

    class Deaf(VerilatedLink):
        """Runs all ticks."""

        def run(self, batch):  # type: ignore[no-untyped-def]
            return super().run(replace(batch, stop=None))

    with Chip(
        chip, Deaf(Design(to_verilog(whole_chip(chip), "chip")), optimise="build"), name="deaf"
    ) as rtl:
        rtl.load(image)
        with pytest.raises(SpikeletError, match="deaf: the link does not say how many ticks"):
            rtl.run(events, stop_at_output=True)
