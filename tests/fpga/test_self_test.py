# amaranth: UnusedElaboratable=no
"""The self-test image around a stub of a chip, in the Amaranth simulator."""

from collections.abc import Callable

import numpy as np
import pytest
from amaranth.hdl import Array, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from boards import ICEBREAKER, ULX3S_85F
from fpga.self_test import BoardTop, Sample, SelfTest, program_words
from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import profile_named
from spikelet.errors import SpikeletError

CHIP = ChipParams((CoreParams(4, 4, profile_named("snntorch-zero"), lanes=4),), n_outputs=3)
PROGRAM = np.array([[64, 7], [65, 8], [66, 9], [128, 1], [130, 2], [131, 3]], np.uint32)


class StubChip(wiring.Component):
    """Echoes each event to the output line it names, in the tick; stalls now and then."""

    def __init__(self) -> None:
        flit = stream.Signature(flit_packet(CHIP).width)
        request = stream.Signature(data.StructLayout({"address": 32, "data": 32, "write": 1}))
        super().__init__(
            {
                "event_in": In(flit),
                "event_out": Out(flit),
                "config_request": In(request),
                "config_response": Out(stream.Signature(32, always_ready=True)),
                "start": In(1),
                "clear": In(1),
                "busy": Out(1),
            }
        )
        self.cleared = Signal(8)
        self.ticks = Signal(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = Signal(4)
        stall = Signal(3)
        held = Array(Signal(len(self.event_in.payload), name=f"held_{i}") for i in range(8))
        count, sent = Signal(4), Signal(4)
        m.d.sync += stall.eq(stall + 3)
        m.d.comb += [
            self.busy.eq(waiting != 0),
            self.event_in.ready.eq(~self.busy & (stall > 2)),
            self.config_request.ready.eq(~self.busy & stall[0]),
            self.event_out.valid.eq(self.busy & (sent != count)),
            self.event_out.payload.eq(held[sent]),
        ]
        with m.If(self.event_in.valid & self.event_in.ready):
            m.d.sync += [held[count].eq(self.event_in.payload), count.eq(count + 1)]
        with m.If(self.start | self.clear):
            m.d.sync += [waiting.eq(12), sent.eq(0)]
            m.d.sync += [
                self.cleared.eq(self.cleared + self.clear),
                self.ticks.eq(self.ticks + self.start),
            ]
        with m.Elif(self.busy):
            m.d.sync += waiting.eq(waiting - 1)
            with m.If(self.event_out.valid):
                m.d.sync += sent.eq(sent + 1)
            with m.If(waiting == 1):
                m.d.sync += [count.eq(0), sent.eq(0)]
        return m


def _sample(lines_of_ticks: list[list[int]], expected: int) -> Sample:
    flits = [
        flit_packet(CHIP).pack(axon=lines, delay=0, host=0, x=0, y=0) for lines in lines_of_ticks
    ]
    return Sample(PROGRAM, flits, expected, spikes_per_tick=4)


def _run(test: SelfTest, *signals: Value) -> tuple[list[tuple[int, int]], list[int]]:
    """Run until done; return the configuration writes to the chip, and the signals' values."""
    writes: list[tuple[int, int]] = []
    values: list[int] = []

    async def watch(ctx):
        request = test.chip.config_request
        for _ in range(400):
            if ctx.get(request.valid) and ctx.get(request.ready) and ctx.get(request.p.write):
                writes.append((ctx.get(request.p.address), ctx.get(request.p.data)))
            await ctx.tick()
            if ctx.get(test.done):
                values.extend(ctx.get(signal) for signal in signals)
                return
        pytest.fail("the self-test did not finish")

    simulator = Simulator(test)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    simulator.run()
    return writes, values


@pytest.mark.parametrize(
    ("lines", "expected", "winner"),
    [
        ([[0, 2], [2], [], [1, 2]], 2, 2),
        ([[1, 1, 1], [0], [0, 2]], 0, 1),
        ([[2], [0]], 2, 0),  # of equals, the lowest
        ([[], []], 1, 0),
    ],
)
def test_shows_the_class_with_most_spikes(
    lines: list[list[int]], expected: int, winner: int
) -> None:
    chip = StubChip()
    test = SelfTest(chip, CHIP, _sample(lines, expected))
    writes, values = _run(test, test.winner, test.passed, chip.cleared, chip.ticks)
    assert writes == [tuple(write) for write in PROGRAM.tolist()]
    assert values == [winner, int(winner == expected), 1, len(lines)]


def test_program_is_stored_in_runs() -> None:
    assert program_words(PROGRAM) == [64, 3, 7, 8, 9, 128, 1, 1, 130, 2, 2, 3]


@pytest.mark.parametrize("board", [ICEBREAKER, ULX3S_85F], ids=lambda board: board.name)
def test_board_lights_the_last_led_and_restarts_on_the_button(board) -> None:
    top = BoardTop(SelfTest(StubChip(), CHIP, _sample([[2], [2]], 2)), board)
    inverted = sum(pin.inverted << bit for bit, pin in enumerate(board.leds))
    released = int(board.pin("button").inverted)
    passed = (1 << (len(board.leds) - 1) | 2) ^ inverted
    power_on = int(15e-6 * board.clock_hz)
    seen = {}

    async def drive(ctx):
        ctx.set(top.button, released)
        for cycle in range(2 * power_on + 700):
            ctx.set(top.clk, 1)
            await ctx.delay(1e-8)
            ctx.set(top.clk, 0)
            await ctx.delay(1e-8)
            pressed = power_on + 300 <= cycle < power_on + 310
            ctx.set(top.button, released ^ pressed)
            seen[cycle] = ctx.get(top.led)

    simulator = Simulator(top)
    simulator.add_testbench(drive)
    simulator.run()
    assert all(seen[cycle] == inverted for cycle in range(power_on))
    assert seen[power_on + 290] == passed
    again = range(power_on + 320, 2 * power_on + 310)
    assert all(seen[cycle] == inverted for cycle in again), "the button must start the reset again"
    assert seen[2 * power_on + 699] == passed


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: _sample([], 0), r"^self-test: program and ticks must not be empty"),
        (lambda: _sample([[0]], 3), r"^self-test: expected class must be in 0\.\.2, not 3"),
    ],
)
def test_refuses_impossible_samples(make: Callable[[], Sample], message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        SelfTest(StubChip(), CHIP, make())
