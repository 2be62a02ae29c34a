"""The compiled engine: a Verilated chip in a shared library, run by whole samples.

The library is built once for each design and kept by its content. The chip is used through its
ports only, so the same engine runs the generated RTL and a netlist that came out of synthesis.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    COUNTERS,
    LEARNING_REGISTERS,
    ChipMap,
    unpack_state,
)
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.chip.state_words import (
    learned_words,
    restore_program,
    snapshot_of,
    state_words,
)
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events, checked_reward
from spikelet.description.run.recording import Trace
from spikelet.description.toolchain import load_library
from spikelet.sim.verilator import Design, build_library

__all__ = ["CompiledChip", "Probes"]

_HARNESS = Path(__file__).with_name("harness.cpp")
_CHUNK_WORDS = 1 << 24
_LEARNED = ("weights", "tags", "pre_traces", "post_traces", "adaptation", "random")

_U16 = np.ctypeslib.ndpointer(np.uint16, flags="C")
_U32 = np.ctypeslib.ndpointer(np.uint32, flags="C")
_I64 = np.ctypeslib.ndpointer(np.int64, flags="C")


class CompiledChip:
    """A chip in compiled simulation.

    Parameters
    ----------
    chip : ChipParams
    design : Design
        Verilog of the chip, top module ``chip``.
    name : str
        Engine name for the Traces, such as ``"rtl"``.
    optimise : str
        ``"run"`` or ``"build"``; see :func:`build_library`.

    Raises
    ------
    SpikeletError
        If a tool is missing, or the design is not this chip.
    """

    def __init__(
        self, chip: ChipParams, design: Design, *, name: str = "rtl", optimise: str = "run"
    ) -> None:
        self.chip = chip
        self.name = name
        self.map = ChipMap(chip)
        self._library = _load(build_library(design, "chip", _HARNESS, optimise=optimise))
        self._handle = ctypes.c_void_p(self._library.spikelet_create())
        self._image: ChipImage | None = None
        self._ticks_before = 0
        structure = int(self.read(np.array([CHIP_REGISTERS.index("structure")], np.uint32))[0])
        if structure != int(chip.digest[:8], 16):
            raise SpikeletError(
                f"{name}: the design has structure {structure:08x}, "
                f"the chip description {chip.digest[:8]}: they do not belong together"
            )

    def close(self) -> None:
        """Free the simulated chip."""
        if self._handle:
            self._library.spikelet_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    def __enter__(self) -> "CompiledChip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return int(self._library.spikelet_cycles(self._handle))

    def load(self, image: ChipImage) -> None:
        """Load weights, neuron parameters and destination tables through the configuration port."""
        self._write(image.program(self.chip))
        self._image = image

    def read(self, addresses: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Read words through the configuration port."""
        data = np.zeros(len(addresses), np.uint32)
        self._library.spikelet_read(self._handle, len(addresses), addresses, data)
        return data

    def learn(self, on: bool, core: int | None = None) -> None:
        """Switch learning on or off in all plastic cores, or in one.

        SpikeletError if there are none, or that one is not plastic.
        """
        switched = self.chip.plastic_cores(core)
        addresses = [self.map.address(index, "learning") for index in switched]
        self._write(np.stack([addresses, np.full(len(switched), on)], axis=1).astype(np.uint32))
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
        ticks = int(self.read(np.array([CHIP_REGISTERS.index("ticks")], np.uint32))[0])
        return snapshot_of(self.chip, self._loaded(), ticks + self._ticks_before, words)

    def restore(self, state: ChipState) -> None:
        """Take contents and state from a snapshot; SpikeletError if it is of another chip."""
        state.check(self.chip)
        self._clear()
        self._write(restore_program(self.chip, state))
        self._image = state.image
        self._ticks_before = state.ticks

    def run(
        self,
        events: Events,
        *,
        record: Sequence[str] = ("spikes", "potentials"),
        neurons: Sequence[int] | None = None,
        progress: Callable[[int], None] = lambda samples: None,
        reward: npt.ArrayLike | None = None,
        clear: bool = True,
        cycle_limit: int = 10_000_000,
    ) -> Trace:
        """Run a batch of samples; see :meth:`spikelet.golden.chip.GoldenChip.run`.

        ``cycle_limit`` bounds the clock cycles of one tick. What ``record`` asks for is read
        through the configuration port, after each tick, or, for checksums, after each sample.

        Raises
        ------
        SpikeletError
            If events or rewards do not fit the chip, a tick takes more than ``cycle_limit``, or a
            packet was dropped, as none is that comes from events and an image that were checked.
        """
        flits = events.flits(self.chip)
        rewards = checked_reward(self.chip, reward, events.samples, events.ticks)
        probes = Probes(self.chip, record)
        in_chunk = max(1, _CHUNK_WORDS // (max(1, events.ticks) * (len(probes.addresses) + 1)))
        sums = np.zeros((events.samples, len(self.chip.cores)), np.uint32)
        if "checksums" in record:
            in_chunk = 1
        outputs = np.zeros((events.samples, events.ticks, self.chip.n_outputs), np.uint16)
        chunks = []
        before = self.read(probes.counters)
        if clear:
            self._ticks_before = 0
        for first in range(0, events.samples, in_chunk):
            last = min(first + in_chunk, events.samples)
            part = events.samples_between(first, last)
            sent = flits[events.offsets[first * events.ticks] :]
            words = self._run_chunk(
                part, sent, rewards[first:last], clear, probes, outputs[first:last], cycle_limit
            )
            chunks.append(words)
            if "checksums" in record:
                sums[first] = self.snapshot().checksums()
            progress(last)
        empty = np.zeros((0, events.ticks, len(probes.addresses)), np.uint32)
        words = np.concatenate([empty, *chunks])
        return probes.trace(
            self.name,
            outputs,
            words,
            neurons,
            before=None if clear else before,
            checksums=sums if "checksums" in record else None,
        )

    def _loaded(self) -> ChipImage:
        if self._image is None:
            raise SpikeletError(f"{self.name}: load an image first")
        return self._image

    def _write(self, writes: npt.NDArray[np.uint32]) -> None:
        writes = np.ascontiguousarray(writes, np.uint32)
        self._library.spikelet_write(self._handle, len(writes), writes)

    def _clear(self) -> None:
        if not self._library.spikelet_clear(self._handle, 1 << 24):
            raise SpikeletError(f"{self.name}: clearing did not end")

    def _run_chunk(
        self,
        events: Events,
        flits: npt.NDArray[np.uint32],
        rewards: npt.NDArray[np.int32],
        clear: bool,
        probes: "Probes",
        outputs: npt.NDArray[np.uint16],
        cycle_limit: int,
    ) -> npt.NDArray[np.uint32]:
        """Run some samples; return the probes, shape (samples, ticks, probes)."""
        settings = np.array(
            [
                int(self.map.address(index, "learning", LEARNING_REGISTERS.index("reward")))
                for index, core in enumerate(self.chip.cores)
                if core.learning and "r" in core.learning.variables
            ],
            np.uint32,
        )
        values = np.repeat(rewards.astype(np.uint32).ravel(), len(settings))
        words = np.zeros((events.samples, events.ticks, len(probes.addresses)), np.uint32)
        axon_mask = (1 << flit_packet(self.chip).fields[0].width) - 1
        done = self._library.spikelet_run(
            *(self._handle, events.samples, events.ticks, clear, events.offsets),
            *(np.ascontiguousarray(flits), len(settings), settings, values),
            *(len(probes.addresses), probes.addresses, words),
            *(self.chip.n_outputs, axon_mask, outputs, cycle_limit),
        )
        if done < events.samples * events.ticks:
            sample, tick = divmod(done, events.ticks)
            raise SpikeletError(
                f"{self.name}: sample {sample}, tick {tick} did not end "
                f"within {cycle_limit} clock cycles"
            )
        return words


class Probes:
    """What is read after each tick: cycles, counters, and the words that are recorded.

    Parameters
    ----------
    chip : ChipParams
    record : sequence of str
        As for :meth:`CompiledChip.run`.

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
        if "spikes" in record or "potentials" in record:
            names += ("state",)
        if "learning" in record:
            names += _LEARNED
        self.words = state_words(chip, names)
        registers = [CHIP_REGISTERS.index(name) for name in ("cycles", "dropped_packets")]
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
    ) -> Trace:
        """Return the Trace of an engine that has counted outputs and read words.

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

        Raises
        ------
        SpikeletError
            If packets were dropped.
        """
        counts, dropped = self._counted(words, before)
        self._check_none_dropped(engine, dropped, counts["dropped_packets"])
        return Trace(
            engine,
            outputs,
            counts["active_axons"],
            counts["merged_spikes"].sum(axis=1, dtype=np.int32),
            tuple(neurons or (core.n_neurons for core in self.chip.cores)),
            cycles=words[..., 0].astype(np.int64),
            checksums=checksums,
            **self.recorded(words),
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
        self, words: npt.NDArray[np.uint32], before: npt.NDArray[np.uint32] | None
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Return what was counted in each tick.

        Parameters
        ----------
        words, before
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
        first = np.zeros((samples, 1, len(self.counters)), np.uint32)
        if before is not None and ticks:
            first[:1, 0] = before
            first[1:, 0] = counters[:-1, -1]
        steps = np.diff(np.concatenate([first, counters], axis=1), axis=1)  # modulo 2**32
        counts = steps.astype(np.int32)
        by_core = counts[..., 1:].reshape(samples, ticks, len(self.chip.cores), len(COUNTERS))
        named = {name: by_core[..., place].copy() for place, name in enumerate(COUNTERS)}
        return named, counts[..., 0]

    def recorded(self, words: npt.NDArray[np.uint32]) -> dict[str, Any]:
        """Return spikes, potentials and what was learned, by core, as far as recorded."""
        found: dict[str, list[Any]] = {"spikes": [], "potentials": [], "learned": []}
        start = 1 + len(self.counters)
        for core, addresses in zip(self.chip.cores, self.words, strict=True):
            read = {}
            for name, at in addresses.items():
                read[name] = words[..., start : start + len(at)]
                start += len(at)
            if "state" in read:
                potentials, fired = unpack_state(read["state"])
                found["potentials"].append(potentials)
                found["spikes"].append(fired)
            found["learned"].append(learned_words(core, read))
        wanted = {"spikes": "spikes", "potentials": "potentials", "learned": "learning"}
        return {name: found[name] if what in self.record else None for name, what in wanted.items()}


def _load(path: Path) -> ctypes.CDLL:
    library = load_library(path)
    library.spikelet_create.restype = ctypes.c_void_p
    library.spikelet_destroy.argtypes = [ctypes.c_void_p]
    library.spikelet_cycles.argtypes = [ctypes.c_void_p]
    library.spikelet_cycles.restype = ctypes.c_uint64
    library.spikelet_write.argtypes = [ctypes.c_void_p, ctypes.c_int64, _U32]
    library.spikelet_read.argtypes = [ctypes.c_void_p, ctypes.c_int64, _U32, _U32]
    library.spikelet_clear.argtypes = [ctypes.c_void_p, ctypes.c_int64]
    library.spikelet_clear.restype = ctypes.c_int32
    library.spikelet_run.argtypes = [
        *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int32, _I64, _U32),
        *(ctypes.c_int64, _U32, _U32, ctypes.c_int64, _U32, _U32),
        *(ctypes.c_int64, ctypes.c_uint32, _U16, ctypes.c_int64),
    ]
    library.spikelet_run.restype = ctypes.c_int64
    return library
