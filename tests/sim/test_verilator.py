"""How a model is compiled: in one unit or many, with headers that were compiled before."""

import ctypes
import gc
import subprocess
from pathlib import Path

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import compiler
from spikelet.rtl_gen.elaborate import to_rtlil
from spikelet.sim import verilated_cpp, verilator
from spikelet.sim.run import build
from spikelet.sim.verilator import Design

DESIGN = Design(
    """\
module counter(clk, count);
  input clk;
  output reg [63:0] count = 5;
  always @(posedge clk) count <= count * 3 + 1;
endmodule
"""
)
DRIVER = """\
#include "Vcounter.h"
extern "C" unsigned long long count(int cycles) {
  Vcounter top;
  for (int cycle = 0; cycle < 2 * cycles; ++cycle) { top.clk = cycle & 1; top.eval(); }
  return top.count;
}
"""


def built(parent: Path) -> Path:
    """Build the library, whether or not the cache has it."""
    folder = parent / "a folder with spaces"
    folder.mkdir()
    flags = verilated_cpp.compile_flags("build")
    return verilator._library(DESIGN, "counter", DRIVER, flags, folder, ())


def counted(library: Path) -> int:
    """Return what the model counts in ten cycles."""
    count = ctypes.CDLL(str(library)).count
    count.restype = ctypes.c_ulonglong
    return int(count(10))


def expected() -> int:
    """Return what it should count."""
    value = 5
    for _ in range(10):
        value = (value * 3 + 1) % 2**64
    return value


@pytest.mark.parametrize("unit_bytes", [1, 1 << 20])
def test_one_unit_or_many_compute_the_same(
    unit_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    run = verilated_cpp._run

    def listing(command: list[str], folder: Path, *more: str, **environment: str) -> str:
        compiled.extend(word for word in command if word.endswith(".cc"))
        return run(command, folder, *more, **environment)

    monkeypatch.setattr(verilated_cpp, "_run", listing)
    monkeypatch.setattr(verilated_cpp, "_UNIT_BYTES", unit_bytes)
    assert counted(built(tmp_path)) == expected()
    assert (len(compiled) == 1) == (unit_bytes > 1)


def test_every_file_is_in_one_unit_and_none_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verilated_cpp, "_UNIT_BYTES", 10)
    sizes = {"a": 4, "b": 6, "c": 1, "d": 30, "e": 3}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))
    units = verilated_cpp._units(tmp_path, list(sizes))
    assert units == [["a", "b"], ["c"], ["d"], ["e"]]
    assert verilated_cpp._units(tmp_path, []) == []


def test_headers_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler itself says which headers were compiled before."""
    said: list[str] = []
    run = verilated_cpp._run

    def asking(command: list[str], folder: Path, *more: str, **environment: str) -> str:
        if any(word.endswith(".cc") for word in command):
            asked = [*command, "-H", "-fsyntax-only"]
            done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True)
            said.extend(done.stderr.splitlines())
        return run(command, folder, *more, **environment)

    monkeypatch.setattr(verilated_cpp, "_run", asking)
    built(tmp_path)
    assert "! ./headers.h.gch" in said, f"{compiler()} did not use it: {said[:3]}"


class Wire(wiring.Component):
    """A component, or one that cannot be elaborated."""

    def __init__(self, fails: bool) -> None:
        self.fails = fails
        super().__init__({"wire": Out(1)})

    def elaborate(self, platform: object) -> Module:
        assert not gc.isenabled()
        if self.fails:
            raise RuntimeError("no such component")
        return Module()


@pytest.mark.parametrize("collecting", [True, False])
def test_elaboration_leaves_garbage_collection_as_it_was(collecting: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        assert "module" in to_rtlil(Wire(fails=False), "wire")
        assert gc.isenabled() == collecting
        with pytest.raises(RuntimeError, match="no such component"):
            to_rtlil(Wire(fails=True), "wire")
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if before else gc.disable)()


def test_a_vector_whose_bits_copy_others_of_its_own_is_no_loop(tmp_path: Path) -> None:
    """As Yosys writes the sign bits of a product that was shifted."""
    source = tmp_path / "shifted.v"
    source.write_text(
        """\
module shifted(clk, a, sum);
  input clk;
  input [3:0] a;
  output reg [7:0] sum = 0;
  wire [7:0] product;
  assign product[5:2] = sum[0] ? a : 4'h0;
  assign { product[7:6], product[1:0] } = { product[5], product[5], 2'h0 };
  always @(posedge clk) sum <= $signed({ product[7], product[7:1] }) - $signed(product);
endmodule
"""
    )
    verilator.lint(source, "shifted")


def test_a_comparison_that_is_always_false_is_linted_and_simulated(tmp_path):
    """As of a neuron model that compares with what its potential never reaches."""
    verilog = """\
module constant(a, above);
  input a;
  output above;
  assign above = a > 1'h1;
endmodule
"""
    source = tmp_path / "constant.v"
    source.write_text(verilog)
    with pytest.raises(SpikeletError, match="CMPCONST"):
        verilator.lint(source, "constant")
    simulation = build(f"{verilog}// not built before: {tmp_path}\n", "constant")
    assert (simulation.folder / "constant").is_file()
