"""What the families say: their synthesis scripts as text, and packing there and back."""

import re
from pathlib import Path

import pytest

from spikelet.description.chip.params import ChipParams, CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import families, family_named, fusesoc_arch, registered
from spikelet.fpga.families.family import Device
from spikelet.fpga.synthesise import script

ROOT = Path(__file__).parents[2]

LAST = """\
tee -q -o cells.json stat -json
write_json netlist.json
splitnets
clean
write_verilog -noattr netlist.v
"""

SCRIPTS = {
    "ecp5": """\
read_verilog design.v
setattr -unset ram_style m:* a:ram_style=huge %i
synth_lattice -family ecp5 -nowidelut -top top -run begin:map_ram
tee -q -o memories.txt dump t:$mem_v2
design -save whole
delete t:* t:$mem_v2 %d
select top
write_rtlil -selected memories.il
select -clear
design -load whole
synth_lattice -family ecp5 -nowidelut -top top -run map_ram:
""",
    "ice40": """\
read_verilog design.v
synth_ice40 -device u -dsp -top top -run begin:flatten
delete top/t:$meminit_v2 top/r:MEMID=\\weights %i
synth_ice40 -device u -dsp -top top -run flatten:map_ram
tee -q -o memories.txt dump t:$mem_v2
design -save whole
delete t:* t:$mem_v2 %d
select top
write_rtlil -selected memories.il
select -clear
design -load whole
synth_ice40 -device u -dsp -top top -run map_ram:
""",
    "ice40-hx": """\
read_verilog design.v
setattr -unset ram_style m:* a:ram_style=huge %i
synth_ice40 -device hx -top top -run begin:map_ram
tee -q -o memories.txt dump t:$mem_v2
design -save whole
delete t:* t:$mem_v2 %d
select top
write_rtlil -selected memories.il
select -clear
design -load whole
synth_ice40 -device hx -top top -run map_ram:
""",
    "gatemate": """\
read_verilog design.v
setattr -unset ram_style m:* a:ram_style=huge %i
synth_gatemate -luttree -nomx8 -top top -run begin:map_bram
tee -q -o memories.txt dump t:$mem_v2
design -save whole
delete t:* t:$mem_v2 %d
select top
write_rtlil -selected memories.il
select -clear
design -load whole
synth_gatemate -luttree -nomx8 -top top -run map_bram:
""",
    "gowin": """\
read_verilog design.v
setattr -unset ram_style m:* a:ram_style=huge %i
synth_gowin -family gw1n -nowidelut -top top -run begin:map_ram
tee -q -o memories.txt dump t:$mem_v2
design -save whole
delete t:* t:$mem_v2 %d
select top
write_rtlil -selected memories.il
select -clear
design -load whole
synth_gowin -family gw1n -nowidelut -top top -run map_ram:
""",
}

SINGLE_PORT = """
module top(clk);
  (* ram_style = "huge" *)
  reg [15:0] weights [9:0];
endmodule
"""

TABLE = ".tile R10C10:PLC2\nword: SLICEA.K0.INIT 0110100110010110\n"
TILE = "\n".join(f"{1 << (row + 20):054b}" for row in range(16))
CPE = "CPE4.INIT_L11 1010\nCPE4.INIT_L20 1100"
CONFIGURATIONS = {
    "ecp5": f".device LFE5U-25F\n\n{TABLE}\n",
    "ice40": f".comment\n.device 5k\n.logic_tile 1 1\n{TILE}\n",
    "gatemate": f".device CCGM1A1\n\n.tile 0 58 58\n{CPE}\n\n",
}
"""In which bits of one logic tile are set."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_synthesis_script(name: str) -> None:
    """Another script makes other netlists, and figures of the docs that are no longer true."""
    assert script(SINGLE_PORT, "top", family_named(name).largest) == SCRIPTS[name] + LAST
    assert SCRIPTS.keys() == {family.name for family in families()}


@pytest.mark.parametrize(("name", "logic"), [("ecp5", TABLE), ("ice40", TILE), ("gatemate", CPE)])
def test_a_bitstream_unpacks_into_what_was_packed(name: str, logic: str, tmp_path: Path) -> None:
    family = family_named(name)
    placed, bitstream = tmp_path / family.placed_file, tmp_path / family.bitstream_file
    placed.write_text(CONFIGURATIONS[name])
    family.pack(tmp_path)
    packed = bitstream.read_bytes()
    placed.unlink()
    family.unpack(tmp_path)
    assert logic in placed.read_text()
    bitstream.unlink()
    family.pack(tmp_path)
    assert bitstream.read_bytes() == packed


@pytest.mark.parametrize(("memory", "arch"), [("block", "ecp5"), ("spram", "ice40")])
def test_fusesoc_synthesises_for_a_family_that_has_the_memory(memory: str, arch: str) -> None:
    core = CoreParams(16, 8, neuron_model("snntorch-zero"), lanes=4, weight_memory=memory)
    assert fusesoc_arch(ChipParams((core,))) == arch


def test_no_other_product_file_names_a_family_or_its_cells() -> None:
    """Boards name the family of their device in words."""
    words = {family.name for family in families()}
    for family in families():
        kinds = [*family.resources]
        words |= {cell for kind in kinds for cell in kind.cells} | {kind.placed for kind in kinds}
        words |= {cell for ram in family.rams for cell in ram.library}
    long = {word for word in words if len(word) > 4}
    short = {word for word in words if len(word) == 4}  # which stand in other words, too
    whole = rf"\b(?:{'|'.join(map(re.escape, short))})\b"
    pattern = re.compile("|".join([*map(re.escape, long), whole]), re.IGNORECASE)
    folders = ("description", "golden", "rtl_gen", "sim", "fpga", "spikelet", "formal")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    own = tuple(f"{family.name}_" for family in families())  # behind the family's file
    others = [
        path
        for path in paths
        if path.parent.name != "families"
        and not (path.parent.name == "bitstream" and path.name.startswith(own))
    ]
    assert len(others) > 150
    assert [path for path in others if pattern.search(path.read_text())] == []


def _changed(**fields: object) -> object:
    """Return a family like the ECP5 but for its name, its one device, and some attributes."""
    base = type(family_named("ecp5"))
    devices = (Device("X1", family_named("ecp5"), (), {"luts": 1, "flip_flops": 1}),)
    return type("Changed", (base,), {"name": "x", "devices": devices, **fields})()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "ecp5"}, "there is a family of that name"),
        ({"devices": family_named("ecp5").devices}, "there is a device LFE5U-25F"),
        ({"resources": family_named("ecp5").resources[:2]}, "its resources lack block_rams, d"),
        ({}, "the capacity of X1 lacks block_rams"),
    ],
)
def test_a_family_that_cannot_be_registered(fields: dict[str, object], message: str) -> None:
    before = families()
    refused = pytest.raises(SpikeletError, match=f"cannot be registered: {message}")
    with refused, registered(_changed(**fields)):  # type: ignore[arg-type]
        pass
    assert families() == before
