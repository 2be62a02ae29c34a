"""``compile --target`` and ``build`` count what a board's image holds beside the chip."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.samples.samples import Samples
from tests.helpers.networks import lif, linear, sink, source, write

SPRAM = ("--lanes", "8", "--weight-memory", "spram")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Write a network of 256 to 64 neurons: 4,096 words of weights of 8 bits, half of 4 bits."""
    nodes = {"in": source(256), "fc": linear(64, 256), "out": lif(64), "end": sink(64)}
    return write(tmp_path / "network.nir", nodes)


def _compile(network: Path, *options: str) -> tuple[int, str, Path]:
    folder = network.parent / "project"
    fixed = ["--neuron", "snntorch-zero", "--dt", "1e-3", "-o", str(folder)]
    result = CliRunner().invoke(main, ["compile", str(network), *fixed, *options])
    return result.exit_code, result.output, folder


def test_compile_counts_the_program_of_a_board_and_says_what_it_does_not(network: Path) -> None:
    """2,048 words of weights: 16 block RAMs of 4 Kbit, and 2 for the rest that is loaded."""
    code, bare, _ = _compile(network, *SPRAM, "--target", "ICE40UP5K-SG48")
    assert code == 0, bare
    code, board, _ = _compile(network, *SPRAM, "--target", "icebreaker")
    assert code == 0, board
    assert "the sample's events are counted by build" in board
    assert "the sample's events" not in bare
    blocks = [int(output.split(" of 30 block rams")[0].split()[-1]) for output in (bare, board)]
    assert blocks[1] - blocks[0] == 18


def test_a_chip_that_fits_only_without_its_program_is_refused(network: Path) -> None:
    wide = (*SPRAM, "--weight-bits", "8")
    code, output, folder = _compile(network, *wide, "--target", "iCEBreaker")
    assert code == 1 and "with what the image holds beside it" in output
    assert "Largest memories: self-test program" in output
    assert "--weight-bits 4" in output and "--target Tang-Nano-9K" in output
    assert not folder.exists()
    code, output, _ = _compile(network, *wide, "--target", "ICE40UP5K-SG48")
    assert code == 0, output


def test_build_counts_the_whole_image(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ticks with many events fill the block RAMs that the program leaves."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("built, though it does not fit")

    monkeypatch.setattr("spikelet.targets.build_bitstream", never)
    project = Project(tmp_path / "digits")
    limits = PlacementLimits(lanes=8, weight_memory="spram")
    project.save(spikelet.compile(network, "snntorch-zero", 1e-3, limits=limits))
    samples = Samples(np.ones((1, 16, 256), np.bool_), np.zeros(1, np.int64))
    with pytest.raises(spikelet.SpikeletError, match="with what the image holds") as caught:
        project.build("iCEBreaker", samples)
    assert "self-test events" in str(caught.value)
