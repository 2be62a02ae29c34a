"""A driver and a board that knows nothing but its pins."""

import numpy as np
import pytest

from spikelet.boards import Board, board_named
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.link_top import LinkTop
from spikelet.fpga.power_on import with_clock
from spikelet.golden.chip import GoldenChip
from spikelet.host.driver import Chip
from spikelet.host.serial_link import SerialLink
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.hardware import board_design
from spikelet.sim.virtual_board import VirtualBoard
from tests.helpers.pieces import check_same_state
from tests.helpers.random_chips import random_chip, random_events
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward
from tests.sim.test_early_stop import drawn

RECORD = ("spikes", "states")
CYCLES = {"ULX3S-85F": 7, "iCEBreaker": 6}  # of a bit
PLASTIC = random_plastic_chip(np.random.default_rng(1052), most_cores=1)
PLAIN = random_chip(np.random.default_rng(3), most_cores=2)


def slow_board(name: str) -> Board:
    """Return a board without its PLL: fewer clock cycles in a second of simulation."""
    board = board_named(name)
    return with_clock(board, board.clock_hz)


def virtual(chip: ChipParams, name: str, **options: float) -> VirtualBoard:
    board = slow_board(name)
    baud = board.chip_hz // CYCLES[name]
    return VirtualBoard(
        board_design(to_verilog(LinkTop(chip, board, baud=baud), "top"), board),
        clock_hz=board.chip_hz,
        baud=baud,
        button_inverted=board.pin("button").inverted,
        optimise="build",
        **options,
    )


@pytest.mark.parametrize(
    ("chip", "name", "options"),
    [
        (PLASTIC, "ULX3S-85F", {}),
        pytest.param(PLAIN, "iCEBreaker", {"offset": 0.028}, marks=pytest.mark.slow),
        pytest.param(
            *(PLAIN, "ULX3S-85F", {"offset": -0.028, "damage": 0.0005, "seed": 5}),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["plastic", "fast-host", "slow-host-damaged"],
)
def test_a_board_does_what_golden_does(
    chip: ChipParams, name: str, options: dict[str, float]
) -> None:
    rng = np.random.default_rng(5)
    image = random_plastic_image(rng, chip)
    events = random_events(rng, chip, samples=2, ticks=5)
    reward = random_reward(rng, chip, events.samples, events.ticks)
    golden = GoldenChip(chip, image)
    # with the usual patience, a few answers lost in a row are a second of simulated waiting
    link = SerialLink(virtual(chip, name, **options), resend_s=0.001, patience_s=0.2)
    assert link.clock_hz == slow_board(name).chip_hz
    assert link.structure == int(chip.digest[:8], 16)
    with Chip(chip, link, name="board") as driver:
        driver.load(image)
        first = driver.run(events, record=RECORD, reward=reward)
        expected = golden.run(events, record=RECORD, reward=reward)
        assert set(first.compared(expected)) >= {"outputs", "spikes", "states"}
        assert first.first_difference(expected) is None
        assert any(fired.any() for fired in expected.spikes)
        check_same_state(driver.snapshot(), golden.snapshot())
        if chip is PLASTIC:
            other = random_plastic_image(rng, chip)
            report = driver.program_weights(other)
            assert report.complete and report.writes == (report.words,)
            learned = driver.snapshot().image.cores[0]
            assert (learned.weights == other.cores[0].weights).all()
            assert (learned.devices == other.cores[0].devices).all()
            assert (other.cores[0].weights != image.cores[0].weights).any()
    assert (link.resent > 0) <= ("damage" in options)


@pytest.mark.slow
def test_samples_stop_at_their_first_output_spike() -> None:
    chip, image, events = drawn(7)
    expected = GoldenChip(chip, image).run(events, record=RECORD, stop_at_output=True)
    link = SerialLink(virtual(chip, "ULX3S-85F"), resend_s=0.001)
    with Chip(chip, link, name="board") as driver:
        driver.load(image)
        found = driver.run(events, record=RECORD, stop_at_output=True)
    assert "ticks_run" in found.compared(expected)
    assert found.first_difference(expected) is None


@pytest.mark.slow
def test_silence_on_the_line_is_named() -> None:
    board = virtual(PLAIN, "iCEBreaker")
    link = SerialLink(board, patience_s=0.05, resend_s=0.005)
    rng = np.random.default_rng(5)
    with Chip(PLAIN, link, name="board") as driver:
        driver.load(random_plastic_image(rng, PLAIN))
        board.damage = 0.999
        with pytest.raises(SpikeletError, match=r"^virtual board: nothing answers"):
            driver.run(random_events(rng, PLAIN))
