"""The self-test on a board: power-on reset, button and LEDs."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.boards import Board
from spikelet.fpga.power_on import clocked
from spikelet.fpga.self_test import SelfTest

__all__ = ["BoardTop"]


class BoardTop(wiring.Component):
    """A self-test on a board: power-on reset, button and LEDs.

    The last LED lights when everything is as golden says, the one before it when anything is not,
    or when time runs out. The others show the class that the chip found in binary, or as much of it
    as there are LEDs; none if time ran out before. The button starts again.

    Parameters
    ----------
    self_test : SelfTest
    board : Board

    Members
    -------
    clk, button : ``In(1)``
    led : ``Out(number of LEDs)``
        At the pins: with the board's polarity.
    """

    def __init__(self, self_test: SelfTest, board: Board) -> None:
        self.self_test = self_test
        self.board = board
        super().__init__({"clk": In(1), "button": In(1), "led": Out(len(board.leds))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        m.submodules.self_test = test = self.self_test
        shown = Signal(len(self.led) - 2)
        lit = Cat(shown, test.done & ~test.passed, test.done & test.passed)
        m.d.comb += shown.eq(Mux(test.done, test.winner, 0))
        inverted = [pin.inverted for pin in self.board.leds]
        m.d.comb += self.led.eq(Cat(bit ^ inv for bit, inv in zip(lit, inverted, strict=True)))
        return m
