"""Chips with names of their own for the top module, in one design."""

import re
from pathlib import Path

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.emit import check_top, write_chip
from tests.helpers.emitted import recorded, run, run_testbench, small_network

BOTH = """\
module both;
  left_testbench #(.DATA("left"), .FINISH(0)) a ();
  right_testbench #(.DATA("right"), .FINISH(0)) b ();
  initial begin
    wait (a.done === 1'b1 && b.done === 1'b1);
    $finish;
  end
endmodule
"""


def write(folder: Path, top: str, seed: int) -> Path:
    """Write a chip."""
    compiled = small_network(seed)
    recording = recorded(compiled, top)
    write_chip(compiled.chip, compiled.image, top, folder, top=top, run=recording)
    return folder / "chip.v"


@pytest.mark.parametrize(
    "simulator", ["icarus-2012", pytest.param("verilator", marks=pytest.mark.slow)]
)
def test_two_networks_live_in_one_design(simulator, tmp_path):
    sources = [write(tmp_path / top, top, seed) for top, seed in (("left", 0), ("right", 1))]
    for path, top in zip(sources, ("left", "right"), strict=True):
        modules = re.findall(r"(?m)^module \\?(\S+?) ?\(", path.read_text())
        assert top in modules and len(modules) > 10
        assert all(name == top or name.startswith(f"{top}.") for name in modules)
    (tmp_path / "both.v").write_text(BOTH)
    benches = [path.with_name("testbench.v") for path in sources]
    done = run_testbench(
        simulator, [*sources, *benches, tmp_path / "both.v"], "both", tmp_path / "work", tmp_path
    )
    assert done.status == 0 and done.output.count("PASS") == 2, done.output


def test_two_networks_of_one_name_do_not(tmp_path):
    """Which is why the names begin with that of the top."""
    sources = [write(tmp_path / f"{seed}", "chip", seed) for seed in (0, 1)]
    done = run(["iverilog", "-o", "x", *map(str, sources)], tmp_path)
    assert done.status != 0 and "already" in done.output


def test_ports_that_there_are_not_are_refused(tmp_path):
    compiled = small_network()
    with pytest.raises(SpikeletError, match="none called 'ahb'") as error:
        write_chip(compiled.chip, compiled.image, "x", tmp_path, ports="ahb")
    assert "native, wishbone, axi" in error.value.remedy
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("top", ["", "2x", "a-b", "a b", "module", "logic", "é", "a.b", "a\n"])
def test_a_top_that_is_no_name_is_refused(top, tmp_path):
    with pytest.raises(SpikeletError, match="is not a Verilog identifier|is a keyword"):
        check_top(top)
    compiled = small_network()
    with pytest.raises(SpikeletError):
        write_chip(compiled.chip, compiled.image, "x", tmp_path, top=top)
    assert not list(tmp_path.iterdir())
