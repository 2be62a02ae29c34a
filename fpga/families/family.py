"""What an FPGA family is: all that the flow knows of one, in one object."""

import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import Package, require
from spikelet.description.pins import Pin
from spikelet.description.versions import package_versions
from spikelet.description.yosys import yosys_share
from spikelet.fpga.bitstream.circuit import Configured
from spikelet.fpga.families.costs import Multiplier, RamKind
from spikelet.fpga.families.pll import Pll
from spikelet.fpga.tools import Progress, Tool, run_tool

__all__ = [
    "RAM_PLACES_FILE",
    "UNCONSTRAINED_MHZ",
    "Cells",
    "Device",
    "Family",
    "Job",
    "Resource",
    "single_port_memories",
]

UNCONSTRAINED_MHZ = 1.0
"""What a clock gets that nothing constrains, on a board."""
RAM_PLACES_FILE = "ram_places.json"
"""Where place and route put the RAM cells: its attributes of each, by name."""

Cells = Mapping[str, Mapping[str, str]]
"""Parameters of RAM cells that hold first contents, as bits, the highest first; by cell."""

_MILESTONES = (
    "Packing constants",
    "Running main analytical placer",
    "Routing..",
    "Max frequency for clock",
    "Program finished",
)

_SINGLE_PORT = re.compile(
    r'^\s*\(\* ram_style = "huge" \*\)\n(?:\s*\(\*.*\*\)\n)*\s*reg (?:\[\d+:\d+\] )?(\S+) \[', re.M
)

_MODULE = re.compile(r"^module (\S+?) ?\(", re.M)


@dataclass(frozen=True)
class Resource:
    """Cells that a device has a number of.

    Parameters
    ----------
    name : str
        Ours: ``"luts"``, ``"flip_flops"``, ``"dsps"``, or that of a :class:`RamKind`.
    title : str
        For readers.
    cells : mapping of str to int
        How many each cell of a netlist takes, by the beginning of its type.
    placed : str
        Its name in the report of place and route; empty if that does not count it by itself.
    bits : int
        Bits of memory in each; 0 if it is not a RAM.
    also : mapping of str to int
        What else in that report takes some of them, and how many each.
    """

    name: str
    title: str
    cells: Mapping[str, int]
    placed: str = ""
    bits: int = 0
    also: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Device:
    """One FPGA in one package and speed grade.

    Parameters
    ----------
    name : str
    family : Family
    options : tuple of str
        By which place and route knows device, package and speed grade.
    capacity : mapping of str to int
        Number of each resource, by :attr:`Resource.name`.
    """

    name: str
    family: "Family" = field(repr=False, compare=False)
    options: tuple[str, ...]
    capacity: Mapping[str, int]

    @property
    def cell_kinds(self) -> dict[str, tuple[str, int]]:
        """Place and route's name and this device's number of what it counts, by our name."""
        return {
            resource.name: (resource.placed, self.capacity[resource.name])
            for resource in self.family.resources
            if resource.placed
        }

    def offers(self, kind: str) -> bool:
        """Return whether the device has RAM for a kind of memory, such as ``"spram"``."""
        return any(
            kind in ram.kinds and self.capacity.get(ram.resource, 0) for ram in self.family.rams
        )


@dataclass(frozen=True)
class Job:
    """A design to place and route once.

    Parameters
    ----------
    device : Device
    folder : Path
        Holds ``netlist.json``, and the constraint file.
    constraints : str
        File in ``folder``; empty for a design without pins.
    target_mhz : float
        Frequency to aim for: that of the chip's clock.
    seed : int
    """

    device: Device
    folder: Path
    constraints: str
    target_mhz: float
    seed: int

    @property
    def prefix(self) -> str:
        """With which the name of each file that is made begins."""
        return f"seed_{self.seed}_"


class Family(ABC):
    """An FPGA family.

    A subclass gives the attributes below, :attr:`devices`, :meth:`synthesis`, :meth:`constraints`,
    :meth:`nextpnr_pins`, :meth:`pack` and :meth:`unpack`. Without nextpnr, it replaces
    :meth:`place_and_route`. With :meth:`configured` a bitstream is simulated, with
    :meth:`memory_contents` part of it is compared; see ``spikelet verify --level``.

    Attributes
    ----------
    name : str
        In lower case: of the engine ``netlist-NAME``, and of what is kept in project folders.
    title : str
        For readers.
    resources : tuple of Resource
        At least ``luts`` and ``flip_flops``; ``dsps`` where there is a :attr:`multiplier`.
    rams : tuple of RamKind
        In the order in which Yosys tries them.
    multiplier : Multiplier or None
    lut_costs : mapping of str to float
        LUTs for each unit of :func:`spikelet.fpga.fit.lut_terms`, fitted by
        ``python -m benchmarks.fit_estimates``.
    lut_error : float or None
        Largest relative error that this command found in chips to which they were not fitted; None
        if it was not run for the family, as the fit check then says.
    usable : float
        Share of a device's LUTs up to which placement and routing succeed as a rule.
    power_on_s : float
        Seconds of reset after configuration.
    cell_models : tuple of Path
        Verilog of the cells, with which Verilator simulates a netlist. A netlist that uses a cell
        in a way that is not modelled must not compile.
    placer : Tool or None
        nextpnr.
    needs_pins : bool
        Whether place and route wants a pin for every port, also in a bare device.
    constraints_file, placed_file, bitstream_file : str
        Names in a build's folder.
    clock_affixes : str
        Pattern of what place and route adds to the name of a clock.
    packages : tuple of Package
        Python packages that bring the tools, for ``spikelet doctor``.
    fusesoc_arch : str
        The ``arch`` of Edalize's Yosys; empty if it does not know the family.
    """

    name: str
    title: str
    resources: tuple[Resource, ...]
    rams: tuple[RamKind, ...]
    multiplier: Multiplier | None = None
    lut_costs: Mapping[str, float]
    lut_error: float | None = None
    usable: float = 0.9
    power_on_s: float = 15e-6
    cell_models: tuple[Path, ...]
    placer: Tool | None = None
    needs_pins: bool = False
    constraints_file: str
    placed_file: str
    bitstream_file: str
    clock_affixes: str = ""
    packages: tuple[Package, ...] = ()
    fusesoc_arch: str = ""

    @property
    @abstractmethod
    def devices(self) -> tuple[Device, ...]:
        """The devices, each with ``family=self``."""

    @property
    def largest(self) -> Device:
        """The device with most LUTs."""
        return max(self.devices, key=lambda device: device.capacity["luts"])

    @abstractmethod
    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        """Return Yosys's commands up to where memories become RAM cells, and those from there.

        Between the two the memories are counted, so ``$mem_v2`` cells must be all that is left of
        them. A memory with the attribute ``ram_style = "huge"`` asks for a single-port RAM without
        initial contents: a family that has none takes the attribute away, and one that has it
        drops the initial contents, which Amaranth always writes; see :func:`single_port_memories`.
        """

    def map_rams(self) -> str:
        """Return Yosys's commands that make RAM cells of memories, and nothing else."""
        raise self._not_patched()

    def set_contents(self, folder: Path, placed: Mapping[str, Any], cells: Cells) -> None:
        """Put other first contents into the RAM cells of :attr:`placed_file` in a folder.

        Here: of a design in nextpnr's JSON. The file stays as it is, to the byte, if it holds them.

        Parameters
        ----------
        folder : Path
        placed : mapping of str to mapping
            Attributes that place and route gave RAM cells, by name, such as ``NEXTPNR_BEL``.
        cells : mapping of str to mapping of str to str
            Parameters of RAM cells, as bits, the highest first.
        """
        path = folder / self.placed_file
        if path.suffix != ".json":
            raise self._not_patched()
        design = json.loads(path.read_text())
        changed = False
        for module in design["modules"].values():
            for name in cells.keys() & module["cells"].keys():
                there = module["cells"][name]["parameters"]
                changed |= any(there[key] != bits for key, bits in cells[name].items())
                there.update(cells[name])
        if changed:
            path.write_text(json.dumps(design, indent=1))

    def _not_patched(self) -> SpikeletError:
        return SpikeletError(
            f"{self.title}: the contents of a bitstream cannot be exchanged",
            remedy="build it again",
        )

    @abstractmethod
    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        """Return the constraint file of a board: its name, its clock, and the pins in use."""

    def pll(self, input_hz: int, output_hz: int, *, pad: bool = False) -> Pll | None:
        """Return the PLL that comes nearest to a frequency from below; None if it is not known.

        SpikeletError tells the range of frequencies if it does not hold ``output_hz``.

        Parameters
        ----------
        input_hz, output_hz : int
        pad : bool
            Whether the input comes from a pin that is the PLL's own pad.
        """
        return None

    @abstractmethod
    def pack(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        """Make :attr:`bitstream_file` of :attr:`placed_file`, both in a folder."""

    @abstractmethod
    def unpack(self, folder: Path) -> None:
        """Inverse of :meth:`pack`."""

    def nextpnr_pins(self, constraints: str, placed: str) -> list[str]:
        """Return nextpnr's options for the constraint file and the result, by their names.

        Without pins there is neither, and ``constraints`` is empty.
        """
        raise NotImplementedError

    def place_and_route(self, job: Job, progress: Progress) -> None:
        """Place and route a design with nextpnr.

        Writes ``report.json``, in nextpnr's form, ``nextpnr.log``, and on pins
        :attr:`placed_file`, each with the job's prefix before its name. On pins every clock must
        follow from the constraint file: one that does not gets :data:`UNCONSTRAINED_MHZ`, by which
        it is found.
        """
        if self.placer is None:
            raise SpikeletError(f"{self.title}: there is no tool that places and routes it")
        arguments = [*job.device.options, "--json", "netlist.json", "--seed", str(job.seed)]
        default_mhz = UNCONSTRAINED_MHZ if job.constraints else job.target_mhz
        arguments += ["--report", f"{job.prefix}report.json", "--freq", f"{default_mhz:g}"]
        arguments += ["--timing-allow-fail"]
        arguments += self.nextpnr_pins(job.constraints, f"{job.prefix}{self.placed_file}")
        log, design = f"{job.prefix}nextpnr.log", f"{job.prefix}placed_design.json"
        kept = "--write" in arguments
        if kept:
            design = arguments[arguments.index("--write") + 1]
        elif job.constraints:
            arguments += ["--write", design]
        run_tool(self.placer, arguments, job.folder, log, progress=progress, milestones=_MILESTONES)
        if job.constraints:
            self._keep_rams(job.folder / design, job.folder / f"{job.prefix}{RAM_PLACES_FILE}")
        if job.constraints and not kept:
            (job.folder / design).unlink()

    def _keep_rams(self, design: Path, places: Path) -> None:
        """Keep what a placed design says of its RAM cells."""
        rams = {ram.resource for ram in self.rams}
        types = tuple(t for r in self.resources if r.name in rams for t in r.cells)
        found = {}
        modules = json.loads(design.read_text())["modules"]
        for module in modules.values():
            for name, cell in module["cells"].items():
                if cell["type"].startswith((*types, "ICESTORM_RAM")):
                    found[name] = cell["attributes"]
        places.write_text(json.dumps(found, indent=1) + "\n")

    def packed_luts(self, device: Device, folder: Path) -> int:
        """Return the LUTs that ``netlist.json`` takes after packing, even if the device has fewer.

        It is what :attr:`lut_costs` are fitted to.
        """
        if self.placer is None:
            raise SpikeletError(f"{self.title}: there is no tool that packs it")
        arguments = [*device.options, "--json", "netlist.json", "--pack-only"]
        run_tool(self.placer, [*arguments, *self.nextpnr_pins("", "")], folder, "pack.log")
        cell = device.cell_kinds["luts"][0]
        found = re.findall(rf"{cell}: +(\d+)/", (folder / "pack.log").read_text())
        if not found:
            raise SpikeletError(f"{self.placer.name} printed no number of {cell}")
        return int(found[-1])

    def configured(
        self, device: Device, unpacked: str, placed: str, sites: Mapping[str, str]
    ) -> Configured | None:
        """Return the circuit that a configuration makes; None where nothing can tell it.

        Parameters
        ----------
        device : Device
        unpacked : str
            What :meth:`unpack` made of the bitstream, from which alone the circuit comes.
        placed : str
            :attr:`placed_file` as place and route wrote it, for the names of nets.
        sites : mapping of str to str
            Pin of each port bit.

        Raises
        ------
        SpikeletError
            If the configuration holds what has no model.
        """
        return None

    def memory_contents(
        self, unpacked: str, netlist: Mapping[str, Any]
    ) -> tuple[Counter[tuple[int, ...]], Counter[tuple[int, ...]]] | None:
        """Return the contents of block RAMs in a configuration, and in the netlist.

        Only where a configuration as text has them, and :meth:`configured` does not say them; each
        with how often it occurs.
        """
        return None

    def tool_versions(self) -> dict[str, str]:
        """Return the versions of the packages that make a bitstream; SpikeletError without one."""
        for package in self.packages:
            require(package)
        return package_versions("amaranth", "pyosys", *(package.name for package in self.packages))

    def include_folders(self) -> list[Path]:
        """Return the folders in which the cell models look for included files."""
        return [yosys_share()]

    def resource(self, name: str) -> Resource:
        """Return the resource that we call ``name``."""
        return next(resource for resource in self.resources if resource.name == name)

    def count(self, cells: Mapping[str, int]) -> dict[str, int]:
        """Return what the cells of a netlist, by their types, take of each resource."""
        return {
            resource.name: sum(
                each * number
                for begin, each in resource.cells.items()
                for cell, number in cells.items()
                if cell.startswith(begin)
            )
            for resource in self.resources
        }


def single_port_memories(verilog: str) -> list[tuple[str, str]]:
    """Return (module, memory) of each memory with the attribute ``ram_style = "huge"``."""
    found = []
    modules = [(match.start(), match[1]) for match in _MODULE.finditer(verilog)]
    for match in _SINGLE_PORT.finditer(verilog):
        module = [name for start, name in modules if start < match.start()][-1]
        found.append((module.removeprefix("\\"), match[1].removeprefix("\\")))
    return found
