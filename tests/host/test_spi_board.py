# amaranth: UnusedElaboratable=no
"""A driver and a board whose host link goes over SPI, by its pins."""

from typing import Any

import numpy as np
import pytest

from spikelet.boards import board_named
from spikelet.fpga.power_on import with_clock
from spikelet.golden.chip import GoldenChip
from spikelet.host.driver import Chip
from spikelet.host.serial_link import SerialLink
from spikelet.host.spi_port import SpiPort
from spikelet.images.image import ImageOptions
from spikelet.images.kinds import image_kind
from spikelet.runs.hardware import board_design
from spikelet.sim.virtual_board import VirtualBoard
from tests.helpers.emitted import small_network

BOARD = with_clock(board_named("iCEBreaker"), 12_000_000)
COMPILED = small_network()
MADE = image_kind("host-link-spi").make(COMPILED, BOARD, ImageOptions())


def virtual(**options: Any) -> VirtualBoard:
    return VirtualBoard(
        board_design(MADE.verilog(), BOARD),
        clock_hz=BOARD.chip_hz,
        button_inverted=BOARD.pin("button").inverted,
        optimise="build",
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"baud": MADE.settings["largest_sck_hz"]},
        {"baud": 830_000, "offset": 0.013},
        {"baud": 1_000_000, "damage": 0.0005, "seed": 3},
    ],
    ids=["fastest", "slower", "damaged"],
)
def test_a_board_does_what_golden_does(options: dict[str, Any]) -> None:
    board = virtual(**options)
    port = SpiPort("virtual SPI", options["baud"], board)
    link = SerialLink(port, resend_s=0.001)
    assert link.clock_hz == BOARD.chip_hz
    spikes = np.random.default_rng(4).random((3, 5, COMPILED.network.n_inputs)) < 0.5
    events = COMPILED.events(spikes)
    record = ("spikes", "states")
    with Chip(COMPILED.chip, link, name="board") as driver:
        driver.load(COMPILED.image, check=True)
        found = driver.run(events, record=record, neurons=COMPILED.neurons)
    golden = GoldenChip(COMPILED.chip, COMPILED.image, neurons=COMPILED.neurons)
    expected = golden.run(events, record=record)
    assert expected.outputs.any()
    assert set(found.compared(expected)) >= {"outputs", "spikes", "states"}
    assert found.first_difference(expected) is None
    assert link.resent > 0 or "damage" not in options
    board.close()
