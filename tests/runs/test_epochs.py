"""Epochs that were kept: which of them a run may go on from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.artefact import Artefact
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.golden.chip import GoldenChip
from spikelet.runs.epochs import Epochs
from tests.helpers.networks import LIF_MODELS
from tests.helpers.random_chips import random_image

CHIP = ChipParams((CoreParams(4, 4, LIF_MODELS["snntorch-zero"], lanes=4),))
MAKING = Artefact("learning", {"samples": "a1"}, options={"learning": True}, tools={"numpy": "2"})


@pytest.fixture
def state() -> ChipState:
    image = random_image(np.random.default_rng(0), CHIP)
    return GoldenChip(CHIP, image).snapshot()


@pytest.fixture
def epochs(tmp_path: Path, state: ChipState) -> Epochs:
    """Keep two epochs."""
    epochs = Epochs(tmp_path / "epochs", MAKING)
    for epoch in range(2):
        epochs.keep(epoch, replace(state, ticks=epoch), {"e": np.array([[epoch, 7]])})
    return epochs


def test_epochs_stand_in_folders_of_their_numbers(epochs: Epochs) -> None:
    assert sorted(path.name for path in epochs.folder.iterdir()) == ["0001", "0002"]
    record = Artefact.load(epochs.folder / "0002")
    assert record is not None and record.kind == "epoch 2 of learning"


@pytest.mark.parametrize(("most", "found"), [(0, 0), (1, 1), (2, 2), (5, 2)])
def test_as_many_are_found_as_are_wanted_and_there(epochs: Epochs, most: int, found: int) -> None:
    counts, state = epochs.first(most)
    assert [count["e"].tolist() for count in counts] == [[[n, 7]] for n in range(found)]
    assert (None if state is None else state.ticks) == (found - 1 if found else None)


@pytest.mark.parametrize("gone", ["counts.npz", "snapshot.npz", "artefact.json"])
def test_what_follows_a_damaged_epoch_is_not_used(epochs: Epochs, gone: str) -> None:
    (epochs.folder / "0002" / gone).unlink()
    assert len(epochs.first(2)[0]) == 1
    (epochs.folder / "0001" / gone).unlink()
    assert epochs.first(2) == ([], None)


def test_epochs_of_another_run_are_not_used(epochs: Epochs) -> None:
    epochs.check_resumable(epochs.folder)
    for change, said in (
        ({"inputs": {"samples": "b2"}}, "samples was a1, is b2"),
        ({"tools": {"numpy": "3"}}, "numpy was 2, is 3"),
        ({"options": {"learning": False}}, r"{'learning': True} is {'learning': False}"),
    ):
        other = Epochs(epochs.folder, replace(MAKING, **change))
        assert other.first(2) == ([], None)
        with pytest.raises(SpikeletError, match=f"holds epochs of another run: {said}"):
            other.check_resumable(epochs.folder)
    nothing = Epochs(epochs.folder / "elsewhere", MAKING)
    with pytest.raises(SpikeletError, match="nothing to resume in .*: no epoch has ended there"):
        nothing.check_resumable(epochs.folder)


def test_clearing_leaves_what_is_not_an_epoch(epochs: Epochs) -> None:
    (epochs.folder / "notes.txt").write_text("mine")
    epochs.clear()
    assert [path.name for path in epochs.folder.iterdir()] == ["notes.txt"]
    (epochs.folder / "notes.txt").unlink()
    epochs.clear()
    assert not epochs.folder.exists()
    epochs.clear()
