"""Tests are of the code beside them, never of another checkout's."""

from pathlib import Path

import pytest

import spikelet

ROOT = Path(__file__).parent


def pytest_configure() -> None:
    """Refuse a package of another tree."""
    found = Path(spikelet.__file__).parents[1]
    if found != ROOT:
        raise pytest.UsageError(
            f"spikelet was imported from {found}, the tests are in {ROOT}: "
            "run them from their own folder, with PYTHONPATH unset"
        )
