"""The LiteX module: a SoC with a chip elaborates, and its Verilog does what golden recorded."""

import subprocess
import sys
from pathlib import Path

import pytest

from spikelet.description.chip.bus_registers import BusParams
from spikelet.description.yosys import run_yosys
from spikelet.rtl_gen.bus_chip import bus_top
from spikelet.runs.recorded_run import record_run
from spikelet.sim.run import build, run
from spikelet.targets import chip_files
from tests.helpers.emitted import small_network

EXAMPLE = Path(__file__).parents[2] / "examples" / "litex" / "soc.py"
BASE = 0x9000_0000


def rewritten(folder: Path) -> str:
    """Return the SoC as Yosys writes Verilog, in whose form the ports are looked for."""
    run_yosys("read_verilog soc.v\nproc\nmemory_collect\nwrite_verilog out.v\n", folder)
    return (folder / "out.v").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("ports", ["wishbone", "axi"])
def test_a_chip_in_a_soc(ports: str, tmp_path: Path) -> None:
    compiled, rtl = small_network(), tmp_path / "rtl"
    rtl.mkdir()
    _, files = chip_files(compiled, None, "my_chip", ports)
    for name, contents in files.items():
        (rtl / name).write_bytes(contents)
    command = [sys.executable, str(EXAMPLE), str(rtl), str(tmp_path), ports, "my_chip"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    around = (rtl / f"{bus_top('my_chip', ports)}.v").read_text()
    text = (rtl / "chip.v").read_text() + around + rewritten(tmp_path)
    parameters = {
        "run": record_run(compiled, None, "my_chip"),
        "params": BusParams.of(compiled.chip),
        "base": BASE,
    }
    run(build(text, "soc"), "spikelet.sim.bench_bus_chip", parameters, seed=1, folder=tmp_path)


def test_what_was_not_compiled_for_it_is_refused(tmp_path: Path) -> None:
    given = "import spikelet_litex as s; s.Spikelet(None, '.', 'wishbone')"
    done = subprocess.run(
        [sys.executable, "-c", given],
        env={"PYTHONPATH": str(EXAMPLE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "chip.v is missing; compile with --ports wishbone" in done.stderr
