"""Cost model: clock cycles of a tick. No twin in rtl_gen, whose cycles it predicts."""

import numpy as np
import numpy.typing as npt

from spikelet.description.params import ChipParams

__all__ = ["tick_cycles"]


def tick_cycles(
    chip: ChipParams, active_axons: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Predict the clock cycles of each tick, from its start to the barrier."""
    return active_axons.sum(axis=2, dtype=np.int64)
