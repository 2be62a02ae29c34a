"""Links crossed and link loads of many packets at once, against golden's walk of each."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.params import TOPOLOGIES, ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.network_on_chip import packet_links
from spikelet.placement.floorplan import Floorplan, Packets
from spikelet.placement.link_loads import link_loads
from tests.helpers.networks import LIF_MODELS

CORE = CoreParams(n_axons=1, n_neurons=1, lanes=1, neuron=LIF_MODELS["snntorch-subtract"])


@st.composite
def floorplans(draw: Any) -> Floorplan:
    topology = draw(st.sampled_from(TOPOLOGIES))
    flat = topology not in ("mesh", "torus")
    width = draw(st.integers(2 if topology == "tree" else 1, 24 if flat else 7))
    return Floorplan(topology, width, 1 if flat else draw(st.integers(1, 6)))


@st.composite
def packets(draw: Any, plan: Floorplan) -> list[tuple[int, int, int, int, float]]:
    last = plan.width * plan.height - 1
    found = []
    for _ in range(draw(st.integers(1, 8))):
        source = draw(st.integers(HOST, last))
        target = draw(st.integers(HOST if source != HOST else 0, last))
        columns = rows = 1
        if target != HOST:
            columns = draw(st.integers(1, plan.width - target % plan.width))
            rows = draw(st.integers(1, plan.height - target // plan.width))
        found.append((source, target, columns, rows, draw(st.integers(1, 9)) / 4))
    return found


def arrays(sent: list[tuple[int, int, int, int, float]]) -> Packets:
    fields = list(zip(*sent, strict=True))
    return Packets(*(np.array(f, np.int64) for f in fields[:4]), np.array(fields[4]))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_as_golden_walks(data: Any) -> None:
    plan = data.draw(floorplans())
    sent = data.draw(packets(plan))
    cores = (CORE,) * (plan.width * plan.height)
    chip = ChipParams(cores, plan.width, plan.height, topology=plan.topology, multicast=True)
    walks = [packet_links(chip, *packet[:4]) for packet in sent]
    expected: Counter[Any] = Counter()
    for walk, packet in zip(walks, sent, strict=True):
        for link in walk:
            expected[link] += packet[4]
    loads = link_loads(plan, arrays(sent))
    assert loads.by_link() == pytest.approx(dict(expected))
    assert loads.total == pytest.approx(sum(expected.values()))
    assert loads.largest == pytest.approx(max(expected.values()))
    assert plan.links_crossed(arrays(sent)).tolist() == [len(walk) for walk in walks]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_distances_have_no_direction(topology: str) -> None:
    plan = Floorplan.of(topology, 20)
    far = plan.distances
    assert (far == far.T).all() and (np.diag(far) == 1).all() and far.max() > 3
    there = arrays([(HOST, i, 1, 1, 1.0) for i in range(20)])
    back = arrays([(i, HOST, 1, 1, 1.0) for i in range(20)])
    assert (plan.links_crossed(there) == plan.links_crossed(back)).all()
    assert (plan.host_distances[:20] == plan.links_crossed(there)).all()


def test_an_example_by_hand() -> None:
    """From (0, 0) to the two lower rows of the two right columns: 2 east, 2 down each, 4 cores."""
    plan = Floorplan("mesh", 3, 3)
    loads = link_loads(plan, arrays([(0, 4, 2, 2, 5.0)]))
    assert loads.loads["east"].tolist() == [[5, 5, 0], [0, 0, 0], [0, 0, 0]]
    assert loads.loads["south"].tolist() == [[0, 5, 5], [0, 5, 5], [0, 0, 0]]
    assert loads.loads["local"].sum() == 20
    assert (loads.total, loads.largest) == (50, 5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("star", 2, 2), "topology must be one of mesh, torus, line, ring, tree, not 'star'"),
        (("ring", 2, 2), "a ring has a height of 1, not 2"),
        (("mesh", 65, 64), "65 x 64 are 4160 positions, 64 more than the 4096"),
    ],
)
def test_refusals(fields: tuple[str, int, int], message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        Floorplan(*fields)
