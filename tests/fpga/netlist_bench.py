"""Runs a design and its netlists side by side in Verilator, on the same random inputs."""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path

from spikelet.fpga.families import family_named
from spikelet.fpga.harness import ports_of
from spikelet.sim.verilator import Design, build_library

__all__ = ["Comparison", "side_by_side"]

_HARNESS = """\
#include "Vbench.h"

// Runs until a mismatch; returns its cycle, or -1, and the outputs concerned.
extern "C" long run(long cycles, unsigned long long *mismatch, unsigned long long *still) {
  Vbench bench;
  unsigned long long state = 0x9e3779b97f4a7c15ull;
  for (long cycle = 0; cycle < cycles; ++cycle) {
    for (int word = 0; word < WORDS; ++word) {
      state ^= state << 13; state ^= state >> 7; state ^= state << 17;
      bench.stimulus[word] = static_cast<IData>(state >> 16);
    }
    bench.clk = 0;
    bench.eval();
    *mismatch = bench.mismatch;
    *still = bench.still;
    if (bench.mismatch) return cycle;
    bench.clk = 1;
    bench.eval();
  }
  return -1;
}
"""


@dataclass(frozen=True)
class Comparison:
    """Cycle of the first mismatch, or -1; outputs that differ; outputs that never moved."""

    cycle: int
    different: list[str]
    still: list[str]


def _wrapper(ports: list[tuple[str, str, int]], top: str, others: list[str]) -> tuple[str, int]:
    """Return a module that compares the designs, and the 32-bit words of its stimulus."""
    inputs = [(name, bits) for way, name, bits in ports if way == "input"]
    outputs = [(name, bits) for way, name, bits in ports if way == "output"]
    lines, low = [], 2
    for name, bits in inputs:
        # Half of the time addresses stay in a few rows, so that rows are met again soon.
        mask = f" & {{{{{bits - 2}{{stimulus[0]}}}}, 2'b11}}" if "address" in name else ""
        lines.append(f"  wire [{bits - 1}:0] {name} = stimulus[{low}+:{bits}]{mask};")
        low += bits
    compared, moving = [], []
    for design in [top, *others]:
        wires = [f".{name}({name})" for name, _ in inputs]
        wires += [f".{name}({design}_{name})" for name, _ in outputs]
        lines += [f"  wire [{bits - 1}:0] {design}_{name};" for name, bits in outputs]
        lines.append(f"  {design} u_{design} (.clk(clk), .rst(1'b0), {', '.join(wires)});")
    for name, _ in reversed(outputs):
        moving.append(f"|{top}_{name}")
        compared += [f"{top}_{name} != {other}_{name}" for other in reversed(others)]
    words = -(-max(low, 65) // 32)
    text = f"""
module bench (input clk, input [{32 * words - 1}:0] stimulus, output [63:0] mismatch,
              output [63:0] still);
{chr(10).join(lines)}
  reg [{len(moving) - 1}:0] moved = 0;
  always @(posedge clk) moved <= moved | {{{", ".join(moving)}}};
  assign mismatch = {{{64 - len(compared)}'b0, {", ".join(compared)}}};
  assign still = {{{64 - len(moving)}'b0, ~moved}};
endmodule
"""
    return text, words


def side_by_side(
    verilog: str, top: str, netlists: dict[str, Path], folder: Path, *, cycles: int
) -> Comparison:
    """Compare every output of a design with its netlists, by family, in every clock cycle."""
    ports = [port for port in ports_of(verilog, top) if port[1] not in ("clk", "rst")]
    wrapper, words = _wrapper(ports, top, list(netlists))
    text = [wrapper, verilog]
    models: list[Path] = []
    include: set[Path] = set()
    for family, netlist in netlists.items():
        text.append(
            re.sub(rf"^module {top}\b", f"module {family}", netlist.read_text(), flags=re.M)
        )
        models += family_named(family).cell_models
        include |= {*family_named(family).include_folders()}
    harness = folder / "harness.cpp"
    harness.write_text(_HARNESS.replace("WORDS", str(words)))
    design = Design("\n".join(text), models, sorted(include))
    library = ctypes.CDLL(str(build_library(design, "bench", harness, optimise="build")))
    mismatch, still = ctypes.c_ulonglong(), ctypes.c_ulonglong()
    cycle = library.run(ctypes.c_long(cycles), ctypes.byref(mismatch), ctypes.byref(still))
    outputs = [name for way, name, _ in ports if way == "output"]
    compared = [f"{name} of {family}" for name in outputs for family in netlists]
    return Comparison(cycle, _marked(compared, mismatch.value), _marked(outputs, still.value))


def _marked(names: list[str], marks: int) -> list[str]:
    return [name for index, name in enumerate(names) if marks >> index & 1]
