"""The engines that can run a plastic network: golden, and the generated Verilog."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Trace
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes

__all__ = ["PLASTIC_ENGINES", "Engine", "engine_inputs", "opened"]

PLASTIC_ENGINES = ("golden", "rtl")
"""The golden model and the generated Verilog."""

_RTL = "spikelet.runs.plastic_rtl"  # loaded when used: golden needs no hardware tools


class Engine(Protocol):
    """A chip with its contents: a :class:`GoldenChip` or a ``VerilatedChip``."""

    def run(
        self,
        inputs: Any,
        /,
        *,
        record: tuple[str, ...],
        reward: npt.NDArray[Any] | None,
        clear: bool,
        progress: Callable[[int], None],
    ) -> Trace:
        """Run samples; see :meth:`Plastic.run`."""

    def learn(self, on: bool) -> None:
        """Switch learning on or off in all plastic cores."""

    def snapshot(self) -> ChipState:
        """Return contents and state."""

    def restore(self, state: ChipState) -> None:
        """Go on from a snapshot."""


def opened(engine: str, chip: ChipParams, image: ChipImage) -> AbstractContextManager[Engine]:
    """Return an engine with a chip's contents, to be used in a ``with`` statement.

    Raises
    ------
    SpikeletError
        For an engine that is not of :data:`PLASTIC_ENGINES`, or a missing tool.
    """
    if engine not in PLASTIC_ENGINES:
        raise SpikeletError(f"engine must be one of {', '.join(PLASTIC_ENGINES)}, not {engine!r}")
    if engine == "golden":
        return nullcontext(GoldenChip(chip, image))
    loaded: AbstractContextManager[Engine] = import_module(_RTL).loaded(chip, image)
    return loaded


def engine_inputs(
    engine: str, spikes: npt.NDArray[np.uint8], routes: npt.NDArray[np.int64]
) -> DenseSpikes | Events:
    """Return input spikes (samples, ticks, n_inputs) as an engine takes them."""
    return DenseSpikes(spikes, routes) if engine == "golden" else Events.from_spikes(spikes, routes)
