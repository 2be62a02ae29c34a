"""What is proved of the memory of sums of shared synapses."""

from amaranth import Array, Module, Mux, Shape, Signal
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spikelet.formal.tracking import no_reset
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import delayed
from spikelet.rtl_gen.sum_memory import SumMemory

__all__ = ["RowLeavesAsItsSum"]


class RowLeavesAsItsSum(wiring.Component):
    """A row of sums leaves as the sum of what was added to it since it left before.

    The environment adds anything to any row, or lets it leave, for ever. It chooses once the row
    that is followed, so what is proved of it is proved of all; and it chooses what a row reads as
    that is read while it is written. Sums wrap, so that no addend need be excluded.

    Parameters
    ----------
    rows, bits : int
        One lane: lanes do not meet.
    """

    def __init__(self, rows: int, bits: int) -> None:
        self.rows = rows
        self.bits = bits
        super().__init__(
            {
                "add": In(1),
                "leave": In(1),
                "row": In(range(rows)),
                "addend": In(bits),
                "followed": In(range(rows)),
                "anything": In(bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.sums = sums = _Sums(self.rows, self.bits, self.anything)
        began = Signal()
        before = Signal.like(self.followed)
        m.d.sync += [began.eq(1), before.eq(self.followed)]
        m.d.comb += [
            sums.add.eq(self.add),
            sums.leave.eq(self.leave),
            sums.row.eq(self.row),
            sums.addends.eq(self.addend),
            Assume(~(self.add & self.leave)),
            Assume((self.row < self.rows) & (self.followed < self.rows)),
            Assume(~began | (self.followed == before)),
        ]
        total = Signal(self.bits)
        here = self.row == self.followed
        added = delayed(m, self.add & here, 2, name="added")
        left = delayed(m, self.leave & here, 2, name="left")
        with m.If(added):
            m.d.sync += total.eq(total + self.addend)
        with m.If(left):
            m.d.sync += total.eq(0)
            m.d.comb += Assert(sums.left & (sums.sums == total))
        m.d.comb += Cover(left & (total == (1 << self.bits) - 1))
        return m


class _Sums(SumMemory):
    def __init__(self, rows: int, bits: int, anything: Signal) -> None:
        self.anything = anything
        super().__init__(rows=rows, lanes=1, bits=bits, addend=Shape(bits, signed=True))

    def memory(self) -> BankedMemory:
        return _CollidingMemory(self.rows, self.bits, self.anything)


class _CollidingMemory(BankedMemory):
    """A row that is read while it is written reads as anything."""

    def __init__(self, rows: int, bits: int, anything: Signal) -> None:
        self.anything = anything
        super().__init__(depth=rows, banks=1, bank_bits=bits)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = Array(Signal(self.bank_bits, name=f"row_{i}") for i in range(self.depth))
        with m.If(self.read_enable):
            collides = (self.read_row == self.write_row) & self.write_banks.any()
            m.d.sync += self.read_data.eq(Mux(collides, self.anything, rows[self.read_row]))
        with m.If(self.write_banks.any()):
            m.d.sync += rows[self.write_row].eq(self.write_data)
        return m
