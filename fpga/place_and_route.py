"""Place and route with nextpnr, over several seeds, and its report in named units."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.fpga.devices import Device
from spikelet.fpga.tools import Progress, run_tool, silent

__all__ = ["Clock", "PathStep", "Placement", "Usage", "pack", "parse_report", "place_and_route"]

_MILESTONES = (
    "Packing constants",
    "Running main analytical placer",
    "Routing..",
    "Max frequency for clock",
    "Program finished",
)


@dataclass(frozen=True)
class Usage:
    """Cells of one kind: used, and available in the device."""

    used: int
    available: int


@dataclass(frozen=True)
class Clock:
    """A clock: the highest frequency it can have, and the one asked for, in MHz."""

    name: str
    fmax_mhz: float
    target_mhz: float


@dataclass(frozen=True)
class PathStep:
    """One step of the critical path.

    Parameters
    ----------
    delay_ns : float
    kind : str
        ``"clk-to-q"``, ``"routing"``, ``"logic"`` or ``"setup"``.
    source, target : str
        Cell and port, as ``cell.port``.
    """

    delay_ns: float
    kind: str
    source: str
    target: str


@dataclass(frozen=True)
class Placement:
    """The outcome of place and route.

    Parameters
    ----------
    seed : int
        The seed that gave the best frequency.
    seeds : dict of int to float
        Fmax in MHz of every seed tried; 0 for one that could not be placed or routed.
    utilisation : dict of str to Usage
        By our names: ``luts``, ``flip_flops``, ``block_rams``, ``dsps``, ``sprams``.
    cells : dict of str to Usage
        By nextpnr's names, kinds in use only.
    clocks : tuple of Clock
        The first limits the design.
    critical_path : tuple of PathStep
        Of the first clock.
    """

    seed: int
    seeds: Mapping[int, float]
    utilisation: Mapping[str, Usage]
    cells: Mapping[str, Usage]
    clocks: tuple[Clock, ...]
    critical_path: tuple[PathStep, ...]

    @property
    def fmax_mhz(self) -> float:
        """Highest frequency of the clock that limits the design; infinite without registers."""
        return self.clocks[0].fmax_mhz if self.clocks else math.inf

    @property
    def meets_target(self) -> bool:
        """Whether every clock reaches the frequency that was asked for."""
        return all(clock.fmax_mhz >= clock.target_mhz for clock in self.clocks)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return {**asdict(self), "seeds": {str(seed): mhz for seed, mhz in self.seeds.items()}}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Placement":
        """Inverse of :meth:`to_dict`."""
        return cls(
            seed=fields["seed"],
            seeds={int(seed): mhz for seed, mhz in fields["seeds"].items()},
            utilisation={name: Usage(**usage) for name, usage in fields["utilisation"].items()},
            cells={name: Usage(**usage) for name, usage in fields["cells"].items()},
            clocks=tuple(Clock(**clock) for clock in fields["clocks"]),
            critical_path=tuple(PathStep(**step) for step in fields["critical_path"]),
        )


def _clock_name(name: str) -> str:
    """Return a clock's name as the designer wrote it, without what nextpnr put around it."""
    return re.sub(r"^\$glbnet\$|\$(TRELLIS_IO_IN|SB_IO_IN(_\$glb_clk)?)$|_\$glb_clk$", "", name)


def parse_report(text: str, device: Device, seed: int) -> Placement:
    """Return nextpnr's JSON report of one seed.

    SpikeletError if the text is not such a report, or counts other cells than the device has.
    """
    try:
        report = json.loads(text)
        cells = {
            name: Usage(count["used"], count["available"])
            for name, count in report["utilization"].items()
        }
        clocks = [
            Clock(_clock_name(name), float(f["achieved"]), float(f["constraint"]))
            for name, f in report["fmax"].items()
        ]
        clocks.sort(key=lambda clock: clock.fmax_mhz / clock.target_mhz)
        path = _critical_path(report["critical_paths"], clocks[0].name if clocks else "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpikeletError(f"nextpnr: not a report: {type(error).__name__} {error}") from error
    utilisation = {}
    for ours, (theirs, available) in device.cell_kinds.items():
        usage = cells.get(theirs, Usage(0, 0))
        if usage.available != available:
            raise SpikeletError(
                f"nextpnr: {device.name} has {usage.available} {theirs}, expected {available}",
                remedy="the report is of another device, or fpga/devices.py is wrong",
            )
        utilisation[ours] = usage
    used = {name: usage for name, usage in cells.items() if usage.used}
    fmax = clocks[0].fmax_mhz if clocks else math.inf
    return Placement(seed, {seed: fmax}, utilisation, used, tuple(clocks), tuple(path))


def _critical_path(paths: list[dict[str, Any]], clock: str) -> list[PathStep]:
    for path in paths:
        start, end = (str(path[side]).split()[-1] for side in ("from", "to"))
        if _clock_name(start) == clock == _clock_name(end):
            return [
                PathStep(
                    round(float(step["delay"]), 3),
                    str(step["type"]),
                    f"{step['from']['cell']}.{step['from']['port']}",
                    f"{step['to']['cell']}.{step['to']['port']}",
                )
                for step in path["path"]
            ]
    return []


def place_and_route(
    device: Device,
    folder: Path,
    *,
    constraints: str | None,
    target_mhz: float,
    seeds: Iterable[int] = (1,),
    enough_mhz: float = math.inf,
    progress: Progress = silent,
) -> Placement:
    """Place and route ``netlist.json`` of a folder; keep the seed with the best frequency.

    Leaves ``report.json``, ``nextpnr.log`` and, on pins, ``placed.config`` (ECP5) or ``placed.asc``
    (iCE40), all of the best seed.

    Parameters
    ----------
    device : Device
    folder : Path
    constraints : str or None
        The .lpf or .pcf text; None places without pins: out of context on ECP5, on any free pin on
        iCE40 (see :func:`spikelet.fpga.harness.harness` for a design with more ports than pins).
    target_mhz : float
        Frequency to aim for. Missing it is not an error: see :attr:`Placement.meets_target`.
    seeds : iterable of int
        Tried in this order, until one reaches ``enough_mhz``. A seed that cannot be placed or
        routed counts as 0 MHz.
    progress : callable
        Is given a line now and then.

    Raises
    ------
    SpikeletError
        If no seed can be placed and routed.
    """
    best: Placement | None = None
    tried: dict[int, float] = {}
    failure: SpikeletError | None = None
    for seed in seeds:
        try:
            placement = _place_once(
                device, folder, constraints, target_mhz=target_mhz, seed=seed, progress=progress
            )
        except SpikeletError as error:
            failure = failure or error
            tried[seed] = 0.0
            continue
        tried[seed] = placement.fmax_mhz
        progress(f"seed {seed}: {placement.fmax_mhz:.1f} MHz")
        if best is None or placement.fmax_mhz > best.fmax_mhz:
            best = placement
            _keep(folder, seed)
        if placement.fmax_mhz >= enough_mhz:
            break
    if best is None:
        raise failure or SpikeletError("place and route: no seed to try", remedy="give one seed")
    for left in folder.glob("seed_*"):
        left.unlink()
    return Placement.from_dict({**best.to_dict(), "seeds": tried})


def _keep(folder: Path, seed: int) -> None:
    """Make the files of a seed those of the folder."""
    for path in folder.glob(f"seed_{seed}_*"):
        path.replace(folder / path.name.removeprefix(f"seed_{seed}_"))


def _place_once(
    device: Device,
    folder: Path,
    constraints: str | None,
    *,
    target_mhz: float,
    seed: int,
    progress: Progress,
) -> Placement:
    report = f"seed_{seed}_report.json"
    arguments = [*device.nextpnr, "--json", "netlist.json", "--seed", str(seed), "--report", report]
    arguments += ["--freq", f"{target_mhz:g}", "--timing-allow-fail"]
    arguments += _pins(device, folder, constraints, seed)
    run_tool(
        f"nextpnr-{device.family}",
        arguments,
        folder,
        f"seed_{seed}_nextpnr.log",
        progress=progress,
        milestones=_MILESTONES,
    )
    return parse_report((folder / report).read_text(), device, seed)


def _pins(device: Device, folder: Path, constraints: str | None, seed: int) -> list[str]:
    ecp5 = device.family == "ecp5"
    if constraints is None:
        return ["--out-of-context"] if ecp5 else ["--pcf-allow-unconstrained"]
    suffix = "lpf" if ecp5 else "pcf"
    (folder / f"pins.{suffix}").write_text(constraints)
    result = (
        ["--textcfg", f"seed_{seed}_placed.config"]
        if ecp5
        else ["--asc", f"seed_{seed}_placed.asc"]
    )
    return [f"--{suffix}", f"pins.{suffix}", *result]


def pack(device: Device, folder: Path, options: tuple[str, ...] = ()) -> Path:
    """Pack the placed design of a folder into the bitstream ``design.bit`` or ``design.bin``."""
    if device.family == "ecp5":
        name = "design.bit"
        run_tool(
            "ecppack", [*options, "--input", "placed.config", "--bit", name], folder, "pack.log"
        )
    else:
        name = "design.bin"
        run_tool("icepack", [*options, "placed.asc", name], folder, "pack.log")
    return folder / name
