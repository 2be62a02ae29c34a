"""Neurons for the native path: ``neuron_update.c``, compiled for their model.

No twin in rtl_gen.
"""

import ctypes
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.c_layout import layout_checks
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.neurons.draws import first_words, words_after
from spikelet.description.toolchain import c_library
from spikelet.golden.aligned import LINE, aligned, padded
from spikelet.golden.neuron_code import NeuronCode, neuron_code

__all__ = ["NativeNeurons", "state_type"]

_SOURCE = Path(__file__).with_name("neuron_update.c")


@lru_cache(maxsize=1024)
def _code(core: CoreParams) -> NeuronCode:
    return neuron_code(core)


@cache
def _function(text: str) -> int:
    """Return the address of the function that the text makes."""
    checks = layout_checks({}, {"BLOCK": LINE})
    function = c_library(_SOURCE, text, checks).spikelet_neuron_update
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def state_type(core: CoreParams, name: str) -> type[np.generic]:
    """Return how a state is kept: a flag or a count in a byte, others in 32 bits."""
    return np.uint8 if core.neuron.state(name).kind in ("flag", "count") else np.int32


class NativeNeurons:
    """The neurons of a core, where C finds them.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
        Copied.
    cleared : dict of array
        The states that ``clear`` clears, in whole rows, and ``draws`` of neurons that draw: their
        words, exclusive or with the first, which makes 0 of these. They change as the core runs.

    Attributes
    ----------
    update, constants, rows : int
        Addresses of the function, and of what it takes.
    states : dict of array of int32
        Those that ``clear`` keeps, in whole rows.

    Raises
    ------
    SpikeletError
        If the model cannot be compiled.
    """

    def __init__(
        self, core: CoreParams, image: CoreImage, cleared: dict[str, npt.NDArray[Any]]
    ) -> None:
        code = _code(core)
        self._first_tick = core.first_tick
        self.update = _function(code.text)
        row = padded(core.n_neurons)
        ranges = core.update.ranges
        self.states: dict[str, npt.NDArray[Any]] = {}
        for name in core.update.kept:
            kind = state_type(core, name)
            self.states[name] = _row(image.states[name], row, ranges[name][0]).astype(kind)
        memories = {**cleared, **self.states}
        for name, values in image.parameters.items():
            if values.size == 1:
                memories[name] = _shared_row(int(values[0]), row)
            else:
                memories[name] = _row(values, row, ranges[name][0])
        if core.update.draws:
            words = first_words(image.draw_key, image.draw_indices)
            self._first = words_after(words, core.first_tick)  # of the first update
            self._draws = cleared["draws"]
            memories["first_words"] = _row(self._first.view(np.int32), row, 0)
        self._held = [memories[name] for name in code.rows]
        self._constants = np.array(code.constants, np.int64)
        self._rows = np.array([memory.ctypes.data for memory in self._held], np.uintp)
        self.constants = int(self._constants.ctypes.data)
        self.rows = int(self._rows.ctypes.data)

    def go_to(self, ticks: int) -> None:
        """Let neurons that draw go on with the draws so many ticks after ``clear``."""
        words = words_after(self._first, max(0, ticks - self._first_tick))
        self._draws[: words.size] = (words ^ self._first).view(np.int32)


def _row(values: npt.NDArray[np.integer], columns: int, padding: int) -> npt.NDArray[np.int32]:
    """Return values of neurons, or one for all of them, in a whole row."""
    row: npt.NDArray[np.int32] = aligned((columns,), np.int32)
    row[: values.size] = values
    row[values.size :] = padding  # a value that the model allows
    return row


@lru_cache(maxsize=256)
def _shared_row(value: int, columns: int) -> npt.NDArray[np.int32]:
    """Return a parameter that all neurons share: one row for all cores stays in the cache."""
    return _row(np.zeros(0, np.int32), columns, value)
