"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError, file_error

__all__ = ["PARTIAL", "AtomicFile"]

PARTIAL = ".partial"
"""How the name of what is still being written ends; it stays only where a run was killed."""


class AtomicFile:
    """Context manager: a temporary file beside ``path`` that replaces it on success only.

    SpikeletError, with a remedy, if the system refuses: a full disk, no permission. Then no part of
    it is left.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __enter__(self) -> Any:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(
                dir=self.path.parent, prefix=f".{self.path.name}.", suffix=PARTIAL
            )
        except OSError as error:
            raise self._refused(error) from error
        self.temporary = Path(name)
        self.file = os.fdopen(descriptor, "wb")
        return self.file

    def __exit__(self, kind: type[BaseException] | None, error: object, _: object) -> None:
        try:
            self.file.close()  # what is left in its buffer may meet a full disk
            if kind is None:
                os.chmod(self.temporary, 0o644)
                self.temporary.replace(self.path)
        except OSError as late:
            error = error or late
        finally:
            self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> SpikeletError:
        return file_error(f"{self.path} cannot be written", error)
