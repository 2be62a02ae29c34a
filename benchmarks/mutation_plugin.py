"""What the mutation check wants of pytest: the tests it names, in its order, and what they reached.

A plugin for a pytest that runs in a copy of the repository. It refuses modules from anywhere else.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]

_OURS = ("spikelet", "benchmarks", "tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option: a JSON file that says what is wanted, and gets what was found."""
    parser.addoption("--mutation", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Start."""
    path = config.getoption("--mutation")
    if path is not None:
        config.pluginmanager.register(_Plugin(path, config.rootpath))


class _Plugin:
    """Runs the tests wanted.

    The file holds ``tests`` (names, or null for all) and ``trace`` (files whose lines are noted);
    afterwards ``failed`` (names), ``seconds`` and ``lines`` by test, and ``foreign`` (modules that
    were not loaded from the copy). Lines that run before the first test stand under "".
    """

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        wanted = json.loads(path.read_text())
        self.tests: list[str] | None = wanted["tests"]
        self.failed: list[str] = []
        self.seconds: dict[str, float] = defaultdict(float)
        self.files = {str(root / name): name for name in wanted["trace"]}
        self.lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.reached = self.lines[""]
        if self.files:
            sys.settrace(self._called)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename in self.files else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.reached.add((self.files[frame.f_code.co_filename], frame.f_lineno))
        return self._line

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the tests wanted, in their order; all, if a fault has renamed some."""
        if self.tests is None:
            return
        present = {item.nodeid: item for item in items}
        if all(name in present for name in self.tests):
            items[:] = [present[name] for name in self.tests]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note the lines of one test."""
        self.reached = self.lines[item.nodeid]
        if self.files:
            sys.settrace(self._called)
        result = yield
        self.reached = set()
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how long it took, and whether it failed."""
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be loaded."""
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write all of it."""
        sys.settrace(None)
        foreign = {
            name: module.__file__
            for name, module in sys.modules.items()
            if name.split(".")[0] in _OURS
            and getattr(module, "__file__", None)
            and not Path(module.__file__ or "").is_relative_to(self.root)
        }
        lines = {name: sorted(reached) for name, reached in self.lines.items()}
        found = {"failed": self.failed, "seconds": self.seconds, "lines": lines}
        self.path.write_text(json.dumps({**found, "foreign": foreign}))
