"""The files of a compiled network: which there are, and the chip and contents that they hold."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from spikelet.description.array_files import arrays_under, read_arrays
from spikelet.description.artefact import Artefact
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import MALFORMED, SpikeletError

__all__ = [
    "ARRAYS_FILE",
    "CHIP_FILE",
    "COMPILED",
    "FORMAT",
    "chip_of",
    "described",
    "image_arrays",
    "image_of",
    "read_compiled",
]

COMPILED = "compiled network"
"""What the record of a saved network calls it."""

FORMAT = 8
"""Version of the saved form; raised when it changes."""

CHIP_FILE, ARRAYS_FILE = "chip.json", "arrays.npz"
_COMPILE_AGAIN = "compile the network again into this folder (spikelet compile)"


@contextmanager
def described(folder: Path) -> Iterator[None]:
    """Make one error of whatever is wrong with the description in a folder."""
    try:
        yield
    except (SpikeletError, *MALFORMED) as error:
        raise SpikeletError(
            f"{folder / CHIP_FILE} does not describe a compiled network: "
            f"{error.args[0] if error.args else error}",
            remedy=_COMPILE_AGAIN,
        ) from error


def read_compiled(folder: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return the description of a compiled network, and its arrays by name.

    SpikeletError, naming the file, if one is missing, damaged, of another version, or not of the
    same run as the others.
    """
    names = (CHIP_FILE, ARRAYS_FILE)
    _, contents = Artefact.read(folder, names, kind=COMPILED, version=FORMAT, remedy=_COMPILE_AGAIN)
    with described(folder):
        arrays = read_arrays(contents[ARRAYS_FILE], ARRAYS_FILE, limit=None)
        return json.loads(contents[CHIP_FILE]), arrays


def chip_of(fields: dict[str, Any]) -> ChipParams:
    """Return the chip of a description."""
    return ChipParams.from_dict(fields["chip"])


def image_arrays(image: ChipImage) -> dict[str, npt.NDArray[Any]]:
    """Return the contents of all cores."""
    return {
        f"core_{index}.{name}": values
        for index, core in enumerate(image.cores)
        for name, values in core.to_arrays().items()
    }


def image_of(chip: ChipParams, arrays: dict[str, npt.NDArray[Any]]) -> ChipImage:
    """Return the contents of a chip; inverse of :func:`image_arrays`."""
    cores = range(len(chip.cores))
    image = ChipImage(
        tuple(CoreImage.from_arrays(arrays_under(arrays, f"core_{i}.")) for i in cores)
    )
    image.check(chip)
    return image
