"""The mesh: routers and the links between them. Its model is ``golden/router.py``. No twin."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl_gen.layouts import flit_stream
from rtl_gen.router import Router
from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams

__all__ = ["Mesh"]


class Mesh(wiring.Component):
    """Routers of a chip, with a port for each core and one for the host.

    Parameters
    ----------
    chip : ChipParams

    Members
    -------
    host_in : ``In(stream of flit)``
    host_out : ``Out(stream of flit)``
        At the north edge of position (0, 0).
    core_I_in : ``In(stream of flit)``
    core_I_out : ``Out(stream of flit)``
        From and to core I.
    busy : ``Out(1)``
        A flit is under way.
    """

    def __init__(self, chip: ChipParams) -> None:
        self.chip = chip
        self.flit = flit_packet(chip)
        stream = flit_stream(self.flit)
        members = {"host_in": In(stream), "host_out": Out(stream), "busy": Out(1)}
        for core in range(len(chip.cores)):
            members[f"core_{core}_in"] = In(stream)
            members[f"core_{core}_out"] = Out(stream)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width, height = self.chip.mesh_width, self.chip.mesh_height
        routers = {}
        for y in range(height):
            for x in range(width):
                routers[x, y] = Router(self.flit, x=x, y=y + 1, ports=self._ports(x, y))
                m.submodules[f"router_{x}_{y}"] = routers[x, y]
        for (x, y), router in routers.items():
            for port, opposite, neighbour in (
                ("east", "west", (x + 1, y)),
                ("south", "north", (x, y + 1)),
            ):
                if neighbour in routers:
                    other = routers[neighbour]
                    connect(m, getattr(router, f"{port}_out"), getattr(other, f"{opposite}_in"))
                    connect(m, getattr(other, f"{opposite}_out"), getattr(router, f"{port}_in"))
        for core in range(len(self.chip.cores)):
            router = routers[self.chip.position(core)]
            connect(m, flipped(getattr(self, f"core_{core}_in")), router.local_in)
            connect(m, router.local_out, flipped(getattr(self, f"core_{core}_out")))
        connect(m, flipped(self.host_in), routers[0, 0].north_in)
        connect(m, routers[0, 0].north_out, flipped(self.host_out))
        m.d.comb += self.busy.eq(Cat(router.busy for router in routers.values()).any())
        return m

    def _ports(self, x: int, y: int) -> tuple[str, ...]:
        """Return the ports of the router at a mesh position."""
        exists = {
            "local": y * self.chip.mesh_width + x < len(self.chip.cores),
            "north": y > 0 or x == 0,
            "east": x < self.chip.mesh_width - 1,
            "south": y < self.chip.mesh_height - 1,
            "west": x > 0,
        }
        return tuple(port for port, there in exists.items() if there)
