# amaranth: UnusedElaboratable=no
"""Where events of a chip without a host come from, in Amaranth's simulator: decoding and order."""

from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from amaranth.sim import Simulator

from spikelet.description.chip.destinations import event_flits
from spikelet.description.chip.packets import flit_packet
from spikelet.fpga.live_sources import AerSource, InputTable, SerialSource, StoredSource
from spikelet.runs.self_test_run import stored_run
from tests.helpers.emitted import small_network

COMPILED = small_network()
CHIP = COMPILED.chip
ROUTES = np.array(
    [(0, 0, 3, 0), (0, 1, 5, 0), (1, 0, 2, 0), (2, 1, 1, 0), (2, 0, 4, 0), (2, 0, 1, 0)]
)
"""Inputs of two routes, of one and of three, and after input 3 none at all."""
N_INPUTS = 4
DIVIDER = 5


def flits_of(numbers: list[int]) -> list[int]:
    """Return the flits of events, by the routes alone."""
    found = [ROUTES[ROUTES[:, 0] == number] for number in numbers]
    core, axon, delay = np.concatenate(found)[:, 1:].T
    return [int(flit) for flit in event_flits(CHIP, core, axon, delay)]


def simulated(dut: Any, bench: Callable[[Any], Coroutine[Any, Any, None]]) -> list[list[int]]:
    """Run a bench; return the flits that left, those of each tick by themselves.

    The chip takes a flit in two cycles of three.
    """
    left: list[list[int]] = [[]]

    async def take(ctx: Any) -> None:
        cycle = 0
        while True:
            ctx.set(dut.o.ready, cycle % 3 != 2)
            *_, given, flit, ended = await ctx.tick().sample(
                dut.o.valid & dut.o.ready, dut.o.payload, dut.ended
            )
            if given:
                left[-1].append(flit)
            if ended:
                left.append([])
            cycle += 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_testbench(take, background=True)
    simulator.run()
    return left


def table(bits: int) -> InputTable:
    return InputTable(CHIP, ROUTES, N_INPUTS, bits)


def lost_of(dut: Any) -> tuple[list[int], Callable[[Any], Coroutine[Any, Any, None]]]:
    """Return where losses are counted, and what waits some cycles and does so."""
    lost = [0]

    async def cycles(ctx: Any, count: int = 1) -> None:
        for _ in range(count):
            *_, one = await ctx.tick().sample(dut.lost)
            lost[0] += one

    return lost, cycles


async def send(ctx: Any, dut: SerialSource, line: list[int], cycles: Any) -> None:
    """Send bytes, bit by bit."""
    for byte in line:
        for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
            ctx.set(dut.rx, bit)
            await cycles(ctx, DIVIDER)


def pairs(numbers: list[int]) -> list[int]:
    return [byte for number in numbers for byte in (0x80 | number >> 7, number & 0x7F)]


def test_a_serial_event_is_two_bytes_and_comes_out_in_order() -> None:
    """Numbers above the inputs, also those whose lower bits are an input, give nothing."""
    dut = SerialSource(table(14), DIVIDER, waiting=4)
    numbers = [2, 0, 4, 1 << 7, 1, 3, (1 << 14) - 2, 0]
    lost, cycles = lost_of(dut)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.accept, 1)
        await send(ctx, dut, pairs(numbers), cycles)
        await cycles(ctx, 40)

    (left,) = simulated(dut, bench)
    assert left == flits_of([2, 0, 1, 3, 0])
    assert lost == [0]


def test_serial_events_wait_and_those_beyond_are_told() -> None:
    """While a tick runs none leaves; each that does not fit is told, and no other is touched."""
    dut = SerialSource(table(14), DIVIDER, waiting=4)
    numbers = [0, 1, 2, 0, 1, 2, 2]
    lost, cycles = lost_of(dut)

    async def bench(ctx: Any) -> None:
        for place in range(4):
            await send(ctx, dut, pairs([numbers[place]]), cycles)
            assert not ctx.get(dut.o.valid)
        assert lost == [0]
        await send(ctx, dut, pairs(numbers[4:]), cycles)
        await cycles(ctx, 2 * DIVIDER)
        assert lost == [3]
        ctx.set(dut.accept, 1)
        await cycles(ctx, 60)
        await send(ctx, dut, pairs([1]), cycles)
        await cycles(ctx, 40)

    (left,) = simulated(dut, bench)
    assert left == flits_of([*numbers[:4], 1])
    assert lost == [3]


def test_a_serial_byte_that_is_missing_costs_one_event_and_is_told() -> None:
    dut = SerialSource(table(14), DIVIDER, waiting=4)
    first, second = pairs([0])
    lost, cycles = lost_of(dut)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.accept, 1)
        for line, told in (
            ([second], 1),  # without the first half
            ([*pairs([1]), first, *pairs([2])], 2),  # without the second
            ([*pairs([1])], 2),
        ):
            await send(ctx, dut, line, cycles)
            await cycles(ctx, 40)
            assert lost == [told]

    (left,) = simulated(dut, bench)
    assert left == flits_of([1, 2, 1])


def test_an_event_is_within_until_all_its_flits_are_given() -> None:
    """So a tick does not begin between the flits of one event."""
    dut = SerialSource(table(14), DIVIDER, waiting=4)
    lost, cycles = lost_of(dut)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.accept, 1)
        await send(ctx, dut, pairs([2]), cycles)
        given = 0
        for _ in range(60):
            *_, gives, inside = await ctx.tick().sample(dut.o.valid & dut.o.ready, dut.within)
            if given < 3:
                assert inside == (given > 0)
            given += gives
        assert given == 3
        assert not ctx.get(dut.within)

    simulated(dut, bench)
    assert lost == [0]


def test_an_aer_sender_waits_and_loses_nothing() -> None:
    dut = AerSource(table(3))
    numbers = [2, 0, 5, 1, 3, 2, 7, 0]
    held = 3
    lost, cycles = lost_of(dut)

    async def level(ctx: Any, value: int, most: int) -> bool:
        for _ in range(most):
            if ctx.get(dut.aer_ack) == value:
                return True
            await cycles(ctx)
        return False

    async def bench(ctx: Any) -> None:
        ctx.set(dut.accept, 1)
        for place, number in enumerate(numbers):
            if place == held:
                ctx.set(dut.accept, 0)
            ctx.set(dut.aer_address, number)
            await cycles(ctx, 2)
            ctx.set(dut.aer_req, 1)
            if place == held:
                assert not await level(ctx, 1, 50)
                ctx.set(dut.accept, 1)
            assert await level(ctx, 1, 60)
            ctx.set(dut.aer_req, 0)
            assert await level(ctx, 0, 60)
        await cycles(ctx, 40)

    (left,) = simulated(dut, bench)
    assert left == flits_of([number for number in numbers if number < N_INPUTS])
    assert lost == [0]


def stored_spikes() -> npt.NDArray[np.bool_]:
    spikes = np.random.default_rng(8).random((3, 4, COMPILED.network.n_inputs)) < 0.4
    spikes[1, 2] = False
    return spikes


@pytest.mark.parametrize("stop_within", [False, True])
def test_stored_samples_come_tick_by_tick_and_again(stop_within: bool) -> None:
    """Each tick's flits, none of an empty one; it waits in a tick, and begins again at the end."""
    events = COMPILED.events(stored_spikes())
    dut = StoredSource(CHIP, stored_run(CHIP, COMPILED.image, events))
    flits = events.flits(CHIP).tolist()
    wanted = [
        flits[begin:end] for begin, end in zip(events.offsets, events.offsets[1:], strict=False)
    ]
    assert [] in wanted and flit_packet(CHIP).width == len(dut.o.payload)

    async def bench(ctx: Any) -> None:
        ticks = cycle = 0
        while ticks < 2 * len(wanted):
            ctx.set(dut.accept, not stop_within or cycle % 7 < 4)
            *_, ended = await ctx.tick().sample(dut.ended)
            ticks += ended
            cycle += 1
            assert cycle < 5000

    left = simulated(dut, bench)
    assert left[: 2 * len(wanted)] == wanted + wanted
