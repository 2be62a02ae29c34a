"""A chip on a board, opened for a network; and, if another one answers, what it was built from."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spikelet.description.chip.compiled_files import CHIP_FILE, chip_of
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.host.board_port import BoardPort
from spikelet.host.driver import Chip
from spikelet.host.expected_chip import ForeignChipError

__all__ = ["board_chip", "built_from", "differences"]

_MOST_SHOWN = 5
_MOST_CHARACTERS = 40


def board_chip(port: BoardPort, chip: ChipParams, folder: Path | None = None) -> Chip:
    """Open the chip on a board.

    Parameters
    ----------
    port : BoardPort
        With a name.
    chip : ChipParams
        What its bitstream should have been built of.
    folder : Path or None
        Project folder of the network; if another chip answers, the folders beside it are searched
        for the one that it was built from.

    Raises
    ------
    ForeignChipError
        If another chip answers; with the folder that it fits, and what differs there.
    SpikeletError
        As :meth:`Chip.open`.
    """
    try:
        times = {"patience_s": port.patience_s, "watchdog_s": port.watchdog_s}
        return Chip.open(port.name, chip, baud=port.baud, **times)
    except ForeignChipError as error:
        found = built_from(error.structure, folder) if folder else None
        if found is None:
            raise
        fits, other = found
        listed = differences(other, chip)
        more = f" and {len(listed) - _MOST_SHOWN} more" if len(listed) > _MOST_SHOWN else ""
        raise ForeignChipError(
            f"{error.args[0]}; it was built from {fits}, whose chip differs in "
            f"{'; '.join(listed[:_MOST_SHOWN])}{more}",
            remedy=f"name {fits}, or build {folder}: spikelet build {folder} BOARD --image "
            "host-link, then spikelet program",
            structure=error.structure,
        ) from error


def built_from(structure: str, folder: Path) -> tuple[Path, ChipParams] | None:
    """Return the project folder beside another whose chip has a structure, and that chip.

    Parameters
    ----------
    structure : str
        First 8 hexadecimal digits of its digest.
    folder : Path
    """
    for file in sorted(folder.absolute().parent.glob(f"*/compiled/{CHIP_FILE}")):
        try:
            chip = chip_of(json.loads(file.read_bytes()))
        except (OSError, SpikeletError, *MALFORMED):
            continue  # nobody asked for this one
        if chip.digest.startswith(structure):
            return file.parents[1], chip
    return None


def differences(chip: ChipParams, other: ChipParams) -> list[str]:
    """Return each field of a structure in which two chips differ, and both values, in words."""
    mine, theirs = dict(_fields(chip.to_dict())), dict(_fields(other.to_dict()))
    names = dict.fromkeys([*mine, *theirs])
    return [
        f"{name}: {_short(mine.get(name))}, not {_short(theirs.get(name))}"
        for name in names
        if mine.get(name) != theirs.get(name)
    ]


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all fields of a description, those of what stands in others with a dot between."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list | tuple) and any(isinstance(part, dict) for part in value):
        for index, inner in enumerate(value):
            yield from _fields(inner, f"{name}[{index}]")
    else:
        yield name, value


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."
