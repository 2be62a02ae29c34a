"""An FPGA family defined here alone, from the fit check to a bitstream and the report of it."""

import json
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet import boards, doctor
from spikelet.boards import Board, Pin
from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.compiler.like import compile_like
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import Package
from spikelet.fpga.families import device_named, families, registered
from spikelet.fpga.families.costs import Multiplier, RamKind
from spikelet.fpga.families.family import (
    RAM_PLACES_FILE,
    Cells,
    Device,
    Family,
    Job,
    Resource,
)
from spikelet.fpga.fit import LUT_TERMS
from spikelet.fpga.flow import FpgaReport
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.runs.levels import Proof
from spikelet.samples.samples import Samples
from spikelet.targets import require_target, target_named
from tests.helpers.networks import SUBTRACT, chain, spikes
from tests.reports.test_report import Page

RAMS = """\
ram block $__TOY_RAM_ {
  abits 8; width 16; cost 64; init any;
  port sw "W" { clock posedge; }
  port sr "R" { clock posedge; rden; }
}
"""

TECHNOLOGY = r"""
module \$__TOY_RAM_ (input PORT_W_CLK, PORT_W_WR_EN, PORT_R_CLK, PORT_R_RD_EN,
    input [7:0] PORT_W_ADDR, PORT_R_ADDR, input [15:0] PORT_W_WR_DATA,
    output [15:0] PORT_R_RD_DATA);
  parameter [4095:0] INIT = 0;
  TOY_RAM #(.INIT(INIT)) _TECHMAP_REPLACE_ (.CLK(PORT_R_CLK), .WE(PORT_W_WR_EN),
    .WA(PORT_W_ADDR), .WD(PORT_W_WR_DATA), .RE(PORT_R_RD_EN), .RA(PORT_R_ADDR),
    .RD(PORT_R_RD_DATA));
endmodule

module \$__TOY_MUL (input [17:0] A, B, output [35:0] Y);
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 18, B_WIDTH = 18, Y_WIDTH = 36;
  TOY_MUL #(.SIGNED(A_SIGNED && B_SIGNED)) _TECHMAP_REPLACE_ (.A(A), .B(B), .Y(Y));
endmodule

module \$_DFF_P_ (input D, C, output Q);
  parameter _TECHMAP_WIREINIT_Q_ = 1'bx;
  wire _TECHMAP_REMOVEINIT_Q_ = 1'b1;
  TOY_FF #(.INIT(_TECHMAP_WIREINIT_Q_ === 1'b1)) _TECHMAP_REPLACE_ (.C(C), .D(D), .Q(Q));
endmodule

module \$lut (A, Y);
  parameter WIDTH = 4, LUT = 0;
  input [WIDTH-1:0] A;
  output Y;
  wire [3:0] inputs = A;
  TOY_LUT #(.INIT({(16 >> WIDTH){LUT[(1 << WIDTH) - 1:0]}}))
    _TECHMAP_REPLACE_ (.A(inputs), .Y(Y));
endmodule
"""

CELLS = """
module TOY_LUT #(parameter [15:0] INIT = 0) (input [3:0] A, output Y);
  assign Y = INIT[A];
endmodule

module TOY_FF #(parameter INIT = 0) (input C, D, output reg Q);
  initial Q = INIT;
  always @(posedge C) Q <= D;
endmodule

module TOY_MUL #(parameter SIGNED = 0) (input [17:0] A, B, output [35:0] Y);
  assign Y = SIGNED ? $signed(A) * $signed(B) : A * B;
endmodule

module TOY_RAM #(parameter [4095:0] INIT = 0) (input CLK, WE, RE, input [7:0] WA, RA,
    input [15:0] WD, output reg [15:0] RD);
  reg [15:0] memory[0:255];
  integer row;
  initial for (row = 0; row < 256; row = row + 1) memory[row] = INIT[16 * row +: 16];
  always @(posedge CLK) begin
    if (WE) memory[WA] <= WD;
    if (RE) RD <= memory[RA];
  end
endmodule
"""


class Toy(Family):
    """LUTs of 4 inputs, plain flip-flops, and one kind each of RAM and multiplier."""

    name = "toy"
    title = "Toy FPGA"
    resources = (
        Resource("luts", "Toy tables", {"TOY_LUT": 1}, "TOY_LUT"),
        Resource("flip_flops", "Toy flip-flops", {"TOY_FF": 1}, "TOY_FF"),
        Resource("block_rams", "Toy RAMs", {"TOY_RAM": 1}, "TOY_RAM", bits=4096),
        Resource("dsps", "Toy multipliers", {"TOY_MUL": 1}, "TOY_MUL"),
    )
    rams = (
        RamKind(
            resource="block_rams",
            title="toy RAM",
            library=("TOY_RAM",),
            address_bits=8,
            widths=(16,),
            byte=0,
            cost=64,
            kinds=("auto", "block"),
        ),
    )
    multiplier = Multiplier(18)
    lut_costs = dict.fromkeys(LUT_TERMS, 3.6) | {"table": 0.1, "image": 1.0}
    usable = 1.0
    constraints_file, placed_file, bitstream_file = "pins.toy", "placed.json", "design.toy"
    packages = (Package("click", "click", "", "Toy FPGA's place and route"),)

    def __init__(self, folder: Path) -> None:
        self.files = {"rams": folder / "rams.txt", "map": folder / "map.v", "v": folder / "toy.v"}
        for path, text in zip(self.files.values(), (RAMS, TECHNOLOGY, CELLS), strict=True):
            path.write_text(text)
        self.cell_models = (self.files["v"],)

    @property
    def devices(self) -> tuple[Device, ...]:
        return tuple(
            Device(
                f"TOY-{size}K",
                self,
                (f"--{size}k",),
                {"luts": size * 1024, "flip_flops": size * 1024, "block_rams": 40, "dsps": 4},
            )
            for size in (1, 5)
        )

    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        first = f"""\
read_verilog -lib {self.files["v"]}
setattr -unset ram_style m:* a:ram_style=huge %i
hierarchy -check -top {top}
proc
flatten
opt -nodffe -nosdff
wreduce
opt_clean
memory_dff
techmap -map +/mul2dsp.v -map {self.files["map"]} -D DSP_A_MAXWIDTH=18 -D DSP_B_MAXWIDTH=18 \
-D DSP_A_MINWIDTH=2 -D DSP_B_MINWIDTH=2 -D DSP_NAME=$__TOY_MUL t:$mul
chtype -set $mul t:$__soft_mul
alumacc
opt
memory -nomap
opt_clean"""
        mapping = f"""\
memory_libmap -lib {self.files["rams"]}
techmap -map {self.files["map"]} t:$__TOY_RAM_
memory_map
opt -full
techmap
opt
dfflegalize -cell $_DFF_P_ 01
abc -lut 4
techmap -map {self.files["map"]}
setundef -zero -params t:TOY_RAM
clean
hierarchy -check"""
        return first, mapping

    def constraints(self, title: str, clock_hz: int, pins: Sequence[Pin]) -> str:
        return json.dumps({"clock": clock_hz, **{pin.port: pin.site for pin in pins}})

    def place_and_route(self, job: Job, progress: object) -> None:
        """Count the cells; a stand-in for what places them."""
        netlist = json.loads((job.folder / "netlist.json").read_text())
        (top,) = (m for m in netlist["modules"].values() if m["attributes"].get("top"))
        used = Counter(cell["type"] for cell in top["cells"].values())
        report = {
            "utilization": {
                kind: {"used": used[kind], "available": number}
                for kind, number in job.device.cell_kinds.values()
            },
            "fmax": {"clk": {"achieved": 99.0 + job.seed, "constraint": job.target_mhz}},
            "critical_paths": [],
        }
        (job.folder / f"{job.prefix}report.json").write_text(json.dumps(report))
        if job.constraints:
            placed = {
                "device": job.device.name,
                "pins": json.loads((job.folder / job.constraints).read_text()),
                "cells": used,
                "rams": {n: c["parameters"] for n, c in top["cells"].items() if "RAM" in c["type"]},
            }
            (job.folder / f"{job.prefix}{RAM_PLACES_FILE}").write_text("{}")
            (job.folder / f"{job.prefix}{self.placed_file}").write_text(json.dumps(placed))

    def map_rams(self) -> str:
        return f"""memory_libmap -lib {self.files["rams"]}
techmap -map {self.files["map"]} t:$__TOY_RAM_"""

    def set_contents(self, folder: Path, placed: Mapping[str, Any], cells: Cells) -> None:
        path = folder / self.placed_file
        found = json.loads(path.read_text())
        for cell, parameters in cells.items():
            found["rams"][cell] |= parameters
        path.write_text(json.dumps(found))

    def pack(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        packed = zlib.compress((folder / self.placed_file).read_bytes())
        (folder / self.bitstream_file).write_bytes(b"TOY" + packed)

    def unpack(self, folder: Path) -> None:
        packed = (folder / self.bitstream_file).read_bytes().removeprefix(b"TOY")
        (folder / self.placed_file).write_bytes(zlib.decompress(packed))


PORTS = ("clk", "button", "led[0]", "led[1]", "led[2]")

BOARD = Board(
    "Toyboard",
    "TOY-5K",
    50_000_000,
    tuple(
        Pin(port, f"P{n}") for n, port in enumerate(("clk", "button", "led[0]", "led[1]", "led[2]"))
    ),
    led_places="0 to 2 in a row",
    button_place="the only button",
    programmers=("toyload",),
)

SAMPLES = Samples(spikes(3, 5, 6), np.array([0, 1, 2]))


def test_it_is_known_within_a_block_only(tmp_path: Path) -> None:
    before = families()
    with registered(Toy(tmp_path)):
        assert device_named("TOY-1K").family.name == "toy"
        again = pytest.raises(SpikeletError, match="there is a family of that name")
        with again, registered(Toy(tmp_path)):
            pass
    assert families() == before
    with pytest.raises(SpikeletError, match="device must be one of .*, not 'TOY-1K'"):
        device_named("TOY-1K")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    """Know the family and the board by name."""
    with registered(Toy(tmp_path_factory.mktemp("toy"))) as family, boards.registered(BOARD):
        assert isinstance(family, Toy)
        yield family


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project folder of a network whose outputs spike."""
    project = Project(tmp_path_factory.mktemp("project"))
    network = chain([6, 8, 4], neuron=SUBTRACT, decay=np.array([0.75]))
    limits = PlacementLimits(max_axons=16, max_neurons=8, lanes=4)
    project.save(compile_network(network, limits=limits))
    return project


def test_the_fit_check_counts_and_refuses(toy: Toy, project: Project) -> None:
    compiled = project.load()
    report = require_target(compiled, target_named("toy-5k"))
    assert report.device == "TOY-5K" and report.fits
    assert report.available == {"luts": 5120, "block_rams": 40, "dsps": 4, "memory_bits": 163840}
    with pytest.raises(SpikeletError, match=r"does not fit TOY-1K: it needs \d+ luts") as caught:
        require_target(compiled, "TOY-1K")
    assert "--target TOY-5K" in caught.value.remedy


def test_the_netlist_equals_golden(toy: Toy, project: Project) -> None:
    result = project.verify(SAMPLES, ("netlist-toy",))
    golden, netlist = result.engines
    assert netlist.engine == "netlist-toy" and netlist.difference is None and result.equal
    assert netlist.samples == 3 and netlist.spiked and golden.spiked
    assert {"spikes", "states"} <= set(netlist.compared)
    text = (project.folder / "netlist-toy" / "netlist.v").read_text()
    assert all(f"  {cell} " in text for cell in ("TOY_LUT", "TOY_FF", "TOY_RAM", "TOY_MUL"))


def test_a_bare_device_is_as_large_as_the_fit_check_said(toy: Toy, project: Project) -> None:
    report = project.build("TOY-5K", seeds=(1, 2))
    need = require_target(project.load(), "TOY-5K").needed
    assert report.bitstream == "" and report.routed.seeds == {1: 100.0}
    built = report.routed.utilisation
    assert built["block_rams"].used == need["block_rams"] > 0
    assert built["dsps"].used == need["dsps"] > 0
    assert built["luts"].used == pytest.approx(need["luts"], rel=0.1)
    assert built["flip_flops"].available == 5120 > built["flip_flops"].used > 100


def test_a_board_gets_a_bitstream_and_a_report(toy: Toy, project: Project) -> None:
    report = project.build("toyboard", SAMPLES)
    folder = project.build_folder("Toyboard")
    assert report.bitstream == "design.toy" and report.target_mhz == 50
    placed = (folder / "placed.json").read_bytes()
    (folder / "placed.json").unlink()
    toy.unpack(folder)
    assert (folder / "placed.json").read_bytes() == placed
    assert json.loads(placed)["pins"]["led[2]"] == "P4"

    page, old = project.report()
    html = Page(page)
    assert old == [] and "netlist for Toy FPGA" in html.text
    assert (
        "Toyboard" in html.text
        and "Toy multipliers" in html.text
        and "bits in toy RAM" in html.text
    )


@pytest.mark.slow
def test_a_patched_bitstream_is_the_one_that_is_built(
    toy: Toy, project: Project, tmp_path: Path
) -> None:
    """The command, and what it refuses."""
    samples = tmp_path / "samples.npz"
    np.savez(samples, spikes=SAMPLES.spikes)
    project.build("toyboard", SAMPLES)
    retrained = chain([6, 8, 4], neuron=SUBTRACT, decay=np.array([0.75]), seed=1)
    new, whole = Project(tmp_path / "new"), Project(tmp_path / "whole")
    for folder in (new, whole):
        folder.keep(compile_like(retrained, project.load())[0], None)

    def patch(*options: object, board: str = "toyboard") -> str:
        arguments = ["patch", new.folder, board, "--from", project.folder, *options]
        done = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert (done.exit_code == 0) == ("were exchanged" in done.output)
        return done.output

    said = patch("--samples", samples)
    assert "exchanged; in memories self_test.program" in said and "LED" in said
    report = FpgaReport.load(new.build_folder("Toyboard"))
    assert report.patched["bitstream"] == report.made.inputs["patched bitstream"]
    built = whole.build("Toyboard", SAMPLES)
    assert built.settings == report.settings and not built.patched
    for name in ("design.toy", "placed.json", "design.v", "memories.il"):
        files = [p.build_folder("Toyboard") / name for p in (new, whole, project)]
        assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()

    more = patch("--samples", samples, "--count", 2)
    assert "in constant logic" in more and "(there)" in more and "--like" in more
    assert "stores nothing of a network" in patch("--image", "host-link")
    assert "is not a readable FPGA report" in patch("--samples", samples, board="ULX3S-85F")
    assert "target must be one of" in patch(board="TOYBOARD-2")
    other = compile_network(chain([6, 9, 4]), limits=PlacementLimits(lanes=4))
    new.keep(other, None)
    assert "is of structure" in patch("--samples", samples)


@pytest.mark.slow
def test_its_levels_end_with_the_round_trip(toy: Toy, project: Project) -> None:
    """It says no circuit of its bitstream, so that no more is claimed."""
    project.build("toyboard", SAMPLES)
    verification = project.verify(SAMPLES, ("rtl",))
    lines: list[str] = []
    proof = project.prove(SAMPLES, "toyboard", "configuration", verification, progress=lines.append)
    names = ["rtl", "board", "netlist", "round trip"]
    assert [level.name for level in proof.levels] == names
    assert proof.equal, [level.found for level in proof.levels]
    assert proof.round_trip_only
    assert Proof.from_dict(proof.to_dict()) == proof
    assert [line.split(":")[0] for line in lines] == ["board", "netlist", "configuration"]
    page, old = project.report()
    assert old == []
    assert "Levels of Toyboard" in Page(page).text
    assert "The circuit of the bitstream was not simulated" in Page(page).text

    folder = project.build_folder("Toyboard")
    other = pytest.raises(SpikeletError, match="does not store sample 1 of these samples")
    with other:
        project.prove(SAMPLES, "Toyboard", "board", verification, sample=1)
    shutil.rmtree(folder)
    with pytest.raises(SpikeletError, match=r"is not a readable FPGA report") as caught:
        project.prove(SAMPLES, "Toyboard", "board", verification)
    assert caught.value.remedy == "build it again"


def test_the_command_line_knows_it(toy: Toy, project: Project) -> None:
    done = CliRunner().invoke(main, ["build", str(project.folder), "TOY-5K", "--seeds", "2"])
    assert done.exit_code == 0, done.output
    assert "Toy FPGA's place and route" in [found.purpose for found in doctor.examine()]
