"""Routers of a network on chip, as queues and the outputs that they wait for.

No twin in rtl_gen, whose timing it describes: see ``golden/network_cycles.py``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from spikelet.description.chip.params import ChipParams
from spikelet.golden.routing import Target, grid_ports, tree_ports

__all__ = ["ARRIVALS_DEPTH", "Flit", "Item", "Output", "Queue", "Routers", "routers_of"]

ARRIVALS_DEPTH = 2
"""Flits that wait before a core where links have registers, and at each end of an edge."""

_STEPS = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}
_OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}


@dataclass(frozen=True)
class Flit:
    """A packet: where it goes, and what of it its cores look at."""

    target: Target
    axon: int
    delay: int


Item = tuple[Flit, int]
"""A flit, with the line of the edge that it crosses, if it does."""


@dataclass(eq=False)
class Queue:
    """A queue of flits, and what the first of them still waits for.

    ``wanted`` says through which outputs a flit leaves, given the line of the edge it crosses.
    """

    depth: int
    wanted: Callable[[Flit, int], list["Output"]]
    registered: bool = False
    flits: list[Item] = field(default_factory=list)
    pending: list["Output"] = field(default_factory=list)
    register: Item | None = None

    def enter(self, item: Item) -> None:
        """Take a flit."""
        self.flits.append(item)
        if len(self.flits) == 1:
            self.pending = list(self.wanted(*item))

    def leave(self) -> None:
        """Give up the first flit."""
        del self.flits[0]
        if self.flits:
            self.pending = list(self.wanted(*self.flits[0]))

    @property
    def ready(self) -> bool:
        """Whether a flit is taken in this cycle."""
        if self.registered and self.register is None:
            return True
        return len(self.flits) < self.depth

    @property
    def room(self) -> bool:
        """Whether there is room for two flits or more."""
        return len(self.flits) <= self.depth - 2


@dataclass(eq=False)
class Output:
    """An output of a router: who takes turns at it, and what is behind it.

    At most one of ``queue``, ``core`` and ``edge`` is there; if none, the host is behind it.
    """

    sources: list[Queue] = field(default_factory=list)
    enter_ring: list[bool] = field(default_factory=list)
    queue: Queue | None = None
    core: int | None = None
    edge: "Output | None" = None
    line: int = 0
    favoured: int = 0

    def served(self, source: Queue) -> None:
        """Leave the turn to those behind ``source``, which was served alone."""
        self.favoured = -1 << (self.sources.index(source) + 1)


@dataclass
class Routers:
    """All of a chip: where cores and host send their flits, and all outputs."""

    cores: list[Queue]
    host: Queue
    outputs: list[Output]


Place = tuple[int, int]


def routers_of(chip: ChipParams) -> Routers:
    """Return the routers of a chip, without a flit; turns are as after a reset."""
    return _Builder(chip).built()


class _Builder:
    def __init__(self, chip: ChipParams) -> None:
        self.chip = chip
        self.registered = chip.registered_links
        self.size = (chip.width, chip.height) if chip.topology in ("torus", "ring") else None
        self.queues: dict[tuple[Place, str], Queue] = {}
        self.outputs: dict[tuple[Place, str], Output] = {}
        self.further: list[Output] = []

    def built(self) -> Routers:
        if self.chip.topology == "tree":
            cores, host = self._tree()
        else:
            cores, host = self._grid()
        for core, (place, port) in cores.items():
            output = self.outputs[place, port]
            if self.registered:
                output.queue, (last,) = self._single()
                last.core = core
            else:
                output.core = core
        queues = [self.queues[cores[core]] for core in range(len(cores))]
        return Routers(queues, self.queues[host], [*self.outputs.values(), *self.further])

    def _single(self, count: int = 1) -> tuple[Queue, list[Output]]:
        """Return a queue that is no router's, and its outputs, of which its line says which."""
        outputs = [Output() for _ in range(count)]
        queue = Queue(ARRIVALS_DEPTH, lambda flit, line: [outputs[line if count > 1 else 0]])
        for output in outputs:
            output.sources, output.enter_ring = [queue], [False]
        self.further += outputs
        return queue, outputs

    def _router(
        self,
        place: Place,
        ports: tuple[str, ...],
        ends: set[str],
        keys: dict[str, list[str]],
        wanted: Callable[[str, Target], list[str]],
    ) -> None:
        """Add a router, whose outputs have their sources in the order of the RTL."""
        seed = (self.chip.arbitration_seed << 26) + (place[0] << 13) + place[1]
        turns = random.Random(seed)
        outputs = {port: Output() for port in ports}
        for port in ports:

            @cache
            def leaves(target: Target, port: str = port) -> list[Output]:
                return [outputs[name] for name in wanted(port, target) if name in outputs]

            self.queues[place, port] = Queue(
                self.chip.fifo_depth,
                lambda flit, line, leaves=leaves: leaves(flit.target),  # type: ignore[misc]
                registered=self.registered and port not in ends,
            )
        for target in ports:
            sources = [port for port in ports if target in keys[port]]
            turns.shuffle(sources)
            outputs[target].sources = [self.queues[place, port] for port in sources]
            rings = self.size is not None and target in _OPPOSITE
            outputs[target].enter_ring = [
                rings and source != _OPPOSITE[target] for source in sources
            ]
        self.outputs |= {(place, port): output for port, output in outputs.items()}

    def _grid(self) -> tuple[dict[int, tuple[Place, str]], tuple[Place, str]]:
        chip = self.chip
        cores = {core: (chip.position(core), "local") for core in range(len(chip.cores))}
        taken = {place for place, _ in cores.values()}
        places = [(x, y) for y in range(chip.height) for x in range(chip.width)]
        for place in places:
            sides = [side for side in _STEPS if self._neighbour(place, side)]
            local = ["local"] if place in taken else []
            host = ["host"] if place == (0, 0) else []
            ports = (*local, *host, *sides)
            keys = {}
            for port in ports:
                along = () if port in ("north", "south") else ("west", "east")
                there = [side for side in (*along, "north", "south") if side != port]
                keys[port] = [*there, "local", *host]

            def wanted(port: str, target: Target, place: Place = place) -> list[str]:
                return grid_ports(place, port, target, self.size)

            self._router(place, ports, {"local", "host"}, keys, wanted)
        edges: dict[tuple[Place, str], tuple[list[Output], Output]] = {}
        for place in places:
            for side in _STEPS:
                neighbour = self._neighbour(place, side)
                if not neighbour:
                    continue
                output, queue = self.outputs[place, side], self.queues[neighbour, _OPPOSITE[side]]
                if self._part(place) == self._part(neighbour):
                    output.queue = queue
                else:
                    self._edge(edges, place, side, queue)
        return cores, ((0, 0), "host")

    def _part(self, place: Place) -> Place:
        chip = self.chip
        columns, rows = chip.width // chip.chip_columns, chip.height // chip.chip_rows
        return place[0] // columns, place[1] // rows

    def _edge(
        self,
        edges: dict[tuple[Place, str], tuple[list[Output], Output]],
        place: Place,
        side: str,
        behind: Queue,
    ) -> None:
        """Lead an output over the port that all lines of an edge share."""
        columns, rows = (
            self.chip.width // self.chip.chip_columns,
            self.chip.height // self.chip.chip_rows,
        )
        along = side in ("east", "west")
        key = (self._part(place), side)
        if key not in edges:
            leaving, (across,) = self._single()
            across.queue, lines = self._single(rows if along else columns)
            edges[key] = (lines, Output(queue=leaving))
        lines, shared = edges[key]
        output = self.outputs[place, side]
        output.edge, output.line = shared, place[1] % rows if along else place[0] % columns
        lines[output.line].queue = behind

    def _neighbour(self, place: Place, side: str) -> Place | None:
        (x, y), (step_x, step_y) = place, _STEPS[side]
        x, y = x + step_x, y + step_y
        width, height = self.chip.width, self.chip.height
        if self.size:
            along = width if side in ("east", "west") else height
            return (x % width, y % height) if along > 1 else None
        return (x, y) if 0 <= x < width and 0 <= y < height else None

    def _tree(self) -> tuple[dict[int, tuple[Place, str]], tuple[Place, str]]:
        cores: dict[int, tuple[Place, str]] = {}
        width = self.chip.width

        def grow(first: int, end: int) -> None:
            middle = (first + end + 1) // 2
            branches = {"left": (first, middle), "right": (middle, end)}
            branches = {port: ends for port, ends in branches.items() if ends[0] < ends[1]}
            inner = {port: b for port, b in branches.items() if b[1] - b[0] > 1}
            leaves = {port: b[0] for port, b in branches.items() if b[1] - b[0] == 1}
            there = {port: leaf for port, leaf in leaves.items() if leaf < len(self.chip.cores)}
            place = (first, end)
            root = place == (0, width)
            ports = ("up", *inner, *there)
            ends = {*leaves, *(["up"] if root else [])}
            keys = {
                port: [
                    *(["up"] if port != "up" else []),
                    *(branch for branch in branches if port != branch or branch in leaves),
                ]
                for port in ports
            }

            def wanted(port: str, target: Target) -> list[str]:
                return tree_ports(first, end, port, target)

            self._router(place, ports, ends, keys, wanted)
            cores.update((leaf, (place, port)) for port, leaf in there.items())
            for port, branch in inner.items():
                grow(*branch)
                self.outputs[place, port].queue = self.queues[branch, "up"]
                self.outputs[branch, "up"].queue = self.queues[place, port]

        grow(0, width)
        return cores, ((0, width), "up")
