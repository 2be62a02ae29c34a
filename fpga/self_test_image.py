"""What a self-test image stores: the sample, and the contents and sizes of its memories."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from amaranth.lib import data

from spikelet.description.checks import unsigned_bits
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.fit import SELF_TEST_PROGRAM
from spikelet.fpga.memories import Memory, varying_bits

__all__ = [
    "Sample",
    "count_bits",
    "event_layout",
    "event_rows",
    "image_memories",
    "image_words",
    "program_memory",
    "program_words",
    "word_runs",
]


@dataclass(frozen=True)
class Sample:
    """What the self-test stores.

    Parameters
    ----------
    program : array of uint32, shape (writes, 2)
        Configuration writes (address, data) that load the network.
    flits : sequence of array of uint32
        The events of each tick, one array a tick; empty for a tick without.
    counts : array of int, shape (n_outputs,)
        Spikes of each output line in all ticks.
    words : array of uint32, shape (words, 2)
        Address, and what the configuration port reads there after the last tick, in the order in
        which they are read.
    cycles : int
        Clock cycles that all ticks are predicted to take, with the packets on their way.
    """

    program: npt.NDArray[np.uint32]
    flits: Sequence[npt.NDArray[np.uint32]]
    counts: npt.NDArray[np.integer[Any]]
    words: npt.NDArray[np.uint32]
    cycles: int

    @property
    def expected(self) -> int:
        """The output line with most spikes, the lowest of equals."""
        return int(self.counts.argmax())

    @property
    def checksum(self) -> int:
        """CRC-32 of ``words``, as zlib makes it of their bytes, the lowest first."""
        return zlib.crc32(self.words[:, 1].astype("<u4").tobytes())

    def check(self, params: ChipParams) -> None:
        """Raise SpikeletError unless this can be the self-test of such a chip."""
        if not len(self.program) or not len(self.flits) or not len(self.words):
            raise SpikeletError(
                "self-test: program, ticks and words must not be empty, they are "
                f"{len(self.program)}, {len(self.flits)} and {len(self.words)}",
                remedy="store a sample that golden has run on a loaded chip",
            )
        if self.counts.shape != (params.n_outputs,) or self.counts.min() < 0:
            raise SpikeletError(
                f"self-test: counts must be one of 0 or more for each of {params.n_outputs} output "
                f"lines, not {self.counts.tolist()}",
                remedy="count the spikes in golden's run of this chip",
            )
        if self.cycles < 1:
            raise SpikeletError(
                f"self-test: cycles must be 1 or more, not {self.cycles}",
                remedy="take what golden predicts for all ticks",
            )
        if not self.counts.any():
            raise SpikeletError(
                "self-test: no output line spikes in the sample to be stored, so that it has no "
                "class, and a chip that is dead would count as right",
                remedy="store a sample in which golden's outputs spike",
            )


def program_memory(words: Sequence[int]) -> Memory:
    """Return the ROM of what loads a chip, and of what is compared, for the fit check."""
    return Memory(SELF_TEST_PROGRAM, len(words), varying_bits(words), writable=False)


def image_memories(params: ChipParams, sample: Sample) -> tuple[Memory, ...]:
    """Return the memories that a self-test of a sample holds beside its chip."""
    layout = event_layout(params)
    rows = [layout.const(row).as_bits() for row in event_rows(sample.flits)]
    largest = count_bits(int(sample.counts.max()))
    return (
        program_memory(image_words(sample)),
        Memory("self-test events", len(rows), varying_bits(rows), writable=False),
        Memory("self-test counts", params.n_outputs, largest, kind="block"),
    )


def image_words(sample: Sample) -> list[int]:
    """Return the ROM: what is written, the counts, and the runs of words that are read back."""
    runs = word_runs(sample.words[:, 0])
    read = [word for first, end, address in runs for word in (address, end - first)]
    return [*program_words(sample.program), *sample.counts.tolist(), *read]


def count_bits(largest: int) -> int:
    """Return the width of a counter whose last value, at which it stays, is never right."""
    return unsigned_bits(largest + 1)


def word_runs(addresses: npt.NDArray[np.uint32]) -> list[tuple[int, int, int]]:
    """Return (first place, end, address) of each run of consecutive addresses."""
    wide = addresses.astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(wide) != 1) + 1).tolist(), len(wide)]
    return [(first, end, int(wide[first])) for first, end in pairwise(starts) if end > first]


def program_words(program: npt.NDArray[np.uint32]) -> list[int]:
    """Return configuration writes as the ROM holds them: runs of (address, count, data...)."""
    words: list[int] = []
    for first, end, address in word_runs(program[:, 0]):
        words += [address, end - first, *program[first:end, 1].tolist()]
    return words


def event_layout(params: ChipParams) -> data.StructLayout:
    """Return a row of the event ROM."""
    flit_bits = flit_packet(params).width
    return data.StructLayout({"flit": flit_bits, "valid": 1, "last": 1})


def event_rows(flits: Sequence[npt.NDArray[np.uint32]]) -> list[dict[str, int]]:
    """Return the event ROM: the events of each tick; one row that is not valid for none."""
    rows: list[dict[str, int]] = []
    for tick in flits:
        values = tick.tolist()
        rows += [{"flit": value, "valid": 1, "last": 0} for value in values]
        if not values:
            rows.append({"flit": 0, "valid": 0, "last": 0})
        rows[-1]["last"] = 1
    return rows
