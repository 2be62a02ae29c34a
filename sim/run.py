"""Builds a component for cocotb with Verilator, and runs benches on it.

A bench is a module ``sim.bench_NAME`` of cocotb tests. It finds its parameters through
:func:`spikelet.sim.testbench.parameters`, in a file whose path is in the environment.

Only the ports of the top module are made visible to the bench: with every signal visible, as
cocotb's runner asks for by default, a chip takes ten times as long to compile.
"""

import hashlib
import os
import pickle
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cocotb_tools import config
from cocotb_tools.runner import get_runner

from spikelet.description.cache import cached
from spikelet.description.files import AtomicFile
from spikelet.sim.verilator import build_program, tool_versions

__all__ = ["PARAMETERS_VARIABLE", "WAVES_VARIABLE", "BenchError", "Simulation", "build", "run"]

PARAMETERS_VARIABLE = "SPIKELET_BENCH"
"""Environment variable with the path of the pickled parameters of a bench."""

WAVES_VARIABLE = "SPIKELET_WAVES"
"""Environment variable that, set to 1, asks for waveforms."""

_MAIN = Path(config.share_dir) / "lib/verilator/verilator.cpp"
_LINK = (f"-Wl,-rpath,{config.libs_dir}", f"-L{config.libs_dir}", "-lcocotbvpi_verilator")


class BenchError(AssertionError):
    """A bench that failed, or that did not test anything."""


@dataclass(frozen=True)
class Simulation:
    """A component, compiled for cocotb.

    Parameters
    ----------
    top : str
    folder : Path
        Holds the executable, named as ``top``.
    waves : bool
        Whether its runs write waveforms.
    simulator : str
        As cocotb's runner names it.
    """

    top: str
    folder: Path
    waves: bool
    simulator: str = "verilator"


def build(
    verilog: str, top: str, *, waves: bool | None = None, optimise: str = "build"
) -> Simulation:
    """Compile a component once; what was built before for the same text is used again.

    Parameters
    ----------
    verilog : str
        Text, with ``top`` as its top module.
    top : str
    waves : bool
        Whether runs are to write waveforms; by default as the environment variable
        :data:`WAVES_VARIABLE` says.
    optimise : str
        As for :func:`spikelet.sim.verilator.build_library`; a bench spends its time in Python, so
        that compiling for speed hardly ever pays.

    Raises
    ------
    SpikeletError
        If Verilator or the C++ compiler is missing or fails; with the end of the log.
    """
    if waves is None:
        waves = os.environ.get(WAVES_VARIABLE, "0") not in ("", "0")
    tools = (*tool_versions(), metadata.version("cocotb"), *_LINK)
    key = "\0".join((*tools, f"{waves}", optimise, top, verilog))
    digest = hashlib.sha256(key.encode()).hexdigest()[:24]
    program = cached(
        f"benches/{top}-{digest}/{top}",
        lambda folder: build_program(
            verilog, top, _MAIN, folder, libraries=_LINK, waves=waves, optimise=optimise
        ),
    )
    return Simulation(top, program.parent, waves)


def run(
    simulation: Simulation,
    bench: str,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    folder: Path,
    testcase: str | None = None,
) -> int:
    """Run the cocotb tests of a bench; return how many ran.

    Parameters
    ----------
    simulation : Simulation
    bench : str
        Dotted name of the module.
    parameters : mapping
        What the bench gets from :func:`spikelet.sim.testbench.parameters`; must be picklable.
    seed : int
        Of all random choices.
    folder : Path
        For log, results and waveforms of this run.
    testcase : str
        Name of the only test to run; all by default.

    Raises
    ------
    BenchError
        If a test failed, if none ran, or if the simulator crashed; with the first failure's message
        and the places of log and waveforms.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    log, results = folder / "bench.log", folder / "results.xml"
    with AtomicFile(folder / "parameters.pickle") as file:
        pickle.dump(dict(parameters), file)
    runner = get_runner(simulation.simulator)
    print(f"{bench} on {simulation.top}: seed {seed}, log {log}")
    # Under pytest the runner exits on failures, elsewhere it does not: the results say more.
    with suppress(SystemExit):
        runner.test(
            hdl_toplevel=simulation.top,
            hdl_toplevel_lang="verilog",
            test_module=bench,
            build_dir=simulation.folder,
            test_dir=folder,
            results_xml=str(results),
            log_file=str(log),
            seed=seed,
            waves=simulation.waves,
            testcase=testcase,
            extra_env={PARAMETERS_VARIABLE: str(folder / "parameters.pickle")},
        )
    where = f"seed {seed}, log {log}" + (
        f", waveforms {folder / 'dump.vcd'}" if simulation.waves else ""
    )
    if simulation.waves:
        print(f"waveforms: {folder / 'dump.vcd'}")
    return _judge(bench, results, log, where)


def _judge(bench: str, results: Path, log: Path, where: str) -> int:
    """Return the number of tests that ran; BenchError unless there were some and all passed."""
    if not results.is_file():
        tail = log.read_text(errors="replace")[-2000:] if log.is_file() else ""
        raise BenchError(f"{bench}: the simulator ended without results ({where})\n{tail}")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    ran = [case for case in cases if case.find("skipped") is None]
    failures = [
        f"{case.get('name')}: {(found.get('message') or found.text or '').strip()}"
        for case in ran
        for kind in ("failure", "error")
        for found in case.iter(kind)
    ]
    if failures:
        listed = "\n".join(failures)
        raise BenchError(f"{bench}: {len(failures)} of {len(ran)} tests failed ({where})\n{listed}")
    if not ran:
        raise BenchError(f"{bench}: no test ran ({where})")
    return len(ran)
