"""The recorded run that is kept beside a chip's Verilog: a short input, and what golden does."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.memory_map import CHIP_REGISTERS, COUNTERS, ChipMap
from spikelet.description.chip.neuron_words import pack_states, state_offsets
from spikelet.description.chip.packets import output_bits
from spikelet.description.chip.state import ChipState
from spikelet.description.chip.state_words import LEARNED_REGIONS, readable_words, state_words
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.description.run.recording import Recording
from spikelet.runs.run import run

__all__ = ["record_run", "recorded_run_of", "stimuli"]

SEED = 0
"""Of the random stimuli."""

_SAMPLES = 2
_LONGEST = 64
"""Ticks of input of a sample of the run, at most, unless its outputs spike later."""

_RATES = (0.1, 0.3, 0.6, 1.0)
_RANDOM_TICKS = (16, 64, 256)
_STATE_WORDS = 1024
"""Neurons whose state is compared after every tick, at most."""


def record_run(
    compiled: CompiledNetwork, calibration: npt.ArrayLike | None = None, top: str = "chip"
) -> RecordedRun:
    """Return golden's run of the first of :func:`stimuli` that makes an output spike, or move.

    If none does, it is that of the last, and says so in ``stimulus``. Compared after every tick are
    all outputs, the active axons of each core, and the states of its neurons, or of
    some of them, spread evenly, in a large chip; after each sample also what cores and network
    merged or dropped.

    Parameters
    ----------
    compiled : CompiledNetwork
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
    top : str
        Name of the top module.
    """
    for name, spikes in stimuli(compiled, calibration):
        values = run(compiled, spikes, record=()).output_values
        active = (values != 0).any(axis=2, keepdims=True)[..., 0]
        spiked = active.any(axis=1)
        if spiked.any():
            chosen = np.flatnonzero(spiked)[:_SAMPLES]
            first = int(active[chosen[0]].argmax())
            return recorded_run_of(compiled, name, spikes[chosen, : max(_LONGEST, first + 1)], top)
    name = f"{name}; no output spikes, with this or any other input that was tried"
    return recorded_run_of(compiled, name, spikes[:_SAMPLES, :_LONGEST], top)


def stimuli(
    compiled: CompiledNetwork, calibration: npt.ArrayLike | None
) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Yield inputs (samples, ticks, n_inputs), each with its name, in the order they are tried.

    First the calibration samples, then random spikes, by :data:`SEED`, at higher and higher rates
    and for longer and longer.
    """
    if calibration is not None:
        shown = np.asarray(compiled.network.check_spikes(calibration), np.uint8)[:16]
        if shown.size:
            yield "calibration samples", shown
    for ticks in _RANDOM_TICKS:
        for rate in _RATES:
            drawn = np.random.default_rng(SEED).random((_SAMPLES, ticks, compiled.network.n_inputs))
            yield f"random spikes, {rate:g} a tick, seed {SEED}", (drawn < rate).astype(np.uint8)


def recorded_run_of(
    compiled: CompiledNetwork, stimulus: str, spikes: npt.NDArray[np.uint8], top: str
) -> RecordedRun:
    """Return golden's run of some input, laid out as words of the configuration port.

    Parameters
    ----------
    compiled : CompiledNetwork
    stimulus : str
        What the input is, in words.
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    top : str
        Name of the top module.
    """
    chip, chip_map = compiled.chip, ChipMap(compiled.chip)
    trace, final = _recorded(compiled, spikes)
    assert trace.spikes is not None and trace.states is not None
    step = -(-sum(core.n_neurons for core in chip.cores) // _STATE_WORDS)
    probes, words, last_words = [], [], []
    last_probes: list[int] = []
    for index, core in enumerate(chip.cores):
        counter = {name: chip_map.address(index, "counters", i) for i, name in enumerate(COUNTERS)}
        active = np.cumsum(trace.active_axons[..., index], axis=1, dtype=np.uint32)
        probes.append(np.array([counter["active_axons"]], np.uint32))
        words.append(active[..., None])
        neurons = np.arange(0, core.n_neurons, step)
        offsets = state_offsets(core).reshape(core.n_neurons, -1)[neurons].ravel()
        probes.append(chip_map.address(index, "state", offsets).astype(np.uint32))
        states = pack_states(core, {**trace.states[index], "fired": trace.spikes[index]})
        by_neuron = states.reshape(trace.samples, trace.ticks, core.n_neurons, -1)
        words.append(by_neuron[:, :, neurons].reshape(trace.samples, trace.ticks, -1))
        for name, expected in (
            ("merged_spikes", trace.merged_spikes[:, index].astype(np.uint32)),
            ("dropped_packets", np.zeros(trace.samples, np.uint32)),
        ):
            last_probes.append(int(counter[name]))
            last_words.append(expected)
    structure = int(chip.digest[:8], 16)
    for name, value in (("structure", structure), ("ticks", trace.ticks), ("flags", 0)):
        last_probes.append(CHIP_REGISTERS.index(name))
        last_words.append(np.full(trace.samples, value, np.uint32))
    kept = [name for core in chip.cores for name in core.update.kept]
    learned = state_words(chip, (*LEARNED_REGIONS, *dict.fromkeys(kept)))
    if any(learned):
        addresses = np.concatenate([at for core in learned for at in core.values()])
        # what is read back after each sample, in a network that learns
        read = [
            readable_words(chip, state, *np.zeros((2, len(chip.cores)), int)) for state in final
        ]
        last_probes += addresses.tolist()
        found = [words[np.searchsorted(words[:, 0], addresses), 1] for words in read]
        last_words += list(np.stack(found, axis=1))
    events = compiled.events(spikes)
    assert trace.cycles is not None
    mask, shift = output_bits(chip)
    return RecordedRun(
        top=top,
        structure=structure,
        stimulus=stimulus,
        program=compiled.image.program(chip),
        samples=events.samples,
        ticks=events.ticks,
        offsets=events.offsets,
        flits=events.flits(chip),
        output_mask=mask,
        outputs=trace.outputs,
        probes=np.concatenate(probes),
        words=np.concatenate(words, axis=2),
        last_probes=np.array(last_probes, np.uint32),
        last_words=np.stack(last_words, axis=1),
        cycles=int(trace.cycles.max(initial=0)),
        count_shift=shift,
    )


def _recorded(
    compiled: CompiledNetwork, spikes: npt.NDArray[np.uint8]
) -> tuple[Recording, list[ChipState]]:
    """Return golden's run, and the state after each sample."""
    wanted = ("spikes", "states")
    if not compiled.learns:
        return run(compiled, spikes, record=wanted).recording, []
    states: list[ChipState] = []
    for number in range(len(spikes)):
        state = states[-1] if states else None
        states.append(run(compiled, spikes[number : number + 1], start=state, record=()).final)
    return run(compiled, spikes, record=wanted).recording, states
