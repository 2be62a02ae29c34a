"""Tests are of the code beside them, never of another checkout's."""

import time
from pathlib import Path

import pytest

import spikelet
from tests.skipped import OUT_OF_TIME

ROOT = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer what ends a run of slow tests in time, whatever the machine."""
    parser.addoption(
        "--begin-until",
        type=float,
        metavar="SECONDS",
        help="since 1970; tests that would begin later are skipped, as out of time",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what would begin too late, before its fixtures are made."""
    until = item.config.getoption("--begin-until")
    if until is not None and time.time() > until:
        pytest.skip(OUT_OF_TIME)


def pytest_configure() -> None:
    """Refuse a package of another tree."""
    found = Path(spikelet.__file__).parents[1]
    if found != ROOT:
        raise pytest.UsageError(
            f"spikelet was imported from {found}, the tests are in {ROOT}: "
            "run them from their own folder, with PYTHONPATH unset"
        )
