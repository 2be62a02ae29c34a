"""Cost of a weight exponent in a register: ``python -m benchmarks.exponent_cost``.

A core shifts its sums by a constant, which takes nothing. In its place, a shifter for each neuron
pipeline, from a sum to a value in potential LSBs, alone between registers, and beside it one
256x256 core as it is, with 4-bit weights and 16-bit potentials. Counted after synthesis. Not
counted: the register's place in the memory map, and what grows behind the shifter, whose widths
would be those of the largest exponent.
"""

from pathlib import Path
from typing import Any

from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    single_core_chip,
    versions,
    write_json,
)
from spikelet.description.cache import cache_folder
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

DEVICES = ("LFE5U-25F", "ICE40UP5K-SG48")
SHAPES = ((16, 1), (128, 4))
"""Lanes and pipelines."""


class Shifter(wiring.Component):
    """Shifts sums of so many bits left by 0 to ``choices - 1``, or by a constant if that is 1."""

    def __init__(self, bits: int, choices: int, pipelines: int) -> None:
        self.bits, self.choices, self.pipelines = bits, choices, pipelines
        self.wide = bits + choices - 1
        super().__init__(
            {
                "exponent": In(range(max(2, choices))),
                "sums": In(bits * pipelines),
                "shifted": Out(self.wide * pipelines),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        exponent = Signal.like(self.exponent)
        m.d.sync += exponent.eq(self.exponent)
        for number in range(self.pipelines):
            sum_ = Signal(signed(self.bits), name=f"sum_{number}")
            out = Signal(signed(self.wide), name=f"out_{number}")
            m.d.sync += sum_.eq(self.sums.word_select(number, self.bits))
            m.d.sync += out.eq(sum_ << exponent if self.choices > 1 else sum_)
            m.d.comb += self.shifted.word_select(number, self.wide).eq(out)
        return m


def main() -> int:
    """Run the benchmark; return 0."""
    options = options_of(
        __doc__,
        choices={"type": int, "nargs": "*", "default": [4, 8, 16], "help": "exponents"},
        devices={"nargs": "*", "default": DEVICES},
        lanes={"type": int, "nargs": "*", "default": [lanes for lanes, _ in SHAPES]},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "exponent_cost"},
    )
    tools = versions("amaranth", "pyosys")
    print_versions(tools)
    results: list[dict[str, Any]] = []
    for device in options.devices:
        for lanes, pipelines in (shape for shape in SHAPES if shape[0] in options.lanes):
            chip = single_core_chip(lanes, pipelines)
            where = options.folder / f"{device}-{lanes}"
            core = _luts(Core(chip, 0), device, where / "core")
            bits = chip.cores[0].current_bits
            for choices in options.choices:
                shifter = Shifter(bits, choices, pipelines)
                luts = _luts(shifter, device, where / f"shifter-{choices}")
                console.print(f"{device}, {lanes} lanes: {choices} exponents {luts} of {core}")
                results.append(
                    {
                        "device": device,
                        "lanes": lanes,
                        "pipelines": pipelines,
                        "sum_bits": bits,
                        "exponents": choices,
                        "core_luts": core,
                        "shifter_luts": luts,
                        "share": luts / core,
                    }
                )
    console.print(_table(results))
    write_json(options.json, {"versions": tools, "shifters": results})
    return 0


def _luts(component: wiring.Component, device: str, folder: Path) -> int:
    verilog = to_verilog(component, "top")
    return synthesise(verilog, "top", device_named(device), folder).resources["luts"]


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(title="Weight exponent in a register, after synthesis")
    for name in ("device", "lanes", "pipelines", "exponents", "core LUTs", "shifters", "share"):
        table.add_column(name, justify="left" if name == "device" else "right")
    for found in results:
        table.add_row(
            found["device"],
            str(found["lanes"]),
            str(found["pipelines"]),
            f"0 to {found['exponents'] - 1}",
            f"{found['core_luts']:,}",
            str(found["shifter_luts"]),
            f"{found['share']:.1%}",
        )
    return table


if __name__ == "__main__":
    run(main)
