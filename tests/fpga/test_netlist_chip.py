"""A chip after synthesis for each family equals its RTL, cycle by cycle, and the golden model."""

import re
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import GoldenChip, run
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.pieces import check_in_pieces
from tests.helpers.random_chips import random_events, random_image

FAMILIES = {
    "ecp5": "LFE5U-25F",
    "ice40": "ICE40UP5K-SG48",
    "ice40-hx": "ICE40HX8K-CT256",
    "gatemate": "CCGM1A1",
    "gowin": "GW2AR-18C",
}
OTHERS = [name for name in FAMILIES if name != "ice40"]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ice40", *OTHERS])
def test_the_netlist_of_a_chip_equals_its_rtl_and_golden(family: str, tmp_path: Path) -> None:
    core = CoreParams(
        n_axons=16,
        n_neurons=8,
        neuron=neuron_model("snntorch-subtract"),
        lanes=4,
        parameters={"decay": "shared"},
    )
    chip = ChipParams((core,), 1, 1, 4)
    rng = np.random.default_rng(0)
    batches = [(random_image(rng, chip), random_events(rng, chip)) for _ in range(3)]
    expected = [run(chip, image, events) for image, events in batches]
    assert min(trace.outputs.sum() for trace in expected) > 0, "no spike left the chip"

    verilog = to_verilog(Chip(chip), "chip")
    device = device_named(FAMILIES[family])
    made_for = device.family
    report = synthesise(verilog, "chip", device, tmp_path)
    assert report.resources["block_rams"] > 0
    assert report.resources.get("dsps", 0) > 0 or made_for.multiplier is None
    text = report.netlist_verilog.read_text()
    netlist = Design(text, made_for.cell_models, made_for.include_folders())
    cycles = {}
    for name, design in {"rtl": Design(verilog), family: netlist}.items():
        with VerilatedChip(chip, design, name=name, optimise="build") as engine:
            for number, (image, events) in enumerate(batches):
                engine.load(image)
                trace = engine.run(events, cycle_limit=10_000)
                assert trace.first_difference(expected[number]) is None, (name, number)
                cycles[name, number] = trace.cycles.tolist()
            assert check_in_pieces(engine, GoldenChip(chip, image), 1)
    for (name, number), measured in cycles.items():
        assert measured == cycles["rtl", number], name


def test_yosys_connects_the_ports_of_ice40_cells_that_have_a_default(tmp_path: Path) -> None:
    """The models in fpga/families/ice40.v rely on it: they have no defaults."""
    verilog = """
module pins(input clk, input [3:0] d, input [10:0] a, output q, output l, output [15:0] r);
  SB_DFFE flip_flop (.C(clk), .D(d[0]), .Q(q));
  SB_LUT4 #(.LUT_INIT(16'h8778)) lut (.I2(d[1]), .O(l));
  SB_RAM40_4K ram (.RDATA(r), .RCLK(clk), .RADDR(a), .WCLK(clk), .WADDR(a), .WDATA({4{d}}));
endmodule
"""
    report = synthesise(verilog, "pins", device_named("ICE40UP5K-SG48"), tmp_path)
    netlist = report.netlist_verilog.read_text()
    connected = dict(re.findall(r"\.(E|I[013]|RE|WE|RCLKE|WCLKE|MASK)\(\d+'h([01]+)\)", netlist))
    ones, zeros = ("E", "RCLKE", "WCLKE"), ("I0", "I1", "I3", "RE", "WE", "MASK")
    defaults = dict.fromkeys(ones, 1) | dict.fromkeys(zeros, 0)
    assert {port: int(value, 16) for port, value in connected.items()} == defaults
