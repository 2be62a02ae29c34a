"""Patterns completed from half of them: ``python -m spikelet.examples.literature.association``.

An auto-associative memory (Willshaw, Buneman & Longuet-Higgins 1969; Palm 1980): 256 neurons, all
connected to all, learn sparse patterns of 16 by one presentation each, on the chip. A synapse has
one of two weights: +2 once both its neurons were in one pattern, -3 as long as they were not, so
that who is active inhibits all who never were active with it. Recall begins with half of
a pattern's neurons, in one tick, and runs by itself for 8 more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.learning.rule import LearningRule
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

__all__ = ["Memory", "Recall", "build", "main", "patterns"]

COMMAND = Command("association", seeds=10)
NEURONS, ACTIVE = 256, 16
TICKS = 8
"""Of recall, behind the tick of the cue."""
CUE, HOLD = 127, -20
THRESHOLD = 10
APART, TOGETHER = -3, 2
Bits = npt.NDArray[np.uint8]


def patterns(number: int, seed: int) -> Bits:
    """Return random patterns of as many neurons, (number, NEURONS)."""
    ranks = np.random.default_rng(seed).random((number, NEURONS)).argsort(axis=1).argsort(axis=1)
    return (ranks < ACTIVE).astype(np.uint8)


def build(threshold: int) -> CompiledNetwork:
    """Return the chip, without memories.

    Line ``hold`` keeps neurons out of a pattern that others would call while it is learned.
    """
    # A spike behind one of the tick before: the synapse jumps to its upper bound.
    rule = LearningRule("dw = 16*x0*y0", w_min=APART, w_max=TOGETHER)
    network = PlasticNetwork("association")
    network.inputs("cue", NEURONS)
    network.inputs("hold", 1)
    network.population("cells", NEURONS, threshold=threshold, decay=0)
    network.project("cue", "cells", weights=CUE, connectivity="one_to_one")
    network.project("hold", "cells", weights=HOLD)
    network.project("cells", "cells", weights=APART, rule=rule)
    network.output("cells")
    return compile_network(network)


@dataclass(frozen=True)
class Recall:
    """What cues brought back at the last tick: the share of the missing neurons, spikes of others
    than the pattern's, and the share of patterns of which exactly their neurons spiked."""

    missing: float
    false: float
    exact: float


class Memory:
    """A chip that learns patterns, and recalls them."""

    def __init__(
        self, engine: str = "golden", record: Sequence[str] = (), threshold: int = THRESHOLD
    ) -> None:
        self.engine, self.record, self.compiled = engine, record, build(threshold)
        self.state: ChipState = self.compiled.initial_state()
        self.traces: list[Recording] = []

    def _run(self, spikes: Bits, learning: bool) -> Bits:
        given = (self.compiled, spikes, self.engine)
        ran = run(*given, learning=learning, start=self.state, record=self.record)
        self.state, self.traces = ran.final, [*self.traces, ran.recording]
        return ran.outputs[:, -1].astype(np.uint8)

    def learn(self, shown: Bits) -> None:
        """Show each pattern for two ticks."""
        spikes = np.ones((len(shown), 2, NEURONS + 1), np.uint8)
        spikes[:, :, :NEURONS] = shown[:, None]
        self._run(spikes, True)

    def recall(self, shown: Bits, seed: int, share: float = 0.5, learning: bool = False) -> Recall:
        """Cue each pattern with a random share of its neurons."""
        order = np.random.default_rng([seed, 1]).random(shown.shape) * shown
        cue = (order.argsort(axis=1).argsort(axis=1) >= NEURONS - share * ACTIVE) & (shown > 0)
        spikes = np.zeros((len(shown), TICKS + 1, NEURONS + 1), np.uint8)
        spikes[:, 0, :NEURONS] = cue
        last = self._run(spikes, learning)
        found = (last * shown * ~cue).sum() / (shown * ~cue).sum()
        false = (last * (1 - shown)).sum(axis=1).mean()
        return Recall(float(found), float(false), float((last == shown).all(axis=1).mean()))


def trial(number: int, seed: int, share: float = 0.5) -> dict[str, float]:
    """Learn so many patterns, then recall each; return percentages and spikes."""
    shown, memory = patterns(number, seed), Memory()
    memory.learn(shown)
    found = memory.recall(shown, seed, share)
    columns = ("missing half recalled, %", "false spikes", "exactly recalled, %")
    return dict(zip(columns, (100 * found.missing, found.false, 100 * found.exact), strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)

    def rows(number: int, share: float = 0.5) -> dict[str, list[float]]:
        found = [trial(number, seed, share) for seed in range(options.seeds)]
        return {name: [each[name] for each in found] for name in found[0]}

    by_number = {number: rows(number) for number in (8, 16, 32, 64, 96, 128)}
    COMMAND.show(f"recall from half a cue, {options.seeds} seeds", "patterns", by_number, ".1f")
    shares = (0.25, 0.375, 0.5, 0.625, 0.75)
    by_share = {n: [np.mean(rows(n, s)["exactly recalled, %"]) for s in shares] for n in (8, 64)}

    def played(engine: str) -> list[Recording]:
        memory, shown = Memory(engine, RECORD), patterns(8, 0)
        memory.learn(shown)
        memory.recall(shown, 0)
        return memory.traces

    figure, (left, right) = panels(2)
    for name in ("missing half recalled, %", "exactly recalled, %"):
        means = [np.mean(columns[name]) for columns in by_number.values()]
        left.plot(list(by_number), means, "o-", label=name)
    for number, values in by_share.items():
        right.plot(np.array(shares) * 100, values, "o-", label=f"{number} patterns")
    left.set(xlabel="patterns", ylim=(0, 105))
    right.set(xlabel="cue, % of a pattern", ylabel="exactly recalled, %", ylim=(0, 105))
    eight = by_number[8]
    reached = min(eight["missing half recalled, %"]) >= 95 and max(eight["false spikes"]) < 1
    report = {"by_patterns": by_number, "exact_by_share": by_share, "shares": shares}
    goal = "95 % of the missing half of 8 patterns, less than 1 false spike"
    return COMMAND.finish(options, {goal: reached}, report, figure, played)


if __name__ == "__main__":
    guarded(main)
