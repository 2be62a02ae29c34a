"""A memory of rows that are written by banks. No twin in golden, where a memory is an array."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikelet.rtl_gen.memory_macros import MemoryMacros

__all__ = ["BankedMemory"]


class BankedMemory(wiring.Component):
    """Memory with one read port and one write port, in banks with a write enable each.

    Its users never read and write the same row in the same cycle, or do not use what they then
    read, so synthesis may ignore the collision.

    No bench of its own: each memory of a core is one; ``sim/bench_core.py`` reads and writes them.

    Timing: ``read_data`` holds the row one cycle after ``read_enable``, until the next.
    Reset: does not clear the contents. They are zero at power-up, but in ``spram`` undefined.

    Parameters
    ----------
    depth, banks, bank_bits : int
    kind : str
        ``"auto"`` (synthesis chooses), ``"block"``, or ``"spram"``: then a row is either read or
        written in a cycle, both through ``write_row``'s address, which must equal ``read_row``.

    Members
    -------
    read_row : ``In(range(depth))``
    read_enable : ``In(1)``
    read_data : ``Out(banks * bank_bits)``
    write_row : ``In(range(depth))``
    write_data : ``In(banks * bank_bits)``
    write_banks : ``In(banks)``
        Write enables.
    """

    def __init__(self, *, depth: int, banks: int, bank_bits: int, kind: str = "auto") -> None:
        self.depth = depth
        self.banks = banks
        self.bank_bits = bank_bits
        self.kind = kind
        super().__init__(
            {
                "read_row": In(range(depth)),
                "read_enable": In(1),
                "read_data": Out(banks * bank_bits),
                "write_row": In(range(depth)),
                "write_data": In(banks * bank_bits),
                "write_banks": In(banks),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        attributes: dict[str, object] = {"no_rw_check": 1}
        if self.kind != "auto":
            attributes["ram_style"] = {"block": "block", "spram": "huge"}[self.kind]
        for bank in range(self.banks):
            if self._macro(m, platform, bank):
                continue
            memory = Memory(shape=self.bank_bits, depth=self.depth, init=[], attrs=attributes)
            m.submodules[f"bank_{bank}"] = memory
            write = memory.write_port()
            read = memory.read_port()
            m.d.comb += [
                write.addr.eq(self.write_row),
                write.data.eq(self.write_data.word_select(bank, self.bank_bits)),
                write.en.eq(self.write_banks[bank]),
                read.addr.eq(self.read_row),
                read.en.eq(self.read_enable),
                self.read_data.word_select(bank, self.bank_bits).eq(read.data),
            ]
        return m

    def _macro(self, m: Module, platform: object, bank: int) -> bool:
        """Make a bank a macro, if the platform has them and the bank is large enough."""
        if not isinstance(platform, MemoryMacros):
            return False
        shape = platform.shape_of(self.depth, self.bank_bits, one_port=self.kind == "spram")
        if shape is None:
            return False
        part = slice(bank * self.bank_bits, (bank + 1) * self.bank_bits)
        platform.add(
            *(m, f"bank_{bank}", shape),
            read={
                "enable": self.read_enable,
                "row": self.read_row,
                "data": self.read_data[part],
            },
            write={
                "enable": self.write_banks[bank],
                "row": self.write_row,
                "data": self.write_data[part],
            },
        )
        return True
