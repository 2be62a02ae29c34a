"""Environments of the peers: each is installed once, and used again."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from spikelet.description.errors import SpikeletError

__all__ = ["REQUIREMENTS", "environment_of", "python_of"]

REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "Brian2": ("brian2>=2.9", "numpy<2.4", "setuptools"),  # it uses ndarray.ptp, gone in numpy 2.4
    "NEST": ("nest-simulator>=3.10", "numpy"),
    "Spyx": ("spyx>=1.0", "jax>=0.10", "flax>=0.12", "numpy"),
    "sinabs": ("sinabs>=3.1", "torch>=2.2", "numpy"),
    "snnTorch": ("snntorch>=1.0", "torch>=2.2", "numpy"),
}
"""What an environment holds, by the peer; of several ways to use a peer the name is before ","."""


def environment_of(engine: str) -> str:
    """Return which environment an engine runs in: a key of :data:`REQUIREMENTS`."""
    return engine.partition(",")[0]


def python_of(name: str, folder: Path, progress: Callable[[str], None]) -> Path:
    """Return the interpreter of a peer's environment, which is made if there is none yet.

    Parameters
    ----------
    name : str
        A key of :data:`REQUIREMENTS`.
    folder : Path
        Of all environments.
    progress : callable
        Is told what is installed.

    Raises
    ------
    SpikeletError
        If it cannot be installed; what pip said last. Nothing is left behind.
    """
    needs = REQUIREMENTS[name]
    text = f"{sys.version_info[:2]} {needs}"
    place = folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    python = place / "bin" / "python"
    if (place / "complete").exists():
        return python
    progress(f"{name}: installing {', '.join(needs)} into {place}")
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", *needs]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(place, ignore_errors=True)
        said = done.stderr.strip().splitlines() or [f"pip exited with {done.returncode}"]
        raise SpikeletError(f"{name} cannot be installed: {said[-1]}")
    (place / "complete").touch()
    return python
