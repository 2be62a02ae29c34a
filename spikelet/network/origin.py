"""What a network was read from, and what its numbers were taken for."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """How the numbers of a network file were read; all of it in words.

    Parameters
    ----------
    path : str
        The file.
    framework : str
        Whose convention was taken: its name, as ``--framework`` takes it.
    reading : tuple of str
        By whose word, and what each kind of neuron node means.
    unsaid : tuple of str
        What the file does not say, with what was taken.
    approximate : tuple of str
        What the framework computes and a chip does not.
    doubts : tuple of str
        What nobody said and may be wrong, with a remedy.
    """

    path: str
    framework: str
    reading: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    approximate: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values; of the path, only the file's name."""
        return {**asdict(self), "path": Path(self.path).name}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Origin":
        """Inverse of :meth:`to_dict`; KeyError for other fields."""
        words = ("reading", "unsaid", "approximate", "doubts")
        return cls(fields["path"], fields["framework"], *(tuple(fields[name]) for name in words))
