"""The presets that there are: each a file of this folder, or a user's own."""

from functools import cache
from pathlib import Path

from spikelet.description.named_files import chosen, read_file, read_folder
from spikelet.description.presets.preset import Preset

__all__ = ["preset", "presets", "read_preset"]


@cache
def presets() -> dict[str, Preset]:
    """Return the presets of this folder by name, in alphabetical order."""
    return read_folder("spikelet.description.presets", Preset.from_dict)


def preset(given: Preset | str | Path) -> Preset:
    """Return a preset.

    Parameters
    ----------
    given : Preset, str or Path
        A preset; the name of one of :func:`presets`; or a file, also as a text that ends in
        ``.toml``.

    Raises
    ------
    SpikeletError
        If there is no such preset, with the names of those that there are.
    """
    if isinstance(given, Preset):
        return given
    return chosen(given, "preset", presets(), read_preset)


def read_preset(path: str | Path) -> Preset:
    """Read a preset from a TOML file; SpikeletError names the file and what is wrong."""
    return read_file(path, "preset", Preset.from_dict)
