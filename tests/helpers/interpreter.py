"""The tick contract carried out event by event on plain lists: the tests' own chip.

Slow, integers only, and written from the docstrings of the description alone.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from tests.helpers.networks import RESETS


def run_chip(
    chip: ChipParams, image: ChipImage, events: Events, neurons: tuple[int, ...]
) -> Recording:
    """Run a chip on events; return its Recording with spikes and potentials."""
    image.check(chip)
    events.check(chip)
    shape = (events.samples, events.ticks)
    outputs = np.zeros((*shape, chip.n_outputs), np.uint16)
    active = np.zeros((*shape, len(chip.cores)), np.int32)
    merged = np.zeros((events.samples, len(chip.cores)), np.int32)
    spikes = [np.zeros((*shape, core.n_neurons), bool) for core in chip.cores]
    potentials = [np.zeros((*shape, core.n_neurons), np.int32) for core in chip.cores]
    entries = [core.destinations.tolist() for core in image.cores]
    for sample in range(events.samples):
        due: dict[int, list[set[int]]] = defaultdict(lambda: [set() for _ in chip.cores])
        state = [([0] * core.n_neurons, [0] * core.n_neurons) for core in chip.cores]

        def arrive(tick: int, core: int, axon: int, due: Any = due, sample: int = sample) -> None:
            merged[sample, core] += axon in due[tick][core]
            due[tick][core].add(axon)

        for tick in range(events.ticks):
            first = sample * events.ticks + tick
            for i in range(events.offsets[first], events.offsets[first + 1]):
                arrive(tick + int(events.delay[i]), int(events.core[i]), int(events.axon[i]))
            for index, core in enumerate(chip.cores):
                active[sample, tick, index] = len(due[tick][index])
                v, fired = state[index]
                if tick >= core.first_tick:
                    update(core, image.cores[index], v, fired, due[tick][index])
                spikes[index][sample, tick] = fired
                potentials[index][sample, tick] = v
                for neuron, target, axon, delay, columns, rows in entries[index]:
                    if fired[neuron] and target == HOST:
                        outputs[sample, tick, axon] += 1
                    elif fired[neuron]:
                        for step in range(columns * rows):
                            row, column = divmod(step, columns)
                            arrive(tick + delay, target + row * chip.width + column, axon)
    states = [{"v": values} for values in potentials]
    return Recording("interpreter", outputs, active, merged, neurons, spikes, states)


def update(core: Any, image: Any, v: list[int], fired: list[int], axons: set[int]) -> None:
    """Carry out the tick of a LIF model, without its text, for every neuron of a core."""
    how = RESETS[core.neuron.name]
    currents = image.weights[sorted(axons)].astype(int).sum(axis=0).tolist()

    def parameter(name: str, n: int) -> int:
        value = core.parameters.get(name, 0)
        if isinstance(value, int):
            return value
        return int(image.parameters[name][n if value == "neuron" else 0])

    for n in range(core.n_neurons):
        threshold, decay, bias, reset = (
            parameter(name, n) for name in ("threshold", "decay", "bias", "reset_potential")
        )
        pending = int(v[n] > threshold) if how.residual else 0
        pending = fired[n] if how.delayed else pending
        base = reset if pending and how.kind != "subtract" else v[n]
        halves = 2 * base * decay // 4096  # floor, so that + 1 and // 2 round halves up
        summed = (halves + 1) // 2 + currents[n] * 2**core.weight_exponent + bias
        if how.kind == "subtract":
            summed -= pending * threshold
        clipped = min(max(summed, core.v_min), core.v_max)
        fired[n] = int(clipped > threshold)
        if how.delayed:
            v[n] = clipped
        elif how.kind == "subtract":
            after = clipped + pending * threshold - fired[n] * threshold
            v[n] = min(max(after, core.v_min), core.v_max)
        else:
            v[n] = reset if fired[n] else clipped
