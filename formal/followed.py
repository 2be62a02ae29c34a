"""Where the golden model sends packets, seen from one router."""

from collections.abc import Iterator

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.network_on_chip import Link, packet_links

__all__ = ["Header", "Place", "Ways", "header", "routers_of", "small_chip", "targets", "ways_at"]

_SIDES = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}
_OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}

Place = tuple[int, int]
"""Of a router: (x, y) on a grid, (first, end) of its leaves in a tree."""

Header = tuple[int, ...]
"""Fields of a flit from ``host`` on."""

Ways = dict[str, dict[Header, set[str]]]
"""By the port at which a packet comes in: by header, the ports through which it leaves."""


def small_chip(
    topology: str, width: int, height: int = 1, *, multicast: bool, fifo_depth: int = 2
) -> ChipParams:
    """Return a chip with narrow flits: 4 axons, and no choice of delay."""
    core = CoreParams(
        n_axons=4,
        n_neurons=1,
        neuron=neuron_model("snntorch-zero"),
        lanes=1,
        pipelines=1,
        delay_slots=2,
    )
    return ChipParams(
        cores=(core,) * (width * height),
        width=width,
        height=height,
        topology=topology,
        multicast=multicast,
        fifo_depth=fifo_depth,
    )


def targets(chip: ChipParams) -> Iterator[tuple[int, int, int]]:
    """Yield the host and every rectangle of cores: core, columns, rows."""
    yield HOST, 1, 1
    for core in range(len(chip.cores)):
        x, y = chip.position(core)
        for columns in range(1, chip.width - x + 1 if chip.multicast else 2):
            for rows in range(1, chip.height - y + 1 if chip.multicast else 2):
                yield core, columns, rows


def routers_of(chip: ChipParams) -> list[Place]:
    """Return the places of all routers: some packet of the host's passes each."""
    passed = (at for core in range(len(chip.cores)) for at, _ in packet_links(chip, HOST, core))
    return sorted(set(passed))


def header(chip: ChipParams, core: int, columns: int, rows: int) -> Header:
    """Return the header of a packet for a rectangle of cores, or the host."""
    x, y = (0, 0) if core == HOST else chip.position(core)
    values = {"host": int(core == HOST), "x": x, "y": y}
    values |= {"x_last": x + columns - 1, "y_last": y + rows - 1}
    return tuple(values[f.name] for f in flit_packet(chip).without("axon", "delay").fields)


def ways_at(chip: ChipParams, place: Place) -> Ways:
    """Return what can come in at a router, and where it leaves.

    Every packet there can be is followed from every core and the host.
    """
    ways: Ways = {}
    for source in range(HOST, len(chip.cores)):
        for target in targets(chip):
            links = packet_links(chip, source, *target)
            leaves = {port for at, port in links if at == place}
            if leaves:
                came_from = _came_from(chip, source, place, links)
                known = ways.setdefault(came_from, {}).setdefault(header(chip, *target), leaves)
                if known != leaves:
                    raise ValueError(f"at {place} a header of {came_from} has two ways")
    return ways


def _came_from(chip: ChipParams, source: int, place: Place, links: list[Link]) -> str:
    """Return the port at which a packet comes into a router, the only one."""
    if chip.topology == "tree":
        first, end = place
        if not first <= source < end:
            return "up"
        return "left" if source < (first + end + 1) // 2 else "right"
    found = set()
    if place == (0, 0) and source == HOST:
        found.add("host")
    if source != HOST and chip.position(source) == place:
        found.add("local")
    for (x, y), port in links:
        if port in _SIDES:
            step_x, step_y = _SIDES[port]
            if ((x + step_x) % chip.width, (y + step_y) % chip.height) == place:
                found.add(_OPPOSITE[port])
    (port,) = found
    return port
