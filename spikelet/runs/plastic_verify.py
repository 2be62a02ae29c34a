"""Golden and another engine on the same samples, with learning, compared bit for bit."""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spikelet.compiler.plastic import Plastic
from spikelet.description.chip.state import ChipState
from spikelet.description.run.recording import Trace
from spikelet.runs.learned import Learned
from spikelet.runs.verify import EngineResult, Verification

__all__ = ["verify_plastic"]

_RECORD = ("spikes", "states", "checksums")


def verify_plastic(
    plastic: Plastic,
    spikes: npt.NDArray[np.uint8],
    engine: str,
    *,
    reward: npt.NDArray[np.int64] | None,
    clear: bool,
    learning: bool,
    start: ChipState | None,
    progress: Callable[[str, int, int], None],
) -> Verification:
    """Return what both engines did; see :meth:`Plastic.verify`."""

    def run(name: str) -> tuple[Learned, float]:
        progress(name, 0, len(spikes))
        began = time.perf_counter()
        learned = plastic.run(
            spikes,
            engine=name,
            learning=learning,
            reward=reward,
            clear=clear,
            start=start,
            record=_RECORD,
            progress=lambda done: progress(name, done, len(spikes)),
        )
        return learned, time.perf_counter() - began

    expected, seconds = run("golden")
    other, other_seconds = run(engine)
    results = [
        _result(expected, None, seconds),
        _result(other, expected.trace, other_seconds),
    ]
    return Verification(plastic.chip.digest, None, results, [], [])


def _result(learned: Learned, expected: Trace | None, seconds: float) -> EngineResult:
    trace = learned.trace
    spiked = {p.name: bool(learned.spikes(p.name).any()) for p in learned.plastic.populations}
    difference = trace.first_difference(expected) if expected else None
    return EngineResult(
        trace.engine,
        trace.samples,
        trace.ticks,
        trace.compared(expected) if expected else [],
        str(difference) if difference else None,
        None,
        None if trace.cycles is None else float(trace.cycles.sum(axis=1).mean()),
        float(trace.synaptic_operations.sum(axis=(1, 2)).mean()),
        seconds,
        [name for name, any_spike in spiked.items() if not any_spike],
        any(spiked.values()),
    )
