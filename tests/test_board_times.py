"""The benchmark of the boards: whose time counts for what, and that it goes on."""

import json
from pathlib import Path

import pytest

from benchmarks import boards
from benchmarks.boards import Built, Step, Stopwatch, measured
from spikelet.boards import ICEBREAKER
from spikelet.description.errors import SpikeletError
from spikelet.fpga.flow import FpgaReport
from spikelet.fpga.place_and_route import Clock, Routed
from spikelet.fpga.tools import Progress
from spikelet.images.image import BoardImage

BUILT = Built(ICEBREAKER.name, "self-test", 8, 24.0)


def _routed(seed: int, mhz: float) -> Routed:
    return Routed(seed, {seed: mhz}, {}, {}, (Clock("clk", mhz, 24.0),), ())


class _Flow:
    """A flow that takes seconds of a clock of its own, and tells of them as the flow does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, missed: int = 0) -> None:
        self.time, self.missed = 0.0, missed
        self.calls: list[str] = []
        monkeypatch.setattr(boards, "_now", lambda: (self.time / 2, self.time))
        monkeypatch.setattr(boards, "_prepare", lambda *_: None)
        monkeypatch.setattr(boards, "build_bitstream", self.build)
        monkeypatch.setattr(boards, "place_and_route", self.place)
        self.image = BoardImage(self.verilog, ("clk",), None)  # type: ignore[arg-type]

    def verilog(self) -> str:
        self.time += 2
        return "the design"

    def build(
        self, verilog: str, *rest: object, progress: Progress, **options: object
    ) -> FpgaReport:
        folder = rest[2]
        assert isinstance(folder, Path) and options["seeds"] == range(1, 5)
        report = FpgaReport("top", "", "", 24.0, {}, (), _routed(1, 30.0), False, "design.bin")
        if folder.exists():
            progress("top for ICE40UP5K-SG48: nothing has changed, kept it")
            return report
        self.calls.append("build")
        progress("top: synthesis for ICE40UP5K-SG48")
        self.time += 20
        progress("nextpnr-ice40: Packing constants..")
        self.time += 50
        progress("nextpnr-ice40: Routing..")
        self.time += 50
        progress("seed 1: 30.0 MHz")
        if self.missed:
            raise SpikeletError("top reaches 30.0 MHz", remedy="another --clock")
        progress("top: packing the bitstream")
        self.time += 4
        folder.mkdir(parents=True)
        for name in ("netlist.json", "pins.pcf"):
            (folder / name).write_text("")
        return report

    def place(
        self, *rest: object, seeds: tuple[int, ...], progress: Progress, **_: object
    ) -> Routed:
        (seed,) = seeds
        self.calls.append(f"seed {seed}")
        progress("nextpnr-ice40: Routing..")
        self.time += 80
        if seed == 3:
            progress("seed 3: not placed or routed: it is stuck")
            raise SpikeletError("it is stuck")
        progress(f"seed {seed}: 31.0 MHz")
        return _routed(seed, 31.0)


def test_each_step_has_its_own_time_and_further_seeds_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = _Flow(monkeypatch)
    found = measured(BUILT, flow.image, ICEBREAKER, tmp_path, (1, 2))
    assert found.steps == {
        "Verilog": Step(1, 2),
        "synthesis": Step(10, 20),
        "seed 1": Step(50, 100),
        "packing": Step(2, 4),
        "seed 2": Step(40, 80),
    }
    assert found.seconds == Step(63, 126)
    assert found.seeds == {1: 30.0, 2: 31.0}
    assert found.reached


def test_what_is_finished_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = _Flow(monkeypatch)
    first = measured(BUILT, flow.image, ICEBREAKER, tmp_path, (1,))
    again = measured(BUILT, flow.image, ICEBREAKER, tmp_path, (1, 2))
    assert flow.calls == ["build", "seed 2"]
    assert again.seconds == first.seconds
    (tmp_path / "measured.json").unlink()
    measured(BUILT, flow.image, ICEBREAKER, tmp_path, (1,))
    assert flow.calls == ["build", "seed 2", "build"]  # a build without its times is none


def test_a_seed_that_is_not_routed_misses_the_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(BUILT, _Flow(monkeypatch).image, ICEBREAKER, tmp_path, range(1, 5))
    assert found.seeds == {1: 30.0, 2: 31.0, 3: 0.0, 4: 31.0}
    assert found.steps["seed 3"] == Step(40, 80)
    assert not found.reached
    kept = json.loads((tmp_path / "measured.json").read_text())
    assert Built.from_dict(kept) == found


def test_a_board_that_cannot_be_built_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(BUILT, _Flow(monkeypatch, missed=1).image, ICEBREAKER, tmp_path, (1,))
    assert "reaches 30.0 MHz" in found.problem and not found.reached
    assert list(found.steps) == ["Verilog", "synthesis", "seed 1"]
    assert not (tmp_path / "measured.json").exists()


def test_too_long_is_a_goal_missed() -> None:
    long = {"seed 1": Step(601, 601)}
    steps = Built("", "", 8, 24.0, steps=long, to_bitstream=["seed 1"], seeds={1: 30.0})
    assert not steps.reached
    steps.steps["seed 1"] = Step(599, 9000)
    assert steps.reached


def test_the_stopwatch_says_which_build_a_line_is_of(capsys: pytest.CaptureFixture[str]) -> None:
    Stopwatch("ULX3S-12F, self-test").progress("top: packing the bitstream")
    assert "ULX3S-12F, self-test: top: packing the bitstream" in capsys.readouterr().out
