# amaranth: UnusedElaboratable=no
"""Images that start without a host: what they are made of, and what they refuse."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spikelet.boards import Board, board_named
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.fpga.live_sources import InputTable
from spikelet.golden.flash_loader import load
from spikelet.guidance import after_build
from spikelet.images.image import FLASH_FILE, ImageOptions
from spikelet.images.kinds import image_kind
from spikelet.samples.samples import Samples
from tests.helpers.emitted import small_network

BOARD = board_named("iCEBreaker")


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    return small_network()


def samples(compiled: CompiledNetwork) -> Samples:
    rng = np.random.default_rng(8)
    return Samples(rng.random((12, 4, compiled.network.n_inputs)) < 0.5)


@pytest.mark.parametrize("name", ["stored", "live-aer", "live-serial"])
def test_an_image_comes_with_the_flash_that_it_loads(
    compiled: CompiledNetwork, name: str, tmp_path: Path
) -> None:
    kind = image_kind(name)
    options = ImageOptions(samples=samples(compiled)) if name == "stored" else ImageOptions()
    kind.check(options)
    made = kind.make(compiled, BOARD, options)
    writes = load(made.files[FLASH_FILE], int(compiled.chip.digest[:8], 16))
    assert writes == [tuple(row) for row in compiled.image.program(compiled.chip).tolist()]
    pins = {pin.port.split("[")[0] for pin in BOARD.pins}
    assert set(made.ports) <= pins and "flash_cs" in made.ports
    assert {memory.name for memory in made.beside.memories} > {"window counts"}
    settings = dict(made.settings)
    report: Any = SimpleNamespace(
        board=BOARD.name, bitstream="design.bin", image=name, settings=settings
    )
    lines = after_build(tmp_path, report)
    wanted = f"openFPGALoader -b ice40_generic -f -o {1 << 20} {tmp_path / FLASH_FILE}"
    assert any(wanted in line for line in lines)
    assert any(line.startswith("  LED 6 is lit once") for line in lines)


@pytest.mark.parametrize("name", ["stored", "live-serial"])
def test_a_board_without_pins_of_a_flash_starts_from_the_bitstream(
    compiled: CompiledNetwork, name: str
) -> None:
    """Such as those with an ECP5: what the flash would hold stands in the image's memory."""
    board = board_named("ULX3S-85F")
    options = ImageOptions(samples=samples(compiled)) if name == "stored" else ImageOptions()
    made = image_kind(name).make(compiled, board, options)
    flashed = image_kind(name).make(compiled, BOARD, options)
    assert not made.files and "flash_offset" not in made.settings
    assert not any("flash" in port for port in made.ports)
    (program,) = (memory for memory in made.beside.memories if memory.name == "stored program")
    assert program.rows == len(flashed.files[FLASH_FILE])
    assert "those in the bitstream are not of this chip" in image_kind(name).guidance(board)[0]
    assert "those in the flash are not of this chip" in image_kind(name).guidance(BOARD)[0]


def test_an_input_with_several_routes_has_a_row_for_each(compiled: CompiledNetwork) -> None:
    routes = [(0, 0, 3, 0), (0, 1, 5, 0), (2, 0, 1, 0)]
    table = InputTable(compiled.chip, routes, 3, 2)
    assert table.places == 2
    valid = [row >> table.flit_bits for row in table.rows]
    assert valid == [1, 1, 0, 0, 1, 0]


def refused(
    name: str, compiled: CompiledNetwork, board: Board, options: ImageOptions
) -> SpikeletError:
    with pytest.raises(SpikeletError) as caught:
        image_kind(name).make(compiled, board, options)
    assert caught.value.remedy or "must be an int" in str(caught.value)
    return caught.value


def test_the_link_over_spi_has_its_pins_or_is_refused(compiled: CompiledNetwork) -> None:
    kind = image_kind("host-link-spi")
    made = kind.make(compiled, BOARD, ImageOptions())
    assert made.settings == {"largest_sck_hz": BOARD.chip_hz // 8}
    assert {"cs_n", "sck", "mosi", "miso"} < set(made.ports) and "rx" not in made.ports
    assert set(made.ports) <= {pin.port.split("[")[0] for pin in BOARD.pins}
    lines = "\n".join(kind.guidance(BOARD))
    assert f"so {BOARD.chip_hz // 8} at 24 MHz" in lines and "ftdi://" in lines
    assert f"sck {BOARD.pin('sck').site}," in lines
    told = refused("host-link-spi", compiled, board_named("ULX3S-85F"), ImageOptions())
    assert "ULX3S-85F has no pins for SPI: cs_n, sck, mosi, miso" in str(told)
    with pytest.raises(SpikeletError, match="image host-link-spi has no option baud"):
        kind.check(ImageOptions(baud=9600))


def test_what_cannot_be_is_refused(compiled: CompiledNetwork) -> None:
    none = ImageOptions()
    told = str(refused("stored", compiled, BOARD, none))
    assert told.startswith("the image for iCEBreaker stores samples, and none were given")
    other = replace(BOARD, pins=tuple(pin for pin in BOARD.pins if pin.port != "rx"))
    told = str(refused("live-serial", compiled, other, none))
    assert "iCEBreaker has no pins for events: rx" in told
    told = str(refused("live-aer", compiled, board_named("ULX3S-85F"), none))
    assert "ULX3S-85F has no pins for events: aer_req, aer_ack, aer_address" in told
    told = str(refused("live-aer", compiled, BOARD, ImageOptions(tick_us=1e-3)))
    assert told.startswith("tick_us must be 2 clock cycles or more")
    told = str(refused("live-aer", compiled, BOARD, ImageOptions(ticks=1 << 16)))
    assert told.startswith("window: ticks must be")
    one = replace(BOARD, pins=tuple(pin for pin in BOARD.pins if "address[" not in pin.port[3:]))
    fewer = (*one.pins, BOARD.pin("aer_address[0]"))
    told = str(refused("live-aer", compiled, replace(one, pins=fewer), none))
    assert "has 6 inputs, and image live-aer for iCEBreaker has addresses of 1 bits" in told
    with pytest.raises(SpikeletError, match="image stored has no option ticks"):
        image_kind("stored").check(ImageOptions(ticks=3))
