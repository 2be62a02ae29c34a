"""What a chip's parts cost in each FPGA family: one table a family, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from spikelet.fpga.memories import RamKind

__all__ = ["FAMILY_COSTS", "FamilyCosts", "Multiplier", "multiplier_cells"]


@dataclass(frozen=True)
class Multiplier:
    """A family's multiplier cell, as Yosys's ``mul2dsp`` uses it.

    Parameters
    ----------
    bits : int
        Width of both operands.
    least_bits : int
        Narrowest operand that is worth one.
    least_product_bits : int
        Narrowest product that is.
    """

    bits: int
    least_bits: int = 2
    least_product_bits: int = 0


@dataclass(frozen=True)
class FamilyCosts:
    """What synthesis makes of a chip in one family.

    Parameters
    ----------
    rams : tuple of RamKind
        In the order in which Yosys tries them.
    multiplier : Multiplier
    usable : float
        Share of a device's LUTs up to which placement and routing succeed as a rule.
    luts : mapping of str to float
        LUTs for each unit of :func:`spikelet.fpga.fit.lut_terms`, fitted by
        ``python -m benchmarks.fit_estimates``.
    """

    rams: tuple[RamKind, ...]
    multiplier: Multiplier
    usable: float
    luts: Mapping[str, float]


FAMILY_COSTS = {
    "ecp5": FamilyCosts(
        rams=(
            RamKind("distributed_rams", 4, (4,), 0, 4, ("auto", "unclocked"), tables=False),
            RamKind("block_rams", 14, (1, 2, 4, 9, 18, 36), 9, 128, ("auto", "block")),
        ),
        multiplier=Multiplier(18),
        usable=0.9,
        luts={
            "chip": 720.88,
            "core": 315.93,
            "plastic core": 251.23,
            "router": 7.13,
            "configuration": 1.4,
            "address": 1.43,
            "sum": 1.49,
            "adder": 1.27,
            "multiplexer": 0.81,
            "random": 1.19,
            "register": 0.04,
            "ram multiplexer": 0.86,
            "distributed ram": 7.16,
            "register memory": 0.64,
            "table": 0.14,
            "image": 400.0,
        },
    ),
    "ice40": FamilyCosts(
        rams=(
            RamKind("block_rams", 11, (2, 4, 8, 16), 1, 64, ("auto", "block")),
            RamKind("sprams", 14, (16,), 4, 2048, ("spram",)),
        ),
        multiplier=Multiplier(16, least_product_bits=11),
        usable=0.9,
        luts={
            "chip": 982.25,
            "core": 553.04,
            "plastic core": 486.77,
            "router": 6.33,
            "configuration": 2.04,
            "address": 1.69,
            "sum": 0.81,
            "adder": 1.19,
            "multiplexer": 1.02,
            "random": 1.51,
            "register": 0.65,
            "ram multiplexer": 0.6,
            "distributed ram": 6.0,
            "register memory": 1.83,
            "table": 0.14,
            "image": 470.0,
        },
    ),
}
"""By :attr:`spikelet.fpga.devices.Device.family`."""


def multiplier_cells(left: int, right: int, cell: Multiplier) -> int:
    """Return the multiplier cells of a product of two operands of so many bits."""
    wide, narrow = max(left, right), min(left, right)
    if wide + narrow < cell.least_product_bits:
        return 0
    return _cut(wide, cell) * _cut(narrow, cell)


def _cut(bits: int, cell: Multiplier) -> int:
    """Return the pieces, each worth a cell, into which an operand is cut."""
    whole, rest = divmod(bits, cell.bits)
    return whole + (rest >= cell.least_bits)
