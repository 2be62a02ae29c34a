"""Phase-locked loops: their dividers, what they can make, and the reset that waits for them."""

import re
from dataclasses import replace

import pytest
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from spikelet.boards import BOARDS, ICEBREAKER, ULX3S_85F, Board
from spikelet.description.errors import SpikeletError
from spikelet.fpga import power_on
from spikelet.fpga.families import families, family_named
from spikelet.fpga.families.pll import Pll
from spikelet.fpga.power_on import chip_pll, clocked, with_clock
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.uart import baud_divider

MHZ = 1_000_000


def ecp5_hz(pll: Pll, input_hz: int) -> float:
    """Return what an EHXPLLL makes by its dividers, as Lattice's TN1263 has it, within limits."""
    divider = {name: value for name, value in pll.parameters.items() if name.endswith("_DIV")}
    compared = input_hz / int(divider["CLKI_DIV"])
    vco = compared * int(divider["CLKFB_DIV"]) * int(divider["CLKOP_DIV"])
    assert 10e6 <= compared <= 400e6 and 400e6 <= vco <= 800e6
    assert all(1 <= int(value) <= 128 for value in divider.values())
    return vco / int(divider["CLKOS_DIV"])


def ice40_hz(pll: Pll, input_hz: int) -> float:
    """Return what an SB_PLL40 makes by its dividers, as Lattice's TN1251 has it, within limits."""
    divr, divf, divq = (int(pll.parameters[name]) for name in ("DIVR", "DIVF", "DIVQ"))
    compared = input_hz / (divr + 1)
    vco = compared * (divf + 1)
    assert 10e6 <= compared <= 133e6 and 533e6 <= vco <= 1066e6
    assert 0 <= divr < 16 and 0 <= divf < 128 and 1 <= divq <= 6
    return vco / 2**divq


@pytest.mark.parametrize("wanted", [20 * MHZ, 33_333_333, 48 * MHZ, 97_531_246, 250 * MHZ])
@pytest.mark.parametrize("input_hz", [12 * MHZ, 25 * MHZ, 100 * MHZ])
@pytest.mark.parametrize(("name", "true"), [("ecp5", ecp5_hz), ("ice40", ice40_hz)])
def test_the_dividers_make_what_is_said(name: str, true, input_hz: int, wanted: int) -> None:
    family = family_named(name)
    pll = family.pll(input_hz, wanted)
    assert pll is not None
    assert pll.output_hz == int(true(pll, input_hz)) <= wanted
    assert pll.output_hz > 0.95 * wanted
    assert family.pll(input_hz, pll.output_hz) == pll, "what was rounded is found again"


def test_no_other_dividers_come_nearer() -> None:
    """All of an iCE40's PLL, by the formula alone."""
    made = [
        12e6 / (r + 1) * (f + 1) / 2**q
        for r in range(16)
        for f in range(128)
        for q in range(1, 7)
        if 12e6 / (r + 1) >= 10e6 and 533e6 <= 12e6 / (r + 1) * (f + 1) <= 1066e6
    ]
    for wanted in (33 * MHZ, 35_123_456, 47 * MHZ):
        pll = family_named("ice40").pll(12 * MHZ, wanted)
        assert pll is not None and pll.output_hz == int(max(hz for hz in made if hz <= wanted))


@pytest.mark.parametrize(
    ("board", "mhz", "message"),
    [
        (ICEBREAKER, 15, "its PLL makes 16.12 to 270 MHz of the board's clock, not 15 MHz"),
        (ICEBREAKER, 300, "its PLL makes .* not 300 MHz"),
        (ULX3S_85F, 3, "its PLL makes 3.125 to 400 MHz of the board's clock, not 3 MHz"),
        (BOARDS["GateMate-EVB"], 251, "its PLL makes 1 to 250 MHz of the board's clock, not 251"),
    ],
)
def test_a_frequency_out_of_range_is_refused(board: Board, mhz: int, message: str) -> None:
    with pytest.raises(SpikeletError, match=message) as caught:
        with_clock(board, mhz * MHZ)
    assert "--clock" in caught.value.remedy


def test_a_family_without_pll_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(family_named("ecp5")), "pll", lambda *_, pad: None)
    with pytest.raises(SpikeletError, match="no PLL is known of ECP5, so its chip runs at .* 25"):
        with_clock(ULX3S_85F, 50 * MHZ)
    assert with_clock(ULX3S_85F, 25 * MHZ).chip_hz == 25 * MHZ


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_boards_chip_has_exactly_its_frequency(board: Board) -> None:
    assert with_clock(board, board.chip_hz) == board
    assert with_clock(board, board.clock_hz).pll_hz == 0
    pll = chip_pll(board, board.chip_hz)
    assert (pll.output_hz if pll else 0) == board.pll_hz


class Running(wiring.Component):
    """Tells by an LED that it runs."""

    def __init__(self, board: Board) -> None:
        self.board = board
        super().__init__({"clk": In(1), "button": In(1), "led": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        m.d.sync += self.led.eq(1)
        return m


def test_the_reset_lasts_until_the_pll_has_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = Signal()

    def wire(pll: Pll, clk: Value, chip_clk: Value, lock: Signal) -> Module:
        m = Module()
        m.d.comb += [chip_clk.eq(clk), lock.eq(locked)]
        return m

    monkeypatch.setattr(power_on, "_instance", wire)
    top = Running(ICEBREAKER)
    power_on_cycles = int(15e-6 * ICEBREAKER.chip_hz) + 1
    lit = []

    async def drive(ctx):
        ctx.set(top.button, 1)
        for cycle in range(4 * power_on_cycles):
            ctx.set(locked, power_on_cycles <= cycle != 3 * power_on_cycles)
            ctx.set(top.clk, 1)
            await ctx.delay(1e-8)
            ctx.set(top.clk, 0)
            await ctx.delay(1e-8)
            lit.append(ctx.get(top.led))

    simulator = Simulator(top)
    simulator.add_testbench(drive)
    simulator.run()
    rises = [cycle for cycle in range(1, len(lit)) if lit[cycle] > lit[cycle - 1]]
    falls = [cycle for cycle in range(1, len(lit)) if lit[cycle] < lit[cycle - 1]]
    assert rises and 0 < rises[0] - 2 * power_on_cycles < 10
    assert len(falls) == 1 and 0 < falls[0] - 3 * power_on_cycles < 10, "it lost its lock"


def test_the_primitive_depends_on_the_pin_of_the_clock() -> None:
    """The pad of the iCEBreaker's clock is that of the PLL, which no other input may use."""
    text = to_verilog(Running(ICEBREAKER), "top")
    assert "SB_PLL40_PAD #(" in text and ".PACKAGEPIN(clk)" in text
    elsewhere = to_verilog(Running(replace(ICEBREAKER, pll_pad=False)), "top")
    assert "SB_PLL40_CORE #(" in elsewhere and ".REFERENCECLK(clk)" in elsewhere
    assert "PLL" not in to_verilog(Running(replace(ICEBREAKER, pll_hz=0)), "top")


@pytest.mark.parametrize("name", [family.name for family in families()])
def test_every_port_of_a_pll_is_one_of_its_model(name: str) -> None:
    family = family_named(name)
    board = next(b for b in BOARDS.values() if b.device in {d.name for d in family.devices})
    pll = family.pll(board.clock_hz, 2 * board.clock_hz, pad=board.pll_pad)
    assert pll is not None
    text = "\n".join(path.read_text() for path in family.cell_models)
    model = text[text.index(f"module {pll.primitive} ") :].partition(");\n")[0]
    declared = set(re.findall(r"\w+", re.sub(r"= .*", "", model)))
    ports = {pll.clock_in, pll.clock_out, pll.locked, *pll.tied, *pll.feedback, *pll.parameters}
    assert ports <= declared


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
@pytest.mark.parametrize("baud", [1_000_000, 3_000_000])
def test_a_boards_chip_divides_to_the_usual_rates(baud: int, board: Board) -> None:
    assert board.chip_hz / baud_divider(board.chip_hz, baud) == baud
