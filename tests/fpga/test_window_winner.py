# amaranth: UnusedElaboratable=no
"""The output line with most spikes of a window, in Amaranth's simulator, against numpy."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from amaranth.sim import Simulator

from spikelet.fpga.window_winner import COUNT_BITS, WindowWinner

MOST = (1 << COUNT_BITS) - 1
Spikes = list[tuple[int, int]]
"""Line and number of each event."""


def counts_of(spikes: Spikes, n_outputs: int) -> npt.NDArray[np.int64]:
    counts = np.zeros(n_outputs, np.int64)
    for line, number in spikes:
        if line < n_outputs:
            counts[line] += number
    return counts.clip(max=MOST)


def winners(dut: WindowWinner, windows: list[Spikes], pause: int = 0) -> list[tuple[int, bool]]:
    """Return winner and ``empty`` at the end of each window; check both after each spike."""
    found = []

    async def quiet(ctx: Any) -> None:
        for _ in range(4 * dut.n_outputs):
            if not ctx.get(dut.counting):
                return
            await ctx.tick()
        raise AssertionError("counting does not end")

    async def bench(ctx: Any) -> None:
        for window in windows:
            for number, (line, count) in enumerate(window):
                ctx.set(dut.i.p.line, line)
                ctx.set(dut.i.p.number, count)
                ctx.set(dut.i.valid, 1)
                while not ctx.get(dut.i.ready):
                    await ctx.tick()
                await ctx.tick()
                ctx.set(dut.i.valid, 0)
                for _ in range(pause * (number % 3)):
                    await ctx.tick()
                await quiet(ctx)
                so_far = counts_of(window[: number + 1], dut.n_outputs)
                assert ctx.get(dut.winner) == so_far.argmax()
            await quiet(ctx)
            found.append((int(ctx.get(dut.winner)), bool(ctx.get(dut.empty))))
            ctx.set(dut.ends, 1)
            await ctx.tick()
            ctx.set(dut.ends, 0)
            assert ctx.get(dut.counting)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def expected(windows: list[Spikes], n_outputs: int) -> list[tuple[int, bool]]:
    counts = [counts_of(window, n_outputs) for window in windows]
    return [(int(window.argmax()), not window.any()) for window in counts]


@pytest.mark.parametrize("pause", [0, 2])
def test_the_line_with_most_spikes_wins(pause: int) -> None:
    """Windows of many spikes and of few, so with ties; lines 5 to 7 are not there."""
    rng, n_outputs = np.random.default_rng(3), 5
    lengths = [*rng.integers(0, 12, 14).tolist(), 40]
    windows: list[Spikes] = [
        [(line, 1) for line in rng.integers(0, 8, length).tolist()] for length in lengths
    ]
    wanted = expected(windows, n_outputs)
    assert winners(WindowWinner(n_outputs, 3), windows, pause) == wanted
    counts = [counts_of(window, n_outputs) for window in windows]
    tied = [int((window == window.max()).sum()) for window in counts if window.any()]
    assert max(tied) > 2 and len({winner for winner, _ in wanted}) == n_outputs


def test_ties_windows_without_spikes_and_lines_that_are_not_there() -> None:
    windows: list[Spikes] = [
        [],
        [(3, 1), (1, 1), (2, 1)],  # the lowest of equals, whatever came first
        [(2, 1), (2, 1), (1, 1), (3, 1), (3, 1)],
        [],  # nothing of the window before is left
        [(6, 1), (7, 1)],
        [(4, 1)],
        [(0, 1)],
    ]
    found = winners(WindowWinner(5, 3), windows)
    assert [winner for winner, _ in found] == [0, 1, 2, 0, 0, 4, 0]
    assert [empty for _, empty in found] == [True, False, False, True, True, False, False]


def test_an_event_stands_for_several_spikes_and_counts_stay_at_the_largest() -> None:
    windows: list[Spikes] = [
        [(0, 3), (1, 2), (1, 2)],
        [(2, 30_000), (2, 35_534), (1, 65_535), (2, 1)],  # 65,534; line 1 is over it; equal: line 1
        [(2, 65_535), (2, 65_535), (1, 65_535), (0, 65_534)],
        [(1, 65_535), (0, 65_534), (0, 3)],
        [(0, 0)],
    ]
    found = winners(WindowWinner(3, 2, 16), windows)
    assert found == [(1, False), (1, False), (1, False), (0, False), (0, True)]
    assert found == expected(windows, 3)
