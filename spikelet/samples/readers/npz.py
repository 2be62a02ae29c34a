"""Samples as numpy's archive of arrays."""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from spikelet.description.array_files import read_arrays
from spikelet.samples.reader import SampleReader

__all__ = ["Npz"]


class Npz(SampleReader):
    """An `.npz` file with all arrays by name; it can hold several sets."""

    needed = (
        "an .npz file with `spikes` (samples, ticks, inputs) of 0 and 1, or with `levels` "
        "(samples, inputs), `full_scale` and `ticks` for rate encoding; and, optionally, `labels` "
        "(samples)"
    )
    starts = (b"PK\x03\x04", b"PK\x05\x06")
    suffixes = (".npz",)

    def read(self, path: Path) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays."""
        return read_arrays(path, self.needed)
