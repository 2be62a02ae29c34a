"""From Verilog to a bitstream in one call: synthesise, place, route, pack, report.

A finished folder is recognised by its record of everything that went into it, and reused; it
appears under its name only when it is complete.
"""

import json
import math
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from spikelet.boards import Board
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.errors import MALFORMED, SpikeletError, file_error
from spikelet.description.files import PARTIAL
from spikelet.description.summary import summary
from spikelet.fpga.clock_domains import Clocking, clocking
from spikelet.fpga.families import device_named
from spikelet.fpga.families.family import Device
from spikelet.fpga.harness import harness
from spikelet.fpga.place_and_route import Routed, place_and_route
from spikelet.fpga.synthesise import MemoryUse, SynthesisReport, script, synthesise
from spikelet.fpga.tools import Progress, silent

__all__ = [
    "REPORT",
    "FpgaReport",
    "build_bitstream",
    "build_out_of_context",
    "check_capacity",
    "put_in_place",
    "timing_words",
]

REPORT = "fpga.json"
"""The report's file name."""

_FLOW_VERSION = 10

_CONSTRAINT_ERROR = 0.005
"""By which nextpnr's frequency of a PLL may be off, for it counts in whole picoseconds."""


@dataclass(frozen=True)
class FpgaReport:
    """One implemented design.

    Parameters
    ----------
    top : str
    board : str
        Empty for a device out of context.
    device : str
    target_mhz : float
        Frequency aimed for.
    synthesised : dict of str to int
        Resources after synthesis, by our names.
    memories : tuple of MemoryUse
    routed : Routed
        Utilisation, frequency and critical path after routing.
    harnessed : bool
        Whether a ring of registers stands in for pins; it is part of the utilisation.
    bitstream : str
        File name; empty out of context.
    image : str
        What the bitstream is: the name of a kind of image; empty out of context.
    settings : mapping of str to int
        What who uses the image must know of it.
    patched : mapping of str to str
        The digest of the ``bitstream`` whose contents were exchanged, and in which ``memories``;
        empty as it was built. Frequency and utilisation stay those of the build.
    clocking : Clocking
        Clocks, and what crosses from one to another or comes from a pin; empty out of context,
        where ports are taken to be of the one clock.
    made : Artefact
        What it was made of and by which tools, and the digest of each file.
    """

    __repr__ = summary

    top: str
    board: str
    device: str
    target_mhz: float
    synthesised: Mapping[str, int]
    memories: tuple[MemoryUse, ...]
    routed: Routed
    harnessed: bool
    bitstream: str
    image: str = ""
    settings: Mapping[str, int] = field(default_factory=dict)
    patched: Mapping[str, str] = field(default_factory=dict)
    clocking: Clocking = field(default_factory=lambda: Clocking({}, ()))
    made: Artefact = field(default_factory=lambda: Artefact("", {}))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values of all but what it was made of."""
        parts = {"routed": self.routed.to_dict(), "clocking": self.clocking.to_dict()}
        fields = {**asdict(self), **parts}
        del fields["made"]
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any], made: Artefact) -> "FpgaReport":
        """Inverse of :meth:`to_dict`."""
        memories = tuple(MemoryUse(**memory) for memory in fields["memories"])
        routed, clocks = Routed.from_dict(fields["routed"]), Clocking.from_dict(fields["clocking"])
        parts = {"memories": memories, "routed": routed, "clocking": clocks}
        return cls(**{**fields, **parts, "made": made})

    @classmethod
    def load(cls, folder: Path) -> "FpgaReport":
        """Read the report of a finished folder; SpikeletError if there is none that is whole."""
        path, made = folder / REPORT, Artefact.load(folder)
        try:
            if made is None or not made.intact(folder):
                raise ValueError("files are missing or were changed since")
            return cls.from_dict(json.loads(path.read_text()), made)
        except (OSError, *MALFORMED) as error:
            raise SpikeletError(
                f"{path} is not a readable FPGA report: {error}", remedy="build it again"
            ) from error


def build_bitstream(
    verilog: str,
    top: str,
    board: Board,
    folder: Path,
    *,
    ports: tuple[str, ...] = ("clk", "button", "led"),
    seeds: Iterable[int] = (1,),
    image: str = "",
    settings: Mapping[str, int] | None = None,
    inputs: Mapping[str, str] | None = None,
    all_seeds: bool = False,
    files: Mapping[str, bytes] | None = None,
    command: str = "",
    progress: Progress = silent,
) -> FpgaReport:
    """Build the bitstream of ``top`` for a board, whose chip's clock is the frequency aimed for.

    Parameters
    ----------
    verilog : str
        The whole design; ``top`` has the ports that ``ports`` names.
    folder : Path
        Where the result goes; an older result there is replaced once the new one is complete.
        While it is being built, and if it fails, the files are in ``FOLDER.partial``.
    seeds : iterable of int
        Tried until one meets the chip's clock.
    image, settings
        For the report.
    inputs : dict of str to str or None
        Digests, by role, of what the Verilog was made of.
    all_seeds : bool
        Try all seeds, each of which must meet the board's clock.
    files : dict of str to bytes or None
        What is kept beside the bitstream, by name; ``inputs`` has digests of it.
    command : str
        The shell command that builds it, for the record.

    Raises
    ------
    SpikeletError
        If a tool fails, a memory falls into registers, a clock has another constraint than the
        chip's frequency, or no seed meets it; with ``all_seeds``, if one does not.
    """
    device = device_named(board.device)
    plan = _Plan(
        verilog,
        top,
        device,
        board,
        device.family.constraints(board.name, board.clock_hz, board.pins_of(ports)),
        board.chip_hz / 1e6,
        tuple(seeds),
        math.inf if all_seeds else board.chip_hz / 1e6,
        inputs or {},
        command,
    )
    plan = replace(plan, image=image, settings=settings or {}, files=files or {})
    report = _built(plan, folder, progress)
    _check_clocks(report, board, folder)
    missed = [seed for seed, mhz in report.routed.seeds.items() if mhz < report.target_mhz]
    if all_seeds and missed:
        raise SpikeletError(
            f"{top} misses the {report.target_mhz:g} MHz of {board.name} with "
            f"{len(missed)} of {len(report.routed.seeds)} seeds: {', '.join(map(str, missed))}",
            remedy="fewer lanes shorten the critical path; without --all-seeds the best will do",
        )
    return report


def _check_clocks(report: FpgaReport, board: Board, folder: Path) -> None:
    """Raise SpikeletError unless every clock is constrained to the chip's, and reaches it."""
    target, routed = report.target_mhz, report.routed
    for clock in routed.clocks:
        if not abs(clock.target_mhz / target - 1) <= _CONSTRAINT_ERROR:
            raise SpikeletError(
                f"{report.top}: clock {clock.name} is constrained to {clock.target_mhz:g} MHz on "
                f"{board.name}, where the chip has {target:g} MHz",
                remedy="make it of the domain sync, or constrain it in the family's file",
            )
    if routed.fmax_mhz < target:
        tried = len(routed.seeds)
        reached = math.floor(routed.fmax_mhz * 10) / 10
        raise SpikeletError(
            f"{report.top} reaches {routed.fmax_mhz:.1f} MHz on {board.name} at best, with seed "
            f"{routed.seed} of {tried}, and its chip's clock is {target:g} MHz",
            remedy=f"build with --clock {reached:g} or less, try more seeds, or compile with fewer "
            f"lanes; the critical path is in {folder / REPORT}",
        )


def build_out_of_context(
    verilog: str,
    top: str,
    device: Device,
    folder: Path,
    *,
    target_mhz: float,
    seeds: Iterable[int] = (1,),
    enough_mhz: float = math.inf,
    inputs: Mapping[str, str] | None = None,
    command: str = "",
    progress: Progress = silent,
) -> FpgaReport:
    """Implement ``top`` in a bare device, without pins or bitstream, for its size and frequency.

    In a family whose place and route needs a pin for every port, the design stands in
    :func:`spikelet.fpga.harness.harness`, which the utilisation includes. See
    :func:`build_bitstream` for the rest; a missed frequency is not an error here.
    """
    plan = _Plan(
        *(verilog, top, device, None, None, target_mhz, tuple(seeds), enough_mhz),
        inputs=inputs or {},
        command=command,
    )
    return _built(plan, folder, progress)


@dataclass(frozen=True)
class _Plan:
    verilog: str
    top: str
    device: Device
    board: Board | None
    constraints: str | None
    target_mhz: float
    seeds: tuple[int, ...]
    enough_mhz: float
    inputs: Mapping[str, str]
    command: str
    image: str = ""
    settings: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def making(self) -> Artefact:
        """Everything that the result depends on."""
        return Artefact(
            f"FPGA build for {self.board.name if self.board else self.device.name}",
            {
                **self.inputs,
                "Verilog": digest_of(self.verilog),
                "constraints": digest_of(self.constraints),
            },
            options={
                "top": self.top,
                "device": [self.device.name, *self.device.options],
                "synthesis": digest_of(script(self.verilog, self.top, self.device)),
                "image": [self.image, *self.settings.items()],
                "bitstream options": self.board.bitstream_options if self.board else (),
                "target MHz": self.target_mhz,
                "seeds": self.seeds,
                "enough MHz": self.enough_mhz if math.isfinite(self.enough_mhz) else None,
            },
            tools=self.device.family.tool_versions(),
            command=self.command,
            version=_FLOW_VERSION,
        )


def _built(plan: _Plan, folder: Path, progress: Progress) -> FpgaReport:
    finished = _finished(plan, folder)
    if finished:
        progress(f"{plan.top} for {plan.device.name}: nothing has changed, kept {folder}")
        return finished
    partial = folder.with_name(f"{folder.name}{PARTIAL}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        report = _build(plan, partial, progress)
        (partial / REPORT).write_text(json.dumps(report.to_dict(), indent=1) + "\n")
        made = plan.making.seal(partial)
        put_in_place(folder, partial)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)  # a full disk has no room for what is of no use
        raise file_error(f"the FPGA build in {folder} cannot be written", error) from error
    return replace(report, made=made)


def _finished(plan: _Plan, folder: Path) -> FpgaReport | None:
    """Return the report in ``folder`` if it is of this plan and every file of it is intact."""
    try:
        report = FpgaReport.load(folder)
    except SpikeletError:
        return None
    return report if report.made.same_making(plan.making) else None


def put_in_place(folder: Path, partial: Path) -> None:
    """Make a complete folder that of its name, in the place of an older one."""
    old = folder.with_name(f"{folder.name}.old{PARTIAL}")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _build(plan: _Plan, folder: Path, progress: Progress) -> FpgaReport:
    verilog, top = plan.verilog, plan.top
    for name, contents in plan.files.items():
        (folder / name).write_bytes(contents)
    harnessed = plan.constraints is None and plan.device.family.needs_pins
    if harnessed:
        verilog, top = harness(verilog, top)
    progress(f"{plan.top}: synthesis for {plan.device.name}")
    synthesis = synthesise(verilog, top, plan.device, folder)
    check_capacity(synthesis, plan.device)
    routed = place_and_route(
        plan.device,
        folder,
        constraints=plan.constraints,
        target_mhz=plan.target_mhz,
        seeds=plan.seeds,
        enough_mhz=plan.enough_mhz,
        progress=progress,
    )
    bitstream = ""
    if plan.board:
        progress(f"{plan.top}: packing the bitstream")
        plan.device.family.pack(folder, plan.board.bitstream_options)
        bitstream = plan.device.family.bitstream_file
    return FpgaReport(
        top=plan.top,
        board=plan.board.name if plan.board else "",
        device=plan.device.name,
        target_mhz=plan.target_mhz,
        synthesised=synthesis.resources,
        memories=synthesis.memories,
        clocking=clocking(verilog, top) if plan.board else Clocking({}, ()),
        routed=routed,
        harnessed=harnessed,
        bitstream=bitstream,
        image=plan.image,
        settings=dict(plan.settings),
    )


def check_capacity(synthesis: SynthesisReport, device: Device) -> None:
    """Raise SpikeletError, with the numbers, if the netlist has more cells than the device."""
    over = [
        f"{synthesis.resources[kind]} {kind.replace('_', ' ')} of {available}"
        for kind, (_, available) in device.cell_kinds.items()
        if synthesis.resources.get(kind, 0) > available
    ]
    if over:
        raise SpikeletError(
            f"{synthesis.top} does not fit {device.name}: it needs {', '.join(over)}",
            remedy="choose a larger device, fewer lanes or narrower weights",
        )


def timing_words(report: FpgaReport) -> list[str]:
    """Return what is known of a build's clocks, in sentences."""
    seeds, clocks = report.routed.seeds, report.routed.clocks
    met = sum(mhz >= report.target_mhz for mhz in seeds.values())
    least, most = min(seeds.values()), max(seeds.values())
    lines = [
        f"{met} of {len(seeds)} seeds tried meet {report.target_mhz:g} MHz: {least:.1f} to "
        f"{most:.1f} MHz, margin {report.routed.margin(report.target_mhz):.0%} or more"
    ]
    lines += [
        f"clock {clock.name}: constrained to {clock.target_mhz:g} MHz, reaches {clock.fmax_mhz:.1f}"
        for clock in clocks
    ]
    left = report.routed.unconstrained(report.clocking.clocks)
    lines += [f"clock {name}: place and route says nothing of it" for name in left]
    lines += [
        f"{one.source} crosses to {one.register}: "
        + (f"{one.stages} flip-flops in a row" if one.stages > 1 else "no synchroniser")
        for one in report.clocking.crossings
    ]
    return lines
