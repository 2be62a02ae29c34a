"""What a self-test image stores: a run of samples, and the contents and sizes of its memories."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from amaranth.lib import data

from spikelet.description.checks import unsigned_bits
from spikelet.description.chip.flash_image import program_words, word_runs
from spikelet.description.chip.memory_map import LEARNING_REGISTERS, ChipMap
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.update import can_spike
from spikelet.description.run.events import Events, checked_reward
from spikelet.fpga.fit import SELF_TEST_PROGRAM
from spikelet.fpga.memories import Memory, varying_bits

__all__ = [
    "CHECKSUM_BITS",
    "StoredRun",
    "checksum_words",
    "count_bits",
    "image_memories",
    "image_words",
    "program_memory",
    "reward_addresses",
    "rom_rows",
    "step_layout",
    "step_rows",
    "time_limit",
]

CHECKSUM_BITS = 4
"""Bits of a word that the checksum takes in a cycle."""

_SLACK = 4
"""Times the predicted clock cycles, at least, after which a chip is taken to hang."""

_LEAST_SLACK = 2
"""The same, of a time limit that is given."""

_ENABLE, _REWARD = (LEARNING_REGISTERS.index(name) for name in ("enable", "reward"))


@dataclass(frozen=True)
class StoredRun:
    """What the self-test stores: a network, samples, and what golden makes of them.

    The samples are shown one after another, each from a cleared state; what is learned goes on.

    Parameters
    ----------
    program : array of uint32, shape (writes, 2)
        Configuration writes (address, data) that load the network, and switch learning on or off.
    events : Events
        The samples.
    reward : array of int32, shape (samples, ticks), or None
        The reward of each tick, for every core whose rule has one; None is 0.
    counts : array of int, shape (n_outputs,)
        Spikes of each output line in all ticks of all samples.
    words : array of uint32, shape (words, 2)
        Address, and what the configuration port reads there after the last tick of the last sample,
        in the order in which they are read.
    cycles : int
        Clock cycles that all ticks are predicted to take, with the packets on their way.
    """

    program: npt.NDArray[np.uint32]
    events: Events
    counts: npt.NDArray[np.integer[Any]]
    words: npt.NDArray[np.uint32]
    cycles: int
    reward: npt.NDArray[np.int32] | None = None

    @property
    def expected(self) -> int:
        """The output line with most spikes, the lowest of equals."""
        return int(self.counts.argmax())

    @property
    def checksum(self) -> int:
        """CRC-32 of ``words``, as zlib makes it of their bytes, the lowest first."""
        return _crc(self.words[:, 1])

    def weight_checksums(self, chip: ChipParams) -> tuple[int, int]:
        """Return the CRC-32 of the weights of all cores that can learn: as loaded, and at the end.

        Of their words by address, core after core; 0 and 0 where no core can learn. SpikeletError
        if one of them is not loaded or not read.
        """
        cores = [core["weights"] for core in state_words(chip, ("weights",)) if "weights" in core]
        addresses = np.concatenate([np.zeros(0, np.uint32), *cores]).tolist()
        loaded, read = dict(self.program.tolist()), dict(self.words.tolist())
        missing = [at for at in addresses if at not in loaded or at not in read]
        if missing:
            raise SpikeletError(
                f"self-test: the weights at address {missing[0]}, which learn, are not both loaded "
                f"and read; {len(missing)} of {len(addresses)} words are not",
                remedy="store the whole program of an image, and all readable words",
            )
        before, after = (np.array([words[at] for at in addresses]) for words in (loaded, read))
        return _crc(before), _crc(after)

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError unless this can be the self-test of such a chip."""
        events = self.events
        steps = events.samples * events.ticks
        if not len(self.program) or not steps or not len(self.words):
            raise SpikeletError(
                "self-test: program, ticks and words must not be empty, they are "
                f"{len(self.program)}, {steps} and {len(self.words)}",
                remedy="store samples that golden has run on a loaded chip",
            )
        events.check(chip)
        checked_reward(chip, self.reward, events.samples, events.ticks)
        if self.counts.shape != (chip.n_outputs,) or self.counts.min() < 0:
            raise SpikeletError(
                f"self-test: counts must be one of 0 or more for each of {chip.n_outputs} output "
                f"lines, not {self.counts.tolist()}",
                remedy="count the spikes in golden's run of this chip",
            )
        if self.cycles < 1:
            raise SpikeletError(
                f"self-test: cycles must be 1 or more, not {self.cycles}",
                remedy="take what golden predicts for all ticks",
            )
        read = [core for core in chip.cores if not can_spike(core.neuron)]  # by their potentials
        if not self.counts.any() and not read:
            raise SpikeletError(
                "self-test: no output line spikes in what is to be stored, so that it has no "
                "class, and a chip that is dead would count as right",
                remedy="store a sample in which golden's outputs spike",
            )
        self._check_learning(chip)

    def _check_learning(self, chip: ChipParams) -> None:
        """Raise SpikeletError if learning is on, but leaves every weight as it was loaded."""
        chip_map, loaded = ChipMap(chip), dict(self.program.tolist())
        enables = [
            loaded.get(int(chip_map.address(index, "learning", _ENABLE)), 0)
            for index, core in enumerate(chip.cores)
            if core.learning
        ]
        before, after = self.weight_checksums(chip)
        if any(enables) and before == after:
            raise SpikeletError(
                f"self-test: learning is on, but after all of {self.events.samples} samples the "
                f"weights are those that were loaded (CRC-32 {after:08x}), so that a chip that "
                "cannot learn would count as right",
                remedy="store samples, or more of them, from which golden learns, or switch "
                "learning off",
            )


def rom_rows(rows: Sequence[Any], empty: Any = 0) -> list[Any]:
    """Return the rows of a ROM that is read once from the first to one behind the last.

    That one is a row too, where the address reaches it: else simulation and RAM may read something
    else, and registers differ that nothing uses.
    """
    return [*rows, empty] if len(rows).bit_count() > 1 else list(rows)


def program_memory(words: Sequence[int]) -> Memory:
    """Return the ROM of what loads a chip, and of what is compared, for the fit check."""
    rows, bits = len(rom_rows(words)), varying_bits(words)
    return Memory(SELF_TEST_PROGRAM, rows, bits, writable=False, kind="block")


def image_memories(chip: ChipParams, run: StoredRun) -> tuple[Memory, ...]:
    """Return the memories that a self-test of a run holds beside its chip."""
    layout = step_layout(chip, run)
    rows = [layout.const(row).as_bits() for row in step_rows(chip, run)]
    return (
        program_memory(image_words(run)),
        Memory("self-test events", len(rom_rows(rows)), varying_bits(rows), writable=False),
        Memory("self-test counts", chip.n_outputs, count_bits(chip, run), kind="block"),
    )


def image_words(run: StoredRun) -> list[int]:
    """Return the ROM: what is written, the counts, runs of words that are read back, checksum."""
    runs = word_runs(run.words[:, 0])
    read = [word for first, end, address in runs for word in (address, end - first)]
    counts = run.counts.tolist()
    return [*program_words(run.program), *counts, *read, *checksum_words(run.checksum)]


def checksum_words(checksum: int) -> list[int]:
    """Return a CRC-32 as the ROM holds it: :data:`CHECKSUM_BITS` a word, the lowest first."""
    mask = (1 << CHECKSUM_BITS) - 1
    return [checksum >> shift & mask for shift in range(0, 32, CHECKSUM_BITS)]


def count_bits(chip: ChipParams, run: StoredRun) -> int:
    """Return the width of a counter whose last value, at which it stays, is never right.

    It holds what a neuron can spike in all ticks, so that it does not depend on the weights; more
    where several neurons send to an output line, and it did spike more.
    """
    most = run.events.samples * run.events.ticks * ((1 << chip.count_bits) - 1)
    return unsigned_bits(max(most, int(run.counts.max())) + 1)


def time_limit(chip: ChipParams, run: StoredRun, given: int | None = None) -> int:
    """Return the clock cycles after which a self-test gives up: a power of two.

    Four to eight times what is predicted, or what is ``given``; SpikeletError if that is no power
    of two of at least twice as many.
    """
    predicted = _predicted_cycles(chip, run)
    limit = given or 1 << (_SLACK * predicted - 1).bit_length()
    if limit < _LEAST_SLACK * predicted or limit.bit_count() != 1:
        raise SpikeletError(
            f"self-test: the time limit must be a power of two of at least "
            f"{_LEAST_SLACK * predicted} clock cycles, twice what is predicted, not {limit}",
            remedy="store fewer samples, or build the image anew",
        )
    return limit


def _predicted_cycles(chip: ChipParams, run: StoredRun) -> int:
    """Return about how long it takes: chips that obey the tick contract take less."""
    words, cores, events = len(run.words), chip.cores, run.events
    # A core clears a row of each memory in a cycle.
    clearing = 64 + max(core.n_neurons + core.delay_slots * core.n_axons for core in cores)
    on_the_way = 16 + 4 * (chip.width + chip.height)
    rows = len(step_rows(chip, run))
    sending = (4 + len(cores)) * rows + on_the_way * events.samples * events.ticks
    walking = 2 * len(image_words(run))
    reading = (32 // CHECKSUM_BITS + len(cores) + 16) * words
    return clearing * events.samples + sending + run.cycles + walking + reading


def reward_addresses(chip: ChipParams) -> list[int]:
    """Return the reward registers of all cores whose rule has a reward."""
    chip_map = ChipMap(chip)
    return [
        int(chip_map.address(index, "learning", _REWARD))
        for index, core in enumerate(chip.cores)
        if core.learning and "r" in core.learning.variables
    ]


def step_layout(chip: ChipParams, run: StoredRun) -> data.StructLayout:
    """Return a row of the event ROM: an event, a new reward, or a tick without either.

    ``valid``: ``payload`` is a flit. Not ``valid`` and not ``last``: it is a reward, two's
    complement. ``last``: the tick begins after this.
    """
    width = max(flit_packet(chip).width, _reward_bits(chip) if _rewards(chip, run).any() else 0)
    return data.StructLayout({"payload": width, "valid": 1, "last": 1})


def step_rows(chip: ChipParams, run: StoredRun) -> list[dict[str, int]]:
    """Return the event ROM, tick by tick: the reward where it changes, then the events.

    A tick without events ends with a row that is not valid. The reward is 0 at first.
    """
    events = run.events
    mask = (1 << _reward_bits(chip)) - 1
    flits = np.split(events.flits(chip), events.offsets[1:-1])
    rows: list[dict[str, int]] = []
    present = 0
    for reward, tick in zip(_rewards(chip, run).ravel().tolist(), flits, strict=True):
        if reward != present:
            rows.append({"payload": reward & mask, "valid": 0, "last": 0})
            present = reward
        values = tick.tolist()
        rows += [{"payload": value, "valid": 1, "last": 0} for value in values]
        if not values:
            rows.append({"payload": 0, "valid": 0, "last": 0})
        rows[-1]["last"] = 1
    return rows


def _rewards(chip: ChipParams, run: StoredRun) -> npt.NDArray[np.int32]:
    """Return the reward of each tick, (samples, ticks); 0 in a chip whose rules have none."""
    given = run.reward if reward_addresses(chip) else None
    return checked_reward(chip, given, run.events.samples, run.events.ticks)


def _reward_bits(chip: ChipParams) -> int:
    """Return the bits of the widest reward register; 0 if there is none."""
    return max([0, *(core.learning.reward_bits for core in chip.cores if core.learning)])


def _crc(words: npt.NDArray[Any]) -> int:
    """Return the CRC-32 of 32-bit words, as zlib makes it of their bytes, the lowest first."""
    return zlib.crc32(words.astype("<u4").tobytes())
