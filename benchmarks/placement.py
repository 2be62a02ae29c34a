"""Placement against random placement, and its time: ``python -m benchmarks.placement``.

Perceptrons split over cores, locally connected layers, and recurrent sheets in which each neuron
talks to 64 others near it (Gaussian distances of 6 neurons; neurons are numbered at random, so
that the neighbourhoods have to be found). Every neuron and input line counts as one packet a tick
to each of its destinations. Random placements hold the same parts on the same positions, with the
same multicasts. Time is that of one processor core, cutting into parts included.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.table import Table
from scipy import sparse

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.placement.core_limits import CoreLimits
from spikelet.placement.inputs import INPUT
from spikelet.placement.network import Connection, PlacementNetwork
from spikelet.placement.place import PlacedNetwork, place_network
from spikelet.placement.plots import placement_picture

__all__ = ["main"]


class Case(NamedTuple):
    """A network to place, and how."""

    name: str
    network: Callable[[], PlacementNetwork]
    limits: CoreLimits
    topology: str = "mesh"
    multicast: bool | None = None


def main() -> int:
    """Place all networks, print the table and write the pictures."""
    options = options_of(
        __doc__,
        cores={"type": int, "default": 1024, "help": "of the largest sheet: 64, 256, 1024, 4096"},
        random={"type": int, "default": 8, "help": "random placements of each network"},
        seed={"type": int, "default": 0, "help": "of networks and placements"},
        folder={"type": Path, "default": None, "help": "where the pictures go"},
    )
    tools = versions("numpy", "scipy", "pymetis")
    print_versions(tools)
    table = Table(
        *("network", "cores", "topology", "multicast", "objective", "random", "ratio"),
        *("largest load", "random", "seconds"),
    )
    rows = []
    for case in cases(options.cores, options.seed):
        network = case.network()
        start = time.process_time()
        placed = place_network(
            network,
            case.limits,
            topology=case.topology,
            multicast=case.multicast,
            seed=options.seed,
        )
        seconds = time.process_time() - start
        row = measured(case, placed, options.random, seconds)
        rows.append(row)
        table.add_row(*row.values())
        console.print("  ".join(row.values()), markup=False)
        if options.folder is not None:
            draw(options.folder / f"placement-{len(rows)}.png", placed)
    console.print(table)
    write_json(options.json, {"versions": tools, "rows": rows})
    return 0


def measured(case: Case, placed: PlacedNetwork, count: int, seconds: float) -> dict[str, str]:
    """Return a row of the table."""
    quality = placed.quality(count)
    loads, drawn = quality.loads, quality.random
    return {
        "network": case.name,
        "cores": f"{len(placed.parts):,}",
        "topology": case.topology,
        "multicast": "yes" if placed.multicast else "no",
        "objective": f"{loads.total:,.0f}",
        "random": f"{drawn.objective:,.0f}",
        "ratio": f"{drawn.objective / loads.total:.2f}",
        "largest": f"{loads.largest:,.0f}",
        "random largest": f"{drawn.largest:,.0f}",
        "seconds": f"{seconds:.1f}",
    }


def draw(path: Path, placed: PlacedNetwork) -> None:
    """Write the picture of a placement."""
    names = [placed.parts[part].population for part in np.argsort(placed.core)]
    path.parent.mkdir(parents=True, exist_ok=True)
    placement_picture(placed.arrangement.loads, names).savefig(path, dpi=110)


def cases(largest: int, seed: int) -> Iterator[Case]:
    """Return the networks, small ones first."""

    def mlp() -> PlacementNetwork:
        return perceptron([784, 1024, 1024, 10])

    name, limits = "perceptron 784-1024-1024-10", CoreLimits(1024, 64)
    for topology in ("mesh", "torus", "tree"):
        yield Case(name, mlp, limits, topology)
    yield Case(name, mlp, limits, multicast=False)
    yield Case("local 28x28, 2 layers of 8 channels", local_layers, CoreLimits(1024, 128))
    for side in (8, 16, 32, 64):
        if side * side <= largest:
            title = f"recurrent sheet, {256 * side * side:,} neurons"
            yield Case(title, partial(sheet, 16 * side, seed), CoreLimits(2048, 256))


def perceptron(sizes: list[int]) -> PlacementNetwork:
    """Return fully connected layers; the first size is that of the input."""
    names = [INPUT, *(f"layer {i}" for i in range(1, len(sizes)))]
    connections = tuple(
        Connection(names[i], names[i + 1], np.ones((sizes[i], sizes[i + 1]), np.int8), int(i > 0))
        for i in range(len(sizes) - 1)
    )
    populations = dict(zip(names[1:], sizes[1:], strict=True))
    return PlacementNetwork("perceptron", populations, connections, {INPUT: sizes[0]}, (names[-1],))


def local_layers(side: int = 28, channels: int = 8, kernel: int = 3) -> PlacementNetwork:
    """Return two layers of channels, each neuron of which sees a small square, and a dense one."""
    y, x = np.divmod(np.arange(side * side), side)
    reach = kernel // 2
    near = (abs(x - x[:, None]) <= reach) & (abs(y - y[:, None]) <= reach)

    def between(sources: int, targets: int) -> sparse.csr_array:
        planes = sparse.csr_array(np.ones((sources, targets), np.int8))
        return sparse.csr_array(sparse.kron(planes, sparse.csr_array(near.astype(np.int8))))

    size = channels * side * side
    pooled = np.zeros((size, 4 * channels), np.int8)
    quarter = (y >= side // 2) * 2 + (x >= side // 2)
    for channel in range(channels):
        pooled[channel * side * side + np.arange(side * side), 4 * channel + quarter] = 1
    return PlacementNetwork(
        "local",
        {"first": size, "second": size, "pooled": 4 * channels},
        (
            Connection(INPUT, "first", between(1, channels), 0),
            Connection("first", "second", between(channels, channels)),
            Connection("second", "pooled", sparse.csr_array(pooled)),
        ),
        {INPUT: side * side},
        ("pooled",),
    )


def sheet(side: int, seed: int, fan_out: int = 64, reach: float = 6.0) -> PlacementNetwork:
    """Return a square of recurrent neurons whose edges meet."""
    rng = np.random.default_rng(seed)
    n = side * side
    number: npt.NDArray[np.int64] = rng.permutation(n)
    source = np.repeat(np.arange(n), fan_out)
    steps = rng.normal(0, reach, (2, source.size)).round().astype(np.int64)
    x, y = (source % side + steps[0]) % side, (source // side + steps[1]) % side
    ends = (number[source], number[y * side + x])
    weights = sparse.csr_array((np.ones(source.size, np.int8), ends), (n, n))
    return PlacementNetwork("sheet", {"sheet": n}, (Connection("sheet", "sheet", weights),))


if __name__ == "__main__":
    run(main)
