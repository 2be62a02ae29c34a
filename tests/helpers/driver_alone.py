"""The driver in an environment with numpy and pyserial alone: a script for one, and its check."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from spikelet.compiler.compile import compile_network
from spikelet.description.run.recording import Recording
from spikelet.project import Project
from spikelet.runs.run import run
from tests.helpers.networks import chain, spikes
from tests.helpers.terminal_board import TerminalBoard

__all__ = ["check_driver"]

CONVOLUTIONS = Path(__file__).parents[2] / "examples" / "mnist" / "spiking_cnn.nir"

SCRIPT = """
import sys

before = set(sys.modules)

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.host.driver import Chip
from spikelet.host.network import HostNetwork
from spikelet.samples.samples import load_samples

port, project, large, samples, found = sys.argv[1:]
network = HostNetwork.load(project)
with Chip.open(port, project) as chip:
    chip.load(network.image, check=True)
    events = network.events(load_samples(samples).spikes)
    chip.run(events, record=(), neurons=network.neurons).save(found)
assert CompiledNetwork.load(project + "/compiled").chip == network.chip
assert len(HostNetwork.load(large).image.cores) == 3
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(loaded - set(sys.stdlib_module_names)))
"""


def check_driver(folder: Path, execute: Callable[[Path, Sequence[str]], str]) -> None:
    """Run samples on a chip behind a terminal, and compare with golden.

    Parameters
    ----------
    folder : Path
        To work in.
    execute : callable
        Runs a Python file with arguments in the environment; returns what it printed.
    """
    compiled = compile_network(chain([7, 3]))
    Project(folder / "project").keep(compiled, None)
    Project(folder / "large").keep(compile_network(CONVOLUTIONS), None)
    shown = spikes(3, 8, 7)
    np.savez(folder / "samples.npz", spikes=shown, labels=np.zeros(3, np.int64))
    script = folder / "script.py"
    script.write_text(SCRIPT)
    names = ("project", "large", "samples.npz", "found.npz")
    with TerminalBoard(compiled.chip) as board:
        printed = execute(script, [board.name, *(str(folder / name) for name in names)])
    assert printed.split() == ["numpy", "serial", "spikelet"], printed
    found, golden = Recording.load(folder / "found.npz"), run(compiled, shown).recording
    assert golden.outputs.any() and np.array_equal(found.outputs, golden.outputs)
    assert np.array_equal(found.synaptic_operations, golden.synaptic_operations)
