"""The register descriptions for others' tools, as read by SystemRDL's compiler and a C compiler."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from systemrdl import RDLCompiler
from systemrdl.node import AddressableNode, AddrmapNode, FieldNode, MemNode, RegNode

from spikelet.description.chip.bus_registers import BUS_REGISTERS, EVENT_WAITS, BusParams
from spikelet.description.chip.memory_map import FLAGS, WRITABLE_REGISTERS, ChipMap, chip_registers
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.register_files import c_header, register_files, system_rdl
from tests.description.test_memory_map import CHIP

CHIPS = {
    "two_cores": CHIP,
    "early_stop": replace(CHIP, early_stop=True, multicast=True),
}


def compiled(text: str, folder: Path) -> AddrmapNode:
    """Return the map that SystemRDL's compiler makes of a text."""
    path = folder / "map.rdl"
    path.write_text(text)
    compiler = RDLCompiler()
    compiler.compile_file(str(path))
    return compiler.elaborate().top


def macros(header: str, folder: Path) -> dict[str, int]:
    """Return the values of a header's macros, as a C compiler sees them."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler
    names = [line.split()[1] for line in header.splitlines() if line.startswith("#define")][1:]
    assert len(names) == len(set(names))
    prints = "".join(f'  printf("{name} %lu\\n", (unsigned long)({name}));\n' for name in names)
    includes = '#include <stdio.h>\n#include "map.h"\n#include "map.h"\n'
    (folder / "map.h").write_text(header)
    (folder / "all.c").write_text(f"{includes}int main(void) {{\n{prints}  return 0;\n}}\n")
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *strict, "-o", "all", "all.c"], cwd=folder, check=True)
    done = subprocess.run([folder / "all"], capture_output=True, text=True, check=True)
    return {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_system_rdl_is_the_memory_map(chip: ChipParams, tmp_path: Path) -> None:
    top = compiled(system_rdl(chip, "my_chip"), tmp_path)
    assert top.inst_name == "my_chip"
    chip_map = ChipMap(chip)
    registers = {n.inst_name: n for n in top.children() if isinstance(n, RegNode)}
    cores = [node for node in top.children() if isinstance(node, AddrmapNode)]
    assert [4 * chip_registers(chip).index(name) for name in registers] == [
        node.absolute_address for node in registers.values()
    ]
    assert tuple(registers) == chip_registers(chip)
    assert all(node.get_property("regwidth") == 32 for node in registers.values())
    written = {name for name, node in registers.items() if node.has_sw_writable}
    assert written == set(WRITABLE_REGISTERS) & set(chip_registers(chip))
    assert [field.inst_name for field in registers["flags"].fields()] == list(FLAGS)
    value = registers["structure"].find_by_path("value").get_property("reset")
    assert value == int(chip.digest[:8], 16)
    assert len(cores) == len(chip.cores)
    for number, core in enumerate(cores):
        memories = {n.inst_name: n for n in core.children() if isinstance(n, MemNode)}
        assert memories.keys() == chip_map.cores[number].keys()
        for name, node in memories.items():
            region = chip_map.cores[number][name]
            assert node.absolute_address == 4 * int(chip_map.address(number, name)), name
            sizes = (node.get_property("mementries"), node.get_property("memwidth"))
            assert sizes == (region.words, 32), name
            assert node.is_sw_writable == (region.access == "rw"), name


def test_registers_of_a_bus(tmp_path: Path) -> None:
    """Behind the memory map; of 1,024 words here, so from byte 4,096 on."""
    params = BusParams.of(CHIP)
    assert params.address_bits == 10
    top = compiled(system_rdl(CHIP, "chip", bus=True), tmp_path)
    values = macros(c_header(CHIP, "chip", bus=True), tmp_path)
    for number, register in enumerate(BUS_REGISTERS):
        node = top.find_by_path(register.name)
        assert isinstance(node, RegNode) and node.absolute_address == 4096 + 4 * number
        assert values[f"CHIP_BUS_{register.name.upper()}_ADDRESS"] == 4096 + 4 * number
        if register.name == "event":
            continue
        fields = list(node.fields())
        for side, texts in (("r", register.read), ("w", register.write)):
            bits = {field.low for field in fields if side in field.get_property("sw").name}
            assert bits == set(range(len(texts))), register.name
    control = top.find_by_path("control")
    assert isinstance(control, RegNode)
    for name, text in zip(("busy", "done", "spike"), BUS_REGISTERS[0].read, strict=True):
        assert text.startswith(name)
        field = control.find_by_path(name)
        assert isinstance(field, FieldNode)
        assert values[f"CHIP_BUS_CONTROL_{name.upper()}"] == 1 << field.low
    assert find(top, "event.waits").low == EVENT_WAITS
    assert values["CHIP_BUS_EVENT_WAITS"] == 1 << EVENT_WAITS
    assert compiled(system_rdl(CHIP, "chip"), tmp_path).find_by_path("control") is None


def find(top: AddrmapNode, path: str) -> FieldNode:
    """Return a field of the map."""
    node = top.find_by_path(path)
    assert isinstance(node, FieldNode)
    return node


def test_addresses_counted_by_hand(tmp_path: Path) -> None:
    """Window 256 words, or 1,024 bytes: core 0 begins there, its thresholds at word 112."""
    assert ChipMap(CHIP).window == 256
    top = compiled(system_rdl(CHIP, "chip"), tmp_path)
    node = top.find_by_path("core_0.threshold")
    assert isinstance(node, AddressableNode) and node.absolute_address == 1024 + 448
    values = macros(c_header(CHIP, "chip"), tmp_path)
    assert values["CHIP_CORE_0_THRESHOLD_ADDRESS"] == 1024 + 448
    assert values["CHIP_CORE_0_THRESHOLD_WORDS"] == 16
    assert values["CHIP_CYCLES_ADDRESS"] == 12
    assert values["CHIP_FLAG_DROPPED_PACKET"] == 4


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_the_c_header_is_the_memory_map(chip: ChipParams, tmp_path: Path) -> None:
    values = macros(c_header(chip, "my_chip"), tmp_path)
    chip_map = ChipMap(chip)
    expected = {
        f"{name.upper()}_ADDRESS": 4 * number for number, name in enumerate(chip_registers(chip))
    }
    for core, regions in enumerate(chip_map.cores):
        for name, region in regions.items():
            start = f"CORE_{core}_{name.upper()}"
            expected[f"{start}_ADDRESS"] = 4 * int(chip_map.address(core, name))
            expected |= {f"{start}_WORDS": region.words, f"{start}_BITS": region.bits}
    found = {name.removeprefix("MY_CHIP_"): value for name, value in values.items()}
    ends = ("_ADDRESS", "_WORDS", "_BITS")
    assert expected == {
        name: value
        for name, value in found.items()
        if name.endswith(ends) and not name.startswith("FLIT_")
    }
    assert found["STRUCTURE"] == int(chip.digest[:8], 16)
    assert found["FLIT_BITS"] == flit_packet(chip).width
    fields = flit_packet(chip).fields
    word = int(flit_packet(chip).pack(**{f.name: (1 << f.width) // 2 for f in fields}))
    for field in fields:
        name = f"FLIT_{field.name.upper()}"
        bits = (word >> found[f"{name}_SHIFT"]) & ((1 << found[f"{name}_BITS"]) - 1)
        assert bits == (1 << field.width) // 2, field.name


def test_names_that_are_keywords_elsewhere(tmp_path: Path) -> None:
    """A user's neuron model and top may be named as they like."""
    text = system_rdl(CHIP, "reg").replace("\\threshold", "\\field")
    assert compiled(text, tmp_path).find_by_path("core_0.field") is not None
    with pytest.raises(Exception, match="Parse aborted"):
        compiled(text.replace("\\field", "field"), tmp_path)


def test_files_are_named_after_the_top() -> None:
    assert set(register_files(CHIP, "my_chip")) == {"my_chip.rdl", "my_chip.h"}
