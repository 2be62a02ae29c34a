"""Traffic through whole networks on chip, and the scoreboard that judges it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.network_on_chip import packet_links
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.network_on_chip import NetworkOnChip
from spikelet.sim.traffic import Network, Traffic, Window
from spikelet.sim.traffic_patterns import (
    Pattern,
    all_to_one,
    bit_complement,
    hotspot,
    pattern_of,
    random_rectangles,
    transpose,
    uniform,
)

CORE = CoreParams(4096, 4, neuron_model("snntorch-zero"), lanes=4, delay_slots=32)


def chip_of(width: int, height: int = 1, missing: int = 0, **fields: object) -> ChipParams:
    """Return a chip whose flits have 17 bits to number packets with."""
    cores = (CORE,) * (width * height - missing)
    return ChipParams(cores, width, height, n_outputs=4096, **{"multicast": True, **fields})


CHIPS = {
    "mesh": chip_of(3, 3, missing=1, fifo_depth=2),
    "two chips": chip_of(4, 2, fifo_depth=3, chip_columns=2),
    "torus": chip_of(4, 3, topology="torus", fifo_depth=3),
    "ring": chip_of(8, topology="ring", fifo_depth=2, arbitration_seed=7),
    "tree": chip_of(6, missing=1, topology="tree", fifo_depth=2),
}
DRAIN = 20_000


@cache
def network(name: str) -> Network:
    return compiled(CHIPS[name], optimise="build")


def compiled(chip: ChipParams, *, optimise: str) -> Network:
    def verilog(part: tuple[int, int], name: str) -> str:
        return to_verilog(NetworkOnChip(chip, part), name)

    return Network(chip, verilog, optimise=optimise)


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield
    for name in CHIPS:
        network(name).close()


def patterns(chip: ChipParams, rng: np.random.Generator) -> dict[str, dict[int, list]]:
    """Return traffic of every kind; the host takes part wherever it can."""
    n = len(chip.cores)
    spread = uniform(chip)
    core = int(rng.integers(n))
    found = {
        "uniform": spread | {HOST: spread[0]},
        "hotspot": hotspot(chip, core, 0.3),
        "bit-complement": bit_complement(chip),
        "all to one core": all_to_one(chip, core),
        "all to the host": all_to_one(chip, HOST),
        "multicast storm": random_rectangles(chip, rng, each=8),
        "broadcasts": {source: [(0, chip.width, chip.height)] for source in (*range(n), HOST)},
    }
    if chip.width == chip.height:
        found["transpose"] = transpose(chip)
    return found


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("seed", [1, 2])
def test_all_packets_arrive_once_and_in_order(name: str, seed: int) -> None:
    chip, rng = CHIPS[name], np.random.default_rng(seed)
    blocked = held_up = 0
    for pattern, chosen in patterns(chip, rng).items():
        traffic = Traffic(
            pattern_of(chip, chosen),
            rates=rng.uniform(0, 1, len(chip.cores) + 1),
            burst=int(rng.integers(1, 9)),
            stall_rates=rng.choice([0, 0.05, 0.5], len(chip.cores) + 1),
            longest_stalls=rng.integers(1, 40, len(chip.cores) + 1),
        )
        done = network(name).run(traffic, Window(400, drain=DRAIN * 4), seed=seed)
        assert done.packets > 100, pattern
        assert len(done.deliveries) == done.copies >= done.packets - done.dropped, pattern
        blocked, held_up = blocked + done.blocked, held_up + done.held_up
    assert blocked > 1000
    assert held_up > 1000


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(CHIPS)),
    seed=st.integers(0, 2**32),
    rate=st.floats(0.01, 1),
    burst=st.integers(1, 40),
    stall_rate=st.floats(0, 0.9),
    longest_stall=st.integers(1, 200),
    each=st.integers(1, 20),
)
def test_any_mix_of_rectangles_arrives(
    name: str, seed: int, rate: float, burst: int, stall_rate: float, longest_stall: int, each: int
) -> None:
    chip = CHIPS[name]
    chosen = random_rectangles(chip, np.random.default_rng(seed), each=each)
    traffic = Traffic(pattern_of(chip, chosen), rate, burst, stall_rate, longest_stall)
    done = network(name).run(traffic, Window(60, drain=1_000_000), seed=seed)
    assert len(done.deliveries) == done.copies


@pytest.mark.parametrize("name", CHIPS)
def test_a_hop_takes_one_cycle_and_a_register_one(name: str) -> None:
    chip = CHIPS[name]
    pattern = pattern_of(chip, uniform(chip) | {HOST: [(c, 1, 1) for c in range(len(chip.cores))]})
    done = network(name).run(Traffic(pattern, 0.002), Window(60_000, drain=DRAIN), seed=3)
    for source in range(len(chip.cores) + 1):
        for target in range(len(chip.cores)):
            here = (done.deliveries["source"] == source) & (done.deliveries["target"] == target)
            links = packet_links(chip, HOST if source == len(chip.cores) else source, target)
            crossed = sum(
                chip.chip_columns == 2 and (port, x) in (("east", 1), ("west", 2))
                for (x, _), port in links
            )
            registers = (len(links) - 1) * chip.registered_links
            assert done.network_latency[here].min() == len(links) + 2 * crossed + registers


@pytest.mark.parametrize("name", CHIPS)
def test_a_port_takes_a_flit_every_cycle(name: str) -> None:
    chip = CHIPS[name]
    last = len(chip.cores) - 1
    for source, target in ((0, last), (last, 0), (HOST, last), (last, HOST), (1, 1)):
        pattern = pattern_of(chip, {source: [(target, 1, 1)]})
        done = network(name).run(Traffic(pattern, 1), Window(200, warm_up=40), seed=4)
        # In queues of 2, a ring has room for two only when there is nothing in them.
        slow = name == "ring" and source != target
        assert done.delivered.sum() == (100 if slow else 200), (source, target)


def test_what_is_for_no_core_is_dropped_and_the_rest_arrives() -> None:
    chip = CHIPS["mesh"]
    everywhere = pattern_of(chip, {source: [(0, 3, 3)] for source in range(8)})
    done = network("mesh").run(Traffic(everywhere, 0.3), Window(500, drain=DRAIN), seed=5)
    assert done.dropped == done.packets > 1000
    assert done.copies == 8 * done.packets


def test_throughput_counts_only_what_is_measured() -> None:
    chip = CHIPS["ring"]
    pattern = pattern_of(chip, {0: [(2, 1, 1)]})
    window, rates = Window(100, warm_up=50, tail=1000), [0.5, *[0] * 8]
    done = network("ring").run(Traffic(pattern, rates), window, seed=6)
    assert done.settled and done.measured == 100
    assert 30 < done.offered[0] < 70 and len(done.deliveries) == done.offered[0]
    assert done.delivered_from.tolist() == [done.delivered[2], *[0] * 8]
    assert (done.latency >= done.network_latency).all()
    assert (done.deliveries["created"] >= 50).all() and (done.deliveries["created"] < 150).all()
    again = network("ring").run(Traffic(pattern, rates), window, seed=6)
    assert np.array_equal(again.deliveries, done.deliveries)


def test_an_overloaded_network_does_not_settle_and_forgets_what_was_not_sent() -> None:
    chip = CHIPS["ring"]
    overload = Traffic(pattern_of(chip, all_to_one(chip, 0)), 1.0)
    window = Window(500, tail=100, send_all=False, drain=200)
    done = network("ring").run(overload, window, seed=7)
    assert not done.settled
    assert done.delivered[0] > 480
    assert done.offered.sum() == 9 * 500 > 4 * done.packets
    with pytest.raises(SpikeletError, match=r"ring, seed 7.*packets were not taken within 200"):
        network("ring").run(overload, Window(500, drain=200), seed=7)


FAULTS = {
    1: r"got packet \d+ of port 0 before \d+",  # lost
    2: r"port 1 got packet \d+ of port 0, not due there",  # twice
    3: r"got packet \d+ of port 0 before \d+",  # overtaken
    4: r"port 1: a stalled flit changed",
    5: r"port 0 got packet \d+ of port 0, not due there: 0 are",  # at the wrong port
    6: r"busy is 0 with \d+ packets inside",
    7: r"got packet \d+ of port 0 before \d+",  # dropped, and said so
    8: r"copies did not arrive",  # stuck
}


@pytest.fixture(scope="module")
def broken() -> Iterator[Network]:
    """Yield a network of one core that breaks a packet as its x says."""
    chip = chip_of(16, missing=15, multicast=False)
    text = (Path(__file__).parents[1] / "helpers/broken_network.v").read_text()

    def verilog(part: tuple[int, int], name: str) -> str:
        width = flit_packet(chip).width
        text_here = text.replace("NAME", name).replace("[WIDTH-1:0]", f"[{width - 1}:0]")
        return text_here.replace("WIDTH", str(width))

    with Network(chip, verilog, optimise="build") as found:
        yield found


def broken_run(broken: Network, fault: int) -> int:
    """Send packets with a fault to the host; return how many arrived."""
    word = flit_packet(broken.chip).pack(axon=0, delay=0, host=1, x=fault, y=0)
    counts = [np.array(c, np.int64) for c in ([0, 1], [1], [0], [0, 1, 1], [0])]
    pattern = Pattern(np.array([word], np.uint32), *counts)
    traffic = Traffic(pattern, 1.0, stall_rates=[0, 0.5], longest_stalls=[1, 9])
    return broken.run(traffic, Window(1000, drain=9000), seed=8).copies


@pytest.mark.parametrize("fault", FAULTS)
def test_the_scoreboard_finds(fault: int, broken: Network) -> None:
    assert broken_run(broken, 0) == 1000, "the sound one passes"
    with pytest.raises(SpikeletError, match=FAULTS[fault]):
        broken_run(broken, fault)


def test_packets_need_bits_to_be_numbered() -> None:
    chip = ChipParams((CoreParams(16, 4, CORE.neuron, lanes=4),))
    with pytest.raises(
        SpikeletError, match=r"axon and delay have 5 bits, of which 2 ports leave 4"
    ):
        Network(chip, lambda part, name: "")


def test_verilog_that_is_no_network_is_refused() -> None:
    with pytest.raises(SpikeletError, match=r"the network has no port busy"):
        Network(CHIPS["mesh"], lambda part, name: f"module {name}; endmodule")


def test_traffic_that_makes_no_sense_is_refused() -> None:
    ring = network("ring")
    pattern = pattern_of(CHIPS["ring"], {0: [(2, 1, 1)]})
    for message, fields in {
        r"rates must be in 0..1, found 1.5": {"rates": 1.5},
        r"rates must be in 0..1, found nan": {"rates": np.nan},
        r"rates must have shape \(9,\), not \(2,\)": {"rates": [0, 1]},
        r"stall_rates must be in 0..1, found -1": {"stall_rates": -1},
        r"longest_stalls must be in 1..\d+, found 0": {"longest_stalls": 0},
        r"burst must be 1 or more, not 0": {"burst": 0},
        r"the pattern is of 6 ports, the network has 9": {
            "pattern": pattern_of(CHIPS["tree"], {0: [(1, 1, 1)]})
        },
    }.items():
        with pytest.raises(SpikeletError, match=message):
            ring.run(Traffic(**{"pattern": pattern, "rates": 0.5, **fields}), Window(9), seed=0)
    with pytest.raises(SpikeletError, match=r"2 x 4 cores from core 1 do not lie within 3 x 3"):
        pattern_of(CHIPS["mesh"], {0: [(1, 2, 4)]})
    with pytest.raises(SpikeletError, match=r"a square of cores.*, not 8 on 4 x 2 positions"):
        transpose(CHIPS["two chips"])
    with pytest.raises(SpikeletError, match=r"share must be 0 or more and below 1, not 1.0"):
        hotspot(CHIPS["mesh"], 0, 1.0)
    with pytest.raises(SpikeletError, match=r"2 x 1 cores need multicast"):
        pattern_of(chip_of(2, multicast=False), {0: [(0, 2, 1)]})


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("depth", [2, 4])
def test_millions_of_packets_on_8x8(depth: int) -> None:
    chip = chip_of(8, 8, fifo_depth=depth)
    rng = np.random.default_rng(depth)
    packets = 0
    with compiled(chip, optimise="build") as mesh:
        for seed in range(3):
            for chosen in patterns(chip, rng).values():
                stalls = {"stall_rates": rng.choice([0, 0.02], 65), "longest_stalls": 30}
                traffic = Traffic(pattern_of(chip, chosen), 0.4, int(rng.integers(1, 9)), **stalls)
                window = Window(20_000, send_all=False)
                packets += mesh.run(traffic, window, seed=seed).packets
    assert packets > 1_500_000
