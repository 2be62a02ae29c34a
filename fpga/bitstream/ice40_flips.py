"""Bits of a configuration that are the other way round, one at a time, and the circuits they make.

They stand for faults of the packer, or of what stores the bitstream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spikelet.fpga.bitstream.circuit import Circuit
from spikelet.fpga.bitstream.ice40_circuit import Ice40Circuit
from spikelet.fpga.bitstream.ice40_configuration import Configuration
from spikelet.fpga.bitstream.ice40_database import Database
from spikelet.fpga.bitstream.ice40_wires import NotModelledError

__all__ = ["Flip", "drawn_bits", "flipped"]


@dataclass(frozen=True)
class Flip:
    """A configuration with one bit the other way round.

    Parameters
    ----------
    bit : tuple of int
        x, y, row and column in a tile; or x, y and number in a block RAM.
    belongs_to : str
        What uses the bit in the configuration as it should be.
    circuit : Circuit or None
        None if it makes none.
    broken : str
        Why it makes none, or none that can be simulated; or empty.
    same : bool
        Whether the circuit is the same in spite of it.
    """

    bit: tuple[int, ...]
    belongs_to: str
    circuit: Circuit | None
    broken: str
    same: bool = False


def drawn_bits(circuit: Circuit, count: int, seed: int) -> list[tuple[int, ...]]:
    """Return some bits of used cells and closed switches, drawn by seed."""
    bits = sorted(circuit.bits)
    chosen = np.random.default_rng(seed).choice(len(bits), count, replace=False)
    return [bits[place] for place in chosen]


def flipped(
    data: Database,
    configuration: Configuration,
    package: str,
    sites: Mapping[str, str],
    bits: Sequence[tuple[int, ...]],
) -> tuple[Circuit, list[Flip]]:
    """Return the circuit of a configuration, and of those in which one of ``bits`` is flipped."""
    circuit = Ice40Circuit(data, configuration, package, sites).circuit
    flips = []
    for bit in bits:
        owner = circuit.bits.get(bit, "nothing that a pin depends on")
        try:
            changed = Ice40Circuit(data, configuration.flipped(bit), package, sites).circuit
        except NotModelledError as error:
            flips.append(Flip(bit, owner, None, str(error.args[0])))
            continue
        same = (changed.nets, changed.cells) == (circuit.nets, circuit.cells)
        loop = changed.loop()
        broken = f"{len(loop)} nets depend on each other without a clock" if loop else ""
        flips.append(Flip(bit, owner, changed, broken, same))
    return circuit, flips
