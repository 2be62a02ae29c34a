"""Clock and reset of a board's top module."""

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, ResetSignal, Signal, Value

from spikelet.boards import Board
from spikelet.fpga.families import device_named

__all__ = ["clocked"]


def clocked(m: Module, board: Board, clk: Value, button: Value) -> None:
    """Build the domain ``sync`` of a module: reset after power-on, and by the button.

    Parameters
    ----------
    m : Module
    board : Board
    clk, button : Value
        At the pins.
    """
    m.domains.power_on = ClockDomain(reset_less=True, local=True)
    m.domains.sync = ClockDomain(local=True)
    m.d.comb += [ClockSignal("power_on").eq(clk), ClockSignal("sync").eq(clk)]

    power_on_s = device_named(board.device).family.power_on_s
    cycles = int(power_on_s * board.clock_hz) + 1
    counter = Signal(range(cycles + 1))
    pressed = Signal(2)
    reset = Signal(init=1)
    with m.If(pressed[1]):
        m.d.power_on += counter.eq(0)
    with m.Elif(counter != cycles):
        m.d.power_on += counter.eq(counter + 1)
    m.d.power_on += [
        pressed.eq(Cat(button ^ board.pin("button").inverted, pressed)),
        reset.eq(counter != cycles),
    ]
    m.d.comb += ResetSignal("sync").eq(reset)
