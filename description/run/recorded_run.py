"""A recorded run: what a chip is given, and what golden saw it do, for other engines to replay.

It is kept as files of hexadecimal words, which Verilog's ``$readmemh`` reads too. A checksum of
each is kept elsewhere, so that one that was cut short, or is of another run, is noticed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary

__all__ = ["RUN_FILES", "RecordedRun", "checksum"]

_HEADER = "recorded_run.json"
_WORD_FILES = {
    "program": "program.hex",
    "events": "recorded_events.hex",
    "probes": "recorded_probes.hex",
    "expected": "recorded_expected.hex",
}

RUN_FILES = (_HEADER, *_WORD_FILES.values())
"""Names of the files of a recorded run."""

_WRITE_AGAIN = "compile the network again into this folder (spikelet compile)"


@dataclass(frozen=True)
class RecordedRun:
    """A short run of golden, each sample from a cleared state.

    Parameters
    ----------
    top : str
        Name of the top module.
    structure : int
        First 32 bits of the chip's digest, as in its register ``structure``.
    stimulus : str
        Where the input came from, in words.
    program : array of uint32, shape (writes, 2)
        Address and data of the configuration writes that load the image.
    samples, ticks : int
    offsets : array of int64, shape (samples * ticks + 1,)
        Flits ``offsets[i]`` up to ``offsets[i + 1]`` are sent before tick ``i % ticks`` of sample
        ``i // ticks``.
    flits : array of uint32, shape (flits,)
    output_mask : int
        The bits of a flit at ``event_out`` that hold the output line.
    outputs : array of uint16, shape (samples, ticks, n_outputs)
        Expected spikes of each output line.
    probes : array of uint32, shape (probes,)
        Addresses of the words to read after each tick.
    words : array of uint32, shape (samples, ticks, probes)
        Expected words.
    last_probes, last_words : arrays of uint32, shapes (last,) and (samples, last)
        The same, after the last tick of each sample.
    cycles : int
        Clock cycles of the longest tick, as predicted.
    count_shift : int
        The bit of a flit at ``event_out`` from which on it holds a count of spikes; 0: it stands
        for one.
    """

    __repr__ = summary

    top: str
    structure: int
    stimulus: str
    program: npt.NDArray[np.uint32]
    samples: int
    ticks: int
    offsets: npt.NDArray[np.int64]
    flits: npt.NDArray[np.uint32]
    output_mask: int
    outputs: npt.NDArray[np.uint16]
    probes: npt.NDArray[np.uint32]
    words: npt.NDArray[np.uint32]
    last_probes: npt.NDArray[np.uint32]
    last_words: npt.NDArray[np.uint32]
    cycles: int
    count_shift: int = 0

    @property
    def output_spikes(self) -> int:
        """Spikes expected at the outputs, in all."""
        return int(self.outputs.sum())

    @property
    def cycle_limit(self) -> int:
        """Clock cycles after which something that is waited for counts as hanging."""
        return 10_000 + 20 * self.cycles + 4 * (len(self.probes) + len(self.last_probes))

    @property
    def values(self) -> int:
        """How many values a complete replay compares."""
        return self.outputs.size + self.words.size + self.last_words.size

    @property
    def sizes(self) -> dict[str, int]:
        """Words of each file: ``program``, ``events``, ``probes``, ``expected``."""
        return {name: words.size for name, words in self._files().items()}

    @property
    def checksums(self) -> dict[str, int]:
        """The :func:`checksum` of each file."""
        return {name: checksum(words) for name, words in self._files().items()}

    def texts(self) -> dict[str, str]:
        """Return the contents of the run's files by their names."""
        texts = {_HEADER: json.dumps(self._header(), indent=1) + "\n"}
        for name, words in self._files().items():
            # The program keeps address and data of a write in one line.
            in_line = 2 if name == "program" else 1
            lines = (
                " ".join(f"{w:08x}" for w in row) for row in words.reshape(-1, in_line).tolist()
            )
            texts[_WORD_FILES[name]] = "".join(f"{line}\n" for line in lines)
        return texts

    def _files(self) -> dict[str, npt.NDArray[np.uint32]]:
        counts = np.diff(self.offsets)
        events = np.insert(self.flits, self.offsets[:-1], counts.astype(np.uint32))
        expected = [
            np.concatenate([np.concatenate([*tick, []]) for tick in zip(*sample, strict=True)])
            for sample in zip(self.outputs, self.words, strict=True)
        ]
        joined = [part for pair in zip(expected, self.last_words, strict=True) for part in pair]
        return {
            "program": self.program.ravel(),
            "events": events,
            "probes": np.concatenate([self.probes, self.last_probes]),
            "expected": np.concatenate(joined).astype(np.uint32),
        }

    def _header(self) -> dict[str, Any]:
        return {
            "top": self.top,
            "structure": f"{self.structure:08x}",
            "stimulus": self.stimulus,
            "samples": self.samples,
            "ticks": self.ticks,
            "output_lines": self.outputs.shape[2],
            "output_spikes": self.output_spikes,
            "output_mask": self.output_mask,
            **({"count_shift": self.count_shift} if self.count_shift else {}),
            "probes": len(self.probes),
            "last_probes": len(self.last_probes),
            "predicted_cycles": self.cycles,
            "checksums": {name: f"{value:08x}" for name, value in self.checksums.items()},
        }

    @classmethod
    def load(cls, folder: Path) -> "RecordedRun":
        """Read what :meth:`texts` gave; SpikeletError names the file that cannot be used."""
        header = folder / _HEADER
        try:
            fields = json.loads(header.read_text())
            samples, ticks, lines = (fields[n] for n in ("samples", "ticks", "output_lines"))
            probes, last = fields["probes"], fields["last_probes"]
            structure = int(fields["structure"], 16)
            rest = (fields["top"], fields["stimulus"], fields["output_mask"])
            shift = fields.get("count_shift", 0)
            cycles = fields["predicted_cycles"]
            sums = {name: int(fields["checksums"][name], 16) for name in _WORD_FILES}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SpikeletError(
                f"{header} is not the header of a recorded run: {error}", remedy=_WRITE_AGAIN
            ) from error
        words = {name: _read_words(folder / file, sums[name]) for name, file in _WORD_FILES.items()}
        counts, flits = _events(words["events"], samples * ticks, folder)
        tick_words = lines + probes
        expected = words["expected"]
        if (
            expected.size != samples * (ticks * tick_words + last)
            or words["probes"].size != probes + last
            or words["program"].size % 2
        ):
            raise SpikeletError(
                f"{folder}: the files of the recorded run have other sizes than {_HEADER} says",
                remedy=_WRITE_AGAIN,
            )
        by_sample = expected.reshape(samples, ticks * tick_words + last)
        by_tick = by_sample[:, : ticks * tick_words].reshape(samples, ticks, tick_words)
        top, stimulus, mask = rest
        return cls(
            *(top, structure, stimulus, words["program"].reshape(-1, 2), samples, ticks),
            *(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), flits, mask),
            *(by_tick[..., :lines].astype(np.uint16), words["probes"][:probes]),
            *(by_tick[..., lines:], words["probes"][probes:], by_sample[:, ticks * tick_words :]),
            *(cycles, shift),
        )


def checksum(words: npt.NDArray[np.uint32]) -> int:
    """Return the sum of all words, each times its odd number in the order, modulo 2^32."""
    factors = np.arange(words.size, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return int((words * factors).sum(dtype=np.uint32))


def _read_words(path: Path, expected: int) -> npt.NDArray[np.uint32]:
    try:
        words = np.array([int(word, 16) for word in path.read_text().split()], np.uint32)
    except (OSError, ValueError, OverflowError) as error:
        raise SpikeletError(
            f"{path} is not a file of hexadecimal words: {error}", remedy=_WRITE_AGAIN
        ) from error
    if checksum(words) != expected:
        raise SpikeletError(
            f"{path} has checksum {checksum(words):08x}, {_HEADER} says {expected:08x}: it is cut "
            "short, changed, or of another run",
            remedy=_WRITE_AGAIN,
        )
    return words


def _events(
    words: npt.NDArray[np.uint32], ticks: int, folder: Path
) -> tuple[list[int], npt.NDArray[np.uint32]]:
    """Return the number of flits of each tick, and all flits."""
    counts, flits, place = [], [], 0
    for _ in range(ticks):
        count = int(words[place]) if place < words.size else words.size
        counts.append(count)
        flits.append(words[place + 1 : place + 1 + count])
        place += 1 + count
    if place != words.size:
        raise SpikeletError(
            f"{folder / _WORD_FILES['events']} does not hold the events of {ticks} ticks",
            remedy=_WRITE_AGAIN,
        )
    return counts, np.concatenate([np.zeros(0, np.uint32), *flits])
