"""Each extra alone, in a fresh environment: missing, it is named; installed, it does its work."""

import re
import shutil
import subprocess
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks.peers.environments import REQUIREMENTS
from tests.helpers.driver_alone import check_driver

ROOT = Path(__file__).parents[1]
NETWORK = ROOT / "tests/fixtures/snntorch/leaky.nir"
EVENTS = ROOT / "tests/fixtures/events/bar.aedat4"
COMPILE = f"spikelet compile '{NETWORK}' --neuron snntorch-subtract -o project"

WORK = {
    "chip": [
        f"{COMPILE} --lanes 1 --target ULX3S-85F",
        "spikelet verify project samples.npz --engine rtl --engine netlist-ice40",
    ],
    "report": [f"{COMPILE} --lanes 1", "spikelet report project"],
    "fpga": [
        f"{COMPILE} --lanes 1",
        "spikelet build project ULX3S-85F --samples samples.npz --seeds 1",
    ],
    "formal": ["python -m spikelet.formal --quick arbiter"],
    "tune": [
        f"spikelet tune '{NETWORK}' samples.npz -o project --neuron snntorch-subtract --trials 2 "
        "--accuracy -100"
    ],
    "events": [f"spikelet data '{EVENTS}' --bin 10ms -o events.npz"],
}
"""What each extra is for; the last command of each asks for this extra."""

VERBS = {
    COMPILE: "chip",
    "spikelet run project samples.npz": "chip",
    "spikelet verify project samples.npz": "chip",
    "spikelet build project ULX3S-85F": "fpga",
    "spikelet report project": "report",
    "spikelet demo -o demo": "all",
    f"spikelet tune '{NETWORK}' samples.npz -o tuned": "tune",
    f"spikelet sweep '{NETWORK}' samples.npz -o swept --axis lanes=1": "report",
    f"spikelet sweep '{NETWORK}' samples.npz -o swept --axis lanes=1 --on tcp://x:1": "cluster",
    "spikelet convert model.onnx samples.npz -o converted": "convert",
    "python -m spikelet.formal": "formal",
    f"spikelet data '{EVENTS}'": "events",
}
"""What an installation without extras refuses, and the extra that it asks for."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy, so that a build leaves nothing here; the folder has a space in its name."""
    copy = tmp_path_factory.mktemp("source") / "spikelet tree"
    built = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*")
    return Path(shutil.copytree(ROOT, copy, ignore=built))


@pytest.fixture
def run(source: Path, tmp_path: Path) -> Run:
    """Return what runs a shell command in a new environment with Spikelet and no extra."""
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"

    def call(command: str) -> "subprocess.CompletedProcess[str]":
        command = re.sub(r"^(python|spikelet|pip)\b", rf"'{programs}'/\1", command)
        return subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    installed = call(f"pip install -q '{source}'")
    assert not installed.returncode, installed.stderr
    return call


def refused(run: Run, command: str, extra: str) -> str:
    """Run what fails for want of an extra; return the remedy."""
    done = run(command)
    said = done.stderr + done.stdout
    assert done.returncode == 1 and "Traceback" not in said, said
    assert f"(it comes with the extra '{extra}')" in said, said
    return said.partition("remedy: ")[2].splitlines()[0]


def test_every_command_says_what_is_missing(run: Run) -> None:
    for command, extra in VERBS.items():
        assert refused(run, command, extra).endswith(f"[{extra}]'")
    checked = run(f"spikelet check '{NETWORK}' --neuron snntorch-subtract")
    assert checked.returncode == 0 and "LFE5U-25F" in checked.stdout, checked.stderr
    doctor = run("spikelet doctor")
    assert doctor.returncode == 1 and not doctor.stderr
    assert "[fpga]'" in doctor.stdout


def test_only_the_package_is_installed(run: Run, tmp_path: Path) -> None:
    """What a user calls ``sim`` or ``golden`` is the user's."""
    script = """
from importlib.metadata import files
names = {file.parts[0] for file in files("spikelet")} - {".."}
assert {name for name in names if not name.endswith(".dist-info")} == {"spikelet"}, names
import boards, fpga, golden, sim, spikelet.golden.chip, spikelet.host.link
assert "site-packages/spikelet/golden" in spikelet.golden.chip.__file__
"""
    for name in ("boards", "fpga", "golden", "sim"):
        (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "script.py").write_text(script)
    done = run("python script.py")
    assert not done.returncode, done.stderr


def test_the_driver_needs_numpy_and_pyserial_alone(source: Path, tmp_path: Path) -> None:
    """People run it on small computers."""
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    packages = [str(source), "numpy", "pyserial"]
    command = [str(programs / "pip"), "install", "-q", "--no-deps", *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr

    def execute(script: Path, arguments: Sequence[str]) -> str:
        command = [str(programs / "python"), "-I", str(script), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert not ran.returncode, ran.stderr
        return ran.stdout

    check_driver(tmp_path, execute)


@pytest.mark.parametrize("extra", WORK)
def test_an_extra_is_asked_for_and_suffices(extra: str, run: Run) -> None:
    """The last command fails with a remedy; when that is carried out, all commands work."""
    arrays = "spikes=n.ones((3, 20, 6), 'u1'), labels=n.arange(3)"
    run(f"python -c \"import numpy as n; n.savez('samples.npz', {arrays})\"")
    installed = run(refused(run, WORK[extra][-1], extra))
    assert not installed.returncode, installed.stderr
    for command in WORK[extra]:
        done = run(command)
        assert not done.returncode, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("name", ["train", *REQUIREMENTS])
def test_what_is_large_resolves(name: str, source: Path, tmp_path: Path) -> None:
    """The extra of what trains, and the peers of benchmarks; they are not installed."""
    venv.create(tmp_path / "venv", with_pip=True)
    pip = [str(tmp_path / "venv" / "bin" / "pip"), "install", "-q"]
    newer = "pip>=25.2"  # older ones fetch whole packages to resolve: gigabytes for torch
    subprocess.run([*pip, "-U", newer], capture_output=True, check=True)
    command = [*pip, "--dry-run", *REQUIREMENTS.get(name, (f"{source}[{name}]",))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert "does not provide the extra" not in done.stderr
