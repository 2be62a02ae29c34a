"""A snapshot of a chip between two ticks: all that a run needs to go on bit for bit."""

import json
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import packed_arrays, read_arrays
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams, CoreParams, check_range
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.summary import summary

__all__ = ["ChipState", "CoreState"]


@dataclass(frozen=True)
class CoreState:
    """What ``clear`` clears in a core.

    Parameters
    ----------
    potentials : array of int32, shape (n_neurons,)
    fired : array of bool, shape (n_neurons,)
    arrivals : array of bool, shape (delay_slots, n_axons)
        ``arrivals[k]`` is due ``k`` ticks after the coming tick.
    x1, x2 : array of int32, shape (n_axons,), or (0,) where the core has no such trace
    y1, y2 : array of int32, shape (n_neurons,), or (0,)
        As they enter the coming tick.
    """

    __repr__ = summary

    potentials: npt.NDArray[np.int32]
    fired: npt.NDArray[np.bool_]
    arrivals: npt.NDArray[np.bool_]
    x1: npt.NDArray[np.int32]
    x2: npt.NDArray[np.int32]
    y1: npt.NDArray[np.int32]
    y2: npt.NDArray[np.int32]

    @classmethod
    def cleared(cls, core: CoreParams) -> "CoreState":
        """Return the state after ``clear``: zeros."""
        traces = _traces(core)
        return cls(
            np.zeros(core.n_neurons, np.int32),
            np.zeros(core.n_neurons, np.bool_),
            np.zeros((core.delay_slots, core.n_axons), np.bool_),
            *(np.zeros(size, np.int32) for size, _ in traces.values()),
        )

    def check(self, core: CoreParams, name: str) -> None:
        """Raise SpikeletError, naming the field and value, unless this fits ``core``."""
        shapes = {
            "potentials": (core.n_neurons,),
            "fired": (core.n_neurons,),
            "arrivals": (core.delay_slots, core.n_axons),
            **{trace: (size,) for trace, (size, _) in _traces(core).items()},
        }
        for what, shape in shapes.items():
            if getattr(self, what).shape != shape:
                raise SpikeletError(
                    f"{name}: {what} must have shape {shape}, not {getattr(self, what).shape}"
                )
        check_range(f"{name}: potentials", self.potentials, core.v_min, core.v_max)
        for trace, (_, largest) in _traces(core).items():
            check_range(f"{name}: {trace}", getattr(self, trace), 0, largest)


def _traces(core: CoreParams) -> dict[str, tuple[int, int]]:
    """Return (size, largest value) of each trace; size 0 where there is none."""
    rule = core.learning
    found = {**rule.pre_traces, **rule.post_traces} if rule else {}
    sizes = {"x": core.n_axons, "y": core.n_neurons}
    return {
        name: (sizes[name[0]], found[name].largest) if name in found else (0, 0)
        for name in ("x1", "x2", "y1", "y2")
    }


@dataclass(frozen=True)
class ChipState:
    """A snapshot: contents, with what was learned, and state.

    Parameters
    ----------
    digest : str
        Of the chip's structure.
    ticks : int
        Ticks since ``clear``.
    image : ChipImage
    cores : tuple of CoreState
    """

    __repr__ = summary

    digest: str
    ticks: int
    image: ChipImage
    cores: tuple[CoreState, ...]

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError unless this is a snapshot of ``chip``."""
        if self.digest != chip.digest:
            raise SpikeletError(
                f"the snapshot is of structure {self.digest[:8]}, the chip of {chip.digest[:8]}: "
                "they do not belong together"
            )
        if self.ticks < 0:
            raise SpikeletError(f"snapshot: ticks must be 0 or more, not {self.ticks}")
        self.image.check(chip)
        if len(self.cores) != len(chip.cores):
            raise SpikeletError(f"snapshot: {len(self.cores)} cores for {len(chip.cores)}")
        for index, (state, core) in enumerate(zip(self.cores, chip.cores, strict=True)):
            state.check(core, f"snapshot: core {index}")

    def checksums(self) -> npt.NDArray[np.uint32]:
        """Return a CRC-32 for each core, of everything in it but the fixed parameters."""
        sums = []
        for contents, state in zip(self.image.cores, self.cores, strict=True):
            value = 0
            for owner, names in ((contents, _LEARNED), (state, _STATE)):
                for name in names:
                    array = np.ascontiguousarray(getattr(owner, name).astype(np.int64))
                    value = zlib.crc32(array.tobytes(), value)
            sums.append(value)
        return np.array(sums, np.uint32)

    def save(self, path: Path) -> None:
        """Write to ``path`` (compressed .npz); a half-written file never appears there."""
        with AtomicFile(path) as file:
            file.write(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the contents of the file that :meth:`save` writes."""
        header = {
            "digest": self.digest,
            "ticks": self.ticks,
            "learning": [core.learning for core in self.image.cores],
        }
        arrays: dict[str, npt.NDArray[Any]] = {"header": np.array(json.dumps(header))}
        for index, pair in enumerate(zip(self.image.cores, self.cores, strict=True)):
            for owner, names in zip(pair, (_CONTENTS, _STATE), strict=True):
                for name in names:
                    arrays[f"{name}_{index}"] = getattr(owner, name)
        return packed_arrays(arrays)

    @classmethod
    def load(cls, path: Path) -> "ChipState":
        """Read what :meth:`save` wrote; SpikeletError if the file is missing or damaged."""
        try:
            arrays = read_arrays(path, "a snapshot that Spikelet saved", limit=None)
            header = json.loads(str(arrays["header"]))
            parts = [
                (
                    CoreImage(
                        **{name: arrays[f"{name}_{i}"] for name in _CONTENTS}, learning=learning
                    ),
                    CoreState(**{name: arrays[f"{name}_{i}"] for name in _STATE}),
                )
                for i, learning in enumerate(header["learning"])
            ]
            contents, states = zip(*parts, strict=True)
            return cls(header["digest"], header["ticks"], ChipImage(contents), states)
        except (SpikeletError, *MALFORMED) as error:
            raise SpikeletError(f"{path} is not a readable snapshot: {error.args[0]}") from error


_STATE = tuple(f.name for f in fields(CoreState))
_CONTENTS = tuple(f.name for f in fields(CoreImage) if f.name != "learning")
_LEARNED = ("weights", "tags", "adaptation", "random")
