"""The list of proofs."""

from collections.abc import Iterator
from functools import partial

from spikelet.description.chip.destinations import HOST
from spikelet.formal.arbiters import ArbiterIsFair
from spikelet.formal.barriers import BarrierIsNeverEarly
from spikelet.formal.followed import Place, small_chip
from spikelet.formal.frames import FramesAreJudgedRight
from spikelet.formal.networks import NetworkDelivers, NetworkNeverLocks, RingKeepsAPlace
from spikelet.formal.prover import Proof
from spikelet.formal.queues import EdgeDelivers, QueueCounts, QueueDelivers, RegisterDelivers
from spikelet.formal.routers import RouterDelivers, RouterIsBlind, RouterServes
from spikelet.formal.sums import RowLeavesAsItsSum

__all__ = ["PROOFS", "QUICK"]


def _queues() -> Iterator[Proof]:
    for depth in (2, 3, 4, 8):
        yield Proof(
            f"queue-{depth}-delivers",
            "a flit comes out once, unchanged, in order; what waits stands",
            partial(QueueDelivers, depth),
        )
        yield Proof(
            f"queue-{depth}-counts",
            "it never takes more than it holds; ready, valid and room are right",
            partial(QueueCounts, depth),
            cover=depth + 4,
        )

    yield Proof(
        "register-delivers",
        "a flit comes out of a link's register once, unchanged, in order; what waits stands",
        RegisterDelivers,
    )


def _arbiters() -> Iterator[Proof]:
    for n in (2, 3, 5):
        yield Proof(
            f"arbiter-{n}-is-fair",
            "one is granted, until it is served; no other is served twice before",
            partial(ArbiterIsFair, n),
        )


def _edges() -> Iterator[Proof]:
    for line in range(3):
        yield Proof(
            f"edge-3-delivers-line-{line}",
            "a flit comes out on the other chip in its line, once, unchanged, in order",
            partial(EdgeDelivers, 3, line),
        )


_ROUTERS: tuple[tuple[str, tuple[int, int], bool, Place, tuple[str, ...]], ...] = (
    ("mesh", (4, 4), False, (2, 1), ("local", "west", "north")),
    ("mesh", (4, 4), True, (2, 1), ("local", "north", "east", "south", "west")),
    ("mesh", (2, 2), True, (0, 0), ("local", "host", "east", "south")),
    ("torus", (3, 3), True, (1, 1), ("local", "north", "east", "south", "west")),
    ("tree", (4, 1), True, (0, 4), ("up", "left", "right")),
    ("tree", (5, 1), True, (0, 3), ("up", "left", "right")),
)


def _routers() -> Iterator[Proof]:
    for topology, (width, height), multicast, place, sources in _ROUTERS:
        chip = small_chip(topology, width, height, multicast=multicast)
        cast = "multicast" if multicast else "unicast"
        where = f"{topology}-{width}x{height}-{place[0]}-{place[1]}-{cast}"
        for source in sources:
            yield Proof(
                f"router-{where}-delivers-from-{source}",
                "a flit leaves by the ports that golden says, once, unchanged, in order",
                partial(RouterDelivers, chip, place, source),
            )
        yield Proof(
            f"router-{where}-is-blind",
            "what a router does depends neither on axons nor on delays",
            partial(RouterIsBlind, chip, place),
        )
        if topology != "torus":
            yield Proof(
                f"router-{where}-serves",
                "with outputs that take a flit every other cycle, a full queue gets room in time",
                partial(RouterServes, chip, place, 2),
            )


def _networks() -> Iterator[Proof]:
    for topology, width, height, depth in (
        ("mesh", 2, 2, 2),
        ("mesh", 2, 2, 4),
        ("torus", 2, 2, 2),
        ("ring", 3, 1, 2),
        ("ring", 3, 1, 4),
        ("ring", 4, 1, 2),
        ("tree", 4, 1, 2),
    ):
        chip = small_chip(topology, width, height, multicast=True, fifo_depth=depth)
        yield Proof(
            f"network-{topology}-{width}x{height}-depth-{depth}-never-locks",
            "while flits are under way one moves, unless an end does not take what it is offered",
            partial(NetworkNeverLocks, chip),
        )
        if depth == 2:
            yield Proof(
                f"network-{topology}-{width}x{height}-registered-never-locks",
                "the same where links have registers",
                partial(NetworkNeverLocks, chip, registered=True),
            )
    for topology, width, height, depth in (
        ("ring", 3, 1, 2),
        ("ring", 3, 1, 4),
        ("ring", 4, 1, 2),
        ("ring", 8, 1, 4),
        ("torus", 3, 3, 2),
        ("torus", 3, 3, 4),
    ):
        chip = small_chip(topology, width, height, multicast=True, fifo_depth=depth)
        yield Proof(
            f"network-{topology}-{width}x{height}-depth-{depth}-keeps-a-place",
            "in each direction a place is free, or its flit has passed on and leaves the ring",
            partial(RingKeepsAPlace, chip),
        )
        if depth == 2:
            yield Proof(
                f"network-{topology}-{width}x{height}-registered-keeps-a-place",
                "the same where links have registers",
                partial(RingKeepsAPlace, chip, registered=True),
            )
    mesh = small_chip("mesh", 2, 2, multicast=True)
    for source in (HOST, 0, 3):
        end = "host" if source == HOST else f"core-{source}"
        yield Proof(
            f"network-mesh-2x2-depth-2-delivers-from-{end}",
            "a packet arrives once at each core of its rectangle, unchanged, and nowhere else",
            partial(NetworkDelivers, mesh, source),
        )
    yield Proof(
        "network-mesh-2x1-depth-2-delivers-in-time-from-core-0",
        "the same, and within 10 cycles if cores and host take what they are offered",
        partial(NetworkDelivers, small_chip("mesh", 2, 1, multicast=True), 0, bound=10),
    )


def _barriers() -> Iterator[Proof]:
    for latency in (0, 1, 2):
        yield Proof(
            f"barrier-{latency}-is-never-early",
            "busy never falls, and no tick starts, while anything is under way; busy does fall",
            partial(BarrierIsNeverEarly, latency),
            cover=20,
        )


def _sums() -> Iterator[Proof]:
    for rows, bits in ((2, 2), (4, 2), (5, 3)):
        yield Proof(
            f"sums-{rows}x{bits}-add-up",
            "a row leaves as the sum of what was added to it since it left before",
            partial(RowLeavesAsItsSum, rows, bits),
        )


def _frames() -> Iterator[Proof]:
    for bits in (1, 8):
        yield Proof(
            f"frames-{bits}-bits-are-judged-right",
            "a frame is whole exactly if its check is right; a byte is taken within 9 cycles",
            partial(FramesAreJudgedRight, bits),
            cover=120,
        )


PROOFS = tuple(
    proof
    for group in (_queues, _arbiters, _edges, _routers, _networks, _barriers, _sums, _frames)
    for proof in group()
)
"""All proofs."""

_QUICK = (
    "queue-3-delivers",
    "queue-3-counts",
    "arbiter-3-is-fair",
    "edge-3-delivers-line-1",
    "router-torus-3x3-1-1-multicast-delivers-from-north",
    "router-tree-5x1-0-3-multicast-delivers-from-up",
    "network-mesh-2x2-depth-2-never-locks",
    "network-ring-3x1-depth-2-keeps-a-place",
    "barrier-1-is-never-early",
    "sums-4x2-add-up",
    "frames-8-bits-are-judged-right",
)

QUICK = tuple(proof for proof in PROOFS if proof.name in _QUICK)
"""One of each kind that takes some seconds."""
