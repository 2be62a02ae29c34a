"""The network on chip: routers and their links. Twin of ``golden/network_on_chip.py``."""

from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.packets import Packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.rtl_gen.chip_edge import ChipEdge, edge_packet
from spikelet.rtl_gen.layouts import feed, flit_stream
from spikelet.rtl_gen.router import Router
from spikelet.rtl_gen.routing import GridRouting, TreeRouting

__all__ = ["NetworkOnChip"]

_SIDES = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}
_OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}

Place = tuple[int, int]
"""Of a router: (x, y) on a grid, (first, end) of its leaves in a tree."""


class NetworkOnChip(wiring.Component):
    """Routers of a chip, with a port for each core and one for the host, in any topology.

    Parameters
    ----------
    chip : ChipParams
    part : tuple of int
        Column and row of this chip, where ``chip`` is cut into several.

    Members
    -------
    host_in : ``In(stream of flit)``
    host_out : ``Out(stream of flit)``
        At position (0, 0), or at the root of a tree; only in part (0, 0).
    core_I_in : ``In(stream of flit)``
    core_I_out : ``Out(stream of flit)``
        From and to core I, of those that lie in this part.
    SIDE_in : ``In(stream of edge_packet)``
    SIDE_out : ``Out(stream of edge_packet)``
        From and to the chip at this side (``north``, ``east``, ``south``, ``west``), if any.
    busy : ``Out(n)``
        A flit is under way: a bit for each router and edge.
    dropped : ``Out(n)``
        Strobes of the routers: a packet for a position without a core, or for none, has been
        dropped; one for several positions may be dropped at some and arrive at the others.
    """

    def __init__(self, chip: ChipParams, part: tuple[int, int] = (0, 0)) -> None:
        self.chip = chip
        self.flit = flit_packet(chip)
        self.registered = chip.registered_links
        columns, rows = chip.width // chip.chip_columns, chip.height // chip.chip_rows
        self.columns = range(part[0] * columns, (part[0] + 1) * columns)
        self.rows = range(part[1] * rows, (part[1] + 1) * rows)
        self.has_host = part == (0, 0)
        self.cores = [
            core
            for core in range(len(chip.cores))
            if chip.position(core)[0] in self.columns and chip.position(core)[1] in self.rows
        ]
        neighbours = {side: (part[0] + x, part[1] + y) for side, (x, y) in _SIDES.items()}
        self.edges = [
            side
            for side, (x, y) in neighbours.items()
            if x in range(chip.chip_columns) and y in range(chip.chip_rows)
        ]
        stream = flit_stream(self.flit)
        members = {f"core_{core}_in": In(stream) for core in self.cores}
        members |= {f"core_{core}_out": Out(stream) for core in self.cores}
        if self.has_host:
            members |= {"host_in": In(stream), "host_out": Out(stream)}
        for side in self.edges:
            packet = edge_packet(self._carried(side), len(self._lines(side)))
            members[f"{side}_in"] = In(flit_stream(packet))
            members[f"{side}_out"] = Out(flit_stream(packet))
        routers = chip.width - (chip.width > 1) if chip.topology == "tree" else columns * rows
        members |= {"busy": Out(routers + len(self.edges)), "dropped": Out(routers)}
        super().__init__(members)
        self.routers: dict[Place, Router] = {}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        build = self._tree if self.chip.topology == "tree" else self._grid
        routers, core_ports, host_port = build(m)
        for core in self.cores:
            place, port = core_ports[core]
            feed(m, getattr(self, f"core_{core}_in"), getattr(routers[place], f"{port}_in"))
            feed(m, getattr(routers[place], f"{port}_out"), getattr(self, f"core_{core}_out"))
        if self.has_host:
            place, port = host_port
            feed(m, self.host_in, getattr(routers[place], f"{port}_in"))
            feed(m, getattr(routers[place], f"{port}_out"), self.host_out)
        edges = [self._edge(m, side, routers) for side in self.edges]
        m.d.comb += [
            self.busy.eq(Cat(*(r.busy for r in routers.values()), *(e.busy for e in edges))),
            self.dropped.eq(Cat(router.dropped for router in routers.values())),
        ]
        return m

    def _router(
        self,
        m: Module,
        place: Place,
        routing: GridRouting | TreeRouting,
        ports: tuple[str, ...],
    ) -> Router:
        depth = self.chip.fifo_depth
        grid = isinstance(routing, GridRouting)
        # On a grid every other router is the same, so that few modules make up a large one.
        turn = (place[0] % 2, place[1] % 2) if grid else place
        router = Router(
            *(self.flit, routing),
            ports=ports,
            depth=depth,
            seed=(self.chip.arbitration_seed << 26) + (turn[0] << 13) + turn[1],
            registered=self.registered,
            told=True,
        )
        m.submodules[f"router_{place[0]}_{place[1]}"] = router.shared
        m.d.comb += [getattr(router, name).eq(value) for name, value in router.place.items()]
        self.routers[place] = router
        return router

    def _grid(
        self, m: Module
    ) -> tuple[dict[Place, Router], dict[int, tuple[Place, str]], tuple[Place, str]]:
        """Build a mesh, line, torus or ring; return routers, and where cores and host are."""
        chip = self.chip
        rings = chip.topology in ("torus", "ring")
        size = (chip.width, chip.height) if rings else None
        core_ports = {core: (chip.position(core), "local") for core in self.cores}
        taken = {place for place, _ in core_ports.values()}
        routers = {}
        for y in self.rows:
            for x in self.columns:
                sides = [side for side in _SIDES if self._neighbour(x, y, side)]
                local = ["local"] if (x, y) in taken else []
                host = ["host"] if (x, y) == (0, 0) else []
                ports = (*local, *host, *sides)
                routers[x, y] = self._router(m, (x, y), GridRouting(x, y, size), ports)
        for place, router in routers.items():
            for side in _SIDES:
                neighbour = self._neighbour(*place, side)
                if neighbour in routers:
                    _join(m, router, side, routers[neighbour], _OPPOSITE[side])
        return routers, core_ports, ((0, 0), "host")

    def _neighbour(self, x: int, y: int, side: str) -> Place | None:
        """Return the position at a side of another, if there is one; it may be its own."""
        width, height = self.chip.width, self.chip.height
        x, y = x + _SIDES[side][0], y + _SIDES[side][1]
        if self.chip.topology in ("torus", "ring"):
            along = width if side in ("east", "west") else height
            return (x % width, y % height) if along > 1 else None
        return (x, y) if 0 <= x < width and 0 <= y < height else None

    def _tree(
        self, m: Module
    ) -> tuple[dict[Place, Router], dict[int, tuple[Place, str]], tuple[Place, str]]:
        """Build a binary tree; return routers, and where cores and host are."""
        routers: dict[Place, Router] = {}
        core_ports: dict[int, tuple[Place, str]] = {}

        def grow(first: int, end: int) -> Router:
            routing = TreeRouting(first, end, self.chip.width)
            inner = {port: b for port, b in routing.branches.items() if b[1] - b[0] > 1}
            leaves = {port: b[0] for port, b in routing.branches.items() if b[1] - b[0] == 1}
            leaves = {port: leaf for port, leaf in leaves.items() if leaf < len(self.chip.cores)}
            ports = ("up", *inner, *leaves)
            router = routers[first, end] = self._router(m, (first, end), routing, ports)
            core_ports.update((leaf, ((first, end), port)) for port, leaf in leaves.items())
            for port, branch in inner.items():
                below = grow(*branch)
                _join(m, router, port, below, "up")
                _join(m, below, "up", router, port)
            return router

        grow(0, self.chip.width)
        return routers, core_ports, ((0, self.chip.width), "up")

    def _lines(self, side: str) -> range:
        return self.rows if side in ("east", "west") else self.columns

    def _carried(self, side: str) -> Packet:
        return GridRouting(0, 0, None).carried(self.flit, side, leaving=True)

    def _edge(self, m: Module, side: str, routers: dict[Place, Router]) -> ChipEdge:
        """Build the edge to the chip at a side."""
        lines = self._lines(side)
        m.submodules[f"{side}_edge"] = edge = ChipEdge(self._carried(side), len(lines))
        connect(m, edge.o, flipped(getattr(self, f"{side}_out")))
        connect(m, flipped(getattr(self, f"{side}_in")), edge.i)
        last = {"north": self.rows[0], "south": self.rows[-1]}
        last |= {"west": self.columns[0], "east": self.columns[-1]}
        for number, line in enumerate(lines):
            place = (last[side], line) if side in ("east", "west") else (line, last[side])
            feed(m, getattr(routers[place], f"{side}_out"), getattr(edge, f"line_{number}_in"))
            feed(m, getattr(edge, f"line_{number}_out"), getattr(routers[place], f"{side}_in"))
        return edge


def _join(m: Module, source: Router, out: str, target: Router, into: str) -> None:
    """Link two routers, one way."""
    connect(m, getattr(source, f"{out}_out"), getattr(target, f"{into}_in"))
    m.d.comb += getattr(source, f"{out}_out_room").eq(getattr(target, f"{into}_in_room"))
