"""A memory of rows that are written by banks. No twin in golden, where a memory is an array."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

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
