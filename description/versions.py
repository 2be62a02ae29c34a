"""Versions of what makes results: Python packages, and the golden model by its source."""

import hashlib
import importlib.metadata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["golden_version", "package_versions"]


def package_versions(*names: str) -> dict[str, str]:
    """Return the versions of those of the distributions that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def golden_version() -> str:
    """Return the version of the golden model: Spikelet's, and a digest of the model's source.

    So a golden run of a source tree that was changed since is recognised as one of another model.
    """
    spec = find_spec("spikelet.golden")
    assert spec is not None and spec.submodule_search_locations is not None
    state = hashlib.sha256()
    for place in spec.submodule_search_locations:
        for path in sorted(Path(place).rglob("*")):
            if path.suffix in (".py", ".c"):
                name = path.relative_to(place).as_posix()
                state.update(name.encode() + path.read_bytes())
    version = importlib.metadata.version("spikelet")
    return f"{version}+{state.hexdigest()[:12]}"
