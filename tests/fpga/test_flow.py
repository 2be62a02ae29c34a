"""The flow to a bitstream: reuse, interruption, and what cannot be built."""

from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.boards import ICEBREAKER, Board
from spikelet.description.errors import SpikeletError
from spikelet.fpga import flow
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import FpgaReport, build_bitstream, build_out_of_context, check_capacity
from spikelet.fpga.harness import harness, ports_of
from spikelet.fpga.power_on import clocked
from spikelet.fpga.synthesise import SynthesisReport
from spikelet.rtl_gen.emit import to_verilog
from tests.fpga.toy import MemorySpec, Toy

OWN_CLOCK = replace(ICEBREAKER, pll_hz=0)


class Blinker(wiring.Component):
    """Counts on the LEDs."""

    def __init__(self, board: Board = ICEBREAKER) -> None:
        self.board = board
        super().__init__({"clk": In(1), "button": In(1), "led": Out(len(board.leds))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        counter = Signal(24)
        m.d.sync += counter.eq(counter + 1)
        m.d.comb += self.led.eq(counter[-len(self.led) :])
        return m


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, FpgaReport, list[str]]:
    folder = tmp_path_factory.mktemp("flow") / "blinker"
    verilog = to_verilog(Blinker(), "blinker")
    lines: list[str] = []
    report = build_bitstream(
        verilog, "blinker", ICEBREAKER, folder, seeds=(1, 2), progress=lines.append
    )
    return verilog, folder, report, lines


def test_a_bitstream_for_a_board(built: tuple[str, Path, FpgaReport, list[str]]) -> None:
    _, folder, report, lines = built
    assert (report.board, report.device) == ("iCEBreaker", "ICE40UP5K-SG48")
    assert (folder / report.bitstream).read_bytes()[:4] == bytes.fromhex("ff0000ff")
    assert report.routed.seeds.keys() == {1}, "the first seed meets 24 MHz"
    assert report.target_mhz == 24 < report.routed.fmax_mhz
    (clock,) = report.routed.clocks
    assert clock.name == "chip_clk" and clock.target_mhz == pytest.approx(24, rel=0.002)
    assert report.made.files.keys() >= {"design.bin", "netlist.v", "netlist.json", "pins.pcf"}
    assert FpgaReport.load(folder) == report
    assert not list(folder.glob("seed_*"))
    assert not folder.with_name("blinker.partial").exists()
    assert any("synthesis" in line for line in lines)
    assert any("seed 1" in line for line in lines)


def _rebuild(
    built: tuple[str, Path, FpgaReport, list[str]], monkeypatch: pytest.MonkeyPatch
) -> FpgaReport | None:
    """Return the report of a second build, or None if it began to synthesise."""
    verilog, folder, _, _ = built

    class SynthesisStartedError(Exception):
        pass

    def refuse(*_: object) -> None:
        raise SynthesisStartedError

    monkeypatch.setattr(flow, "synthesise", refuse)
    try:
        return build_bitstream(verilog, "blinker", ICEBREAKER, folder, seeds=(1, 2))
    except SynthesisStartedError:
        return None


def test_an_unchanged_design_is_not_built_again(
    built: tuple[str, Path, FpgaReport, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _rebuild(built, monkeypatch) == built[2]
    changed = (built[0] + "\n", *built[1:])
    assert _rebuild(changed, monkeypatch) is None
    assert FpgaReport.load(built[1]) == built[2], "a failed build must leave the old one alone"


@pytest.mark.parametrize("damage", ["cut", "missing", "report"])
def test_a_damaged_result_is_never_used(
    damage: str, built: tuple[str, Path, FpgaReport, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = built[1] / (flow.REPORT if damage == "report" else "design.bin")
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2])
    try:
        assert _rebuild(built, monkeypatch) is None
    finally:
        path.write_bytes(whole)


def test_a_clock_that_is_missed_is_an_error(tmp_path: Path) -> None:
    fast = replace(OWN_CLOCK, name="fast", clock_hz=900_000_000)
    missed = (
        r"^blinker reaches [\d.]+ MHz on fast at best, with seed 1 of 1, and its chip's clock is "
        r"900 MHz\n  remedy: build with --clock [\d.]+ or less, try more seeds"
    )
    with pytest.raises(SpikeletError, match=missed):
        build_bitstream(to_verilog(Blinker(fast), "blinker"), "blinker", fast, tmp_path / "out")


def test_a_clock_that_nothing_constrains_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = device_named(ICEBREAKER.device).family
    pins = ICEBREAKER.pins_of(("clk", "button", "led"))
    text = "".join(f"set_io {pin.port} {pin.site}\n" for pin in pins)
    monkeypatch.setattr(type(family), "constraints", lambda *_: text)
    with pytest.raises(SpikeletError, match=r"^blinker: clock clk is constrained to 1 MHz on iCE"):
        build_bitstream(
            to_verilog(Blinker(OWN_CLOCK), "blinker"), "blinker", OWN_CLOCK, tmp_path / "out"
        )


def test_an_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        SpikeletError, match=r"^the FPGA build in .* cannot be written: Not a directory"
    ):
        build_bitstream("", "top", ICEBREAKER, tmp_path / "file" / "out")


def test_a_design_with_more_ports_than_pins_is_harnessed(tmp_path: Path) -> None:
    verilog = to_verilog(Toy((MemorySpec(16, 512),), factors=(8, 8)), "toy")
    assert sum(bits for _, _, bits in ports_of(verilog, "toy")) > 100
    device = device_named("ICE40UP5K-SG48")
    report = build_out_of_context(verilog, "toy", device, tmp_path / "out", target_mhz=30)
    assert report.harnessed
    assert report.routed.utilisation["block_rams"].used == 2
    assert report.bitstream == ""
    assert report.routed.critical_path


def test_the_harness_connects_every_port() -> None:
    verilog = """module top(a, clk, q);
  input signed [3:0] a;
  wire signed [3:0] a;
  input clk;
  output q;
endmodule
"""
    text, name = harness(verilog, "top")
    assert name == "top_harness"
    assert "top design (.clk(clk), .a(stimulus[3:0]), .q(result[0:0]));" in text
    with pytest.raises(SpikeletError, match=r"cannot read the ports of top: a, clk, q"):
        harness(verilog.replace("output q", "output logic q"), "top")
    with pytest.raises(SpikeletError, match="the Verilog has no module other"):
        harness(verilog, "other")


def test_a_netlist_larger_than_the_device_is_an_error() -> None:
    synthesis = SynthesisReport(
        "chip",
        device_named("ICE40UP5K-SG48"),
        {"SB_RAM40_4K": 31, "SB_LUT4": 9000},
        (),
        Path(),
        Path(),
    )
    with pytest.raises(
        SpikeletError,
        match=r"^chip does not fit ICE40UP5K-SG48: it needs 9000 luts of 5280, 31 block rams of 30",
    ):
        check_capacity(synthesis, device_named("ICE40UP5K-SG48"))
