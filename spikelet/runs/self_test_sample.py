"""What a self-test image stores of a compiled network: one sample, and all of golden's answer."""

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state_words import readable_words
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Trace
from spikelet.fpga.self_test_image import Sample
from spikelet.golden.chip import GoldenChip
from spikelet.runs.run import run
from spikelet.samples.samples import Samples

__all__ = ["stored_sample"]

_CYCLES_A_PACKET = 2
"""If all of a tick leave one after the other through the link that is used most, or to the host."""


def stored_sample(compiled: CompiledNetwork, samples: Samples, number: int) -> Sample:
    """Return program, events, golden's spike counts, and what the chip reads afterwards.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
    number : int
        Of the sample.

    Raises
    ------
    SpikeletError
        If there is no such sample, or none of its output spikes: a chip that is dead would be
        right, too.
    """
    if not 0 <= number < len(samples.spikes):
        raise SpikeletError(
            f"sample must be in 0..{len(samples.spikes) - 1}, not {number}",
            remedy="choose one of these (--sample)",
        )
    chip = compiled.chip
    events = compiled.events(samples.spikes[number : number + 1])
    golden = GoldenChip(chip, compiled.image, neurons=compiled.neurons)
    trace = golden.run(events, record=("spikes",))
    counts = trace.outputs[0].sum(axis=0, dtype=np.int64)
    if not counts.any():
        raise SpikeletError(
            f"no output of {compiled.name!r} spikes in sample {number}, so that it has no class, "
            "and a self-test with it would not tell a working chip from a dead one",
            remedy=_remedy(compiled, samples),
        )
    counted = (trace.active_axons[0].sum(axis=0), trace.merged_spikes[0])
    assert trace.cycles is not None
    return Sample(
        program=compiled.image.program(chip),
        flits=np.split(events.flits(chip), events.offsets[1:-1]),
        counts=counts,
        words=readable_words(chip, golden.snapshot(), *counted),
        cycles=int(trace.cycles.sum()) + _CYCLES_A_PACKET * _packets(compiled, trace),
    )


def _packets(compiled: CompiledNetwork, trace: Trace) -> int:
    """Return the packets that arrive at cores and host; golden's cycles leave their way out."""
    assert trace.spikes is not None
    total = 0
    for contents, spikes in zip(compiled.image.cores, trace.spikes, strict=True):
        neuron, *_, columns, rows = contents.destinations.T
        total += int((spikes.sum(axis=(0, 1))[neuron] * columns * rows).sum())
    return total


def _remedy(compiled: CompiledNetwork, samples: Samples) -> str:
    """Return what to do about a silent sample: which other one spikes."""
    outputs = run(compiled, samples.spikes, record=()).outputs
    spiking = np.flatnonzero(outputs.any(axis=(1, 2)))
    if len(spiking):
        return f"choose another sample; the first that spikes is {spiking[0]} (--sample)"
    return (
        f"no output spikes in any of the {len(samples.spikes)} samples: look at the thresholds, "
        "weights and time constants of the network, or give other samples"
    )
