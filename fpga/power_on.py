"""Clock and reset of a board's top module."""

from dataclasses import replace

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal, Value

from spikelet.boards import Board
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named
from spikelet.fpga.families.pll import Pll

__all__ = ["chip_pll", "clocked", "with_clock"]


def with_clock(board: Board, hz: int) -> Board:
    """Return a board whose chip runs at ``hz``, or as near below as its PLL comes.

    SpikeletError tells the range if that is out of it.
    """
    pll = chip_pll(board, hz)
    return replace(board, pll_hz=pll.output_hz if pll else 0)


def chip_pll(board: Board, hz: int) -> Pll | None:
    """Return the PLL for a chip at ``hz``; None if that is the board's own clock."""
    if hz == board.clock_hz:
        return None
    family = device_named(board.device).family
    pll = family.pll(board.clock_hz, hz, pad=board.pll_pad)
    if pll is None:
        raise SpikeletError(
            f"{board.name}: no PLL is known of {family.title}, so its chip runs at the board's "
            f"{board.clock_hz / 1e6:g} MHz, not at {hz / 1e6:g} MHz",
            remedy=f"leave the clock out, or give it as {board.clock_hz / 1e6:g}",
        )
    return pll


def clocked(m: Module, board: Board, clk: Value, button: Value, hz: int | None = None) -> None:
    """Build the domain ``sync`` of a module: its clock, reset after power-on and by the button.

    Where the chip's frequency is not that of the pin a PLL makes it, and the reset lasts until it
    has locked, too.

    Parameters
    ----------
    m : Module
    board : Board
    clk, button : Value
        At the pins.
    hz : int or None
        Frequency of ``sync``, or as near below as the PLL comes; None: ``board.chip_hz``.
    """
    pll = chip_pll(board, board.chip_hz if hz is None else hz)
    locked = Signal(2)
    m.domains.chip = ClockDomain(reset_less=True, local=True)
    m.domains.sync = ClockDomain(local=True)
    m.d.comb += ClockSignal("sync").eq(ClockSignal("chip"))
    if pll is None:
        m.d.comb += [ClockSignal("chip").eq(clk), locked.eq(~0)]
    else:
        lock = Signal()
        m.submodules.pll = _instance(pll, clk, ClockSignal("chip"), lock)
        m.d.chip += locked.eq(Cat(lock, locked))

    power_on_s = device_named(board.device).family.power_on_s
    cycles = int(power_on_s * (pll.output_hz if pll else board.clock_hz)) + 1
    counter = Signal(range(cycles + 1))
    pressed = Signal(2)
    reset = Signal(init=1)
    with m.If(pressed[1] | ~locked[1]):
        m.d.chip += counter.eq(0)
    with m.Elif(counter != cycles):
        m.d.chip += counter.eq(counter + 1)
    m.d.chip += [
        pressed.eq(Cat(button ^ board.pin("button").inverted, pressed)),
        reset.eq(counter != cycles),
    ]
    m.d.comb += ResetSignal("sync").eq(reset)


def _instance(pll: Pll, clk: Value, chip_clk: Value, lock: Signal) -> Instance:
    named: dict[str, Value | int | str] = {
        **{f"p_{name}": value for name, value in pll.parameters.items()},
        **{f"a_{name}": value for name, value in pll.attributes.items()},
        **{f"i_{port}": level for port, level in pll.tied.items()},
        f"i_{pll.clock_in}": clk,
        f"o_{pll.clock_out}": chip_clk,
        f"o_{pll.locked}": lock,
    }
    if pll.feedback:
        output, back = pll.feedback
        loop = Signal()
        named |= {f"o_{output}": loop, f"i_{back}": loop}
    return Instance(pll.primitive, **named)
