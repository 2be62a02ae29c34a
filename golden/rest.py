"""Golden model of neurons at rest. Twin of ``rtl_gen/rest.py``."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Rest"]


class Rest:
    """Whether the neurons of a core are at a fixed point, for a batch of samples.

    Neurons whose update without current changed no state, and that did not fire, stay as they are
    in all ticks without a spike that follow. A tick's time depends on it, and no state.

    Parameters
    ----------
    samples : int

    Attributes
    ----------
    awake : array of bool, shape (samples,)
        Whether the neurons are not known to rest; at first they are not.
    """

    def __init__(self, samples: int) -> None:
        self.awake: npt.NDArray[np.bool_] = np.ones(samples, np.bool_)

    def quiet(self, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return in which samples a tick is cut short.

        Parameters
        ----------
        active : array of bool, shape (samples,)
            Whether any axon is active in the tick.
        """
        found: npt.NDArray[np.bool_] = ~(self.awake | active)
        return found

    def note(
        self,
        active: npt.NDArray[np.bool_],
        before: Mapping[str, npt.NDArray[Any]],
        after: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        """See the states around the update of a tick.

        Parameters
        ----------
        active : array of bool, shape (samples,)
        before, after : mapping of array, shape (samples, n_neurons)
            States by name; ``fired`` is among them.
        """
        silent = np.flatnonzero(~active)
        self.awake = active.copy()
        for name in before if silent.size else ():
            old, new = before[name][silent], after[name][silent]
            moved = (old | new) != 0 if name == "fired" else old != new
            self.awake[silent] |= moved.any(axis=1)
