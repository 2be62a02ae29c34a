"""Door 1: a neuron model that only this file knows, from its text to the chip, and the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet import (
    CompiledNetwork,
    NeuronModel,
    PlasticNetwork,
    SpikeletError,
    load_toml,
    neuron_model,
)
from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.run.recording import Recording
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.golden.chip import GoldenChip
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from spikelet.project import Project
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.agreement import agreement
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

TIRING: dict[str, Any] = {
    "name": "tiring",
    "version": 1,
    "description": "adaptive LIF that rests for a countdown after each spike",
    "text": """\
raised = threshold + a; product = v*decay; product_a = a*decay_a; resting = left > 0
summed = nearest(product, 12) + where(resting, 0, current); rest = nearest(product_a, 12)
clipped = clamp(summed); counted = most(left - 1, 0)
over = clipped > raised
fired = over; v = where(over, 0, clipped); left = where(over, pause, counted)
a = clamp(rest + where(over, step, 0))
""",
    "states": {
        "v": {},
        "fired": {"kind": "flag"},
        "a": {"description": "what the threshold has risen by"},
        "left": {"kind": "ticks"},
    },
    "parameters": {
        "threshold": {"low": 0},
        "decay": {"kind": "fraction"},
        "decay_a": {"kind": "fraction"},
        "step": {"low": 0},
        "pause": {"kind": "ticks", "default": 0},
    },
}
INPUTS, HIDDEN, OUTPUTS = 6, 10, 3
RNG = np.random.default_rng(5)
FIRST = RNG.integers(-3, 8, (INPUTS, HIDDEN)) / 8
SECOND = RNG.integers(-2, 8, (HIDDEN, OUTPUTS)) / 8
for grid in (FIRST, SECOND):
    grid.flat[:2] = (-1, 7 / 8)
PAUSES = RNG.integers(0, 4, HIDDEN)
SPIKES = (RNG.random((4, 24, INPUTS)) < 0.5).astype(np.uint8)


def network(model: NeuronModel) -> Network:
    """Return two layers; their values are exact in 16 bits behind the point."""
    given = {"threshold": [1.0], "decay": [0.5], "decay_a": [0.75], "step": [0.25]}
    parameters = {name: np.array(values) for name, values in given.items()}
    return Network(
        "tired",
        INPUTS,
        None,
        (
            Population("a", HIDDEN, model, {**parameters, "pause": PAUSES.astype(float)}),
            Population("b", OUTPUTS, model, parameters),
        ),
        (Projection(INPUT, "a", FIRST), Projection("a", "b", SECOND)),
        ("b",),
    )


def expected(sample: Any) -> list[dict[str, FloatArray]]:
    """Return spikes and states of both layers by their equations, tick by tick."""
    layers = [(FIRST, PAUSES), (SECOND, np.zeros(OUTPUTS))]
    states = [[np.zeros(w.shape[1]) for _ in range(3)] for w, _ in layers]
    found: list[dict[str, list[FloatArray]]] = [{n: [] for n in ("s", "v", "a")} for _ in layers]
    for tick in sample:
        sent = tick
        for record, state, (weights, pause) in zip(found, states, layers, strict=True):
            v, a, left = state
            v = v / 2 + np.where(left > 0, 0, sent @ weights)
            sent = v > 1 + a
            state[:] = (
                np.where(sent, 0, v),
                0.75 * a + sent / 4,
                np.where(sent, pause, np.maximum(left - 1, 0)),
            )
            for name, values in zip(("s", "v", "a"), (sent, *state), strict=False):
                record[name].append(np.array(values))
    return [{name: np.array(values) for name, values in record.items()} for record in found]


def recorded(compiled: CompiledNetwork, given: Any) -> Recording:
    return run(compiled, given, record=("spikes", "states")).recording


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    return compile_network(network(neuron_model(TIRING)), weight_bits=4, potential_bits=24)


def test_float_reference_and_golden_follow_the_equations(compiled: CompiledNetwork) -> None:
    runs = run_float(network(neuron_model(TIRING)), SPIKES)
    trace = recorded(compiled, SPIKES)
    for sample, spikes in enumerate(SPIKES):
        for number, layer in enumerate(expected(spikes)):
            name = compiled.layers[number].name
            np.testing.assert_array_equal(runs[number].spikes[sample], layer["s"])
            np.testing.assert_allclose(runs[number].potentials[sample], layer["v"], atol=1e-12)
            np.testing.assert_array_equal(Run(compiled, trace).spikes(name)[sample], layer["s"])
            found = Run(compiled, trace).states(name)
            scale = compiled.network.quantisation[number].scale
            lsb = scale / 2 ** compiled.network.quantisation[number].weight_exponent
            for state in ("v", "a"):
                np.testing.assert_allclose(
                    found[state][sample] * lsb, layer[state], atol=3 * lsb, err_msg=state
                )
    assert all(0.05 < run.spikes.mean() < 0.95 for run in runs)
    assert Run(compiled, trace).states("a")["left"].max() == PAUSES.max()
    assert [layer.share for layer in agreement(Run(compiled, trace), SPIKES)] == [1, 1]


def test_quantisation_goes_by_kind(compiled: CompiledNetwork) -> None:
    first, second = quantise(network(neuron_model(TIRING)), 4, 24).populations
    lsbs = 8 * 2**first.weight_exponent
    shown = {name: values.tolist() for name, values in first.parameters.items()}
    assert shown == {
        "threshold": [lsbs],
        "decay": [2048],
        "decay_a": [3072],
        "step": [lsbs // 4],
        "pause": PAUSES.tolist(),
    }
    assert "pause" not in second.parameters  # its default, for which nothing is built
    narrow = compile_network(compiled.network, potential_bits=8)
    assert narrow.layers[0].name == "a"


def test_memory_map_fit_save_and_load(compiled: CompiledNetwork, tmp_path: Path) -> None:
    regions = ChipMap(compiled.chip).cores
    assert {"threshold", "decay", "decay_a", "step", "pause", "state"} <= set(regions[0])
    assert "pause" not in regions[1]
    assert regions[0]["state"].span >= 2 * regions[1]["state"].words  # v, a and left
    more, fewer = (
        check_fit(chip.chip, device_named("LFE5U-25F")).needed["luts"]
        for chip in (compiled, compile_network(compiled.network, potential_bits=12))
    )
    assert more > fewer > 0
    compiled.save(tmp_path / "saved")
    loaded = CompiledNetwork.load(tmp_path / "saved")
    assert loaded.digests == compiled.digests and loaded.network.neurons == compiled.network.neurons
    traces = [recorded(chip, SPIKES) for chip in (compiled, loaded)]
    assert traces[1].first_difference(traces[0]) is None


def test_rtl_equals_golden(compiled: CompiledNetwork) -> None:
    events = compiled.events(SPIKES)
    backends = [
        GoldenChip(compiled.chip, compiled.image, backend=backend).run(events)
        for backend in ("numpy", "native")
    ]
    with VerilatedChip(compiled.chip, Design(to_verilog(Chip(compiled.chip), "chip"))) as chip:
        chip.load(compiled.image)
        trace = chip.run(events)
    for golden in backends:
        assert trace.first_difference(golden) is None
        assert {"spikes", "states"} <= set(trace.compared(golden))
    assert trace.states is not None and trace.states[0]["left"].any()


def test_project_and_report(compiled: CompiledNetwork, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.save(compiled)
    project.verify(Samples(SPIKES, None), ("golden",))
    page, _ = project.report(state="a")
    text = page.read_text()
    assert "neuron model tiring" in text and "State a over time" in text
    with pytest.raises(SpikeletError, match="no layer has a state 'w'") as info:
        project.report(state="w")
    assert info.value.remedy == "there are v, a, left"


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_a_file_wherever_a_name_is(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"tiring.{suffix}"
    file.write_text(json.dumps(TIRING) if suffix == "json" else as_toml())
    assert neuron_model(str(file)) == neuron_model(TIRING)
    found = CliRunner().invoke(main, ["neurons", str(file), "--json"])
    assert found.exit_code == 0 and json.loads(found.output)["state_bits"]["left"] == 6
    shown = CliRunner().invoke(main, ["neurons", str(file)]).output
    assert "pause: ticks, 0..63, default 0" in shown and "resting = left > 0" in shown
    (tmp_path / "net.toml").write_text(
        'outputs = ["b"]\n[inputs.a]\nsize = 2\n[populations.b]\nsize = 2\n'
        f'neuron = "{file.name}"\nthreshold = 9\ndecay = 2048\n'
        "decay_a = 3072\nstep = 4\npause = 2\n"
        '[[projections]]\nsource = "a"\ntarget = "b"\nweights = 8\n'
    )
    by_file = compile_network(load_toml(tmp_path / "net.toml"))
    built = PlasticNetwork("net")
    built.inputs("a", 2)
    values = {"threshold": 9, "decay": 2048, "decay_a": 3072, "step": 4, "pause": 2}
    built.population("b", 2, neuron=TIRING, **values)
    built.project("a", "b", weights=8)
    built.output("b")
    assert by_file.digests == compile_network(built).digests
    found = run(by_file, np.ones((1, 6, 2)), record=("spikes", "states"))
    # 16 > 9; two ticks of rest; 16 > 9 + 4 * 9/16 again
    assert found.spikes("b")[0, :, 0].tolist() == [True, False, False, True, False, False]
    assert found.states("b")["left"][0, :, 0].tolist() == [2, 1, 0, 2, 1, 0]


def as_toml() -> str:
    lines = [f"{key} = {json.dumps(TIRING[key])}" for key in ("name", "version", "description")]
    lines.append(f'text = """\n{TIRING["text"]}"""')
    for group in ("states", "parameters"):
        for name, table in TIRING[group].items():
            lines.append(f"[{group}.{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def test_what_is_out_of_the_models_ranges() -> None:
    model = neuron_model(TIRING)
    for wrong, message in (
        ({"pause": np.array([64.0])}, r"pause must be in 0\.\.63, found 64"),
        ({"decay_a": np.array([1.5])}, r"decay_a must be in 0\.\.1, found 1\.5"),
        ({"step": np.array([-1.0])}, r"step must be in 0\.\., found -1"),
        ({"tau": np.ones(1)}, "has no parameter 'tau'"),
    ):
        layer = network(model).populations[0]
        with pytest.raises(SpikeletError, match=f"population 'a': .*{message}"):
            Population("a", HIDDEN, model, {**layer.parameters, **wrong})
    with pytest.raises(SpikeletError, match="population 'a': threshold is missing"):
        Population("a", HIDDEN, model, {})
