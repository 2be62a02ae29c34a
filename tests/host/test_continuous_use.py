# amaranth: UnusedElaboratable=no
"""A board that runs on: chips and hosts that hang, other weights, other programs, other rates."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from amaranth import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from spikelet.boards import board_named
from spikelet.description.chip.host_link import WATCHDOG_CYCLES
from spikelet.description.chip.memory_map import CHIP_REGISTERS
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.fpga.link_top import LinkTop
from spikelet.fpga.power_on import with_clock
from spikelet.golden.chip import GoldenChip
from spikelet.host.driver import Chip
from spikelet.host.serial_link import SerialLink
from spikelet.host.serial_port import SerialPort
from spikelet.rtl_gen.chip import Chip as ChipGates
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.hardware import board_design
from spikelet.runs.virtual_boards import LARGEST_MISMATCH, lit_leds, rate_mismatch
from spikelet.sim.board_server import served
from spikelet.sim.virtual_board import VirtualBoard
from tests.helpers.random_chips import random_chip, random_events, random_image

pytestmark = pytest.mark.xdist_group("continuous use")

ICEBREAKER = with_clock(board_named("iCEBreaker"), board_named("iCEBreaker").clock_hz)
"""Slow enough for a simulation of seconds."""

CHIP = random_chip(np.random.default_rng(3), most_cores=1)
RNG = np.random.default_rng(4)
FIRST, SECOND = (random_image(RNG, CHIP) for _ in range(2))
EVENTS = random_events(RNG, CHIP, samples=2, ticks=4)
DIVIDER, BAUD = 5, ICEBREAKER.chip_hz // 5
TIMES = {"resend_s": 0.001, "patience_s": 0.02}
UNIT_S = WATCHDOG_CYCLES / ICEBREAKER.chip_hz
BUSY, REACHED, LATE, GIVEN_UP = (len(ICEBREAKER.leds) - place for place in (1, 2, 3, 4))
CYCLES = 10_000


class HangingChip(wiring.Component):
    """A chip whose tick never ends, once it has run another after the register ``period`` was 1."""

    def __init__(self) -> None:
        self.gates = ChipGates(CHIP)
        super().__init__(dict(self.gates.signature.members.items()))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gates = gates = self.gates
        hangs, hung = Signal(), Signal()
        request = self.config_request
        number = gates_register("period")
        with m.If(request.valid & request.ready & request.p.write & (request.p.address == number)):
            m.d.sync += hangs.eq(request.p.data == 1)
        with m.If(self.start & hangs):
            m.d.sync += hung.eq(1)
        for name, member in self.signature.members.items():
            mine, theirs = getattr(self, name), getattr(gates, name)
            if not member.is_port:
                connect(m, flipped(mine), theirs)
            elif member.flow is wiring.Out:
                m.d.comb += mine.eq(Value.cast(theirs) | (hung if name == "busy" else 0))
            else:
                m.d.comb += theirs.eq(mine)
        return m


def gates_register(name: str) -> int:
    return CHIP_REGISTERS.index(name)


class HangingTop(LinkTop):
    """A board with that chip."""

    def linked_chip(self) -> wiring.Component:
        return HangingChip()


class Kept:
    """A board that outlives the links to it."""

    def __init__(self, board: VirtualBoard) -> None:
        self.name, self.baud = board.name, board.baud
        self.write, self.read = board.write, board.read

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def boards() -> Iterator[VirtualBoard]:
    """Simulate a board whose chip can be made to hang."""
    top = HangingTop(CHIP, ICEBREAKER, baud=BAUD, time_limit_s=0.001)
    board = VirtualBoard(
        board_design(to_verilog(top, "top"), ICEBREAKER),
        clock_hz=ICEBREAKER.chip_hz,
        baud=BAUD,
        name="virtual",
        button_inverted=ICEBREAKER.pin("button").inverted,
        optimise="build",
    )
    yield board
    board.close()


@pytest.fixture
def board(boards: VirtualBoard) -> VirtualBoard:
    """Press the button of the board before a test."""
    boards.press()
    boards.offset, boards.baud = 0.0, BAUD
    return boards


def lit(board: VirtualBoard) -> list[bool]:
    return lit_leds(ICEBREAKER, board.leds)


def hang(driver: Chip) -> None:
    driver.link.write(np.array([[gates_register("period"), 1]], np.uint32))


def check_runs(driver: Chip, image: object = FIRST) -> None:
    """Load and run: all as golden."""
    driver.load(image)
    found = driver.run(EVENTS)
    expected = GoldenChip(CHIP, image).run(EVENTS)
    assert found.first_difference(expected) is None
    assert any(fired.any() for fired in expected.spikes)


def test_a_chip_that_hangs_lights_its_led_and_runs_on_after_a_reset(board: VirtualBoard) -> None:
    assert lit(board) == [False] * len(ICEBREAKER.leds)
    with Chip(CHIP, SerialLink(Kept(board), **TIMES), name="board") as driver:
        check_runs(driver)
        assert lit(board)[REACHED]
        assert not lit(board)[BUSY] and not lit(board)[LATE]
        hang(driver)
        seen = []
        link = driver.link
        reset = link._open

        def noted(**options: bool) -> None:
            seen.append(lit(board))
            reset(**options)

        link._open = noted
        with pytest.raises(SpikeletError, match=r"^board: sample 0, tick 0 did not end within 10"):
            driver.run(EVENTS, cycle_limit=CYCLES)
        assert [leds[BUSY] and leds[LATE] for leds in seen] == [True]
        assert not lit(board)[BUSY] and not lit(board)[LATE]
        check_runs(driver)


def test_another_program_resets_a_chip_that_is_busy(board: VirtualBoard) -> None:
    with Chip(CHIP, SerialLink(Kept(board), **TIMES), name="board") as driver:
        driver.load(FIRST)
        hang(driver)
        driver.link._connection.send(b"\x03\x01\x00")
        driver.link._send(iter(()))
        board.run(0.001)
        assert lit(board)[BUSY]
    with Chip(CHIP, SerialLink(Kept(board), **TIMES), name="board") as driver:
        check_runs(driver)


def test_another_network_of_the_structure_is_loaded_at_run_time(board: VirtualBoard) -> None:
    with Chip(CHIP, SerialLink(Kept(board), **TIMES), name="board") as driver:
        for image in (FIRST, SECOND, FIRST):
            check_runs(driver, image)
    spikes = [GoldenChip(CHIP, image).run(EVENTS).spikes for image in (FIRST, SECOND)]
    assert any((a != b).any() for a, b in zip(*spikes, strict=True)), "the test shows nothing"


def test_a_host_that_hangs_is_given_up(board: VirtualBoard) -> None:
    watchdog_s = 4 * UNIT_S
    link = SerialLink(Kept(board), watchdog_s=watchdog_s, patience_s=0.01, resend_s=0.001)
    with Chip(CHIP, link, name="board") as driver:
        check_runs(driver)
        for _ in range(3):  # longer than the limit, but not silent for as long
            board.run(0.9 * watchdog_s)
            link.keep_alive()
        hang(driver)
        driver.link._connection.send(b"\x03\x01\x00")
        driver.link._send(iter(()))
        board.run(0.9 * watchdog_s)
        assert lit(board)[BUSY] and not lit(board)[GIVEN_UP]
        board.run(0.1 * watchdog_s + UNIT_S)
        assert lit(board)[GIVEN_UP]
        assert not lit(board)[BUSY] and not lit(board)[LATE]
        with pytest.raises(SpikeletError, match=r"the chip has forgotten this connection"):
            link.keep_alive()
    with Chip(CHIP, SerialLink(Kept(board), **TIMES), name="board") as driver:
        assert not lit(board)[GIVEN_UP]
        check_runs(driver)
        board.run(1.5 * watchdog_s)  # off in a new connection
        assert not lit(board)[GIVEN_UP]
        check_runs(driver)


def test_a_time_that_the_watchdog_cannot_take_is_named(board: VirtualBoard) -> None:
    for seconds in (0.01, 1000.0):
        with pytest.raises(
            SpikeletError, match=r"^virtual: the watchdog's time must be 0, or in 0.04..358 s"
        ):
            SerialLink(Kept(board), watchdog_s=seconds, **TIMES)
    with pytest.raises(SpikeletError, match=r"^time limit of a tick must be above 0 .* not 0"):
        LinkTop(CHIP, ICEBREAKER, baud=BAUD, time_limit_s=0)


@pytest.mark.parametrize("divider_error", [-0.0099, 0.0, 0.0099])
@pytest.mark.parametrize("mismatch", [-LARGEST_MISMATCH, LARGEST_MISMATCH])
def test_rates_may_differ_by_three_percent(
    board: VirtualBoard, divider_error: float, mismatch: float
) -> None:
    board.baud = round(BAUD * (1 + divider_error))
    board.offset = (1 + mismatch) * BAUD / board.baud - 1
    off = rate_mismatch(ICEBREAKER.chip_hz, DIVIDER, board.baud, board.offset)
    assert off == pytest.approx(mismatch)
    link = SerialLink(Kept(board), **TIMES)
    every = np.arange(256)  # one byte behind the other, of every value
    words = np.stack([np.full(256, gates_register("period")), every * 0x01010101], axis=1)
    link.write(words.astype(np.uint32))
    link.write(words[:1].astype(np.uint32))
    assert link.read(np.array([0], np.uint32)).size
    assert link.resent == 0
    assert link._connection.broken == 0


def test_programs_come_and_go_at_a_pseudo_terminal(board: VirtualBoard) -> None:
    with served(board) as server:
        for image in (FIRST, SECOND):
            port = SerialPort(server.terminal.path, BAUD)
            with Chip(CHIP, SerialLink(port), name="board") as driver:
                check_runs(driver, image)
            with pytest.raises(SpikeletError, match=r"nothing answers") as raised:
                SerialLink(SerialPort(server.terminal.path, 115_200), patience_s=0.3)
            assert "--baud" in raised.value.remedy
    assert server.served.to_board > 0 and server.served.from_board > 0


def test_a_cable_that_is_pulled_is_named_and_plugged_in_again(board: VirtualBoard) -> None:
    with served(board, disconnect_after_s=0.2) as server:
        first = server.terminal
        port = SerialPort(first.path, BAUD)
        with pytest.raises(SpikeletError, match=r"the connection is lost") as raised:
            link = SerialLink(port)
            for _ in range(100_000):
                link.keep_alive()
        assert "plug the board in again" in raised.value.remedy
        port.close()
        waited = threading.Event()
        while server.terminal is first:
            waited.wait(0.05)
        with Chip(CHIP, SerialLink(SerialPort(server.terminal.path, BAUD)), name="board") as driver:
            check_runs(driver)


def test_events_that_come_faster_than_the_chip_takes_them_wait(board: VirtualBoard) -> None:
    """Each tick brings more events than all buffers hold."""
    core = CHIP.cores[0]
    ticks, each = 2, 700
    axons = np.tile(np.arange(each) % core.n_axons, ticks).astype(np.int32)
    none = np.zeros(ticks * each, np.int32)
    events = Events(1, ticks, np.arange(ticks + 1) * each, none, axons, none)
    with Chip(CHIP, SerialLink(Kept(board), **TIMES), name="board") as driver:
        driver.load(FIRST)
        found = driver.run(events)
    assert found.first_difference(GoldenChip(CHIP, FIRST).run(events)) is None
