"""A bitstream taken apart by the family's unpacker, and put together again."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikelet.fpga.families.family import Family

__all__ = ["RoundTrip", "round_trip"]


@dataclass(frozen=True)
class RoundTrip:
    """What became of a bitstream.

    Parameters
    ----------
    unpacked : str
        The configuration as text.
    differs_at : int or None
        First byte in which the bitstream that was packed of it differs; None if none does.
    size : int
        Of the bitstream, in bytes.
    """

    unpacked: str
    differs_at: int | None
    size: int


def round_trip(family: Family, folder: Path, options: Sequence[str] = ()) -> RoundTrip:
    """Unpack the bitstream of a build's folder, and pack the result.

    Parameters
    ----------
    family : Family
    folder : Path
        It is left as it is.
    options : sequence of str
        For the packer.

    Raises
    ------
    SpikeletError
        If the packer or unpacker fails.
    """
    bitstream = (folder / family.bitstream_file).read_bytes()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        shutil.copy(folder / family.bitstream_file, work)
        family.unpack(work)
        unpacked = (work / family.placed_file).read_text()
        (work / family.bitstream_file).unlink()
        family.pack(work, tuple(options))
        again = (work / family.bitstream_file).read_bytes()
    places = zip(bitstream, again, strict=False)
    first = next((at for at, (old, new) in enumerate(places) if old != new), None)
    if first is None and len(bitstream) != len(again):
        first = min(len(bitstream), len(again))
    return RoundTrip(unpacked, first, len(bitstream))
