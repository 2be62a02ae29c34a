"""Cost model: clock cycles of a tick. No twin in rtl_gen, whose cycles it predicts."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = [
    "core_cycles",
    "exact_core_cycles",
    "exact_sum_cycles",
    "learning_cycles",
    "rest_cycles",
    "tick_cycles",
]

_PIPELINE = 12
"""Cycles from the start of a tick to its barrier, besides those of a neuron's update, that do not
depend on shape or activity."""

_REST = 5
"""Those of a tick that is cut short, besides the scan."""

_WALK = 19
"""Cycles from the start of a tick to its barrier, besides those of the sums, and one for each axon,
where the axons have short-term plasticity: they are walked over when the sums are taken."""

_LOOP = 13
"""Cycles of the post phase besides its visits: the first axons are found, the last row written."""


def core_cycles(core: CoreParams, active_axons: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Predict the clock cycles that a core needs for a tick with so many active axons.

    The scan lists one axon a cycle and spends one on each empty word; how the crossbar follows is
    its synapse format's; the last group's update follows. Not in it: up to two cycles in
    which the scan drains, spikes of the last group on their way out, waiting in the network, and
    learning.
    """
    active = active_axons.astype(np.float64)
    empty_words = core.scan_words * (1 - 1 / core.scan_words) ** active
    update = core.lanes // core.pipelines
    crossbar = core.synapse_format.cycles(core, active, empty_words)
    cycles: npt.NDArray[np.float64] = _pipeline(core) + crossbar + update
    if core.short_term:
        cycles = np.maximum(cycles, crossbar + update + core.n_axons + _WALK)
    return cycles


def exact_sum_cycles(
    core: CoreParams, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return clock cycles until the last sums leave, and until the last neurons are updated.

    Counted from the axons themselves; those of the RTL in formats that count them
    (``exact_cycles``). Both include the cycles of a tick that do not depend on what it does.

    Parameters
    ----------
    core : CoreParams
    active : array of bool, shape (ticks, n_axons)
    weights : array of int16
        As the core's synapse format stores them.

    Returns
    -------
    sums, updated : array of int64, shape (ticks,)
    """
    if core.spike_bits > 1:
        raise SpikeletError(
            "clock cycles are not counted for cores whose axons take counts of "
            f"{core.spike_bits} bits",
            remedy='leave "cycles" out of what is recorded: cycles are predicted all the same',
        )
    sums = core.synapse_format.exact_cycles(core, active, weights)
    return sums, sums + core.lanes // core.pipelines + _pipeline(core)


def exact_core_cycles(
    core: CoreParams, sums: npt.NDArray[np.int64], updated: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the clock cycles that a core needs for each tick, but for its spikes and learning.

    Parameters
    ----------
    core : CoreParams
    sums, updated : array of int64, shape (ticks,)
        See :func:`exact_sum_cycles`.
    """
    if not core.short_term:
        return updated
    # The walk over the axons does not wait for the neurons.
    walked = sums + core.lanes // core.pipelines + core.n_axons + _WALK
    found: npt.NDArray[np.int64] = np.maximum(updated, walked)
    return found


def rest_cycles(core: CoreParams) -> int:
    """Return the clock cycles of a tick that a core cuts short, as its neurons rest.

    Exactly those of the RTL: all words of the axon bitmap are looked at, and found empty.
    """
    counts = core.spike_bits > 1  # which pass registers
    return _REST + core.scan_words + counts


def _pipeline(core: CoreParams) -> int:
    """Return the cycles of a tick besides those of the crossbar and of the last group's rows."""
    return _PIPELINE + len(core.update.lines)


def learning_cycles(
    core: CoreParams,
    active_axons: npt.ArrayLike,
    groups: npt.ArrayLike,
    axons: npt.ArrayLike,
) -> npt.NDArray[np.float64]:
    """Predict the clock cycles that learning adds to a tick of a plastic core.

    The post phase, or a sweep, takes one for each visit and one for each group, and two for each
    visit in SPRAM. The pre phase takes none of its own, but in SPRAM it makes the accumulation take
    two cycles an axon.

    Parameters
    ----------
    core : CoreParams
    active_axons, groups, axons : array of int, of one shape
        Of each tick: axons with a spike; groups in which some neuron fired; eligible axons.
    """
    active, visited = np.asarray(active_axons, np.float64), np.asarray(axons, np.float64)
    fired = np.asarray(groups, np.float64)
    one_port = core.weight_memory == "spram"
    visits = fired * ((2 if one_port else 1) * visited + 1)
    cycles: npt.NDArray[np.float64] = visits + np.where(fired > 0, _LOOP, 0)
    if one_port and core.learning and "pre" in core.learning.phases:
        update = core.lanes // core.pipelines
        further = np.maximum(2 * active + 1, update) - np.maximum(active + 1, update)
        cycles = cycles + active + (core.groups - 1) * further
    return cycles


def tick_cycles(
    chip: ChipParams,
    active_axons: npt.NDArray[np.int32],
    rested: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.int64]:
    """Predict the clock cycles of each tick: those of the core that needs most, and the barrier's.

    Parameters
    ----------
    active_axons : array of int32, shape (samples, ticks, cores)
        Each as often as its count of spikes.
    rested : array of bool, same shape, or None
        Which ticks a core cuts short; None: none.

    Returns
    -------
    array of int64, shape (samples, ticks)
    """
    alike: dict[CoreParams, list[int]] = {}
    for index, core in enumerate(chip.cores):
        alike.setdefault(core, []).append(index)
    cycles = []
    for core, cores in alike.items():
        active = active_axons[..., cores]
        short = rested[..., cores] if core.rests and rested is not None else None
        if core.spike_bits > 1:  # its counts are too many for a table
            found = _rounded(core, active)
            if short is not None:
                found = np.where(short, rest_cycles(core), found)
            cycles.append(found.max(axis=-1))
            continue
        table, rises = _rounded_cycles(core)
        place = active + (1 if short is None else ~short)
        if rises:  # of cores that are alike, the one with the most active axons needs most
            cycles.append(table[place.max(axis=-1)])
        else:
            cycles.append(table[place].max(axis=-1))
    slowest: npt.NDArray[np.int64] = np.maximum.reduce(cycles)
    return slowest + 2 * chip.barrier_latency


def _rounded(core: CoreParams, active_axons: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return np.rint(core_cycles(core, active_axons)).astype(np.int64)


@lru_cache(maxsize=256)
def _rounded_cycles(core: CoreParams) -> tuple[npt.NDArray[np.int64], bool]:
    """Return cycles in a table, and whether they never fall.

    At rest, which is the first entry, and of 0, 1, ... all axons, by :func:`core_cycles`.
    """
    table = _rounded(core, np.arange(core.n_axons + 1, dtype=np.int32))
    table = np.concatenate([[rest_cycles(core)], table])
    return table, bool((np.diff(table[not core.rests :]) >= 0).all())
