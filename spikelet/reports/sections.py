"""The sections of the report that are files of their own, in the order of the page."""

from collections.abc import Iterator
from contextlib import contextmanager

from spikelet.description.errors import SpikeletError
from spikelet.reports import (
    classes_section,
    files_section,
    glossary_section,
    measures_section,
    picker_section,
    program_section,
    weights_section,
)
from spikelet.reports.section import Section

__all__ = ["SECTIONS", "registered"]

SECTIONS: list[Section] = [
    measures_section.SECTION,
    classes_section.SECTION,
    picker_section.SECTION,
    weights_section.SECTION,
    program_section.SECTION,
    files_section.SECTION,
    glossary_section.SECTION,
]


@contextmanager
def registered(section: Section) -> Iterator[Section]:
    """Show a section of one's own, behind the others, in a ``with`` block.

    SpikeletError if there is one of its name.
    """
    if section.name in (known.name for known in SECTIONS):
        raise SpikeletError(
            f"section {section.name!r} cannot be registered: there is one of that name",
            remedy="give it a name of its own",
        )
    SECTIONS.append(section)
    try:
        yield section
    finally:
        SECTIONS.remove(section)
