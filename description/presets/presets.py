"""The presets that there are: each a file of this folder, or a user's own."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from spikelet.description.errors import MALFORMED, SpikeletError, file_error
from spikelet.description.presets.preset import Preset

__all__ = ["preset", "presets", "read_preset"]


@cache
def presets() -> dict[str, Preset]:
    """Return the presets of this folder by name, in alphabetical order."""
    folder = files("spikelet.description.presets")
    texts = {
        item.name: item.read_text() for item in folder.iterdir() if item.name.endswith(".toml")
    }
    found = [Preset.from_dict(tomllib.loads(texts[name])) for name in sorted(texts)]
    return {preset.name: preset for preset in found}


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
    if isinstance(given, Path):
        return read_preset(given)
    if not isinstance(given, str):
        raise SpikeletError(f"a preset is a name, a file or a Preset, not {given!r}")
    if given.endswith(".toml"):
        return read_preset(Path(given))
    if given not in presets():
        raise SpikeletError(
            f"there is no preset {given!r}",
            remedy=f"take one of {', '.join(presets())}, or a file of your own (NAME.toml)",
        )
    return presets()[given]


def read_preset(path: str | Path) -> Preset:
    """Read a preset from a TOML file; SpikeletError names the file and what is wrong."""
    path = Path(path)
    try:
        text = path.read_text()
    except OSError as error:
        raise file_error(f"the preset {path} cannot be read", error) from None
    except UnicodeDecodeError:
        raise SpikeletError(f"the preset {path} is not a text") from None
    try:
        return Preset.from_dict(tomllib.loads(text))
    except (SpikeletError, *MALFORMED) as error:
        remedy = error.remedy if isinstance(error, SpikeletError) else ""
        raise SpikeletError(f"{path}: {error.args[0]}", remedy=remedy) from None
