"""Samples as a single numpy array."""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from spikelet.description.array_files import read_array
from spikelet.samples.reader import SampleReader

__all__ = ["Npy"]


class Npy(SampleReader):
    """An `.npy` file, which is `spikes`; it has no labels."""

    needed = "an .npy file, whose array is `spikes`"
    starts = (b"\x93NUMPY",)
    suffixes = (".npy",)

    def read(self, path: Path) -> dict[str, npt.NDArray[Any]]:
        """Return the array as spikes."""
        return {"spikes": read_array(path, self.needed)}
