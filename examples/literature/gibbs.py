"""A Gibbs sampler of spiking neurons: ``python -m spikelet.examples.literature.gibbs``.

A Boltzmann machine, ``p(z) ~ exp(b.z + z.W.z / 2)`` with z of 0 and 1 (Ackley, Hinton & Sejnowski
1985), whose units are neurons that spike in each tick in which they are 1, as in neural sampling
(Buesing, Bill, Nessler & Maass 2011). In each tick it is one unit's turn: it draws its state from
its distribution given all others, so that the spikes are a Markov chain with exactly that
stationary distribution (Geman & Geman 1984, systematic scan). Buesing et al. need refractory
periods instead, since there all neurons draw at once.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.examples.learning.support import COLOURS, RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.runs.run_result import Run

__all__ = ["build", "distance", "exact", "machine", "main", "sampled"]

COMMAND = Command("gibbs", seeds=20)
UNITS = 5
TICKS = 100_000
SCALE = 32
"""LSBs of 1: weights of 8 bits reach from -4 to almost 4, 4 standard deviations of a coupling."""
SIGMOID = [round(65536 / (1 + math.exp(-x / SCALE))) for x in range(8 * SCALE + 1)]
PLACE = {"kind": "absolute", "low": 0, "high": 63}
NEURON: dict[str, Any] = {
    "name": "gibbs",
    "version": 1,
    "description": "unit of a Boltzmann machine, drawn anew in its turn",
    "source": "Geman and Geman 1984",
    "text": f"""
clipped = clamp(current + bias); mine = turn == position
size = least(abs(clipped), {len(SIGMOID) - 1}); below = clipped < 0
likely = table(size, ({", ".join(map(str, SIGMOID))}))
p = where(below, 65536 - likely, likely)
turn = where(turn >= last, 0, least(turn + 1, 63))
fired = where(mine, draw < p, fired); v = clipped
""",
    "states": {"v": {}, "fired": {"kind": "flag"}, "turn": PLACE},
    "parameters": {"bias": {"default": 0}, "position": PLACE, "last": PLACE | {"constant": True}},
}
Floats = npt.NDArray[np.float64]


def machine(seed: int) -> tuple[Floats, Floats]:
    """Return couplings (units, units), symmetric, and biases (units,), all of σ = 1."""
    generator = np.random.default_rng(seed)
    upper = np.triu(generator.normal(size=(UNITS, UNITS)), 1)
    return upper + upper.T, generator.normal(size=UNITS)


def exact(couplings: Floats, biases: Floats) -> Floats:
    """Return the probability of each of the states, (2**units,); unit i is bit i."""
    z = np.arange(2**UNITS)[:, None] >> np.arange(UNITS) & 1
    weight = np.exp(z @ biases + ((z @ couplings) * z).sum(axis=1) / 2)
    found: Floats = weight / weight.sum()
    return found


def build(seed: int, couplings: Floats, biases: Floats) -> CompiledNetwork:
    """Return the chip; what it draws follows from the seed."""
    network = PlasticNetwork("gibbs")
    network.inputs("none", 1)
    network.population(
        "units",
        UNITS,
        neuron=NEURON,
        bias=np.rint(SCALE * biases).astype(int),
        position=np.arange(UNITS),
        last=UNITS - 1,
    )
    rounded = np.rint(SCALE * couplings).clip(-128, 127).astype(int)
    network.project("none", "units", weights=0)
    network.project("units", "units", weights=rounded)
    network.output("units")
    return compile_network(network, draw_key=seed + 1)


def sampled(
    seed: int, engine: str = "golden", ticks: int = TICKS, record: tuple[str, ...] = ()
) -> tuple[Run, npt.NDArray[np.int64]]:
    """Return the run of a machine from state 0, and the state after each tick, (ticks,)."""
    ran = run(build(seed, *machine(seed)), np.zeros((1, ticks, 1), np.uint8), engine, record=record)
    return ran, ran.outputs[0].astype(np.int64) @ (1 << np.arange(UNITS))


def distance(states: npt.NDArray[np.int64], expected: Floats) -> float:
    """Return the total variation between the states' frequencies and a distribution."""
    found = np.bincount(states, minlength=len(expected)) / len(states)
    return float(np.abs(found - expected).sum() / 2)


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    lengths = [100, 1000, 10_000, TICKS]
    chip: dict[int, list[float]] = {length: [] for length in lengths}
    ideal: dict[int, list[float]] = {length: [] for length in lengths}
    for seed in range(options.seeds):
        expected, (_, states) = exact(*machine(seed)), sampled(seed)
        independent = np.random.default_rng([seed, 1]).choice(len(expected), TICKS, p=expected)
        for length in lengths:
            chip[length].append(distance(states[:length], expected))
            # One sweep of the chip is as many ticks as it has units.
            ideal[length].append(distance(independent[: length // UNITS], expected))
    title = f"total variation from the exact distribution, {options.seeds} machines (seeds from 0)"
    rows = {n: {"chip": chip[n], "n/5 independent samples": ideal[n]} for n in lengths}
    COMMAND.show(title, "ticks", rows, ".4f")
    return COMMAND.finish(
        options,
        {f"at most 0.03 after {TICKS:,} ticks": max(chip[TICKS]) <= 0.03},
        {"total_variation": chip, "independent": ideal},
        _figure(lengths, chip, ideal),
        lambda engine: [sampled(0, engine, record=RECORD)[0].recording],
    )


def _figure(lengths: list[int], chip: Any, ideal: Any) -> Figure:
    figure, (left, right) = panels(2)
    expected, (_, states) = exact(*machine(0)), sampled(0)
    found = np.bincount(states, minlength=len(expected)) / len(states)
    left.bar(range(len(expected)), found, color=COLOURS[4], label="chip, 100,000 ticks")
    left.plot(expected, ".", color="black", markersize=4, label="exact")
    left.set(xlabel="state of the 5 units, as a number", ylabel="probability")
    for values, name in ((chip, "chip"), (ideal, "independent")):
        right.loglog(lengths, [np.mean(values[n]) for n in lengths], "o-", label=name)
    right.axhline(0.03, color="#6b7480", linewidth=0.8, linestyle=":")
    right.set(xlabel="ticks", ylabel="total variation")
    return figure


if __name__ == "__main__":
    guarded(main)
