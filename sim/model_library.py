"""A shared library of any Verilog module, with a list of its ports."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.cache import cached
from spikelet.description.errors import SpikeletError, file_error
from spikelet.sim.verilated_cpp import (
    compile_flags,
    compile_model,
    link,
    runtime_objects,
    verilate,
)
from spikelet.sim.verilator import RUNTIME_SOURCES, TRACE_SOURCE, Design

__all__ = ["ModelSource", "build_model"]

_DRIVER = Path(__file__).with_name("model.cpp")

_VERILATE = (
    *("--cc", "-O3", "--x-assign", "0", "--x-initial", "0", "--no-timing", "--assert"),
    *("-Wno-fatal", "-Wno-lint", "-Wno-style", "--prefix", "Vmodel", "--Mdir", "."),
)
_OVERRIDDEN = tuple(f"-DVL_USER_{what}" for what in ("FINISH", "STOP", "FATAL"))

_PORT = re.compile(r"VL_(IN|OUT|INOUT)(?:8|16|64|W|)\(&(\w+),(\d+),(\d+)(?:,\d+)?\);")
_MODULE = re.compile(r"\bmodule\s+(?:automatic\s+|static\s+)?\\?([^\s#(;]+)")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MOST_NAMED = 8
_REMEDY = "correct the Verilog, or the parameters given"


@dataclass(frozen=True)
class ModelSource:
    """Verilog, and what it is made into.

    Parameters
    ----------
    verilog : str, Path, or sequence of Path
        Text or files.
    top : str
    parameters : mapping of str to int or str
        Of the top module.
    include : sequence of Path
        Folders of included files, besides those of the files.
    defines : mapping of str to str
        Macros.
    waves : bool
        Whether waveforms can be written.
    optimise : str
        As for :func:`spikelet.sim.verilator.build_library`.
    """

    verilog: str | Path | Sequence[Path]
    top: str
    parameters: Mapping[str, int | str]
    include: Sequence[Path]
    defines: Mapping[str, str]
    waves: bool
    optimise: str


def build_model(source: ModelSource) -> Path:
    """Return the library, compiled once for the same text, included files and options.

    Raises
    ------
    SpikeletError
        If a file cannot be read, there is no such module, the Verilog has errors, or a port is of a
        kind that cannot be driven.
    """
    text = _preprocessed(source)
    modules = sorted(set(_MODULE.findall(_COMMENT.sub(" ", text))))
    if source.top not in modules:
        named = ", ".join(modules[:_MOST_NAMED]) + (", ..." if len(modules) > _MOST_NAMED else "")
        raise SpikeletError(
            f"the Verilog has no module {source.top}",
            remedy=f"its modules are {named}" if modules else "it has no module at all",
        )
    arguments = [
        *(*_VERILATE, "--top-module", source.top),
        *(["--trace-vcd", "--trace-structs"] if source.waves else []),
        *(f"-G{name}={_value(value)}" for name, value in source.parameters.items()),
    ]
    flags = compile_flags(source.optimise)
    digest = Design(text).digest(_DRIVER.read_text(), *arguments, *flags)
    return cached(
        f"models/model-{digest}.so",
        lambda folder: _library(text, source, arguments, flags, folder),
    )


def _value(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(int(value))


def _preprocessed(source: ModelSource) -> str:
    """Return the text with all that it includes, which alone decides what is built."""
    given = source.verilog
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if isinstance(given, str):
            (folder / "design.v").write_text(given)
            files = [Path("design.v")]
        else:
            files = [path.resolve() for path in ([given] if isinstance(given, Path) else given)]
            _check_readable(files)
        folders = [*source.include, *(path.parent for path in files)]
        return verilate(
            [
                *("-E", "-Wno-fatal"),
                *(f"-I{path.resolve()}" for path in folders),
                *(f"-D{name}={value}" for name, value in source.defines.items()),
                *(str(path) for path in files),
            ],
            folder,
            remedy=_REMEDY,
        )


def _check_readable(files: Sequence[Path]) -> None:
    for path in files:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise file_error(f"cannot read {path}", error) from error


def _library(
    text: str, source: ModelSource, arguments: Sequence[str], flags: Sequence[str], folder: Path
) -> Path:
    """Verilate and compile in ``folder``."""
    (folder / "design.v").write_text(text)
    verilate([*arguments, "design.v"], folder, remedy=_REMEDY)
    (folder / "ports.h").write_text(_port_list((folder / "Vmodel.h").read_text(), source.top))
    driver = folder / "driver.cc"
    driver.write_text(_DRIVER.read_text())
    traced = f"#define VM_TRACE {int(source.waves)}\n"
    objects = compile_model(folder, "Vmodel", driver, flags, before=traced)
    needed = (*RUNTIME_SOURCES, *([TRACE_SOURCE] if source.waves else []))
    runtime = runtime_objects((*flags, *_OVERRIDDEN), needed)
    return link("library.so", ["-shared", *objects, *(str(path) for path in runtime)], folder)


def _port_list(header: str, top: str) -> str:
    """Return a macro that lists the ports in the header of a model.

    SpikeletError if one is no vector: an array, a real number or an interface.
    """
    section = header[header.index("// PORTS") : header.index("// CELLS")]
    lines = [line.strip() for line in section.splitlines()]
    entries = []
    for line in (line for line in lines if line and not line.startswith("//")):
        found = _PORT.fullmatch(line)
        if found is None:
            raise SpikeletError(
                f"module {top}: a port is no vector of bits: {line}",
                remedy="write a module around it whose ports are vectors",
            )
        direction, member, msb, lsb = found.groups()
        bits = int(msb) - int(lsb) + 1
        entries.append(f'    PORT({direction.lower()}, {bits}, {member}, "{_name(member)}") \\\n')
    return f"#define SPIKELET_PORTS(PORT) \\\n{''.join(entries)}\n"


def _name(member: str) -> str:
    """Return the port's name as C++ text.

    Verilator writes what is no letter or digit, or a second underscore, as ``__0`` and two digits.
    """
    name = re.sub(r"__0([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), member)
    return name.replace("\\", "\\\\").replace('"', '\\"')
