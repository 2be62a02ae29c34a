"""The compiled engine: a Verilated chip in a shared library, run by whole samples.

The library is built once for each design and kept by its content. The chip is used through its
ports only, so the same engine runs the generated RTL and a netlist that came out of synthesis.
"""

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.verilator import Design, build_library
from spikelet.description.events import Events
from spikelet.description.image import ChipImage
from spikelet.description.memory_map import CHIP_REGISTERS, COUNTERS, ChipMap, unpack_state
from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams
from spikelet.description.trace import Trace
from spikelet.errors import SpikeletError

__all__ = ["CompiledChip"]

_HARNESS = Path(__file__).with_name("harness.cpp")
_CHUNK_WORDS = 1 << 24

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
        program = np.ascontiguousarray(image.program(self.chip))
        self._library.spikelet_write(self._handle, len(program), program)

    def read(self, addresses: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Read words through the configuration port."""
        data = np.zeros(len(addresses), np.uint32)
        self._library.spikelet_read(self._handle, len(addresses), addresses, data)
        return data

    def run(
        self,
        events: Events,
        *,
        record: Sequence[str] = ("spikes", "potentials"),
        neurons: Sequence[int] | None = None,
        progress: Callable[[int], None] = lambda samples: None,
        cycle_limit: int = 10_000_000,
    ) -> Trace:
        """Run a batch of samples, each from a cleared state; see :func:`golden.chip.run`.

        ``cycle_limit`` bounds the clock cycles of one tick: SpikeletError if it takes more. What
        ``record`` asks for is read through the configuration port after each tick.
        """
        flits = events.flits(self.chip)
        states = [self.map.state_addresses(core) for core in range(len(self.chip.cores))]
        probes = self._probes(states if record else [])
        in_chunk = max(1, _CHUNK_WORDS // (max(1, events.ticks) * (len(probes) + 1)))
        outputs = np.zeros((events.samples, events.ticks, self.chip.n_outputs), np.uint16)
        parts = []
        for first in range(0, events.samples, in_chunk):
            last = min(first + in_chunk, events.samples)
            words = self._run_chunk(events, flits, first, last, probes, outputs, cycle_limit)
            parts.append(self._unpack(words, states if record else []))
            progress(last)
        cycles, active, merged, spikes, potentials = (
            zip(*parts, strict=True) if parts else ([], [], [], [], [])
        )
        return Trace(
            self.name,
            outputs,
            np.concatenate(active),
            np.concatenate(merged),
            tuple(neurons or (core.n_neurons for core in self.chip.cores)),
            spikes=_joined(spikes) if "spikes" in record else None,
            potentials=_joined(potentials) if "potentials" in record else None,
            cycles=np.concatenate(cycles),
        )

    def _probes(self, states: list[npt.NDArray[np.uint32]]) -> npt.NDArray[np.uint32]:
        """Return the addresses read after each tick: cycles, counters, then states."""
        counters = [
            self.map.address(core, "counters", np.arange(len(COUNTERS)))
            for core in range(len(self.chip.cores))
        ]
        cycles = np.array([CHIP_REGISTERS.index("cycles")], np.uint32)
        return np.concatenate([cycles, *counters, *states])

    def _run_chunk(
        self,
        events: Events,
        flits: npt.NDArray[np.uint32],
        first: int,
        last: int,
        probes: npt.NDArray[np.uint32],
        outputs: npt.NDArray[np.uint16],
        cycle_limit: int,
    ) -> npt.NDArray[np.uint32]:
        """Run some samples; return the probes, shape (samples, ticks, probes)."""
        n_outputs = self.chip.n_outputs
        offsets = events.offsets[first * events.ticks : last * events.ticks + 1]
        words = np.zeros((last - first, events.ticks, len(probes)), np.uint32)
        axon_mask = (1 << flit_packet(self.chip).fields[0].width) - 1
        done = self._library.spikelet_run(
            *(self._handle, last - first, events.ticks, np.ascontiguousarray(offsets)),
            *(flits, len(probes), probes, words, n_outputs, axon_mask),
            *(outputs[first:last], cycle_limit),
        )
        if done < (last - first) * events.ticks:
            sample, tick = divmod(done, events.ticks)
            raise SpikeletError(
                f"{self.name}: sample {first + sample}, tick {tick} did not end "
                f"within {cycle_limit} clock cycles"
            )
        return words

    def _unpack(
        self, words: npt.NDArray[np.uint32], states: list[npt.NDArray[np.uint32]]
    ) -> tuple[
        npt.NDArray[np.int64],
        npt.NDArray[np.int32],
        npt.NDArray[np.int32],
        list[npt.NDArray[np.bool_]],
        list[npt.NDArray[np.int32]],
    ]:
        """Split probes into cycles, active axons, merged spikes; spikes, potentials by core."""
        samples, ticks, _ = words.shape
        n_cores = len(self.chip.cores)
        n_counters = n_cores * len(COUNTERS)
        counters = words[..., 1 : 1 + n_counters].reshape(samples, ticks, n_cores, len(COUNTERS))
        active = np.diff(counters[..., 0].astype(np.int64), axis=1, prepend=0).astype(np.int32)
        merged = counters[:, -1, :, 1].astype(np.int32)
        splits = np.cumsum([1 + n_counters, *map(len, states)])[:-1]
        parts = np.split(words, splits, axis=2)[1:] if states else []
        unpacked = [unpack_state(part) for part in parts]
        return (
            words[..., 0].astype(np.int64),
            active,
            merged,
            [fired for _, fired in unpacked],
            [potentials for potentials, _ in unpacked],
        )


def _joined(parts: Sequence[list[npt.NDArray[Any]]]) -> list[npt.NDArray[Any]]:
    """Join chunks of samples, core by core."""
    return [np.concatenate(core) for core in zip(*parts, strict=True)]


def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.spikelet_create.restype = ctypes.c_void_p
    library.spikelet_destroy.argtypes = [ctypes.c_void_p]
    library.spikelet_cycles.argtypes = [ctypes.c_void_p]
    library.spikelet_cycles.restype = ctypes.c_uint64
    library.spikelet_write.argtypes = [ctypes.c_void_p, ctypes.c_int64, _U32]
    library.spikelet_read.argtypes = [ctypes.c_void_p, ctypes.c_int64, _U32, _U32]
    library.spikelet_run.argtypes = [
        *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, _I64, _U32),
        *(ctypes.c_int64, _U32, _U32, ctypes.c_int64, ctypes.c_uint32, _U16, ctypes.c_int64),
    ]
    library.spikelet_run.restype = ctypes.c_int64
    return library
