"""The door for a new kind of event file: one reader, from a file to a recorded run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.event_data.binning import Binning
from spikelet.event_data.columns import block_of
from spikelet.event_data.convert import bin_events
from spikelet.event_data.event_file import EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

WORDS = np.array([0x0501, 0x0512, 0x0A13, 0x1422], np.uint16)
"""Bytes of a time in milliseconds, and of a pixel: 4 bits of y, 4 of x."""


class Words(EventReader):
    """A file of words of two bytes behind the letters EV."""

    needed = "a file of words of two bytes behind the letters EV"
    starts = (b"EV",)

    def open(self, path: Path, layout: Layout) -> EventFile:
        words = np.frombuffer(path.read_bytes()[2:], np.uint16)

        def blocks() -> Iterator[EventBlock]:
            for first in range(0, len(words), 3):
                part = words[first : first + 3]
                x, y = part & 15, part >> 4 & 15
                yield block_of(part >> 8, x, y, None, "ms", str(path))

        return EventFile(path, "words", [EventStream(str(path), blocks)], (4, 3), False, True)


def test_its_events_run_on_a_chip(tmp_path: Path) -> None:
    (tmp_path / "e.words").write_bytes(b"EV" + WORDS.tobytes())
    binning = Binning(bin=5000, ticks=5)
    samples = bin_events(tmp_path / "e.words", binning, readers=[Words()])
    # 5 ms: pixels (1, 0) and (2, 1); 10 ms: (3, 1); 20 ms: (2, 2)
    assert np.argwhere(samples.spikes[0]).tolist() == [[1, 1], [1, 6], [2, 7], [4, 10]]
    network = PlasticNetwork("n", seed=0)
    network.inputs("pixels", 12)
    network.population("cells", 12, threshold=10)
    network.project("pixels", "cells", weights=20, connectivity="one_to_one")
    network.output("cells")
    found = run(network, samples)
    assert np.flatnonzero(found.counts("cells")[0]).tolist() == [1, 6, 7, 10]


def test_without_the_reader_it_is_refused_by_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "e.words").write_bytes(b"EV" + WORDS.tobytes())
    with pytest.raises(
        SpikeletError, match=r"e\.words is of an unknown kind, not a file of events"
    ):
        bin_events(tmp_path / "e.words", Binning(5000, 5))
    with pytest.raises(SpikeletError, match="must be an EventReader, not <class"):
        bin_events(tmp_path / "e.words", Binning(5000, 5), readers=[Words])  # type: ignore[list-item]
