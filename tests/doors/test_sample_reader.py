"""A kind of samples files that only this file knows, from the file to the chip's spikes."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from spikelet import PlasticNetwork, SpikeletError, load_samples
from spikelet.compiler.compile import compile_network
from spikelet.network.reference import run_float
from spikelet.runs.run import run
from spikelet.samples.plastic_samples import load_learning_samples
from spikelet.samples.reader import SampleReader
from tests.helpers.networks import chain

RNG = np.random.default_rng(5)
SPIKES = RNG.random((3, 20, 6)) < 0.4
LABELS = [2, 0, 1]


class Lines(SampleReader):
    """A text: ``#spikes``, the shape, a line of labels, and a line for each spike."""

    needed = "a text that begins with #spikes and the numbers of samples, ticks and inputs"
    starts = (b"#spikes ",)
    suffixes = (".spk",)

    def read(self, path: Path) -> dict[str, npt.NDArray[Any]]:
        head, labels, *lines = path.read_text().splitlines()
        spikes = np.zeros([int(word) for word in head.split()[1:]], np.uint8)
        for number, line in enumerate(lines, 3):
            try:
                place = tuple(int(word) for word in line.split())
                if len(place) != 3 or min(place) < 0:
                    raise IndexError
                spikes[place] += 1
            except (ValueError, IndexError) as error:
                raise SpikeletError(
                    f"{path}: line {number} must be sample, tick and input of a spike in "
                    f"{spikes.shape}, not {line!r}",
                    remedy=f"give {self.needed}",
                ) from error
        return {"spikes": spikes, "labels": np.array(labels.split()).astype(float)}


def write(path: Path, *more: str, labels: Any = LABELS) -> Path:
    lines = [f"#spikes {' '.join(map(str, SPIKES.shape))}", " ".join(map(str, labels))]
    lines += [" ".join(map(str, place)) for place in np.argwhere(SPIKES)]
    path.write_text("\n".join([*lines, *more]))
    return path


def test_from_the_file_to_the_spikes_of_the_chip(tmp_path: Path) -> None:
    path = write(tmp_path / "data.txt")  # known by how it begins
    samples = load_samples(path, readers=[Lines()])
    assert (samples.spikes == SPIKES).all() and samples.path == path
    assert samples.labels is not None and samples.labels.tolist() == LABELS
    network = chain([6, 5, 3])
    compiled = compile_network(network, calibration=samples.spikes)
    (*_, last) = run_float(network, SPIKES)
    counts = run(compiled, samples).output_counts()
    assert (counts == last.spikes.sum(axis=1)).all() and counts.any()
    assert samples.score(counts).samples == 3


def test_a_network_that_learns_is_shown_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "data.spk")
    samples = load_learning_samples(path, None, readers=[Lines()])
    network = PlasticNetwork("n")
    network.inputs("pixels", 6)
    network.population("cells", 2, threshold=40)
    network.project("pixels", "cells", weights=(10, 30))
    network.output("cells")
    plastic = compile_network(network)
    found, expected = run(plastic, samples.spikes()), run(plastic, SPIKES)
    assert (found.counts("cells") == expected.counts("cells")).all()
    assert found.counts("cells").any()


def test_without_the_reader_it_is_refused_by_what_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "data.spk")
    with pytest.raises(
        SpikeletError, match=r"data\.spk is a text file .*, not a samples file"
    ) as i:
        load_samples(path)
    assert "an .npz file" in i.value.remedy and "an .npy file" in i.value.remedy
    path.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(SpikeletError, match="is a PNG picture") as i:
        load_samples(path.rename(tmp_path / "data.png"), readers=[Lines()])
    assert Lines.needed in i.value.remedy


@pytest.mark.parametrize(
    ("more", "labels", "message"),
    [
        (["0 1"], LABELS, r"line \d+ must be sample, tick and input of a spike in .*, not '0 1'"),
        (["0 1 six"], LABELS, r"must be sample, tick and input of a spike in .*, not '0 1 six'"),
        (["0 20 1"], LABELS, r"not '0 20 1'"),
        (["0 -1 1"], LABELS, r"not '0 -1 1'"),
        ([" ".join(map(str, np.argwhere(SPIKES)[0]))], LABELS, "spikes must be 0 or 1, found 2"),
        ([], [0.5, 1, 2], r"labels must be whole numbers, found 0\.5"),
        ([], [0, 1], r"labels must have shape \(3,\), not \(2,\)"),
    ],
)
def test_errors_name_file_field_and_value(
    tmp_path: Path, more: list[str], labels: Any, message: str
) -> None:
    path = write(tmp_path / "data.spk", *more, labels=labels)
    with pytest.raises(SpikeletError, match=rf"data\.spk: .*{message}"):
        load_samples(path, readers=[Lines()])


def test_a_users_own_reader_is_asked_first(tmp_path: Path) -> None:
    class Inverted(Lines):
        starts = (b"PK",)

        def read(self, path: Path) -> dict[str, npt.NDArray[Any]]:
            return {"spikes": 1 - np.load(path)["spikes"]}

    np.savez(tmp_path / "a.npz", spikes=SPIKES.astype(int))
    assert (load_samples(tmp_path / "a.npz", readers=[Inverted()]).spikes == ~SPIKES).all()


def test_readers_that_are_none(tmp_path: Path) -> None:
    path = write(tmp_path / "data.spk")
    with pytest.raises(SpikeletError, match="must be a SampleReader, not <class"):
        load_samples(path, readers=[Lines])  # type: ignore[list-item]
