"""Golden on :mod:`benchmarks.peers.scale`."""

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmarks.peers.scale import SIDE, SLOTS, THRESHOLD, Network
from benchmarks.peers.tasks import Built, Run
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip

__all__ = ["ENGINES", "chip_of"]


def chip_of(network: Network) -> tuple[ChipParams, ChipState]:
    """Return a network as a chip, with contents and first potentials."""
    core = CoreParams(
        SIDE,
        SIDE,
        neuron_model("snntorch-subtract"),
        weight_bits=4 if network.weight_format == "signed" else 1,
        weight_format=network.weight_format,
        delay_slots=SLOTS,
        parameters={"bias": "shared"},
    )
    width = round(network.n_cores**0.5)
    chip = ChipParams((core,) * network.n_cores, width, width)
    shape = (network.n_cores, SIDE)
    tables = zip(network.axons.reshape(shape), network.delays.reshape(shape), strict=True)
    images = tuple(
        CoreImage(
            weights.astype(np.int16),
            destinations(np.arange(SIDE), axons // SIDE, axons % SIDE, delays),
            {
                "threshold": np.array([THRESHOLD], np.int32),
                "bias": np.array([network.drive], np.int32),
            },
        )
        for weights, (axons, delays) in zip(network.weights, tables, strict=True)
    )
    nothing = CoreState.cleared(core)
    states = tuple(
        replace(nothing, states={**nothing.states, "v": potentials})
        for potentials in network.potentials.reshape(shape)
    )
    return chip, ChipState(chip.digest, 0, ChipImage(images), states)


def golden(network: Network) -> Run:
    """Return what runs golden from the first potentials, only counters recorded."""
    nothing = np.zeros(0, np.int32)
    offsets = np.zeros(network.ticks + 1, np.int64)
    silence = Events(1, network.ticks, offsets, *[nothing] * 3)
    chip, state = chip_of(network)
    simulated = GoldenChip(chip, state.image, backend="native")
    simulated.restore(state)
    expected = simulated.run(silence, record=("spikes",), clear=False)
    assert expected.spikes is not None
    counts = np.sum([np.count_nonzero(core[0], axis=1) for core in expected.spikes], axis=0)
    active = expected.active_axons

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        simulated.restore(state)
        begin = time.perf_counter()
        trace = simulated.run(silence, record=(), clear=False)
        seconds = time.perf_counter() - begin
        if not np.array_equal(trace.active_axons, active):
            raise SpikeletError("two runs of golden from the same state differ")
        return seconds, counts

    del expected
    return run


ENGINES: dict[str, Built] = {"golden compiled": golden}
