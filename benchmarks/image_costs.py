"""What each image takes beside the chip, and what the fit check says, in LUTs after packing.

``python -m benchmarks.image_costs``, for a network 6-8-4 on the iCEBreaker, which has the pins of
every image. An image's own cost is what it takes beside the bare chip and its memories.
"""

import tempfile
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.boards import board_named
from spikelet.fpga.families import device_named
from spikelet.fpga.families.family import Device
from spikelet.fpga.fit import check_fit
from spikelet.fpga.power_on import with_clock
from spikelet.fpga.synthesise import synthesise
from spikelet.images.image import ImageOptions
from spikelet.images.kinds import IMAGE_KINDS, image_kind
from spikelet.runs.hardware import chip_verilog
from spikelet.samples.samples import Samples
from tests.helpers.emitted import small_network

__all__ = ["main"]

BOARD = "iCEBreaker"
ERROR = 0.10
"""Goal: of an estimate of the whole, as in ``benchmarks.fit_estimates``."""


def main() -> int:
    """Print the table; return 1 if a goal is missed."""
    options = options_of(
        __doc__,
        image={"choices": list(IMAGE_KINDS), "action": "append", "help": "all by default"},
    )
    compiled, board = small_network(), board_named(BOARD)
    board = with_clock(board, board.clock_hz)  # packing alone knows no pins, which a PLL must have
    device = device_named(board.device)
    spikes = np.random.default_rng(8).random((12, 4, compiled.network.n_inputs)) < 0.5
    bare, _ = _packed(chip_verilog(compiled.chip), "chip", device)
    without = check_fit(compiled.chip, device).needed["luts"]
    table = Table(title=f"Images on {device.name}; the chip alone takes {bare:,} LUTs")
    for column in ("image", "LUTs beside the chip", "estimated", "error of the whole", ""):
        table.add_column(column)
    found, missed = {}, False
    for name in options.image or IMAGE_KINDS:
        kind = image_kind(name)
        said = ImageOptions(samples=Samples(spikes)) if kind.stores_samples else ImageOptions()
        made = kind.make(compiled, board, said)
        packed, used = _packed(made.verilog(), "top", device)
        needed = check_fit(compiled.chip, device, made.beside).needed["luts"]
        error = (bare + needed - without) / packed - 1
        missed |= abs(error) > ERROR
        memories = needed - without - made.beside.luts
        found[name] = {"luts": packed - bare, "own": packed - bare - memories, "used": used}
        console.print(f"{name}: {found[name]}", highlight=False)
        table.add_row(
            *(name, f"{packed - bare:,}", f"{needed - without:,}", f"{error:+.1%}"),
            verdict(abs(error) <= ERROR),
        )
    console.print(table)
    tools = versions("amaranth", "pyosys", *(p.name for p in device.family.packages))
    print_versions(tools)
    write_json(options.json, {"chip": bare, "images": found, "versions": tools})
    return int(missed)


def _packed(verilog: str, top: str, device: Device) -> tuple[int, dict[str, int]]:
    """Return the LUTs after packing, and what synthesis found."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        used = synthesise(verilog, top, device, folder).resources
        return device.family.packed_luts(device, folder), used


if __name__ == "__main__":
    run(main)
