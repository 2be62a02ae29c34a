"""A board defined here alone, from the fit check to the bitstream and what to do with it."""

from collections.abc import Iterator

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet import boards
from spikelet.boards import Board, Pin, board_named
from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.guidance import after_build
from spikelet.images.image import ImageOptions
from spikelet.images.kinds import image_kind
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.targets import require_target, target_named
from tests.doors.test_family import SAMPLES, SUBTRACT, chain

# Pins of the HX8K breakout board, but another oscillator and fewer LEDs.
BOARD = Board(
    "Bench",
    "ICE40HX8K-CT256",
    16_000_000,
    (
        Pin("clk", "J3", False, ()),
        Pin("button", "P16", True, (("PULLUP", "1"),)),
        Pin("rx", "B10", False, ()),
        Pin("tx", "B12", False, ()),
        Pin("led[0]", "C3", False, ()),
        Pin("led[1]", "B3", True, ()),
        Pin("led[2]", "C4", False, ()),
    ),
    led_places="in a row",
    button_place="the red one",
    programmers=("load-it",),
    flash_programmers=("keep-it --flash",),
    pll_hz=24_000_000,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project folder while the board is known."""
    project = Project(tmp_path_factory.mktemp("project"))
    network = chain([6, 8, 4], neuron=SUBTRACT, decay=np.array([0.75]))
    limits = PlacementLimits(max_axons=16, max_neurons=8, lanes=4)
    project.save(compile_network(network, limits=limits))
    with boards.registered(BOARD):
        yield project


def test_its_name_is_taken_while_it_is_known(project: Project) -> None:
    assert target_named("bench") == "Bench" and board_named("BENCH") is BOARD
    with (
        pytest.raises(SpikeletError, match="there is a board of that name"),
        boards.registered(BOARD),
    ):
        pass


def test_the_fit_check_knows_its_device(project: Project) -> None:
    report = require_target(project.load(), "Bench", "host-link")
    assert report.device == "ICE40HX8K-CT256" and report.fits


@pytest.mark.parametrize("image", ["self-test", "host-link"])
def test_its_images_have_its_pins_and_its_clock(image: str, project: Project) -> None:
    made = image_kind(image).make(project.load(), BOARD, ImageOptions(SAMPLES))
    text = made.verilog()
    assert ".REFERENCECLK(clk)" in text and ".DIVF(32'd47)" in text  # 16 MHz * 48 / 2^5 = 24 MHz
    assert "output [2:0] led" in text


def test_what_to_do_with_its_bitstream(project: Project) -> None:
    class Report:
        board, bitstream, image, settings = "Bench", "design.bin", "self-test", {}

    lines = "\n".join(after_build(project.folder, Report()))  # type: ignore[arg-type]
    assert "program it: load-it /" in lines and "into the flash: keep-it --flash /" in lines
    assert "LED 2, which lights if" in lines and "in a row" in lines and "the red one" in lines


def test_a_bare_device_has_no_clock(project: Project) -> None:
    arguments = ["build", str(project.folder), "ICE40HX8K-CT256", "--clock", "20"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "ICE40HX8K-CT256 is a bare device, which has no clock" in done.output


@pytest.mark.slow
def test_it_gets_a_bitstream_at_the_clock_that_is_asked_for(project: Project) -> None:
    report = project.build("Bench", SAMPLES, clock_mhz=21.4)
    assert report.target_mhz == 21 and report.bitstream == "design.bin"
    (clock,) = report.routed.clocks
    assert clock.target_mhz == pytest.approx(21, rel=0.005)
    text = (project.build_folder("Bench") / "pins.pcf").read_text()
    assert "set_frequency clk 16\n" in text and "set_io led[1] B3\n" in text
