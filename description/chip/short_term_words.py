"""Short-term plasticity as words of the configuration port: one for each axon."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.learning.short_term import SHORT_TERM_STATES

__all__ = ["short_term_states", "short_term_words"]

_U, _DEPLETED = SHORT_TERM_STATES
_ON_BIT, _DEPLETED_BIT = 15, 16


def short_term_words(
    axons: npt.NDArray[np.bool_], states: Mapping[str, npt.NDArray[np.integer]] | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Return offsets and words.

    Parameters
    ----------
    axons : array of bool, shape (n_axons,)
        Which have short-term plasticity.
    states : mapping of array of int, shape (n_axons,), or None
        Of the names of :data:`SHORT_TERM_STATES`; None: as after ``clear``.
    """
    words = axons.astype(np.int64) << _ON_BIT
    if states is not None:
        words |= states[_U].astype(np.int64) | states[_DEPLETED].astype(np.int64) << _DEPLETED_BIT
    return np.arange(len(words)), words.astype(np.uint32)


def short_term_states(words: npt.NDArray[np.uint32]) -> dict[str, npt.NDArray[Any]]:
    """Return the states that words, shape (..., n_axons), hold, by name."""
    return {
        _U: (words & SHORT_TERM_STATES[_U]).astype(np.int32),
        _DEPLETED: (words >> _DEPLETED_BIT).astype(np.int32),
    }
