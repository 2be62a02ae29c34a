"""A snapshot of a chip between two ticks: all that a run needs to go on bit for bit."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import arrays_under, packed_arrays, read_arrays
from spikelet.description.checks import check_range
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.neuron_words import state_type
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.learning.short_term import SHORT_TERM_STATES
from spikelet.description.summary import summary

__all__ = ["ChipState", "CoreState"]


@dataclass(frozen=True)
class CoreState:
    """What ``clear`` clears in a core.

    Parameters
    ----------
    states : mapping of str to array of int32 (flags: bool, counts: uint8), shape (n_neurons,)
        Of the neurons, by name.
    arrivals : array of bool (graded spikes: uint8), shape (delay_slots, n_axons)
        ``arrivals[k]`` is due ``k`` ticks after the coming tick.
    traces : mapping of str to array of int32, shape (n_axons,) or (n_neurons,)
        Those that the core's rule has of ``x1``, ``x2`` and ``y1`` to ``y3``, as they enter the
        coming tick; and with short-term plasticity ``u`` and ``depleted``.
    """

    __repr__ = summary

    states: Mapping[str, npt.NDArray[Any]]
    arrivals: npt.NDArray[Any]
    traces: Mapping[str, npt.NDArray[np.int32]]

    @classmethod
    def cleared(cls, core: CoreParams) -> "CoreState":
        """Return the state after ``clear``: zeros."""
        graded = core.spike_bits > 1
        return cls(
            {name: np.zeros(core.n_neurons, state_type(core, name)) for name in core.update.states},
            np.zeros((core.delay_slots, core.n_axons), np.uint8 if graded else np.bool_),
            {name: np.zeros(size, np.int32) for name, (size, _) in _traces(core).items()},
        )

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all of it as arrays by name."""
        return {
            **{f"states.{name}": values for name, values in self.states.items()},
            "arrivals": self.arrivals,
            **{f"traces.{name}": values for name, values in self.traces.items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "CoreState":
        """Inverse of :meth:`to_arrays`; KeyError if one is missing."""
        states, traces = (arrays_under(arrays, group) for group in ("states.", "traces."))
        return cls(states, arrays["arrivals"], traces)

    def check(self, core: CoreParams, name: str) -> None:
        """Raise SpikeletError, naming the field and value, unless this fits ``core``."""
        traces = _traces(core)
        for group, given, wanted in (
            ("states", self.states, core.update.states),
            ("traces", self.traces, tuple(traces)),
        ):
            if set(given) != set(wanted):
                names = (", ".join(sorted(n)) or "none" for n in (wanted, given))
                raise SpikeletError("{}: {} must be {}, not {}".format(name, group, *names))
        shapes = {
            **dict.fromkeys(self.states, (core.n_neurons,)),
            "arrivals": (core.delay_slots, core.n_axons),
            **{trace: (size,) for trace, (size, _) in traces.items()},
        }
        for what, values in {**self.states, "arrivals": self.arrivals, **self.traces}.items():
            if values.shape != shapes[what]:
                raise SpikeletError(
                    f"{name}: {what} must have shape {shapes[what]}, not {values.shape}"
                )
        for state, values in self.states.items():
            check_range(f"{name}: {state}", values, *core.state_ranges[state])
        check_range(f"{name}: arrivals", self.arrivals, 0, core.most_spikes)
        for trace, (_, largest) in traces.items():
            check_range(f"{name}: {trace}", self.traces[trace], 0, largest)


def _traces(core: CoreParams) -> dict[str, tuple[int, int]]:
    """Return (size, largest value) of each trace of the core's rule, and of short-term states."""
    rule = core.learning
    found = {**rule.pre_traces, **rule.post_traces} if rule else {}
    sizes = {"x": core.n_axons, "y": core.n_neurons}
    traces = {name: (sizes[name[0]], trace.largest) for name, trace in sorted(found.items())}
    if core.short_term:
        traces |= {name: (core.n_axons, most) for name, most in SHORT_TERM_STATES.items()}
    return traces


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
            learned: list[npt.NDArray[Any]] = [
                contents.weights,
                contents.tags,
                *contents.states.values(),
                contents.random,
                contents.devices,
                contents.selected,
            ]
            value = 0
            for array in (*learned, *state.to_arrays().values()):
                value = zlib.crc32(np.ascontiguousarray(array.astype(np.int64)).tobytes(), value)
            sums.append(value)
        return np.array(sums, np.uint32)

    def save(self, path: Path) -> None:
        """Write to ``path`` (compressed .npz); a half-written file never appears there."""
        with AtomicFile(path) as file:
            file.write(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the contents of the file that :meth:`save` writes."""
        header = {"digest": self.digest, "ticks": self.ticks, "cores": len(self.cores)}
        arrays: dict[str, npt.NDArray[Any]] = {"header": np.array(json.dumps(header))}
        for index, (image, state) in enumerate(zip(self.image.cores, self.cores, strict=True)):
            for what, part in (("image", image.to_arrays()), ("state", state.to_arrays())):
                arrays |= {f"{index}.{what}.{name}": values for name, values in part.items()}
        return packed_arrays(arrays)

    @classmethod
    def load(cls, path: Path) -> "ChipState":
        """Read what :meth:`save` wrote; SpikeletError if the file is missing or damaged."""
        try:
            arrays = read_arrays(path, "a snapshot that Spikelet saved", limit=None)
            header = json.loads(str(arrays["header"]))
            images, states = [], []
            for index in range(header["cores"]):
                images.append(CoreImage.from_arrays(arrays_under(arrays, f"{index}.image.")))
                states.append(CoreState.from_arrays(arrays_under(arrays, f"{index}.state.")))
            return cls(header["digest"], header["ticks"], ChipImage(tuple(images)), tuple(states))
        except (SpikeletError, *MALFORMED) as error:
            raise SpikeletError(f"{path} is not a readable snapshot: {error.args[0]}") from error
