"""States of a core's neurons as words of the configuration port."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.core_states import STATE_WORD_BITS
from spikelet.description.errors import SpikeletError

__all__ = [
    "StateField",
    "pack_states",
    "state_fields",
    "state_offsets",
    "state_span",
    "state_type",
    "unpack_kept",
    "unpack_states",
]


@dataclass(frozen=True)
class StateField:
    """Where a state is in the state words of its neuron.

    Parameters
    ----------
    word : int
        Of the neuron's words.
    first_bit, bits : int
        A state that can be negative has its sign in all bits from its own highest up.
    signed : bool
    """

    word: int
    first_bit: int
    bits: int
    signed: bool


def state_type(core: CoreParams, name: str) -> type[np.generic]:
    """Return the type of a state's array: bool of flags, uint8 of counts, int32 of others."""
    kinds: dict[str, type[np.generic]] = {"flag": np.bool_, "count": np.uint8}
    return kinds.get(core.neuron.state(name).kind, np.int32)


def state_fields(core: CoreParams) -> dict[str, StateField]:
    """Return where each state that ``clear`` clears is: flags from bit 31 of word 0 downwards.

    So are counts of spikes. Below them is the potential ``v``; each other state has a word of its
    own.

    SpikeletError if the flags and the potential need more than a word.
    """
    found = {}
    kinds = {name: core.neuron.state(name).kind for name in core.update.states}
    flags = [name for name, kind in kinds.items() if kind in ("flag", "count")]
    first = STATE_WORD_BITS
    for name in flags:
        first -= core.state_bits[name]
        found[name] = StateField(0, max(first, 0), core.state_bits[name], False)
    others = [name for name in core.update.states if name not in flags and name != "v"]
    for word, name in enumerate(("v", *others)):
        bits = STATE_WORD_BITS if word else first
        if bits < core.state_bits[name]:
            raise SpikeletError(
                f"core: flags and counts of {STATE_WORD_BITS - first} bits, and a potential of "
                f"{core.state_bits[name]} bits, do not fit a state word of {STATE_WORD_BITS} bits"
            )
        found[name] = StateField(word, 0, bits, core.state_ranges[name][0] < 0)
    return {name: found[name] for name in core.update.states}


def state_span(core: CoreParams) -> int:
    """Return the state words of a neuron, a power of two."""
    return 1 << max(field.word for field in state_fields(core).values()).bit_length()


def state_offsets(core: CoreParams) -> npt.NDArray[np.int64]:
    """Return the offsets of the state words in use, neuron by neuron."""
    used = 1 + max(field.word for field in state_fields(core).values())
    offsets = np.arange(core.n_neurons)[:, None] * state_span(core) + np.arange(used)
    return offsets.ravel()


def pack_states(core: CoreParams, states: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint32]:
    """Return the words (..., words), in the order of :func:`state_offsets`, that hold states.

    Parameters
    ----------
    core : CoreParams
    states : mapping of str to array, shape (..., n_neurons)
        Those that ``clear`` clears, by name.
    """
    fields = state_fields(core)
    used = 1 + max(field.word for field in fields.values())
    words = np.zeros((*states["v"].shape, used), np.int64)
    for name, field in fields.items():
        values = states[name].astype(np.int64) & ((1 << field.bits) - 1)
        words[..., field.word] |= values << field.first_bit
    return words.astype(np.uint32).reshape(*states["v"].shape[:-1], core.n_neurons * used)


def unpack_states(core: CoreParams, words: npt.NDArray[np.uint32]) -> dict[str, npt.NDArray[Any]]:
    """Inverse of :func:`pack_states`, for words of shape (..., words): arrays (..., n_neurons).

    Flags are bool, counts uint8, others int32.
    """
    fields = state_fields(core)
    used = 1 + max(field.word for field in fields.values())
    by_neuron = words.astype(np.int64).reshape(*words.shape[:-1], core.n_neurons, used)
    found: dict[str, npt.NDArray[Any]] = {}
    for name, field in fields.items():
        values = (by_neuron[..., field.word] >> field.first_bit) & ((1 << field.bits) - 1)
        if field.signed:
            values -= (values >> (field.bits - 1)) << field.bits
        found[name] = values.astype(state_type(core, name))
    return found


def unpack_kept(
    core: CoreParams, name: str, words: npt.NDArray[np.uint32]
) -> npt.NDArray[np.int32]:
    """Return the values of a state that ``clear`` keeps, from the words of its region."""
    bits = core.state_bits[name]
    values = words.astype(np.int64) & ((1 << bits) - 1)
    if core.state_ranges[name][0] < 0:
        values -= (values >> (bits - 1)) << bits
    return values.astype(np.int32)
