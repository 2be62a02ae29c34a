"""Door 3: a node kind of NIR that only this file knows, from the file to the chip and back."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

from spikelet import CompiledNetwork, load_network
from spikelet.compiler.compile import compile_network
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.network.network import FloatArray
from spikelet.network.reference import run_float
from spikelet.nir.handler import Field, ImportedNode, NeuronValues, NodeHandler
from spikelet.nir.neurons import NeuronHandler
from spikelet.nir.signal import Signal, Sparse
from spikelet.reports.report import write_report
from spikelet.runs.agreement import agreement
from spikelet.runs.run import run as spikelet_run
from spikelet.samples.samples import Samples

INPUTS, HIDDEN, OUTPUTS = 6, 8, 3
ORDER = np.array([5, 0, 3, 3, 1, 7, 2, 6])
"""Hidden neuron 4 is left out, 3 stands twice."""

RNG = np.random.default_rng(12)
FIRST = RNG.integers(-3, 8, (HIDDEN, INPUTS)) / 8
SECOND = RNG.integers(-3, 8, (OUTPUTS, HIDDEN)) / 8
for grid in (FIRST, SECOND):
    grid.flat[:2] = (-1, 7 / 8)  # so that six bits hold every weight, and sums of two, exactly
SPIKES = (RNG.random((4, 30, INPUTS)) < 0.4).astype(np.uint8)


class Shuffle(NodeHandler):
    """Values in another order: ``y[k] = x[order[k]]``."""

    kind = "Shuffle"
    fields = (Field("order", axes=("values",)),)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        order = node.fields["order"].astype(int)
        if order.min() < 0 or order.max() >= signal.size:
            raise SpikeletError(
                f"order must be in 0..{signal.size - 1}, found {order.min()}..{order.max()}",
                remedy="number the values that arrive from 0",
            )
        return signal.through(Sparse.selection(signal.size, order))


class Halving(NeuronHandler):
    """Neurons that lose half of their potential in each tick, with a threshold."""

    kind = "Halving"
    fields = (Field("threshold"),)

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        parameters = {"decay": np.full(1, 0.5), "threshold": node.parameter("threshold", size)}
        return NeuronValues(parameters, np.ones(1), np.zeros(1))


def write(path: Path, **changed: Any) -> Path:
    """Write in -> fc1 -> l1 -> shuffle -> fc2 -> l2 -> out, with h5py alone."""
    nodes: dict[str, dict[str, Any]] = {
        "in": {"type": "Input", "shape": [INPUTS]},
        "fc1": {"type": "Linear", "weight": FIRST},
        "l1": {"type": "Halving", "threshold": np.ones(HIDDEN)},
        "shuffle": {"type": "Shuffle", "order": ORDER},
        "fc2": {"type": "Linear", "weight": SECOND},
        "l2": {"type": "IF", "r": np.ones(OUTPUTS), "v_threshold": np.ones(OUTPUTS)},
        "out": {"type": "Output", "shape": [OUTPUTS]},
    }
    nodes["shuffle"].update(changed)
    with h5py.File(path, "w") as file:
        root = file.create_group("node")
        root["type"] = "NIRGraph"
        for name, fields in nodes.items():
            for field, values in fields.items():
                root[f"nodes/{name}/{field}"] = values
        names = list(nodes)
        edges = list(pairwise(names))
        root["edges"] = np.array(edges, h5py.string_dtype())
    return path


HANDLERS = (Shuffle(), Halving())


def expected(sample: Any) -> tuple[FloatArray, FloatArray]:
    """Return the spikes of both layers by the equations above, tick by tick."""
    v1, v2 = np.zeros(HIDDEN), np.zeros(OUTPUTS)
    first, second = [], []
    for tick in sample:
        v1 = v1 / 2 + FIRST @ tick
        fired = v1 > 1
        v1 = np.where(fired, 0, v1)
        v2 = v2 + SECOND @ fired[ORDER]
        out = v2 > 1
        v2 = np.where(out, 0, v2)
        first.append(fired)
        second.append(out)
    return np.array(first), np.array(second)


def test_from_the_file_to_the_chip_and_back(tmp_path: Path) -> None:
    network = load_network(write(tmp_path / "x.nir"), "nir-euler", handlers=HANDLERS)
    runs = run_float(network, SPIKES)
    for sample, spikes in enumerate(SPIKES):
        for run, layer in zip(runs, expected(spikes), strict=True):
            np.testing.assert_array_equal(run.spikes[sample], layer)
    assert all(0.05 < run.spikes.mean() < 0.95 for run in runs)

    compiled = compile_network(network, weight_bits=6, potential_bits=24)
    compiled.save(tmp_path / "saved")
    loaded = CompiledNetwork.load(tmp_path / "saved")  # needs no handler
    for chip in (compiled, loaded):
        found = spikelet_run(chip, SPIKES)
        for population, run in zip(network.populations, runs, strict=True):
            np.testing.assert_array_equal(found.spikes(population.name), run.spikes)
        assert [layer.share for layer in agreement(found, SPIKES)] == [1, 1]
    assert loaded.digests == compiled.digests


def test_memory_map_fit_check_and_report(tmp_path: Path) -> None:
    compiled = compile_network(
        load_network(write(tmp_path / "x.nir"), "nir-euler", handlers=HANDLERS)
    )
    regions = ChipMap(compiled.chip).cores
    assert len(regions) == 2 and all("weights" in core for core in regions)
    fit = check_fit(compiled.chip, device_named("LFE5U-25F"))
    assert not fit.problems and fit.needed["luts"] > 0
    page = write_report(
        tmp_path / "report",
        compiled=compiled,
        samples=Samples(SPIKES),
        verification=None,
        trace=spikelet_run(compiled, SPIKES, record=("spikes", "states")).recording,
        fpga=[],
    ).read_text()
    assert "l1" in page and "l2" in page and compiled.chip.digest in page


def test_spikes_come_back_through_it(tmp_path: Path) -> None:
    """In each tick those of the tick before, in the other order."""
    path = tmp_path / "x.nir"
    with h5py.File(path, "w") as file:
        file["node/type"] = "NIRGraph"
        for name, fields in {
            "in": {"type": "Input", "shape": [3]},
            "l": {"type": "Halving", "threshold": np.full(1, 0.5)},
            "back": {"type": "Shuffle", "order": [1, 2, 0]},
            "out": {"type": "Output", "shape": [3]},
        }.items():
            for field, values in fields.items():
                file[f"node/nodes/{name}/{field}"] = values
        edges = [("in", "l"), ("l", "back"), ("back", "l"), ("l", "out")]
        file["node/edges"] = np.array(edges, h5py.string_dtype())
    network = load_network(path, "nir-euler", handlers=HANDLERS)
    start = np.zeros((1, 5, 3), np.uint8)
    start[0, 0, 0] = 1
    spikes = run_float(network, start)[0].spikes[0]
    assert [np.flatnonzero(tick).tolist() for tick in spikes] == [[0], [2], [1], [0], [2]]


def test_without_the_handler_the_kind_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.nir")
    with pytest.raises(SpikeletError, match=r"'l1' \(Halving\) .*Halving is not supported"):
        load_network(path, "nir-euler")
    with pytest.raises(SpikeletError, match=r"'shuffle' \(Shuffle\) .*Shuffle is not supp") as info:
        load_network(path, "nir-euler", handlers=[Halving()])
    assert info.value.remedy.endswith(", Halving")


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, HIDDEN], "order must be in 0..7, found 0..8"),
        ([[0, 1]], r"order must be an array of 1 axes \(values\), not of shape \(1, 2\)"),
        ("0, 1", r"order holds .*, not real numbers"),
        ([0, np.nan], r"order must be finite, found nan at \[1\]"),
        ([0, 1], r"weight of shape \(3, 8\) is for 8 values but 2 arrive"),
    ],
)
def test_errors_name_file_and_node(tmp_path: Path, order: Any, message: str) -> None:
    path = write(tmp_path / "x.nir", order=order)
    with pytest.raises(SpikeletError, match=message) as info:
        load_network(path, "nir-euler", handlers=HANDLERS)
    node = "'fc2' (Linear)" if "weight" in message else "'shuffle' (Shuffle)"
    assert info.value.args[0].startswith(f"{path}: node {node} between ") and info.value.remedy


def test_a_handler_in_the_place_of_one_that_is_there(tmp_path: Path) -> None:
    class Weak(NodeHandler):
        kind = "Linear"
        fields = (Field("weight"),)

        def apply(self, node: ImportedNode, signal: Signal) -> Signal:
            return signal.through(node.fields["weight"] / 2)

    path = write(tmp_path / "x.nir")
    weak = load_network(path, "nir-euler", handlers=[*HANDLERS, Weak()])
    full = load_network(path, "nir-euler", handlers=HANDLERS)
    for one, other in zip(weak.projections, full.projections, strict=True):
        np.testing.assert_array_equal(2 * one.weights, other.weights)


def test_handlers_that_are_none(tmp_path: Path) -> None:
    class Nameless(Shuffle):
        kind = ""

    path = write(tmp_path / "x.nir")
    for handlers, message in (
        ([Shuffle], "must be a NodeHandler with a kind, not <class"),
        ([Nameless()], "must be a NodeHandler with a kind"),
        ([Shuffle(), Shuffle()], "two handlers are given for node type Shuffle"),
    ):
        with pytest.raises(SpikeletError, match=message):
            load_network(path, "nir-euler", handlers=handlers)  # type: ignore[arg-type]
