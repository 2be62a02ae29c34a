"""The testbench of a chip with a bus drives the bus, and finds what goes wrong on it."""

import re
from pathlib import Path

import pytest

from spikelet.description.run.recorded_run import RecordedRun
from spikelet.rtl_gen.emit import write_chip
from tests.helpers.emitted import Finished, recorded, run_testbench, small_network, with_output

PORTS = ("wishbone", "axi")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Write the chip's files with each bus."""
    compiled = small_network()
    run = recorded(compiled, "mine")
    folder: Path = tmp_path_factory.mktemp("buses")
    for ports in PORTS:
        write_chip(
            *(compiled.chip, compiled.image, "n", folder / ports), top="mine", run=run, ports=ports
        )
    return {ports: folder / ports for ports in PORTS}


def replay(
    folder: Path, work: Path, *, around: str = "", simulator: str = "icarus-2005"
) -> Finished:
    """Run the testbench, on another module around the chip if one is given."""
    outer = f"mine_{folder.name}"
    bus = folder / f"{outer}.v"
    if around:
        bus = work / f"{outer}.v"
        bus.write_text(around)
    sources = [folder / "chip.v", bus, folder / "testbench.v"]
    return run_testbench(simulator, sources, f"{outer}_testbench", work / "built", folder)


@pytest.mark.parametrize("ports", PORTS)
@pytest.mark.parametrize(
    "simulator", ["icarus-2005", pytest.param("verilator", marks=pytest.mark.slow)]
)
def test_a_chip_on_a_bus_passes(ports, simulator, folders, tmp_path):
    """All values of golden's run are compared."""
    done = replay(folders[ports], tmp_path, simulator=simulator)
    run = RecordedRun.load(folders[ports])
    assert run.output_spikes > 0
    assert done.status == 0, done.output
    assert f"PASS: {run.samples} samples of {run.ticks} ticks, {run.values} values" in done.output
    assert f"{run.output_spikes} output spikes" in done.output


@pytest.mark.parametrize(
    ("ports", "port", "value", "message"),
    [
        ("wishbone", "wb_err", "1'b1", r"mine_wishbone refuses to write word"),
        ("wishbone", "wb_ack", "1'b0", r"hangs at sample 0, tick 0"),
        ("wishbone", "wb_dat_r", "32'd2", r"FAIL: address \w+ at sample 0, tick 0: expected"),
        ("axi", "s_axil_bresp", "2'b10", r"mine_axi refuses to write word"),
        ("axi", "m_axis_tlast", "1'b1", r"the mark at the end of a tick is 00"),
        ("axi", "irq", "1'b1", r"irq is 1 after done was cleared"),
    ],
)
def test_a_bus_that_does_wrong_fails(ports, port, value, message, folders, tmp_path):
    outer = f"mine_{ports}"
    verilog = (folders[ports] / f"{outer}.v").read_text()
    done = replay(folders[ports], tmp_path, around=with_output(verilog, port, value, outer))
    assert done.status != 0 and "PASS" not in done.output
    assert re.search(message, done.output), done.output
