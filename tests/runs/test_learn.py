"""Learning runs: interrupted and resumed, warned about, and never beside another run's results."""

import html
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.description.artefact import Artefact
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.project import opened
from spikelet.runs import epochs
from spikelet.samples.plastic_samples import load_learning_samples
from tests.helpers.engines import golden_as_rtl
from tests.reports.test_report import Page

NETWORK = """
outputs = ["e"]
seed = 3

[inputs.p]
size = 16

[populations.e]
size = 8
threshold = {threshold}
time_constant = 0.1
inhibition = {inhibition}

[rules.r]
dw = "{dw}"
x1 = {{ increment = 100, decay = 3800 }}
w_min = 0
w_max = 127
rounding = "stochastic"

[[projections]]
source = "p"
target = "e"
weights = [20, 60]
rule = "r"

[encoder]
kind = "poisson"
ticks = 30
max_rate = 300.0
"""


WITHOUT_THRESHOLD = """
name = "saturating"
text = '''
summed = v + current
clipped = clamp(summed)
fired = clipped > 100; v = where(clipped > 100, 0, clipped)
'''
[states.v]
[states.fired]
kind = "flag"
"""


@pytest.fixture
def run(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Return a function that lets a network learn in a folder."""
    levels = np.random.default_rng(0).integers(0, 256, (6, 16))
    np.savez(tmp_path / "s.npz", levels=levels, full_scale=255)

    def go(folder, *, threshold=600, inhibition=500, dw="2^-5*(x1 - 60)*y0", **options):  # type: ignore[no-untyped-def]
        path = tmp_path / "n.toml"
        path.write_text(NETWORK.format(threshold=threshold, inhibition=inhibition, dw=dw))
        project = opened(path, tmp_path / folder)
        encoder = project.load().network.encoder
        return project.learn(load_learning_samples(tmp_path / "s.npz", encoder), **options)

    return go


def results(folder: Path) -> dict[str, bytes]:
    """Return the digests of what was learned, by file."""
    made = Artefact.load(folder / "learned")
    assert made is not None and made.intact(folder / "learned")
    return dict(made.files)  # type: ignore[arg-type]


@pytest.mark.parametrize("ended", [1, 2])
def test_a_resumed_run_is_an_uninterrupted_one(run, ended, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    run("whole", epochs=3)
    keep, kept = epochs.Epochs.keep, []

    def interrupted(self, epoch, state, counts):  # type: ignore[no-untyped-def]
        keep(self, epoch, state, counts)
        kept.append(epoch)
        if len(kept) == ended:
            raise KeyboardInterrupt

    monkeypatch.setattr(epochs.Epochs, "keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("parts", epochs=3)
    monkeypatch.undo()
    seen = []
    run("parts", epochs=3, resume=True, progress=lambda what, *_: seen.append(what))
    assert set(seen) == {f"golden, epoch {n}" for n in range(ended + 1, 4)}
    assert results(tmp_path / "parts") == results(tmp_path / "whole")
    assert len({p.name for p in (tmp_path / "parts" / "epochs").iterdir()}) == 3
    first, last = (
        ChipState.load(tmp_path / "parts" / "epochs" / n / "snapshot.npz") for n in ("0001", "0003")
    )
    assert (first.image.cores[0].weights != last.image.cores[0].weights).any()


def test_more_epochs_go_on_from_those_that_are_there(run, tmp_path):  # type: ignore[no-untyped-def]
    run("whole", epochs=3)
    run("parts", epochs=1)
    run("parts", epochs=3, resume=True)
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


def test_another_run_is_not_resumed(run, tmp_path):  # type: ignore[no-untyped-def]
    with pytest.raises(SpikeletError, match="nothing to resume in .*: no epoch has ended there"):
        run("x", resume=True)
    run("x")
    with pytest.raises(SpikeletError, match="epochs of another run: chip contents was"):
        run("x", threshold=601, resume=True)
    with pytest.raises(SpikeletError, match="'learning': True.* is .*'learning': False"):
        run("x", learning=False, resume=True)
    before = results(tmp_path / "x")
    snapshot = tmp_path / "x" / "epochs" / "0001" / "snapshot.npz"
    snapshot.write_bytes(snapshot.read_bytes()[:-9])
    run("x", epochs=2, resume=True)  # a damaged epoch is run again
    run("y", epochs=2)
    assert results(tmp_path / "x") == results(tmp_path / "y") != before


def test_a_verification_of_another_network_is_not_shown(run, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    golden_as_rtl(monkeypatch)
    result = run("x", verify=2)
    assert result.verification.equal
    kept = json.loads((tmp_path / "x" / "verification" / "rtl" / "result.json").read_text())
    assert kept["engine"]["equal"] and kept["engine"]["samples"] == 2
    assert "learned weight and counter equals the golden model" in result.report.read_text()
    page = run("x", threshold=700).report.read_text()
    assert "learned weight and counter" not in page and "Not verified yet" in page
    assert "verification of rtl: chip contents was" in page
    silent = run("x", threshold=32_000, verify=2)
    assert not silent.verification.equal
    assert "Nothing was compared: no neuron spiked" in silent.report.read_text()


def test_what_went_wrong_is_said(run):  # type: ignore[no-untyped-def]
    dead = run("dead", threshold=32_000)
    assert "never spiked, so nothing was learned" in dead.warnings[0]
    assert "no plastic weight changed" in dead.warnings[1]
    assert "Worth a look" in dead.report.read_text()
    up = run("up", threshold=300, inhibition=1, dw="2^-1*x1*y0", epochs=4)
    assert any("at their upper bound, 127: balance" in line for line in up.warnings)
    down = run("down", threshold=100, inhibition=1, dw="-2^-1*x1*y0")
    assert any("at their lower bound, 0: balance" in line for line in down.warnings)
    one = run("one", threshold=1200, inhibition=30_000)
    assert any("of all" in line and "raise the adaptation" in line for line in one.warnings)
    assert any("7 of 8 neurons never spiked" in line for line in one.warnings)


def test_the_page_says_how_it_was_made(run, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    """Its command, in another folder with the same files, gives the digests that it prints."""
    run("unused")  # writes the network and the samples
    command = ["learn", "n.toml", "s.npz", "-o", "out", "--epochs", "2", "--seed", "5"]
    pages = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        for name in ("n.toml", "s.npz"):
            shutil.copy(tmp_path / name, tmp_path / folder / name)
        monkeypatch.chdir(tmp_path / folder)
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        page = Page(Path("out/report/index.html"))
        pages.append({row[0]: row[1] for row in page.tables["provenance"]})
        printed = re.search(r'<pre id="commands">(.*?)\n*</pre>', page.html)
        assert printed is not None
        command = shlex.split(html.unescape(printed[1]))[1:]
    assert pages[0] == pages[1]
    digests = pages[0].keys()
    assert {"Samples, SHA-256", "Network file, SHA-256", "weights.npz, SHA-256"} <= digests
    assert command[command.index("--epochs") + 1] == "2" and "--learning" in command


def test_neurons_that_nir_has_no_node_for_keep_what_they_learned(tmp_path: Path) -> None:
    (tmp_path / "saturating.toml").write_text(WITHOUT_THRESHOLD)
    network = NETWORK.format(threshold=1, inhibition=1, dw="2^-1*x1*y0")
    for line in ("threshold = 1", "time_constant = 0.1", "inhibition = 1"):
        network = network.replace(line + "\n", "")
    network = network.replace("size = 8", 'size = 8\nneuron = "saturating.toml"')
    (tmp_path / "n.toml").write_text(network)
    levels = np.random.default_rng(0).integers(0, 256, (6, 16))
    np.savez(tmp_path / "s.npz", levels=levels, full_scale=255)
    arguments = [
        "learn",
        str(tmp_path / "n.toml"),
        str(tmp_path / "s.npz"),
        "-o",
        str(tmp_path / "o"),
    ]
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 0, found.output
    why = "the neurons of e, of model saturating, have no threshold"
    assert re.search(rf"learned\.nir is not written: .*{why}", " ".join(found.output.split()))
    page = (tmp_path / "o" / "report" / "index.html").read_text()
    assert "learned.nir</code> is not written:" in page and why in html.unescape(page)
    learned = tmp_path / "o" / "learned"
    assert (learned / "weights.npz").exists() and not (learned / "learned.nir").exists()
    assert Artefact.load(learned).intact(learned)  # type: ignore[union-attr]
