"""The report: true numbers, nothing outside the page, what is missing, and what went wrong."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording
from spikelet.fpga.flow import FpgaReport
from spikelet.fpga.place_and_route import Clock, PathStep, Routed, Usage
from spikelet.fpga.synthesise import MemoryUse
from spikelet.golden import chip as golden_chip
from spikelet.network.limits import PlacementLimits
from spikelet.reports import report as module
from spikelet.reports import structure_plots
from spikelet.reports.report import THROUGHPUT, write_report
from spikelet.reports.report_json import REPORT_JSON
from spikelet.runs.agreement import LayerAgreement
from spikelet.runs.drift import Drift, drift
from spikelet.runs.run_result import Run
from spikelet.runs.throughput import throughput
from spikelet.runs.verification import EngineResult, Verification
from spikelet.samples.samples import Samples, Score
from tests.helpers.networks import branched, chain, spikes

COMPARED = ["outputs", "active_axons", "merged_spikes", "spikes", "states"]
DIFFERENCE = "spikes differ first at sample 3, tick 4, core 1, neuron 2: expected 1, got 0"
PNG = b"\x89PNG\r\n\x1a\n"


class Page(HTMLParser):
    """Tables by id as rows of cells, attributes of every tag, and all visible text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.pieces: list[str] = []
        self.stack: list[str] = []
        self.verdict = ""
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in found.items()]
        if tag not in ("meta", "img", "input"):
            self.stack.append(tag)
        if tag == "table":
            self.rows = self.tables.setdefault(found.get("id", ""), [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif found.get("id") == "verdict":
            self.verdict = found["class"]

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag, f"</{tag}> out of place"

    def handle_data(self, data: str) -> None:
        if "style" not in self.stack:
            self.pieces.append(data)
        if "td" in self.stack or "th" in self.stack:
            self.rows[-1][-1] += data.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    return compile_network(chain([16, 12, 3]), limits=PlacementLimits(max_neurons=8, lanes=4))


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(spikes(5, 6, 16), np.array([0, 1, 2, 0, 1]))


def golden_run(compiled: CompiledNetwork, samples: Samples) -> Recording:
    return golden_chip.run(
        compiled.chip,
        compiled.image,
        compiled.events(samples.spikes),
        record=("spikes", "states"),
        neurons=compiled.neurons,
    )


@pytest.fixture(scope="module")
def trace(compiled: CompiledNetwork, samples: Samples) -> Recording:
    return golden_run(compiled, samples)


def verification(compiled: CompiledNetwork, difference: str | None = None) -> Verification:
    scores = [Score(5, 4, 0, 1), Score(5, 3, 1, 1), Score(2, 1, 0, 0)]
    spiked: tuple[list[str], bool] = ([], True)
    engines = [
        EngineResult("golden", 5, 7, [], None, scores[0], 100.0, 2000.0, 0.1, *spiked),
        EngineResult("rtl", 5, 7, COMPARED, difference, scores[1], 125.0, 2000.0, 2.5, *spiked),
        EngineResult(
            "netlist-ice40", 2, 7, COMPARED[:3], None, scores[2], None, 1500.0, 9.0, *spiked
        ),
    ]
    layers = [
        LayerAgreement("p0", 40, 30, 20, 360, 12, 2, 9, 4),
        LayerAgreement("p1", 10, 10, 10, 90, 3, 0, 5),
    ]
    return Verification(compiled.chip.digest, Score(5, 2, 0, 0), engines, layers, [2, 4, 4])


def fpga_report(**fields: Any) -> FpgaReport:
    path = (
        PathStep(1.5, "clk-to-q", "chip.core_0.a_Q.Q", "chip.core_0.a_Q.Q"),
        PathStep(4.5, "routing", "chip.core_0.a_Q.Q", "chip.mesh.router_0_0.b_LUT.A"),
        PathStep(4.0, "logic", "chip.mesh.router_0_0.b_LUT.A", "chip.mesh.router_0_0.b_LUT.F"),
    )
    usage = {"luts": Usage(1320, 5280), "block_rams": Usage(3, 30)}
    clocks = (Clock("clk", 50.0, 12.0),)
    values: dict[str, Any] = {
        "top": "top",
        "board": "iCEBreaker",
        "device": "ICE40UP5K-SG48",
        "target_mhz": 12.0,
        "synthesised": {"luts": 1300},
        "memories": (
            MemoryUse("core_0.weights.bank_0", 32, 256, True, "ICE40_SPRAM"),
            MemoryUse("core_0.weights.bank_1", 32, 256, True, "ICE40_SPRAM"),
            MemoryUse("core_0.bitmap", 8, 4, True, "logic"),
        ),
        "routed": Routed(2, {1: 0.0, 2: 50.0}, usage, {}, clocks, path),
        "harnessed": False,
        "bitstream": "design.bin",
        "made": Artefact(
            "FPGA build",
            {"Verilog": "cd" * 32},
            tools={"pyosys": "0.70"},
            files={"design.bin": "ab" * 32},
        ),
    }
    return FpgaReport(**{**values, **fields})


def bare(folder: Path, compiled: CompiledNetwork, **parts: Any) -> Page:
    """Write a report of the given parts only."""
    nothing: dict[str, Any] = {"samples": None, "verification": None, "trace": None, "fpga": []}
    return Page(write_report(folder, compiled=compiled, **{**nothing, **parts}))


@pytest.fixture(scope="module")
def page(
    compiled: CompiledNetwork, samples: Samples, trace: Recording, tmp_path_factory: Any
) -> tuple[Path, Page]:
    folder: Path = tmp_path_factory.mktemp("report") / "new" / "folder"
    parts: dict[str, Any] = {
        "samples": samples,
        "trace": trace,
        "fpga": [fpga_report()],
        "sample": 3,
    }
    return folder, bare(folder, compiled, verification=verification(compiled), **parts)


def test_verdict_and_equality(page: tuple[Path, Page]) -> None:
    html = page[1]
    assert html.verdict == "verdict pass"
    # the netlist compared neither spikes nor potentials, so no more is claimed for all
    assert "✓ Every output spike and counter equals the golden model's" in html.text
    assert "netlist for iCE40: 2 samples of 7 ticks" in html.text
    reference, rtl, netlist = html.tables["equality"][1:]
    assert reference == ["golden model", "–", "reference", "5", "7", "0.1"]
    assert rtl[0] == "RTL" and rtl[2:] == ["✓ equal", "5", "7", "2.5"]
    assert rtl[1].startswith("spikes of every neuron, states of neurons, output spikes")
    assert netlist[1] == "output spikes, active axons, merged spikes"


def test_accuracy(page: tuple[Path, Page]) -> None:
    rows = page[1].tables["accuracy"][1:]
    assert [row[:6] for row in rows] == [
        ["float network", "40.0 %", "2", "5", "0", "0"],
        ["golden model (integer)", "80.0 %", "4", "5", "0", "1"],
        ["RTL", "60.0 %", "3", "5", "1", "1"],
        ["netlist for iCE40", "50.0 %", "1", "2", "0", "0"],
    ]
    assert rows[1][6] == "37.6 to 96.4 %"  # Wilson's interval of 4 in 5


def test_cycles_and_speed(page: tuple[Path, Page], trace: Recording) -> None:
    html = page[1]
    assert trace.cycles is not None
    predicted = trace.cycles.sum(axis=1).mean()
    _, rtl, netlist = html.tables["cycles"][1:]
    assert rtl[:6] == ["RTL (measured)", "5", "2,000.0", "125.0", "17.9", "16.0"]
    assert rtl[6] == f"{predicted:,.1f} ({100 * predicted / 125 - 100:+.1f} %)"
    assert netlist[3] == "not counted"
    # 125 cycles, 7 ticks and 2,000 SOPs of a sample at 50 and at 12 MHz
    assert html.tables["speed"][1:] == [
        ["iCEBreaker at its Fmax", "50.0", "2.50", "0.357", "400,000", "800.0"],
        ["iCEBreaker at the chip's clock", "12.0", "10.42", "1.488", "96,000", "192.0"],
    ]
    assert "measured in the RTL, mean of 5 samples" in html.text
    assert "Power was not measured" in html.text


def test_where_the_cycles_go(
    compiled: CompiledNetwork, samples: Samples, trace: Recording, tmp_path: Path
) -> None:
    found = throughput(compiled, samples)
    assert found is not None
    html = bare(tmp_path, compiled, trace=trace, fpga=[fpga_report()], throughput=found)
    layer = found.layers[0]
    assert html.tables["throughput"][1][:7] == [
        *("p0", "2"),
        *(f"{part:,.1f}" for part in (layer.sums, layer.update, layer.beside, layer.emission)),
        f"{layer.own:,.1f}",
    ]
    assert [row[1] for row in html.tables["throughput-cores"][1:]] == ["p0", "p0", "p1"]
    rate = 1e6 * 12 / found.cycles
    assert f"{rate:,.0f} samples per second on iCEBreaker at its target clock of 12.0 MHz" in (
        html.text
    )
    assert f"Most ticks wait for layer p0, {layer.bounds:.0%} of them" in html.text
    stored = json.loads((tmp_path / THROUGHPUT).read_text())
    assert stored["bound"] == "p0"
    assert [row["clock"] for row in stored["samples_per_second"]] == ["routed", "target"]
    assert stored["samples_per_second"][1]["samples_per_second"] == rate
    assert stored["cores"][2]["layer"] == "p1"


def test_measures_on_the_page_are_those_beside_it(
    page: tuple[Path, Page], compiled: CompiledNetwork
) -> None:
    path, html = page
    stored = json.loads((path / REPORT_JSON).read_text())["sections"]["measures"]
    assert [chip["name"] for chip in stored["published"]] == [
        row[0] for row in html.tables["published"][2:]
    ]
    shown = html.tables["measures-table"][1:]
    found = stored["measures"]
    assert ["Accuracy (%)", "golden", "80", "95 % interval 37.6 to 96.4 %, 5 samples"] in shown
    assert ["Synapses", "", "228", ""] in shown
    (additions,) = [row for row in shown if row[0] == "SNN additions per ANN multiplication"]
    (figure,) = found["additions_per_multiplication"]["figures"]
    assert float(additions[2]) == pytest.approx(figure["value"], rel=5e-3)
    assert additions[3].startswith(("pays: ", "does not pay: "))
    energies = [row[0] for row in shown if row[0].endswith(("(nJ)", "(pJ)"))]
    assert energies and all("an estimate" in title for title in energies)
    assert html.tables["published"][1][0] == compiled.name
    assert "(estimate, 45 nm)" in html.tables["published"][1][6]
    (updates,) = [row for row in shown if row[0] == "Clock cycles per synaptic update"]
    assert updates[2:] == ["–", "needs a network that learns, and samples"]


def test_network_and_quantisation(page: tuple[Path, Page], compiled: CompiledNetwork) -> None:
    html = page[1]
    cores = html.tables["cores"][1:]
    assert [row[2:7] for row in cores] == [
        ["p0, from neuron 0", "dense", "16", "4", "4"],
        ["p0, from neuron 4", "dense", "16", "8", "8"],
        ["p1", "dense", "12", "4", "3"],
    ]
    layer = compiled.network.quantisation[0]
    assert html.tables["quantisation"][1][:5] == [
        "p0",
        "192",
        "4",
        "0.125",
        str(layer.weight_exponent),
    ]
    assert html.tables["quantisation"][1][7] == f"{layer.vanished} of {layer.nonzero}"
    assert html.tables["agreement"][1:] == [
        ["p0", "40", "30", "20", "40.0 %", "2 of 12", "4"],
        ["p1", "10", "10", "10", "100.0 %", "0 of 3", "not recorded"],
    ]
    assert compiled.chip.digest in html.text


def test_drift_and_leaks(tmp_path: Path, samples: Samples) -> None:
    """A row for each width and layer, in the words of ``check``; each leak with its numbers."""
    slow = chain([16, 12, 3], decay=np.array([0.999]))
    compiled = compile_network(slow, potential_bits=16)
    drifts = (*drift(compiled, samples, (2, 4)), Drift(8, 0, (), None, "it is refused"))
    html = bare(tmp_path, compiled, drifts=drifts)
    rows = html.tables["drift"][1:]
    assert [row[:2] for row in rows] == [
        ["as compiled", "p0"],
        ["", "p1"],
        ["2", "p0"],
        ["", "p1"],
        ["4", "p0"],
        ["", "p1"],
        ["8", ""],
    ]
    assert rows[-1][2:4] == ["unsupported", "it is refused"]
    first, few = (d.layers[0] for d in drifts[:2])
    assert few.first is not None and few.overlap is not None
    sample, tick, neuron = few.first
    assert rows[2][2:] == [
        "approximate",
        f"sample {sample}, tick {tick}, neuron {neuron}",
        f"{few.float_spikes:,}",
        f"{few.integer_spikes:,}",
        f"{few.overlap:.1%}",
        f"{drifts[1].score.accuracy:.1%}" if drifts[1].score else "",
    ]
    assert rows[0][2] == first.verdict
    assert "over 5 samples" in html.text
    (leak,) = compiled.network.quantisation[0].leaks
    opening = ["p0", "decay", "approximate" if leak.acts else "unsupported", "0", "999.5"]
    assert html.tables["leaks"][1][:6] == [*opening, "1,023.5"]
    assert (tmp_path / "drift.png").exists()


def test_sample(page: tuple[Path, Page], compiled: CompiledNetwork, trace: Recording) -> None:
    winner, most = Run(compiled, trace).classify()[3], Run(compiled, trace).output_counts()[3].max()
    says = f"Sample 3 of 5: the golden model says {winner} with {most} spikes"
    assert says in page[1].text and "the label is 0" in page[1].text


def test_fpga(page: tuple[Path, Page]) -> None:
    html = page[1]
    luts, rams = html.tables["utilisation-1"][1:]
    assert luts == ["Logic cells ICESTORM_LC", "", "1,320", "5,280", "25.0 %"]
    assert rams[2:] == ["3", "30", "10.0 %"]
    assert [row[-2:] for row in html.tables["seeds-1"][1:]] == [
        ["not routed", "not met"],
        ["50.0", "met"],
    ]
    assert "10.00 ns, of which 45 % is routing and 40 % logic (1 cell)" in html.text
    assert "core_0 → mesh.router_0_0" in html.text
    assert html.tables["memories-1"][1] == [
        *("core_0.weights", "single-port RAM", "2", "256", "32", "16,384"),
    ]
    assert "Made of flip-flops: core_0.bitmap (32 bits)" in html.text
    for detail in ("ab" * 32, "0.70", "design.bin"):
        assert detail in html.text


def test_self_contained(page: tuple[Path, Page]) -> None:
    folder, html = page
    assert html.stack == []
    assert not re.search(r"https?:|url\(|@import|<script|<link", html.html)
    for tag, name, value in html.attributes:
        if name == "href":
            assert value.startswith("#") and f'id="{value[1:]}"' in html.html
        assert name not in ("srcset", "action", "data")
        if name == "src":
            assert tag == "img" and value.startswith("data:image/png;base64,")
    embedded = [base64.b64decode(v.split(",")[1]) for _, n, v in html.attributes if n == "src"]
    beside = {path.name: path.read_bytes() for path in folder.glob("*.png")}
    assert sorted(embedded) == sorted(beside.values())
    names = ("network", "placement", "links", "outputs", "raster", "states", "activity")
    names += ("synapses-0", "synapses-1")
    assert set(beside) == {f"{name}.png" for name in names}
    assert all(data.startswith(PNG) for data in embedded)
    left = {*beside, "index.html", "report.json", "artefact.json"}
    assert {path.name for path in folder.iterdir()} == left


def test_missing_parts_are_named(
    compiled: CompiledNetwork, samples: Samples, trace: Recording, tmp_path: Path
) -> None:
    bare(tmp_path, compiled, samples=samples, trace=trace)
    assert (tmp_path / "raster.png").exists()
    html = bare(tmp_path, compiled)
    assert not (tmp_path / "raster.png").exists(), "a picture of an earlier report"
    assert html.verdict == "verdict open"
    for words in (
        "Not verified yet: run spikelet verify",
        "No accuracy is known yet",
        "No run was given",
        "Not built yet: run spikelet build",
        "Latency and throughput need a count of cycles",
    ):
        assert words in html.text
    assert not {"equality", "accuracy", "cycles", "speed"} & html.tables.keys()


def test_parts_that_say_less(compiled: CompiledNetwork, trace: Recording, tmp_path: Path) -> None:
    alone = verification(compiled)
    alone = replace(alone, engines=[replace(alone.engines[0], score=Score(5, None, 0, 0))])
    silent = replace(trace, spikes=None, states=None, cycles=None)
    html = bare(tmp_path, compiled, verification=alone, trace=silent)
    assert html.verdict == "verdict open" and "Only the golden model has run" in html.text
    assert "have no labels" in html.text
    assert "did not record spikes" in html.text
    assert "No samples were given" in html.text
    assert "Latency and throughput need a clock" in html.text


def test_a_difference_is_a_failure(compiled: CompiledNetwork, tmp_path: Path) -> None:
    html = bare(tmp_path, compiled, verification=verification(compiled, DIFFERENCE))
    assert html.verdict == "verdict fail"
    assert "✗ Not equal to the golden model: RTL" in html.text
    assert html.tables["equality"][2][2] == f"✗ {DIFFERENCE}"
    assert "equals the golden model's" not in html.text


def test_inputs_of_two_builds_stand_side_by_side(compiled: CompiledNetwork, tmp_path: Path) -> None:
    made = [
        Artefact("FPGA build for A", {"Verilog": "a" * 64, **compiled.digests}, command="make a"),
        Artefact("FPGA build for B", {"Verilog": "b" * 64, **compiled.digests}, command="make b"),
    ]
    html = bare(tmp_path, compiled, made=made)
    rows = dict(html.tables["provenance"])
    assert rows["Verilog, SHA-256"] == "a" * 64
    assert rows["Verilog of the FPGA build for B, SHA-256"] == "b" * 64
    assert rows["Chip structure, SHA-256"] == compiled.chip.digest
    assert "make a make b" in html.text


def test_a_missed_clock_shows(compiled: CompiledNetwork, tmp_path: Path) -> None:
    missed = replace(fpga_report().routed, clocks=(Clock("clk", 50.0, 60.0),), critical_path=())
    report = fpga_report(board="", routed=missed, target_mhz=60.0, harnessed=True, memories=())
    html = bare(tmp_path, compiled, fpga=[report])
    assert "ICE40UP5K-SG48, out of context" in html.text
    assert "target 60 MHz not met" in html.text
    assert html.tables["seeds-1"][2][-1] == "not met"
    assert "Critical path" not in html.text and "A ring of registers" in html.text


def test_names_are_only_text(tmp_path: Path) -> None:
    net = chain([4, 2])
    name = "<b>$x_1$ & 'y'"
    renamed = replace(
        net,
        name=name,
        populations=(replace(net.populations[0], name=name),),
        projections=(replace(net.projections[0], target=name),),
        outputs=(name,),
    )
    html = bare(tmp_path, compile_network(renamed))
    assert html.tables["quantisation"][1][0] == name
    assert "<b>$x" not in html.html


@pytest.mark.parametrize("n_outputs", [1, 40])
def test_unusual_shapes(n_outputs: int, tmp_path: Path) -> None:
    net = chain([1, 70, n_outputs], threshold=np.full(1, 1e3))
    compiled = compile_network(net, limits=PlacementLimits(max_neurons=4, lanes=4))
    samples = Samples(spikes(1, 1, 1))
    html = bare(tmp_path, compiled, samples=samples, trace=golden_run(compiled, samples))
    assert "no output spiked, so the golden model gives it no class" in html.text


def test_the_network_picture_shows_what_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    drawn = Axes.text

    def text(self: Any, x: float, y: float, s: str, *args: Any, **fields: Any) -> Any:
        texts.append(s)
        return drawn(self, x, y, s, *args, **fields)

    monkeypatch.setattr(Axes, "text", text)
    structure_plots.network(compile_network(branched(recurrent=("b", "c"))))
    assert [t for t in texts if "recurrent" in t] == [
        "5 nir-euler neurons\n5 × 5 recurrent weights",
        "20 nir-euler neurons\n20 × 20 recurrent weights",
    ]
    # projections between populations have their labels, and no other
    assert sum(t.endswith("weights") and "recurrent" not in t for t in texts) == 7


@pytest.mark.parametrize("recurrent", [(), ("a", "b", "c", "out")])
def test_branches(recurrent: tuple[str, ...], tmp_path: Path) -> None:
    network = branched(bias=0.125, recurrent=recurrent)
    compiled = compile_network(network, limits=PlacementLimits(max_neurons=8, lanes=4))
    samples = Samples(spikes(2, 5, 7), np.array([0, 1]))
    html = bare(tmp_path, compiled, samples=samples, trace=golden_run(compiled, samples))
    assert len(html.tables["cores"]) == 1 + len(compiled.chip.cores)
    placed, drawn = html.tables["link-loads"][1:]
    loads, found = compiled.quality.loads, compiled.quality.random
    assert placed == ["this placement", f"{loads.total:,.1f}", "1", f"{loads.largest:,.1f}"]
    assert drawn[0] == "random, mean of 8" and drawn[1] == f"{found.objective:,.1f}"
    assert drawn[2] == f"{found.objective / loads.total:.2f}" and float(drawn[2]) > 1


def test_bad_folder(compiled: CompiledNetwork, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        SpikeletError, match=r"file.*json cannot be written: .*\n.*choose another path"
    ):
        bare(tmp_path / "file", compiled)


def test_parts_of_another_run(
    compiled: CompiledNetwork, samples: Samples, trace: Recording, tmp_path: Path
) -> None:
    def refused(message: str, **parts: Any) -> None:
        with pytest.raises(SpikeletError, match=message):
            bare(tmp_path / "report", compiled, **parts)

    foreign = replace(verification(compiled), structure="f" * 64)
    refused(
        "^the verification is of chip ffffffffffff, network 'chain' has chip", verification=foreign
    )
    refused(r"^sample must be in 0\.\.4, not 5$", trace=trace, sample=5)
    refused(r"^sample must be in 0\.\.4, not -1$", trace=trace, sample=-1)
    refused(
        "^the Recording has 5 samples of 7 ticks, the samples account for 2 of 7",
        trace=trace,
        samples=samples.first(2),
    )
    refused("input spikes must have shape", samples=Samples(spikes(1, 6, 4)))
    refused(
        "^network 'chain' has 3 outputs and 3 cores, the Recording",
        trace=replace(trace, neurons=(1,)),
    )
    assert not (tmp_path / "report").exists()


def test_missing_extra(
    compiled: CompiledNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MISSING_EXTRA", ImportError("No module named 'jinja2'"))
    with pytest.raises(SpikeletError, match=r"(?s)No module named 'jinja2'.*spikelet\[report\]"):
        bare(tmp_path, compiled)
