"""Which installation measures: what must be the same wherever a configuration is measured."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from spikelet.description.versions import golden_version, package_versions

__all__ = ["different", "versions"]

_SOURCES = ("description", "golden", "fpga", "boards", "rtl_gen", "spikelet")
"""Folders on which results depend; ``spikelet`` is that of an installation, or of a source tree."""


@cache
def versions() -> dict[str, str]:
    """Return the versions of what makes results here, Spikelet's with a digest of its source."""
    state = hashlib.sha256()
    package = find_spec("spikelet")
    assert package is not None
    for place in map(Path, package.submodule_search_locations or ()):
        for part in _SOURCES:
            folder = place / part
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                if path.suffix in (".py", ".toml"):
                    state.update(path.relative_to(place).as_posix().encode() + path.read_bytes())
    return {
        "source": state.hexdigest()[:12],
        "golden model": golden_version(),
        **package_versions("spikelet", "numpy", "scipy", "pymetis"),
    }


def different(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """Return what differs, as a text; empty if nothing does."""
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    return ", ".join(
        f"{name} {theirs.get(name, 'missing')} (here {ours.get(name, 'missing')})" for name in names
    )
