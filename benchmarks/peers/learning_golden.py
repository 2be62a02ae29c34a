"""Golden on :mod:`benchmarks.peers.learning`."""

import time
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.peers.learning import (
    DEPRESSION,
    INPUTS,
    MEMBRANE,
    NEURONS,
    POTENTIATION,
    THRESHOLD,
    TRACE,
    Learning,
)
from benchmarks.peers.tasks import Built, Run
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes

__all__ = ["ENGINES"]


def _golden(backend: str, task: Learning) -> Run:
    """The golden model, from dense inputs to every spike."""

    def trace(change: float) -> TraceParams:
        decay = round(4096 * np.exp(-1 / TRACE))
        return TraceParams(round(64 * change), decay=decay, bits=10)

    rule = LearningRule(
        "2^-6*x1*y0 - 2^-6*x0*y1", x1=trace(POTENTIATION), y1=trace(DEPRESSION), w_max=255
    )
    core = CoreParams(
        INPUTS,
        NEURONS,
        neuron_model("nir-euler"),
        weight_bits=8,
        weight_format="unsigned",
        potential_bits=20,
        parameters={"decay": "shared"},
        learning=rule,
    )
    image = CoreImage(
        task.weights,
        joined(),
        {
            "threshold": np.array([THRESHOLD], np.int32),
            "decay": np.array([round(4096 * np.exp(-1 / MEMBRANE))], np.int32),
        },
        plastic=np.ones(INPUTS, np.bool_),
    )
    chip = GoldenChip(ChipParams((core,)), ChipImage((image,)), backend=backend)
    first = chip.snapshot()
    routes = np.zeros((INPUTS, 4), np.int64)
    routes[:, 0] = routes[:, 2] = np.arange(INPUTS)
    inputs = DenseSpikes(task.spikes[None], routes)

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        chip.restore(first)
        start = time.perf_counter()
        spikes = chip.run(inputs, record=("spikes",)).spikes
        seconds = time.perf_counter() - start
        assert spikes is not None
        return seconds, np.array([spikes[0].sum()], np.int64)

    run()
    return run


ENGINES: dict[str, Built] = {
    "golden compiled": partial(_golden, "native"),
    "golden numpy": partial(_golden, "numpy"),
}
