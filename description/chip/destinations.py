"""Where spikes go: lists of destinations, and the table that holds them.

The table has a word for each neuron, and behind them the lists of the neurons that have two
destinations or more. A neuron's word is its only destination, or says where its list begins, or
that there is none.
"""

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.packets import COUNT, destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = [
    "COLUMNS",
    "HOST",
    "check_destinations",
    "destination_words",
    "destinations",
    "event_flits",
    "in_lists",
    "joined",
    "list_entries",
]

HOST = -1
"""Destination core that stands for the host; the axon is then the output line."""

COLUMNS = ("neuron", "core", "axon", "delay", "columns", "rows")
"""Of an array of destinations; see :func:`destinations`."""


def destinations(
    neuron: npt.ArrayLike,
    core: npt.ArrayLike,
    axon: npt.ArrayLike,
    delay: npt.ArrayLike = 1,
    columns: npt.ArrayLike = 1,
    rows: npt.ArrayLike = 1,
) -> npt.NDArray[np.int32]:
    """Return destinations, shape (n, 6), one in each row; the arguments broadcast.

    Parameters
    ----------
    neuron : array of int
        Whose they are.
    core : array of int
        Core, or :data:`HOST`.
    axon : array of int
        Axon of the core, or output line of the host.
    delay : array of int
        Ticks, 1 or more; 1 towards the host.
    columns, rows : array of int
        Above 1, multicast: the packet goes to the same axon of every core in a rectangle of so many
        columns and rows, of which ``core`` has the lowest x and y.
    """
    fields = np.broadcast_arrays(neuron, core, axon, delay, columns, rows)
    return np.stack([np.asarray(f, np.int32).ravel() for f in fields], axis=1)


def joined(*parts: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return all destinations, sorted by neuron; of one neuron, in the order given."""
    together = np.concatenate([np.zeros((0, len(COLUMNS)), np.int32), *parts])
    return together[np.argsort(together[:, 0], kind="stable")]


def in_lists(found: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Return which of some destinations, sorted by neuron, are not their neuron's only one."""
    same = np.diff(found[:, 0], prepend=-1, append=-1) == 0
    marks: npt.NDArray[np.bool_] = same[:-1] | same[1:]
    return marks


def list_entries(found: npt.NDArray[np.int32]) -> int:
    """Return the entries that the lists of these destinations take in the table."""
    return int(np.count_nonzero(in_lists(found)))


def check_destinations(chip: ChipParams, source: int, found: npt.NDArray[np.int32]) -> None:
    """Raise SpikeletError, naming core, field and value, unless these fit core ``source``."""
    name = f"core {source}: destinations"
    if found.ndim != 2 or found.shape[1] != len(COLUMNS):
        raise SpikeletError(
            f"{name} must have shape (n, {len(COLUMNS)}), not {found.shape}",
            remedy="make them with spikelet.description.chip.destinations.destinations()",
        )
    core = chip.cores[source]
    neuron, target, axon, delay, columns, rows = found.T
    check_range(f"core {source}: neuron of a destination", neuron, 0, core.n_neurons - 1)
    if np.any(np.diff(neuron) < 0):
        raise SpikeletError(f"{name} must be sorted by neuron")
    if (needed := list_entries(found)) > core.list_entries:
        raise SpikeletError(
            f"{name} need {needed} entries in lists, {needed - core.list_entries} more than its "
            f"list_entries of {core.list_entries}"
        )
    check_range(f"core {source}: destination core", target, HOST, len(chip.cores) - 1)
    host = target == HOST
    check_range(f"core {source}: destination output line", axon[host], 0, chip.n_outputs - 1)
    check_range(f"core {source}: delay to the host", delay[host], 1, 1)
    check_range(f"core {source}: columns to the host", columns[host], 1, 1)
    check_range(f"core {source}: rows to the host", rows[host], 1, 1)
    _check_rectangles(chip, source, found[~host])


def _check_rectangles(chip: ChipParams, source: int, found: npt.NDArray[np.int32]) -> None:
    """Check that every core of every rectangle exists and has the axon and the delay."""
    _, core, axon, delay, columns, rows = found.T
    n_axons, delay_slots = chip.reach
    fits = (columns == 1) & (rows == 1) & (axon >= 0) & (axon < n_axons[core])
    fits &= (delay >= 1) & (delay < delay_slots[core])
    found = found[~fits]  # what goes to several cores, and what is wrong: one by one
    for first, columns, rows in np.unique(found[:, [1, 4, 5]], axis=0).tolist():
        here = (found[:, [1, 4, 5]] == (first, columns, rows)).all(axis=1)
        x, y = chip.position(first)
        name = f"core {source}: destination of {columns} x {rows} cores from core {first}"
        if min(columns, rows) < 1 or x + columns > chip.width or y + rows > chip.height:
            raise SpikeletError(
                f"{name}, at ({x}, {y}), does not lie within {chip.width} x {chip.height} positions"
            )
        if columns * rows > 1 and not chip.multicast:
            raise SpikeletError(f"{name}: the chip is built without multicast")
        axon, delay = found[here, 2], found[here, 3]
        for row in range(rows):
            for column in range(columns):
                target = first + row * chip.width + column
                if target >= len(chip.cores):
                    raise SpikeletError(
                        f"{name}: there is no core at ({x + column}, {y + row}), "
                        f"the chip has {len(chip.cores)} cores"
                    )
                params = chip.cores[target]
                end = f"destination axon of core {target}"
                check_range(f"core {source}: {end}", axon, 0, params.n_axons - 1)
                end = f"delay to core {target}"
                check_range(f"core {source}: {end}", delay, 1, params.delay_slots - 1)


def destination_words(
    chip: ChipParams, core: CoreParams, found: npt.NDArray[np.int32]
) -> npt.NDArray[np.uint32]:
    """Return the table of a core whose destinations have been checked."""
    packet = destination_packet(chip, core)
    neuron, target, axon, delay, columns, rows = found.T
    to_core = target != HOST
    x = np.where(to_core, target % chip.width, 0)
    y = np.where(to_core, target // chip.width, 0)
    fields = {"axon": axon, "delay": delay - 1, "host": ~to_core, "x": x, "y": y}
    if chip.multicast:
        fields |= {"x_last": x + columns - 1, "y_last": y + rows - 1}
    in_list = in_lists(found)
    ends = np.diff(neuron, append=-1) != 0
    entries = packet.pack(**fields, list_ends=ends, valid=1)
    words = np.zeros(core.n_neurons + core.list_entries, np.uint32)
    words[: core.n_neurons] = packet.pack(list_ends=1, valid=0)
    words[neuron[~in_list]] = entries[~in_list]
    at = core.n_neurons + np.arange(np.count_nonzero(in_list))
    words[at] = entries[in_list]
    first = np.diff(neuron[in_list], prepend=-1) != 0
    words[neuron[in_list][first]] = at[first]
    return words


def event_flits(
    chip: ChipParams,
    core: npt.NDArray[np.integer],
    axon: npt.ArrayLike,
    delay: npt.ArrayLike,
    count: npt.ArrayLike = 1,
) -> npt.NDArray[np.uint32]:
    """Return the flits of events for one core each.

    ``delay`` is in ticks after the coming tick; ``count``, of a chip with graded spikes, is the
    number of spikes that an event stands for.
    """
    x, y = core % chip.width, core // chip.width
    fields = {"axon": axon, "delay": delay, "host": 0, "x": x, "y": y}
    if chip.multicast:
        fields |= {"x_last": x, "y_last": y}
    if chip.count_bits > 1:
        fields |= {COUNT: count}
    return flit_packet(chip).pack(**fields)
