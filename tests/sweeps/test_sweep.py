"""Sweeps: the table, going on after every interruption, the doors, and every bad input."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikelet
from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.measures.measures import measured
from spikelet.measures.subject import Subject
from spikelet.sweeps import axes as axis_kinds
from spikelet.sweeps import measures as measure_kinds
from spikelet.sweeps import sweep as sweeps
from spikelet.sweeps.axis import Axis, Settings, Value
from spikelet.sweeps.bench import Point
from spikelet.sweeps.kept import AXES_FILE, PICTURE, TABLE
from spikelet.sweeps.measures import Measured, SweptMeasure
from spikelet.targets import target_fit
from tests.sweeps.helpers import GRID, Here, task


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this thread measure: tests of processes are by themselves."""
    monkeypatch.setattr(sweeps, "Processes", Here)


def swept(folder: Path | None = None, **options: Any) -> spikelet.Sweep:
    network, samples = task()
    return spikelet.sweep(network, samples, options.pop("axes", GRID), folder=folder, **options)


def refusal(folder: Path | None = None, **options: Any) -> str:
    with pytest.raises(SpikeletError) as caught:
        swept(folder, **options)
    return str(caught.value)


def files(folder: Path) -> dict[str, bytes]:
    """Return what a finished sweep leaves, besides the lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_the_table_is_what_compile_and_run_say() -> None:
    network, samples = task()
    found = swept()
    assert [tuple(p.configuration.values()) for p in found.points][:3] == [
        *((2, 1, 3), (2, 1, 6), (2, 3, 3))
    ]
    for row in found.table:
        if row["lanes"] == 3:
            assert "lanes must be a power of two" in row["refusal"] and "accuracy" not in row
            continue
        limits = {"lanes": row["lanes"]}
        compiled = spikelet.compile(network, weight_bits=row["weight_bits"], limits=limits)
        cut = replace(samples, spikes=samples.spikes[:, : row["ticks"]])
        ran = spikelet.run(compiled, cut, record=("cycles",))
        assert row["accuracy"] == (ran.classify() == samples.labels).mean()
        assert row["cycles"] == ran.of_samples(ran.recording.cycles).sum(axis=1).mean()
        assert row["luts"] == target_fit(compiled, "LFE5U-85F").needed["luts"]
    assert {row["cycles"] for row in found.table if "cycles" in row}.__len__() > 1


def test_measures_of_reports_are_those_of_reports() -> None:
    network, samples = task()
    names = ["energy_estimate", "additions_per_multiplication", "spikes_per_inference"]
    found = swept(axes={"weight_bits": [2, 4]}, measures=names)
    for row in found.table:
        compiled = spikelet.compile(network, weight_bits=row["weight_bits"])
        ran = spikelet.run(compiled, samples)
        figures = measured(Subject(compiled, samples, ran))
        for name in names:
            assert row[name] == figures[name]["figures"][-1]["value"] > 0


def test_the_front_holds_what_nothing_beats() -> None:
    measures = (measure_kinds.MEASURES["accuracy"], measure_kinds.MEASURES["luts"])
    values = [(0.9, 10), (0.8, 5), (0.8, 6), (0.9, 12), (0.7, 5), (0.9, 10)]
    points = [
        Point({"n": i}, {"accuracy": a, "luts": n}) for i, (a, n) in enumerate(map(tuple, values))
    ]
    found = sweeps.front([*points, Point({"n": 9}, {}, refusal="none")], measures)
    assert [point.configuration["n"] for point in found] == [0, 5, 1]


@pytest.mark.parametrize("after", [1, 5])
def test_an_interrupted_sweep_ends_as_if_it_had_not_been(tmp_path: Path, after: int) -> None:
    whole, again = tmp_path / "whole", tmp_path / "again"
    swept(whole)
    seen: list[Point] = []

    def each(point: Point) -> None:
        seen.append(point)
        if len(seen) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(again, each=each)
    assert not (again / TABLE).exists()
    assert swept(again).resumed == after
    assert files(again) == files(whole)
    assert files(again)[PICTURE].startswith(b"\x89PNG") and AXES_FILE in files(again)
    assert swept(again).resumed == 8


def test_axes_may_get_more_values(tmp_path: Path) -> None:
    swept(tmp_path)
    found = swept(tmp_path, axes={**GRID, "weight_bits": [2, 3, 4]})
    assert found.resumed == 8 and len(found.points) == 12


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, full = tmp_path / "whole", tmp_path / "full"
    swept(whole)
    replaced = Path.replace

    def refused(path: Path, target: Path) -> Path:
        if len(list(full.glob("points/*.json"))) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", refused)
    said = refusal(full)
    assert "No space left on device" in said and "free space" in said
    assert len(list(full.glob("points/*"))) == 3, "nothing half-written"
    monkeypatch.undo()
    monkeypatch.setattr(sweeps, "Processes", Here)
    assert swept(full).resumed == 3 and files(full) == files(whole)


def test_a_damaged_result_is_measured_again(tmp_path: Path) -> None:
    swept(tmp_path)
    before = files(tmp_path)
    first, second, *_ = sorted(tmp_path.glob("points/*.json"))
    first.write_bytes(first.read_bytes()[:40])
    second.write_bytes(second.read_bytes().replace(b'"weight_bits": 2', b'"weight_bits": 4'))
    if second.read_bytes() == before[second.relative_to(tmp_path).as_posix()]:
        second.write_bytes(second.read_bytes().replace(b'"weight_bits": 4', b'"weight_bits": 2'))
    with pytest.warns(SpikeletWarning, match="damaged: measured again"):
        assert swept(tmp_path).resumed == 6
    assert files(tmp_path) == before


def test_the_folder_of_another_sweep_is_left_alone(tmp_path: Path) -> None:
    swept(tmp_path / "a")
    before = files(tmp_path / "a")
    network, samples = task()
    other = replace(samples, labels=(samples.labels + 1) % 4)
    with pytest.raises(SpikeletError, match="results of another sweep: samples was"):
        spikelet.sweep(network, other, GRID, folder=tmp_path / "a")
    assert "holds results of another sweep" in refusal(tmp_path / "a", measures=["luts"])
    assert "holds results of another sweep" in refusal(tmp_path / "a", target="LFE5U-25F")
    assert files(tmp_path / "a") == before
    Artefact("trials", {}, {}, {}).write(tmp_path / "b", {"trials.json": b"[]"})
    assert "holds no sweep but: trials" in refusal(tmp_path / "b")


def test_a_configuration_that_ends_its_workers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Here] = []

    class Killing(Here):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            kept.append(self)

        kills = staticmethod(lambda c: tuple(c.values()) == (4, 1, 3))

    monkeypatch.setattr(sweeps, "Processes", Killing)
    found = swept(tmp_path)
    failed = [point for point in found.points if point.failure]
    assert [tuple(p.configuration.values()) for p in failed] == [(4, 1, 3)]
    assert "ended 3 workers" in failed[0].failure
    assert kept[0].renewed == 4, "once with others, three times alone"
    monkeypatch.setattr(sweeps, "Processes", Here)
    assert swept(tmp_path).resumed == 7, "a failure is not kept"


def test_a_worker_of_another_version_ends_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikelet.sweeps import bench

    monkeypatch.setattr(bench, "versions", lambda: {"spikelet": "0.0.1"})
    said = refusal(tmp_path)
    assert "a worker has another version" in said and "spikelet 0.0.1 (here" in said
    assert not list(tmp_path.glob("points/*"))


@pytest.mark.parametrize("kind", [ZeroDivisionError, SpikeletError])
def test_a_failure_is_no_refusal(tmp_path: Path, kind: type[Exception]) -> None:
    """What may be put right is measured again, and does not end the sweep."""

    def broken(measured: Measured) -> float:
        raise kind("no")

    with measure_kinds.registered(SweptMeasure("broken", broken, "nothing")):
        found = swept(tmp_path, measures=["broken", "luts"])
        assert found.points[0].failure == f"{kind.__name__}: no"
        assert swept(tmp_path, measures=["broken", "luts"]).resumed == 4


def test_axes_and_measures_of_ones_own() -> None:
    def first(settings: Settings, _: str, value: Value) -> None:
        settings.ticks = int(value)

    def layers(measured: Measured) -> float:
        return float(len(measured.compiled.layers))

    with (
        axis_kinds.registered(Axis("first", first)),
        measure_kinds.registered(SweptMeasure("layers", layers, "layers")),
    ):
        found = swept(axes={"first": [1, 6]}, measures=["layers", "output_spikes"])
        for register in (
            axis_kinds.registered(Axis("first", first)),
            measure_kinds.registered(SweptMeasure("layers", layers, "")),
        ):
            with pytest.raises(SpikeletError, match="cannot be registered"), register:
                pass
    assert [point.values["layers"] for point in found.points] == [1, 1]
    assert found.points[0].values["output_spikes"] < found.points[1].values["output_spikes"]


def test_axes_of_a_layer_and_of_a_rule() -> None:
    found = swept(axes={"weight_bits.out": [2, 4], "placement_seed": [0]}, measures=["memory_bits"])
    assert found.points[0].values["memory_bits"] < found.points[1].values["memory_bits"]
    both = swept(axes={"weight_bits": [2], "weight_bits.out": [3]})
    assert "for all layers and for one" in both.points[0].refusal
    none = swept(axes={"rule.w_max": [3]}, measures=["luts"])
    assert "no learning rule" in none.points[0].refusal
    network, samples = task()
    rule = spikelet.LearningRule("x1 * y0", x1=spikelet.TraceParams(4, 2048), w_min=-8, w_max=7)
    plastic = spikelet.compile(network, plastic={"out": rule}).network
    found = spikelet.sweep(
        plastic, samples, {"rule.w_max": [7, 9], "rule.x1.increment": [1, 8], "rule.none": [1]}
    )
    assert all("has no 'none'" in point.refusal for point in found.points)
    grid: dict[str, list[Value]] = {"rule.w_max": [7, 9], "rule.x1.increment": [1, 200]}
    found = spikelet.sweep(plastic, samples, grid, measures=["output_spikes"])
    assert [bool(point.values) for point in found.points] == [True, True, False, False]
    assert "need 5 bits" in found.points[2].refusal


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"axes": {}}, "a sweep needs an axis"),
        ({"axes": {"bits": [1]}}, "there is no axis 'bits'"),
        ({"axes": {"lanes.out": [1]}}, "lanes is of the whole chip"),
        ({"axes": {"rule": [1]}}, "axis 'rule' must say of what"),
        ({"axes": {"lanes": []}}, "has no values"),
        ({"axes": {"lanes": 4}}, "needs several values"),
        ({"axes": {"lanes": [None]}}, "holds None"),
        ({"axes": {"lanes": [4, 4]}}, "has a value twice"),
        ({"axes": {"lanes": range(1001), "ticks": range(1001)}}, "are more than 1,000,000"),
        ({"measures": ["energy"]}, "there is no measure 'energy'"),
        ({"measures": []}, "a sweep needs a measure"),
        ({"target": "none"}, "none"),
        ({"on": "tcp://localhost:1", "workers": 2}, "processes of this machine"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], words: str) -> None:
    assert words in refusal(**options)


def test_samples_that_do_not_fit_are_refused_at_once() -> None:
    network, samples = task()
    with pytest.raises(SpikeletError, match="6"):
        spikelet.sweep(network, replace(samples, spikes=samples.spikes[:, :, :5]), GRID)
    with pytest.raises(SpikeletError, match="label"):
        spikelet.sweep(network, replace(samples, labels=samples.labels + 7), GRID)
    bare = replace(samples, labels=None)
    with pytest.raises(SpikeletError, match="no labels, which accuracy needs"):
        spikelet.sweep(network, bare, GRID, measures=["accuracy"])
    assert "accuracy" not in spikelet.sweep(network, bare, {"lanes": [1]}).table[0]


def test_values_of_no_type_that_there_is_make_no_chip() -> None:
    values: dict[str, list[Any]] = {"weight_bits": ["x"], "lanes": ["y"], "ticks": [6]}
    assert all(point.refusal for point in swept(axes=values).points)
    assert all(point.refusal for point in swept(axes={"ticks": [0, 7]}).points)


def test_numpys_numbers_are_numbers() -> None:
    found = swept(axes={"ticks": np.arange(1, 3)}, measures=["output_spikes"])
    assert json.dumps(found.to_dict()) and type(found.axes["ticks"][0]) is int
