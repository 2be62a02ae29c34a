"""In which order golden advances the cores, and by how many ticks at once.

No twin in rtl_gen: the hardware runs all cores in every tick.
"""

from collections.abc import Sequence
from graphlib import TopologicalSorter

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.destinations import HOST

__all__ = ["core_schedule"]


def core_schedule(
    targets: Sequence[npt.NDArray[np.int32]], ticks: int
) -> list[tuple[list[int], int]]:
    """Return (cores, block) in an order in which every spike is sent before it is needed.

    Parameters
    ----------
    targets : sequence of array of int32, shape (targets, 4)
        Of each core; see :func:`spikelet.golden.emission.single_targets`.
    ticks : int

    Returns
    -------
    list of (list of int, int)
        ``block`` is how many ticks each of these cores can be advanced before the next must follow:
        all of them where no loop runs through the cores, else 1, the shortest delay there is.
    """
    n_cores = len(targets)
    cores = [{int(core) for core in np.unique(found[:, 1]) if core != HOST} for found in targets]
    reachable = [_reachable(core, cores) for core in range(n_cores)]
    loops: list[list[int]] = []
    loop_of: dict[int, int] = {}
    for core in range(n_cores):
        if core not in loop_of:
            members = [core, *(o for o in reachable[core] if o != core and core in reachable[o])]
            loop_of.update(dict.fromkeys(members, len(loops)))
            loops.append(sorted(members))
    before: dict[int, set[int]] = {loop: set() for loop in range(len(loops))}
    for core, reached in enumerate(cores):
        for target in reached:
            if loop_of[target] != loop_of[core]:
                before[loop_of[target]].add(loop_of[core])
    return [
        (loops[loop], 1 if any(core in reachable[core] for core in loops[loop]) else max(1, ticks))
        for loop in TopologicalSorter(before).static_order()
    ]


def _reachable(start: int, cores: list[set[int]]) -> set[int]:
    """Return the cores that spikes of ``start`` can reach over any number of steps."""
    found: set[int] = set()
    frontier = [start]
    while frontier:
        for target in cores[frontier.pop()] - found:
            found.add(target)
            frontier.append(target)
    return found
