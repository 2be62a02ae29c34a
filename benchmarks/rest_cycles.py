"""Clock cycles of a tick with and without rest: ``python -m benchmarks.rest_cycles``.

Golden counts the cycles, which are those of the RTL but for spikes on their way out
(``tests/cosim/test_cycles.py``, ``tests/sim/test_rest.py``). Networks run as they are used, one
sample after the other, and with a silence behind each sample, as between the events of a sensor.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.table import Table

import spikelet
from benchmarks.boards import EXAMPLE, digits_network
from benchmarks.support import (
    SIZE,
    console,
    options_of,
    print_versions,
    run,
    single_core_chip,
    single_core_image,
    versions,
    write_json,
)
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.samples.samples import load_samples

__all__ = ["main"]

MNIST = Path(__file__).parents[1] / "examples" / "mnist" / "mnist.nir"
LANES = 16
BRIGHT = 0.19
"""Share of MNIST's pixels that are not 0."""


def main() -> int:
    """Run the benchmark."""
    options = options_of(
        __doc__,
        samples={"type": int, "default": 100, "help": "of each network"},
        silence={"type": int, "default": 48, "help": "ticks behind each sample"},
    )
    print_versions(tools := versions())
    found = []
    for name, chip, image, events in _cases(options.samples, options.silence):
        usual, _ = _measured(_with_rest(chip, False), image, events)
        cycles, share = _measured(_with_rest(chip, True), image, events)
        found.append(
            {
                "what": name,
                "ticks": events.ticks,
                "cycles_without_rest": usual,
                "cycles": cycles,
                "ticks_at_rest": share,
            }
        )
    table = Table(title="clock cycles of a tick, mean")
    for title in ("network and input", "ticks of a sample", "without rest", "with rest", "at rest"):
        table.add_column(title)
    for line in found:
        table.add_row(
            f"{line['what']}",
            f"{line['ticks']}",
            f"{line['cycles_without_rest']:.1f}",
            f"{line['cycles']:.1f}",
            f"{100 * float(line['ticks_at_rest']):.1f} %",
        )
    console.print(table)
    write_json(options.json, {"versions": tools, "figures": found})
    return 0


def _cases(samples: int, silence: int) -> Iterator[tuple[str, ChipParams, ChipImage, Events]]:
    rng = np.random.default_rng(0)
    core = single_core_chip(LANES)
    burst = np.zeros((1, 100, SIZE), np.bool_)
    burst[0, :5] = rng.random((5, SIZE)) < 0.25
    routes = np.stack([np.arange(SIZE), np.zeros(SIZE, np.int64)] * 2, axis=1)
    yield (
        "one 256x256 core, silent from tick 5 on",
        core,
        single_core_image(13),
        Events.from_spikes(burst, routes),
    )
    test = load_samples(EXAMPLE / "digits_test.npz", "test_").spikes[:samples]
    bright = rng.random((samples, 784)) < BRIGHT
    levels = np.where(bright, rng.integers(1, 256, bright.shape), 0)
    mnist = spikelet.compile(MNIST, "snntorch-subtract")
    for name, network, spikes in (
        ("digits, 64-64-10", digits_network(LANES), test),
        ("MNIST, 784-128-10, random images", mnist, spikelet.rate(levels, 255, 8)),
    ):
        yield name, network.chip, network.image, _events(network, spikes, 0)
        waits = f"{name}, {silence} silent ticks"
        yield waits, network.chip, network.image, _events(network, spikes, silence)


def _events(network: CompiledNetwork, spikes: npt.NDArray[np.bool_], silence: int) -> Events:
    spikes = np.asarray(spikes).reshape(*spikes.shape[:2], -1) != 0
    extra = network.output_latency + silence
    return Events.from_spikes(np.pad(spikes, ((0, 0), (0, extra), (0, 0))), network.routes)


def _with_rest(chip: ChipParams, rest: bool) -> ChipParams:
    return replace(chip, cores=tuple(replace(core, rest=rest) for core in chip.cores))


def _measured(chip: ChipParams, image: ChipImage, events: Events) -> tuple[float, float]:
    """Return the mean cycles of a tick, and in which share of the ticks all cores rest."""
    found = GoldenChip(chip, image).run(events, record=("cycles",)).cycles
    assert found is not None
    silent = max(core.scan_words for core in chip.cores) + 5 + 2 * chip.barrier_latency
    return float(found.mean()), float((found <= silent).mean())


if __name__ == "__main__":
    run(main)
