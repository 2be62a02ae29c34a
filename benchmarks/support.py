"""What several benchmarks share: the single-core chip, and how results are printed and written."""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.toolchain import compiler

__all__ = [
    "SIZE",
    "console",
    "options_of",
    "print_versions",
    "run",
    "single_core_chip",
    "single_core_image",
    "verdict",
    "versions",
    "write_json",
]

SIZE = 256
"""Axons, and neurons, of the core that the figures are about."""

console = Console(width=130)


def single_core_chip(lanes: int, pipelines: int = 1, **core: Any) -> ChipParams:
    """Return a chip of one 256x256 core: 4-bit weights, 16-bit potentials, one decay for all.

    ``core`` are further :class:`CoreParams`.
    """
    params = CoreParams(
        n_axons=SIZE,
        n_neurons=SIZE,
        neuron=neuron_model("snntorch-subtract"),
        parameters={"decay": "shared"},
        weight_bits=4,
        potential_bits=16,
        lanes=lanes,
        pipelines=pipelines,
        **core,
    )
    return ChipParams((params,), 1, 1, SIZE)


def single_core_image(firing: int) -> ChipImage:
    """Return contents with which ``firing`` neurons, scattered, fire in every tick with much input.

    All others never do. Each neuron sends its spikes to the host, on a line of its own.
    """
    chosen = np.random.default_rng(1).choice(SIZE, firing, replace=False)
    weights = np.full((SIZE, SIZE), -1, np.int16)
    weights[:, chosen] = 2
    lines = np.arange(SIZE)
    core = CoreImage(
        weights,
        destinations(lines, HOST, lines),
        {"threshold": np.array([20], np.int32), "decay": np.array([3000], np.int32)},
    )
    return ChipImage((core,))


def run(main: Callable[[], int]) -> None:
    """Run a benchmark as a command: exit with what it returns, or with the text of its error."""
    try:
        sys.exit(main())
    except SpikeletError as error:
        sys.exit(f"error: {error}")


def options_of(description: str | None, **arguments: dict[str, Any]) -> argparse.Namespace:
    """Parse the command line: ``arguments`` (with - for _), and ``--json``."""
    parser = argparse.ArgumentParser(description=description)
    for name, keywords in arguments.items():
        parser.add_argument(f"--{name.replace('_', '-')}", **keywords)
    parser.add_argument("--json", type=Path, help="also write the results here")
    return parser.parse_args()


def versions(*distributions: str) -> dict[str, str]:
    """Return the versions of Python, the C++ compiler, and the distributions named."""
    found = {"python": platform.python_version()}
    for name in sorted({"numpy", *distributions}):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    said = subprocess.run(
        [*compiler(), "-dumpfullversion"], capture_output=True, text=True, check=False
    )
    found[" ".join(compiler())] = said.stdout.strip() or "unknown"
    return found


def print_versions(tools: dict[str, str]) -> None:
    """Print what :func:`versions` returned."""
    console.print("  ".join(f"{name} {version}" for name, version in tools.items()))


def verdict(reached: bool) -> str:
    """Return the word for a goal."""
    return "[green]reached" if reached else "[red]NOT REACHED"


def write_json(path: Path | None, report: dict[str, Any]) -> None:
    """Write a report, if a path was given."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + "\n")
