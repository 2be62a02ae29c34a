"""Probes: what a driver reads of a chip after each tick, and the Recording that it makes of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.memory_map import COUNTERS, ChipMap, register_number
from spikelet.description.chip.neuron_words import unpack_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import learned_words, state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording, learned_fields, recorded_states

__all__ = ["Probes"]

_LEARNED = ("weights", "tags", "pre_traces", "post_traces", "random")


class Probes:
    """What is read after each tick: cycles, counters, and the words that are recorded.

    Parameters
    ----------
    chip : ChipParams
    record : sequence of str
        As for :meth:`spikelet.host.driver.Chip.run`.

    Attributes
    ----------
    addresses : array of uint32, shape (probes,)
        Where it is read.
    """

    def __init__(self, chip: ChipParams, record: Sequence[str]) -> None:
        self.chip = chip
        self.record = record
        chip_map = ChipMap(chip)
        counters = [
            chip_map.address(core, "counters", np.arange(len(COUNTERS)))
            for core in range(len(chip.cores))
        ]
        names: tuple[str, ...] = ()
        if "spikes" in record or "states" in record:
            names += ("state",)
        if "learning" in record:
            kept = [name for core in chip.cores for name in core.update.kept]
            names += (*_LEARNED, *dict.fromkeys(kept))
        self.words = state_words(chip, names)
        registers = [register_number(chip, name) for name in ("cycles", "dropped_packets")]
        addresses = [np.array(registers, np.uint32), *counters]
        addresses += [at for core in self.words for at in core.values()]
        self.addresses = np.concatenate(addresses)
        self.counters = self.addresses[1 : 2 + len(chip.cores) * len(COUNTERS)]

    def trace(
        self,
        engine: str,
        outputs: npt.NDArray[np.uint16],
        words: npt.NDArray[np.uint32],
        neurons: Sequence[int] | None,
        *,
        before: npt.NDArray[np.uint32] | None = None,
        checksums: npt.NDArray[np.uint32] | None = None,
        ticks_run: npt.NDArray[np.int64] | None = None,
    ) -> Recording:
        """Return the Recording of an engine that has counted outputs and read words.

        Parameters
        ----------
        engine : str
        outputs : array of uint16, shape (samples, ticks, n_outputs)
        words : array of uint32, shape (samples, ticks, probes)
        neurons : sequence of int or None
            Neurons in use in each core; all by default.
        before : array of uint32, shape (counters,), or None
            The counters as they were, from which they went on; None if each sample cleared them.
        checksums : array of uint32, shape (samples, cores), or None
        ticks_run : array of int64, shape (samples,), or None
            Ticks of each sample that were run, where not all were.

        Raises
        ------
        SpikeletError
            If packets were dropped.
        """
        counts, dropped = self._counted(words, before, ticks_run)
        self._check_none_dropped(engine, dropped, counts["dropped_packets"])
        return Recording(
            engine,
            outputs,
            counts["active_axons"],
            counts["merged_spikes"].sum(axis=1, dtype=np.int32),
            tuple(neurons or (core.n_neurons for core in self.chip.cores)),
            cycles=words[..., 0].astype(np.int64),
            checksums=checksums,
            ticks_run=ticks_run,
            **self.recorded(words, ticks_run),
        )

    def _check_none_dropped(
        self, engine: str, in_network: npt.NDArray[np.int32], in_cores: npt.NDArray[np.int32]
    ) -> None:
        """Raise SpikeletError if packets were dropped; see :meth:`_counted`."""
        places = {"the network": in_network}
        places |= {f"core {i}": in_cores[..., i] for i in range(len(self.chip.cores))}
        for where, dropped in places.items():
            if dropped.any():
                sample, tick = np.argwhere(dropped)[0]
                raise SpikeletError(
                    f"{engine}: {where} dropped {dropped.sum()} packets, "
                    f"the first in sample {sample}, tick {tick}",
                    remedy="load an image of this chip, then run again",
                )

    def _counted(
        self,
        words: npt.NDArray[np.uint32],
        before: npt.NDArray[np.uint32] | None,
        ticks_run: npt.NDArray[np.int64] | None,
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Return what was counted in each tick.

        Parameters
        ----------
        words, before, ticks_run
            As for :meth:`trace`.

        Returns
        -------
        dict of array of int32, shape (samples, ticks, cores)
            By the names of ``COUNTERS``.
        array of int32, shape (samples, ticks)
            Packets that the network dropped.
        """
        samples, ticks, _ = words.shape
        counters = words[..., 1 : 1 + len(self.counters)]
        if ticks_run is not None:  # behind them, the counters stay as they are
            read = np.minimum(np.arange(ticks), ticks_run[:, None] - 1)
            counters = np.take_along_axis(counters, read[..., None], axis=1)
        first = np.zeros((samples, 1, len(self.counters)), np.uint32)
        if before is not None and ticks:
            first[:1, 0] = before
            first[1:, 0] = counters[:-1, -1]
        steps = np.diff(np.concatenate([first, counters], axis=1), axis=1)  # modulo 2**32
        counts = steps.astype(np.int32)
        by_core = counts[..., 1:].reshape(samples, ticks, len(self.chip.cores), len(COUNTERS))
        named = {name: by_core[..., place].copy() for place, name in enumerate(COUNTERS)}
        return named, counts[..., 0]

    def recorded(
        self, words: npt.NDArray[np.uint32], ticks_run: npt.NDArray[np.int64] | None = None
    ) -> dict[str, Any]:
        """Return spikes, states and what was learned, by core, as far as recorded.

        0 in ticks that were not run.
        """
        found: dict[str, list[Any]] = {"spikes": [], "states": [], "learned": []}

        def run(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            if ticks_run is not None:  # words of 0 need not stand for 0
                values = values.copy()
                values[np.arange(words.shape[1]) >= ticks_run[:, None]] = 0
            return values

        start = 1 + len(self.counters)
        for core, addresses in zip(self.chip.cores, self.words, strict=True):
            read = {}
            for name, at in addresses.items():
                read[name] = words[..., start : start + len(at)]
                start += len(at)
            if "state" in read:
                states = unpack_states(core, read["state"])
                found["spikes"].append(run(states["fired"]))
                found["states"].append({name: run(states[name]) for name in recorded_states(core)})
            learned = learned_words(core, read)
            wanted = learned_fields(core) if "learning" in self.record else ()
            found["learned"].append({name: run(learned[name]) for name in wanted})
        names = {"spikes": "spikes", "states": "states", "learned": "learning"}
        return {name: found[name] if what in self.record else None for name, what in names.items()}
