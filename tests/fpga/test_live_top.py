# amaranth: UnusedElaboratable=no
"""A board without a host, from power-on to its LEDs, driven by its pins alone."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.boards import Board, board_named
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.flash_image import flash_image
from spikelet.fpga.live_sources import AerSource, InputTable, SerialSource, StoredSource
from spikelet.fpga.live_top import LiveTop
from spikelet.fpga.power_on import clocked, with_clock
from spikelet.fpga.stored_program import StoredProgram
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.aer_bridge import StreamToFourPhase, four_phase
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.uart import Uart
from spikelet.runs.self_test_run import stored_run
from spikelet.sim.verilator import Design
from spikelet.sim.virtual_board import VirtualBoard
from tests.helpers.emitted import small_network

DIVIDER, PERIOD, TICKS, WINDOWS = 8, 4000, 4, 5
OFFSET = 0x12300
BOARD = with_clock(board_named("iCEBreaker"), 12_000_000)
COMPILED = small_network()


class Sender(wiring.Component):
    """A sender of events, a handshake for each byte of a serial line."""

    def __init__(self, board: Board) -> None:
        self.board = board
        pins = {name: In(1) for name in ("clk", "button", "rx")}
        super().__init__({**pins, "aer": Out(four_phase(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        m.submodules.uart = uart = Uart(DIVIDER)
        m.submodules.sender = sender = StreamToFourPhase(8)
        connect(m, uart.received, sender.i)
        connect(m, sender.aer, flipped(self.aer))
        m.d.comb += uart.rx.eq(self.rx)
        return m


class Bench(wiring.Component):
    """The top module, with the ports of a virtual board; its serial line may become a handshake."""

    def __init__(self, top: LiveTop, board: Board) -> None:
        self.top = top
        self.board = board
        ports = {name: top.signature.members[name] for name in ("clk", "button", "led")}
        flash = {name: member for name, member in top.signature.members.items() if "flash" in name}
        super().__init__({**ports, **flash, "rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.top = top = self.top
        for name, member in self.signature.members.items():
            if name in top.signature.members:
                here, there = getattr(self, name), getattr(top, name)
                m.d.comb += there.eq(here) if member.flow is In else here.eq(there)
        if "aer_req" in top.pins:
            m.submodules.sender = sender = Sender(self.board)
            m.d.comb += [
                *(sender.clk.eq(self.clk), sender.button.eq(self.button), sender.rx.eq(self.rx)),
                top.aer_req.eq(sender.aer.req),
                top.aer_address.eq(sender.aer.address),
                sender.aer.ack.eq(top.aer_ack),
            ]
        return m


def powered(top: LiveTop, flash: bytes) -> VirtualBoard:
    return VirtualBoard(
        Design(to_verilog(Bench(top, BOARD), "top")),
        clock_hz=BOARD.chip_hz,
        baud=BOARD.chip_hz // DIVIDER,
        button_inverted=BOARD.pin("button").inverted,
        flash={OFFSET: flash},
        optimise="build",
    )


def lit(board: VirtualBoard) -> tuple[int, bool, bool, bool]:
    """Return the class, parity of the window, whether it failed, and whether it runs."""
    inverted = sum(pin.inverted << number for number, pin in enumerate(BOARD.leds))
    bits, n = board.leds ^ inverted, len(BOARD.leds)
    above = [bool(bits >> (n - 3 + place) & 1) for place in range(3)]
    return bits & ((1 << (n - 3)) - 1), above[0], above[1], above[2]


def until(board: VirtualBoard, what: int, value: bool) -> None:
    for _ in range(20_000):
        if lit(board)[what] == value:
            return
        board.run(8 / BOARD.chip_hz)
    raise AssertionError(f"LED {what} is never {value}")


def classes(compiled: CompiledNetwork, spikes: npt.NDArray[np.bool_], extra: int) -> list[int]:
    """Return what the LEDs show after each window, by golden."""
    events = compiled.events(spikes)
    assert events.ticks == spikes.shape[1] + extra
    counts = GoldenChip(compiled.chip, compiled.image).run(events).outputs.sum(axis=1)
    shown, found = 0, []
    for window in counts:
        shown = int(window.argmax()) if window.any() else shown
        found.append(shown)
    return found


def windows() -> npt.NDArray[np.bool_]:
    """Return spikes of windows, the last ticks of which are empty, and of several classes."""
    rng = np.random.default_rng(8)
    return rng.random((WINDOWS, TICKS, COMPILED.network.n_inputs)) < 0.5


def program() -> bytes:
    return flash_image(COMPILED.chip, COMPILED.image.program(COMPILED.chip))


@pytest.mark.parametrize(
    "flash", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["flash", "bitstream"]
)
def test_stored_samples_are_shown_again_and_again(flash: bool) -> None:
    spikes = windows()
    events = COMPILED.events(spikes)
    run = stored_run(COMPILED.chip, COMPILED.image, events)
    source = StoredSource(COMPILED.chip, run)
    loads: dict[str, Any] = {"offset": OFFSET} if flash else {"program": StoredProgram(program())}
    top = LiveTop(COMPILED.chip, BOARD, source, ticks=events.ticks, pause=300, **loads)
    assert ("flash_cs" in top.ports) == flash
    board = powered(top, program())
    expected = classes(COMPILED, spikes, events.ticks - TICKS)
    assert len(set(expected)) > 1
    assert lit(board) == (0, False, False, False)
    until(board, 3, True)
    found = []
    for window in range(2 * WINDOWS):
        until(board, 1, window % 2 == 0)
        found.append(lit(board)[0])
    assert found == expected + expected
    board.press()
    assert not lit(board)[3]
    until(board, 3, True)
    board.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["aer", "serial"])
def test_events_of_pins_become_classes(kind: str) -> None:
    extra = COMPILED.events(windows()).ticks - TICKS
    spikes = windows()
    inputs, routes = COMPILED.network.n_inputs, COMPILED.routes
    source: AerSource | SerialSource
    if kind == "aer":
        source = AerSource(InputTable(COMPILED.chip, routes, inputs, 8))
    else:
        source = SerialSource(InputTable(COMPILED.chip, routes, inputs, 14), DIVIDER)
    top = LiveTop(COMPILED.chip, BOARD, source, ticks=TICKS + extra, period=PERIOD, offset=OFFSET)
    board = powered(top, program())
    until(board, 3, True)
    began = board.cycles
    found = []
    for window, sample in enumerate(spikes):
        for tick in range(TICKS + extra):
            due = began + (window * (TICKS + extra) + tick) * PERIOD + PERIOD // 3
            board.run((due - board.cycles) / BOARD.chip_hz)
            active = np.flatnonzero(sample[tick]).tolist() if tick < TICKS else []
            for number in [*active, inputs, 100]:  # those above the inputs are passed over
                board.write(bytes([number] if kind == "aer" else [0x80 | number >> 7, number]))
        board.run((PERIOD + PERIOD // 4) / BOARD.chip_hz)
        assert lit(board)[1] == (window % 2 == 0)
        assert not lit(board)[2]
        found.append(lit(board)[0])
    assert found == classes(COMPILED, spikes, extra)
    if kind == "serial":  # half an event is told, until the button is pressed
        board.write(bytes([0x80, 0x80, 0]))
        board.run(40 * DIVIDER / BOARD.chip_hz)
        assert lit(board)[2:] == (True, True)
        board.press()
        until(board, 3, True)
        assert not lit(board)[2]
    board.close()


@pytest.mark.parametrize("damage", ["erased", "bit", "foreign"])
def test_a_flash_of_no_use_is_told_and_nothing_runs(damage: str) -> None:
    image = bytearray(program())
    if damage == "erased":
        image = bytearray(b"\xff" * 64)
    else:
        image[{"bit": len(image) // 2, "foreign": 5}[damage]] ^= 4
    run = stored_run(COMPILED.chip, COMPILED.image, COMPILED.events(windows()))
    source = StoredSource(COMPILED.chip, run)
    top = LiveTop(COMPILED.chip, BOARD, source, ticks=run.events.ticks, pause=300, offset=OFFSET)
    board = powered(top, bytes(image))
    until(board, 2, True)
    board.run(0.01)
    assert lit(board) == (0, False, True, False)
    board.close()
