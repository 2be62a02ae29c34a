"""Two choices learned from reward: ``python -m spikelet.examples.learning.reward``.

One of two cues is shown; the action neuron that fires more often is the choice. Some ticks after
the cue has gone comes the reward: positive if the action was the cue's, else negative. Halfway the
cues change their actions. Synapses learn by STDP modulated by reward (Izhikevich 2007, "Solving the
distal reward problem through linkage of STDP and dopamine signaling"; Florian 2007): each remembers
in its tag that it helped its neuron to fire, until the reward comes.

The control gets the rewards of the same run in random order, so that they do not depend on the
choice.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.progress import track
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import (
    COLOURS,
    RECORD,
    compare,
    console,
    guarded,
    save,
    tools,
)
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run

__all__ = ["Session", "Task", "build", "main", "play"]

LINES = 20
"""Input lines of a cue."""

NOISE = 10
"""Input lines for each action that spike at random: without them, nothing would be tried out."""

RATE = 0.2
"""Spikes of a line in a tick."""

SHOWN = 20
"""Ticks for which a cue is shown."""

REST = 60
"""Ticks after the reward, in which potentials and traces get near 0."""

REWARD = 16
"""With the learning rate, a tag of 100 changes its weight by 6 of 127."""

LEARNING_RATE = 2.0**-8

TAU_TAG = 40.0
"""Ticks: a tag outlives the delay of the reward."""

AMPLITUDES = (16.0, 8.0)
"""Of STDP, up and down: less down, or the random spikes of a cue would leave no tag on average."""

THRESHOLD = 800
"""Some 12 spikes of an action in a trial."""

INHIBITION = 4000
"""Five thresholds: the first action to fire keeps the other from firing, and only its synapses get
a tag. With less than a threshold both fire, and the reward cannot tell them apart."""

WINDOW = 25
"""Trials that a point of the curve stands for."""


@dataclass(frozen=True)
class Task:
    """What is played.

    Parameters
    ----------
    trials : int
        2 or more, even; from the middle one on the cues have changed actions.
    delay : int
        Ticks from the end of the cue to the reward, 1 or more.
    seed : int
        Of cues, input spikes, first weights and the rule.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    trials: int = 400
    delay: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("trials", 2), ("delay", 1), ("seed", 0)):
            if getattr(self, name) < low:
                raise SpikeletError(
                    f"task: {name} must be {low} or more, not {getattr(self, name)}"
                )
        if self.trials % 2:
            raise SpikeletError(f"task: trials must be even, not {self.trials}")


@dataclass(frozen=True, eq=False)
class Session:
    """What was played.

    Parameters
    ----------
    right : array of bool, shape (trials,)
        Whether the choice was the cue's action.
    rewards : array of int, shape (trials,)
    weights : array of int, shape (2 * LINES, 2)
        At the end.
    traces : list of Recording
        Two for each trial, from the cue and from the reward on.
    """

    right: npt.NDArray[np.bool_]
    rewards: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int16]
    traces: list[Recording]


def build(seed: int) -> CompiledNetwork:
    """Return the network: cues and noise, and two action neurons that inhibit each other."""
    up, down = AMPLITUDES
    reward_stdp = RULES["reward_stdp"]
    rule = reward_stdp(
        a_plus=up,
        a_minus=down,
        tau_plus=5.0,
        tau_minus=5.0,
        tau_tag=TAU_TAG,
        learning_rate=LEARNING_RATE,
    )
    network = PlasticNetwork("choice", seed=seed)
    network.inputs("cues", 2 * LINES)
    network.inputs("noise", 2 * NOISE)
    network.population("actions", 2, threshold=THRESHOLD, decay=3700, inhibition=INHIBITION)
    network.project("cues", "actions", weights=(50, 70), rule=rule)
    network.project("noise", "actions", weights=80 * np.repeat(np.eye(2, dtype=int), NOISE, axis=0))
    network.output("actions")
    return compile_network(network, limits=PlacementLimits(lanes=2))


def play(
    task: Task,
    rewards: npt.NDArray[np.int64] | None = None,
    *,
    engine: str = "golden",
    record: tuple[str, ...] = (),
) -> Session:
    """Play all trials on one chip, which is never cleared.

    Parameters
    ----------
    task : Task
    rewards : array of int, shape (trials,), or None
        In the place of those earned.
    engine : str
        ``"golden"`` or ``"rtl"``.
    record : tuple of str
        As for :func:`run`.
    """
    compiled = build(task.seed)
    generator = np.random.default_rng(task.seed)
    right = np.zeros(task.trials, np.bool_)
    given = np.zeros(task.trials, np.int64)
    traces: list[Recording] = []
    silence = np.zeros((1, task.delay + REST, compiled.network.n_inputs), np.uint8)
    state = compiled.initial_state()

    def shown(spikes: npt.NDArray[np.uint8], reward: npt.NDArray[np.int64] | None) -> Recording:
        nonlocal state
        part = run(compiled, spikes, engine, reward=reward, clear=False, start=state, record=record)
        state = part.final
        return part.recording

    for trial in range(task.trials):
        cue = int(generator.integers(2))
        coin = int(generator.integers(2))
        cue_trace = shown(_cue_spikes(generator, cue, compiled.network.n_inputs), None)
        counts = cue_trace.outputs[0].sum(axis=0, dtype=np.int64)
        choice = coin if counts[0] == counts[1] else int(counts.argmax())
        right[trial] = choice == (cue if trial < task.trials // 2 else 1 - cue)
        earned = REWARD if right[trial] else -REWARD
        given[trial] = earned if rewards is None else rewards[trial]
        reward = np.zeros(silence.shape[:2], np.int64)
        reward[0, task.delay - 1] = given[trial]
        traces += [cue_trace, shown(silence, reward)]
    weights = compiled.weights("cues", "actions", state.image)
    return Session(right, given, weights, traces)


def _cue_spikes(generator: np.random.Generator, cue: int, lines: int) -> npt.NDArray[np.uint8]:
    spikes = (generator.random((1, SHOWN, lines)) < RATE).astype(np.uint8)
    other = (1 - cue) * LINES
    spikes[..., other : other + LINES] = 0
    return spikes


def shuffled(task: Task, session: Session) -> Session:
    """Play again with the rewards of a session in random order."""
    order = np.random.default_rng([task.seed, 1])
    return play(task, order.permutation(session.rewards))


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = _options(arguments)
    tasks = [Task(options.trials, options.delays[0], seed) for seed in range(options.seeds)]
    sessions = [play(task) for task in track(tasks, "rewarded", console=console)]
    pairs = list(zip(tasks, sessions, strict=True))
    controls = [shuffled(*pair) for pair in track(pairs, "shuffled", console=console)]
    curves = {"rewarded": _curves(sessions), "reward shuffled": _curves(controls)}
    console.print(_table(curves, options.delays[0]))
    console.print(_halves(sessions, controls))
    by_delay = {}
    for delay in track(sorted(options.delays), "delays", console=console):
        again = [play(Task(options.trials, delay, seed)) for seed in range(options.seeds)]
        by_delay[delay] = float(np.mean([_before_change(session) for session in again]))
    console.print(_delay_table(by_delay))
    confirmed = None
    if not options.no_rtl:
        confirmed = compare(lambda engine: play(tasks[0], engine=engine, record=RECORD).traces)
        console.print(f"seed 0, all {options.trials} trials: {confirmed}")
    report = {
        "trials": options.trials,
        "seeds": options.seeds,
        "delay": options.delays[0],
        "window": WINDOW,
        "share_right": {name: values.tolist() for name, values in curves.items()},
        "second_quarter_by_delay": by_delay,
        "rtl": asdict(confirmed) if confirmed else None,
        "tools": tools("amaranth", "verilator"),
    }
    save(options.out, report, _figure(curves, options.trials))
    return 0 if confirmed is None or confirmed.equal else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line; SpikeletError for a number outside its range."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50, help="so many, from 0")
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--delays", type=int, nargs="+", default=[10, 1, 5, 20, 40, 80, 160])
    parser.add_argument("--quick", action="store_true", help="few seeds, trials and delays")
    parser.add_argument("--no-rtl", action="store_true", help="golden only")
    parser.add_argument("--out", type=Path, default=Path("build/learning/reward"))
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        raise SpikeletError(f"--seeds must be 1 or more, not {options.seeds}")
    if options.trials < 2 * WINDOW:
        raise SpikeletError(f"--trials must be {2 * WINDOW} or more, not {options.trials}")
    if options.quick:
        options.seeds, options.trials, options.delays = 2, 200, [10]
    return options


def _curves(sessions: list[Session]) -> npt.NDArray[np.float64]:
    """Return the share of right choices in each window, shape (seeds, windows)."""
    right = np.array([session.right for session in sessions], np.float64)
    windows = right.shape[1] // WINDOW
    right = right[:, : windows * WINDOW]
    curves: npt.NDArray[np.float64] = right.reshape(len(right), windows, WINDOW).mean(axis=2)
    return curves


def _before_change(session: Session) -> float:
    """Return the share of right choices in the second quarter, before the cues change."""
    trials = len(session.right)
    return float(session.right[trials // 4 : trials // 2].mean())


def _table(curves: dict[str, npt.NDArray[np.float64]], delay: int) -> Table:
    seeds = len(curves["rewarded"])
    table = Table(
        title=f"right choices, %: mean and standard deviation of {seeds} seeds; "
        f"reward {delay} ticks after the cue"
    )
    table.add_column("trials")
    for name in curves:
        table.add_column(name, justify="right")
    for window in range(curves["rewarded"].shape[1]):
        cells = [
            f"{100 * values[:, window].mean():.1f} ± {100 * values[:, window].std():.1f}"
            for values in curves.values()
        ]
        table.add_row(f"{window * WINDOW + 1} to {(window + 1) * WINDOW}", *cells)
    return table


def _halves(sessions: list[Session], controls: list[Session]) -> str:
    """Return the share of right choices in each half of the trials, with its standard error."""
    told = []
    for name, played in (("rewarded", sessions), ("reward shuffled", controls)):
        right = np.array([np.array_split(session.right, 2) for session in played])
        halves = 100 * right.mean(axis=2)
        error = halves.std(axis=0) / np.sqrt(len(halves))
        shares = (
            f"{share:.1f} ± {by:.1f}" for share, by in zip(halves.mean(0), error, strict=True)
        )
        told.append(f"{name}: right in each half {' and '.join(shares)} % (± standard error)")
    return "\n".join(told)


def _delay_table(by_delay: dict[int, float]) -> Table:
    table = Table(title="right choices in the second quarter")
    table.add_column("ticks from cue to reward", justify="right")
    table.add_column("%", justify="right")
    for delay, share in by_delay.items():
        table.add_row(str(delay), f"{100 * share:.1f}")
    return table


def _figure(curves: dict[str, npt.NDArray[np.float64]], trials: int) -> Figure:
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots()
    for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
        centres = (np.arange(values.shape[1]) + 0.5) * WINDOW
        mean, spread = values.mean(axis=0), values.std(axis=0)
        axes.plot(centres, mean, color=colour, label=name)
        axes.fill_between(
            centres,
            np.maximum(0, mean - spread),
            np.minimum(1, mean + spread),
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    axes.axhline(0.5, color="#6b7480", linewidth=0.8, linestyle=":")
    axes.axvline(trials / 2, color="#6b7480", linewidth=0.8)
    axes.text(trials / 2, 1.04, " cues change actions", fontsize=8, va="bottom")
    axes.set(xlabel="trial", ylabel="share of right choices", ylim=(0, 1.12), xlim=(0, trials))
    axes.legend(fontsize=8, loc="lower left")
    return figure


if __name__ == "__main__":
    guarded(main)
