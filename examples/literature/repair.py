"""A memory that repairs itself: ``python -m spikelet.examples.literature.repair``.

Faults erase a share of the learned synapses of the auto-associative memory of ``association.py``:
their weights fall to that of synapses that never learned. As in self-repair by plasticity (Rastogi,
Lu, Islam & Sengupta 2021: STDP goes on after synapses failed), the chip does what it does anyway:
its rule stays on while patterns are recalled from three quarters of them, five times, and what is
recalled is learned anew. Then each is recalled from half. The control is the same with learning
off; the other end is to show the whole patterns once more.
"""

import numpy as np
import numpy.typing as npt

from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.association import APART, TOGETHER, Memory, patterns
from spikelet.examples.literature.command import Command, panels

__all__ = ["break_synapses", "main", "trial"]

COMMAND = Command("repair", seeds=10)
PATTERNS = 8
THRESHOLD = 4  # lower than that of ``association.py``, so that a spike needs fewer synapses
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
PASSES, USED = 5, 0.75
"""Times that each pattern is recalled after the faults, and the share of it in the cue."""
PLAIN, REPAIRED = "not learning", "learning"


def learned_synapses(memory: Memory) -> npt.NDArray[np.bool_]:
    """Return which synapses are at the upper weight, (256, 256)."""
    weights = memory.compiled.weights("cells", "cells", memory.state.image)
    return np.asarray(weights == TOGETHER)


def break_synapses(memory: Memory, share: float, generator: np.random.Generator) -> None:
    """Erase a share of the learned synapses, drawn at random."""
    weights = memory.compiled.weights("cells", "cells", memory.state.image).copy()
    learned = np.argwhere(learned_synapses(memory))
    chosen = generator.permutation(len(learned))[: round(share * len(learned))]
    weights[tuple(learned[chosen].T)] = APART
    memory.state = memory.compiled.with_weights(memory.state, "cells", "cells", weights)


def trial(share: float, seed: int) -> dict[str, float]:
    """Learn, break, and recall; return exactly recalled patterns in %, each way."""
    shown = patterns(PATTERNS, seed)
    memory = Memory(threshold=THRESHOLD)
    memory.learn(shown)
    whole = learned_synapses(memory)
    break_synapses(memory, share, np.random.default_rng([seed, 3]))
    broken, found = memory.state, {}
    for name, learning in ((PLAIN, False), (REPAIRED, True)):
        memory.state = broken
        for time in range(PASSES):
            memory.recall(shown, 100 * seed + time, USED, learning)
        last = memory.recall(shown, 100 * seed + PASSES)
        found[name] = 100 * last.exact
    found["synapses right, %"] = 100 * float((learned_synapses(memory) == whole)[whole].mean())
    found["synapses too many"] = float((learned_synapses(memory) & ~whole).sum())
    memory.state = broken
    memory.learn(shown)
    found["shown again"] = 100 * memory.recall(shown, 100 * seed + PASSES).exact
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    rows: dict[str, dict[str, list[float]]] = {}
    for share in SHARES:
        found = [trial(share, seed) for seed in range(options.seeds)]
        rows[f"{share:.0%}"] = {name: [one[name] for one in found] for name in found[0]}
    title = f"{PATTERNS} patterns, exactly recalled from half a cue, %, {options.seeds} seeds"
    COMMAND.show(title, "erased", rows, ".1f")
    figure, (axes,) = panels(1, 5.4, 3.0)
    for name in (PLAIN, REPAIRED, "shown again"):
        means = [np.mean(columns[name]) for columns in rows.values()]
        axes.plot(np.array(SHARES) * 100, means, "o-", label=name)
    axes.set(xlabel="learned synapses erased, %", ylabel="exactly recalled, %", ylim=(0, 105))

    def engines(engine: str) -> list[Recording]:
        memory = Memory(engine, RECORD, THRESHOLD)
        memory.learn(patterns(PATTERNS, 0))
        break_synapses(memory, 0.1, np.random.default_rng(0))
        memory.recall(patterns(PATTERNS, 0), 0, USED, learning=True)
        memory.recall(patterns(PATTERNS, 0), 1)
        return memory.traces

    goal = "90 % recalled, learning, after 15 % of the synapses were erased, on average"
    reached = bool(np.mean(rows["15%"][REPAIRED]) >= 90)
    return COMMAND.finish(options, {goal: reached}, {"by_share": rows}, figure, engines)


if __name__ == "__main__":
    guarded(main)
