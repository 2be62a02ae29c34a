"""The report's part on files: links to all that belongs to the network."""

from itertools import groupby
from typing import Any

from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "content"]


def content(parts: Parts) -> dict[str, Any] | None:
    """Return ``folders``: ``name`` and ``files``, paths from the page; None without files."""
    files = sorted(parts.files, key=lambda path: (path.parent.as_posix(), path.name))
    folders = [
        {"name": name, "files": [path.as_posix() for path in group]}
        for name, group in groupby(files, key=lambda path: path.parent.as_posix())
    ]
    return {"folders": folders} if folders else None


SECTION = Section("files", "Files", "files_section.html.j2", content)
