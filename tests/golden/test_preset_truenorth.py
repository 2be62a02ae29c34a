"""The preset ``truenorth`` against a slow evaluator of the published equations.

Synapse by synapse, with the axons' types and the neurons' tables; the neuron's equations are those
of ``test_literature_models.py``.
"""

from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.draws import key_after
from spikelet.description.presets.presets import preset
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.runs.verify import verify
from spikelet.samples.samples import Samples
from tests.golden.test_literature_models import truenorth
from tests.helpers.neuron_ticks import drawn_words
from tests.helpers.stochastic_synapses import evaluated_sums

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


def stochastic_core() -> tuple[CompiledNetwork, np.ndarray, np.ndarray]:
    """Return a recurrent core whose neurons' own synapses are stochastic, spikes, and b and s.

    These are as a core has them in the order of its axons: types and bits; s and b of each type.
    """
    rng = np.random.default_rng(8)
    lines = AXONS + NEURONS
    published = np.zeros((lines + 8, 1 + NEURONS), np.int16)
    published[:lines, 0] = np.repeat([0, 2], [AXONS, NEURONS]) + rng.integers(0, 2, lines)
    published[:lines, 1:] = rng.random((lines, NEURONS)) < 0.3
    published[np.arange(lines), 1 + np.arange(lines) % NEURONS] = 1  # no axon is left out
    s = rng.integers(1, 256, (4, NEURONS)) * rng.choice([-1, 1], (4, NEURONS))
    s[2, :2], s[3, :2] = (255, -255), (1, 128)
    published[lines : lines + 4, 1:], published[-2:, 1:] = s, 1
    weights = s[published[:lines, 0]] * published[:lines, 1:]
    network = PlasticNetwork("core", preset="truenorth")
    network.inputs("lines", AXONS)
    network.population("cells", NEURONS, threshold=100, negative_threshold=100, reset_mode=2)
    network.project("lines", "cells", weights=weights[:AXONS])
    network.project("cells", "cells", weights=weights[AXONS:], delay=BACK, stochastic=True)
    network.output("cells")
    return compile_network(network), rng.random((2, TICKS, AXONS)) < 0.05, published


@pytest.mark.filterwarnings("ignore:golden runs on numpy")
def test_stochastic_synapses_are_as_published() -> None:
    compiled, spikes, published = stochastic_core()
    core = compiled.core("cells")
    assert core.synapse_options == {"stochastic": 1}
    key = core.synapse_format.key(core, compiled.image.cores[0].weights)
    got = run(compiled, spikes, record=("spikes", "states"))
    of = {**dict.fromkeys(preset("truenorth").parameters, 0), "saturate": 1}
    of |= {"threshold": 100, "negative_threshold": 100, "reset_mode": 2}
    for sample in range(2):
        v, fired = [0] * NEURONS, np.zeros((TICKS + BACK, NEURONS), np.bool_)
        for tick in range(TICKS):
            back = fired[tick - BACK] if tick >= BACK else fired[0] & False
            active = np.concatenate([spikes[sample, tick], back])
            currents = evaluated_sums(core, published, active, key_after(key, tick))
            for n, current in enumerate(currents):
                v[n], fired[tick, n] = truenorth(v[n], current, of, 0, 0)
            assert got.states("cells")["v"][sample, tick].tolist() == v, (sample, tick)
        assert got.spikes("cells")[sample].tolist() == fired[:TICKS].tolist()
        assert fired.sum() > 100


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:golden runs on numpy")
def test_the_rtl_with_stochastic_synapses_is_the_same() -> None:
    """Two samples: the second begins with the image's key again."""
    compiled, spikes, _ = stochastic_core()
    assert verify(compiled, Samples(spikes[:, :25].astype(np.uint8))).equal


def test_stochastic_synapses_are_saved_and_refused(tmp_path: Path) -> None:
    compiled, *_ = stochastic_core()
    compiled.save(tmp_path / "core")
    loaded = CompiledNetwork.load(tmp_path / "core")
    assert [p.stochastic for p in loaded.network.projections] == [False, True]
    network = PlasticNetwork("dense")
    network.inputs("lines", 4)
    network.population("cells", 4, threshold=3)
    with pytest.raises(SpikeletError, match="stochastic must be true or false, not 1"):
        network.project("lines", "cells", weights=1, stochastic=1)  # type: ignore[arg-type]
    network.project("lines", "cells", weights=1, stochastic=True)
    network.output("cells")
    with pytest.raises(
        SpikeletError, match="'cells': dense synapses cannot be stochastic"
    ) as error:
        compile_network(network)
    assert "--synapses axon-types" in str(error.value.remedy)


def test_its_23_parameters_are_all_named() -> None:
    found = preset("truenorth")
    assert len(found.table) == 23
    assert found.core().delay_slots == 16
    assert set(found.parameters) == {p.name for p in found.core().neuron.parameters}
