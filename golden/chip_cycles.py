"""Cost model: where the clock cycles of a chip's ticks go, core by core.

No twin in rtl_gen, whose cycles it predicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.description.synapses.format import even_leads
from spikelet.golden.learning_cycles import learned_until
from spikelet.golden.network_cycles import CoreTick, NetworkCycles
from spikelet.golden.timing import exact_core_cycles, exact_sum_cycles, rest_cycles

__all__ = ["ChipCycles", "chip_cycles"]

_STROBES = 2
"""Cycles of a tick besides those from its start to the last in which something is under way."""

_SCAN = 3
"""Cycles from a tick's start to the end of the scan, besides those that it counts."""


@dataclass(frozen=True)
class ChipCycles:
    """Clock cycles of each tick of a chip, and what each core does in them.

    Parameters
    ----------
    cycles : array of int64, shape (samples, ticks)
        From the start of a tick to the barrier, as the chip counts them.
    sums : array of int64, shape (samples, ticks, cores)
        The scan of the axons, and the sums until the last of them leave.
    update : array of int64, shape (samples, ticks, cores)
        From there until the last neurons have been updated; the update of the groups before hides
        behind the sums.
    beside : array of int64, shape (samples, ticks, cores)
        From there until learning, or the walk over axons with short-term plasticity, has ended.
    emission : array of int64, shape (samples, ticks, cores)
        From there until the core's last spike has left it.
    """

    cycles: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]
    update: npt.NDArray[np.int64]
    beside: npt.NDArray[np.int64]
    emission: npt.NDArray[np.int64]

    @property
    def own(self) -> npt.NDArray[np.int64]:
        """What each core does by itself, (samples, ticks, cores)."""
        return self.sums + self.update + self.beside + self.emission

    @property
    def waiting(self) -> npt.NDArray[np.int64]:
        """The rest: other cores, spikes on their way through the network, and the barrier."""
        return self.cycles[..., None] - self.own


def chip_cycles(
    chip: ChipParams,
    image: ChipImage,
    active: Sequence[npt.NDArray[np.bool_]],
    fired: Sequence[npt.NDArray[np.bool_]],
    rested: npt.NDArray[np.bool_],
    events: Events | None = None,
    rewards: npt.NDArray[np.integer] | None = None,
    *,
    clear: bool = True,
) -> ChipCycles:
    """Return the clock cycles of each tick.

    Those of the RTL after a reset, as far as synapse formats say when their groups leave
    (``group_leads``): cores, routers, links and arrivals are followed cycle by cycle. Of other
    formats the groups are taken to leave evenly. The host is taken to take its spikes at once.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    active : sequence of array of bool, shape (samples, ticks, n_axons)
        Of each core.
    fired : sequence of array of bool, shape (samples, ticks, n_neurons)
        Of each core.
    rested : array of bool, shape (samples, ticks, cores)
        Which ticks a core cuts short.
    events : Events, or None
        What the host sends, which leaves its traces in whose turn it is in the routers; None: not
        taken into account.
    rewards : array of int, shape (samples, ticks), or None
        Of plastic cores; None: 0.
    clear : bool
        Whether each sample starts from a cleared state.
    """
    run = rested.shape[:2]
    given = np.zeros(run, np.int32) if rewards is None else rewards
    cores = [
        _Core(core, contents.weights, axons, spikes, rested[..., index])
        if core.learning is None
        else _PlasticCore(core, contents, axons, spikes, given, clear)
        for index, (core, contents, axons, spikes) in enumerate(
            zip(chip.cores, image.cores, active, fired, strict=True)
        )
    ]
    emitted = np.zeros((len(cores), run[0] * run[1]), np.int64)
    ends = np.max([core.end for core in cores], axis=0)
    network = NetworkCycles(chip, image)
    spiking = np.any([core.spiking for core in cores], axis=0)
    sources = _events_by_tick(events) if events is not None and len(cores) > 1 else None
    for tick in range(run[0] * run[1]) if sources else np.flatnonzero(spiking).tolist():
        if sources:
            network.events(sources[tick])
        if not spiking[tick]:
            continue
        found = network.tick([core.tick(tick) for core in cores])
        ends[tick] = max(ends[tick], found.last + _STROBES)
        emitted[:, tick] = found.emission
    emission = np.array(
        [
            np.where(sent > 0, np.maximum(sent + _STROBES - core.end, 0), 0)
            for core, sent in zip(cores, emitted, strict=True)
        ]
    )

    def by_core(values: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        return np.stack([found.reshape(run) for found in values], axis=-1)

    return ChipCycles(
        ends.reshape(run) + 2 * chip.barrier_latency,
        by_core([core.sums for core in cores]),
        by_core([core.updated - core.sums for core in cores]),
        by_core([core.end - core.updated for core in cores]),
        by_core(list(emission)),
    )


class _Core:
    """Cycles of a core in each tick, (ticks,), but for its emission."""

    def __init__(
        self,
        core: CoreParams,
        weights: npt.NDArray[np.int16],
        active: npt.NDArray[np.bool_],
        fired: npt.NDArray[np.bool_],
        rested: npt.NDArray[np.bool_],
    ) -> None:
        self.core = core
        self.fired = fired.reshape(-1, core.n_neurons)
        self.spiking: npt.NDArray[np.bool_] = np.asarray(self.fired.any(axis=1))
        ticks, short = active.reshape(-1, core.n_axons), rested.reshape(-1)
        self.sums, self.updated = exact_sum_cycles(core, ticks, weights)
        self.opens = core.synapse_format.scan_cycles(core, ticks) + _SCAN
        self.rows = core.synapse_format.group_rows(core)
        self.ends = np.cumsum(self.rows)
        self.leads = np.zeros((len(ticks), core.groups), np.int64)
        self.leads[self.spiking] = self._leads(ticks[self.spiking], self.sums[self.spiking])
        if core.rests:
            self.sums = np.where(short, core.scan_words, self.sums)
            self.updated = np.where(short, rest_cycles(core), self.updated)
        self.end = exact_core_cycles(core, self.sums, self.updated)

    def _leads(
        self, ticks: npt.NDArray[np.bool_], sums: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        core = self.core
        found = core.synapse_format.group_leads(core, ticks)
        if found is not None:
            return found
        return even_leads(core, np.maximum(sums // core.groups, core.lanes // core.pipelines))

    def tick(self, tick: int) -> CoreTick:
        """Return what the network sees of it in a tick."""
        opens = int(self.opens[tick])
        if not self.spiking[tick]:
            return CoreTick(opens, [])
        neurons, core = np.flatnonzero(self.fired[tick]), self.core
        row = neurons // core.pipelines
        group = np.searchsorted(self.ends, row, side="right")
        row -= self.ends[group] - self.rows[group]
        at = int(self.updated[tick]) - _STROBES - self.leads[tick][group] + row
        return CoreTick(opens, list(zip(neurons.tolist(), at.tolist(), strict=True)))


class _PlasticCore(_Core):
    """Cycles of a core that learns."""

    def __init__(
        self,
        core: CoreParams,
        contents: CoreImage,
        active: npt.NDArray[np.bool_],
        fired: npt.NDArray[np.bool_],
        rewards: npt.NDArray[np.integer],
        clear: bool,
    ) -> None:
        super().__init__(core, contents.weights, active, fired, np.zeros(rewards.shape, np.bool_))
        updated = self.updated.reshape(rewards.shape)
        until = learned_until(core, contents, active, fired, rewards, updated, clear=clear)
        self.end = np.maximum(self.end, until.reshape(-1))


def _events_by_tick(events: Events) -> list[list[int]]:
    """Return the cores that each tick's events are for, in the order of the last for each."""
    ends = events.offsets.tolist()
    found = []
    for first, last in pairwise(ends):
        backwards = events.core[first:last][::-1]
        cores, places = np.unique(backwards, return_index=True)
        found.append(cores[np.argsort(-places)].tolist())
    return found
