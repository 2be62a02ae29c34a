"""Samples that are run as they come give what they give at once, in memory that does not grow."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from spikelet import LearningRule, PlacementLimits, SpikeletError, TraceParams, run_streamed
from spikelet.compiler.compile import compile_network
from spikelet.description.run.joined import joined_samples
from spikelet.golden.chip import GoldenChip
from spikelet.runs import streamed
from spikelet.runs.run import run
from tests.helpers.networks import branched, chain, spikes

RULE = LearningRule("x1*y0 - x0", x1=TraceParams(4, decay_shift=2, bits=4), w_min=-8, w_max=7)
RECORD = ("spikes", "states", "checksums")


@pytest.mark.parametrize("plastic", [False, True])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_batches_are_one_run(plastic: bool, at_once: int) -> None:
    limits = PlacementLimits(max_neurons=None if plastic else 8, lanes=4)
    rules = {"a": RULE, "b": RULE} if plastic else None
    compiled = compile_network(branched(seed=2, bias=0.3), limits=limits, plastic=rules)
    samples = spikes(7, 14, 7, rate=0.4)
    whole = run(compiled, samples, record=RECORD)
    runs = list(run_streamed(compiled, iter(samples), at_once=at_once, record=RECORD))
    assert len(runs) == -(-7 // at_once)
    joined = joined_samples([part.recording for part in runs])
    assert joined.first_difference(whole.recording) is None and joined.outputs.any()
    np.testing.assert_array_equal(np.concatenate([part.outputs for part in runs]), whole.outputs)
    assert (runs[-1].final.checksums() == whole.final.checksums()).all()


def test_a_batch_ends_where_the_ticks_change() -> None:
    compiled = compile_network(chain([7, 5]))
    samples = spikes(5, 9, 7)
    cut = [samples[0], samples[1], samples[2, :4], samples[3], samples[4]]
    runs = list(run_streamed(compiled, cut))
    assert [part.recording.samples for part in runs] == [2, 1, 2]
    for part, these in zip(runs, (samples[:2], samples[2:3, :4], samples[3:]), strict=True):
        np.testing.assert_array_equal(part.outputs, run(compiled, these).outputs)


@pytest.mark.parametrize("record", [(), ("spikes", "states")])
def test_memory_does_not_grow_with_the_samples(
    record: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,000 samples of 5 kB, and of 9 or 41 kB of records, in batches of 1 MB."""
    monkeypatch.setattr(streamed, "BATCH_BYTES", 1 << 20)
    compiled = compile_network(chain([100, 80, 20]))
    run(compiled, spikes(1, 50, 100))  # what is loaded and compiled once

    def samples() -> Iterator[Any]:
        rng = np.random.default_rng(0)
        for _ in range(4000):
            yield (rng.random((50, 100), np.float32) < 0.1).astype(np.uint8)

    tracemalloc.start()
    try:
        count = sum(
            ran.recording.samples for ran in run_streamed(compiled, samples(), record=record)
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 4000
    assert peak < 6 << 20, f"{peak / 1e6:.1f} MB"


def test_golden_allocates_no_more_than_its_records() -> None:
    """Not for all samples again in each call of the kernel."""
    compiled = compile_network(chain([100, 80, 20]))
    chip = GoldenChip(compiled.chip, compiled.image)
    inputs = compiled.dense_spikes(spikes(400, 50, 100).astype(np.uint8), 1)
    chip.run(inputs, record=("cycles",))
    tracemalloc.start()
    try:
        trace = chip.run(inputs, record=())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    held = trace.outputs.nbytes + trace.active_axons.nbytes + trace.cycles.nbytes
    assert peak < 3 * held


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at_once": 0}, "at_once must be 1 sample or more, not 0"),
        ({"at_once": True}, "at_once must be 1 sample or more, not True"),
        ({"reward": [[1]]}, "run_streamed takes no reward"),
        ({"clear": False}, "run_streamed takes no clear"),
        ({"drain": False}, "run_streamed takes no drain"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    compiled = compile_network(chain([7, 5]))
    with pytest.raises(SpikeletError, match=f"^{message}"):
        run_streamed(compiled, [], **options)


def test_a_sample_of_another_shape() -> None:
    compiled = compile_network(chain([7, 5]))
    with pytest.raises(
        SpikeletError, match=r"^sample 1: an array of \(ticks, n_inputs\) is wanted"
    ):
        list(run_streamed(compiled, [np.zeros((3, 7)), np.zeros(7)]))
