"""``spikelet check``: verdicts of single nodes, what a file as a whole lacks, devices, and JSON."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import devices
from spikelet.support import APPROXIMATE, EXACT, NOT_JUDGED, UNSUPPORTED, Check, check
from tests.helpers.networks import integrator, lif, linear, sink, source, write

GRID = np.arange(-4.0, 4)[:, None] * np.ones((1, 6))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.nir"


def chain(file: Path, **nodes: Any) -> Path:
    """Write nodes one after another, behind an input of 6 values."""
    last = list(nodes)[-1]
    write(file, {"in": source(6), **nodes, "out": sink(len(nodes[last].v_threshold))})
    return file


def verdicts(found: Check) -> dict[str, str]:
    return {node.name: node.verdict for node in found.nodes}


def invoke(*arguments: Any) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout or result.stderr


def test_weights_on_a_grid_into_neurons_without_leak_are_exact(file: Path) -> None:
    found = check(chain(file, fc=nir.Linear(GRID), cells=integrator(8, v_threshold=5)), "nir-euler")
    assert set(verdicts(found).values()) == {found.verdict} == {EXACT}
    assert [node.shape for node in found.nodes] == [(6,), (8,), (8,), (8,)]
    assert [report.device for report in found.devices] == list(devices())
    assert all(report.fits for report in found.devices) and found.chip
    assert not file.with_suffix("").exists(), "something was written"


def test_each_rounding_is_said_at_its_node(file: Path) -> None:
    nodes = {"fc": linear(8, 6, 1), "cells": lif(8, tau=9.3e-3, v_threshold=0.7123)}
    found = check(chain(file, **nodes), "nir-euler", 1e-3)
    assert verdicts(found) == {"in": EXACT, "fc": APPROXIMATE, "cells": APPROXIMATE, "out": EXACT}
    assert found.verdict == APPROXIMATE
    weights, neurons = found.nodes[1].reasons, found.nodes[2].reasons
    assert len(weights) == 1 and "weights into 'cells' to 4 bits" in weights[0]
    assert "decay: a time constant of 8.79" in neurons[0] and "threshold" in neurons[1]
    wider = check(file, "nir-euler", 1e-3, weight_bits=8)

    def error(one: Check) -> float:
        return float(one.nodes[1].reasons[0].split("error ")[1].split()[0])

    assert "to 8 bits" in wider.nodes[1].reasons[0] and error(wider) < 2 * error(found)
    assert len(found.leaks) == 1 and found.leaks[0].startswith("cells: decay")


def test_what_is_behind_an_unsupported_node_is_not_judged(file: Path) -> None:
    nodes = {"fc": linear(8, 6, 1), "a": integrator(8), "fc2": linear(5, 9, 2), "b": integrator(5)}
    found = check(chain(file, **nodes), "nir-euler")
    assert verdicts(found) == {
        **{"in": NOT_JUDGED, "fc": NOT_JUDGED, "a": NOT_JUDGED},
        **{"fc2": UNSUPPORTED, "b": NOT_JUDGED, "out": NOT_JUDGED},
    }
    assert [node.shape for node in found.nodes] == [(6,), (8,), (8,), None, None, None]
    assert "is for 9 values but 8 arrive" in found.nodes[3].reasons[0]
    assert found.nodes[3].remedy and found.chip is None and not found.devices
    assert found.verdict == UNSUPPORTED


def test_every_node_that_is_unsupported_is_named(file: Path) -> None:
    chain(file, fc=linear(8, 6, 1), a=integrator(8), fc2=linear(5, 8, 2), b=integrator(5))
    with h5py.File(file, "a") as data:
        for name, kind in (("a", "Oscillator"), ("fc2", "Attention")):
            del data[f"node/nodes/{name}/type"]
            data[f"node/nodes/{name}/type"] = kind
        del data["node/nodes/b/v_threshold"]
    found = check(file, "nir-euler")
    reasons = {node.name: node.reasons[0] for node in found.nodes if node.verdict == UNSUPPORTED}
    assert reasons == {
        "a": "node type Oscillator is not supported",
        "fc2": "node type Attention is not supported",
        "b": "field v_threshold is missing",
    }


def test_nobody_says_who_wrote_it(file: Path) -> None:
    """Then nodes are judged by a framework whose numbers these may be, and it is a problem."""
    chain(file, fc=linear(8, 6, 1), cells=integrator(8))
    found = check(file)
    assert len(found.problems) == 1 and "is not known" in found.problems[0][0]
    assert "--framework" in found.problems[0][1]
    assert "its numbers fit" in found.reading[0] and found.devices
    assert found.verdict == UNSUPPORTED
    assert check(file, framework="norse").verdict == APPROXIMATE


def test_what_only_quantisation_refuses(file: Path) -> None:
    chain(file, fc=nir.Linear(np.zeros((8, 6))), cells=integrator(8))
    found = check(file, "nir-euler")
    assert "all weights into layer 'cells' are 0" in found.problems[0][0]
    assert found.verdict == UNSUPPORTED and set(verdicts(found).values()) == {NOT_JUDGED}


def test_command_line(file: Path, tmp_path: Path) -> None:
    chain(file, fc=linear(8, 6, 1), cells=integrator(8))
    before = sorted(tmp_path.iterdir())
    code, output = invoke(file, "--neuron", "nir-euler")
    assert code == 0 and "approximate" in output and "LFE5U-25F: " in output
    code, output = invoke(file, "--neuron", "nir-euler", "--weight-bits", "6", "--json")
    fields = json.loads(output)
    assert code == 0 and fields["verdict"] == APPROXIMATE
    assert [node["verdict"] for node in fields["nodes"]] == [
        EXACT,
        APPROXIMATE,
        *[APPROXIMATE, EXACT],
    ]
    assert fields["devices"][0]["fits"] is True and fields["cores"]
    code, output = invoke(file)
    assert code == 1 and "problem: the model of its neurons is not known" in output
    code, output = invoke(tmp_path / "none.nir")
    assert code == 1 and "there is no such file" in output
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_not_nir_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.nir").write_text("no")
    with pytest.raises(SpikeletError, match="is not an HDF5 file"):
        check(tmp_path / "text.nir")


def test_only_what_it_needs_is_loaded(file: Path) -> None:
    """It answers in a fraction of a second, and in an installation without extras."""
    chain(file, fc=linear(8, 6), cells=lif(8))
    script = """
import sys
from spikelet.cli import main
try:
    main(["check", sys.argv[1], "--neuron", "nir-euler", "--dt", "1e-3"])
except SystemExit as end:
    assert not end.code
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    command = [sys.executable, "-c", script, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert {"numpy", "h5py"} <= set(loaded), "this is no list of modules"
    assert not {"amaranth", "amaranth_boards", "matplotlib", "jinja2", "pyosys"} & set(loaded)


@pytest.mark.parametrize(
    ("inputs", "verdict", "words"),
    [
        (1500, APPROXIMATE, "allow cores of 1500 axons (--max-axons 1500)"),
        (4100, UNSUPPORTED, "needs 4100 axons (4100 from 'input'), 4 more than the 4096 that"),
    ],
)
def test_neurons_of_many_inputs(file: Path, inputs: int, verdict: str, words: str) -> None:
    """Larger cores than the usual are said; beyond the largest there is no way."""
    weights = nir.Linear(np.where(np.random.default_rng(0).random((2, inputs)) < 0.5, 1.0, 0.3))
    write(file, {"in": source(inputs), "fc": weights, "cells": integrator(2), "out": sink(2)})
    found = check(file, "nir-euler", 1e-3)
    assert found.verdict == verdict and (found.chip is not None) == (verdict == APPROXIMATE)
    (said,) = [*(text for text, _ in found.problems), *(d for d in found.doubts if "axons" in d)]
    assert words in said
    if found.problems:
        assert "cores send spikes and no partial sums" in said
        assert "weights of 0 from 4 of them" in found.problems[0][1]
