"""Frameworks' neurons by their own equations, without NIR: one layer, as their exporters write it.

Each class below is one kind of neuron, transcribed from the framework's source, and the numbers
that its exporter would write for it. What is read of these numbers must spike as the equations do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from tests.helpers.networks import affine, sink, source, spikes, write

INPUTS, SIZE, TICKS = 6, 9, 40
RNG = np.random.default_rng(4)
THRESHOLD = RNG.uniform(0.6, 1.4, SIZE)
BETA, ALPHA = RNG.uniform(0.6, 0.98, SIZE), RNG.uniform(0.2, 0.8, SIZE)
TAU, TAU_SYN = RNG.uniform(5e-3, 2e-2, SIZE), RNG.uniform(2e-3, 5e-3, SIZE)
REST, RESET = RNG.uniform(-0.3, 0.3, SIZE), RNG.uniform(-0.5, 0.2, SIZE)
ONES, ZEROS = np.ones(SIZE), np.zeros(SIZE)
Step = Callable[[Any, Any], Any]
"""From the state, which it changes, and the input of a tick, to the spikes."""


@dataclass
class State:
    """Potentials, currents and last spikes of samples, shape (samples, SIZE)."""

    v: Any
    i: Any = 0.0
    fired: Any = False


@dataclass(frozen=True)
class Neuron:
    """A kind of neuron of a framework."""

    framework: str
    node: Any
    step: Step
    start: Any = field(default_factory=lambda: ZEROS)
    model: str | None = None
    dt: float | None = None
    gain: float = 1.0


def leaky(reset: str, immediate: bool) -> Step:
    """snnTorch 1.0, leaky.py and rleaky.py."""

    def step(s: State, x: Any) -> Any:
        pending = s.v > THRESHOLD
        if reset == "zero":
            s.v = np.where(pending, 0, s.v)
        s.v = BETA * s.v + x - (pending * THRESHOLD if reset == "subtract" else 0)
        fired = s.v > THRESHOLD
        if immediate:
            again = fired.astype(float) - pending
            s.v = s.v - again * (THRESHOLD if reset == "subtract" else s.v)
        return fired

    return step


def synaptic(reset: str, immediate: bool) -> Step:
    """snnTorch 1.0, synaptic.py."""

    def step(s: State, x: Any) -> Any:
        pending = s.v > THRESHOLD
        s.i = ALPHA * s.i + x
        s.v = BETA * s.v + s.i
        if reset == "zero":
            s.v = s.v - pending * s.v
        elif reset == "subtract":
            s.v = s.v - pending * THRESHOLD
        fired = s.v > THRESHOLD
        if immediate:
            again = fired.astype(float) - pending
            s.v = s.v - again * (THRESHOLD if reset == "subtract" else s.v)
        return fired

    return step


def norse(s: State, x: Any) -> Any:
    """Norse 1.1, lif.py, lif_feed_forward_step, dt 1 ms."""
    i = s.i + x
    v = s.v + 1e-3 / TAU * (REST - s.v + i)
    s.i = i - 1e-3 / TAU_SYN * i
    fired = v > THRESHOLD
    s.v = np.where(fired, 0, v)
    return fired


def norse_box(subtract: bool) -> Step:
    """Norse 1.1, lif_box.py, dt 1 ms."""

    def step(s: State, x: Any) -> Any:
        rest = 0 if subtract else REST
        v = s.v + 1e-3 / TAU * (x + rest - s.v)
        fired = v > THRESHOLD
        s.v = np.where(fired, v - THRESHOLD if subtract else 0, v)
        return fired

    return step


def spikingjelly(kind: str, decay_input: bool = True) -> Step:
    """SpikingJelly 2.0, functional/neuron.py, hard reset."""

    def step(s: State, x: Any) -> Any:
        if kind == "IF":
            v = s.v + x
        elif kind == "LIF":
            tau = TAU * 1e3
            v = s.v + (x - (s.v - RESET)) / tau if decay_input else s.v - (s.v - RESET) / tau + x
        else:
            s.i = ALPHA * s.i + x
            v = BETA * s.v + s.i
        fired = v >= THRESHOLD
        s.v = np.where(fired, RESET, v)
        return fired

    return step


def sinabs(norm_input: bool) -> Step:
    """sinabs 3.1, functional/lif.py, MultiSpike, MembraneSubtract."""

    def step(s: State, x: Any) -> Any:
        alpha = np.exp(-1 / (TAU * 1e3))
        v = alpha * s.v + ((1 - alpha) * x if norm_input else x)
        fired = (v > 0) * np.trunc(v / THRESHOLD)
        s.v = v - fired * THRESHOLD
        return fired

    return step


def spyx(kind: str) -> Step:
    """Spyx 1.0, nn.py."""

    def step(s: State, x: Any) -> Any:
        fired = s.v > THRESHOLD
        if kind == "CuBaLIF":
            v = s.v - fired * THRESHOLD
            s.i = ALPHA * s.i + x
            s.v = BETA * v + s.i
        else:
            s.v = (BETA if kind == "LIF" else 1) * s.v + x - fired * THRESHOLD
        return fired

    return step


def rockpool(synapse: bool) -> Step:
    """Rockpool 3.1, lif_torch.py and lif_neuron_torch.py, dt 1 ms."""

    def step(s: State, x: Any) -> Any:
        if synapse:
            s.i = (s.i + x) * np.exp(-1e-3 / TAU_SYN)
            x = s.i
        v = s.v * np.exp(-1e-3 / TAU) + x
        fired = (v >= THRESHOLD) * np.floor(v / THRESHOLD)
        s.v = v - fired * THRESHOLD
        return fired

    return step


def exported_leaky() -> Any:
    tau = 1e-4 / (1 - BETA)
    return nir.LIF(tau, tau / 1e-4, ZEROS, THRESHOLD, ZEROS)


def exported_synaptic() -> Any:
    tau, syn = 1e-4 / (1 - BETA), 1e-4 / (1 - ALPHA)
    return nir.CubaLIF(syn, tau, tau / 1e-4, ZEROS, THRESHOLD, ZEROS, syn / 1e-4)


def exported_rockpool() -> Any:
    return TAU / 1e-3 * np.exp(-1e-3 / TAU)


def exported_spikingjelly(decay_input: bool) -> Any:
    r = ONES if decay_input else TAU * 1e3
    return nir.LIF(TAU * 1e3 * 1e-4, r, RESET, THRESHOLD, RESET)


RESETS = (("subtract", False), ("subtract", True), ("zero", False), ("zero", True), ("none", False))


def model(reset: str, immediate: bool, synapse: bool) -> str:
    if synapse and (reset, immediate) == ("zero", True):
        return "cuba-lif"
    between = "-synaptic" if synapse else ""
    return f"snntorch{between}-{reset}{'-immediate' if immediate else ''}"


NEURONS = {
    **{
        f"snntorch Leaky {reset} {immediate}": Neuron(
            "snntorch",
            exported_leaky(),
            leaky(reset, immediate),
            model=model(reset, immediate, False),
            gain=0.4,
        )
        for reset, immediate in RESETS
    },
    **{
        f"snntorch Synaptic {reset} {immediate}": Neuron(
            "snntorch",
            exported_synaptic(),
            synaptic(reset, immediate),
            model=model(reset, immediate, True),
            gain=0.2,
        )
        for reset, immediate in RESETS
    },
    "norse LIFCell": Neuron(
        "norse",
        nir.CubaLIF(1e-3 * TAU_SYN, 1e-3 * TAU, ONES, REST, THRESHOLD),
        norse,
        REST,
    ),
    "norse LIFBoxCell": Neuron(
        "norse", nir.LIF(1e-3 * TAU, ONES, REST, THRESHOLD), norse_box(False), REST, gain=4
    ),
    "norse LIFBoxCell subtract": Neuron(
        "norse",
        nir.LIF(1e-3 * TAU, ONES, ZEROS, THRESHOLD),
        norse_box(True),
        model="lif-subtract",
        gain=4,
    ),
    "spikingjelly IFNode": Neuron(
        "spikingjelly", nir.IF(1e4 * ONES, THRESHOLD, RESET), spikingjelly("IF"), RESET, gain=0.5
    ),
    "spikingjelly LIFNode": Neuron(
        "spikingjelly", exported_spikingjelly(True), spikingjelly("LIF"), RESET, gain=6
    ),
    "spikingjelly LIFNode decay_input=False": Neuron(
        "spikingjelly", exported_spikingjelly(False), spikingjelly("LIF", False), RESET
    ),
    "spikingjelly CUBALIFNode": Neuron(
        "spikingjelly",
        nir.CubaLIF(
            *(1e-4 / (1 - ALPHA), 1e-4 / (1 - BETA), 1 / (1 - BETA), ZEROS, THRESHOLD, RESET),
            1 / (1 - ALPHA),
        ),
        spikingjelly("CUBALIF"),
        RESET,
        gain=0.3,
    ),
    "sinabs LIF": Neuron(
        "sinabs", nir.LIF(1e3 * TAU, ONES, ZEROS, THRESHOLD), sinabs(True), gain=10
    ),
    "sinabs LIF norm_input=False": Neuron(
        "sinabs-unnormalised", nir.LIF(1e3 * TAU, ONES, ZEROS, THRESHOLD), sinabs(False), gain=0.5
    ),
    "spyx IF": Neuron("spyx", nir.IF(ONES, THRESHOLD), spyx("IF"), gain=0.5),
    "spyx LIF": Neuron("spyx", nir.LIF(1 / (1 - BETA), BETA, ZEROS, THRESHOLD), spyx("LIF")),
    "spyx LIF exported with dt": Neuron(
        "spyx", nir.LIF(1e-3 / (1 - BETA), BETA, ZEROS, THRESHOLD), spyx("LIF"), dt=1e-3
    ),
    "spyx CuBaLIF": Neuron(
        "spyx",
        nir.CubaLIF(1 / (1 - ALPHA), 1 / (1 - BETA), BETA, ZEROS, THRESHOLD),
        spyx("CuBaLIF"),
        gain=0.3,
    ),
    "rockpool LIFNeuronTorch": Neuron(
        "rockpool", nir.LIF(TAU, exported_rockpool(), ZEROS, THRESHOLD), rockpool(False), gain=1.2
    ),
    "rockpool LIFTorch": Neuron(
        "rockpool",
        nir.CubaLIF(TAU_SYN, TAU, exported_rockpool(), ZEROS, THRESHOLD),
        rockpool(True),
        gain=0.6,
    ),
}


@pytest.mark.parametrize("name", NEURONS)
def test_a_layer_spikes_as_its_framework_computes(name: str, tmp_path: Path) -> None:
    neuron = NEURONS[name]
    fc = affine(SIZE, INPUTS, 5)
    fc.weight[:] = neuron.gain * (fc.weight + 0.3)
    fc.bias[:] = neuron.gain * fc.bias / 4
    nodes = {"in": source(INPUTS), "fc": fc, "n": neuron.node, "out": sink(SIZE)}
    path = write(tmp_path / "net.nir", nodes)
    network = load_network(path, neuron.model, neuron.dt, framework=neuron.framework)
    given = spikes(8, TICKS, INPUTS, seed=2)
    state, found = State(np.broadcast_to(neuron.start, (8, SIZE)).copy()), []
    for tick in range(TICKS):
        x = given[:, tick] @ fc.weight.T + fc.bias
        found.append(neuron.step(state, x))
    expected = np.stack(found, axis=1)
    assert 0.02 < (expected > 0).mean() < 0.8
    assert (expected.max() > 1) == (neuron.framework.split("-")[0] in ("sinabs", "rockpool"))
    np.testing.assert_array_equal(run_float(network, given)[0].spikes, expected)


READOUTS = {
    "rockpool": (
        nir.LI(TAU, exported_rockpool(), ZEROS),
        lambda i, x: (i + x) * np.exp(-1e-3 / TAU),  # exp_syn_torch.py
    ),
    "sinabs": (
        nir.LI(1e3 * TAU, ONES, ZEROS),
        lambda v, x: np.exp(-1 / (TAU * 1e3)) * v + x,  # exp_leak.py, norm_input=False
    ),
    "norse": (
        nir.LI(1e-3 * TAU, ONES, ZEROS),
        lambda v, x: v + 1e-3 / TAU * (x - v),  # leaky_integrator_box.py
    ),
    "nir": (nir.LI(TAU, 3 * ONES, ZEROS), lambda v, x: v + 1e-3 / TAU * (3 * x - v)),
    "spyx": (nir.LI(1 / (1 - BETA), ONES, ZEROS), lambda v, x: BETA * v + x),  # nir.py, PSU_LIF
}


@pytest.mark.parametrize("framework", READOUTS)
def test_a_layer_that_is_read_leaks_as_its_framework_computes(
    framework: str, tmp_path: Path
) -> None:
    node, step = READOUTS[framework]
    layer = {
        "rockpool": nir.LIF(TAU, exported_rockpool(), ZEROS, THRESHOLD),
        "nir": nir.IF(ONES, THRESHOLD),
    }.get(framework, nir.IF(ONES, THRESHOLD))
    fc, out = affine(SIZE, INPUTS, 5), affine(SIZE, SIZE, 6)
    nodes = {"in": source(INPUTS), "fc": fc, "n": layer, "fo": out, "li": node, "o": sink(SIZE)}
    dt = 1e-3 if framework == "nir" else None
    network = load_network(write(tmp_path / "net.nir", nodes), framework=framework, dt=dt)
    hidden, read = run_float(network, spikes(8, TICKS, INPUTS, seed=2))
    assert hidden.spikes.any()
    v = np.zeros((8, SIZE))
    for tick in range(TICKS):
        v = step(v, hidden.spikes[:, tick] @ out.weight.T + out.bias)
        np.testing.assert_allclose(read.potentials[:, tick], v, rtol=1e-9, atol=1e-9)


def test_a_recurrent_layer_of_reset_to_zero(tmp_path: Path) -> None:
    """snnTorch 1.0, rleaky.py: the whole of what a tick adds is lost with the potential."""
    fc, rec = affine(SIZE, INPUTS, 5), affine(SIZE, SIZE, 6)
    fc.weight[:] += 0.3
    nodes = {
        **{"in": source(INPUTS), "fc": fc, "n": exported_leaky(), "rec": rec, "out": sink(SIZE)},
    }
    edges = [("in", "fc"), ("fc", "n"), ("n", "rec"), ("rec", "n"), ("n", "out")]
    path = write(tmp_path / "net.nir", nodes, edges)
    network = load_network(path, "snntorch-zero", framework="snntorch")
    given = spikes(8, TICKS, INPUTS, seed=2)
    v, fired, found = np.zeros((8, SIZE)), np.zeros((8, SIZE)), []
    for tick in range(TICKS):
        pending = v > THRESHOLD
        x = given[:, tick] @ fc.weight.T + fc.bias + fired @ rec.weight.T + rec.bias
        v = np.where(pending, 0, BETA * v + x)
        fired = (v > THRESHOLD).astype(float)
        found.append(fired)
    expected = np.stack(found, axis=1)
    assert 0.02 < expected.mean() < 0.7
    np.testing.assert_array_equal(run_float(network, given)[0].spikes, expected)
