"""Sections of the report that are files of their own, and the report as JSON."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.network.limits import PlacementLimits
from spikelet.reports import classes_section, picker_section, sections
from spikelet.reports.report_json import REPORT_JSON, as_json
from spikelet.reports.section import Parts, Section
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples
from tests.helpers.networks import chain, spikes
from tests.reports.test_report import Page, bare, fpga_report, golden_run, verification


@pytest.fixture(scope="module")
def parts() -> Parts:
    compiled = compile_network(chain([16, 12, 3]), limits=PlacementLimits(max_neurons=8, lanes=4))
    samples = Samples(spikes(5, 6, 16), np.array([0, 1, 2, 0, 1]))
    run = Run(compiled, golden_run(compiled, samples))
    return Parts(compiled, samples, run, "count", 3, [])


@pytest.fixture(scope="module")
def written(parts: Parts, tmp_path_factory: Any) -> tuple[Page, dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("sections") / "report"
    page = bare(
        folder,
        parts.compiled,
        samples=parts.samples,
        trace=parts.run.recording if parts.run else None,
        verification=verification(parts.compiled),
        fpga=[
            fpga_report(image="self-test"),
            fpga_report(board="", bitstream=""),
            fpga_report(board="My board"),
        ],
        sample=3,
        guidance={"iCEBreaker": ["look at LED 6"]},
        files=[Path("../rtl/a b.v"), Path("../rtl/#c.v"), Path("../compiled/network.npz")],
    )
    return page, json.loads((folder / REPORT_JSON).read_text())


def test_confusion(parts: Parts, written: tuple[Page, dict[str, Any]]) -> None:
    assert parts.run and parts.samples and parts.samples.labels is not None
    found, labels = parts.run.classify(), parts.samples.labels
    page, told = written
    content = told["sections"]["confusion"]
    expected = [[0] * 4 for _ in range(3)]
    for label, guess in zip(labels, found, strict=True):
        expected[label][guess if guess >= 0 else 3] += 1
    assert content["matrix"] == expected
    assert content["correct"] == int((found == labels).sum()) < 5
    wrong = [n for n in range(5) if found[n] != labels[n]]
    assert [row["sample"] for row in content["wrong"]] == wrong
    votes = parts.run.votes()
    assert [row["votes_label"] for row in content["wrong"]] == [votes[n, labels[n]] for n in wrong]
    table = page.tables["confusion-matrix"]
    assert table[0] == ["Label", "0", "1", "2", "none"]
    assert table[1:] == [[str(n), *map(str, row)] for n, row in enumerate(expected)]
    assert [int(row[0]) for row in page.tables["misclassified"][1:]] == wrong


def test_labels_beyond_the_outputs_and_silent_samples(parts: Parts) -> None:
    samples = Samples(np.zeros((2, 6, 16), np.uint8), np.array([4, 0]))
    silent = replace(
        parts, samples=samples, run=Run(parts.compiled, golden_run(parts.compiled, samples))
    )
    content = classes_section.content(silent)
    assert content and content["classes"] == 5
    assert content["wrong"][0]["label"] == 4 and content["wrong"][0]["votes_label"] is None
    found = silent.run.classify() if silent.run else []
    assert content["matrix"][4][5] == (found[0] == -1)


def test_without_labels_or_a_run(parts: Parts, tmp_path: Path) -> None:
    assert parts.samples
    assert classes_section.content(replace(parts, run=None)) is None
    assert classes_section.content(replace(parts, samples=Samples(parts.samples.spikes))) is None
    assert picker_section.content(replace(parts, run=None)) is None
    page = bare(tmp_path, parts.compiled)
    assert {"weights", "glossary"} <= set(
        json.loads((tmp_path / REPORT_JSON).read_text())["sections"]
    )
    for left in ("confusion", "samples", "program", "files"):
        assert f'id="{left}"' not in page.html and f'href="#{left}"' not in page.html


def test_the_picker(
    parts: Parts, written: tuple[Page, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parts.run and parts.samples
    page, told = written
    content = told["sections"]["samples"]
    assert [s["sample"] for s in content["samples"]] == [3, 0, 1, 2, 4]
    for shown in content["samples"]:
        for layer, name in zip(shown["layers"], ("input", "p0", "p1"), strict=True):
            whole = parts.samples.spikes if name == "input" else parts.run.spikes(name)
            raster = np.zeros(whole.shape[1:], bool)
            raster[tuple(np.transpose(layer["spikes"]))] = True
            assert layer["name"] == name and np.array_equal(raster, whole[shown["sample"]] > 0)
    marks = sum(value.count("M") for _, name, value in page.attributes if name == "d")
    assert marks == sum(len(la["spikes"]) for s in content["samples"] for la in s["layers"]) > 100
    first = sum(len(layer["spikes"]) for layer in content["samples"][0]["layers"])
    monkeypatch.setattr(picker_section, "MOST_SPIKES", first)
    fewer = picker_section.content(parts)
    assert fewer and [s["sample"] for s in fewer["samples"]] == [3]
    monkeypatch.setattr(picker_section, "MOST_SPIKES", first - 1)
    assert picker_section.content(parts) is None


def test_weights(parts: Parts, written: tuple[Page, dict[str, Any]]) -> None:
    page, told = written
    rows = told["sections"]["weights"]["projections"]
    for row, p in zip(rows, parts.compiled.network.projections, strict=True):
        weights = np.asarray(p.weights)
        assert row["nonzero"] == np.count_nonzero(weights) and row["shape"] == list(weights.shape)
        assert (row["low"], row["high"]) == (weights.min(), weights.max())
    assert page.tables["weights-table"][1][0] == f"{rows[0]['source']} → {rows[0]['target']}"
    assert 'alt="Weights from input to p0 as an image, and their histogram"' in page.html


def test_programming_and_files(written: tuple[Page, dict[str, Any]]) -> None:
    page, told = written
    board = told["sections"]["program"]["boards"][0]
    assert board["command"] == "spikelet program FOLDER iCEBreaker --image self-test"
    assert board["command"] in page.html and board["look"] == ["look at LED 6"]
    assert "look at LED 6" in page.text
    (unknown,) = told["sections"]["program"]["boards"][1:]
    assert unknown["command"].endswith(" 'My board'") and unknown["look"] == []
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    relative = [link for link in links if not link.startswith("#")]
    assert relative == ["../compiled/network.npz", "../rtl/%23c.v", "../rtl/a%20b.v"]


def test_json_says_what_the_page_says(written: tuple[Page, dict[str, Any]]) -> None:
    page, told = written
    assert told["verdict"]["title"] in page.text
    assert told["verification"]["engines"][1]["cycles"] == 125.0
    assert told["fpga"][0]["routed"]["seeds"] == {"1": 0.0, "2": 50.0}
    assert [row["name"] for row in told["quantisation"]] == ["p0", "p1"]
    assert [[w, v] for w, v in page.tables["provenance"]] == told["provenance"]
    assert json.loads(as_json({"a": np.int64(3), "b": float("inf"), "c": (np.float32(0.5),)})) == {
        **{"a": 3, "b": None, "c": [0.5]}
    }


def test_a_section_of_ones_own(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Section(
        "glossary-2", "Own <words>", "glossary_section.html.j2", lambda _: {"terms": {"x": "y"}}
    )
    with sections.registered(own):
        page = bare(tmp_path, parts.compiled)
        with pytest.raises(SpikeletError, match="section 'glossary-2' cannot be registered"):
            sections.registered(own).__enter__()
    assert "Own <words>" in page.text and 'href="#glossary-2"' in page.html
    told = json.loads((tmp_path / REPORT_JSON).read_text())
    assert told["sections"]["glossary-2"] == {"terms": {"x": "y"}}
    assert own not in sections.SECTIONS
