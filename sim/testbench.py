"""What every cocotb bench needs: parameters, a seed, clock and reset, comparisons that count."""

import os
import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.packets import COUNT, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.sim.drivers import CLOCK_NS
from spikelet.sim.run import PARAMETERS_VARIABLE

__all__ = [
    "Checks",
    "Layout",
    "config_words",
    "flits_of",
    "pack",
    "parameters",
    "random_source",
    "read_region",
    "start",
    "write_region",
]

Layout = Sequence[tuple[str, int]]
"""Fields of a port with their widths, from bit 0 upwards."""


def parameters() -> dict[str, Any]:
    """Return the parameters that :func:`spikelet.sim.run.run` was given."""
    loaded: dict[str, Any] = pickle.loads(Path(os.environ[PARAMETERS_VARIABLE]).read_bytes())
    return loaded


def random_source() -> np.random.Generator:
    """Return this test's source of random choices; its seed is in the log."""
    seed = cocotb.RANDOM_SEED
    cocotb.log.info("seed of this test: %d", seed)
    return np.random.default_rng(seed)


async def start(dut: Any, **inputs: int) -> RisingEdge:
    """Start the clock, set inputs, reset; return the trigger of the rising edge."""
    for name, value in inputs.items():
        getattr(dut, name).value = value
    dut.rst.value = 1
    Clock(dut.clk, CLOCK_NS, "ns").start()
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    edge = RisingEdge(dut.clk)
    await edge
    return edge


def pack(layout: Layout, values: Mapping[str, Any]) -> int:
    """Return the bits of a port; values may be negative, in two's complement."""
    word = shift = 0
    for name, width in layout:
        word |= (int(values[name]) & ((1 << width) - 1)) << shift
        shift += width
    return word


def config_words(
    chip: ChipParams, image: ChipImage, core: int, region: str
) -> list[tuple[int, int]]:
    """Return (offset, data) of the writes that load a region of a core."""
    chip_map = ChipMap(chip)
    place = chip_map.cores[core][region]
    base = int(chip_map.address(core, region))
    return [
        (int(address) - base, int(data))
        for address, data in image.program(chip)
        if base <= address < base + place.span
    ]


def flits_of(chip: ChipParams, image: ChipImage, core: int, fired: npt.NDArray[Any]) -> list[int]:
    """Return the flits that neurons of a core send, in order; ``fired`` is how often each fired."""
    neurons = np.flatnonzero(fired)
    found = image.cores[core].destinations
    sources, target, axon, delay, columns, rows = found[np.isin(found[:, 0], neurons)].T
    to_host = target == HOST
    x = np.where(to_host, 0, target % chip.width)
    y = np.where(to_host, 0, target // chip.width)
    fields = {"axon": axon, "delay": delay - 1, "host": to_host, "x": x, "y": y}
    if chip.multicast:
        fields |= {"x_last": x + columns - 1, "y_last": y + rows - 1}
    if chip.count_bits > 1:
        fields |= {COUNT: np.asarray(fired, np.int64)[sources]}
    return [int(word) for word in flit_packet(chip).pack(**fields)]


async def write_region(dut: Any, port: str, words: Iterable[tuple[int, int]]) -> None:
    """Write (offset, data) through a region port, a word a cycle."""
    edge = RisingEdge(dut.clk)
    write, data = getattr(dut, f"{port}__write"), getattr(dut, f"{port}__data")
    offset = getattr(dut, f"{port}__offset", None)
    for place, word in words:
        write.value = 1
        data.value = word & ((1 << len(data)) - 1)
        if offset is not None:
            offset.value = place
        await edge
    write.value = 0
    await edge


async def read_region(dut: Any, port: str, offsets: Iterable[int], *, latency: int) -> list[int]:
    """Read words through a region port, one a cycle; each comes ``latency`` cycles later."""
    edge = RisingEdge(dut.clk)
    read, read_data = getattr(dut, f"{port}__read"), getattr(dut, f"{port}__read_data")
    offset = getattr(dut, f"{port}__offset", None)
    wanted, words = list(offsets), []
    for step in range(len(wanted) + latency + 1):
        read.value = int(step < len(wanted))
        if step < len(wanted) and offset is not None:
            offset.value = wanted[step]
        await edge
        if step >= latency:
            words.append(int(read_data.value))
    return words[: len(wanted)]


class Checks:
    """Counts comparisons and corners reached, and fails a bench that lacks either.

    Parameters
    ----------
    corners : str
        What the stimulus has to reach.
    """

    def __init__(self, *corners: str) -> None:
        self.compared = 0
        self.reached = dict.fromkeys(corners, 0)

    def reach(self, corner: str, times: Any = 1) -> None:
        """Note that a corner has been reached."""
        self.reached[corner] += bool(times)

    def equal(self, expected: npt.ArrayLike, got: npt.ArrayLike, what: str, **where: int) -> None:
        """Fail at the first neuron (or entry) that differs.

        ``where`` says which tick and core this is about.
        """
        want, have = np.asarray(expected), np.asarray(got)
        place = "".join(f"{name} {value}, " for name, value in where.items())
        assert want.shape == have.shape, f"{place}{what}: expected {want.size}, got {have.size}"
        self.compared += want.size
        wrong = np.flatnonzero(want != have)
        if wrong.size:
            first = int(wrong[0])
            raise AssertionError(
                f"{what} differ first at {place}index {first}: "
                f"expected {want.ravel()[first]}, got {have.ravel()[first]} "
                f"({wrong.size} of {want.size} differ)"
            )

    def sequence(
        self, expected: Sequence[Any], got: Sequence[Any], what: str, **where: int
    ) -> None:
        """Fail at the first element that differs, is missing, or is too many."""
        place = "".join(f", {name} {value}" for name, value in where.items())
        for number, (want, have) in enumerate(zip(expected, got, strict=False)):
            assert want == have, f"{what} {number}{place}: expected {want}, got {have}"
        assert len(expected) == len(got), (
            f"{what}{place}: expected {len(expected)}, got {len(got)}; "
            f"first missing or extra: {[*expected, *got][min(len(expected), len(got))]}"
        )
        self.compared += len(expected)

    def finish(self) -> None:
        """Fail if nothing was compared or a corner was missed."""
        assert self.compared > 0, "nothing was compared"
        missed = [corner for corner, times in self.reached.items() if not times]
        assert not missed, f"the stimulus never reached: {', '.join(missed)}"
        cocotb.log.info("%d values compared; corners: %s", self.compared, self.reached)
