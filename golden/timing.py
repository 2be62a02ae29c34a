"""Cost model: clock cycles of a tick. No twin in rtl_gen, whose cycles it predicts."""

import numpy as np
import numpy.typing as npt

from spikelet.description.params import ChipParams, CoreParams

__all__ = ["core_cycles", "tick_cycles"]

_PIPELINE = 19
"""Cycles from the start of a tick to its barrier that do not depend on shape or activity."""


def core_cycles(core: CoreParams, active_axons: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Predict the clock cycles that a core needs for a tick with so many active axons.

    The scan lists one axon a cycle and spends one on each empty word; every further group of
    neurons takes a cycle for each active axon and one to hand over, or, if that is longer, the
    update of the group before; the last group's update follows. Not in it: up to two cycles in
    which the scan drains, spikes of the last group on their way out, waiting in the network, and
    learning.
    """
    active = active_axons.astype(np.float64)
    empty_words = core.scan_words * (1 - 1 / core.scan_words) ** active
    update = core.lanes // core.pipelines
    further = (core.groups - 1) * np.maximum(active + 1, update)
    cycles: npt.NDArray[np.float64] = _PIPELINE + active + empty_words + further + update
    return cycles


def tick_cycles(chip: ChipParams, active_axons: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Predict the clock cycles of each tick: those of the core that needs most.

    Parameters
    ----------
    active_axons : array of int32, shape (samples, ticks, cores)

    Returns
    -------
    array of int64, shape (samples, ticks)
    """
    cores = [core_cycles(core, active_axons[..., i]) for i, core in enumerate(chip.cores)]
    cycles: npt.NDArray[np.int64] = np.rint(np.max(cores, axis=0)).astype(np.int64)
    return cycles
