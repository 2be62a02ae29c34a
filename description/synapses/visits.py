"""Clock cycles of a tick in which shared synapses are scattered, register by register."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.format import CoreShape
from spikelet.description.synapses.scan import word_counts

__all__ = ["leaves"]

_Ints = npt.NDArray[np.int64]


def leaves(
    core: CoreShape, convolution: ConvolutionShape, active: npt.NDArray[np.bool_]
) -> tuple[_Ints, _Ints]:
    """Return the cycle, from the start of a tick, in which each group of sums leaves.

    And the cycles that the scan takes, which waits while there are visits.

    All ticks are stepped at once, a cycle a step: what the registers of the scan and of
    ``rtl_gen/synapses/shared.py`` that decide when something happens hold.

    Parameters
    ----------
    core : CoreShape
    convolution : ConvolutionShape
    active : array of bool, shape (ticks, n_axons)

    Returns
    -------
    left_at : array of int64, shape (ticks, groups)
    scanned : array of int64, shape (ticks,)
    """
    groups, blocks = core.groups, convolution.blocks(core.lanes)
    whole, short = (n // core.pipelines - 1 for n in convolution.lanes_in_use(core.lanes))
    scan = _Scan(word_counts(active, core.scan_bits))
    visits, complete = _axons(core, convolution, active)
    every = np.arange(len(active))
    at, group, limit, cooldown, left, found = np.zeros((6, len(active)), np.int64)
    looked = np.zeros(len(active), np.bool_)
    left_at = np.zeros((len(active), groups), np.int64)
    scanned = np.zeros(len(active), np.int64)
    cycle = 0
    while (group < groups).any() or scan.scanning.any():
        cycle += 1
        scanned += scan.scanning
        leave = (group != limit) & (cooldown == 0)
        load = looked & ((left == 0) | ((left == 1) & ~leave))
        visiting = left > 0
        coming = scan.valid & (~looked | load)
        waiting = scan.scanning | coming | looked | visiting
        reached = visits[every, found]
        begun = load & (reached > 0)
        limit = np.where(begun, complete[every, found], limit)
        limit = np.where(waiting, limit, groups)
        scan.step(~looked | load)
        left = np.where(load, reached, left - (visiting & ~leave))
        looked = coming | (looked & ~load)
        found = np.where(coming, at, found)
        at += coming
        left_at[every[leave], group[leave]] = cycle
        pause = np.where(group % blocks == blocks - 1, short, whole)
        group += leave
        cooldown = np.where(leave, pause, np.maximum(cooldown - 1, 0))
    return left_at, scanned


@dataclass
class _Scan:
    """The registers of ``rtl_gen/word_scan.py``, of words with so many axons each."""

    counts: _Ints

    def __post_init__(self) -> None:
        ticks, self.words = self.counts.shape
        self.every = np.arange(ticks)
        self.next, self.remaining = np.zeros((2, ticks), np.int64)
        self.fetched, self.lowest, self.valid = np.zeros((3, ticks), np.bool_)
        self.scanning = np.ones(ticks, np.bool_)

    def step(self, ready: npt.NDArray[np.bool_]) -> None:
        """Let a cycle pass; nothing moves where it is not ``ready``."""
        take = ready & (self.remaining <= 1)
        more = self.next != self.words
        fetch = self.scanning & more & (~self.fetched | take) & ready
        ends = ready & ~(more | self.fetched | (self.remaining > 0) | self.lowest)
        fresh = np.where(self.fetched, self.counts[self.every, self.next - 1], 0)
        self.valid = np.where(ready, self.lowest, self.valid)
        self.lowest = np.where(ready, self.remaining > 0, self.lowest)
        self.remaining = np.where(ready, np.where(take, fresh, self.remaining - 1), self.remaining)
        self.fetched = fetch | (self.fetched & ~take)
        self.next += fetch
        self.scanning &= ~ends


def _axons(
    core: CoreShape, convolution: ConvolutionShape, active: npt.NDArray[np.bool_]
) -> tuple[_Ints, _Ints]:
    """Return of the active axons of each tick, in order: visits, and the groups then complete.

    Of those that reach no output, 0 visits. Shapes (ticks, most active axons in a tick + 1).
    """
    visits, complete = np.zeros((2, core.n_axons), np.int64)
    blocks = convolution.blocks(core.lanes)
    numbers = convolution.axons
    visits[numbers] = convolution.visits[:, :, None] * blocks
    line = convolution.out_width * blocks
    complete[numbers] = np.array(convolution.y.complete)[:, None, None] * line
    tick, axon = np.nonzero(active)
    count = np.bincount(tick, minlength=len(active))
    place = np.arange(len(tick)) - np.repeat(np.cumsum(count) - count, count)
    found = np.zeros((2, len(active), 1 + max(count, default=0)), np.int64)
    found[:, tick, place] = visits[axon], complete[axon]
    return found[0], found[1]
