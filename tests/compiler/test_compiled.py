"""The compiled network: events, reading Recordings, and saving."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.description.run.recording import Recording
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.agreement import LayerAgreement, agreement
from spikelet.runs.run_result import Run
from tests.helpers.interpreter import run_chip
from tests.helpers.networks import (
    EULER,
    SUBTRACT,
    branched,
    chain,
    lif,
    linear,
    sink,
    source,
    spikes,
    write,
)


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    limits = PlacementLimits(max_neurons=8, lanes=4)
    network = branched(bias=0.125)
    return compile_network(network, limits=limits, calibration=spikes(3, 8, 7))


def run(compiled: CompiledNetwork, fired: Any) -> Recording:
    return run_chip(compiled.chip, compiled.image, compiled.events(fired), compiled.neurons)


def test_compile_a_file(tmp_path: Path) -> None:
    nodes = {"in": source(3), "fc": linear(2, 3), "lif": lif(2), "out": sink(2)}
    path = write(tmp_path / "net.nir", nodes)
    compiled = compile_network(path, "nir-euler", 1e-3, weight_bits=3, potential_bits=12)
    assert (compiled.name, compiled.network.neurons) == ("net", (EULER,))
    assert compiled.network.dt == 1e-3
    assert [layer.name for layer in compiled.layers] == ["lif"]
    (core,) = compiled.chip.cores
    assert (core.weight_bits, core.potential_bits, core.n_axons) == (3, 12, 3)
    assert compile_network(str(path), EULER, 1e-3).chip.cores[0].weight_bits == 4


def test_a_network_brings_its_own_profile() -> None:
    network = chain([3, 2])
    assert compile_network(network, "nir-euler", 1e-3).network.neurons == (EULER,)
    for neuron, dt in ((SUBTRACT, None), ("snntorch-zero", None), (None, 2e-3)):
        with pytest.raises(
            SpikeletError, match="network 'chain' has neurons of nir-euler and dt 0.001"
        ):
            compile_network(network, neuron, dt)


def test_events(compiled: CompiledNetwork) -> None:
    fired = np.zeros((2, 5, 7), np.uint8)
    fired[1, 2, 3] = 1
    events = compiled.events(fired)
    assert (events.samples, events.ticks) == (2, 5 + compiled.output_latency)
    assert set(events.tick_of_event.tolist()) == {events.ticks + 2}
    cores = {layer.name: {part.core for part in layer.slices} for layer in compiled.layers}
    expected = {(c, 0) for name in "ab" for c in cores[name]} | {(c, 2) for c in cores["out"]}
    assert set(zip(events.core.tolist(), events.delay.tolist(), strict=True)) == expected


def test_events_refuse(compiled: CompiledNetwork) -> None:
    with pytest.raises(
        SpikeletError, match=r"must have shape \(samples, ticks, 7\), not \(2, 5, 6\)"
    ):
        compiled.events(np.zeros((2, 5, 6)))
    with pytest.raises(
        SpikeletError, match=r"must be 0 or 1, found 0.5 at sample 0, tick 1, input 2"
    ):
        compiled.events(np.where(np.arange(21).reshape(1, 3, 7) == 9, 0.5, 0))


def test_classify_counts_the_valid_ticks_only() -> None:
    compiled = compile_network(chain([3, 4, 3]))
    outputs = np.zeros((3, 4, 3), np.uint16)
    outputs[:, 0, 2] = 9  # before anything can have come through
    outputs[0, 1:, 1] = 1
    outputs[1, 3, 0] = 1
    trace = Recording(
        "t", outputs, np.zeros((3, 4, 2), np.int32), np.zeros((3, 2), np.int32), (4, 3)
    )
    assert Run(compiled, trace).classify().tolist() == [1, 0, -1], "no output spike, no class"
    assert Run(compiled, trace).output_counts().tolist() == [[0, 3, 0], [1, 0, 0], [0, 0, 0]]


def test_agreement_of_a_rounded_network() -> None:
    network = chain([6, 10, 4], decay=np.array([0.9]), neuron=SUBTRACT, scale=0.111)
    shown = spikes(4, 20, 6, rate=0.5)
    compiled = compile_network(network, weight_bits=3, calibration=shown)
    trace = run(compiled, shown)
    found = agreement(Run(compiled, trace), shown)
    assert [layer.name for layer in found] == ["p0", "p1"]
    for layer in found:
        assert layer.overlap is not None
        assert 0.5 < layer.overlap < 1
        assert layer.overlap < layer.share < 1
        fired = Run(compiled, trace).spikes(layer.name).sum(axis=(0, 1))
        assert (layer.neurons, layer.integer_spikes) == (fired.size, fired.sum())
        assert (layer.silent_neurons, layer.busiest) == ((fired == 0).sum(), fired.max())
        assert layer.saturations == 0
    with pytest.raises(SpikeletError, match="of 4 samples of 20 ticks, the input of 4 of 19"):
        agreement(Run(compiled, trace), shown[:, :19])


def test_layer_agreement_numbers() -> None:
    found = LayerAgreement("p", float_spikes=10, integer_spikes=8, common=6, places=100)
    assert found.share == pytest.approx(0.94)
    assert found.overlap == pytest.approx(0.5)
    silent = LayerAgreement("p", 0, 0, 0, 0)
    assert silent.share == 1
    assert silent.overlap is None, "nothing is not called equal"


def test_traces_that_do_not_belong(compiled: CompiledNetwork) -> None:
    trace = run(compiled, spikes(1, 4, 7))
    with pytest.raises(SpikeletError, match="has no layer 'x'; its layers are a, b, c, out"):
        Run(compiled, trace).spikes("x")
    with pytest.raises(SpikeletError, match="the Recording of interpreter has no states"):
        Run(compiled, replace(trace, states=None)).states("a")
    with pytest.raises(
        SpikeletError, match=r"network 'chain' has 2 outputs and 1 cores, the Recording"
    ):
        Run(compile_network(chain([3, 2])), trace)
    with pytest.raises(SpikeletError, match="outputs of network 'branched' appear after 2"):
        Run(compiled, replace(trace, outputs=trace.outputs[:, :2]))


def same(a: Any, b: Any) -> None:
    """Assert that two compiled networks hold the same."""
    assert a.chip == b.chip
    for left, right in zip(a.image.cores, b.image.cores, strict=True):
        mine, theirs = left.to_arrays(), right.to_arrays()
        assert mine.keys() == theirs.keys()
        for name, values in mine.items():
            np.testing.assert_array_equal(values, theirs[name])
            assert values.dtype == theirs[name].dtype
    np.testing.assert_array_equal(a.routes, b.routes)
    for field in ("layers", "output_latency", "neurons", "name", "limits", "digests"):
        assert getattr(a, field) == getattr(b, field), field
    for field in ("quantisation", "dt", "seed", "inputs", "encoder"):
        assert getattr(a.network, field) == getattr(b.network, field), field
    assert (a.network.sizes, a.network.outputs) == (b.network.sizes, b.network.outputs)


def test_save_and_load(compiled: CompiledNetwork, tmp_path: Path) -> None:
    compiled.save(tmp_path / "a" / "b")
    again = CompiledNetwork.load(tmp_path / "a" / "b")
    same(compiled, again)
    fired = spikes(2, 6, 7)
    assert run(again, fired).first_difference(run(compiled, fired)) is None
    expected = agreement(Run(compiled, run(compiled, fired)), fired)
    assert agreement(Run(again, run(again, fired)), fired) == expected
    names = sorted(path.name for path in (tmp_path / "a" / "b").iterdir())
    assert names == ["arrays.npz", "artefact.json", "chip.json"]


def test_save_and_load_a_recurrent_network(tmp_path: Path) -> None:
    compiled = compile_network(branched(recurrent=("a", "out")))
    compiled.save(tmp_path)
    again = CompiledNetwork.load(tmp_path)
    same(compiled, again)
    for mine, theirs in zip(again.network.projections, compiled.network.projections, strict=True):
        assert (mine.source, mine.target) == (theirs.source, theirs.target)
        np.testing.assert_array_equal(mine.weights, theirs.weights)
    fired = spikes(2, 6, 7)
    trace = run(compiled, fired)
    assert agreement(Run(again, trace), fired) == agreement(Run(compiled, trace), fired)


def test_save_and_load_without_leak_and_time_step(tmp_path: Path) -> None:
    compiled = compile_network(replace(chain([3, 2]), dt=None))
    compiled.save(tmp_path)
    same(compiled, CompiledNetwork.load(tmp_path))


def test_load_refuses(compiled: CompiledNetwork, tmp_path: Path) -> None:
    def refused(message: str) -> None:
        with pytest.raises(SpikeletError, match=message) as info:
            CompiledNetwork.load(tmp_path)
        assert "remedy: compile the network again" in str(info.value)

    refused("artefact.json cannot be read .*: not complete")
    compiled.save(tmp_path)
    arrays = (tmp_path / "arrays.npz").read_bytes()
    (tmp_path / "arrays.npz").write_bytes(arrays[:-10])
    refused("arrays.npz is not the file that artefact.json names")
    (tmp_path / "arrays.npz").unlink()
    refused("arrays.npz cannot be read")
    record = json.loads((tmp_path / "artefact.json").read_text())
    (tmp_path / "artefact.json").write_text(json.dumps({**record, "version": 0}))
    (tmp_path / "arrays.npz").write_bytes(arrays)
    refused("artefact.json: version must be 8, not 0")
    (tmp_path / "artefact.json").write_text(json.dumps({**record, "kind": "run of rtl"}))
    refused("artefact.json: kind must be 'compiled network', not 'run of rtl'")
    (tmp_path / "artefact.json").write_text("{")
    refused("artefact.json is not a record")


def test_load_refuses_what_is_sealed_but_wrong(compiled: CompiledNetwork, tmp_path: Path) -> None:
    broken = replace(compiled, image=replace(compiled.image, cores=compiled.image.cores[:-1]))
    broken.save(tmp_path)
    with pytest.raises(SpikeletError, match="chip.json does not describe a compiled network"):
        CompiledNetwork.load(tmp_path)


def test_an_interrupted_save_is_noticed(
    compiled: CompiledNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_network(chain([3, 2])).save(tmp_path)
    written = []

    def stop(path: Path, target: Path) -> None:
        written.append(Path(target).name)
        if len(written) == 2:
            raise KeyboardInterrupt
        path.rename(target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        compiled.save(tmp_path)
    monkeypatch.undo()
    with pytest.raises(SpikeletError, match="is not the file that artefact.json names"):
        CompiledNetwork.load(tmp_path)


def test_save_where_nothing_can_be_written(compiled: CompiledNetwork, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SpikeletError, match="file.* cannot be written") as info:
        compiled.save(tmp_path / "file" / "folder")
    assert "a file is in the place of a folder" in info.value.remedy


def test_other_weights_in_a_snapshot() -> None:
    network = PlasticNetwork("two")
    network.inputs("lines", 3)
    network.population("cells", 4, threshold=9)
    network.project("lines", "cells", weights=1, rule=RULES["pair_stdp"](w_max=7))
    network.project("cells", "cells", weights=-2)
    network.output("cells")
    plastic = compile_network(network)
    before = plastic.initial_state()
    wanted = np.arange(12).reshape(3, 4) % 8
    after = plastic.with_weights(before, "lines", "cells", wanted)
    assert (plastic.weights("lines", "cells", after.image) == wanted).all()
    assert (plastic.weights("lines", "cells", before.image) == 1).all()
    rows = plastic.axons("cells", "cells")
    kept = [state.image.cores[0].weights[rows] for state in (before, after)]
    assert (kept[0] == kept[1]).all()
    after.check(plastic.chip)
    what = "^network 'two': weights 'lines' -> 'cells' "
    for weights, message in (
        (wanted + 1, r"must be in 0\.\.7, found 8$"),
        (wanted.T, r"must be int, of shape \(3, 4\), not int64 of \(4, 3\)$"),
        (wanted / 2, r"must be int, of shape \(3, 4\), not float64 of \(3, 4\)$"),
    ):
        with pytest.raises(SpikeletError, match=what + message):
            plastic.with_weights(before, "lines", "cells", weights)
    with pytest.raises(SpikeletError, match="'cells' -> 'cells' are not plastic"):
        plastic.with_weights(before, "cells", "cells", np.zeros((4, 4), int))
