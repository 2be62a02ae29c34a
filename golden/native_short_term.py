"""Short-term plasticity where C finds it: ``kernel_short_term.c``. No twin in rtl_gen."""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.learning.short_term import SHORT_TERM_STATES, ShortTermPlasticity
from spikelet.golden.aligned import aligned, padded

__all__ = ["NativeShortTerm", "ShortTermStructure"]


class ShortTermStructure(ctypes.Structure):
    """``struct short_term`` of ``kernel_short_term.c``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_axons", "columns", "first_teacher")),
        *((name, ctypes.c_int32) for name in ("utilisation", "recovery", "facilitation")),
        *((name, ctypes.c_void_p) for name in ("on", "u", "depleted", "amplitudes", "weights")),
        ("sums", ctypes.c_void_p),
    ]


class NativeShortTerm:
    """What the kernel needs to scale the sums of a core.

    Parameters
    ----------
    core : CoreParams
    params : ShortTermPlasticity
        The core's.
    image : CoreImage
    arrays : dict of array
        ``u`` and ``depleted``, which change as the core runs; and, in a core that learns, its
        ``weights`` in padded rows.

    Attributes
    ----------
    address : int
        Of the structure.
    """

    def __init__(
        self,
        core: CoreParams,
        params: ShortTermPlasticity,
        image: CoreImage,
        arrays: dict[str, npt.NDArray[Any]],
    ) -> None:
        columns = padded(core.n_neurons)
        weights = arrays.get("weights")
        if weights is None:
            weights = aligned((core.n_axons, columns), np.int16)
            weights[:, : core.n_neurons] = image.weights
        self._held = {
            "on": image.short_term.astype(np.uint8),
            **{name: arrays[name] for name in SHORT_TERM_STATES},
            "amplitudes": np.zeros(core.n_axons, np.int32),
            "weights": weights,
            "sums": aligned((columns,), np.int32),
        }
        self._structure = ShortTermStructure(
            n_axons=core.n_axons,
            columns=columns,
            first_teacher=core.n_axons - core.teacher_axons,
            utilisation=params.utilisation,
            recovery=params.recovery,
            facilitation=params.facilitation,
            **{name: array.ctypes.data for name, array in self._held.items()},
        )
        self.address = ctypes.addressof(self._structure)
