"""Ticks of the neurons of a core by themselves, by each of three readers of their model.

Each takes the synaptic sums of the ticks in weight LSBs, shape (ticks, n_neurons), starts from the
cleared state, and returns the states of each tick by name, shape (ticks, n_neurons).
"""

import ctypes
from fractions import Fraction
from math import floor, trunc

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.golden.aligned import aligned, padded
from spikelet.golden.native_neurons import NativeNeurons, state_type
from spikelet.golden.neuron_array import NeuronArray

__all__ = [
    "READERS",
    "PythonNeurons",
    "Ticks",
    "bare_image",
    "drawn_words",
    "native_ticks",
    "numpy_ticks",
    "python_ticks",
]

Ticks = dict[str, np.ndarray]


def bare_image(core: CoreParams, **contents: object) -> CoreImage:
    """Return contents of a core without weights: parameters and kept states as ints or arrays."""
    names = {**core.parameter_ranges, **dict.fromkeys(core.update.kept)}
    arrays = {}
    for name in names:
        size = 1 if name in core.parameters and core.scope(name) == "shared" else core.n_neurons
        arrays[name] = np.broadcast_to(np.asarray(contents.get(name, 0), np.int32), size).copy()
    draws = core.update.draws
    return CoreImage(
        np.zeros((core.n_axons, core.n_neurons), np.int16),
        joined(),
        {name: arrays[name] for name in core.parameter_ranges},
        {name: arrays[name] for name in core.update.kept},
        plastic=np.zeros(core.n_axons if core.learning else 0, np.bool_),
        draw_key=int(contents.get("draw_key", 1)) if draws else 0,
        draw_indices=np.asarray(contents.get("draw_indices", np.arange(core.n_neurons)), np.int32)
        if draws
        else np.zeros(0, np.int32),
        learning=bool(contents.get("learning", True)),
    )


def numpy_ticks(core: CoreParams, image: CoreImage, sums: np.ndarray) -> Ticks:
    """As golden's numpy reads the text."""
    neurons = NeuronArray(core, image, [CoreState.cleared(core)])
    found = {name: np.empty((1, *sums.shape), np.int64) for name in core.state_ranges}
    neurons.update(sums[None].astype(np.int32), 0, found)
    return {name: values[0] for name, values in found.items()}


def native_ticks(core: CoreParams, image: CoreImage, sums: np.ndarray) -> Ticks:
    """As C is written from what is left of the text."""
    row = padded(core.n_neurons)
    cleared = {name: aligned((row,), state_type(core, name)) for name in core.update.states}
    if core.update.draws:
        cleared["draws"] = aligned((row,), np.int32)
    neurons = NativeNeurons(core, image, cleared)
    function = ctypes.CFUNCTYPE(
        *(None, ctypes.c_int32, ctypes.c_int32, ctypes.c_int32, ctypes.c_int32),
        *[ctypes.c_void_p] * 3,
    )(neurons.update)
    states = {**cleared, **neurons.states}
    found = {name: np.empty(sums.shape, np.int64) for name in core.state_ranges}
    due = aligned((2 * row,), np.int32)  # and those of teachers: 0
    learning = core.learning is not None and image.learning
    for tick, now in enumerate(sums):
        due[: core.n_neurons] = now
        function(
            *(row, core.weight_exponent, learning, 0),
            *(due.ctypes.data, neurons.constants, neurons.rows),
        )
        states["fired"][core.n_neurons :] = 0
        for name, values in found.items():
            values[tick] = states[name][: core.n_neurons]
    return found


def python_ticks(core: CoreParams, image: CoreImage, sums: np.ndarray) -> Ticks:
    """As Python itself evaluates the text, neuron by neuron, on unbounded integers."""
    neurons = PythonNeurons(core, image)
    found = {name: np.empty(sums.shape, np.int64) for name in core.state_ranges}
    for tick, now in enumerate(sums.tolist()):
        neurons.tick(now)
        for name, values in found.items():
            values[tick] = neurons.of(name)
    return found


class PythonNeurons:
    """The neurons of a core, as Python itself evaluates their text."""

    def __init__(self, core: CoreParams, image: CoreImage) -> None:
        self.core, self.image = core, image
        self.kept = {name: values.tolist() for name, values in image.states.items()}
        self.clear()

    def clear(self) -> None:
        """Set to 0 what is not kept, and start with the first words again."""
        core, image = self.core, self.image
        fixed = {**core.constants, "v_min": core.v_min, "v_max": core.v_max}
        for name in core.parameters:
            fixed.setdefault(name, core.update.ranges[name][0])  # if nothing depends on it
        for state in core.neuron.states:
            fixed[state.name] = 0 if state.name in core.update.states else self._only(state.name)
        self.neurons = []
        for n in range(core.n_neurons):
            given = {k: int(v[n if v.size > 1 else 0]) for k, v in image.parameters.items()}
            kept = {name: values[n] for name, values in self.kept.items()}
            self.neurons.append({**fixed, **given, **kept})
        self.words = [_first_word(image.draw_key + int(n)) for n in image.draw_indices]

    def _only(self, name: str) -> int:
        return self.core.update.ranges[name][0]

    def of(self, name: str) -> list[int]:
        """Return a state of all neurons."""
        return [values[name] for values in self.neurons]

    def tick(self, sums: list[int], teacher: list[int] | None = None) -> None:
        """Advance by one tick, with these sums in weight LSBs, and those of teachers."""
        core, fired = self.core, self.of("fired")
        for n, values in enumerate(self.neurons):
            word = self.words[n] if self.words else 0
            values |= {
                "current": sums[n] * 2**core.weight_exponent,
                "teacher": (teacher[n] if teacher else 0) * 2**core.weight_exponent,
                "inhibited": int(any(fired) and not fired[n]),
                "learning": int(core.learning is not None and self.image.learning),
                "draw": word // 2**16,
            }
            _evaluate(core.neuron.text, values, word % 2**16)
        self.kept = {name: self.of(name) for name in self.kept}
        self.words = [_next_word(word) for word in self.words]


def drawn_words(key: int, indices: np.ndarray, ticks: int) -> np.ndarray:
    """Return what neurons draw, shape (ticks, neurons), beginning with a key."""
    words = [[_first_word(key + int(index)) for index in indices]]
    for _ in range(ticks - 1):
        words.append([_next_word(word) for word in words[-1]])
    return np.array(words)


READERS = (numpy_ticks, native_ticks)


def _evaluate(text: str, values: dict[str, int], drawn: int) -> None:
    low, high = values["v_min"], values["v_max"]
    functions = {
        "where": lambda condition, a, b: a if condition else b,
        "clamp": lambda x, a=low, b=high: min(max(x, a), b),
        "least": min,
        "most": max,
        "abs": abs,
        "sign": lambda x: (x > 0) - (x < 0),
        "nearest": lambda x, n: floor(Fraction(x, 2**n) + Fraction(1, 2)),
        "truncate": lambda x, n: trunc(Fraction(x, 2**n)),
        "chance": lambda x, n: floor(Fraction(x + drawn % 2**n, 2**n)),
        "table": lambda i, constants: constants[i],
        "__builtins__": {},
    }
    for line in text.splitlines():
        parts = [part.split("=", 1) for part in line.split(";") if part.strip()]
        values |= {name.strip(): int(eval(code, functions, values)) for name, code in parts}


def _next_word(word: int) -> int:
    for shift in (13, -17, 5):
        word ^= (word << shift if shift > 0 else word >> -shift) % 2**32
    return word


def _first_word(a: int) -> int:
    """Mix key plus number, round by round, as ``docs/neurons.md`` says."""
    a %= 2**32
    for right, factor in ((11, 2049), (7, 8193), (12, 513), (15, 2049), (6, 65)):
        a = ((a ^ (a >> right)) * factor) % 2**32
    return (a ^ (a >> 11)) or 1
