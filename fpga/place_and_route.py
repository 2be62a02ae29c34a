"""Place and route over several seeds, and nextpnr's report in named units."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.fpga.families.family import Device, Job
from spikelet.fpga.tools import Progress, silent

__all__ = ["Clock", "PathStep", "Routed", "Usage", "parse_report", "place_and_route"]


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
class Routed:
    """The outcome of place and route.

    Parameters
    ----------
    seed : int
        The seed that gave the best frequency.
    seeds : dict of int to float
        Fmax in MHz of every seed tried; 0 for one that could not be placed or routed.
    utilisation : dict of str to Usage
        By our names: see :class:`spikelet.fpga.families.family.Resource`.
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

    def margin(self, target_mhz: float) -> float:
        """Return by how much the worst seed exceeds a frequency, as a share of it."""
        return min(self.seeds.values(), default=math.inf) / target_mhz - 1

    def unconstrained(self, clocks: Iterable[str]) -> list[str]:
        """Return those of some clocks that place and route says nothing of.

        It may know a clock by another of its names; none is missing if it constrains as many.
        """
        asked, known = list(clocks), {clock.name for clock in self.clocks if clock.target_mhz > 0}
        return [name for name in asked if name not in known] if len(known) < len(asked) else []

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return {**asdict(self), "seeds": {str(seed): mhz for seed, mhz in self.seeds.items()}}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Routed":
        """Inverse of :meth:`to_dict`."""
        return cls(
            seed=fields["seed"],
            seeds={int(seed): mhz for seed, mhz in fields["seeds"].items()},
            utilisation={name: Usage(**usage) for name, usage in fields["utilisation"].items()},
            cells={name: Usage(**usage) for name, usage in fields["cells"].items()},
            clocks=tuple(Clock(**clock) for clock in fields["clocks"]),
            critical_path=tuple(PathStep(**step) for step in fields["critical_path"]),
        )


def parse_report(text: str, device: Device, seed: int) -> Routed:
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
            Clock(_clock_name(name, device), float(f["achieved"]), float(f["constraint"]))
            for name, f in report["fmax"].items()
        ]
        clocks.sort(key=lambda clock: clock.fmax_mhz / clock.target_mhz)
        path = _critical_path(report["critical_paths"], clocks[0].name if clocks else "", device)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpikeletError(f"nextpnr: not a report: {type(error).__name__} {error}") from error
    utilisation = {}
    for ours, (theirs, available) in device.cell_kinds.items():
        usage = cells.get(theirs, Usage(0, 0))
        if usage.available != available:
            raise SpikeletError(
                f"nextpnr: {device.name} has {usage.available} {theirs}, expected {available}",
                remedy="the report is of another device, or the family's file is wrong",
            )
        more = device.family.resource(ours).also
        used = sum(each * cells[name].used for name, each in more.items() if name in cells)
        utilisation[ours] = Usage(usage.used + used, available)
    in_use = {name: usage for name, usage in cells.items() if usage.used}
    fmax = clocks[0].fmax_mhz if clocks else math.inf
    return Routed(seed, {seed: fmax}, utilisation, in_use, tuple(clocks), tuple(path))


def _clock_name(name: str, device: Device) -> str:
    """Return a clock's name as the designer wrote it, without what nextpnr put around it."""
    return re.sub(device.family.clock_affixes, "", name)


def _critical_path(paths: list[dict[str, Any]], clock: str, device: Device) -> list[PathStep]:
    for path in paths:
        start, end = (str(path[side]).split()[-1] for side in ("from", "to"))
        if _clock_name(start, device) == clock == _clock_name(end, device):
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
) -> Routed:
    """Place and route ``netlist.json`` of a folder; keep the seed with the best frequency.

    Leaves ``report.json``, ``nextpnr.log`` and, on pins, the family's ``placed_file``, all of the
    best seed.

    Parameters
    ----------
    device : Device
    folder : Path
    constraints : str or None
        Text of the constraint file; None places without pins, or on any where the family needs some
        (see :func:`spikelet.fpga.harness.harness` for a design with more ports than pins).
    target_mhz : float
        Frequency to aim for. Missing it is not an error: see :attr:`Routed.meets_target`.
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
    constraints_file = device.family.constraints_file if constraints is not None else ""
    if constraints is not None:
        (folder / constraints_file).write_text(constraints)
    best: Routed | None = None
    tried: dict[int, float] = {}
    failure: SpikeletError | None = None
    for seed in seeds:
        try:
            job = Job(device, folder, constraints_file, target_mhz, seed)
            device.family.place_and_route(job, progress)
            report = (folder / f"{job.prefix}report.json").read_text()
            routed = parse_report(report, device, seed)
        except SpikeletError as error:
            failure = failure or error
            tried[seed] = 0.0
            progress(f"seed {seed}: not placed or routed: {error.args[0]}")
            continue
        tried[seed] = routed.fmax_mhz
        progress(f"seed {seed}: {routed.fmax_mhz:.1f} MHz")
        if best is None or routed.fmax_mhz > best.fmax_mhz:
            best = routed
            _keep(job)
        if routed.fmax_mhz >= enough_mhz:
            break
    if best is None:
        raise failure or SpikeletError("place and route: no seed to try", remedy="give one seed")
    for left in folder.glob("seed_*"):
        left.unlink()
    return Routed.from_dict({**best.to_dict(), "seeds": tried})


def _keep(job: Job) -> None:
    """Make the files of a job those of the folder."""
    for path in job.folder.glob(f"{job.prefix}*"):
        path.replace(job.folder / path.name.removeprefix(job.prefix))
