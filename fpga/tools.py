"""Tools that Python packages bring (place and route, packers), run in a folder, with progress."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import Package, require

__all__ = ["Progress", "Tool", "run_tool", "silent"]

Progress = Callable[[str], None]
"""Is given one line of text now and then while something long runs."""


class Tool(NamedTuple):
    """A tool that a Python package brings.

    Parameters
    ----------
    name : str
    package : Package
    function : str
        Of the package's module; it takes the arguments and returns the status.
    module : str
        In place of a function: a module that is run as a program.
    """

    name: str
    package: Package
    function: str = ""
    module: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The command line, without arguments."""
        if self.module:
            return (sys.executable, "-m", self.module)
        runner = _RUNNER.format(module=self.package.module, function=self.function)
        return (sys.executable, "-c", runner)


_RUNNER = "import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"

_FIRST_CALL = "Preparing to run"


def silent(line: str) -> None:
    """Show no progress."""


def run_tool(
    tool: Tool,
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
    tool : Tool
    progress : callable
        Is given each output line that contains one of ``milestones``, and a word of patience when
        the tool is compiled for this machine, which happens once.

    Raises
    ------
    SpikeletError
        If the tool is missing or fails; with its first error line and the log's path.
    """
    require(tool.package, tool.name)
    command = [*tool.command, *arguments]
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
                    progress(
                        f"{tool.name}: first call, compiling it for this machine (a minute or two)"
                    )
                elif any(milestone in line for milestone in milestones):
                    progress(f"{tool.name}: {line.strip().removeprefix('Info: ')}")
                elif line.startswith("ERROR"):
                    errors.append(line.strip())
        except BaseException:  # an interrupted user should not wait for the tool
            process.kill()
            raise
        status = process.wait()
    if status:
        said = errors[0] if errors else "no error line in its output"
        raise SpikeletError(
            f"{tool.name} failed (status {status}): {said}", remedy=f"see {folder / log}"
        )
