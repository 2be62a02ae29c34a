"""Cells of an FPGA family that synthesis may choose, and what it weighs: RAMs and multipliers."""

from dataclasses import dataclass

__all__ = ["Multiplier", "RamKind"]


@dataclass(frozen=True)
class RamKind:
    """A RAM cell of an FPGA family, as Yosys's library describes it.

    Parameters
    ----------
    resource : str
        What it is counted as.
    title : str
        For readers.
    library : tuple of str
        Names of the cell in Yosys's library and log, without ``$__`` and ``_`` around them.
    address_bits : int
        Of the narrowest shape; each wider shape has one less.
    widths : tuple of int
        Bits of a row, narrowest first.
    byte : int
        Bits that are written together; 0: a whole row.
    cost : int
        Of a cell, for Yosys's choice.
    kinds : tuple of str
        Of :attr:`spikelet.fpga.memories.Memory.kind`, those that may become this cell.
    tables : bool
        Whether constant tables may.
    """

    resource: str
    title: str
    library: tuple[str, ...]
    address_bits: int
    widths: tuple[int, ...]
    byte: int
    cost: int
    kinds: tuple[str, ...]
    tables: bool = True


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

    def cells(self, left: int, right: int) -> int:
        """Return the cells that a product of two operands of so many bits takes."""
        wide, narrow = max(left, right), min(left, right)
        if wide + narrow < self.least_product_bits:
            return 0
        return self._pieces(wide) * self._pieces(narrow)

    def _pieces(self, bits: int) -> int:
        """Return the pieces, each worth a cell, into which an operand is cut."""
        whole, rest = divmod(bits, self.bits)
        return whole + (rest >= self.least_bits)
