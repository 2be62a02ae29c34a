"""Learning capability: synaptic updates a second, and clock cycles for each."""

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.golden.chip import GoldenChip
from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Learned, Subject
from spikelet.runs.throughput import rewards
from spikelet.samples.samples import Samples

__all__ = ["MEASURES", "learned"]

_MOST_VALUES = 1 << 26
"""Weights times ticks of a sample that are recorded at most."""


def learned(compiled: CompiledNetwork, samples: Samples) -> Learned | None:
    """Count the weights that golden changes in the first sample, from the weights as compiled.

    None for a network that does not learn, without a sample, or where the record of all weights
    after each tick would be too large.

    Raises
    ------
    SpikeletError
        If the samples do not fit the network.
    """
    if not compiled.learns or not len(samples.spikes):
        return None
    shown = samples.first(1)
    events = compiled.events(shown.spikes)
    plastic = [n for n, core in enumerate(compiled.chip.cores) if core.learning is not None]
    sizes = [compiled.chip.cores[n].n_axons * compiled.chip.cores[n].n_neurons for n in plastic]
    if events.ticks * sum(sizes) > _MOST_VALUES:
        return None
    golden = GoldenChip(compiled.chip, compiled.image, neurons=compiled.neurons)
    trace = golden.run(events, record=("cycles", "learning"), reward=rewards(compiled, shown))
    if trace.learned is None or trace.cycles is None:
        return None
    updates = 0
    for core in plastic:
        first = np.asarray(compiled.image.cores[core].weights)[None]
        values = np.concatenate([first, trace.learned[core]["weights"][0]])
        updates += int(np.count_nonzero(values[1:] != values[:-1]))
    return Learned(updates, float(trace.cycles.sum()))


def _per_second(subject: Subject) -> list[Figure]:
    found = subject.learned
    if found is None or not found.cycles:
        return []
    return [
        Figure(found.updates * 1e6 * mhz / found.cycles, name, f"at {mhz:.1f} MHz")
        for name, mhz in subject.clocks
    ]


def _cycles(subject: Subject) -> list[Figure]:
    found = subject.learned
    if found is None or not found.updates:
        return []
    return [Figure(found.cycles / found.updates, "", f"{found.updates:,} updates of a sample")]


_DEFINED = "weights that have another value after a tick than before, over the ticks of a sample"
_LEARNS = "a network that learns, and samples"

MEASURES = (
    Measure(
        "updates_per_second",
        "Synaptic updates per second",
        "1/s",
        f"Updates ({_DEFINED}) × clock / clock cycles of the sample",
        "Zhang et al. 2020 ask for learning capability",
        f"{_LEARNS}; and a build (`spikelet build`)",
        _per_second,
    ),
    Measure(
        "cycles_per_update",
        "Clock cycles per synaptic update",
        "",
        "Clock cycles of the sample, inference included, / its updates",
        "Zhang et al. 2020 ask for learning capability",
        _LEARNS,
        _cycles,
    ),
)
