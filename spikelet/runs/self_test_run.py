"""What a self-test image stores of a network: samples, and all of golden's answer."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.chip.state_words import readable_words
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.update import can_spike
from spikelet.description.run.events import Events, checked_reward
from spikelet.description.run.recording import Recording
from spikelet.fpga.self_test_image import StoredRun
from spikelet.golden.chip import GoldenChip
from spikelet.golden.timing import learning_cycles
from spikelet.runs.run import run, with_extra
from spikelet.samples.samples import Samples

__all__ = ["stored_run", "stored_samples"]

_CYCLES_A_PACKET = 2
"""If all of a tick leave one after the other through the link that is used most, or to the host."""


def stored_run(
    chip: ChipParams,
    image: ChipImage,
    events: Events,
    *,
    reward: npt.ArrayLike | None = None,
    name: str = "the network",
    shown: str = "any of the samples to be stored",
    remedy: Callable[[], str] = lambda: "store other samples, or more of them",
) -> StoredRun:
    """Return program, samples, golden's spike counts, and what the chip reads afterwards.

    Each sample starts from a cleared state. Where the image has learning on, what is learned goes
    on from sample to sample, and all that was learned is part of what is read.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
        As it is loaded, before any of the samples.
    events : Events
        All samples to be stored.
    reward : array of int, shape (samples, ticks), or None
        The reward of each tick; None is 0.
    name, shown : str
        Network and samples, for errors.
    remedy : callable
        Returns what to do if nothing spikes; asked only then.

    Raises
    ------
    SpikeletError
        If events or rewards do not fit the chip; if no output spikes, since a dead chip would be
        right, too; if learning is on and no weight changes, since one that cannot learn would.
    """
    rewards = checked_reward(chip, reward, events.samples, events.ticks)
    golden = GoldenChip(chip, image)
    trace = golden.run(events, record=("spikes",), reward=rewards)
    counts = trace.outputs.sum(axis=(0, 1), dtype=np.int64)
    final = golden.snapshot()
    if not counts.any() and not _read(chip, final):
        raise SpikeletError(
            f"no output of {name} spikes in {shown}, so that it has no class, and a self-test with "
            "it would not tell a working chip from a dead one",
            remedy=remedy(),
        )
    counted = (trace.active_axons[-1].sum(axis=0), trace.merged_spikes[-1])
    assert trace.cycles is not None
    cycles = int(trace.cycles.sum()) + _learning_cycles(chip, image, trace, rewards)
    stored = StoredRun(
        program=image.program(chip),
        events=events,
        counts=counts,
        words=readable_words(chip, final, *counted),
        cycles=cycles + _CYCLES_A_PACKET * _packets(image, trace),
        reward=rewards,
    )
    stored.check(chip)
    return stored


def _read(chip: ChipParams, state: ChipState) -> bool:
    """Return whether a potential that is an output has moved: it is among the words compared."""
    cores = zip(chip.cores, state.cores, strict=True)
    return any(found.states["v"].any() for core, found in cores if not can_spike(core.neuron))


def stored_samples(
    compiled: CompiledNetwork,
    samples: Samples,
    first: int,
    count: int = 1,
) -> StoredRun:
    """Return :func:`stored_run` of some samples of a network.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
    first, count : int
        Number of the first sample, and how many; 1 or more.

    Raises
    ------
    SpikeletError
        If there are no such samples; if no output spikes in them, with a sample that would do; and
        as :func:`stored_run`.
    """
    there = len(samples.spikes)
    if not 0 <= first < there:
        raise SpikeletError(
            f"sample must be in 0..{there - 1}, not {first}",
            remedy="choose one of these (--sample)",
        )
    if not 1 <= count <= there - first:
        raise SpikeletError(
            f"samples stored from sample {first} on must be 1..{there - first}, not {count}",
            remedy="store fewer, begin with an earlier one, or give more samples",
        )
    last = first + count
    ticks = samples.spikes.shape[1]
    if samples.lengths is not None:
        of_each = set(samples.lengths[first:last].tolist())
        if len(of_each) > 1:
            raise SpikeletError(
                f"samples {first} to {last - 1} have lengths from {min(of_each)} to "
                f"{max(of_each)}; an image holds samples of one length",
                remedy="store one sample (--count 1), or several of one length",
            )
        ticks = of_each.pop()
    reward = None if samples.reward is None else samples.reward[first:last, :ticks]
    return stored_run(
        compiled.chip,
        compiled.image,
        compiled.events(samples.spikes[first:last, :ticks]),
        reward=None if reward is None else with_extra(reward, compiled.output_latency),
        name=repr(compiled.name),
        shown=f"sample {first}" if count == 1 else f"samples {first} to {last - 1}",
        remedy=lambda: _remedy(compiled, samples),
    )


def _packets(image: ChipImage, trace: Recording) -> int:
    """Return the packets that arrive at cores and host; golden's cycles leave their way out."""
    assert trace.spikes is not None
    total = 0
    for contents, spikes in zip(image.cores, trace.spikes, strict=True):
        neuron, *_, columns, rows = contents.destinations.T
        total += int((spikes.sum(axis=(0, 1))[neuron] * columns * rows).sum())
    return total


def _learning_cycles(
    chip: ChipParams, image: ChipImage, trace: Recording, rewards: npt.NDArray[np.int32]
) -> int:
    """Return what learning adds to all ticks, at most: as if every axon had a trace."""
    assert trace.spikes is not None
    total = 0.0
    for index, (core, contents) in enumerate(zip(chip.cores, image.cores, strict=True)):
        if core.learning and contents.learning:
            by_group = trace.spikes[index].reshape(*rewards.shape, core.groups, core.lanes)
            post = by_group.any(axis=3).sum(axis=2) if "post" in core.learning.phases else 0
            if core.learning.visits_errors:  # any neuron may have one
                post = np.full(rewards.shape, core.groups)
            groups = post + core.groups * _sweeps(core, rewards)
            active = trace.active_axons[..., index]
            axons = np.full(rewards.shape, core.n_axons)
            total += float(learning_cycles(core, active, groups, axons).sum())
    return int(total)


def _sweeps(core: CoreParams, rewards: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return whether each tick may have a sweep, (samples, ticks)."""
    assert core.learning is not None
    tick = np.arange(1, rewards.shape[1] + 1)
    due: npt.NDArray[np.bool_] = (rewards != 0) & ("r" in core.learning.variables)
    for period in core.learning.periods:
        due = due | (tick % (1 << period) == 0)
    sweeps: npt.NDArray[np.int64] = due.astype(np.int64)
    return sweeps


def _remedy(compiled: CompiledNetwork, samples: Samples) -> str:
    """Return what to do about a silent sample: which other one spikes."""
    outputs = run(compiled, samples, record=()).outputs
    spiking = np.flatnonzero(outputs.any(axis=(1, 2)))
    if len(spiking):
        return f"choose another sample; the first that spikes is {spiking[0]} (--sample)"
    return (
        f"no output spikes in any of the {len(samples.spikes)} samples: look at the thresholds, "
        "weights and time constants of the network, or give other samples"
    )
