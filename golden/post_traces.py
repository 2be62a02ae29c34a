"""Golden model of the traces of a core's neurons. Twin of ``rtl_gen/post_traces.py``."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spikelet.description.learning.rule import LearningRule
from spikelet.golden.trace_update import decayed, raised

__all__ = ["PostTraces"]


class PostTraces:
    """``y1``, ``y2`` and ``y3``, as far as the rule has them, for a batch of samples.

    Parameters
    ----------
    rule : LearningRule
    values : mapping of array of int, shape (samples, n_neurons)
        By name, as they enter the coming tick; those that the rule does not have are left out.

    Attributes
    ----------
    values : dict of array of int64, shape (samples, n_neurons)
        No phase sees them raised by the spike of its own tick.
    """

    def __init__(self, rule: LearningRule, values: Mapping[str, npt.NDArray[np.integer]]) -> None:
        self._params = rule.post_traces
        self.values = {name: values[name].astype(np.int64) for name in self._params}

    def advance(self, fired: npt.NDArray[np.bool_]) -> None:
        """End the tick: raise by its spikes, shape (samples, n_neurons), and decay."""
        for name, trace in self._params.items():
            self.values[name] = decayed(trace, raised(trace, self.values[name], fired))
