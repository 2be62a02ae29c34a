"""Outputs that are read: potentials of LI, CubaLI and I, and values of Linear and of sums."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest

import spikelet
from spikelet import CompiledNetwork, Samples
from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from spikelet.reports.report import write_report
from spikelet.runs.agreement import agreement, agreement_warnings
from spikelet.runs.recorded_run import record_run
from spikelet.runs.run import run as spikelet_run
from spikelet.runs.self_test_run import stored_samples
from spikelet.runs.verify import float_counts, float_outputs, verify
from tests.helpers.networks import (
    DT,
    EULER,
    SUBTRACT,
    Edges,
    integrator,
    lif,
    linear,
    population,
    sink,
    source,
    spikes,
    write,
)
from tests.helpers.nir_evaluation import refused

EXPORTED = Path(__file__).parents[1] / "fixtures" / "frameworks"

INPUTS, HIDDEN, READ = 6, 8, 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.nir"


def grid(*shape: int, seed: int = 0) -> Any:
    values = np.random.default_rng(seed).integers(-3, 6, shape) / 8
    values.flat[:2] = (-1, 7 / 8)
    return values


FIRST, LAST = grid(HIDDEN, INPUTS), grid(READ, HIDDEN, seed=1)
FEW = np.full(READ, 0.25)
SHOWN = spikes(3, 20, INPUTS, rate=0.4)


def ending(file: Path, **last: Any) -> Network:
    """Read Input, Linear, IF, and then the nodes given, in a chain to an Output."""
    nodes = {"in": source(INPUTS), "fc": nir.Linear(FIRST), "if": integrator(HIDDEN)}
    return load_network(write(file, {**nodes, **last, "out": sink(READ)}), EULER, DT)


def values(n: int, **fields: float) -> dict[str, Any]:
    return {name: np.full(n, value) for name, value in fields.items()}


READOUTS = {
    "LI": nir.LI(**values(READ, tau=2e-3, r=4.0, v_leak=0.25)),
    "I": nir.I(np.full(READ, 0.5)),
    "CubaLI": nir.CubaLI(**values(READ, tau_syn=4e-3, tau_mem=2e-3, r=2.0, v_leak=-0.25, w_in=4.0)),
    "Linear": None,
    "Affine": nir.Affine(np.eye(READ), FEW),
}


def by_the_equations(kind: str, hidden: Any) -> Any:
    """Return the values after each tick for spikes (ticks, HIDDEN), with dt in units of 1e-3."""
    v, i, found = np.zeros(READ), np.zeros(READ), []
    for tick in hidden @ LAST.T:
        if kind == "LI":
            v = v + 1 / 2 * (0.25 - v + 4 * tick)
        elif kind == "I":
            v = v + 0.5 * tick
        elif kind == "CubaLI":
            i = i + 1 / 4 * (-i + 4 * tick)
            v = v + 1 / 2 * (-0.25 - v + 2 * i)
        else:
            v = tick + FEW if kind == "Affine" else tick
        found.append(v)
    return np.array(found)


@pytest.mark.parametrize("kind", READOUTS)
def test_potentials_follow_the_equations(file: Path, kind: str) -> None:
    node = READOUTS[kind]
    last = {"fc2": nir.Linear(LAST)} | ({} if node is None else {"read": node})
    network = ending(file, **last)
    name = "out" if kind in ("Linear", "Affine") else "read"
    assert network.outputs == network.readouts == (name,)
    hidden, read = run_float(network, SHOWN)
    assert not read.spikes.any() and hidden.spikes.any()
    for sample in range(len(SHOWN)):
        expected = by_the_equations(kind, hidden.spikes[sample])
        np.testing.assert_allclose(read.potentials[sample], expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(float_outputs(network, SHOWN), read.potentials)
    np.testing.assert_allclose(float_counts(network, SHOWN), read.potentials.sum(axis=1))


def test_values_of_a_linear_are_those_that_snntorch_recorded() -> None:
    """Up to its rounding in float32."""
    recorded = np.load(EXPORTED / "recorded.npz")
    network = load_network(EXPORTED / "st_readout.nir", framework="snntorch")
    spiking, read = run_float(network, recorded["spikes"])
    np.testing.assert_array_equal(spiking.spikes, recorded["st_readout/layer_1"])
    np.testing.assert_allclose(read.potentials, recorded["st_readout/expected"], atol=1e-6)
    classes = float_counts(network, recorded["spikes"]).argmax(axis=1)
    assert (classes == recorded["labels"]).mean() > 0.9


@pytest.mark.parametrize("kind", ["I", "Linear", "Affine"])
def test_on_the_chip_they_are_exact_where_nothing_is_rounded(file: Path, kind: str) -> None:
    node = READOUTS[kind]
    last = {"fc2": nir.Linear(LAST)} | ({} if node is None else {"read": node})
    network = ending(file, **last)
    read = run_float(network, SHOWN)[1]
    found = spikelet_run(compile_network(network, potential_bits=20), SHOWN, record=())
    np.testing.assert_array_equal(found.potentials(network.outputs[0]), read.potentials)
    np.testing.assert_array_equal(found.output_values, read.potentials)
    assert not found.outputs.any() and found.outputs.shape == read.potentials.shape
    for decode, expected in (
        ("count", read.potentials.sum(axis=1)),
        ("last", read.potentials[:, -1]),
        ("maximum", read.potentials.max(axis=1)),
    ):
        np.testing.assert_allclose(found.votes(decode), expected)
        np.testing.assert_array_equal(found.classify(decode), expected.argmax(axis=1))
    with pytest.raises(SpikeletError, match="decoder 'first' takes spikes"):
        found.classify("first")
    assert len(np.unique(found.votes())) > READ


@pytest.mark.parametrize("kind", ["LI", "CubaLI"])
def test_on_the_chip_leaks_round_to_a_potential_step(file: Path, kind: str) -> None:
    network = ending(file, fc2=nir.Linear(LAST), read=READOUTS[kind])
    compiled = compile_network(network, weight_bits=6, potential_bits=20)
    found, read = spikelet_run(compiled, SHOWN), run_float(network, SHOWN)[1].potentials
    np.testing.assert_array_equal(found.spikes("if"), run_float(network, SHOWN)[0].spikes)
    step = compiled.network.lsb("read").max()
    assert 0 < np.abs(found.potentials("read") - read).max() < 4 * step < 0.01 * np.abs(read).max()
    layer = agreement(found, SHOWN)[1]
    assert layer.potential_error is not None and 0 < layer.potential_error < 0.01
    assert not [w for w in agreement_warnings([layer]) if "never spiked" in w]


@pytest.mark.slow
def test_rtl_saved_and_reported(file: Path, tmp_path: Path) -> None:
    """Potentials of a Linear and a CubaLI, spikes of a hidden layer, all three outputs, as deep as
    they are.
    """
    nodes = {
        **{"in": source(INPUTS), "fc": nir.Linear(FIRST), "if": integrator(HIDDEN)},
        **{"fc2": nir.Linear(LAST), "cuba": READOUTS["CubaLI"], "o1": sink(READ)},
        **{"o2": sink(HIDDEN), "fc3": nir.Linear(2 * LAST), "o3": sink(READ)},
    }
    edges: Edges = [("in", "fc"), ("fc", "if"), ("if", "fc2"), ("fc2", "cuba"), ("cuba", "o1")]
    edges += [("if", "o2"), ("if", "fc3"), ("fc3", "o3")]
    network = load_network(write(file, nodes, edges), EULER, DT)
    assert set(network.outputs) == {"cuba", "if", "o3"}
    compiled = compile_network(network, weight_bits=6, potential_bits=20)
    samples = Samples(SHOWN, np.array([0, 1, 2]))
    result = verify(compiled, samples, ("rtl",))
    assert result.equal and result.engines[1].compared, result.engines[1].verdict
    assert result.engines[0].silent == []
    values = result.runs["rtl"].output_values
    floats = float_outputs(network, SHOWN)
    where = np.cumsum([0, *(network.sizes[name] for name in network.outputs)])
    for name, first, last in zip(network.outputs, where, where[1:], strict=False):
        close = 0 if name == "if" else 0.05
        np.testing.assert_allclose(values[..., first:last], floats[..., first:last], atol=close)
    compiled.save(tmp_path / "saved")
    again = CompiledNetwork.load(tmp_path / "saved")
    np.testing.assert_array_equal(spikelet_run(again, SHOWN).output_values, values)
    page = write_report(
        tmp_path / "report",
        compiled=compiled,
        samples=samples,
        verification=result,
        trace=result.runs["golden"].recording,
        fpga=[],
    ).read_text()
    assert "whose potential has the largest sum over the ticks" in page and "% off" in page


def test_a_network_that_cannot_spike_is_compared_too(file: Path) -> None:
    nodes = {"in": source(INPUTS), "fc": nir.Linear(LAST[:, :INPUTS]), "i": nir.I(np.ones(READ))}
    network = load_network(write(file, {**nodes, "out": sink(READ)}), EULER, DT)
    compiled = compile_network(network)
    samples = Samples(SHOWN)
    result = verify(compiled, samples, ())
    assert result.engines[0].spiked and not result.engines[0].silent
    assert not verify(compiled, Samples(0 * SHOWN), ()).engines[0].spiked
    recorded = record_run(compiled)
    assert "no output spikes" not in recorded.stimulus and recorded.words.any()
    assert stored_samples(compiled, samples, 0).words.any()
    with pytest.raises(SpikeletError, match="does not tell a working|tell a working chip"):
        stored_samples(compiled, Samples(0 * SHOWN), 0)


def test_samples_of_other_lengths_end_where_they_end(file: Path) -> None:
    network = ending(file, fc2=nir.Linear(-LAST), read=READOUTS["I"])
    compiled = compile_network(network, weight_bits=5, potential_bits=20)
    lengths = np.array([20, 7, 12])
    padded = SHOWN * (np.arange(20) < lengths[:, None])[..., None].astype(np.uint8)
    together = spikelet_run(compiled, Samples(padded, lengths=lengths))
    for sample, length in enumerate(lengths):
        alone = spikelet_run(compiled, padded[sample : sample + 1, :length])
        for decode in ("count", "last", "maximum"):
            expected = alone.votes(decode)[0]
            np.testing.assert_array_equal(together.votes(decode)[sample], expected)
            floats = float_outputs(network, padded, lengths=lengths)
            np.testing.assert_allclose(
                spikelet.samples.decode.decoder_named(decode)(floats)[sample], expected
            )


def test_an_output_of_several_layers_is_their_sum(file: Path) -> None:
    """Spikes of two layers of other depths, and a constant; tick by tick."""
    nodes = {
        **{"in": source(INPUTS), "fa": nir.Linear(FIRST[:READ]), "a": integrator(READ)},
        **{"fb": nir.Linear(grid(READ, READ, seed=4)), "b": integrator(READ)},
        **{"c": nir.Affine(np.eye(READ), FEW), "out": sink(READ)},
    }
    edges: Edges = [("in", "fa"), ("fa", "a"), ("a", "fb"), ("fb", "b"), ("a", "out"), ("b", "c")]
    network = load_network(write(file, nodes, [*edges, ("c", "out")]), EULER)
    a, b, out = run_float(network, SHOWN)
    np.testing.assert_array_equal(out.potentials, a.spikes.astype(float) + b.spikes + 0.25)
    assert a.spikes.any() and b.spikes.any() and network.outputs == ("out",)
    found = spikelet_run(compile_network(network, potential_bits=20), SHOWN)
    np.testing.assert_array_equal(found.output_values, out.potentials)


def test_outputs_of_other_depths_in_pieces(file: Path) -> None:
    """Without drain, ticks of the deeper output are still on their way."""
    names = [INPUT, "a", "b"]
    layers = tuple(population(name, 4, SUBTRACT) for name in names[1:])
    projections = tuple(
        Projection(s, t, grid(4, 4, seed=i)) for i, (s, t) in enumerate(pairwise(names))
    )
    compiled = compile_network(Network("n", 4, None, layers, projections, ("a", "b")))
    shown = spikes(1, 12, 4, rate=0.5)
    piece = spikelet_run(compiled, shown, drain=False, clear=False)
    assert piece.spikes("a").shape[1] == 12 and piece.spikes("b").shape[1] == 11
    with pytest.raises(
        SpikeletError, match="outputs are at different depths, so that without drain"
    ):
        piece.outputs  # noqa: B018
    assert piece.counts("a").shape == (1, 4)


# Threshold


@pytest.mark.parametrize("threshold", [0.5, 0.0, -0.25, [0.25, 0.0, -0.5]])
def test_threshold_is_the_heaviside_step(file: Path, threshold: Any) -> None:
    step = nir.Threshold(np.broadcast_to(threshold, (READ,)).astype(float))
    network = ending(file, fc2=nir.Linear(LAST), step=step)
    hidden, read = run_float(network, SHOWN)
    np.testing.assert_array_equal(read.spikes, hidden.spikes @ LAST.T > np.array(threshold))
    assert 0.02 < read.spikes.mean() < 0.98
    found = spikelet_run(compile_network(network, potential_bits=20), SHOWN)
    np.testing.assert_array_equal(found.spikes("step"), read.spikes)


# What is refused


def test_potentials_lead_to_an_output_only(file: Path) -> None:
    words = "a core sends spikes only, so that its potentials can be read, but not be passed on"
    read = READOUTS["LI"]
    with pytest.raises(SpikeletError, match=words):
        ending(file, fc2=nir.Linear(LAST), read=read, fc3=linear(READ, READ))
    with pytest.raises(SpikeletError, match=r"node 'l' \(LIF\) .*the potentials of 'read' arrive"):
        ending(file, fc2=nir.Linear(LAST), read=read, l=lif(READ))
    nodes = {
        **{"in": source(INPUTS), "fc": nir.Linear(LAST[:, :INPUTS]), "if": integrator(READ)},
        **{"read": nir.I(np.ones(READ)), "out": sink(READ)},
    }
    edges: Edges = [("in", "fc"), ("fc", "if"), ("fc", "read"), ("if", "out"), ("read", "out")]
    refused(write(file, nodes, edges), "node 'out' (Output)", "the potentials of 'read' arrive")
    flat = nir.Flatten({"input": np.array([READ])}, 0)
    assert ending(file, fc2=nir.Linear(LAST), read=read, f=flat).outputs == ("read",)


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        *(("LI", name, None, f"field {name} is missing") for name in ("tau", "r", "v_leak")),
        *(("CubaLI", n, None, f"field {n} is missing") for n in ("tau_syn", "tau_mem", "r")),
        ("I", "r", None, "field r is missing"),
        ("Threshold", "threshold", None, "field threshold is missing"),
        ("LI", "tau", np.inf, "tau must be finite, found inf"),
        (
            "LI",
            "tau",
            5e-4,
            "dt/tau must be above 0 and at most 1, found 2 (dt 0.001 s, tau 0.0005",
        ),
        ("LI", "tau", 0.0, "dt/tau must be above 0 and at most 1"),
        ("LI", "r", np.ones(2), "r has 2 values but the layer has 3"),
        ("CubaLI", "tau_syn", -1.0, "dt/tau_syn must be above 0 and at most 1"),
        ("CubaLI", "tau_mem", np.nan, "tau_mem must be finite"),
        ("I", "r", "text", "r holds |S4, not real numbers"),
        ("Threshold", "threshold", np.nan, "threshold must be finite"),
        ("Threshold", "threshold", np.ones(4), "threshold has 4 values but the layer has 3"),
    ],
)
def test_odd_fields(file: Path, kind: str, field: str, value: Any, message: str) -> None:
    node = READOUTS.get(kind) or nir.Threshold(np.ones(READ))
    ending(file, fc2=nir.Linear(LAST), read=node)
    with h5py.File(file, "a") as handle:
        group = handle["node/nodes/read"]
        del group[field]
        if value is not None:
            group[field] = value
    refused(file, f"node 'read' ({kind}) between 'fc2' and 'out'", message)


def test_the_time_step_of_an_li_is_not_guessed(file: Path) -> None:
    ending(file, fc2=nir.Linear(LAST), read=READOUTS["LI"])
    refused(file, "node 'read' (LI)", "the time step is not known", neuron=SUBTRACT, dt=None)


def test_nothing_is_fed_by_what_never_spikes() -> None:
    layers = (Population("a", 2, spikelet.neuron_model("li"), {}), population("b", 2))
    projections = (Projection(INPUT, "a", np.eye(2)), Projection("a", "b", np.eye(2)))
    with pytest.raises(SpikeletError, match="'a' never spikes, so it cannot feed a population"):
        Network("n", 2, None, layers, projections, ("b",))
