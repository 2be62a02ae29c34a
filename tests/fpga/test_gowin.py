"""Gowin: multipliers and clocks as its tools see them, and a bitstream read back."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.boards import Board
from spikelet.boards.tang_nano_9k import TANG_NANO_9K
from spikelet.boards.tang_nano_20k import TANG_NANO_20K
from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import yosys_share
from spikelet.fpga.families import device_named, gowin
from spikelet.fpga.flow import build_bitstream
from spikelet.fpga.place_and_route import parse_report
from spikelet.fpga.power_on import clocked, with_clock
from spikelet.rtl_gen.emit import to_verilog

FAMILY = gowin.FAMILY


@pytest.mark.parametrize(
    ("factors", "units"),
    [
        # What `synth_gowin -family gw1n` of pyosys 0.70 makes of a signed product; a MULT18X18 is
        # 2 units of a MULT9X9, a MULT36X36 is 8.
        ((3, 36), 0),
        ((4, 4), 1),
        ((9, 9), 1),
        ((10, 4), 2),
        ((18, 18), 2),
        ((21, 21), 2),
        ((22, 12), 3),
        ((22, 16), 4),
        ((28, 4), 4),
        ((22, 22), 8),
        ((36, 36), 8),
        ((40, 22), 11),
        ((40, 40), 17),
    ],
)
def test_units_of_multipliers_are_those_that_yosys_takes(
    factors: tuple[int, int], units: int
) -> None:
    assert FAMILY.multiplier is not None
    assert FAMILY.multiplier.cells(*factors) == FAMILY.multiplier.cells(*factors[::-1]) == units


def test_every_black_box_that_yosys_ships_is_modelled_or_does_not_compile() -> None:
    """A cell without a model would be simulated as outputs that nothing drives."""
    shipped = (yosys_share() / "gowin" / "cells_sim.v").read_text()
    ours = FAMILY.cell_models[0].read_text()
    modelled = {
        *re.findall(r"^module (\w+)", ours, re.M),
        *re.findall(r"^`\w+\((\w+),", ours, re.M),
    }
    empty = set()
    for name, body in re.findall(r"^module (\w+)(.*?)^endmodule", shipped, re.M | re.S):
        behaviour = re.sub(r"specify.*?endspecify", "", body, flags=re.S)
        if not re.search(r"\b(assign|always|initial)\b|^\s*MUX2 \w+ ?\(", behaviour, re.M):
            empty.add(name)
    assert {"SP", "SDP", "rPLL"} <= empty
    assert empty <= modelled


def _ibuf(port: int, output: int) -> dict[str, Any]:
    return {"type": "IBUF", "connections": {"I": [port], "O": [output]}, "parameters": {}}


def test_clocks_are_constrained_behind_the_pin_and_behind_a_pll() -> None:
    pll = {
        "type": "rPLL",
        "connections": {"CLKIN": [5], "CLKOUT": [7]},
        "parameters": {"FBDIV_SEL": f"{9:032b}", "IDIV_SEL": f"{2:032b}"},
    }
    top = {
        "ports": {"clk": {"bits": [2]}, "rx": {"bits": [3]}},
        "cells": {"a": _ibuf(2, 5), "b": _ibuf(3, 6), "pll": pll},
        "netnames": {"clk_in": {"bits": [5]}, "rx_in": {"bits": [6]}, "chip": {"bits": [7]}},
    }
    assert gowin._clock_constraints(top, 27_000_000) == (
        "create_clock -period 37.0370 [get_nets clk_in]\n"
        "create_clock -period 11.1111 [get_nets chip]\n"
    )


def _cell(kind: str, output: str, **ports: list[int]) -> dict[str, Any]:
    directions = {port: "output" if port == output else "input" for port in ports}
    return {"type": kind, "connections": ports, "port_directions": directions}


def test_a_flip_flop_takes_the_table_before_it() -> None:
    cells = {
        "table": _cell("LUT2", "F", F=[10], I0=[1], I1=[2]),
        "beside it": _cell("DFFE", "Q", Q=[11], D=[10], CLK=[0], CE=[3]),
        "read twice": _cell("LUT4", "F", F=[12], I0=[11], I1=[2]),
        "far": _cell("DFF", "Q", Q=[13], D=[12], CLK=[0]),
        "reader": _cell("ALU", "SUM", SUM=[14], I0=[12], I1=[13]),
        "alone": _cell("DFFR", "Q", Q=[15], D=[13], CLK=[0], RESET=[3]),
        "ram": _cell("RAM16SDP4", "DO", DO=[16], DI=[15]),
    }
    assert gowin._logic_elements({"cells": cells}) == 3 + 2 + 8


def test_adders_and_multipliers_of_each_size_are_counted() -> None:
    device = device_named("GW1NR-9C")
    available = {resource.placed: device.capacity[resource.name] for resource in FAMILY.resources}
    used = {"LUT4": 100, "ALU": 20, "RAM16SDP4": 3, "MULT9X9": 1, "MULT18X18": 2, "MULT36X36": 1}
    counts = {
        name: {"used": used.get(name, 0), "available": available.get(name, 99)}
        for name in {*available, *used}
    }
    report = {"utilization": counts, "fmax": {}, "critical_paths": []}
    utilisation = parse_report(json.dumps(report), device, 1).utilisation
    assert utilisation["luts"].used == 100 + 20 + 4 * 3
    assert utilisation["dsps"].used == 1 + 2 * 2 + 8


@pytest.mark.parametrize(("wanted", "made"), [(27, 27), (54, 54), (60, 60), (100, 99)])
def test_the_pll_comes_nearest_from_below(wanted: int, made: int) -> None:
    pll = FAMILY.pll(27_000_000, wanted * 1_000_000)
    assert pll.output_hz == made * 1_000_000
    settings = pll.parameters
    multiply, divide = int(settings["FBDIV_SEL"]) + 1, int(settings["IDIV_SEL"]) + 1
    assert 27 * multiply == made * divide
    assert 500 <= made * int(settings["ODIV_SEL"]) <= 1200, "both devices' oscillators reach it"
    assert 27 / divide >= 3


def test_a_frequency_that_the_pll_does_not_reach_is_an_error() -> None:
    with pytest.raises(SpikeletError, match=r"Gowin with 27 MHz: its PLL makes 4\.5 to 594 MHz"):
        with_clock(TANG_NANO_9K, 900_000_000)


def test_what_is_not_a_bitstream_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "design.fs").write_text("11111111\n0110\n")
    with pytest.raises(SpikeletError, match=r"is not a bitstream of GW1NR-9C, GW2AR-18C"):
        FAMILY.unpack(tmp_path)


class Counting(wiring.Component):
    """Counts on the LEDs."""

    def __init__(self, board: Board) -> None:
        self.board = board
        super().__init__({"clk": In(1), "button": In(1), "led": Out(len(board.leds))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        counter = Signal(24)
        m.d.sync += counter.eq(counter + 1)
        m.d.comb += self.led.eq(counter[-len(self.led) :])
        return m


def _tables(placed: str) -> dict[tuple[int, int, int], int]:
    """Return the contents of the look-up tables with inputs of a placed design, by their places."""
    found = {}
    for cell in json.loads(placed)["modules"]["top"]["cells"].values():
        size = re.fullmatch(r"LUT([1-4])", cell["type"])
        if size and any(bits for port, bits in cell["connections"].items() if port != "F"):
            x, y, z = map(int, re.findall(r"\d+", cell["attributes"]["NEXTPNR_BEL"]))
            bits = 1 << int(size[1])
            contents = int(cell["parameters"]["INIT"].strip()[-bits:], 2)
            found[y + 1, x + 1, z] = sum(contents << low for low in range(0, 16, bits))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "board", [with_clock(TANG_NANO_9K, 54_000_000), TANG_NANO_20K], ids=lambda board: board.name
)
def test_the_configuration_in_a_bitstream_is_that_of_the_placed_design(
    board: Board, tmp_path: Path
) -> None:
    folder = tmp_path / "image"
    report = build_bitstream(to_verilog(Counting(board), "top"), "top", board, folder)
    assert report.routed.fmax_mhz >= board.chip_hz / 1e6
    packed = (folder / report.bitstream).read_bytes()
    FAMILY.pack(folder, board.bitstream_options)
    assert (folder / report.bitstream).read_bytes() == packed

    FAMILY.unpack(folder)
    unpacked = (folder / "unpacked.v").read_text()
    pattern = r"defparam R(\d+)C(\d+)_LUT4_(\d)\.INIT = 16'h([0-9a-f]+);"
    found = {
        (int(row), int(column), int(z)): int(contents, 16)
        for row, column, z, contents in re.findall(pattern, unpacked)
    }
    assert len(found) > 5
    assert found == _tables((folder / "placed.json").read_text())
    assert ("rPLL" in unpacked) == (board.chip_hz != board.clock_hz)
