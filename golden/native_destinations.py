"""Where the neurons of a chip send their spikes, as the kernel reads it. No twin in rtl_gen."""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.aligned import aligned
from spikelet.golden.emission import single_targets

__all__ = ["DESTINATION", "LIST", "destination_table"]

LIST = -2
"""Stands for the core in the entry of a neuron that has a list, or nothing, and ends each list."""

DESTINATION = np.dtype([("core", np.int16), ("delay", np.int16), ("place", np.int32)])
"""``struct destination`` of ``kernel.c``."""

_MOST_CORES = (1 << 15) - 1
"""That its ``core`` can tell apart."""


def destination_table(
    chip: ChipParams,
    image: ChipImage,
    first_neurons: npt.NDArray[np.int64],
    first_words: npt.NDArray[np.int64],
) -> npt.NDArray[np.void]:
    """Return an entry for each neuron, and behind them the lists, each with its end.

    Rectangles of cores have become lists. A neuron without destinations has an empty list.

    SpikeletError if there are more cores than an entry can tell apart.
    """
    if len(chip.cores) > _MOST_CORES:
        raise SpikeletError(
            f"the native golden model holds {_MOST_CORES:,} cores, not {len(chip.cores):,}",
            remedy='use backend="numpy"',
        )
    found = [single_targets(chip, core.destinations) for core in image.cores]
    neuron = np.concatenate([t[:, 0] + n for t, n in zip(found, first_neurons, strict=False)])
    core, place, delay = np.concatenate(found)[:, 1:].T
    n_neurons = int(first_neurons[-1])
    entries = np.empty(len(neuron), DESTINATION)
    entries["core"], entries["delay"] = core, delay
    entries["place"] = np.where(core == HOST, place, first_words[core] * 64 + place)
    count = np.bincount(neuron, minlength=n_neurons)
    single = count[neuron] == 1
    has_list = np.flatnonzero(count != 1)
    starts = n_neurons + np.cumsum([0, *(count[has_list] + 1)])
    table: npt.NDArray[np.void] = aligned((int(starts[-1]),), DESTINATION)
    table["core"] = LIST
    table["place"][has_list] = starts[:-1]
    table[neuron[single]] = entries[single]
    in_list = ~single
    # Entries come in the order of their neurons, and each list before has an end.
    ends_before = np.searchsorted(has_list, neuron[in_list])
    table[n_neurons + np.arange(len(ends_before)) + ends_before] = entries[in_list]
    return table
