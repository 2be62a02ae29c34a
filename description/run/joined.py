"""Recordings of parts of the samples, joined to that of all."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spikelet.description.run.recording import Recording

__all__ = ["joined_samples"]


def joined_samples(parts: Sequence[Recording]) -> Recording:
    """Return the Recording of the samples of all parts, in their order.

    Parameters
    ----------
    parts : sequence of Recording
        At least one; of as many ticks, and with the same recorded. Engine, neurons and notes are
        those of the first.
    """
    first = parts[0]
    if len(parts) == 1:
        return first

    def array(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    def by_core(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        if values[0] is None:
            return None
        return [
            {key: np.concatenate([one[key] for one in core]) for key in core[0]}
            if isinstance(core[0], dict)
            else np.concatenate(core)
            for core in zip(*values, strict=True)
        ]

    whole = ("outputs", "active_axons", "merged_spikes", "cycles", "checksums", "ticks_run")
    return replace(
        first,
        **{name: array(name) for name in whole},
        **{name: by_core(name) for name in ("spikes", "states", "learned")},
    )
