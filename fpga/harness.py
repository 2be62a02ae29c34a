"""A ring of registers around a design that has more ports than the device has pins."""

import re

from spikelet.description.errors import SpikeletError

__all__ = ["harness", "ports_of"]

_PORT = re.compile(r"^  (input|output) (?:signed )?(?:\[(\d+):0\] )?(\S+?) ?;$", re.M)


def ports_of(verilog: str, top: str) -> list[tuple[str, str, int]]:
    """Return (direction, name, bits) of each port of module ``top`` in Verilog from Yosys."""
    found = re.search(rf"^module {re.escape(top)} ?\(.*?^endmodule", verilog, re.M | re.S)
    if found is None:
        raise SpikeletError(f"harness: the Verilog has no module {top}")
    ports = [
        (direction, name, int(high or 0) + 1) for direction, high, name in _PORT.findall(found[0])
    ]
    named = re.findall(r"[^\s,()]+", found[0].partition(";")[0])[2:]
    if {name for _, name, _ in ports} != set(named):
        raise SpikeletError(f"harness: cannot read the ports of {top}: {', '.join(named)}")
    return ports


def harness(verilog: str, top: str) -> tuple[str, str]:
    """Return (Verilog, top) of a design in a ring of registers with four pins.

    Inputs other than ``clk`` come from a shift register that is filled through ``shift_in``;
    outputs are captured while ``capture`` is high and else shifted towards ``shift_out``. Every
    path from and to a port of the design therefore starts or ends at a flip-flop, as it would
    inside a larger chip, and none of it can be optimised away. Costs a flip-flop for each input bit
    and a flip-flop and a LUT for each output bit.
    """
    ports = ports_of(verilog, top)
    inputs = [(name, bits) for way, name, bits in ports if way == "input" and name != "clk"]
    outputs = [(name, bits) for way, name, bits in ports if way == "output"]
    n_in = max(1, sum(bits for _, bits in inputs))
    n_out = sum(bits for _, bits in outputs)
    connections = [".clk(clk)", *_slices(inputs, "stimulus"), *_slices(outputs, "result")]
    text = f"""
module {top}_harness(input clk, input shift_in, input capture, output shift_out);
  reg [{n_in - 1}:0] stimulus = 0;
  reg [{n_out}:0] captured = 0;
  wire [{n_out - 1}:0] result;
  assign shift_out = captured[{n_out}];
  always @(posedge clk) begin
    stimulus <= {{stimulus, shift_in}};
    captured <= capture ? {{captured[{n_out}], result}} : {{captured, 1'b0}};
  end
  {top} design ({", ".join(connections)});
endmodule
"""
    return verilog + text, f"{top}_harness"


def _slices(ports: list[tuple[str, int]], vector: str) -> list[str]:
    connections = []
    low = 0
    for name, bits in ports:
        connections.append(f".{name}({vector}[{low + bits - 1}:{low}])")
        low += bits
    return connections
