"""Clock cycles of a sample, layers spread over cores: ``python -m benchmarks.spread``.

Networks are compiled as usual and with ``--spread auto``; the RTL measures both, golden predicts
them, and every output spike of both is the same.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

import spikelet
from benchmarks.boards import EXAMPLE
from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.neurons.models import neuron_model
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.runs.throughput import throughput
from spikelet.samples.samples import Samples, load_samples
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

MNIST = Path(__file__).parents[1] / "examples" / "mnist" / "mnist.nir"
BRIGHT = 0.19
"""Share of MNIST's pixels that are not 0."""
MOST_OFF = 0.02


def main() -> int:
    """Run the benchmark."""
    options = options_of(
        __doc__,
        samples={"type": int, "default": 3, "help": "of each network, on the RTL"},
        only={"default": "", "help": "networks whose names contain this"},
    )
    print_versions(tools := versions("amaranth", "verilator"))
    found = []
    table = Table(title="clock cycles of a sample, mean")
    for title in ("network", "placed", "cores of each layer", "RTL", "golden", "off", "faster"):
        table.add_column(title)
    for name, source, spikes in _cases():
        if options.only not in name:
            continue
        shown = spikes[: options.samples]
        usual = 0.0
        outputs = None
        for placed, spread in (("as usual", None), ("spread", "auto")):
            compiled = compile_network(source, calibration=spikes[:16], spread=spread)
            cycles, spiked = _measured(compiled, shown)
            usual = usual or cycles
            same = outputs is None or np.array_equal(outputs, spiked)
            outputs = spiked
            predicted = throughput(compiled, Samples(shown))
            assert predicted is not None
            entry: dict[str, Any] = {
                "network": name,
                "placed": placed,
                "cores": {layer.name: len(layer.slices) for layer in compiled.layers},
                "cycles": cycles,
                "predicted": predicted.cycles,
                "same_spikes": same,
            }
            found.append(entry)
            off = predicted.cycles / cycles - 1
            table.add_row(
                *(name, placed, ", ".join(map(str, entry["cores"].values()))),
                *(f"{cycles:,.1f}", f"{predicted.cycles:,.1f}", f"{off:+.2%}"),
                f"{usual / cycles:.2f} times",
            )
    console.print(table)
    close = all(abs(e["predicted"] / e["cycles"] - 1) <= MOST_OFF for e in found)
    reached = close and all(entry["same_spikes"] for entry in found)
    console.print(f"within 2 %, and the same output spikes: {verdict(reached)}")
    write_json(options.json, {"versions": tools, "figures": found})
    return 0 if reached else 1


def _cases() -> Iterator[tuple[str, Any, npt.NDArray[np.uint8]]]:
    rng = np.random.default_rng(0)
    digits = spikelet.load_network(EXAMPLE / "digits.nir", "snntorch-subtract")
    yield (
        "digits, 64-64-10",
        digits,
        _flat(load_samples(EXAMPLE / "digits_test.npz", "test_").spikes),
    )
    bright = rng.random((16, 784)) < BRIGHT
    images = _flat(spikelet.rate(np.where(bright, rng.integers(1, 256, bright.shape), 0), 255, 8))
    mnist = spikelet.load_network(MNIST, "snntorch-subtract")
    yield "MNIST, 784-128-10, random images", mnist, images
    yield "784-256-128-10, random weights and images", _drawn(rng), images


def _flat(spikes: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    flat = spikes.reshape(*spikes.shape[:2], -1)
    found: npt.NDArray[np.uint8] = np.not_equal(flat, 0).astype(np.uint8)
    return found


def _drawn(rng: np.random.Generator) -> Network:
    """Return a network of random weights, a fifth of whose neurons spike in a tick, or so."""
    sizes = (784, 256, 128, 10)
    names = (INPUT, "first", "second", "last")
    parameters = {"threshold": np.ones(1), "decay": np.full(1, 0.9)}
    model = neuron_model("snntorch-subtract")
    layers = tuple(
        Population(name, size, model, parameters)
        for name, size in zip(names[1:], sizes[1:], strict=True)
    )
    weights = [rng.normal(0.02, 2 / np.sqrt(into), (into, out)) for into, out in pairwise(sizes)]
    joined = tuple(
        Projection(source, target, matrix)
        for source, target, matrix in zip(names, names[1:], weights, strict=False)
    )
    return Network("drawn", sizes[0], None, layers, joined, ("last",))


def _measured(
    compiled: CompiledNetwork, spikes: npt.NDArray[np.uint8]
) -> tuple[float, npt.NDArray[Any]]:
    """Return the mean cycles of a sample on the RTL, and its output spikes."""
    design = Design(to_verilog(whole_chip(compiled.chip), "chip"))
    with VerilatedChip(compiled.chip, design, optimise="build") as rtl:
        rtl.load(compiled.image)
        found = rtl.run(compiled.events(spikes))
    assert found.cycles is not None
    return float(found.cycles.sum(axis=1).mean()), found.outputs


if __name__ == "__main__":
    run(main)
