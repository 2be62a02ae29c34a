"""A run in pieces has the same bits as in one, on golden, on the RTL, and from one to the other."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.pieces import check_joined, check_same_state, pieces_of
from tests.helpers.random_chips import random_chip, random_events
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward

TICKS = 24
RECORD = ("spikes", "states", "learning", "checksums")
CHIPS = {
    "plain": lambda: random_chip(np.random.default_rng(0), most_cores=2),
    "parts": lambda: random_chip(np.random.default_rng(22), most_cores=3),
    "plastic": lambda: random_plastic_chip(np.random.default_rng(1011)),
    "tags": lambda: random_plastic_chip(np.random.default_rng(1052)),
}
SLOW = ("parts", "tags")


@pytest.fixture(
    scope="module",
    params=[pytest.param(k, marks=pytest.mark.slow) if k in SLOW else k for k in CHIPS],
)
def made(request: pytest.FixtureRequest) -> Iterator[tuple[ChipParams, Design]]:
    """Return a chip and its Verilog."""
    chip = CHIPS[request.param]()
    yield chip, Design(to_verilog(whole_chip(chip), "chip"))


def opened(chip: ChipParams, design: Design, image: ChipImage) -> VerilatedChip:
    """Return a simulated chip of its own."""
    rtl = VerilatedChip(chip, design, optimise="build")
    rtl.load(image)
    return rtl


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_pieces_join_to_the_whole(
    made: tuple[ChipParams, Design], seed: int, tmp_path: Path
) -> None:
    chip, design = made
    rng = np.random.default_rng(seed)
    image = random_plastic_image(rng, chip)
    events = random_events(rng, chip, samples=1, ticks=TICKS)
    reward = random_reward(rng, chip, 1, TICKS)
    golden = GoldenChip(chip, image, backend="numpy")
    whole = golden.run(events, record=RECORD, reward=reward)
    last = golden.snapshot()
    cuts = sorted(rng.choice(np.arange(TICKS + 1), 3).tolist())  # a piece may have no ticks
    parts, state = [], None
    for place, (ticks, part) in enumerate(pieces_of(events, cuts)):
        given = {"record": RECORD, "reward": reward[:, ticks]}
        if place == 2:  # golden takes over, and gives back
            other = GoldenChip(chip, image)
            other.restore(state)
            parts.append(other.run(part, clear=False, **given))
            state = other.snapshot()
            continue
        with opened(chip, design, image) as rtl:
            if state is None:
                parts.append(rtl.run(part, **given))
            else:
                parts.append(rtl.run(part, start=state, **given))
            state = rtl.snapshot()
        state.save(tmp_path / "state.npz")
        state = ChipState.load(tmp_path / "state.npz")
    check_joined(parts, whole)
    check_same_state(state, last)
    assert any(fired.any() for fired in whole.spikes)


def test_many_samples_go_on_from_a_snapshot(made: tuple[ChipParams, Design]) -> None:
    """``start`` holds for the first sample; each other goes on from the one before."""
    chip, design = made
    rng = np.random.default_rng(9)
    image = random_plastic_image(rng, chip)
    before, events = random_events(rng, chip, ticks=7), random_events(rng, chip, samples=3)
    reward = random_reward(rng, chip, 3, events.ticks)
    golden = GoldenChip(chip, image)
    golden.run(before)
    start = golden.snapshot()
    expected = golden.run(events, record=RECORD, reward=reward, clear=False)
    with opened(chip, design, image) as rtl:
        got = rtl.run(events, record=RECORD, reward=reward, start=start)
        assert got.first_difference(expected) is None
        assert rtl.snapshot().ticks == 7 + 3 * events.ticks


def test_a_start_of_another_chip_is_refused(made: tuple[ChipParams, Design]) -> None:
    chip, design = made
    rng = np.random.default_rng(9)
    other = random_chip(np.random.default_rng(77), most_cores=1)
    state = GoldenChip(other, random_plastic_image(rng, other)).snapshot()
    with (
        opened(chip, design, random_plastic_image(rng, chip)) as rtl,
        pytest.raises(SpikeletError, match=r"^the snapshot is of structure [0-9a-f]{8}, the chip"),
    ):
        rtl.run(random_events(rng, chip), start=state)
