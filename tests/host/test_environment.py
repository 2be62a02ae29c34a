"""A computer that only drives a board: it has Spikelet, numpy and pyserial, and nothing else."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import spikelet
from spikelet.project import Project
from tests.helpers.networks import lif, linear, sink, source, write
from tests.helpers.terminal_board import TerminalBoard

PACKAGES = Path(__file__).parents[2] / ".types"
"""Spikelet as one package, by links."""

SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:3]
sys.dont_write_bytecode = True
import numpy as np
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.host.driver import Chip

compiled = CompiledNetwork.load(sys.argv[3])
with Chip.open(sys.argv[4], compiled.chip) as chip:
    chip.load(compiled.image, check=True)
    found = chip.run(compiled.events(np.load(sys.argv[5])), record=())
np.save(sys.argv[6], found.outputs)
foreign = {name.split(".")[0] for name in sys.modules} - sys.stdlib_module_names
print(sorted(name for name in foreign if not name.startswith("_")))
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Return a folder in which there is no package but these."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in ("numpy", "serial"):
        place = Path(find_spec(name).origin).parent
        for part in (place, place.with_name(f"{name}.libs")):
            if part.exists():
                (folder / part.name).symlink_to(part)
    return folder


def test_the_driver_needs_numpy_and_pyserial(packages: Path, tmp_path: Path) -> None:
    nodes = {"in": source(8), "fc": linear(4, 8), "out": lif(4), "end": sink(4)}
    network = write(tmp_path / "network.nir", nodes)
    project = Project(tmp_path / "project")
    project.save(spikelet.compile(network, "snntorch-zero", 1e-3), network=network)
    compiled = project.load()
    spikes = np.random.default_rng(1).random((3, 6, 8)) < 0.6
    np.save(tmp_path / "spikes.npy", spikes)
    with TerminalBoard(compiled.chip) as board:
        arguments = [
            *(packages, PACKAGES, tmp_path / "project" / "compiled", board.name),
            *(tmp_path / "spikes.npy", tmp_path / "outputs.npy"),
        ]
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", SCRIPT, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.strip("[]\n").replace("'", "").split(", ")) == {
        *("numpy", "serial", "spikelet"),
    }
    expected = spikelet.run(compiled, spikes).recording.outputs
    latest = np.load(tmp_path / "outputs.npy")
    assert latest.any()
    assert np.array_equal(latest, expected[:, : latest.shape[1]])
