"""Digits 0 to 4, then 5 to 9: ``python -m spikelet.examples.literature.lifelong``.

What is learned later overwrites what was learned first, unless few neurons answer to each image, so
that the later classes use other synapses (French 1991; Shen, Dasgupta & Navlakha 2023; in spiking
networks Shen et al. 2024). 1,024 neurons with fixed random weights see the 8x8 digits; each has a
threshold of its own, which its input exceeded in 3 % (sparse) or in half (control) of the images of
0 to 4. Ten neurons learn from their spikes with a teacher, as in
``examples/learning/sdsp_digits.py``: by calcium, the count of its own spikes, the taught neuron
stops learning, and others unlearn. Later digits are taught without showing the first ones again.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.sdsp_digits import SPIKE
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.examples.literature.small_digits import small_digits
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run

__all__ = ["Learner", "main", "trial"]

COMMAND = Command("lifelong", seeds=5)
SPARSE, DENSE = 0.03, 0.5
HIDDEN, FAN, TEACHERS = 1024, 16, 240
LIFTED = TEACHERS * 127 * 3 // 4  # a potential that only the teacher reaches
SHOWN, REST = 24, 8  # ticks of an image, and of silence behind it
ENOUGH, TOO_MANY, MEAN_WEIGHT = 17, 11, 15
EPOCHS = 2
Levels = npt.NDArray[np.uint8]


class Learner:
    """A chip whose hidden neurons answer to a share of the images, by which thresholds are set."""

    def __init__(self, share: float, images: Levels, seed: int) -> None:
        generator = np.random.default_rng(seed)
        fans = generator.random((64, HIDDEN)).argsort(axis=0).argsort(axis=0) < FAN
        into = np.tile(np.where(fans, 64 // FAN - 1, -1), (3, 1))
        quantiles = np.quantile(lines(images) @ into, 1 - share, axis=0, method="lower")
        threshold = round(MEAN_WEIGHT * share * HIDDEN)
        rule = LearningRule(
            f"x0*(v > {LIFTED})*(y1 < {ENOUGH * SPIKE})"
            f" - 2^-4*x0*(v < -100)*(y1 > {TOO_MANY * SPIKE})",
            y1=TraceParams(SPIKE, decay=4095, bits=14),
            w_min=0,
            w_max=63,
            rounding="stochastic",
        )
        network = PlasticNetwork("lifelong", seed=seed)
        network.inputs("pixels", 3 * 64)
        network.inputs("teacher", 10 * TEACHERS)
        network.population(
            "hidden", HIDDEN, neuron="threshold", threshold=np.maximum(0, quantiles).astype(int)
        )
        network.population(
            "digits", 10, neuron="snntorch-subtract", threshold=threshold, potential_bits=20
        )
        network.project("pixels", "hidden", weights=into)
        network.project("hidden", "digits", weights=4, rule=rule)
        own = np.eye(10, dtype=bool).repeat(TEACHERS, axis=0)
        network.project("teacher", "digits", weights=np.where(own, 127, -128), delay=1)
        network.output("digits")
        limits = PlacementLimits(max_axons=4096, max_neurons=1024)
        self.compiled, self.generator = compile_network(network, limits=limits), generator
        self.state = self.compiled.initial_state()

    def teach(
        self, images: Levels, labels: Levels, engine: str = "golden", record: Sequence[str] = ()
    ) -> Recording:
        """Show images once, in random order: image, silence, teacher, and the image again."""
        order = self.generator.permutation(len(labels))
        spikes = np.zeros((len(order), SHOWN + REST + 3, 192 + 10 * TEACHERS), np.uint8)
        spikes[:, :SHOWN, :192] = spikes[:, -2:-1, :192] = lines(images[order])[:, None]
        spikes[:, -3, 192:] = np.eye(10, dtype=np.uint8)[labels[order]].repeat(TEACHERS, axis=1)
        ran = run(self.compiled, spikes, engine, start=self.state, record=record)
        self.state = ran.final
        return ran.recording

    def right(self, images: Levels, labels: Levels) -> float:
        """Return how often the right neuron of all ten spikes more than any other, in %."""
        spikes = np.zeros((len(labels), SHOWN, 192 + 10 * TEACHERS), np.uint8)
        spikes[:, :, :192] = lines(images)[:, None]
        ran = run(self.compiled, spikes, learning=False, start=self.state, record=())
        counts = ran.counts("digits")
        mine = counts[np.arange(len(labels)), labels]
        return 100 * float(((counts >= mine[:, None]).sum(axis=1) == 1).mean())


def lines(images: Levels) -> npt.NDArray[np.int64]:
    """Return three lines for each pixel, (images, 192): brighter than 3, 7 and 11 of 16."""
    return np.concatenate([images > level for level in (3, 7, 11)], axis=1).astype(np.int64)


def trial(share: float, seed: int) -> dict[str, float]:
    """Learn the first digits, then the others; return how many new ones are right, in %."""
    (images, labels), (new, expected) = small_digits()
    first, known = labels < 5, expected < 5
    learner = Learner(share, images[first], seed)
    for _ in range(EPOCHS):
        learner.teach(images[first], labels[first])
    before = learner.right(new[known], expected[known])
    for _ in range(EPOCHS):
        learner.teach(images[~first], labels[~first])
    after = learner.right(new[known], expected[known])
    return {
        "0-4 at first": before,
        "0-4 at last": after,
        "5-9 at last": learner.right(new[~known], expected[~known]),
        "kept": 100 * after / before,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    found = {
        name: [trial(share, seed) for seed in range(options.seeds)]
        for name, share in (("sparse", SPARSE), ("control", DENSE))
    }
    rows = {name: {k: [one[k] for one in each] for k in each[0]} for name, each in found.items()}
    COMMAND.show(f"new digits, right in %, {options.seeds} seeds", "thresholds", rows, ".1f")
    figure, (axes,) = panels(1, 5.4, 3.0)
    for name, columns in rows.items():
        means = [np.mean(values) for values in columns.values()]
        axes.plot(list(columns), means, "o", label=name)
    axes.set(ylabel="%", ylim=(0, 105))

    def engines(engine: str) -> list[Recording]:
        (images, labels), _ = small_digits()
        return [Learner(SPARSE, images, 0).teach(images[:30], labels[:30], engine, RECORD)]

    kept = {name: np.array(columns["kept"]) for name, columns in rows.items()}
    goals = {
        "sparse thresholds keep at least 80 %, on average": kept["sparse"].mean() >= 80,
        "the control keeps less than 50 %, on average": kept["control"].mean() < 50,
    }
    return COMMAND.finish(options, goals, {"rows": rows}, figure, engines)


if __name__ == "__main__":
    guarded(main)
