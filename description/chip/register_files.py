"""The memory map in languages of others: SystemRDL 2.0 (Accellera, January 2018), and C.

Both count bytes, as a bus does: a word of the map is at four times its word address.
"""

import re

from spikelet.description.chip.bus_registers import (
    BUS_REGISTERS,
    EVENT_WAITS,
    BusParams,
    BusRegister,
)
from spikelet.description.chip.memory_map import (
    EARLY_STOP_REGISTERS,
    FLAGS,
    IDENTIFICATION,
    WRITABLE_REGISTERS,
    ChipMap,
    Region,
    chip_registers,
    register_number,
)
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams

__all__ = ["WORD_BYTES", "c_header", "register_files", "system_rdl"]

WORD_BYTES = 4
"""Bytes of a word of the memory map."""

_STATUS = {"busy": 0, "done": 1, "spike": 2}
_ASKS = {"start": 0, "clear": 1, "clear_done": 2}
_INTERRUPTS = {"done": 0, "spike": 1}


def register_files(chip: ChipParams, top: str, *, bus: bool = False) -> dict[str, str]:
    """Return the contents of ``TOP.rdl`` and ``TOP.h``, by name.

    Parameters
    ----------
    chip : ChipParams
    top : str
        Name of the chip's Verilog module.
    bus : bool
        Whether the chip is behind a bus, with the registers of ``bus_registers.py``.
    """
    return {
        f"{top}.rdl": system_rdl(chip, top, bus=bus),
        f"{top}.h": c_header(chip, top, bus=bus),
    }


def system_rdl(chip: ChipParams, top: str, *, bus: bool = False) -> str:
    """Return the memory map in SystemRDL: registers, and in a map for each core its memories.

    All names are escaped, since parameters of a neuron model may have those of keywords.
    """
    chip_map = ChipMap(chip)
    lines = [
        f"addrmap \\{top} {{",
        f'  desc = "Spikelet chip {chip.digest[:8]}; addresses are in bytes.";',
        f"  default regwidth = {8 * WORD_BYTES};",
        "  littleendian;",
    ]
    for name in chip_registers(chip):
        number = register_number(chip, name)
        fields = "".join(f"    {field}\n" for field in _rdl_fields(chip, name))
        lines += [f"  reg {{\n{fields}  }} \\{name} @ {number * WORD_BYTES:#x};"]
    for core, regions in enumerate(chip_map.cores):
        lines.append("  addrmap {")
        for name, region in sorted(regions.items(), key=lambda item: item[1].base):
            lines += [
                "    external mem {",
                f'      desc = "{_desc(region)}";',
                f"      mementries = {region.words}; memwidth = {8 * WORD_BYTES};",
                f"      sw = {region.access};",
                f"    }} \\{name} @ {region.base * WORD_BYTES:#x};",
            ]
        base = chip_map.window * (1 + core) * WORD_BYTES
        lines.append(f"  }} \\core_{core} @ {base:#x};")
    if bus:
        for register in BUS_REGISTERS:
            fields = "".join(f"    {field}\n" for field in _bus_fields(register))
            address = BusParams.of(chip).address(register.name) * WORD_BYTES
            lines += [f"  reg {{\n{fields}  }} \\{register.name} @ {address:#x};"]
    return "\n".join([*lines, "};\n"])


def _bus_fields(register: BusRegister) -> list[str]:
    """Return the fields of a register of the bus; those read and those written may overlap."""
    if register.name == "event":
        return [
            f"field {{ sw = r; hw = w; rclr; }} spike[{EVENT_WAITS - 1}:0];",
            f"field {{ sw = r; hw = w; rclr; }} waits[{EVENT_WAITS}:{EVENT_WAITS}];",
            f"field {{ sw = w; hw = r; }} flit[{EVENT_WAITS - 1}:0];",
        ]
    if register.name == "interrupts":
        return [f"field {{ sw = rw; hw = r; }} {name}[{n}:{n}];" for name, n in _INTERRUPTS.items()]
    return [
        *(f"field {{ sw = r; hw = w; }} {name}[{n}:{n}];" for name, n in _STATUS.items()),
        *(
            f"field {{ sw = w; hw = r; singlepulse; }} {name}[{n}:{n}] = 0;"
            for name, n in _ASKS.items()
        ),
    ]


def _rdl_fields(chip: ChipParams, register: str) -> list[str]:
    """Return the fields of a register of the chip."""
    constants = {"identification": IDENTIFICATION, "structure": int(chip.digest[:8], 16)}
    if register in constants:
        return [f"field {{ sw = r; hw = na; }} value[31:0] = 32'h{constants[register]:08x};"]
    if register == "flags":
        return [f"field {{ sw = r; hw = w; }} {name}[{n}:{n}];" for n, name in enumerate(FLAGS)]
    access = "sw = rw; hw = rw;" if register in WRITABLE_REGISTERS else "sw = r; hw = w;"
    last = 0 if register in EARLY_STOP_REGISTERS else 31
    return [f"field {{ {access} }} value[{last}:0];"]


def _desc(region: Region) -> str:
    """Return what the words of a region are, for a string of SystemRDL or a comment of C."""
    text = f"bits {region.bits - 1}..0 of each word; index: {region.layout}"
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("*/", "* /")


def c_header(chip: ChipParams, top: str, *, bus: bool = False) -> str:
    """Return the memory map and the flit as macros of C, each beginning with the top's name.

    ``ADDRESS`` is a byte address from the chip's, ``WORDS`` how many there are, ``BITS`` how many
    bits of a word are in use; ``SHIFT`` is a field's lowest bit.
    """
    chip_map, prefix = ChipMap(chip), re.sub(r"\W", "_", top.upper())
    lines: list[str] = []

    def define(name: str, value: int, text: str) -> None:
        lines.append(f"#define {prefix}_{name} {text.format(value)}")

    define("STRUCTURE", int(chip.digest[:8], 16), "0x{:08x}u")
    define("IDENTIFICATION", IDENTIFICATION, "0x{:08x}u")
    define("CORES", len(chip.cores), "{}u")
    define("OUTPUTS", chip.n_outputs, "{}u")
    lines.append("\n/* Registers of the chip. */")
    for name in chip_registers(chip):
        number = register_number(chip, name)
        define(f"{name.upper()}_ADDRESS", number * WORD_BYTES, "0x{:x}u")
    for number, name in enumerate(FLAGS):
        define(f"FLAG_{name.upper()}", 1 << number, "0x{:x}u")
    for core, regions in enumerate(chip_map.cores):
        lines.append(f"\n/* Core {core}. */")
        for name, region in sorted(regions.items(), key=lambda item: item[1].base):
            lines.append(f"/* {name}: {_desc(region)}; {region.access} */")
            base = int(chip_map.address(core, name)) * WORD_BYTES
            define(f"CORE_{core}_{name.upper()}_ADDRESS", base, "0x{:x}u")
            define(f"CORE_{core}_{name.upper()}_WORDS", region.words, "{}u")
            define(f"CORE_{core}_{name.upper()}_BITS", region.bits, "{}u")
    if bus:
        lines.append("\n/* Registers of the bus. */")
        for register in BUS_REGISTERS:
            address = BusParams.of(chip).address(register.name) * WORD_BYTES
            define(f"BUS_{register.name.upper()}_ADDRESS", address, "0x{:x}u")
        for name, number in {**_STATUS, **_ASKS}.items():
            define(f"BUS_CONTROL_{name.upper()}", 1 << number, "0x{:x}u")
        for name, number in _INTERRUPTS.items():
            define(f"BUS_INTERRUPT_{name.upper()}", 1 << number, "0x{:x}u")
        define("BUS_EVENT_WAITS", 1 << EVENT_WAITS, "0x{:x}u")
    lines.append("\n/* Fields of a flit, the word of an event. */")
    low = 0
    for field in flit_packet(chip).fields:
        lines.append(f"/* {field.name}: {field.meaning} */")
        define(f"FLIT_{field.name.upper()}_SHIFT", low, "{}u")
        define(f"FLIT_{field.name.upper()}_BITS", field.width, "{}u")
        low += field.width
    define("FLIT_BITS", low, "{}u")
    guard = f"{prefix}_H"
    intro = f"/* Spikelet chip {chip.digest[:8]}; addresses are in bytes. */"
    return "\n".join(
        [intro, f"#ifndef {guard}", f"#define {guard}", "", *lines, "", f"#endif /* {guard} */\n"]
    )
