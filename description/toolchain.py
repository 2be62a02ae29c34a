"""The system's compilers, and C libraries that are compiled once."""

import contextlib
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from spikelet.description.cache import cached
from spikelet.description.errors import SpikeletError

__all__ = ["build_identity", "c_compiler", "c_library", "compiler", "load_library"]

_C_FLAGS = ("-O3", "-std=gnu11", "-shared", "-fPIC", "-w", "-pthread")


def compiler() -> tuple[str, ...]:
    """Return the C++ compiler: ``CXX``, g++ or clang++; SpikeletError if there is none.

    A program, and arguments if ``CXX`` has some, as in ``CXX="ccache g++"``.
    """
    return _chosen(
        "CXX",
        ("g++", "clang++"),
        "no C++ compiler (g++ or clang++) found",
        "apt-get install g++",
    )


def c_compiler() -> tuple[str, ...]:
    """Return a compiler of C: ``CC``, cc, gcc, clang, g++ or clang++, as :func:`compiler` does."""
    return _chosen(
        "CC",
        ("cc", "gcc", "clang", "g++", "clang++"),
        "no C compiler (cc, gcc, clang or g++) found",
        "apt-get install gcc",
    )


def _chosen(variable: str, names: Sequence[str], missing: str, remedy: str) -> tuple[str, ...]:
    """Return what an environment variable says, else the first program that is there."""
    wanted = os.environ.get(variable, "").strip()
    if not wanted:
        for name in names:
            if shutil.which(name):
                return (name,)
        raise SpikeletError(missing, remedy=remedy)
    if shutil.which(wanted):
        return (wanted,)
    try:
        words = shlex.split(wanted)
    except ValueError:  # an open quotation mark
        words = []
    if words and shutil.which(words[0]):
        return tuple(words)
    raise SpikeletError(
        f"{variable} is {wanted!r}, and there is no such program",
        remedy=f"set {variable} to a compiler, or unset it to use {' or '.join(names[:2])}",
    )


def c_library(source: Path, definitions: str = "", checks: str = "") -> ctypes.CDLL:
    """Compile one C file for this machine's processor, once, and load it.

    ``definitions`` is C text that is put before the file's, ``checks`` text that is put behind it,
    such as what :func:`spikelet.description.c_layout.layout_checks` returns.

    The library is kept in the cache (:func:`spikelet.description.cache.cached`) under a hash of
    all that it depends on.

    Raises
    ------
    SpikeletError
        If there is no compiler, it fails, or the cache folder is not writable.
    """
    command = c_compiler()
    state = hashlib.sha256(source.read_bytes())
    for text in (definitions, checks, *_C_FLAGS, build_identity(command)):
        state.update(text.encode() + b"\0")
    library = cached(
        f"kernels/{source.stem}-{state.hexdigest()[:24]}.so",
        lambda folder: _build(command, source, definitions, checks, folder),
    )
    return load_library(library)


def load_library(path: Path) -> ctypes.CDLL:
    """Load a shared library of the cache; SpikeletError if the system refuses, as on noexec."""
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise SpikeletError(
            f"cannot load {path}: {error}",
            remedy="set SPIKELET_CACHE to a writable folder that allows programs",
        ) from error


def _build(
    command: Sequence[str], source: Path, definitions: str, checks: str, folder: Path
) -> Path:
    """Compile in ``folder``; return the library."""
    built = folder / "library.so"
    before, behind = folder / "definitions.h", folder / "checks.c"
    before.write_text(definitions)
    behind.write_text(checks)
    for tune in (["-march=native"], []):  # not every compiler knows its own processor
        inputs = ("-include", str(before), "-include", str(source), "-x", "c", str(behind))
        done = subprocess.run(
            [*command, *_C_FLAGS, *tune, "-o", str(built), *inputs],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if not done.returncode and built.exists():
            return built
    said = done.stderr[:2000] or f"it ended with status {done.returncode} and made no library"
    raise SpikeletError(
        f"{shlex.join(command)} cannot compile {source.name}: {said}",
        remedy="spikelet doctor checks the tools",
    )


def build_identity(command: Sequence[str]) -> str:
    """Return what a library built by ``command`` for this machine depends on besides its source."""
    return f"{' '.join(map(_program_version, command))} {_processor()}"


def _program_version(word: str) -> str:
    """Return which program a word of a command is; an update changes its place, time or size."""
    path = Path(shutil.which(word) or "").resolve()
    if not path.is_file():
        return word
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _processor() -> str:
    """Return the machine's instruction sets: folders of users are shared between machines."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return f"{platform.machine()} {line}"
    return f"{platform.machine()} {platform.processor()} {platform.node()}"
