"""cocotb bench of the LIF update pipeline.

Parameters: ``core``; ``layout`` of port ``neuron``; ``latency``.
"""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.golden.lif_update import lif_update
from spikelet.sim.testbench import Checks, pack, parameters, random_source, start

NEURONS = 1200


def _values(
    rng: np.random.Generator, low: int, high: int, corners: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    """Return values over the whole range, over small magnitudes, and corners."""
    small = max(1, high >> int(rng.integers(1, 4)))
    kinds = np.stack(
        [
            rng.integers(low, high + 1, NEURONS),
            np.clip(rng.integers(-small, small + 1, NEURONS), low, high),
            rng.choice((low, high, *corners), NEURONS),
        ]
    )
    return kinds[rng.integers(0, 3, NEURONS), np.arange(NEURONS)]


def _stimulus(
    rng: np.random.Generator, core: CoreParams
) -> tuple[CoreImage, npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return parameters and states of many neurons; a third of them just at their threshold."""
    v = _values(rng, core.v_min, core.v_max, (0, -1, 1))
    fired = rng.random(NEURONS) < 0.4
    largest = max(-core.n_axons * core.weight_min, core.n_axons * core.weight_max)
    most = min(largest, (core.v_max >> core.weight_exponent) + 2)
    current = np.where(
        rng.random(NEURONS) < 0.5,
        rng.integers(-most, most + 1, NEURONS),
        _values(rng, core.n_axons * core.weight_min, core.n_axons * core.weight_max, (0,)),
    )
    current = np.clip(current, core.n_axons * core.weight_min, core.n_axons * core.weight_max)
    zeros = np.zeros(NEURONS, np.int64)

    def optional(name: str, low: int, high: int, *corners: int) -> npt.NDArray[np.int64]:
        return zeros if getattr(core, name) == "none" else _values(rng, low, high, corners)

    image = CoreImage(
        np.zeros((core.n_axons, NEURONS), np.int16),
        _values(rng, 0, core.v_max, (1,)).astype(np.int32),
        np.zeros((NEURONS, 1, 3), np.int32),
        decay=optional("decay", 0, 4095, 2048).astype(np.int32),
        bias=optional("bias", core.v_min, core.v_max, 0).astype(np.int32),
        reset_potential=optional("reset_potential", core.v_min, core.v_max, 0).astype(np.int32),
    )
    # What a neuron comes to that does not fire is `clipped`: set a third of the thresholds to it.
    never = replace(image, threshold=np.full(NEURONS, core.v_max, np.int32))
    clipped, _ = lif_update(core, never, v, fired & False, current)
    just = (rng.random(NEURONS) < 0.33) & (clipped >= 0)
    below = rng.integers(0, 2, NEURONS)
    threshold = np.where(just, np.maximum(clipped - below, 0), image.threshold)
    return replace(image, threshold=threshold.astype(np.int32)), v, fired & ~just, current


@cocotb.test(timeout_time=50, timeout_unit="us")
async def arithmetic(dut: Any) -> None:
    """Potential and spike of every neuron, one neuron a cycle, after ``latency`` cycles."""
    given = parameters()
    core: CoreParams = given["core"]
    image, v, fired, current = _stimulus(random_source(), core)
    v_next, fired_next = lif_update(core, image, v, fired, current)
    easier = replace(image, threshold=image.threshold - 1)
    at_threshold = ~fired_next & lif_update(core, easier, v, fired, current)[1]

    names = ("threshold", "decay", "bias", "reset_potential")
    columns = {name: getattr(image, name).tolist() for name in names}
    columns |= {"v": v.tolist(), "fired": fired.tolist(), "current": current.tolist()}
    words = [
        pack(given["layout"], {name: column[i] for name, column in columns.items()})
        for i in range(NEURONS)
    ]
    edge = await start(dut, neuron=0)
    got_v, got_fired = [], []
    for step in range(NEURONS + given["latency"] + 1):
        if step < NEURONS:
            dut.neuron.value = words[step]
        await edge
        if step >= given["latency"]:
            got_v.append(dut.v_next.value.to_signed())
            got_fired.append(bool(dut.fired_next.value))
    checks = Checks("spike", "no spike", "threshold equality", "upper rail", "lower rail")
    checks.equal(v_next, got_v[:NEURONS], "potentials")
    checks.equal(fired_next, got_fired[:NEURONS], "spikes")
    checks.reach("spike", fired_next.sum())
    checks.reach("no spike", (~fired_next).sum())
    checks.reach("threshold equality", at_threshold.sum())
    checks.reach("upper rail", (v_next == core.v_max).sum() + (fired_next & (v > 0)).sum())
    checks.reach("lower rail", (v_next == core.v_min).sum())
    checks.finish()


@cocotb.test(timeout_time=50, timeout_unit="us")
async def latency(dut: Any) -> None:
    """A single neuron that fires, among others that do not, leaves ``latency`` cycles later."""
    given = parameters()
    core: CoreParams = given["core"]
    quiet = dict.fromkeys((name for name, _ in given["layout"]), 0)
    quiet["threshold"] = core.v_max
    edge = await start(dut, neuron=pack(given["layout"], quiet))
    for _ in range(2 * given["latency"]):
        await edge
    firing = quiet | {"threshold": 0, "current": max(1, core.weight_max)}
    dut.neuron.value = pack(given["layout"], firing)
    await edge
    dut.neuron.value = pack(given["layout"], quiet)
    seen = []
    for _ in range(3 * given["latency"]):
        await edge
        seen.append(bool(dut.fired_next.value))
    assert sum(seen) == 1, f"fired {sum(seen)} times"
    assert seen.index(True) + 1 == given["latency"], f"latency is {seen.index(True) + 1} cycles"
