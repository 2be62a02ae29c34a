"""A project folder: nothing in it is taken for what it is not."""

import html
import json
import re
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner

from spikelet import project as module
from spikelet import project_records, project_report
from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact
from spikelet.fpga.flow import REPORT
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.runs import engines, verification_files
from spikelet.runs.wanted import CHIP_VERILOG, MADE_OF, Wanted
from spikelet.samples.samples import Samples, load_samples
from tests.helpers.networks import chain, integrator, sink, source, spikes, write
from tests.reports.test_report import Page, fpga_report

VERIFIED = "Every spike, state of a neuron and counter equals the golden model's"


@pytest.fixture(autouse=True)
def golden_as_rtl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let golden run in the place of the RTL, which other tests compare with it."""

    golden = engines.engine_named("golden")
    netlists = engines.netlist_engines()

    def run(engine: str, wanted: Wanted) -> Any:
        trace, state = golden.run(wanted)
        trace.engine = engine
        trace.notes[MADE_OF] = {CHIP_VERILOG: f"verilog of {wanted.compiled.chip.digest}"}
        return trace, state

    rtl = replace(engines.engine_named("rtl"), run=partial(run, "rtl"))
    monkeypatch.setitem(engines._ENGINES, "rtl", rtl)
    runs = {name: replace(netlists[name], run=partial(run, name)) for name in netlists}
    monkeypatch.setattr(engines, "netlist_engines", lambda: runs)

    def files(compiled: CompiledNetwork, *_: Any) -> tuple[str, dict[str, bytes]]:
        return "", {"chip.v": b"", f"{compiled.name}.core": b""}

    monkeypatch.setattr(module, "chip_files", files)
    monkeypatch.setattr(module, "digest_of", lambda *_: "of no concern")


def compiled(seed: int = 0, lanes: int = 4, **fields: Any) -> CompiledNetwork:
    limits = PlacementLimits(max_neurons=8, lanes=lanes)
    return compile_network(chain([16, 8, 3], seed=seed, **fields), limits=limits)


SAMPLES = Samples(spikes(5, 6, 16), np.array([0, 1, 2, 0, 1]))


def renewed(old: Any) -> list[str]:
    return [item.what for item in old]


def page_of(project: Project) -> Page:
    return Page(project.report()[0])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A verified network, of chip contents and Verilog that do not matter here."""
    project = Project(tmp_path / "p", "spikelet verify p s.npz")
    assert project.save(compiled()) == []
    rtl = Artefact.load(project.folder / "rtl")
    assert rtl is not None
    project.verify(SAMPLES, ("rtl",))
    return project


@pytest.fixture(autouse=True)
def same_verilog(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is simulated is the Verilog that compile leaves."""
    present = project_records.present_digests

    def with_verilog(folder: Path, network: CompiledNetwork) -> dict[str, str]:
        found = present(folder, network)
        return {**found, CHIP_VERILOG: f"verilog of {network.chip.digest}"}

    for user in (project_records, project_report):
        monkeypatch.setattr(user, "present_digests", with_verilog)


def test_a_network_trained_again_hides_what_was_verified(project: Project) -> None:
    page = page_of(project)
    assert VERIFIED in page.text and page.verdict == "verdict pass"
    old = project.save(compiled(seed=1))
    assert renewed(old) == ["golden run", "verification of rtl"]
    assert "chip contents was" in old[0].reasons[0]
    assert old[1].command == "spikelet verify p s.npz"
    written, again = project.report()
    assert again == old
    page = Page(written)
    assert VERIFIED not in page.text and "Not verified yet" in page.text
    assert "accuracy" not in page.tables and "equality" not in page.tables
    assert "Out of date, and not shown" in page.text
    assert "Renew it: spikelet verify p s.npz" in page.text
    assert not (written.parent / "raster.png").exists(), "a picture of the other network"
    assert project.save(compiled()) == [], "the first network's results are its own again"
    assert VERIFIED in page_of(project).text


def test_figures_of_another_chip_are_not_shown(project: Project) -> None:
    folder = project.folder / "fpga" / "iCEBreaker"
    folder.mkdir(parents=True)
    report = fpga_report()
    (folder / REPORT).write_text(json.dumps(report.to_dict()))
    inputs = {"chip structure": project.load().chip.digest}
    made = Artefact("FPGA build for iCEBreaker", inputs, command="spikelet build p iCEBreaker")
    made.seal(folder)
    assert "50.0 MHz" in page_of(project).text.replace("\N{NO-BREAK SPACE}", " ")
    old = project.save(compiled(lanes=8))
    assert "FPGA build for iCEBreaker" in renewed(old)
    text = page_of(project).text
    assert "Not built yet" in text and "50.0 MHz" not in text
    assert "Renew it: spikelet build p iCEBreaker" in text


def test_verify_leaves_the_compiled_network_alone(project: Project) -> None:
    before = {p.name: p.read_bytes() for p in (project.folder / "compiled").iterdir()}
    project.verify(SAMPLES, ("rtl",))
    assert before == {p.name: p.read_bytes() for p in (project.folder / "compiled").iterdir()}


def test_a_run_on_fewer_samples_changes_nothing_of_the_report(project: Project) -> None:
    before = page_of(project)
    project.run(SAMPLES.first(2))
    after = page_of(project)
    assert after.tables == before.tables and "Sample 0 of 5" in after.text
    assert (project.run_file("golden")).exists()


def test_a_new_tool_voids_only_what_it_made(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = verification_files.engine_tools

    def newer(engine: str) -> dict[str, str]:
        return {**tools(engine), **({"verilator": "99"} if engine == "rtl" else {})}

    monkeypatch.setattr(verification_files, "engine_tools", newer)
    page, old = project.report()
    assert renewed(old) == ["verification of rtl"]
    assert any("verilator was" in reason and "is 99" in reason for reason in old[0].reasons)
    text = Page(page).text
    assert "Only the golden model has run" in text and "golden model (integer)" in text


def test_engines_on_other_samples_are_not_shown_side_by_side(project: Project) -> None:
    project.verify(SAMPLES.first(3), ())
    page, old = project.report()
    assert renewed(old) == ["verification of rtl"]
    assert "samples was" in old[0].reasons[0]
    assert [row[0] for row in Page(page).tables["equality"][1:]] == ["golden model"]


def test_files_that_were_changed_since(tmp_path: Path) -> None:
    network, samples = tmp_path / "n.nir", tmp_path / "s.npz"
    network.write_bytes(b"1")
    np.savez(samples, spikes=SAMPLES.spikes)
    project = Project(tmp_path / "p", "spikelet compile n.nir -o p")
    project.save(compiled(), network=network)
    project.verify(load_samples(samples), ("rtl",))
    assert project.out_of_date() == []
    np.savez(samples, spikes=SAMPLES.spikes[:3])
    assert renewed(project.out_of_date()) == ["golden run", "verification of rtl"]
    network.write_bytes(b"2")
    old = project.out_of_date()
    assert old[0].what == "compiled network" and old[0].command == "spikelet compile n.nir -o p"
    assert "network file was" in old[0].reasons[0]


def test_compile_removes_its_own_old_files_only(project: Project) -> None:
    (project.folder / "rtl" / "mine.v").write_text("")
    renamed = compiled()
    project.save(replace(renamed, network=replace(renamed.network, name="other")))
    names = {path.name for path in (project.folder / "rtl").iterdir()}
    assert names == {"artefact.json", "chip.v", "mine.v", "other.core"}


def test_no_spike_anywhere_is_no_proof(project: Project) -> None:
    silent = replace(SAMPLES, spikes=SAMPLES.spikes * 0, labels=np.zeros(5, np.int64))
    result = project.verify(silent, ("rtl",))
    assert not result.equal and not result.engines[1].equal
    assert result.engines[1].verdict == "nothing was compared: no neuron spiked in any sample"
    assert result.float_score is not None
    for score in (result.float_score, *(engine.score for engine in result.engines)):
        assert score is not None
        assert (score.accuracy, score.unclassified, score.ties) == (0, 5, 0)
    page = page_of(project)
    assert "Nothing was compared: no neuron spiked" in page.text and VERIFIED not in page.text
    assert page.verdict == "verdict open"
    row = page.tables["accuracy"][1]
    assert row[1:6] == ["0.0 %", "0", "5", "5", "0"]


def test_a_layer_that_never_spikes_is_in_the_verdict(tmp_path: Path) -> None:
    network = chain([16, 8, 3])
    last = replace(network.populations[1], parameters={"threshold": np.full(1, 30.0)})
    project = Project(tmp_path)
    mute = replace(network, populations=(network.populations[0], last))
    project.save(compile_network(mute, limits=PlacementLimits(max_neurons=8, lanes=4)))
    result = project.verify(SAMPLES, ("rtl",))
    assert result.equal
    assert result.engines[1].verdict.endswith("; layer p1 never spiked")
    assert any("'p1' never spiked, neither in the float network" in w for w in result.warnings)
    page = page_of(project)
    assert f"{VERIFIED}; layer p1 never spiked" in page.text
    assert "Worth a look" in page.text and "check its time constants" in page.text


def test_nothing_is_not_verified(project: Project) -> None:
    with pytest.raises(Exception, match="there must be 1 sample or more, not 0"):
        project.verify(Samples(SAMPLES.spikes[:0]), ("rtl",))


def test_the_page_says_how_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands, in another folder with the same files, give the digests that it prints."""
    monkeypatch.undo()
    nodes = {"in": source(6), "fc": nir.Linear(np.eye(4, 6)), "if": integrator(4, v_threshold=0.4)}
    shown = spikes(3, 5, 6)
    pages = []
    commands = [
        shlex.split(
            "compile n.nir -o p --neuron nir-euler --dt 1e-3 --lanes 2 --calibration s.npz "
            "--weight-bits 5 --no-multicast"
        ),
        ["verify", "p", "s.npz", "--count", "2", "--engine", "golden"],
        ["report", "p", "--sample", "1"],
    ]
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        write(Path("n.nir"), {**nodes, "out": sink(4)})
        np.savez("s.npz", spikes=shown, labels=[0, 1, 2])
        for command in commands:
            result = CliRunner().invoke(main, command, catch_exceptions=False)
            assert result.exit_code == 0, result.output
        page = Page(Path("p/report/index.html"))
        pages.append({row[0]: row[1] for row in page.tables["provenance"]})
        printed = re.search(r'<pre id="commands">(.*?)</pre>', page.html, re.DOTALL)
        assert printed is not None
        lines = html.unescape(printed[1]).strip().splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["spikelet", "compile"],
            ["spikelet", "verify"],
            ["spikelet", "report"],
        ]
        commands = [shlex.split(line)[1:] for line in lines]
    assert pages[0] == pages[1]
    assert {"Samples, SHA-256", "Samples file, SHA-256", "Float network, SHA-256"} < pages[0].keys()
    assert "--placement-seed" in commands[0] and "--lanes" in commands[0]
