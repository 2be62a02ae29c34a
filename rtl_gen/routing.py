"""Routing: through which ports a flit leaves a router. Twin of ``golden/routing.py``."""

from collections.abc import Hashable

from amaranth import C, Cat, Mux, Value
from amaranth.lib import data

from spikelet.description.chip.packets import COUNT, Packet

__all__ = ["GridRouting", "TreeRouting"]

_OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}


class GridRouting:
    """Of a router on a mesh, line, torus or ring: along the row first, then along the columns.

    Parameters
    ----------
    x, y : int or Value
        Position; a Value where a router is told it.
    size : tuple of int, or None
        Columns and rows where they are rings; None where they are not.
    hosts : bool
        Whether the host is here: at position (0, 0).
    """

    def __init__(
        self,
        x: int | Value,
        y: int | Value,
        size: tuple[int, int] | None,
        *,
        hosts: bool | None = None,
    ) -> None:
        self.x = x
        self.y = y
        self.size = size
        self.hosts = (x, y) == (0, 0) if hosts is None else hosts

    def place(self, flit: Packet) -> dict[str, int]:
        """Return the coordinates of the position that can differ between routers."""
        bits = {field.name: field.width for field in flit.fields}
        return {name: at for name, at in (("x", self.x), ("y", self.y)) if bits[name]}

    def told(self, place: dict[str, Value]) -> "GridRouting":
        """Return the same routing of a router that has its :meth:`place` from outside."""
        x, y = place.get("x", self.x), place.get("y", self.y)
        return GridRouting(x, y, self.size, hosts=self.hosts)

    @property
    def kind(self) -> Hashable:
        """All that it depends on besides its :meth:`place`."""
        return self.size, self.hosts

    def is_end(self, port: str) -> bool:
        """Return whether a core, or the host, is behind a port."""
        return port in ("local", "host")

    def carried(self, flit: Packet, port: str, *, leaving: bool) -> Packet:
        """Return what of a flit is carried into, or out of, a port: only what is yet of use."""
        if port in ("north", "south"):
            return flit.without("x", "x_last")
        if leaving and self.is_end(port):
            return flit.only("axon", "delay", COUNT)
        return flit

    def enters_ring(self, source: str, target: str) -> bool:
        """Return whether a flit from ``source`` to ``target`` takes a new place in a ring."""
        return self.size is not None and target in _OPPOSITE and source != _OPPOSITE[target]

    def wanted(self, port: str, flit: data.View) -> dict[str, Value]:
        """Return, for each port through which a flit from ``port`` may leave, whether it is to.

        ``"nowhere"`` is where flits go whose rectangle does not exist: it ends before it begins or,
        in rings, beyond the last place; or it holds the host and others. They go no further than
        the router at which they enter.
        """
        wanted: dict[str, Value] = {}
        in_column: Value = C(1, 1)
        width, height = self.size or (None, None)
        if port not in ("north", "south"):
            columns = _ends(flit, "x")
            wanted, in_column = _line(self.x, *columns, port, ("west", "east"), width)
        along_column, in_row = _line(self.y, *_ends(flit, "y"), port, ("north", "south"), height)
        wanted |= {target: in_column & there for target, there in along_column.items()}
        here = in_column & in_row
        if self.hosts:
            wanted |= {"local": here & ~flit.host, "host": here & flit.host}
        else:
            wanted["local"] = here
        if not self.is_end(port):
            return wanted
        lasts = Cat(_ends(flit, "x")[1], _ends(flit, "y")[1])
        malformed = (
            _malformed(flit, "x", width) | _malformed(flit, "y", height) | (flit.host & lasts.any())
        )
        return _dropped_if(malformed, wanted)


def _ends(flit: data.View, dimension: str) -> tuple[Value, Value]:
    """Return the first and the last place of a flit's rectangle in a dimension."""
    first = flit[dimension]
    last = f"{dimension}_last"
    return first, flit[last] if last in flit.shape().members else first


def _below(value: Value, bound: int | Value) -> Value:
    """Return whether a value is less than ``bound``; a constant if it always or never is."""
    if isinstance(bound, Value):
        return value < bound
    if bound <= 0:
        return C(0, 1)
    return value < bound if bound < 1 << len(value) else C(1, 1)


def _malformed(flit: data.View, dimension: str, size: int | None) -> Value:
    """Return whether a flit's rectangle ends before it begins, or beyond ``size`` places."""
    first, last = _ends(flit, dimension)
    malformed: Value = C(0, 1) if size is None else ~_below(last, size)
    return malformed if first is last or len(last) == 0 else malformed | (first > last)


def _dropped_if(malformed: Value, wanted: dict[str, Value]) -> dict[str, Value]:
    """Return what is wanted if a malformed flit is to be dropped."""
    return {target: value & ~malformed for target, value in wanted.items()} | {"nowhere": malformed}


def _line(
    at: int | Value, first: Value, last: Value, port: str, sides: tuple[str, str], ring: int | None
) -> tuple[dict[str, Value], Value]:
    """Return what is wanted along one dimension, and whether this place is one of the target's."""
    lower, higher = sides
    below, above = _below(first, at), ~_below(last, at + 1)
    reached, not_passed = _below(first, at + 1), ~_below(last, at)
    if ring is None:
        # What comes from below is for here or above, and the other way round.
        inside = (reached if port != higher else C(1, 1)) & (
            not_passed if port != lower else C(1, 1)
        )
    else:
        inside = reached & not_passed
        if port in sides:  # on its way, perhaps across the seam of the ring
            below, above = first != at, last != at
        else:
            # The shorter way: upwards if first - at <= at - last, both modulo the ring.
            total = 2 * first if last is first else first + last
            upwards = Mux(above, _below(total, 2 * at + ring + 1), _below(total, 2 * at - ring + 1))
            below, above = Mux(inside, below, ~upwards), Mux(inside, above, upwards)
    return {
        side: value for side, value in ((lower, below), (higher, above)) if side != port
    }, inside


class TreeRouting:
    """Of the router over leaves ``first``..``end - 1`` of a binary tree: up, then down.

    Parameters
    ----------
    first, end : int
    leaves : int
        Of the whole tree.
    """

    def __init__(self, first: int, end: int, leaves: int) -> None:
        self.leaves = leaves
        middle = (first + end + 1) // 2
        branches = {"left": (first, middle), "right": (middle, end)}
        self.first = first
        self.end = end
        self.branches = {port: ends for port, ends in branches.items() if ends[0] < ends[1]}

    def place(self, flit: Packet) -> dict[str, int]:
        """Return nothing: routers of a tree have their leaves built in."""
        return {}

    def told(self, place: dict[str, Value]) -> "TreeRouting":
        """Return this routing."""
        return self

    @property
    def kind(self) -> Hashable:
        """All that it depends on."""
        return self.first, self.end, self.leaves

    def is_end(self, port: str) -> bool:
        """Return whether a core, or the host, is behind a port."""
        if port == "up":
            return (self.first, self.end) == (0, self.leaves)
        first, end = self.branches[port]
        return end - first == 1

    def carried(self, flit: Packet, port: str, *, leaving: bool) -> Packet:
        """Return what of a flit is carried into, or out of, a port: only what is yet of use."""
        return flit.only("axon", "delay", COUNT) if leaving and self.is_end(port) else flit

    def enters_ring(self, source: str, target: str) -> bool:
        """Return False: a tree has no ring."""
        return False

    def wanted(self, port: str, flit: data.View) -> dict[str, Value]:
        """Return, for each port through which a flit from ``port`` may leave, whether it is to.

        ``"nowhere"`` is where flits go whose leaves do not exist, and those of the host for itself.
        """
        first, last = _ends(flit, "x")
        wanted: dict[str, Value] = {}
        if port != "up":
            outside = _below(first, self.first) | ~_below(last, self.end)
            wanted["up"] = flit.host | (C(0, 1) if self.is_end("up") else outside)
        for branch, (low, high) in self.branches.items():
            if port != branch or self.is_end(branch):
                wanted[branch] = ~flit.host & _below(first, high) & ~_below(last, low)
        if not self.is_end(port):
            return wanted
        malformed = _malformed(flit, "x", self.leaves)
        return _dropped_if(flit.host | malformed if port == "up" else malformed, wanted)
