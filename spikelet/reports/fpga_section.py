"""The report's section on FPGA builds, and how fast they work."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spikelet.fpga.families import devices
from spikelet.fpga.flow import FpgaReport
from spikelet.fpga.place_and_route import PathStep
from spikelet.fpga.synthesise import MemoryUse

__all__ = ["Cost", "design", "speed_rows"]


@dataclass(frozen=True)
class Cost:
    """Mean cycles and SOPs of a sample, its ticks, and where the cycles come from."""

    cycles: float
    operations: float
    ticks: float
    source: str


def speed_rows(cost: Cost | None, fpga: Sequence[FpgaReport]) -> list[list[str]]:
    """Return a row for each design and clock: its Fmax, and on a board the chip's clock."""
    rows = []
    for report in fpga if cost else ():
        clocks = {"at its Fmax": report.routed.fmax_mhz}
        if report.board:
            clocks["at the chip's clock"] = report.target_mhz
        for words, mhz in clocks.items():
            if cost and math.isfinite(mhz):
                rate = 1e6 * mhz / cost.cycles
                rows.append(
                    [
                        f"{report.board or report.device} {words}",
                        f"{mhz:.1f}",
                        f"{cost.cycles / mhz:,.2f}",
                        f"{cost.cycles / cost.ticks / mhz:,.3f}",
                        f"{rate:,.0f}",
                        f"{rate * cost.operations / 1e6:,.1f}",
                    ]
                )
    return rows


def design(report: FpgaReport) -> dict[str, Any]:
    """Return what the page says about one implemented design."""
    placed, device = report.routed, devices().get(report.device)
    kinds = {kind.name: kind for kind in device.family.resources} if device else {}
    scale = 1.1 * max(report.target_mhz, *placed.seeds.values())
    return {
        "report": report,
        "utilisation": [
            {
                "label": kinds[name].title if name in kinds else name,
                "cell": kinds[name].placed if name in kinds else "",
                "usage": usage,
                "share": usage.used / usage.available if usage.available else 0.0,
            }
            for name, usage in placed.utilisation.items()
        ],
        "seeds": [
            {"seed": seed, "fmax": mhz, "width": 100 * mhz / scale}
            for seed, mhz in placed.seeds.items()
        ],
        "mark": 100 * report.target_mhz / scale,
        "path": _path(placed.critical_path),
        "memories": _memories(report),
        "memory_words": _memory_words(report),
    }


def _path(steps: Sequence[PathStep]) -> dict[str, Any] | None:
    """Return the critical path: its length, its way through the blocks, and its steps."""
    total = sum(step.delay_ns for step in steps)
    if not total:
        return None
    way = [block for step in steps for block in (_block(step.source), _block(step.target)) if block]
    stops = [name for i, name in enumerate(way) if i == 0 or name != way[i - 1]]
    logic, routing = (sum(s.delay_ns for s in steps if s.kind == k) for k in ("logic", "routing"))
    levels = sum(step.kind == "logic" for step in steps)
    words = f"{total:.2f} ns, of which {100 * routing / total:.0f} % is routing and "
    words += f"{100 * logic / total:.0f} % logic ({levels} cell{'s'[: levels != 1]})"
    words += f": {' → '.join(stops)}." if stops else "."
    return {"words": words, "total": total, "steps": steps}


def _block(pin: str) -> str:
    """Return the block of the design that a pin is in, as the designer named it."""
    parts = pin.rpartition(".")[0].split(".")[:-1]
    own = list(itertools.takewhile(lambda part: not re.search(r"__|\$", part), parts))
    return ".".join(part for part in own if part not in ("chip", "self_test"))


def _ram_titles(report: FpgaReport) -> dict[str, str]:
    """Return what readers call the RAM cells of a design's device."""
    device = devices().get(report.device)
    rams = device.family.rams if device else ()
    return {cell: ram.title for ram in rams for cell in ram.library}


def _memories(report: FpgaReport) -> list[list[str]]:
    """Return a row for each memory that the design names; banks are counted, not listed."""
    titles = _ram_titles(report)
    banks: dict[tuple[str, str], list[MemoryUse]] = {}
    for memory in report.memories:
        if "$" not in memory.name:  # not a table that Yosys made of a case statement
            key = (re.sub(r"\.bank_\d+$", "", memory.name), memory.cell)
            banks.setdefault(key, []).append(memory)
    return [
        [name, titles.get(cell, cell)]
        + [f"{n:,}" for n in (len(m), m[0].depth, m[0].width, sum(bank.bits for bank in m))]
        for (name, cell), m in banks.items()
    ]


def _memory_words(report: FpgaReport) -> str:
    titles = _ram_titles(report)
    bits: Counter[str] = Counter()
    for memory in report.memories:
        bits[titles.get(memory.cell, memory.cell)] += memory.bits
    found = [f"{count:,} bits in {kind}" for kind, count in sorted(bits.items())]
    fallen = [m for m in report.memories if m.writable and m.cell == "logic"]
    names = ", ".join(f"{m.name} ({m.bits} bits)" for m in fallen)
    fate = f"Made of flip-flops: {names}." if fallen else "No writable memory fell into flip-flops."
    return f"{'; '.join(found) or 'none'}. {fate}"
