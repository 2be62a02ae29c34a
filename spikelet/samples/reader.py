"""What a kind of samples file is to the rest: the door for a new one.

A reader turns a file into named arrays; what they must hold is checked for all kinds alike
(``samples/sample_file.py``). ``docs/data.md`` shows one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

__all__ = ["FileReader", "SampleReader"]


class FileReader(ABC):
    """How files of one kind, of samples or of events, are known.

    Attributes
    ----------
    needed : str
        What such a file holds, for messages: "an .npz file with ...".
    starts : tuple of bytes
        What such a file may begin with; empty: only the suffix tells.
    suffixes : tuple of str
        As in ".csv", in lower case.
    """

    needed: ClassVar[str]
    starts: ClassVar[Sequence[bytes]] = ()
    suffixes: ClassVar[Sequence[str]] = ()

    def recognises(self, path: Path, head: bytes) -> bool:
        """Return whether a file, of which ``head`` is the beginning, is of this kind."""
        if self.starts:
            return head.startswith(tuple(self.starts))
        return path.suffix.lower() in self.suffixes


class SampleReader(FileReader):
    """How samples files of one kind are read.

    A file that no reader recognises is given to one of its suffix, to say what is wrong with it.
    """

    @abstractmethod
    def read(self, path: Path) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of a file by name.

        Returns
        -------
        dict of str to array
            ``spikes`` (samples, ticks, inputs), or ``levels`` (samples, inputs), ``full_scale`` and
            ``ticks``; optionally ``labels`` (samples), ``lengths`` (samples) and ``reward``
            (samples, ticks). Their values need not be checked.

        Raises
        ------
        SpikeletError
            If the file cannot be read, naming it, the place in it, and what would be valid.
        """
