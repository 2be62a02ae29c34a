"""Other contents in a bitstream that there is: what yosys and place and route make of them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikelet.boards import ICEBREAKER, ULX3S_85F, Board
from spikelet.compiler.compile import compile_network
from spikelet.compiler.like import compile_like
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named
from spikelet.fpga.families.family import RAM_PLACES_FILE, Job
from spikelet.fpga.flow import FpgaReport, build_bitstream
from spikelet.fpga.patch import patch_bitstream
from spikelet.fpga.power_on import with_clock
from spikelet.fpga.ram_map import memory_contents, ram_map, with_parameters
from spikelet.fpga.synthesise import synthesise
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.rtl_gen.emit import to_verilog
from spikelet.samples.samples import Samples
from spikelet.sim.verilator import Design
from tests.fpga.self_test_bench import SimulatedBoard
from tests.helpers.networks import chain, spikes

BOARDS = pytest.mark.parametrize("board", [ICEBREAKER, ULX3S_85F], ids=lambda board: board.name)

ROM_ROWS, ROM_BITS = 300, 21


class Reader(wiring.Component):
    """Shows the parity of a ROM's rows, one after another, and of a memory that it writes.

    Bit 4 of the ROM is the same in all rows.
    """

    clk: In(1)
    button: In(1)
    led: Out(2)

    def __init__(self, rom: list[int], first: list[int], constant: int = 1) -> None:
        self.rom, self.first, self.constant = rom, first, constant
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        m.submodules.rom = rom = Memory(shape=ROM_BITS, depth=ROM_ROWS, init=self.rom)
        m.submodules.store = store = Memory(
            shape=9, depth=256, init=self.first, attrs={"ram_style": "block", "no_rw_check": 1}
        )
        read, kept, write = rom.read_port(), store.read_port(), store.write_port()
        row = Signal(range(ROM_ROWS))
        m.d.sync += row.eq(row + self.constant)
        m.d.comb += [
            read.addr.eq(row),
            kept.addr.eq(row),
            write.addr.eq(~row),
            write.data.eq(read.data),
            write.en.eq(self.button),
            self.led[0].eq(read.data.xor()),
            self.led[1].eq(kept.data.xor()),
        ]
        return m


def _contents(seed: int, *, bit: int = 0) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    rom = rng.integers(0, 1 << ROM_BITS, ROM_ROWS) & ~(1 << 4) | bit << 4
    return rom.tolist(), rng.integers(0, 512, 256).tolist()


def _verilog(seed: int, constant: int = 1, *, bit: int = 0) -> str:
    return to_verilog(Reader(*_contents(seed, bit=bit), constant), "reader")


def _cells(folder: Path) -> dict[str, dict[str, str]]:
    """Return the parameters of RAM cells in a netlist, by cell."""
    cells = json.loads((folder / "netlist.json").read_text())["modules"]["reader"]["cells"]
    rams = {n: c["parameters"] for n, c in cells.items() if c["type"] in ("SB_RAM40_4K", "DP16KD")}
    return {n: {k: v for k, v in p.items() if k.startswith("INIT")} for n, p in rams.items()}


def _known(cells: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {n: {k: v.replace("x", "0") for k, v in p.items()} for n, p in cells.items()}


@pytest.mark.slow
@BOARDS
def test_contents_are_put_where_yosys_puts_them(board: Board, tmp_path: Path) -> None:
    device = device_named(board.device)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, seed in ((first, 1), (second, 2)):
        synthesise(_verilog(seed), "reader", device, folder)
    old, _ = memory_contents(_verilog(1), "reader")
    new, _ = memory_contents(_verilog(2), "reader")
    rom, kept = _contents(1)
    assert old == {"rom": (ROM_BITS, rom), "store": (9, kept)}
    names = ["rom", "store"]
    maps = ram_map(device.family, tmp_path, first, names, old, "reader")
    assert 4 not in maps["rom"].columns and maps["rom"].width == ROM_BITS - 1
    cells = _cells(first)
    before = {name: dict(found) for name, found in cells.items()}
    for name in names:
        assert maps[name].holds(cells, old[name][1])
        maps[name].set(cells, new[name][1])
        assert not maps[name].holds(cells, old[name][1])
    assert cells != before
    assert _known(cells) == _known(_cells(second))


def test_a_module_s_statements_are_no_contents() -> None:
    verilog = """module top(clk);
  reg [3:0] rom [2:0];
  initial begin
    rom[0] = 4'h3;
    rom[1] = 4'd7;
  end
  always @* begin
    rom[2] = 4'h1;
  end
endmodule
module \\top.part (clk);
  reg \\kept  [1:0];
  initial begin
    \\kept [1] = 1'h1;
  end
endmodule
"""
    contents, rest = memory_contents(verilog, "top")
    assert contents == {"rom": (4, [3, 7, 0]), "part.kept": (1, [0, 1])}
    assert [line for line in rest if "=" in line] == ["    rom[2] = 4'h1;"]


def test_contents_that_are_given_in_pieces_are_read() -> None:
    """Of a memory of many words some pieces are loops, which depends on the contents."""
    rom, kept = _contents(1)
    for other in (rom, rom[:256] + [7] * 44, [7] * 256 + rom[256:], [0] * ROM_ROWS):
        contents, rest = memory_contents(to_verilog(Reader(other, kept), "reader"), "reader")
        assert contents == {"rom": (ROM_BITS, other), "store": (9, kept)}
        assert rest == memory_contents(_verilog(1), "reader")[1]


def test_a_netlist_keeps_all_but_the_parameters_that_are_given() -> None:
    netlist = """  RAM #(
    .INIT_0(8'h0f),
    .INIT_1(8'hx0),
    .MODE("fast")
  ) \\a.rom.0  (
    .INIT_0(x)
  );
  RAM #(
    .INIT_0(8'h0f)
  ) b (
"""
    found = with_parameters(netlist, {"a.rom.0": {"INIT_0": "x0000001", "INIT_1": "xxxx1111"}})
    changed = netlist.replace("8'h0f),", "8'bx0000001),").replace("8'hx0", "8'hxf")
    assert found == changed


@pytest.fixture(scope="module")
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Board, Path]:
    board: Board = with_clock(request.param, request.param.clock_hz)
    folder = tmp_path_factory.mktemp("patch") / board.name
    build_bitstream(_verilog(1), "reader", board, folder, ports=("clk", "button", "led"))
    return board, folder


BUILT = pytest.mark.parametrize(
    "built", [ICEBREAKER, ULX3S_85F], ids=lambda board: board.name, indirect=True
)


@pytest.mark.slow
@BUILT
def test_a_patched_bitstream_is_what_place_and_route_makes(
    built: tuple[Board, Path], tmp_path: Path
) -> None:
    board, folder = built
    device = device_named(board.device)
    family, out = device.family, tmp_path / "patched"
    report = patch_bitstream(folder, out, _verilog(2), command="spikelet patch")
    assert report.patched["memories"] == "rom, store"
    assert FpgaReport.load(out) == report
    assert report.made.inputs["patched bitstream"] == report.patched["bitstream"]
    assert (out / report.bitstream).read_bytes() != (folder / report.bitstream).read_bytes()
    # placed and routed with the new contents
    again = tmp_path / "again"
    again.mkdir()
    for name in ("netlist.json", family.constraints_file):
        (again / name).write_bytes((out / name).read_bytes())
    job = Job(device, again, family.constraints_file, report.target_mhz, report.routed.seed)
    family.place_and_route(job, lambda line: None)
    placed = (again / f"{job.prefix}{family.placed_file}").read_bytes()
    assert (out / family.placed_file).read_bytes() == placed
    (again / family.placed_file).write_bytes(placed)
    family.pack(again, board.bitstream_options)
    bitstream = (again / family.bitstream_file).read_bytes()
    assert (out / report.bitstream).read_bytes() == bitstream
    # and back
    back = patch_bitstream(out, tmp_path / "back", _verilog(1))
    first = (folder / report.bitstream).read_bytes()
    assert (tmp_path / "back" / back.bitstream).read_bytes() == first
    assert _known(_cells(tmp_path / "back")) == _known(_cells(folder))


@pytest.mark.slow
@pytest.mark.parametrize("built", [ICEBREAKER], ids=lambda board: board.name, indirect=True)
def test_what_is_no_contents_of_ram_is_refused(built: tuple[Board, Path], tmp_path: Path) -> None:
    _, folder = built
    out = tmp_path / "out"
    for verilog, message in (
        (_verilog(2, 3), r"differs from the one that was built in constant logic"),
        (_verilog(2, bit=1), r"memory rom: row 0 needs another bit 4, which is the same in all"),
    ):
        with pytest.raises(SpikeletError, match=message):
            patch_bitstream(folder, out, verilog)
        assert not list(tmp_path.iterdir())
    kept = (folder / RAM_PLACES_FILE).read_bytes()
    (folder / RAM_PLACES_FILE).write_text("{}")
    try:
        with pytest.raises(SpikeletError, match="not a readable FPGA report: files are missing"):
            patch_bitstream(folder, out, _verilog(2))
    finally:
        (folder / RAM_PLACES_FILE).write_bytes(kept)


@pytest.mark.slow
@BOARDS
def test_a_patched_image_passes_with_the_new_network(board: Board, tmp_path: Path) -> None:
    """Its netlist lights "passed" with the new contents, and "failed" with one bit flipped."""
    first = chain([9, 8, 4], seed=1)
    second = replace(first, projections=chain([9, 8, 4], seed=2).projections)
    compiled = compile_network(first, limits=PlacementLimits(lanes=2))
    retrained, _ = compile_like(second, compiled)
    samples = Samples(spikes(3, 6, 9, rate=0.5, seed=3))
    old, new = Project(tmp_path / "old"), Project(tmp_path / "new")
    for project, found in ((old, compiled), (new, retrained)):
        project.keep(found, None)
    old.build(board.name, samples, count=2)
    report = new.patch(board.name, samples, old.build_folder(board.name), count=2)
    assert report.patched["memories"] == "self_test.program"
    folder = new.build_folder(board.name)
    netlist = (folder / "netlist.v").read_text()
    before = (old.build_folder(board.name) / "netlist.v").read_text()
    assert _logic(netlist) == _logic(before)
    family = device_named(board.device).family
    limit = report.settings["cycle_limit"]
    start = netlist.rindex(" #(", 0, netlist.index(") \\self_test.program.0.0 "))
    at = netlist.index(")", netlist.index(".INIT", start)) - 1  # the lowest bits of the first rows
    flipped = f"{netlist[:at]}{int(netlist[at], 16) ^ 1:x}{netlist[at + 1 :]}"
    for text, said in ((netlist, "passed"), (before, "passed"), (flipped, "failed")):
        design = Design(text, family.cell_models, family.include_folders())
        assert SimulatedBoard(design, board, tmp_path).run(limit)[0] == said


def _logic(netlist: str) -> list[str]:
    """Return the lines of a netlist that are not contents of RAM cells."""
    return [line for line in netlist.splitlines() if not re.match(r"\s*\.INIT", line)]
