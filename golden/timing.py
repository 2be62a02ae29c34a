"""Cost model: clock cycles of a tick. No twin in rtl_gen, whose cycles it predicts."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.drain import drain_cycles

__all__ = [
    "core_cycles",
    "exact_core_cycles",
    "exact_tick_cycles",
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


def exact_core_cycles(
    core: CoreParams,
    active: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.int16],
    drain: npt.NDArray[np.int64] | int = 0,
) -> npt.NDArray[np.int64]:
    """Return the clock cycles that a core needs for each tick, counted from the axons themselves.

    Those of the RTL, but for spikes that are on their way out behind the last update (see
    :func:`drain_cycles`), waiting in the network, and learning; and exact only in formats that
    count them (``exact_cycles``).

    Parameters
    ----------
    core : CoreParams
    active : array of bool, shape (..., n_axons)
    weights : array of int16
        As the core's synapse format stores them.
    drain : array of int64, shape (...), or int
        What spikes on their way out add to the end of the neurons' update.

    Returns
    -------
    array of int64, shape (...)
    """
    if core.spike_bits > 1:
        raise SpikeletError(
            "clock cycles are not counted for cores whose axons take counts of "
            f"{core.spike_bits} bits",
            remedy='leave "cycles" out of what is recorded: cycles are predicted all the same',
        )
    ticks = active.reshape(-1, core.n_axons)
    crossbar = core.synapse_format.exact_cycles(core, ticks, weights)
    summed = crossbar + core.lanes // core.pipelines
    cycles = (summed + _pipeline(core)).reshape(active.shape[:-1]) + drain
    if core.short_term:  # whose walk over the axons does not wait for the neurons
        walked = summed.reshape(cycles.shape) + core.n_axons + _WALK
        cycles = np.maximum(cycles, walked)
    return cycles


def rest_cycles(core: CoreParams) -> int:
    """Return the clock cycles of a tick that a core cuts short, as its neurons rest.

    Exactly those of the RTL: all words of the axon bitmap are looked at, and found empty.
    """
    counts = core.spike_bits > 1  # which pass registers
    return _REST + core.scan_words + counts


def exact_tick_cycles(
    chip: ChipParams,
    image: ChipImage,
    active: Sequence[npt.NDArray[np.bool_]],
    rested: npt.NDArray[np.bool_] | None = None,
    fired: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.int64]:
    """Return the clock cycles of each tick, as :func:`exact_core_cycles` counts them.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    active : sequence of array of bool, shape (samples, ticks, n_axons)
        Of each core.
    rested : array of bool, shape (samples, ticks, cores), or None
        Which ticks a core cuts short; None: none.
    fired : array of bool, shape (samples, ticks, n_neurons), or None
        Who fires in the only core of the chip: see :func:`drain_cycles`. None: left out.

    Returns
    -------
    array of int64, shape (samples, ticks)
    """
    drain: npt.NDArray[np.int64] | int = 0
    if fired is not None:
        (core,), (axons,) = chip.cores, active
        flat = axons.reshape(-1, core.n_axons), fired.reshape(-1, core.n_neurons)
        drain = drain_cycles(core, image.cores[0], *flat).reshape(axons.shape[:-1])
    cycles = [
        exact_core_cycles(core, axons, contents.weights, drain)
        for core, axons, contents in zip(chip.cores, active, image.cores, strict=True)
    ]
    if rested is not None:
        for index, (core, found) in enumerate(zip(chip.cores, cycles, strict=True)):
            found[rested[..., index]] = rest_cycles(core)
    slowest: npt.NDArray[np.int64] = np.maximum.reduce(cycles)
    return slowest + 2 * chip.barrier_latency


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
