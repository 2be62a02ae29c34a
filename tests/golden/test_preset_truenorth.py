"""The preset ``truenorth`` against a slow evaluator of the published equations.

Synapse by synapse, with the axons' types and the neurons' tables; the neuron's equations are those
of ``test_literature_models.py``.
"""

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.presets.presets import preset
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.runs.verify import verify
from spikelet.samples.samples import Samples
from tests.golden.test_literature_models import truenorth
from tests.helpers.neuron_ticks import drawn_words

AXONS, NEURONS, TICKS, BACK = 40, 24, 60, 3

Synapses = tuple[np.ndarray, np.ndarray, np.ndarray]


def parameters(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "threshold": rng.integers(20, 200, NEURONS),
        "threshold_mask": (1 << rng.integers(0, 6, NEURONS)) - 1,
        "leak": rng.integers(-20, 21, NEURONS),
        "leak_stochastic": rng.integers(0, 2, NEURONS),
        "leak_reversal": rng.integers(0, 2, NEURONS),
        "negative_threshold": rng.integers(0, 200, NEURONS),
        "saturate": rng.integers(0, 2, NEURONS),
        "reset_mode": rng.integers(0, 2, NEURONS),
        "reset_potential": rng.integers(-50, 20, NEURONS),
    }


def synapse(axon: int, neuron: int, types: np.ndarray, bits: np.ndarray, s: np.ndarray) -> int:
    """Return w[axon, neuron] * s[neuron, G[axon]] of the published equation 1."""
    return int(bits[axon, neuron]) * int(s[neuron, types[axon]])


def drawn_core() -> tuple[CompiledNetwork, np.ndarray, dict[str, np.ndarray], Synapses]:
    """Return a recurrent core, spikes, parameters, and the types, bits and weights of synapses."""
    rng = np.random.default_rng(5)
    lines = AXONS + NEURONS  # the last are the neurons' own spikes, three ticks later
    types = rng.integers(0, 4, lines)
    bits = rng.random((lines, NEURONS)) < 0.3
    s = rng.integers(-255, 256, (NEURONS, 4))
    s[0], s[1] = -255, 255
    own = parameters(rng)
    weights = s[:, types].T * bits
    network = PlasticNetwork("core", preset="truenorth")
    network.inputs("lines", AXONS)
    network.population("cells", NEURONS, **own)
    network.project("lines", "cells", weights=weights[:AXONS])
    network.project("cells", "cells", weights=weights[AXONS:], delay=BACK)
    network.output("cells")
    compiled = compile_network(network)
    assert compiled.core("cells").synapses == "axon-types"
    return compiled, rng.random((1, TICKS, AXONS)) < 0.05, own, (types, bits, s)


def test_a_recurrent_core_is_as_published() -> None:
    compiled, spikes, own, (types, bits, s) = drawn_core()
    assert compiled.core("cells").weight_bits == 9
    got = run(compiled, spikes, record=("spikes", "states"))

    words = drawn_words(1, np.arange(NEURONS), TICKS)
    v, fired = [0] * NEURONS, np.zeros((TICKS + BACK, NEURONS), np.bool_)
    for tick in range(TICKS):
        active = [
            *np.flatnonzero(spikes[0, tick]),
            *(AXONS + np.flatnonzero(fired[tick - BACK]) if tick >= BACK else ()),
        ]
        for n in range(NEURONS):
            current = sum(synapse(axon, n, types, bits, s) for axon in active)
            word, of = int(words[tick, n]), {name: int(x[n]) for name, x in own.items()}
            v[n], fired[tick, n] = truenorth(v[n], current, of, 255 - word % 256, word >> 16)
        assert got.spikes("cells")[0, tick].tolist() == fired[tick].tolist(), tick
        assert got.states("cells")["v"][0, tick].tolist() == v, tick
    assert 100 < fired.sum() < TICKS * NEURONS / 2


@pytest.mark.slow
def test_the_rtl_is_the_same() -> None:
    compiled, spikes, *_ = drawn_core()
    assert verify(compiled, Samples(spikes[:, :30].astype(np.uint8))).equal


def test_its_23_parameters_are_all_named() -> None:
    found = preset("truenorth")
    assert len(found.table) == 23
    assert found.core().delay_slots == 16
    assert set(found.parameters) == {p.name for p in found.core().neuron.parameters}
