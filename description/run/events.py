"""Host events: what the host sends to a chip before each tick."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.chip.destinations import event_flits
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import variable_range
from spikelet.description.summary import summary

__all__ = ["Events", "check_count", "checked_reward"]


@dataclass(frozen=True)
class Events:
    """Events for a batch of samples, in the order they are sent.

    Parameters
    ----------
    samples, ticks : int
    offsets : array of int64, shape (samples * ticks + 1,)
        Events ``offsets[i]`` up to ``offsets[i + 1]`` are sent before tick ``i % ticks`` of sample
        ``i // ticks``.
    core, axon, delay : array of int32, shape (events,)
        Where to, and when: delay 0 is due at the coming tick.
    count : array of int32, shape (events,), or None
        Spikes that each event stands for, for a chip with graded spikes; None: one each.
    """

    __repr__ = summary

    samples: int
    ticks: int
    offsets: npt.NDArray[np.int64]
    core: npt.NDArray[np.int32]
    axon: npt.NDArray[np.int32]
    delay: npt.NDArray[np.int32]
    count: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        if self.offsets.shape != (self.samples * self.ticks + 1,):
            raise SpikeletError(
                f"events: offsets must have shape ({self.samples * self.ticks + 1},), "
                f"not {self.offsets.shape}"
            )
        given = (self.core, self.axon, self.delay, *([] if self.count is None else [self.count]))
        if any(len(values) != self.offsets[-1] for values in given):
            raise SpikeletError(
                "events: core, axon, delay, any count and the last offset must agree in length"
            )

    @classmethod
    def from_spikes(
        cls,
        spikes: npt.ArrayLike,
        routes: npt.ArrayLike,
        *,
        extra_ticks: int = 0,
        counts: bool = False,
    ) -> "Events":
        """Return the events of input spikes.

        Parameters
        ----------
        spikes : array, shape (samples, ticks, inputs)
            Not zero where an input spikes.
        routes : array of int, shape (routes, 4)
            (input, core, axon, delay): where each input goes; an input may have several.
        extra_ticks : int
            Ticks without input that follow, while the last spikes travel to the output.
        counts : bool
            Whether a value is the count of an event's spikes; if not, what is not zero is a spike.
        """
        dense = np.asarray(spikes)
        routes = np.asarray(routes, np.int64).reshape(-1, 4)
        samples, ticks, n_inputs = dense.shape
        check_range("events: input of a route", routes[:, 0], 0, n_inputs - 1)
        source, core, axon, delay = routes[np.argsort(routes[:, 0], kind="stable")].T
        first = np.searchsorted(source, np.arange(n_inputs))
        count = np.bincount(source, minlength=n_inputs)
        sample, tick, line = np.nonzero(dense)
        repeats = count[line]
        total = int(repeats.sum())
        within = np.arange(total) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        route = np.repeat(first[line], repeats) + within
        ticks += extra_ticks
        per_tick = np.bincount(np.repeat(sample * ticks + tick, repeats), minlength=samples * ticks)
        return cls(
            samples,
            ticks,
            np.concatenate([[0], np.cumsum(per_tick)]).astype(np.int64),
            core[route].astype(np.int32),
            axon[route].astype(np.int32),
            delay[route].astype(np.int32),
            dense[sample, tick, line].repeat(repeats).astype(np.int32) if counts else None,
        )

    @property
    def tick_of_event(self) -> npt.NDArray[np.int64]:
        """Return ``sample * ticks + tick`` of each event's sending."""
        return np.repeat(np.arange(self.samples * self.ticks), np.diff(self.offsets))

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError if an event names a core, axon or delay that does not exist.

        Also if it stands for more spikes than the core takes at an axon.
        """
        check_range("event core", self.core, 0, len(chip.cores) - 1)
        for core in np.unique(self.core):
            params, here = chip.cores[core], self.core == core
            check_range(f"event axon of core {core}", self.axon[here], 0, params.n_axons - 1)
            check_range(f"event delay to core {core}", self.delay[here], 0, params.delay_slots - 2)
            if self.count is not None:
                check_count(core, self.count[here], params.most_spikes)

    def flits(self, chip: ChipParams) -> npt.NDArray[np.uint32]:
        """Return the events as the chip's flits."""
        self.check(chip)
        count = 1 if self.count is None else self.count
        return event_flits(chip, self.core, self.axon, self.delay, count)

    def samples_between(self, first: int, last: int) -> "Events":
        """Return the events of samples ``first`` up to, not including, ``last``."""
        offsets = self.offsets[first * self.ticks : last * self.ticks + 1]
        part = slice(offsets[0], offsets[-1])
        return Events(
            last - first,
            self.ticks,
            offsets - offsets[0],
            self.core[part],
            self.axon[part],
            self.delay[part],
            None if self.count is None else self.count[part],
        )

    def first_ticks(self, ticks: int) -> "Events":
        """Return the events of the first ticks of a single sample."""
        if self.samples != 1:
            raise SpikeletError(f"events: ticks are cut off one sample, not {self.samples}")
        offsets = self.offsets[: ticks + 1]
        part = slice(0, offsets[-1])
        return Events(
            1,
            ticks,
            offsets,
            self.core[part],
            self.axon[part],
            self.delay[part],
            None if self.count is None else self.count[part],
        )


def check_count(core: int, counts: npt.NDArray[Any], most: int) -> None:
    """Raise SpikeletError unless each count of an event's spikes is in 1..``most``."""
    wrong = (counts < 1) | (counts > most)
    if wrong.any():
        found = counts[wrong].flat[0]
        raise SpikeletError(
            f"event count of core {core} must be in 1..{most}, found {found}: "
            + ("its axons take counts of spikes" if most > 1 else "it takes no graded spikes"),
            remedy="build the core with more spike_bits, up to 8, or send smaller counts",
        )


def checked_reward(
    chip: ChipParams, reward: npt.ArrayLike | None, samples: int, ticks: int
) -> npt.NDArray[np.int32]:
    """Return the reward of each tick, shape (samples, ticks); None is 0.

    Raises
    ------
    SpikeletError
        If it has another shape, holds no integers, or exceeds what a core that uses it can take.
    """
    if reward is None:
        return np.zeros((samples, ticks), np.int32)
    values = np.asarray(reward)
    if values.shape != (samples, ticks):
        raise SpikeletError(
            f"reward must have shape ({samples}, {ticks}), samples and ticks, not {values.shape}"
        )
    if values.dtype.kind not in "iu":
        raise SpikeletError(f"reward must be integers, not {values.dtype}")
    for index, core in enumerate(chip.cores):
        rule = core.learning
        if rule and "r" in rule.variables:
            low, high = variable_range(rule, "r", core.weight_min, core.weight_max, 0)
            check_range(f"reward, for core {index}", values, low, high)
    return np.ascontiguousarray(np.clip(values, -(1 << 15), (1 << 15) - 1), np.int32)
