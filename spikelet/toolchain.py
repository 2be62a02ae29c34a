"""The system's compilers, and the folder for what is compiled once."""

import contextlib
import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from spikelet.errors import SpikeletError

__all__ = ["build_identity", "c_compiler", "c_library", "cache_folder", "compiler"]

_C_FLAGS = ("-O3", "-std=gnu11", "-shared", "-fPIC", "-w")
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Return the folder for what is compiled once: ``SPIKELET_CACHE`` or the user's cache."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "spikelet"
    return Path(os.environ.get("SPIKELET_CACHE", default))


def compiler() -> str:
    """Return the C++ compiler: ``CXX``, g++ or clang++; SpikeletError if there is none."""
    return _first_found(
        (os.environ.get("CXX"), "g++", "clang++"),
        "no C++ compiler (g++ or clang++) found",
        "apt-get install g++",
    )


def c_compiler() -> str:
    """Return a compiler of C: ``CC``, cc, gcc, clang, g++ or clang++; SpikeletError without one."""
    return _first_found(
        (os.environ.get("CC"), "cc", "gcc", "clang", "g++", "clang++"),
        "no C compiler (cc, gcc, clang or g++) found",
        "apt-get install gcc",
    )


def _first_found(names: Sequence[str | None], missing: str, remedy: str) -> str:
    for name in names:
        if name and shutil.which(name):
            return name
    raise SpikeletError(missing, remedy=remedy)


def c_library(source: Path, definitions: str = "") -> ctypes.CDLL:
    """Compile one C file for this machine's processor, once, and load it.

    ``definitions`` is C text that is put before the file's.

    The library is kept in :func:`cache_folder` under a hash of all that it depends on. Its own hash
    stands at the end of the file, since loading a damaged library can end the process.

    Raises
    ------
    SpikeletError
        If there is no compiler, it fails, or the cache folder is not writable.
    """
    command = c_compiler()
    state = hashlib.sha256(source.read_bytes())
    for text in (definitions, *_C_FLAGS, _compiler_version(command), _processor()):
        state.update(text.encode() + b"\0")
    library = cache_folder() / "kernels" / f"{source.stem}-{state.hexdigest()[:24]}.so"
    try:
        if not _sealed(library):
            library.parent.mkdir(parents=True, exist_ok=True)
            _build(command, source, definitions, library)
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise SpikeletError(
            f"cannot keep or load {library}: {error}",
            remedy="set SPIKELET_CACHE to a writable folder that allows programs",
        ) from error


def _build(command: str, source: Path, definitions: str, library: Path) -> None:
    """Compile, seal, and only then move to ``library``: others may be doing the same."""
    with tempfile.TemporaryDirectory(dir=library.parent, prefix=".build-") as folder:
        built = Path(folder) / library.name
        before = Path(folder) / "definitions.h"
        before.write_text(definitions)
        for tune in (["-march=native"], []):  # not every compiler knows its own processor
            inputs = ("-include", str(before), "-x", "c", str(source))
            done = subprocess.run(
                [command, *_C_FLAGS, *tune, "-o", str(built), *inputs],
                capture_output=True,
                text=True,
                check=False,
            )
            if not done.returncode:
                break
        else:
            raise SpikeletError(f"{command} cannot compile {source.name}:\n{done.stderr[-2000:]}")
        with built.open("ab") as file:
            file.write(hashlib.sha256(built.read_bytes()).digest())
        built.replace(library)


def _sealed(library: Path) -> bool:
    """Return whether the file is there and ends with the hash of what precedes."""
    with contextlib.suppress(FileNotFoundError):
        content = library.read_bytes()
        return hashlib.sha256(content[:-_DIGEST_BYTES]).digest() == content[-_DIGEST_BYTES:]
    return False


def build_identity(command: str) -> str:
    """Return what a library built by ``command`` for this machine depends on besides its source."""
    return f"{_compiler_version(command)} {_processor()}"


def _compiler_version(command: str) -> str:
    """Return which program ``command`` is; an update changes its place, time or size."""
    path = Path(shutil.which(command) or command).resolve()
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _processor() -> str:
    """Return the machine's instruction sets: folders of users are shared between machines."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return f"{platform.machine()} {line}"
    return f"{platform.machine()} {platform.processor()} {platform.node()}"
