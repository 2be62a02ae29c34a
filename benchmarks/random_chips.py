"""The long differential run: ``python -m benchmarks.random_chips``.

Each structure is a random chip, with or without learning, Verilated once; each of its contents is a
random image with random input, and rewards. That is a configuration: golden in numpy, golden in C
and the RTL must agree in every output, spike, potential, counter, and in all that is learned, and
in the state that they leave. The seed of a configuration is its structure's and its own number.

Results are kept as they come, in a file for the sources that they depend on. The same command goes
on where it was interrupted; what failed is tried again.
"""

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.description.chip.params import ChipParams
from spikelet.golden.chip import GoldenChip
from spikelet.golden.native import available, why_not
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip, random_events
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward

__all__ = ["main"]

ROOT = Path(__file__).parents[1]

_CHIPS_PER_PROCESS = 20
"""A process cannot give back the libraries that it loaded."""

_SOURCES = ("description", "golden", "rtl_gen", "host", "sim", "tests/helpers")
_NOT_SOURCES = ("bench_", "aer", "traffic", "stuck_at")
_RECORD = ("spikes", "states", "learning", "checksums")


@dataclass(frozen=True)
class Outcome:
    """What came of one configuration.

    Parameters
    ----------
    structure, contents : int
        Seed of the chip, and number of its contents.
    kinds : dict of str to list of str
        What the chip is, for the table: by question, the answers that hold of it.
    spikes, states : int
        Compared.
    failure : str
        Empty if all agreed.
    """

    structure: int
    contents: int
    kinds: dict[str, list[str]] = field(default_factory=dict)
    spikes: int = 0
    states: int = 0
    failure: str = ""


class Kept:
    """Outcomes of this run and of earlier ones, as JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[tuple[int, int], Outcome] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text().splitlines():
                with suppress(ValueError, TypeError):  # cut short when a run was stopped
                    self._enter(Outcome(**json.loads(line)))
            self.outcomes = {k: o for k, o in self.outcomes.items() if not o.failure}
            self._append("")  # behind a line that was cut short

    def _enter(self, outcome: Outcome) -> None:
        self.outcomes[outcome.structure, outcome.contents] = outcome

    def _append(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{line}\n")

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome."""
        self._enter(outcome)
        self._append(json.dumps(asdict(outcome)))


def main() -> int:
    """Run the configurations that have no result yet; return 1 if any failed."""
    options = options_of(
        __doc__,
        count={"type": int, "default": 5000, "help": "configurations in all"},
        contents={"type": int, "default": 20, "help": "of each structure"},
        first_structure={"type": int, "default": 0, "help": "seed"},
        jobs={"type": int, "default": os.cpu_count(), "help": "processes"},
        folder={"type": Path, "default": ROOT / "build" / "random_chips"},
    )
    tools = versions("amaranth", "verilator")
    print_versions(tools)
    if not available():
        console.print(f"[yellow]golden in C left out: {why_not()}")
    kept = Kept(options.folder / f"{_sources_digest(tools)}.jsonl")
    wanted = [
        (options.first_structure + number // options.contents, number % options.contents)
        for number in range(options.count)
    ]
    found = sum(key in kept.outcomes for key in wanted)
    console.print(f"{found} of {options.count} are kept in {kept.path}", highlight=False)
    began = time.perf_counter()
    try:
        _run(wanted, kept, options.jobs)
    except KeyboardInterrupt:
        console.print("interrupted: the same command goes on")
        return 1
    outcomes = [kept.outcomes[key] for key in wanted]
    totals = {
        "structures": len({outcome.structure for outcome in outcomes}),
        "configurations": len(outcomes),
        "of them now": len(outcomes) - found,
        "spikes": sum(outcome.spikes for outcome in outcomes),
        "states": sum(outcome.states for outcome in outcomes),
        "golden in C": available(),
        "seconds": round(time.perf_counter() - began, 1),
    }
    failures = [asdict(outcome) for outcome in outcomes if outcome.failure]
    rows = table(outcomes)
    for row in rows:
        console.print(row, highlight=False, markup=False, soft_wrap=True)
    console.print("  ".join(f"{name} {value}" for name, value in totals.items()))
    console.print(f"{len(failures)} failed")
    write_json(options.json, {"versions": tools, **totals, "table": rows, "failures": failures})
    return int(bool(failures))


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a table in Markdown: by what chips are, configurations, spikes, and failures.

    A chip whose cores differ counts for each of them.
    """
    sums: dict[tuple[str, str], list[int]] = {}
    for outcome in outcomes:
        for kind, values in {"all": [""], **outcome.kinds}.items():
            for value in values:
                counts = sums.setdefault((kind, value), [0, 0, 0])
                for place, more in enumerate((1, outcome.spikes, bool(outcome.failure))):
                    counts[place] += more
    rows = ["| kind | | configurations | spikes | failed |", "| --- | --- | --: | --: | --: |"]
    for (kind, value), counts in sorted(sums.items()):
        rows.append(f"| {kind} | {value} | {' | '.join(f'{n:,}' for n in counts)} |")
    return rows


def kinds_of(chip: ChipParams) -> dict[str, list[str]]:
    """Return what a chip is, by question; for its cores, what any of them is."""
    cores = chip.cores
    parts = chip.chip_columns * chip.chip_rows
    found: dict[str, Iterable[object]] = {
        "cores": [len(cores)],
        "neuron": [core.neuron.name for core in cores],
        "learning": ["yes" if core.learning else "no" for core in cores],
        "synapses": [core.synapses for core in cores],
        "weights": [core.weight_format for core in cores],
        "weight memory": [core.weight_memory for core in cores],
        "topology": [chip.topology],
        "multicast": ["yes" if chip.multicast else "no"],
        "parts": ["1" if parts == 1 else "several"],
    }
    return {kind: sorted({str(value) for value in values}) for kind, values in found.items()}


def _sources_digest(tools: dict[str, str]) -> str:
    """Return a digest of all that results depend on."""
    state = hashlib.sha256(json.dumps(tools).encode())
    for folder in _SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".c", ".cpp") and not path.name.startswith(_NOT_SOURCES):
                state.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    state.update(Path(__file__).read_bytes())
    return state.hexdigest()[:16]


def _run(wanted: list[tuple[int, int]], kept: Kept, jobs: int) -> None:
    """Run what is wanted and not kept, a structure at a time."""
    left: dict[int, list[int]] = {}
    for structure, contents in wanted:
        if (structure, contents) not in kept.outcomes:
            left.setdefault(structure, []).append(contents)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[failed]} failed"))
    with (
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress,
        multiprocessing.get_context("spawn").Pool(
            max(1, min(jobs, len(left))), maxtasksperchild=_CHIPS_PER_PROCESS
        ) as pool,
    ):
        total, done, failed = len(wanted), len(wanted) - sum(map(len, left.values())), 0
        task = progress.add_task("configurations", total=total, completed=done, failed=0)
        for number, outcomes in enumerate(pool.imap_unordered(_of_structure, left.items()), 1):
            for outcome in outcomes:
                kept.add(outcome)
                if outcome.failure:
                    failed += 1
                    where = f"structure {outcome.structure}, contents {outcome.contents}"
                    console.print(f"[red]{where}: {outcome.failure}", highlight=False)
            done += len(outcomes)
            progress.update(task, completed=done, failed=failed)
            if not console.is_terminal and number % 5 == 0:
                console.print(f"{done} of {total} configurations, {failed} failed")


def _of_structure(given: tuple[int, list[int]]) -> list[Outcome]:
    """Verilate a chip, and run contents in it; an error fails all that are left."""
    structure, left = given
    outcomes: list[Outcome] = []
    try:
        for outcome in _outcomes(structure, left):
            outcomes.append(outcome)
    except Exception as error:  # one structure must not cost the others
        text = f"{type(error).__name__}: {error}"
        failed = partial(Outcome, structure, failure=text)
        outcomes += [failed(contents=contents) for contents in left[len(outcomes) :]]
    return outcomes


def random_structure(structure: int) -> ChipParams:
    """Return the chip of a seed; every other learns."""
    rng = np.random.default_rng(structure)
    return random_plastic_chip(rng) if structure % 2 else random_chip(rng)


def _outcomes(structure: int, left: Iterable[int]) -> Iterator[Outcome]:
    chip = random_structure(structure)
    kinds = kinds_of(chip)
    design = Design(to_verilog(whole_chip(chip), "chip"))
    with VerilatedChip(chip, design, optimise="build") as engine:
        engine.library.unlink(missing_ok=True)  # it is loaded; hundreds would fill the disk
        for contents in left:
            yield _compared(engine, structure, contents, kinds)


def _compared(
    engine: VerilatedChip, structure: int, contents: int, kinds: dict[str, list[str]]
) -> Outcome:
    """Run one configuration on all engines."""
    chip, rng = engine.chip, np.random.default_rng([structure, contents])
    image, events = random_plastic_image(rng, chip), random_events(rng, chip)
    reward = random_reward(rng, chip, events.samples, events.ticks)
    given: dict[str, Any] = {"record": _RECORD, "reward": reward}
    expected = GoldenChip(chip, image, backend="numpy").run(events, **given)
    engine.load(image)
    traces = {"RTL": engine.run(events, **given)}
    if available():
        native = GoldenChip(chip, image, backend="native")
        traces["golden in C"] = native.run(events, **given)
    differences = {name: trace.first_difference(expected) for name, trace in traces.items()}
    failure = "; ".join(f"{name} to numpy: {d}" for name, d in differences.items() if d)
    return Outcome(
        *(structure, contents, kinds),
        spikes=sum(int(fired.sum()) for fired in expected.spikes or []),
        states=sum(v.size for core in expected.states or [] for v in core.values()),
        failure=failure,
    )


if __name__ == "__main__":
    run(main)
