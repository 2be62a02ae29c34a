"""A run of samples as what a link takes, and what came back."""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.memory_map import LEARNING_REGISTERS, ChipMap, register_number
from spikelet.description.chip.packets import output_bits
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.host.link import Batch, Ran, Words
from spikelet.host.probes import Probes

__all__ = ["batch_of", "check_ended", "stop_register", "ticks_run"]


def stop_register(chip: ChipParams) -> int:
    """Return the address of the register that lets samples stop; of a chip that can."""
    return register_number(chip, "stop_at_output")


def batch_of(
    chip: ChipParams,
    events: Events,
    flits: Words,
    rewards: npt.NDArray[np.int32],
    probes: Probes,
    *,
    clear: bool,
    cycle_limit: int,
    stop_at_output: bool,
) -> Batch:
    """Return some samples as words.

    Parameters
    ----------
    chip : ChipParams
    events : Events
        Of the samples.
    flits : array of uint32
        Those of the events; more may follow.
    rewards : array of int32, shape (samples, ticks)
    probes : Probes
    clear, cycle_limit, stop_at_output
        As for :meth:`spikelet.host.driver.Chip.run`.
    """
    place = ChipMap(chip)
    settings = np.array(
        [
            int(place.address(index, "learning", LEARNING_REGISTERS.index("reward")))
            for index, core in enumerate(chip.cores)
            if core.learning and "r" in core.learning.variables
        ],
        np.uint32,
    )
    mask, shift = output_bits(chip)
    return Batch(
        events.samples,
        events.ticks,
        clear,
        events.offsets,
        flits,
        settings,
        np.repeat(rewards.astype(np.uint32)[..., np.newaxis], len(settings), axis=2),
        probes.addresses,
        chip.n_outputs,
        mask,
        cycle_limit,
        shift,
        register_number(chip, "stopped") if stop_at_output else None,
    )


def check_ended(name: str, ran: Ran, first: int, batch: Batch) -> None:
    """Raise SpikeletError if a tick did not end; ``first`` is the first sample's number."""
    if ran.unfinished is not None:
        sample, tick = divmod(ran.unfinished, max(1, batch.ticks))
        raise SpikeletError(
            f"{name}: sample {first + sample}, tick {tick} did not end "
            f"within {batch.cycle_limit} clock cycles"
        )


def ticks_run(name: str, ran: Ran) -> npt.NDArray[np.int64]:
    """Return how many ticks each sample of a batch with ``stop`` has run."""
    if ran.ticks_run is None:
        raise SpikeletError(
            f"{name}: the link does not say how many ticks samples have run",
            remedy="let its run() obey Batch.stop, and return Ran.ticks_run",
        )
    return ran.ticks_run
