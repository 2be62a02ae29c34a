"""The driver of a chip: loads it, runs it, and reads back what it did, through any link.

It knows the chip by its description and its memory map alone; what carries the words is a
:class:`spikelet.host.link.Link`. So the same code drives a Verilated chip and one on a board.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap, register_number
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.chip.state_words import (
    restore_program,
    snapshot_of,
    state_words,
    words_behind,
)
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events, checked_reward
from spikelet.description.run.recording import Recording
from spikelet.host.batches import batch_of, check_ended, stop_register, ticks_run
from spikelet.host.expected_chip import check_identity
from spikelet.host.link import Batch, Link, Words
from spikelet.host.network import HostNetwork
from spikelet.host.ports import opened_port
from spikelet.host.probes import Probes
from spikelet.host.programming import Programmed, programmed
from spikelet.host.serial_link import PATIENCE_S, SerialLink
from spikelet.host.serial_port import BAUD

__all__ = ["Chip"]

_CHUNK_WORDS = 1 << 24
"""Words that one batch of a run reads back at most, unless one sample does."""

_CHUNK_LOADED = 4096
"""Words after which progress is told."""

_LOAD_AGAIN = (
    "load again; if it happens again, the chip does not work at this clock, or its bitstream is of "
    "another version"
)

_CYCLE_LIMIT = 10_000_000
_CLEAR_LIMIT = 1 << 24


class Chip:
    """A chip behind a link.

    Parameters
    ----------
    chip : ChipParams
    link : Link
        To a chip that has been reset; closed by :meth:`close`.
    name : str
        Engine name for the Recordings, such as ``"rtl"``.

    Raises
    ------
    SpikeletError
        If what answers is no chip of Spikelet's, or another one; the link is closed then.
    """

    def __init__(self, chip: ChipParams, link: Link, *, name: str) -> None:
        self.chip = chip
        self.link = link
        self.name = name
        self.map = ChipMap(chip)
        self._image: ChipImage | None = None
        self._ticks_before = 0
        try:
            check_identity(name, chip, self.register)
        except BaseException:
            link.close()
            raise

    def close(self) -> None:
        """Close the link."""
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        self.close()

    @classmethod
    def open(
        cls,
        port: str,
        chip: ChipParams | str | Path,
        *,
        baud: int = BAUD,
        patience_s: float = PATIENCE_S,
        watchdog_s: float = 0.0,
    ) -> Self:
        """Open a chip on a board: an image of it with a host link, behind a port.

        Parameters
        ----------
        port : str
            Such as ``/dev/ttyUSB1`` or ``COM3``; see :func:`opened_port`.
        chip : ChipParams or path
            What the bitstream was built of: ``chip`` of a :class:`CompiledNetwork` or
            :class:`HostNetwork`, or the project folder. Nothing is loaded yet.
        baud : int
            As the bitstream was built; of SPI the frequency of ``sck``.
        patience_s, watchdog_s : float
            As for :class:`SerialLink`.

        Raises
        ------
        ForeignChipError
            If another chip than this answers.
        SpikeletError
            If there is no compiled network in the folder, the port cannot be used, nothing
            answers, or a time is out of its range.
        """
        params = chip if isinstance(chip, ChipParams) else HostNetwork.load(chip).chip
        link = SerialLink(opened_port(port, baud), patience_s=patience_s, watchdog_s=watchdog_s)
        return cls(params, link, name="board")

    def load(
        self,
        image: ChipImage,
        *,
        check: bool = False,
        progress: Callable[[int, int], None] = lambda done, words: None,
    ) -> None:
        """Load weights, neuron parameters and destination tables through the configuration port.

        Parameters
        ----------
        image : ChipImage
        check : bool
            Whether all that can be read back is, and compared.
        progress : callable
            Told how many words of how many are written, or read back.

        Raises
        ------
        SpikeletError
            If a word that is read back is another.
        """
        program = image.program(self.chip)
        wanted = words_behind(self.chip, program) if check else program[:0]
        total = len(program) + len(wanted)
        for first in range(0, len(program), _CHUNK_LOADED):
            self.link.write(program[first : first + _CHUNK_LOADED])
            progress(min(first + _CHUNK_LOADED, len(program)), total)
        self._image = image
        for first in range(0, len(wanted), _CHUNK_LOADED):
            part = wanted[first : first + _CHUNK_LOADED]
            found = self.read(part[:, 0])
            if (wrong := found != part[:, 1]).any():
                at, value = part[int(wrong.argmax())].tolist()
                raise SpikeletError(
                    f"{self.name}: the word at {at:#x} was written as {value:#x} and reads as "
                    f"{found[int(wrong.argmax())]:#x}",
                    remedy=_LOAD_AGAIN,
                )
            progress(len(program) + min(first + _CHUNK_LOADED, len(wanted)), total)

    def program_weights(self, image: ChipImage, *, passes: int = 8) -> Programmed:
        """Program and verify the weights, and devices, of plastic cores; leave all else as it is.

        What reads as something else than ``image`` has is written again; the result says which
        words are still not as they should be. Only between ticks.

        Parameters
        ----------
        image : ChipImage
        passes : int
            How often a word is written at most, 1..1000.

        Raises
        ------
        SpikeletError
            If nothing was loaded before, the image does not fit the chip, no core is plastic, or
            ``passes`` is outside its range.
        """
        loaded = self._loaded()
        image.check(self.chip)
        result = programmed(self.chip, self.link, image, passes)
        plastic = self.chip.plastic_cores()
        self._image = ChipImage(
            tuple(
                replace(here, weights=there.weights, devices=there.devices)
                if index in plastic
                else here
                for index, (here, there) in enumerate(zip(loaded.cores, image.cores, strict=True))
            )
        )
        return result

    def read(self, addresses: Words) -> Words:
        """Read words through the configuration port."""
        return self.link.read(addresses)

    def learn(self, on: bool, core: int | None = None) -> None:
        """Switch learning on or off in all plastic cores, or in one.

        SpikeletError if there are none, or that one is not plastic.
        """
        switched = self.chip.plastic_cores(core)
        addresses = [self.map.address(index, "learning") for index in switched]
        self.link.write(np.stack([addresses, np.full(len(switched), on)], axis=1).astype(np.uint32))
        image = self._loaded()
        contents = [
            replace(here, learning=on) if index in switched else here
            for index, here in enumerate(image.cores)
        ]
        self._image = ChipImage(tuple(contents))

    def snapshot(self) -> ChipState:
        """Return contents, with what was learned, and state; only between ticks."""
        addresses = state_words(self.chip)
        words = [{name: self.read(at) for name, at in core.items()} for core in addresses]
        ticks = self.register("ticks") + self._ticks_before
        return snapshot_of(self.chip, self._loaded(), ticks, words)

    def restore(self, state: ChipState, *, check: bool = False) -> None:
        """Take contents and state from a snapshot; SpikeletError if it is of another chip.

        Or, with ``check``, if the chip's own snapshot then is another.
        """
        state.check(self.chip)
        if self.link.run(Batch.clearing(_CLEAR_LIMIT)).unfinished is not None:
            raise SpikeletError(f"{self.name}: clearing did not end")
        self.link.write(restore_program(self.chip, state))
        self._image = state.image
        self._ticks_before = state.ticks
        if check and (self.snapshot().checksums() != state.checksums()).any():
            raise SpikeletError(
                f"{self.name}: the snapshot that was restored reads back as another",
                remedy=_LOAD_AGAIN,
            )

    def run(
        self,
        events: Events,
        *,
        record: Sequence[str] = ("spikes", "states"),
        neurons: Sequence[int] | None = None,
        progress: Callable[[int], None] = lambda samples: None,
        reward: npt.ArrayLike | None = None,
        clear: bool = True,
        start: ChipState | None = None,
        stop_at_output: bool = False,
        cycle_limit: int = _CYCLE_LIMIT,
    ) -> Recording:
        """Run a batch of samples. What is learned goes on from sample to sample, and run to run.

        Parameters
        ----------
        events : Events
            As many samples and ticks are run as it has.
        record : sequence of str
            Any of ``"spikes"``, ``"states"``, ``"learning"`` and ``"checksums"``: what the
            Recording holds, besides outputs and counters. It is read through the configuration
            port, after each tick, or, for checksums, after each sample.
        neurons : sequence of int or None
            Neurons in use in each core, for the count of synaptic operations; all by default.
        progress : callable
            Told how many samples are done, now and then.
        reward : array of int, shape (samples, ticks), or None
            The reward of each tick, for all plastic cores; None is 0.
        clear : bool
            Whether each sample starts from a cleared state. If not, it goes on from where the one
            before ended, and the first from the present state.
        start : ChipState or None
            A snapshot to go on from: it is restored, and no sample is cleared. A run in pieces,
            each from the :meth:`snapshot` behind the one before, is the same, bit for bit, as one
            in one piece, on whatever chips of one description the pieces run.
        stop_at_output : bool
            Whether each sample ends with the tick in which its first spike reaches the host.
        cycle_limit : int
            Clock cycles in which a tick must end.

        Raises
        ------
        SpikeletError
            If events, rewards or the snapshot do not fit the chip, it cannot stop, or is not
            cleared where it would have to, a tick takes more than ``cycle_limit``, or a packet was
            dropped, as none is that comes from events and an image that were checked.
        """
        flits = events.flits(self.chip)
        rewards = checked_reward(self.chip, reward, events.samples, events.ticks)
        probes = Probes(self.chip, record)
        if stop_at_output:
            self.chip.check_early_stop(clear and start is None)
        if start is not None:
            self.restore(start)
            clear = False
        if self.chip.early_stop:
            self.link.write(np.array([[stop_register(self.chip), stop_at_output]], np.uint32))
        before = None if clear else self.read(probes.counters)
        if clear:
            self._ticks_before = 0
        sums = np.zeros((events.samples, len(self.chip.cores)), np.uint32)
        outputs = np.zeros((events.samples, events.ticks, self.chip.n_outputs), np.uint16)
        ends = np.full(events.samples, events.ticks, np.int64)
        words = [np.zeros((0, events.ticks, len(probes.addresses)), np.uint32)]
        at_once = max(1, _CHUNK_WORDS // (max(1, events.ticks) * (len(probes.addresses) + 1)))
        if "checksums" in record:
            at_once = 1
        for first in range(0, events.samples, at_once):
            last = min(first + at_once, events.samples)
            batch = batch_of(
                self.chip,
                events.samples_between(first, last),
                flits[events.offsets[first * events.ticks] :],
                rewards[first:last],
                probes,
                clear=clear,
                cycle_limit=cycle_limit,
                stop_at_output=stop_at_output,
            )
            batch = replace(batch, progress=partial(_told, progress, first))
            ran = self.link.run(batch)
            check_ended(self.name, ran, first, batch)
            outputs[first:last] = ran.outputs
            if stop_at_output:
                ends[first:last] = ticks_run(self.name, ran)
            words.append(ran.words)
            if "checksums" in record:
                sums[first] = self.snapshot().checksums()
            progress(last)
        return probes.trace(
            self.name,
            outputs,
            np.concatenate(words),
            neurons,
            before=before,
            checksums=sums if "checksums" in record else None,
            ticks_run=ends if stop_at_output else None,
        )

    def _loaded(self) -> ChipImage:
        if self._image is None:
            raise SpikeletError(f"{self.name}: load an image first")
        return self._image

    def register(self, name: str) -> int:
        """Return a register of the chip; SpikeletError if it has none of that name."""
        return int(self.read(np.array([register_number(self.chip, name)], np.uint32))[0])


def _told(progress: Callable[[int], None], before: int, samples: int) -> None:
    progress(before + samples)
