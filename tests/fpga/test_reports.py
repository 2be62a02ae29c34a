"""Parsers of reports, on excerpts of real runs (two-core chip on ULX3S-85F and iCEBreaker)."""

import json
from pathlib import Path

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named, devices, family_named
from spikelet.fpga.families.family import Family, Job, single_port_memories
from spikelet.fpga.place_and_route import Routed, parse_report, place_and_route
from spikelet.fpga.synthesise import (
    LARGEST_REGISTER_MEMORY,
    MemoryUse,
    SynthesisReport,
    check_memories,
    parse_cells,
    parse_memories,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "fpga"
DEVICE_OF = {"ecp5": "LFE5U-85F", "ice40": "ICE40UP5K-SG48"}


@pytest.fixture(params=["ecp5", "ice40"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _routed(family: str) -> Routed:
    text = (FIXTURES / f"nextpnr_{family}.json").read_text()
    return parse_report(text, device_named(DEVICE_OF[family]), seed=3)


def test_placement_in_named_units(family: str) -> None:
    routed = _routed(family)
    report = json.loads((FIXTURES / f"nextpnr_{family}.json").read_text())
    ((_, fmax),) = report["fmax"].items()
    assert routed.fmax_mhz == fmax["achieved"]
    assert [clock.name for clock in routed.clocks] == ["clk"]
    assert routed.meets_target
    luts, block_rams, dsps = {
        "ecp5": ("TRELLIS_COMB", "DP16KD", "MULT18X18D"),
        "ice40": ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
    }[family]
    assert routed.utilisation["luts"].used == report["utilization"][luts]["used"] > 1000
    assert routed.utilisation["block_rams"].used == report["utilization"][block_rams]["used"]
    assert routed.utilisation["dsps"].used == report["utilization"][dsps]["used"] == 2
    if family == "ice40":
        assert routed.utilisation["sprams"].used == 2
    kinds = [step.kind for step in routed.critical_path]
    assert kinds[0] == "clk-to-q"
    assert kinds[-1] == "setup"
    assert all(step.delay_ns >= 0 and "." in step.source for step in routed.critical_path)


def test_placement_survives_json(family: str) -> None:
    routed = _routed(family)
    assert Routed.from_dict(json.loads(json.dumps(routed.to_dict()))) == routed


def test_a_seed_that_cannot_be_placed_is_said_and_the_next_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = device_named("LFE5U-85F")

    def once(family: Family, job: Job, progress: object) -> None:
        if job.seed == 1:
            raise SpikeletError("nextpnr-ecp5 failed", remedy="see its log")
        text = (FIXTURES / "nextpnr_ecp5.json").read_text()
        (job.folder / f"{job.prefix}report.json").write_text(text)

    monkeypatch.setattr(type(device.family), "place_and_route", once)
    lines: list[str] = []
    routed = place_and_route(
        *(device, tmp_path), constraints=None, target_mhz=60, seeds=(1, 2), progress=lines.append
    )
    assert lines[0] == "seed 1: not placed or routed: nextpnr-ecp5 failed"
    assert routed.seeds == {1: 0.0, 2: routed.fmax_mhz}


def test_report_of_another_device_is_refused() -> None:
    text = (FIXTURES / "nextpnr_ecp5.json").read_text()
    with pytest.raises(SpikeletError, match=r"^nextpnr: LFE5U-25F has 83640 TRELLIS_COMB"):
        parse_report(text, device_named("LFE5U-25F"), seed=1)


@pytest.mark.parametrize("text", ["", "{}", '{"utilization": 3}', "[1]"])
def test_damaged_report_is_refused(text: str) -> None:
    with pytest.raises(SpikeletError, match=r"^nextpnr: not a report: "):
        parse_report(text, device_named("LFE5U-85F"), seed=1)


def test_memories_and_their_cells(family: str) -> None:
    dump = (FIXTURES / f"memories_{family}.txt").read_text()
    log = (FIXTURES / f"mapping_{family}.log").read_text()
    memories = {memory.name: memory for memory in parse_memories(dump, log, "top")}
    weights = memories["self_test.chip.core_0.crossbar.weight_memory.bank_0"]
    assert (weights.width, weights.depth, weights.writable) == (32, 256, True)
    assert weights.cell == {"ecp5": "PDPW16KD", "ice40": "ICE40_SPRAM"}[family]
    program = memories["self_test.program"]
    assert not program.writable
    assert not [name for name in memories if name.startswith("$")]
    cells = parse_cells((FIXTURES / f"cells_{family}.json").read_text())
    check_memories(tuple(memories.values()), cells, device_named(DEVICE_OF[family]))


def test_a_memory_that_fell_into_registers_is_an_error(family: str) -> None:
    dump = (FIXTURES / f"memories_{family}.txt").read_text()
    log = (FIXTURES / f"mapping_{family}.log").read_text()
    fallen = "\n".join(line for line in log.splitlines() if "core_0.neurons.state" not in line)
    memories = parse_memories(dump, fallen, "top")
    with pytest.raises(
        SpikeletError,
        match=r"yosys built memory self_test\.chip\.core_0\.neurons\.state_memory\.bank_0 "
        r"\(32 x 17 bits\) of registers",
    ):
        check_memories(memories, {"DP16KD": 1, "SB_RAM40_4K": 1}, device_named(DEVICE_OF[family]))


@pytest.mark.parametrize("width", [2, 3])
def test_a_small_memory_and_a_table_may_be_logic(width: int) -> None:
    depth = LARGEST_REGISTER_MEMORY // 2
    memories = (
        MemoryUse("mask", width, depth, True, "logic"),
        MemoryUse("table", 32, 4096, False, "logic"),
        MemoryUse("weights", 32, 4096, True, "DP16KD"),
    )
    device = device_named("LFE5U-25F")
    if width == 2:
        check_memories(memories, {"DP16KD": 8}, device)
        return
    with pytest.raises(SpikeletError, match=rf"memory mask \({depth} x 3 bits\) of registers"):
        check_memories(memories, {"DP16KD": 8}, device)


def test_cells_in_common_units() -> None:
    def resources(device: str, cells: dict[str, int]) -> dict[str, int]:
        return SynthesisReport("top", device_named(device), cells, (), Path(), Path()).resources

    cells = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "TRELLIS_FF": 7, "L6MUX21": 99}
    assert resources("LFE5U-25F", {**cells, "DP16KD": 4, "MULT18X18D": 1}) == {
        "luts": 10 + 2 * 3 + 6 * 2,
        "flip_flops": 7,
        "block_rams": 4,
        "dsps": 1,
        "distributed_rams": 2,
    }
    cells = {"SB_LUT4": 5, "SB_CARRY": 99, "SB_DFF": 1, "SB_DFFESR": 2, "SB_SPRAM256KA": 4}
    rams = {"SB_RAM40_4K": 1, "SB_RAM40_4KNR": 2}
    assert resources("ICE40UP5K-SG48", {**cells, **rams, "SB_MAC16": 6}) == {
        "luts": 5,
        "flip_flops": 3,
        "block_rams": 3,
        "dsps": 6,
        "sprams": 4,
    }


def test_ram_that_vanished_is_an_error() -> None:
    dump = (FIXTURES / "memories_ecp5.txt").read_text()
    log = (FIXTURES / "mapping_ecp5.log").read_text()
    with pytest.raises(SpikeletError, match=r"the netlist has no RAM cell"):
        check_memories(parse_memories(dump, log, "top"), {"LUT4": 9}, device_named("LFE5U-85F"))


def test_cell_counts_need_a_stat_report() -> None:
    with pytest.raises(SpikeletError, match=r"^yosys: stat -json has no cell counts"):
        parse_cells('{"modules": {}}')


def test_spram_requests_are_found_by_module() -> None:
    verilog = """
module \\top.a (clk);
  (* no_rw_check = 32'd1 *)
  reg [31:0] other [4095:0];
  (* no_rw_check = 32'd1 *)
  (* ram_style = "huge" *)
  reg [31:0] bank_0 [4095:0];
endmodule

module top(clk);
  (* ram_style = "huge" *)
  (* no_rw_check = 32'd1 *)
  reg [15:0] \\w.0 [9:0];
endmodule
"""
    assert single_port_memories(verilog) == [("top.a", "bank_0"), ("top", "w.0")]


def test_unknown_device_names_the_known() -> None:
    with pytest.raises(SpikeletError, match=r"^device must be one of LFE5U-25F, .*, not 'XC7'"):
        device_named("XC7")
    assert [device.family.name for device in devices().values()].count("ecp5") == 4


def test_unknown_family_names_the_known() -> None:
    with pytest.raises(SpikeletError, match=r"^family must be one of ecp5, ice40, .*, not 'xc7'"):
        family_named("xc7")
