"""What the HTML reports share: filling a template, and writing a page with its pictures inside."""

import base64
import struct
from pathlib import Path
from typing import Any

from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import install_command

_MISSING_EXTRA: ImportError | None = None
try:
    import jinja2
except ImportError as error:
    _MISSING_EXTRA = error

__all__ = ["PAGE", "check_extra", "filled", "write_page"]

PAGE = "index.html"
"""The report's file name; it is written after its pictures."""

_DOTS_PER_PIXEL = 1.6  # sharp on paper


def check_extra(plots_error: ImportError | None) -> None:
    """Raise SpikeletError unless Jinja, and what plots need, is installed."""
    error = _MISSING_EXTRA or plots_error
    if error is not None:
        raise SpikeletError(
            f"the report needs matplotlib and Jinja: {error}", remedy=install_command("report")
        )


def filled(template: Path, pictures: dict[str, bytes], filters: dict[str, Any], **data: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template : Path
        May use the templates beside this module.
    pictures : dict of bytes
        PNGs by name, which the page holds.
    filters : dict of callable
        Besides ``count`` and ``percent``.
    **data
        What the template uses.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(count="{:,}".format, percent=_percent, **filters)
    embedded = {name: _embedded(name, png) for name, png in pictures.items()}
    return environment.get_template(template.name).render(pictures=embedded, **data)


def write_page(
    folder: Path,
    page: str,
    pictures: dict[str, bytes],
    made: Artefact,
    further: dict[str, bytes] | None = None,
) -> Path:
    """Write the pictures, further files, the page, and what they were made of; return its path.

    Pictures of an earlier report that knew more are removed. SpikeletError if the folder cannot be
    written.
    """
    contents = {f"{name}.png": data for name, data in pictures.items()} | (further or {})
    made.write(folder, {**contents, PAGE: page.encode(errors="replace")})
    return folder / PAGE


def _embedded(name: str, png: bytes) -> dict[str, Any]:
    (dots,) = struct.unpack(">I", png[16:20])
    data = base64.b64encode(png).decode()
    return {"file": f"{name}.png", "width": round(dots / _DOTS_PER_PIXEL), "base64": data}


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"
