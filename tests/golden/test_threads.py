"""Threads change no result of golden: not their number, nor what the machine does besides."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description import processors
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.description.side_by_side import share_out
from spikelet.description.toolchain import c_library
from spikelet.golden import kernel, native, native_workers
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.golden.native_learning import common_code
from spikelet.golden.native_workers import shares
from tests.helpers.pieces import check_same_state
from tests.helpers.random_chips import random_chip, random_events, random_image
from tests.helpers.random_plastic import (
    random_plastic_chip,
    random_plastic_image,
    random_reward,
)

needs_compiler = pytest.mark.skipif(not native.available(), reason=native.why_not())

RECORD = ("spikes", "states", "learning")
SEEDS = 24


@pytest.fixture(autouse=True)
def many_processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow 8 threads, and let the least of work be worth one."""
    monkeypatch.setattr(processors, "processors", lambda: 8)
    monkeypatch.setattr(native, "_SLICE_UPDATES", 1)
    monkeypatch.setattr(native, "_TICK_UPDATES", 1)
    yield
    processors.set_threads(None)


def drawn(seed: int) -> tuple[ChipParams, ChipImage, Events, np.ndarray]:
    """Return a random chip with contents, inputs and rewards; every third learns."""
    rng = np.random.default_rng(seed)
    if seed % 3:
        chip = random_chip(rng)
        image = random_image(rng, chip)
    else:
        chip = random_plastic_chip(rng)
        image = random_plastic_image(rng, chip)
    events = random_events(rng, chip, samples=5)
    return chip, image, events, random_reward(rng, chip, events.samples, events.ticks)


def check_equal(one: Recording, other: Recording) -> None:
    """Check that two Recordings hold the same."""
    assert one.first_difference(other) is None
    np.testing.assert_array_equal(one.cycles, other.cycles)
    np.testing.assert_array_equal(one.merged_spikes, other.merged_spikes)


def check_as_with_one(seed: int, threads: int, **options: Any) -> None:
    """Check that a run with threads, and the state after it, are those with one, twice over."""
    chip, image, events, reward = drawn(seed)
    if options.get("stop_at_output"):
        chip = replace(chip, early_stop=True)
    counted = () if any(core.spike_bits > 1 for core in chip.cores) else ("cycles",)
    record = (*options.pop("record", RECORD), *counted)
    options = {"record": record, "reward": reward, **options}
    several, one = (GoldenChip(chip, image, backend="native") for _ in range(2))
    for _ in range(2):
        got = several.run(events, threads=threads, **options)
        check_equal(got, one.run(events, threads=1, **options))
        check_same_state(several.snapshot(), one.snapshot())


@needs_compiler
@settings(max_examples=25, deadline=None)
@given(st.integers(0, SEEDS - 1), st.integers(2, 6), st.booleans())
def test_any_number_of_threads(seed: int, threads: int, clear: bool) -> None:
    check_as_with_one(seed, threads, clear=clear)


@needs_compiler
@pytest.mark.parametrize("seed", range(6))
def test_early_stop_and_checksums(seed: int) -> None:
    check_as_with_one(seed, 3, stop_at_output=True)
    check_as_with_one(seed, 3, record=(*RECORD, "checksums"))


@needs_compiler
@pytest.mark.parametrize("seed", [0, 3, 6])
def test_samples_of_a_plastic_chip_that_does_not_learn(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which are run side by side, from contents that others have learned."""
    chip, image, events, reward = drawn(seed)
    several, one = (GoldenChip(chip, image, backend="native") for _ in range(2))
    for golden in (several, one):
        golden.run(events, reward=reward, threads=1)
        golden.learn(False)
    side_by_side: list[int] = []
    share = native.share_out

    def noted(parts: Any, workers: Any, last: Any) -> None:
        side_by_side.append(len(workers))
        share(parts, workers, last)

    monkeypatch.setattr(native, "share_out", noted)
    got = several.run(events, record=RECORD, threads=4)
    check_equal(got, one.run(events, record=RECORD, threads=1))
    check_same_state(several.snapshot(), one.snapshot())
    keeps = any(core.update.kept for core in chip.cores)
    assert side_by_side == ([] if keeps else [4])


@needs_compiler
def test_dense_spikes_of_any_type() -> None:
    chip, image, _, _ = drawn(1)
    rng = np.random.default_rng(0)
    n = min(core.n_axons for core in chip.cores)
    lines = np.arange(n)
    routes = np.stack([lines, lines * 0, lines, lines * 0], 1)
    spikes = rng.random((9, 7, n)) < 0.3
    golden = GoldenChip(chip, image, backend="native")
    for dtype in (bool, np.float64):
        inputs = DenseSpikes(spikes.astype(dtype), routes, extra_ticks=2)
        check_equal(golden.run(inputs, threads=3), golden.run(inputs, threads=1))


@needs_compiler
@pytest.mark.slow  # each compiles the kernel anew
@pytest.mark.parametrize(
    "define",
    [
        "#include <pthread.h>\n#define pthread_create(...) 11\n",
        "#define LOOKS 0\n#define MOST_LOST_NS -1\n#define MOST_LOST_SHARE 1000000000\n",
    ],
    ids=["the system has no thread left", "the others come too late"],
)
def test_the_first_thread_goes_on_alone(define: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = "".join(path.read_text() for path in kernel._BEFORE)
    library = c_library(kernel._KERNEL, common_code() + define + before)
    function = library.spikelet_golden_run
    function.argtypes, function.restype = kernel.loaded()[0].argtypes, kernel.loaded()[0].restype
    stayed: list[int] = []

    def run(*arguments: Any) -> int:
        stayed.append(function(*arguments))
        return stayed[-1]

    monkeypatch.setattr(native, "loaded", lambda: (run, "", ""))
    monkeypatch.setattr(native, "_ALONE", 0)
    for seed in range(SEEDS):
        check_as_with_one(seed, 4, clear=False)
    assert stayed.count(0) > SEEDS / 2
    monkeypatch.setattr(native, "_ALONE", 1)
    chip, image, events, _ = drawn(1)
    assert len(chip.cores) > 1
    golden = GoldenChip(chip, image, backend="native")
    stayed.clear()
    for _ in range(3):
        golden.run(events, clear=False, threads=4)
    assert stayed == [0, 1, 0]  # one call with one thread behind each that was left


def test_shares_are_even_and_none_is_empty() -> None:
    for work, threads in (([1] * 10, 4), ([100, 1, 1, 1], 3), ([1, 1, 1, 100], 3), ([5], 4)):
        parts = shares(work, threads)
        assert [i for part in parts for i in part] == list(range(len(work)))
        assert len(parts) == min(threads, len(work)) and all(parts)
    assert [len(part) for part in shares([2] * 64, 2)] == [32, 32]


def test_what_a_thread_raises_is_raised_and_no_part_is_done_after_it() -> None:
    main, done = threading.get_ident(), []
    other_has_failed = threading.Event()

    def first(part: int) -> None:
        assert threading.get_ident() == main
        other_has_failed.wait(10)
        done.append(part)

    def other(part: int) -> None:
        other_has_failed.set()
        raise SpikeletError(f"part {part}")

    with pytest.raises(SpikeletError, match=r"^part [01]$"):
        share_out(range(1000), [first, other])
    assert len(done) <= 2


@pytest.mark.parametrize("threads", [0, -3, True, 2.0])
def test_no_number_of_threads(threads: Any) -> None:
    chip, image, events, _ = drawn(1)
    with pytest.raises(SpikeletError, match=f"^threads must be 1 or more, not {threads}") as caught:
        GoldenChip(chip, image).run(events, threads=threads)
    assert caught.value.remedy == "give 1..8, or leave it out for 8, one for each processor"


def test_more_threads_than_processors() -> None:
    chip, image, events, _ = drawn(1)
    with pytest.raises(
        SpikeletError, match=r"^threads: 9 threads are more than the 8 processors"
    ) as caught:
        GoldenChip(chip, image).run(events, threads=9)
    assert "give 1..8" in caught.value.remedy


def test_as_many_threads_as_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert processors.processors() == len(os.sched_getaffinity(0))
    monkeypatch.setattr(processors, "processors", lambda: 8)
    assert processors.threads_of(None) == 8
    processors.set_threads(3)
    assert (processors.threads_of(None), processors.threads_of(5)) == (3, 5)
    processors.set_threads(None)
    assert processors.threads_of(None) == 8
    assert native_workers.shares([1], 8) == [range(1)]


def test_each_worker_has_its_share_and_the_last_part_is_of_this_thread() -> None:
    """Of as many parts as workers less one, and the last, each does one; nobody waits."""
    main, done, both = threading.get_ident(), [], threading.Barrier(2)

    def other(part: int) -> None:
        done.append((part, threading.get_ident() == main))
        both.wait(10)

    def first(part: int) -> None:
        raise AssertionError("the part was left to the other")

    share_out([0], [first, other], lambda: both.wait(10) and None)
    assert done == [(0, False)]
