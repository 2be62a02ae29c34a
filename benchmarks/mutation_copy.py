"""A copy of the repository with one fault in it, in which tests run."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.mutants import Mutant
from benchmarks.support import console
from spikelet.description.cache import cache_folder
from spikelet.description.errors import SpikeletError

__all__ = ["ROOT", "Copy"]

ROOT = Path(__file__).parents[1]

_NAMES = (
    "spikelet",
    *(
        f"spikelet.{name}"
        for name in ("description", "golden", "rtl_gen", "host", "sim", "fpga", "boards")
    ),
)

_COLLECTED = (0, 1, 2, 3, 4)
"""What pytest may return: tests passed, failed, broken or not found; 5 is no test at all."""


class Copy:
    """A copy of the repository in which tests run, with a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.exchange = folder / "exchange.json"
        made = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(".git", *made))
        if cache_folder().is_dir():
            ignored = shutil.ignore_patterns(".build-*", "benchmarks")
            shutil.copytree(cache_folder(), folder / "cache", ignore=ignored)
        (folder / "temporary").mkdir()
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "SPIKELET_CACHE": str(folder / "cache"),
            "TMPDIR": str(folder / "temporary"),
        }
        self._check_imports()

    def _check_imports(self) -> None:
        """Raise SpikeletError unless the code that is imported is the copy's."""
        program = f"import {', '.join(_NAMES)}\nprint({', '.join(f'{n}.__file__' for n in _NAMES)})"
        command = [sys.executable, "-c", program]
        said = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=True
        )
        for path in said.stdout.split():
            if not Path(path).is_relative_to(self.root):
                raise SpikeletError(
                    f"the tests would import {path}, not the copy in {self.root}",
                    remedy="run from the root of the repository, whose code is to be checked",
                )
        console.print(f"modules are those of the copy: {said.stdout.split()[0]}", highlight=False)

    def run(
        self,
        files: Iterable[str],
        tests: Sequence[str] | None,
        limit_s: float,
        *,
        trace: Iterable[str] = (),
    ) -> tuple[dict[str, Any] | None, str]:
        """Run tests until one fails; return what the plugin found, None after the time limit."""
        self.exchange.write_text(json.dumps({"tests": tests, "trace": list(trace)}))
        options = ("-x", "-q", "-p", "no:cacheprovider", "-n", "0")
        plugin = ("-p", "benchmarks.mutation_plugin", "--mutation", str(self.exchange))
        kept = ("-o", "tmp_path_retention_policy=none")
        # Bytecode of a changed file could be taken for that of the file as it was before.
        written = {} if trace else {"PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *plugin, *kept, *files],
            cwd=self.root,
            env={**self.environment, **written},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            if not trace:
                seconds = int(limit_s)
                with suppress(ProcessLookupError):
                    resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds + 5))
            try:
                # Beside other work, a second of the processor takes longer.
                output, _ = process.communicate(timeout=20 * limit_s)
            except subprocess.TimeoutExpired:
                output = ""
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode in (-signal.SIGTERM, -signal.SIGINT):
            raise SpikeletError("the tests were ended from outside", remedy="run it again")
        found = json.loads(self.exchange.read_text())
        if process.returncode < 0 or "failed" not in found:
            if process.returncode not in (-signal.SIGXCPU, -signal.SIGKILL):
                return {"failed": [f"pytest ended with {process.returncode}"]}, output
            return None, output
        if found["foreign"]:
            raise SpikeletError(f"modules from elsewhere were loaded: {found['foreign']}")
        if process.returncode not in _COLLECTED:
            raise SpikeletError(f"pytest ended with {process.returncode}: {output}")
        if bool(process.returncode) != bool(found["failed"]):
            found["failed"] = found["failed"] or [f"pytest ended with {process.returncode}"]
        return found, output

    @contextmanager
    def fault(self, mutant: Mutant) -> Iterator[None]:
        """Put a fault into the copy, and take it out again."""
        path = self.root / mutant.file
        source = path.read_text()
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()
        path.write_text(mutant.applied(source))
        try:
            yield
        finally:
            path.write_text(source)
