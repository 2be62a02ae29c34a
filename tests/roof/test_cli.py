"""The command line: each stage alone, and every kind of bad input with its message."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.description import processors
from tests.helpers.engines import golden_as_rtl

DIGITS = Path("examples/digits").resolve()


def invoke(*arguments):
    """Run the command line; return exit code and everything it printed."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Write six digits with labels."""
    path = tmp_path_factory.mktemp("samples") / "six.npz"
    with np.load(DIGITS / "digits_test.npz") as data:
        spikes = spikelet.rate(data["test_levels"][:6], 16, 16)
        np.savez(path, spikes=spikes, labels=data["test_labels"][:6])
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Compile the digits network."""
    folder = tmp_path_factory.mktemp("project") / "digits"
    code, output = invoke(
        "compile", DIGITS / "digits.nir", "--neuron", "snntorch-subtract", "-o", folder
    )
    assert code == 0, output
    return folder


def test_compile_leaves_a_whole_chip(project):
    assert (project / "compiled" / "artefact.json").exists()
    assert {path.name for path in (project / "rtl").iterdir()} == {
        "artefact.json",
        "chip.h",
        "chip.rdl",
        "chip.v",
        "digits.core",
        "interface.json",
        "memory_map.json",
        "program.hex",
        "recorded_events.hex",
        "recorded_expected.hex",
        "recorded_probes.hex",
        "recorded_run.json",
        "test_chip.py",
        "testbench.v",
    }


def test_ports_that_there_are_not(tmp_path):
    source = (DIGITS / "digits.nir", "--neuron", "snntorch-subtract", "-o", tmp_path / "p")
    code, output = invoke("compile", *source, "--ports", "ahb")
    assert code != 0 and "none called 'ahb'" in output and "native, wishbone, axi" in output
    assert not (tmp_path / "p").exists()


def test_placement_options(tmp_path, monkeypatch):
    """They reach the chip, and another seed gives another placement."""
    from spikelet.project import Project

    saved = []
    monkeypatch.setattr(Project, "save", lambda self, compiled, **_: saved.append(compiled) or [])
    source = (DIGITS / "digits.nir", "--neuron", "snntorch-subtract", "-o", tmp_path)
    options = ("--max-neurons", 8, "--lanes", 8, "--topology", "torus")
    for seed in (0, 1):
        code, output = invoke("compile", *source, *options, "--placement-seed", seed)
        assert code == 0, output
        assert "placed with multicast: packets cross" in " ".join(output.split())
    code, output = invoke("compile", *source, *options, "--no-multicast")
    assert code == 0 and "without multicast" in output
    assert [c.chip.multicast for c in saved] == [True, True, False]
    assert {c.chip.topology for c in saved} == {"torus"}
    assert saved[0].layers != saved[1].layers
    code, output = invoke("compile", *source, "--topology", "star")
    assert code == 2 and "'star' is not one of" in output


def test_run_verify_report(project, samples):
    code, output = invoke("run", project, samples, "--engine", "golden", "--count", 3)
    assert code == 0 and "3 samples of 17 ticks" in output
    assert spikelet.Recording.load(project / "runs" / "golden" / "recording.npz").samples == 3
    code, output = invoke("verify", project, samples)
    assert code == 0 and "states" in output
    code, output = invoke("report", project)
    assert code == 0
    assert "Every spike" in (project / "report" / "index.html").read_text()
    told = json.loads((project / "report" / "report.json").read_text())["sections"]["files"]
    files = [file for folder in told["folders"] for file in folder["files"]]
    assert "../compiled/arrays.npz" in files and "../runs/golden/recording.npz" in files
    assert all((project / "report" / file).exists() for file in files)
    assert not any("report" in file for file in files)


def test_a_difference_fails_verify(project, samples, tmp_path, monkeypatch):
    """A chip that differs from golden in a single weight must not pass."""
    from spikelet.runs import hardware

    load = hardware.VerilatedChip.load

    def load_wrong(self, image, **options):
        image.cores[0].weights[3, 5] ^= 1
        load(self, image, **options)
        image.cores[0].weights[3, 5] ^= 1

    monkeypatch.setattr(hardware.VerilatedChip, "load", load_wrong)
    copy = shutil.copytree(project, tmp_path / "copy")
    code, output = invoke("verify", copy, samples)
    assert code == 1
    assert "differ first" in " ".join(output.split())


def test_threads_are_those_of_the_command(monkeypatch):
    """And one for each processor again in the next command of the same process."""
    monkeypatch.setattr(processors, "processors", lambda: 4)
    found = []
    for verb in ("run", "verify"):
        for arguments in ((), ("--threads", 3)):
            invoke(verb, "absent", "samples.npz", *arguments)
            found.append(processors.threads_of(None))
    assert found == [4, 3, 4, 3]
    processors.set_threads(None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compile", "absent.nir", "-o", "out"), "absent.nir"),
        (("compile", DIGITS, "-o", "out"), "digits"),
        (("compile", DIGITS / "digits.nir", "-o", "out", "--weight-bits", 9), "weight_bits"),
        (
            ("compile", DIGITS / "digits.nir", "-o", "out", "--max-axons", 32),
            "needs 60 axons (60 from 'input'), 28 more than the 32",
        ),
        (("compile", DIGITS / "digits.nir", "-o", "out", "--target", "nowhere"), "ULX3S-85F"),
        (("compile", DIGITS / "digits.nir", "-o", "out", "--top", "2x"), "is not a Verilog"),
        (("compile", DIGITS / "digits.nir", "-o", "out", "--top", "wire"), "a keyword of Verilog"),
        (("compile", DIGITS / "digits.nir", "-o", "/proc/none"), "/proc/none"),
        (("run", "absent", "samples.npz"), "absent"),
        (("run", "absent", "samples.npz", "--threads", 0), "--threads must be 1 or more, not 0"),
        (("verify", "absent", "s.npz", "--threads", -2), "--threads must be 1 or more, not -2"),
        (("learn", "absent", "s.npz", "--threads", 99999), "99,999 threads are more than the"),
        (("report", "absent"), "absent"),
        (("build", "absent", "ULX3S-85F"), "absent"),
    ],
)
def test_bad_input(arguments, message, tmp_path, monkeypatch):
    """A message that names the place, status 1, no traceback, nothing written."""
    monkeypatch.chdir(tmp_path)
    code, output = invoke(*arguments)
    assert code == 1
    assert message in output
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())


def test_debug_shows_the_error_itself():
    with pytest.raises(spikelet.SpikeletError):
        invoke("--debug", "report", "absent")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "holds nothing"),
        ({"spikes": np.zeros((2, 3))}, "must have 3 axes"),
        ({"spikes": np.zeros((2, 3, 63), np.uint8)}, "64"),
        ({"spikes": np.full((2, 3, 64), 2, np.uint8)}, "must be 0 or 1"),
        ({"spikes": np.zeros((2, 3, 64), np.uint8), "labels": np.zeros(3)}, "labels"),
        ({"levels": np.full((2, 64), 17), "full_scale": 16, "ticks": 4}, "0..16"),
    ],
)
def test_bad_samples(project, tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    code, output = invoke("run", project, tmp_path / "bad.npz")
    assert code == 1 and message in output


def test_a_network_larger_than_the_device_is_refused_before_synthesis(project, samples):
    from dataclasses import replace

    from spikelet.fpga.families import device_named
    from spikelet.fpga.fit import require_fit

    chip = spikelet.CompiledNetwork.load(project / "compiled").chip
    large = replace(chip.cores[0], n_axons=1024, n_neurons=1024, weight_bits=8)
    with pytest.raises(spikelet.SpikeletError, match="does not fit ICE40UP5K"):
        require_fit(replace(chip, cores=(large,) * 2), device_named("ICE40UP5K-SG48"))


def test_missing_compiler(project, samples, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    code, output = invoke("run", project, samples, "--engine", "rtl")
    assert code == 1 and "apt-get install g++" in output


BARS = """
outputs = ["excitatory"]

[inputs.pixels]
size = [4, 4]

[populations.excitatory]
size = 3
threshold = 120
time_constant = 0.02
inhibition = 200

[[projections]]
source = "pixels"
target = "excitatory"
weights = [20, 60]
rule = "{rule}"

[encoder]
kind = "latency"
ticks = 12
"""


@pytest.fixture
def bars(tmp_path, monkeypatch):
    """Write a tiny network that learns, and intensities, into a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bars.toml").write_text(BARS.format(rule="pair_stdp"))
    levels = np.random.default_rng(0).integers(0, 9, (5, 16))
    np.savez(tmp_path / "in.npz", levels=levels, full_scale=8, labels=np.arange(5))
    return tmp_path


def test_learn_from_toml_to_report_and_on_from_its_snapshot(bars):
    code, output = invoke("learn", "bars.toml", "in.npz", "-o", "whole", "--epochs", 2)
    assert code == 0, output
    assert "go on with --start whole/learned/snapshot.npz" in output
    assert "learned.nir does not express how excitatory learns: pair_stdp" in output
    left = {path.name for path in (bars / "whole").iterdir()}
    assert left - {".lock"} == {"compiled", "epochs", "learned", "report"}
    assert {path.name for path in (bars / "whole" / "learned").iterdir()} == {
        "artefact.json",
        "counts.npz",
        "learned.nir",
        "sample.npz",
        "snapshot.npz",
        "weights.npz",
    }
    with np.load("whole/learned/counts.npz") as counts:
        assert counts["excitatory"].shape == (2, 5, 3)
        assert counts["labels"].tolist() == [0, 1, 2, 3, 4]
    plastic = spikelet.CompiledNetwork.load("whole/compiled")
    with np.load("whole/learned/weights.npz") as weights:
        whole = weights["pixels_to_excitatory"]
    assert (whole != plastic.weights("pixels", "excitatory")).any()
    for folder, start in (("first", ()), ("second", ("--start", "first/learned/snapshot.npz"))):
        code, output = invoke("learn", "bars.toml", "in.npz", "-o", folder, *start)
        assert code == 0, output
    with np.load("second/learned/weights.npz") as weights:
        assert (weights["pixels_to_excitatory"] == whole).all()
    code, output = invoke("learn", "bars.toml", "in.npz", "-o", "off", "--no-learning")
    assert code == 0 and "0 of 48" in output


def test_learn_with_another_seed(bars):
    for seed in (0, 1):
        assert invoke("learn", "bars.toml", "in.npz", "-o", f"s{seed}", "--seed", seed)[0] == 0
    weights = [
        spikelet.CompiledNetwork.load(f"s{seed}/compiled").weights("pixels", "excitatory")
        for seed in (0, 1)
    ]
    assert (weights[0] != weights[1]).any()


@pytest.mark.parametrize("equal", [True, False])
def test_learn_verifies(bars, monkeypatch, equal):
    """Golden in the place of RTL, which the tests of the engine cover; as it is, or one bit off."""

    def change(state):
        state.image.cores[0].weights[3, 1] ^= not equal

    golden_as_rtl(monkeypatch, change)
    code, output = invoke("learn", "bars.toml", "in.npz", "-o", "out", "--verify", 3)
    assert code == (0 if equal else 1)
    assert ("every bit equal" in output) == equal
    assert ("differ first" in " ".join(output.split())) != equal
    page = (bars / "out" / "report" / "index.html").read_text()
    assert ("learned weight and counter equals" in page) == equal
    assert (bars / "out" / "verification" / "rtl" / "result.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.toml", "in.npz"), "absent.toml cannot be read"),
        (("bars.toml", "absent.npz"), "absent.npz does not exist"),
        (("hebb.toml", "in.npz"), "hebb.toml: [[projections]] number 1: rule must be one of"),
        (("bars.toml", "in.npz", "--engine", "fpga"), "engine must be one of golden, rtl"),
        (("bars.toml", "in.npz", "--start", "in.npz"), "in.npz is not a readable snapshot"),
        (("bars.toml", "in.npz", "--resume"), "nothing to resume in out: no epoch has ended"),
        (("bars.toml", "narrow.npz"), "must have shape (samples, ticks, 16), not (2, 12, 9)"),
    ],
)
def test_learn_refuses(bars, arguments, message):
    (bars / "hebb.toml").write_text(BARS.format(rule="hebb"))
    np.savez(bars / "narrow.npz", levels=np.zeros((2, 9), int), full_scale=8)
    code, output = invoke("learn", *arguments, "-o", "out")
    assert code == 1
    assert message in output
    assert "Traceback" not in output


def test_doctor_names_what_is_missing(monkeypatch):
    from spikelet import doctor

    found = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "pyosys" else found(name))
    code, output = invoke("doctor")
    assert code == 1
    assert "[chip]'" in output
