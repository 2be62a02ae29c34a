"""Golden model of a chip: the tick contract over all cores. Twin of ``rtl_gen/chip.py``."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.errors import SpikeletError
from spikelet.description.processors import threads_of
from spikelet.description.run.events import Events, checked_reward
from spikelet.description.run.recording import Recording
from spikelet.golden.chip_cycles import ChipCycles, chip_cycles
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.golden.native import NativeCores, warn_of_numpy
from spikelet.golden.numpy_cores import NumpyCores
from spikelet.golden.records import Records
from spikelet.golden.timing import tick_cycles

__all__ = ["BACKENDS", "GoldenChip", "run"]

BACKENDS = ("auto", "numpy", "native")


class GoldenChip:
    """A chip with its contents and state, ready to run.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
        Not to be changed afterwards; what is learned does not change it.
    backend : str
        ``"numpy"``, the reference; ``"native"``, the same by ``kernel.c``; or ``"auto"``:
        compiled if the machine has a C compiler, else numpy with a SpikeletWarning.
    neurons : sequence of int
        Neurons in use in each core, for the count of synaptic operations; all by default.

    Attributes
    ----------
    notes : dict
        ``"backend"``: ``"numpy"`` or ``"native"``; ``"backend_note"``: why not the latter, where
        it was wanted. They go into each Recording.
    counted : ChipCycles or None
        Where the clock cycles go, of the last run that recorded ``"cycles"``.

    Raises
    ------
    SpikeletError
        If the image does not fit the chip, or the backend is unknown or cannot be used.
    """

    def __init__(
        self,
        chip: ChipParams,
        image: ChipImage,
        *,
        backend: str = "auto",
        neurons: Sequence[int] | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise SpikeletError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
        image.check(chip)
        self.chip = chip
        self.image = image
        self.neurons = tuple(neurons or (core.n_neurons for core in chip.cores))
        cleared = tuple(CoreState.cleared(core) for core in chip.cores)
        state = ChipState(chip.digest, 0, image, cleared)
        self.notes = {"backend": "numpy"}
        self.counted: ChipCycles | None = None
        self._cores: NativeCores | NumpyCores
        if backend == "numpy":
            self._cores = NumpyCores(chip, state)
            return
        try:
            self._cores = NativeCores(chip, state)
            self.notes["backend"] = "native"
        except SpikeletError as error:
            if backend == "native":
                raise
            self._cores = NumpyCores(chip, state)
            self.notes["backend_note"] = str(error)
            warn_of_numpy(error.args[0], error.remedy)

    def run(
        self,
        inputs: Events | DenseSpikes,
        *,
        record: Iterable[str] = ("spikes", "states"),
        progress: Callable[[int], None] = lambda samples: None,
        reward: npt.ArrayLike | None = None,
        clear: bool = True,
        stop_at_output: bool = False,
        threads: int | None = None,
    ) -> Recording:
        """Run a batch of samples. What is learned goes on from sample to sample, and run to run.

        Parameters
        ----------
        inputs : Events or DenseSpikes
            As many samples and ticks are run as it has.
        record : iterable of str
            Any of ``"spikes"``, ``"states"``, ``"learning"`` and ``"checksums"``: what the
            Recording holds, besides outputs and counters. And ``"cycles"``: clock cycles are
            counted from the axons and spikes of each tick, not estimated from the number of axons,
            which is slower (:func:`~spikelet.golden.chip_cycles.chip_cycles`).
        progress : callable
            Told how many samples are done, now and then.
        reward : array of int, shape (samples, ticks), or None
            The reward of each tick, for all plastic cores; None is 0.
        clear : bool
            Whether each sample starts from a cleared state. If not, it goes on from where the one
            before ended, and the first from the present state.
        stop_at_output : bool
            Whether each sample ends with the tick in which its first spike reaches the host, as
            with the chip's register of this name.
        threads : int or None
            How many may be taken, which changes no result; None: as many as
            :func:`~spikelet.description.processors.set_threads` says, one for each processor
            unless told otherwise. Samples run side by side; where a sample depends on the one
            before, or there is only one, the cores of a large chip do. numpy takes one.

        Raises
        ------
        SpikeletError
            If there are not so many processors, the inputs or rewards do not fit the chip,
            something unknown is to be recorded, or the chip cannot stop, or samples are not
            cleared, which would keep it stopped.
        """
        inputs.check(self.chip)
        taken = threads_of(threads)
        if stop_at_output:
            self.chip.check_early_stop(clear)
        samples, ticks = inputs.samples, inputs.ticks
        rewards = checked_reward(self.chip, reward, samples, ticks)
        asked = tuple(record)
        needed = (*asked, "spikes") if "cycles" in asked else asked
        records = Records.empty(self.chip, samples, ticks, needed)
        if stop_at_output:
            records.ticks_run = np.zeros(samples, np.int64)
        at_once = self._cores.samples_at_once(ticks, records, clear, taken)
        if records.checksums is not None or (stop_at_output and self._learns):
            at_once = 1
        for first in range(0, samples, at_once):
            last = min(first + at_once, samples)
            if stop_at_output:
                self._run_until_output(inputs, slice(first, last), rewards, records, taken)
            else:
                self._cores.run(inputs, slice(first, last), rewards, records, clear, taken)
            if records.checksums is not None:
                records.checksums[first] = self._cores.snapshot().checksums()
            progress(last)
        if records.axons and records.spikes is not None:
            image = self._cores.snapshot().image if self._learns else self.image
            events = inputs if isinstance(inputs, Events) else inputs.events()
            self.counted = chip_cycles(
                *(self.chip, image, records.axons),
                [spikes != 0 for spikes in records.spikes],
                *(records.rested, events, rewards),
                clear=clear,
            )
            cycles = self.counted.cycles.copy()
        else:
            cycles = tick_cycles(self.chip, records.active_axons, records.rested)
        if records.ticks_run is not None:
            cycles[np.arange(ticks) >= records.ticks_run[:, None]] = 0
        return Recording(
            "golden",
            records.outputs,
            records.active_axons,
            records.merged_spikes,
            self.neurons,
            spikes=records.spikes if "spikes" in asked else None,
            states=records.states,
            cycles=cycles,
            learned=records.learned,
            checksums=records.checksums,
            ticks_run=records.ticks_run,
            notes=dict(self.notes),
        )

    @property
    def _learns(self) -> bool:
        """Whether a sample can leave something to the next that is cleared."""
        return any(core.learning or core.update.kept for core in self.chip.cores)

    def _run_until_output(
        self,
        inputs: Events | DenseSpikes,
        here: slice,
        rewards: npt.NDArray[np.int32],
        records: Records,
        threads: int,
    ) -> None:
        """Run the samples ``here``, each up to the tick in which a spike reaches the host.

        A trial of all ticks shows which that is. What a tick does, no later one changes; so the
        samples are run again, each by so many ticks.
        """
        assert records.ticks_run is not None
        before = self._cores.snapshot() if self._learns else None
        trial = Records.empty(self.chip, here.stop - here.start, inputs.ticks, ())
        batch = inputs.samples_between(here.start, here.stop)
        shown = np.ascontiguousarray(rewards[here])
        self._cores.run(batch, slice(0, batch.samples), shown, trial, True, threads)
        if before:
            self._cores.restore(before)
        spiked = trial.outputs.sum(axis=2, dtype=np.int64) > 0
        records.ticks_run[here] = np.where(
            spiked.any(axis=1), spiked.argmax(axis=1) + 1, inputs.ticks
        )
        for sample in range(here.start, here.stop):
            ticks = int(records.ticks_run[sample])
            part = inputs.samples_between(sample, sample + 1).first_ticks(ticks)
            reward = rewards[sample : sample + 1, :ticks]
            self._cores.run(part, slice(0, 1), reward, records.part(sample, ticks), True)

    def learn(self, on: bool, core: int | None = None) -> None:
        """Switch learning on or off in all plastic cores, or in one.

        SpikeletError if there are none, or that one is not plastic.
        """
        switched = self.chip.plastic_cores(core)
        state = self._cores.snapshot()
        contents = tuple(
            replace(contents, learning=on) if index in switched else contents
            for index, contents in enumerate(state.image.cores)
        )
        self._cores.restore(replace(state, image=ChipImage(contents)))

    def snapshot(self) -> ChipState:
        """Return contents, with what was learned, and state after the last tick that was run."""
        return self._cores.snapshot()

    def restore(self, state: ChipState) -> None:
        """Take contents and state from a snapshot; SpikeletError if it is of another chip."""
        state.check(self.chip)
        self._cores.restore(state)


def run(
    chip: ChipParams,
    image: ChipImage,
    events: Events | DenseSpikes,
    *,
    record: Iterable[str] = ("spikes", "states"),
    neurons: Sequence[int] | None = None,
    progress: Callable[[int], None] = lambda samples: None,
    backend: str = "auto",
    reward: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> Recording:
    """Run a batch of samples once: :class:`GoldenChip` and its :meth:`GoldenChip.run`."""
    golden = GoldenChip(chip, image, backend=backend, neurons=neurons)
    return golden.run(events, record=record, progress=progress, reward=reward, threads=threads)
