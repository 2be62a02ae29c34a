"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["PARTIAL", "AtomicFile"]

PARTIAL = ".partial"
"""How the name of what is still being written ends; it stays only where a run was killed."""


class AtomicFile:
    """Context manager: a temporary file beside ``path`` that replaces it on success only."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __enter__(self) -> Any:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.name}.", suffix=PARTIAL
        )
        self.temporary = Path(name)
        self.file = os.fdopen(descriptor, "wb")
        return self.file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.file.close()
            if kind is None:
                os.chmod(self.temporary, 0o644)
                self.temporary.replace(self.path)
        finally:
            self.temporary.unlink(missing_ok=True)
