"""Rest in golden: no state depends on it, numpy and C agree on it, and what wakes does."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.golden.timing import rest_cycles
from tests.helpers.random_chips import random_core, random_events
from tests.helpers.resting import TICKS, bursts, resting_chip, resting_image, silence

BACKENDS = ("numpy", "native")


def with_rest(chip: ChipParams, rest: bool = True) -> ChipParams:
    return replace(chip, cores=tuple(replace(core, rest=rest) for core in chip.cores))


def at_rest(chip: ChipParams, cycles: npt.NDArray[np.int64] | None) -> npt.NDArray[np.bool_]:
    assert cycles is not None
    found: npt.NDArray[np.bool_] = cycles == rest_cycles(chip.cores[0])
    return found


@pytest.mark.parametrize("seed", range(25))
def test_no_state_depends_on_rest(seed: int) -> None:
    """Of any core and model: with rest and without, in numpy and in C."""
    rng = np.random.default_rng(seed)
    chip = with_rest(ChipParams((random_core(rng), random_core(rng)), 2, n_outputs=4))
    image = resting_image(rng, chip)
    events = bursts(rng, chip) if chip.count_bits == 1 else random_events(rng, chip, ticks=TICKS)
    usual = GoldenChip(with_rest(chip, False), image, backend="numpy").run(events)
    runs = [GoldenChip(chip, image, backend=backend).run(events) for backend in BACKENDS]
    for found in runs:
        assert found.first_difference(usual) is None
        assert found.cycles is not None and usual.cycles is not None
        assert (found.cycles <= usual.cycles).all()
    assert np.array_equal(runs[0].cycles, runs[1].cycles)  # type: ignore[arg-type]


def test_random_cores_rest() -> None:
    """The test above would prove little if none did."""
    rested = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        chip = with_rest(ChipParams((random_core(rng, graded=False),), n_outputs=4))
        run = GoldenChip(chip, resting_image(rng, chip)).run(bursts(rng, chip))
        rested += bool(at_rest(chip, run.cycles).any())
    assert rested > 2


@pytest.mark.parametrize("backend", BACKENDS)
class TestWhatWakes:
    """A chip at rest, and something that happens to it."""

    def resting(self, backend: str, **fields: Any) -> tuple[ChipParams, GoldenChip]:
        rng = np.random.default_rng(1)
        names = ("threshold", "decay", "bias", "inhibition")
        fields = {"parameters": dict.fromkeys(names, "shared"), **fields}
        chip = resting_chip("lif-refractory", **fields)
        given = {"threshold": 10, "decay": 3000, "bias": 0, "inhibition": 3}
        golden = GoldenChip(chip, resting_image(rng, chip, **given), backend=backend)
        last = golden.run(bursts(rng, chip, 1))
        assert last.spikes is not None and last.spikes[0].any()
        assert at_rest(chip, golden.run(silence(chip, 9), clear=False).cycles)[0, -1]
        return chip, golden

    def test_nothing(self, backend: str) -> None:
        """Rest goes on from run to run."""
        chip, golden = self.resting(backend)
        assert at_rest(chip, golden.run(silence(chip), clear=False).cycles).all()

    def test_a_spike(self, backend: str) -> None:
        chip, golden = self.resting(backend)
        spikes = np.zeros((1, 30, 1), np.bool_)
        spikes[0, 2] = True
        events = Events.from_spikes(spikes, [(0, 0, 5, 0)])
        found = at_rest(chip, golden.run(events, clear=False).cycles)[0]
        assert found[:2].all() and not found[2:4].any() and found[-1]

    def test_a_spike_without_weight(self, backend: str) -> None:
        """The core has a row to read, and finds only behind the coming tick that nothing moves."""
        chip, golden = self.resting(backend)
        state = golden.snapshot()
        (core,) = state.image.cores
        image = ChipImage((replace(core, weights=np.zeros_like(core.weights)),))
        golden.restore(replace(state, image=image))
        spikes = np.zeros((1, 6, 1), np.bool_)
        spikes[0, 3] = True
        events = Events.from_spikes(spikes, [(0, 0, 5, 0)])
        found = at_rest(chip, golden.run(events, clear=False).cycles)[0]
        assert found.tolist() == [False, True, True, False, False, True]

    def test_clear(self, backend: str) -> None:
        chip, golden = self.resting(backend)
        found = at_rest(chip, golden.run(silence(chip)).cycles)
        assert found.tolist() == [[False, True, True, True]]

    def test_restore(self, backend: str) -> None:
        chip, golden = self.resting(backend)
        golden.restore(golden.snapshot())
        found = at_rest(chip, golden.run(silence(chip), clear=False).cycles)
        assert found.tolist() == [[False, True, True, True]]

    def test_bias(self, backend: str) -> None:
        """A neuron on its way to its fixed point, or one that fires again and again."""
        chip, golden = self.resting(backend)
        state = golden.snapshot()
        (core,) = state.image.cores
        for bias, rests in ((2, True), (40, False)):
            parameters = {**core.parameters, "bias": np.array([bias], np.int32)}
            golden.restore(replace(state, image=ChipImage((replace(core, parameters=parameters),))))
            run = golden.run(silence(chip, 60), clear=False)
            found = at_rest(chip, run.cycles)[0]
            assert not found[:3].any() and found[-1] == rests, bias

    def test_refractory_neurons(self, backend: str) -> None:
        """They stay at the reset potential, and awake, until they count no more."""
        chip, golden = self.resting(backend)
        state = golden.snapshot()
        (core,) = state.cores
        states = {name: np.zeros_like(values) for name, values in core.states.items()}
        states["refractory"][3] = 5
        golden.restore(replace(state, cores=(replace(core, states=states),)))
        found = at_rest(chip, golden.run(silence(chip, 9), clear=False).cycles)[0]
        assert found.tolist() == [False] * 6 + [True] * 3

    def test_inhibition(self, backend: str) -> None:
        """One that fired inhibits the others in the tick after, and they recover from it."""
        chip, golden = self.resting(backend)
        state = golden.snapshot()
        (core,) = state.cores
        states = {name: np.zeros_like(values) for name, values in core.states.items()}
        states["fired"][0] = 1
        golden.restore(replace(state, cores=(replace(core, states=states),)))
        run = golden.run(silence(chip, 20), clear=False)
        assert run.states is not None and (run.states[0]["v"][0, 0, 1:] == -3).all()
        assert not at_rest(chip, run.cycles)[0, :2].any() and at_rest(chip, run.cycles)[0, -1]

    def test_first_tick(self, backend: str) -> None:
        """Neurons that are not updated yet are not known to rest."""
        rng = np.random.default_rng(1)
        chip = resting_chip("nir-euler", first_tick=3)
        golden = GoldenChip(chip, resting_image(rng, chip), backend=backend)
        found = at_rest(chip, golden.run(silence(chip, 6)).cycles)[0]
        assert found.tolist() == [False] * 4 + [True] * 2


def test_who_never_rests() -> None:
    """Neurons that draw, cores that learn, and formats whose sums leave during the scan."""
    assert resting_chip("nir-euler").cores[0].rests
    assert not resting_chip("nir-euler", rest=False).cores[0].rests
    assert not resting_chip("lif-stochastic", parameters={"noise": "shared"}).cores[0].rests
    rule = LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=7)
    assert not resting_chip("nir-euler", learning=rule).cores[0].rests


def test_rest_is_a_truth_value() -> None:
    with pytest.raises(SpikeletError, match=r"core: rest must be true or false, not 1"):
        resting_chip("nir-euler", rest=1)


def test_a_core_says_only_that_it_rests() -> None:
    core = resting_chip("nir-euler").cores[0]
    assert core.to_dict()["rest"] is True
    assert type(core).from_dict(core.to_dict()) == core
    assert "rest" not in replace(core, rest=False).to_dict()
