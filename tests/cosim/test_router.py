# amaranth: UnusedElaboratable=no
"""Routers in the middle, at the corner, without a core; in a torus; within and at the root of a
tree.
"""

from typing import Any

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.router import Router
from spikelet.rtl_gen.routing import GridRouting, TreeRouting
from tests.cosim.support import Bench, cases

CORE = CoreParams(n_axons=256, n_neurons=16, neuron=neuron_model("snntorch-zero"), delay_slots=8)
SIDES = ("north", "east", "south", "west")


def _bench(chip: dict[str, Any], place: tuple[int, int], ports: tuple[str, ...]) -> Bench:
    params = ChipParams((CORE,), **chip)
    size = (params.width, params.height)
    rings = params.topology in ("torus", "ring")
    routing: GridRouting | TreeRouting
    if params.topology == "tree":
        routing = TreeRouting(*place, params.width)
    else:
        routing = GridRouting(*place, size if rings else None)
    flit = flit_packet(params)
    carried = {
        port: tuple(routing.carried(flit, port, leaving=leaving) for leaving in (False, True))
        for port in ports
    }
    component = Router(flit, routing, ports=ports, depth=params.fifo_depth, seed=place[0])
    return Bench(
        component,
        flit=flit,
        carried=carried,
        place=place,
        size=size,
        topology=params.topology,
        ports=ports,
    )


MESH = {"width": 3, "height": 3}
TREE = {"topology": "tree", "multicast": True}
CASES = {
    "middle": (MESH | {"multicast": True}, (1, 1), ("local", *SIDES)),
    "corner": (
        MESH | {"multicast": True, "fifo_depth": 2},
        (0, 0),
        ("local", "host", "east", "south"),
    ),
    "without_core": (MESH | {"fifo_depth": 8}, (1, 2), ("north", "east", "west")),
    "torus": (
        {"topology": "torus", "width": 5, "height": 3, "multicast": True},
        (0, 0),
        ("local", "host", *SIDES),
    ),
    "within_tree": (TREE | {"width": 8}, (0, 4), ("up", "left", "right")),
    "leaves_of_tree": (TREE | {"width": 5}, (3, 5), ("up", "left")),
    "root_of_tree": (TREE | {"width": 3, "fifo_depth": 2}, (0, 3), ("up", "left", "right")),
}


@pytest.fixture(scope="module", params=cases(**CASES))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a router."""
    return _bench(*request.param)


@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (2, 3))])
def test_router(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
