"""Verilog around memory macros: wrappers, models for simulation, and black boxes for synthesis.

The chip instantiates a wrapper for each shape of memory. A wrapper instantiates one macro, with the
ports of OpenRAM's macros: whoever has others edits the wrapper, and nothing else.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from spikelet.rtl_gen.memory_macros import MacroShape

__all__ = ["macro_name", "macro_table", "memory_files"]


def macro_name(top: str, shape: MacroShape) -> str:
    """Return the name of a macro's module."""
    return f"{top}_sram_{shape.name}"


def memory_files(top: str, shapes: Iterable[MacroShape]) -> dict[str, str]:
    """Return the contents of the Verilog files by name, for the wrappers of a chip.

    ``memories.v``: the wrappers. ``memory_models.v``: what macros do, in which a word that is read
    while it is written is x, and so is what a one-port macro reads while it writes.
    ``memory_blackboxes.v``: the macros' ports alone.
    """
    wanted = sorted(shapes)
    return {
        "memories.v": _header("wrappers of the memory macros") + _all(_wrapper, top, wanted),
        "memory_models.v": _header("models of the memory macros, for simulation")
        + _all(_model, top, wanted),
        "memory_blackboxes.v": _header("ports of the memory macros, for synthesis")
        + _all(_black_box, top, wanted),
    }


def macro_table(top: str, instances: Mapping[MacroShape, int]) -> list[dict[str, Any]]:
    """Return the macros as JSON-compatible values."""
    return [
        {
            "module": macro_name(top, shape),
            "rows": shape.rows,
            "width": shape.width,
            "ports": "1 read or write" if shape.ports == 1 else "1 write, 1 read",
            "instances": count,
            "bits": shape.rows * shape.width * count,
        }
        for shape, count in sorted(instances.items())
    ]


def _header(what: str) -> str:
    return f"// Spikelet: {what}.\n\n"


def _all(made: Any, top: str, shapes: Iterable[MacroShape]) -> str:
    return "\n".join(made(top, shape) for shape in shapes)


def _ports(shape: MacroShape) -> list[tuple[str, str, int]]:
    """Return direction, name and width of each port of a macro; selects are low to select."""
    address, width = shape.address_bits, shape.width
    first = [("input", "clk0", 1), ("input", "csb0", 1)]
    if shape.ports == 1:
        rest = [("input", "web0", 1), ("input", "addr0", address), ("input", "din0", width)]
        return [*first, *rest, ("output", "dout0", width)]
    return [
        *(*first, ("input", "addr0", address), ("input", "din0", width)),
        *(("input", "clk1", 1), ("input", "csb1", 1), ("input", "addr1", address)),
        ("output", "dout1", width),
    ]


def _declared(shape: MacroShape) -> str:
    return "".join(
        f"  {way} {f'[{bits - 1}:0] ' if bits > 1 else ''}{name};\n"
        for way, name, bits in _ports(shape)
    )


def _opened(top: str, shape: MacroShape) -> str:
    names = ", ".join(name for _, name, _ in _ports(shape))
    return f"module {macro_name(top, shape)}({names});\n{_declared(shape)}"


def _wrapper(top: str, shape: MacroShape) -> str:
    address, width = shape.address_bits, shape.width
    if shape.ports == 1:
        row = "write_row"  # equal to read_row, whenever either counts
        inside = f"""\
    .clk0(clk), .csb0(~(read_enable | write_enable)), .web0(~write_enable),
    .addr0({row}), .din0(write_data), .dout0(read_data)"""
    else:
        inside = """\
    .clk0(clk), .csb0(~write_enable), .addr0(write_row), .din0(write_data),
    .clk1(clk), .csb1(~read_enable), .addr1(read_row), .dout1(read_data)"""
    return f"""\
module {top}_memory_{shape.name}(clk, write_enable, write_row, write_data, read_enable, read_row,
    read_data);
  input clk;
  input write_enable;
  input [{address - 1}:0] write_row;
  input [{width - 1}:0] write_data;
  input read_enable;
  input [{address - 1}:0] read_row;
  output [{width - 1}:0] read_data;
  {macro_name(top, shape)} macro (
{inside}
  );
endmodule
"""


def _model(top: str, shape: MacroShape) -> str:
    unknown = f"{{{shape.width}{{1'bx}}}}"
    if shape.ports == 1:
        output, body = (
            "dout0",
            f"""\
  always @(posedge clk0)
    if (!csb0) begin
      if (!web0) rows[addr0] <= din0;
      dout0 <= web0 ? rows[addr0] : {unknown};
    end
""",
        )
    else:
        output, body = (
            "dout1",
            f"""\
  always @(posedge clk0)
    if (!csb0) rows[addr0] <= din0;
  always @(posedge clk1)
    if (!csb1) dout1 <= !csb0 && addr0 == addr1 ? {unknown} : rows[addr1];
""",
        )
    return f"""\
{_opened(top, shape)}  reg [{shape.width - 1}:0] {output};
  reg [{shape.width - 1}:0] rows [0:{shape.rows - 1}];
{body}endmodule
"""


def _black_box(top: str, shape: MacroShape) -> str:
    return f"(* blackbox *)\n{_opened(top, shape)}endmodule\n"
