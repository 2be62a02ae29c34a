"""Host events: what the host sends to a chip before each tick."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.chip.destinations import event_flits
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import variable_range
from spikelet.description.summary import summary

__all__ = ["Events", "checked_reward"]


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
    """

    __repr__ = summary

    samples: int
    ticks: int
    offsets: npt.NDArray[np.int64]
    core: npt.NDArray[np.int32]
    axon: npt.NDArray[np.int32]
    delay: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.offsets.shape != (self.samples * self.ticks + 1,):
            raise SpikeletError(
                f"events: offsets must have shape ({self.samples * self.ticks + 1},), "
                f"not {self.offsets.shape}"
            )
        if not len(self.core) == len(self.axon) == len(self.delay) == self.offsets[-1]:
            raise SpikeletError(
                "events: core, axon, delay and the last offset must agree in length"
            )

    @classmethod
    def from_spikes(
        cls, spikes: npt.ArrayLike, routes: npt.ArrayLike, *, extra_ticks: int = 0
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
        )

    @property
    def tick_of_event(self) -> npt.NDArray[np.int64]:
        """Return ``sample * ticks + tick`` of each event's sending."""
        return np.repeat(np.arange(self.samples * self.ticks), np.diff(self.offsets))

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError if an event names a core, axon or delay that does not exist."""
        check_range("event core", self.core, 0, len(chip.cores) - 1)
        for core in np.unique(self.core):
            params, here = chip.cores[core], self.core == core
            check_range(f"event axon of core {core}", self.axon[here], 0, params.n_axons - 1)
            check_range(f"event delay to core {core}", self.delay[here], 0, params.delay_slots - 2)

    def flits(self, chip: ChipParams) -> npt.NDArray[np.uint32]:
        """Return the events as the chip's flits."""
        self.check(chip)
        return event_flits(chip, self.core, self.axon, self.delay)

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
        )

    def first_ticks(self, ticks: int) -> "Events":
        """Return the events of the first ticks of a single sample."""
        if self.samples != 1:
            raise SpikeletError(f"events: ticks are cut off one sample, not {self.samples}")
        offsets = self.offsets[: ticks + 1]
        part = slice(0, offsets[-1])
        return Events(1, ticks, offsets, self.core[part], self.axon[part], self.delay[part])


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
