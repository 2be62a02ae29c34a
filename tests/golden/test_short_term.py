"""Short-term plasticity of axons: the equations of Tsodyks, Pawelzik and Markram, in floats."""

import math

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.golden.core import Core
from spikelet.golden.short_term import ShortTerm, scaled_sums
from tests.cosim.plastic import plastic_chip, plastic_image

ZEROS = {name: np.zeros((1, 1), np.int64) for name in ("u", "depleted")}

SYNAPSES = {  # U, recovery, facilitation; in ms, as fitted by Markram, Wang & Tsodyks 1998
    "depressing": (0.5, 800.0, 0.0),
    "facilitating": (0.05, 130.0, 530.0),
    "both": (0.2, 300.0, 300.0),
    "hardly used": (0.03, 500.0, 1000.0),
}


def published(utilisation: float, recovery: float, facilitation: float, spikes: np.ndarray):
    """Return u * R at each spike: eq. 2.1 to 2.3, solved exactly from spike to spike."""
    u, left, last, found = 0.0, 1.0, 0, []
    for tick in np.flatnonzero(spikes):
        gap = tick - last
        u *= math.exp(-gap / facilitation) if facilitation else 0.0
        left = 1 - (1 - left) * math.exp(-gap / recovery)
        u += utilisation * (1 - u)
        found.append(u * left)
        left -= u * left
        last = tick
    return np.array(found)


def amplitudes(params: ShortTermPlasticity, spikes: np.ndarray) -> np.ndarray:
    """Return the amplitudes of the spikes of one axon."""
    golden = ShortTerm(params, np.ones(1, np.bool_), ZEROS)
    had = np.array([golden.advance(np.array([[spike]]))[0, 0] for spike in spikes])
    return had[spikes] / 4096


@pytest.mark.parametrize("name", SYNAPSES)
def test_a_20_hz_train_is_that_of_the_equations(name):
    """Each of 40 spikes, and one after half a second of silence, in ticks of 1 ms: within 3 %."""
    values = SYNAPSES[name]
    spikes = np.zeros(2600, np.bool_)
    spikes[:2000:50] = True
    spikes[2500] = True
    expected = published(*values, spikes)
    found = amplitudes(ShortTermPlasticity.of(*values), spikes)
    assert expected.max() > 1.5 * expected.min()
    np.testing.assert_allclose(found, expected, rtol=0.03)


def test_what_stays():
    """After a long silence a spike brings U again; other axons bring all of their weights."""
    params = ShortTermPlasticity.of(0.25, 20, 40)
    spikes = np.zeros(1_002, np.bool_)
    spikes[:100:2] = spikes[-1] = True
    assert amplitudes(params, spikes)[[0, -1]].tolist() == [0.25, 0.25]
    states = {name: np.full((1, 2), 5000) for name in ZEROS}
    golden = ShortTerm(params, np.array([True, False]), states)
    found = golden.advance(np.ones((1, 2), np.bool_))
    assert found[0, 1] == 4096 and found[0, 0] < 4096


def test_states_stay_in_their_words():
    """At the ends of all ranges."""
    for utilisation in (1, 32767):
        params = ShortTermPlasticity(utilisation, 65535, 65535)
        golden = ShortTerm(params, np.ones(1, np.bool_), ZEROS)
        for _ in range(300):
            assert 0 <= golden.advance(np.ones((1, 1), np.bool_))[0, 0] <= 4096
            assert 0 <= golden.states["u"][0, 0] <= 32767
            assert 0 <= golden.states["depleted"][0, 0] <= 65535
    every = np.arange(1, 65536)
    one, two = (np.array(values) for values in ([32767, 65535], [1, 1]))
    for values in (every[:-1], one, two):
        slow = ShortTerm(
            ShortTermPlasticity(1, 65535, 65535),
            np.ones(len(values), np.bool_),
            {"u": np.minimum(values, 32767)[None], "depleted": values[None]},
        )
        slow.advance(np.zeros((1, len(values)), np.bool_))
        assert (slow.states["depleted"][0] < values).all()  # so they reach 0


def test_sums_are_rounded_once():
    weights = np.array([[3, -3], [1, -1]], np.int16)
    active = np.ones((1, 2), np.bool_)
    sums = scaled_sums(active, np.array([[2048, 1]]), weights)
    assert sums.tolist() == [[2, -2]]
    assert scaled_sums(active, np.array([[2048, 0]]), weights).tolist() == [[2, -1]]


def test_a_core_of_it():
    """Sums of a core, tick by tick, beside a plain axon; a snapshot goes on where it was."""
    core = CoreParams(
        2,
        1,
        neuron_model("snntorch-none"),
        lanes=1,
        weight_bits=8,
        short_term=ShortTermPlasticity.of(0.5, 20),
    )
    image = CoreImage(
        np.array([[100], [7]], np.int16),
        np.zeros((0, 6), np.int32),
        {},
        short_term=np.array([1, 0], bool),
    )
    assert core == CoreParams.from_dict(core.to_dict())
    cleared = CoreState.cleared(core)
    active = np.ones((1, 6, 2), np.bool_)
    rewards = np.zeros(6, np.int32)

    def potentials(state: CoreState, ticks: slice) -> tuple[list[int], CoreState]:
        model = Core(core, image, [state])
        recorded = {"v": np.zeros((1, active[:, ticks].shape[1], 1), np.int32)}
        model.run(active[:, ticks], ticks.start or 0, rewards, recorded)
        return recorded["v"][0, :, 0].tolist(), model.state(np.zeros((2, 2), np.bool_))

    whole, _ = potentials(cleared, slice(0, 6))
    steps = np.diff([0, *whole])
    assert steps[0] == 57 and (np.diff(steps[:3]) < 0).all()
    first, middle = potentials(cleared, slice(0, 3))
    rest, _ = potentials(middle, slice(3, 6))
    assert first + rest == whole


@pytest.mark.parametrize(("name", "seed"), [("pairs", 1), ("triplets", 6), ("taught", 3)])
def test_in_c(name, seed):
    """All that is recorded, with axons that fail, beside a rule and without."""
    rng = np.random.default_rng(seed)
    learning = plastic_chip(name, transmission=True)
    fixed = plastic_chip("pairs", learning=None, first_tick=3)
    for chip in (learning, fixed):
        image = plastic_image(chip, seed)
        core = chip.cores[0]
        spikes = rng.random((2, 200, core.n_axons)) < 0.3
        spikes[:, 30:190] = False  # so long that the states reach 0
        events = Events.from_spikes(spikes, [(a, 0, a, 0) for a in range(core.n_axons)])
        record = ("spikes", "states", "learning", "checksums", "cycles")
        chips = [GoldenChip(chip, image, backend=backend) for backend in ("numpy", "native")]
        runs = [one.run(events, record=record) for one in chips]
        depleted = [one.snapshot().cores[0].traces["depleted"] for one in chips]
        assert runs[0].first_difference(runs[1]) is None
        assert (runs[0].cycles == runs[1].cycles).all() and runs[0].spikes[0].any()
        assert (depleted[0] == depleted[1]).all() and depleted[0].any()


def test_errors():
    for values, message in (
        ((0.0, 1), "utilisation must be a number above 0 and below 1, not 0.0"),
        ((True, 1), "utilisation must be a number above 0 and below 1, not True"),
        ((0.5, -1), "tau_recovery must be 0 ticks or more, not -1"),
        ((0.5, 1, math.inf), "tau_facilitation must be 0 ticks or more, not inf"),
        ((0.5, 1e6), "tau_recovery of 1e.06 ticks is no decay in 16 bits"),
    ):
        with pytest.raises(SpikeletError, match=f"short-term plasticity: (a )?{message}"):
            ShortTermPlasticity.of(*values)
    for values, message in (
        ((0, 1), r"utilisation must be an int in 1\.\.32767, not 0"),
        ((1, 65536), r"recovery must be an int in 0\.\.65535, not 65536"),
        ((1, 0, 1.5), r"facilitation must be an int in 0\.\.65535, not 1.5"),
    ):
        with pytest.raises(SpikeletError, match=message):
            ShortTermPlasticity(*values)
    fields = {"n_axons": 4, "n_neurons": 4, "neuron": neuron_model("snntorch-none"), "lanes": 4}
    short_term = ShortTermPlasticity(1, 1)
    with pytest.raises(SpikeletError, match="short_term must be a ShortTermPlasticity, not 3"):
        CoreParams(**fields, short_term=3)
    with pytest.raises(SpikeletError, match="graded spikes, of 2 bits, cannot come"):
        CoreParams(**fields, short_term=short_term, spike_bits=2)
    options = {"entries": 4, "fan_in": 2}
    with pytest.raises(SpikeletError, match="sparse synapses cannot have short-term plasticity"):
        CoreParams(**fields, short_term=short_term, synapses="sparse", synapse_options=options)
    threshold = {"threshold": np.zeros(1, np.int32)}
    image = CoreImage(np.zeros((4, 4), np.int16), np.zeros((0, 6), np.int32), threshold)
    with pytest.raises(SpikeletError, match=r"short_term must have shape \(4,\), not \(0,\)"):
        image.check(CoreParams(**fields, short_term=short_term), "core 0")
