"""Learning on gates of standard cells: the library reaches the engine from the command line."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs import epochs
from spikelet.runs.learn import learn_from, making_of
from spikelet.runs.run import run
from spikelet.samples.plastic_samples import LearningSamples
from tests.asic.library import write_library

SPIKES = (np.random.default_rng(1).random((2, 12, 4)) < 0.5).astype(np.uint8)


def plastic() -> CompiledNetwork:
    """Return a network of one small core that learns."""
    rule = LearningRule("dw = 2^-1*x1*y0 - x0", x1=TraceParams(9, decay_shift=2, bits=5), w_max=7)
    network = PlasticNetwork("learning")
    network.inputs("lines", 4)
    network.population("cells", 4, threshold=6)
    network.project("lines", "cells", weights=(0, 7), rule=rule)
    network.output("cells")
    return compile_network(network, limits=PlacementLimits(max_axons=4, max_neurons=4, lanes=2))


def test_learning_needs_a_library(tmp_path: Path) -> None:
    shown = LearningSamples(SPIKES)
    with pytest.raises(SpikeletError, match=r"^engine netlist-cells needs a library") as error:
        learn_from(plastic(), shown, engine="netlist-cells", folder=tmp_path)
    assert "--liberty FILE.lib" in str(error.value.remedy)
    lost = tmp_path / "no.lib"
    with pytest.raises(SpikeletError, match=r"no\.lib cannot be read"):
        learn_from(plastic(), shown, engine="netlist-cells", folder=tmp_path, liberty=lost)
    with pytest.raises(SpikeletError, match=r"no\.lib cannot be read"):
        making_of(plastic(), shown, "netlist-cells", True, None, "", lost)


def test_the_command_hands_it_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To each run, and into the records: another library is another run, not to be resumed."""
    given = []

    def on_golden(source: object, spikes: object, engine: str, **options: object) -> object:
        given.append((engine, options.pop("liberty")))
        return run(source, spikes, **options)

    monkeypatch.setattr(epochs, "run", on_golden)
    plastic().save(tmp_path / "folder" / "compiled")
    np.savez(tmp_path / "samples.npz", spikes=SPIKES)
    library = write_library(tmp_path)
    arguments = ["learn", str(tmp_path / "folder"), str(tmp_path / "samples.npz")]
    arguments += ["--engine", "netlist-cells", "--liberty", str(library)]
    first = CliRunner().invoke(main, arguments)
    assert first.exit_code == 0, first.output
    assert given == [("netlist-cells", library)]
    library.write_text(library.read_text() + "\n")
    again = CliRunner().invoke(main, [*arguments, "--resume"])
    assert again.exit_code != 0 and "liberty file" in again.output


@pytest.mark.slow
def test_gates_learn_as_golden_does(tmp_path: Path) -> None:
    compiled, shown = plastic(), LearningSamples(SPIKES)
    expected = learn_from(compiled, shown)
    got = learn_from(
        *(compiled, shown),
        engine="netlist-cells",
        folder=tmp_path,
        liberty=write_library(tmp_path),
    )
    assert (got.state.checksums() == expected.state.checksums()).all()
    before, after = got.weights("lines", "cells")
    assert (before != after).any()
