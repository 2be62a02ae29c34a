"""Golden model of routing: through which ports a packet leaves. Twin of ``rtl_gen/routing.py``.

A packet goes to a rectangle of cores and forks where its ways part. On a mesh it goes along its row
first, then along the columns it is for, so that no packet ever turns from a column into a row:
channels can be numbered such that packets only rise, and nothing waits in a circle (Dally & Seitz
1987). In a tree it rises to where all its leaves are below, and only then falls.
"""

from dataclasses import dataclass

__all__ = ["Target", "grid_ports", "tree_ports"]

INJECTED = ("local", "host")
"""Ports at which a packet enters the network."""


@dataclass(frozen=True)
class Target:
    """Where a packet goes: columns ``x``..``x_last`` of rows ``y``..``y_last``, or the host."""

    x: int
    y: int
    x_last: int
    y_last: int
    host: bool = False


def grid_ports(  # a mesh, line, torus or ring
    position: tuple[int, int], came_from: str, target: Target, size: tuple[int, int] | None
) -> list[str]:
    """Return the ports through which a packet leaves a router at ``position``, (x, y).

    Parameters
    ----------
    position : tuple of int
    came_from : str
        Port at which the packet came in.
    target : Target
    size : tuple of int, or None
        Columns and rows where they are rings; None where they are not.

    Returns
    -------
    list of str
        Of ``"east"``, ``"west"``, ``"south"``, ``"north"``, ``"local"`` and ``"host"``. On a mesh a
        port may not exist: the packet is for a place that is not there.
    """
    x, y = position
    width, height = size or (None, None)
    ports = []
    if came_from in (*INJECTED, "east", "west"):
        ports += _line_ports(x, target.x, target.x_last, came_from, ("west", "east"), width)
    if target.x <= x <= target.x_last:
        ports += _line_ports(y, target.y, target.y_last, came_from, ("north", "south"), height)
        if target.y <= y <= target.y_last:
            ports.append("host" if target.host else "local")
    return ports


def _line_ports(
    at: int, first: int, last: int, came_from: str, sides: tuple[str, str], ring: int | None
) -> list[str]:
    """Return the ports along one dimension: ``sides`` towards lower and higher places."""
    lower, higher = sides
    down, up = at > first, at < last
    if ring is not None:
        down, up = at != first, at != last
        if came_from not in sides and not first <= at <= last:  # the shorter way, at a tie upwards
            up = (first - at) % ring <= (at - last) % ring
            down = not up
    # It never turns back, and passes on in the direction in which it came.
    return ([lower] if down and came_from != lower else []) + (
        [higher] if up and came_from != higher else []
    )


def tree_ports(first: int, end: int, came_from: str, target: Target) -> list[str]:
    """Return the ports through which a packet leaves the router over leaves ``first``..``end - 1``.

    Its left branch has the lower half of them, the larger one if they are odd; a branch of one leaf
    is the core itself, to which a packet can return.

    Returns
    -------
    list of str
        Of ``"left"``, ``"right"`` and ``"up"``.
    """
    middle = (first + end + 1) // 2
    ports = []
    if came_from != "up" and (target.host or target.x < first or target.x_last >= end):
        ports.append("up")
    for branch, low, high in (("left", first, middle), ("right", middle, end)):
        turns_back = came_from == branch and high - low > 1
        if not target.host and not turns_back and target.x < high and target.x_last >= low:
            ports.append(branch)
    return ports
