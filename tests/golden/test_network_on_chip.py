"""Which links a packet takes: exactly to where it is for, and not further than it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.params import TOPOLOGIES, ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.network_on_chip import Link, packet_links
from spikelet.golden.routing import Target, grid_ports, tree_ports

CORE = CoreParams(4, 4, neuron_model("snntorch-zero"), lanes=4)
HORIZONTAL, VERTICAL = ("east", "west"), ("north", "south")


def chip_of(topology: str, width: int, height: int = 1, n_cores: int = 0) -> ChipParams:
    """Return a chip with a core at every position, or at the first ``n_cores``."""
    cores = (CORE,) * (n_cores or width * height)
    return ChipParams(cores, width, height, topology=topology, multicast=True)


@st.composite
def chips(draw: st.DrawFn) -> ChipParams:
    """Draw a chip of any topology, in which positions past the last core may be empty."""
    topology = draw(st.sampled_from(TOPOLOGIES))
    flat = topology not in ("mesh", "torus")
    width = draw(st.integers(1, 17 if flat else 7))
    height = 1 if flat else draw(st.integers(1, 6))
    return chip_of(topology, width, height, draw(st.integers(1, width * height)))


@st.composite
def packets(draw: st.DrawFn) -> tuple[ChipParams, int, int, int, int]:
    """Draw a chip, a source, and a rectangle whose positions all hold cores."""
    chip = draw(chips())
    cores = st.integers(0, len(chip.cores) - 1)
    source, core = draw(st.integers(HOST, len(chip.cores) - 1)), draw(cores)
    x = chip.position(core)[0]
    columns = draw(st.integers(1, min(chip.width - x, len(chip.cores) - core)))
    rows = draw(st.integers(1, 1 + (len(chip.cores) - core - columns) // chip.width))
    return chip, source, core, columns, rows


def entered(chip: ChipParams, link: Link) -> tuple[str, object]:
    """Return what a link leads to: a ``"router"``, a ``"core"`` or the ``"host"``."""
    (a, b), port = link
    if chip.topology == "tree":
        if port == "up":
            return router_above(chip, a, b)
        low, high = branches(a, b)[port == "right"]
        return ("core", low) if high - low == 1 else ("router", (low, high))
    if port in ("host", "local"):
        assert port == "local" or (a, b) == (0, 0), "the host is at (0, 0) only"
        return (port, None) if port == "host" else ("core", b * chip.width + a)
    x = a + (port == "east") - (port == "west")
    y = b + (port == "south") - (port == "north")
    if chip.topology in ("torus", "ring"):
        return "router", (x % chip.width, y % chip.height)
    assert 0 <= x < chip.width and 0 <= y < chip.height, "a mesh has no link there"
    return "router", (x, y)


def branches(first: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the leaves of both branches of a router of a tree; the left half is the larger."""
    middle = first + -(-(end - first) // 2)
    return (first, middle), (middle, end)


def routers_to(chip: ChipParams, leaf: int) -> list[tuple[int, int]]:
    """Return the routers from the root of a tree to a leaf."""
    found = [(0, chip.width)]
    while True:
        below = next(half for half in branches(*found[-1]) if half[0] <= leaf < half[1])
        if below[1] - below[0] == 1:
            return found
        found.append(below)


def router_above(chip: ChipParams, first: int, end: int) -> tuple[str, object]:
    """Return the router above one of a tree, or the host above its root."""
    path = routers_to(chip, first)
    place = path.index((first, end))
    return ("router", path[place - 1]) if place else ("host", None)


def first_router(chip: ChipParams, source: int) -> tuple[int, int]:
    """Return the router at which a packet enters the network."""
    if chip.topology == "tree":
        return (0, chip.width) if source == HOST else routers_to(chip, source)[-1]
    return (0, 0) if source == HOST else chip.position(source)


def hops(chip: ChipParams, links: list[Link]) -> int:
    """Return the links between two routers."""
    return sum(entered(chip, link)[0] == "router" for link in links)


def distance(chip: ChipParams, source: int, target: int) -> int:
    """Return the fewest links between two routers on the way from a core, or the host, to one."""
    if chip.topology == "tree":
        ways = [
            [(0, chip.width)] if end == HOST else routers_to(chip, end) for end in (source, target)
        ]
        shared = sum(a == b for a, b in zip(*ways, strict=False))
        return len(ways[0]) + len(ways[1]) - 2 * shared
    (x0, y0), (x1, y1) = (first_router(chip, end) for end in (source, target))
    dx, dy = abs(x0 - x1), abs(y0 - y1)
    if chip.topology in ("torus", "ring"):
        dx, dy = min(dx, chip.width - dx), min(dy, chip.height - dy)
    return dx + dy


@settings(max_examples=400, deadline=None)
@given(packets())
def test_a_packet_reaches_each_core_of_its_rectangle_once(
    packet: tuple[ChipParams, int, int, int, int],
) -> None:
    chip, source, core, columns, rows = packet
    links = packet_links(chip, source, core, columns, rows)
    reached = [entered(chip, link) for link in links]
    cores = [core + row * chip.width + column for row in range(rows) for column in range(columns)]
    assert sorted(what for kind, what in reached if kind == "core") == cores
    assert all(kind != "host" for kind, _ in reached)
    assert len(set(links)) == len(links), "a link is crossed twice"
    visited = [first_router(chip, source), *(what for kind, what in reached if kind == "router")]
    assert len(set(visited)) == len(visited), "a router is entered twice"
    if columns == rows == 1:
        assert hops(chip, links) == distance(chip, source, core)


@settings(max_examples=200, deadline=None)
@given(packets())
def test_a_link_is_crossed_after_the_packet_has_come_to_its_router(
    packet: tuple[ChipParams, int, int, int, int],
) -> None:
    chip, source, *rectangle = packet
    visited: list[object] = [first_router(chip, source)]
    for link in packet_links(chip, source, *rectangle):
        assert link[0] in visited
        visited.append(entered(chip, link)[1])


@settings(max_examples=200, deadline=None)
@given(packets())
def test_a_grid_is_left_along_columns_only_after_rows(
    packet: tuple[ChipParams, int, int, int, int],
) -> None:
    chip, source, *rectangle = packet
    links = packet_links(chip, source, *rectangle)
    in_columns = {entered(chip, link)[1] for link in links if link[1] in VERTICAL}
    assert all(router not in in_columns for router, port in links if port in HORIZONTAL)


@settings(max_examples=200, deadline=None)
@given(chips(), st.data())
def test_a_packet_for_the_host_ends_there_and_nowhere_else(
    chip: ChipParams, data: st.DataObject
) -> None:
    source = data.draw(st.integers(0, len(chip.cores) - 1))
    links = packet_links(chip, source, HOST)
    ends = [kind for kind, _ in (entered(chip, link) for link in links) if kind != "router"]
    assert ends == ["host"]
    assert hops(chip, links) == distance(chip, source, HOST)


def ports(links: list[Link]) -> str:
    """Return the ports of a way without forks, in order."""
    return " ".join(port for _, port in links)


@pytest.mark.parametrize(
    ("topology", "size", "source", "target", "way"),
    [
        ("mesh", (3, 3), 6, 2, "east east north north local"),
        ("mesh", (3, 3), 4, 4, "local"),
        ("mesh", (3, 3), 8, HOST, "west west north north host"),
        ("mesh", (3, 3), HOST, 4, "east south local"),
        ("mesh", (3, 3), HOST, 0, "local"),
        ("line", (4, 1), 3, 1, "west west local"),
        ("torus", (5, 4), 0, 19, "west north local"),
        ("torus", (4, 4), 0, 10, "east east south south local"),  # as far both ways: upwards
        ("torus", (4, 4), 10, HOST, "east east south south host"),
        ("ring", (5, 1), 0, 3, "west west local"),
        ("ring", (5, 1), 4, HOST, "east host"),
        ("tree", (4, 1), 0, 3, "up right right"),
        ("tree", (4, 1), 1, 0, "left"),
        ("tree", (4, 1), 2, 2, "left"),
        ("tree", (5, 1), 0, 2, "up right"),  # (0..4) has (0..2), which has (0..1), and 3..4
        ("tree", (5, 1), HOST, 1, "left left right"),
        ("tree", (5, 1), 4, HOST, "up up"),
        ("tree", (1, 1), 0, HOST, "up"),
        ("tree", (1, 1), 0, 0, "left"),
    ],
)
def test_ways_worked_by_hand(
    topology: str, size: tuple[int, int], source: int, target: int, way: str
) -> None:
    assert ports(packet_links(chip_of(topology, *size), source, target)) == way


def test_a_rectangle_of_a_mesh_worked_by_hand() -> None:
    """From (0, 1) to columns 1..2 of rows 0..1: along the row, and in each column up."""
    links = packet_links(chip_of("mesh", 3, 3), 3, 1, 2, 2)
    assert set(links) == {
        *(((0, 1), "east"), ((1, 1), "east")),
        *(((1, 1), "north"), ((1, 1), "local"), ((1, 0), "local")),
        *(((2, 1), "north"), ((2, 1), "local"), ((2, 0), "local")),
    }


def test_a_rectangle_of_a_torus_is_entered_at_its_nearer_side() -> None:
    """From (0, 0) to columns 2..4 of 5: over the edge to column 4, and on to column 2."""
    links = packet_links(chip_of("torus", 5, 3), 0, 2, 3)
    west = [((x, 0), "west") for x in (0, 4, 3)]
    assert set(links) == {*west, *(((x, 0), "local") for x in (2, 3, 4))}


def test_leaves_of_a_tree_worked_by_hand() -> None:
    """From leaf 0 to leaves 2..5 of 8: up to the root, which forks into both its branches."""
    links = packet_links(chip_of("tree", 8), 0, 2, 4)
    assert set(links) == {
        *(((0, 2), "up"), ((0, 4), "up"), ((0, 4), "right"), ((2, 4), "left"), ((2, 4), "right")),
        *(((0, 8), "right"), ((4, 8), "left"), ((4, 6), "left"), ((4, 6), "right")),
    }


def test_every_pair_of_a_torus_is_as_near_as_rolling_it_says() -> None:
    chip = chip_of("torus", 6, 3)
    for source in range(18):
        x, y = chip.position(source)
        column = np.minimum((np.arange(6) - x) % 6, (x - np.arange(6)) % 6)
        row = np.minimum((np.arange(3) - y) % 3, (y - np.arange(3)) % 3)
        measured = [hops(chip, packet_links(chip, source, core)) for core in range(18)]
        assert measured == np.add.outer(row, column).ravel().tolist()


def test_a_packet_for_a_place_beyond_a_mesh_leaves_towards_it() -> None:
    """What the router at the edge does not have: the packet is dropped there."""
    assert grid_ports((2, 0), "local", Target(5, 0, 5, 0), None) == ["east"]
    assert grid_ports((2, 1), "north", Target(2, 3, 2, 3), None) == ["south"]


def test_a_packet_for_leaves_beyond_a_tree_goes_up_to_the_root() -> None:
    assert tree_ports(0, 4, "left", Target(6, 0, 7, 0)) == ["up"]
    assert tree_ports(0, 4, "up", Target(6, 0, 7, 0)) == []
