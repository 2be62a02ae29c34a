"""Cologne Chip GateMate, with Project Peppercorn's place and route and packer."""

from collections.abc import Sequence
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import Package
from spikelet.description.pins import Pin
from spikelet.fpga.families.costs import RamKind
from spikelet.fpga.families.family import Device, Family, Job, Resource
from spikelet.fpga.families.pll import Pll
from spikelet.fpga.tools import Progress, Tool, run_tool

__all__ = ["FAMILY"]

_PACKAGE = Package(
    "yowasp-nextpnr-himbaechel-gatemate",
    "yowasp_nextpnr_himbaechel_gatemate",
    "fpga",
    "GateMate place and route",
)
_PACK = Tool("gmpack", _PACKAGE, "run_gmpack")
_UNPACK = Tool("gmunpack", _PACKAGE, "run_gmunpack")

_CLOCK = "create_clock"
_CLOCKS_FILE = "clocks.sdc"

# Those of the ECP5, times what place and route made of some chips.
_LUT_COSTS = {
    "chip": 1549.89,
    "core": 679.25,
    "plastic core": 540.14,
    "router": 15.33,
    "configuration": 3.01,
    "address": 3.07,
    "sum": 3.2,
    "adder": 2.73,
    "multiplexer": 1.74,
    "random": 2.56,
    "register": 0.09,
    "ram multiplexer": 1.85,
    "distributed ram": 0.0,
    "register memory": 1.38,
    "table": 0.3,
    "product": 2.15,
    "image": 1.83,
}

# Cologne Chip, GateMate primitives library (UG1001), CC_PLL in mode ECONOMY.
_PLL_INPUT = (5_000_000, 50_000_000)
_PLL_OUTPUT_MHZ = range(1, 251)


class _GateMate(Family):
    name = "gatemate"
    title = "GateMate"
    resources = (
        # A cell of the fabric (CPE) is two such halves, each with a tree of LUTs and a flip-flop.
        Resource(
            "luts",
            "Halves of CPEs",
            {"CC_L2T4": 1, "CC_L2T5": 2, "CC_LUT": 1, "CC_MX2": 1, "CC_MX4": 2, "CC_ADDF": 1},
            "CPE_LT",
        ),
        Resource("flip_flops", "Flip-flops", {"CC_DFF": 1}, "CPE_FF"),
        Resource(
            "block_rams",
            "Block RAM halves",
            {"CC_BRAM_20K": 1, "CC_BRAM_40K": 2},
            "RAM_HALF",
            bits=20 * 1024,
        ),
    )
    rams = (
        RamKind(
            resource="block_rams",
            title="block RAM",
            library=("CC_BRAM_TDP", "CC_BRAM_SDP"),
            address_bits=14,
            widths=(1, 2, 5, 10, 20, 40),
            byte=1,
            cost=129,
            kinds=("auto", "block"),
        ),
    )
    lut_costs = _LUT_COSTS
    lut_error = 0.059
    cell_models = (Path(__file__).with_suffix(".v"),)
    placer = Tool("nextpnr-himbaechel-gatemate", _PACKAGE, "run_nextpnr_himbaechel_gatemate")
    needs_pins = True
    constraints_file = "pins.ccf"
    placed_file = "placed.txt"
    bitstream_file = "design.bit"
    clock_affixes = r"^\$auto\$clkbufmap.*"
    packages = (_PACKAGE,)

    @property
    def devices(self) -> tuple[Device, ...]:
        capacity = {"luts": 40960, "flip_flops": 40960, "block_rams": 64}
        # Economy is a core voltage of 1.0 V, the lowest at which the PLL reaches its 250 MHz.
        options = ("--device", "CCGM1A1", "-o", "fpga_mode=2")
        return (Device("CCGM1A1", self, options, capacity),)

    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        flow = f"synth_gatemate -luttree -nomx8 -top {top}"
        return f"setattr -unset ram_style m:* a:ram_style=huge %i\n{flow} -run begin:map_bram", (
            f"{flow} -run map_bram:"
        )

    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        # To the pins' file a clock is a comment: place and route reads it from a file of its own.
        lines = [f"# {title}", f"# {_CLOCK} -period {1e9 / clock_hz:.6g} [get_ports clk]"]
        for pin in pins:
            kind = "out" if pin.port == "tx" or pin.port.startswith("led[") else "in"
            attributes = "".join(f" | {name}={value}" for name, value in pin.attributes)
            lines.append(f'Pin_{kind} "{pin.port}" Loc = "{pin.site}"{attributes};')
        return "\n".join(lines) + "\n"

    def pll(self, input_hz: int, output_hz: int, *, pad: bool = False) -> Pll:
        low, high = _PLL_OUTPUT_MHZ[0], _PLL_OUTPUT_MHZ[-1]
        if not low * 10**6 <= output_hz <= high * 10**6:
            raise SpikeletError(
                f"GateMate with {input_hz / 1e6:g} MHz: its PLL makes {low} to {high} MHz of the "
                f"board's clock, not {output_hz / 1e6:g} MHz",
                remedy="choose a frequency in this range, or the board's own clock (--clock MHZ)",
            )
        # Place and route finds the dividers, exactly for whole MHz.
        mhz = output_hz // 10**6
        return Pll(
            "CC_PLL",
            clock_in="CLK_REF",
            clock_out="CLK0",
            locked="USR_PLL_LOCKED",
            output_hz=mhz * 10**6,
            parameters={
                "REF_CLK": f"{input_hz / 1e6:.6f}",
                "OUT_CLK": f"{mhz}.0",
                "PERF_MD": "ECONOMY",
                "LOCK_REQ": 1,
                "LOW_JITTER": 1,
                "CI_FILTER_CONST": 2,
                "CP_FILTER_CONST": 4,
                "CLK270_DOUB": 0,
                "CLK180_DOUB": 0,
            },
            tied={"CLK_FEEDBACK": 0, "USR_CLK_REF": 0, "USR_LOCKED_STDY_RST": 0},
        )

    def nextpnr_pins(self, constraints: str, placed: str) -> list[str]:
        if not constraints:
            return ["-o", "allow-unconstrained"]
        return ["-o", f"ccf={constraints}", "-o", f"out={placed}", "--sdc", _CLOCKS_FILE]

    def place_and_route(self, job: Job, progress: Progress) -> None:
        if job.constraints:
            lines = (job.folder / job.constraints).read_text().splitlines()
            clocks = [line.removeprefix("# ") for line in lines if line.startswith(f"# {_CLOCK}")]
            (job.folder / _CLOCKS_FILE).write_text("\n".join(clocks) + "\n")
        super().place_and_route(job, progress)

    def pack(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        run_tool(_PACK, [*options, self.placed_file, self.bitstream_file], folder, "pack.log")

    def unpack(self, folder: Path) -> None:
        run_tool(_UNPACK, [self.bitstream_file, self.placed_file], folder, "unpack.log")


FAMILY = _GateMate()
"""The CCGM1A1."""
