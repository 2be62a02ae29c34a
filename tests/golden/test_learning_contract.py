"""Golden learning against the contract word for word, on random rules, cores and inputs."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from tests.golden.slow_learning import SlowCore
from tests.helpers.random_plastic import (
    random_plastic_chip,
    random_plastic_image,
    random_reward,
)

SAMPLES, TICKS = 2, 8


def small_chip(rng: np.random.Generator) -> tuple[ChipParams, ChipImage]:
    """Return a plastic core that hears its host only, small enough for fractions."""
    core = random_plastic_chip(rng, most_cores=1).cores[0]
    lanes = int(rng.choice([1, 2, 4]))
    core = replace(
        core,
        n_axons=int(rng.integers(1, 9)),
        n_neurons=lanes * int(rng.integers(1, 4)),
        lanes=lanes,
        pipelines=1,
        transmission=False,
    )
    chip = ChipParams((core,))
    image = random_plastic_image(rng, chip).cores[0]
    weight = (core.weight_max << core.weight_exponent) * core.n_axons // 4
    parameters = dict(image.parameters)
    if core.scope("threshold") != "none":
        high = min(core.v_max, weight)
        parameters["threshold"] = rng.integers(0, high + 1, parameters["threshold"].size, np.int32)
    if "inhibition" in parameters:
        parameters["inhibition"] = parameters["inhibition"] // 8
    image = replace(
        image,
        parameters=parameters,
        destinations=joined(),
        learning=bool(rng.integers(0, 8)),
    )
    return chip, ChipImage((image,))


@pytest.mark.parametrize("block", range(6))
def test_every_tick_of_random_cores(block: int) -> None:
    changed = fired = 0
    for seed in range(block * 60, block * 60 + 60):
        rng = np.random.default_rng(seed)
        chip, image = small_chip(rng)
        n_axons = chip.cores[0].n_axons
        spikes = rng.random((SAMPLES, TICKS, n_axons)) < rng.choice([0.1, 0.4, 0.8])
        reward = random_reward(rng, chip, SAMPLES, TICKS)
        routes = [(a, 0, a, 0) for a in range(n_axons)]
        clear = bool(rng.integers(2))
        trace = GoldenChip(chip, image, backend="numpy").run(
            Events.from_spikes(spikes, routes),
            record=("spikes", "states", "learning"),
            reward=reward,
            clear=clear,
        )
        assert trace.spikes and trace.states and trace.learned
        slow = SlowCore(chip.cores[0], image.cores[0])
        for sample in range(SAMPLES):
            if clear:
                slow.clear()
            for tick in range(TICKS):
                before = str(slow.w)
                slow.tick(spikes[sample, tick].tolist(), int(reward[sample, tick]))
                where = f"seed {seed}, sample {sample}, tick {tick}"
                assert slow.v == trace.states[0]["v"][sample, tick].tolist(), where
                assert slow.fired == trace.spikes[0][sample, tick].tolist(), where
                expected = {"weights": slow.w, "tags": slow.t, **slow.traces}
                expected |= {**slow.neurons.kept, "random": slow.random}
                for name, got in trace.learned[0].items():
                    assert expected[name] == got[sample, tick].tolist(), f"{where}, {name}"
                changed += before != str(slow.w)
                fired += sum(slow.fired)
    assert changed > 50 and fired > 200, "hardly anything was learned"
