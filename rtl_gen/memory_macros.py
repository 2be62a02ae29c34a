"""Memories as macros of a chip made of standard cells. No twin in golden, where they are arrays."""

from collections import Counter
from dataclasses import dataclass, field

from amaranth import ClockSignal, Instance, Module, Value

__all__ = ["MacroShape", "MemoryMacros"]


@dataclass(frozen=True, order=True)
class MacroShape:
    """A memory that a memory compiler is to make.

    Parameters
    ----------
    rows, width : int
        Words, 2 or more, and bits of each.
    ports : int
        1: a row is read or written in a cycle. 2: one port writes, the other reads.
    """

    rows: int
    width: int
    ports: int

    @property
    def name(self) -> str:
        """The end of the names of its modules, such as ``"1w1r_256x32"``."""
        return f"{'1rw' if self.ports == 1 else '1w1r'}_{self.rows}x{self.width}"

    @property
    def address_bits(self) -> int:
        """Width of an address."""
        return (self.rows - 1).bit_length()


@dataclass
class MemoryMacros:
    """Elaborates memories as instances of wrappers; the ``platform`` of a chip of standard cells.

    Parameters
    ----------
    top : str
        With which the names of the wrappers begin.
    smallest_bits : int
        Memories of fewer bits stay part of the design, and become registers.

    Attributes
    ----------
    instances : Counter of MacroShape
        How many there are of each.
    """

    top: str
    smallest_bits: int
    instances: Counter[MacroShape] = field(default_factory=Counter)

    def shape_of(self, rows: int, width: int, *, one_port: bool) -> MacroShape | None:
        """Return the macro that a memory becomes; None if it is too small."""
        if rows < 2 or rows * width < self.smallest_bits:
            return None
        return MacroShape(rows, width, 1 if one_port else 2)

    def add(
        self,
        m: Module,
        name: str,
        shape: MacroShape,
        read: dict[str, Value],
        write: dict[str, Value],
    ) -> None:
        """Add a memory to a module.

        Parameters
        ----------
        m : Module
        name : str
            Of the instance.
        shape : MacroShape
        read, write : dict of Value
            ``enable``, ``row`` and ``data`` of each port.
        """
        self.instances[shape] += 1
        ports = {f"i_write_{key}": value for key, value in write.items()}
        ports |= {f"i_read_{key}": read[key] for key in ("enable", "row")}
        m.submodules[name] = Instance(
            f"{self.top}_memory_{shape.name}",
            i_clk=ClockSignal(),
            o_read_data=read["data"],
            **ports,
        )
