"""Golden model of the traces of a core's axons. Twin of ``rtl_gen/pre_traces.py``."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spikelet.description.learning.rule import LearningRule
from spikelet.golden.trace_update import decayed, raised

__all__ = ["PreTraces"]


class PreTraces:
    """``x1`` and ``x2``, as far as the rule has them, for a batch of samples.

    Parameters
    ----------
    rule : LearningRule
    values : mapping of array of int, shape (samples, n_axons)
        By name, as they enter the coming tick; those that the rule does not have are left out.

    Attributes
    ----------
    values : dict of array of int64, shape (samples, n_axons)
    """

    def __init__(self, rule: LearningRule, values: Mapping[str, npt.NDArray[np.integer]]) -> None:
        self._params = rule.pre_traces
        self.values = {name: values[name].astype(np.int64) for name in self._params}

    def rise(self, active: npt.NDArray[np.bool_]) -> None:
        """Take the spikes of a tick, shape (samples, n_axons)."""
        for name, trace in self._params.items():
            self.values[name] = raised(trace, self.values[name], active)

    def decay(self) -> None:
        """End the tick."""
        for name, trace in self._params.items():
            self.values[name] = decayed(trace, self.values[name])
