"""A run in pieces, to compare with the same run in one."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spikelet.description.chip.state import ChipState
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import GoldenChip
from spikelet.host.driver import Chip
from tests.helpers.random_chips import random_events
from tests.helpers.random_plastic import random_reward

__all__ = ["check_in_pieces", "check_joined", "check_same_state", "pieces_of"]

_TICKS = 20


def pieces_of(events: Events, cuts: Sequence[int]) -> list[tuple[slice, Events]]:
    """Return the ticks of one sample cut before each of ``cuts``, which rise."""
    assert events.samples == 1
    found = []
    for first, last in pairwise([0, *cuts, events.ticks]):
        offsets = events.offsets[first : last + 1]
        here = slice(offsets[0], offsets[-1])
        part = Events(
            *(1, last - first, offsets - offsets[0]),
            *(values[here] for values in (events.core, events.axon, events.delay)),
            count=None if events.count is None else events.count[here],
        )
        found.append((slice(first, last), part))
    return found


def check_joined(parts: Sequence[Recording], whole: Recording) -> None:
    """Check that the parts, one behind the other, are the whole run, in all that it recorded."""

    def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays, axis=1)

    same = np.testing.assert_array_equal
    same(joined([part.outputs for part in parts]), whole.outputs)
    same(joined([part.active_axons for part in parts]), whole.active_axons)
    same(sum(part.merged_spikes for part in parts), whole.merged_spikes)
    for core, values in enumerate(whole.spikes):
        same(joined([part.spikes[core] for part in parts]), values)
    for what in ("states", "learned"):
        for core, recorded in enumerate(getattr(whole, what) or []):
            for name, values in recorded.items():
                same(joined([getattr(part, what)[core][name] for part in parts]), values)
    if whole.checksums is not None:
        same(parts[-1].checksums, whole.checksums)


def check_same_state(got: ChipState, expected: ChipState) -> None:
    """Check that two snapshots hold the same, field by field."""
    assert (got.digest, got.ticks) == (expected.digest, expected.ticks)
    pairs = zip(got.image.cores + got.cores, expected.image.cores + expected.cores, strict=True)
    for one, other in pairs:
        expected_arrays, arrays = other.to_arrays(), one.to_arrays()
        assert arrays.keys() == expected_arrays.keys()
        for name, values in expected_arrays.items():
            np.testing.assert_array_equal(arrays[name], values, err_msg=name, strict=True)


def check_in_pieces(chip: Chip, golden: GoldenChip, seed: int) -> bool:
    """Check that a chip, with the contents of ``golden``, runs in pieces what golden runs in one.

    Between the pieces it runs something else. Returns whether any neuron fired.
    """
    rng = np.random.default_rng(seed)
    events = random_events(rng, golden.chip, samples=1, ticks=_TICKS)
    disturbing = random_events(rng, golden.chip)
    reward = random_reward(rng, golden.chip, 1, _TICKS)
    state = golden.snapshot()
    given = {"record": ("spikes", "states", "learning")}
    whole = golden.run(events, reward=reward, **given)
    parts = []
    for ticks, part in pieces_of(events, (_TICKS // 3, _TICKS // 2)):
        parts.append(chip.run(part, reward=reward[:, ticks], start=state, **given))
        state = chip.snapshot()
        chip.run(disturbing, record=())
    check_joined(parts, whole)
    check_same_state(state, golden.snapshot())
    return any(fired.any() for fired in whole.spikes)
