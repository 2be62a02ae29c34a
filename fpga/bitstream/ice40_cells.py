"""Block RAMs, multipliers and single-port RAMs of a configured iCE40, as Yosys's cell models."""

from collections.abc import Mapping

from spikelet.fpga.bitstream.circuit import OWN
from spikelet.fpga.bitstream.ice40_database import Bel
from spikelet.fpga.bitstream.ice40_wires import ZERO, Ice40Wires, NotModelledError

__all__ = ["block_ram", "instance", "multiplier", "single_port_ram"]

_MAC16_FIELDS = (
    *(("A_REG", 1), ("A_SIGNED", 1), ("BOTADDSUB_CARRYSELECT", 2), ("BOTADDSUB_LOWERINPUT", 2)),
    *(("BOTADDSUB_UPPERINPUT", 1), ("BOTOUTPUT_SELECT", 2), ("BOT_8x8_MULT_REG", 1)),
    *(("B_REG", 1), ("B_SIGNED", 1), ("C_REG", 1), ("D_REG", 1), ("MODE_8x8", 1)),
    *(("PIPELINE_16x16_MULT_REG1", 1), ("PIPELINE_16x16_MULT_REG2", 1)),
    *(("TOPADDSUB_CARRYSELECT", 2), ("TOPADDSUB_LOWERINPUT", 2), ("TOPADDSUB_UPPERINPUT", 1)),
    *(("TOPOUTPUT_SELECT", 2), ("TOP_8x8_MULT_REG", 1)),
)

_CHAINED = {"ACCUMCI": ("BOTADDSUB_CARRYSELECT", 2), "SIGNEXTIN": ("BOTADDSUB_LOWERINPUT", 3)}
"""What a multiplier takes from the one below, over a wire without a switch: the field and its value
that choose it (``SB_MAC16`` of Yosys's ``ice40/cells_sim.v``)."""


def block_ram(wires: Ice40Wires, bel: Bel) -> None:
    """Describe a block RAM, with its contents."""
    x, y, name = bel.x, bel.y, f"ram_{bel.x}_{bel.y}"
    mode = [wires.setting(x, y + 1, f"RamConfig.CBIT_{at}")[0] for at in range(4)]
    clocks = {"R": wires.setting(x, y, "NegClk"), "W": wires.setting(x, y + 1, "NegClk")}
    power = wires.setting(x, y, "RamConfig.PowerUp")
    wires.uses([*mode, *clocks["R"], *clocks["W"], *power], f"block RAM {x} {y}")
    if not wires.bits.value(power):
        raise NotModelledError(f"the block RAM at {x} {y} has no power")
    contents = wires.bits.rams.get((x, y), 0)
    for bit in range(4096):
        wires.circuit.bits.setdefault((x, y, bit), f"contents of block RAM {x} {y}")
    parameters = {
        "WRITE_MODE": f"{wires.bits.value(mode[:2])}",
        "READ_MODE": f"{wires.bits.value(mode[2:])}",
        **{
            f"INIT_{row:X}": f"256'h{contents >> 256 * row & (1 << 256) - 1:064x}"
            for row in range(16)
        },
    }
    ports = {
        **{port: wires.level(bel, port) for port in ("RCLKE", "RE", "WCLKE", "WE")},
        **{f"{way}ADDR": wires.levels(bel, f"{way}ADDR_", 11) for way in "RW"},
        **{port: wires.levels(bel, f"{port}_", 16) for port in ("MASK", "WDATA")},
        "RDATA": name + OWN,
    }
    suffix = ""
    for way, bits in clocks.items():
        negative = bool(wires.bits.value(bits))
        suffix += f"N{way}" if negative else ""
        ports[f"{way}CLK{'N' * negative}"] = wires.level(bel, f"{way}CLK")
    wires.circuit.cells[name] = instance(f"SB_RAM40_4K{suffix}", name, 16, parameters, ports)
    wires.drive(bel, name, "RDATA_", 16, ())


def multiplier(wires: Ice40Wires, place: int, bel: Bel) -> None:
    """Describe the multiplier ``bel``, number ``place`` of the database."""
    name = f"mac_{bel.x}_{bel.y}"
    fields = wires.data.parameters[place]
    parameters, values = {}, {}
    for key, width in _MAC16_FIELDS:
        of_each = [key] if width == 1 else [f"{key}_{at}" for at in range(width)]
        where = [
            wires.setting(x, y, f"IpConfig.{bit}") for x, y, bit in (fields[one] for one in of_each)
        ]
        bits = [bit for found in where for bit in found]
        wires.uses(bits, f"multiplier {bel.x} {bel.y}")
        values[key] = wires.bits.value(bits)
        parameters[key] = f"{width}'d{values[key]}"
    for port, (key, chosen) in _CHAINED.items():
        if values[key] == chosen:
            raise NotModelledError(
                f"the multiplier at {bel.x} {bel.y} takes {port} from the one below "
                f"({key} is {chosen}), and chains of multipliers have no model",
                remedy="write the accumulator so that it fits a multiplier, 32 bits, "
                "or is built of logic",
            )
    buses = {port: wires.levels(bel, f"{port}_", 16) for port in "ABCD"}
    single = [port for port in bel.inputs if "_" not in port and port not in _CHAINED]
    ports = {port: wires.level(bel, port) for port in single}
    ports |= dict.fromkeys(_CHAINED, ZERO)  # without effect: they are not chosen
    needs = [wires.wire(bel.inputs[f"{bus}_{at}"]) for bus in "ABCD" for at in range(16)]
    registered = values["A_REG"] and values["B_REG"]
    ports = {**buses, **ports, "O": f"{name}{OWN}", "CO": f"{name}_co{OWN}"}
    text = instance("SB_MAC16", name, 32, parameters, ports)
    wires.circuit.cells[name] = f"wire {name}_co{OWN}; {text}"
    through = () if registered else tuple(needs)
    wires.drive(bel, name, "O_", 32, through)
    wires.done.add(bel.outputs["CO"])
    wires.net(bel.outputs["CO"], f"{name}_co{OWN}", through, name)


def single_port_ram(wires: Ice40Wires, place: int, bel: Bel) -> None:
    """Describe the single-port RAM ``bel``, number ``place`` of the database."""
    name = f"spram_{bel.x}_{bel.y}_{bel.z}"
    x, y, setting = wires.data.parameters[place]["SPRAM_EN"]
    enable = wires.setting(x, y, f"IpConfig.{setting}")
    wires.uses(enable, f"SPRAM {bel.x} {bel.z}")
    if not wires.bits.value(enable):
        wires.circuit.cells[name] = f"wire [15:0] {name}{OWN} = 16'd0;"
    else:
        buses = (("ADDRESS", 14), ("DATAIN", 16), ("MASKWREN", 4))
        ports = {port: wires.levels(bel, f"{port}_", width) for port, width in buses}
        for port in ("WREN", "CHIPSELECT", "CLOCK", "STANDBY", "SLEEP", "POWEROFF"):
            ports[port] = wires.level(bel, port)
        ports["DATAOUT"] = name + OWN
        wires.circuit.cells[name] = instance("SB_SPRAM256KA", name, 16, {}, ports)
    wires.drive(bel, name, "DATAOUT_", 16, ())


def instance(
    kind: str, name: str, width: int, parameters: Mapping[str, str], ports: Mapping[str, str]
) -> str:
    """Return the Verilog of a cell, and of the wire that it drives, so many bits wide."""
    values = ", ".join(f".{key}({value})" for key, value in parameters.items())
    wires = ", ".join(f".{key}({value})" for key, value in ports.items())
    given = f"#({values}) " if parameters else ""
    return f"wire [{width - 1}:0] {name}{OWN}; {kind} {given}\\cell_{name}{OWN} ({wires});"
