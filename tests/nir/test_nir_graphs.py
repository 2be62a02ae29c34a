"""Delays, loops over several layers, several inputs: node by node, on floats and on the chip."""

from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikelet import CompiledNetwork, Samples
from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.network.network import Network
from spikelet.network.reference import run_float
from spikelet.network.shown import Shown
from spikelet.nir.export import write_nir
from spikelet.nir.importer import load_network
from spikelet.runs.run import run as spikelet_run
from spikelet.runs.verify import verify
from tests.helpers.networks import DT, EULER, Edges, integrator, sink, source, spikes, write
from tests.helpers.nir_evaluation import refused

SIZE, TICKS = 3, 25


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.nir"


def grid(outputs: int, inputs: int, seed: int) -> nir.Linear:
    values = np.random.default_rng(seed).integers(-3, 7, (outputs, inputs)) / 8
    values.flat[:2] = (-1, 7 / 8)
    return nir.Linear(values)


def delay(*ticks: int) -> nir.Delay:
    return nir.Delay(np.array(ticks) * DT)


def check_layers(network: Network, shown: Any, expected: dict[str, Any]) -> CompiledNetwork:
    """Assert that float network and chip spike as expected, {layer: (ticks, size)}."""
    compiled = compile_network(network, potential_bits=20)
    found = spikelet_run(compiled, shown)
    for population, run in zip(network.populations, run_float(network, shown), strict=True):
        np.testing.assert_array_equal(run.spikes[0], expected[population.name])
        np.testing.assert_array_equal(found.spikes(population.name)[0], expected[population.name])
        assert 0.02 < run.spikes.mean() < 0.98
    return compiled


def ago(history: list[Any], ticks: int) -> Any:
    """Return what was ``ticks`` ago, of a history that ends with the tick before; 0 before it."""
    return history[-ticks] if 0 < ticks <= len(history) else np.zeros(SIZE)


def fire(v: Any, current: Any) -> tuple[Any, Any]:
    """Return potentials and spikes of neurons without leak and of threshold 1."""
    v = v + current
    return np.where(v > 1, 0, v), (v > 1).astype(float)


# Delay


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ticks=st.lists(st.integers(0, 5), min_size=SIZE, max_size=SIZE), one=st.integers(0, 4))
def test_delays_of_each_value_and_of_inputs(file: Path, ticks: list[int], one: int) -> None:
    """Behind the input the same for all, behind a layer one for each of its neurons."""
    nodes = {
        **{"in": source(SIZE), "d": delay(one), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE)},
        **{"each": delay(*ticks), "g": grid(SIZE, SIZE, 2), "b": integrator(SIZE)},
        "out": sink(SIZE),
    }
    network = load_network(write(file, nodes), EULER, DT)
    shown = spikes(1, TICKS, SIZE, rate=0.6, seed=1)
    va, vb = np.zeros(SIZE), np.zeros(SIZE)
    a: list[Any] = []
    b: list[Any] = []
    for tick in range(TICKS):
        x = shown[0, tick - one] if tick >= one else np.zeros(SIZE)
        va, fired = fire(va, nodes["f"].weight @ x)
        a.append(fired)
        late = np.array([ago(a, 1 + d)[i] for i, d in enumerate(ticks)])
        vb, fired = fire(vb, nodes["g"].weight @ late)
        b.append(fired)
    check_layers(network, shown, {"a": a, "b": b})
    assert {p.ticks for p in network.into("b")} == set(ticks)


def test_delays_are_saved_and_equal_in_rtl(file: Path, tmp_path: Path) -> None:
    nodes = {
        **{"in": source(SIZE), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE)},
        **{"d": delay(2, 0, 7), "g": grid(SIZE, SIZE, 2), "b": integrator(SIZE), "out": sink(SIZE)},
    }
    network = load_network(write(file, nodes), EULER, DT)
    compiled = compile_network(network, potential_bits=20)
    compiled.save(tmp_path / "saved")
    again = CompiledNetwork.load(tmp_path / "saved")
    assert again.digests == compiled.digests and again.network.floats is not None
    assert [p.ticks for p in again.network.floats.projections] == [
        p.ticks for p in network.projections
    ]
    shown = Samples(spikes(2, TICKS, SIZE, rate=0.6))
    result = verify(again, shown, ("rtl",))
    assert result.equal and [layer.share for layer in result.layers] == [1, 1]
    result.runs["golden"].save(tmp_path / "run")
    with np.load(tmp_path / "run" / "weights.npz") as weights:
        assert {"a_to_b", "a_to_b_after_3", "a_to_b_after_8"} == {k for k in weights if "a_to" in k}


def test_what_calibration_shows_arrives_late_too(file: Path) -> None:
    nodes = {"in": source(SIZE), "d": delay(3), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE)}
    network = load_network(write(file, {**nodes, "out": sink(SIZE)}), EULER, DT)
    shown = np.ones((1, 8, SIZE), np.uint8)
    shown[0, 2] = 0
    found, (into,) = Shown.of(network, shown), network.into("a")
    ticks = found.busy([into], 8)
    assert ticks.tolist() == [3, 4, 6, 7]
    np.testing.assert_array_equal(found.arriving(into, ticks), np.ones((4, SIZE)))


def test_a_delayed_output_is_read(file: Path) -> None:
    nodes = {"in": source(SIZE), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE), "d": delay(2)}
    network = load_network(write(file, {**nodes, "out": sink(SIZE)}), EULER, DT)
    shown = spikes(1, TICKS, SIZE, rate=0.6)
    a, out = run_float(network, shown)
    np.testing.assert_array_equal(out.potentials[0, 2:], a.spikes[0, :-2])
    assert not out.potentials[0, :2].any() and a.spikes.any()
    found = spikelet_run(compile_network(network), shown)
    np.testing.assert_array_equal(found.output_values, out.potentials)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "field delay is missing"),
        (
            1.5 * DT,
            "delay must be a whole number of ticks of 0.001 s, 0..65536, found 0.0015 s, 1.5",
        ),
        (-DT, "found -0.001 s, -1 ticks"),
        (1e9, "found 1e+09 s, 1e+12 ticks"),
        (np.nan, "delay must be finite"),
        ([DT, DT], "delay has 2 values but the layer has 3"),
        ("late", "delay holds |S4, not real numbers"),
    ],
)
def test_odd_delays(file: Path, value: Any, message: str) -> None:
    nodes = {"in": source(SIZE), "d": delay(1), "a": integrator(SIZE), "out": sink(SIZE)}
    write(file, nodes)
    with h5py.File(file, "a") as handle:
        del handle["node/nodes/d/delay"]
        if value is not None:
            handle["node/nodes/d/delay"] = value
    refused(file, "node 'd' (Delay) between 'in' and 'a'", message)


def test_delays_that_no_chip_holds(file: Path) -> None:
    nodes = {"in": source(SIZE), "a": integrator(SIZE), "d": delay(63), "g": grid(SIZE, SIZE, 2)}
    nodes |= {"b": integrator(SIZE), "out": sink(SIZE)}
    compile_network(load_network(write(file, nodes), EULER, DT))
    nodes["d"] = delay(64)
    network = load_network(write(file, nodes), EULER, DT)
    with pytest.raises(
        SpikeletError, match="delay that needs 128 delay slots, a core has at most 64"
    ):
        compile_network(network)
    refused(file, "node 'd' (Delay)", "in seconds, and the time step is not known", dt=None)


def test_a_bias_does_not_begin_late(file: Path) -> None:
    affine = nir.Affine(np.eye(SIZE), np.ones(SIZE))
    nodes = {"in": source(SIZE), "f": affine, "d": delay(1), "a": integrator(SIZE)}
    write(file, {**nodes, "out": sink(SIZE)})
    refused(file, "node 'd' (Delay)", "a bias in front of a delay begins late")


# Loops over several layers


@pytest.mark.parametrize("ticks", [1, 3])
def test_a_loop_with_a_delay_is_exact(file: Path, ticks: int) -> None:
    """b to a: one tick as any way back, and those of the Delay. A bias comes back at once."""
    bias = np.array([0.125, 0.0, 0.25])
    nodes = {
        **{"in": source(SIZE), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE)},
        **{"g": grid(SIZE, SIZE, 2), "b": integrator(SIZE), "out": sink(SIZE)},
        **{"d": delay(ticks), "back": nir.Affine(-grid(SIZE, SIZE, 3).weight / 2, bias)},
    }
    edges: Edges = [("in", "f"), ("f", "a"), ("a", "g"), ("g", "b"), ("b", "out")]
    edges += [("b", "d"), ("d", "back"), ("back", "a")]
    network = load_network(write(file, nodes, edges), EULER, DT)
    assert [network.depth(name) for name in ("a", "b")] == [0, 1]
    shown = spikes(1, TICKS, SIZE, rate=0.6, seed=2)
    va, vb = np.zeros(SIZE), np.zeros(SIZE)
    a: list[Any] = []
    b: list[Any] = []
    for tick in range(TICKS):
        came = nodes["back"].weight @ ago(b, 1 + ticks) + bias
        va, fired = fire(va, nodes["f"].weight @ shown[0, tick] + came)
        a.append(fired)
        vb, fired = fire(vb, nodes["g"].weight @ fired)
        b.append(fired)
    compiled = check_layers(network, shown, {"a": a, "b": b})
    assert verify(compiled, Samples(shown), ("rtl",)).equal


def test_layers_side_by_side_see_each_others_last_tick(file: Path) -> None:
    """Both are next to the input: spikes take a tick each way, which the chip has."""
    nodes = {
        **{"in": source(SIZE), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE)},
        **{"g": grid(SIZE, SIZE, 2), "b": integrator(SIZE), "o1": sink(SIZE), "o2": sink(SIZE)},
        **{"ab": grid(SIZE, SIZE, 3), "ba": nir.Linear(-grid(SIZE, SIZE, 4).weight)},
    }
    edges: Edges = [("in", "f"), ("f", "a"), ("in", "g"), ("g", "b"), ("a", "o1"), ("b", "o2")]
    edges += [("a", "ab"), ("ab", "b"), ("b", "ba"), ("ba", "a")]
    network = load_network(write(file, nodes, edges), EULER, DT)
    assert [network.depth(name) for name in ("a", "b")] == [0, 0]
    shown = spikes(1, TICKS, SIZE, rate=0.6, seed=3)
    va, vb = np.zeros(SIZE), np.zeros(SIZE)
    a: list[Any] = []
    b: list[Any] = []
    for tick in range(TICKS):
        from_b, from_a = nodes["ba"].weight @ ago(b, 1), nodes["ab"].weight @ ago(a, 1)
        va, fired_a = fire(va, nodes["f"].weight @ shown[0, tick] + from_b)
        vb, fired_b = fire(vb, nodes["g"].weight @ shown[0, tick] + from_a)
        a.append(fired_a)
        b.append(fired_b)
    check_layers(network, shown, {"a": a, "b": b})


def test_a_loop_over_three_layers_needs_three_ticks(file: Path) -> None:
    nodes: dict[str, Any] = {"in": source(SIZE), "f": grid(SIZE, SIZE, 1)}
    nodes |= {name: integrator(SIZE) for name in "abc"}
    nodes |= {f"f{name}": grid(SIZE, SIZE, i) for i, name in enumerate("abc")}
    nodes |= {"d": delay(1), "out": sink(SIZE)}
    edges: Edges = [("in", "f"), ("f", "a"), ("a", "fa"), ("fa", "b"), ("b", "fb"), ("fb", "c")]
    edges += [("c", "out"), ("c", "d"), ("d", "fc"), ("fc", "a")]
    write(file, nodes, edges)
    message = refused(file, "a loop over 3 takes 3 ticks or more, but spikes come round it in 2")
    assert "a Delay of 1 more tick in the loop" in message
    nodes["d"] = delay(2)
    assert load_network(write(file, nodes, edges), EULER, DT).depth("c") == 2


# Several inputs


def test_inputs_stand_side_by_side_in_the_order_of_their_names(file: Path) -> None:
    """HDF5 keeps nodes by name, so that is the order of the file; the origin says the lines."""
    nodes = {
        **{"z": source(2), "b": source(1, 3), "fz": grid(SIZE, 2, 1), "fb": grid(SIZE, 3, 2)},
        **{"a": integrator(SIZE), "g": grid(SIZE, SIZE, 3), "c": integrator(SIZE)},
        "out": sink(SIZE),
    }
    edges: Edges = [("z", "fz"), ("b", "fb"), ("fz", "a"), ("fb", "a"), ("a", "g"), ("g", "c")]
    network = load_network(write(file, nodes, [*edges, ("fz", "c"), ("c", "out")]), EULER, DT)
    assert network.n_inputs == 5
    shown = spikes(1, TICKS, 5, rate=0.5, seed=4)
    va, vc = np.zeros(SIZE), np.zeros(SIZE)
    a, c = [], []
    for x in shown[0]:
        of_b, of_z = nodes["fb"].weight @ x[:3], nodes["fz"].weight @ x[3:]
        va, fired_a = fire(va, of_b + of_z)
        vc, fired_c = fire(vc, nodes["g"].weight @ fired_a + of_z)
        a.append(fired_a)
        c.append(fired_c)
    check_layers(network, shown, {"a": a, "c": c})
    assert network.origin is not None
    assert any("input lines: 'b' 0..2, 'z' 3..4" in words for words in network.origin.reading)


def test_an_input_without_a_way(file: Path) -> None:
    nodes = {"in": source(SIZE), "in2": source(2), "a": integrator(SIZE), "out": sink(SIZE)}
    write(file, nodes, [("in", "a"), ("a", "out")])
    refused(file, "node 'in2' (Input)", "the input does not reach an Output")


def test_loops_and_delays_come_back_from_an_exported_file(file: Path, tmp_path: Path) -> None:
    nodes = {
        **{"in": source(SIZE), "f": grid(SIZE, SIZE, 1), "a": integrator(SIZE)},
        **{"g": grid(SIZE, SIZE, 2), "b": integrator(SIZE), "out": sink(SIZE)},
        **{"d": delay(1), "back": grid(SIZE, SIZE, 3), "wait": delay(2, 0, 2)},
        **{"h": grid(SIZE, SIZE, 4), "c": integrator(SIZE), "bc": grid(SIZE, SIZE, 5)},
        **{"cb": grid(SIZE, SIZE, 6), "o2": sink(SIZE)},
    }
    edges: Edges = [("in", "f"), ("f", "a"), ("a", "wait"), ("wait", "g"), ("g", "b"), ("b", "out")]
    edges += [("b", "d"), ("d", "back"), ("back", "a"), ("a", "h"), ("h", "c"), ("c", "o2")]
    edges += [("b", "bc"), ("bc", "c"), ("c", "cb"), ("cb", "b")]
    network = load_network(write(file, nodes, edges), EULER, DT)
    compiled = compile_network(network, potential_bits=20)
    write_nir(compiled.network, tmp_path / "again.nir")
    again = load_network(tmp_path / "again.nir", EULER, DT)

    def ticks(of: Network) -> Any:
        return sorted((p.source, p.target, p.ticks) for p in of.projections)

    assert ticks(again) == ticks(network) and len(network.projections) == 7
    shown = spikes(2, TICKS, SIZE, rate=0.5, seed=6)
    mine = {
        p.name: r.spikes
        for p, r in zip(network.populations, run_float(network, shown), strict=True)
    }
    for population, run in zip(again.populations, run_float(again, shown), strict=True):
        np.testing.assert_array_equal(run.spikes, mine[population.name])
