"""An iCE40 bitstream back to a circuit: a small design with every kind of cell, and its faults."""

import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.flipped_bits import outcomes
from spikelet.boards import ICEBREAKER, board_named
from spikelet.description.errors import SpikeletError
from spikelet.fpga.bitstream import ice40_database
from spikelet.fpga.bitstream.circuit import Circuit, Net, variants_verilog, verilog
from spikelet.fpga.bitstream.ecp5_memories import configured_memories, netlist_memories
from spikelet.fpga.bitstream.ice40_circuit import Ice40Circuit
from spikelet.fpga.bitstream.ice40_configuration import Configuration, symbols
from spikelet.fpga.bitstream.ice40_database import Database, database
from spikelet.fpga.bitstream.ice40_flips import flipped
from spikelet.fpga.bitstream.ice40_wires import NotModelledError
from spikelet.fpga.bitstream.round_trip import round_trip
from spikelet.fpga.flow import build_bitstream
from spikelet.fpga.power_on import with_clock
from spikelet.fpga.registers import placed_names
from spikelet.runs.levels import BuiltBoard, board_levels

DESIGN = """\
module top(input clk, input button, output [6:0] led);
  reg [9:0] count = 0;
  reg [15:0] noise = 16'hace1, product_in = 0;
  reg [31:0] sum = 0;
  reg [1:0] pressed = 0;
  reg [4:0] shown = 5'h15;
  reg done = 0;
  reg [15:0] memory [0:255];
  reg [15:0] data;
  integer row;
  initial for (row = 0; row < 256; row = row + 1) memory[row] = 40503 * row;
  wire [31:0] product = product_in * noise;
  always @(posedge clk) begin
    pressed <= {pressed[0], ~button};
    noise <= {noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]};
    count <= count + 1;
    data <= memory[count[7:0]];
    if (count[8] & ~done) memory[~count[7:0]] <= sum[15:0];
    product_in <= data;
    if (pressed[1]) sum <= 0;
    else if (noise[0]) sum <= sum + product;
    if (noise[3:0] == 0) shown <= shown ^ sum[31:27];
    if (count == 1000) done <= 1;
  end
  assign led = {done ^ 1'b1, 1'b1, shown};
endmodule
"""
"""Carry chains, a block RAM with contents, a multiplier, enables, resets, and registers that begin
with 1; "passed" lights after 1,000 cycles."""


BOARD = with_clock(ICEBREAKER, ICEBREAKER.clock_hz)
"""Without a PLL."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltBoard:
    folder = tmp_path_factory.mktemp("bitstream") / "build"
    build_bitstream(DESIGN, "top", BOARD, folder)
    return BuiltBoard(folder, BOARD)


@pytest.fixture(scope="module")
def configuration(built: BuiltBoard) -> Configuration:
    return Configuration.parse((built.folder / "placed.asc").read_text())


def circuit_of(built: BuiltBoard, configuration: Configuration) -> Ice40Circuit:
    return Ice40Circuit(database("5k"), configuration, "sg48", built.sites)


def test_every_level_of_a_small_design_equals_it(built: BuiltBoard) -> None:
    """Down to the circuit of the bitstream, with a block RAM and a multiplier in it."""
    levels = {level.name: level for level in board_levels(built, 1, "configuration")}
    assert list(levels) == ["board", "netlist", "round trip", "configuration"]
    assert all(level.equal for level in levels.values()), levels
    cycles = {levels[name].cycles for name in ("board", "netlist", "configuration")}
    assert cycles == {1001}
    for name in ("netlist", "configuration"):
        compared, of, changed = map(int, re.findall(r"\d+", levels[name].compared)[:3])
        assert compared >= changed >= 40, "most registers keep their names, and change"
        assert of == 82
    circuit = circuit_of(built, Configuration.parse((built.folder / "placed.asc").read_text()))
    kinds = Counter(name.split("_")[0] for name in circuit.circuit.cells)
    assert kinds["ram"] == 1
    assert kinds["mac"] == 1
    assert kinds["ff"] > 50


@pytest.mark.slow
def test_every_level_of_a_small_design_equals_it_on_an_hx8k(tmp_path: Path) -> None:
    """Another die, of another database, whose multiplier is logic."""
    board = board_named("iCE40-HX8K")
    board = with_clock(board, board.clock_hz)
    design = DESIGN.replace("[6:0] led", "[7:0] led")
    design = design.replace("{done ^ 1'b1, 1'b1, shown}", "{done, 2'b00, shown}")
    build_bitstream(design, "top", board, tmp_path / "build")
    levels = {
        level.name: level
        for level in board_levels(BuiltBoard(tmp_path / "build", board), 1, "configuration")
    }
    assert list(levels) == ["board", "netlist", "round trip", "configuration"]
    assert all(level.equal for level in levels.values()), levels
    compared, of, changed = map(int, re.findall(r"\d+", levels["configuration"].compared)[:3])
    assert of >= compared >= changed >= 40


def test_a_flipped_bit_is_found_or_changes_nothing(
    built: BuiltBoard, configuration: Configuration
) -> None:
    """Bits of contents, of a LUT and of its flip-flop, of switches; and one of an unused cell."""
    circuit = circuit_of(built, configuration).circuit
    kinds: dict[str, list[tuple[int, ...]]] = {"contents": [], "logic cell": [], "switch": []}
    for bit, owner in sorted(circuit.bits.items()):
        for kind, bits in kinds.items():
            if owner.startswith(kind):
                bits.append(bit)
    (ram,) = {bit[:2] for bit in kinds["contents"]}
    read_early = [(*ram, 16 * row + 5) for row in range(3, 9)]
    drawn = [kinds[kind][at] for kind in ("logic cell", "switch") for at in (7, 60, 301)]
    unused = next((x, 20, 0, 0) for x in range(1, 25) if (x, 20, 0, 0) not in circuit.bits)
    clean, nothing, *others = outcomes(built, [unused, *read_early, *drawn])
    assert not clean.found
    contents = [one.found for one in others[: len(read_early)]]
    assert sum("differs" in found for found in contents) >= 2, "a word counts in half of all cycles"
    assert not nothing.found
    assert nothing.unused == "the circuit is the same"
    assert all(bool(one.found) != bool(one.unused) for one in others)
    assert sum(bool(one.found) for one in others[len(read_early) :]) >= 2


def test_a_level_that_differs_says_where(built: BuiltBoard, tmp_path: Path) -> None:
    """A netlist of another design: the LEDs and the first register that differ are named."""
    shutil.copytree(built.folder, tmp_path / "other")
    text = (built.folder / "netlist.v").read_text()
    wrong, count = re.subn(r"(SB_LUT4 #\(\n\s+\.LUT_INIT\(16')h(\w)", r"\1h0", text)
    assert count > 20
    (tmp_path / "other" / "netlist.v").write_text(wrong)
    found = list(board_levels(BuiltBoard(tmp_path / "other", BOARD), 1, "netlist"))
    assert [level.name for level in found] == ["board", "netlist"]
    assert not found[1].equal
    assert re.search(r"register \S+ differs in cycle \d+", found[1].found)


def test_damage_to_the_bitstream_breaks_the_round_trip(built: BuiltBoard, tmp_path: Path) -> None:
    """What the unpacker skips is not in what is packed again."""
    folder = tmp_path / "other"
    shutil.copytree(built.folder, folder)
    data = bytearray((folder / "design.bin").read_bytes())
    data[-1] ^= 1
    (folder / "design.bin").write_bytes(data)
    trip = round_trip(built.family, folder)
    assert trip.differs_at is not None
    assert trip.size == len(data)


def test_two_drivers_of_a_wire_are_no_circuit(
    built: BuiltBoard, configuration: Configuration
) -> None:
    """A switch more that is closed: as soon as a pin depends on the wire, it is an error."""
    data = database("5k")
    used = circuit_of(built, configuration).circuit.bits.values()
    wires = {int(owner.split()[-1]) for owner in used if owner.startswith("switch")}
    bit = next(
        (int(x), int(y), int(row), int(column))
        for pip in data.pips[np.isin(data.pips["target"], sorted(wires))]
        for switch in [data.switches[pip["switch"]]]
        if switch["bel"] < 0 and switch["bits"] == 1
        for x, y in [switch["xy"]]
        for row, column in [switch["at"][0]]
        if not configuration[int(x), int(y), int(row), int(column)]
    )
    _, (flip,) = flipped(data, configuration, "sg48", built.sites, [bit])
    assert flip.circuit is None
    assert flip.broken.endswith(" has 2 drivers")


def test_a_pin_of_a_kind_without_model_is_an_error(
    built: BuiltBoard, configuration: Configuration
) -> None:
    """An output that is switched off and on, which nothing of ours makes."""
    data = database("5k")
    bel = data.bels[data.pins("sg48")[built.sites["led[0]"]]]
    (bit,) = data.setting(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_5")
    with pytest.raises(NotModelledError, match=r"^pin 26 is of type 111001, which has no model$"):
        circuit_of(built, configuration.flipped(bit))


@pytest.mark.parametrize(
    ("field", "bits", "port"),
    [("BOTADDSUB_CARRYSELECT", 2, "ACCUMCI"), ("BOTADDSUB_LOWERINPUT", 3, "SIGNEXTIN")],
)
def test_a_chain_of_multipliers_is_refused(
    built: BuiltBoard, configuration: Configuration, field: str, bits: int, port: str
) -> None:
    """An input from the multiplier below that is chosen; one that is not has no effect."""
    data = database("5k")
    cells = circuit_of(built, configuration).circuit.cells
    (x, y), *others = (map(int, name.split("_")[1:]) for name in cells if name.startswith("mac"))
    assert not others, "multipliers that only a chained input leads to are not in the circuit"
    (place,) = (
        at for at, bel in enumerate(data.bels) if (bel.kind, bel.x, bel.y) == ("ICESTORM_DSP", x, y)
    )
    chosen = configuration
    for at in range(2):
        tile_x, tile_y, name = data.parameters[place][f"{field}_{at}"]
        for bit in data.setting(tile_x, tile_y, f"IpConfig.{name}"):
            if chosen.value([bit]) != bits >> at & 1:
                chosen = chosen.flipped(bit)
    told = (
        rf"^the multiplier at {x} {y} takes {port} from the one below \({field} is {bits}\), "
        r"and chains of multipliers have no model\n"
    )
    with pytest.raises(NotModelledError, match=told) as caught:
        circuit_of(built, chosen)
    assert caught.value.remedy


def test_names_of_nets_come_from_placement_alone(
    built: BuiltBoard, configuration: Configuration
) -> None:
    """Every name that nextpnr gave is a net of the circuit, and logic is the same without them."""
    placed = (built.folder / "placed.asc").read_text()
    circuit = circuit_of(built, configuration)
    names = circuit.configured(placed).names
    assert names.keys() == symbols(placed).keys()
    bare = circuit_of(built, Configuration.parse(re.sub(r"^\.sym .*\n", "", placed, flags=re.M)))
    assert bare.circuit == circuit.circuit
    assert len(placed_names(built.netlist, names)) > len(names) // 2


def test_a_configuration_that_is_none_is_refused() -> None:
    for text in ("", ".device 5k\n.logic_tile 1 x\n01\n"):
        with pytest.raises(SpikeletError, match=r"^this is no configuration of an iCE40: "):
            Configuration.parse(text)


def test_configurations_count_the_bits_that_differ(configuration: Configuration) -> None:
    other = configuration.flipped((3, 5, 2, 7)).flipped((6, 1, 4095))
    assert other != configuration
    assert configuration.differences(other) == 2
    assert other.flipped((6, 1, 4095)).flipped((3, 5, 2, 7)) == configuration


def test_a_database_of_another_layout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off, or with ports numbered otherwise than in the nextpnr that is known."""
    short = tmp_path / "chipdb.bin"
    short.write_bytes(database("5k").path.read_bytes()[:4096])
    with pytest.raises(SpikeletError, match=r"chipdb.bin is a database of another layout \("):
        Database(short)
    with pytest.raises(SpikeletError, match=r"absent.bin cannot be read: "):
        Database(tmp_path / "absent.bin")
    monkeypatch.setattr(ice40_database, "_NAMES", ("", "new", *ice40_database._NAMES[1:]))
    with pytest.raises(SpikeletError, match=r"is a database of another layout \("):
        Database(database("5k").path)


def test_variants_of_a_circuit_share_what_is_the_same() -> None:
    """A net that differs becomes a choice; a cell that differs is there twice."""
    cell = "reg q% = 0; always @(posedge clk) q% <= {};"
    base = Circuit(
        {"n1": Net("q%", cell="q"), "n2": Net("n1 & clk", ("n1",))},
        {"q": cell.format("n2")},
        {"clk": 1},
        {"led": ["n2"]},
    )
    other = Circuit(
        {**base.nets, "n2": Net("n1 | clk", ("n1",))}, {"q": cell.format("~n2")}, {}, base.outputs
    )
    text = variants_verilog(base, [base, other], "top")
    assert text.count("always") == 2
    assert "assign n1 = variant == 2 ? q_v2 : q;" in text
    assert "assign n2 = variant == 2 ? n1 | clk : n1 & clk;" in text
    assert "(variant == 2 & ((n1 | clk) != (n1 & clk)))" in text
    assert "variant" not in verilog(base, "top")
    assert not base.loop()
    looped = Circuit({"n1": Net("~n2", ("n2",)), "n2": Net("n1", ("n1",))})
    assert set(looped.loop()) == {"n1", "n2"}


def test_block_ram_contents_of_an_ecp5() -> None:
    """16 words of 18 bits in each parameter, padded to 20; 8 numbers of 9 bits in each line."""
    words = np.random.default_rng(1).integers(0, 1 << 18, 1024)
    rows = words.reshape(64, 16)[:, ::-1]
    parameters = {
        f"INITVAL_{row:02X}": "".join(f"{word:020b}" for word in rows[row]) for row in range(64)
    }
    cell = {"type": "DP16KD", "parameters": parameters}
    numbers = [part for word in words.tolist() for part in (word & 511, word >> 9)]
    lines = [" ".join(f"{n:03x}" for n in numbers[at : at + 8]) for at in range(0, 2048, 8)]
    text = ".bram_init 3\n" + "\n".join(lines) + "\n\n.tile X\n"
    wanted = netlist_memories({"cells": {"a": cell, "b": {"type": "LUT4"}}})
    assert configured_memories(text) == wanted
    assert configured_memories(text.replace(lines[9], lines[8])) != wanted
