"""A run that is asked of an engine."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.summary import summary
from spikelet.host.board_port import BoardPort

__all__ = ["CHIP_VERILOG", "EMITTED_VERILOG", "MADE_OF", "Wanted"]

CHIP_VERILOG = "chip Verilog"
"""Role of the chip's Verilog among the inputs of what was made of it."""

EMITTED_VERILOG = "emitted Verilog"
"""The same of the file in the project folder, where the modules may have other names."""

MADE_OF = "made of"
"""Note of a Recording: digests, by role, of what ran besides the network."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """A run that is asked of an engine; see :func:`spikelet.runs.run.run`.

    Parameters
    ----------
    compiled : CompiledNetwork
    spikes : array of 0 and 1, shape (samples, input ticks, n_inputs)
    extra_ticks : int
        Ticks without input behind those of each sample.
    start : ChipState or None
        None: the network as compiled, from a cleared state.
    learning : frozenset of int
        The plastic cores that learn.
    reward : array of int, shape (samples, ticks), or None
    clear : bool
        Whether each sample starts from a cleared state.
    record : tuple of str
    folder : Path or None
        The project folder.
    progress : callable
    early_stop : bool
        Whether each sample ends with its first output spike.
    port : BoardPort
        Of engine ``board``.
    say : callable
        Told in lines what is done before the first sample.
    snapshot : bool
        Whether the state after the run is wanted.
    threads : int or None
        Of golden and simulation.
    liberty : Path or None
        The library of engine ``netlist-cells``.
    """

    __repr__ = summary

    compiled: CompiledNetwork
    spikes: npt.NDArray[Any]
    extra_ticks: int
    start: ChipState | None
    learning: frozenset[int]
    reward: npt.NDArray[np.int64] | None
    clear: bool
    record: tuple[str, ...]
    folder: Path | None
    progress: Callable[[int], None]
    early_stop: bool = False
    port: BoardPort = field(default_factory=BoardPort)
    say: Callable[[str], None] = lambda line: None
    snapshot: bool = True
    threads: int | None = None
    liberty: Path | None = None

    @property
    def image(self) -> ChipImage:
        """Contents at the beginning, with learning on or off."""
        image = self.start.image if self.start else self.compiled.image
        pairs = enumerate(zip(image.cores, self.compiled.chip.cores, strict=True))
        return ChipImage(
            tuple(
                replace(contents, learning=index in self.learning) if core.learning else contents
                for index, (contents, core) in pairs
            )
        )

    @property
    def state(self) -> ChipState:
        """Contents and state at the beginning."""
        return replace(self.start or self.compiled.initial_state(), image=self.image)

    def events(self) -> Events:
        """Return the input as the host's events."""
        return self.compiled.events(self.spikes, self.extra_ticks)

    def place(self, engine: str) -> Path:
        """Return the project folder; SpikeletError if none was given."""
        if self.folder is None:
            raise SpikeletError(
                f"engine {engine} needs a project folder to work in", remedy="give folder="
            )
        return self.folder
