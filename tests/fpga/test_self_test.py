# amaranth: UnusedElaboratable=no
"""The self-test image around a stub of a chip, in the Amaranth simulator."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from spikelet.boards import ICEBREAKER, ULX3S_85F, Board
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.flash_image import program_words
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import StoredRun, image_memories, reward_addresses
from spikelet.rtl_gen.layouts import config_response
from tests.fpga.self_test_bench import events_of
from tests.helpers.random_plastic import random_plastic_image

CHIP = ChipParams((CoreParams(4, 4, neuron_model("snntorch-zero"), lanes=4),), n_outputs=3)
PROGRAM = np.array([[64, 7], [65, 8], [66, 9], [128, 1], [130, 2], [131, 3]], np.uint32)
TICKS_WORD, EVENTS_WORD = 200, 201
"""Where the stub counts ticks and events since clear."""

NO_LINE = 3


class StubChip(wiring.Component):
    """Echoes each event to the output line it names, in the tick; stalls now and then.

    ``fault`` is what is wrong with it, a key of :data:`FAULTS`; ``extra`` spikes come on the last
    event's line in the second tick.
    """

    def __init__(self, fault: str = "", extra: int = 0, params: ChipParams = CHIP) -> None:
        flit = stream.Signature(flit_packet(params).width)
        request = stream.Signature(data.StructLayout({"address": 32, "data": 32, "write": 1}))
        super().__init__(
            {
                "event_in": In(flit),
                "event_out": Out(flit),
                "config_request": In(request),
                "config_response": Out(config_response()),
                "start": In(1),
                "clear": In(1),
                "busy": Out(1),
            }
        )
        self.fault = fault
        self.extra = extra
        self.cleared = Signal(8)
        self.ticks = Signal(32)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.fault == "dead":
            return m
        waiting, stall, events = Signal(4), Signal(3), Signal(32)
        held = Array(Signal(len(self.event_in.payload), name=f"held_{i}") for i in range(8))
        count, sent = Signal(4), Signal(range(self.extra + 16))
        due = count + Mux(self.ticks == 2, self.extra, 0)
        lost = Signal()
        hung = (self.fault == "hangs in a tick") & (self.ticks == 2)
        m.d.sync += stall.eq(stall + 3)
        m.d.comb += [
            self.busy.eq(waiting != 0),
            self.event_in.ready.eq(~self.busy & (stall > 2)),
            self.config_request.ready.eq(~self.busy & stall[0]),
            self.event_out.valid.eq(self.busy & (sent < due)),
            self.event_out.payload.eq(held[Mux(sent < count, sent, count - 1)]),
        ]
        with m.If(self.event_in.valid & self.event_in.ready):
            m.d.sync += events.eq(events + 1)
            m.d.sync += [held[count].eq(self.event_in.payload), count.eq(count + 1)]
        with m.If(self.start | self.clear):
            m.d.sync += [waiting.eq(12), sent.eq(0)]
            m.d.sync += [
                self.cleared.eq(self.cleared + self.clear),
                self.ticks.eq(Mux(self.clear, 0, self.ticks + 1)),
            ]
            if self.fault in ("loses a spike", "sends a spike late"):
                with m.If(self.ticks == 1):
                    m.d.sync += [sent.eq(1), lost.eq(1)]
        with m.Elif(self.busy):
            with m.If((waiting > 1) | ((sent >= due) & ~hung)):
                m.d.sync += waiting.eq(waiting - 1)
            with m.If(self.event_out.valid & self.event_out.ready):
                m.d.sync += sent.eq(sent + 1)
            with m.If((waiting == 1) & (sent >= due)):
                m.d.sync += [count.eq(0), sent.eq(0)]
        if self.fault == "sends a spike late":
            with m.If(lost & ~self.busy):
                m.d.comb += [self.event_out.valid.eq(1), self.event_out.payload.eq(held[0])]
                m.d.sync += lost.eq(~self.event_out.ready)
        if self.fault == "sends one to no line, too":
            with m.If(sent == count):
                m.d.comb += self.event_out.payload.eq(NO_LINE)
        self._configure(m, events)
        self._break(m)
        return m

    def _configure(self, m: Module, events: Signal) -> None:
        request, response = self.config_request, self.config_response
        m.submodules.words = words = Memory(shape=32, depth=256, init=[])
        write, read = words.write_port(), words.read_port()
        flipped = (self.fault == "another state") << 31
        reading, address = Signal(3), Signal(32)
        accepted = request.valid & request.ready
        m.d.comb += [
            write.addr.eq(request.p.address),
            write.data.eq(request.p.data),
            write.en.eq(accepted & request.p.write),
            read.addr.eq(request.p.address),
            read.en.eq(accepted),
            response.valid.eq(reading[2]),
            response.payload.eq(read.data),
        ]
        m.d.sync += reading.eq(Cat(accepted & ~request.p.write, reading))
        with m.If(accepted):
            m.d.sync += address.eq(request.p.address)
        with m.Switch(address):
            with m.Case(TICKS_WORD):
                m.d.comb += response.payload.eq(self.ticks)
            with m.Case(EVENTS_WORD):
                m.d.comb += response.payload.eq(events ^ flipped)
        with m.If(~reading[2]):
            m.d.comb += response.payload.eq(0xBAD)

    def _break(self, m: Module) -> None:
        port = {
            "never takes configuration": (self.config_request.ready, 0),
            "never takes events": (self.event_in.ready, 0),
            "always busy": (self.busy, 1),
            "never busy": (self.busy, 0),
            "never answers": (self.config_response.valid, 0),
            "always answers": (self.config_response.valid, 1),
            "always sends": (self.event_out.valid, 1),
            "never sends": (self.event_out.valid, 0),
            "sends to no line": (self.event_out.payload, NO_LINE),
        }.get(self.fault)
        if port:
            m.d.comb += port[0].eq(port[1])


FAULTS = (
    *("dead", "hangs in a tick", "loses a spike", "another state"),
    *("never takes configuration", "never takes events", "always busy", "never busy"),
    *("never answers", "always answers", "always sends", "never sends", "sends to no line"),
    *("sends one to no line, too", "sends a spike late"),
)

LINES = [[0, 2], [2, 0], [], [1, 2]]


def _sample(lines_of_ticks: list[list[int]]) -> StoredRun:
    ticks = len(lines_of_ticks)
    sent = [line for lines in lines_of_ticks for line in lines]
    words = [*PROGRAM.tolist(), [TICKS_WORD, ticks], [EVENTS_WORD, len(sent)]]
    return StoredRun(
        program=PROGRAM,
        events=events_of(lines_of_ticks),
        counts=np.bincount(sent, minlength=CHIP.n_outputs),
        words=np.array(words, np.uint32),
        cycles=20 * ticks,
    )


def _run(test: SelfTest, *signals: Value) -> tuple[list[tuple[int, int]], list[int], int]:
    """Run until done; return the writes to the chip, the signals' values, and the cycles."""
    writes: list[tuple[int, int]] = []
    values: list[int] = []

    async def watch(ctx):
        request = test.chip.config_request
        for cycle in range(test.cycle_limit + 2):
            if ctx.get(request.valid) and ctx.get(request.ready) and ctx.get(request.p.write):
                writes.append((ctx.get(request.p.address), ctx.get(request.p.data)))
            if ctx.get(test.done):
                values.extend([cycle, *(ctx.get(signal) for signal in signals)])
                return
            await ctx.tick()
        pytest.fail("the self-test did not finish")

    simulator = Simulator(test)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    simulator.run()
    return writes, values[1:], values[0]


@pytest.mark.parametrize(
    ("lines", "winner"),
    [
        ([[0, 2], [2], [], [1, 2]], 2),
        ([[1, 1, 1], [0], [0, 2]], 1),
        ([[2], [0]], 0),  # of equals, the lowest
        ([[], [1]], 1),
    ],
)
def test_passes_when_everything_is_as_expected(lines: list[list[int]], winner: int) -> None:
    chip = StubChip()
    test = SelfTest(chip, CHIP, _sample(lines))
    writes, values, cycles = _run(test, test.winner, test.passed, chip.cleared, chip.ticks)
    assert writes == [tuple(write) for write in PROGRAM.tolist()]
    assert values == [winner, 1, 1, len(lines)]
    assert cycles < test.cycle_limit / 4


@pytest.mark.parametrize("fault", FAULTS)
def test_fails_on_a_chip_that_is_not_right(fault: str) -> None:
    chip = StubChip(fault, extra=int(fault == "sends one to no line, too"))
    test = SelfTest(chip, CHIP, _sample(LINES))
    _, (passed,), _ = _run(test, test.passed)
    assert not passed


@pytest.mark.parametrize("change", range(-1, 2))
@pytest.mark.parametrize("line", range(3))
def test_fails_when_a_line_has_a_spike_more_or_fewer(line: int, change: int) -> None:
    sample = _sample([[0, 2], [2, 1]])
    counts = sample.counts.copy()
    counts[line] += change
    test = SelfTest(StubChip(), CHIP, replace(sample, counts=counts))
    _, (passed,), _ = _run(test, test.passed)
    assert passed == (change == 0)


@pytest.mark.parametrize("place", [0, 5, 7])
def test_fails_when_one_bit_reads_otherwise(place: int) -> None:
    sample = _sample(LINES)
    words = sample.words.copy()
    words[place, 1] ^= 1 << place
    test = SelfTest(StubChip(), CHIP, replace(sample, words=words))
    _, (winner, passed), _ = _run(test, test.winner, test.passed)
    assert (winner, passed) == (2, 0), "the class is right, the state is not"


@pytest.mark.parametrize("wraps", [1, 2])
def test_a_counter_that_would_wrap_round_to_the_right_value_does_not(wraps: int) -> None:
    sample = _sample(LINES)
    width = image_memories(CHIP, sample)[-1].bank_bits
    assert width == 3  # three spikes of line 2, and one value that is never right
    test = SelfTest(StubChip(extra=wraps << width), CHIP, sample)
    _, (passed,), _ = _run(test, test.passed)
    assert not passed
    more = replace(sample, counts=sample.counts + np.array([1, 0, 0]))
    late = SelfTest(StubChip(extra=1), CHIP, more)
    assert _run(late, late.passed)[1] == [1], "the extra spikes are of line 0"


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_each_sample_starts_from_a_cleared_state(samples: int) -> None:
    run = replace(_sample(LINES), events=events_of(LINES, samples))
    chip = StubChip()
    test = SelfTest(chip, CHIP, run)
    _, (passed, cleared, ticks), _ = _run(test, test.passed, chip.cleared, chip.ticks)
    assert (cleared, ticks) == (samples, len(LINES) // samples)
    assert passed == (samples == 1), "the ticks that are read are those of one sample"
    words = run.words.copy()
    words[words[:, 0] == TICKS_WORD, 1] = ticks
    right = SelfTest(StubChip(), CHIP, replace(run, words=words))
    assert _run(right, right.passed)[1] == [1]


def test_rewards_are_written_to_every_core_before_the_events() -> None:
    rule = LearningRule("dw = r*y0", w_max=7, reward_bits=6)
    plastic = CoreParams(4, 4, neuron_model("snntorch-zero"), lanes=4, learning=rule)
    params = ChipParams((plastic, CHIP.cores[0], plastic), 3, 1, n_outputs=3)
    image = random_plastic_image(np.random.default_rng(1), params)
    cores = [replace(core, learning=False) for core in image.cores]
    program = ChipImage(tuple(cores)).program(params)
    reward = np.array([[0, -2, -2, 5], [5, 5, 0, 7]], np.int32)
    run = replace(
        _sample(LINES * 2),
        program=program,
        events=events_of(LINES * 2, samples=2),
        words=program,
        reward=reward,
    )
    test = SelfTest(StubChip(params=params), params, run)
    writes, _, _ = _run(test)
    first, second = reward_addresses(params)
    expected = [(at, value & 0x3F) for value in (-2, 5, 0, 7) for at in (first, second)]
    assert writes == [*map(tuple, program.tolist()), *expected]


def test_program_is_stored_in_runs() -> None:
    assert program_words(PROGRAM) == [64, 3, 7, 8, 9, 128, 1, 1, 130, 2, 2, 3]


def test_memories_are_those_that_are_built() -> None:
    program, events, counts = image_memories(CHIP, _sample([[0, 2], [], [2, 2]]))
    # Loaded: 12 words; one for each line; four runs are read back; the checksum. Behind it, and
    # behind the events, the row that the last address reaches.
    assert (program.rows, events.rows, counts.rows) == (
        12 + 3 + 4 * 2 + 8 + 1,
        5 + 1,
        CHIP.n_outputs,
    )
    assert (program.writable, events.writable, counts.writable) == (False, False, True)
    assert counts.bank_bits == 3


WITHOUT_PLL = [replace(board, pll_hz=0) for board in (ICEBREAKER, ULX3S_85F)]
"""Amaranth's simulator has no model of a PLL."""


def _leds(test: SelfTest, board: Board, cycles: int, pressed: range = range(0)) -> list[int]:
    """Run a board from power on, with its button pressed now and then; return the LEDs lit."""
    top = BoardTop(test, board)
    inverted = sum(pin.inverted << bit for bit, pin in enumerate(board.leds))
    released = int(board.pin("button").inverted)
    seen = []

    async def drive(ctx):
        ctx.set(top.button, released)
        for cycle in range(cycles):
            ctx.set(top.clk, 1)
            await ctx.delay(1e-8)
            ctx.set(top.clk, 0)
            await ctx.delay(1e-8)
            ctx.set(top.button, released ^ (cycle in pressed))
            seen.append(ctx.get(top.led) ^ inverted)

    simulator = Simulator(top)
    simulator.add_testbench(drive)
    simulator.run()
    return seen


@pytest.mark.parametrize("board", WITHOUT_PLL, ids=lambda board: board.name)
def test_board_lights_the_last_led_and_restarts_on_the_button(board: Board) -> None:
    test = SelfTest(StubChip(), CHIP, _sample([[2], [2]]))
    power_on = int(15e-6 * board.clock_hz)
    pressed = range(power_on + 300, power_on + 310)
    leds = _leds(test, board, 2 * power_on + 700, pressed)
    passed = 1 << len(board.leds) - 1 | 2
    assert not any(leds[:power_on])
    assert leds[power_on + 290] == passed
    again = leds[power_on + 320 : 2 * power_on + 310]
    assert not any(again), "the button must start the reset again"
    assert leds[-1] == passed


@pytest.mark.parametrize("board", WITHOUT_PLL, ids=lambda board: board.name)
def test_board_lights_the_led_before_it_on_a_dead_chip(board: Board) -> None:
    test = SelfTest(StubChip("dead"), CHIP, _sample([[2], [2]]))
    leds = _leds(test, board, int(15e-6 * board.clock_hz) + test.cycle_limit + 20)
    assert leds[0] == 0
    assert leds[-1] == 1 << len(board.leds) - 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: replace(_sample([[0]]), events=events_of([])),
            r"program, ticks and words must not be empty",
        ),
        (lambda: replace(_sample([[0]]), counts=np.array([1, 0])), r"one of 0 or more for each"),
        (lambda: replace(_sample([[0]]), counts=np.array([1, 0, -1])), r"one of 0 or more"),
        (lambda: replace(_sample([[0]]), cycles=0), r"cycles must be 1 or more, not 0"),
        (lambda: _sample([[], []]), r"no output line spikes in what is to be stored"),
    ],
)
def test_refuses_impossible_samples(make: Callable[[], StoredRun], message: str) -> None:
    with pytest.raises(SpikeletError, match=message) as caught:
        SelfTest(StubChip(), CHIP, make())
    assert caught.value.remedy
