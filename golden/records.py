"""Where a run of the golden model is recorded. No twin in rtl_gen."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.neuron_words import state_type
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import learned_fields, recorded_states

__all__ = ["RECORDS", "Records"]

RECORDS = ("spikes", "states", "learning", "cycles", "checksums")
"""What can be recorded besides outputs and counters; ``cycles``: counted, not estimated."""


@dataclass
class Records:
    """Arrays that a run fills; see :class:`Recording` for what is what.

    Parameters
    ----------
    outputs : array of uint16, shape (samples, ticks, n_outputs)
        Zero at first.
    active_axons : array of int32, shape (samples, ticks, cores)
    merged_spikes : array of int32, shape (samples, cores)
    rested : array of bool, shape (samples, ticks, cores)
        Which ticks a core cuts short, as its neurons rest. Zero at first.
    spikes : list of arrays of bool or uint8, shape (samples, ticks, n_neurons), or None
    states : list of dict of arrays, shapes (samples, ticks, n_neurons), or None
    learned : list of dict of arrays, shapes (samples, ticks, ...), or None
    checksums : array of uint32, shape (samples, cores), or None
    axons : list of arrays of bool, shape (samples, ticks, n_axons), or None
        The active axons of each core, from which cycles are counted.
    ticks_run : array of int64, shape (samples,), or None
        Of a run with early stop.
    """

    outputs: npt.NDArray[np.uint16]
    active_axons: npt.NDArray[np.int32]
    merged_spikes: npt.NDArray[np.int32]
    rested: npt.NDArray[np.bool_]
    spikes: list[npt.NDArray[Any]] | None = None
    states: list[dict[str, npt.NDArray[Any]]] | None = None
    learned: list[dict[str, npt.NDArray[Any]]] | None = None
    checksums: npt.NDArray[np.uint32] | None = None
    axons: list[npt.NDArray[np.bool_]] | None = None
    ticks_run: npt.NDArray[np.int64] | None = None

    @classmethod
    def empty(
        cls, chip: ChipParams, samples: int, ticks: int, record: Collection[str]
    ) -> "Records":
        """Return arrays for a run of a chip, all zero.

        Parameters
        ----------
        chip : ChipParams
        samples, ticks : int
        record : collection of str
            Any of :data:`RECORDS`.

        Raises
        ------
        SpikeletError
            If something else is to be recorded.
        """
        for name in record:
            if name not in RECORDS:
                raise SpikeletError(f"record: any of {', '.join(RECORDS)}, not {name!r}")
        n_cores, run = len(chip.cores), (samples, ticks)
        return cls(
            np.zeros((*run, chip.n_outputs), np.uint16),
            np.zeros((*run, n_cores), np.int32),
            np.zeros((samples, n_cores), np.int32),
            np.zeros((*run, n_cores), np.bool_),
            [np.zeros((*run, core.n_neurons), state_type(core, "fired")) for core in chip.cores]
            if "spikes" in record
            else None,
            _named(chip, run, recorded_states) if "states" in record else None,
            _named(chip, run, learned_fields) if "learning" in record else None,
            np.zeros((samples, n_cores), np.uint32) if "checksums" in record else None,
            [np.zeros((*run, core.n_axons), np.bool_) for core in chip.cores]
            if "cycles" in record
            else None,
        )

    def part(self, sample: int, ticks: int) -> "Records":
        """Return where the first ticks of one sample are recorded, but for checksums."""
        here = (slice(sample, sample + 1), slice(ticks))

        def named(
            cores: list[dict[str, npt.NDArray[Any]]] | None,
        ) -> list[dict[str, npt.NDArray[Any]]] | None:
            if cores is None:
                return None
            return [{name: values[here] for name, values in core.items()} for core in cores]

        return Records(
            self.outputs[here],
            self.active_axons[here],
            self.merged_spikes[here[0]],
            self.rested[here],
            None if self.spikes is None else [values[here] for values in self.spikes],
            named(self.states),
            named(self.learned),
            axons=None if self.axons is None else [values[here] for values in self.axons],
        )


def _named(
    chip: ChipParams,
    run: tuple[int, int],
    fields: Callable[[CoreParams], dict[str, tuple[tuple[int, ...], type[np.generic]]]],
) -> list[dict[str, npt.NDArray[Any]]]:
    """Return arrays for what ``fields`` says of each core."""
    return [
        {name: np.zeros((*run, *shape), dtype) for name, (shape, dtype) in fields(core).items()}
        for core in chip.cores
    ]
