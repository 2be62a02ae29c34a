"""A grid world, learned by reward: ``python -m spikelet.examples.literature.grid_world``.

A first-to-spike policy (Rosenfeld, Simeone & Rajendran 2019, "Learning first-to-spike policies for
neuromorphic control using policy gradients"): the line of the agent's cell spikes in every tick,
and the first of four probabilistic neurons to spike is the step; a coin decides if several come at
once. Synapses learn on the chip by reward times pre times ``spike - p``, the policy gradient
(Williams 1992): a tag adds up ``x0*(y0 - p)`` until there is a spike; in the next tick comes the
reward. That is the host's: by how many steps it thinks the goal nearer than before, from the steps
that it has seen (actor and critic: Sutton & Barto 2018, section 13.5). Neither knows the grid. The
control is the chip that has learned nothing.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.learning.rule import LearningRule
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.golden.chip import GoldenChip
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run

__all__ = ["Agent", "build", "main", "near", "played"]

COMMAND = Command("grid_world", seeds=5)
SIDE, GOAL = 5, np.array([4, 4])
STEPS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
EPISODES, TESTED, MOST, PATIENCE = 1000, 200, 40, 20
"""With learning, and behind them without. Steps of an episode, with more it has failed; ticks
without a spike, behind which a coin decides."""
THRESHOLD, GAIN, CRITIC = 96, 8, 0.2
"""A chance of 0.18 in a tick, without weights; reward of a step; how fast the host learns."""
FIELDS: dict[str, Any] = {"w_min": -48, "rounding": "stochastic", "tag_bits": 8, "reward_bits": 6}
RULE = LearningRule("2^-6*r*t", "64*x0*y0 - x0*p - t*(r != 0)", error_bits=7, **FIELDS)


def build(seed: int) -> CompiledNetwork:
    """Return the chip."""
    network = PlasticNetwork("grid", seed=seed)
    network.inputs("cells", (SIDE, SIDE))
    neuron: dict[str, Any] = {"neuron": "probabilistic", "threshold": THRESHOLD, "decay": 0}
    network.population("steps", 4, **neuron, weight_exponent=2)
    network.project("cells", "steps", weights=0, rule=RULE)
    network.output("steps")
    return compile_network(network, draw_key=seed + 1)


@dataclass
class Agent:
    """A chip, its host, and all that it was given: spikes and rewards of every tick."""

    seed: int
    spikes: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    rewards: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(self.seed)
        self.compiled = build(self.seed)
        self.chip = GoldenChip(self.compiled.chip, self.compiled.image)
        self.distance = np.zeros((SIDE, SIDE))

    def tick(self, cell: npt.NDArray[np.int64] | None, reward: int = 0) -> npt.NDArray[np.int64]:
        """Show a cell, or none; return the neurons that spiked."""
        lines = np.arange(SIDE * SIDE) == (-1 if cell is None else cell @ (SIDE, 1))
        self.spikes.append(lines.astype(np.uint8))
        self.rewards.append(reward)
        given = self.compiled.dense_spikes(self.spikes[-1][None, None], 0)
        ran = self.chip.run(given, record=(), reward=np.array([[reward]]), clear=False)
        return np.flatnonzero(ran.outputs[0, 0])

    def episode(self, learning: bool = True) -> tuple[int, int]:
        """Return the steps to the goal, MOST + 1 if it was not reached, and the fewest."""
        cell = GOAL
        while (cell == GOAL).all():
            cell = self.generator.integers(SIDE, size=2)
        fewest = int(np.abs(GOAL - cell).sum())
        for taken in range(1, MOST + 1):
            first = next((f for _ in range(PATIENCE) if len(f := self.tick(cell))), np.arange(4))
            after = np.clip(cell + STEPS[self.generator.choice(first)], 0, SIDE - 1)
            if learning:
                self._reward(tuple(cell), tuple(after))
            if (after == GOAL).all():
                return taken, fewest
            cell = after
        return MOST + 1, fewest

    def _reward(self, cell: tuple[Any, ...], after: tuple[Any, ...]) -> None:
        """Give what a step was worth; never 0, which would leave the tags as they are."""
        nearer = self.distance[cell] - self.distance[after] - 1
        self.distance[cell] -= CRITIC * nearer
        self.tick(None, int(np.clip(round(GAIN * nearer), -32, 31)) or 1)


def near(episodes: list[tuple[int, int]]) -> float:
    """Return the share of episodes with at most 1.5 times the fewest steps, in %."""
    return 100 * float(np.mean([taken <= 1.5 * fewest for taken, fewest in episodes]))


def played(seed: int, episodes: int = EPISODES) -> list[float]:
    """Return that share before learning, of each fifth of the episodes, and after them."""
    agent = Agent(seed)
    fifth = episodes // 5

    def tested() -> list[tuple[int, int]]:
        agent.chip.learn(False)
        return [agent.episode(learning=False) for _ in range(TESTED)]

    before = tested()
    agent.chip.learn(True)
    learned = [agent.episode() for _ in range(episodes)]
    parts = [learned[k : k + fifth] for k in range(0, 5 * fifth, fifth)]
    return [near(part) for part in (before, *parts, tested())]


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    found = np.array([played(seed) for seed in range(options.seeds)])
    parts = ["nothing learned", *(f"{k + 1}-{k + 200}" for k in range(0, 1000, 200)), "learned"]
    rows = {part: {"in %": found[:, i]} for i, part in enumerate(parts)}
    title = f"episodes with at most 1.5 times the fewest steps, {options.seeds} seeds"
    COMMAND.show(title, "episodes", rows, ".1f")
    figure, (axes,) = panels(1, width=5.0)
    axes.errorbar(parts, found.mean(axis=0), found.std(axis=0), fmt="o-")
    axes.set(xlabel="episodes", ylabel="within 1.5 times the fewest, %", ylim=(0, 105))
    axes.tick_params("x", labelsize=7)
    agent = Agent(0)

    def engines(engine: str) -> list[Recording]:
        while len(agent.spikes) < 500:
            agent.episode()
        given = np.array(agent.spikes)[None], np.array(agent.rewards)[None]
        ran = run(agent.compiled, given[0], engine, reward=given[1], record=RECORD)
        return [ran.recording]

    goal = "at least 95 % within 1.5 times the fewest steps after 1,000 episodes, every seed"
    report = {"parts": parts, "by_seed": found.tolist()}
    return COMMAND.finish(options, {goal: found[:, -1].min() >= 95}, report, figure, engines)


if __name__ == "__main__":
    guarded(main)
