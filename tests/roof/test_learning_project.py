"""A network that learns has what a trained one has: files, fit check, engines, one folder."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet import targets
from spikelet.cli import main
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.images import self_test
from spikelet.project import Project, opened
from tests.helpers.engines import golden_as_rtl

NETWORK = """
outputs = ["cells"]
seed = 3

[inputs.lines]
size = 5

[populations.cells]
size = 3
threshold = 60
decay = 3900
inhibition = 20
adaptation = { increment = 900 }

[populations.others]
size = 12
threshold = 30

[rules.all]
dw = "2^-7*r*t + 2^-5*x1*y0 - 2^-1*x0"
dt = "x1*y0 - 2^-1*t*u2"
x1 = { increment = 9, decay_shift = 3, bits = 6 }
w_max = 60
rounding = "stochastic"
tag_bits = 6
reward_bits = 4

[[projections]]
source = "lines"
target = "cells"
weights = [15, 40]
rule = "all"

[[projections]]
source = "cells"
target = "others"
weights = 31

[[projections]]
source = "others"
target = "cells"
weights = -1
delay = 2

[chip]
lanes = 2
max_neurons = 6

[encoder]
kind = "poisson"
ticks = 12
max_rate = 400.0
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a network with all that a rule can use, and intensities, into a working folder."""
    monkeypatch.chdir(tmp_path)
    Path("n.toml").write_text(NETWORK)
    levels = np.random.default_rng(0).integers(100, 256, (4, 5))
    np.savez("in.npz", levels=levels, full_scale=255, labels=np.arange(4) + 90)
    return tmp_path


def invoke(*arguments: str) -> str:
    """Run the command line; return what it printed."""
    done = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_all_stages_in_one_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden_as_rtl(monkeypatch)
    output = invoke("compile", "n.toml", "-o", "p", "--target", "ULX3S-85F")
    assert "fits" in output
    compiled = CompiledNetwork.load("p/compiled")
    assert [len(layer.slices) for layer in compiled.layers] == [1, 2]
    assert {"chip.v", "n.core", "memory_map.json", "program.hex", "testbench.v"} <= {
        path.name for path in Path("p/rtl").iterdir()
    }
    recorded = RecordedRun.load(Path("p/rtl"))
    plain = 2 * len(compiled.chip.cores) + 3
    assert recorded.last_words.shape[1] > plain, "what was learned is read back"
    assert (recorded.last_words[0] != recorded.last_words[1]).any()
    invoke("run", "p", "in.npz", "--count", "2")
    output = invoke("verify", "p", "in.npz")
    assert "checksums" in " ".join(output.split())
    output = invoke("learn", "p", "in.npz", "--epochs", "2")
    assert "p/learned/weights.npz" in output
    page = Path("p/report/index.html").read_text()
    for text in ("learned weight and counter equals", "samples in 2 epochs", "How it learns"):
        assert text in page
    assert "Quantisation</h2>" not in page and "Out of date" not in page
    told = json.loads(Path("p/report/report.json").read_text())["learned"]
    assert "samples in 2 epochs" in told["tiles"][0][1] and "run" not in told
    invoke("compile", "n.toml", "-o", "p", "--seed", "4")
    output = invoke("report", "p")
    assert "Out of date, and not shown" in Path("p/report/index.html").read_text()
    assert "learned network: chip contents was" in Path("p/report/index.html").read_text()


def test_verbs_take_a_file_or_a_folder(here: Path) -> None:
    invoke("run", "n.toml", "in.npz", "-o", "p")
    first = spikelet.Recording.load(Path("p/runs/golden/recording.npz"))
    invoke("run", "p", "in.npz")
    assert (
        first.first_difference(spikelet.Recording.load(Path("p/runs/golden/recording.npz"))) is None
    )
    compiled = spikelet.compile("n.toml")
    assert compiled.chip == spikelet.compile("p").chip == spikelet.compile("p/compiled").chip
    samples = spikelet.load_learning_samples(here / "in.npz", compiled.network.encoder)
    again = spikelet.run("p", samples.first(None), record=("spikes", "states"))
    assert again.recording.first_difference(first) is None
    done = CliRunner().invoke(main, ["report", "n.toml"])
    assert done.exit_code == 1 and "name one: -o FOLDER" in done.output
    learned = spikelet.learn("n.toml", samples, folder=here / "q")
    assert learned.report == here / "q" / "report" / "index.html"
    assert opened("q", None) == Project(Path("q"))


@pytest.mark.parametrize("old", ["version", "kind"])
def test_a_folder_of_an_old_form_says_how_to_make_it_anew(here: Path, old: str) -> None:
    invoke("run", "n.toml", "in.npz", "-o", "p")
    record = json.loads(Path("p/compiled/artefact.json").read_text())
    record |= {"version": 3} if old == "version" else {"kind": "network that learns"}
    Path("p/compiled/artefact.json").write_text(json.dumps(record))
    for command in (("run", "p", "in.npz"), ("compile", "p", "-o", "q"), ("report", "p")):
        done = CliRunner().invoke(main, list(command))
        assert done.exit_code == 1
        assert f"artefact.json: {old} must be" in done.output
        assert "compile the network again into this folder (spikelet compile)" in done.output


def test_a_project_of_the_old_form_has_no_compiled_network(here: Path) -> None:
    (here / "old" / "plastic").mkdir(parents=True)
    Artefact("network that learns", {}, version=2).write(here / "old" / "plastic", {})
    done = CliRunner().invoke(main, ["run", "old", "in.npz"])
    assert done.exit_code == 1 and "spikelet compile" in done.output


def test_an_image_stores_samples_to_learn_from(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = spikelet.compile("n.toml")
    levels = np.random.default_rng(1).integers(100, 256, (30, 5))
    np.savez("many.npz", levels=levels, full_scale=255)
    samples = spikelet.load_learning_samples(Path("many.npz"), compiled.network.encoder).first(None)
    stored = self_test.stored_samples(compiled, samples, 3, 20)
    before, after = stored.weight_checksums(compiled.chip)
    assert before != after and stored.events.samples == 20
    asked = []

    def noted(*arguments: object) -> None:
        asked.append(arguments[2:])
        raise SpikeletError("enough")

    monkeypatch.setattr(self_test, "stored_samples", noted)
    for options in ({"sample": 3}, {"sample": 25}, {"sample": 3, "count": 2}):
        with pytest.raises(SpikeletError, match="enough"):
            targets.build_for("ULX3S-85F", compiled, here, samples, **options)  # type: ignore[arg-type]
    assert asked == [(3, 20), (25, 5), (3, 2)]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_engine_learns_the_same(here: Path) -> None:
    engines = ("rtl", "netlist-ecp5", "netlist-ice40", "cocotb-verilator", "cocotb-icarus")
    invoke("compile", "n.toml", "-o", "p")
    options = [word for engine in engines for word in ("--engine", engine)]
    output = invoke("verify", "p", "in.npz", "--count", "3", "--netlist-samples", "2", *options)
    assert output.count("every bit equal of") == len(engines)
    for engine in engines:
        kept = json.loads(Path(f"p/verification/{engine}/result.json").read_text())
        assert "checksums" in kept["engine"]["compared"]
