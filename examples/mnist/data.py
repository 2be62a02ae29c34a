"""MNIST's training files, from a folder: 60,000 images of 28x28 and their labels."""

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["load_mnist", "read_idx"]


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of unsigned bytes; SpikeletError if it is none."""
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise SpikeletError(f"{path} is not a readable gzip file: {error}") from error
    if data[:3] != b"\x00\x00\x08":
        raise SpikeletError(f"{path} is not an IDX file of unsigned bytes")
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def load_mnist(folder: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return levels of 0..255, shape (images, 784), and labels, shape (images,)."""
    levels = read_idx(folder / "train-images-idx3-ubyte.gz")
    return levels.reshape(len(levels), -1), read_idx(folder / "train-labels-idx1-ubyte.gz")
