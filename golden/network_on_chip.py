"""Golden model of the network on chip: which links a packet takes. Twin of
``rtl_gen/network_on_chip.py``.

What a chip computes does not depend on it: packets only have to arrive within their tick. It is
what link loads are counted with, and what the routers are checked against.
"""

from collections.abc import Iterator
from functools import cache

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.params import ChipParams
from spikelet.golden.routing import Target, grid_ports, tree_ports

__all__ = ["Link", "packet_links"]

Link = tuple[tuple[int, int], str]
"""A router and the port through which a packet leaves it: (x, y) of a grid, (first, end) of a tree;
``"local"`` or a branch of one leaf leads to a core, ``"host"`` or the root's ``"up"`` to the host.
"""

_STEPS = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}
_OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}


def packet_links(
    chip: ChipParams, source: int, core: int, columns: int = 1, rows: int = 1
) -> list[Link]:
    """Return each link that a packet crosses, once, in an order in which it may cross them.

    Parameters
    ----------
    chip : ChipParams
    source : int
        Core, or :data:`HOST`.
    core : int
        Core, or :data:`HOST`; of a rectangle the one with the lowest x and y.
    columns, rows : int
        Of the rectangle.
    """
    x, y = (0, 0) if core == HOST else chip.position(core)
    target = Target(x, y, x + columns - 1, y + rows - 1, core == HOST)
    walk = _tree_links if chip.topology == "tree" else _grid_links
    return list(walk(chip, source, target))


def _grid_links(chip: ChipParams, source: int, target: Target) -> Iterator[Link]:
    position = (0, 0) if source == HOST else chip.position(source)
    size = (chip.width, chip.height) if chip.topology in ("torus", "ring") else None
    under_way = [(position, "host" if source == HOST else "local")]
    while under_way:
        (x, y), came_from = under_way.pop()
        for port in grid_ports((x, y), came_from, target, size):
            yield (x, y), port
            if port in _STEPS:
                step_x, step_y = _STEPS[port]
                neighbour = ((x + step_x) % chip.width, (y + step_y) % chip.height)
                under_way.append((neighbour, _OPPOSITE[port]))


def _tree_links(chip: ChipParams, source: int, target: Target) -> Iterator[Link]:
    parents = _parents(0, chip.width)
    branch = (source, source + 1)
    under_way = [((0, chip.width), "up") if source == HOST else parents[branch]]
    while under_way:
        (first, end), came_from = under_way.pop()
        for port in tree_ports(first, end, came_from, target):
            yield (first, end), port
            if port == "up":
                if (first, end) != (0, chip.width):
                    under_way.append(parents[first, end])
                continue
            middle = (first + end + 1) // 2
            below = (first, middle) if port == "left" else (middle, end)
            if below[1] - below[0] > 1:
                under_way.append((below, "up"))


@cache
def _parents(first: int, end: int) -> dict[tuple[int, int], tuple[tuple[int, int], str]]:
    """Return, for each router and core below a router, the one above and its branch to it."""
    found = {}
    middle = (first + end + 1) // 2
    for branch, below in (("left", (first, middle)), ("right", (middle, end))):
        found[below] = ((first, end), branch)
        if below[1] - below[0] > 1:
            found |= _parents(*below)
    return found
