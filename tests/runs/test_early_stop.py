"""Early stop from the command line and from Python: what is run, read, said and refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.run.recording import Recording
from spikelet.runs.early_stop import EarlyStop
from spikelet.runs.verification import EngineResult
from spikelet.samples.samples import Samples
from tests.helpers.networks import integrator, sink, source, spikes, write

TICKS = 10


def file(folder: Path, **more: Any) -> Path:
    """Write a network of two layers that hand each spike on in its tick."""
    nodes = {
        "input": source(2),
        "in": nir.Linear(np.eye(2) * 1.5),
        "hidden": integrator(2),
        "out": nir.Linear(np.eye(2) * 1.5),
        "cells": integrator(2),
        "output": sink(2),
    }
    return write(folder / "n.nir", nodes | more)


def relay(folder: Path) -> CompiledNetwork:
    return spikelet.compile(file(folder), "nir-euler", 1.0, limits={"early_stop": True})


def inputs() -> Samples:
    """Return 4 samples: first spikes of 1 in tick 3, of 0 in tick 0, of none, of 1 in the last."""
    found = np.zeros((4, TICKS, 2), np.uint8)
    found[0, 3:, 1] = found[0, 5:, 0] = 1
    found[1, 0, 0] = found[1, 1:, 1] = 1
    found[3, -1, 1] = 1
    return Samples(found, np.array([1, 0, 0, 1]))


@pytest.mark.parametrize("engine", ["golden", "rtl"])
def test_ticks_that_are_run_and_read(engine: str, tmp_path: Path) -> None:
    """By hand: outputs leave two ticks later, and hidden neurons are read as far as outputs are."""
    compiled, samples = relay(tmp_path), inputs()
    latency = compiled.output_latency
    record = ("spikes", "states")
    found = spikelet.run(compiled, samples, engine, early_stop=True, record=record)
    assert latency == 1 and found.recording.ends().tolist() == [5, 2, 11, 11]
    assert found.lengths is not None and found.lengths.tolist() == [4, 1, 10, 10]
    whole = spikelet.run(compiled, samples, "golden", record=record)
    assert found.classify("first").tolist() == whole.classify("first").tolist() == [1, 0, -1, 1]
    assert found.output_counts().tolist() == [[0, 1], [1, 0], [0, 0], [0, 1]]
    assert found.spikes("hidden").sum(axis=(1, 2)).tolist() == [1, 1, 0, 1]
    for sample, end in enumerate((4, 1, 10, 10)):
        for name in ("hidden", "cells"):
            assert np.array_equal(
                found.spikes(name)[sample, :end], whole.spikes(name)[sample, :end]
            )
        assert not found.recording.outputs[sample, end + latency :].any()
        assert not found.recording.active_axons[sample, end + latency :].any()


def test_lengths_end_samples_before(tmp_path: Path) -> None:
    """Padding has no spike that counts, though the chip goes on in it."""
    compiled, samples = relay(tmp_path), inputs()
    short = samples.spikes.copy()
    short[0, 3:] = 0
    cut = Samples(short, samples.labels, lengths=np.array([3, 10, 5, 10]))
    found = spikelet.run(compiled, cut, early_stop=True)
    assert found.lengths is not None and found.lengths.tolist() == [3, 1, 5, 10]
    assert found.classify("first").tolist() == [-1, 0, -1, 1]


def said(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def fields(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(main, [*map(str, arguments), "--json"], catch_exceptions=False)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_commands(tmp_path: Path) -> None:
    """Verified on RTL; means and what is saved are said; nothing else changes."""
    compiled, samples, project = relay(tmp_path), inputs(), tmp_path / "project"
    np.savez(tmp_path / "s.npz", spikes=samples.spikes, labels=samples.labels)
    options = ("--neuron", "nir-euler", "--dt", "1")
    said("compile", tmp_path / "n.nir", "-o", project, *options, "--early-stop")
    asked = (project, tmp_path / "s.npz", "--decode", "first")
    found = fields("verify", *asked, "--early-stop")
    golden, rtl = found["engines"]
    latency = compiled.output_latency
    ran = {"stopped": 3, "samples": 4, "mean_ticks": 6.25 + latency, "all_ticks": 10 + latency}
    assert found["equal"] and "ticks_run" in rtl["compared"]
    for engine in (golden, rtl):
        saved = engine["early_stop"].pop("saved")
        assert engine["early_stop"] == ran and saved == pytest.approx(3.75 / (10 + latency))
    assert golden["accuracy"] == rtl["accuracy"] == 0.75
    words = (
        f"3 of 4 samples stopped at their first output spike, after {6.25 + latency:,.1f} of "
        f"{10 + latency:,.1f} ticks a sample: {3.75 / (10 + latency):.1%} saved"
    )
    assert f"rtl: {words}" in said("run", *asked, "--early-stop", "--engine", "rtl")
    kept = Recording.load(project / "runs" / "rtl" / "recording.npz")
    assert kept.ends().tolist() == [4 + latency, 1 + latency, 10 + latency, 10 + latency]
    page = project / "report" / "index.html"
    said("report", project)
    assert words in page.read_text()
    plain = fields("verify", *asked)
    assert plain["equal"] and "early_stop" not in plain["engines"][1]
    assert plain["engines"][0]["score"] == golden["score"]
    assert plain["engines"][1]["cycles"] > rtl["cycles"] > 0


def test_results_are_kept() -> None:
    stop = EarlyStop(3, 4, 8.25, 12.0)
    result = EngineResult("rtl", 4, 12, [], None, None, 1.0, 1.0, 1.0, [], True, stop)
    fields = json.loads(json.dumps(result.to_dict()))
    assert EngineResult.from_dict(fields) == result and result.mean_ticks == 8.25
    plain = replace(result, early_stop=None)
    assert "early_stop" not in plain.to_dict()
    assert EngineResult.from_dict(plain.to_dict()) == plain and plain.mean_ticks == 12


def test_what_is_refused(tmp_path: Path) -> None:
    compiled, samples = relay(tmp_path), inputs()
    np.savez(tmp_path / "s.npz", spikes=samples.spikes, labels=samples.labels)
    plain, able = tmp_path / "plain", tmp_path / "able"
    options = ("--neuron", "nir-euler", "--dt", "1")
    said("compile", tmp_path / "n.nir", "-o", plain, *options)
    said("compile", tmp_path / "n.nir", "-o", able, *options, "--early-stop")
    asked = (tmp_path / "s.npz", "--early-stop")
    for command in ("run", "verify"):
        text = said(command, able, *asked, status=1)
        assert "decoder 'count' needs all ticks" in text and "--decode first" in text
        text = said(command, plain, *asked, "--decode", "first", status=1)
        assert "no early stop" in text and "compile the network with --early-stop" in text
    cocotb = ("--decode", "first", "--engine", "cocotb-icarus")
    text = said("verify", able, *asked, *cocotb, status=1)
    assert "cocotb-icarus runs all ticks" in text
    with pytest.raises(SpikeletError, match="early stop: each sample must start from a cleared"):
        spikelet.run(compiled, samples.first(1), early_stop=True, clear=False)
    with pytest.raises(SpikeletError, match="early_stop must be true or false, not 1"):
        spikelet.compile(file(tmp_path), "nir-euler", 1.0, limits={"early_stop": 1})


def test_networks_that_are_refused(tmp_path: Path) -> None:
    """Outputs at two depths, outputs that are potentials, and layers that learn."""
    edges = [("input", "in"), ("in", "hidden"), ("hidden", "out"), ("out", "cells")]
    edges += [("cells", "output"), ("hidden", "second")]
    two = {"second": sink(2)}
    nodes: dict[str, Any] = {
        "input": source(2),
        "in": nir.Linear(np.eye(2) * 1.5),
        "hidden": integrator(2),
        "out": nir.Linear(np.eye(2) * 1.5),
        "cells": integrator(2),
        "output": sink(2),
    }
    shown = spikes(2, 5, 2)
    limits = {"early_stop": True}
    deep = spikelet.compile(
        write(tmp_path / "two.nir", nodes | two, edges), "nir-euler", 1.0, limits=limits
    )
    with pytest.raises(SpikeletError, match="at different depths"):
        spikelet.run(deep, shown, early_stop=True)
    read = nodes | {"cells": nir.LI(np.full(2, 2.0), np.ones(2), np.zeros(2))}
    reads = spikelet.compile(write(tmp_path / "li.nir", read), "nir-euler", 1.0, limits=limits)
    with pytest.raises(SpikeletError, match="'cells' is a potential, and never spikes"):
        spikelet.run(reads, shown, early_stop=True)
    rule = LearningRule("dw = x0", w_min=0, w_max=7)
    plastic = spikelet.compile(
        file(tmp_path), "nir-euler", 1.0, limits=limits, plastic={"cells": rule}
    )
    with pytest.raises(SpikeletError, match="would have learned from ticks") as caught:
        spikelet.run(plastic, inputs(), early_stop=True)
    assert "--no-learning" in caught.value.remedy
    still = spikelet.run(plastic, inputs(), early_stop=True, learning=False)
    assert still.lengths is not None and still.lengths.tolist() == [4, 1, 10, 10]
