# amaranth: UnusedElaboratable=no
"""Neurons of random models as gates, in Amaranth's simulator, equal golden's reading of the text.

All of a core's neurons, with memories, draws and configuration access.
"""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.neuron_words import state_offsets, unpack_kept, unpack_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.update import sends_counts
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.neuron_array import NeuronArray
from tests.helpers.neuron_models import ALL_MODELS
from tests.helpers.neuron_ticks import bare_image, numpy_ticks
from tests.helpers.random_models import random_models

TICKS, NEURONS = 6, 8
ANY: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
RULE = LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=1)


def random_core(rng: np.random.Generator, model: NeuronModel) -> CoreParams:
    """Return a core of a model; SpikeletError if the model does not suit it."""
    scopes: dict[str, str | int] = {}
    for parameter in model.parameters:
        if not parameter.constant and rng.integers(0, 4):
            scopes[parameter.name] = str(rng.choice(["shared", "neuron"]))
    return CoreParams(
        int(rng.integers(1, 40)),
        NEURONS,
        model,
        weight_exponent=int(rng.integers(0, 4)),
        potential_bits=int(rng.integers(4, 17)),
        lanes=4,
        pipelines=int(rng.choice([1, 2, 4])),
        parameters=scopes,
        learning=RULE if rng.integers(0, 2) and not sends_counts(model) else None,
    )


def random_contents(rng: np.random.Generator, core: CoreParams) -> CoreImage:
    ranges = {**core.parameter_ranges, **{n: core.state_ranges[n] for n in core.update.kept}}
    values: dict[str, Any] = {
        name: rng.integers(low, high + 1, NEURONS) if rng.integers(0, 3) else min(max(low, 1), high)
        for name, (low, high) in ranges.items()
    }
    for name in core.parameter_ranges:
        if core.scope(name) == "shared":
            values[name] = np.atleast_1d(values[name])[0]
    values["learning"] = bool(rng.integers(0, 2))
    values["draw_key"] = int(rng.integers(1, 1 << 32))
    values["draw_indices"] = rng.integers(0, 1 << 24, NEURONS)
    return bare_image(core, **values)


def random_sums(rng: np.random.Generator, core: CoreParams) -> np.ndarray:
    low, high = core.n_axons * core.weight_min, core.n_axons * core.weight_max
    small = rng.integers(max(low, -9), min(high, 9) + 1, (TICKS, NEURONS))
    return np.where(
        rng.integers(0, 2, small.shape), small, rng.integers(low, high + 1, small.shape)
    )


class Gates:
    """A neuron array in simulation; :meth:`ticks` runs it."""

    def __init__(self, core: CoreParams, image: CoreImage) -> None:
        self.core, self.image = core, image
        self.chip = ChipParams((core,))
        self.map = ChipMap(self.chip)
        self.dut = NeuronArray(core, self.map.cores[0])

    def ticks(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        """Return the states after each tick, as the configuration port reads them."""
        self.sums = sums
        self.found = {name: np.empty(sums.shape, np.int64) for name in self.core.state_ranges}
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(self._bench)
        simulator.run()
        return self.found

    async def _bench(self, ctx: Any) -> None:
        core, dut = self.core, self.dut
        ctx.set(dut.update, 1)
        ctx.set(dut.learning, int(self.image.learning))
        await self._load(ctx)
        await self._strobe(ctx, dut.clear)
        mask = (1 << core.current_bits) - 1
        for tick, sums in enumerate(self.sums):
            await self._strobe(ctx, dut.start)
            ctx.set(dut.sums_valid, 1)
            for row in sums.reshape(core.rows, core.pipelines).tolist():
                places = enumerate(row)
                ctx.set(dut.sums, sum((v & mask) << i * core.current_bits for i, v in places))
                await ctx.tick()
            ctx.set(dut.sums_valid, 0)
            await self._idle(ctx)
            words = await self._read(ctx, "state", state_offsets(core).tolist())
            states = unpack_states(core, words)
            for name in core.update.kept:
                words = await self._read(ctx, name, range(NEURONS))
                states[name] = unpack_kept(core, name, words)
            for name, values in states.items():
                self.found[name][tick] = values

    async def _load(self, ctx: Any) -> None:
        """Write what the image has for the ports that there are."""
        program = ChipImage((self.image,)).program(self.chip)
        for address, data in program.tolist():
            for name in self.dut.ports:
                region = self.map.cores[0][name]
                offset = address - int(self.map.address(0, name))
                if 0 <= offset < region.span:
                    port = getattr(self.dut, name)
                    ctx.set(port.offset, offset)
                    ctx.set(port.data, data & ((1 << region.bits) - 1))
                    await self._strobe(ctx, port.write)

    async def _read(self, ctx: Any, name: str, offsets: Any) -> np.ndarray:
        port, words = getattr(self.dut, name), []
        for offset in offsets:
            ctx.set(port.offset, offset)
            await self._strobe(ctx, port.read)
            for _ in range(CONFIG_LATENCY - 1):
                await ctx.tick()
            words.append(ctx.get(port.read_data))
        return np.array(words, np.uint32)

    async def _strobe(self, ctx: Any, signal: Any) -> None:
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)
        await self._idle(ctx)

    async def _idle(self, ctx: Any) -> None:
        for _ in range(1000):
            if not ctx.get(self.dut.busy):
                return
            await ctx.tick()
        raise AssertionError("busy for ever")


def check(rng: np.random.Generator, core: CoreParams) -> None:
    image, sums = random_contents(rng, core), random_sums(rng, core)
    expected = numpy_ticks(core, image, sums)
    got = Gates(core, image).ticks(sums)
    assert got.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.name)
def test_every_model(model: NeuronModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    check(rng, random_core(rng, model))


def check_random(model: NeuronModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    try:
        core = random_core(rng, model)
    except SpikeletError:
        assume(False)
    check(rng, core)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
    database=None,
)
@given(random_models(), st.integers(0, 1 << 30))
def test_any_text(model: NeuronModel, seed: int) -> None:
    check_random(model, seed)


@pytest.mark.slow
@settings(max_examples=500, **ANY)
@given(random_models(), st.integers(0, 1 << 30))
def test_many_texts(model: NeuronModel, seed: int) -> None:
    check_random(model, seed)
