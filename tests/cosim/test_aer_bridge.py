# amaranth: UnusedElaboratable=no
"""The AER bridges, their lint, and the verification IP on wires that a bench drives as it likes."""

import re
from pathlib import Path
from typing import Any

import pytest
from amaranth import DomainRenamer, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.aer_bridge import FourPhaseToStream, StreamToFourPhase, four_phase
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.run import Simulation, build, run
from spikelet.sim.verilator import lint
from tests.cosim.support import SEEDS, Bench, cases

COMPONENTS = (FourPhaseToStream, StreamToFourPhase)

WIRES = """\
module wires(clk, aclk, s__payload, s__valid, s__ready, axis_tdata, axis_tvalid, axis_tready,
             port__req, port__ack, port__address, REQ, ACK, ADDR);
input clk, aclk, s__valid, s__ready, axis_tvalid, axis_tready, port__req, port__ack, REQ, ACK;
input [7:0] s__payload, axis_tdata, port__address, ADDR;
endmodule
"""

DEVICE = """\
module device(aclk, areset, in_req, in_ack, in_addr, out_tdata, out_tvalid, out_tready);
input aclk, areset, in_req, out_tready;
input [7:0] in_addr;
output in_ack, out_tvalid;
output [7:0] out_tdata;
aer_in bridge(.clk(aclk), .rst(areset), .aer__req(in_req), .aer__ack(in_ack),
              .aer__address(in_addr), .o__payload(out_tdata), .o__valid(out_tvalid),
              .o__ready(out_tready));
endmodule
"""

PAGE = Path(__file__).parents[2] / "docs/verification-ip.md"


class Bridges(wiring.Component):
    """Both bridges, side by side; ``in`` and ``o`` have a clock domain of their own, ``far``."""

    def __init__(self, address_bits: int) -> None:
        self.bits = address_bits
        events = stream.Signature(address_bits)
        aer = four_phase(address_bits)
        super().__init__({"i": In(events), "o": Out(events), "in": In(aer), "out": Out(aer)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.from_stream = from_stream = StreamToFourPhase(self.bits)
        to_stream = FourPhaseToStream(self.bits)
        m.submodules.to_stream = DomainRenamer("far")(to_stream)
        wiring.connect(m, wiring.flipped(self.i), from_stream.i)
        wiring.connect(m, from_stream.aer, wiring.flipped(self.out))
        wiring.connect(m, wiring.flipped(getattr(self, "in")), to_stream.aer)
        wiring.connect(m, to_stream.o, wiring.flipped(self.o))
        return m


@pytest.fixture(scope="module", params=cases(wide=11, one_bit=1))
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(Bridges(request.param), bench="aer_bridge", address_bits=request.param)


@pytest.fixture(scope="module")
def wires() -> Simulation:
    return build(WIRES, "wires")


@pytest.mark.parametrize("seed", SEEDS)
def test_bridges(bench: Bench, seed: int, tmp_path: Path) -> None:
    bench.run(seed, tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_verification_ip(wires: Simulation, seed: int, tmp_path: Path) -> None:
    run(wires, "spikelet.sim.bench_aer", {}, seed=seed, folder=tmp_path)


def test_the_example_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "bench_of_the_docs.py").write_text(example)
    monkeypatch.syspath_prepend(tmp_path)
    device = build(to_verilog(FourPhaseToStream(8), "aer_in") + DEVICE, "device")
    assert run(device, "bench_of_the_docs", {}, seed=1, folder=tmp_path) == 1


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("address_bits", [1, 11])
def test_lint(component: Any, address_bits: int, tmp_path: Path) -> None:
    path = tmp_path / "bridge.v"
    path.write_text(to_verilog(component(address_bits), "bridge"))
    lint(path, "bridge")


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("wrong", [0, -1, True, 8.0, "8"])
def test_a_width_that_is_none_is_refused(component: Any, wrong: object) -> None:
    with pytest.raises(SpikeletError, match=r"address_bits must be an integer of at least 1, not"):
        component(wrong)
