"""cocotb bench of the datapath of memristive synapses: a row of pulses in every cycle.

Parameters: ``core``; ``latency``.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.learning.devices import MINUS, Devices
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.golden.devices import programmed
from spikelet.sim.bench_learning_rule import port_word
from spikelet.sim.testbench import Checks, parameters, random_source, start

ROWS = 1500

_Int = npt.NDArray[np.int64]
_Row = dict[str, _Int]


def _random_row(rng: np.random.Generator, core: CoreParams, devices: Devices) -> _Row:
    """Return pulses, codes, weights and draws of a row."""
    lanes = core.lanes
    ranges = {name: 1 << bits for name, (_, bits) in devices.fields.items()}
    levels = [f"{side}level" for side in devices.sides]
    ranges |= dict.fromkeys(levels, devices.levels)
    values = {name: rng.integers(0, top, lanes) for name, top in ranges.items()}
    for name in levels:
        ends = rng.choice((0, devices.levels - 1), lanes)
        values[name] = np.where(rng.random(lanes) < 0.2, ends, values[name])
    draws = rng.integers(0, 1 << DRAW_BITS, lanes)
    return {
        "pulses": rng.integers(-1, 2, lanes),
        "codes": devices.codes(**values).astype(np.int64),
        "weights": devices.w_min + values["level"],
        "draws": np.where(rng.random(lanes) < 0.1, rng.choice((0, 65535), lanes), draws),
    }


def _lanes(word: int, bits: int, lanes: int) -> _Int:
    return np.array([word >> lane * bits & ((1 << bits) - 1) for lane in range(lanes)], np.int64)


def _note(checks: Checks, row: _Row, new: _Int, devices: Devices) -> None:
    """Note what a row reaches."""
    change = devices.differences(new) - devices.differences(row["codes"])
    # Of a pair, of the device that the pulse goes to.
    below = devices.pairs & (row["pulses"] < 0)
    old, level, stuck, writes = (
        np.where(below, devices.read(codes, f"{MINUS}{name}"), devices.read(codes, name))
        for codes, name in (
            (row["codes"], "level"),
            (new, "level"),
            (row["codes"], "stuck"),
            (row["codes"], "writes"),
        )
    )
    free = stuck == 0
    for name, sign in (("up", 1), ("down", -1)):
        pulsed = row["pulses"] == sign
        checks.reach(f"{name}: moved", (pulsed & (change * sign > 0)).any())
        checks.reach(f"{name}: stayed", (pulsed & free & (change == 0)).any())
        against = pulsed & (change * sign < 0)
        if devices.noise:
            checks.reach(f"{name}: against the pulse", against.any())
        if devices.faults:
            checks.reach(f"{name}: stuck", (pulsed & ~free).any())
    checks.reach("highest level", ((level > old) & (level == devices.levels - 1)).any())
    if devices.noise or not devices.pairs:
        checks.reach("lowest level", ((level < old) & (level == 0)).any())
    if devices.write_bits:
        full = (writes == (1 << devices.write_bits) - 1) & (row["pulses"] != 0)
        checks.reach("count of writes is full", full.any())
    if devices.refresh:
        levels = np.stack([devices.read(new, f"{side}level") for side in devices.sides])
        fell = devices.read(row["codes"], "level") > levels[0]
        fell &= devices.read(row["codes"], f"{MINUS}level") > levels[1]
        checks.reach("refreshed", (fell & (levels.min(axis=0) == 0)).any())
        high = levels.min(axis=0) >= devices.refresh
        checks.reach("high, but no pulse", (high & (row["pulses"] == 0)).any())
        if devices.faults:
            checks.reach("high, but stuck", (high & (row["pulses"] != 0)).any())


@cocotb.test(timeout_time=50, timeout_unit="us")
async def rows(dut: Any) -> None:
    """New codes and weights of every row, one a cycle, after ``latency`` cycles."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    latency = given["latency"]
    assert core.learning is not None and core.learning.devices is not None
    devices = core.learning.devices
    made = [_random_row(rng, core, devices) for _ in range(ROWS)]
    corners = [f"{side}: {what}" for side in ("up", "down") for what in ("moved", "stayed")]
    corners += ["highest level"]
    corners += ["lowest level"] if devices.noise or not devices.pairs else []
    corners += ["up: stuck", "down: stuck"] if devices.faults else []
    corners += [f"{side}: against the pulse" for side in ("up", "down")] if devices.noise else []
    corners += ["count of writes is full"] if devices.write_bits else []
    corners += ["refreshed", "high, but no pulse"] if devices.refresh else []
    corners += ["high, but stuck"] if devices.refresh and devices.faults else []
    checks = Checks(*corners)
    edge = await start(dut, up=0, down=0)
    selected = int(rng.integers(devices.count))
    if devices.slice_bits:
        dut.selected.value = selected
    for step in range(ROWS + latency):
        if step < ROWS:
            row = made[step]
            dut.up.value = port_word(row["pulses"] > 0, 1)
            dut.down.value = port_word(row["pulses"] < 0, 1)
            dut.codes.value = port_word(row["codes"], devices.code_bits)
            dut.weights.value = port_word(row["weights"], core.weight_bits)
            if devices.draws:
                dut.draws.value = port_word(row["draws"], DRAW_BITS)
        await edge
        if step < latency:
            continue
        row = made[step - latency]
        draws = row["draws"] if devices.draws else None
        codes = programmed(devices, row["pulses"], row["codes"], draws)
        moved = devices.differences(codes) - devices.differences(row["codes"])
        moved = moved * devices.scales[selected]
        got = _lanes(int(dut.new_codes.value), devices.code_bits, core.lanes)
        checks.equal(codes, got, "new code of lane", row=step - latency)
        got = _lanes(int(dut.new_weights.value), core.weight_bits, core.lanes)
        mask = (1 << core.weight_bits) - 1
        checks.equal((row["weights"] + moved) & mask, got, "new weight of lane", row=step - latency)
        _note(checks, row, codes, devices)
    checks.finish()
