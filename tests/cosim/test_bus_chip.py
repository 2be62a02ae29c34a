# amaranth: UnusedElaboratable=no
"""An emitted chip behind each bus does what golden recorded."""

from dataclasses import replace
from pathlib import Path

import pytest

from spikelet.description.chip.bus_registers import BusParams
from spikelet.rtl_gen.bus_chip import BusChip, bus_top
from spikelet.rtl_gen.emit import to_verilog, write_chip
from spikelet.sim.run import BenchError, build, run
from tests.helpers.emitted import recorded, small_network


@pytest.mark.parametrize("ports", [pytest.param("wishbone", marks=pytest.mark.slow), "axi"])
def test_a_chip_on_a_bus(ports: str, tmp_path: Path) -> None:
    compiled = small_network()
    recording = recorded(compiled, "my_chip")
    given = (compiled.chip, compiled.image, "my_chip", tmp_path / "rtl")
    write_chip(*given, top="my_chip", run=recording, ports=ports)
    outer = bus_top("my_chip", ports)
    around = (tmp_path / "rtl" / f"{outer}.v").read_text()
    assert around == to_verilog(BusChip(compiled.chip, ports, "my_chip"), outer)
    made = build((tmp_path / "rtl" / "chip.v").read_text() + around, outer)
    parameters = {"run": recording, "params": BusParams.of(compiled.chip)}
    run(made, "spikelet.sim.bench_bus_chip", parameters, seed=1, folder=tmp_path / "run")

    outputs = recording.outputs.copy()
    outputs[-1, -1, 0] += 1
    wrong = {**parameters, "run": replace(recording, outputs=outputs)}
    with pytest.raises(BenchError, match="output"):
        run(made, "spikelet.sim.bench_bus_chip", wrong, seed=1, folder=tmp_path / "wrong")
