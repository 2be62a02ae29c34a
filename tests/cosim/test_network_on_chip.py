# amaranth: UnusedElaboratable=no
"""Networks of every topology, with and without multicast, and a mesh that is cut into chips."""

from typing import Any

import pytest
from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.network_on_chip import NetworkOnChip
from tests.cosim.support import Bench, cases

CORE = CoreParams(n_axons=256, n_neurons=16, neuron=neuron_model("snntorch-zero"), delay_slots=32)


class JoinedNetworks(wiring.Component):
    """The networks of all the chips into which a mesh is cut."""

    def __init__(self, chip: ChipParams) -> None:
        places = [(x, y) for y in range(chip.chip_rows) for x in range(chip.chip_columns)]
        self.parts = {place: NetworkOnChip(chip, place) for place in places}
        ends = {
            name: member
            for part in self.parts.values()
            for name, member in part.signature.members.items()
            if name.startswith(("core_", "host_"))
        }
        widths = {
            name: sum(len(getattr(part, name)) for part in self.parts.values())
            for name in ("busy", "dropped")
        }
        super().__init__(ends | {name: Out(width) for name, width in widths.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for (x, y), part in self.parts.items():
            m.submodules[f"part_{x}_{y}"] = part
            for name in part.signature.members:
                if name.startswith(("core_", "host_")):
                    connect(m, flipped(getattr(self, name)), getattr(part, name))
            for side, opposite, step in (("east", "west", (1, 0)), ("south", "north", (0, 1))):
                other = self.parts.get((x + step[0], y + step[1]))
                if other:
                    connect(m, getattr(part, f"{side}_out"), getattr(other, f"{opposite}_in"))
                    connect(m, getattr(other, f"{opposite}_out"), getattr(part, f"{side}_in"))
        for name in ("busy", "dropped"):
            parts = Cat(getattr(part, name) for part in self.parts.values())
            m.d.comb += getattr(self, name).eq(parts)
        return m


def _case(n_cores: int, width: int, height: int = 1, **options: Any) -> ChipParams:
    return ChipParams((CORE,) * n_cores, width, height, **options)


CASES = {
    "single": _case(1, 1),
    "mesh": _case(5, 3, 2, multicast=True, fifo_depth=2),
    "torus": _case(8, 3, 3, topology="torus", multicast=True, fifo_depth=2),
    "ring": _case(5, 5, topology="ring", fifo_depth=2),
    "tree": _case(4, 5, topology="tree", multicast=True),
    "cut": _case(7, 4, 2, multicast=True, chip_columns=2, chip_rows=2, fifo_depth=2),
}
SLOW_CASES = {
    "torus_of_two_rows": _case(8, 4, 2, topology="torus", fifo_depth=3),
    "torus_of_two": _case(2, 2, topology="torus", multicast=True),
    "ring_multicast": _case(6, 7, topology="ring", multicast=True, fifo_depth=8),
    "line": _case(4, 6, topology="line", multicast=True),
    "tree_of_one": _case(1, 1, topology="tree", multicast=True),
    "tree_of_two": _case(2, 2, topology="tree"),
    "tree_of_eight": _case(6, 8, topology="tree", multicast=True, fifo_depth=2),
    "cut_of_two_lines": _case(16, 4, 4, chip_columns=2, chip_rows=2, arbitration_seed=7),
    "cut_in_three": _case(11, 6, 2, multicast=True, chip_columns=3),
}


def _bench(chip: ChipParams) -> Bench:
    component = JoinedNetworks(chip) if chip.chip_columns > 1 else NetworkOnChip(chip)
    return Bench(component, bench="network_on_chip", chip=chip)


@pytest.fixture(scope="module", params=cases(("cut", "mesh"), **CASES))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a network."""
    return _bench(request.param)


@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (2, 3))])
def test_network_on_chip(bench, seed, tmp_path):
    bench.run(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("chip", cases(**SLOW_CASES))
def test_further_networks(chip, tmp_path):
    bench = _bench(chip)
    for seed in (1, 2, 3):
        bench.run(seed, tmp_path / str(seed))
