"""``spikelet check``: what the nodes of a NIR file are to a chip."""

import sys
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import (
    DT,
    FRAMEWORK,
    INPUT_COUNTS,
    INPUT_LEVELS,
    NEURON,
    POTENTIAL_BITS,
    SPIKE_BITS,
    WEIGHT_BITS,
)
from spikelet.terminal import Terminal, printing_options

__all__ = ["check"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@NEURON
@FRAMEWORK
@DT
@WEIGHT_BITS
@POTENTIAL_BITS
@SPIKE_BITS
@INPUT_LEVELS
@INPUT_COUNTS
@printing_options
def check(
    terminal: Terminal,
    file: Path,
    weight_bits: tuple[str, ...],
    potential_bits: tuple[str, ...],
    spike_bits: tuple[str, ...],
    **options: Any,
) -> None:
    """Say of each node of the NIR file FILE whether a chip computes it exactly; write nothing."""
    from spikelet.check_table import show_check
    from spikelet.network.quantise import bits_of_layers
    from spikelet.support import UNSUPPORTED
    from spikelet.support import check as checked

    found = checked(
        file,
        weight_bits=bits_of_layers("--weight-bits", weight_bits),
        potential_bits=bits_of_layers("--potential-bits", potential_bits),
        spike_bits=bits_of_layers("--spike-bits", spike_bits),
        **options,
    )
    show_check(terminal, found)
    terminal.result(found.to_dict())
    if found.verdict == UNSUPPORTED:
        sys.exit(1)
