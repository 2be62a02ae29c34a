"""A module around the Verilog of any network on chip, with the same ports for all of them."""

import re
from collections.abc import Callable

from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = ["one_port_each"]

_SIDES = {
    "north": ("south", 0, -1),
    "east": ("west", 1, 0),
    "south": ("north", 0, 1),
    "west": ("east", -1, 0),
}
_WORD = 32
_VALID = 31  # bit of a port's word
_FEWEST_WORDS = 3  # more than 64 bits, which Verilator makes an array of words

Place = tuple[int, int]


def one_port_each(chip: ChipParams, verilog: Callable[[Place, str], str]) -> str:
    """Return the Verilog of all parts of a network, joined in a module ``traffic``.

    Its ports hold 32 bits for each core, in order, and for the host: a flit in the lowest, its
    ``valid`` in the highest; and one bit for each in ``source_ready`` and ``sink_ready``. ``busy``
    is that of any router, ``dropped`` the number of those that drop a packet.

    Parameters
    ----------
    chip : ChipParams
    verilog : callable
        Returns the Verilog of one part of the chip, (column, row), with a top module of the name
        that it is given.
    """
    places = [(x, y) for y in range(chip.chip_rows) for x in range(chip.chip_columns)]
    parts = {(x, y): verilog((x, y), f"network_{x}_{y}") for x, y in places}
    ports = len(chip.cores) + 1
    flits = _WORD * max(ports, _FEWEST_WORDS) - 1
    bits = _WORD * max(-(-ports // _WORD), _FEWEST_WORDS) - 1
    lines = [
        f"module traffic(input clk, input rst, input [{flits}:0] source_flits,",
        f"  output [{bits}:0] source_ready, output [{flits}:0] sink_flits,",
        f"  input [{bits}:0] sink_ready, output busy, output [31:0] dropped);",
    ]
    busy: list[str] = []
    dropped: list[str] = []
    instances: list[str] = []
    for (x, y), text in parts.items():
        connected = {"clk": "clk", "rst": "rst"}
        for name in ("busy", "dropped"):
            connected[name] = f"{name}_{x}_{y}"
            lines.append(f"  wire [{_bits(text, name) - 1}:0] {name}_{x}_{y};")
        busy.append(f"|busy_{x}_{y}")
        dropped += [f"32'(dropped_{x}_{y}[{bit}])" for bit in range(_bits(text, "dropped"))]
        connected |= _of_cores(chip, text) | _of_sides(parts, (x, y), lines)
        listed = ", ".join(f".{name}({value})" for name, value in connected.items())
        instances.append(f"  network_{x}_{y} part_{x}_{y}({listed});")
    lines += instances  # after all wires
    lines.append(f"  assign busy = {' | '.join(busy)};")
    lines.append(f"  assign dropped = {' + '.join(dropped)};")
    return "\n".join([*parts.values(), *lines, "endmodule", ""])


def _of_cores(chip: ChipParams, text: str) -> dict[str, str]:
    """Return what the ports of a part's cores, and of the host, are connected to."""
    width = flit_packet(chip).width
    names = [*(f"core_{core}" for core in range(len(chip.cores))), "host"]
    connected: dict[str, str] = {}
    for port, name in enumerate(names):
        if re.search(rf"\b{name}_in__valid\b", text):
            low = _WORD * port
            connected |= {
                f"{name}_in__payload": f"source_flits[{low} +: {width}]",
                f"{name}_in__valid": f"source_flits[{low + _VALID}]",
                f"{name}_in__ready": f"source_ready[{port}]",
                f"{name}_out__payload": f"sink_flits[{low} +: {width}]",
                f"{name}_out__valid": f"sink_flits[{low + _VALID}]",
                f"{name}_out__ready": f"sink_ready[{port}]",
            }
    return connected


def _of_sides(parts: dict[Place, str], place: Place, lines: list[str]) -> dict[str, str]:
    """Return what the ports towards other parts are connected to; declare the wires out of them."""
    connected: dict[str, str] = {}
    for side, (opposite, step_x, step_y) in _SIDES.items():
        neighbour = (place[0] + step_x, place[1] + step_y)
        if neighbour not in parts:
            continue
        out, into = (f"{x}_{y}_{way}" for (x, y), way in ((place, side), (neighbour, opposite)))
        bits = _bits(parts[place], f"{side}_out__payload")
        lines.append(f"  wire [{bits - 1}:0] payload_{out};")
        lines.append(f"  wire valid_{out}, ready_{out};")
        for member in ("payload", "valid", "ready"):
            connected[f"{side}_out__{member}"] = f"{member}_{out}"
            connected[f"{side}_in__{member}"] = f"{member}_{into}"
    return connected


def _bits(text: str, name: str) -> int:
    """Return the bits of a port of the first module that has it."""
    found = re.search(rf"(?:input|output) (?:\[(\d+):0\] )?{name};", text)
    if not found:
        raise SpikeletError(f"traffic: the network has no port {name}")
    return int(found[1] or 0) + 1
