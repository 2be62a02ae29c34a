"""What a host needs of a compiled network: with numpy alone, and the same as all of it."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.host.network import HostNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from tests.helpers.driver_alone import CONVOLUTIONS, check_driver
from tests.helpers.networks import branched, chain, spikes

ROOT = Path(__file__).parents[2]

NETWORKS = {
    "several cores and depths": lambda: compile_network(
        replace(branched(bias=0.125), outputs=("a", "out")),
        limits=PlacementLimits(max_neurons=8, lanes=4),
    ),
    "graded inputs": lambda: compile_network(chain([5, 3]), input_levels=3),
    "convolutions": lambda: compile_network(CONVOLUTIONS),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_what_the_compiled_network_has(name: str, tmp_path: Path) -> None:
    compiled: CompiledNetwork = NETWORKS[name]()
    Project(tmp_path).keep(compiled, None)
    network = HostNetwork.load(tmp_path)
    for same in ("name", "chip", "neurons", "output_latency"):
        assert getattr(network, same) == getattr(compiled, same), same
    assert (network.n_inputs, network.input_levels) == (
        compiled.network.n_inputs,
        compiled.network.input_levels,
    )
    program = compiled.image.program(compiled.chip)
    assert np.array_equal(network.image.program(network.chip), program)
    shown = spikes(2, 5, network.n_inputs).astype(np.uint8) * network.input_levels
    mine, theirs = network.events(shown), compiled.events(shown)
    assert (mine.samples, mine.ticks) == (theirs.samples, theirs.ticks)
    assert np.array_equal(mine.flits(network.chip), theirs.flits(compiled.chip))
    assert np.array_equal(mine.offsets, theirs.offsets)
    assert len(mine.core)
    with pytest.raises(SpikeletError, match="input spikes must be"):
        network.events(shown + 1)


def test_a_folder_without_a_compiled_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikeletError) as caught:
        HostNetwork.load(tmp_path)
    assert str(tmp_path) in caught.value.args[0] and "spikelet compile" in caught.value.remedy
    Project(tmp_path).keep(compile_network(chain([3, 2])), None)
    (tmp_path / "compiled" / "arrays.npz").write_bytes(b"")
    with pytest.raises(SpikeletError, match="arrays.npz"):
        HostNetwork.load(tmp_path / "compiled")


def test_the_driver_runs_with_numpy_and_pyserial_alone(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("numpy", "serial"):
        (packages / name).symlink_to(require(name))
    libraries = require("numpy").with_name("numpy.libs")
    if libraries.exists():  # of its wheel
        (packages / libraries.name).symlink_to(libraries)

    def execute(script: Path, arguments: Sequence[str]) -> str:
        paths = [str(ROOT), str(packages)]
        start = f"import runpy, sys; sys.path[:0] = {paths}; runpy.run_path({str(script)!r})"
        # -I -S: nothing of the environment, nor what is installed, is found
        command = [sys.executable, "-I", "-S", "-c", start, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert not done.returncode, done.stderr
        return done.stdout

    check_driver(tmp_path, execute)
