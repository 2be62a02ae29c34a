"""Whether what answers is the chip that was expected."""

from collections.abc import Callable

from spikelet.description.chip.memory_map import IDENTIFICATION
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = ["ForeignChipError", "check_identity"]


class ForeignChipError(SpikeletError):
    """What answers is a chip, and another than the one that was expected.

    Parameters
    ----------
    message : str
    remedy : str
    structure : str
        First 8 hexadecimal digits of its structure's digest.
    """

    def __init__(self, message: str, *, remedy: str, structure: str) -> None:
        super().__init__(message, remedy=remedy)
        self.structure = structure


def check_identity(name: str, chip: ChipParams, register: Callable[[str], int]) -> None:
    """Raise SpikeletError if what answers is no chip of Spikelet's, or of another memory map.

    Parameters
    ----------
    name : str
        Of the engine, for messages.
    chip : ChipParams
        What is expected; :class:`ForeignChipError` if it has another structure.
    register : callable
        Reads one of the chip's registers, by its name.
    """
    identification, structure = (register(one) for one in ("identification", "structure"))
    if identification >> 8 != IDENTIFICATION >> 8:
        raise SpikeletError(
            f"{name}: register identification is {identification:#010x}, "
            f"not {IDENTIFICATION:#010x}: this is no chip of Spikelet's",
            remedy="check what the link leads to",
        )
    if identification != IDENTIFICATION:
        raise SpikeletError(
            f"{name}: the chip's memory map is of version {identification & 0xFF}, this "
            f"driver's of {IDENTIFICATION & 0xFF}",
            remedy="build the bitstream again with this version of Spikelet, or use the "
            "version that built it",
        )
    if structure != int(chip.digest[:8], 16):
        raise ForeignChipError(
            f"{name}: the design has structure {structure:08x}, "
            f"the chip description {chip.digest[:8]}: they do not belong together",
            remedy="name the network that the design was built from, or build this one: "
            "spikelet build FOLDER BOARD --image host-link, then spikelet program",
            structure=f"{structure:08x}",
        )
