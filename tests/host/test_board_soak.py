"""Events through a virtual board; ``benchmarks/board_soak.py`` sends a million."""

import pytest
from rich.console import Console
from rich.progress import Progress

from benchmarks.board_soak import Part, soak


@pytest.mark.slow
def test_no_event_is_lost_or_doubled() -> None:
    part = Part("damaged", offset=-0.03, damage=5e-4)
    bars = Progress(console=Console(quiet=True))
    found = soak(part, 6_000, 3, bars, optimise="build")
    assert found["events"] >= 6_000
    assert found["wrong"] == 0
    assert found["resent"] > 0
