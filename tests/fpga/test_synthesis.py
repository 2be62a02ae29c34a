"""Synthesis of toy designs: what memories become, and netlists that equal their RTL."""

import re
import tempfile
from pathlib import Path

import pytest
from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import run_yosys
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import SynthesisReport, synthesise
from spikelet.rtl_gen.barrier import to_all
from spikelet.rtl_gen.emit import to_verilog
from tests.fpga.netlist_bench import side_by_side
from tests.fpga.toy import MEMORIES, QUICK_MEMORIES, MemorySpec, SpramToy, Toy

OTHERS = ("ICE40UP5K-SG48", "GW2AR-18C", "CCGM1A1")

FAMILIES = {"ecp5": "LFE5U-25F", "ice40": "ICE40UP5K-SG48", "gowin": "GW2AR-18C"}

TOGETHER = (("ecp5", "ice40"), ("gowin",))
"""Families whose cell models have no name in common, so that one simulation holds them."""


def _netlists(component: wiring.Component, folder: Path) -> tuple[str, dict[str, SynthesisReport]]:
    verilog = to_verilog(component, "rtl")
    return verilog, {
        family: synthesise(verilog, "rtl", device_named(device), folder / family)
        for family, device in FAMILIES.items()
    }


def _assert_equal(verilog: str, reports: dict[str, SynthesisReport], folder: Path) -> None:
    for together in TOGETHER:
        netlists = {family: reports[family].netlist_verilog for family in together}
        compared = side_by_side(verilog, "rtl", netlists, folder, cycles=100_000)
        assert (compared.cycle, compared.different) == (-1, [])
        assert compared.still == [], "outputs that never moved prove nothing"


def test_netlists_equal_the_rtl_and_memories_are_ram(tmp_path: Path) -> None:
    verilog, reports = _netlists(Toy(QUICK_MEMORIES, factors=(18, 18)), tmp_path)
    ecp5, ice40, gowin = (reports[family].resources for family in FAMILIES)
    assert (ecp5["block_rams"], ecp5["distributed_rams"], ecp5["dsps"]) == (4, 6, 2)
    assert (ice40["block_rams"], ice40["dsps"]) == (11, 6)
    assert (gowin["block_rams"], gowin["distributed_rams"], gowin["dsps"]) == (4, 6, 4)
    kinds = {memory.name: memory.cell for memory in reports["ecp5"].memories}
    assert kinds["memory_m36x512"] == "PDPW16KD"
    assert kinds["memory_m12x32"] == "TRELLIS_DPR16X4"
    _assert_equal(verilog, reports, tmp_path)


@pytest.mark.parametrize(
    ("depth", "block_rams"), [(256, 2), pytest.param(4096, 16, marks=pytest.mark.slow)]
)
def test_spram_on_ice40_and_block_ram_on_ecp5_of_the_same_verilog(
    depth: int, block_rams: int, tmp_path: Path
) -> None:
    verilog, reports = _netlists(SpramToy(depth), tmp_path)
    assert reports["ice40"].resources["sprams"] == 4
    assert reports["ice40"].resources["block_rams"] == 0
    assert reports["ecp5"].resources["block_rams"] == block_rams
    assert reports["gowin"].resources["block_rams"] == block_rams
    _assert_equal(verilog, reports, tmp_path)


@pytest.mark.slow
def test_netlists_equal_the_rtl_for_every_width_and_port_mode(tmp_path: Path) -> None:
    verilog, reports = _netlists(Toy(MEMORIES), tmp_path)
    netlist = reports["ecp5"].netlist_verilog.read_text()
    for width in (1, 2, 4, 9, 18, 36):
        assert f".DATA_WIDTH_A(32'd{width})" in netlist
    netlist = reports["gowin"].netlist_verilog.read_text()
    assert {"SPX9", "SDPX9B"} <= set(re.findall(r"^  (\w+) #\(", netlist, re.M))
    _assert_equal(verilog, reports, tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_asynchronous_read_of_a_deep_memory(family: str, tmp_path: Path) -> None:
    verilog = to_verilog(Toy((MemorySpec(12, 64, comb=True),)), "rtl")
    device = device_named(FAMILIES[family])
    distributed = {"ecp5": "TRELLIS_DPR16X4", "gowin": "GOWIN_LUTRAM"}
    if family in distributed:
        (memory,) = synthesise(verilog, "rtl", device, tmp_path).memories
        assert memory.cell == distributed[family]
        return
    with pytest.raises(
        SpikeletError,
        match=r"^ICE40UP5K-SG48: yosys built memory memory_m12x64_comb \(64 x 12 bits\) of reg",
    ):
        synthesise(verilog, "rtl", device, tmp_path)


def test_spram_with_two_addresses_is_an_error(tmp_path: Path) -> None:
    verilog = to_verilog(SpramToy(256, one_address=False), "rtl")
    with pytest.raises(SpikeletError, match=r"^yosys failed .* no valid mapping found for memory"):
        synthesise(verilog, "rtl", device_named("ICE40UP5K-SG48"), tmp_path)


def test_verilog_that_does_not_parse_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "too"
    with pytest.raises(SpikeletError) as caught:
        synthesise("module top(; endmodule", "top", device_named("LFE5U-25F"), folder)
    assert "ERROR" in str(caught.value)
    assert str(folder / "yosys.log") in caught.value.remedy


def test_a_temporary_folder_with_a_blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Abc is called through a shell with the path as it is, and would not find its script."""
    odd = tmp_path / "tmp 'dir"
    work = tmp_path / "work 'q' $x; #1"
    odd.mkdir()
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(odd))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (work / "design.v").write_text(
        "module top(input [7:0] a, b, output reg [7:0] q, input c);"
        "always @(posedge c) q <= a + b * 3; endmodule"
    )
    run_yosys(
        "read_verilog design.v\nsynth_lattice -family ecp5 -nowidelut -top top\nwrite_json o.json",
        work,
    )
    assert "LUT4" in (work / "o.json").read_text()
    assert sorted(path.name for path in work.iterdir()) == [
        "design.v",
        "o.json",
        "yosys.log",
        "yosys.ys",
    ]


class Spread(wiring.Component):
    """A signal that goes to some places."""

    def __init__(self, places: int) -> None:
        super().__init__({"i": In(1), "enable": In(places), "o": Out(places)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        copies = to_all(m, self.i, len(self.o), 1, name="copy")
        m.d.comb += self.o.eq(Cat(copies) & self.enable)
        return m


@pytest.mark.parametrize(
    "name", ["LFE5U-85F", *(pytest.param(n, marks=pytest.mark.slow) for n in OTHERS)]
)
def test_copies_of_a_signal_stay_apart(name: str, tmp_path: Path) -> None:
    used = synthesise(to_verilog(Spread(5), "spread"), "spread", device_named(name), tmp_path)
    assert used.resources["flip_flops"] == 5
