"""An engine in the place of another, so that a test needs no simulator."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from spikelet.description.chip.state import ChipState
from spikelet.description.run.recording import Recording
from spikelet.runs import engines
from spikelet.runs.wanted import Wanted


def golden_as_rtl(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[ChipState], None] = lambda state: None
) -> None:
    """Let golden run what is asked of the RTL, from a state that ``change`` may change."""

    def run(wanted: Wanted) -> tuple[Recording, ChipState | None]:
        compiled, state = wanted.compiled, wanted.state
        contents = tuple(replace(core, weights=core.weights.copy()) for core in state.image.cores)
        state = replace(state, image=replace(state.image, cores=contents))
        change(state)
        twin = replace(compiled, image=state.image)
        trace, after = engines.engine_named("golden").run(
            replace(wanted, compiled=twin, start=state)
        )
        trace.engine = "rtl"
        return trace, after

    monkeypatch.setitem(engines._ENGINES, "rtl", replace(engines._ENGINES["rtl"], run=run))
